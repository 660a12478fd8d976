"""The loop that turns committed observations into alerts and publishes them."""

import logging
import math
import threading
import time
from collections.abc import Iterable, Sequence

from serayu.ingest.alert_publisher import AlertPublisher, Broker
from serayu.ingest.bulletins import BulletinWriter, ImpactLoader
from serayu.ingest.clock import IngestClock, Settled
from serayu.ingest.evaluator import AlertEvaluator
from serayu.ingest.evidence import StoredEvidence
from serayu.ingest.forecasting import Forecasting
from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.rounds import Round
from serayu.ingest.sensor_watch import SensorWatch
from serayu.models.alert import AlertChange
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.settings import load_delivery_settings
from serayu.models.errors import ConflictError, StoreError
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register, upgrade
from serayu.models.times import SystemClock
from serayu.models.warning.authority import load_authority
from serayu.models.warning.bulletin import Bulletin, BulletinStatus
from serayu.models.warning.fallback import stand_in
from serayu.models.warning.outlook import ForecastSource, TunedRules

EVALUATE_EVERY_S = 0.5
PAUSE_LEAST_S, PAUSE_MOST_S = 0.005, 0.05
"""Between two looks: as long as the last one took, for under load the writer needs the processor more."""
LOOK_ROUND_EVERY_S = 0.25
LOOK_ROUND_S = 0.03
"""How often, and how long at a time, alerts that have not changed are looked at [project proposal]."""
RETRY_S = 1.0
_logger = logging.getLogger(__name__)


