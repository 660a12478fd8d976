"""Acknowledgements: ranges, and joining them while many come."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.ingest.acks import Ack, PendingAcks, ranges


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], []),
        ([5], [[5, 5]]),
        ([3, 1, 2], [[1, 3]]),
        ([1, 3], [[1, 1], [3, 3]]),
        ([7, 7, 8], [[7, 8]]),
    ],
)
def test_numbers_become_inclusive_ranges(numbers: list[int], expected: list[list[int]]) -> None:
    assert ranges(numbers) == expected


@given(st.lists(st.integers(min_value=0, max_value=60)))
def test_ranges_hold_the_numbers_and_no_others(numbers: list[int]) -> None:
    found = ranges(numbers)
    assert {n for start, end in found for n in range(start, end + 1)} == set(numbers)
    assert all(earlier[1] + 1 < later[0] for earlier, later in itertools.pairwise(found))


def ack(oid: str, *ok: list[int], rejected: int | None = None) -> Ack:
    refused: list[dict[str, object]] = [] if rejected is None else [{"seq": rejected, "reason": "test"}]
    return Ack("99.01", "hulu", oid, list(ok), refused, [])


def test_the_first_ack_goes_at_once_and_the_next_ones_together() -> None:
    pending = PendingAcks(every_s=0.1)
    assert pending.wait_s(now_s=10.0) is None
    pending.add([ack("a", [1, 2])])
    assert [one.ok for one in pending.due(now_s=10.0)] == [[[1, 2]]]
    pending.add([ack("a", [5, 6])])
    pending.add([ack("a", [3, 4], rejected=7), ack("b", [1, 1])])
    assert pending.due(now_s=10.05) == []
    assert pending.wait_s(now_s=10.05) == pytest.approx(0.05)
    first, second = pending.due(now_s=10.1)
    assert (first.oid, first.ok, first.rejected) == ("a", [[3, 6]], [{"seq": 7, "reason": "test"}])
    assert (second.oid, second.ok) == ("b", [[1, 1]])
    assert pending.due(now_s=11.0) == []


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(min_value=1, max_value=30))))
def test_joined_acks_confirm_exactly_what_the_single_ones_did(confirmed: list[tuple[str, int]]) -> None:
    pending = PendingAcks()
    pending.add(ack(oid, [seq, seq]) for oid, seq in confirmed)
    told = {
        (one.oid, seq)
        for one in pending.due(now_s=0.0)
        for start, end in one.ok
        for seq in range(start, end + 1)
    }
    assert told == set(confirmed)
