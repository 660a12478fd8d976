"""Imagery from an orthophoto: a GeoTIFF of any size in any coordinate system, in windows that overlap."""

import functools
import math
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio import Affine
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from serayu.models.errors import BadInputError
from serayu.models.plane import LocalPlane
from serayu.models.survey.finding import DefectClass
from serayu.vision.detection import Image, Points
from serayu.vision.ground import Values
from serayu.vision.imagery import Opened, Unit
from serayu.vision.pose.gate import judge
from serayu.vision.pose.limits import ALL_CLASSES
from serayu.vision.pose.photo_ground import PIXEL_SIGMA
from serayu.vision.pose.placing import Placing

__all__ = ["OVERLAP_PX", "POSITION_SIGMA_M", "WINDOW_PX", "OrthoGround", "OrthoImagery"]

WINDOW_PX = 2048
OVERLAP_PX = 256
"""Of neighbouring windows: 2 m at 8 mm per px, wider than potholes and patches are [project proposal]."""
POSITION_SIGMA_M = 2.0
"""Standard error of an orthophoto that was placed by GNSS without ground control, m [domain reference §9]."""

_CACHE_MB = 64
_DECIMATED = 1024  # px of the longer side that the grey range of 16-bit pictures is taken from
_RANGE_PER_CENT = (0.5, 99.5)
_COLOURS = (ColorInterp.blue, ColorInterp.green, ColorInterp.red)
_DEPTHS = ("uint8", "uint16")


@dataclass(frozen=True)
class OrthoGround:
    """The ground of one window: a `GroundMap`.

    Parameters
    ----------
    placing
        The survey's plane and the coordinate system of the orthophoto.
    transform
        From the window's pixels to the coordinate system.
    position_sigma_m
        Standard error of the orthophoto's own position.
    """

    placing: Placing
    transform: Affine
    position_sigma_m: float = POSITION_SIGMA_M

    @property
    def plane(self) -> LocalPlane:
        """Return the plane of the survey."""
        return self.placing.plane

    def ground_m(self, px: Points) -> Points:
        """Return metres in the plane of pixels, shape (n, 2)."""
        points = np.asarray(px, dtype=np.float64)
        return self.placing.to_metres(np.column_stack(self.transform @ points.T))

    def pixels(self, ground_m: Points) -> Points:
        """Return pixels of metres in the plane, also outside the window."""
        return np.column_stack(
            ~self.transform @ self.placing.to_crs(np.asarray(ground_m, dtype=np.float64)).T
        )

    def gsd_mm(self, px: Points) -> Values:
        """Return the ground sampling distance, mm per px: the root of the ground area of a pixel."""
        across, down = (
            self.ground_m(px + way) - self.ground_m(px - way)
            for way in (np.array([0.5, 0.0]), np.array([0.0, 0.5]))
        )
        area = np.abs(across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0])
        return 1000 * np.sqrt(area)

    def sigma_m(self, px: Points) -> Values:
        """Return the standard error of the position: that of the orthophoto and that of pointing at a pixel."""
        pointing: Values = PIXEL_SIGMA * math.sqrt(2) * self.gsd_mm(px) / 1000
        return np.hypot(self.position_sigma_m, pointing)


