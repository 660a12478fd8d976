"""Delivery: sent again until ingest has spoken, and only ingest's word counts."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.edge.config import OutboxConfig, UplinkConfig
from serayu.edge.delivery import Delivery
from serayu.edge.outbox import Outbox, Stamped
from serayu.edge.packs import Ack, Rejection
from serayu.models.times import US_PER_DAY, US_PER_S
from tests.edge.support import START_US

CONFIG = UplinkConfig(pack_max=2, window=6, ack_timeout_s=10, ack_timeout_max_s=60)


class Bench:
    """An outbox and a delivery at a time of the test's choosing."""

    def __init__(self, folder: Path, config: UplinkConfig = CONFIG) -> None:
        self.outbox = Outbox(folder / "outbox.db", config=OutboxConfig(), boot_id="boot-1")
        self.delivery = Delivery(self.outbox, config=config, boot_us=lambda: 60 * US_PER_S)
        self.delivery.restart(0.0)

    def add(self, count: int, *, t_us: int | None = START_US) -> None:
        self.outbox.append([Stamped("stage", 1.0, "m", t_us, t_us, 0)] * count)

    def take(self, now_s: float) -> list[int]:
        return [reading.seq for reading in self.delivery.take(now_s)]

    def ack(self, *ranges: tuple[int, int], now_s: float, oid: str | None = None) -> int:
        ack = Ack(oid or self.outbox.oid, ok=ranges)
        return self.delivery.settle(ack, now_s).confirmed


@pytest.fixture(name="bench")
def _bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_nothing_to_send(bench: Bench) -> None:
    assert bench.take(0.0) == []
    assert bench.delivery.next_due_s() == float("inf")
    assert not bench.delivery.has_fresh()


def test_a_window_of_readings_goes_out_in_order_and_no_more(bench: Bench) -> None:
    bench.add(10)
    assert bench.take(0.0) == [1, 2, 3, 4, 5, 6]
    assert bench.take(1.0) == []
    assert bench.ack((1, 2), now_s=1.0) == 2
    assert bench.take(1.0) == [7, 8]


def test_numbers_that_a_new_start_skipped_are_not_waited_for(tmp_path: Path) -> None:
    config = OutboxConfig(synchronous="NORMAL")
    before = Outbox(tmp_path / "outbox.db", config=config, boot_id="boot-0")
    before.append([Stamped("stage", 1.0, "m", START_US, START_US, 0)] * 2)
    before.close()
    bench = Bench(tmp_path)
    assert bench.take(0.0) == [1, 2]
    assert bench.take(0.1) == []
    assert not bench.delivery.has_fresh()
    bench.add(1)
    assert bench.delivery.has_fresh()
    assert bench.take(0.2) == [bench.outbox.last_seq]


def test_without_an_answer_readings_stay_in_the_outbox(bench: Bench) -> None:
    bench.add(3)
    bench.take(0.0)
    assert bench.outbox.backlog == 3


def test_an_unconfirmed_reading_is_sent_again_while_ingest_answers_for_others(bench: Bench) -> None:
    bench.add(3)
    assert bench.take(0.0) == [1, 2, 3]
    bench.ack((1, 1), (3, 3), now_s=9.0)
    assert bench.take(9.9) == []
    assert bench.take(10.0) == [2]
    assert bench.delivery.resent == 1
    bench.ack((2, 2), now_s=11.0)
    assert (bench.outbox.backlog, bench.delivery.on_the_way) == (0, 0)


def test_the_timeout_grows_with_each_attempt_up_to_a_bound(bench: Bench) -> None:
    bench.add(1)
    sent = [0.0]
    assert bench.take(0.0) == [1]
    while len(sent) < 6:
        now_s = sent[-1] + 1.0
        while not bench.take(now_s):
            bench.delivery.settle(Ack(bench.outbox.oid), now_s)  # ingest answers, never for this one
            now_s += 1.0
        sent.append(now_s)
    assert [b - a for a, b in pairwise(sent)] == [10, 20, 40, 60, 60]


