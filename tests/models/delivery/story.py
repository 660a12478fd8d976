"""Bulletins and recipients to deliver."""

import msgspec

from serayu.models.delivery.recipient import Address, Audience, Channel, Recipient
from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.times import US_PER_DAY, parse_rfc3339
from serayu.models.uuid7 import uuid7
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Hazard, MessageType

REGION = "99.01"
NOON_US = parse_rfc3339("2026-01-10T05:00:00Z")
"""12:00 WIB."""
HOOK = Address("https://dishub.example/siaga", "rahasia-uji")
PHONE = "+6281200000001"

ALERT = Bulletin(
    id="00000000-0000-7000-8000-000000000001",
    alert_id="00000000-0000-7000-8000-0000000000aa",
    change_id=1,
    region=REGION,
    station="hulu",
    hazard=Hazard.FLOOD,
    msg_type=MessageType.ALERT,
    status=BulletinStatus.TEST,
    sent_us=NOON_US,
    expires_us=NOON_US + US_PER_DAY,
    level=Siaga.SIAGA,
    before=Siaga.NORMAL,
    reason=Reason.THRESHOLD,
    post="Hulu",
    level_m=3.2,
    limit_m=3.0,
    at_us=NOON_US,
)
ACTUAL = msgspec.structs.replace(ALERT, status=BulletinStatus.ACTUAL, authority="BPBD Uji")


def following(before: Bulletin, **changes: object) -> Bulletin:
    """Return the bulletin after another one: a second later, of the next change."""
    number = (before.change_id or 0) + 1
    fields = {
        "id": f"00000000-0000-7000-8000-{number:012d}",
        "change_id": number,
        "msg_type": MessageType.UPDATE,
        "references": ((before.id, before.sent_us),),
        "sent_us": before.sent_us + 1_000_000,
        "before": before.level,
    }
    return msgspec.structs.replace(before, **(fields | changes))


def cancel(before: Bulletin, **changes: object) -> Bulletin:
    """Return the end of what a bulletin said."""
    fields: dict[str, object] = {"msg_type": MessageType.CANCEL, "level": Siaga.NORMAL, "limit_m": None}
    return following(before, **(fields | changes))


def agency(**changes: object) -> Recipient:
    """Return a webhook of an agency."""
    fixed = Recipient(
        id=uuid7(NOON_US),
        region=REGION,
        name="Dishub",
        audience=Audience.AGENCY,
        channel=Channel.WEBHOOK,
        created_us=NOON_US,
    )
    return msgspec.structs.replace(fixed, **changes)


def citizen(**changes: object) -> Recipient:
    """Return a phone of the public that has opted in."""
    fields = {"name": "Warga", "audience": Audience.PUBLIC, "channel": Channel.SMS, "opted_in_us": NOON_US}
    return agency(**(fields | changes))
