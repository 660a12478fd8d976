"""Surveys and findings as the register knows them."""

import enum
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from serayu.models.survey.finding import DefectClass
from serayu.models.survey.review import Judgement, Review
from serayu.models.times import rfc3339

__all__ = [
    "BBox",
    "Counted",
    "FindingEntry",
    "Order",
    "SurveyEntry",
    "Wanted",
    "Withdrawn",
    "review_document",
    "survey_document",
]

BBox = tuple[float, float, float, float]
"""West, south, east, north, degrees."""


class SurveyEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A published survey.

    Parameters
    ----------
    id, digest
        Its id, and the SHA-256 of its bundle's contents.
    source, kind, detector
        As its summary says.
    first_us, last_us
        First and last photo, microseconds UTC; None where they do not say.
    findings, segments, pictures
        How many it has.
    published_us, published_by
        When and by whom.
    document
        ``survey.json`` as it was published.
    """

    id: str
    digest: str
    source: str
    kind: str
    detector: str
    first_us: int | None
    last_us: int | None
    findings: int
    segments: int
    pictures: int
    published_us: int
    published_by: str
    document: str

    @property
    def restrictions(self) -> tuple[tuple[str, str], ...]:
        """What its detectors, and so its findings, must not be used for, in Indonesian and English; often none."""
        weights = msgspec.json.decode(self.document, type=_Told).weights
        return tuple(
            dict.fromkeys(
                (one["restriction_id"], one.get("restriction_en", ""))
                for one in weights
                if "restriction_id" in one
            )
        )


class _Told(msgspec.Struct, frozen=True):
    """What is read of ``survey.json`` here."""

    weights: list[dict[str, str]] = []


class FindingEntry(NamedTuple):
    """A published finding: its feature, whether it has a picture, and its last review."""

    id: str
    survey: str
    label: DefectClass
    score: float | None
    picture: bool
    feature: dict[str, Any]
    review: Review | None


class Order(enum.StrEnum):
    """Order of a list of findings."""

    NEWEST = "newest"
    DOUBTFUL = "doubtful"
    """The lowest score first; those without one, given by a person, last."""


class Counted(NamedTuple):
    """A page of findings, and how many there are in all."""

    page: Sequence[FindingEntry]
    total: int


class Withdrawn(NamedTuple):
    """How many findings, segments and reviews went with a survey."""

    findings: int
    segments: int
    reviews: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which findings or segments; None for all.

    Parameters
    ----------
    bbox
        Whose bounds touch it.
    label, ruas, survey
        Of that class, road and survey.
    score
        At least; findings without one, given by a person, are never left out.
    reviewed
        Only those with, or only those without, a review.
    """

    bbox: BBox | None = None
    label: DefectClass | None = None
    ruas: str | None = None
    survey: str | None = None
    score: float | None = None
    reviewed: bool | None = None


def survey_document(entry: SurveyEntry, *, whole: bool = False) -> dict[str, Any]:
    """Return a survey as the api shows it, with its summary where `whole`."""
    said = {
        "id": entry.id,
        "source": entry.source,
        "kind": entry.kind,
        "detector": entry.detector,
        "first": _time(entry.first_us),
        "last": _time(entry.last_us),
        "findings": entry.findings,
        "segments": entry.segments,
        "pictures": entry.pictures,
        "published": rfc3339(entry.published_us),
        "published_by": entry.published_by,
        "sha256": entry.digest,
        "restrictions": [{"id": one, "en": other} for one, other in entry.restrictions],
    }
    return {**said, "summary": msgspec.json.decode(entry.document)} if whole else said


def review_document(review: Review | None) -> dict[str, Any] | None:
    """Return a review as the api shows it; None for none."""
    if review is None:
        return None
    return {
        "id": review.id,
        "judgement": Judgement(review.judgement).value,
        "class": None if review.label is None else review.label.value,
        "by": review.name,
        "time": rfc3339(review.at_us),
    }


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else rfc3339(at_us)
