"""Convective cells that move over the region and rain on what lies below."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError
from serayu.standalone.storm.noise import noise_key, uniform_noise
from serayu.standalone.storm.toml_file import converted, read_toml

__all__ = ["Drizzle", "RainCell", "StormRain", "load_rain"]

FloatArray = npt.NDArray[np.float64]

STORM_FILE = "storm.toml"
KM_PER_DEGREE = 6371.0 * math.pi / 180.0  # on a sphere of the earth's mean radius
_SHIFT_DEGREE = 0.006  # what a seed moves a centre at most: about 700 m (invented)
_SHIFT_PEAK = 0.04  # and its strength, as a share (invented)


@dataclass(frozen=True, slots=True, kw_only=True)
class RainCell:
    """One cell: a bell of rain that moves straight, grows and decays.

    Parameters
    ----------
    lon, lat
        Centre when it starts, degrees.
    east_km_per_h, north_km_per_h
        Motion.
    start_h, duration_h
        Life, h from the start of the storm; the strength follows sin² over it.
    peak_mm_per_h
        Intensity at the centre when strongest, mm/h.
    radius_km
        Standard deviation of the bell, km.
    name
        For people.
    """

    lon: float
    lat: float
    east_km_per_h: float
    north_km_per_h: float
    start_h: float
    duration_h: float
    peak_mm_per_h: float
    radius_km: float
    name: str = ""

    def __post_init__(self) -> None:
        for field in ("duration_h", "peak_mm_per_h", "radius_km"):
            if not getattr(self, field) > 0:
                raise ValueError(f"{field} must be positive, got {getattr(self, field)}")

    def intensity(self, lon: float, lat: float, time_h: FloatArray) -> FloatArray:
        """Return the intensity at a place.

        Parameters
        ----------
        lon, lat
            Degrees.
        time_h
            Hours from the start of the storm, any shape.

        Returns
        -------
        numpy.ndarray
            mm/h, shape of *time_h*, 0 outside the cell's life.
        """
        age = time_h - self.start_h
        east_km = (lon - self.lon) * KM_PER_DEGREE * math.cos(
            math.radians(self.lat)
        ) - self.east_km_per_h * age
        north_km = (lat - self.lat) * KM_PER_DEGREE - self.north_km_per_h * age
        bell = np.exp(-(east_km**2 + north_km**2) / (2.0 * self.radius_km**2))
        return np.asarray(self.peak_mm_per_h * _life(age, self.duration_h) * bell)


class Drizzle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Light rain everywhere: hours from the start, mm/h when strongest."""

    start_h: float
    duration_h: float
    peak_mm_per_h: float

    def __post_init__(self) -> None:
        if not (self.duration_h > 0 and self.peak_mm_per_h >= 0):
            raise ValueError("duration_h must be positive and peak_mm_per_h not negative")


class _StormFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cell: tuple[RainCell, ...]
    drizzle: Drizzle | None = None


@dataclass(frozen=True, slots=True)
class StormRain:
    """All rain of a storm."""

    cells: tuple[RainCell, ...]
    drizzle: Drizzle | None = None

    def intensity(self, lon: float, lat: float, time_h: FloatArray) -> FloatArray:
        """Return the intensity at a place, mm/h, shape of *time_h* (hours from the start of the storm)."""
        total = np.zeros_like(time_h)
        for cell in self.cells:
            total += cell.intensity(lon, lat, time_h)
        if self.drizzle is not None:
            age = time_h - self.drizzle.start_h
            total += self.drizzle.peak_mm_per_h * _life(age, self.drizzle.duration_h)
        return total


def load_rain(folder: Path, *, seed: int) -> StormRain:
    """Read ``storm.toml`` of a region folder and shift its cells by the seed.

    Raises
    ------
    BadInputError
        The file is missing or wrong; names it and the field.
    """
    file = folder / STORM_FILE
    storm = converted(read_toml(file), _StormFile, file=file)
    if not storm.cell:
        raise BadInputError("a storm needs at least one cell", file=file, field="cell")
    return StormRain(
        tuple(_shifted(cell, index, seed) for index, cell in enumerate(storm.cell)), storm.drizzle
    )


def _shifted(cell: RainCell, index: int, seed: int) -> RainCell:
    east, north, strength = uniform_noise(noise_key("cell", seed, index), np.arange(3)).tolist()
    return replace(
        cell,
        lon=cell.lon + _SHIFT_DEGREE * east,
        lat=cell.lat + _SHIFT_DEGREE * north,
        peak_mm_per_h=cell.peak_mm_per_h * (1.0 + _SHIFT_PEAK * strength),
    )


def _life(age_h: FloatArray, duration_h: float) -> FloatArray:
    """Return sin² over the life, 0 before and after."""
    share = np.clip(age_h / duration_h, 0.0, 1.0)
    return np.asarray(np.sin(np.pi * share) ** 2)
