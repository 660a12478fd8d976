"""One unit of a survey, from the file to sightings on the ground: a pure function, wherever it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError
from serayu.models.survey.finding import DefectClass
from serayu.vision.detection import Detection, Image
from serayu.vision.ground import GroundMap
from serayu.vision.imagery import Imagery, Opened, Unit
from serayu.vision.privacy.guard import NO_GUARD, Guard
from serayu.vision.privacy.hidden import Hidden
from serayu.vision.quality import Measure, Verdict
from serayu.vision.sighting import Measured, Sighting
from serayu.vision.survey.marks import marks_of
from serayu.vision.survey.pictures import annotated_jpeg, crop_jpeg
from serayu.vision.survey.result import Pictures, Problem, UnitResult, UnitStatus

__all__ = [
    "Finder",
    "Gauge",
    "Look",
    "cut_by_edge",
    "finished",
    "footprint",
    "look",
    "opened_or_problem",
    "said",
    "without",
]

_EDGE_PX = 2.0
_EDGE_SHARE = 0.004  # of the longer side [project proposal]: detectors' boxes end a few pixels off the edge
_SLIDE_EDGE_SHARE = 0.025
"""The same for slides of a detector, which sees a drone photo reduced to some 80 px: two of them [project proposal]."""
_NO_POSE = frozenset(
    {
        *(f"no_{name}" for name in ("position", "height", "pitch", "roll", "yaw", "focal", "ground")),
        "height_not_above", "terrain_void", "exif_unreadable", "xmp_unreadable",
    }
)  # fmt: skip
"""Reasons of the quality gate that leave a picture without a place."""
_FOOTPRINT_STEPS = 8  # points along each side: lenses and terrain bend the edge


class Finder(Protocol):
    """Finds things in an opened unit: a detector, or boxes that were given for it."""

    @property
    def name(self) -> str:
        """Return what found them, for the record."""
        ...

    def find(self, unit: Unit, opened: Opened) -> tuple[Detection, ...]:
        """Return what is in it, in a fixed order.

        Raises
        ------
        BadInputError
            The given boxes of this unit cannot be read.
        """
        ...


Gauge = Callable[[Image, Detection, GroundMap, frozenset[Measure]], Measured]
"""Measures one detection in its picture."""


@dataclass(frozen=True, slots=True)
class Look:
    """What came of a unit: what is kept of it, and its pictures."""

    result: UnitResult
    pictures: Pictures


def look(unit: Unit, *, imagery: Imagery, finder: Finder, gauge: Gauge, guard: Guard = NO_GUARD) -> Look:
    """Open a unit, judge it, detect, measure and put on the ground.

    Never fails because of the unit: what is wrong with it is in the result.
    """
    opened = opened_or_problem(unit, imagery)
    if isinstance(opened, UnitResult):
        return Look(opened, Pictures(None, ()))
    try:
        detections = finder.find(unit, opened)
    except BadInputError as error:
        return Look(without(unit, opened, Problem("labels", said(error))), Pictures(None, ()))
    return finished(unit, opened, detections, gauge=gauge, guard=guard)


def opened_or_problem(unit: Unit, imagery: Imagery) -> Opened | UnitResult:
    """Return an opened unit, or why it is passed over."""
    try:
        opened = imagery.open(unit)
    except BadInputError as error:
        return UnitResult(unit.name, UnitStatus.CORRUPT, problems=(Problem("corrupt", said(error)),))
    if opened.quality.verdict is Verdict.REFUSED:
        return without(unit, opened, Problem("refused", ", ".join(opened.quality.reasons)))
    return opened


def said(error: BadInputError) -> str:
    """Return an error without the folders of this machine: surveys of copies then give the same documents."""
    place = [Path(error.file).name] if error.file is not None else []
    place += [f"row {error.row}"] if error.row is not None else []
    return ": ".join([*([", ".join(place)] if place else []), error.reason])


def finished(
    unit: Unit,
    opened: Opened,
    detections: tuple[Detection, ...],
    *,
    gauge: Gauge,
    guard: Guard = NO_GUARD,
) -> Look:
    """Measure detections, put them on the ground and draw them on what may be kept of the picture."""
    ground = opened.ground
    if ground is None:
        reasons = opened.quality.reasons
        why = [one for one in reasons if one.removeprefix("photo.quality.") in _NO_POSE] or reasons
        note = Problem("no_pose", ", ".join(why))
        return Look(
            _described(unit, opened, n_detections=len(detections), problems=(note,)), Pictures(None, ())
        )
    found = [_sighting(unit, opened, ground, one, index, gauge) for index, one in enumerate(detections)]
    sightings = tuple(one for one in found if one is not None)
    lost = len(detections) - len(sightings)
    kept = guard.kept(opened.image, gsd_mm=opened.gsd_mm) if sightings else None
    whole = None if kept is None else kept.whole
    pictures = Pictures(
        None if whole is None else annotated_jpeg(whole, sightings),
        tuple(crop_jpeg(kept.for_crop(one.xyxy_px), one.xyxy_px) for one in sightings if kept is not None),
    )
    result = _described(
        unit,
        opened,
        sightings=sightings,
        n_detections=len(detections),
        annotated=whole is not None,
        hidden=None if kept is None else kept.hidden,
        problems=(Problem("off_ground", f"{lost}"),) if lost else (),
    )
    return Look(result, pictures)


def without(unit: Unit, opened: Opened, problem: Problem) -> UnitResult:
    """Return the result of a unit in which nothing was looked for."""
    height, width = opened.image.shape[:2]
    return UnitResult(
        unit.name,
        UnitStatus.REFUSED,
        size_px=(width, height),
        gsd_mm=opened.gsd_mm,
        time_us=opened.time_us,
        quality=opened.quality,
        problems=(problem,),
    )


def _described(
    unit: Unit,
    opened: Opened,
    *,
    n_detections: int,
    sightings: tuple[Sighting, ...] = (),
    annotated: bool = False,
    hidden: Hidden | None = None,
    problems: tuple[Problem, ...] = (),
) -> UnitResult:
    height, width = opened.image.shape[:2]
    shown, centre_m, edge_m, marks = None, None, None, None
    if opened.ground is not None:
        shown = footprint(opened.ground, size_px=(width, height))
        corners = np.array([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)])
        centre_m = _finite(opened.ground.sigma_m(np.array([(width / 2, height / 2)])))
        edge_m = _finite(opened.ground.sigma_m(corners))
        marks = marks_of(opened.image, opened.ground)
    return UnitResult(
        unit.name,
        UnitStatus.READ,
        sightings=sightings,
        n_detections=n_detections,
        size_px=(width, height),
        footprint=shown,
        centre_sigma_m=centre_m,
        edge_sigma_m=edge_m,
        gsd_mm=opened.gsd_mm,
        time_us=opened.time_us,
        quality=opened.quality,
        annotated=annotated,
        hidden=hidden,
        marks=marks,
        problems=problems,
    )


def _sighting(
    unit: Unit, opened: Opened, ground: GroundMap, detection: Detection, index: int, gauge: Gauge
) -> Sighting | None:
    """Return a detection on the ground; None where its ray does not meet it."""
    left, top, right, bottom = detection.xyxy_px
    middle = np.array([((left + right) / 2, (top + bottom) / 2)])
    gsd_mm = _finite(ground.gsd_mm(middle))
    if gsd_mm is None or not np.isfinite(ground.ground_m(middle)).all():
        return None
    measured = gauge(opened.image, detection, ground, opened.quality.measures)
    if measured.figure.is_empty or not np.isfinite(shapely.get_coordinates(measured.figure)).all():
        return None
    height, width = opened.image.shape[:2]
    return Sighting(
        unit=unit.name,
        index=index,
        label=detection.label,
        score=detection.score,
        measured=measured,
        xyxy_px=detection.xyxy_px,
        gsd_mm=gsd_mm,
        cut=cut_by_edge(detection.xyxy_px, size_px=(width, height), share=_edge_share(detection)),
        time_us=opened.time_us,
    )


def cut_by_edge(
    xyxy_px: tuple[float, float, float, float], *, size_px: tuple[int, int], share: float = _EDGE_SHARE
) -> bool:
    """Return whether a box reaches the edge of its picture, so that the thing may go on outside.

    Parameters
    ----------
    xyxy_px
        The box.
    size_px
        Width and height of the picture.
    share
        Part of the longer side within which an end counts as at the edge.

    Examples
    --------
    >>> cut_by_edge((1, 50, 20, 60), size_px=(100, 100)), cut_by_edge((30, 50, 40, 60), size_px=(100, 100))
    (True, False)
    """
    near = max(_EDGE_PX, share * max(size_px))
    left, top, right, bottom = xyxy_px
    return left <= near or top <= near or right >= size_px[0] - near or bottom >= size_px[1] - near


def _edge_share(detection: Detection) -> float:
    """Return the part of a picture's side that what found a thing does not tell from its edge."""
    found = detection.label is DefectClass.LANDSLIDE and detection.score is not None
    return _SLIDE_EDGE_SHARE if found else _EDGE_SHARE


def footprint(ground: GroundMap, *, size_px: tuple[int, int]) -> BaseGeometry | None:
    """Return the ground that a picture shows, metres; None where its edge looks above the horizon."""
    width, height = size_px
    along = np.arange(_FOOTPRINT_STEPS) / _FOOTPRINT_STEPS
    zero, one = np.zeros(_FOOTPRINT_STEPS), np.ones(_FOOTPRINT_STEPS)
    edge = np.concatenate(
        [np.column_stack(side) for side in ((along, zero), (one, along), (1 - along, one), (zero, 1 - along))]
    ) * (width, height)
    ring = ground.ground_m(edge)
    if not np.isfinite(ring).all():
        return None
    polygon = shapely.Polygon(ring)
    return polygon if polygon.is_valid else shapely.convex_hull(polygon)


def _finite(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float | None:
    """Return the mean of the finite values, None without any."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None
