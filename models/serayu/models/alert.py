"""An alert: one episode of a station, from leaving normal until it is back to normal, with its changes."""

import enum
from collections.abc import Sequence
from typing import Any

import msgspec

from serayu.models.siaga import ChangeKind, Reason, Siaga, SiagaChange
from serayu.models.texts import text
from serayu.models.times import rfc3339
from serayu.models.warning.authority import without_phone_numbers

_DOWN = (ChangeKind.LOWER, ChangeKind.LAPSE)


class AlertStatus(enum.StrEnum):
    """Whether an episode is still going on."""

    ACTIVE = "active"
    ENDED = "ended"


class AlertChange(msgspec.Struct, frozen=True):
    """A change of an alert as the register keeps it.

    Parameters
    ----------
    id
        Running number of the register, in order of commit: the cursor of the live stream.
    alert_id, region, station
        The alert and where it is.
    at_us, recorded_us
        Phenomenon time of the value that decided, and when it was written, microseconds UTC.
    before, after, kind, reason, level_m, slope_m_per_h, verified
        As in `SiagaChange`.
    """

    id: int
    alert_id: str
    region: str
    station: str
    at_us: int
    recorded_us: int
    before: Siaga
    after: Siaga
    kind: ChangeKind
    reason: Reason
    level_m: float
    slope_m_per_h: float | None
    verified: bool

    @property
    def unknown(self) -> bool:
        """Whether normal only means here that nothing is known any more."""
        return self.kind is ChangeKind.LAPSE and self.after is Siaga.NORMAL


class Alert(msgspec.Struct, frozen=True):
    """One episode of one station.

    Parameters
    ----------
    id
        UUIDv7.
    region, station
        Where.
    status
        Active until the level is back to normal.
    level, highest
        Level in force, and the highest of the episode; what was retracted does not count.
    highest_by_threshold
        The highest that a measured level really exceeded; normal while everything was only foreseen. A value that
        failed its tests later does not count.
    reason
        Why the level in force was reached: that of the last raise, or threshold once it is confirmed.
    verified
        False while only suspect values stand behind the level: "belum terverifikasi".
    level_m
        Water level of the last change, metres above the post's datum.
    opened_us, updated_us, ended_us
        Phenomenon times of the first, the last and the closing change, microseconds UTC.
    acknowledged_us, acknowledged_by, acknowledged_note
        When which person took note, and what they wrote.
    changes
        Everything that happened, in the order in which it was found out, retracted or not; numbered 0 while it
        is not recorded.
    """

    id: str
    region: str
    station: str
    status: AlertStatus
    level: Siaga
    highest: Siaga
    highest_by_threshold: Siaga
    reason: Reason
    verified: bool
    level_m: float
    opened_us: int
    updated_us: int
    ended_us: int | None = None
    acknowledged_us: int | None = None
    acknowledged_by: str | None = None
    acknowledged_note: str | None = None
    changes: tuple[AlertChange, ...] = ()

    @property
    def lapsed(self) -> bool:
        """Whether it ended because nothing was known any more, not because the river is back to normal."""
        return self.status is AlertStatus.ENDED and bool(self.changes) and self.changes[-1].unknown

    def changed(self, change: SiagaChange) -> "Alert":
        """Return the alert as it is after one more change of its station."""
        changes = (*self.changes, _unrecorded(self, change))
        standing = changes[-1:]
        highest, by_threshold = self.highest, self.highest_by_threshold
        if change.kind is ChangeKind.RETRACT:
            standing = tuple(one for one, gone in zip(changes, retracted(changes), strict=True) if not gone)
            highest = by_threshold = Siaga.NORMAL
        ended = change.after is Siaga.NORMAL
        reached = change.kind not in (*_DOWN, ChangeKind.VERIFY) and not ended
        updated_us = max(self.updated_us, change.at_us)
        return msgspec.structs.replace(
            self,
            status=AlertStatus.ENDED if ended else AlertStatus.ACTIVE,
            level=change.after,
            highest=max(highest, *(one.after for one in standing), key=_rank),
            highest_by_threshold=max(by_threshold, *map(_exceeded, standing), key=_rank),
            reason=change.reason if reached else self.reason,
            verified=change.verified,
            level_m=change.level_m,
            updated_us=updated_us,
            ended_us=updated_us if ended else None,
            changes=changes,
        )


