"""Tables of the outbox file, and the one way of opening it."""

import logging
import secrets
import sqlite3
import time
from pathlib import Path

from serayu.models.errors import StoreError, StoreFullError, StoreUnavailableError
from serayu.models.stores.sqlite import BUSY_TIMEOUT_MS, translated

VERSION = 1
PAGE_BYTES = 1024
# AUTOINCREMENT: without it SQLite gives numbers again once the table has been empty, and a number names a reading
# for ever. t_us is NULL until the clock is good; provisional is 1 once a reading went out without a time of its own.
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE boot (n INTEGER PRIMARY KEY AUTOINCREMENT, boot_id TEXT NOT NULL, last_us INTEGER NOT NULL);
CREATE TABLE mark (driver TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, property TEXT NOT NULL, value REAL NOT NULL, unit TEXT NOT NULL,
  t_us INTEGER, accepted_us INTEGER, boot INTEGER NOT NULL, boot_us INTEGER NOT NULL,
  provisional INTEGER NOT NULL DEFAULT 0);
CREATE TABLE rejected (
  seq INTEGER PRIMARY KEY, property TEXT NOT NULL, value REAL NOT NULL, unit TEXT NOT NULL, t_us INTEGER,
  reason TEXT NOT NULL);
"""
COUNTERS = ("confirmed", "rejected", "dropped", "refused")
_log = logging.getLogger(__name__)


def open_file(path: Path) -> sqlite3.Connection:
    """Open an outbox file, making it when it is new.

    A file that a failing card has spoiled is put aside under another name, and a new outbox (with a new ``oid``)
    takes its place: a station that measures on is worth more than one that waits for somebody to look.

    Raises
    ------
    StoreError
        The folder cannot be written, or the file belongs to a newer version of this program.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(f"{path.parent}: {error.strerror or error}") from error
    try:
        return _open(path)
    except (StoreUnavailableError, StoreFullError):
        raise
    except StoreError as error:
        if not path.exists() or isinstance(error, NewerFileError):
            raise
        aside = path.with_name(f"{path.stem}-spoiled-{time.time_ns() // 1000}{path.suffix}")
        for suffix in ("", "-wal", "-shm"):
            spoiled = path.with_name(path.name + suffix)
            if spoiled.exists():
                spoiled.rename(aside.with_name(aside.name + suffix))
        _log.exception("the outbox was spoiled; it is kept as %s and a new one begins", aside)
        return _open(path)


class NewerFileError(StoreError):
    """The file was written by a newer version of this program."""


def _open(path: Path) -> sqlite3.Connection:
    with translated(path):
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
        try:
            # Every commit writes whole pages, and a card wears by what is written: small pages for small rows.
            connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
            # Must be set while the file is empty: rows that were confirmed give their space back bit by bit.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA temp_store=MEMORY")
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerFileError(f"{path}: outbox of version {version}; this program knows {VERSION}")
    if version == 0:
        _create(connection)


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('oid', ?)", (secrets.token_hex(8),))
    connection.executemany("INSERT INTO counter VALUES (?, 0)", [(name,) for name in COUNTERS])
    connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("COMMIT")
