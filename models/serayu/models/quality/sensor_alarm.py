"""Sensor alarms of a river post: dead, stuck, spiking, drifting. They speak of the sensor, never of the river.

They are read off what quality control and the clock say already; only drift has a test of its own. All numbers are
[project proposal] unless they are a test's own.
"""

import enum
import statistics
from collections.abc import Collection, Sequence

import msgspec

from serayu.models.hydrology.rise import theil_sen_slope
from serayu.models.quality.flags import QcTest, reason_names
from serayu.models.reading import Observation
from serayu.models.siaga_levels import SiagaSettings
from serayu.models.times import US_PER_HOUR

WINDOW_US = 24 * US_PER_HOUR
"""What is looked at."""
SPIKES, SPIKES_WITHIN_US = 2, 12 * US_PER_HOUR
"""So many doubtful jumps within so long are a fault of the sensor, not a wave."""
DRIFT_M, DRIFT_LEAST = 0.20, 12
"""A drift is a rise of so much in the window, seen by so many values ..."""
DRIFT_STRAIGHT = 0.15
"""... along a straight line: half of the values within this share of the rise. Floods bend ..."""
RELATED_SHARE, RELATED_MM = 0.25, 5.0
"""... while no related post rose by more than this share of it, and no related gauge had more rain (mm)."""
CAUTION_INTERVALS = 3
"""While a sensor spikes, a limit must be exceeded for so many readings more."""
_FLAT, _JUMPS = (
    QcTest.FLAT_LINE.slug,
    {QcTest.SPIKE.slug, QcTest.GROSS_RANGE.slug, QcTest.RATE_OF_CHANGE.slug},
)


class SensorFault(enum.StrEnum):
    """What seems to be wrong with a sensor."""

    DEAD = "dead"
    STUCK = "stuck"
    SPIKING = "spiking"
    DRIFTING = "drifting"


def sensor_faults(
    observations: Sequence[Observation],
    *,
    now_us: int,
    stale_after_us: int,
    related_rise_m: float | None = None,
    related_rain_mm: float | None = None,
) -> set[SensorFault]:
    """Return what seems to be wrong with the level sensor of a post.

    Parameters
    ----------
    observations
        Of the post's level, in order of time, those of the last `WINDOW_US` at least; with their flags and reasons.
    now_us
        Present, microseconds UTC.
    stale_after_us
        Silence that counts as dead.
    related_rise_m
        Most that a post above or below on the same river rose in the window, m; None where none speaks.
    related_rain_mm
        Most rain of a related gauge in the window, mm; None where none speaks. Without any related source a slow
        straight rise cannot be told from a river's: drift is then never said.
    """
    known = [one for one in observations if now_us - WINDOW_US < one.t_us <= now_us]
    if not known or now_us - known[-1].t_us > stale_after_us:
        return {SensorFault.DEAD}
    found = set()
    if _FLAT in reason_names(known[-1].tests):
        found.add(SensorFault.STUCK)
    jumps = [
        one
        for one in known
        if now_us - one.t_us <= SPIKES_WITHIN_US and _JUMPS & set(reason_names(one.tests))
    ]
    if len(jumps) >= SPIKES:
        found.add(SensorFault.SPIKING)
    rise_m = None if jumps else straight_rise_m([(one.t_us, one.value) for one in known])
    if rise_m is not None:
        calm = [] if related_rise_m is None else [related_rise_m <= RELATED_SHARE * rise_m]
        calm += [] if related_rain_mm is None else [related_rain_mm <= RELATED_MM]
        if calm and all(calm):
            found.add(SensorFault.DRIFTING)
    return found


def straight_rise_m(samples: Sequence[tuple[int, float]]) -> float | None:
    """Return how far levels rise along a straight line, m; None where they rise less than `DRIFT_M`, or bend.

    Parameters
    ----------
    samples
        (microseconds UTC, m) in order of time, finite.
    """
    if len(samples) < DRIFT_LEAST:
        return None
    start_us = samples[0][0]
    hours = [(t_us - start_us) / US_PER_HOUR for t_us, _ in samples]
    levels = [level for _, level in samples]
    slope = theil_sen_slope(hours, levels)
    if slope is None or slope * hours[-1] < DRIFT_M:
        return None
    rise_m = slope * hours[-1]
    rest = [level - slope * hour for hour, level in zip(hours, levels, strict=True)]
    middle = statistics.median(rest)
    off = [abs(one - middle) for one in rest]
    straight = statistics.median(off) <= DRIFT_STRAIGHT * rise_m and max(off) <= 2 * DRIFT_STRAIGHT * rise_m
    return rise_m if straight else None


def cautious(settings: SiagaSettings, faults: Collection[SensorFault], *, interval_us: int) -> SiagaSettings:
    """Return how a post's machine behaves while its sensor has faults: one that spikes must insist."""
    if SensorFault.SPIKING not in faults:
        return settings
    insist_us = settings.min_duration_us + CAUTION_INTERVALS * interval_us
    return msgspec.structs.replace(settings, min_duration_us=insist_us)
