"""One ingest process: the only place where its concrete parts meet."""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack

from prometheus_client import start_http_server

from serayu.ingest.alert_publisher import AlertPublisher
from serayu.ingest.clock import IngestClock, LiveClock, ReplayClock
from serayu.ingest.consumer import Consumer
from serayu.ingest.decode import Decoder
from serayu.ingest.evaluator import AlertEvaluator
from serayu.ingest.forwarder import Forwarder
from serayu.ingest.housekeeping import DiskGuard, StalenessWatcher, apply_retention
from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.pipeline import Pipeline
from serayu.ingest.settings import IngestSettings
from serayu.ingest.writer import Writer
from serayu.models.broker_url import BrokerUrl
from serayu.models.errors import ConflictError, StoreError
from serayu.models.region import Region, load_region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register, upgrade
from serayu.models.times import US_PER_DAY, US_PER_S
from serayu.models.topics import PREFIX

FORWARD_CURSOR = "influx"
EVALUATE_EVERY_S = 0.5
EVALUATE_PAUSE_S = 0.05  # between evaluations: at hundreds of commits a second each would be a transaction
PUBLISH_LATEST_EVERY_S = 1.0
DISK_EVERY_S = 10.0
RETENTION_EVERY_S = 3600.0
_logger = logging.getLogger(__name__)


