"""What ingest does by the clock: who is silent, how full the disk is, what is too old."""

import logging
import shutil
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from serayu.ingest.clock import IngestClock
from serayu.ingest.latest import latest_messages, stale_keys
from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.writer import Link
from serayu.models.reading import SeriesKey
from serayu.models.region import Region
from serayu.models.stores.hot import RETENTION_CHUNK, HotStore

_logger = logging.getLogger(__name__)


class StalenessWatcher:
    """Notices datastreams that fall silent or speak again, and publishes the retained ``latest`` of their stations.

    Parameters
    ----------
    store, region, clock, link, metrics
        What it works with.
    """

    def __init__(
        self, store: HotStore, region: Region, clock: IngestClock, link: Link, metrics: IngestMetrics
    ) -> None:
        self._store = store
        self._region = region
        self._clock = clock
        self._link = link
        self._metrics = metrics
        self._since_us = clock.now_us()
        self._silent: set[SeriesKey] = {silence.key for silence in store.silences.open()}

    def step(self, dirty_stations: Iterable[str]) -> set[SeriesKey]:
        """Publish what changed; return the datastreams that are silent now."""
        latest = self._store.latest(self._region.code)
        now_us = self._clock.now_us()
        silent = stale_keys(self._region, latest, now_us=now_us, since_us=self._since_us)
        fallen, risen = set(silent) - self._silent, self._silent - set(silent)
        if fallen:
            self._store.silences.begin(((key, silent[key]) for key in sorted(fallen)), now_us=now_us)
            for key in sorted(fallen):
                _logger.warning("silent", extra={"station": key.station, "property": key.property})
        if risen:
            self._store.silences.end(risen, now_us=now_us)
        self._silent = set(silent)
        self._metrics.stale.set(len(silent))
        stations = {key.station for key in fallen | risen} | set(dirty_stations)
        for topic, payload in latest_messages(self._region, latest, sorted(stations), now_us=now_us):
            self._link.publish(topic, payload, retain=True)
        return self._silent


class DiskGuard:
    """Warns when the disk fills and closes the door before it is full, so that nothing is half written."""

    def __init__(
        self, folder: Path, *, warn_fraction: float, refuse_fraction: float, refuse: threading.Event
    ) -> None:
        self._folder = folder
        self._warn_fraction = warn_fraction
        self._refuse_fraction = refuse_fraction
        self._refuse = refuse
        self._warned = False

    def step(self) -> float:
        """Look at the disk; return the used fraction."""
        usage = shutil.disk_usage(self._folder)
        used = 1 - usage.free / usage.total
        if used >= self._refuse_fraction and not self._refuse.is_set():
            _logger.error("disk %.0f %% full: nothing more is accepted or acknowledged", used * 100)
            self._refuse.set()
        elif used < self._refuse_fraction and self._refuse.is_set():
            _logger.warning("disk has room again: accepting readings")
            self._refuse.clear()
        if used >= self._warn_fraction and not self._warned:
            _logger.warning("disk %.0f %% full", used * 100)
        self._warned = used >= self._warn_fraction
        return used


def apply_retention(store: HotStore, *, before_us: int, keep_after: Sequence[str]) -> int:
    """Delete raw observations older than a time that every follower has passed; return how many."""
    deleted = 0
    while True:
        count = store.delete_before(before_us, keep_after=keep_after)
        deleted += count
        if count < RETENTION_CHUNK:
            return deleted
