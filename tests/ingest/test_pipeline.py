import json
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.ingest.decode import Message
from serayu.ingest.pipeline import Pipeline
from serayu.models.errors import StoreUnavailableError
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import SeriesKey
from serayu.models.region import Region, RegionInfo
from serayu.models.stores.hot import HotStore
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE
from tests.ingest.conftest import NOW_US, StillClock, message, river_post

STAGE = SeriesKey("99.01", "hulu", "stage")


def stored(store: HotStore) -> list[tuple[int, float]]:
    return [(one.seq, one.value) for one in store.window(STAGE, 0, 2**62)]


def test_what_is_stored_is_acknowledged_in_ranges(pipeline: Pipeline, store: HotStore) -> None:
    outcome = pipeline.process([message(1.0, 1.1, 1.2), message(1.3, first_seq=4, first_us=NOW_US)])
    assert stored(store) == [(1, 1.0), (2, 1.1), (3, 1.2), (4, 1.3)]
    (ack,) = outcome.acks
    assert json.loads(ack.payload(now_us=7)) == {
        "oid": "aa11",
        "ok": [[1, 4]],
        "rejected": [],
        "time": [],
        "now": 7,
    }
    assert ack.topic == "serayu/v1/99.01/hulu/ack"


def test_a_reading_sent_again_is_confirmed_again_and_stored_once(pipeline: Pipeline, store: HotStore) -> None:
    first = pipeline.process([message(1.0, 1.1)])
    second = pipeline.process([message(1.0, 1.1), message(1.0, 1.1)])
    assert (first.stored, second.stored, second.duplicates) == (2, 0, 4)
    assert second.acks[0].ok == [[1, 2]]
    assert store.count() == 2


def test_an_identity_with_another_value_is_rejected_and_the_first_stands(
    pipeline: Pipeline, store: HotStore
) -> None:
    pipeline.process([message(1.0)])
    outcome = pipeline.process([message(9.0)])
    assert stored(store) == [(1, 1.0)]
    assert [one["seq"] for one in outcome.acks[0].rejected] == [1]
    assert store.dead_letters.counts() == {"identity_conflict": 1}


def test_times_that_ingest_assigns_never_collide(pipeline: Pipeline, store: HotStore) -> None:
    piled_up = [message(float(seq), first_seq=seq, first_us=0, clk=0) for seq in (1, 2, 3)]
    pipeline.process([message(9.0, oid="bb22", first_us=NOW_US + 1)])
    outcome = pipeline.process(piled_up)
    again = pipeline.process(piled_up)
    assert (outcome.stored, outcome.rejected, again.duplicates) == (3, 0, 3)
    expected = [[1, NOW_US], [2, NOW_US + 2], [3, NOW_US + 3]]
    assert outcome.acks[0].time == again.acks[0].time == expected
    assert [(one.t_us, one.seq) for one in store.window(STAGE, 0, 2**62) if one.oid == "aa11"] == [
        (t_us, seq) for seq, t_us in expected
    ]


def test_another_reading_for_a_taken_time_is_rejected(pipeline: Pipeline, store: HotStore) -> None:
    pipeline.process([message(1.0)])
    outcome = pipeline.process([message(1.0, oid="bb22")])
    assert (outcome.stored, outcome.rejected) == (0, 1)
    assert store.dead_letters.counts() == {"time_conflict": 1}


def test_a_new_sd_card_starts_its_numbers_again(pipeline: Pipeline, store: HotStore) -> None:
    pipeline.process([message(1.0, 1.1, first_seq=0)])
    outcome = pipeline.process([message(1.2, first_seq=0, oid="bb22", first_us=NOW_US)])
    assert outcome.stored == 1
    assert store.count() == 3


def test_a_thousand_malformed_messages_leave_the_good_ones_unharmed(
    pipeline: Pipeline, store: HotStore
) -> None:
    bad = [Message("serayu/v1/99.01/hulu/stage", b"{%d" % number, NOW_US) for number in range(1000)]
    outcome = pipeline.process([message(1.0), *bad, message(1.1, first_seq=2, first_us=NOW_US)])
    assert (outcome.stored, outcome.undecodable) == (2, 1000)
    assert sum(store.dead_letters.counts().values()) == 1000
    assert outcome.acks[0].ok == [[1, 2]]


def test_a_refused_reading_is_rejected_by_name(pipeline: Pipeline, store: HotStore) -> None:
    (ack,) = pipeline.process([message(1.0, unit="furlong")]).acks
    assert ack.ok == []
    assert [(one["seq"], str(one["reason"]).partition(":")[0]) for one in ack.rejected] == [
        (1, "unknown_unit")
    ]
    assert store.count() == 0


def test_late_readings_are_stored_and_marked(pipeline: Pipeline, store: HotStore) -> None:
    pipeline.process(
        [message(1.0, first_us=NOW_US - 2 * US_PER_HOUR), message(1.1, first_seq=2, first_us=NOW_US)]
    )
    assert [one.late for one in store.window(STAGE, 0, 2**62)] == [True, False]


