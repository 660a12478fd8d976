"""Quiet hours: the lowest level may wait for the morning, nothing else does."""

from serayu.models.delivery.recipient import Channel, QuietHours, Recipient
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE
from serayu.models.warning.bulletin import Bulletin, MessageType

_WIB_US = 7 * US_PER_HOUR
_MACHINES = frozenset({Channel.WEBHOOK, Channel.LOG})


def quiet_until(quiet: QuietHours, at_us: int) -> int | None:
    """Return when the quiet hours around a time end, microseconds UTC; None outside of them.

    The start belongs to them, the end does not. WIB has no summer time.
    """
    midnight_us = (at_us + _WIB_US) // US_PER_DAY * US_PER_DAY - _WIB_US
    start_us, end_us = (midnight_us + minute * US_PER_MINUTE for minute in (quiet.start_min, quiet.end_min))
    if start_us <= end_us:
        return end_us if start_us <= at_us < end_us else None
    if at_us < end_us:
        return end_us
    return end_us + US_PER_DAY if at_us >= start_us else None


def earliest_us(bulletin: Bulletin, recipient: Recipient, *, quiet: QuietHours, now_us: int) -> int:
    """Return from when a bulletin may be sent to a recipient, microseconds UTC.

    Only waspada waits: siaga and awas go at once, and so does the end of what somebody was told. A machine does not
    sleep: a webhook has quiet hours only where its recipient names its own.
    """
    if bulletin.level is not Siaga.WASPADA or bulletin.msg_type is MessageType.CANCEL:
        return now_us
    hours = recipient.quiet or (None if recipient.channel in _MACHINES else quiet)
    until_us = None if hours is None else quiet_until(hours, now_us)
    return now_us if until_us is None else until_us
