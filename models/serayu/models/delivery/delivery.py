"""A delivery: one bulletin for one recipient, with everything that was tried."""

import enum
from typing import Any

import msgspec

from serayu.models.siaga_levels import Siaga
from serayu.models.times import rfc3339


class DeliveryState(enum.StrEnum):
    """How far a delivery has come."""

    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"  # refused for good: trying again would change nothing
    LAPSED = "lapsed"  # its bulletin expired first
    DROPPED = "dropped"  # a rule forbids it; the reason says which


class Drop(enum.StrEnum):
    """Why a delivery was not, or no longer, sent."""

    NOT_PUBLIC = "not-public"
    STOPPED = "stopped"
    REPLACED = "replaced"
    EXPIRED = "expired"
    REFUSED = "refused"


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery to be queued with its bulletin.

    Parameters
    ----------
    id
        UUIDv7; the same in every attempt, so that a receiver knows a repetition.
    recipient_id
        For whom.
    step
        The recipient's escalation step.
    not_before_us
        Earliest time by the clock of the rules, microseconds UTC (quiet hours); 0 for at once.
    """

    id: str
    recipient_id: str
    step: int = 0
    not_before_us: int = 0


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as the register keeps it.

    Parameters
    ----------
    id, recipient_id, step, not_before_us
        As in `NewDelivery`.
    bulletin_id, alert_id, region, level
        What is told: of the bulletin.
    state, reason
        How far it has come, and why it ended other than sent.
    retry_us
        Earliest next attempt by the computer's clock, microseconds UTC.
    created_us, ended_us
        When it was queued, and when it reached its last state (computer's clock).
    expires_us
        When its bulletin lapses (clock of the rules).
    attempts
        How often it was tried.
    """

    id: str
    bulletin_id: str
    alert_id: str
    region: str
    recipient_id: str
    level: Siaga
    step: int
    state: DeliveryState
    reason: str | None
    not_before_us: int
    retry_us: int
    created_us: int
    ended_us: int | None
    expires_us: int
    attempts: int


class Attempt(msgspec.Struct, frozen=True):
    """One try.

    Parameters
    ----------
    delivery_id, number
        Of which delivery, counted from 1.
    at_us, elapsed_ms
        When it began (computer's clock, microseconds UTC) and how long it took.
    ok, detail
        Whether the channel took it, and its answer in a few words; never an address.
    """

    delivery_id: str
    number: int
    at_us: int
    elapsed_ms: int
    ok: bool
    detail: str


class Escalation(msgspec.Struct, frozen=True, kw_only=True):
    """The wait for somebody to acknowledge a bulletin.

    Parameters
    ----------
    bulletin_id, alert_id, region, level
        What waits: the bulletin that opened an alert, or raised it to a new level.
    step
        Step that was told last.
    due_us
        When the next step is told (clock of the rules); None when there is none.
    started_us
        When the bulletin was recorded (clock of the rules).
    acknowledged_us, acknowledged_by
        When who acknowledged (clock of the rules).
    ended_us
        When it ended without (clock of the rules): the hazard was over, or a higher level took its place.
    """

    bulletin_id: str
    alert_id: str
    region: str
    level: Siaga
    step: int = 0
    due_us: int | None
    started_us: int
    acknowledged_us: int | None = None
    acknowledged_by: str | None = None
    ended_us: int | None = None

    @property
    def seconds_to_acknowledge(self) -> float | None:
        """How long it took; None while nobody has."""
        return None if self.acknowledged_us is None else (self.acknowledged_us - self.started_us) / 1e6


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as a JSON object; it names the recipient by id alone."""
    return {
        "id": delivery.id,
        "bulletin": delivery.bulletin_id,
        "alert": delivery.alert_id,
        "recipient": delivery.recipient_id,
        "level": delivery.level.value,
        "step": delivery.step,
        "state": delivery.state.value,
        "reason": delivery.reason,
        "attempts": delivery.attempts,
        "queued": rfc3339(delivery.created_us),
        "ended": None if delivery.ended_us is None else rfc3339(delivery.ended_us),
        "expires": rfc3339(delivery.expires_us),
    }


def attempt_document(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as a JSON object."""
    return {
        "attempt": attempt.number,
        "at": rfc3339(attempt.at_us),
        "elapsed_ms": attempt.elapsed_ms,
        "ok": attempt.ok,
        "detail": attempt.detail,
    }


def escalation_document(escalation: Escalation) -> dict[str, Any]:
    """Return an escalation as a JSON object."""
    times = {"acknowledged": escalation.acknowledged_us, "ended": escalation.ended_us}
    return {
        "bulletin": escalation.bulletin_id,
        "alert": escalation.alert_id,
        "level": escalation.level.value,
        "step": escalation.step,
        "started": rfc3339(escalation.started_us),
        "next_step_due": None if escalation.due_us is None else rfc3339(escalation.due_us),
        **{name: None if at_us is None else rfc3339(at_us) for name, at_us in times.items()},
        "seconds_to_acknowledge": escalation.seconds_to_acknowledge,
    }
