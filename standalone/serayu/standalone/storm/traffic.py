"""Traffic at a junction: two peaks a day, and what rain does to it. Parameters are invented."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Traffic", "simulate_traffic"]

FloatArray = npt.NDArray[np.float64]

# Vehicles per hour in the peak hour at a junction of size 1, by class (invented; motorcycles dominate).
PEAK_PER_H: Mapping[str, float] = {"count-mc": 2600.0, "count-lv": 800.0, "count-hv": 60.0}
# Share lost in hard rain: motorcyclists wait, the others less (invented).
RAIN_LOSS: Mapping[str, float] = {"count-mc": 0.45, "count-lv": 0.12, "count-hv": 0.08}
# Road taken by one vehicle, in light vehicles, and its length with the detector, m (invented).
EQUIVALENT: Mapping[str, float] = {"count-mc": 0.25, "count-lv": 1.0, "count-hv": 1.3}
LENGTH_M = 6.0
CAPACITY_PER_H = 2400.0
LANES = 2.0
FREE_SPEED = 42.0
HARD_RAIN_MM_PER_H = 20.0
_RAIN_SLOWER = 0.20


@dataclass(frozen=True, slots=True)
class Traffic:
    """Traffic of one junction, rows of shape (n,): vehicles per hour by class, km/h, percent of time."""

    per_h: Mapping[str, FloatArray]
    speed: FloatArray
    occupancy: FloatArray


def simulate_traffic(rain_mm_per_h: FloatArray, *, hour_of_day: FloatArray, size: float) -> Traffic:
    """Return the traffic of a junction.

    Parameters
    ----------
    rain_mm_per_h
        Intensity, shape (n,), mm/h.
    hour_of_day
        Local hour, shape (n,), 0 to 24.
    size
        Flow as a share of the default peak, above 0.

    Returns
    -------
    Traffic
        Rows of shape (n,). Speed falls straight with the flow's share of capacity and with rain; occupancy is
        flow times length over speed.
    """
    wet = np.clip(rain_mm_per_h / HARD_RAIN_MM_PER_H, 0.0, 1.0)
    day = size * _day_profile(hour_of_day)
    per_h = {slug: peak * day * (1.0 - RAIN_LOSS[slug] * wet) for slug, peak in PEAK_PER_H.items()}
    load = np.asarray(np.sum([EQUIVALENT[slug] * flow for slug, flow in per_h.items()], axis=0))
    speed = FREE_SPEED * (1.0 - 0.55 * np.clip(load / CAPACITY_PER_H, 0.0, 1.0)) * (1.0 - _RAIN_SLOWER * wet)
    occupancy = np.clip(100.0 * load / LANES * LENGTH_M / (1000.0 * speed), 0.0, 100.0)
    return Traffic(per_h, np.asarray(speed), np.asarray(occupancy))


def _day_profile(hour: FloatArray) -> FloatArray:
    """Return flow as a share of the peak hour: a morning and an afternoon peak on a broad day."""
    day = 0.55 * np.exp(-(((hour - 13.0) / 4.5) ** 2))
    morning = 0.60 * np.exp(-(((hour - 6.9) / 0.9) ** 2))
    evening = 0.55 * np.exp(-(((hour - 16.6) / 1.2) ** 2))
    return np.asarray(0.04 + day + morning + evening)
