"""A bulletin as one short message of at most 160 letters of the GSM alphabet.

What, where, level, clock time, what to do and who answers for it are always there. The rest is added by rank as long
as it fits whole: a part that does not fit is left out, never cut. Only names that cannot fit are shortened, between
their words where possible, and end in two dots.
"""

from collections.abc import Iterator
from typing import TypeAlias

from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.texts import DRAFTS, LANGUAGES
from serayu.models.warning.bulletin import AffectedArea, Bulletin, BulletinStatus, Hazard
from serayu.models.warning.gsm import SEPTETS, gsm, septets
from serayu.models.warning.impact_statements import AREAS_AT_MOST
from serayu.models.warning.spoken import (
    Number,
    Phrase,
    Series,
    Value,
    clean,
    clock,
    hours,
    known,
    phrase,
    say,
)
from serayu.models.warning.statements import label, over, set_out, todo, wording

__all__ = ["sms_text"]

POST_AT_MOST, PLACE_AT_MOST, AUTHORITY_AT_MOST = 40, 24, 28
"""Septets that a name may take [project proposal]; the post's fewer where the parts that must be there leave fewer."""

DOTS = ".."
VILLAGES_AT_MOST, COUNTED_AT_MOST = 6, 3
"""Villages that are named in all, and those of them that are named with the number of people [project proposal]."""
ENDS = ("clear", "cancel", "lapsed", "withdrawn")
GLOSS_AT = 2
"""How many of the further parts come before the draft language's word for what to do [project proposal]."""
Choice: TypeAlias = tuple[tuple[Phrase, ...], tuple[AffectedArea, ...]]
"""What may be said at one rank, and the villages that it names."""


def sms_text(bulletin: Bulletin, lang: str = "id") -> str:
    """Return a bulletin as one short message.

    Parameters
    ----------
    bulletin
        What is told.
    lang
        ``id`` or ``en``; ``jv-banyumas`` is a draft that is never sent alone, so it is the Indonesian with the
        Banyumasan of what to do beside it where that fits.

    Returns
    -------
    str
        At most 160 septets of the GSM alphabet, one line.

    Raises
    ------
    ValueError
        An unknown language.
    """
    if lang not in LANGUAGES:
        raise ValueError(f"unknown language {lang!r}; known: {', '.join(LANGUAGES)}")
    spoken = "id" if lang in DRAFTS else lang
    end = f"-{_origin(bulletin, spoken)}"
    left = SEPTETS - septets(_joined(_start(bulletin, "", spoken), [], end))
    start = _start(bulletin, shortened(_where(bulletin), min(POST_AT_MOST, left)), spoken)
    extras: list[str] = []
    named: tuple[AffectedArea, ...] = ()
    for rank, choices in enumerate(_more(bulletin)):
        if rank == GLOSS_AT and lang in DRAFTS:
            start = _glossed(bulletin, start, extras, end, lang)
        for parts, areas in choices:  # the first that fits
            said = [gsm(say(part, spoken)) for part in parts]
            if septets(_joined(start, [*extras, *said], end)) <= SEPTETS:
                extras += said
                named += areas
                break
    return _joined(start, [*extras, *_villages(bulletin, named, start, extras, end=end, lang=spoken)], end)


def _glossed(bulletin: Bulletin, start: list[str], extras: list[str], end: str, lang: str) -> list[str]:
    """Return the start with the draft language's word for what to do beside the Indonesian, where that fits."""
    glossed = [*start[:-1], f"{start[-1]} ({gsm(say(_do(bulletin), lang))})"]
    return glossed if septets(_joined(glossed, extras, end)) <= SEPTETS else start


def _joined(start: list[str], extras: list[str], end: str) -> str:
    return f"{'. '.join([*start, *extras])}. {end}"


def _start(bulletin: Bulletin, post: str, lang: str) -> list[str]:
    return [gsm(say(part, lang)) for part in _first(bulletin, post)]


