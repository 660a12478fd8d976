"""How long before the water passed a limit the warning of that level was there."""

import statistics
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from serayu.models.alert import Alert
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation
from serayu.models.region import Region
from serayu.models.siaga import Siaga, classify
from serayu.models.station import Station
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register.bulletins import NumberedBulletin
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, rfc3339
from serayu.models.warning.bulletin import MessageType

__all__ = ["Lead", "leads", "median_min"]

LEVEL = "stage"
BEFORE_US = 2 * US_PER_HOUR
RAISED = (Siaga.WASPADA, Siaga.SIAGA, Siaga.AWAS)


class Lead(msgspec.Struct, frozen=True):
    """One level of one post in one episode.

    Parameters
    ----------
    station, post, level
        Where and which.
    warned
        When the first bulletin of that level, or of a higher one, was sent (storm time, RFC 3339).
    reason
        Why: rate of rise, forecast, or only the passing of the limit itself.
    crossed
        When the first good value was above the limit; None where the water never was.
    lead_min
        Minutes of the storm from `warned` to `crossed`; None where there was no lead, or no crossing.
    real_speed_min
        The same from the time of the value that decided: what the lead is at real speed, where the fraction of a second
        from reading to bulletin is no minutes of the storm.
    received_before
        Whether the bulletin was recorded, by the computer's clock, before the crossing value had even been received:
        at a thousand times real time the harder test. None without a crossing.
    """

    station: str
    post: str
    level: str
    warned: str | None
    reason: str | None
    crossed: str | None
    lead_min: float | None
    real_speed_min: float | None
    received_before: bool | None


def leads(
    region: Region, store: HotStore, alerts: Iterable[Alert], bulletins: Sequence[NumberedBulletin]
) -> list[Lead]:
    """Return a line for every level that was warned of or crossed, by time.

    Parameters
    ----------
    region, store
        Posts with their limits, and what they measured.
    alerts
        The episodes.
    bulletins
        Everything that was said, in order.
    """
    found: list[tuple[int, Lead]] = []
    for alert in alerts:
        post = region.stations[alert.station]
        said = [one for one in bulletins if one.bulletin.alert_id == alert.id]
        found += _of_episode(post, store, alert, said)
    return [lead for _, lead in sorted(found, key=lambda one: one[0])]


def median_min(found: Iterable[Lead]) -> float | None:
    """Return the median lead over all crossings, one without a lead as 0; None without a crossing."""
    values = [one.lead_min or 0.0 for one in found if one.crossed is not None]
    return round(statistics.median(values), 1) if values else None


def _of_episode(
    post: Station, store: HotStore, alert: Alert, said: Sequence[NumberedBulletin]
) -> Iterator[tuple[int, Lead]]:
    if post.thresholds is None:
        return
    end_us = alert.opened_us + US_PER_DAY if alert.ended_us is None else alert.ended_us
    measured = [
        one
        for one in store.window(post.key(LEVEL), alert.opened_us - BEFORE_US, end_us)
        if one.flag is QualityFlag.GOOD
    ]
    for level in RAISED:
        warned = next(
            (
                one
                for one in said
                if one.bulletin.msg_type is not MessageType.CANCEL and one.bulletin.level.rank >= level.rank
            ),
            None,
        )
        crossed = next(
            (one for one in measured if classify(one.value, post.thresholds).rank >= level.rank), None
        )
        if warned is None and crossed is None:
            continue
        at_us = [one.bulletin.sent_us for one in (warned,) if one] + [one.t_us for one in (crossed,) if one]
        yield (
            min(at_us),
            Lead(
                station=post.id,
                post=post.name,
                level=level.value,
                warned=None if warned is None else rfc3339(warned.bulletin.sent_us),
                reason=None if warned is None else warned.bulletin.reason.value,
                crossed=None if crossed is None else rfc3339(crossed.t_us),
                lead_min=None if warned is None else _minutes(warned.bulletin.sent_us, crossed),
                real_speed_min=None if warned is None else _minutes(warned.bulletin.at_us, crossed),
                received_before=None
                if crossed is None
                else warned is not None and warned.recorded_us < crossed.received_us,
            ),
        )


def _minutes(warned_us: int, crossed: Observation | None) -> float | None:
    """Return the minutes from a warning to a crossing; None where it was no earlier."""
    if crossed is None or crossed.t_us <= warned_us:
        return None
    return round((crossed.t_us - warned_us) / US_PER_MINUTE, 1)
