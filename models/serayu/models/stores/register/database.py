"""One door to the register's database: connections, transactions, and errors in Serayu's own words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url

from serayu.models.errors import (
    BadInputError,
    ConflictError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)

BUSY_TIMEOUT_MS = 5000
_WRITES = "serayu_writes"
_POSTGRES = "postgresql"
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "secure_delete=ON",
)
_DISK_FULL = "53100"  # PostgreSQL: disk_full
_UNDEFINED_TABLE = "42P01"  # PostgreSQL: undefined_table


def sqlite_url(path: Path) -> str:
    """Return the URL of a register in a SQLite file."""
    return URL.create("sqlite", database=str(path)).render_as_string()


class Database:
    """A database that is opened when it is first used; threads may share it.

    Parameters
    ----------
    url
        ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``postgresql://user@host/name``.
    busy_timeout_ms
        How long a transaction waits for a lock that another one holds.
    """

    def __init__(self, url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        try:
            parsed = make_url(url)
        except exc.ArgumentError as error:
            raise BadInputError(f"not a database URL: {error}", field="register") from None
        if parsed.get_backend_name() not in ("sqlite", _POSTGRES, "postgres"):
            message = f"the register lives in SQLite or PostgreSQL, not in {parsed.get_backend_name()!r}"
            raise BadInputError(message, field="register")
        make = _sqlite if parsed.get_backend_name() == "sqlite" else _postgres
        self._engine = make(parsed, busy_timeout_ms)
        self.name = parsed.render_as_string(hide_password=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection that is not in use; the object may be used again."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database.

        Raises
        ------
        StoreUnavailableError
            The database is locked or unreachable.
        """
        with self._translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes: it takes SQLite's write lock at once and commits at the end.

        Raises
        ------
        StoreUnavailableError, StoreFullError
            Nothing was written.
        ConflictError
            A uniqueness or reference that the tables promise does not hold.
        """
        with self._translated(), self._engine.connect() as connection:
            writer = connection.execution_options(**{_WRITES: True})
            with writer.begin():
                yield writer

    def ping(self) -> None:
        """Ask for an answer.

        Raises
        ------
        StoreUnavailableError
            There is none.
        """
        with self.reading() as connection:
            connection.exec_driver_sql("SELECT 1")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn SQLAlchemy's errors into the errors of `serayu.models.errors`."""
        try:
            yield
        except exc.IntegrityError as error:
            raise ConflictError(f"{self.name}: {error.orig}") from error
        except exc.DataError as error:
            raise BadInputError(f"the register cannot hold this: {error.orig}") from error
        except exc.DBAPIError as error:
            raise _store_error(self.name, error) from error
        except exc.TimeoutError as error:
            raise StoreUnavailableError(f"{self.name}: every connection is in use") from error


def _store_error(name: str, error: exc.DBAPIError) -> StoreError:
    text = f"{name}: {error.orig}".strip()
    state = getattr(error.orig, "sqlstate", None)
    if state == _DISK_FULL or "disk is full" in text:
        return StoreFullError(text)
    if state == _UNDEFINED_TABLE or "no such table" in text:
        return StoreError(f"{text.splitlines()[0]}; run `serayu db upgrade`")
    if isinstance(error, exc.OperationalError) or error.connection_invalidated:
        return StoreUnavailableError(text)
    return StoreError(text)


def _sqlite(url: URL, busy_timeout_ms: int) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise BadInputError("the register needs a file: memory is gone with the process", field="register")
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url.set(drivername="sqlite"), connect_args={"timeout": busy_timeout_ms / 1000})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # sqlite3 would begin late and let a reader's snapshot turn writer
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(url: URL, busy_timeout_ms: int) -> Engine:
    options = f"-c lock_timeout={busy_timeout_ms}ms -c statement_timeout=30s -c timezone=UTC"
    arguments: dict[str, Any] = {"connect_timeout": 5, "options": options}
    # A connection from before the server's restart is replaced instead of failing the first request after it.
    return create_engine(url.set(drivername="postgresql+psycopg"), connect_args=arguments, pool_pre_ping=True)
