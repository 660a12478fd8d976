"""What a survey says of itself: what was read, with what, what was left out and why."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from serayu.models.survey.finding import Finding
from serayu.models.times import rfc3339
from serayu.vision.privacy.coverage import PrivacyNote
from serayu.vision.survey.result import UnitResult, UnitStatus

__all__ = ["Counts", "GsdRange", "LeftOut", "Summary", "counts_of", "summary_of"]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many units (photos, or windows of an orthophoto) became what, and what they show.

    Parameters
    ----------
    units, read, refused, corrupt
        All, and by what became of them.
    without_position
        Read, but without a usable pose: what they show is not in the findings.
    limited
        Read, but not good for every measurement.
    detections, sightings, findings
        Boxes in pictures; those on the ground; things.
    annotated, withheld
        Annotated pictures that were stored, and those that privacy kept back.
    classes
        Findings by class.
    unconfirmed
        Things left out because too few of the pictures that show their place saw them, or too weakly.
    """

    units: int
    read: int
    refused: int
    corrupt: int
    without_position: int
    limited: int
    detections: int
    sightings: int
    findings: int
    annotated: int
    withheld: int
    classes: dict[str, int]
    unconfirmed: int = 0


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A unit, or something of it, that is not in the findings; or an input of which nothing is.

    Parameters
    ----------
    unit, status
        Its name and what became of it.
    code
        A stable word: those of units, and ``roads_far`` where no road lies near any picture.
    detail
        For people; with ``roads_far`` the distance of the nearest road, km.
    """

    unit: str
    status: str
    code: str
    detail: str


class GsdRange(msgspec.Struct, frozen=True, kw_only=True):
    """Ground sampling distances of the pictures that were read, mm per px."""

    least: float
    median: float
    most: float


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The document ``survey.json``; the same for the same input, so it names no folder and no duration.

    Parameters
    ----------
    survey
        Id.
    source
        Name of the folder or orthophoto.
    kind
        ``photos`` or ``orthophoto``.
    detector
        Weights and runtime, or that boxes were given.
    weights
        Name and SHA-256 of each; of those with a restriction also ``restriction_id`` and ``restriction_en``, what they
        and so these results must not be used for.
    settings
        What was chosen.
    inputs
        SHA-256 of roads and elevation model, null where not given.
    privacy
        What was done to hide people, and what was not.
    counts, problems, quality
        What became of the units, and how often each reason limited or refused one.
    gsd_mm
        Null when nothing was read.
    first, last
        When the first and the last picture was taken, RFC 3339; null where they do not say.
    residual_m
        How far things lie apart in pictures that share them, root mean square after alignment, m; null where no two
        pictures share anything.
    aligned
        How many pictures share things with another one.
    """

    survey: str
    source: str
    kind: str
    detector: str
    weights: list[dict[str, str]]
    settings: dict[str, str | None]
    inputs: dict[str, str | None]
    privacy: PrivacyNote
    counts: Counts
    problems: list[LeftOut]
    quality: dict[str, int]
    gsd_mm: GsdRange | None
    first: str | None
    last: str | None
    residual_m: float | None
    aligned: int


def counts_of(results: Sequence[UnitResult], findings: Sequence[Finding], *, unconfirmed: int = 0) -> Counts:
    """Count units and what they show."""
    by_status = Counter(one.status for one in results)
    read = [one for one in results if one.status is UnitStatus.READ]
    return Counts(
        units=len(results),
        read=len(read),
        refused=by_status[UnitStatus.REFUSED],
        corrupt=by_status[UnitStatus.CORRUPT],
        without_position=sum(one.footprint is None for one in read),
        limited=sum(one.quality is not None and one.quality.verdict == "limited" for one in read),
        detections=sum(one.n_detections for one in results),
        sightings=sum(len(one.sightings) for one in results),
        findings=len(findings),
        annotated=sum(one.annotated for one in results),
        withheld=sum(bool(one.sightings) and not one.annotated for one in results),
        classes=dict(sorted(Counter(one.label.value for one in findings).items())),
        unconfirmed=unconfirmed,
    )


def summary_of(
    results: Sequence[UnitResult],
    findings: Sequence[Finding],
    *,
    head: Mapping[str, object],
    residual_m: float | None,
    aligned: int,
    unconfirmed: int = 0,
    inputs: Sequence[LeftOut] = (),
) -> Summary:
    """Return the summary of a survey.

    Parameters
    ----------
    results
        Of all units.
    findings
        What was found.
    head
        The fields from `survey` to `privacy`.
    residual_m, aligned
        Of the alignment.
    unconfirmed
        Things that were left out.
    inputs
        What is wrong with other inputs than the units.
    """
    ordered = sorted(results, key=lambda one: one.unit)
    read = [one for one in ordered if one.status is UnitStatus.READ]
    times = sorted(one.time_us for one in read if one.time_us is not None)
    reasons = Counter(reason for one in ordered if one.quality is not None for reason in one.quality.reasons)
    return msgspec.convert(
        {
            **head,
            "counts": counts_of(ordered, findings, unconfirmed=unconfirmed),
            "problems": [
                *inputs,
                *(
                    LeftOut(unit=one.unit, status=one.status.value, code=problem.code, detail=problem.detail)
                    for one in ordered
                    for problem in one.problems
                ),
            ],
            "quality": dict(sorted(reasons.items())),
            "gsd_mm": _gsd(sorted(one.gsd_mm for one in read if one.gsd_mm is not None)),
            "first": rfc3339(times[0]) if times else None,
            "last": rfc3339(times[-1]) if times else None,
            "residual_m": None if residual_m is None else round(residual_m, 3),
            "aligned": aligned,
        },
        Summary,
    )


def _gsd(ordered: Sequence[float]) -> GsdRange | None:
    if not ordered:
        return None
    return GsdRange(
        least=round(ordered[0], 3), median=round(ordered[len(ordered) // 2], 3), most=round(ordered[-1], 3)
    )
