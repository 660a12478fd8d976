"""Migrations and failures of the register, on SQLite and on a real PostgreSQL."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from serayu.models.access import Role
from serayu.models.errors import (
    BadInputError,
    ConflictError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import Database, sqlite_url
from serayu.models.stores.register.evaluator import CursorMove
from serayu.models.stores.register.migrate import newest, revision
from serayu.models.stores.register.schema import metadata
from tests import servers


def test_an_empty_database_is_brought_to_the_tables_of_the_schema(url: str) -> None:
    assert revision(url) is None
    assert upgrade(url) == newest() == revision(url)
    with Database(url) as database, database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_upgrading_again_changes_nothing_and_keeps_the_rows(register: Register, url: str) -> None:
    secret, key = register.create_key("33.02", "Dinas", Role.DISHUB, now_us=1)
    assert upgrade(url) == newest()
    assert register.find_key(secret) == key


def test_programs_that_start_together_may_all_upgrade(url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(upgrade, [url] * 3)) == {newest()}


def test_a_register_of_a_newer_serayu_is_refused(register: Register, url: str) -> None:
    with register.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="update Serayu"):
        upgrade(url)


def test_a_register_without_tables_says_what_to_do(url: str) -> None:
    with Register(url) as register, pytest.raises(StoreError, match="serayu db upgrade"):
        register.alerts()


def test_a_broken_promise_of_the_tables_is_a_conflict_and_rolls_back(register: Register) -> None:
    twice = text(
        "INSERT INTO evaluator_cursor SELECT '33.02', 'alerts', n FROM (SELECT 1 AS n UNION SELECT 2) AS two"
    )
    with pytest.raises(ConflictError), register.writing() as connection:
        connection.execute(twice)
    assert register.evaluator_snapshot("33.02", "alerts").position == 0


def test_an_error_of_the_caller_rolls_back_and_passes(register: Register) -> None:
    def insert_and_fail() -> None:
        with register.writing() as connection:
            connection.execute(text("INSERT INTO evaluator_cursor VALUES ('33.02', 'alerts', 1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        insert_and_fail()
    assert register.evaluator_snapshot("33.02", "alerts").position == 0


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "not a database URL"),
        ("register.db", "not a database URL"),
        ("mysql://host/db", "SQLite or PostgreSQL"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_a_url_that_is_no_register_is_bad_input(url: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        Register(url)


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    file = tmp_path / "register.db"
    upgrade(sqlite_url(file))
    return file


def test_a_sqlite_register_is_durable(file: Path) -> None:
    with Register(sqlite_url(file)) as register, register.reading() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys")
        assert [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas] == ["wal", 2, 1]


def test_a_locked_file_is_unavailable_for_writing_and_still_read(file: Path) -> None:
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with Register(sqlite_url(file), busy_timeout_ms=10) as register:
        with pytest.raises(StoreUnavailableError, match="locked"):
            register.add_audit("33.02", actor="a", action="b", target="c", now_us=1)
        assert register.audit_entries() == []
        holder.close()
        register.add_audit("33.02", actor="a", action="b", target="c", now_us=1)
        assert len(register.audit_entries()) == 1


def test_a_full_file_is_full_and_nothing_was_written(file: Path) -> None:
    big = {"pos-a": b"x" * 1_000_000}
    with Register(sqlite_url(file)) as register:
        with register.reading() as connection:  # a limit of this connection, which the pool hands out again
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
        with pytest.raises(StoreFullError, match="full"):
            register.record_changes(
                "33.02", cursor=CursorMove("alerts", 0, 1), states=big, changes=[], now_us=1
            )
        assert register.evaluator_snapshot("33.02", "alerts") == (0, {}, 0)


def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    file = tmp_path / "register.db"
    file.write_text("not a database, but long enough that SQLite looks at it" * 20)
    with Register(sqlite_url(file)) as register, pytest.raises(StoreError, match="not a database"):
        register.alerts()


@pytest.mark.servers
def test_a_stopped_server_is_unavailable_and_its_return_is_noticed() -> None:
    with servers.postgres() as server:
        upgrade(server.url)
        with Register(server.url.replace("+psycopg", "")) as register:
            register.ping()
            server.stop()
            with pytest.raises(StoreUnavailableError) as error:
                register.ping()
            assert "postgres@127.0.0.1" in str(error.value)
            server.start()
            register.ping()


def test_a_password_is_not_in_messages() -> None:
    port = servers.free_port()
    with (
        Register(f"postgresql://serayu:rahasia@127.0.0.1:{port}/serayu") as register,
        pytest.raises(StoreUnavailableError) as error,
    ):
        register.ping()
    assert "rahasia" not in str(error.value)