def test_backlog_older_than_what_came_before_is_judged_among_its_own(
    pipeline: Pipeline, store: HotStore
) -> None:
    pipeline.process([message(5.0, 5.0, 5.0, first_us=NOW_US - 10 * US_PER_MINUTE)])
    pipeline.process([message(1.0, 1.0, 1.0, first_seq=4, first_us=NOW_US - 50 * US_PER_MINUTE)])
    assert [one.flag for one in store.window(STAGE, 0, 2**62)][:3] == [QualityFlag.GOOD] * 3


@pytest.mark.parametrize("together", [False, True], ids=["message by message", "in one batch"])
def test_readings_that_come_late_are_judged_beside_their_neighbours(
    pipeline: Pipeline,
    store: HotStore,
    together: bool,  # noqa: FBT001
) -> None:
    def at(minute: int) -> Message:
        first_us = NOW_US - (500 - minute) * US_PER_MINUTE
        return message(1 + 0.01 * (minute % 3), first_seq=minute, first_us=first_us)

    late = (10, 450)  # further apart than the gap that is doubtful
    story = [at(minute) for minute in [*(m for m in range(500) if m not in late), *late]]
    for batch in [story] if together else [[one] for one in story]:
        pipeline.process(batch)
    assert {one.flag for one in store.window(STAGE, 0, 2**62)} == {QualityFlag.GOOD}
    assert store.count() == 500


def test_a_spike_is_failed_once_the_value_after_it_is_known(pipeline: Pipeline, store: HotStore) -> None:
    pipeline.process([message(2.0, 2.0, 9.0)])
    assert store.window(STAGE, 0, 2**62)[-1].flag is QualityFlag.SUSPECT
    pipeline.process([message(2.0, first_seq=4, first_us=NOW_US - 57 * US_PER_MINUTE)])
    assert [one.flag for one in store.window(STAGE, 0, 2**62)][2] is QualityFlag.FAIL
    assert max(bucket.maximum or 0 for bucket in store.aggregate(STAGE, 0, 2**61, step_us=US_PER_HOUR)) == 2.0


def test_the_time_given_to_a_clockless_reading_is_told_and_kept(pipeline: Pipeline, store: HotStore) -> None:
    pack = '[{"n":"99.01/hulu/stage","u":"m","t":%s,"v":1,"oid":"aa","seq":1,"clk":0}]'
    topic = "serayu/v1/99.01/hulu/stage"
    first = pipeline.process([Message(topic, (pack % -60).encode(), NOW_US)])
    again = pipeline.process([Message(topic, (pack % -75).encode(), NOW_US + 15_500_000)])
    given_us = NOW_US - 60_000_000
    assert first.acks[0].time == again.acks[0].time == [[1, given_us]]
    assert again.duplicates == 1
    assert [one.t_us for one in store.window(STAGE, 0, 2**62)] == [given_us]


def test_a_reading_without_a_time_that_comes_again_is_the_same_one(
    pipeline: Pipeline, store: HotStore
) -> None:
    pack = b'[{"n":"99.01/hulu/stage","u":"m","v":1,"oid":"aa","seq":1}]'
    topic = "serayu/v1/99.01/hulu/stage"
    first = pipeline.process([Message(topic, pack, NOW_US)])
    again = pipeline.process([Message(topic, pack, NOW_US + 5_000_000)])
    assert (first.stored, again.duplicates, store.dead_letters.counts()) == (1, 1, {})
    assert again.acks[0].time == [[1, NOW_US]]


def test_a_locked_store_leaves_nothing_and_the_batch_can_be_repeated(store: HotStore, region: Region) -> None:
    with HotStore(store.path, busy_timeout_ms=1) as other:
        impatient = Pipeline(other, region, StillClock())
        with store.transaction(), pytest.raises(StoreUnavailableError):
            impatient.process([message(1.0)])
        assert other.count() == 0
        assert impatient.process([message(1.0)]).stored == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["go on", "commit", "restart"])), max_size=60))
def test_however_messages_are_repeated_and_cut_each_reading_is_stored_once(
    tmp_path_factory: pytest.TempPathFactory, order: list[tuple[int, str]]
) -> None:
    folder = tmp_path_factory.mktemp("repeat")
    region = Region(
        RegionInfo("99.01", "Uji", "test"), MappingProxyType({"hulu": river_post("hulu")}), folder
    )
    with HotStore(folder / "hot.sqlite") as store:
        pipeline = Pipeline(store, region, StillClock())
        batch: list[Message] = []
        for seq, then in order:
            at_us = NOW_US - US_PER_HOUR + seq * US_PER_MINUTE
            batch.append(message(float(seq), first_seq=seq, first_us=at_us))
            if then != "go on":
                pipeline.process(batch)
                batch = []
            if then == "restart":
                pipeline = Pipeline(store, region, StillClock())
        pipeline.process(batch)
        assert stored(store) == [(seq, float(seq)) for seq in sorted({seq for seq, _ in order})]
        assert store.dead_letters.counts() == {}
