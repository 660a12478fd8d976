"""Watches the level sensors of river posts: what seems at fault is a sensor alarm, no flood."""

import logging
import math
from collections.abc import Iterable, Mapping

from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.rounds import Round
from serayu.models.quality.creep import REGION_KM, REGION_POSTS, Witnesses, net_rise_m
from serayu.models.quality.fault_memory import FaultMemory
from serayu.models.quality.sensor_alarm import WINDOW_US, SensorFault, sensor_faults, steady_levels
from serayu.models.region import Region
from serayu.models.station import Station
from serayu.models.stores.hot import HotStore
from serayu.models.stores.sensor_faults import StandingFault
from serayu.models.stores.trend import usable
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE
from serayu.models.warning.fallback import LEVEL, RAIN, sources

EVERY_US = 10 * US_PER_MINUTE
"""How often a post is looked at, at round times, so that a replay looks at the same ones [project proposal]."""
FORGET_US = 7 * 24 * US_PER_HOUR
"""A sensor that has said nothing for so long is the business of silence alone [project proposal]."""
_logger = logging.getLogger(__name__)


class SensorWatch:
    """Knows what seems to be wrong with the level sensors of a region's posts, and keeps it in the hot store.

    Parameters
    ----------
    store, region
        What came, of which posts; where the faults are kept for those who show them.
    metrics
        Shows the faults.
    turn_s
        How long a step takes at most, seconds: a thousand posts take their turns.
    """

    def __init__(
        self, store: HotStore, region: Region, metrics: IngestMetrics, *, turn_s: float = math.inf
    ) -> None:
        self._store = store
        self._region = region
        self._metrics = metrics
        self._round = Round(turn_s)
        self._posts = {
            post.id: post for post in region.stations.values() if post.thresholds and post.datastream(LEVEL)
        }
        self._related = {name: self._on_the_river(post) for name, post in self._posts.items()}
        self._nearby = {name: self._of_the_region(post) for name, post in self._posts.items()}
        self._looked_us: dict[str, int] = {}
        self._memory = {name: FaultMemory() for name in self._posts}
        self._faults: dict[str, set[SensorFault]] = {}
        self._recall()

    @property
    def faults(self) -> Mapping[str, set[SensorFault]]:
        """The faults of all posts that have any; at first those that stood when the process ended."""
        return self._faults

    def step(self, now_us: int) -> Mapping[str, set[SensorFault]]:
        """Look at the posts whose turn it is; return the faults of all that have any."""
        at_us = now_us - now_us % EVERY_US
        due = {name: post for name, post in self._posts.items() if self._looked_us.get(name) != at_us}
        for name in self._round.turn(due):
            self._looked_us[name] = at_us
            self._keep(name, self._look(due[name], at_us), at_us)
        return self._faults

    def _look(self, post: Station, now_us: int) -> set[SensorFault]:
        stream = post.datastream(LEVEL)
        window = self._store.window(post.key(LEVEL), now_us - WINDOW_US + 1, now_us + 1)
        if stream is None:
            return set()
        if not window:  # one that has never spoken is the business of staleness alone
            spoke = self._store.window(post.key(LEVEL), now_us - FORGET_US, now_us + 1)
            return {SensorFault.DEAD} if spoke else set()
        seen = sensor_faults(
            window,
            now_us=now_us,
            stale_after_us=stream.stale_after_us,
            witnesses=lambda since_us: self._witnesses(post, since_us, now_us),
        )
        return self._memory[post.id].keep(seen, now_us=now_us)

    def _witnesses(self, post: Station, since_us: int, now_us: int) -> Witnesses:
        return Witnesses(
            related=tuple(self._rises(self._related[post.id], since_us, now_us)),
            region=tuple(self._rises(self._nearby[post.id], since_us, now_us)),
            rain_mm=self._rain_mm(post, since_us, now_us),
        )

    def _rises(self, names: Iterable[str], since_us: int, now_us: int) -> Iterable[float]:
        """Yield how each of some posts rose, where it has spoken and seems sound."""
        for name in names:
            if self._faults.get(name, set()) & {SensorFault.STUCK, SensorFault.DEAD, SensorFault.DRIFTING}:
                continue
            window = self._store.window(self._posts[name].key(LEVEL), since_us + 1, now_us + 1)
            levels = [level for _, level in steady_levels(window)]
            if len(levels) > 1:
                yield net_rise_m(levels)

    def _rain_mm(self, post: Station, since_us: int, now_us: int) -> float | None:
        """Return the most rain of a gauge that may stand in for the post."""
        fallen = []
        for name in sources(self._region, post):
            gauge = self._region.stations[name]
            if gauge.datastream(RAIN) is not None:
                window = self._store.window(gauge.key(RAIN), since_us + 1, now_us + 1)
                values = [one.value for one in window if usable(one)]
                fallen += [sum(values)] if values else []
        return max(fallen, default=None)

    def _on_the_river(self, post: Station) -> tuple[str, ...]:
        """Return the posts next above and below."""
        return tuple(
            name
            for name, other in self._posts.items()
            if name in post.downstream or post.id in other.downstream
        )

    def _of_the_region(self, post: Station) -> tuple[str, ...]:
        """Return the nearest other posts."""
        related = {post.id, *self._related[post.id]}
        away = sorted(
            (post.distance_m(other), name) for name, other in self._posts.items() if name not in related
        )
        return tuple(name for far_m, name in away[:REGION_POSTS] if far_m <= REGION_KM * 1000)

    def _recall(self) -> None:
        """Take up the faults that stood when the process ended."""
        for one in self._store.sensor_faults.standing(self._region.code):
            if one.station in self._posts:
                self._faults.setdefault(one.station, set()).add(SensorFault(one.kind))
                self._metrics.sensor_faults.labels(one.station, one.kind).set(1)
                if one.kind in (SensorFault.DRIFTING, SensorFault.DOUBTFUL):
                    # Doubt begins where a drift ends, so this is when it last drifted as well.
                    self._memory[one.station].drifted_us = one.since_us

    def _keep(self, name: str, faults: set[SensorFault], now_us: int) -> None:
        before = self._faults.get(name, set())
        if faults == before:
            return
        for fault in sorted(faults - before):
            _logger.warning("sensor alarm: %s", fault.value, extra={"station": name})
            self._metrics.sensor_faults.labels(name, fault.value).set(1)
        for fault in sorted(before - faults):
            _logger.info("sensor alarm over: %s", fault.value, extra={"station": name})
            self._metrics.sensor_faults.labels(name, fault.value).set(0)
        code = self._region.code
        self._store.sensor_faults.change(
            begin=[StandingFault(code, name, fault.value, now_us) for fault in sorted(faults - before)],
            end=[StandingFault(code, name, fault.value, now_us) for fault in sorted(before - faults)],
        )
        if faults:
            self._faults[name] = faults
        else:
            self._faults.pop(name, None)
