"""The hot store: what is new, what changes together, and what a crash, a lock or a full disk leaves behind."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.errors import StoreError, StoreFullError, StoreUnavailableError
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Bucket, Observation, Reading, SeriesKey
from serayu.models.stores.dead_letters import KEPT_BYTES, DeadLetter
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_schema import MIGRATIONS
from serayu.models.stores.hot_transaction import Revision, Verdict
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE

KEY = SeriesKey("33.02", "bgs-hulu", "stage")
RAIN = SeriesKey("33.02", "bgs-hulu", "rain")
OTHER = SeriesKey("33.02", "bgs-hilir", "stage")
T0 = 19_675 * US_PER_DAY  # 14 November 2023, 00:00 UTC
NEW, DUPLICATE = Verdict.NEW, Verdict.DUPLICATE
IDENTITY, TIME = Verdict.IDENTITY_CONFLICT, Verdict.TIME_CONFLICT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hot.db"


@pytest.fixture
def store(path: Path) -> Iterator[HotStore]:
    with HotStore(path) as store:
        yield store


def reading(
    seq: int,
    t_us: int,
    value: float = 1.0,
    *,
    key: SeriesKey = KEY,
    oid: str = "a1",
    clock_ok: bool = True,
) -> Reading:
    return Reading(key, T0 + t_us, value, oid, seq, clock_ok)


def observed(one: Reading, flag: QualityFlag = QualityFlag.GOOD) -> Observation:
    return Observation(one.key, one.t_us, one.value, flag, 0, one.oid, one.seq, one.t_us + 9)


def take(store: HotStore, readings: list[Reading], flag: QualityFlag = QualityFlag.GOOD) -> list[Verdict]:
    """Store what is new, as ingest does."""
    with store.transaction() as transaction:
        verdicts = transaction.classify(readings)
        new = [one for one, verdict in zip(readings, verdicts, strict=True) if verdict is NEW]
        transaction.insert([observed(one, flag) for one in new])
    return verdicts


def fail(store: HotStore, readings: list[Reading]) -> None:
    """Store what is new, and break before the commit."""
    with store.transaction() as transaction:
        verdicts = transaction.classify(readings)
        new = [one for one, verdict in zip(readings, verdicts, strict=True) if verdict is NEW]
        transaction.insert([observed(one) for one in new])
        raise RuntimeError("before commit")


# -- what is new ------------------------------------------------------------------------------------------------------

VERDICTS = [
    pytest.param(reading(2, 60), NEW, id="next"),
    pytest.param(reading(9, -60), NEW, id="older time, higher seq"),
    pytest.param(reading(0, 60), NEW, id="seq below the stored one, never seen"),
    pytest.param(reading(1, 60, key=OTHER), NEW, id="same oid and seq at another station"),
    pytest.param(reading(1, 60, oid="b2"), NEW, id="another outbox of the station"),
    pytest.param(reading(2, 0, key=RAIN), NEW, id="another datastream at the same time"),
    pytest.param(reading(1, 0), DUPLICATE, id="the same again"),
    pytest.param(
        reading(1, 55, clock_ok=False), DUPLICATE, id="the same again, time not fixed by the device"
    ),
    pytest.param(reading(1, 0, 2.0), IDENTITY, id="another value"),
    pytest.param(reading(1, 60), IDENTITY, id="another time"),
    pytest.param(reading(1, 0, key=RAIN), IDENTITY, id="another datastream"),
    pytest.param(reading(1, 55, 2.0, clock_ok=False), IDENTITY, id="another value, time not fixed"),
    pytest.param(reading(2, 0), TIME, id="the same time under another seq"),
    pytest.param(reading(2, 0, 2.0), TIME, id="the same time under another seq with another value"),
    pytest.param(reading(1, 0, oid="b2"), TIME, id="the same time from another outbox"),
]


@pytest.mark.parametrize(("second", "verdict"), VERDICTS)
def test_a_reading_is_judged_by_what_is_stored(store: HotStore, second: Reading, verdict: Verdict) -> None:
    assert take(store, [reading(1, 0)]) == [NEW]
    assert take(store, [second]) == [verdict]
    assert store.count() == 1 + (verdict is NEW)


@pytest.mark.parametrize(("second", "verdict"), VERDICTS)
def test_a_reading_is_judged_by_what_came_before_it_in_the_batch(
    store: HotStore, second: Reading, verdict: Verdict
) -> None:
    assert take(store, [reading(1, 0), second]) == [NEW, verdict]


@pytest.mark.parametrize(("second", "verdict"), VERDICTS)
def test_a_reading_is_judged_the_same_after_a_restart(path: Path, second: Reading, verdict: Verdict) -> None:
    with HotStore(path) as store:
        take(store, [reading(1, 0)])
    with HotStore(path) as store:
        assert take(store, [second]) == [verdict]


@pytest.mark.parametrize(("second", "verdict"), VERDICTS)
def test_a_reading_is_judged_by_what_another_process_stored(
    store: HotStore, path: Path, second: Reading, verdict: Verdict
) -> None:
    take(store, [reading(-5, -US_PER_HOUR)])  # so that the first store remembers something that grows stale
    with HotStore(path) as other:
        take(other, [reading(1, 0)])
    assert take(store, [second]) == [verdict]


def test_what_a_failed_transaction_held_is_new_again(store: HotStore) -> None:
    with pytest.raises(RuntimeError, match="before commit"):
        fail(store, [reading(1, 0)])
    assert store.count() == 0
    assert store.last_change_id() == 0
    assert take(store, [reading(1, 0)]) == [NEW]


def test_judging_stores_nothing(store: HotStore) -> None:
    assert store.classify([reading(1, 0)]) == [NEW]
    assert store.classify([reading(1, 0)]) == [NEW]
    assert store.count() == 0


def test_the_stored_time_of_an_identity_can_be_asked(store: HotStore) -> None:
    take(store, [reading(1, 0)])
    with store.transaction() as transaction:
        assert transaction.stored_time(reading(1, 55, clock_ok=False)) == T0
        assert transaction.stored_time(reading(2, 55)) is None


def test_an_identity_stored_without_being_judged_is_known(store: HotStore) -> None:
    """Back-fill writes observations directly."""
    assert list(store.write([observed(reading(5, 0))])) == []
    assert take(store, [reading(5, 0), reading(5, 60)]) == [DUPLICATE, IDENTITY]
    (refusal,) = store.write([observed(reading(5, 120))])
    assert "another time" in refusal.reason


names = st.sampled_from([KEY, RAIN, OTHER])
some_readings = st.builds(
    reading,
    st.integers(1, 6),
    st.integers(0, 200).map(lambda minutes: minutes * US_PER_MINUTE),
    st.integers(-16, 16).map(lambda eighths: eighths / 8),  # sums of eighths are exact
    key=names,
    oid=st.sampled_from(["a1", "b2"]),
    clock_ok=st.booleans(),
)
some_revisions = st.builds(
    Revision,
    names,
    st.integers(0, 200).map(lambda minutes: T0 + minutes * US_PER_MINUTE),
    st.sampled_from(QualityFlag),
    st.integers(0, 2),
)
steps = st.lists(
    st.tuples(
        st.lists(some_readings, max_size=8),
        st.sampled_from(QualityFlag),
        st.lists(some_revisions, max_size=8),
        st.sampled_from(["commit", "commit", "fail", "restart"]),
    ),
    max_size=8,
)


class Model:
    """What must be stored, by the definition of the promises."""

    def __init__(self) -> None:
        self.identities: dict[tuple[str, str, int], Reading] = {}
        self.observations: dict[tuple[SeriesKey, int], Observation] = {}

    def take(self, one: Reading, flag: QualityFlag) -> Verdict:
        name = (one.key.station, one.oid, one.seq)
        earlier = self.identities.get(name)
        if earlier is not None:
            same = earlier.key == one.key and earlier.value == one.value
            return DUPLICATE if same and (earlier.t_us == one.t_us or not one.clock_ok) else IDENTITY
        if (one.key, one.t_us) in self.observations:
            return TIME
        self.identities[name] = one
        self.observations[(one.key, one.t_us)] = observed(one, flag)
        return NEW


@given(story=steps)
@settings(max_examples=60, deadline=None)
def test_verdicts_latest_and_hours_always_equal_their_recomputation(
    story: list[tuple[list[Reading], QualityFlag, list[Revision], str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("hot") / "hot.db"
    model, store = Model(), HotStore(path)
    for readings, flag, revisions, ending in story:
        if ending == "fail":
            with pytest.raises(RuntimeError, match="before commit"):
                fail(store, readings)
            continue
        assert take(store, readings, flag) == [model.take(one, flag) for one in readings]
        with store.transaction() as transaction:
            transaction.revise(revisions)
        for key, t_us, new_flag, tests in revisions:
            found = model.observations.get((key, t_us))
            if found is not None:
                fields = (found.value, new_flag, tests, found.oid, found.seq, found.received_us)
                model.observations[(key, t_us)] = Observation(key, t_us, *fields)
        if ending == "restart":
            store.close()
            store = HotStore(path)
    for key in (KEY, RAIN, OTHER):
        expected = sorted((o for (k, _), o in model.observations.items() if k == key), key=lambda o: o.t_us)
        assert store.window(key, 0, 2 * T0) == expected
    assert_derived_tables_are_right(store)
    ids = [change.id for change in store.changes(0, limit=10_000)]
    assert ids == sorted(set(ids))
    assert len(ids) == len(model.observations)
    store.close()


def assert_derived_tables_are_right(store: HotStore) -> None:
    """Compare `latest` and `hourly` with what SQL makes of the raw rows."""
    connection = sqlite3.connect(store.path)
    latest = "SELECT series, t, value, flag, tests, received, late FROM {} ORDER BY series"
    newest = (
        "(SELECT * FROM observation o WHERE t = (SELECT max(t) FROM observation WHERE series = o.series))"
    )
    assert (
        connection.execute(latest.format("latest")).fetchall()
        == connection.execute(latest.format(newest)).fetchall()
    )
    hours = connection.execute(
        "SELECT series, t - t % 3600000000, count(*), sum(value), min(value), max(value) FROM observation"
        " WHERE flag NOT IN (4, 9) AND value IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall()
    assert connection.execute("SELECT * FROM hourly ORDER BY series, hour").fetchall() == hours
    connection.close()


# -- revisions --------------------------------------------------------------------------------------------------------


def test_a_revision_gets_a_new_change_number_and_recounts_the_hour(store: HotStore) -> None:
    take(store, [reading(i, i * US_PER_MINUTE, float(i)) for i in range(1, 4)])
    with store.transaction() as transaction:
        transaction.revise([Revision(KEY, T0 + 3 * US_PER_MINUTE, QualityFlag.FAIL, 4)])
    changes = store.changes(0, limit=10)
    assert [(change.id, change.observation.value, change.revised) for change in changes] == [
        (1, 1.0, False),
        (2, 2.0, False),
        (4, 3.0, True),
    ]
    assert changes[-1].observation.flag is QualityFlag.FAIL
    assert store.aggregate(KEY, T0, T0 + US_PER_HOUR, step_us=US_PER_HOUR) == [
        Bucket(T0, 2, 1.5, 1.0, 2.0, 3.0)
    ]
    assert store.latest()[0].observation.flag is QualityFlag.FAIL


def test_revising_the_only_value_of_an_hour_removes_and_restores_it(store: HotStore) -> None:
    take(store, [reading(1, 0, 2.5)])
    for flag, buckets in ((QualityFlag.FAIL, []), (QualityFlag.GOOD, [Bucket(T0, 1, 2.5, 2.5, 2.5, 2.5)])):
        with store.transaction() as transaction:
            transaction.revise([Revision(KEY, T0, flag, 0)])
        assert store.aggregate(KEY, T0, T0 + US_PER_HOUR, step_us=US_PER_HOUR) == buckets


@pytest.mark.parametrize(
    "revision",
    [
        pytest.param(Revision(KEY, T0, QualityFlag.GOOD, 0), id="nothing changes"),
        pytest.param(Revision(KEY, T0 + 1, QualityFlag.FAIL, 0), id="no such observation"),
    ],
)
def test_a_revision_that_changes_nothing_is_no_change(store: HotStore, revision: Revision) -> None:
    take(store, [reading(1, 0)])
    with store.transaction() as transaction:
        transaction.revise([revision])
    assert store.last_change_id() == 1


def test_changes_are_followed_in_pieces(store: HotStore) -> None:
    take(store, [reading(i, i) for i in range(1, 8)])
    found, position = [], 0
    while changes := store.changes(position, limit=3):
        found += [change.observation.seq for change in changes]
        position = changes[-1].id
    assert found == list(range(1, 8))
    assert store.last_change_id() == position


# -- crashes, locks, full disks ---------------------------------------------------------------------------------------

CRASH = """
import os, signal, sys
from pathlib import Path
from serayu.models.reading import Observation, SeriesKey
from serayu.models.stores.dead_letters import DeadLetter
from serayu.models.stores.hot import HotStore
store = HotStore(Path(sys.argv[1]))
key = SeriesKey("33.02", "bgs-hulu", "stage")
with store.transaction() as transaction:
    for start in range(0, 20000, 5000):  # enough that SQLite spills pages before the commit
        transaction.insert([Observation(key, {t0} + i, 1.0) for i in range(start, start + 5000)])
    transaction.add_dead_letters([DeadLetter("t", b"p", "r", "d", 1)])
    {before_kill}
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    "before_kill", ["pass", "transaction.finish()"], ids=["before finishing", "before COMMIT"]
)
def test_a_kill_before_the_commit_leaves_nothing(path: Path, before_kill: str) -> None:
    with HotStore(path) as store:
        take(store, [reading(1, -US_PER_HOUR)])
    code = CRASH.format(t0=T0, before_kill=before_kill)
    done = subprocess.run([sys.executable, "-c", code, path], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with HotStore(path) as store:
        assert (store.count(), store.last_change_id(), store.dead_letters.counts()) == (1, 1, {})
        assert take(store, [reading(2, 0)]) == [NEW]
        assert_derived_tables_are_right(store)


def test_a_kill_after_the_commit_leaves_everything(path: Path) -> None:
    code = CRASH.format(t0=T0, before_kill="pass").replace("    os.kill", "os.kill")
    done = subprocess.run([sys.executable, "-c", code, path], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with HotStore(path) as store:
        assert (store.count(), store.last_change_id(), store.dead_letters.counts()) == (
            20_000,
            20_000,
            {"r": 1},
        )
        assert_derived_tables_are_right(store)


BESIDE = """
import sys
from pathlib import Path
from serayu.models.reading import Observation, Reading, SeriesKey
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_transaction import Verdict
store, own = HotStore(Path(sys.argv[1]), busy_timeout_ms=60000), sys.argv[2]
new = 0
for seq in range(1, 101):
    shared = Reading(SeriesKey("33.02", "shared", "stage"), {t0} + seq, seq / 8, "both", seq)
    mine = Reading(SeriesKey("33.02", own, "stage"), {t0} + seq, 1.0, own, seq)
    with store.transaction() as transaction:
        verdicts = transaction.classify([shared, mine])
        assert verdicts[0] in (Verdict.NEW, Verdict.DUPLICATE) and verdicts[1] is Verdict.NEW, verdicts
        transaction.insert(
            [Observation(r.key, r.t_us, r.value, oid=r.oid, seq=r.seq)
             for r, verdict in zip((shared, mine), verdicts) if verdict is Verdict.NEW])
    new += verdicts[0] is Verdict.NEW
print(new)
"""


def test_two_processes_write_one_file_and_store_every_reading_once(path: Path) -> None:
    code = BESIDE.format(t0=T0)
    children = [
        subprocess.Popen([sys.executable, "-c", code, path, own], stdout=subprocess.PIPE, text=True)
        for own in ("one", "two")
    ]
    new = [int(child.communicate(timeout=120)[0]) for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert sum(new) == 100
    with HotStore(path) as store:
        assert store.count() == 300
        assert [change.id for change in store.changes(0, limit=1000)] == list(range(1, 301))
        assert_derived_tables_are_right(store)


def test_readers_see_nothing_of_an_open_transaction(store: HotStore) -> None:
    with store.transaction() as transaction:
        transaction.insert([observed(reading(1, 0))])
        assert store.latest() == []
        assert store.count() == 0
    assert len(store.latest()) == 1


def test_any_thread_may_read(store: HotStore) -> None:
    take(store, [reading(i, i) for i in range(1, 101)])
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(len(store.window(KEY, 0, 2 * T0)))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [100] * 4


def test_a_locked_store_is_unavailable_and_recovers(path: Path) -> None:
    with HotStore(path, busy_timeout_ms=1) as store:
        take(store, [reading(1, 0)])
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="locked"), store.transaction():
            pytest.fail("a transaction began in spite of the lock")
        assert store.count() == 1  # readers are not in the way of a writer, nor it of them
        blocker.execute("ROLLBACK")
        blocker.close()
        assert take(store, [reading(2, 60)]) == [NEW]


def test_a_full_store_says_so_stores_nothing_and_recovers(store: HotStore) -> None:
    take(store, [reading(1, 0)])
    assert store._writer is not None
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {pages + 2}")
    story = [reading(i, i) for i in range(2, 2000)]
    with pytest.raises(StoreFullError, match="full"):
        take(store, story)
    assert (store.count(), store.last_change_id()) == (1, 1)
    store._writer.execute("PRAGMA max_page_count = 1000000")
    assert take(store, story) == [NEW] * 1998
    assert_derived_tables_are_right(store)


def test_a_folder_in_the_place_of_the_file_is_unavailable(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreUnavailableError, match=r"hot\.db"):
        HotStore(path)


def test_a_file_that_is_no_database_is_an_error(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(StoreError, match="not a database"):
        HotStore(path)


def test_the_store_may_be_closed_and_used_again(store: HotStore) -> None:
    take(store, [reading(1, 0)])
    store.close()
    assert store.count() == 1
    assert take(store, [reading(1, 0), reading(2, 60)]) == [DUPLICATE, NEW]


# -- schema -----------------------------------------------------------------------------------------------------------


def test_a_new_file_has_the_newest_schema(store: HotStore) -> None:
    connection = sqlite3.connect(store.path)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


@pytest.mark.parametrize("version", range(len(MIGRATIONS) + 1))
def test_a_file_of_any_earlier_schema_is_brought_up(path: Path, version: int) -> None:
    connection = sqlite3.connect(path)
    for script in MIGRATIONS[:version]:
        connection.executescript(script)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with HotStore(path) as store:
        assert take(store, [reading(1, 0)]) == [NEW]
    with HotStore(path) as store:
        assert store.count() == 1


def test_a_file_of_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    HotStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(StoreError, match="update Serayu"):
        HotStore(path)


def test_processes_that_start_together_migrate_once(path: Path) -> None:
    code = "import sys; from pathlib import Path; from serayu.models.stores.hot import HotStore\n"
    code += "HotStore(Path(sys.argv[1])).close()"
    for number in range(3):
        file = path.with_name(f"hot{number}.db")
        children = [subprocess.Popen([sys.executable, "-c", code, file]) for _ in range(4)]
        assert [child.wait(timeout=60) for child in children] == [0, 0, 0, 0]


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


def test_the_file_is_made_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "var" / "lib" / "hot.db"
    HotStore(path).close()
    assert os.access(path, os.R_OK | os.W_OK)
