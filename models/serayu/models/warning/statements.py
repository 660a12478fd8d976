"""What a bulletin says, sentence by sentence and in no language yet.

The order is that of a message of BPBD DKI: what and where, level and clock time, why, when it arrives, who; then what
is not certain about it. What is not known is said; nothing is guessed, and None is never zero.
"""

from collections.abc import Iterator

from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.times import wib
from serayu.models.warning.authority import without_phone_numbers
from serayu.models.warning.bulletin import (
    Bulletin,
    BulletinStatus,
    Foreseen,
    Hazard,
    MessageType,
    SlopeRisk,
)
from serayu.models.warning.impact_statements import impact_statements
from serayu.models.warning.spoken import (
    Number,
    Phrase,
    Term,
    Value,
    awaited,
    clean,
    hours,
    known,
    names,
    percent,
    phrase,
    terms,
)

CM_PER_M = 100
NAMES_AT_MOST = 6

__all__ = [
    "description",
    "expiry",
    "head",
    "headline",
    "instruction",
    "label",
    "level_known",
    "origin",
    "over",
    "set_out",
    "todo",
    "wording",
]


def headline(bulletin: Bulletin) -> Phrase:
    """Return what happens where, in one line: a possible hazard until somebody has seen it."""
    hazard = phrase(f"bulletin.hazard.{bulletin.hazard.value}")
    seen = bulletin.observed_flooding and bulletin.hazard is Hazard.FLOOD
    return phrase(
        f"bulletin.head.{wording(bulletin)}",
        label=label(bulletin, bulletin.level),
        before=bulletin.before,
        hazard=hazard,
        threat=hazard if seen else phrase("bulletin.threat", hazard=hazard),
        place=_place(bulletin),
    )


def description(bulletin: Bulletin) -> Iterator[Phrase]:
    """Yield the sentences of the description in order."""
    yield from _landslide(bulletin) if bulletin.hazard is Hazard.LANDSLIDE else _flood(bulletin)
    if bulletin.observed_flooding:
        yield phrase("bulletin.flooded")
    if not bulletin.verified:
        yield phrase("bulletin.unverified")
    if bulletin.fallback:
        others = names(bulletin.fallback, at_most=NAMES_AT_MOST)
        yield phrase("bulletin.fallback", post=clean(bulletin.post), others=others)
    if not over(bulletin):
        yield from impact_statements(bulletin.impact, sent_us=bulletin.sent_us, set_out=set_out(bulletin))
    yield from _forecast(bulletin)
    if bulletin.invented:
        yield phrase("bulletin.invented")
    if not over(bulletin):
        yield phrase("bulletin.expires", time=wib(bulletin.expires_us))
    note = without_phone_numbers(clean(bulletin.note or ""))
    if note:
        yield phrase("bulletin.note", note=note)
    yield origin(bulletin)


def instruction(bulletin: Bulletin) -> Phrase:
    """Return what to do at the level in force; of an exercise, that nobody need do it.

    What nobody signed tells agencies what to get ready: to order people away is the authority's, after its decision.
    """
    do = phrase(f"bulletin.do.{todo(bulletin)}")
    return phrase("bulletin.exercise.do", do=do) if bulletin.status is BulletinStatus.EXERCISE else do


def wording(bulletin: Bulletin) -> str:
    """Return which wording of the headline fits: as `head`, but ``withdrawn`` for a Cancel from normal to normal.

    What that takes back never was so, and has no level to name.
    """
    became = head(bulletin)
    return "withdrawn" if became == "cancel" and bulletin.level is Siaga.NORMAL else became


def todo(bulletin: Bulletin) -> str:
    """Return which instruction fits, as the end of its key in the catalogue."""
    became = head(bulletin)
    if became in ("cancel", "lapsed"):
        return became
    unsigned = bulletin.status is BulletinStatus.TEST and not over(bulletin)
    whose = "monitoring" if unsigned else bulletin.hazard.value
    return f"{whose}.{bulletin.level.value}"


def label(bulletin: Bulletin, level: Siaga) -> Value:
    """Return how a level is called; normal without a value behind it is "not known"."""
    return level if level is not Siaga.NORMAL or level_known(bulletin) else phrase("bulletin.unknown.label")


