"""Two surveys compared: the document, its map, and what is said to people."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import shapely

from serayu.models.errors import BadInputError
from serayu.models.plane import LocalPlane
from serayu.models.survey.change import Change, Fate, changes
from serayu.models.survey.feature import finding_feature
from serayu.models.survey.finding import Finding
from serayu.models.texts import decimal, text
from serayu.models.times import parse_rfc3339
from serayu.vision.change.folder import Surveyed

__all__ = ["ChangeReport", "change_features", "compare"]

_LANGUAGES = ("id", "en")
_COARSER = 1.25  # ratio of ground sampling distances from which on it is said [project proposal]
_US_PER_DAY = 86_400_000_000


class OfOne(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two surveys."""

    survey: str
    detector: str
    first: str | None
    last: str | None
    gsd_mm: float | None
    findings: int


class ChangeReport(msgspec.Struct, frozen=True, kw_only=True):
    """The document of a comparison.

    Parameters
    ----------
    before, after
        The surveys.
    days
        From first photo to first photo; null where a survey has no times.
    matched
        Things that both surveys have.
    counts, classes
        Things by what became of them, in all and by class.
    changes
        Each thing.
    texts
        The same for people, with what limits it, by language.
    """

    before: OfOne
    after: OfOne
    days: float | None
    matched: int
    counts: dict[str, int]
    classes: dict[str, dict[str, int]]
    changes: tuple[Change, ...]
    texts: dict[str, list[str]]


def compare(before: Surveyed, after: Surveyed) -> ChangeReport:
    """Return what became of everything between two surveys.

    Raises
    ------
    BadInputError
        They are one survey, or the second is the earlier one.
    """
    days = _days(before, after)
    _check_order(before, after, days)
    found = changes(
        before.findings,
        after.findings,
        seen_before=before.seen,
        seen_after=after.seen,
        plane=_plane(before, after),
    )
    counts = Counter(one.fate for one in found)
    labels = sorted({one.label for one in found})
    return ChangeReport(
        before=_of(before),
        after=_of(after),
        days=None if days is None else round(days, 3),
        matched=sum(one.apart_m is not None for one in found),
        counts={fate.value: counts[fate] for fate in Fate},
        classes={
            label.value: {
                fate.value: n
                for fate in Fate
                if (n := sum(one.label is label and one.fate is fate for one in found))
            }
            for label in labels
        },
        changes=found,
        texts={lang: list(_said(counts, before, after, lang)) for lang in _LANGUAGES},
    )


def change_features(report: ChangeReport) -> Iterator[dict[str, Any]]:
    """Yield one GeoJSON feature for each thing: as the later survey has it, else as the earlier."""
    for one in report.changes:
        known = _known(one)
        feature = finding_feature(known)
        properties = {
            "fate": one.fate.value,
            "text": text(f"change.fate.{one.fate.value}", "id"),
            "text_en": text(f"change.fate.{one.fate.value}", "en"),
            "before": None if one.before is None else one.before.id,
            "after": None if one.after is None else one.after.id,
            "apart_m": one.apart_m,
            "growth": msgspec.to_builtins(one.growth),
            "repaired_by": one.repaired_by,
            "severity_before": None if one.before is None else one.before.severity.value,
        }
        yield {**feature, "properties": {**properties, **feature["properties"]}}


def _known(one: Change) -> Finding:
    known = one.after or one.before
    if known is None:
        raise ValueError("a change of nothing")
    return known


def _said(counts: Counter[Fate], before: Surveyed, after: Surveyed, lang: str) -> Iterator[str]:
    for fate in Fate:
        if counts[fate]:
            yield f"{text(f'change.fate.{fate.value}', lang)}: {counts[fate]}"
    if counts[Fate.GONE] or counts[Fate.NEW]:
        yield text("change.limit.recall", lang)
    if before.head.detector != after.head.detector:
        yield text("change.limit.detector", lang)
    gsd = [one.head.gsd_mm.median for one in (before, after) if one.head.gsd_mm is not None]
    if len(gsd) == len((before, after)) and max(gsd) > _COARSER * min(gsd):
        yield text("change.limit.gsd", lang, before=decimal(gsd[0], 1, lang), after=decimal(gsd[1], 1, lang))
    if not (before.exact and after.exact):
        yield text("change.limit.segments", lang)


def _of(one: Surveyed) -> OfOne:
    head = one.head
    gsd = None if head.gsd_mm is None else head.gsd_mm.median
    return OfOne(
        survey=head.survey,
        detector=head.detector,
        first=head.first,
        last=head.last,
        gsd_mm=gsd,
        findings=len(one.findings),
    )


def _days(before: Surveyed, after: Surveyed) -> float | None:
    earlier, later = (
        None if one.head.first is None else parse_rfc3339(one.head.first) for one in (before, after)
    )
    return None if earlier is None or later is None else (later - earlier) / _US_PER_DAY


def _check_order(before: Surveyed, after: Surveyed, days: float | None) -> None:
    if before.head.survey == after.head.survey:
        raise BadInputError(f"both folders hold the survey {before.head.survey}: nothing to compare")
    if days is not None and days < 0:
        raise BadInputError(
            f"{before.head.survey} ({before.head.first}) was flown after {after.head.survey} ({after.head.first}): "
            "name the earlier survey first"
        )


def _plane(before: Surveyed, after: Surveyed) -> LocalPlane:
    """Return a plane through the middle of all that either survey has."""
    shapes = [shapely.geometry.shape(f.geometry) for one in (before, after) for f in one.findings]
    bounds = shapely.total_bounds([*shapes, before.seen, after.seen])
    return LocalPlane(float(bounds[0] + bounds[2]) / 2 if bounds[0] <= bounds[2] else 0.0)