def test_a_silent_ingest_is_asked_with_one_pack_and_its_first_answer_sets_the_rest_going(
    bench: Bench,
) -> None:
    bench.add(6)
    assert bench.take(0.0) == [1, 2, 3, 4, 5, 6]
    assert bench.take(10.0) == [1, 2, 3, 4, 5, 6]  # ten seconds without an answer are not silence yet
    assert bench.take(30.0) == [1, 2]
    assert bench.take(39.0) == []
    assert bench.take(40.0) == [3, 4]
    assert bench.take(59.0) == []
    assert bench.take(60.0) == [5, 6]
    bench.ack((5, 6), now_s=61.0)
    assert bench.take(70.0) == [1, 2]  # sent for the third time at 30, four timeouts ago
    assert bench.take(70.9) == []
    assert bench.take(71.0) == [3, 4]  # would have waited until 80


def test_after_a_new_connection_everything_unconfirmed_is_sent_again(bench: Bench) -> None:
    bench.add(4)
    bench.take(0.0)
    bench.ack((1, 1), now_s=1.0)
    bench.delivery.restart(2.0)
    assert bench.take(2.0) == [2, 3, 4]


@pytest.mark.parametrize(
    ("ranges", "confirmed"),
    [
        pytest.param([], 0, id="no ranges"),
        pytest.param([(1, 1)], 1, id="one reading"),
        pytest.param([(1, 6)], 6, id="both ends included"),
        pytest.param([(1, 3), (2, 4)], 4, id="overlapping"),
        pytest.param([(5, 2)], 0, id="the wrong way round"),
        pytest.param([(1, 10**12)], 6, id="beyond what was ever sent"),
        pytest.param([(7, 9)], 0, id="accepted but not sent"),
        pytest.param([(-5, 0)], 0, id="below the first"),
    ],
)
def test_an_answer_confirms_only_what_was_sent(
    bench: Bench, ranges: list[tuple[int, int]], confirmed: int
) -> None:
    bench.add(9)
    bench.take(0.0)
    assert bench.ack(*ranges, now_s=1.0) == confirmed
    assert bench.outbox.backlog == 9 - confirmed


def test_an_answer_to_another_outbox_confirms_nothing(bench: Bench) -> None:
    bench.add(1)
    bench.take(0.0)
    assert bench.ack((1, 1), now_s=1.0, oid="0123456789abcdef") == 0
    assert bench.outbox.backlog == 1


def test_an_answer_that_comes_twice_or_after_the_timeout_counts_once(bench: Bench) -> None:
    bench.add(2)
    bench.take(0.0)
    assert bench.ack((1, 1), now_s=500.0) == 1
    assert bench.ack((1, 1), now_s=501.0) == 0


def test_a_rejected_reading_is_kept_apart_and_never_sent_again(bench: Bench) -> None:
    bench.add(2)
    bench.take(0.0)
    ack = Ack(bench.outbox.oid, ok=((1, 2),), rejected=(Rejection(2, "unknown_unit: cubit"),))
    settled = bench.delivery.settle(ack, 1.0)
    assert (settled.confirmed, settled.rejected) == (1, 1)
    assert bench.outbox.rejected() == [(2, "stage", 1.0, "unknown_unit: cubit")]
    bench.delivery.restart(2.0)
    assert bench.take(2.0) == []


TAKEN = "identity_conflict: this (station, oid, seq) is stored with another value or time"


@pytest.mark.parametrize("known", [4, 100_003, 2_000_000])
def test_readings_of_an_old_copy_of_the_outbox_get_numbers_that_ingest_does_not_know(
    tmp_path: Path, known: int
) -> None:
    bench = Bench(tmp_path)
    at_ingest: dict[int, float] = {}
    for n in range(60):  # ingest knows other readings by the numbers up to `known`
        if n < 10:
            bench.outbox.append([Stamped("stage", float(n), "m", START_US + n, START_US + n, 0)])
        readings = bench.delivery.take(float(n))
        bad = tuple(Rejection(r.seq, TAKEN) for r in readings if r.seq <= known)
        good = {r.seq: r.value for r in readings if r.seq > known}
        at_ingest |= good
        ok = tuple((seq, seq) for seq in good)
        bench.delivery.settle(Ack(bench.outbox.oid, ok=ok, rejected=bad), n + 0.5)
    assert sorted(at_ingest.values()) == [float(n) for n in range(10)]
    counters = bench.outbox.counters()
    assert (bench.outbox.backlog, counters["confirmed"], counters["rejected"]) == (0, 10, 0)
    assert bench.outbox.last_seq < 2 * (known + 200_000)


