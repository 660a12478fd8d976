"""Forecasts in the live loop: asked for where a post has news, timed and counted, and never in the way of alerts."""

import logging
import time
from collections.abc import Mapping

from serayu.ingest.metrics import IngestMetrics
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.times import US_PER_MINUTE
from serayu.models.warning.fallback import LEVEL
from serayu.models.warning.outlook import ForecastSource, Outlook

FORECAST_EVERY_US = 5 * US_PER_MINUTE
"""How much newer a post's level must be than its last forecast [project proposal]."""
_logger = logging.getLogger(__name__)


class Forecasting:
    """Asks a source for the outlook of every post that has news.

    Parameters
    ----------
    source
        Forecasts a post; None where no post has a fitted model, and then nothing is done.
    store, region
        Tells what is new; the posts with limits are asked for.
    metrics
        Counts and times.
    """

    def __init__(
        self, source: ForecastSource | None, store: HotStore, region: Region, metrics: IngestMetrics
    ) -> None:
        self._source = source
        self._store = store
        self._region = region
        self._metrics = metrics
        self._asked_us: dict[str, int] = {}
        self._seen = -1

    def step(self) -> list[Outlook]:
        """Return the outlooks of the posts that have news; a forecast that fails is counted and left out."""
        if self._source is None:
            return []
        newest = self._store.last_change_id()
        if newest == self._seen:
            return []
        self._seen = newest
        made = (self._ask(self._source, post, t_us) for post, t_us in self._due().items())
        return [one for one in made if one is not None]

    def _due(self) -> Mapping[str, int]:
        """Return the posts whose level is newer than their last forecast by enough, with its time."""
        due = {}
        for latest in self._store.latest(self._region.code):
            key, t_us = latest.observation.key, latest.observation.t_us
            post = self._region.stations.get(key.station)
            if key.property != LEVEL or post is None or post.thresholds is None:
                continue
            asked_us = self._asked_us.get(post.id)
            if asked_us is None or t_us - asked_us >= FORECAST_EVERY_US:
                due[post.id] = t_us
        return due

    def _ask(self, source: ForecastSource, station: str, t_us: int) -> Outlook | None:
        self._asked_us[station] = t_us
        begun_s = time.perf_counter()
        try:
            outlook = source.forecast(station, t_us)
        except Exception:  # a method's fault must not stop alerts by threshold
            _logger.exception("no forecast", extra={"station": station})
            self._metrics.forecasts.labels("failed").inc()
            return None
        self._metrics.forecast_seconds.observe(time.perf_counter() - begun_s)
        self._metrics.forecasts.labels("none" if outlook is None else "made").inc()
        return outlook
