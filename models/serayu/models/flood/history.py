"""The scorecard of a running system: what its register says was told, against what its hot store says happened."""

from collections.abc import Mapping, Sequence
from typing import Any

from serayu.models.alert import Alert
from serayu.models.flood.observed import observed_events
from serayu.models.flood.scorecard import Wait, scorecard, scorecard_document
from serayu.models.flood.told import Record, judge, told_by
from serayu.models.region import Region
from serayu.models.station import Station
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register
from serayu.models.times import US_PER_DAY, US_PER_S
from serayu.models.warning.bulletin import Bulletin

__all__ = ["live_scorecard"]

LEVEL = "stage"
_PAGE = 500


def live_scorecard(
    register: Register, store: HotStore, region: Region, *, since_us: int | None = None, until_us: int
) -> dict[str, Any]:
    """Return the scorecard of a region's own history as a JSON object.

    Parameters
    ----------
    register, store
        What was told, and what the river did.
    region
        Its posts with limits, by the limits of today.
    since_us, until_us
        Span that is counted, microseconds UTC; None from the first value that is stored. A warning counts where it was
        issued in the span, an event where it began.

    Raises
    ------
    StoreError
        A store cannot be read.
    """
    posts = [one for one in region.stations.values() if one.thresholds is not None]
    first_us = _first_us(store, posts, until_us) if since_us is None else since_us
    bulletins = _bulletins(register, region.code)
    told = told_by(one for one in bulletins if one.sent_us < until_us)
    records: list[Record] = []
    for post in posts:
        if post.thresholds is None:
            continue
        events = observed_events(store, post.key(LEVEL), post.thresholds, first_us, until_us)
        judged = judge(post.id, events, told.get(post.id, ()), until_us=until_us)
        records += [one for one in judged if first_us <= one.at_us < until_us]
    counted = [one for one in bulletins if first_us <= one.sent_us < until_us]
    card = scorecard([post.id for post in posts], records, _waits(register, region.code, first_us, until_us))
    return scorecard_document(
        card,
        names={post.id: post.name for post in posts},
        since_us=first_us,
        until_us=until_us,
        source="register",
        region=region.code,
        bulletins={"sent": len(counted), "signed": sum(one.public for one in counted)},
        invented_limits=[
            post.id for post in posts if post.thresholds is not None and post.thresholds.invented
        ],
    )


def _first_us(store: HotStore, posts: Sequence[Station], until_us: int) -> int:
    days = [store.aggregate(post.key(LEVEL), 0, until_us, step_us=US_PER_DAY) for post in posts]
    starts = [found[0].start_us for found in days if found]
    return min(starts, default=until_us - US_PER_S)


def _bulletins(register: Register, region: str) -> list[Bulletin]:
    found: list[Bulletin] = []
    number = 0
    while page := register.bulletins_after(number, region=region, limit=_PAGE):
        found += [one.bulletin for one in page]
        number = page[-1].number
    return found


def _alerts(register: Register, region: str) -> Mapping[str, Alert]:
    found: dict[str, Alert] = {}
    after: str | None = None
    while page := register.alerts(region, after=after, limit=_PAGE):
        found.update((one.id, one) for one in page)
        after = page[-1].id
    return found


def _waits(register: Register, region: str, since_us: int, until_us: int) -> list[Wait]:
    """Return how long bulletins waited for somebody: escalations that ended, and alerts acknowledged without one."""
    alerts = _alerts(register, region)
    waits, escalated = [], set()
    for one in register.escalations(region=region):
        escalated.add(one.alert_id)
        over = one.acknowledged_us is not None or one.ended_us is not None
        if over and one.alert_id in alerts and since_us <= one.started_us < until_us:
            waits.append(Wait(alerts[one.alert_id].station, one.level, one.seconds_to_acknowledge))
    for alert in alerts.values():
        if alert.acknowledged_us is None or alert.id in escalated or not alert.changes:
            continue
        if since_us <= alert.opened_us < until_us:
            seconds = (alert.acknowledged_us - alert.changes[0].recorded_us) / US_PER_S
            waits.append(Wait(alert.station, alert.highest, seconds))
    return waits
