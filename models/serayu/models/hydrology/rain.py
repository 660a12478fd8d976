"""Classes of rain and the wetness that earlier rain leaves. Pure Python: devices import it."""

import bisect
import enum
import math
from collections.abc import Sequence

__all__ = ["RainClass", "antecedent_index_mm", "daily_class", "hourly_class", "rolling_sum_mm"]


class RainClass(enum.StrEnum):
    """Classes of rain intensity, from none to extreme, by their Indonesian names."""

    TIDAK_HUJAN = "tidak_hujan"
    SANGAT_RINGAN = "sangat_ringan"
    RINGAN = "ringan"
    SEDANG = "sedang"
    LEBAT = "lebat"
    SANGAT_LEBAT = "sangat_lebat"
    EKSTREM = "ekstrem"


# Published tables print shared bounds ("20-50", "50-100"). Here a bound belongs to the lower class, except
# the first: 0.5 mm (or 0.1 mm/h) is the least rain that counts, and it is rain.

# BMKG, 07:00 to 07:00 WIB: https://tekno.tempo.co/read/1863808 , https://nasional.sindonews.com/read/981399
_LEAST_DAILY_MM = 0.5
_DAILY_UPPER_MM = (20.0, 50.0, 100.0, 150.0)
_DAILY_CLASSES = (
    RainClass.RINGAN,
    RainClass.SEDANG,
    RainClass.LEBAT,
    RainClass.SANGAT_LEBAT,
    RainClass.EKSTREM,
)

# BBWS Serayu Opak telemetry: https://bbwsso.monitoring4system.com/pengaturan/indikator_curah_hujan
# (the page labels these rows mm per day; the values are hourly)
_LEAST_HOURLY_MM = 0.1
_HOURLY_UPPER_MM = (1.0, 5.0, 10.0, 20.0)
_HOURLY_CLASSES = (
    RainClass.SANGAT_RINGAN,
    RainClass.RINGAN,
    RainClass.SEDANG,
    RainClass.LEBAT,
    RainClass.SANGAT_LEBAT,
)


def _classify(
    depth_mm: float, least_mm: float, upper_mm: tuple[float, ...], classes: tuple[RainClass, ...]
) -> RainClass:
    if not 0 <= depth_mm < math.inf:
        raise ValueError(f"rain must be a depth of 0 mm or more, got {depth_mm}")
    if depth_mm < least_mm:
        return RainClass.TIDAK_HUJAN
    return classes[bisect.bisect_left(upper_mm, depth_mm)]


def daily_class(mm_per_day: float) -> RainClass:
    """Class of the rain of one day (07:00 to 07:00 WIB), BMKG's five classes.

    Parameters
    ----------
    mm_per_day
        Depth, mm, 0 or more. Below 0.5 mm is no rain; 0.5 to 20 ringan, to 50 sedang, to 100 lebat, to 150
        sangat lebat, above ekstrem. Upper bounds belong to the lower class.

    Raises
    ------
    ValueError
        When the depth is negative, infinite or missing.
    """
    return _classify(mm_per_day, _LEAST_DAILY_MM, _DAILY_UPPER_MM, _DAILY_CLASSES)


def hourly_class(mm_per_hour: float) -> RainClass:
    """Class of the rain of one hour, as the telemetry of BBWS Serayu Opak shows it.

    Parameters
    ----------
    mm_per_hour
        Depth, mm, 0 or more. Below 0.1 mm is no rain; to 1 sangat ringan, to 5 ringan, to 10 sedang, to 20
        lebat, above sangat lebat. Upper bounds belong to the lower class.

    Raises
    ------
    ValueError
        When the depth is negative, infinite or missing.
    """
    return _classify(mm_per_hour, _LEAST_HOURLY_MM, _HOURLY_UPPER_MM, _HOURLY_CLASSES)


def antecedent_index_mm(daily_mm: Sequence[float], *, k: float, initial_mm: float = 0.0) -> list[float]:
    """Antecedent precipitation index of each day.

    Parameters
    ----------
    daily_mm
        Rain of successive days, mm, oldest first. A missing day (NaN) makes the index of it and of all later
        days missing.
    k
        Daily recession, 0 to 1; 0.84 to 0.90 are usual.
    initial_mm
        Index of the day before the first, mm.

    Returns
    -------
    list of float
        ``API_t = k API_(t-1) + P_t``, mm, one per day (Kohler and Linsley 1951).

    Raises
    ------
    ValueError
        When k is outside 0 to 1.
    """
    if not 0 <= k <= 1:
        raise ValueError(f"k must lie between 0 and 1, got {k}")
    index = initial_mm
    series = []
    for depth in daily_mm:
        index = k * index + depth
        series.append(index)
    return series


def rolling_sum_mm(daily_mm: Sequence[float], *, days: int) -> float:
    """Rain of the last days of a series.

    Parameters
    ----------
    daily_mm
        Rain of successive days, mm, oldest first.
    days
        Length of the window, 1 or more. A window longer than the series sums what is there.

    Returns
    -------
    float
        Total, mm; 0 for an empty series, NaN when a day of the window is missing.

    Raises
    ------
    ValueError
        When the window is shorter than one day.
    """
    if days < 1:
        raise ValueError(f"window must be at least 1 day, got {days}")
    return math.fsum(daily_mm[-days:])
