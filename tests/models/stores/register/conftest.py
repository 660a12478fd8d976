"""A register to test against: always SQLite, and a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import sqlite_url
from tests import servers
from tests.registers import empty_register


@pytest.fixture(scope="package", name="postgres")
def _postgres() -> Iterator[servers.Server]:
    with servers.postgres() as server:
        yield server


@pytest.fixture(name="url", params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def _url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "folder that is made" / "register.db")
    url: str = request.getfixturevalue("postgres").url
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as link:
        link.execute("DROP SCHEMA public CASCADE")
        link.execute("CREATE SCHEMA public")
    return url


@pytest.fixture(name="register")
def _register(url: str) -> Iterator[Register]:
    if url.startswith("sqlite"):
        empty_register(Path(make_url(url).database or ""))
    else:
        upgrade(url)
    with Register(url) as register:
        yield register
