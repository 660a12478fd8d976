"""What a station's own electronics report in a storm. Parameters are invented."""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["battery", "signal"]

FloatArray = npt.NDArray[np.float64]


def battery(rain_mm_per_h: FloatArray, *, hour_of_day: FloatArray) -> FloatArray:
    """Return volts of a 12 V battery under a solar panel, shape (n,): up by day, less so under cloud."""
    sun = np.maximum(np.sin((hour_of_day - 6.0) * math.pi / 12.0), 0.0)
    cloud = np.clip(rain_mm_per_h / 5.0, 0.0, 1.0)
    return np.asarray(12.55 + 1.1 * sun * (1.0 - 0.8 * cloud))


def signal(rain_mm_per_h: FloatArray, *, base_dbm: float) -> FloatArray:
    """Return received power, dBm, shape (n,): hard rain and wet leaves cost up to 8 dB."""
    return np.asarray(base_dbm - 8.0 * np.clip(rain_mm_per_h / 30.0, 0.0, 1.0))