def _first(bulletin: Bulletin, post: str) -> Iterator[Phrase]:
    """Yield what is always there."""
    if bulletin.status is BulletinStatus.EXERCISE:
        yield phrase("bulletin.sms.exercise")
    elif not bulletin.public:
        yield phrase("bulletin.sms.monitoring")
    key = became if (became := wording(bulletin)) in ENDS else "head.ahead" if _ahead(bulletin) else "head"
    hazard = phrase(f"bulletin.hazard.{bulletin.hazard.value}")
    yield phrase(f"bulletin.sms.{key}", label=label(bulletin, bulletin.level), hazard=hazard)
    yield phrase("bulletin.sms.where", post=post, now=_now(bulletin))
    yield _do(bulletin)


def _ahead(bulletin: Bulletin) -> bool:
    """Whether the level in force is only foreseen, and the water known to stand below its limit."""
    level_m, limit_m = bulletin.level_m, bulletin.limit_m
    measured = bulletin.reason is Reason.THRESHOLD or bulletin.observed_flooding
    if measured or bulletin.level is Siaga.NORMAL or level_m is None or limit_m is None:
        return False
    return level_m < limit_m  # False for NaN


def _do(bulletin: Bulletin) -> Phrase:
    if bulletin.status is BulletinStatus.EXERCISE:
        return phrase("bulletin.sms.do.exercise")
    return phrase(f"bulletin.sms.do.{todo(bulletin)}")


def _where(bulletin: Bulletin) -> str:
    landslide = bulletin.hazard is Hazard.LANDSLIDE and bulletin.slope is not None
    return bulletin.slope.place if landslide and bulletin.slope is not None else bulletin.post


def _now(bulletin: Bulletin) -> Phrase:
    time = clock(bulletin.at_us, sent_us=bulletin.sent_us)
    if bulletin.hazard is Hazard.FLOOD:
        if bulletin.level_m is None or not known(bulletin.level_m):
            return phrase("bulletin.sms.level.unknown", time=time)
        return phrase("bulletin.sms.level", level=Number(bulletin.level_m, 2), time=time)
    slope = bulletin.slope
    if slope is None or not known(slope.rain_mm) or not known(slope.rain_h):
        return phrase("bulletin.sms.rain.unknown", time=time)
    return phrase("bulletin.sms.rain", rain=Number(slope.rain_mm, 1), hours=hours(slope.rain_h), time=time)


def _more(bulletin: Bulletin) -> Iterator[list[Choice]]:
    """Yield what is added while it fits, the most important first; each as its choices, the fullest first."""
    yield [] if bulletin.verified else [_only("unverified")]
    if over(bulletin):
        yield []
        return
    yield list(_reached(bulletin))
    if _ahead(bulletin) and bulletin.limit_m is not None and known(bulletin.limit_m):
        yield [_only("below", limit=Number(bulletin.limit_m, 2))]
    foreseen = bulletin.foreseen
    if foreseen is not None and foreseen.crossing_us is not None:
        ahead = foreseen.crossing_us > bulletin.sent_us
        time = clock(foreseen.crossing_us, sent_us=bulletin.sent_us)
        yield [_only("crossing" if ahead else "crossed", time=time)]
    if bulletin.fallback:
        yield [_only("fallback")]
    if bulletin.invented:
        yield [_only("invented")]
    yield [_only("expires", time=clock(bulletin.expires_us, sent_us=bulletin.sent_us))]


def _only(key: str, **fields: Value) -> Choice:
    return (Phrase(f"bulletin.sms.{key}", fields),), ()


def _reached(bulletin: Bulletin) -> Iterator[Choice]:
    """Yield how many people and where the most of them live, then the place that is reached next.

    A number of people never stands right before a place where nobody counted any, as if all of them lived there:
    the next place is said with the time of its own, or beside its name where it is among the first.
    """
    people, nearest = bulletin.impact.people, _next_reached(bulletin)
    counted = [area for area in bulletin.impact.areas[:AREAS_AT_MOST] if area.people]
    coming = () if nearest is None else (_arrival(bulletin, nearest),)
    also = () if nearest is None else (nearest,)
    if people is None:
        yield coming, also
        return
    n = Number(people)
    if nearest is not None and nearest in counted[:1]:
        beside = Series((_village(bulletin, nearest),))
        yield (phrase("bulletin.sms.village.people", n=n, places=beside),), also
    elif nearest is not None and counted:
        counted = [area for area in counted if area != nearest]
        for most in range(min(len(counted), COUNTED_AT_MOST), 0, -1):
            yield (_people(n, counted[:most]), *coming), (*counted[:most], nearest)
    for most in range(min(len(counted), COUNTED_AT_MOST), 0, -1):
        yield (_people(n, counted[:most]),), tuple(counted[:most])
    alone = phrase("bulletin.sms.people", n=n)
    if not counted:
        yield (alone, *coming), also
    yield (alone,), ()


