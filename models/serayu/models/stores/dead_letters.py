"""Messages that could not be stored, kept with the reason, counted, listed and replayable."""

import hashlib
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from serayu.models.stores.sqlite import ThreadConnections, translated

KEPT_BYTES = 64 * 1024  # enough to see what an oversized message was
DETAIL_CHARS = 1000


class Bound(NamedTuple):
    """How many letters are kept, and how many bytes of topics and payloads; the oldest give way.

    Those given way still count in `DeadLetters.counts`.
    """

    rows: int = 100_000
    bytes: int = 256 * 1024 * 1024


class DeadLetter(NamedTuple):
    """A message that could not be stored.

    ``reason`` is a stable word, ``detail`` one clause for people. The same topic and payload with the same
    reason is one letter with a count: a device repeats what is not confirmed.
    """

    topic: str
    payload: bytes
    reason: str
    detail: str
    received_us: int


class KeptLetter(NamedTuple):
    """A dead letter in the store.

    ``replayed_us`` is when it was stored after all; a payload that is not ``whole`` was cut at `KEPT_BYTES`.
    """

    id: int
    topic: str
    payload: bytes
    reason: str
    detail: str
    first_received_us: int
    last_received_us: int
    count: int  # type: ignore[assignment]  # hides tuple.count
    replayed_us: int | None
    whole: bool = True


class DeadLetters:
    """Dead letters of a hot store, for commands and metrics; ingest adds them within its own transaction."""

    def __init__(self, connections: ThreadConnections) -> None:
        self._connections = connections

    def list(self, *, limit: int = 100, after_id: int = 0, reason: str | None = None) -> Sequence[KeptLetter]:
        """Return letters in order of arrival."""
        rows = self._run(
            "SELECT id, topic, payload, reason, detail, first_received, last_received, count, replayed,"
            " digest"
            " FROM dead_letter WHERE id > ? AND (? IS NULL OR reason = ?) ORDER BY id LIMIT ?",
            (after_id, reason, reason, limit),
        )
        return [KeptLetter._make([*row[:-1], _is_whole(row)]) for row in rows]

    def last_id(self) -> int:
        """Return the number of the newest letter; 0 for none."""
        ((last_id,),) = self._run("SELECT coalesce(max(id), 0) FROM dead_letter", ())
        return int(last_id)

    def counts(self) -> dict[str, int]:
        """Return how many messages died of each reason, repeats and letters that were dropped included."""
        return dict(self._run(_COUNTS, ()))

    def mark_replayed(self, letter_id: int, at_us: int) -> None:
        """Note that a letter was stored after all."""
        self._run("UPDATE dead_letter SET replayed = ? WHERE id = ?", (at_us, letter_id))

    def _run(self, statement: str, parameters: Sequence[object]) -> Sequence[Any]:
        with translated(self._connections.path), self._connections.use() as connection:
            return connection.execute(statement, parameters).fetchall()


_COUNTS = """
    SELECT reason, sum(count) FROM
        (SELECT reason, count FROM dead_letter UNION ALL SELECT reason, count FROM dead_letter_dropped)
    GROUP BY reason ORDER BY reason
"""


def insert_dead_letters(connection: sqlite3.Connection, letters: Sequence[DeadLetter], bound: Bound) -> None:
    """Keep letters within the caller's transaction; the oldest give way where there are too many."""
    rows = size = 0
    for letter in letters:
        row = _row(letter)
        if connection.execute(_REPEAT, (row[6], row[4], row[0])).rowcount == 0:
            connection.execute(_KEEP, row)
            rows += 1
            size += len(row[1].encode()) + len(row[2])
    if rows:
        _grow(connection, rows, size)
        _drop_oldest(connection, bound)


def _grow(connection: sqlite3.Connection, rows: int, size: int) -> None:
    connection.executemany(
        "UPDATE meta SET value = value + ? WHERE name = ?",
        [(rows, "dead_letter_rows"), (size, "dead_letter_bytes")],
    )


def _drop_oldest(connection: sqlite3.Connection, bound: Bound) -> None:
    held = dict(connection.execute("SELECT name, value FROM meta WHERE name LIKE 'dead_letter_%'").fetchall())
    rows, size = held["dead_letter_rows"] - bound.rows, held["dead_letter_bytes"] - bound.bytes
    if rows <= 0 and size <= 0:
        return
    dropped = dropped_bytes = last_id = 0
    for letter_id, letter_bytes in connection.execute(_OLDEST):
        if dropped >= rows and dropped_bytes >= size:
            break
        dropped, dropped_bytes, last_id = dropped + 1, dropped_bytes + letter_bytes, letter_id
    connection.execute(_COUNT_DROPPED, (last_id,))
    connection.execute("DELETE FROM dead_letter WHERE id <= ?", (last_id,))
    _grow(connection, -dropped, -dropped_bytes)


# A letter that was replayed and dies again is dead again.
_REPEAT = """
    UPDATE dead_letter SET count = count + 1, last_received = ?, detail = ?, replayed = NULL WHERE digest = ?
"""
_KEEP = """
    INSERT INTO dead_letter (digest, topic, payload, reason, detail, first_received, last_received, count)
    VALUES (?, ?, ?, ?, ?, ?, ?, 1)
"""
_OLDEST = "SELECT id, length(CAST(topic AS BLOB)) + length(payload) FROM dead_letter ORDER BY id"
_COUNT_DROPPED = """
    INSERT INTO dead_letter_dropped SELECT reason, sum(count) FROM dead_letter WHERE id <= ? GROUP BY reason
    ON CONFLICT (reason) DO UPDATE SET count = count + excluded.count
"""


def _row(letter: DeadLetter) -> tuple[bytes, str, bytes, str, str, int, int]:
    payload, received_us = letter.payload[:KEPT_BYTES], letter.received_us
    detail = letter.detail[:DETAIL_CHARS]
    digest = _digest(letter.topic, letter.reason, letter.payload)
    return digest, letter.topic, payload, letter.reason, detail, received_us, received_us


def _is_whole(row: Sequence[Any]) -> bool:
    _, topic, payload, reason, *_, digest = row
    return len(payload) < KEPT_BYTES or bool(_digest(topic, reason, payload) == digest)


def _digest(topic: str, reason: str, payload: bytes) -> bytes:
    return hashlib.sha256(b"\x00".join((topic.encode(), reason.encode(), payload))).digest()
