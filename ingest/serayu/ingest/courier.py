"""The courier: takes what is due from the outbox of bulletins, sends it, and escalates what nobody acknowledges."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from serayu.ingest.alert_publisher import Broker
from serayu.ingest.bulletin_publisher import BulletinPublisher
from serayu.ingest.channels.channel import Sender
from serayu.ingest.channels.words import AppriseChannel, LogChannel
from serayu.ingest.clock import IngestClock
from serayu.ingest.dispatch import Dispatcher, LazyVault
from serayu.ingest.metrics import IngestMetrics
from serayu.models.delivery.delivery import Delivery, DeliveryState
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.recipient import Channel, Gateway
from serayu.models.delivery.settings import load_delivery_settings
from serayu.models.errors import ConflictError, StoreError
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.vault import KEY_FILE
from serayu.models.times import US_PER_DAY, US_PER_MINUTE, Clock, SystemClock
from serayu.models.uuid7 import uuid7

LOOK_EVERY_S = 0.5
RETRY_S = 1.0
WORKERS = 8
LEASE_US = US_PER_MINUTE
REPORT_EVERY_S = 10.0
PURGE_EVERY_US = 60 * US_PER_MINUTE
PURGE_AT_ONCE = 1000
_logger = logging.getLogger(__name__)


class Courier:
    """Works until told to stop; whatever is killed at whatever moment, each bulletin arrives at least once.

    A delivery is taken under a lease, tried, and the attempt written down; a crash in between leaves it to be taken
    again, with the same id. Attempts run in a few threads, so that one receiver that hangs does not hold up the rest.

    Parameters
    ----------
    register_url, data_dir
        Register, and the folder of the key file.
    store, region, broker, clock
        Hot store (cursor of the publisher), whose bulletins, where retained ones go, clock of the rules.
    metrics
        Counts attempts and what waits.
    queued
        Set by who records a bulletin: the courier looks at once.
    retention_days, consent_days
        How long ended deliveries, and opt-ins and opt-outs of nobody, are kept.
    senders
        Other channels than the usual ones, for tests.
    """

    name = "courier"

    def __init__(  # noqa: PLR0913 -- the parts that it works with
        self,
        register_url: str,
        data_dir: Path,
        store: HotStore,
        region: Region,
        broker: Broker,
        clock: IngestClock,
        *,
        metrics: IngestMetrics,
        queued: threading.Event,
        retention_days: float,
        consent_days: float,
        senders: Mapping[Channel, Sender] | None = None,
        computer: Clock | None = None,
    ) -> None:
        self._register_url = register_url
        self._vault = LazyVault(data_dir / KEY_FILE)
        self._store = store
        self._region = region
        self._broker = broker
        self._rules = clock
        self._clock = computer or SystemClock()
        self._metrics = metrics
        self._queued = queued
        self._keep_us = round(retention_days * US_PER_DAY)
        self._keep_consent_us = round(consent_days * US_PER_DAY)
        self._senders = senders
        self._settings = load_delivery_settings(region.folder)
        self._purged_us = 0
        self._reported_s = 0.0
        self._holder = uuid7(self._clock.now_us())

    def run(self, stopping: threading.Event) -> None:
        """Work until told to stop."""
        while not stopping.is_set():
            try:
                upgrade(self._register_url)
                with Register(self._register_url) as register, ThreadPoolExecutor(WORKERS, "courier") as pool:
                    self._follow(register, pool, stopping)
            except StoreError as error:
                _logger.warning("the register is away, trying again: %s", error)
                stopping.wait(RETRY_S)

    def _follow(self, register: Register, pool: ThreadPoolExecutor, stopping: threading.Event) -> None:
        desk = DeliveryDesk(register, self._settings)
        publisher = BulletinPublisher(register, self._store, self._broker, self._region.code, self._rules)
        dispatcher = self._make_dispatcher(register)
        register.release_deliveries(self._region.code)
        running: set[Future[DeliveryState]] = set()
        while not stopping.is_set():
            self._queued.wait(LOOK_EVERY_S)
            self._queued.clear()
            running = self._reaped(running)
            try:
                publisher.step()
                self._escalate(desk)
                for delivery in self._due(register, WORKERS - len(running)):
                    future = pool.submit(dispatcher.dispatch, delivery)
                    future.add_done_callback(lambda _: self._queued.set())
                    running.add(future)
                self._report(register)
                self._purge(register)
            except (ConflictError, StoreError) as error:
                _logger.warning("bulletins not delivered, trying again: %s", error)
                stopping.wait(RETRY_S)

    def _make_dispatcher(self, register: Register) -> Dispatcher:
        senders = self._senders or usual_senders(
            lambda channel: register.gateway(self._region.code, channel, self._vault.open())
        )
        return Dispatcher(
            register,
            self._vault,
            senders,
            settings=self._settings,
            rules=self._rules,
            clock=self._clock,
        )

    def _due(self, register: Register, room: int) -> list[Delivery]:
        if room <= 0:
            return []
        return register.due_deliveries(
            self._region.code,
            rules_us=self._rules.now_us(),
            now_us=self._clock.now_us(),
            by=self._holder,
            lease_us=LEASE_US,
            limit=room,
        )

    def _escalate(self, desk: DeliveryDesk) -> None:
        moved = desk.escalate_due(
            self._region.code, rules_us=self._rules.now_us(), now_us=self._clock.now_us()
        )
        for escalation in moved:
            extra = {
                "alert": escalation.alert_id,
                "level": escalation.level.value,
                "step": escalation.step + 1,
            }
            _logger.warning("nobody has acknowledged: the next step is told", extra=extra)

    def _reaped(self, running: set[Future[DeliveryState]]) -> set[Future[DeliveryState]]:
        """Take note of attempts that have ended; return those that have not."""
        for future in [one for one in running if one.done()]:
            try:
                self._metrics.deliveries.labels(future.result().value).inc()
            except (ConflictError, StoreError) as error:
                _logger.warning("an attempt could not be written down, it is repeated: %s", error)
            except Exception as error:  # noqa: BLE001 -- one bad delivery must not end ingest, nor the other ones
                _logger.error("a defect: %s", _where(error))  # noqa: TRY400 -- its text may hold an address
        return {one for one in running if not one.done()}

    def _report(self, register: Register) -> None:
        if time.monotonic() - self._reported_s >= REPORT_EVERY_S:
            self._reported_s = time.monotonic()
            counts = register.delivery_counts(self._region.code)
            self._metrics.waiting.set(counts[DeliveryState.QUEUED])

    def _purge(self, register: Register) -> None:
        now_us = self._clock.now_us()
        if now_us - self._purged_us < PURGE_EVERY_US:
            return
        deleted = register.delete_deliveries(before_us=now_us - self._keep_us, limit=PURGE_AT_ONCE)
        if deleted < PURGE_AT_ONCE:  # else there is more: it goes on at the next look
            self._purged_us = now_us
        deleted += register.delete_consents(before_us=now_us - self._keep_consent_us)
        if deleted:
            _logger.info("retention: %d deliveries and consents deleted", deleted)


def usual_senders(gateway: Callable[[Channel], Gateway | None]) -> dict[Channel, Sender]:
    """Return the sender of each channel; *gateway* returns a phone channel's gateway."""
    import serayu.models.warning.documents  # noqa: F401, PLC0415 -- here, so that the first alert need not wait for it
    from serayu.ingest.channels.webhook import Webhook  # noqa: PLC0415 -- httpx: a quarter second of ingest's start

    words = AppriseChannel(gateway)
    return {
        Channel.WEBHOOK: Webhook(),
        Channel.APPRISE: words,
        Channel.SMS: words,
        Channel.WHATSAPP: words,
        Channel.LOG: LogChannel(),
    }


def _where(error: BaseException) -> str:
    """Name an error and its place, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