def test_an_ingest_that_knows_every_number_is_not_asked_for_ever(bench: Bench) -> None:
    bench.add(3)
    for n in range(100):
        bad = tuple(Rejection(seq, TAKEN) for seq in bench.take(float(n)))
        bench.delivery.settle(Ack(bench.outbox.oid, rejected=bad), n + 0.5)
    assert (bench.outbox.backlog, bench.outbox.counters()["rejected"]) == (0, 3)
    assert bench.outbox.last_seq < 2**53


def test_a_reading_dropped_by_a_bound_leaves_the_window(bench: Bench) -> None:
    bench.add(3)
    bench.take(0.0)
    bench.outbox.drop_old(boot_us=1000 * US_PER_DAY)
    assert bench.take(10.0) == []
    assert bench.delivery.on_the_way == 0


def test_readings_without_a_time_wait_here_while_ingest_does_not_answer(bench: Bench) -> None:
    bench.add(1, t_us=None)
    assert bench.take(0.0) == [1]
    bench.add(1, t_us=None)
    assert bench.take(2.0) == [2]
    bench.add(1, t_us=None)
    bench.add(1)
    assert bench.take(2.1) == []
    assert not bench.delivery.has_fresh()
    assert bench.take(10.0) == [1]  # it asks on
    bench.ack((1, 1), now_s=10.5)
    assert bench.delivery.has_fresh()
    assert bench.take(10.5) == [3, 4]


def test_readings_with_a_time_need_not_wait_for_an_answer(bench: Bench) -> None:
    bench.add(1, t_us=None)
    assert bench.take(0.0) == [1]
    bench.add(1)
    bench.add(1, t_us=None)
    assert bench.take(3.0) == [2]
    assert not bench.delivery.has_fresh()


def test_what_waits_goes_on_when_nothing_is_left_to_be_answered(bench: Bench) -> None:
    bench.add(2, t_us=None)
    assert bench.take(0.0) == [1, 2]
    bench.add(1, t_us=None)
    assert bench.take(3.0) == []
    bench.outbox.confirm([1, 2])  # gone by another way: a bound
    assert bench.take(10.0) == [3]
    bench.add(1, t_us=None)
    assert bench.take(11.0) == [4]


def test_a_reading_without_a_time_is_marked_before_it_goes_out(bench: Bench) -> None:
    bench.add(1, t_us=None)
    readings = bench.delivery.take(0.0)
    assert [r.t_us for r in readings] == [None]
    assert bench.outbox.restamp(START_US) == 0
    assert bench.delivery.age_us(readings[0]) == 60 * US_PER_S


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "send", "answer", "lose", "connect", "reject"]), st.integers(0, 7)),
        max_size=40,
    )
)
def test_whatever_is_lost_on_the_way_everything_arrives_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    bench = Bench(tmp_path_factory.mktemp("delivery"))
    now_s, at_ingest, rejected = 0.0, set[int](), set[int]()
    for action, n in steps:
        now_s += n
        match action:
            case "add":
                bench.add(n)
            case "send":
                at_ingest |= set(bench.take(now_s))
            case "lose":
                bench.take(now_s)  # the broker forgot them
            case "answer":
                bench.ack(*((seq, seq) for seq in sorted(at_ingest)[:n]), now_s=now_s)
            case "connect":
                bench.delivery.restart(now_s)
            case "reject" if at_ingest:
                seq = min(at_ingest)
                done = bench.delivery.settle(Ack(bench.outbox.oid, rejected=(Rejection(seq, "x: y"),)), now_s)
                rejected |= {seq} if done.rejected else set()
    for _ in range(200):
        now_s += 5.0
        at_ingest |= set(bench.take(now_s))
        bench.ack(*((seq, seq) for seq in at_ingest), now_s=now_s)
    assert bench.outbox.backlog == 0
    assert at_ingest | rejected == set(range(1, bench.outbox.last_seq + 1))
