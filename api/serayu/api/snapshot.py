"""The list of stations as of one moment: made once, served to everybody until something changes.

Making the list of a thousand stations costs tens of milliseconds, sending the bytes almost nothing; so requests share
one snapshot per change of the store, each station is encoded once, and each audience's document is joined from those
pieces once.
"""

import asyncio
import gzip
import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import cached_property
from typing import NamedTuple, Protocol

import msgspec

from serayu.api.views import ActiveLevel, StationView, Total, Totals, station_view
from serayu.models.ports import Latest
from serayu.models.reading import SeriesKey
from serayu.models.region import Region
from serayu.models.station import StationKind
from serayu.models.stores.hot import HotStore
from serayu.models.stores.sensor_faults import StandingFault
from serayu.models.times import US_PER_HOUR, US_PER_S, Clock, SystemClock, rfc3339

__all__ = ["Audience", "Body", "LevelSource", "ReplayClock", "Snapshot", "Snapshots"]

DAY_H = 24
WARM_AT_MOST = 8
COMPRESS_LEVEL = 1  # the body is sent a few times at most before it is made again


class LevelSource(Protocol):
    """Knows the alerts in force; the register is one."""

    def active_levels(self) -> Mapping[str, ActiveLevel]:
        """Return the alert in force at each post that has one."""
        ...

    def last_change_id(self) -> int:
        """Return the newest change of any alert."""
        ...


class ReplayClock:
    """The present of a replay: the newest phenomenon time that was stored; before the first, the computer's time."""

    def __init__(self) -> None:
        self.newest_us = 0

    def now_us(self) -> int:
        """Return the present in microseconds UTC."""
        return self.newest_us or SystemClock().now_us()


class Audience(NamedTuple):
    """Who may see which stations: all of some kinds, and some by name."""

    kinds: frozenset[StationKind]
    own: frozenset[str] = frozenset()

    def sees(self, view: StationView) -> bool:
        """Whether a station is visible."""
        return StationKind(view.kind) in self.kinds or view.id in self.own


class Body(NamedTuple):
    """Bytes ready to be sent."""

    plain: bytes
    etag: str


class Snapshot:
    """All stations at one moment."""

    def __init__(
        self,
        region: str,
        views: Sequence[StationView],
        *,
        now_us: int,
        change_id: int,
        alert_id: int,
        received_us: int,
        newest_us: int,
    ) -> None:
        self.region = region
        self.views = {view.id: view for view in views}
        self.now_us = now_us
        self.change_id = change_id
        self.alert_id = alert_id
        self.received_us = received_us
        self.newest_us = newest_us
        self.made_at = time.monotonic()
        self.pieces = {view.id: msgspec.json.encode(view) for view in views}
        # Ages grow from snapshot to snapshot and mean nothing new; what turns stale does.
        silent = ",".join(f"{v.id}/{s.property}" for v in views for s in v.datastreams if s.stale)
        faults = ",".join(f"{v.id}/{one.kind}" for v in views for one in v.sensor_faults)
        said = f"{region}|{change_id}|{alert_id}|{silent}|{faults}"
        self.version = hashlib.sha256(said.encode()).hexdigest()[:20]
        self._bodies: dict[tuple[Audience, str], Body] = {}
        self._compressed: dict[str, bytes] = {}
        self._lock = threading.Lock()

    @property
    def moment(self) -> dict[str, str | None]:
        """When this is, how new the newest reading is, and what to compare to know whether anything has changed."""
        newest = rfc3339(self.newest_us) if self.newest_us else None
        return {"time": rfc3339(self.now_us), "newest": newest, "version": self.version}

    @cached_property
    def marks(self) -> dict[str, object]:
        """What must differ for a station to be told again, by station: everything but ages."""
        return {
            view.id: (
                view.level,
                view.sensor_faults,
                tuple((s.time, s.flag, s.stale, s.tests) for s in view.datastreams),
            )
            for view in self.views.values()
        }

    def stations(self, audience: Audience) -> Body:
        """Return the JSON list of the stations that an audience sees."""
        return self._body(audience, "json", self._json)

    def geojson(self, audience: Audience) -> Body:
        """Return the same stations as a GeoJSON FeatureCollection (RFC 7946)."""
        return self._body(audience, "geojson", self._geojson)

    def compressed(self, body: Body) -> bytes:
        """Return a body as gzip, made once."""
        with self._lock:
            made = self._compressed.get(body.etag)
        if made is None:
            made = gzip.compress(body.plain, COMPRESS_LEVEL, mtime=0)
            with self._lock:
                self._compressed[body.etag] = made
        return made

    def asked(self) -> list[tuple[Audience, str, bool]]:
        """Return the documents that were made: for whom, in which form, whether compressed too."""
        with self._lock:
            made = list(self._bodies.items())[:WARM_AT_MOST]
            return [(audience, form, body.etag in self._compressed) for (audience, form), body in made]

    def _body(self, audience: Audience, form: str, make: Callable[[Audience], bytes]) -> Body:
        with self._lock:
            body = self._bodies.get((audience, form))
        if body is None:
            plain = make(audience)
            who = hashlib.sha256(
                repr((sorted(k.value for k in audience.kinds), sorted(audience.own))).encode()
            )
            body = Body(plain, f'W/"{self.version}-{who.hexdigest()[:8]}-{form}"')
            with self._lock:
                self._bodies[(audience, form)] = body
        return body

    def _visible(self, audience: Audience) -> list[StationView]:
        return [view for view in self.views.values() if audience.sees(view)]

    def _json(self, audience: Audience) -> bytes:
        pieces = b",".join(self.pieces[view.id] for view in self._visible(audience))
        head = {"region": self.region, **self.moment}
        return msgspec.json.encode(head)[:-1] + b',"stations":[' + pieces + b"]}"

    def _geojson(self, audience: Audience) -> bytes:
        features = [
            {
                "type": "Feature",
                "id": view.id,
                "geometry": {"type": "Point", "coordinates": (view.lon, view.lat)},
                "properties": msgspec.Raw(self.pieces[view.id]),
            }
            for view in self._visible(audience)
        ]
        return msgspec.json.encode({"type": "FeatureCollection", **self.moment, "features": features})


