"""Bulletins: recorded once per change of an alert, together with the deliveries that they ask for."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, desc, insert, or_, select, text, update

from serayu.models.delivery.delivery import Escalation, NewDelivery
from serayu.models.delivery.recipient import Channel
from serayu.models.errors import NotFoundError
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.deliveries import end_escalations, queue_deliveries
from serayu.models.stores.register.schema import bulletin as table
from serayu.models.stores.register.schema import delivery, escalation, recipient
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Hazard, MessageType

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Bulletin)


class NumberedBulletin(NamedTuple):
    """A bulletin with its running number, the cursor of streams, and when it was recorded."""

    number: int
    recorded_us: int
    bulletin: Bulletin


class BulletinLog(Database):
    """The register's bulletins."""

    def record_bulletin(
        self,
        bulletin: Bulletin,
        *,
        deliveries: Sequence[NewDelivery] = (),
        escalation: Escalation | None = None,
        now_us: int,
    ) -> bool:
        """Record a bulletin, queue its deliveries and start its escalation, all or nothing.

        Deliveries of earlier bulletins to people that still wait are dropped as replaced for who gets this one, and
        by a Cancel for everybody: nobody is told first what no longer holds. A program (webhook) gets every bulletin:
        it keeps the record, and each says when it was sent. An escalation that waits is ended by a new
        one or by a Cancel.

        Parameters
        ----------
        bulletin
            What is said; a second one of the same alert and change is not recorded.
        deliveries
            For whom; see `serayu.models.delivery.plan`.
        escalation
            Given where somebody has to acknowledge.
        now_us
            Present by the computer's clock, microseconds UTC.

        Returns
        -------
        bool
            Whether it was recorded; False where the change was told already.
        """
        with self.writing() as connection:
            if connection.dialect.name == "postgresql":
                # Numbers are given before commits: without this a stream could pass one that appears later.
                # This mode lets the rows be referred to: an escalation that queues deliveries does not wait for it.
                connection.execute(text("LOCK TABLE bulletin IN SHARE ROW EXCLUSIVE MODE"))
            if connection.execute(select(table.c.number).where(_same(bulletin))).first() is not None:
                return False
            connection.execute(insert(table), _row(bulletin, now_us))
            _replace_waiting(connection, bulletin, deliveries, now_us)
            queue_deliveries(connection, bulletin, deliveries, now_us)
            if escalation is not None or bulletin.msg_type is MessageType.CANCEL:
                end_escalations(connection, bulletin.alert_id, bulletin.sent_us)
            if escalation is not None:
                connection.execute(insert(_escalation), msgspec.to_builtins(escalation))
            return True

    def bulletin(self, bulletin_id: str) -> Bulletin:
        """Return one bulletin.

        Raises
        ------
        NotFoundError
            No bulletin of that id.
        """
        with self.reading() as connection:
            row = connection.execute(select(table.c.body).where(table.c.id == bulletin_id)).first()
        if row is None:
            raise NotFoundError(f"there is no bulletin {bulletin_id!r}")
        return _decoder.decode(row.body)

    def bulletins(  # noqa: PLR0913 -- what a list may be asked
        self,
        region: str | None = None,
        *,
        status: BulletinStatus | None = None,
        hazard: Hazard | None = None,
        station: str | None = None,
        alert_id: str | None = None,
        since_us: int | None = None,
        active_at_us: int | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Bulletin]:
        """Return bulletins, the last recorded first.

        Parameters
        ----------
        region, status, hazard, station, alert_id
            Only those; None for all.
        since_us
            Only those sent at that time or later, microseconds UTC.
        active_at_us
            Only those in force at that time: sent by then, not lapsed, neither replaced nor cancelled.
        after
            Id of the last bulletin of the page before.
        limit
            At most so many.

        Raises
        ------
        NotFoundError
            No bulletin of the id *after*.
        """
        query = select(table.c.body).order_by(desc(table.c.number)).limit(limit)
        wanted = {
            "region": region, "status": status, "hazard": hazard, "station": station, "alert_id": alert_id
        }  # fmt: skip
        for name, value in wanted.items():
            if value is not None:
                query = query.where(table.c[name] == str(value))
        if since_us is not None:
            query = query.where(table.c.sent_us >= since_us)
        if active_at_us is not None:
            query = query.where(*_in_force(active_at_us))
        with self.reading() as connection:
            if after is not None:
                query = query.where(table.c.number < _number(connection, after))
            return _read(connection, query)

    def bulletins_of(self, alert_id: str) -> list[Bulletin]:
        """Return what was said about an alert, oldest first."""
        query = select(table.c.body).where(table.c.alert_id == alert_id).order_by(table.c.number)
        with self.reading() as connection:
            return _read(connection, query)

    def latest_bulletin(self, alert_id: str) -> Bulletin | None:
        """Return what was said last about an alert; None where nothing was."""
        query = select(table.c.body).where(table.c.alert_id == alert_id)
        with self.reading() as connection:
            found = _read(connection, query.order_by(desc(table.c.number)).limit(1))
        return found[0] if found else None

    def bulletins_after(
        self, number: int, *, region: str | None = None, limit: int = 100
    ) -> list[NumberedBulletin]:
        """Return the bulletins recorded after a running number, in order; none appears behind a newer one."""
        query = select(table.c.number, table.c.recorded_us, table.c.body).where(table.c.number > number)
        if region is not None:
            query = query.where(table.c.region == region)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(table.c.number).limit(limit))
            return [_numbered(row) for row in rows.mappings()]

    def last_bulletin_number(self) -> int:
        """Return the newest running number; 0 where there is none."""
        with self.reading() as connection:
            query = select(table.c.number).order_by(desc(table.c.number)).limit(1)
            return connection.execute(query).scalar() or 0


