"""What was found on each 100 m of road, and how much of it the pictures show."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.roads.line import Ruas, Segment, segments_of
from serayu.models.survey.finding import CRACKS, DefectClass, Finding, Severity
from serayu.vision.survey.combine import Thing
from serayu.vision.survey.place import Roads

__all__ = [
    "CRACK_INFLUENCE_M",
    "WIDTH_M",
    "Kind",
    "SegmentFound",
    "found_on",
    "segments_found",
    "strip",
    "surveyed",
]

Kind = tuple[DefectClass, Severity]
CRACK_INFLUENCE_M = 0.5
"""Width that a single crack counts with in the cracked area [domain reference §1b: length × 0.5 m]."""
WIDTH_M = 6.0
"""Of a road whose width is not known: two lanes of 3 m [project proposal]."""
_SAMPLES = 24  # points of a thing that say how much of it lies on which segment


@dataclass(slots=True)
class SegmentFound:
    """What lies on a segment.

    Parameters
    ----------
    segment, width_m, width_known
        The segment and the width of its road.
    surveyed
        Share of its area that pictures show, 0-1.
    lengths_m, areas_m2
        Length or area of each class by severity, m or m².
    counts
        How many of each class by severity; a thing on two segments counts on that of its middle.
    widths_mm
        Widths of single cracks, each with the length that has it on this segment, m.
    unsized
        Things whose length or area is not known.
    """

    segment: Segment
    width_m: float
    width_known: bool
    surveyed: float
    lengths_m: defaultdict[Kind, float] = field(default_factory=lambda: defaultdict(float))
    areas_m2: defaultdict[Kind, float] = field(default_factory=lambda: defaultdict(float))
    counts: Counter[Kind] = field(default_factory=Counter)
    widths_mm: list[tuple[float, float]] = field(default_factory=list)
    unsized: int = 0

    @property
    def area_m2(self) -> float:
        """Area of the segment's carriageway."""
        return self.segment.length_m * self.width_m

    @property
    def crack_area_pct(self) -> float:
        """Cracked area: alligator cracks, and single ones at `CRACK_INFLUENCE_M`, % of what was surveyed."""
        cracked = sum(value for (label, _), value in self.areas_m2.items() if label in CRACKS)
        cracked += CRACK_INFLUENCE_M * sum(self.lengths_m.values())
        seen = self.surveyed * self.area_m2
        return min(100.0, 100.0 * cracked / seen) if seen > 0 else 0.0

    @property
    def crack_width_mm(self) -> float | None:
        """Mean width of single cracks by length; None where none was measured."""
        length = sum(metres for _, metres in self.widths_mm)
        return sum(width * metres for width, metres in self.widths_mm) / length if length > 0 else None

    @property
    def potholes(self) -> int:
        """How many holes."""
        return sum(n for (label, _), n in self.counts.items() if label is DefectClass.POTHOLE)

    @property
    def potholes_per_km(self) -> float:
        """Holes on a kilometre like what was surveyed of this segment."""
        seen_km = self.surveyed * self.segment.length_m / 1000
        return self.potholes / seen_km if seen_km > 0 else 0.0


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
        SegmentFound(
            segment, _width(ruas), ruas.width_m is not None, surveyed(strip(segment, ruas, roads), shown)
        )
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
    """Add a thing to the segments that it lies on, its size in parts."""
    key = (finding.label, finding.severity)
    for index, share in _shares(ends_m, line, thing.figure).items():
        one = found[index]
        if finding.area_m2 is not None:
            one.areas_m2[key] += share * finding.area_m2
        elif finding.length_m is not None:
            one.lengths_m[key] += share * finding.length_m
            if finding.width_mm is not None:
                one.widths_mm.append((finding.width_mm, share * finding.length_m))
        else:
            one.unsized += 1
    if finding.km is not None:
        at = (finding.km - (found[0].segment.km_from)) * 1000
        found[min(int(np.searchsorted(ends_m, at, side="right")), len(found) - 1)].counts[key] += 1


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
