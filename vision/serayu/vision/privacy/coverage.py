"""What is said of privacy beside every survey: what was hidden, what was not looked for, and how much is missed."""

from collections.abc import Iterable

import msgspec

from serayu.models.texts import decimal, text
from serayu.vision.privacy.guard import FINEST_GSD_MM, Guard
from serayu.vision.privacy.hidden import Hidden, Storing

__all__ = ["TESTED", "PrivacyNote", "Tested", "privacy_note"]

_LANGUAGES = ("id", "en")


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """How many faces of a size were looked for in test pictures, and how many were not found."""

    size_px: int
    tested: int
    missed: int


TESTED = (
    Tested(size_px=16, tested=324, missed=89),
    Tested(size_px=24, tested=324, missed=1),
    Tested(size_px=32, tested=324, missed=0),
)
"""Of ``docs/results/faces.json``: the portrait in all directions and the small faces upright, turned and upside down.
At 5 mm per pixel a face of 16 cm is 32 px wide on the ground, and wider higher up."""


class PrivacyNote(msgspec.Struct, frozen=True, kw_only=True):
    """The part ``privacy`` of ``survey.json``.

    Parameters
    ----------
    finest_gsd_mm
        Finer pictures are kept only blurred.
    faces, people
        What looked for them; null where nothing did.
    as_it_is, blurred, withheld
        Pictures with findings by what became of their whole.
    faces_hidden, people_hidden
        How many, over all pictures; somebody in two pictures counts twice.
    tested
        What the finder of faces missed in test pictures; empty where none works.
    texts
        All of it for people, by language.
    """

    finest_gsd_mm: float
    faces: str | None
    people: str | None
    as_it_is: int
    blurred: int
    withheld: int
    faces_hidden: int
    people_hidden: int
    tested: tuple[Tested, ...]
    texts: dict[str, list[str]]


def privacy_note(guard: Guard, pictures: Iterable[Hidden]) -> PrivacyNote:
    """Return what is said of a survey.

    Parameters
    ----------
    guard
        The gate that its pictures went through.
    pictures
        What became of each picture that something was found on.
    """
    all_ = list(pictures)
    counts = {kind: sum(one.storing is kind for one in all_) for kind in Storing}
    faces, people = sum(one.faces for one in all_), sum(one.people for one in all_)
    return PrivacyNote(
        finest_gsd_mm=FINEST_GSD_MM,
        faces=None if guard.faces is None else guard.faces.name,
        people=None if guard.people is None else guard.people.name,
        as_it_is=counts[Storing.AS_IT_IS],
        blurred=counts[Storing.BLURRED],
        withheld=counts[Storing.WITHHELD],
        faces_hidden=faces,
        people_hidden=people,
        tested=() if guard.faces is None else TESTED,
        texts={lang: list(_said(guard, counts, faces, people, lang)) for lang in _LANGUAGES},
    )


def _said(guard: Guard, counts: dict[Storing, int], faces: int, people: int, lang: str) -> Iterable[str]:
    gsd = decimal(FINEST_GSD_MM, 0, lang)
    if counts[Storing.AS_IT_IS]:
        yield text("privacy.coarse", lang, count=counts[Storing.AS_IT_IS], gsd=gsd)
    if counts[Storing.WITHHELD]:
        reason = guard.missing or text("privacy.no_model", lang)
        yield text("privacy.withheld", lang, count=counts[Storing.WITHHELD], gsd=gsd, reason=reason)
    if not counts[Storing.BLURRED]:
        return
    yield text("privacy.blurred", lang, count=counts[Storing.BLURRED], gsd=gsd, faces=faces, people=people)
    yield text("privacy.faces_only" if guard.people is None else "privacy.people_untested", lang)
    yield text("privacy.plates", lang)
    yield text("privacy.from_above", lang)
    for one in TESTED:
        yield text("privacy.missed", lang, missed=one.missed, tested=one.tested, size=one.size_px)