class AlertLoop:
    """Evaluates soon after every commit, and now and then without one; storing does not wait for it.

    Parameters
    ----------
    register_url
        Register; opened, and brought to its newest schema, by the loop itself: ingest stores while it is away.
    store, region, broker, metrics
        What it works with.
    committed
        Set by the writer after every commit.
    clock
        Clock of the rules: who is silent, what lapses.
    queued
        Set when a bulletin has been recorded: the courier looks at once.
    rehearsal
        Status of the bulletins where this is an exercise.
    forecasts
        Forecasts the posts; None where nothing is fitted.
    """

    name = "alerts"

    def __init__(  # noqa: PLR0913 -- the parts that it works with
        self,
        register_url: str,
        store: HotStore,
        region: Region,
        broker: Broker,
        metrics: IngestMetrics,
        *,
        committed: threading.Event,
        clock: IngestClock,
        queued: threading.Event,
        rehearsal: BulletinStatus | None = None,
        forecasts: ForecastSource | None = None,
    ) -> None:
        self._register_url = register_url
        self._store = store
        self._region = region
        self._broker = broker
        self._metrics = metrics
        self._committed = committed
        self._settled = Settled(clock)
        self._queued = queued
        self._rehearsal = rehearsal
        self._posts = StoredEvidence(store)
        self._authority = load_authority(region.folder)
        self._delivery = load_delivery_settings(region.folder)
        self._rules = forecasts if isinstance(forecasts, TunedRules) else None
        self._forecasting = Forecasting(forecasts, store, region, metrics)
        self._impact: ImpactLoader | None = None
        self._sensors = SensorWatch(store, region, metrics, turn_s=LOOK_ROUND_S)
        self._position = 0
        self._round = Round(LOOK_ROUND_S)
        self._sustained: set[str] = set()
        self._looked_s = -math.inf

    def behind(self) -> int:
        """Return how many changes of the hot store are not yet evaluated."""
        return max(0, self._store.last_change_id() - self._position)

    def run(self, stopping: threading.Event) -> None:
        """Work until told to stop."""
        self._impact = ImpactLoader(self._region)
        while not stopping.is_set():
            try:
                upgrade(self._register_url)
                with Register(self._register_url) as register:
                    self._follow(register, stopping)
            except StoreError as error:
                _logger.warning("the register is away, trying again: %s", error)
                stopping.wait(RETRY_S)

    def _follow(self, register: Register, stopping: threading.Event) -> None:
        evaluator = AlertEvaluator(self._store, register, self._region, name=self.name)
        evaluator.heed(self._sensors.faults)  # a sensor that drifts does not heal by a restart
        publisher = AlertPublisher(register, self._store, self._broker, self._region.code)
        writer = self._make_writer(register)
        while not stopping.is_set():
            if not self._committed.wait(EVALUATE_EVERY_S):
                writer.prepare()  # nothing to do: the first bulletin will not have to wait for it
            self._committed.clear()
            begun_s = time.monotonic()
            try:
                while self._evaluated(evaluator, publisher, writer) and not stopping.wait(_pause_s(begun_s)):
                    begun_s = time.monotonic()
                self._foresee(evaluator, register)
                if begun_s - self._looked_s >= LOOK_ROUND_EVERY_S:
                    self._look_round(evaluator)
                    publisher.step()
                    self._note(writer.step())
                    self._looked_s = begun_s
            except (ConflictError, StoreError) as error:
                _logger.warning("alerts not evaluated, trying again: %s", error)
                stopping.wait(RETRY_S)
            stopping.wait(_pause_s(begun_s))

    def _evaluated(
        self, evaluator: AlertEvaluator, publisher: AlertPublisher, writer: BulletinWriter
    ) -> bool:
        """Evaluate what is new once and publish what changed; True when there is more."""
        changes = evaluator.step()
        self._count(changes)
        if changes:  # the rest waits until nothing is left to evaluate
            self._note(writer.tell_changes())
            publisher.step()
        if evaluator.position != self._position:
            self._position = evaluator.position
            # Its own cursor lives in the register; retention of the hot store looks at this one.
            self._store.set_cursor(self.name, self._position)
        return self.behind() > 0

    def _foresee(self, evaluator: AlertEvaluator, register: Register) -> None:
        """Let the forecasts of the posts with news raise levels before the crossing, and keep them."""
        outlooks = self._forecasting.step()
        if outlooks:
            register.record_forecasts(outlooks)
            changes = evaluator.foresee(outlooks, self._rules)
            self._count(changes)
            if changes:
                self._looked_s = -math.inf  # they are told at once

    def _look_round(self, evaluator: AlertEvaluator) -> None:
        """Look at sensors; let lapse what nothing has renewed, post or stand-in, each time all were looked at."""
        now_us = self._settled.now_us()
        evaluator.heed(self._sensors.step(now_us))
        for station in self._round.turn(evaluator.levels()):
            found = stand_in(self._region, self._region.stations[station], self._posts, now_us=now_us)
            if found is not None and found.supports:
                self._sustained.add(station)
        if self._round.complete:
            sustained, self._sustained = self._sustained, set()
            self._count(evaluator.lapse(now_us, sustained=sustained))

    def _note(self, said: Sequence[Bulletin]) -> None:
        """Count bulletins, and wake the courier."""
        for bulletin in said:
            self._metrics.bulletins.labels(bulletin.msg_type.value).inc()
        if said:
            self._queued.set()

    def _count(self, changes: Iterable[AlertChange]) -> None:
        for change in changes:
            self._metrics.alert_changes.labels(change.kind.value).inc()

    def _make_writer(self, register: Register) -> BulletinWriter:
        return BulletinWriter(
            register,
            self._store,
            self._region,
            DeliveryDesk(register, self._delivery),
            posts=self._posts,
            rules=self._settled,
            computer=SystemClock(),
            rehearsal=self._rehearsal,
            impact=(lambda: None) if self._impact is None else self._impact.wait,
            authority=self._authority,
        )


def _pause_s(begun_s: float) -> float:
    """Return how long to leave the processor to others after work that began at a monotonic second."""
    return min(max(time.monotonic() - begun_s, PAUSE_LEAST_S), PAUSE_MOST_S)
