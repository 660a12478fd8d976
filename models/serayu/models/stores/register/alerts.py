"""Alerts and their changes: read by everybody, written by the evaluator, acknowledged by people."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, RowMapping, Select, and_, desc, or_, select, update

from serayu.models.alert import Alert, AlertChange, AlertStatus
from serayu.models.errors import ConflictError, NotFoundError
from serayu.models.stores.register.audit import write_audit
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.deliveries import acknowledge_escalations
from serayu.models.stores.register.schema import alert, alert_change


class AlertLog(Database):
    """The register's alerts."""

    def alerts(
        self,
        region: str | None = None,
        *,
        status: AlertStatus | None = None,
        station: str | None = None,
        since_us: int | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Alert]:
        """Return alerts with their changes, the last opened first.

        Parameters
        ----------
        region, status, station
            Only those; None for all.
        since_us
            Only those still active, or changed at that time or later (phenomenon time, microseconds UTC).
        after
            Id of the last alert of the page before.
        limit
            At most so many.

        Raises
        ------
        NotFoundError
            No alert of the id *after*.
        """
        query = select(alert).order_by(desc(alert.c.opened_us), desc(alert.c.id)).limit(limit)
        if region is not None:
            query = query.where(alert.c.region == region)
        if status is not None:
            query = query.where(alert.c.status == status.value)
        if station is not None:
            query = query.where(alert.c.station == station)
        if since_us is not None:
            query = query.where(
                or_(alert.c.status == AlertStatus.ACTIVE.value, alert.c.updated_us >= since_us)
            )
        with self.reading() as connection:
            if after is not None:
                query = _older_than(connection, query, after)
            return read_alerts(connection, query)

    def alert(self, alert_id: str) -> Alert:
        """Return one alert with its changes.

        Raises
        ------
        NotFoundError
            No alert of that id.
        """
        with self.reading() as connection:
            return _one(connection, alert_id)

    def active_levels(self, region: str) -> dict[str, Alert]:
        """Return the active alert of every station that is not normal."""
        query = select(alert).where(alert.c.region == region, alert.c.status == AlertStatus.ACTIVE.value)
        with self.reading() as connection:
            return {found.station: found for found in read_alerts(connection, query)}

    def changes_after(
        self, change_id: int, *, region: str | None = None, limit: int = 100
    ) -> list[AlertChange]:
        """Return the changes recorded after a change number, in order; none appears behind a newer one."""
        query = select(alert_change).where(alert_change.c.id > change_id)
        if region is not None:
            query = query.where(alert_change.c.region == region)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(alert_change.c.id).limit(limit))
            return [_change(row) for row in rows.mappings()]

    def last_change_id(self) -> int:
        """Return the newest change number; 0 where there is none."""
        query = select(alert_change.c.id).order_by(desc(alert_change.c.id)).limit(1)
        with self.reading() as connection:
            return connection.execute(query).scalar() or 0

    def acknowledge(self, alert_id: str, *, by: str, note: str = "", now_us: int) -> Alert:
        """Note that a person has seen an alert, and stop its escalation.

        An alert is acknowledged once, and again after each bulletin that has started a new escalation: who saw
        Siaga 3 has not seen Siaga 1. The alert keeps the last one, the escalations and the audit trail keep each.

        Raises
        ------
        NotFoundError
            No alert of that id.
        ConflictError
            Somebody has acknowledged it already, and nothing has waited for it since.
        """
        fields = {"acknowledged_us": now_us, "acknowledged_by": by, "acknowledged_note": note}
        with self.writing() as connection:
            here = alert.c.id == alert_id
            waited = acknowledge_escalations(connection, alert_id, by=by, now_us=now_us)
            open_one = here if waited else and_(here, alert.c.acknowledged_us.is_(None))
            done = connection.execute(update(alert).where(open_one).values(fields)).rowcount
            found = _one(connection, alert_id)
            if not done:
                raise ConflictError(f"alert {alert_id} was acknowledged by {found.acknowledged_by}")
            write_audit(
                connection,
                found.region,
                actor=by,
                action="alert.acknowledge",
                target=alert_id,
                detail=note,
                now_us=now_us,
            )
        return found


def read_alerts(connection: Connection, query: Select[tuple[object, ...]]) -> list[Alert]:
    """Return the alerts of a query over the whole table, with their changes, in two statements."""
    rows = connection.execute(query).mappings().all()
    changes: dict[str, list[AlertChange]] = {str(row["id"]): [] for row in rows}
    theirs = select(alert_change).where(alert_change.c.alert_id.in_(changes)).order_by(alert_change.c.id)
    for row in connection.execute(theirs).mappings() if changes else ():
        change = _change(row)
        changes[change.alert_id].append(change)
    return [_alert(row, changes[row["id"]]) for row in rows]


def _alert(row: RowMapping, changes: Sequence[AlertChange]) -> Alert:
    columns = {name: row[name] for name in Alert.__struct_fields__ if name != "changes"}
    return msgspec.convert({**columns, "changes": changes}, Alert)


def _change(row: RowMapping) -> AlertChange:
    return msgspec.convert({name: row[name] for name in AlertChange.__struct_fields__}, AlertChange)


def _one(connection: Connection, alert_id: str) -> Alert:
    found: Sequence[Alert] = read_alerts(connection, select(alert).where(alert.c.id == alert_id))
    if not found:
        raise NotFoundError(f"there is no alert {alert_id!r}")
    return found[0]


def _older_than(
    connection: Connection, query: Select[tuple[object, ...]], alert_id: str
) -> Select[tuple[object, ...]]:
    opened_us = connection.execute(select(alert.c.opened_us).where(alert.c.id == alert_id)).scalar()
    if opened_us is None:
        raise NotFoundError(f"there is no alert {alert_id!r}")
    earlier = alert.c.opened_us < opened_us
    return query.where(or_(earlier, and_(alert.c.opened_us == opened_us, alert.c.id < alert_id)))
