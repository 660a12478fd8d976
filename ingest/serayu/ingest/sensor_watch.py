"""Watches the level sensors of river posts: what seems dead, stuck, spiking or drifting is a sensor alarm, no flood."""

import logging
from collections.abc import Mapping, Sequence

from serayu.ingest.metrics import IngestMetrics
from serayu.models.quality.sensor_alarm import WINDOW_US, SensorFault, sensor_faults
from serayu.models.reading import Observation
from serayu.models.region import Region
from serayu.models.station import Station
from serayu.models.stores.hot import HotStore
from serayu.models.stores.trend import usable
from serayu.models.times import US_PER_MINUTE
from serayu.models.warning.fallback import LEVEL, RAIN, sources

EVERY_US = 10 * US_PER_MINUTE
"""How often a post is looked at [project proposal]."""
AT_ONCE = 20
"""Most posts a step: a thousand take their turns."""
_logger = logging.getLogger(__name__)


class SensorWatch:
    """Knows what seems to be wrong with the level sensors of a region's posts.

    Parameters
    ----------
    store, region
        What came, of which posts.
    metrics
        Shows the faults.
    """

    def __init__(self, store: HotStore, region: Region, metrics: IngestMetrics) -> None:
        self._store = store
        self._metrics = metrics
        self._region = region
        self._posts = [
            post for post in region.stations.values() if post.thresholds and post.datastream(LEVEL)
        ]
        self._looked_us: dict[str, int] = {}
        self._faults: dict[str, set[SensorFault]] = {}

    def step(self, now_us: int) -> Mapping[str, set[SensorFault]]:
        """Look at the posts whose turn it is; return the faults of all that have any."""
        due = [
            post for post in self._posts if abs(now_us - self._looked_us.get(post.id, -EVERY_US)) >= EVERY_US
        ]
        for post in sorted(due, key=lambda one: self._looked_us.get(one.id, 0))[:AT_ONCE]:
            self._looked_us[post.id] = now_us
            self._keep(post, self._look(post, now_us))
        return self._faults

    def _look(self, post: Station, now_us: int) -> set[SensorFault]:
        stream = post.datastream(LEVEL)
        window = self._window(post, LEVEL, now_us)
        if stream is None or not window:
            return set()  # one that has never spoken, or not today, is the business of staleness alone
        return sensor_faults(
            window,
            now_us=now_us,
            stale_after_us=stream.stale_after_us,
            related_rise_m=self._related_rise_m(post, now_us),
            related_rain_mm=self._related_rain_mm(post, now_us),
        )

    def _related_rise_m(self, post: Station, now_us: int) -> float | None:
        """Return the most that a post above or below on the same river rose in the window."""
        rises = []
        for other in self._posts:
            if other.id in post.downstream or post.id in other.downstream:
                levels = [one.value for one in self._window(other, LEVEL, now_us) if usable(one)]
                if len(levels) > 1:
                    rises.append(max(levels) - levels[0])
        return max(rises, default=None)

    def _related_rain_mm(self, post: Station, now_us: int) -> float | None:
        """Return the most rain of a gauge that may stand in for the post."""
        fallen = []
        for name in sources(self._region, post):
            gauge = self._region.stations[name]
            if gauge.datastream(RAIN) is not None:
                values = [one.value for one in self._window(gauge, RAIN, now_us) if usable(one)]
                fallen += [sum(values)] if values else []
        return max(fallen, default=None)

    def _window(self, station: Station, slug: str, now_us: int) -> Sequence[Observation]:
        return self._store.window(station.key(slug), now_us - WINDOW_US + 1, now_us + 1)

    def _keep(self, post: Station, faults: set[SensorFault]) -> None:
        before = self._faults.get(post.id, set())
        for fault in faults - before:
            _logger.warning("sensor alarm: %s", fault.value, extra={"station": post.id})
            self._metrics.sensor_faults.labels(post.id, fault.value).set(1)
        for fault in before - faults:
            _logger.info("sensor alarm over: %s", fault.value, extra={"station": post.id})
            self._metrics.sensor_faults.labels(post.id, fault.value).set(0)
        if faults:
            self._faults[post.id] = faults
        else:
            self._faults.pop(post.id, None)
