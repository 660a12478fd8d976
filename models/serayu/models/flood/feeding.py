"""What feeds a post, from the region: the posts whose flood reaches it, and the gauges around."""

from serayu.models.flood.links import PostLinks
from serayu.models.region import Region
from serayu.models.station import Station, StationKind
from serayu.models.times import US_PER_HOUR
from serayu.models.warning.fallback import LEVEL, RAIN, travel_us

__all__ = ["GAUGES", "UPSTREAM", "region_links"]

UPSTREAM = 4
"""So many posts above are used at most, the nearest in time first [project proposal]."""
GAUGES = 5
"""So many rain gauges are used at most, the nearest first [project proposal]."""


def region_links(region: Region, station: Station) -> PostLinks:
    """Return the posts above a post, two steps up, with travel times as the region states them, and its gauges."""
    found: dict[str, float | None] = {}
    for post in _above(region, station):
        found.setdefault(post.id, _hours(post))
        for higher in _above(region, post):
            near, far = _hours(post), _hours(higher)
            found.setdefault(higher.id, None if near is None or far is None else near + far)
    found.pop(station.id, None)
    order = {post.id: travel_us(post) for post in region.stations.values()}
    names = sorted(found, key=lambda name: (found[name] or order[name] / US_PER_HOUR, name))[:UPSTREAM]
    gauges = sorted(
        (station.distance_m(gauge), gauge.id)
        for gauge in region.stations.values()
        if gauge.kind is StationKind.RAIN and gauge.datastream(RAIN) is not None
    )
    travel = {name: hours for name in names if (hours := found[name]) is not None}
    return PostLinks(
        upstream=tuple(names), rain=tuple(name for _, name in gauges[:GAUGES]), travel_time_h=travel
    )


def _above(region: Region, station: Station) -> list[Station]:
    return [
        post
        for post in region.stations.values()
        if station.id in post.downstream and post.datastream(LEVEL) is not None
    ]


def _hours(post: Station) -> float | None:
    travel = post.siaga.travel_time_us
    return None if travel is None else travel / US_PER_HOUR
