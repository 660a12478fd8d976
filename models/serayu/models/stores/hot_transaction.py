"""One write transaction of the hot store: what is new, and all that must change together."""

import enum
import math
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, Reading, SeriesKey
from serayu.models.stores.dead_letters import Bound, DeadLetter, insert_dead_letters
from serayu.models.stores.trend import UNUSABLE, same_value
from serayu.models.times import US_PER_HOUR

FILL_OID = "csv-"  # what outbox identities of files begin with


class Verdict(enum.Enum):
    """What a reading is to the store."""

    NEW = "new"
    DUPLICATE = "duplicate"
    IDENTITY_CONFLICT = "identity_conflict"
    TIME_CONFLICT = "time_conflict"
    CLOSED_HOUR = "closed_hour"


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

    def __init__(self, connection: sqlite3.Connection, known: Known, letters_bound: Bound) -> None:
        self._connection = connection
        self._known = known
        self._letters_bound = letters_bound
        meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        last_id = meta["last_id"]
        if last_id != known.last_id:  # another process wrote, or this one has just started
            known.forget()
            known.last_id = last_id
        self._first_id = last_id
        self._deleted_before = meta["deleted_before"]
        self._closed_hours: dict[tuple[int, int], bool] = {}
        self._identities: dict[tuple[int, int], Reading] = {}
        self._times: dict[tuple[int, int], float] = {}
        self._put: dict[tuple[int, int], Observation] = {}
        self._put_identities: set[tuple[int, int]] = set()

    # -- what is new -----------------------------------------------------------------------------------------

    def classify(self, readings: Sequence[Reading]) -> list[Verdict]:
        """Say of each reading whether it is new, in order; readings of one call know of one another.

        A reading of a file (its oid begins with `FILL_OID`) that repeats the value stored for its time is a duplicate
        whoever brought that value: files overlap one another and what agents sent. An agent's reading has to be
        stored under its own identity, so the same in its case is a conflict.

        An hour is closed once retention has deleted raw rows of it: whether a reading was counted in it cannot be
        told any more. So a file's reading in it is a duplicate, which lets a file run again, and an agent's is
        refused, not lost in silence.
        """
        return [self._verdict(reading) for reading in readings]

    def stored_time(self, reading: Reading) -> int | None:
        """Return the time under which a reading's identity is stored, or None."""
        row = self._stored(self._outbox(reading.key, reading.oid), reading.seq)
        return None if row is None else int(row[1])

    def _verdict(self, reading: Reading) -> Verdict:
        key, seq, known = reading.key, reading.seq, self._known
        series, outbox = self._series(key), self._outbox(key, reading.oid)
        if seq <= known.seq[outbox]:
            earlier = self._identities.get((outbox, seq))
            row = (series if earlier.key == key else -1, earlier.t_us, earlier.value) if earlier else None
            row = row or self._stored(outbox, seq)
            if row is not None:
                same_time = row[1] == reading.t_us or not reading.clock_ok
                same = row[0] == series and same_time and row[2] == reading.value
                return Verdict.DUPLICATE if same else Verdict.IDENTITY_CONFLICT
        t_us = reading.t_us
        if t_us <= known.time[series] and (taken := self._value_at(series, t_us)) is not None:
            repeats = reading.oid.startswith(FILL_OID) and taken == reading.value
            return Verdict.DUPLICATE if repeats else Verdict.TIME_CONFLICT
        if self._closed(series, t_us):
            return Verdict.DUPLICATE if reading.oid.startswith(FILL_OID) else Verdict.CLOSED_HOUR
        known.seq[outbox] = max(known.seq[outbox], seq)
        known.time[series] = max(known.time[series], t_us)
        self._identities[(outbox, seq)] = reading
        self._times[(series, t_us)] = reading.value
        return Verdict.NEW

    def _stored(self, outbox: int, seq: int) -> tuple[int, int, float] | None:
        row: tuple[int, int, float] | None = self._connection.execute(
            "SELECT series, t, value FROM observation WHERE outbox = ? AND seq = ?", (outbox, seq)
        ).fetchone()
        return row

    def _at(self, series: int, t_us: int) -> tuple[float | None, int, int] | None:
        row: tuple[float | None, int, int] | None = self._connection.execute(
            "SELECT value, flag, tests FROM observation WHERE series = ? AND t = ?", (series, t_us)
        ).fetchone()
        return row

    def _closed(self, series: int, t_us: int) -> bool:
        """Say whether raw rows of a time's hour were deleted."""
        if t_us >= self._deleted_before:
            return False
        hour = (series, t_us - t_us % US_PER_HOUR)
        closed = self._closed_hours.get(hour)
        if closed is None:
            row = self._connection.execute(
                "SELECT closed FROM hourly WHERE series = ? AND hour = ?", hour
            ).fetchone()
            closed = self._closed_hours[hour] = row is not None and row[0] == 1
        return closed

    def _value_at(self, series: int, t_us: int) -> float | None:
        """Return the value taken or stored for a time, NaN for a missing one, or None."""
        taken = self._times.get((series, t_us))
        if taken is not None:
            return taken
        row = self._at(series, t_us)
        return None if row is None else math.nan if row[0] is None else row[0]

    def _series(self, key: SeriesKey) -> int:
        series = self._known.series.get(key)
        if series is None:
            series = self._id_of("series (region, station, property)", tuple(key))
            self._known.series[key] = series
            self._known.time[series] = self._maximum("t", "series", series)
        return series

    def _outbox(self, key: SeriesKey, oid: str) -> int:
        name = (key[0], key[1], oid)
        outbox = self._known.outboxes.get(name)
        if outbox is None:
            outbox = self._known.outboxes[name] = self._id_of("outbox (region, station, oid)", name)
            self._known.seq[outbox] = self._maximum("seq", "outbox", outbox)
        return outbox

    def _id_of(self, table: str, name: tuple[str, ...]) -> int:
        columns = table[table.index("(") + 1 : -1].replace(",", " = ? AND") + " = ?"
        select = f"SELECT id FROM {table.split(maxsplit=1)[0]} WHERE {columns}"  # noqa: S608 -- constants
        row = self._connection.execute(select, name).fetchone()
        if row is None:
            row = (self._connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", name).lastrowid,)  # noqa: S608
        return int(row[0])

    def _maximum(self, column: str, owner: str, number: int) -> int:
        select = f"SELECT max({column}) FROM observation WHERE {owner} = ?"  # noqa: S608 -- constants
        (maximum,) = self._connection.execute(select, (number,)).fetchone()
        return -(2**62) if maximum is None else int(maximum)

    # -- changes ---------------------------------------------------------------------------------------------

    def put(self, observation: Observation) -> str | None:
        """Take an observation for `insert_put`, or revise what is stored; return what stands against it."""
        key, t_us, value = observation.key, observation.t_us, observation.value
        if math.isinf(value):
            return "the value is infinite"
        place = (self._series(key), t_us)
        revision = Revision(key, t_us, observation.flag, observation.tests)
        taken, row = self._put.get(place), self._at(*place)
        if taken is not None or row is not None:
            stored = taken.value if taken is not None else row[0] if row is not None else None
            stored = math.nan if stored is None else stored
            if not same_value(stored, value):
                return f"{stored!r} is stored for this time"
            if taken is not None:
                self._put[place] = msgspec.structs.replace(taken, flag=revision.flag, tests=revision.tests)
            else:
                self.revise([revision])
            return None
        if self._closed(*place):
            return "the raw observations of this hour were deleted: it is closed"
        if observation.oid:
            identity = (self._outbox(key, observation.oid), observation.seq)
            if identity in self._put_identities or self._stored(*identity) is not None:
                return f"({observation.oid}, {observation.seq}) is stored with another time"
            self._put_identities.add(identity)
        self._put[place] = observation
        return None

    def insert_put(self) -> None:
        """Store what `put` took."""
        self.insert(list(self._put.values()))
        self._put.clear()

    def insert(self, observations: Sequence[Observation]) -> None:
        """Store observations that are new, with `latest` and `hourly`."""
        known = self._known
        rows = []
        newest: dict[int, tuple[int, int, float | None, int, int, int, int]] = {}
        hours: dict[tuple[int, int], list[float]] = {}
        for observation in observations:
            key, t_us, value, flag, tests, oid, seq, received_us, late = msgspec.structs.astuple(observation)
            series, outbox, number = self._series(key), None, None
            if oid:
                outbox, number = self._outbox(key, oid), seq
                known.seq[outbox] = max(known.seq[outbox], seq)
            known.last_id += 1
            stored = value if value == value else None  # noqa: PLR0124 -- NaN is stored as NULL
            mark, was_late = int(flag), int(late)  # exact ints: sqlite3 takes them without adaptation
            rows.append(
                (known.last_id, series, t_us, stored, mark, tests, outbox, number, received_us, was_late)
            )
            last = newest.get(series)
            if last is None or t_us > last[1]:
                newest[series] = (series, t_us, stored, mark, tests, received_us, was_late)
            known.time[series] = max(known.time[series], t_us)
            if flag not in UNUSABLE and stored is not None:
                hour = hours.setdefault((series, t_us - t_us % US_PER_HOUR), [0, 0.0, stored, stored])
                hour[0] += 1
                hour[1] += stored
                if stored < hour[2]:
                    hour[2] = stored
                elif stored > hour[3]:
                    hour[3] = stored
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
                "SELECT flag, tests FROM observation WHERE series = ? AND t = ?", where
            ).fetchone()
            if row is None or row == (revision.flag, revision.tests):
                continue
            self._known.last_id += 1
            mark = (int(revision.flag), revision.tests)
            self._connection.execute(
                "UPDATE observation SET id = ?, flag = ?, tests = ?, revised = 1 WHERE series = ? AND t = ?",
                (self._known.last_id, *mark, *where),
            )
            self._connection.execute(
                "UPDATE latest SET flag = ?, tests = ? WHERE series = ? AND t = ?", mark + where
            )
            changed = (row[0] in UNUSABLE) != (revision.flag in UNUSABLE)
            if changed and not self._closed(series, revision.t_us):
                self._recount_hour(series, revision.t_us - revision.t_us % US_PER_HOUR)

    def send_again(self, key: SeriesKey, t_us: int) -> bool:
        """Make a stored observation a new change, so that every follower sees it again; false where there is none."""
        sent = self._connection.execute(
            "UPDATE observation SET id = ?, revised = 1 WHERE series = ? AND t = ?",
            (self._known.last_id + 1, self._series(key), t_us),
        )
        self._known.last_id += sent.rowcount
        return sent.rowcount == 1

    def _recount_hour(self, series: int, hour: int) -> None:
        self._connection.execute("DELETE FROM hourly WHERE series = ? AND hour = ?", (series, hour))
        self._connection.execute(_RECOUNT_HOURLY, (series, hour, hour + US_PER_HOUR))

    def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep messages that could not be stored."""
        insert_dead_letters(self._connection, letters, self._letters_bound)

    def finish(self) -> None:
        """Write the change number; called by the store just before COMMIT."""
        if self._known.last_id != self._first_id:
            self._connection.execute(
                "UPDATE meta SET value = ? WHERE name = 'last_id'", (self._known.last_id,)
            )


_UPSERT_LATEST = """
    INSERT INTO latest VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (series) DO UPDATE SET
    t = excluded.t, value = excluded.value, flag = excluded.flag, tests = excluded.tests,
    received = excluded.received, late = excluded.late WHERE excluded.t > latest.t
"""
_UPSERT_HOURLY = """
    INSERT INTO hourly (series, hour, n, total, minimum, maximum) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (series, hour) DO UPDATE SET n = n + excluded.n, total = total + excluded.total,
    minimum = min(minimum, excluded.minimum), maximum = max(maximum, excluded.maximum)
"""
_RECOUNT_HOURLY = f"""
    INSERT INTO hourly (series, hour, n, total, minimum, maximum)
    SELECT series, t - t % {US_PER_HOUR}, count(*), sum(value), min(value), max(value) FROM observation
    WHERE series = ? AND t >= ? AND t < ? AND flag NOT IN (4, 9) AND value IS NOT NULL GROUP BY 1, 2
"""  # noqa: S608 -- constants
