"""The hot store: cursors, retention that waits for them, dead letters."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from serayu.models.quality.flags import QualityFlag
from serayu.models.stores.dead_letters import KEPT_BYTES, Bound, DeadLetter
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_transaction import Revision
from serayu.models.stores.silences import STATUS_BYTES, AgentStatus
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE
from tests.models.stores.hot_story import (
    CLOSED,
    DUPLICATE,
    KEY,
    NEW,
    OTHER,
    RAIN,
    T0,
    observed,
    reading,
    take,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hot.db"


@pytest.fixture
def store(path: Path) -> Iterator[HotStore]:
    with HotStore(path) as store:
        yield store


# -- cursors, retention, dead letters ---------------------------------------------------------------------------------


def test_a_cursor_starts_at_zero_and_survives_a_restart(path: Path) -> None:
    with HotStore(path) as store:
        assert store.cursor("influx") == 0
        store.set_cursor("influx", 3)
        store.set_cursor("alerts", 1)
        store.set_cursor("influx", 7)
    with HotStore(path) as store:
        assert (store.cursor("influx"), store.cursor("alerts")) == (7, 1)


def test_a_follower_advances_with_its_letters_or_not_at_all(store: HotStore) -> None:
    letter = DeadLetter("t", b"p", "long_store_refused", "d", 5)
    store.advance("influx", 4, [letter])
    assert (store.cursor("influx"), store.dead_letters.counts()) == (4, {"long_store_refused": 1})
    broken = DeadLetter("t", b"q", "long_store_refused", "d", None)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        store.advance("influx", 9, [letter, broken])
    assert (store.cursor("influx"), store.dead_letters.counts()) == (4, {"long_store_refused": 1})
    assert take(store, [reading(1, 0)]) == [NEW]  # no lock is left behind


@pytest.mark.parametrize(
    ("cursors", "kept"),
    [
        pytest.param({}, [4, 5, 6], id="no follower"),
        pytest.param({"influx": 6, "alerts": 6}, [4, 5, 6], id="all have passed"),
        pytest.param({"influx": 2, "alerts": 6}, [3, 4, 5, 6], id="one is behind"),
        pytest.param({"influx": 0, "alerts": 6}, [1, 2, 3, 4, 5, 6], id="one has not begun"),
    ],
)
def test_retention_never_passes_a_follower(store: HotStore, cursors: dict[str, int], kept: list[int]) -> None:
    take(store, [reading(i, i * US_PER_DAY) for i in range(1, 7)])
    before = store.aggregate(KEY, T0, T0 + 7 * US_PER_DAY, step_us=US_PER_HOUR)
    for name, position in cursors.items():
        store.set_cursor(name, position)
    deleted = store.delete_before(T0 + 4 * US_PER_DAY, keep_after=tuple(cursors))
    assert [observation.seq for observation in store.window(KEY, 0, 2 * T0)] == kept
    assert deleted == 6 - len(kept)
    assert store.aggregate(KEY, T0, T0 + 7 * US_PER_DAY, step_us=US_PER_HOUR) == before
    assert len(store.latest()) == 1
    assert take(store, [reading(7, 7 * US_PER_DAY)]) == [NEW]
    assert store.last_change_id() == 7


def test_a_row_revised_behind_a_follower_is_kept_for_it(store: HotStore) -> None:
    take(store, [reading(i, i * US_PER_DAY) for i in range(1, 4)])
    store.set_cursor("influx", 3)
    with store.transaction() as transaction:
        transaction.revise([Revision(KEY, T0 + US_PER_DAY, QualityFlag.SUSPECT, 1)])
    assert store.delete_before(T0 + 9 * US_PER_DAY, keep_after=("influx",)) == 2
    assert [change.observation.seq for change in store.changes(3, limit=9)] == [1]


def test_retention_keeps_the_hour_that_it_would_cut(store: HotStore) -> None:
    take(store, [reading(i, i * 10 * US_PER_MINUTE, float(i)) for i in range(12)])
    assert store.delete_before(T0 + US_PER_HOUR + 30 * US_PER_MINUTE) == 6
    with store.transaction() as transaction:
        transaction.revise([Revision(KEY, T0 + US_PER_HOUR, QualityFlag.FAIL, 1)])
    (first, second) = store.aggregate(KEY, T0, T0 + 2 * US_PER_HOUR, step_us=US_PER_HOUR)
    assert (first.count, second.count) == (6, 5)


def counted(store: HotStore) -> list[int]:
    start, end = T0 - US_PER_DAY, T0 + US_PER_DAY
    return [bucket.count for bucket in store.aggregate(KEY, start, end, step_us=US_PER_HOUR)]


@pytest.mark.parametrize("restarted", [False, True])
def test_what_comes_for_a_deleted_hour_again_is_not_counted_twice(
    path: Path,
    restarted: bool,  # noqa: FBT001
) -> None:
    old = [reading(i, i * US_PER_MINUTE, float(i), oid="csv-1") for i in range(1, 11)]
    with HotStore(path) as store:
        take(store, old)
        assert store.delete_before(T0 + 2 * US_PER_HOUR) == 10
        if restarted:
            store.close()
        assert take(store, old) == [DUPLICATE] * 10
        assert take(store, [reading(1, 11 * US_PER_MINUTE, oid="csv-2")]) == [DUPLICATE]
        assert (
            take(store, [reading(3, 3 * US_PER_MINUTE, 3.0), reading(99, 12 * US_PER_MINUTE)]) == [CLOSED] * 2
        )
        (refusal,) = store.write([observed(reading(1, 13 * US_PER_MINUTE))])
        assert "closed" in refusal.reason
        assert (store.count(), counted(store)) == (0, [10])


def test_an_old_hour_of_which_nothing_was_deleted_is_filled(store: HotStore) -> None:
    take(store, [reading(1, 0)])
    assert store.delete_before(T0 + US_PER_HOUR) == 1
    for seq in (1, 2):  # two batches, the second after the hour has its row
        assert take(store, [reading(seq, seq * US_PER_MINUTE - US_PER_HOUR, oid="csv-1")]) == [NEW]
    assert take(store, [reading(9, 30 * US_PER_MINUTE - US_PER_HOUR)]) == [NEW]
    assert counted(store) == [3, 1]


def test_an_hour_of_unusable_values_is_closed_too_and_stays_empty(store: HotStore) -> None:
    one = reading(1, 0, oid="csv-1")
    take(store, [one], QualityFlag.FAIL)
    assert store.delete_before(T0 + US_PER_HOUR) == 1
    assert take(store, [one]) == [DUPLICATE]
    assert counted(store) == []


def test_a_revision_in_a_closed_hour_does_not_recount_it(
    store: HotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serayu.models.stores.hot.RETENTION_CHUNK", 4)
    take(store, [reading(i, i * US_PER_MINUTE) for i in range(1, 11)])
    assert store.delete_before(T0 + US_PER_HOUR) == 4
    with store.transaction() as transaction:
        transaction.revise([Revision(KEY, T0 + 10 * US_PER_MINUTE, QualityFlag.FAIL, 1)])
    assert store.window(KEY, 0, 2 * T0)[-1].flag is QualityFlag.FAIL
    assert counted(store) == [10]


def test_retention_works_in_pieces(store: HotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serayu.models.stores.hot.RETENTION_CHUNK", 4)
    take(store, [reading(i, i, key=key) for i, key in enumerate([KEY, RAIN, OTHER] * 3)])
    assert [store.delete_before(T0 + US_PER_DAY) for _ in range(4)] == [4, 4, 1, 0]


def test_dead_letters_are_counted_listed_and_marked(store: HotStore) -> None:
    letters = [
        DeadLetter("serayu/v1/x", b"\xff", "not_utf8", "first", 10),
        DeadLetter("serayu/v1/x", b"{}", "bad_senml", "other", 20),
        DeadLetter("serayu/v1/x", b"\xff", "not_utf8", "again", 30),
        DeadLetter("serayu/v1/y", b"\xff", "not_utf8", "elsewhere", 40),
    ]
    with store.transaction() as transaction:
        transaction.add_dead_letters(letters[:2])
    with store.transaction() as transaction:
        transaction.add_dead_letters(letters[2:])
    assert store.dead_letters.counts() == {"bad_senml": 1, "not_utf8": 3}
    first, second, third = store.dead_letters.list()
    assert (first.payload, first.count, first.detail) == (b"\xff", 2, "again")
    assert (first.first_received_us, first.last_received_us, first.replayed_us) == (10, 30, None)
    assert [letter.reason for letter in (second, third)] == ["bad_senml", "not_utf8"]
    assert store.dead_letters.list(reason="bad_senml") == [second]
    assert store.dead_letters.list(after_id=first.id, limit=1) == [second]
    store.dead_letters.mark_replayed(second.id, 50)
    assert store.dead_letters.list(reason="bad_senml")[0].replayed_us == 50


def test_a_huge_dead_letter_is_cut_and_still_told_apart(store: HotStore) -> None:
    long = b"x" * (KEPT_BYTES + 1)
    with store.transaction() as transaction:
        transaction.add_dead_letters(
            [DeadLetter("t", long + end, "oversized", "", 1) for end in (b"a", b"b")]
        )
    assert [len(letter.payload) for letter in store.dead_letters.list()] == [KEPT_BYTES] * 2


@pytest.mark.parametrize(
    "bound",
    [
        pytest.param(Bound(rows=3), id="rows"),
        pytest.param(Bound(bytes=3 * 11 + 10), id="bytes"),
        pytest.param(Bound(rows=3, bytes=3 * 11), id="both"),
    ],
)
def test_the_oldest_dead_letters_give_way_and_still_count(path: Path, bound: Bound) -> None:
    letters = [
        DeadLetter("t", b"payload %02d" % number, "odd" if number % 2 else "even", "d", number)
        for number in range(7)
    ]
    with HotStore(path, letters_bound=bound) as store:
        with store.transaction() as transaction:
            transaction.add_dead_letters([*letters[:4], letters[0]])
        store.advance("influx", 1, letters[4:])
    with HotStore(path, letters_bound=bound) as store:
        assert [letter.first_received_us for letter in store.dead_letters.list()] == [4, 5, 6]
        # The first was dropped and came again, so it was counted twice, as a letter of its own the second time.
        assert store.dead_letters.counts() == {"even": 5, "odd": 3}
        store.advance("influx", 2, [DeadLetter("t", b"x" * KEPT_BYTES, "huge", "d", 9)])
        assert store.dead_letters.counts() == {"even": 5, "huge": 1, "odd": 3}
    with sqlite3.connect(path) as connection:
        held = connection.execute("SELECT count(*), coalesce(sum(1 + length(payload)), 0) FROM dead_letter")
        kept = dict(connection.execute("SELECT name, value FROM meta WHERE name LIKE 'dead_letter_%'"))
        assert held.fetchone() == (kept["dead_letter_rows"], kept["dead_letter_bytes"])
    connection.close()


def test_an_oversized_status_is_not_kept_and_the_one_before_stands(
    store: HotStore, caplog: pytest.LogCaptureFixture
) -> None:
    last = AgentStatus("33.02", "bgs-hulu", 1, b"x" * STATUS_BYTES)
    store.silences.put_status(last)
    store.silences.put_status(last._replace(received_us=2, payload=b"x" * (STATUS_BYTES + 1)))
    assert store.silences.statuses() == [last]
    assert [record.getMessage() for record in caplog.records] == [
        f"status of {STATUS_BYTES + 1} bytes not kept; at most {STATUS_BYTES} are"
    ]


def test_the_file_is_made_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "var" / "lib" / "hot.db"
    HotStore(path).close()
    assert os.access(path, os.R_OK | os.W_OK)
