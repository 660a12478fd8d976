"""Who gets a bulletin, and from when."""

from collections.abc import Callable, Iterable, Mapping

from serayu.models.delivery.delivery import Delivery, DeliveryState, Drop, Escalation, NewDelivery
from serayu.models.delivery.quiet import earliest_us
from serayu.models.delivery.recipient import Audience, Recipient
from serayu.models.delivery.settings import DeliverySettings, EscalationRule
from serayu.models.siaga_levels import Siaga
from serayu.models.uuid7 import uuid7
from serayu.models.warning.bulletin import Bulletin, MessageType


def refusal(bulletin: Bulletin, recipient: Recipient, *, now_us: int) -> Drop | None:
    """Return why a recipient must not get a bulletin; None where it may.

    Asked when a delivery is planned and again before each attempt, because people stop and bulletins lapse in
    between. Nothing but status Actual reaches the public, whatever else is configured.
    """
    if recipient.audience is Audience.PUBLIC and not bulletin.public:
        return Drop.NOT_PUBLIC
    if not recipient.may_be_told:
        return Drop.STOPPED
    if bulletin.expires_us <= now_us:
        return Drop.EXPIRED
    return None


def plan(
    bulletin: Bulletin,
    recipients: Iterable[Recipient],
    *,
    told: Mapping[str, Delivery],
    settings: DeliverySettings,
    rules_us: int,
    now_us: int,
    step: int = 0,
    ids: Callable[[int], str] = uuid7,
) -> list[NewDelivery]:
    """Return the deliveries of a bulletin.

    People are not told the same level of an alert again within ``settings.repeat``; programs are told everything.

    Parameters
    ----------
    bulletin
        What is told.
    recipients
        Everybody of the region.
    told
        Newest delivery of this alert by recipient id, sent or waiting: who was told of an alert is told of its
        updates and of its end, whatever its level is now.
    settings
        Timers of the region.
    rules_us, now_us
        Present by the clock of the rules, and by the computer's (in which deliveries were created).
    step
        Escalation step reached.
    ids
        Makes an id.
    """
    planned = []
    for recipient in recipients:
        if recipient.region != bulletin.region or refusal(bulletin, recipient, now_us=rules_us) is not None:
            continue
        before, program = told.get(recipient.id), recipient.channel.is_program
        if before is not None and not program and _still_asleep(before, rules_us):
            before = (
                None  # a newer bulletin takes its place; a program gets both, so it has to hear the end too
            )
        if not _concerned(bulletin, recipient, before, step):
            continue
        if before is not None and not program and _repeats(bulletin, before, settings, now_us):
            continue
        start_us = earliest_us(bulletin, recipient, quiet=settings.quiet, now_us=rules_us)
        planned.append(
            NewDelivery(
                id=ids(now_us),
                recipient_id=recipient.id,
                step=recipient.step,
                # What need not wait for the morning waits for nothing: *rules_us* may be ahead of the courier's clock.
                not_before_us=start_us if start_us > rules_us else 0,
            )
        )
    return planned


def step_reached(earlier: Iterable[Escalation]) -> int:
    """Return the highest step that was told of an alert; 0 where nothing has escalated."""
    return max((one.step for one in earlier), default=0)


def start_escalation(
    bulletin: Bulletin,
    earlier: Iterable[Escalation],
    *,
    rule: EscalationRule,
    rules_us: int,
) -> Escalation | None:
    """Return the wait for an acknowledgement that a bulletin starts; None where it starts none.

    An alert starts one at the level of the rule, and a rise above what somebody was asked to acknowledge starts the
    next: who saw Siaga 2 has not seen Siaga 1. It goes on from the step that the alert has reached, for all up to that
    one are told of the rise at once.
    """
    if bulletin.msg_type is MessageType.CANCEL or bulletin.level.rank < rule.lowest.rank:
        return None
    known = tuple(earlier)
    if any(before.level.rank >= bulletin.level.rank for before in known):
        return None
    step = step_reached(known)
    wait_us = rule.wait_us(step)
    return Escalation(
        bulletin_id=bulletin.id,
        alert_id=bulletin.alert_id,
        region=bulletin.region,
        level=bulletin.level,
        step=step,
        due_us=None if wait_us is None else rules_us + wait_us,
        started_us=rules_us,
    )


def _still_asleep(delivery: Delivery, rules_us: int) -> bool:
    """Whether it waits for the end of quiet hours, so that nobody has heard of it."""
    return (
        delivery.state is DeliveryState.QUEUED
        and delivery.attempts == 0
        and delivery.not_before_us > rules_us
    )


def _concerned(bulletin: Bulletin, recipient: Recipient, before: Delivery | None, step: int) -> bool:
    if before is not None:
        return True
    if bulletin.msg_type is MessageType.CANCEL or bulletin.level is Siaga.NORMAL:
        return False  # the end of what it never heard of
    return (
        recipient.step <= step
        and bulletin.level.rank >= recipient.lowest.rank
        and (not recipient.hazards or bulletin.hazard in recipient.hazards)
        and (not recipient.stations or bulletin.station in recipient.stations)
    )


def _repeats(bulletin: Bulletin, before: Delivery, settings: DeliverySettings, now_us: int) -> bool:
    """Whether a recipient heard the same level of the alert not long ago."""
    if bulletin.msg_type is MessageType.CANCEL or bulletin.level is not before.level:
        return False
    return now_us - before.created_us < settings.repeat.window_us
