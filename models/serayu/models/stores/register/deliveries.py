"""The outbox of bulletins: what is due, what was tried, what nobody has acknowledged yet."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    case,
    delete,
    desc,
    func,
    insert,
    or_,
    select,
    update,
)

from serayu.models.delivery.delivery import Attempt, Delivery, DeliveryState, Escalation, NewDelivery
from serayu.models.errors import NotFoundError
from serayu.models.siaga_levels import Siaga
from serayu.models.stores.register.audit import write_audit
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.schema import bulletin as bulletin_table
from serayu.models.stores.register.schema import delivery, delivery_attempt, escalation, escalation_step
from serayu.models.warning.bulletin import Bulletin

_COLUMNS = [delivery.c[name] for name in Delivery.__struct_fields__]


class Deliveries(Database):
    """The register's deliveries."""

    def due_deliveries(
        self, region: str, *, rules_us: int, now_us: int, by: str, lease_us: int, limit: int = 50
    ) -> list[Delivery]:
        """Take deliveries that are due, for a while; the worst level and the oldest first.

        Taking counts as an attempt, so that a crash before its end is seen in the next one's number.

        Parameters
        ----------
        region
            Whose.
        rules_us
            Present by the clock of the rules: quiet hours of what is taken are over.
        now_us
            Present by the computer's clock: the wait after a failed attempt is over.
        by
            Who takes them, one name for each process.
        lease_us
            How long nobody else takes them.
        limit
            At most so many.
        """
        free = or_(delivery.c.leased_by.is_(None), delivery.c.leased_until_us <= now_us)
        ready = [
            delivery.c.region == region,
            delivery.c.state == DeliveryState.QUEUED.value,
            delivery.c.retry_us <= now_us,
            or_(delivery.c.not_before_us <= rules_us, delivery.c.expires_us <= rules_us),
            free,
        ]
        with self.reading() as connection:  # most looks find nothing, and need no write lock for that
            if connection.execute(select(delivery.c.id).where(*ready).limit(1)).first() is None:
                return []
        query = select(*_COLUMNS).where(*ready).order_by(*_urgency()).limit(limit)
        with self.writing() as connection:
            rows = connection.execute(query.with_for_update(skip_locked=True)).mappings().all()
            lease = {"leased_by": by, "leased_until_us": now_us + lease_us}
            mine = delivery.c.id.in_([row["id"] for row in rows])
            connection.execute(update(delivery).where(mine).values(**lease, attempts=delivery.c.attempts + 1))
        return [_delivery({**row, "attempts": row["attempts"] + 1}) for row in rows]

    def release_deliveries(self, region: str) -> int:
        """Let go what an earlier courier of a region had taken when it ended; return how much that is."""
        taken = [delivery.c.region == region, delivery.c.leased_by.is_not(None)]
        fields = {"leased_by": None, "leased_until_us": None}
        with self.writing() as connection:
            return connection.execute(update(delivery).where(*taken).values(fields)).rowcount

    def record_attempt(
        self,
        attempt: Attempt,
        *,
        state: DeliveryState,
        reason: str | None = None,
        retry_us: int | None = None,
    ) -> bool:
        """Write down one try and what follows from it.

        Parameters
        ----------
        attempt
            What was tried.
        state, reason
            The delivery's state now; queued where it will be tried again at *retry_us* (computer's clock).

        Returns
        -------
        bool
            False where the delivery had already ended otherwise, e.g. was replaced meanwhile; the attempt is
            written down all the same, and a bulletin that was taken counts as sent.
        """
        ended_us = None if state is DeliveryState.QUEUED else attempt.at_us
        fields: dict[str, object] = {
            "state": state.value,
            "reason": reason,
            "ended_us": ended_us,
            "leased_by": None,
            "leased_until_us": None,
        }
        if retry_us is not None:
            fields["retry_us"] = retry_us
        here = [delivery.c.id == attempt.delivery_id]
        if state is not DeliveryState.SENT:
            here.append(delivery.c.state == DeliveryState.QUEUED.value)
        with self.writing() as connection:
            connection.execute(insert(delivery_attempt), msgspec.to_builtins(attempt))
            return bool(connection.execute(update(delivery).where(*here).values(fields)).rowcount)

    def end_delivery(self, delivery_id: str, *, state: DeliveryState, reason: str, now_us: int) -> bool:
        """End a delivery that waits without another try; False where it had ended."""
        waits = [delivery.c.id == delivery_id, delivery.c.state == DeliveryState.QUEUED.value]
        fields = {"state": state.value, "reason": reason, "ended_us": now_us, "leased_by": None}
        with self.writing() as connection:
            return bool(connection.execute(update(delivery).where(*waits).values(fields)).rowcount)

    def put_off_delivery(self, delivery_id: str, *, not_before_us: int) -> None:
        """Give a delivery back untried, to wait until a time of the clock of the rules."""
        fields = {"not_before_us": not_before_us, "leased_by": None, "leased_until_us": None}
        here = delivery.c.id == delivery_id
        with self.writing() as connection:
            values = {**fields, "attempts": delivery.c.attempts - 1}
            connection.execute(update(delivery).where(here).values(values))

    def requeue_dead(self, region: str, *, rules_us: int, now_us: int) -> int:
        """Give dead deliveries of bulletins in force another life; return how many."""
        dead = [
            delivery.c.region == region,
            delivery.c.state == DeliveryState.DEAD.value,
            delivery.c.expires_us > rules_us,
        ]
        fields = {"state": "queued", "reason": None, "ended_us": None, "retry_us": now_us}
        with self.writing() as connection:
            return connection.execute(update(delivery).where(*dead).values(fields)).rowcount

    def delivery(self, delivery_id: str) -> Delivery:
        """Return one delivery.

        Raises
        ------
        NotFoundError
            No delivery of that id.
        """
        with self.reading() as connection:
            row = connection.execute(select(*_COLUMNS).where(delivery.c.id == delivery_id)).mappings().first()
        if row is None:
            raise NotFoundError(f"there is no delivery {delivery_id!r}")
        return _delivery(row)

    def deliveries(
        self,
        region: str | None = None,
        *,
        alert_id: str | None = None,
        recipient_id: str | None = None,
        state: DeliveryState | None = None,
        limit: int = 1000,
    ) -> list[Delivery]:
        """Return deliveries, the last queued first; None means all."""
        wanted = {"region": region, "alert_id": alert_id, "recipient_id": recipient_id, "state": state}
        query = select(*_COLUMNS).order_by(desc(delivery.c.created_us), desc(delivery.c.id)).limit(limit)
        for name, value in wanted.items():
            if value is not None:
                query = query.where(delivery.c[name] == str(value))
        with self.reading() as connection:
            return [_delivery(row) for row in connection.execute(query).mappings()]

    def delivery_counts(self, region: str) -> dict[DeliveryState, int]:
        """Return how many deliveries are in each state."""
        query = select(delivery.c.state, func.count()).where(delivery.c.region == region)
        with self.reading() as connection:
            rows = connection.execute(query.group_by(delivery.c.state)).all()
        return dict.fromkeys(DeliveryState, 0) | {DeliveryState(state): count for state, count in rows}

    def attempts(self, delivery_id: str) -> list[Attempt]:
        """Return what was tried of a delivery, in order."""
        query = select(delivery_attempt).where(delivery_attempt.c.delivery_id == delivery_id)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(delivery_attempt.c.number)).mappings()
            return [
                msgspec.convert({name: row[name] for name in Attempt.__struct_fields__}, Attempt)
                for row in rows
            ]

    def open_escalations(self, region: str) -> list[Escalation]:
        """Return what still waits for somebody to acknowledge it, oldest first."""
        query = select(escalation).where(escalation.c.region == region, *_open())
        with self.reading() as connection:
            rows = connection.execute(query.order_by(escalation.c.started_us)).mappings()
            return [read_escalation(row) for row in rows]

    def escalations(self, *, region: str | None = None, alert_id: str | None = None) -> list[Escalation]:
        """Return waits for an acknowledgement, ended ones too, oldest first."""
        query = select(escalation).order_by(escalation.c.started_us)
        if region is not None:
            query = query.where(escalation.c.region == region)
        if alert_id is not None:
            query = query.where(escalation.c.alert_id == alert_id)
        with self.reading() as connection:
            return [read_escalation(row) for row in connection.execute(query).mappings()]

    def acknowledge_bulletins(
        self, alert_id: str, *, region: str, by: str, note: str = "", now_us: int
    ) -> int:
        """Note that a person has seen what was said of an alert that the register has no record of, e.g. a landslide.

        Alerts of river posts are acknowledged by `AlertLog.acknowledge`, which does this too.

        Returns
        -------
        int
            How many escalations this stopped; 0 where nothing waited.
        """
        with self.writing() as connection:
            stopped = acknowledge_escalations(connection, alert_id, by=by, now_us=now_us)
            if stopped:
                write_audit(
                    connection,
                    region,
                    actor=by,
                    action="bulletin.acknowledge",
                    target=alert_id,
                    detail=note,
                    now_us=now_us,
                )
        return stopped

    def escalate(
        self,
        bulletin: Bulletin,
        *,
        opened_by: str,
        step: int,
        due_us: int | None,
        deliveries: Sequence[NewDelivery],
        rules_us: int,
        now_us: int,
    ) -> bool:
        """Move an escalation on and queue what its new step asks for, all or nothing.

        Parameters
        ----------
        bulletin
            What is told: the newest of the alert.
        opened_by
            Id of the bulletin that the escalation waits for.
        step, due_us
            The step that is told now, and when the next one is; None where there is none.
        deliveries
            To whom; a recipient that has the bulletin already is passed over.
        rules_us, now_us
            Present by the clock of the rules, and by the computer's.

        Returns
        -------
        bool
            False where somebody acknowledged, another process moved it on, or a newer bulletin came in the meantime:
            the next look tells that one.
        """
        here = [escalation.c.bulletin_id == opened_by, escalation.c.step < step, *_open()]
        newest = select(bulletin_table.c.id).where(bulletin_table.c.alert_id == bulletin.alert_id)
        newest = newest.order_by(bulletin_table.c.number.desc()).limit(1)
        with self.writing() as connection:
            if connection.execute(newest).scalar() != bulletin.id:
                return False
            if not connection.execute(
                update(escalation).where(*here).values(step=step, due_us=due_us)
            ).rowcount:
                return False
            moved = {"bulletin_id": opened_by, "step": step, "at_us": rules_us}
            connection.execute(insert(escalation_step), moved)
            told = select(delivery.c.recipient_id).where(delivery.c.bulletin_id == bulletin.id)
            known = set(connection.execute(told).scalars())
            fresh = [one for one in deliveries if one.recipient_id not in known]
            queue_deliveries(connection, bulletin, fresh, now_us)
            return True

    def told(self, alert_id: str) -> dict[str, Delivery]:
        """Return the newest delivery of an alert that each recipient got or still gets."""
        states = [DeliveryState.SENT.value, DeliveryState.QUEUED.value]
        query = select(*_COLUMNS).where(delivery.c.alert_id == alert_id, delivery.c.state.in_(states))
        with self.reading() as connection:
            rows = connection.execute(query.order_by(delivery.c.created_us, delivery.c.id)).mappings()
            return {row["recipient_id"]: _delivery(row) for row in rows}

    def delete_deliveries(self, *, before_us: int, limit: int = 1000) -> int:
        """Delete ended deliveries older than a time with their attempts; return how many."""
        old = (
            select(delivery.c.id)
            .where(delivery.c.ended_us < before_us, delivery.c.state != DeliveryState.QUEUED.value)
            .limit(limit)
        )
        with self.writing() as connection:
            ids = list(connection.execute(old).scalars())
            connection.execute(delete(delivery_attempt).where(delivery_attempt.c.delivery_id.in_(ids)))
            connection.execute(delete(delivery).where(delivery.c.id.in_(ids)))
        return len(ids)


