"""Dead letters tried again."""

from collections.abc import Sequence

from serayu.ingest.decode import Message
from serayu.ingest.forwarder import Forwarder
from serayu.ingest.pipeline import Pipeline
from serayu.ingest.replay import Replayed, replay
from serayu.models.ports import Refusal
from serayu.models.reading import Observation, SeriesKey
from serayu.models.region import Region
from serayu.models.stores.dead_letters import KEPT_BYTES, DeadLetter
from serayu.models.stores.hot import HotStore
from serayu.models.times import US_PER_DAY
from tests.ingest.conftest import NOW_US, StillClock, message

STAGE = SeriesKey("99.01", "hulu", "stage")


class LongStore:
    """Refuses everything, or takes it."""

    def __init__(self) -> None:
        self.refuses = True
        self.values: list[float] = []

    def write(self, observations: Sequence[Observation]) -> Sequence[Refusal]:
        if self.refuses:
            return [Refusal(one, "older than the retention") for one in observations]
        self.values += [one.value for one in observations]
        return []


def test_what_the_long_store_refused_is_offered_to_it_again(pipeline: Pipeline, store: HotStore) -> None:
    long_store = LongStore()
    forwarder = Forwarder(store, long_store)
    pipeline.process([message(1.5, 1.6)])
    forwarder.step()
    assert replay(store, pipeline) == Replayed(sent_again=2)
    assert replay(store, pipeline) == Replayed()
    forwarder.step()  # refused once more: dead again
    assert store.dead_letters.counts() == {"long_store_refused": 4}
    assert replay(store, pipeline) == Replayed(sent_again=2)
    long_store.refuses = False
    forwarder.step()
    assert long_store.values == [1.5, 1.6]
    assert replay(store, pipeline) == Replayed()
    assert [(one.value, one.seq) for one in store.window(STAGE, 0, 2**62)] == [(1.5, 1), (1.6, 2)]


def test_a_refused_observation_that_retention_deleted_is_not_replayable(
    pipeline: Pipeline, store: HotStore
) -> None:
    pipeline.process([message(1.5)])
    Forwarder(store, LongStore()).step()
    assert store.delete_before(NOW_US + US_PER_DAY) == 1
    assert replay(store, pipeline) == Replayed(not_replayable=1)


def test_a_cut_letter_is_not_tried_and_one_that_just_fits_is(pipeline: Pipeline, store: HotStore) -> None:
    pack = message(1.5).payload
    topic = "serayu/v1/99.01/hulu/stage"
    whole = pack.ljust(KEPT_BYTES)
    with store.transaction() as transaction:
        transaction.add_dead_letters(
            [DeadLetter(topic, each, "oversized", "d", NOW_US) for each in (whole, whole + b" ")]
        )
    assert replay(store, pipeline) == Replayed(tried=1, stored=1, not_replayable=1)
    assert store.dead_letters.counts() == {"oversized": 2}


def test_a_letter_that_dies_of_something_else_is_tried_once_a_replay(
    pipeline: Pipeline, store: HotStore, region: Region
) -> None:
    odd = message(1.5, unit="furlong").payload
    with store.transaction() as transaction:
        letter = DeadLetter("serayu/v1/99.01/hulu/stage", odd, "internal_error", "d", NOW_US)
        transaction.add_dead_letters([letter])
    assert replay(store, pipeline) == Replayed(tried=1, still_dead=1)
    assert replay(store, Pipeline(store, region, StillClock()), reason="unknown_unit") == Replayed(
        tried=1, still_dead=1
    )
    assert store.dead_letters.counts() == {"internal_error": 1, "unknown_unit": 2}


def test_pages_of_letters_are_all_tried(pipeline: Pipeline, store: HotStore) -> None:
    topic = "serayu/v1/99.01/hulu/stage"
    pipeline.process([Message(topic, b"{%d" % number, NOW_US) for number in range(1001)])
    assert replay(store, pipeline) == Replayed(tried=1001, still_dead=1001)
