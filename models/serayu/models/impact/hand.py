"""Flooded areas from a raster of heights above the nearest drainage (HAND).

A cell is under water where its height above the drainage that it drains to is not above the water there [Nobre et
al., Height Above the Nearest Drainage, J. Hydrology 404 (2011)]. Water is the stage above bankfull, so the raster
counts from the top of the banks, or ``bankfull_m`` is the stage at which its zero lies.
"""

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError
from serayu.models.impact.tables import read_posts
from serayu.models.plane import FloatArray, LocalPlane
from serayu.models.region import Region
from serayu.models.station import Station

HAND_FILE = "hand.toml"
DEGREE_M = (
    110_574.0  # least length of a degree of latitude, at the equator [WGS84]: a window is never too small
)
_STEP_M = (
    0.05  # depths are rounded up to this, so that a rising river does not ask for a new outline each minute
)


class HandPost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of the raster that a post speaks for.

    Parameters
    ----------
    bankfull_m
        Stage at which water stands at height zero of the raster, metres above the post's datum.
    radius_km
        How far from the post.
    """

    bankfull_m: float
    radius_km: Annotated[float, msgspec.Meta(gt=0, le=20)]


class HandTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Head of ``hand.toml``: a GeoTIFF in the region folder, heights in metres, with its coordinate system."""

    raster: str
    source: str
    invented: bool


@dataclass(frozen=True, slots=True)
class _Window:
    """The cells around one post."""

    height_m: FloatArray
    transform: Any
    crs: Any
    bankfull_m: float


class HandMap:
    """Heights above the drainage around the posts of a region.

    Parameters
    ----------
    table, posts, folder
        The region's `HandTable`, its posts by station id, and its folder.
    region, plane
        Stations, and the plane of the other layers.

    Raises
    ------
    BadInputError
        The raster cannot be read, has no coordinate system, does not cover a post, or rasterio is not installed.
    """

    def __init__(
        self,
        table: HandTable,
        posts: Mapping[str, HandPost],
        folder: Path,
        *,
        region: Region,
        plane: LocalPlane,
    ) -> None:
        self.invented = table.invented
        self._plane = plane
        self._rasterio = _rasterio(folder / HAND_FILE)
        self._windows: dict[str, _Window] = {}
        self._last: dict[str, tuple[float, BaseGeometry]] = {}  # of each post: a renewal asks for the same
        file = folder / table.raster
        try:
            with self._rasterio.open(file) as raster:
                if raster.crs is None:
                    raise BadInputError("the raster has no coordinate system", file=file)
                for station_id, post in posts.items():
                    self._windows[station_id] = self._window(raster, region.stations[station_id], post, file)
        except self._rasterio.errors.RasterioError as error:
            raise BadInputError(f"cannot be read: {error}", file=file) from None

    def __contains__(self, station_id: str) -> bool:
        return station_id in self._windows

    def depth_m(self, station_id: str, stage_m: float) -> float:
        """Return the water above bankfull, metres, rounded up to 5 cm; zero or less: within the banks."""
        above = stage_m - self._windows[station_id].bankfull_m
        return math.ceil(round(above / _STEP_M, 6)) * _STEP_M

    def area(self, station_id: str, depth_m: float) -> BaseGeometry:
        """Return what is under water, metres in the plane; may be empty."""
        last = self._last.get(station_id)
        if last is not None and last[0] == depth_m:
            return last[1]
        self._last[station_id] = depth_m, self._outline(self._windows[station_id], depth_m)
        return self._last[station_id][1]

    def _outline(self, window: _Window, depth_m: float) -> BaseGeometry:
        with np.errstate(invalid="ignore"):
            wet = window.height_m <= depth_m  # NaN, where the raster says nothing, is not wet
        shapes = self._rasterio.features.shapes(
            wet.astype(np.uint8), mask=wet, transform=window.transform, connectivity=4
        )
        cells = np.array([shapely.geometry.shape(outline) for outline, _ in shapes], dtype=object)
        degrees = shapely.transform(cells, lambda places: self._degrees(places, window.crs))
        cells = self._plane.to_metres(degrees)
        return shapely.multipolygons(cells)  # patches of one connectivity meet at corners only

    def _degrees(self, places: FloatArray, crs: Any) -> FloatArray:  # noqa: ANN401
        lon, lat = self._rasterio.warp.transform(crs, "EPSG:4326", places[:, 0], places[:, 1])
        return np.column_stack((lon, lat))

    def _window(self, raster: Any, station: Station, post: HandPost, file: Path) -> _Window:  # noqa: ANN401
        """Read the cells of a box around the post, as far as the raster has them."""
        half_lat = post.radius_km * 1000 / DEGREE_M
        half_lon = half_lat / math.cos(math.radians(abs(station.lat) + half_lat))
        west, east = station.lon - half_lon, station.lon + half_lon
        south, north = station.lat - half_lat, station.lat + half_lat
        bounds = self._rasterio.warp.transform_bounds("EPSG:4326", raster.crs, west, south, east, north)
        wanted = self._rasterio.windows.from_bounds(*bounds, transform=raster.transform)
        left, top = max(math.floor(wanted.col_off), 0), max(math.floor(wanted.row_off), 0)
        right = min(math.ceil(wanted.col_off + wanted.width), raster.width)
        bottom = min(math.ceil(wanted.row_off + wanted.height), raster.height)
        if left >= right or top >= bottom:
            raise BadInputError(
                f"does not cover the surroundings of {station.id!r}", file=file, field=f"post.{station.id}"
            )
        window = self._rasterio.windows.Window(left, top, right - left, bottom - top)
        transform = raster.window_transform(window)
        height_m = raster.read(1, window=window, masked=True).astype(float).filled(np.nan)
        circle = self._rasterio.warp.transform_geom(
            "EPSG:4326", raster.crs, shapely.geometry.mapping(self._circle(station, post.radius_km))
        )
        height_m[self._rasterio.features.geometry_mask([circle], height_m.shape, transform)] = np.nan
        return _Window(height_m, transform, raster.crs, post.bankfull_m)

    def _circle(self, station: Station, radius_km: float) -> BaseGeometry:
        """Return the surroundings of a post, degrees."""
        centre = self._plane.to_metres(np.array([shapely.Point(station.lon, station.lat)]))
        return self._plane.to_degrees(shapely.buffer(centre, radius_km * 1000))[0]


def read_hand(folder: Path, region: Region, plane: LocalPlane) -> HandMap | None:
    """Read ``hand.toml`` and its raster; None where the file is not there.

    Raises
    ------
    BadInputError
        The file or the raster is wrong, or rasterio is not installed; names file and field.
    """
    read = read_posts(folder / HAND_FILE, region, HandTable, HandPost)
    return None if read is None else HandMap(*read, folder, region=region, plane=plane)


def _rasterio(file: Path) -> Any:  # noqa: ANN401 -- a module without types
    """Load rasterio now: only regions with a raster pay for it."""
    try:
        for part in ("features", "warp", "windows", "errors"):
            importlib.import_module(f"rasterio.{part}")
        return importlib.import_module("rasterio")
    except ImportError as error:
        raise BadInputError(f"needs rasterio, the extra serayu[gis]: {error}", file=file) from None
