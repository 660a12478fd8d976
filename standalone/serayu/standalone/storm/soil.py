"""Soil of a rice field in a storm: a bucket of water and a slow thermometer. Parameters are invented."""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["conductivity", "moisture", "temperature"]

FloatArray = npt.NDArray[np.float64]

# Clay of a paddy after drainage, percent of volume, within the usual span of clay soils (invented).
SATURATION = 52.0
FIELD_CAPACITY = 41.0
START = 37.0
ROOT_DEPTH_MM = 200.0
DRAIN_H = 8.0  # time in which the water above field capacity falls to 1/e
EVAPORATION_MM_PER_DAY = 4.0  # drawn between 6 and 18 h, as a half sine
_RAIN_COOLING = 2.0  # Cel when it rains hard
_COOLING_H = 2.0


def moisture(
    rain_mm: FloatArray, *, hour_of_day: FloatArray, step_h: float, start: float = START
) -> FloatArray:
    """Return volumetric moisture of a bucket that rain fills and drainage and the sun empty.

    Parameters
    ----------
    rain_mm
        Rain of each step, shape (n,), mm; what finds the soil saturated runs off.
    hour_of_day
        Local hour at each step, shape (n,), 0 to 24.
    step_h
        Time step, h.
    start
        Moisture before the first step, percent.

    Returns
    -------
    numpy.ndarray
        Moisture at the end of each step, shape (n,), percent of volume.
    """
    keep = math.exp(-step_h / DRAIN_H)
    sun = EVAPORATION_MM_PER_DAY * math.pi / 24.0 * step_h * _daylight(hour_of_day)
    per_mm = 100.0 / ROOT_DEPTH_MM
    series = np.empty_like(rain_mm)
    level = start
    for index, (gain, loss) in enumerate(zip(rain_mm.tolist(), sun.tolist(), strict=True)):
        level = min(level + (gain - loss) * per_mm, SATURATION)
        if level > FIELD_CAPACITY:
            level = FIELD_CAPACITY + (level - FIELD_CAPACITY) * keep
        series[index] = level
    return series


def temperature(rain_mm: FloatArray, *, hour_of_day: FloatArray, step_h: float) -> FloatArray:
    """Return soil temperature at 10 cm, Cel, shape (n,): a daily wave, late by two hours, that rain cools."""
    wave = 27.0 + 1.6 * np.cos((hour_of_day - 16.0) * math.pi / 12.0)
    keep = math.exp(-step_h / _COOLING_H)
    wetness = np.empty_like(rain_mm)
    level = 0.0
    for index, depth in enumerate(rain_mm.tolist()):
        level = level * keep + min(depth / step_h / 20.0, 1.0) * (1.0 - keep)
        wetness[index] = level
    return np.asarray(wave - _RAIN_COOLING * wetness)


def conductivity(moisture_percent: FloatArray) -> FloatArray:
    """Return bulk conductivity, S/m, shape of the input: water in the pores conducts (invented)."""
    return np.asarray(0.02 + 0.0011 * moisture_percent)


def _daylight(hour_of_day: FloatArray) -> FloatArray:
    return np.maximum(np.sin((hour_of_day - 6.0) * math.pi / 12.0), 0.0)
