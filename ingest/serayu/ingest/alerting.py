"""The loop that turns committed observations into alerts and publishes them."""

import logging
import threading

from serayu.ingest.alert_publisher import AlertPublisher, Broker
from serayu.ingest.evaluator import AlertEvaluator
from serayu.ingest.metrics import IngestMetrics
from serayu.models.errors import ConflictError, StoreError
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register, upgrade

EVALUATE_EVERY_S = 0.5
EVALUATE_PAUSE_S = 0.05  # between two looks: under load the writer needs the processor more
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
    """

    name = "alerts"

    def __init__(
        self,
        register_url: str,
        store: HotStore,
        region: Region,
        broker: Broker,
        metrics: IngestMetrics,
        *,
        committed: threading.Event,
    ) -> None:
        self._register_url = register_url
        self._store = store
        self._region = region
        self._broker = broker
        self._metrics = metrics
        self._committed = committed
        self._position = 0

    def behind(self) -> int:
        """Return how many changes of the hot store are not yet evaluated."""
        return max(0, self._store.last_change_id() - self._position)

    def run(self, stopping: threading.Event) -> None:
        """Work until told to stop."""
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
        publisher = AlertPublisher(register, self._store, self._broker, self._region.code)
        while not stopping.is_set():
            self._committed.wait(EVALUATE_EVERY_S)
            self._committed.clear()
            try:
                while self._evaluated(evaluator, publisher) and not stopping.wait(EVALUATE_PAUSE_S):
                    pass
            except (ConflictError, StoreError) as error:
                _logger.warning("alerts not evaluated, trying again: %s", error)
                stopping.wait(RETRY_S)
            stopping.wait(EVALUATE_PAUSE_S)

    def _evaluated(self, evaluator: AlertEvaluator, publisher: AlertPublisher) -> bool:
        """Evaluate what is new once and publish what changed; True when there is more."""
        for change in evaluator.step():
            self._metrics.alert_changes.labels(change.kind.value).inc()
        publisher.step()
        if evaluator.position != self._position:
            self._position = evaluator.position
            # Its own cursor lives in the register; retention of the hot store looks at this one.
            self._store.set_cursor(self.name, self._position)
        return self.behind() > 0
