"""Brings a register to the newest schema by Alembic; the scripts are part of the package."""

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text

from serayu.models.errors import StoreError
from serayu.models.stores.register.database import Database

SCRIPTS = Path(__file__).with_name("migrations")
_LOCK = 0x5E5A9  # any number, the same in every process: PostgreSQL's advisory lock of the migration
_turn = threading.Lock()  # Alembic's context is a global of its module


def upgrade(url: str) -> str:
    """Create or upgrade the register, in one transaction; safe in several processes and threads at once.

    Returns
    -------
    str
        The revision that the register has now.

    Raises
    ------
    StoreUnavailableError
        The database is locked or unreachable; nothing was changed.
    StoreError
        The register was written by a newer Serayu.
    """
    config = configuration()
    with _turn, Database(url) as database, database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(f"{database.name}: {error}: update Serayu") from error
    return newest()


def revision(url: str) -> str | None:
    """Return the revision that a register has; None for an empty database."""
    with Database(url) as database, database.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """Return the revision that this Serayu needs."""
    return str(ScriptDirectory.from_config(configuration()).get_current_head())


def configuration() -> Config:
    """Return Alembic's configuration without a file."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
