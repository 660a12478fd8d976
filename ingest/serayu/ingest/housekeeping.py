"""What ingest does by the clock: who is silent, how full the disk is, what is too old."""

import logging
import shutil
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from serayu.ingest.clock import IngestClock
from serayu.ingest.forwarder import Forwarder
from serayu.ingest.latest import latest_messages, stale_keys
from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.settings import IngestSettings
from serayu.ingest.writer import DirtyStations, Link
from serayu.models.errors import StoreError
from serayu.models.reading import SeriesKey
from serayu.models.region import Region
from serayu.models.stores.hot import RETENTION_CHUNK, HotStore
from serayu.models.times import US_PER_DAY

STEP_EVERY_S = 1.0
DISK_EVERY, RETENTION_EVERY = 2, 3600  # steps
_logger = logging.getLogger(__name__)


class Connection(Link, Protocol):
    """The broker, as far as housekeeping is concerned."""

    connected: threading.Event

    @property
    def connections(self) -> int:
        """How many connections there have been."""
        ...


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


class Follower(Protocol):
    """A part that follows the hot store by a cursor of that name."""

    @property
    def name(self) -> str:
        """Name of its cursor in the hot store."""
        ...


class Housekeeper:
    """Does by the clock what must be done by the clock; a step that fails is put off, not dropped.

    Parameters
    ----------
    store, region, clock, link, metrics, settings
        What it works with.
    dirty
        Stations with news, marked by the writer.
    refuse
        Set while the disk is too full.
    followers
        What retention has to wait for.
    """

    def __init__(  # noqa: PLR0913 -- the parts that it looks after
        self,
        store: HotStore,
        region: Region,
        clock: IngestClock,
        link: Connection,
        metrics: IngestMetrics,
        *,
        settings: IngestSettings,
        dirty: DirtyStations,
        refuse: threading.Event,
        followers: Sequence[Follower],
    ) -> None:
        self._store = store
        self._region = region
        self._clock = clock
        self._link = link
        self._metrics = metrics
        self._settings = settings
        self._dirty = dirty
        self._followers = list(followers)
        self._connection = 0
        self._watcher = StalenessWatcher(store, region, clock, link, metrics)
        self._guard = DiskGuard(
            settings.data_dir,
            warn_fraction=settings.disk_warn_fraction,
            refuse_fraction=settings.disk_refuse_fraction,
            refuse=refuse,
        )

    def run(self, stopping: threading.Event) -> None:
        """Work until told to stop."""
        turn = 0
        while not stopping.wait(STEP_EVERY_S):
            try:
                if turn % DISK_EVERY == 0:
                    self._metrics.disk.set(self._guard.step())
                if turn % RETENTION_EVERY == 0:
                    self._retain()
                self.publish_latest()
                self._report()
            except (StoreError, OSError) as error:
                _logger.warning("housekeeping put off: %s", error)
            turn += 1

    def publish_latest(self) -> None:
        """Publish ``latest`` of stations with news, and of all after a new connection: a broker may forget."""
        dirty, connection = self._dirty.take(), self._link.connections
        try:
            everything = self._region.stations if connection != self._connection else ()
            self._watcher.step(dirty.union(everything))
        except BaseException:
            self._dirty.mark(dirty)
            raise
        self._connection = connection

    def _retain(self) -> None:
        if self._settings.store_only:
            return  # the process that evaluates deletes: it knows what has been evaluated
        before_us = self._clock.now_us() - round(self._settings.retention_days * US_PER_DAY)
        names = [follower.name for follower in self._followers]
        deleted = apply_retention(self._store, before_us=before_us, keep_after=names)
        if deleted:
            _logger.info("retention: %d raw observations deleted, their hours kept", deleted)

    def _report(self) -> None:
        self._metrics.connected.set(self._link.connected.is_set())
        for status in self._store.silences.statuses():
            self._metrics.agent(status.station, status.payload)
        newest = self._store.last_change_id()
        for follower in self._followers:
            if isinstance(follower, Forwarder):
                rows, seconds = follower.lag()
                self._metrics.forward_rows.set(rows)
                self._metrics.forward_seconds.set(seconds)
            else:
                self._metrics.evaluator_rows.set(max(0, newest - self._store.cursor(follower.name)))