def _people(n: Number, areas: list[AffectedArea]) -> Phrase:
    places = Series(tuple(shortened(area.name, PLACE_AT_MOST) for area in areas))
    return phrase("bulletin.sms.village.people", n=n, places=places)


def _next_reached(bulletin: Bulletin) -> AffectedArea | None:
    """Return the place that the flood reaches next; where it is everywhere already, where it came first."""
    timed = [area for area in bulletin.impact.areas[:AREAS_AT_MOST] if area.arrival_us is not None]
    coming = [area for area in timed if (area.arrival_us or 0) > bulletin.sent_us]
    past = timed if set_out(bulletin) else []
    return min(coming or past, key=lambda area: area.arrival_us or 0, default=None)


def _arrival(bulletin: Bulletin, area: AffectedArea) -> Phrase:
    """Return the time of day at which a place is reached, or since when it is."""
    coming = (area.arrival_us or 0) > bulletin.sent_us
    key = "arrived" if not coming else "arrival" if set_out(bulletin) else "arrival.early"
    return _placed(f"bulletin.sms.{key}", bulletin, area)


def _village(bulletin: Bulletin, area: AffectedArea) -> Value:
    """Return a village with the time beside it; without one where it is reached already."""
    if (area.arrival_us or 0) <= bulletin.sent_us:
        return shortened(area.name, PLACE_AT_MOST)
    return _placed(f"bulletin.sms.village{'' if set_out(bulletin) else '.early'}", bulletin, area)


def _placed(key: str, bulletin: Bulletin, area: AffectedArea) -> Phrase:
    time = clock(area.arrival_us or 0, sent_us=bulletin.sent_us)
    return phrase(key, place=shortened(area.name, PLACE_AT_MOST), time=time)


def _villages(
    bulletin: Bulletin,
    named: tuple[AffectedArea, ...],
    start: list[str],
    extras: list[str],
    *,
    end: str,
    lang: str,
) -> list[str]:
    """Return the villages that still fit, as one part; no part where not even one does."""
    if over(bulletin):
        return []
    key = "bulletin.sms.places.more" if named else "bulletin.sms.places"
    said: list[str] = []
    fitting: tuple[str, ...] = ()
    for area in bulletin.impact.areas[:VILLAGES_AT_MOST]:
        if area in named:
            continue
        longer = (*fitting, shortened(area.name, PLACE_AT_MOST))
        part = gsm(say(phrase(key, places=Series(longer)), lang))
        if septets(_joined(start, [*extras, part], end)) > SEPTETS:
            break
        fitting, said = longer, [part]
    return said


def _origin(bulletin: Bulletin, lang: str) -> str:
    if bulletin.public and bulletin.authority is not None:
        return shortened(bulletin.authority, AUTHORITY_AT_MOST)
    return gsm(say(phrase("bulletin.sms.origin.monitoring"), lang))


def shortened(name: str, at_most: int) -> str:
    """Return a name in GSM letters that takes no more septets; a shortened one ends in two dots.

    Whole words are dropped from its end; only a first word that is too long itself is cut, and never within digits.

    Examples
    --------
    >>> shortened("Bendung Gerak Serayu Hulu", 20), shortened("Kalibagor", 20)
    ('Bendung Gerak..', 'Kalibagor')
    """
    whole = clean(gsm(clean(name)))
    if septets(whole) <= at_most:
        return whole
    words = whole.split(" ")
    while len(words) > 1:
        words.pop()
        if septets(" ".join(words) + DOTS) <= at_most:
            return " ".join(words) + DOTS
    cut = words[0]
    while cut and (septets(cut + DOTS) > at_most or cut[-1].isdigit()):
        cut = cut[:-1]
    return cut + DOTS
