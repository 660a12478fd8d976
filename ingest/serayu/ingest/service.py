"""One ingest process: the only place where its concrete parts meet."""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack

from prometheus_client import start_http_server

from serayu.ingest.alerting import AlertLoop
from serayu.ingest.clock import IngestClock, LiveClock, ReplayClock
from serayu.ingest.consumer import Consumer
from serayu.ingest.courier import Courier
from serayu.ingest.decode import Decoder
from serayu.ingest.forwarder import Forwarder
from serayu.ingest.housekeeping import Housekeeper
from serayu.ingest.landslide_watch import SLOPES_FILE, LandslideWatch
from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.pipeline import Pipeline
from serayu.ingest.settings import IngestSettings
from serayu.ingest.writer import Writer
from serayu.models.broker_url import BrokerUrl
from serayu.models.flood.live import LiveForecasts
from serayu.models.region import Region, load_region
from serayu.models.stores.hot import HotStore
from serayu.models.times import US_PER_S
from serayu.models.topics import PREFIX
from serayu.models.warning.bulletin import BulletinStatus

FORWARD_CURSOR = "influx"
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
        self.failed = threading.Event()
        self._refuse = threading.Event()
        self._committed = threading.Event()
        self._queued = threading.Event()  # set by who records a bulletin
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
        self.alerts = None if settings.store_only else self._make_alerts()
        self.courier = None if settings.store_only else self._make_courier()
        self.landslides = None if settings.store_only else self._make_landslides()
        self.housekeeper = Housekeeper(
            self.store,
            self.region,
            self.clock,
            self.consumer,
            self.metrics,
            settings=settings,
            dirty=self.writer.dirty,
            refuse=self._refuse,
            followers=[part for part in (self.alerts, self.forwarder) if part is not None],
        )

    def start(self) -> None:
        """Start every thread; returns at once."""
        settings = self.settings
        self._start("serayu-ingest-writer", self.writer.run)
        self._start("serayu-ingest-housekeeping", self.housekeeper.run)
        if self.alerts is not None:
            self._start("serayu-ingest-evaluator", self.alerts.run)
        if self.courier is not None:
            self._start("serayu-ingest-courier", self.courier.run)
        if self.landslides is not None:
            self._start("serayu-ingest-landslide", self.landslides.run)
        if self.forwarder is not None:
            self._start("serayu-ingest-forwarder", self.forwarder.run)
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
        self._queued.set()
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

    def _rehearsal(self) -> BulletinStatus | None:
        """Return the status of bulletins that are not meant; a replay is never the real thing."""
        exercise = self.settings.exercise or self.settings.clock == "replay"
        return BulletinStatus.EXERCISE if exercise else None

    def _make_alerts(self) -> AlertLoop:
        forecasts = LiveForecasts(self.region, self.store, self.settings.data_dir)
        forecasts.warm_up()
        return AlertLoop(
            self.settings.register,
            self.store,
            self.region,
            self.consumer,
            self.metrics,
            committed=self._committed,
            clock=self.clock,
            queued=self._queued,
            rehearsal=self._rehearsal(),
            forecasts=forecasts,
        )

    def _make_landslides(self) -> LandslideWatch | None:
        settings = self.settings
        if not (self.region.folder / SLOPES_FILE).is_file():
            return None
        return LandslideWatch(
            settings.register,
            settings.data_dir,
            self.store,
            self.region,
            self.clock,
            self.metrics,
            queued=self._queued,
            every_us=round(settings.landslide_every_s * US_PER_S),
            rehearsal=self._rehearsal(),
        )

    def _make_courier(self) -> Courier:
        settings = self.settings
        return Courier(
            settings.register,
            settings.data_dir,
            self.store,
            self.region,
            self.consumer,
            self.clock,
            metrics=self.metrics,
            queued=self._queued,
            retention_days=settings.delivery_retention_days,
            consent_days=settings.consent_retention_days,
        )

    def _start(self, name: str, work: Callable[[threading.Event], None]) -> None:
        """Run a part in a thread of its own; one that ends by a fault of ours ends the whole process.

        A process whose alerts, say, have died must not look alive: its supervisor starts a new one, and nothing
        is lost by that.
        """

        def guarded() -> None:
            try:
                work(self.stopping)
            except Exception:
                _logger.exception("%s failed; this process ends to be started again", name)
                self.failed.set()

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
