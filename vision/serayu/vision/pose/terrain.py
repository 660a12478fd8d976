"""The height of the ground from an elevation model, in any coordinate system, for rays to meet."""

import functools
import math
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio import Affine
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from serayu.models.errors import BadInputError
from serayu.models.plane import LocalPlane
from serayu.vision.detection import Points
from serayu.vision.ground import Values
from serayu.vision.pose.placing import Placing

__all__ = ["Terrain", "check_dem"]

_CELLS_MAX = 50_000_000
# Land lies between the shore of the Dead Sea (-430 m) and Mount Everest (8849 m); what is beyond stands for a void, as
# the -32768 of SRTM does, in files that do not declare it.
_LOWEST_M, _HIGHEST_M = -500.0, 9000.0
_SLOPE_STEP_CELLS = 0.5


def check_dem(file: Path) -> None:
    """Look whether a file is an elevation model that says where it lies, without reading its heights.

    Raises
    ------
    BadInputError
        It is no raster, or it does not say its place or its coordinate system; names the file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said below, once and in one line
            with rasterio.open(file) as raster:
                placed = raster.crs is not None and not raster.transform.is_identity
    except (RasterioError, OSError) as error:
        raise BadInputError(f"not an elevation model: {error}", file=file) from None
    if not placed:
        raise BadInputError(
            "the elevation model does not say its coordinate system or its place (no georeference)", file=file
        )


@dataclass(frozen=True)
class Terrain:
    """Heights of the ground, bilinear between the middles of cells.

    Parameters
    ----------
    placing
        The survey's plane and the coordinate system of the model.
    heights_m
        Shape (rows, columns); NaN is a void.
    transform
        From column and row (the first cell's corner is 0, 0) to the coordinate system.
    sigma_m
        Standard error of the heights.
    """

    placing: Placing
    heights_m: npt.NDArray[np.float32] = field(repr=False)
    transform: Affine
    sigma_m: float = 0.0

    @classmethod
    def read(
        cls,
        file: Path,
        *,
        plane: LocalPlane,
        bounds_deg: tuple[float, float, float, float] | None = None,
        sigma_m: float = 0.0,
    ) -> "Terrain":
        """Read an elevation model, or the part of it that is needed; heights that no land has are voids.

        Parameters
        ----------
        file
            A raster that GDAL reads, with its coordinate system; heights in metres.
        plane
            Of the survey.
        bounds_deg
            West, south, east, north of the part; None for all.
        sigma_m
            Standard error of its heights.

        Raises
        ------
        BadInputError
            It cannot be read, says no coordinate system, is too large, or does not cover the part; names the file.
        """
        try:
            with rasterio.open(file) as raster:
                if raster.crs is None:
                    raise BadInputError("the elevation model does not say its coordinate system", file=file)
                placing = Placing(plane, raster.crs.to_wkt())
                window = Window(0, 0, raster.width, raster.height)
                if bounds_deg is not None:
                    window = _part(raster.transform, window, placing, bounds_deg)
                if window.width < 1 or window.height < 1:
                    raise BadInputError("the elevation model does not reach the survey", file=file)
                if window.width * window.height > _CELLS_MAX:
                    raise BadInputError(
                        f"the elevation model has more than {_CELLS_MAX} cells here", file=file
                    )
                heights = raster.read(1, window=window, masked=True).astype(np.float32).filled(np.nan)
                heights[(heights < _LOWEST_M) | (heights > _HIGHEST_M)] = np.nan
                moved = raster.transform @ Affine.translation(window.col_off, window.row_off)
        except (RasterioError, OSError) as error:
            raise BadInputError(f"not an elevation model: {error}", file=file) from None
        return cls(placing, heights, moved, sigma_m)

    def height_m(self, ground_m: Points) -> Values:
        """Return the height at metres in the plane, shape (n,); NaN outside, beside voids and at them."""
        inside = ~self.transform
        x, y = self.placing.to_crs(ground_m).T
        return _bilinear(self.heights_m, *(inside @ (x, y)))

    def slope(self, ground_m: Points) -> Points:
        """Return the rise of the ground per metre east and north, shape (n, 2); NaN where it is not known."""
        step = self.cell_m * _SLOPE_STEP_CELLS
        rise = [
            (self.height_m(ground_m + way) - self.height_m(ground_m - way)) / (2 * step)
            for way in (np.array([step, 0.0]), np.array([0.0, step]))
        ]
        return np.column_stack(rise)

    @functools.cached_property
    def cell_m(self) -> float:
        """Return the size of a cell, the smaller of its two sides, m."""
        rows, columns = self.heights_m.shape
        corners = np.array([columns / 2, rows / 2]) + np.array([[0, 0], [1, 0], [0, 1]])
        metres = self.placing.to_metres(np.column_stack(self.transform @ corners.T))
        return float(min(math.dist(metres[0], metres[1]), math.dist(metres[0], metres[2])))

    @functools.cached_property
    def range_m(self) -> tuple[float, float]:
        """Return the lowest and the highest height; NaN of a model that is all void."""
        return _range(self.heights_m)

    def range_near(self, ground_m: Points) -> tuple[float, float]:
        """Return the lowest and the highest height in the box round points in the plane, NaN where none is known.

        Points that are NaN are left out.
        """
        known = ground_m[np.isfinite(ground_m).all(axis=1)]
        if not known.size:
            return math.nan, math.nan
        (left, top), (right, bottom) = known.min(axis=0), known.max(axis=0)
        # the sides' middles too: the box bends in other coordinate systems, two cells more are room for it
        across, up = (left, (left + right) / 2, right), (top, (top + bottom) / 2, bottom)
        rim = np.array([(x, y) for x in across for y in up])
        columns, rows = ~self.transform @ self.placing.to_crs(rim).T
        if not (np.isfinite(columns).all() and np.isfinite(rows).all()):
            return self.range_m
        first = (max(math.floor(rows.min()) - 2, 0), max(math.floor(columns.min()) - 2, 0))
        cells = self.heights_m[
            first[0] : max(math.ceil(rows.max()) + 2, 0), first[1] : max(math.ceil(columns.max()) + 2, 0)
        ]
        return _range(cells)


def _part(
    transform: Affine, whole: Window, placing: Placing, bounds: tuple[float, float, float, float]
) -> Window:
    """Return the cells of a box in degrees and two more on each side, as far as the model reaches."""
    west, south, east, north = bounds
    along = np.linspace(0, 1, 21)  # the box's sides bend in other coordinate systems
    degrees = np.concatenate(
        [
            np.column_stack((west + along * (east - west), np.full_like(along, edge)))
            for edge in (south, north)
        ]
    )
    coordinates = placing.to_crs(placing.plane.forward(degrees))
    columns, rows = ~transform @ coordinates.T
    if not (np.isfinite(columns).all() and np.isfinite(rows).all()):
        return Window(0, 0, 0, 0)
    left, top = max(math.floor(columns.min()) - 2, 0), max(math.floor(rows.min()) - 2, 0)
    right = min(math.ceil(columns.max()) + 2, whole.width)
    bottom = min(math.ceil(rows.max()) + 2, whole.height)
    return Window(left, top, max(right - left, 0), max(bottom - top, 0))


def _range(cells: npt.NDArray[np.float32]) -> tuple[float, float]:
    known = cells[np.isfinite(cells)]
    return (float(known.min()), float(known.max())) if known.size else (math.nan, math.nan)


def _bilinear(cells: npt.NDArray[np.float32], columns: Values, rows: Values) -> Values:
    """Return heights between the middles of cells; the rim of half a cell counts as its cell."""
    height, width = cells.shape
    with np.errstate(invalid="ignore"):
        inside = (columns >= 0) & (columns <= width) & (rows >= 0) & (rows <= height)
    x = np.clip(np.where(inside, columns, 0) - 0.5, 0, width - 1)
    y = np.clip(np.where(inside, rows, 0) - 0.5, 0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = x - left, y - top
    parts = (
        (cells[top, left], (1 - across) * (1 - down)),
        (cells[top, right], across * (1 - down)),
        (cells[below, left], (1 - across) * down),
        (cells[below, right], across * down),
    )
    # a void whose share is nothing does not spoil its neighbour
    heights: Values = sum(
        (np.where(share > 0, share * cell.astype(float), 0) for cell, share in parts), start=np.zeros_like(x)
    )
    return np.where(inside, heights, np.nan)
