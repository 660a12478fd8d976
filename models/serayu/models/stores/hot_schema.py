"""Numbered migrations of the hot store's SQLite file; ``PRAGMA user_version`` counts those applied."""

import sqlite3

from serayu.models.errors import StoreError

# observation.id is the store's change number: new and revised rows take the next one, so a cursor that
# follows it sees every change once. It is kept in `meta`, not AUTOINCREMENT: one counter for inserts and
# revisions alike.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE series (
        id INTEGER PRIMARY KEY, region TEXT NOT NULL, station TEXT NOT NULL, property TEXT NOT NULL,
        UNIQUE (region, station, property)
    );
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY, region TEXT NOT NULL, station TEXT NOT NULL, oid TEXT NOT NULL,
        UNIQUE (region, station, oid)
    );
    CREATE TABLE observation (
        id INTEGER PRIMARY KEY, series INTEGER NOT NULL, t INTEGER NOT NULL, value REAL,
        flag INTEGER NOT NULL, tests INTEGER NOT NULL, outbox INTEGER, seq INTEGER,
        received INTEGER NOT NULL, late INTEGER NOT NULL, revised INTEGER NOT NULL DEFAULT 0
    );
    CREATE UNIQUE INDEX observation_time ON observation (series, t);
    CREATE UNIQUE INDEX observation_identity ON observation (outbox, seq) WHERE outbox IS NOT NULL;
    CREATE TABLE latest (
        series INTEGER PRIMARY KEY, t INTEGER NOT NULL, value REAL, flag INTEGER NOT NULL,
        tests INTEGER NOT NULL, received INTEGER NOT NULL, late INTEGER NOT NULL
    );
    CREATE TABLE hourly (
        series INTEGER NOT NULL, hour INTEGER NOT NULL, n INTEGER NOT NULL, total REAL NOT NULL,
        minimum REAL NOT NULL, maximum REAL NOT NULL, PRIMARY KEY (series, hour)
    ) WITHOUT ROWID;
    CREATE TABLE dead_letter (
        id INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE, topic TEXT NOT NULL,
        payload BLOB NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
        first_received INTEGER NOT NULL, last_received INTEGER NOT NULL,
        count INTEGER NOT NULL, replayed INTEGER
    );
    CREATE TABLE agent_status (
        region TEXT NOT NULL, station TEXT NOT NULL, received INTEGER NOT NULL, payload BLOB NOT NULL,
        PRIMARY KEY (region, station)
    ) WITHOUT ROWID;
    CREATE TABLE silence (
        id INTEGER PRIMARY KEY AUTOINCREMENT, region TEXT NOT NULL, station TEXT NOT NULL,
        property TEXT NOT NULL, since INTEGER NOT NULL, noticed INTEGER NOT NULL, ended INTEGER
    );
    CREATE INDEX silence_open ON silence (region, station, property) WHERE ended IS NULL;
    CREATE TABLE cursor (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO meta VALUES ('last_id', 0);
    """,
    # An hour is closed once a raw row of it was deleted: what its row in `hourly` says cannot be checked any
    # more. Before 'deleted_before' (microseconds UTC) an hour may be closed, from there on none is.
    """
    ALTER TABLE hourly ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
    INSERT INTO meta VALUES ('deleted_before', -4611686018427387904);
    """,
    # What dead letters take is counted, not searched for at each letter; those dropped still count by reason.
    """
    CREATE TABLE dead_letter_dropped (reason TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO meta SELECT 'dead_letter_rows', count(*) FROM dead_letter;
    INSERT INTO meta SELECT 'dead_letter_bytes',
        coalesce(sum(length(CAST(topic AS BLOB)) + length(payload)), 0) FROM dead_letter;
    """,
    # What seems to be wrong with a sensor at present: ingest judges, others show it.
    """
    CREATE TABLE sensor_fault (
        region TEXT NOT NULL, station TEXT NOT NULL, kind TEXT NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (region, station, kind)
    ) WITHOUT ROWID;
    """,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file to the newest schema, one transaction per step.

    Raises
    ------
    StoreError
        The file was written by a newer Serayu.
    """
    while (version := _version(connection)) < len(MIGRATIONS):
        # One process migrates, another that starts beside it waits for the lock and finds the work done.
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection) == version:
                for statement in MIGRATIONS[version].split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the store has schema {version}, this Serayu knows {len(MIGRATIONS)}: update Serayu"
        )


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
