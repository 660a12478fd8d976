"""The hot store: what a crash, a lock, a full disk or an older schema leaves behind."""

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from serayu.models.errors import StoreError, StoreFullError, StoreUnavailableError
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_schema import MIGRATIONS
from serayu.models.times import US_PER_HOUR
from tests.models.stores.hot_story import (
    DUPLICATE,
    KEY,
    NEW,
    T0,
    assert_derived_tables_are_right,
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
