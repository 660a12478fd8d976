"""The loop at the heart of ingest: take what has come, commit it, say so."""

import logging
import math
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from serayu.ingest.acks import PendingAcks
from serayu.ingest.clock import IngestClock
from serayu.ingest.consumer import Arrival
from serayu.ingest.decode import Message
from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.pipeline import Outcome, Pipeline
from serayu.models.errors import CodecError, StoreError, StoreFullError
from serayu.models.stores.dead_letters import DeadLetter
from serayu.models.stores.hot import HotStore
from serayu.models.stores.silences import AgentStatus
from serayu.models.topics import RESERVED, parse_topic

RETRY_FIRST_S, RETRY_MOST_S = 0.05, 2.0
_TAKE_S = 0.5
_logger = logging.getLogger(__name__)


class Link(Protocol):
    """The broker, as far as the writer is concerned."""

    def take(self, *, timeout_s: float) -> list[Arrival]:
        """Return what has come."""
        ...

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Tell the broker that messages are dealt with."""
        ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 0) -> None:
        """Publish."""
        ...


class DirtyStations:
    """Stations with news since the last look; two threads share it."""

    def __init__(self) -> None:
        self._stations: set[str] = set()
        self._lock = threading.Lock()

    def mark(self, stations: Iterable[str]) -> None:
        """Note that stations have news."""
        with self._lock:
            self._stations.update(stations)

    def take(self) -> set[str]:
        """Return the stations with news and forget them."""
        with self._lock:
            taken, self._stations = self._stations, set()
        return taken


class Writer:
    """Commits what comes; acknowledges only what is committed.

    Parameters
    ----------
    link, pipeline, store, clock, metrics
        What it works with.
    refuse
        Set while the disk guard has closed the door: nothing is committed, nothing acknowledged.
    committed
        Set after every commit, for those who follow the store.
    """

    def __init__(
        self,
        link: Link,
        pipeline: Pipeline,
        store: HotStore,
        clock: IngestClock,
        metrics: IngestMetrics,
        *,
        refuse: threading.Event,
        committed: threading.Event,
    ) -> None:
        self._link = link
        self._pipeline = pipeline
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._refuse = refuse
        self._committed = committed
        self._acks = PendingAcks()
        self.dirty = DirtyStations()

    def run(self, stopping: threading.Event) -> None:
        """Work until told to stop; what was taken and not committed stays unacknowledged."""
        while not stopping.is_set():
            if self._refuse.is_set():
                stopping.wait(1.0)
                continue
            wait_s = self._acks.wait_s(now_s=time.monotonic())
            arrivals = self._link.take(timeout_s=_TAKE_S if wait_s is None else wait_s)
            if arrivals:
                self._handle(arrivals, stopping)
            self._send_acks(now_s=time.monotonic())
        self._send_acks(now_s=math.inf)

    def _send_acks(self, *, now_s: float) -> None:
        now_us = self._clock.now_us()
        for ack in self._acks.due(now_s=now_s):
            self._link.publish(ack.topic, ack.payload(now_us=now_us))

    def _handle(self, arrivals: Sequence[Arrival], stopping: threading.Event) -> None:
        messages, statuses = _sorted_out(arrivals)
        outcome = self._committed_outcome(messages, stopping) if messages else None
        if messages and outcome is None:
            return
        if statuses:
            self._keep_statuses(statuses)
        if outcome is not None:
            self._acks.add(outcome.acks)
            self.dirty.mark(key.station for key in outcome.newest)
            self._metrics.count(outcome, messages=len(messages))
            self._metrics.commit.observe(max(0.0, time.time() - messages[0].received_us / 1e6))
            self._committed.set()
        self._link.acknowledge(arrivals)

    def _committed_outcome(self, messages: Sequence[Message], stopping: threading.Event) -> Outcome | None:
        """Return the outcome of a batch, trying for as long as the store is away; None when told to stop."""
        delay_s = RETRY_FIRST_S
        while True:
            try:
                return self._processed(messages)
            except StoreError as error:
                self._metrics.retries.inc()
                level = logging.ERROR if isinstance(error, StoreFullError) else logging.WARNING
                _logger.log(level, "nothing stored, trying again: %s", error)
            if stopping.wait(delay_s):
                return None
            delay_s = min(delay_s * 2, RETRY_MOST_S)

    def _processed(self, messages: Sequence[Message]) -> Outcome:
        try:
            return self._pipeline.process(messages)
        except StoreError:
            raise
        except Exception:  # a fault of ours must not stop the stream: find the message that brings it out
            _logger.exception("a batch of %d messages cannot be processed", len(messages))
            return self._one_by_one(messages)

    def _one_by_one(self, messages: Sequence[Message]) -> Outcome:
        """Process messages singly; one that still fails is a dead letter, unconfirmed, so the device keeps it.

        Where the store goes away in between all are tried again: what is stored already is confirmed again.
        """
        total = Outcome([], 0, 0, 0, 0, 0, {})
        for message in messages:
            try:
                outcome = self._pipeline.process([message])
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 -- see above
                letter = DeadLetter(
                    message.topic, message.payload, "internal_error", repr(error), message.received_us
                )
                with self._store.transaction() as transaction:
                    transaction.add_dead_letters([letter])
                outcome = Outcome([], 0, 0, 0, 1, 0, {})
            total.acks.extend(outcome.acks)
            total.newest.update(outcome.newest)
            for name in ("stored", "duplicates", "rejected", "undecodable", "late"):
                setattr(total, name, getattr(total, name) + getattr(outcome, name))
        return total

    def _keep_statuses(self, statuses: Sequence[AgentStatus]) -> None:
        try:
            for status in statuses:
                self._store.silences.put_status(status)
        except StoreError as error:
            _logger.warning("status not kept: %s", error)


def _sorted_out(arrivals: Sequence[Arrival]) -> tuple[list[Message], list[AgentStatus]]:
    """Separate readings from status messages; our own downlinks come back and are nothing to us."""
    messages, statuses = [], {}
    for arrival in arrivals:
        message = arrival.message
        above, _, leaf = message.topic.rpartition("/")
        if leaf not in RESERVED and not above.endswith("/alerts"):
            messages.append(message)
        elif leaf == "status" and (place := _place(message.topic)) is not None:
            statuses[place] = AgentStatus(*place, message.received_us, message.payload)
    return messages, list(statuses.values())


def _place(topic: str) -> tuple[str, str] | None:
    try:
        parsed = parse_topic(topic)
    except CodecError:
        return None
    return parsed.region, parsed.station
