"""The retained ``…/<station>/latest``: last value of each datastream with position, age, flag and staleness."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from serayu.models.ports import Latest
from serayu.models.properties import OBSERVED_PROPERTIES
from serayu.models.reading import SeriesKey, why_absent
from serayu.models.region import Region
from serayu.models.station import Station
from serayu.models.times import US_PER_S, rfc3339
from serayu.models.topics import topic


def stale_keys(
    region: Region, latest: Iterable[Latest], *, now_us: int, since_us: int
) -> dict[SeriesKey, int]:
    """Return the silent datastreams of a region with the time of their last reading, 0 where there never was one.

    One that has never spoken counts as silent once it has had its time since *since_us*, when we began to listen.
    """
    seen = {one.observation.key: one.observation.t_us for one in latest}
    silent = {}
    for station in region.stations.values():
        for datastream in station.datastreams:
            key = station.key(datastream.property)
            if datastream.is_stale(seen.get(key, since_us), now_us=now_us):
                silent[key] = seen.get(key, 0)
    return silent


def latest_messages(
    region: Region, latest: Iterable[Latest], stations: Iterable[str], *, now_us: int
) -> Iterator[tuple[str, bytes]]:
    """Yield topic and body of the ``latest`` messages of some stations."""
    by_station: dict[str, dict[str, Latest]] = {}
    for one in latest:
        if one.observation.key.region == region.code:
            by_station.setdefault(one.observation.key.station, {})[one.observation.key.property] = one
    for station_id in stations:
        station = region.stations.get(station_id)
        if station is not None:
            body = _body(station, by_station.get(station_id, {}), now_us=now_us)
            yield topic(region.code, station_id, "latest"), msgspec.json.encode(body)


def _body(station: Station, values: Mapping[str, Latest], *, now_us: int) -> dict[str, object]:
    return {
        "station": station.id,
        "name": station.name,
        "position": [station.lon, station.lat],
        "published": rfc3339(now_us),
        "latest": {slug: _value(station, one, now_us=now_us) for slug, one in values.items()},
    }


def _value(station: Station, one: Latest, *, now_us: int) -> dict[str, object]:
    observation = one.observation
    slug = observation.key.property
    datastream = station.datastream(slug)
    stale = datastream is None or datastream.is_stale(observation.t_us, now_us=now_us)
    shown = why_absent(observation.flag, observation.value, stale=stale) is None
    return {
        "value": observation.value if shown else None,
        "last_value": observation.value,
        "unit": OBSERVED_PROPERTIES[slug].unit,
        "time": rfc3339(observation.t_us),
        "age_s": max(0, (now_us - observation.t_us) // US_PER_S),
        "flag": int(observation.flag),
        "stale": stale,
    }