class Snapshots:
    """Keeps the newest snapshot; many callers share one rebuild."""

    def __init__(
        self,
        region: Region,
        hot: HotStore,
        levels: LevelSource,
        *,
        clock: Clock,
        workers: Executor,
        min_age_s: float,
        max_age_s: float,
    ) -> None:
        self._region = region
        self._hot = hot
        self._levels = levels
        self._clock = clock
        self._workers = workers
        self._min_age_s = min_age_s
        self._max_age_s = max_age_s
        self._lock = asyncio.Lock()
        self._current: Snapshot | None = None
        self._totals: dict[SeriesKey, tuple[int, Totals]] = {}

    async def get(self) -> Snapshot:
        """Return a snapshot that is at most as old as the settings allow."""
        current = self._current
        if current is not None and time.monotonic() - current.made_at < self._min_age_s:
            return current
        async with self._lock:
            current = self._current
            if current is None or time.monotonic() - current.made_at >= self._min_age_s:
                current = self._current = await self._make_elsewhere()
            return current

    async def _make_elsewhere(self) -> Snapshot:
        return await asyncio.get_running_loop().run_in_executor(self._workers, self.make_if_needed)

    def make_if_needed(self) -> Snapshot:
        """Return the current snapshot when nothing has changed and it is young, else a new one."""
        current = self._current
        change_id, alert_id = self._hot.last_change_id(), self._levels.last_change_id()
        if (
            current is not None
            and (current.change_id, current.alert_id) == (change_id, alert_id)
            and time.monotonic() - current.made_at < self._max_age_s
        ):
            return current
        return self.keep_warm(self.make(change_id, alert_id), current)

    def keep_warm(self, snapshot: Snapshot, before: Snapshot | None) -> Snapshot:
        """Make the documents that were asked of the snapshot before, here and not on the event loop."""
        for audience, form, compressed in () if before is None else before.asked():
            body = snapshot.geojson(audience) if form == "geojson" else snapshot.stations(audience)
            if compressed:
                snapshot.compressed(body)
        return snapshot

    def make(self, change_id: int, alert_id: int) -> Snapshot:
        """Read the stores and make a snapshot."""
        latest: dict[str, dict[str, Latest]] = {}
        received_us = newest_us = 0
        for last in self._hot.latest(self._region.code):
            observation = last.observation
            latest.setdefault(observation.key.station, {})[observation.key.property] = last
            received_us = max(received_us, observation.received_us)
            newest_us = max(newest_us, observation.t_us)
        if isinstance(self._clock, ReplayClock):
            self._clock.newest_us = newest_us
        now_us, active = self._clock.now_us(), self._levels.active_levels()
        faults: dict[str, list[StandingFault]] = {}
        for fault in self._hot.sensor_faults.standing(self._region.code):
            faults.setdefault(fault.station, []).append(fault)
        views = [
            station_view(
                station,
                latest.get(station.id, {}),
                now_us=now_us,
                active=active.get(station.id),
                totals=self._sums(station.id, latest.get(station.id, {})),
                faults=faults.get(station.id, ()),
            )
            for station in self._region.stations.values()
        ]
        return Snapshot(
            self._region.code,
            views,
            now_us=now_us,
            change_id=change_id,
            alert_id=alert_id,
            received_us=received_us,
            newest_us=newest_us,
        )

    def _sums(self, station: str, latest: Mapping[str, Latest]) -> dict[str, Totals]:
        sums: dict[str, Totals] = {}
        for slug, last in latest.items():
            datastream = self._region.stations[station].datastream(slug)
            if datastream is None or not datastream.observed.accumulates:
                continue
            key, t_us = last.observation.key, last.observation.t_us
            known = self._totals.get(key)
            if known is None or known[0] != t_us:
                interval_us = round(datastream.interval_s * US_PER_S)
                known = self._totals[key] = (t_us, self._totals_of(key, t_us, interval_us))
            sums[slug] = known[1]
        return sums

    def _totals_of(self, key: SeriesKey, t_us: int, interval_us: int) -> Totals:
        def over(hours: int) -> Total:
            return self._total(key, t_us - hours * US_PER_HOUR, t_us, interval_us)

        return Totals(over(1), over(DAY_H))

    def _total(self, key: SeriesKey, start_us: int, end_us: int, interval_us: int) -> Total:
        """Sum what fell in the intervals that ended within a span; a value is stamped at its end."""
        found = self._hot.aggregate(key, start_us + 1, end_us + 1, step_us=DAY_H * US_PER_HOUR)
        covered = self._hot.covered_us(key, start_us, end_us, interval_us=interval_us)
        share = covered.covered_us / (end_us - start_us)
        return Total(sum(bucket.total for bucket in found), share, covered.since_us)
