"""One write transaction of the hot store: which readings are new, and everything that must change together."""

import enum
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, Reading, SeriesKey
from serayu.models.stores.dead_letters import DeadLetter, insert_dead_letters
from serayu.models.times import US_PER_HOUR

UNUSABLE = frozenset({QualityFlag.FAIL, QualityFlag.MISSING})


class Verdict(enum.Enum):
    """What a reading is to the store."""

    NEW = "new"
    DUPLICATE = "duplicate"
    IDENTITY_CONFLICT = "identity_conflict"
    TIME_CONFLICT = "time_conflict"


class Revision(NamedTuple):
    """A better flag for an observation that is already stored."""

    key: SeriesKey
    t_us: int
    flag: QualityFlag
    tests: int


class Known(msgspec.Struct):
    """What the writer remembers between transactions: ids, and the newest seq and time of each."""

    last_id: int = -1
    series: dict[SeriesKey, int] = msgspec.field(default_factory=dict)
    outboxes: dict[tuple[str, str, str], int] = msgspec.field(default_factory=dict)
    seq: dict[int, int] = msgspec.field(default_factory=dict)
    time: dict[int, int] = msgspec.field(default_factory=dict)

    def forget(self) -> None:
        """Drop everything: the next transaction looks it up."""
        self.last_id = -1
        for memory in (self.series, self.outboxes, self.seq, self.time):
            memory.clear()


