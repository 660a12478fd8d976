"""A bulletin for people, in three registers: formal Indonesian, English, and a draft in Banyumasan."""

from typing import NamedTuple

from serayu.models.texts import DRAFTS, LANGUAGES, text
from serayu.models.warning import statements
from serayu.models.warning.bulletin import Bulletin, BulletinStatus
from serayu.models.warning.impact_statements import AREAS_KEY
from serayu.models.warning.spoken import Series, say

__all__ = ["Message", "combined", "expiry", "label", "message", "places", "plain_text", "sentences"]


class Message(NamedTuple):
    """What is said in one register.

    Parameters
    ----------
    headline
        What happens where, one line.
    description
        Level, time, reason, forecast, impact, what is uncertain, who answers for it.
    instruction
        What to do.
    """

    headline: str
    description: str
    instruction: str


def message(bulletin: Bulletin, lang: str = "id") -> Message:
    """Return a bulletin in one language; all of them carry the same numbers, names and times.

    Parameters
    ----------
    bulletin
        What is told.
    lang
        ``id``, ``en`` or ``jv-banyumas``; the last is a draft and must stand below the Indonesian: see `combined`.

    Returns
    -------
    Message
        Each part of an exercise begins with LATIHAN (in English EXERCISE); headline and instruction of what nobody
        signed with INFORMASI PEMANTAUAN (MONITORING), and it tells agencies to prepare, never people to leave.

    Raises
    ------
    ValueError
        An unknown language.
    """
    instruction = say(statements.instruction(bulletin), _known(lang))
    mark = _mark(bulletin, lang)
    return Message(
        headline(bulletin, lang),
        " ".join(sentences(bulletin, lang)),
        f"{mark}. {instruction}" if mark else instruction,
    )


def headline(bulletin: Bulletin, lang: str = "id") -> str:
    """Return the headline of `message` alone, which costs a tenth of it: for lists and feeds."""
    said = say(statements.headline(bulletin), _known(lang))
    mark = _mark(bulletin, lang)
    return f"{mark} – {said}" if mark else said


def _mark(bulletin: Bulletin, lang: str) -> str:
    """Return what every forwarded part must begin with; "" for what an authority signed."""
    if bulletin.public:
        return ""
    exercise = bulletin.status is BulletinStatus.EXERCISE
    return text("bulletin.exercise" if exercise else "bulletin.monitoring", lang)


def _known(lang: str) -> str:
    if lang not in LANGUAGES:
        raise ValueError(f"unknown language {lang!r}; known: {', '.join(LANGUAGES)}")
    return lang


def sentences(bulletin: Bulletin, lang: str = "id", *, places: bool = True) -> list[str]:
    """Return the description sentence by sentence, for a page that gives each its own line.

    Parameters
    ----------
    bulletin, lang
        As in `message`.
    places
        False leaves out the sentence on the affected places, for a page that lists them: see `places`.
    """
    said = [
        say(sentence, lang)
        for sentence in statements.description(bulletin)
        if places or sentence.key != AREAS_KEY
    ]
    if bulletin.status is not BulletinStatus.EXERCISE:
        return said
    return [f"{text('bulletin.exercise', lang)}. {text('bulletin.exercise.only', lang)}", *said]


def places(bulletin: Bulletin, lang: str = "id") -> list[str]:
    """Return the affected places one by one, as the sentence on them names them."""
    series = (
        sentence.fields["areas"] for sentence in statements.description(bulletin) if sentence.key == AREAS_KEY
    )
    return [say(item, lang) for found in series if isinstance(found, Series) for item in found.items]


def combined(bulletin: Bulletin, lang: str = "id") -> Message:
    """Return a bulletin as it may be sent: a draft language below the Indonesian and marked as a draft."""
    if lang not in DRAFTS:
        return message(bulletin, lang)
    official, draft = message(bulletin), message(bulletin, lang)
    mark = text("bulletin.draft")
    return Message(
        official.headline,
        f"{official.description}\n\n{mark}\n{draft.headline}. {draft.description}",
        f"{official.instruction}\n\n{mark} {draft.instruction}",
    )


def plain_text(bulletin: Bulletin) -> str:
    """Return the three registers as one plain text, Indonesian first, the draft marked and last."""
    blocks = []
    for lang in sorted(LANGUAGES, key=DRAFTS.__contains__):
        mark = [text("bulletin.draft")] if lang in DRAFTS else []
        blocks.append("\n".join([*mark, *message(bulletin, lang)]))
    return "\n\n".join(blocks) + "\n"


def label(bulletin: Bulletin, lang: str = "id") -> str:
    """Return the level in force in words; "not known" where an alert ended for want of data."""
    return say(statements.label(bulletin, bulletin.level), lang)


def expiry(bulletin: Bulletin, lang: str = "id", *, now_us: int) -> str | None:
    """Return until when it holds, or since when it has lapsed; None where it takes an alert back."""
    said = statements.expiry(bulletin, now_us=now_us)
    return None if said is None else say(said, lang)
