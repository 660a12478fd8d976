"""The result of a replay as one document: what changed, what was said, what the river did, and how they compare."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from serayu.models.alert import AlertChange
from serayu.models.flood.events import EARLIEST_US, EVENT_END_US, Event
from serayu.models.flood.observed import LEVELS, observed_events
from serayu.models.flood.scorecard import scorecard, scorecard_document
from serayu.models.flood.told import Record, judge, told_by
from serayu.models.region import Region
from serayu.models.siaga_levels import Siaga
from serayu.models.station import Station
from serayu.models.times import US_PER_MINUTE, rfc3339
from serayu.models.warning.bulletin import Bulletin, MessageType
from serayu.standalone.replay.engine import Replay

LEVEL = "stage"


def replay_document(
    replay: Replay, region: Region, *, since_us: int, until_us: int, ids: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what a replay brought about from *since_us* on.

    Parameters
    ----------
    replay
        After its run.
    region
        Its region.
    since_us, until_us
        Reported span, microseconds UTC; what lies before was only run to warm the rules up.
    ids
        Names of stations in the given tables, by station id.
    """
    names = ids or {}
    posts = [
        one
        for one in region.stations.values()
        if one.thresholds is not None and (not names or one.id in names)
    ]
    bulletins = [one for one in replay.bulletins() if one.sent_us >= since_us]
    changes = [one for one in replay.changes() if one.at_us >= since_us]
    told = told_by(replay.bulletins())
    stations, records = {}, []
    for post in posts:
        events = _events(replay, post, since_us, until_us)
        records += [
            msgspec.structs.replace(one, station=names.get(post.id, post.id))
            for one in judge(post.id, events, told.get(post.id, ()), until_us=until_us)
            if one.at_us >= since_us
        ]
        mine = [one for one in bulletins if one.station == post.id]
        theirs = [one for one in changes if one.station == post.id]
        begun = {
            level: [one for one in found if one.crossing_us >= since_us] for level, found in events.items()
        }
        stations[names.get(post.id, post.id)] = _station(post, theirs, mine, begun, events)
    return {
        "region": region.code,
        "since": rfc3339(since_us),
        "until": rfc3339(until_us),
        "readings": msgspec.to_builtins(replay.counts),
        "stations": stations,
        "scorecard": _scorecard(list(stations), records, since_us, until_us, posts, names),
    }


def _scorecard(
    stations: Sequence[str],
    records: Sequence[Record],
    since_us: int,
    until_us: int,
    posts: Sequence[Station],
    names: Mapping[str, str],
) -> dict[str, Any]:
    titles = {names.get(post.id, post.id): post.name for post in posts}
    card = scorecard(stations, records)
    return scorecard_document(card, names=titles, since_us=since_us, until_us=until_us, source="replay")


def _events(replay: Replay, post: Station, since_us: int, until_us: int) -> Mapping[Siaga, Sequence[Event]]:
    if post.thresholds is None:
        return {}
    return observed_events(replay.store, post.key(LEVEL), post.thresholds, since_us, until_us)


def _station(
    post: Station,
    changes: Sequence[AlertChange],
    bulletins: Sequence[Bulletin],
    events: Mapping[Siaga, Sequence[Event]],
    known: Mapping[Siaga, Sequence[Event]],
) -> dict[str, Any]:
    """Return one post; *known* are its *events* with those that went on at the begin."""
    limits = post.thresholds
    return {
        "name": post.name,
        "limits_m": None if limits is None else {one.value: limits.limit_m(one) for one in LEVELS},
        "counts": {
            "changes": dict(sorted(Counter(one.kind.value for one in changes).items())),
            "bulletins": dict(sorted(Counter(one.msg_type.value for one in bulletins).items())),
            "events": {level.value: len(found) for level, found in events.items()},
        },
        "events": {level.value: [_event(one) for one in found] for level, found in events.items()},
        "changes": [_change(one) for one in changes],
        "bulletins": [_bulletin(one, known) for one in bulletins],
    }


def _event(event: Event) -> dict[str, Any]:
    return {"crossing": rfc3339(event.crossing_us), "last": rfc3339(event.last_us), "peak_m": event.peak}


def _change(change: AlertChange) -> dict[str, Any]:
    """Return a change without the numbers of the register, which differ from run to run."""
    return {
        "at": rfc3339(change.at_us),
        "recorded": rfc3339(change.recorded_us),
        "from": change.before.value,
        "to": None if change.unknown else change.after.value,
        "kind": change.kind.value,
        "reason": change.reason.value,
        "level_m": change.level_m,
        "verified": change.verified,
    }


def _bulletin(bulletin: Bulletin, events: Mapping[Siaga, Sequence[Event]]) -> dict[str, Any]:
    lead_us = None if bulletin.msg_type is MessageType.CANCEL else _lead_us(bulletin, events)
    return {
        "type": bulletin.msg_type.value,
        "level": bulletin.level.value,
        "before": bulletin.before.value,
        "reason": bulletin.reason.value,
        "sent": rfc3339(bulletin.sent_us),
        "expires": rfc3339(bulletin.expires_us),
        "fallback": list(bulletin.fallback),
        "lead_min": None if lead_us is None else round(lead_us / US_PER_MINUTE, 1),
    }


def _lead_us(bulletin: Bulletin, events: Mapping[Siaga, Sequence[Event]]) -> int | None:
    """Return how long before the measured crossing of its level a bulletin was sent, negative after it.

    The crossing is that of the event that goes on, or of the next within 24 h; None without one.
    """
    sent_us = bulletin.sent_us
    for event in events.get(bulletin.level, ()):
        if sent_us < event.last_us + EVENT_END_US:
            lead_us = event.crossing_us - sent_us
            return lead_us if lead_us <= EARLIEST_US else None
    return None
