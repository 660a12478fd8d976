"""What became of a bulletin: who got it and how it was tried, who was waited for, and what is overdue."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from serayu.models.delivery.delivery import Attempt, Delivery, DeliveryState, Escalation
from serayu.models.delivery.recipient import Audience, Channel
from serayu.models.delivery.wait import StepTold, Wait, newest_wait
from serayu.models.errors import NotFoundError
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.deliveries import read_escalation
from serayu.models.stores.register.schema import bulletin as told
from serayu.models.stores.register.schema import (
    delivery,
    delivery_attempt,
    escalation,
    escalation_step,
    recipient,
)

_COLUMNS = [delivery.c[name] for name in Delivery.__struct_fields__]


class Entry(NamedTuple):
    """One delivery of a bulletin with its recipient, without the address, and everything that was tried.

    Parameters
    ----------
    delivery
        How far it has come.
    name
        The recipient's label; empty for one that was erased.
    audience, channel
        Whom it stands for and how it is reached.
    attempts
        In order.
    """

    delivery: Delivery
    name: str
    audience: Audience
    channel: Channel
    attempts: Sequence[Attempt]


class Backlog(NamedTuple):
    """What the outbox of a region still has to do.

    Parameters
    ----------
    waiting
        Deliveries that are not ended, those that wait for the end of quiet hours or for a receiver included.
    overdue_us
        For how long the oldest has been due that nobody has taken, microseconds; None where there is none. A courier
        that works takes what is due within a second.
    dead
        Dead letters of bulletins that are still in force: somebody has to look at them.
    """

    waiting: int
    overdue_us: int | None
    dead: int


class DeliveryLog(Database):
    """The register's proof of delivery, read only."""

    def delivery_log(
        self,
        bulletin_id: str,
        *,
        state: DeliveryState | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Entry]:
        """Return what became of a bulletin, the first queued first.

        Parameters
        ----------
        bulletin_id
            Which.
        state
            Only those; None for all.
        after
            Id of the last delivery of the page before.
        limit
            At most so many.

        Raises
        ------
        NotFoundError
            No delivery of the id *after*.
        """
        query = select(*_COLUMNS, recipient.c.name, recipient.c.audience, recipient.c.channel).join_from(
            delivery, recipient, delivery.c.recipient_id == recipient.c.id
        )
        query = query.where(delivery.c.bulletin_id == bulletin_id)
        if state is not None:
            query = query.where(delivery.c.state == state.value)
        with self.reading() as connection:
            if after is not None:
                query = query.where(_later_than(connection, after))
            query = query.order_by(delivery.c.created_us, delivery.c.id).limit(limit)
            rows = connection.execute(query).mappings().all()
            tried = _attempts(connection, [row["id"] for row in rows])
        return [
            Entry(
                msgspec.convert({name: row[name] for name in Delivery.__struct_fields__}, Delivery),
                row["name"],
                Audience(row["audience"]),
                Channel(row["channel"]),
                tried[row["id"]],
            )
            for row in rows
        ]

    def bulletin_counts(self, bulletin_id: str) -> dict[DeliveryState, int]:
        """Return how many deliveries of a bulletin are in each state."""
        query = select(delivery.c.state, func.count()).where(delivery.c.bulletin_id == bulletin_id)
        with self.reading() as connection:
            rows = connection.execute(query.group_by(delivery.c.state)).all()
        return dict.fromkeys(DeliveryState, 0) | {DeliveryState(state): count for state, count in rows}

    def waits(self, alert_ids: Iterable[str]) -> dict[str, Wait]:
        """Return the newest wait for an acknowledgement of each alert that has one."""
        wanted = list(alert_ids)
        if not wanted:
            return {}
        columns = [escalation.c[name] for name in Escalation.__struct_fields__]
        asked = select(*columns).where(escalation.c.alert_id.in_(wanted))
        steps = (
            select(escalation_step, escalation.c.alert_id)
            .join_from(escalation_step, escalation)
            .where(escalation.c.alert_id.in_(wanted))
        )
        escalations: defaultdict[str, list[Escalation]] = defaultdict(list)
        moved: defaultdict[str, list[StepTold]] = defaultdict(list)
        with self.reading() as connection:
            for row in connection.execute(asked).mappings():
                one = read_escalation(row)
                escalations[one.alert_id].append(one)
            for row in connection.execute(steps).mappings():
                moved[row["alert_id"]].append(StepTold(row["bulletin_id"], row["step"], row["at_us"]))
        found = {name: newest_wait(those, moved[name]) for name, those in escalations.items()}
        return {name: wait for name, wait in found.items() if wait is not None}

    def first_told_us(self, alert_ids: Iterable[str]) -> dict[str, int]:
        """Return when the first bulletin of each alert was written, microseconds UTC; only of those that have one."""
        query = select(told.c.alert_id, func.min(told.c.sent_us)).where(told.c.alert_id.in_(list(alert_ids)))
        with self.reading() as connection:
            rows = connection.execute(query.group_by(told.c.alert_id)).all()
        return {row[0]: row[1] for row in rows}

    def delivery_backlog(self, region: str, *, rules_us: int, now_us: int) -> Backlog:
        """Return what the outbox of a region still has to do.

        Parameters
        ----------
        region
            Whose.
        rules_us, now_us
            Present by the clock of the rules, and by the computer's.
        """
        here = delivery.c.region == region
        queued = and_(here, delivery.c.state == DeliveryState.QUEUED.value)
        free = or_(delivery.c.leased_by.is_(None), delivery.c.leased_until_us <= now_us)
        # Due by both clocks, so overdue for no longer than by either; what lapsed is due too, to be ended.
        by_rules = _greater(rules_us - delivery.c.not_before_us, rules_us - delivery.c.expires_us)
        overdue_us = _lesser(now_us - delivery.c.retry_us, by_rules)
        dead = and_(here, delivery.c.state == DeliveryState.DEAD.value, delivery.c.expires_us > rules_us)
        with self.reading() as connection:
            waiting = connection.execute(select(func.count()).select_from(delivery).where(queued)).scalar()
            longest = connection.execute(
                select(func.max(overdue_us)).where(queued, free, overdue_us >= 0)
            ).scalar()
            letters = connection.execute(select(func.count()).select_from(delivery).where(dead)).scalar()
        return Backlog(waiting or 0, longest, letters or 0)


def _attempts(connection: Connection, ids: Sequence[str]) -> Mapping[str, list[Attempt]]:
    tried: defaultdict[str, list[Attempt]] = defaultdict(list)
    query = select(delivery_attempt).where(delivery_attempt.c.delivery_id.in_(ids))
    for row in connection.execute(query.order_by(delivery_attempt.c.number)).mappings() if ids else ():
        fields = {name: row[name] for name in Attempt.__struct_fields__}
        tried[row["delivery_id"]].append(msgspec.convert(fields, Attempt))
    return tried


def _later_than(connection: Connection, delivery_id: str) -> ColumnElement[bool]:
    created_us = connection.execute(
        select(delivery.c.created_us).where(delivery.c.id == delivery_id)
    ).scalar()
    if created_us is None:
        raise NotFoundError(f"there is no delivery {delivery_id!r}")
    later = delivery.c.created_us > created_us
    return or_(later, and_(delivery.c.created_us == created_us, delivery.c.id > delivery_id))


def _lesser(one: ColumnElement[int], other: ColumnElement[int]) -> ColumnElement[int]:
    return case((one < other, one), else_=other)


def _greater(one: ColumnElement[int], other: ColumnElement[int]) -> ColumnElement[int]:
    return case((one > other, one), else_=other)
