"""What the river really did: events at a post's limits, found in the hot store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from serayu.models.flood.events import EARLIEST_US, EVENT_END_US, Event, events_of
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Bucket, Observation, SeriesKey
from serayu.models.siaga_levels import Siaga, Thresholds
from serayu.models.times import US_PER_HOUR

__all__ = ["LEVELS", "StoredLevels", "observed_events"]

LEVELS = (Siaga.WASPADA, Siaga.SIAGA, Siaga.AWAS)
LOOK_BACK_US = EARLIEST_US
"""Read before the span: a flood that goes on at its begin did not begin there [project proposal]."""
_GOOD = frozenset({QualityFlag.GOOD, QualityFlag.NOT_EVALUATED})


class StoredLevels(Protocol):
    """What is asked of the hot store."""

    def window(
        self, key: SeriesKey, start_us: int, end_us: int, *, limit: int | None = None
    ) -> Sequence[Observation]:
        """Return the observations with ``start_us <= t < end_us`` in order of time."""
        ...

    def aggregate(self, key: SeriesKey, start_us: int, end_us: int, *, step_us: int) -> Sequence[Bucket]:
        """Return buckets aligned to multiples of *step_us*."""
        ...


def observed_events(
    store: StoredLevels, key: SeriesKey, thresholds: Thresholds, start_us: int, end_us: int
) -> Mapping[Siaga, Sequence[Event]]:
    """Find the events of each level, by good observations, whether they came in time or late.

    Parameters
    ----------
    store
        Hot store. Whole hours below the lowest limit are not read value by value; an hour of which retention has
        deleted the values counts with its highest, at its beginning.
    key
        Datastream of the post's level.
    thresholds
        Limits of the post.
    start_us, end_us
        Span, microseconds UTC.

    Returns
    -------
    mapping of Siaga to sequence of Event
        For waspada, siaga and awas, in order of time: those that cross their limit in ``start_us <= t < end_us``, and
        before them one that was not over at *start_us*, whose crossing lies before it.
    """
    times, levels = _values(store, key, thresholds.bounds_m[0], start_us - LOOK_BACK_US, end_us)
    time_us, level_m = np.array(times, dtype=np.int64), np.array(levels, dtype=np.float64)
    return {
        one: [
            event for event in events_of(time_us, level_m, bound) if event.last_us + EVENT_END_US > start_us
        ]
        for one, bound in zip(LEVELS, thresholds.bounds_m, strict=True)
    }


def _values(
    store: StoredLevels, key: SeriesKey, bound_m: float, start_us: int, end_us: int
) -> tuple[list[int], list[float]]:
    """Return the good values of hours that matter, and one value below the limit for each other hour.

    An hour matters where it, or the one before it that has values, is above the lowest limit: the first value below
    a limit, from which the end of an event is counted, is then a real one.
    """
    first_us = start_us - start_us % US_PER_HOUR
    hours = store.aggregate(key, first_us, end_us + -end_us % US_PER_HOUR, step_us=US_PER_HOUR)
    times: list[int] = []
    levels: list[float] = []
    before_above = True
    for hour in hours:
        highest_m = hour.maximum
        if highest_m is None:
            continue
        above = highest_m > bound_m
        if not above and not before_above:
            if hour.start_us >= start_us:
                times.append(hour.start_us)
                levels.append(highest_m)
            continue
        before_above = above
        stored = store.window(key, max(hour.start_us, start_us), min(hour.start_us + US_PER_HOUR, end_us))
        good = [one for one in stored if one.flag in _GOOD]
        if not stored and hour.start_us >= start_us:
            times.append(hour.start_us)
            levels.append(highest_m)
        times += [one.t_us for one in good]
        levels += [one.value for one in good]
    return times, levels
