"""Slopes from an elevation model that the operator gives, by Horn's method, in metres at the place.

The only module here that knows rasterio; import it where a DEM is given and nowhere else.
"""

import math
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import rasterio
import shapely
from rasterio import Affine
from rasterio.errors import RasterioError
from rasterio.features import geometry_mask
from rasterio.warp import transform_geom
from rasterio.windows import Window
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError
from serayu.models.landslide.ground import degree_lengths_m
from serayu.models.landslide.units import PlacedUnit

__all__ = ["STEEP_PERCENTILE", "Dem", "horn_slope_deg"]

STEEP_PERCENTILE = 90.0
"""Of the slopes of a polygon's cells, per cent; slides begin in the steep parts [project proposal]."""
_CELLS_MAX = 25_000_000
_LONLAT = "EPSG:4326"
_NEAR_ZERO = 1e-12

Grid = npt.NDArray[np.float64]


def horn_slope_deg(heights_m: Grid, *, width_m: Grid | float, height_m: Grid | float) -> Grid:
    """Return the slope of each inner cell by Horn's method.

    ``dz/dx = ((c + 2f + i) - (a + 2d + g)) / (8 w)`` over the 3 by 3 cells a to i around it, and likewise dz/dy
    [Horn 1981, Proceedings of the IEEE 69].

    Parameters
    ----------
    heights_m
        Elevations, m, shape (rows, columns) of at least 3 by 3; NaN is a void.
    width_m, height_m
        Size of a cell, m; a column of shape (rows - 2, 1) where it changes with the latitude.

    Returns
    -------
    ndarray
        Slopes, degrees, shape (rows - 2, columns - 2); NaN where any of the nine cells is a void.
    """
    a, b, c = heights_m[:-2, :-2], heights_m[:-2, 1:-1], heights_m[:-2, 2:]
    d, e, f = heights_m[1:-1, :-2], heights_m[1:-1, 1:-1], heights_m[1:-1, 2:]
    g, h, i = heights_m[2:, :-2], heights_m[2:, 1:-1], heights_m[2:, 2:]
    across = ((c + 2 * f + i) - (a + 2 * d + g)) / (8 * width_m)
    down = ((g + 2 * h + i) - (a + 2 * b + c)) / (8 * height_m)
    slopes: Grid = np.degrees(np.arctan(np.hypot(across, down)))
    return np.where(np.isnan(e), np.nan, slopes)


class Dem:
    """An elevation model in a file: GeoTIFF, HGT or what else GDAL reads; a context manager.

    Parameters
    ----------
    file
        The file. It must say its coordinate system: degrees, or metres; heights are metres.

    Raises
    ------
    BadInputError
        It cannot be read, has no coordinate system, is turned, or measures in another unit.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._raster: Any = rasterio.open(file)
        except (RasterioError, OSError) as error:
            raise BadInputError(f"not an elevation model: {error}", file=file) from None
        reason = self._fault()
        if reason is not None:
            self._raster.close()
            raise BadInputError(reason, file=file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._raster.close()

    def slope_deg(self, placed: PlacedUnit) -> float | None:
        """Return the slope of a unit, degrees.

        Of a point, that of its cell; of a polygon the `STEEP_PERCENTILE` of the cells whose centre lies in it (the
        cell under its inner point where there is none). None outside the model, on its rim and at voids.

        Raises
        ------
        BadInputError
            The unit covers more cells than can be looked at, or the file is damaged.
        """
        geometry = self._placed(placed.geometry)
        inner = geometry if geometry.geom_type == "Point" else geometry.representative_point()
        window = self._window(geometry)
        if window is None:
            return None
        slopes = self._slopes(window)
        across, down, west, north = self._corner(window)
        transform = Affine(across, 0.0, west + across, 0.0, down, north + down)  # of the inner cells
        if geometry.geom_type != "Point":
            inside = slopes[geometry_mask([mapping(geometry)], slopes.shape, transform, invert=True)]
            if inside.size:
                known = inside[~np.isnan(inside)]
                return float(np.percentile(known, STEEP_PERCENTILE)) if known.size else None
        column, row = math.floor((inner.x - transform.c) / across), math.floor((inner.y - transform.f) / down)
        if not (0 <= row < slopes.shape[0] and 0 <= column < slopes.shape[1]):
            return None
        slope = float(slopes[row, column])
        return None if math.isnan(slope) else slope

    def _fault(self) -> str | None:
        crs, transform = self._raster.crs, self._raster.transform
        if crs is None:
            return "the elevation model does not say its coordinate system"
        if not crs.is_geographic and crs.linear_units not in ("metre", "meter"):
            return f"the elevation model measures in {crs.linear_units}, not in metres or degrees"
        if abs(transform.b) > _NEAR_ZERO or abs(transform.d) > _NEAR_ZERO:
            return "the elevation model is turned against north"
        return None

    def _placed(self, geometry: BaseGeometry) -> BaseGeometry:
        if self._raster.crs.to_epsg() == 4326:  # noqa: PLR2004 -- the code of _LONLAT
            return geometry
        placed: BaseGeometry = shape(transform_geom(_LONLAT, self._raster.crs, mapping(geometry)))
        return placed

    def _window(self, geometry: BaseGeometry) -> Window | None:
        """Return the cells of a geometry and one more on each side, as far as the model reaches."""
        west, south, east, north = shapely.bounds(geometry)
        own = self._raster.transform
        columns = ((west - own.c) / own.a, (east - own.c) / own.a)
        rows = ((north - own.f) / own.e, (south - own.f) / own.e)
        first_row, last_row = (
            max(math.floor(min(rows)) - 1, 0),
            min(math.floor(max(rows)) + 2, self._raster.height),
        )
        first, last = (
            max(math.floor(min(columns)) - 1, 0),
            min(math.floor(max(columns)) + 2, self._raster.width),
        )
        if last - first < 3 or last_row - first_row < 3:  # noqa: PLR2004 -- Horn needs three by three
            return None
        if (last - first) * (last_row - first_row) > _CELLS_MAX:
            raise BadInputError("a slope unit covers too many cells", file=self._file)
        return Window(first, first_row, last - first, last_row - first_row)

    def _slopes(self, window: Window) -> Grid:
        try:
            heights = self._raster.read(1, window=window, masked=True).astype(np.float64).filled(np.nan)
        except RasterioError as error:
            raise BadInputError(f"the elevation model is damaged: {error}", file=self._file) from None
        across, down, _, north = self._corner(window)
        width, height = abs(across), abs(down)
        if not self._raster.crs.is_geographic:
            return horn_slope_deg(heights, width_m=width, height_m=height)
        rows = np.arange(1, heights.shape[0] - 1)
        sizes = np.array([degree_lengths_m(north + (row + 0.5) * down) for row in rows])
        return horn_slope_deg(heights, width_m=sizes[:, :1] * width, height_m=sizes[:, 1:] * height)

    def _corner(self, window: Window) -> tuple[float, float, float, float]:
        """Return width and height of a cell (signed) and the first corner of a window, in the model's units."""
        own = self._raster.transform
        return own.a, own.e, own.c + window.col_off * own.a, own.f + window.row_off * own.e
