"""The writer outlives faults of the store and faults of ours."""

import threading
from collections.abc import Sequence

from typing_extensions import override

from serayu.ingest.consumer import Arrival
from serayu.ingest.decode import Message
from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.pipeline import Outcome, Pipeline
from serayu.ingest.writer import Writer
from serayu.models.errors import StoreError, StoreUnavailableError
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from tests.ingest.conftest import NOW_US, StillClock, message


class OneBatch:
    """A broker that delivers one batch and takes note of what is acknowledged."""

    def __init__(self, messages: Sequence[Message], stopping: threading.Event) -> None:
        self._batches = [[Arrival(1, mid, 1, each) for mid, each in enumerate(messages, start=1)]]
        self._stopping = stopping
        self.acknowledged: list[int] = []
        self.published: list[str] = []

    def take(self, *, timeout_s: float) -> list[Arrival]:
        del timeout_s
        return self._batches.pop() if self._batches else []

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        self.acknowledged += [arrival.mid for arrival in arrivals]
        self._stopping.set()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 0) -> None:
        del payload, retain, qos
        self.published.append(topic)


class FaultyPipeline(Pipeline):
    """Raises what is listed, call by call, before it does its work; one value it can never process."""

    faults: list[Exception]
    poison = b"666"

    @override
    def process(self, messages: Sequence[Message]) -> Outcome:
        if self.faults:
            raise self.faults.pop(0)
        if any(self.poison in each.payload for each in messages):
            raise ZeroDivisionError("a fault of ours")
        return super().process(messages)


def written(store: HotStore, pipeline: FaultyPipeline, messages: Sequence[Message]) -> OneBatch:
    stopping = threading.Event()
    link = OneBatch(messages, stopping)
    Writer(
        link,
        pipeline,
        store,
        StillClock(),
        IngestMetrics(),
        refuse=threading.Event(),
        committed=threading.Event(),
    ).run(stopping)
    return link


def faulty(store: HotStore, region: Region, faults: Sequence[Exception]) -> FaultyPipeline:
    made = FaultyPipeline(store, region, StillClock())
    made.faults = list(faults)
    return made


def test_a_store_that_is_away_is_tried_until_it_is_back(store: HotStore, region: Region) -> None:
    away = [StoreUnavailableError("locked"), StoreError("no room")]
    link = written(store, faulty(store, region, away), [message(1.0)])
    assert link.acknowledged == [1]
    assert store.count() == 1


def test_a_message_that_brings_out_a_fault_of_ours_is_a_dead_letter_and_its_neighbours_are_stored(
    store: HotStore, region: Region
) -> None:
    messages = [message(float(value), first_seq=seq) for seq, value in enumerate((1, 666), start=1)]
    link = written(store, faulty(store, region, []), messages)
    assert link.acknowledged == [1, 2]
    assert (store.count(), store.dead_letters.counts()) == (1, {"internal_error": 1})


def test_a_store_that_goes_away_amid_single_messages_stops_nothing(store: HotStore, region: Region) -> None:
    away = [ZeroDivisionError("a fault of ours"), StoreUnavailableError("locked")]
    messages = [message(1.0), message(2.0, first_seq=2, first_us=NOW_US)]
    link = written(store, faulty(store, region, away), messages)
    assert link.acknowledged == [1, 2]
    assert store.count() == 2
