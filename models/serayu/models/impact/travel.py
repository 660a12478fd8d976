"""When a flood that passes a post reaches the villages downstream of it."""

import heapq
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import msgspec

from serayu.models.errors import BadInputError
from serayu.models.impact.rows import DesaCode
from serayu.models.impact.tables import read_posts
from serayu.models.region import Region
from serayu.models.station import Station
from serayu.models.times import US_PER_S, parse_span

DOWNSTREAM_FILE = "downstream.toml"
Positive = Annotated[float, msgspec.Meta(gt=0)]


class PlaceBelow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A village below a post and above the next one: ``travel_time`` (a span) or ``river_km``, not both."""

    desa: DesaCode
    travel_time: str | None = None
    river_km: Annotated[float, msgspec.Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        if (self.travel_time is None) == (self.river_km is None):
            raise ValueError("give either travel_time or river_km")


class PostBelow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What lies below a post: villages, and spans to the next posts where they differ from the station's."""

    place: tuple[PlaceBelow, ...] = ()
    to: dict[str, str] = {}


class Downstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Head of ``downstream.toml``.

    Parameters
    ----------
    celerity_m_per_s, sinuosity
        Speed of the wave and river length over straight distance; without them distances give no times.
    source, invented
        Where the numbers come from.
    """

    celerity_m_per_s: Positive | None = None
    sinuosity: Annotated[float, msgspec.Meta(ge=1)] = 1.0
    source: str = ""
    invented: bool = False


class TravelTimes:
    """Travel times from every river post to the villages that its flood reaches.

    Parameters
    ----------
    region
        Stations with ``downstream`` and ``siaga.travel_time``, which is the time to the next post.
    table, posts
        The region's `Downstream`, and what lies below each post, by station id.
    file
        Where they came from, for errors.
    villages
        Codes that are known; None where no boundaries are.

    Raises
    ------
    BadInputError
        An unknown village or next post, a span that is none, or a river distance without a celerity.
    """

    def __init__(
        self,
        region: Region,
        table: Downstream,
        posts: Mapping[str, PostBelow],
        *,
        file: Path,
        villages: Collection[str] | None,
    ) -> None:
        self._region = region
        self.table = table
        self._posts = posts
        self._file = file
        own = {station_id: self._places(station_id, villages) for station_id in posts}
        hops = {station.id: self._hops(station) for station in region.stations.values()}
        self._to = MappingProxyType({station: self._reach(station, own, hops) for station in region.stations})

    def villages_below(self, station_id: str) -> Mapping[str, int]:
        """Return village code → microseconds from the post, soonest first."""
        return self._to.get(station_id, {})

    def has_list(self, station_id: str) -> bool:
        """Say whether the table lists villages below this very post."""
        return bool(self._posts.get(station_id, PostBelow()).place)

    def over_land_us(self, distance_m: float) -> int | None:
        """Return the time for a straight distance, microseconds; None without a celerity."""
        if self.table.celerity_m_per_s is None:
            return None
        return round(distance_m * self.table.sinuosity / self.table.celerity_m_per_s * US_PER_S)

    def _places(self, station_id: str, villages: Collection[str] | None) -> dict[str, int]:
        places = {}
        for number, place in enumerate(self._posts[station_id].place, start=1):
            field = f"post.{station_id}.place {number}"
            if villages is not None and place.desa not in villages:
                raise BadInputError(f"unknown village {place.desa!r}", file=self._file, field=f"{field}.desa")
            places[place.desa] = self._span(place, field)
        return places

    def _span(self, place: PlaceBelow, field: str) -> int:
        if place.travel_time is not None:
            return self._parsed(place.travel_time, f"{field}.travel_time")
        if self.table.celerity_m_per_s is None or place.river_km is None:
            raise BadInputError(
                "a river distance needs celerity_m_per_s", file=self._file, field=f"{field}.river_km"
            )
        return round(place.river_km * 1000 / self.table.celerity_m_per_s * US_PER_S)

    def _parsed(self, span: str, field: str) -> int:
        try:
            return parse_span(span)
        except ValueError as error:
            raise BadInputError(str(error), file=self._file, field=field) from None

    def _hops(self, station: Station) -> dict[str, int]:
        """Return the time to each next post: as the table says, as the station says, else by distance."""
        said = self._posts.get(station.id, PostBelow()).to
        if unknown := sorted(set(said) - set(station.downstream)):
            raise BadInputError(
                f"{station.id!r} does not flow into {unknown[0]!r}",
                file=self._file,
                field=f"post.{station.id}.to",
            )
        hops: dict[str, int | None] = {}
        for next_id in station.downstream:
            if next_id in said:
                hops[next_id] = self._parsed(said[next_id], f"post.{station.id}.to.{next_id}")
            elif len(station.downstream) == 1 and station.siaga.travel_time_us is not None:
                hops[next_id] = station.siaga.travel_time_us
            elif next_id in self._region.stations:
                hops[next_id] = self.over_land_us(station.distance_m(self._region.stations[next_id]))
        return {next_id: span for next_id, span in hops.items() if span is not None}

    def _reach(
        self, start: str, own: Mapping[str, Mapping[str, int]], hops: Mapping[str, Mapping[str, int]]
    ) -> Mapping[str, int]:
        """Walk down the river, shortest time first [Dijkstra 1959]."""
        villages: dict[str, int] = {}
        ahead, done = [(0, start)], set[str]()
        while ahead:
            at_us, post = heapq.heappop(ahead)
            if post in done:
                continue
            done.add(post)
            for desa, span in self._at(post, own).items():
                villages[desa] = min(at_us + span, villages.get(desa, at_us + span))
            for next_id, span in hops.get(post, {}).items():
                heapq.heappush(ahead, (at_us + span, next_id))
        return MappingProxyType(dict(sorted(villages.items(), key=lambda item: (item[1], item[0]))))

    def _at(self, post: str, own: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
        """Return the villages of a post; that in which it stands is reached at once."""
        desa = self._region.stations[post].desa if post in self._region.stations else None
        return {**({} if desa is None else {desa: 0}), **own.get(post, {})}


def read_travel_times(folder: Path, region: Region, *, villages: Collection[str] | None) -> TravelTimes:
    """Read ``downstream.toml``; without it the stations' own times are all that is known.

    Raises
    ------
    BadInputError
        The file is wrong; names file and field.
    """
    file = folder / DOWNSTREAM_FILE
    read = read_posts(file, region, Downstream, PostBelow)
    table, posts = (Downstream(), {}) if read is None else read
    return TravelTimes(region, table, posts, file=file, villages=villages)