class OrthoImagery:
    """An orthophoto: an `Imagery`. Nothing is opened before it is asked; it can be sent to other processes.

    Parameters
    ----------
    file
        A GeoTIFF of 8 or 16 bits with its coordinate system; grey, colour, with or without transparency. Colours are
        those that it names, else its first three bands. 16 bits are stretched by one range for the whole file.
    window_px, overlap_px
        Side of a window, and how much neighbours share.
    position_sigma_m
        Standard error of its position.
    plane
        Of the survey; None for one about its middle.
    labels
        What is looked for, see `gate.judge`.
    time_us
        When it was flown, microseconds UTC; the file's own date is that of its making and is not taken.
    """

    def __init__(
        self,
        file: Path,
        *,
        window_px: int = WINDOW_PX,
        overlap_px: int = OVERLAP_PX,
        position_sigma_m: float = POSITION_SIGMA_M,
        plane: LocalPlane | None = None,
        labels: Collection[DefectClass] = ALL_CLASSES,
        time_us: int | None = None,
    ) -> None:
        if not 0 <= overlap_px < window_px:
            raise BadInputError(
                f"must be at least 0 and less than the window's {window_px}, not {overlap_px}",
                field="overlap_px",
            )
        self._file = file
        self._window_px = window_px
        self._overlap_px = overlap_px
        self._sigma_m = position_sigma_m
        self._given_plane = plane
        self._labels = frozenset(labels)
        self._time_us = time_us

    @functools.cached_property
    def plane(self) -> LocalPlane:
        """Return the plane of the survey.

        Raises
        ------
        BadInputError
            The file cannot be used; names it.
        """
        if self._given_plane is not None:
            return self._given_plane
        with self._raster() as raster:
            middle = raster.transform @ (raster.width / 2, raster.height / 2)
            degrees = Placing(LocalPlane(0.0), raster.crs.to_wkt())
            lon = degrees.plane.inverse(degrees.to_metres(np.array([middle])))[0, 0]
        if not math.isfinite(lon):
            raise BadInputError("its middle has no place on earth", file=self._file)
        return LocalPlane(round(float(lon), 6))

    def units(self) -> tuple[Unit, ...]:
        """Return the windows that have content, row by row: ``<stem>_<column>_<row>`` of the grid of windows.

        Raises
        ------
        BadInputError
            The file cannot be used or is damaged; names it.
        """
        return self._units

    def open(self, unit: Unit) -> Opened:
        """Read a window.

        Raises
        ------
        BadInputError
            The file cannot be used or is damaged; names it.
        """
        if unit.window_px is None:
            raise BadInputError("no window of an orthophoto", file=unit.file)
        window = Window(*unit.window_px)
        with self._raster() as raster:
            image = self._picture(raster, window)
            valid = self._content(raster, window)
            transform = raster.transform @ Affine.translation(window.col_off, window.row_off)
            ground = OrthoGround(Placing(self.plane, raster.crs.to_wkt()), transform, self._sigma_m)
        middle = np.array([[window.width / 2, window.height / 2]])
        gsd = float(ground.gsd_mm(middle)[0])
        quality = judge(image, gsd_mm=gsd, labels=self._labels, valid=None if valid.all() else valid)
        return Opened(image, ground, self._time_us, gsd, quality)

    @functools.cached_property
    def _units(self) -> tuple[Unit, ...]:
        with self._raster() as raster:
            columns = self._starts(raster.width)
            rows = self._starts(raster.height)
            width, height = min(self._window_px, raster.width), min(self._window_px, raster.height)
            return tuple(
                Unit(f"{self._file.stem}_{column}_{row}", self._file, (left, top, width, height))
                for row, top in enumerate(rows)
                for column, left in enumerate(columns)
                if self._content(raster, Window(left, top, width, height)).any()
            )

    def _starts(self, size: int) -> list[int]:
        """Return where windows begin; the last is moved back so that all are whole."""
        last = max(size - self._window_px, 0)
        starts = list(range(0, last, self._window_px - self._overlap_px))
        return [*starts, last]

    def _picture(self, raster: Any, window: Window) -> Image:  # noqa: ANN401 -- a module without types
        bands = self._bands(raster)
        values = self._read(raster, list(bands), window=window)
        if values.dtype == np.uint16:
            low, high = self._range
            values = np.clip((values.astype(np.float32) - low) * (255 / max(high - low, 1.0)), 0, 255)
            values = np.rint(values).astype(np.uint8)
        return np.ascontiguousarray(np.moveaxis(values, 0, 2))

    def _bands(self, raster: Any) -> tuple[int, int, int]:  # noqa: ANN401 -- a module without types
        """Return the numbers of the blue, green and red band."""
        named = {colour: number for number, colour in reversed(list(enumerate(raster.colorinterp, start=1)))}
        if all(colour in named for colour in _COLOURS):
            return named[_COLOURS[0]], named[_COLOURS[1]], named[_COLOURS[2]]
        plain = [
            number for number, kind in enumerate(raster.colorinterp, start=1) if kind != ColorInterp.alpha
        ]
        return (plain[2], plain[1], plain[0]) if len(plain) >= 3 else (plain[0],) * 3  # noqa: PLR2004

    def _content(self, raster: Any, window: Window) -> npt.NDArray[np.bool_]:  # noqa: ANN401
        """Return where a window has content, shape (height, width)."""
        try:
            mask: npt.NDArray[np.bool_] = raster.dataset_mask(window=window) > 0
        except RasterioError as error:
            raise BadInputError(f"damaged: {error}", file=self._file) from None
        return mask

    @functools.cached_property
    def _range(self) -> tuple[float, float]:
        """Return the grey values of a 16-bit file that become black and white, the same for all windows."""
        with self._raster() as raster:
            share = min(_DECIMATED / max(raster.width, raster.height), 1.0)
            shape = (max(round(raster.height * share), 1), max(round(raster.width * share), 1))
            bands = sorted(set(self._bands(raster)))
            values = self._read(raster, bands, out_shape=(len(bands), *shape), resampling=Resampling.nearest)
            seen = raster.dataset_mask(out_shape=shape, resampling=Resampling.nearest) > 0
        inside = values[:, seen]
        if not inside.size:
            return 0.0, float(np.iinfo(np.uint16).max)
        low, high = np.percentile(inside, _RANGE_PER_CENT)
        return float(low), float(high)

    def _read(self, raster: Any, bands: list[int], **options: Any) -> npt.NDArray[Any]:  # noqa: ANN401
        try:
            values: npt.NDArray[Any] = raster.read(bands, **options)
        except RasterioError as error:
            raise BadInputError(f"damaged: {error}", file=self._file) from None
        return values

    @contextmanager
    def _raster(self) -> Iterator[Any]:
        """Open the file with a small cache of blocks."""
        try:
            with warnings.catch_warnings(), rasterio.Env(GDAL_CACHEMAX=_CACHE_MB):
                warnings.simplefilter("ignore", NotGeoreferencedWarning)  # it becomes an error below
                raster = rasterio.open(self._file)
        except (RasterioError, OSError) as error:
            raise BadInputError(f"not an orthophoto: {error}", file=self._file) from None
        with raster, rasterio.Env(GDAL_CACHEMAX=_CACHE_MB):
            self._check(raster)
            yield raster

    def _check(self, raster: Any) -> None:  # noqa: ANN401 -- a module without types
        if raster.crs is None or raster.transform.is_identity:
            raise BadInputError(
                "no georeference: a coordinate system and a transform are needed", file=self._file
            )
        if ColorInterp.palette in raster.colorinterp:
            raise BadInputError("colours by a palette; red, green and blue bands are needed", file=self._file)
        kinds = set(raster.dtypes)
        if len(kinds) != 1 or not kinds <= set(_DEPTHS):
            raise BadInputError(
                f"bands of {', '.join(sorted(kinds))}; 8 or 16 bits without sign are needed", file=self._file
            )
