"""Slides that drone surveys found, as evidence for slopes: from the register, or from a survey's own file.

The detectors know one class that speaks of a slope, the slide: it is a scar. Cracks and bare soil above a road are
seen by people and given in a file (see `serayu.models.landslide.findings`).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import shapely
from shapely.geometry import shape

from serayu.models.landslide.findings import FINDING_DAYS, FindingKind, PlacedFinding, SlopeFinding
from serayu.models.survey.entry import Counted, FindingEntry, Wanted
from serayu.models.survey.finding import DefectClass
from serayu.models.times import US_PER_DAY, parse_rfc3339

__all__ = ["SurveyBook", "is_slide", "scar_of", "surveyed_scars"]

_PAGE = 500


class SurveyBook(Protocol):
    """What is needed of the register."""

    def findings(
        self, region: str, wanted: Wanted | None = None, *, after: str | None = None, limit: int = 100
    ) -> Counted:
        """Return a page of published findings with their last reviews, the newest photos first."""
        ...


def surveyed_scars(book: SurveyBook, region: str, *, at_us: int) -> tuple[PlacedFinding, ...]:
    """Return the slides that published surveys of a region show, the newest first.

    What a reviewer rejected, or called something else, is none; what one corrected to a slide is one. Without a time
    a finding cannot be told from an old scar, so it is no evidence.

    Parameters
    ----------
    book, region
        Register and region code.
    at_us
        Findings older than `FINDING_DAYS` before it are not read, microseconds UTC.

    Raises
    ------
    StoreError
        The register could not be read.
    """
    found: dict[str, PlacedFinding] = {}
    for wanted in (Wanted(label=DefectClass.LANDSLIDE), Wanted(reviewed=True)):
        for entry in _recent(book, region, wanted, since_us=at_us - FINDING_DAYS * US_PER_DAY):
            scar = scar_of(entry.feature["properties"], entry.feature["geometry"])
            if scar is not None and is_slide(entry):
                found[entry.id] = scar
    return tuple(sorted(found.values(), key=lambda one: (-one.finding.observed_us, one.finding.id or "")))


def is_slide(entry: FindingEntry) -> bool:
    """Say whether a finding is a slide: as the last reviewer said, else as the detector did."""
    label = entry.label if entry.review is None else entry.review.label
    return label is DefectClass.LANDSLIDE


def scar_of(properties: Mapping[str, Any], geometry: Mapping[str, Any]) -> PlacedFinding | None:
    """Return a survey's finding as a scar, whatever its class; None where its photo has no time.

    Parameters
    ----------
    properties, geometry
        Of its feature, valid by the schema of findings.
    """
    if properties["time"] is None:
        return None
    seen_us = parse_rfc3339(properties["time"])
    scar = SlopeFinding(kind=FindingKind.SCAR, observed_us=seen_us, id=properties["id"])
    return PlacedFinding(scar, shapely.make_valid(shape(geometry)))


def _recent(book: SurveyBook, region: str, wanted: Wanted, *, since_us: int) -> Iterator[FindingEntry]:
    """Yield findings, the newest photos first, until they are too old."""
    after: str | None = None
    while page := book.findings(region, wanted, after=after, limit=_PAGE).page:
        for entry in page:
            time = entry.feature["properties"]["time"]
            if time is not None and parse_rfc3339(time) < since_us:
                return
            yield entry
        after = page[-1].id
