"""What stands in for a river post that has fallen silent: the next source by rank, and what it says.

The rule is a [project proposal], made to be simple and to be said in one sentence: the first source of the list that
speaks decides. A river post says the class, by its own limits, of the highest level that it had within its travel time
(and half an hour more): that water is on its way to the silent post or has just arrived there. A rain gauge says no
class; heavy rain of the last hours only keeps up a warning that stands. Nothing makes up a level for the silent post.
"""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from serayu.models.region import Region
from serayu.models.siaga_levels import Siaga, classify
from serayu.models.station import Station, StationKind
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE

LEVEL, RAIN = "stage", "rain"
TRAVEL_SLACK_US = 30 * US_PER_MINUTE
TRAVEL_UNKNOWN_US = 3 * US_PER_HOUR
"""Where an upstream post has no travel time [project proposal]."""
RAIN_LIMITS_MM = ((1, 20.0), (3, 50.0), (24, 100.0))
"""Hours and rain that keep up a warning: over 20 mm/h is "sangat lebat" on the scale of BBWS Serayu Opak; 50 mm is the
lower limit of BMKG's "lebat" for a day, here within 3 h, and 100 mm that of "sangat lebat" [project proposal]."""
RAIN_GAUGES = 3
RAIN_WITHIN_KM = 25.0


class Evidence(Protocol):
    """What other stations say; the hot store behind an adapter is one."""

    def speaks(self, station: Station, slug: str, now_us: int) -> bool:
        """Say whether a datastream has a usable value that is not stale."""
        ...

    def highest(self, station: Station, start_us: int, end_us: int) -> float | None:
        """Return the highest usable level in ``start_us < t <= end_us``, m; None without one."""
        ...

    def rain_mm(self, station: Station, start_us: int, end_us: int) -> float | None:
        """Return the rain of usable values in ``start_us < t <= end_us``, mm; None without one."""
        ...


class StandIn(msgspec.Struct, frozen=True):
    """What stands in for a silent post.

    Parameters
    ----------
    source
        Station id.
    level
        Class that a river post says; None for rain, which says none.
    supports
        Whether it keeps up a warning that stands.
    """

    source: str
    level: Siaga | None
    supports: bool


def sources(region: Region, station: Station) -> tuple[str, ...]:
    """Return what may stand in for a post, by rank.

    ``fallback`` of the post's table in ``thresholds.toml``; without it the posts whose flood reaches it next, the
    nearest in time first, then the `RAIN_GAUGES` nearest rain gauges within `RAIN_WITHIN_KM`.
    """
    if station.fallback:
        return station.fallback
    upstream = [
        post
        for post in region.stations.values()
        if station.id in post.downstream and post.thresholds is not None
    ]
    upstream.sort(key=lambda post: (travel_us(post), post.id))
    gauges = sorted(
        (station.distance_m(gauge), gauge.id)
        for gauge in region.stations.values()
        if gauge.kind is StationKind.RAIN and gauge.datastream(RAIN) is not None and gauge.id != station.id
    )
    near = [name for distance_m, name in gauges if distance_m <= RAIN_WITHIN_KM * 1000]
    return (*(post.id for post in upstream), *near[:RAIN_GAUGES])


def stand_in(region: Region, station: Station, evidence: Evidence, *, now_us: int) -> StandIn | None:
    """Return the word of the first source that speaks; None where the post itself speaks, or nobody does."""
    if evidence.speaks(station, LEVEL, now_us):
        return None
    return next(_words(region, station, evidence, now_us), None)


def travel_us(post: Station) -> int:
    """Return how long a flood takes from a post to the next."""
    return post.siaga.travel_time_us or TRAVEL_UNKNOWN_US


def _words(region: Region, station: Station, evidence: Evidence, now_us: int) -> Iterator[StandIn]:
    for name in sources(region, station):
        source = region.stations[name]
        if source.thresholds is not None and evidence.speaks(source, LEVEL, now_us):
            start_us = now_us - travel_us(source) - TRAVEL_SLACK_US
            highest = evidence.highest(source, start_us, now_us)
            if highest is not None:
                level = classify(highest, source.thresholds)
                yield StandIn(name, level, supports=level is not Siaga.NORMAL)
        elif source.datastream(RAIN) is not None and evidence.speaks(source, RAIN, now_us):
            yield StandIn(name, None, supports=_heavy(source, evidence, now_us))


def _heavy(gauge: Station, evidence: Evidence, now_us: int) -> bool:
    for hours, limit_mm in RAIN_LIMITS_MM:
        fallen = evidence.rain_mm(gauge, now_us - hours * US_PER_HOUR, now_us)
        if fallen is not None and fallen > limit_mm:
            return True
    return False
