"""The outbox: every reading from its acceptance until ingest has committed it, in one SQLite file.

A reading that `Outbox.append` has accepted is in exactly one state, whatever is killed: pending, confirmed,
rejected, or dropped by a bound, and the counters say how many are in each. One thread owns an outbox.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from serayu.edge.config import OutboxConfig
from serayu.edge.outbox_schema import open_file
from serayu.models.errors import StoreError
from serayu.models.stores.sqlite import translated
from serayu.models.times import US_PER_DAY

__all__ = ["Outbox", "Pending", "Stamped"]

REJECTED_KEPT = 1_000
_RESERVED = 100_000  # numbers set aside by one commit that reaches the card
_DROP_SHARE, _DROP_LEAST = 64, 64  # the oldest 1/64 of the readings, at least 64, give way at once
_VACUUM_PAGES = 64
_FIELDS = "seq, property, value, unit, t_us, boot, boot_us, provisional"
_log = logging.getLogger(__name__)


class Stamped(NamedTuple):
    """A value with what is known about its time.

    Parameters
    ----------
    property, value, unit
        As in `Sample`.
    t_us
        Phenomenon time, microseconds UTC; None where neither source nor clock know it.
    accepted_us
        Moment of acceptance, microseconds UTC; None where the clock is not believed.
    boot_us
        Moment of reading, microseconds since the device started.
    driver, mark
        Whose, and its position in the driver's source.
    """

    property: str
    value: float
    unit: str
    t_us: int | None
    accepted_us: int | None
    boot_us: int
    driver: str = ""
    mark: int | None = None


class Pending(NamedTuple):
    """A reading that ingest has not confirmed; ``boot`` counts the device's starts."""

    seq: int
    property: str
    value: float
    unit: str
    t_us: int | None
    boot: int
    boot_us: int
    provisional: int


