"""What the alert evaluator remembers and records: cursor, states and changes move in one transaction."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from serayu.models.alert import Alert, AlertChange, AlertStatus, open_alert
from serayu.models.errors import ConflictError
from serayu.models.siaga import SiagaChange
from serayu.models.stores.register.alerts import read_alerts
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.schema import alert, alert_change, evaluator_cursor, evaluator_state
from serayu.models.uuid7 import uuid7


class CursorMove(NamedTuple):
    """An evaluator has come from *before* to *position* in the hot store's order of changes.

    ``turn`` is how many recordings it knows of: what the clock brings about moves no position, and must not be
    recorded by two evaluators either. None is not looked at.
    """

    name: str
    before: int
    position: int
    turn: int | None = None


class EvaluatorSnapshot(NamedTuple):
    """Where an evaluator is, and the state of each station (JSON) at that position."""

    position: int
    states: Mapping[str, bytes]
    turn: int = 0


class EvaluatorLog(Database):
    """The register's side of the alert evaluator."""

    def evaluator_snapshot(self, region: str, name: str) -> EvaluatorSnapshot:
        """Return position and states as of one moment; position 0 for a new evaluator."""
        states = select(evaluator_state.c.station, evaluator_state.c.state)
        with self.reading() as connection:
            position = _position(connection, region, name, lock=False)
            turn = _position(connection, region, _turns(name), lock=False)
            rows = connection.execute(states.where(evaluator_state.c.region == region))
            known = {row.station: row.state.encode() for row in rows}
            return EvaluatorSnapshot(position or 0, known, turn or 0)

    def record_changes(
        self,
        region: str,
        *,
        cursor: CursorMove,
        states: Mapping[str, bytes],
        changes: Sequence[tuple[str, SiagaChange]],
        now_us: int,
    ) -> list[AlertChange]:
        """Move the cursor, keep the states and record the changes, all or nothing.

        Parameters
        ----------
        region
            Region code of the stations.
        cursor
            From where to where the evaluator has come.
        states
            New state (JSON) of each station that has one.
        changes
            Station and change, in the order to be recorded; one that leaves normal opens an alert, one that
            comes back to normal ends it.
        now_us
            Present, microseconds UTC.

        Returns
        -------
        list of AlertChange
            The changes with their numbers and alerts.

        Raises
        ------
        ConflictError
            The cursor is no longer at ``cursor.before``, or the turn not ``cursor.turn``: another evaluator was
            faster. Nothing was recorded.
        """
        with self.writing() as connection:
            _move_cursor(connection, region, cursor)
            if cursor.turn is not None:
                taken = CursorMove(_turns(cursor.name), cursor.turn, cursor.turn + 1)
                _move_cursor(connection, region, taken)
            _keep_states(connection, region, states)
            return _record(connection, region, changes, now_us) if changes else []


def _turns(name: str) -> str:
    return f"{name}#turn"


def _position(connection: Connection, region: str, name: str, *, lock: bool) -> int | None:
    query = select(evaluator_cursor.c.position)
    query = query.where(evaluator_cursor.c.region == region, evaluator_cursor.c.name == name)
    return connection.execute(query.with_for_update() if lock else query).scalar()


def _move_cursor(connection: Connection, region: str, cursor: CursorMove) -> None:
    stored = _position(connection, region, cursor.name, lock=True)
    if (stored or 0) != cursor.before:
        raise ConflictError(f"evaluator {cursor.name!r} is at {stored or 0}, not at {cursor.before}")
    if stored is None:  # of two first evaluators the slower one meets the primary key: ConflictError
        row = {"region": region, "name": cursor.name, "position": cursor.position}
        connection.execute(insert(evaluator_cursor), row)
        return
    here = (evaluator_cursor.c.region == region) & (evaluator_cursor.c.name == cursor.name)
    connection.execute(update(evaluator_cursor).where(here).values(position=cursor.position))


def _keep_states(connection: Connection, region: str, states: Mapping[str, bytes]) -> None:
    if not states:
        return
    rows = [
        {"region": region, "station": name, "state": state.decode()} for name, state in sorted(states.items())
    ]
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(evaluator_state)
    upsert = fresh.on_conflict_do_update(
        index_elements=["region", "station"], set_={"state": fresh.excluded.state}
    )
    connection.execute(upsert, rows)


def _record(
    connection: Connection, region: str, changes: Sequence[tuple[str, SiagaChange]], now_us: int
) -> list[AlertChange]:
    if connection.dialect.name == "postgresql":
        # Numbers are given before commits: without this a reader could pass a number that appears later.
        connection.execute(text("LOCK TABLE alert_change IN EXCLUSIVE MODE"))
    active = _active(connection, region, {station for station, _ in changes})
    recorded = []
    for station, change in changes:
        episode = active.get(station)
        if episode is None:
            episode = open_alert(uuid7(now_us), region, station, change)
            connection.execute(insert(alert), _row(episode))
        else:
            episode = episode.changed(change)
            connection.execute(update(alert).where(alert.c.id == episode.id).values(_row(episode)))
        if episode.status is AlertStatus.ACTIVE:
            active[station] = episode
        else:
            active.pop(station, None)
        recorded.append(_insert_change(connection, episode, change, now_us))
    return recorded


def _active(connection: Connection, region: str, stations: set[str]) -> dict[str, Alert]:
    query = select(alert).where(
        alert.c.region == region,
        alert.c.status == AlertStatus.ACTIVE.value,
        alert.c.station.in_(sorted(stations)),
    )
    return {found.station: found for found in read_alerts(connection, query)}


def _row(episode: Alert) -> dict[str, object]:
    """Return the evaluator's columns; what people wrote on an alert is not its to overwrite."""
    row: dict[str, object] = msgspec.to_builtins(episode)
    return {
        name: value
        for name, value in row.items()
        if name != "changes" and not name.startswith("acknowledged")
    }


def _insert_change(connection: Connection, episode: Alert, change: SiagaChange, now_us: int) -> AlertChange:
    row = {
        "alert_id": episode.id,
        "region": episode.region,
        "station": episode.station,
        "recorded_us": now_us,
        **msgspec.to_builtins(change),
    }
    number = connection.execute(insert(alert_change), row).inserted_primary_key
    if number is None:
        raise RuntimeError("the database gave no number")  # no dialect that is accepted here does that
    return msgspec.convert({"id": number[0], **row}, AlertChange)
