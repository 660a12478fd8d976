"""Phrases without a language: a key of the catalogue and its values, said in one language at the very end.

Every register, the SMS included, says the same phrases, so none can show a number, name or time that another has not.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from serayu.models.alert_text import level_label
from serayu.models.siaga_levels import Siaga
from serayu.models.texts import catalogue, decimal, text
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, wib

ROUND_MINUTES, HALF_HOURS = 5, 2  # "about" is no more precise than this [project proposal]

ABSURD = 1e9  # beyond any level, depth or count of one kabupaten [project proposal]


class Number(NamedTuple):
    """A number and how many decimals are worth saying."""

    value: float
    decimals: int = 0


class Phrase(NamedTuple):
    """A text of the catalogue with its values."""

    key: str
    fields: "Mapping[str, Value]"


class Term(NamedTuple):
    """What a slug is called: a text of the catalogue, or the slug itself where nobody has named it."""

    group: str
    slug: str


class Series(NamedTuple):
    """Values said one after the other, with commas."""

    items: "tuple[Value, ...]"


Value: TypeAlias = str | Number | Siaga | Phrase | Term | Series


def phrase(key: str, **fields: Value) -> Phrase:
    """Return a text of the catalogue with its values."""
    return Phrase(key, fields)


def say(value: Value, lang: str) -> str:
    """Return a value in a language.

    Parameters
    ----------
    value
        A phrase, a list, a number, a level, or a name that is the same in every language.
    lang
        ``id``, ``en`` or ``jv-banyumas``.

    Raises
    ------
    KeyError
        The catalogue lacks the text in that language.
    """
    match value:
        case Siaga():
            return level_label(value, lang)
        case Number():
            return decimal(value.value, value.decimals, lang)
        case Phrase():
            return text(value.key, lang, **{name: say(field, lang) for name, field in value.fields.items()})
        case Term():
            named = catalogue().get(f"{value.group}.{value.slug}", {})
            return named.get(lang, named.get("id", clean(value.slug)))  # a dialect shares its rarer words
        case Series():
            return ", ".join(say(item, lang) for item in value.items)
    return value


def known(value: float | None) -> bool:
    """Whether a number is there; NaN, infinity and what no sensor gives are "not known" as None is."""
    return value is not None and abs(value) < ABSURD  # False for NaN


def clean(name: str) -> str:
    r"""Return a name or note on one line: control characters out, one blank between words.

    Examples
    --------
    >>> clean(" Pos\n A\x00 ")
    'Pos A'
    """
    if name.isprintable():
        return " ".join(name.split())
    shown = (" " if char.isspace() else char for char in name)
    return " ".join("".join(char for char in shown if unicodedata.category(char)[0] != "C").split())


def clock(t_us: int, *, sent_us: int) -> str:
    """Return a time of day, with its date unless that is the day on which it is said (WIB)."""
    same_day = wib(t_us)[:10] == wib(sent_us)[:10]
    return wib(t_us, date=not same_day)


def lead(at_us: int, *, sent_us: int) -> Phrase | None:
    """Return how long it is until a time, as BPBD DKI says it ("about 4.5 hours until it reaches ..."), and the time.

    Whole and half hours from one hour on, steps of five minutes below [project proposal]. None for a time that is
    past.
    """
    time = clock(at_us, sent_us=sent_us)
    ahead_us = at_us - sent_us
    if ahead_us <= 0:
        return None
    minutes = max(round(ahead_us / US_PER_MINUTE / ROUND_MINUTES), 1) * ROUND_MINUTES
    if minutes < US_PER_HOUR // US_PER_MINUTE:
        return phrase("bulletin.lead.minutes", n=Number(minutes), time=time)
    return phrase(
        "bulletin.lead.hours", n=hours(round(ahead_us / US_PER_HOUR * HALF_HOURS) / HALF_HOURS), time=time
    )


def awaited(coming: str, past: str, at_us: int, *, sent_us: int) -> Phrase:
    """Return the text *coming* with how long it is until then, or the text *past* with since when it is so."""
    ahead = lead(at_us, sent_us=sent_us)
    if ahead is None:
        return phrase(past, time=clock(at_us, sent_us=sent_us))
    return phrase(coming, lead=ahead)


def hours(value: float) -> Number:
    """Return a span of hours with a decimal only where it needs one."""
    return Number(value, 0 if round(value, 1) == round(value) else 1)


def percent(probability: float | None) -> Phrase:
    """Return a probability; never as none or as certainty, for a forecast gives neither."""
    if probability is None or not known(probability):
        return phrase("bulletin.percent.unknown")
    if probability > 0.99:  # noqa: PLR2004 -- what rounds to certainty
        return phrase("bulletin.percent.over", n=Number(99))
    if probability < 0.01:  # noqa: PLR2004 -- what rounds to nothing
        return phrase("bulletin.percent.under", n=Number(1))
    return phrase("bulletin.percent", n=Number(probability * 100))


def terms(group: str, slugs: Iterable[str]) -> Series:
    """Return what slugs are called."""
    return Series(tuple(Term(group, slug) for slug in slugs))


def names(found: Iterable[Value], *, at_most: int) -> Series:
    """Return the first names of a list and how many more there are."""
    items = tuple(clean(item) if isinstance(item, str) else item for item in found)
    if len(items) > at_most:
        items = (*items[:at_most], phrase("bulletin.more", n=Number(len(items) - at_most)))
    return Series(items)
