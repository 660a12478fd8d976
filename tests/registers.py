"""An empty register of the newest schema: brought there by Alembic once, then copied for each test."""

import functools
import tempfile
from pathlib import Path

from serayu.models.stores.register import upgrade
from serayu.models.stores.register.database import sqlite_url


def empty_register(file: Path) -> str:
    """Write an empty SQLite register and return its URL."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_upgraded())
    return sqlite_url(file)


@functools.cache
def _upgraded() -> bytes:
    with tempfile.TemporaryDirectory(prefix="serayu-register-") as folder:
        file = Path(folder) / "register.db"
        upgrade(sqlite_url(file))
        assert [path.name for path in file.parent.iterdir()] == [file.name], "a journal holds a part of it"
        return file.read_bytes()
