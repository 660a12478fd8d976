"""Warnings as people were told them: bulletins cut into warnings of one level, each judged against the river."""

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from serayu.models.flood.events import EVENT_END_US, LAPSE_US, LATEST_US, Event, Warned, match_warnings
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_HOUR
from serayu.models.warning.bulletin import Bulletin, Hazard, MessageType

__all__ = ["Outcome", "Record", "Told", "judge", "told_by", "warnings_of"]


RENEWED_AFTER_US = LAPSE_US - 2 * US_PER_HOUR
"""A bulletin so long after the warning was issued renews it: ingest renews in the last two hours of the 24."""


class Outcome(enum.StrEnum):
    """What became of a warning, or of an event that had none."""

    HIT = "hit"
    LATE = "late"  # told less than 30 min before the limit was passed, or after it
    FALSE = "false"
    MISSED = "missed"
    OPEN = "open"  # still in force: nobody can say yet


class Told(msgspec.Struct, frozen=True):
    """One bulletin of an alert, as far as the scorecard is concerned.

    Parameters
    ----------
    alert
        Id of the alert, or any name that its bulletins share.
    level
        Level that it says; normal for the end of an alert.
    sent_us, expires_us
        When it was sent and when it lapses unless another follows, microseconds UTC.
    """

    alert: str
    level: Siaga
    sent_us: int
    expires_us: int


class Record(msgspec.Struct, frozen=True):
    """One line of the scorecard's list: a warning with its outcome, or an event that was missed.

    Parameters
    ----------
    station, level
        Post, and the level that is judged.
    outcome
        What became of it.
    alert, issued_us
        Alert and time of the warning; None for an event without one.
    crossing_us
        When the limit was passed; None for a false alarm and an open warning.
    lead_us
        Crossing less issue, negative where it came after; None without both.
    """

    station: str
    level: Siaga
    outcome: Outcome
    alert: str | None = None
    issued_us: int | None = None
    crossing_us: int | None = None

    @property
    def lead_us(self) -> int | None:
        """Crossing less issue; None without both."""
        if self.issued_us is None or self.crossing_us is None:
            return None
        return self.crossing_us - self.issued_us

    @property
    def at_us(self) -> int:
        """When it happened: the issue, or the crossing of an event that had no warning."""
        return self.issued_us if self.issued_us is not None else self.crossing_us or 0


def told_by(bulletins: Iterable[Bulletin]) -> dict[str, list[Told]]:
    """Return what flood bulletins told, by station and in order of sending."""
    told: dict[str, list[Told]] = {}
    for one in sorted(bulletins, key=lambda one: one.sent_us):
        if one.hazard is Hazard.FLOOD:
            level = Siaga.NORMAL if one.msg_type is MessageType.CANCEL else one.level
            told.setdefault(one.station, []).append(Told(one.alert_id, level, one.sent_us, one.expires_us))
    return told


def warnings_of(told: Iterable[Told], level: Siaga) -> list[tuple[str, Warned]]:
    """Cut what was told into warnings of one level or worse, with the alert of each.

    A warning begins where an alert reaches the level, and ends where it is lowered below it, cancelled, or lapses. A
    bulletin that keeps it up `RENEWED_AFTER_US` after it was issued, or later, renews it, and a renewal is a warning of
    its own; earlier ones only keep people posted.
    """
    by_alert: dict[str, list[Told]] = {}
    for one in told:
        by_alert.setdefault(one.alert, []).append(one)
    found = [(alert, one) for alert, bulletins in by_alert.items() for one in _warnings(bulletins, level)]
    return sorted(found, key=lambda one: (one[1].issue_us, one[0]))


def _warnings(bulletins: Sequence[Told], level: Siaga) -> Iterator[Warned]:
    issue_us: int | None = None
    expires_us = 0
    for one in bulletins:
        holds = one.level.rank >= level.rank
        if issue_us is not None:
            renewed = holds and one.sent_us - issue_us >= RENEWED_AFTER_US
            if renewed or not holds or one.sent_us > expires_us:
                yield Warned(issue_us, min(expires_us, one.sent_us))
                issue_us = None
        if holds:
            issue_us = one.sent_us if issue_us is None else issue_us
            expires_us = one.expires_us
    if issue_us is not None:
        yield Warned(issue_us, expires_us)


def judge(
    station: str, events: Mapping[Siaga, Sequence[Event]], told: Sequence[Told], *, until_us: int
) -> list[Record]:
    """Judge the warnings of one post against its events, by the definitions of `serayu.models.flood.events`.

    A warning that is issued while the water is above the limit already foresees nothing: it is late where nothing was
    told before, and no warning of its own where it only goes on.

    Parameters
    ----------
    station
        Id of the post.
    events
        By level, in order of time.
    told
        What was told of the post, in order of sending.
    until_us
        End of what is known of the river, microseconds UTC.

    Returns
    -------
    list of Record
        Of each level; in order of time within a level.
    """
    return [
        record
        for level in events
        for record in sorted(_judge(station, level, events[level], told, until_us), key=lambda one: one.at_us)
    ]


def _judge(
    station: str, level: Siaga, events: Sequence[Event], told: Sequence[Told], until_us: int
) -> Iterator[Record]:
    warnings = warnings_of(told, level)
    ahead = [one for one in warnings if _during(one[1].issue_us, events) is None]
    match = match_warnings([event.crossing_us for event in events], [one for _, one in ahead])
    served = {warning: events[event].crossing_us for event, warning in match.pairs}
    met = {event for event, _ in match.pairs}
    unmet = [event for number, event in enumerate(events) if number not in met]
    for number, (alert, warning) in enumerate(ahead):
        crossing_us, outcome = served.get(number), Outcome.HIT
        if crossing_us is None:
            crossing_us, outcome = _just_after(warning.issue_us, unmet), Outcome.LATE
        if crossing_us is None:
            still = warning.end_us > until_us and until_us - warning.issue_us < LAPSE_US
            outcome = Outcome.OPEN if still else Outcome.FALSE
        yield Record(station, level, outcome, alert, warning.issue_us, crossing_us)
    for event in unmet:
        first = next((one for one in warnings if _during(one[1].issue_us, [event]) is not None), None)
        if first is not None:
            yield Record(station, level, Outcome.LATE, first[0], first[1].issue_us, event.crossing_us)
        elif not any(0 < event.crossing_us - one.issue_us < LATEST_US for _, one in ahead):
            yield Record(station, level, Outcome.MISSED, crossing_us=event.crossing_us)


def _during(t_us: int, events: Iterable[Event]) -> Event | None:
    """Return the event that goes on at a time: from its crossing until 6 h after it was last above the limit."""
    return next((one for one in events if one.crossing_us <= t_us < one.last_us + EVENT_END_US), None)


def _just_after(t_us: int, events: Iterable[Event]) -> int | None:
    """Return the crossing that follows a time so soon that a warning then is late; None without one."""
    return next((one.crossing_us for one in events if 0 < one.crossing_us - t_us < LATEST_US), None)