def level_known(bulletin: Bulletin) -> bool:
    """Whether a value stands behind the level: without one an alert may end, but nothing is back to normal."""
    if bulletin.hazard is Hazard.LANDSLIDE:
        return bulletin.slope is not None and known(bulletin.slope.rain_mm)
    return known(bulletin.level_m)


def origin(bulletin: Bulletin) -> Phrase:
    """Return who answers for it: the authority that signed, or that it is monitoring information."""
    if bulletin.status is BulletinStatus.ACTUAL and bulletin.authority is not None:
        return phrase("bulletin.origin.signed", authority=clean(bulletin.authority))
    return phrase("bulletin.origin.monitoring")


def expiry(bulletin: Bulletin, *, now_us: int) -> Phrase | None:
    """Return until when it holds, or since when it has lapsed; None where nothing is in force any more."""
    if over(bulletin):
        return None
    key = "bulletin.lapsed" if now_us >= bulletin.expires_us else "bulletin.expires"
    return phrase(key, time=wib(bulletin.expires_us))


def over(bulletin: Bulletin) -> bool:
    """Whether it takes an alert back or ends it."""
    return bulletin.msg_type is MessageType.CANCEL or bulletin.level is Siaga.NORMAL


def set_out(bulletin: Bulletin) -> bool:
    """Whether the flood whose arrival is told has set out, or is foreseen to.

    Arrival times count from when the level's limit is passed. An early step without a crossing ahead counts from the
    present, with the water below the limit: then nothing has arrived anywhere, and each time is the earliest possible.
    """
    if (
        bulletin.hazard is Hazard.LANDSLIDE
        or bulletin.reason is Reason.THRESHOLD
        or bulletin.observed_flooding
    ):
        return True
    foreseen = bulletin.foreseen
    if foreseen is not None and foreseen.crossing_us is not None and foreseen.crossing_us > bulletin.sent_us:
        return True
    level_m, limit_m = bulletin.level_m, bulletin.limit_m
    return level_m is not None and limit_m is not None and level_m >= limit_m  # False for NaN


def head(bulletin: Bulletin) -> str:
    """Return which headline fits: alert, raise, lower, renew, clear, lapsed or cancel."""
    ended = bulletin.level is Siaga.NORMAL
    if bulletin.msg_type is MessageType.CANCEL and not (ended and bulletin.before is not Siaga.NORMAL):
        return "cancel"
    if ended:
        return "clear" if level_known(bulletin) else "lapsed"
    if bulletin.msg_type is MessageType.ALERT:
        return "alert"
    step = bulletin.level.rank - bulletin.before.rank
    return "raise" if step > 0 else "lower" if step < 0 else "renew"


def _place(bulletin: Bulletin) -> Value:
    if bulletin.hazard is Hazard.LANDSLIDE and bulletin.slope is not None:
        return clean(bulletin.slope.place)
    river, post = clean(bulletin.river or ""), clean(bulletin.post)
    if not river or post.casefold().startswith(
        _bare(river).casefold()
    ):  # not "Sungai Serayu di Serayu di Somagede"
        return post
    return phrase("bulletin.place.river", river=river, post=post)


def _bare(river: str) -> str:
    """Return a river's name without the word for river."""
    first, _, rest = river.partition(" ")
    return rest if rest and first.casefold() in ("sungai", "kali", "s.", "k.") else river


def _flood(bulletin: Bulletin) -> Iterator[Phrase]:
    place, time = _place(bulletin), wib(bulletin.at_us)
    if bulletin.level_m is not None and known(bulletin.level_m):
        cm = Number(round(bulletin.level_m, 2) * CM_PER_M)
        yield phrase("bulletin.level", place=place, level=Number(bulletin.level_m, 2), cm=cm, time=time)
    else:
        yield phrase("bulletin.level.unknown", place=place, time=time)
    if bulletin.level is not Siaga.NORMAL:
        yield _why(bulletin)
    yield _rate(bulletin.slope_m_per_h)
    if bulletin.foreseen is not None and bulletin.foreseen.crossing_us is not None:
        crossing_us = bulletin.foreseen.crossing_us
        yield awaited("bulletin.crossing", "bulletin.crossed", crossing_us, sent_us=bulletin.sent_us)