class Outbox:
    """Readings of one station that wait for confirmation.

    Parameters
    ----------
    path
        The file; made when new.
    config
        Bounds and policy.
    boot_id
        Names the device's start: times since start of different starts have nothing in common.
    """

    def __init__(self, path: Path, *, config: OutboxConfig, boot_id: str) -> None:
        self.path = path
        self._config = config
        self._db = open_file(path)
        with translated(path):
            self.oid: str = self._db.execute("SELECT value FROM meta WHERE key = 'oid'").fetchone()[0]
            self.backlog: int = self._db.execute("SELECT count(*) FROM outbox").fetchone()[0]
            self._page_size: int = self._db.execute("PRAGMA page_size").fetchone()[0]
            self._counters: dict[str, int] = dict(self._db.execute("SELECT name, n FROM counter"))
            row = self._db.execute("SELECT value FROM meta WHERE key = 'reserved'").fetchone()
            self._reserved = int(row[0]) if row else 0
            self._boots = self._enter_boot(boot_id)
            self.last_seq = self._last_seq()
        self._boot = max(self._boots)
        self._room_fault: str | None = None

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def append(self, samples: Sequence[Stamped]) -> range:
        """Accept readings in one commit and return their numbers.

        A number names one reading for ever, so none is given out that a power cut could take back and the next
        start of the device give again. With ``synchronous = "NORMAL"`` the card may not have the last commits:
        then numbers come out of a block that was set aside by a commit that it has, and the next start of the
        device begins after that block.

        With the policy ``refuse_newest`` a full outbox accepts none and counts them as refused; with
        ``drop_oldest`` the oldest make room, now or, where the card fails at that, at the next call.

        Raises
        ------
        StoreError
            The file cannot be written; nothing was accepted.
        """
        if not samples:
            return range(0)
        try:
            return self._accept(samples)
        finally:
            self._make_room()  # also after a failure: a card that is full may have room for the next

    def marks(self) -> Mapping[str, int]:
        """Return the highest mark of each driver."""
        with translated(self.path):
            return dict(self._db.execute("SELECT driver, position FROM mark"))

    def pending(self, *, limit: int, after: int = 0) -> list[Pending]:
        """Return up to *limit* unconfirmed readings with numbers above *after*, in order."""
        with translated(self.path):
            rows = self._db.execute(
                f"SELECT {_FIELDS} FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608 -- a constant
                (after, limit),
            )
            return [Pending(*row) for row in rows]

    def get(self, seqs: Sequence[int]) -> list[Pending]:
        """Return those of the readings that are still unconfirmed, in order."""
        if not seqs:
            return []
        wanted = set(seqs)
        with translated(self.path):
            rows = self._db.execute(
                f"SELECT {_FIELDS} FROM outbox WHERE seq BETWEEN ? AND ? ORDER BY seq",  # noqa: S608
                (min(wanted), max(wanted)),
            )
            return [Pending(*row) for row in rows if row[0] in wanted]

    def confirm(self, seqs: Iterable[int]) -> int:
        """Let go of readings that ingest has committed; returns how many there were."""
        return self._remove("confirmed", [(seq,) for seq in seqs])

    def reject(self, reasons: Mapping[int, str]) -> int:
        """Move readings that ingest refuses to the table of rejected readings; returns how many there were."""
        if not reasons:
            return 0
        with self._commit(durable=False):
            self._db.executemany(
                "INSERT OR REPLACE INTO rejected SELECT seq, property, value, unit, t_us, ? FROM outbox WHERE seq = ?",
                [(reason, seq) for seq, reason in reasons.items()],
            )
            moved = self._delete("rejected", [(seq,) for seq in reasons])
            self._db.execute(
                "DELETE FROM rejected WHERE seq <= (SELECT seq FROM rejected ORDER BY seq DESC LIMIT 1 OFFSET ?)",
                (REJECTED_KEPT,),
            )
        self.backlog -= moved
        return moved

    def renumber(self, seqs: Iterable[int], *, skip: int) -> int:
        """Give unconfirmed readings new numbers, *skip* beyond the last; returns how many there were.

        Raises
        ------
        StoreError
            The file cannot be written; they keep their numbers.
        """
        held = [(reading.seq,) for reading in self.get(list(seqs))]
        if not held:
            return 0
        first = self.last_seq + skip + 1
        last = first + len(held) - 1
        with self._commit(durable=True):
            moves = [(new, *old) for new, old in enumerate(held, first)]
            self._db.executemany("UPDATE outbox SET seq = ? WHERE seq = ?", moves)
            self._db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'outbox'", (last,))
            self._reserve(last + _RESERVED)
        self.last_seq, self._reserved = last, last + _RESERVED
        return len(held)

    def rejected(self, *, limit: int = REJECTED_KEPT) -> list[tuple[int, str, float, str]]:
        """Return the last rejected readings as (seq, property, value, reason)."""
        with translated(self.path):
            query = "SELECT seq, property, value, reason FROM rejected ORDER BY seq DESC LIMIT ?"
            return self._db.execute(query, (limit,)).fetchall()

    def restamp(self, offset_us: int) -> int:
        """Give this start's readings their time, now that the clock is good; returns how many got one.

        Readings that were sent without one keep none: ingest has assigned it.

        Parameters
        ----------
        offset_us
            Wall clock minus time since start, microseconds.
        """
        with self._commit(durable=self._config.synchronous == "FULL"):
            self._db.execute(
                "UPDATE outbox SET accepted_us = boot_us + ? WHERE boot = ? AND accepted_us IS NULL",
                (offset_us, self._boot),
            )
            done = self._db.execute(
                "UPDATE outbox SET t_us = boot_us + ? WHERE boot = ? AND t_us IS NULL AND provisional = 0",
                (offset_us, self._boot),
            )
        return done.rowcount

    def mark_provisional(self, seqs: Iterable[int]) -> None:
        """Note that readings go out without a time of their own, before they do."""
        rows = [(seq,) for seq in seqs]
        if rows:
            with self._commit(durable=False):
                self._db.executemany("UPDATE outbox SET provisional = 1 WHERE seq = ?", rows)

    def age_us(self, reading: Pending, *, boot_us: int) -> int:
        """Return how long ago a reading was taken, by the clock since the device's start.

        For a reading of an earlier start that is the least it can be: the time that the device was off is unknown
        and counts as nothing, so order and spacing within a start are kept.

        Parameters
        ----------
        reading
            The reading.
        boot_us
            Time since start now, microseconds.
        """
        if reading.boot == self._boot:
            return max(0, boot_us - reading.boot_us)
        between = sum(last for n, last in self._boots.items() if reading.boot < n < self._boot)
        return boot_us + between + max(0, self._boots.get(reading.boot, reading.boot_us) - reading.boot_us)

    def drop_old(self, *, boot_us: int) -> int:
        """Drop readings that are certainly older than the configured days; returns how many.

        Age is that of `age_us`: a wall clock that jumps a year ahead, or was a year behind when a reading was
        accepted, must not make a reading old. Time that the device was off does not count.

        Parameters
        ----------
        boot_us
            Time since start now, microseconds.
        """
        limit_us = round(self._config.max_age_days * US_PER_DAY)
        oldest = self.pending(limit=1)
        if not oldest or self.age_us(oldest[0], boot_us=boot_us) <= limit_us:
            return 0
        rows: list[tuple[int]] = []
        between_us = 0
        for boot in sorted(self._boots, reverse=True):
            newest_us = boot_us if boot == self._boot else boot_us + between_us + self._boots[boot]
            with translated(self.path):
                rows += self._db.execute(
                    "SELECT seq FROM outbox WHERE boot = ? AND boot_us < ?", (boot, newest_us - limit_us)
                ).fetchall()
            between_us += self._boots[boot] if boot != self._boot else 0
        return self._remove("dropped", rows)

    def counters(self) -> Mapping[str, int]:
        """Return how many readings were accepted, confirmed, rejected, dropped by a bound, and refused at the door."""
        gone = sum(self._counters[name] for name in ("confirmed", "rejected", "dropped"))
        return {"accepted": self.backlog + gone, **self._counters}

    def used_bytes(self) -> int:
        """Return the bytes of the file's pages that hold something."""
        with translated(self.path):
            (pages,) = self._db.execute("PRAGMA page_count").fetchone()
            (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
        return int(pages - free) * self._page_size

    def give_space_back(self) -> None:
        """Return some free pages to the file system."""
        with translated(self.path):
            (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
            if free > _VACUUM_PAGES:
                # Not execute(): it takes one step of the statement, and each step gives back one page.
                self._db.executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})")

    def _accept(self, samples: Sequence[Stamped]) -> range:
        refuse = self._config.policy == "refuse_newest" and self.used_bytes() >= self._config.max_bytes
        reserve = self._config.synchronous == "NORMAL" and self.last_seq + len(samples) > self._reserved
        reserved = self.last_seq + len(samples) + _RESERVED if reserve else self._reserved
        with self._commit(durable=reserve or self._config.synchronous == "FULL"):
            if refuse:
                self._count("refused", len(samples))
                return range(0)
            self._db.executemany(
                "INSERT INTO outbox (property, value, unit, t_us, accepted_us, boot, boot_us) VALUES (?,?,?,?,?,?,?)",
                [(*s[:5], self._boot, s.boot_us) for s in samples],
            )
            marks = {s.driver: s.mark for s in samples if s.mark is not None}
            self._db.executemany("INSERT OR REPLACE INTO mark VALUES (?, ?)", list(marks.items()))
            last_us = max(s.boot_us for s in samples)
            self._db.execute("UPDATE boot SET last_us = max(last_us, ?) WHERE n = ?", (last_us, self._boot))
            if reserve:
                self._reserve(reserved)
            last = self._last_seq()
        self._reserved = reserved
        first, self.last_seq = self.last_seq + 1, last
        self.backlog += len(samples)
        self._boots[self._boot] = max(self._boots[self._boot], last_us)
        return range(first, last + 1)

    def _reserve(self, reserved: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('reserved', ?)", (str(reserved),))

    def _make_room(self) -> None:
        """Drop the oldest readings of an outbox that is too large.

        A failure goes no further than the log: by now the new readings are in the file, and who hears of an error
        keeps them and would append them a second time.
        """
        try:
            self._drop_oldest()
        except StoreError as error:
            if self._room_fault is None:
                _log.warning("the outbox is full and its oldest readings cannot be dropped: %s", error)
            self._room_fault = str(error)
            return
        self._room_fault = None

    def _drop_oldest(self) -> None:
        while (
            self._config.policy == "drop_oldest"
            and self.backlog
            and self.used_bytes() > self._config.max_bytes
        ):
            count = max(self.backlog // _DROP_SHARE, _DROP_LEAST)
            with translated(self.path):
                rows = self._db.execute("SELECT seq FROM outbox ORDER BY seq LIMIT ?", (count,)).fetchall()
            self._remove("dropped", rows)

    def _remove(self, counter: str, rows: Sequence[tuple[int]]) -> int:
        if not rows:
            return 0
        # Not forced to disk: what a power cut brings back is sent again and confirmed again.
        with self._commit(durable=False):
            gone = self._delete(counter, rows)
        self.backlog -= gone
        return gone

    def _delete(self, counter: str, rows: Sequence[tuple[int]]) -> int:
        gone = self._db.executemany("DELETE FROM outbox WHERE seq = ?", rows).rowcount
        self._count(counter, gone)
        return gone

    def _count(self, counter: str, n: int) -> None:
        self._db.execute("UPDATE counter SET n = n + ? WHERE name = ?", (n, counter))

    @contextmanager
    def _commit(self, *, durable: bool) -> Iterator[None]:
        with translated(self.path):
            self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                counters = dict(self._db.execute("SELECT name, n FROM counter"))
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        self._counters = counters

    def _last_seq(self) -> int:
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
        return int(row[0]) if row else 0

    def _enter_boot(self, boot_id: str) -> dict[int, int]:
        """Return the last known time since start of each start, this one included."""
        row = self._db.execute("SELECT boot_id FROM boot ORDER BY n DESC LIMIT 1").fetchone()
        if row is None or row[0] != boot_id:
            with self._commit(durable=False):
                self._db.execute(
                    "DELETE FROM boot WHERE n < coalesce((SELECT min(boot) FROM outbox), (SELECT max(n) FROM boot))"
                )
                self._db.execute("INSERT INTO boot (boot_id, last_us) VALUES (?, 0)", (boot_id,))
                self._db.execute(
                    "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'outbox'", (self._reserved,)
                )
        return dict(self._db.execute("SELECT n, last_us FROM boot"))