class HotTransaction:
    """Everything that happens between BEGIN IMMEDIATE and COMMIT; made by `HotStore.transaction`."""

    def __init__(self, connection: sqlite3.Connection, known: Known) -> None:
        self._connection = connection
        self._known = known
        (last_id,) = connection.execute("SELECT value FROM meta WHERE name = 'last_id'").fetchone()
        if last_id != known.last_id:  # another process wrote, or this one has just started
            known.forget()
            known.last_id = last_id
        self._first_id = last_id
        self._identities: dict[tuple[int, int], Reading] = {}
        self._times: set[tuple[int, int]] = set()

    # -- what is new ----------------------------------------------------------------------------------------------

    def classify(self, readings: Sequence[Reading]) -> list[Verdict]:
        """Say of each reading whether it is new, in order; readings of one call know of one another."""
        return [self._verdict(reading) for reading in readings]

    def stored_time(self, reading: Reading) -> int | None:
        """Return the time under which a reading's identity is stored, or None."""
        row = self._stored(self._outbox(reading), reading.seq)
        return None if row is None else int(row[1])

    def time_conflict(self, observation: Observation) -> str | None:
        """Return None for a new time, '' where the same value is stored there, else what stands against it."""
        series = self._series(observation.key)
        if (series, observation.t_us) in self._times:
            return "another value of the same time in one call"
        row = self._at(series, observation.t_us)
        if row is None:
            self._times.add((series, observation.t_us))
            return None
        same = row[0] == observation.value or (row[0] is None and observation.value != observation.value)  # noqa: PLR0124 -- NaN
        return "" if same else f"{row[0]!r} is stored for this time"

    def _verdict(self, reading: Reading) -> Verdict:
        series, outbox, seq = self._series(reading.key), self._outbox(reading), reading.seq
        known = self._known
        if seq <= known.seq[outbox]:
            earlier = self._identities.get((outbox, seq))
            row = (series if earlier.key == reading.key else -1, earlier.t_us, earlier.value) if earlier else None
            row = row or self._stored(outbox, seq)
            if row is not None:
                same_time = row[1] == reading.t_us or not reading.clock_ok
                same = row[0] == series and same_time and row[2] == reading.value
                return Verdict.DUPLICATE if same else Verdict.IDENTITY_CONFLICT
        t_us = reading.t_us
        if t_us <= known.time[series] and ((series, t_us) in self._times or self._at(series, t_us) is not None):
            return Verdict.TIME_CONFLICT
        known.seq[outbox] = max(known.seq[outbox], seq)
        known.time[series] = max(known.time[series], t_us)
        self._identities[(outbox, seq)] = reading
        self._times.add((series, t_us))
        return Verdict.NEW

    def _stored(self, outbox: int, seq: int) -> tuple[int, int, float] | None:
        row: tuple[int, int, float] | None = self._connection.execute(
            "SELECT series, t, value FROM observation WHERE outbox = ? AND seq = ?", (outbox, seq)
        ).fetchone()
        return row

    def _at(self, series: int, t_us: int) -> tuple[float | None] | None:
        row: tuple[float | None] | None = self._connection.execute(
            "SELECT value FROM observation WHERE series = ? AND t = ?", (series, t_us)
        ).fetchone()
        return row

    def _series(self, key: SeriesKey) -> int:
        series = self._known.series.get(key)
        if series is None:
            series = self._id_of("series (region, station, property)", tuple(key))
            self._known.series[key] = series
            self._known.time[series] = self._maximum("t", "series", series)
        return series

    def _outbox(self, reading: Reading) -> int:
        name = (reading.key.region, reading.key.station, reading.oid)
        outbox = self._known.outboxes.get(name)
        if outbox is None:
            outbox = self._known.outboxes[name] = self._id_of("outbox (region, station, oid)", name)
            self._known.seq[outbox] = self._maximum("seq", "outbox", outbox)
        return outbox

    def _id_of(self, table: str, name: tuple[str, ...]) -> int:
        columns = table[table.index("(") + 1 : -1].replace(",", " = ? AND") + " = ?"
        select = f"SELECT id FROM {table.split()[0]} WHERE {columns}"  # noqa: S608 -- constants
        row = self._connection.execute(select, name).fetchone()
        if row is None:
            row = (self._connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", name).lastrowid,)  # noqa: S608
        return int(row[0])

    def _maximum(self, column: str, owner: str, number: int) -> int:
        select = f"SELECT max({column}) FROM observation WHERE {owner} = ?"  # noqa: S608 -- constants
        (maximum,) = self._connection.execute(select, (number,)).fetchone()
        return -(2**62) if maximum is None else int(maximum)

    # -- changes --------------------------------------------------------------------------------------------------

    def insert(self, observations: Sequence[Observation]) -> None:
        """Store observations that are new, with `latest` and `hourly`."""
        rows, newest = [], {}
        hours: dict[tuple[int, int], list[float]] = {}
        for observation in observations:
            key, t_us, value, flag, tests, oid, seq, received_us, late = msgspec.structs.astuple(observation)
            series = self._series(key)
            outbox = self._known.outboxes[(key[0], key[1], oid)] if oid else None
            self._known.last_id += 1
            stored = value if value == value else None  # noqa: PLR0124 -- NaN is stored as NULL
            rows.append(
                (self._known.last_id, series, t_us, stored, int(flag), tests, outbox, seq if oid else None)
                + (received_us, late)
            )
            last = newest.get(series)
            if last is None or t_us > last[1]:
                newest[series] = (series, t_us, stored, int(flag), tests, received_us, late)
            self._known.time[series] = max(self._known.time[series], t_us)
            if flag not in UNUSABLE and stored is not None:
                hour = hours.setdefault((series, t_us - t_us % US_PER_HOUR), [0, 0.0, stored, stored])
                hour[0] += 1
                hour[1] += stored
                hour[2] = min(hour[2], stored)
                hour[3] = max(hour[3], stored)
        self._connection.executemany(
            "INSERT INTO observation (id, series, t, value, flag, tests, outbox, seq, received, late)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        self._connection.executemany(_UPSERT_LATEST, newest.values())
        self._connection.executemany(_UPSERT_HOURLY, ((*name, *hour) for name, hour in hours.items()))

    def revise(self, revisions: Iterable[Revision]) -> None:
        """Give stored observations another flag; each becomes a new change."""
        for revision in revisions:
            series = self._series(revision.key)
            where = (series, revision.t_us)
            row = self._connection.execute(
                "SELECT flag FROM observation WHERE series = ? AND t = ?", where
            ).fetchone()
            if row is None or row[0] == revision.flag:
                continue
            self._known.last_id += 1
            mark = (int(revision.flag), revision.tests)
            self._connection.execute(
                "UPDATE observation SET id = ?, flag = ?, tests = ?, revised = 1 WHERE series = ? AND t = ?",
                (self._known.last_id, *mark, *where),
            )
            self._connection.execute("UPDATE latest SET flag = ?, tests = ? WHERE series = ? AND t = ?", mark + where)
            if (row[0] in UNUSABLE) != (revision.flag in UNUSABLE):
                self._recount_hour(series, revision.t_us - revision.t_us % US_PER_HOUR)

    def _recount_hour(self, series: int, hour: int) -> None:
        self._connection.execute("DELETE FROM hourly WHERE series = ? AND hour = ?", (series, hour))
        self._connection.execute(_RECOUNT_HOURLY, (series, hour, hour + US_PER_HOUR))

    def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep messages that could not be stored."""
        insert_dead_letters(self._connection, letters)

    def finish(self) -> None:
        """Write the change number; called by the store just before COMMIT."""
        if self._known.last_id != self._first_id:
            self._connection.execute("UPDATE meta SET value = ? WHERE name = 'last_id'", (self._known.last_id,))


_UPSERT_LATEST = """
    INSERT INTO latest VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (series) DO UPDATE SET
    t = excluded.t, value = excluded.value, flag = excluded.flag, tests = excluded.tests,
    received = excluded.received, late = excluded.late WHERE excluded.t > latest.t
"""
_UPSERT_HOURLY = """
    INSERT INTO hourly VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (series, hour) DO UPDATE SET
    n = n + excluded.n, total = total + excluded.total,
    minimum = min(minimum, excluded.minimum), maximum = max(maximum, excluded.maximum)
"""
_RECOUNT_HOURLY = f"""
    INSERT INTO hourly
    SELECT series, t - t % {US_PER_HOUR}, count(*), sum(value), min(value), max(value) FROM observation
    WHERE series = ? AND t >= ? AND t < ? AND flag NOT IN (4, 9) AND value IS NOT NULL GROUP BY 1, 2
"""  # noqa: S608 -- constants