def _why(bulletin: Bulletin) -> Phrase:
    if bulletin.limit_m is None or not known(bulletin.limit_m):
        return phrase("bulletin.why.no_limit", label=bulletin.level)
    fields: dict[str, Value] = {"label": bulletin.level, "limit": Number(bulletin.limit_m, 2)}
    if bulletin.reason is not Reason.THRESHOLD:
        return Phrase(f"bulletin.why.{bulletin.reason.value}", fields)
    if bulletin.level_m is None or not known(bulletin.level_m):
        return Phrase("bulletin.why.limit", fields)
    above = round(bulletin.level_m, 2) - round(bulletin.limit_m, 2)  # as people read the two numbers
    return Phrase(f"bulletin.why.{'threshold' if above > 0 else 'held' if above < 0 else 'at'}", fields)


def _rate(slope_m_per_h: float | None) -> Phrase:
    if slope_m_per_h is None or not known(slope_m_per_h):
        return phrase("bulletin.rate_unknown")
    rate = round(slope_m_per_h * CM_PER_M)
    if not rate:
        return phrase("bulletin.steady")
    return phrase("bulletin.rising" if rate > 0 else "bulletin.falling", rate=Number(abs(rate)))


def _forecast(bulletin: Bulletin) -> Iterator[Phrase]:
    """Yield what stands behind a forecast; when the limit is passed was said before."""
    foreseen = bulletin.foreseen
    if foreseen is None or not all(map(known, (foreseen.level_m, foreseen.low_m, foreseen.high_m))):
        if bulletin.hazard is Hazard.FLOOD and not over(bulletin):
            yield phrase("bulletin.no_forecast")
        return
    yield phrase(
        "bulletin.foreseen",
        horizon=hours(foreseen.horizon_h),
        issued=wib(foreseen.issued_us),
        level=Number(foreseen.level_m, 2),
        low=Number(foreseen.low_m, 2),
        high=Number(foreseen.high_m, 2),
        probability=percent(foreseen.probability),
    )
    if foreseen.crossing_us is None and not _above(bulletin, foreseen):
        yield phrase("bulletin.no_crossing")
    method = clean(foreseen.method)
    if foreseen.skill is None or not known(foreseen.skill):
        yield phrase("bulletin.skill.unknown", method=method)
    else:
        yield phrase("bulletin.skill", method=method, skill=Number(foreseen.skill, 2))
    if foreseen.without:
        yield phrase("bulletin.without", names=names(foreseen.without, at_most=NAMES_AT_MOST))


def _above(bulletin: Bulletin, foreseen: Foreseen) -> bool:
    """Whether the limit has been passed already, or the middle of the forecast lies above it."""
    if bulletin.limit_m is None or not known(bulletin.limit_m):
        return False
    levels_m = (bulletin.level_m, foreseen.level_m)
    return any(one is not None and known(one) and one > bulletin.limit_m for one in levels_m)


def _landslide(bulletin: Bulletin) -> Iterator[Phrase]:
    slope, time, post = bulletin.slope, wib(bulletin.at_us), clean(bulletin.post)
    if slope is None or not all(map(known, (slope.rain_mm, slope.rain_h, slope.threshold_mm))):
        yield phrase("bulletin.rain.unknown", post=post, time=time)
    else:
        yield phrase(
            "bulletin.rain",
            rain=Number(slope.rain_mm, 1),
            hours=hours(slope.rain_h),
            place=clean(slope.place),
            post=post,
            time=time,
            rule=Term("bulletin.rule", slope.rule),
            threshold=Number(slope.threshold_mm, 1),
        )
    if slope is not None:
        yield _safety(slope)
        if slope.missing:
            yield phrase("bulletin.inputs_missing", names=terms("landslide.missing", slope.missing))


def _safety(slope: SlopeRisk) -> Phrase:
    if slope.factor_of_safety is None or not known(slope.factor_of_safety):
        return phrase("bulletin.safety.unknown")
    return phrase("bulletin.safety", factor=Number(slope.factor_of_safety, 2))
