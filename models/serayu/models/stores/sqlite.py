"""What every SQLite file of Serayu has in common: pragmas, error translation, one connection a thread."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serayu.models.errors import StoreError, StoreFullError, StoreUnavailableError

BUSY_TIMEOUT_MS = 5000


def connect(path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> sqlite3.Connection:
    """Open a file in WAL mode; every commit reaches the disk before it returns (synchronous FULL).

    One thread at a time may use the connection; another one may close it.
    """
    with translated(path):
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=busy_timeout_ms / 1000, check_same_thread=False
        )
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
    return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn sqlite3's errors into the store errors of `serayu.models.errors`."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "full" in text:
            raise StoreFullError(f"{path}: {text}") from error
        if any(word in text for word in ("locked", "busy", "unable to open", "disk I/O", "readonly")):
            raise StoreUnavailableError(f"{path}: {text}") from error
        raise StoreError(f"{path}: {text}") from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError)):
            raise
        raise StoreError(f"{path}: {error}") from error


class _Held:
    """A thread's connection; whoever uses or closes it holds the lock."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self.closed = False
        self.connection = sqlite3.connect(
            path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000, check_same_thread=False
        )


class ThreadConnections:
    """One connection a thread to the same file, closed together.

    Closing waits for whoever is using one: SQLite does not survive a connection that is closed under a statement.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._all: list[_Held] = []
        self._lock = threading.Lock()

    @contextmanager
    def use(self) -> Iterator[sqlite3.Connection]:
        """Lend this thread's connection."""
        held = self._held()
        while not held.lock.acquire() or held.closed:
            held.lock.release()
            held = self._held()
        try:
            yield held.connection
        finally:
            held.lock.release()

    def close(self) -> None:
        """Close the connections of all threads; a thread that goes on gets a new one."""
        with self._lock:
            closing, self._all = self._all, []
            self._local = threading.local()
        for held in closing:
            with held.lock:
                held.closed = True
                held.connection.close()

    def _held(self) -> _Held:
        local = self._local
        held: _Held | None = getattr(local, "held", None)
        if held is None or held.closed:
            held = local.held = _Held(self.path)
            with self._lock:
                self._all.append(held)
        return held
