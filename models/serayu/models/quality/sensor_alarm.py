"""Sensor alarms of a river post: dead, stuck, spiking, drifting, doubtful. They speak of the sensor, not the river.

They are read off what quality control and the clock say already; only a creeping level is judged anew, by
`serayu.models.quality.creep`. All numbers are [project proposal].
"""

import enum
import itertools
import math
from collections.abc import Collection, Sequence

from serayu.models.quality.creep import WINDOWS_H, AskWitnesses, Witnesses, judge_creep
from serayu.models.quality.flags import QcTest, QualityFlag, reason_names
from serayu.models.reading import Observation
from serayu.models.times import US_PER_HOUR

__all__ = ["WINDOW_US", "SensorFault", "sensor_faults", "steady_levels"]

WINDOW_US = max(WINDOWS_H) * US_PER_HOUR
"""What is looked at."""
SPIKES, SPIKES_WITHIN_US = 2, 12 * US_PER_HOUR
"""So many doubtful jumps within so long are a fault of the sensor, not a wave."""
_FLAT = QcTest.FLAT_LINE.slug
_JUMPS = frozenset({QcTest.SPIKE.slug, QcTest.GROSS_RANGE.slug})
"""Out and back, or out of the world."""
_STEP = QcTest.RATE_OF_CHANGE.slug
"""A fast step is a jump only where steps go both ways: floods begin with fast ones upward."""


class SensorFault(enum.StrEnum):
    """What seems to be wrong with a sensor."""

    DEAD = "dead"
    STUCK = "stuck"
    SPIKING = "spiking"
    DRIFTING = "drifting"
    DOUBTFUL = "doubtful"
    """It creeps up along a straight line and nobody can say whether the river does: to be looked at."""


def sensor_faults(
    observations: Sequence[Observation],
    *,
    now_us: int,
    stale_after_us: int,
    witnesses: AskWitnesses = lambda _: Witnesses(),
) -> set[SensorFault]:
    """Return what seems to be wrong with the level sensor of a post.

    Parameters
    ----------
    observations
        Of the post's level, in order of time, those of the last `WINDOW_US` at least; with their flags and reasons.
    now_us
        Present, microseconds UTC.
    stale_after_us
        Silence that counts as dead; values that failed their tests or are missing do not break it.
    witnesses
        Who else rose since a moment; asked only when the level creeps. Where nobody speaks, a slow straight rise
        cannot be told from a river's: it is then doubtful, never drifting.
    """
    known = [one for one in observations if now_us - WINDOW_US < one.t_us <= now_us]
    if not known or now_us - known[-1].t_us > stale_after_us:
        return {SensorFault.DEAD}
    newest_us = max((one.t_us for one in known if _is_usable(one)), default=now_us - WINDOW_US)
    if now_us - newest_us > stale_after_us and not _is_flat(known[-1]):
        return {SensorFault.DEAD}
    found = set()
    if _is_flat(known[-1]):
        found.add(SensorFault.STUCK)
    if _jump_count([one for one in known if one.t_us >= now_us - SPIKES_WITHIN_US]) >= SPIKES:
        found.add(SensorFault.SPIKING)
    verdict = judge_creep(steady_levels(known), witnesses)
    if verdict.drifts:
        found.add(SensorFault.DRIFTING)
    elif verdict.doubtful:
        found.add(SensorFault.DOUBTFUL)
    return found


def _is_flat(observation: Observation) -> bool:
    return _FLAT in reason_names(observation.tests)


def steady_levels(observations: Collection[Observation]) -> list[tuple[int, float]]:
    """Return times and levels without what failed, is missing or jumps."""
    return [(one.t_us, one.value) for one in observations if _is_usable(one) and not _jumps(one)]


def _is_usable(observation: Observation) -> bool:
    failed = observation.flag in (QualityFlag.FAIL, QualityFlag.MISSING)
    return not failed and math.isfinite(observation.value)


def _jump_count(known: Sequence[Observation]) -> int:
    """Return how many values jump, fast steps included where they go both ways."""
    steps = [
        later.value > one.value
        for one, later in itertools.pairwise(known)
        if later.tests and _STEP in reason_names(later.tests)
    ]
    both_ways = len(set(steps)) > 1
    return sum(_jumps(one) or (both_ways and _STEP in reason_names(one.tests)) for one in known)


def _jumps(observation: Observation) -> bool:
    return observation.tests != 0 and not _JUMPS.isdisjoint(reason_names(observation.tests))
