"""Counts of an outbox, read from its file by another process while the agent works."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from serayu.models.stores.sqlite import translated

__all__ = ["Progress", "read_progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many readings an outbox has accepted, and what became of them.

    Parameters
    ----------
    accepted
        Readings that got a number.
    confirmed, rejected, dropped, pending
        Committed by ingest, refused by ingest, given up by a bound, still waiting: together ``accepted``.
    refused
        Readings not accepted because the outbox was full.
    """

    accepted: int = 0
    confirmed: int = 0
    rejected: int = 0
    dropped: int = 0
    pending: int = 0
    refused: int = 0

    def __add__(self, other: "Progress") -> "Progress":
        return Progress(
            self.accepted + other.accepted,
            self.confirmed + other.confirmed,
            self.rejected + other.rejected,
            self.dropped + other.dropped,
            self.pending + other.pending,
            self.refused + other.refused,
        )


def read_progress(file: Path) -> Progress:
    """Return the counts of an outbox file; all 0 while there is none.

    Raises
    ------
    StoreError
        The file cannot be read.
    """
    if not file.exists():
        return Progress()
    with translated(file):
        link = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            link.execute("BEGIN")
            if link.execute("PRAGMA user_version").fetchone()[0] == 0:
                return Progress()  # being made at this moment
            counters = dict(link.execute("SELECT name, n FROM counter"))
            pending = link.execute("SELECT count(*) FROM outbox").fetchone()[0]
        finally:
            link.close()
    # Not the highest number: a new start of the device may skip some.
    accepted = pending + counters["confirmed"] + counters["rejected"] + counters["dropped"]
    return Progress(accepted=accepted, pending=pending, **counters)