def queue_deliveries(
    connection: Connection, bulletin: Bulletin, deliveries: Iterable[NewDelivery], now_us: int
) -> None:
    """Queue deliveries of a bulletin within a transaction."""
    of_bulletin = {
        "bulletin_id": bulletin.id,
        "alert_id": bulletin.alert_id,
        "region": bulletin.region,
        "level": bulletin.level.value,
        "expires_us": bulletin.expires_us,
    }
    fresh = {"state": "queued", "attempts": 0, "created_us": now_us, "retry_us": now_us}
    rows = [{**msgspec.to_builtins(one), **of_bulletin, **fresh} for one in deliveries]
    if rows:
        connection.execute(insert(delivery), rows)


def end_escalations(connection: Connection, alert_id: str, at_us: int) -> None:
    """End what waits for an acknowledgement of an alert, within a transaction."""
    waiting = [escalation.c.alert_id == alert_id, *_open()]
    connection.execute(update(escalation).where(*waiting).values(ended_us=at_us))


def acknowledge_escalations(connection: Connection, alert_id: str, *, by: str, now_us: int) -> int:
    """Stop an alert's escalation within a transaction, because somebody has seen it; return how many waited."""
    waiting = [escalation.c.alert_id == alert_id, *_open()]
    fields = {"acknowledged_us": now_us, "acknowledged_by": by}
    return connection.execute(update(escalation).where(*waiting).values(fields)).rowcount


def _open() -> list[ColumnElement[bool]]:
    return [escalation.c.acknowledged_us.is_(None), escalation.c.ended_us.is_(None)]


def _urgency() -> list[ColumnElement[object]]:
    worst_first = case({level.value: -level.rank for level in Siaga}, value=delivery.c.level, else_=0)
    return [worst_first, delivery.c.retry_us, delivery.c.id]


def _delivery(row: RowMapping | Mapping[str, object]) -> Delivery:
    return msgspec.convert({name: row[name] for name in Delivery.__struct_fields__}, Delivery)


def read_escalation(row: RowMapping) -> Escalation:
    """Return an escalation of a row of its table."""
    return msgspec.convert({name: row[name] for name in Escalation.__struct_fields__}, Escalation)
