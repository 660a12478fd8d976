"""What was found on each 100 m of road, and how much of it the pictures show."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.pavement.damage import Damage
from serayu.models.roads.line import Ruas, Segment, segments_of
from serayu.models.survey.finding import DefectClass, Finding
from serayu.vision.survey.combine import Thing
from serayu.vision.survey.place import Roads

__all__ = ["WIDTH_M", "SegmentFound", "found_on", "segments_found", "strip", "surveyed"]

WIDTH_M = 6.0
"""Of a road whose width is not known, for what pictures show of it: two lanes of 3 m [project proposal]."""
_SAMPLES = 24  # points of a thing that say how much of it lies on which segment


@dataclass(frozen=True, slots=True)
class SegmentFound:
    """What lies on a segment.

    Parameters
    ----------
    segment, ruas
        The segment and its road.
    surveyed
        Share of its carriageway that pictures show, 0-1.
    damages
        What was found on it, slides left out; of a crack or an area that goes on, its part.
    findings
        How many things have their middle on it, slides among them.
    """

    segment: Segment
    ruas: Ruas
    surveyed: float
    damages: list[Damage] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


def segments_found(
    pairs: Sequence[tuple[Finding, Thing]], *, roads: Roads, footprints: Iterable[BaseGeometry]
) -> tuple[SegmentFound, ...]:
    """Return the segments that any picture shows, by road and kilometre, with what was found on them.

    Parameters
    ----------
    pairs
        Findings and their things in metres.
    roads
        The network.
    footprints
        What the pictures show, metres.
    """
    shown = shapely.unary_union(list(footprints))
    found = []
    for ruas in sorted(roads.network.ruas, key=lambda one: one.number):
        line = ruas.line_m(roads.network.plane)
        if not shapely.intersects(shown, line.buffer(_width(ruas) / 2)):
            continue
        own = [pair for pair in pairs if pair[0].ruas == ruas.number]
        found += found_on(ruas, own, roads=roads, shown=shown)
    return tuple(found)


def found_on(
    ruas: Ruas, pairs: Sequence[tuple[Finding, Thing]], *, roads: Roads, shown: BaseGeometry
) -> list[SegmentFound]:
    """Return the segments of a road that pictures show, with what was found on each."""
    plane = roads.network.plane
    found = [
        SegmentFound(segment, ruas, surveyed(strip(segment, ruas, roads), shown))
        for segment in segments_of(ruas, plane)
    ]
    line = ruas.line_m(plane)
    ends_m = np.array([(one.segment.km_to - ruas.km_from) * 1000 for one in found])
    for finding, thing in pairs:
        _add(found, ends_m, line, finding, thing)
    return [one for one in found if one.surveyed > 0]


def strip(segment: Segment, ruas: Ruas, roads: Roads) -> BaseGeometry:
    """Return the carriageway of a segment, metres."""
    line = roads.network.plane.to_metres(np.array([segment.geometry], dtype=object))[0]
    area: BaseGeometry = line.buffer(_width(ruas) / 2, cap_style="flat")
    return area


def surveyed(area: BaseGeometry, shown: BaseGeometry) -> float:
    """Return the share of an area that pictures show, 0-1."""
    return float(shapely.intersection(area, shown).area / area.area) if area.area > 0 else 0.0


def _add(
    found: Sequence[SegmentFound],
    ends_m: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    line: BaseGeometry,
    finding: Finding,
    thing: Thing,
) -> None:
    """Add a thing to the segments that it lies on: a hole whole where its middle is, others in parts."""
    if finding.km is None:
        return
    at = (finding.km - found[0].segment.km_from) * 1000
    middle = min(int(np.searchsorted(ends_m, at, side="right")), len(found) - 1)
    found[middle].findings.append(finding.id)
    if finding.label is DefectClass.LANDSLIDE:
        return
    damage = Damage.of(finding)
    whole = finding.label is DefectClass.POTHOLE
    for index, share in ({middle: 1.0} if whole else _shares(ends_m, line, thing.figure)).items():
        found[index].damages.append(_part(damage, share))


def _part(damage: Damage, share: float) -> Damage:
    """Return part of a thing: its length and area, and their errors, in proportion."""
    if share >= 1:
        return damage
    errors = damage.errors
    return dataclasses.replace(
        damage,
        length_m=_times(damage.length_m, share),
        area_m2=_times(damage.area_m2, share),
        errors=msgspec.structs.replace(
            errors, length_m=_times(errors.length_m, share), area_m2=_times(errors.area_m2, share)
        ),
    )


def _times(value: float | None, share: float) -> float | None:
    return None if value is None else share * value


def _shares(
    ends_m: np.ndarray[tuple[int, ...], np.dtype[np.float64]], line: BaseGeometry, figure: BaseGeometry
) -> Mapping[int, float]:
    """Return how much of a figure lies on which segment, by the kilometres of points along it; in sum 1."""
    run = figure if figure.area == 0 else figure.boundary
    points = shapely.line_interpolate_point(run, (np.arange(_SAMPLES) + 0.5) / _SAMPLES, normalized=True)
    along = shapely.line_locate_point(line, points)
    places = np.minimum(np.searchsorted(ends_m, along, side="right"), len(ends_m) - 1)
    return {int(index): n / _SAMPLES for index, n in Counter(places.tolist()).items()}


def _width(ruas: Ruas) -> float:
    return WIDTH_M if ruas.width_m is None else ruas.width_m
