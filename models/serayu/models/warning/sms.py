"""A bulletin as one short message of at most 160 letters of the GSM alphabet.

What, where, level, clock time, what to do and who answers for it are always there. The rest is added by rank as long
as it fits whole: a part that does not fit is left out, never cut. Only names that cannot fit are shortened, between
their words where possible, and end in two dots.
"""

from collections.abc import Iterator

from serayu.models.texts import DRAFTS, LANGUAGES
from serayu.models.warning.bulletin import AffectedArea, Bulletin, BulletinStatus, Hazard
from serayu.models.warning.gsm import SEPTETS, gsm, septets
from serayu.models.warning.impact_statements import AREAS_AT_MOST
from serayu.models.warning.spoken import Number, Phrase, Value, clean, clock, hours, known, lead, phrase, say
from serayu.models.warning.statements import label, over, todo, wording

__all__ = ["sms_text"]

POST_AT_MOST, PLACE_AT_MOST, AUTHORITY_AT_MOST = 40, 24, 28
"""Septets that a name may take [project proposal]; the post's fewer where the parts that must be there leave fewer."""

DOTS = ".."
VILLAGES_AT_MOST = 6
ENDS = ("clear", "cancel", "lapsed", "withdrawn")


def sms_text(bulletin: Bulletin, lang: str = "id") -> str:
    """Return a bulletin as one short message.

    Parameters
    ----------
    bulletin
        What is told.
    lang
        ``id`` or ``en``; ``jv-banyumas`` is a draft that is never sent alone, so it is the Indonesian with the
        Banyumasan of what to do where that fits.

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
    more = [gsm(say(part, spoken)) for part in _more(bulletin)]
    if lang in DRAFTS:
        more.insert(2, gsm(say(_do(bulletin), lang)))
    for part in more:
        if septets(_joined(start, [*extras, part], end)) <= SEPTETS:
            extras.append(part)
    return _joined(start, [*extras, *_villages(bulletin, start, extras, end)], end)


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
    key = became if (became := wording(bulletin)) in ENDS else "head"
    hazard = phrase(f"bulletin.hazard.{bulletin.hazard.value}")
    yield phrase(f"bulletin.sms.{key}", label=label(bulletin, bulletin.level), hazard=hazard)
    yield phrase("bulletin.sms.where", post=post, now=_now(bulletin))
    exercise = bulletin.status is BulletinStatus.EXERCISE
    yield phrase("bulletin.sms.do.exercise") if exercise else _do(bulletin)


def _do(bulletin: Bulletin) -> Phrase:
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


def _more(bulletin: Bulletin) -> Iterator[Value]:
    """Yield what is added while it fits, the most important first."""
    if not bulletin.verified:
        yield phrase("bulletin.sms.unverified")
    if over(bulletin):
        return
    first = _first_reached(bulletin)
    if first is not None and first.arrival_us is not None:
        place = phrase("bulletin.sms.arrival", place=shortened(first.name, PLACE_AT_MOST))
        yield _lead(place, first.arrival_us, bulletin.sent_us)
    if bulletin.foreseen is not None and bulletin.foreseen.crossing_us is not None:
        yield _lead(phrase("bulletin.sms.crossing"), bulletin.foreseen.crossing_us, bulletin.sent_us)
    if bulletin.impact.people is not None:
        yield phrase("bulletin.sms.people", n=Number(bulletin.impact.people))
    if bulletin.fallback:
        yield phrase("bulletin.sms.fallback")
    if bulletin.invented:
        yield phrase("bulletin.sms.invented")
    yield phrase("bulletin.sms.expires", time=clock(bulletin.expires_us, sent_us=bulletin.sent_us))


def _first_reached(bulletin: Bulletin) -> AffectedArea | None:
    """Return the place that the flood reaches next; where it is everywhere already, where it came first."""
    timed = [area for area in bulletin.impact.areas[:AREAS_AT_MOST] if area.arrival_us is not None]
    coming = [area for area in timed if (area.arrival_us or 0) > bulletin.sent_us]
    return min(coming or timed, key=lambda area: area.arrival_us or 0, default=None)


def _lead(what: Phrase, at_us: int, sent_us: int) -> Phrase:
    """Return how long it is until something, with the very numbers that the registers say."""
    said = lead(at_us, sent_us=sent_us)
    if said is None:
        return phrase("bulletin.sms.lead.past", what=what, time=clock(at_us, sent_us=sent_us))
    return Phrase(said.key.replace("bulletin.", "bulletin.sms.", 1), {**said.fields, "what": what})


def _villages(bulletin: Bulletin, start: list[str], extras: list[str], end: str) -> list[str]:
    """Return the villages that still fit, as one part; no part where not even one does."""
    if over(bulletin):
        return []
    fitting: list[str] = []
    for area in bulletin.impact.areas[:VILLAGES_AT_MOST]:
        name = shortened(area.name, PLACE_AT_MOST)
        if any(name in part for part in extras):  # named with its arrival
            continue
        longer = [*fitting, name]
        if septets(_joined(start, [*extras, ", ".join(longer)], end)) > SEPTETS:
            break
        fitting = longer
    return [", ".join(fitting)] if fitting else []


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
