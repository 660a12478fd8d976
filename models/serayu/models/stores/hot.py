"""The hot store: every observation in one SQLite file (WAL), with `latest` and `hourly` kept in the same transaction.

One process writes through `HotStore.transaction`; any number of processes and threads read beside it. Several
writers on one host are safe too: a transaction that finds another's rows drops what it remembered.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from serayu.models.ports import Latest, Refusal
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Bucket, Observation, Reading, SeriesKey
from serayu.models.stores.dead_letters import DeadLetters
from serayu.models.stores.hot_schema import migrate
from serayu.models.stores.hot_transaction import HotTransaction, Known, Verdict
from serayu.models.stores.silences import Silences
from serayu.models.stores.sqlite import ThreadConnections, connect, translated
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE

TREND_OVER_US = 30 * US_PER_MINUTE
TREND_AT_MOST_US = 3 * US_PER_HOUR
RETENTION_CHUNK = 20_000
USABLE = "flag NOT IN (4, 9)"
_ROW = "o.t, o.value, o.flag, o.tests, o.outbox, o.seq, o.received, o.late"


class Change(NamedTuple):
    """A new or revised observation, at its place in the order of changes."""

    id: int
    observation: Observation
    revised: bool


class HotStore:
    """The hot store of one host.

    Parameters
    ----------
    path
        SQLite file; made with its folder where it is absent.
    busy_timeout_ms
        How long a commit waits for a lock that another process holds.
    """

    def __init__(self, path: Path, *, busy_timeout_ms: int = 5000) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._busy_timeout_ms = busy_timeout_ms
        setup = connect(path)
        with translated(path):
            migrate(setup)
        setup.close()
        self._readers = ThreadConnections(path)
        self._writer: sqlite3.Connection | None = None
        self._known = Known()
        self._oids: dict[int, str] = {}
        self.dead_letters = DeadLetters(self._readers)
        self.silences = Silences(self._readers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection; the object may be used again."""
        self._readers.close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    # -- writing --------------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[HotTransaction]:
        """Open a write transaction; commits at the end, rolls back on an error. One thread only.

        Raises
        ------
        StoreUnavailableError, StoreFullError
            Nothing of the transaction was stored.
        """
        with translated(self.path):
            if self._writer is None:
                self._writer = connect(self.path, busy_timeout_ms=self._busy_timeout_ms)
            writer = self._writer
            writer.execute("BEGIN IMMEDIATE")
            try:
                transaction = HotTransaction(writer, self._known)
                yield transaction
                transaction.finish()
                writer.execute("COMMIT")
            except BaseException:
                self._known.forget()
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise

    def write(self, observations: Sequence[Observation]) -> Sequence[Refusal]:
        """Store observations without an identity of their own (port `ObservationWriter`)."""
        refusals = []
        with self.transaction() as transaction:
            fresh = []
            for observation in observations:
                reason = transaction.time_conflict(observation)
                if reason is None:
                    fresh.append(observation)
                elif reason:
                    refusals.append(Refusal(observation, reason))
            transaction.insert(fresh)
        return refusals

    def classify(self, readings: Sequence[Reading]) -> list[Verdict]:
        """Say of each reading whether it is new, without storing it."""
        with self.transaction() as transaction:
            return transaction.classify(readings)

    # -- reading --------------------------------------------------------------------------------------------------

    def series(self) -> list[SeriesKey]:
        """Return the names of all datastreams ever stored."""
        return [SeriesKey(*row) for row in self._read("SELECT region, station, property FROM series ORDER BY 1, 2, 3")]

    def window(
        self, key: SeriesKey, start_us: int, end_us: int, *, limit: int | None = None
    ) -> Sequence[Observation]:
        """Return the observations with ``start_us <= t < end_us`` in order of time, at most *limit*."""
        rows = self._read(
            f"SELECT {_ROW} FROM observation o WHERE series = {_SERIES} AND t >= ? AND t < ? ORDER BY t LIMIT ?",  # noqa: S608 -- constants
            (*key, start_us, end_us, -1 if limit is None else limit),
        )
        return [self._observation(key, row) for row in rows]

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
        rows = self._read(statement, (step_us, step_us, *key, start_us, end_us))
        return [Bucket(start, n, total / n, low, high, total) for start, n, total, low, high in rows]

    def newest_time(self, key: SeriesKey) -> int:
        """Return the time of the last observation of a datastream, microseconds UTC; 0 for none."""
        rows = self._read(f"SELECT t FROM latest WHERE series = {_SERIES}", tuple(key))  # noqa: S608 -- constants
        return int(rows[0][0]) if rows else 0

    def changes(self, after_id: int, *, limit: int) -> list[Change]:
        """Return what was stored or revised after a change number, in that order."""
        rows = self._read(_CHANGES, (after_id, limit))
        return [
            Change(row[0], self._observation(SeriesKey(*row[1:4]), row[4:12]), bool(row[12])) for row in rows
        ]

    def last_change_id(self) -> int:
        """Return the newest change number."""
        return int(self._read("SELECT value FROM meta WHERE name = 'last_id'")[0][0])

    def count(self) -> int:
        """Return how many observations are stored."""
        return int(self._read("SELECT count(*) FROM observation")[0][0])

    # -- cursors and retention ------------------------------------------------------------------------------------

    def cursor(self, name: str) -> int:
        """Return how far a follower of the changes has come; 0 for a new one."""
        rows = self._read("SELECT position FROM cursor WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else 0

    def set_cursor(self, name: str, position: int) -> None:
        """Remember how far a follower has come."""
        self._read(
            "INSERT INTO cursor VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position",
            (name, position),
        )

    def delete_before(self, t_us: int, *, keep_after: Sequence[str] = ()) -> int:
        """Delete raw observations older than *t_us*, never one that a named cursor has not passed; `hourly` stays.

        Returns
        -------
        int
            Rows deleted; at most `RETENTION_CHUNK` a call, so that readers and the writer get their turn.
        """
        passed = min((self.cursor(name) for name in keep_after), default=self.last_change_id())
        with translated(self.path):
            cursor = self._readers.get().execute(
                "DELETE FROM observation WHERE id IN (SELECT id FROM observation WHERE t < ? AND id <= ? LIMIT ?)",
                (t_us, passed, RETENTION_CHUNK),
            )
        return cursor.rowcount

    # -- inside ---------------------------------------------------------------------------------------------------

    def _read(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]] | list[tuple]:  # type: ignore[type-arg]
        with translated(self.path):
            return self._readers.get().execute(statement, parameters).fetchall()

    def _observation(self, key: SeriesKey, row: Sequence) -> Observation:  # type: ignore[type-arg]
        t, value, flag, tests, outbox, seq, received, late = row
        oid = "" if outbox is None else self._oid(outbox)
        return Observation(key, t, _nan(value), QualityFlag(flag), tests, oid, seq or 0, received, bool(late))

    def _oid(self, outbox: int) -> str:
        if outbox not in self._oids:
            self._oids.update(dict(self._read("SELECT id, oid FROM outbox")))
        return self._oids[outbox]


