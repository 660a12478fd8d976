"""Writes the ground's heights as a GeoTIFF, in degrees as the national elevation model DEMNAS is."""

from pathlib import Path

import numpy as np

from serayu.vision.flight.scene import Scene

__all__ = ["write_dem"]

_SPACING_M = 1.0
_MARGIN_M = 60.0
_METRES_PER_DEGREE = 111_320.0  # of latitude; only the spacing depends on it


def write_dem(file: Path, scene: Scene) -> None:
    """Write heights over the flown part and 60 m around it, metres, EPSG:4326, one band of float32.

    Parameters
    ----------
    file
        To write.
    scene
        Whose ground.
    """
    import rasterio  # noqa: PLC0415 - only writing needs it

    road = scene.road
    stations = np.arange(road.start_m, road.end_m + 5, 5.0)
    line = np.array([road.at(min(float(station), road.line.length - 0.06))[0] for station in stations])
    around = np.concatenate([line + np.array(off) for off in ((_MARGIN_M,) * 2, (-_MARGIN_M,) * 2)])
    around = np.concatenate(
        (around, line + np.array([_MARGIN_M, -_MARGIN_M]), line + np.array([-_MARGIN_M, _MARGIN_M]))
    )
    degrees = road.site.to_degrees(around)
    west, south = degrees.min(axis=0)
    east, north = degrees.max(axis=0)
    step_lat = _SPACING_M / _METRES_PER_DEGREE
    step_lon = step_lat / np.cos(np.radians(north))
    columns, rows = int(np.ceil((east - west) / step_lon)), int(np.ceil((north - south) / step_lat))
    lon, lat = np.meshgrid(
        west + (np.arange(columns) + 0.5) * step_lon, north - (np.arange(rows) + 0.5) * step_lat
    )
    heights = scene.terrain.height_m(road.site.from_degrees(np.column_stack((lon.ravel(), lat.ravel()))))
    with rasterio.open(
        file,
        "w",
        driver="GTiff",
        width=columns,
        height=rows,
        count=1,
        dtype="float32",
        crs="EPSG:4326",
        transform=rasterio.Affine(step_lon, 0, west, 0, -step_lat, north),
        compress="deflate",
        predictor=3,
    ) as target:
        target.write(heights.reshape(rows, columns).astype(np.float32), 1)
