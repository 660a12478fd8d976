"""The generator's own log: what it issued, and what the outbox has taken.

A line is written by one ``write`` to a file opened for appending, so that SIGKILL leaves whole lines. Each ends with
the true time, microseconds UTC, whatever the device's clock says. ``i 7 …``: number 7 is about to be handed over.
``a 7 …``: the agent has come back for more, which it does only after the outbox committed. ``o 7 …``: the outbox's
file held 7 when its agent had been killed or its card taken out (written by the campaign).
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

ISSUED, ACCEPTED, FOUND = "i", "a", "o"
_TAIL_BYTES = 256


class Journalled(NamedTuple):
    """What a log says: numbers in the order of their issue with its time (µs UTC), and those an outbox has taken."""

    issued: dict[int, int]
    accepted: set[int]


class Journal:
    """Appends to one log."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(self, what: str, number: int, *, at_us: int | None = None) -> None:
        """Write a line, with the present moment where no other is given."""
        moment_us = time.time_ns() // 1000 if at_us is None else at_us
        os.write(self._file, f"{what} {number} {moment_us}\n".encode())

    def close(self) -> None:
        os.close(self._file)


def journal_file(folder: Path, *, station: str, slug: str) -> Path:
    """Return the log of one datastream."""
    return folder / f"{station}.{slug}.log"


def read_journal(path: Path) -> Journalled:
    """Return what a log says; a line that is not whole does not count."""
    journalled = Journalled({}, set())
    if not path.exists():
        return journalled
    for line in path.read_text("ascii").splitlines(keepends=True):
        if not line.endswith("\n"):
            continue
        what, number, at_us = line.split()
        if what == ISSUED:
            journalled.issued[int(number)] = int(at_us)
        else:
            journalled.accepted.add(int(number))
    return journalled


def last_issued(path: Path) -> int:
    """Return the newest number of a log, 0 for none, from its last lines."""
    if not path.exists():
        return 0
    with path.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
        lines = stream.read().decode("ascii").splitlines()
    return max((int(line.split()[1]) for line in lines[-4:] if len(line.split()) == 3), default=0)
