"""From the hot store to the long store: in order of change, at least once, never dropped."""

import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple

from serayu.models.errors import StoreError
from serayu.models.ports import ObservationWriter, Refusal
from serayu.models.properties import OBSERVED_PROPERTIES
from serayu.models.reading import Observation
from serayu.models.senml import SenmlRecord, encode_pack, seconds
from serayu.models.stores.dead_letters import DeadLetter
from serayu.models.stores.hot import Change, HotStore
from serayu.models.times import US_PER_S, Clock, SystemClock
from serayu.models.topics import topic

BATCH = 5000
IDLE_S = 1.0
RETRY_FIRST_S, RETRY_MOST_S = 0.5, 60.0
REFUSED = "long_store_refused"
_logger = logging.getLogger(__name__)


class Forwarded(NamedTuple):
    """What one step did: how many changes it passed, and how many of them the long store refused."""

    count: int  # type: ignore[assignment]  # hides tuple.count
    refused: int


class Lag(NamedTuple):
    """How far the long store is behind.

    ``rows`` counts changes (a row that was revised twice meanwhile counts three times), ``seconds`` is the age of
    the oldest of them since its receipt, 0 where there is none.
    """

    rows: int
    seconds: float


class Forwarder:
    """Sends what is new or revised in a hot store to a long store.

    The cursor lies in the hot store and moves only after the long store has taken a batch, together with the dead
    letters of what it refused. A crash in between sends the batch again: the long store takes the same observation
    twice without harm.

    Parameters
    ----------
    store
        Where from; any thread may forward while another writes.
    long_store
        Where to.
    name
        Name of the cursor; retention keeps what lies behind it.
    batch
        Changes a step, at most.
    clock
        For ages and dead letters.
    jitter
        Factor in [0, 1) for the next delay after a failure, so that many hosts do not return together.
    """

    def __init__(
        self,
        store: HotStore,
        long_store: ObservationWriter,
        *,
        name: str = "influx",
        batch: int = BATCH,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._long_store = long_store
        self._name = name
        self._batch = batch
        self._clock = clock or SystemClock()
        self._jitter = jitter
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="serayu-ingest-forwarder-reader")
        self._ahead: tuple[int, Future[list[Change]] | None] = (-1, None)

    def step(self) -> Forwarded:
        """Forward one batch.

        Raises
        ------
        StoreUnavailableError, StoreFullError
            One of the stores is away; the batch will be sent again.
        """
        changes = self._taken()
        if not changes:
            return Forwarded(0, 0)
        if len(changes) == self._batch:  # behind: read the next batch while the long store works on this one
            self._ahead = (changes[-1].id, self._reader.submit(self._read, changes[-1].id))
        refusals = self._long_store.write([change.observation for change in changes])
        letters = [self._letter(refusal) for refusal in refusals]
        self._store.advance(self._name, changes[-1].id, letters)
        if refusals:
            _logger.warning(
                "long store refused %d of %d: %s", len(refusals), len(changes), refusals[0].reason
            )
        return Forwarded(len(changes), len(refusals))

    def _taken(self) -> list[Change]:
        cursor = self._store.cursor(self._name)
        (position, ahead), self._ahead = self._ahead, (-1, None)
        changes = ahead.result() if ahead is not None and position == cursor else []
        return changes or self._read(cursor)

    def _read(self, after_id: int) -> list[Change]:
        return self._store.changes(after_id, limit=self._batch)

    def lag(self) -> Lag:
        """Return how far the long store is behind."""
        cursor = self._store.cursor(self._name)
        received_us = self._store.first_received_after(cursor)
        if received_us is None:
            return Lag(0, 0.0)
        age_us = self._clock.now_us() - received_us if received_us > 0 else 0
        return Lag(max(0, self._store.last_change_id() - cursor), max(0, age_us) / US_PER_S)

    @property
    def name(self) -> str:
        """Name of its cursor in the hot store."""
        return self._name

    def run(self, stop: threading.Event) -> None:
        """Forward until told to stop; while a store is away, try again ever more rarely."""
        try:
            self._follow(stop)
        finally:
            _, ahead = self._ahead
            if ahead is not None:  # nothing of ours may still read when the store is closed
                wait([ahead])

    def _follow(self, stop: threading.Event) -> None:
        delay_s = RETRY_FIRST_S
        while not stop.is_set():
            try:
                forwarded = self.step()
            except StoreError as error:  # whatever it is, what is not forwarded stays and is tried again
                wait_s = delay_s * (0.5 + 0.5 * self._jitter())
                _logger.warning("nothing forwarded, next try in %.1f s: %s", wait_s, error)
                stop.wait(wait_s)
                delay_s = min(delay_s * 2, RETRY_MOST_S)
                continue
            delay_s = RETRY_FIRST_S
            if forwarded.count < self._batch:
                stop.wait(IDLE_S)

    def _letter(self, refusal: Refusal) -> DeadLetter:
        observation = refusal.observation
        return DeadLetter(
            topic(*observation.key), _pack(observation), REFUSED, refusal.reason, self._clock.now_us()
        )


def _pack(observation: Observation) -> bytes:
    """Return an observation as the device could have sent it; a value that JSON cannot say becomes null."""
    observed = OBSERVED_PROPERTIES.get(observation.key.property)
    record = SenmlRecord(
        n="/".join(observation.key),
        u=observed.unit if observed is not None else None,
        v=observation.value,
        t=seconds(observation.t_us),
        oid=observation.oid or None,
        seq=observation.seq if observation.oid else None,
    )
    return encode_pack([record])