_escalation = escalation  # the parameter of `record_bulletin` has the table's name


def _same(bulletin: Bulletin) -> ColumnElement[bool]:
    same = table.c.id == bulletin.id
    if bulletin.change_id is None:
        return same
    return or_(same, (table.c.alert_id == bulletin.alert_id) & (table.c.change_id == bulletin.change_id))


def _row(bulletin: Bulletin, now_us: int) -> dict[str, object]:
    named = ("id", "alert_id", "change_id", "region", "station", "sent_us", "expires_us")
    words = {name: getattr(bulletin, name).value for name in ("hazard", "msg_type", "status", "level")}
    fields = {name: getattr(bulletin, name) for name in named}
    return {**fields, **words, "recorded_us": now_us, "body": _encoder.encode(bulletin).decode()}


def _replace_waiting(
    connection: Connection, bulletin: Bulletin, deliveries: Sequence[NewDelivery], now_us: int
) -> None:
    channels = [one.value for one in Channel if one.is_program]
    programs = select(recipient.c.id).where(recipient.c.channel.in_(channels))
    waiting = (delivery.c.alert_id == bulletin.alert_id) & (delivery.c.state == "queued")
    waiting &= delivery.c.recipient_id.not_in(programs)
    if bulletin.msg_type is not MessageType.CANCEL:
        waiting &= delivery.c.recipient_id.in_([one.recipient_id for one in deliveries])
    fields = {"state": "dropped", "reason": "replaced", "ended_us": now_us}
    connection.execute(update(delivery).where(waiting).values(fields))


def _in_force(at_us: int) -> list[ColumnElement[bool]]:
    later = table.alias("later")
    replaced = (
        select(later.c.number)
        .where(later.c.alert_id == table.c.alert_id, later.c.number > table.c.number)
        .where(later.c.sent_us <= at_us)
        .exists()
    )
    return [
        table.c.sent_us <= at_us,
        table.c.expires_us > at_us,
        table.c.msg_type != MessageType.CANCEL.value,
        ~replaced,
    ]


def _number(connection: Connection, bulletin_id: str) -> int:
    number = connection.execute(select(table.c.number).where(table.c.id == bulletin_id)).scalar()
    if number is None:
        raise NotFoundError(f"there is no bulletin {bulletin_id!r}")
    return int(number)


def _read(connection: Connection, query: Select[tuple[Any, ...]]) -> list[Bulletin]:
    return [_decoder.decode(body) for body in connection.execute(query).scalars()]


def _numbered(row: RowMapping) -> NumberedBulletin:
    return NumberedBulletin(row["number"], row["recorded_us"], _decoder.decode(row["body"]))
