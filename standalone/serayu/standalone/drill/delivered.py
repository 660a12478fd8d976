"""The account of the webhooks: what should have come, what came, what came twice, who was told when nobody answered."""

from collections.abc import Mapping, Sequence

import msgspec

from serayu.models.stores.register import Register
from serayu.standalone.drill.hook import Received
from serayu.standalone.drill.recipients import CHIEF, DESK, PUBLIC

AT_MOST = 10_000


class Webhooks(msgspec.Struct, frozen=True):
    """What became of the deliveries to the two desks.

    Parameters
    ----------
    bulletins
        How many were issued; the first desk is owed each of them.
    deliveries
        How many were queued for both desks.
    arrived
        Deliveries of which at least one request came with a good signature.
    requests, duplicates
        All requests that came, and those of them whose id had come before, so that the receiver knew them for such.
    duplicates_unmarked
        Requests of an id that had come before and were not marked; 0 if all is well.
    bad_signatures
        Requests whose signature was not right.
    failed_attempts
        Attempts that the receiver did not answer because it was away or died.
    missing
        Ids of bulletins that did not come; none if all is well.
    receiver_ends
        How often the receiver died.
    to_public
        Deliveries queued for the public: none, for it is an exercise.
    """

    bulletins: int
    deliveries: int
    arrived: int
    requests: int
    duplicates: int
    duplicates_unmarked: int
    bad_signatures: int
    failed_attempts: int
    missing: tuple[str, ...]
    receiver_ends: int
    to_public: int


class Escalated(msgspec.Struct, frozen=True):
    """What happened because nobody acknowledged.

    Parameters
    ----------
    waited
        Bulletins for which somebody had to acknowledge.
    moved_on
        Those of them that nobody did in time, so that the second desk was told.
    chief_told
        Deliveries that reached the second desk.
    after_min
        How long the first desk has, minutes of the storm; None without a second step.
    """

    waited: int
    moved_on: int
    chief_told: int
    after_min: float | None


def account_webhooks(
    register: Register,
    region: str,
    recipients: Mapping[str, str],
    received: Sequence[Received],
    *,
    receiver_ends: int,
) -> Webhooks:
    """Compare the register with what the receiver has written down.

    Parameters
    ----------
    register, region
        Bulletins and deliveries of the region.
    recipients
        Recipient ids by path.
    received
        Every request.
    receiver_ends
        How often the receiver died.
    """
    deliveries = register.deliveries(region, limit=AT_MOST)
    issued = [one.bulletin.id for one in register.bulletins_after(0, region=region, limit=AT_MOST)]
    owed = [one for one in deliveries if one.recipient_id in (recipients[DESK], recipients[CHIEF])]
    came = {one.id for one in received if one.good}
    missing = {one.bulletin_id for one in owed if one.id not in came}
    told = {one.bulletin_id for one in owed if one.recipient_id == recipients[DESK]}
    return Webhooks(
        bulletins=len(issued),
        deliveries=len(owed),
        arrived=sum(one.id in came for one in owed),
        requests=len(received),
        duplicates=sum(one.duplicate for one in received),
        duplicates_unmarked=_unmarked(received),
        bad_signatures=sum(not one.good for one in received),
        failed_attempts=sum(not attempt.ok for one in owed for attempt in register.attempts(one.id)),
        missing=tuple(sorted(missing | (set(issued) - told))),
        receiver_ends=receiver_ends,
        to_public=sum(one.recipient_id == recipients[PUBLIC] for one in deliveries),
    )


def account_escalation(
    register: Register,
    region: str,
    recipients: Mapping[str, str],
    received: Sequence[Received],
    *,
    after_us: int | None,
) -> Escalated:
    """Count what was told to the second desk because the first did not acknowledge."""
    waits = register.escalations(region=region)
    came = {one.id for one in received if one.good}
    chief = [
        one for one in register.deliveries(region, limit=AT_MOST) if one.recipient_id == recipients[CHIEF]
    ]
    return Escalated(
        waited=len(waits),
        moved_on=sum(one.step > 0 for one in waits),
        chief_told=sum(one.id in came for one in chief),
        after_min=None if after_us is None else after_us / 60e6,
    )


def _unmarked(received: Sequence[Received]) -> int:
    seen: set[str] = set()
    unmarked = 0
    for one in received:
        unmarked += one.id in seen and not one.duplicate
        seen.add(one.id)
    return unmarked