def retracted(changes: Sequence[AlertChange]) -> list[bool]:
    """Say of each change of an alert whether a later one took it back.

    A retraction that lowers takes back what led above the level that it leaves, as far as nothing lowered it
    before; one that keeps the level takes back its last confirmation or verification.
    """
    gone = [False] * len(changes)
    for place, change in enumerate(changes):
        if change.kind is not ChangeKind.RETRACT:
            continue
        stays = change.after is change.before
        for earlier in range(place - 1, -1, -1):
            was = changes[earlier]
            if was.kind in _DOWN or was.after.rank < change.after.rank + (not stays):
                break
            if stays and was.kind not in (ChangeKind.CONFIRM, ChangeKind.VERIFY):
                break
            gone[earlier] = True
            if stays:
                break
    return gone


def open_alert(alert_id: str, region: str, station: str, change: SiagaChange) -> Alert:
    """Return the alert that a station's change away from normal opens, with that change applied."""
    opened = Alert(
        id=alert_id,
        region=region,
        station=station,
        status=AlertStatus.ACTIVE,
        level=change.before,
        highest=change.before,
        highest_by_threshold=Siaga.NORMAL,
        reason=change.reason,
        verified=change.verified,
        level_m=change.level_m,
        opened_us=change.at_us,
        updated_us=change.at_us,
    )
    return opened.changed(change)


def alert_document(alert: Alert) -> dict[str, Any]:
    """Return an alert as the JSON object of the API and of its MQTT topic.

    Levels and reasons are words, times RFC 3339 ``Z``, undefined is None: so is the level of an alert that lapsed for
    want of data, of which nobody can say that the river is back to normal. ``outcome`` says how it ended. Telephone
    numbers in an officer's note are taken out: alerts are public.
    """
    acknowledged = None
    if alert.acknowledged_us is not None:
        acknowledged = {
            "at": rfc3339(alert.acknowledged_us),
            "by": alert.acknowledged_by,
            "note": None
            if alert.acknowledged_note is None
            else without_phone_numbers(alert.acknowledged_note),
        }
    return {
        "id": alert.id,
        "region": alert.region,
        "station": alert.station,
        "status": alert.status.value,
        "level": None if alert.lapsed else alert.level.value,
        "label": text("alert.unknown.label") if alert.lapsed else alert.level.label,
        "outcome": _outcome(alert),
        "highest": alert.highest.value,
        "highest_by_threshold": alert.highest_by_threshold.value,
        "reason": alert.reason.value,
        "verified": alert.verified,
        "level_m": alert.level_m,
        "opened": rfc3339(alert.opened_us),
        "updated": rfc3339(alert.updated_us),
        "ended": None if alert.ended_us is None else rfc3339(alert.ended_us),
        "acknowledged": acknowledged,
        "changes": [
            change_document(change, retracted=gone)
            for change, gone in zip(alert.changes, retracted(alert.changes), strict=True)
        ],
    }


def change_document(change: AlertChange, *, retracted: bool = False) -> dict[str, Any]:
    """Return one change as a JSON object, e.g. for the live stream.

    ``unknown`` is true of a lapse for want of data: ``to`` normal then ends the alert and says nothing of the river.

    Parameters
    ----------
    change
        The change.
    retracted
        Whether a later change took it back; nobody knows when it is made.
    """
    return {
        "id": change.id,
        "alert": change.alert_id,
        "region": change.region,
        "station": change.station,
        "at": rfc3339(change.at_us),
        "recorded": rfc3339(change.recorded_us),
        "from": change.before.value,
        "to": change.after.value,
        "unknown": change.unknown,
        "kind": change.kind.value,
        "reason": change.reason.value,
        "level_m": change.level_m,
        "slope_m_per_h": change.slope_m_per_h,
        "verified": change.verified,
        "retracted": retracted,
    }


def _outcome(alert: Alert) -> str | None:
    """Say how an alert ended: ``normal``, ``retracted`` or ``lapsed``; None while it has not."""
    if alert.status is AlertStatus.ACTIVE or not alert.changes:
        return None
    if alert.lapsed:
        return "lapsed"
    return "retracted" if alert.changes[-1].kind is ChangeKind.RETRACT else "normal"


def _unrecorded(alert: Alert, change: SiagaChange) -> AlertChange:
    fields = msgspec.structs.asdict(change)
    return AlertChange(0, alert.id, alert.region, alert.station, recorded_us=0, **fields)


def _exceeded(change: AlertChange) -> Siaga:
    """Return the level whose limit a change says was exceeded."""
    exceeds = change.reason is Reason.THRESHOLD and change.kind not in _DOWN
    return change.after if exceeds else Siaga.NORMAL


def _rank(level: Siaga) -> int:
    return level.rank