class IngestService:
    """Everything that one ingest process runs, each part in a named thread.

    Parameters
    ----------
    settings
        See `IngestSettings`.
    """

    def __init__(self, settings: IngestSettings) -> None:
        self.settings = settings
        self.region: Region = load_region(settings.region)
        self.stopping = threading.Event()
        self._refuse = threading.Event()
        self._committed = threading.Event()
        self._threads: list[threading.Thread] = []
        self._resources = ExitStack()
        self.store = self._resources.enter_context(HotStore(settings.hot_path))
        self.metrics = IngestMetrics()
        replay = settings.clock == "replay"
        self.clock: IngestClock = ReplayClock(self.store) if replay else LiveClock()
        self.consumer = self._make_consumer()
        self.writer = Writer(
            self.consumer,
            self._make_pipeline(replay=replay),
            self.store,
            self.clock,
            self.metrics,
            refuse=self._refuse,
            committed=self._committed,
        )
        self.forwarder = self._make_forwarder()
        self._evaluator: AlertEvaluator | None = None
        self._alerts: AlertPublisher | None = None

    def start(self) -> None:
        """Start every thread; returns at once."""
        settings = self.settings
        if not settings.store_only:
            upgrade(settings.register)
            register = self._resources.enter_context(Register(settings.register))
            self._evaluator = AlertEvaluator(self.store, register, self.region)
            self._alerts = AlertPublisher(register, self.store, self.consumer, self.region.code)
            self._start("serayu-ingest-evaluator", self._evaluate)
        self._start("serayu-ingest-writer", lambda: self.writer.run(self.stopping))
        self._start("serayu-ingest-housekeeping", self._keep_house)
        if self.forwarder is not None:
            forwarder = self.forwarder
            self._start("serayu-ingest-forwarder", lambda: forwarder.run(self.stopping))
        if settings.metrics_port is not None:
            server, _ = start_http_server(
                settings.metrics_port, addr=settings.metrics_host, registry=self.metrics.registry
            )
            self._resources.callback(server.server_close)
            self._resources.callback(server.shutdown)
        self.consumer.start()

    def stop(self) -> None:
        """Finish the commit under way, acknowledge it and leave."""
        self.stopping.set()
        self._committed.set()
        for thread in self._threads:
            thread.join(timeout=10.0)
        self.consumer.stop()
        self._resources.close()

    def _make_consumer(self) -> Consumer:
        settings = self.settings
        shared = f"$share/{settings.share_group}/" if settings.share_group else ""
        return Consumer(
            BrokerUrl.parse(settings.broker_url.get_secret_value()),
            client_id=settings.client_id,
            subscriptions=[f"{shared}{PREFIX}/+/+/+"],
        )

    def _make_pipeline(self, *, replay: bool) -> Pipeline:
        settings = self.settings
        future_s = settings.replay_far_future_s if replay else settings.far_future_s
        decoder = Decoder(
            self.region,
            max_payload_bytes=settings.max_payload_bytes,
            far_future_us=round(future_s * US_PER_S),
        )
        late_us = round(settings.late_after_s * US_PER_S)
        return Pipeline(self.store, self.region, self.clock, decoder=decoder, late_after_us=late_us)

    def _make_forwarder(self) -> Forwarder | None:
        settings = self.settings
        if settings.influx_url is None:
            return None
        from serayu.models.stores.influx import InfluxStore  # noqa: PLC0415 -- a second of imports, used only here

        long_store = InfluxStore(
            settings.influx_url,
            token=settings.influx_token.get_secret_value(),
            org=settings.influx_org,
            bucket=settings.influx_bucket,
        )
        self._resources.callback(long_store.close)
        return Forwarder(self.store, long_store, name=FORWARD_CURSOR)

    def _start(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    # -- threads --------------------------------------------------------------------------------------------------

    def _evaluate(self) -> None:
        """Evaluate soon after every commit, and now and then without one."""
        while not self.stopping.is_set():
            self._committed.wait(EVALUATE_EVERY_S)
            self._committed.clear()
            try:
                while self._evaluated() and not self.stopping.wait(EVALUATE_PAUSE_S):
                    pass
            except (ConflictError, StoreError) as error:
                _logger.warning("alerts not evaluated, trying again: %s", error)
                self.stopping.wait(1.0)
            self.stopping.wait(EVALUATE_PAUSE_S)

    def _evaluated(self) -> bool:
        """Evaluate what is new once and publish what changed; True when there is more."""
        if self._evaluator is None:
            return False
        for change in self._evaluator.step():
            self.metrics.alert_changes.labels(change.kind.value).inc()
        if self._alerts is not None:
            self._alerts.step()
        return self._evaluator_behind() > 0

    def _evaluator_behind(self) -> int:
        if self._evaluator is None:
            return 0
        return max(0, self.store.last_change_id() - self._evaluator.position)

    def _keep_house(self) -> None:
        settings, elapsed_s, connection = self.settings, 0.0, 0
        watcher = StalenessWatcher(self.store, self.region, self.clock, self.consumer, self.metrics)
        guard = DiskGuard(
            settings.data_dir,
            warn_fraction=settings.disk_warn_fraction,
            refuse_fraction=settings.disk_refuse_fraction,
            refuse=self._refuse,
        )
        while not self.stopping.wait(PUBLISH_LATEST_EVERY_S):
            try:
                if elapsed_s % DISK_EVERY_S == 0:
                    self.metrics.disk.set(guard.step())
                if elapsed_s % RETENTION_EVERY_S == 0:
                    self._retain()
                dirty, self.writer.dirty_stations = self.writer.dirty_stations, set()
                if self.consumer.connections != connection:  # the broker may have forgotten what it retained
                    connection = self.consumer.connections
                    dirty |= set(self.region.stations)
                watcher.step(dirty)
                self._report_lag()
            except StoreError as error:
                _logger.warning("housekeeping put off: %s", error)
            elapsed_s += PUBLISH_LATEST_EVERY_S

    def _retain(self) -> None:
        followers = []
        if self._evaluator is not None:  # its cursor lives in the register
            self.store.set_cursor(self._evaluator.name, self._evaluator.position)
            followers.append(self._evaluator.name)
        if self.forwarder is not None:
            followers.append(FORWARD_CURSOR)
        before_us = self.clock.now_us() - round(self.settings.retention_days * US_PER_DAY)
        deleted = apply_retention(self.store, before_us=before_us, keep_after=followers)
        if deleted:
            _logger.info("retention: %d raw observations deleted, their hours kept", deleted)

    def _report_lag(self) -> None:
        self.metrics.connected.set(self.consumer.connected.is_set())
        for status in self.store.silences.statuses():
            self.metrics.agent(status.station, status.payload)
        self.metrics.evaluator_rows.set(self._evaluator_behind())
        if self.forwarder is not None:
            rows, seconds = self.forwarder.lag()
            self.metrics.forward_rows.set(rows)
            self.metrics.forward_seconds.set(seconds)
