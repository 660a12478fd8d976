"""Messages that could not be stored, kept with the reason, counted, listed and replayable."""

import hashlib
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from serayu.models.stores.sqlite import ThreadConnections, translated

KEPT_BYTES = 64 * 1024  # enough to see what an oversized message was


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
    """A dead letter in the store; ``replayed_us`` is when it was stored after all."""

    id: int
    topic: str
    payload: bytes
    reason: str
    detail: str
    first_received_us: int
    last_received_us: int
    count: int  # type: ignore[assignment]  # hides tuple.count
    replayed_us: int | None


class DeadLetters:
    """Dead letters of a hot store, for commands and metrics; ingest adds them within its own transaction."""

    def __init__(self, connections: ThreadConnections) -> None:
        self._connections = connections

    def list(self, *, limit: int = 100, after_id: int = 0, reason: str | None = None) -> Sequence[KeptLetter]:
        """Return letters in order of arrival."""
        rows = self._run(
            "SELECT id, topic, payload, reason, detail, first_received, last_received, count, replayed"
            " FROM dead_letter WHERE id > ? AND (? IS NULL OR reason = ?) ORDER BY id LIMIT ?",
            (after_id, reason, reason, limit),
        )
        return [KeptLetter(*row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Return how many messages died of each reason, repeats included."""
        return dict(
            self._run("SELECT reason, sum(count) FROM dead_letter GROUP BY reason ORDER BY reason", ())
        )

    def mark_replayed(self, letter_id: int, at_us: int) -> None:
        """Note that a letter was stored after all."""
        self._run("UPDATE dead_letter SET replayed = ? WHERE id = ?", (at_us, letter_id))

    def _run(self, statement: str, parameters: Sequence[object]) -> Sequence[Any]:
        with translated(self._connections.path):
            return self._connections.get().execute(statement, parameters).fetchall()


def insert_dead_letters(connection: sqlite3.Connection, letters: Sequence[DeadLetter]) -> None:
    """Keep letters within the caller's transaction."""
    connection.executemany(_KEEP, [_row(letter) for letter in letters])


_KEEP = """
    INSERT INTO dead_letter (digest, topic, payload, reason, detail, first_received, last_received, count)
    VALUES (?, ?, ?, ?, ?, ?, ?, 1)
    ON CONFLICT (digest) DO UPDATE SET
    count = count + 1, last_received = excluded.last_received, detail = excluded.detail
"""


def _row(letter: DeadLetter) -> tuple[bytes, str, bytes, str, str, int, int]:
    payload, received_us = letter.payload[:KEPT_BYTES], letter.received_us
    return _digest(letter), letter.topic, payload, letter.reason, letter.detail, received_us, received_us


def _digest(letter: DeadLetter) -> bytes:
    parts = (letter.topic.encode(), letter.reason.encode(), letter.payload)
    return hashlib.sha256(b"\x00".join(parts)).digest()
