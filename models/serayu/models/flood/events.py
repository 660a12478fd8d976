"""Events of a level, and the judgement of warnings against them: the rules of the scorecard."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serayu.models.flood.frame import FloatArray, IntArray
from serayu.models.hydrology.verification import Contingency
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE

__all__ = [
    "EARLIEST_US",
    "EVENT_END_US",
    "LAPSE_US",
    "LATEST_US",
    "Event",
    "Match",
    "Warned",
    "events_of",
    "match_warnings",
    "warned_times",
]

EVENT_END_US = 6 * US_PER_HOUR
"""An event ends when the level has not been above the limit for so long [project proposal, domain notes § 4]."""
LATEST_US = 30 * US_PER_MINUTE
"""A warning issued closer to the crossing than this came too late."""
EARLIEST_US = 24 * US_PER_HOUR
"""A warning issued longer before the crossing than this was not for this event."""
LAPSE_US = 24 * US_PER_HOUR
"""A warning that is not renewed lapses after so long."""


@dataclass(frozen=True, slots=True)
class Event:
    """One flood at one limit.

    Parameters
    ----------
    crossing_us
        First good observation above the limit.
    last_us
        Last good observation above the limit before the event's end.
    peak
        Highest good observation in it, unit of the series.
    """

    crossing_us: int
    last_us: int
    peak: float


@dataclass(frozen=True, slots=True)
class Warned:
    """One warning: a renewal is a warning of its own.

    Parameters
    ----------
    issue_us
        When it was issued.
    end_us
        When it was cleared, replaced by a renewal or lapsed; in force from issue to end, both included.
    """

    issue_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Match:
    """Which warning served which event.

    Parameters
    ----------
    pairs
        (index of the event, index of the warning), in order of time.
    leads_us
        Crossing less issue of each pair.
    counts
        Hits, misses, false alarms.
    """

    pairs: tuple[tuple[int, int], ...]
    leads_us: tuple[int, ...]
    counts: Contingency


def events_of(time_us: IntArray, level: FloatArray, limit: float) -> list[Event]:
    """Find the events of a series.

    Parameters
    ----------
    time_us
        Times of the good observations, ascending, shape (n,).
    level
        Good observations, no NaN, shape (n,).
    limit
        The level itself is not above.

    Returns
    -------
    list of Event
        In order of time. An event runs on until observations have been at or below the limit for 6 h, counted from
        the first of them: a gap in the record ends nothing.
    """
    above = level > limit
    if not bool(above.any()):
        return []
    # Runs of exceedance: [start, end) rows.
    edges = np.flatnonzero(np.diff(np.concatenate(([False], above, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    below_us = time_us[ends[:-1]]  # first observation below after each run but the last
    fresh = np.concatenate(([True], time_us[starts[1:]] - below_us >= EVENT_END_US))
    first = np.flatnonzero(fresh)
    last = np.concatenate((first[1:] - 1, [len(starts) - 1]))
    return [
        Event(
            crossing_us=int(time_us[starts[a]]),
            last_us=int(time_us[ends[b] - 1]),
            peak=float(level[starts[a] : ends[b]].max()),
        )
        for a, b in zip(first, last, strict=True)
    ]


def match_warnings(crossings_us: Sequence[int] | IntArray, warnings: Sequence[Warned]) -> Match:
    """Match warnings to crossings, each at most once, in order of time.

    A warning serves a crossing when it was issued 30 min to 24 h before (both included) and is in force at the
    crossing. Each crossing, in order of time, takes the earliest warning that serves it and is not taken.

    Parameters
    ----------
    crossings_us
        Ascending.
    warnings
        In order of issue.
    """
    pairs: list[tuple[int, int]] = []
    leads: list[int] = []
    taken: set[int] = set()
    first = 0
    for event, crossing in enumerate(crossings_us):
        while first < len(warnings) and (first in taken or crossing - warnings[first].issue_us > EARLIEST_US):
            first += 1  # too old for this crossing, so for all later ones
        for index in range(first, len(warnings)):
            lead = int(crossing) - warnings[index].issue_us
            if lead < LATEST_US:
                break
            if index not in taken and warnings[index].end_us >= crossing:
                taken.add(index)
                pairs.append((event, index))
                leads.append(lead)
                break
    hits = len(pairs)
    counts = Contingency(hits=hits, misses=len(crossings_us) - hits, false_alarms=len(warnings) - hits)
    return Match(pairs=tuple(pairs), leads_us=tuple(leads), counts=counts)


def warned_times(issues_us: npt.ArrayLike) -> list[Warned]:
    """Return warnings that nobody cleared: each lapses after 24 h or ends when the next is issued."""
    issues = np.asarray(issues_us, dtype=np.int64)
    after = np.append(issues[1:], np.iinfo(np.int64).max)[: len(issues)]
    return [
        Warned(int(issue), int(min(issue + LAPSE_US, nxt))) for issue, nxt in zip(issues, after, strict=True)
    ]
