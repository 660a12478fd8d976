"""The hot store: every observation in one SQLite file (WAL).

`latest` and `hourly` are kept in the same transaction. One process writes through `HotStore.transaction`; any number
of processes and threads read beside it. Several writers on one host are safe too: a transaction that finds another's
rows drops what it remembered.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

from serayu.models.ports import Latest, Refusal
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Bucket, Observation, Reading, SeriesKey
from serayu.models.stores.dead_letters import Bound, DeadLetter, DeadLetters, insert_dead_letters
from serayu.models.stores.hot_schema import migrate
from serayu.models.stores.hot_transaction import HotTransaction, Known, Verdict
from serayu.models.stores.sensor_faults import SensorFaultLog
from serayu.models.stores.silences import Silences
from serayu.models.stores.sqlite import ThreadConnections, connect, translated
from serayu.models.stores.trend import TREND_AT_MOST_US, TREND_OVER_US, trend_per_h, usable
from serayu.models.times import US_PER_HOUR

RETENTION_CHUNK = 20_000
USABLE = "flag NOT IN (4, 9) AND value IS NOT NULL"
_ROW = "o.t, o.value, o.flag, o.tests, o.outbox, o.seq, o.received, o.late"


class Change(NamedTuple):
    """A new or revised observation, at its place in the order of changes."""

    id: int
    observation: Observation
    revised: bool


class Coverage(NamedTuple):
    """How much of a span has usable values, microseconds, and where the first of them begins; None without one."""

    covered_us: int
    since_us: int | None


class HotStore:
    """The hot store of one host.

    Parameters
    ----------
    path
        SQLite file; made with its folder where it is absent.
    busy_timeout_ms
        How long a commit waits for a lock that another process holds.
    letters_bound
        How many dead letters are kept.
    """

    def __init__(
        self, path: Path, *, busy_timeout_ms: int = 5000, letters_bound: Bound | None = None
    ) -> None:
        self.path = path
        self._letters_bound = letters_bound or Bound()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._busy_timeout_ms = busy_timeout_ms
        with closing(connect(path, busy_timeout_ms=busy_timeout_ms)) as setup, translated(path):
            migrate(setup)
        self._writing = threading.RLock()
        self._readers = ThreadConnections(path)
        self._writer: sqlite3.Connection | None = None
        self._known = Known()
        self._oids: dict[int, str] = {}
        self._keys: dict[int, SeriesKey] = {}
        self.dead_letters = DeadLetters(self._readers)
        self.silences = Silences(self._readers)
        self.sensor_faults = SensorFaultLog(self._readers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection; the object may be used again."""
        self._readers.close()
        with self._writing:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    # -- writing ---------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[HotTransaction]:
        """Open a write transaction; commits at the end, rolls back on an error. One thread only.

        Raises
        ------
        StoreUnavailableError, StoreFullError
            Nothing of the transaction was stored.
        """
        with self._writing, translated(self.path):
            if self._writer is None:
                self._writer = connect(self.path, busy_timeout_ms=self._busy_timeout_ms)
                for pragma in _WRITER_PRAGMAS:
                    self._writer.execute(pragma)
            writer = self._writer
            writer.execute("BEGIN IMMEDIATE")
            try:
                transaction = HotTransaction(writer, self._known, self._letters_bound)
                yield transaction
                transaction.finish()
                writer.execute("COMMIT")
            except BaseException:
                self._known.forget()
                self._roll_back(writer)
                raise

    def _roll_back(self, writer: sqlite3.Connection) -> None:
        """Undo what is open; a connection that cannot is given up, or it would refuse every later transaction."""
        try:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
        except sqlite3.Error:
            writer.close()
            self._writer = None

    def write(self, observations: Sequence[Observation]) -> Sequence[Refusal]:
        """Store observations, all but those returned (port `ObservationWriter`)."""
        refusals = []
        with self.transaction() as transaction:
            for observation in observations:
                reason = transaction.put(observation)
                if reason is not None:
                    refusals.append(Refusal(observation, reason))
            transaction.insert_put()
        return refusals

    def classify(self, readings: Sequence[Reading]) -> list[Verdict]:
        """Say of each reading whether it is new, without storing it."""
        with self.transaction() as transaction:
            return transaction.classify(readings)

    # -- reading ---------------------------------------------------------------------------------------------

    def series(self) -> list[SeriesKey]:
        """Return the names of all datastreams ever stored."""
        return [
            SeriesKey(*row)
            for row in self._read("SELECT region, station, property FROM series ORDER BY 1, 2, 3")
        ]

    def window(
        self, key: SeriesKey, start_us: int, end_us: int, *, limit: int | None = None
    ) -> Sequence[Observation]:
        """Return the observations with ``start_us <= t < end_us`` in order of time, at most *limit*."""
        if limit is not None and limit < 0:
            raise ValueError(f"limit must not be negative, got {limit}")
        rows = self._read(
            f"SELECT {_ROW} FROM observation o WHERE series = {_SERIES}"  # noqa: S608 -- constants
            " AND t >= ? AND t < ? ORDER BY t LIMIT ?",
            (*key, _int64(start_us), _int64(end_us), -1 if limit is None else limit),
        )
        return [self._observation(key, row) for row in rows]

    def values(self, key: SeriesKey, start_us: int, end_us: int) -> list[tuple[int, float | None, int]]:
        """Return time, value and flag of the observations of `window`, for who reads very many of them."""
        return self._read(
            f"SELECT t, value, flag FROM observation WHERE series = {_SERIES}"  # noqa: S608 -- constants
            " AND t >= ? AND t < ? ORDER BY t",
            (*key, _int64(start_us), _int64(end_us)),
        )

    def latest(self, region: str | None = None) -> Sequence[Latest]:
        """Return the last observation of every datastream with its trend, in one statement."""
        rows = self._read(_LATEST, (TREND_OVER_US, TREND_AT_MOST_US, region, region))
        return [_latest(row) for row in rows]

    def aggregate(self, key: SeriesKey, start_us: int, end_us: int, *, step_us: int) -> Sequence[Bucket]:
        """Return buckets aligned to multiples of *step_us*; whole hours come from the kept `hourly` table."""
        if step_us <= 0:
            raise ValueError(f"step_us must be positive, got {step_us}")
        whole_hours = step_us % US_PER_HOUR == 0 and start_us % US_PER_HOUR == 0 and end_us % US_PER_HOUR == 0
        statement = _FROM_HOURLY if whole_hours else _FROM_RAW
        rows = self._read(statement, (step_us, step_us, *key, _int64(start_us), _int64(end_us)))
        return [Bucket(start, n, total / n, low, high, total) for start, n, total, low, high in rows]

    def covered_us(self, key: SeriesKey, start_us: int, end_us: int, *, interval_us: int) -> Coverage:
        """Return for how much of ``start_us < t <= end_us`` there are usable values, and since when.

        A value stands for the time since the one before, and where that is more than two intervals ago for one
        interval: so a reading that came a little late leaves no hole, and one that never came does.
        """
        span = {"start": _int64(start_us), "end": _int64(end_us), "interval": interval_us}
        rows = self._read(_COVERED, {**key._asdict(), **span})
        covered_us, first_us = rows[0]
        if first_us is None:
            return Coverage(0, None)
        return Coverage(min(int(covered_us), end_us - start_us), max(first_us - interval_us, start_us))

    def newest_time(self, key: SeriesKey) -> int:
        """Return the time of the last observation of a datastream, microseconds UTC; 0 for none."""
        rows = self._read(f"SELECT t FROM latest WHERE series = {_SERIES}", tuple(key))  # noqa: S608 -- constants
        return int(rows[0][0]) if rows else 0

    def changes(self, after_id: int, *, limit: int) -> list[Change]:
        """Return what was stored or revised after a change number, in that order."""
        rows = self._read(_CHANGES, (after_id, limit))
        keys, observation = self._keys, self._observation
        if not keys.keys() >= {row[1] for row in rows}:
            keys.update((row[0], SeriesKey(*row[1:])) for row in self._read(_ALL_SERIES))
        return [Change(row[0], observation(keys[row[1]], row[2:10]), row[10] == 1) for row in rows]

    def last_change_id(self) -> int:
        """Return the newest change number."""
        return int(self._read("SELECT value FROM meta WHERE name = 'last_id'")[0][0])

    def count(self) -> int:
        """Return how many observations are stored."""
        return int(self._read("SELECT count(*) FROM observation")[0][0])

    # -- cursors and retention -------------------------------------------------------------------------------

    def cursor(self, name: str) -> int:
        """Return how far a follower of the changes has come; 0 for a new one."""
        rows = self._read("SELECT position FROM cursor WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else 0

    def set_cursor(self, name: str, position: int) -> None:
        """Remember how far a follower has come."""
        self._read(_SET_CURSOR, (name, position))

    def advance(self, name: str, position: int, letters: Sequence[DeadLetter]) -> None:
        """Keep what a follower could not use and remember how far it has come, both or neither."""
        with self._reader_transaction() as connection:
            insert_dead_letters(connection, letters, self._letters_bound)
            connection.execute(_SET_CURSOR, (name, position))

    def first_received_after(self, change_id: int) -> int | None:
        """Return when the first row after a change was received, microseconds UTC; None for no row."""
        rows = self._read("SELECT received FROM observation WHERE id > ? ORDER BY id LIMIT 1", (change_id,))
        return int(rows[0][0]) if rows else None

    def delete_before(self, t_us: int, *, keep_after: Sequence[str] = ()) -> int:
        """Delete raw observations older than *t_us*, never one that a named cursor has not passed.

        `hourly` stays, and is closed where raw rows go: readings that come for such an hour later are not counted in
        it, see `HotTransaction.classify`. Whole hours only, so that a later revision cannot recount an hour of which
        half is gone.

        Returns
        -------
        int
            Rows deleted; at most `RETENTION_CHUNK` a call, so that readers and the writer get their turn.
        """
        passed = min((self.cursor(name) for name in keep_after), default=self.last_change_id())
        before_us = t_us - t_us % US_PER_HOUR
        # Found first, deleted then: the search holds no lock. A row revised in between has another id by
        # then.
        found = self._read(_OLD, (before_us, passed, RETENTION_CHUNK))
        if not found:
            return 0
        ids = json.dumps([row[0] for row in found])
        with self._reader_transaction() as connection:
            connection.execute(_CLOSE_HOURS, (ids,))
            connection.execute(_SET_DELETED_BEFORE, (before_us,))
            return connection.execute(_DELETE, (ids,)).rowcount

    # -- inside ----------------------------------------------------------------------------------------------

    @contextmanager
    def _reader_transaction(self) -> Iterator[sqlite3.Connection]:
        """Open a write transaction on this thread's connection: for small changes beside the writer's."""
        with translated(self.path), self._readers.use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _read(self, statement: str, parameters: Sequence[object] | dict[str, object] = ()) -> list[Any]:
        with translated(self.path), self._readers.use() as connection:
            return connection.execute(statement, parameters).fetchall()

    def _observation(self, key: SeriesKey, row: Sequence[Any]) -> Observation:
        t_us, value, flag, tests, outbox, seq, received_us, late = row
        oid = "" if outbox is None else self._oids.get(outbox) or self._oid(outbox)
        number = _NAN if value is None else value
        return Observation(key, t_us, number, _FLAGS[flag], tests, oid, seq or 0, received_us, late == 1)

    def _oid(self, outbox: int) -> str:
        self._oids.update(self._read("SELECT id, oid FROM outbox"))
        return self._oids[outbox]


_NAN = float("nan")
_FLAGS = {int(flag): flag for flag in QualityFlag}
# 1,000 datastreams write to as many pages of each index: with SQLite's 2 MB cache and a checkpoint every 4 MB
# the same pages go to disk again and again.
_WRITER_PRAGMAS = ("PRAGMA cache_size = -65536", "PRAGMA wal_autocheckpoint = 8000")
_SET_CURSOR = "INSERT INTO cursor VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position"
# By way of the index on (series, t): a search by t alone would read the whole table when nothing is old.
_OLD = """
    SELECT o.id FROM series s CROSS JOIN observation o ON o.series = s.id AND o.t < ? WHERE o.id <= ? LIMIT ?
"""
_GIVEN = "id IN (SELECT value FROM json_each(?))"
_DELETE = f"DELETE FROM observation WHERE {_GIVEN}"  # noqa: S608 -- constants
_CLOSE_HOURS = f"""
    INSERT INTO hourly (series, hour, n, total, minimum, maximum, closed)
    SELECT DISTINCT series, t - t % {US_PER_HOUR}, 0, 0.0, 0.0, 0.0, 1 FROM observation WHERE {_GIVEN}
    ON CONFLICT (series, hour) DO UPDATE SET closed = 1
"""  # noqa: S608 -- constants
_SET_DELETED_BEFORE = "UPDATE meta SET value = max(value, ?) WHERE name = 'deleted_before'"
_SERIES = "(SELECT id FROM series WHERE region = ? AND station = ? AND property = ?)"
_LATEST = f"""
    SELECT s.region, s.station, s.property, l.t, l.value, l.flag, l.tests, l.received, l.late, p.t, p.value
    FROM latest l JOIN series s ON s.id = l.series
    LEFT JOIN observation p ON p.id = (
        SELECT o.id FROM observation o
        WHERE o.series = l.series AND o.t <= l.t - ? AND o.t >= l.t - ? AND {USABLE}
        ORDER BY o.t DESC LIMIT 1)
    WHERE ? IS NULL OR s.region = ?
    ORDER BY s.region, s.station, s.property
"""  # noqa: S608 -- constants
_COVERED = f"""
    SELECT sum(CASE WHEN t - before <= 2 * :interval THEN t - before ELSE min(:interval, t - :start) END), min(t) FROM
        (SELECT t, lag(t) OVER (ORDER BY t) AS before FROM observation
         WHERE series = (SELECT id FROM series WHERE region = :region AND station = :station AND property = :property)
         AND t > :start AND t <= :end AND {USABLE})
"""  # noqa: S608 -- constants
_FROM_RAW = f"""
    SELECT t - t % ? AS bucket, count(*), sum(value), min(value), max(value) FROM
        (SELECT t, value, ? FROM observation WHERE series = {_SERIES} AND t >= ? AND t < ? AND {USABLE})
    GROUP BY bucket ORDER BY bucket
"""  # noqa: S608 -- constants
_FROM_HOURLY = f"""
    SELECT hour - hour % ? AS bucket, sum(n), sum(total), min(minimum), max(maximum) FROM
        (SELECT *, ? FROM hourly WHERE series = {_SERIES} AND hour >= ? AND hour < ? AND n > 0)
    GROUP BY bucket ORDER BY bucket
"""  # noqa: S608 -- constants
_ALL_SERIES = "SELECT id, region, station, property FROM series"
_CHANGES = (
    f"SELECT o.id, o.series, {_ROW}, o.revised"  # noqa: S608 -- constants
    " FROM observation o WHERE o.id > ? ORDER BY o.id LIMIT ?"
)


def _int64(t_us: int) -> int:
    return max(-(2**63), min(t_us, 2**63 - 1))  # what SQLite can compare with


def _latest(row: tuple) -> Latest:  # type: ignore[type-arg]
    region, station, slug, t, value, flag, tests, received, late, before_t, before = row
    observation = Observation(
        SeriesKey(region, station, slug),
        t,
        _NAN if value is None else value,
        _FLAGS[flag],
        tests,
        received_us=received,
        late=bool(late),
    )
    has_trend = before is not None and usable(observation)
    return Latest(observation, trend_per_h(observation, before_t, before) if has_trend else None)