_SERIES = "(SELECT id FROM series WHERE region = ? AND station = ? AND property = ?)"
_LATEST = f"""
    SELECT s.region, s.station, s.property, l.t, l.value, l.flag, l.tests, l.received, l.late, p.t, p.value
    FROM latest l JOIN series s ON s.id = l.series
    LEFT JOIN observation p ON p.id = (
        SELECT o.id FROM observation o
        WHERE o.series = l.series AND o.t <= l.t - ? AND o.t >= l.t - ? AND o.{USABLE} ORDER BY o.t DESC LIMIT 1)
    WHERE ? IS NULL OR s.region = ?
    ORDER BY s.region, s.station, s.property
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
_CHANGES = f"""
    SELECT o.id, s.region, s.station, s.property, {_ROW}, o.revised
    FROM observation o JOIN series s ON s.id = o.series WHERE o.id > ? ORDER BY o.id LIMIT ?
"""  # noqa: S608 -- constants


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _latest(row: tuple) -> Latest:  # type: ignore[type-arg]
    region, station, slug, t, value, flag, tests, received, late, before_t, before = row
    observation = Observation(
        SeriesKey(region, station, slug),
        t,
        _nan(value),
        QualityFlag(flag),
        tests,
        received_us=received,
        late=bool(late),
    )
    usable = flag not in (QualityFlag.FAIL, QualityFlag.MISSING) and value is not None and before is not None
    return Latest(observation, (value - before) * US_PER_HOUR / (t - before_t) if usable else None)
