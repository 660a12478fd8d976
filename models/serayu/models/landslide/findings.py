"""What drones saw on slopes: scars of slides, bare soil, cracks; and what that does to a level."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError
from serayu.models.landslide.features import read_features
from serayu.models.landslide.ground import distance_m
from serayu.models.landslide.levels import SlopeLevel, highest, one_more
from serayu.models.landslide.units import PlacedUnit
from serayu.models.survey.finding import DefectClass
from serayu.models.times import US_PER_DAY, parse_rfc3339

__all__ = [
    "FINDING_DAYS",
    "NEAR_EDGE_M",
    "FindingKind",
    "PlacedFinding",
    "SlopeFinding",
    "findings_of",
    "raised",
    "read_findings",
]

NEAR_EDGE_M = 10.0
"""A crack up to so far from the edge of the slope is near it, m [project proposal]."""
FINDING_DAYS = 180
"""Older findings do not count: slopes are repaired and overgrown [project proposal]."""
_KINDS = frozenset({"Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon"})


class FindingKind(enum.StrEnum):
    """What was seen."""

    SCAR = "scar"
    BARE_SOIL = "bare_soil"
    CRACK = "crack"


class SlopeFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding.

    Parameters
    ----------
    kind, observed_us
        What and when (microseconds UTC).
    edge_m
        Distance of a crack from the edge of the slope, m; None where nobody measured it.
    id
        Name of it elsewhere.
    """

    kind: FindingKind
    observed_us: int
    edge_m: float | None = None
    id: str | None = None

    @property
    def near_edge(self) -> bool:
        """Whether it is a crack that is known to be near the edge."""
        return self.kind is FindingKind.CRACK and self.edge_m is not None and self.edge_m <= NEAR_EDGE_M


class PlacedFinding(msgspec.Struct, frozen=True):
    """A finding and where it lies, in longitude and latitude."""

    finding: SlopeFinding
    geometry: BaseGeometry


class _Fields(msgspec.Struct, frozen=True):
    """Properties of a feature that are read; drone findings may carry others."""

    kind: FindingKind
    observed: str
    edge_m: float | None = None
    id: str | None = None

    def __post_init__(self) -> None:
        if self.edge_m is not None and not self.edge_m >= 0:
            raise ValueError(f"edge_m must be 0 or more, got {self.edge_m}")


class _Surveyed(msgspec.Struct, frozen=True):
    """Properties of a finding of a survey that are read."""

    label: DefectClass = msgspec.field(name="class")
    time: str | None
    id: str | None = None


def read_findings(file: Path) -> Sequence[PlacedFinding]:
    """Read findings from a GeoJSON file: properties ``kind``, ``observed`` (time with zone), ``edge_m``, ``id``.

    The ``findings.geojson`` of ``serayu vision survey`` is such a file too: its slides are scars. What is no slide, or
    has no time, is passed over.

    Raises
    ------
    BadInputError
        Not such a file, or a wrong field; names the row.
    """
    findings: list[PlacedFinding] = []
    for row, properties, geometry in read_features(file, kinds=_KINDS):
        try:
            finding = _finding(properties)
        except (msgspec.ValidationError, ValueError) as error:
            raise BadInputError(str(error), file=file, row=row) from None
        if finding is not None:
            findings.append(PlacedFinding(finding, geometry))
    return tuple(findings)


def _finding(properties: Mapping[str, Any]) -> SlopeFinding | None:
    if "class" in properties and "kind" not in properties:
        surveyed = msgspec.convert(dict(properties), _Surveyed)
        if surveyed.label is not DefectClass.LANDSLIDE or surveyed.time is None:
            return None
        return SlopeFinding(kind=FindingKind.SCAR, observed_us=parse_rfc3339(surveyed.time), id=surveyed.id)
    fields = msgspec.convert(dict(properties), _Fields)
    seen_us = parse_rfc3339(fields.observed)
    return SlopeFinding(kind=fields.kind, observed_us=seen_us, edge_m=fields.edge_m, id=fields.id)


def findings_of(placed: PlacedUnit, findings: Iterable[PlacedFinding], *, at_us: int) -> list[SlopeFinding]:
    """Return the findings on or near a unit that were seen by a moment and are not too old, newest first."""
    near = [
        one.finding
        for one in findings
        if 0 <= at_us - one.finding.observed_us <= FINDING_DAYS * US_PER_DAY
        and distance_m(placed.geometry, one.geometry) <= placed.unit.reach_m
    ]
    return sorted(near, key=lambda finding: -finding.observed_us)


def raised(level: SlopeLevel, findings: Iterable[SlopeFinding]) -> SlopeLevel:
    """Return a level after the findings [project proposal].

    One step up however many there are: for a crack near the edge, to waspada at least; for a scar, to pantau at
    least; for bare soil, or a crack elsewhere, only from waspada on. A level that is unknown becomes what the
    finding alone stands for.
    """
    seen = list(findings)
    if any(finding.near_edge for finding in seen):
        return highest([one_more(level), SlopeLevel.WASPADA])
    if any(finding.kind is FindingKind.SCAR for finding in seen):
        return highest([one_more(level), SlopeLevel.PANTAU])
    return one_more(level) if seen and level.rank >= SlopeLevel.WASPADA.rank else level
