"""From a detection in a picture to its sizes on the ground, with their errors, or why there are none."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.pavement.severity import crack_severity, pothole_severities
from serayu.models.survey.finding import CRACKS, DefectClass, Errors, Severity
from serayu.vision.detection import Detection, Image
from serayu.vision.ground import GroundMap
from serayu.vision.measure.masker import ClassicalMasker, Masker
from serayu.vision.measure.project import area_on_ground, box_on_ground, line_on_ground
from serayu.vision.measure.trace import Trace, trace_crack
from serayu.vision.measure.uncertainty import SCALE, area_sigma_m2, length_sigma_m
from serayu.vision.measure.width import CrackWidth, crack_width
from serayu.vision.pose.limits import measurable
from serayu.vision.quality import Measure
from serayu.vision.sighting import Measured

__all__ = ["mean_diameter_m", "measure"]

_REASON = "finding.unmeasured."
_CLASSICAL = ClassicalMasker()
_NO_SEVERITY = {
    DefectClass.ALLIGATOR_CRACK: "severity_alligator_pattern",
    DefectClass.PATCH_REPAIR: "severity_patch",
    DefectClass.LANDSLIDE: "severity_landslide",
}


def measure(
    image: Image,
    detection: Detection,
    ground: GroundMap,
    *,
    measures: frozenset[Measure],
    masker: Masker = _CLASSICAL,
    scale_sigma: float = SCALE,
) -> Measured:
    """Measure one detection.

    Longitudinal and transverse cracks have a length, that of their middle line on the ground, and a width where it
    shows; the area that the SDI counts for them is their length times the influence width of a crack, 0.5 m
    [`domain.md` §1b], not the area of the opening, so they have none here. The area of alligator cracking is that of
    the closed outline around the cracked surface, which is how ASTM D6433 measures it and what the SDI counts. Areas
    are horizontal, as on a map.

    Parameters
    ----------
    image, detection
        A picture and what was found in it; outlines of a detection are used, otherwise *masker* finds them.
    ground
        Where the picture's pixels lie.
    measures
        What the picture is good for, for some class that is looked for: the rest is left unmeasured, with the reason.
        So is what the ground sampling distance there is too coarse for in this class, by `pose.limits`.
    masker
        Finds outlines of areas inside boxes.
    scale_sigma
        Standard error of the ground sampling distance, as a share.

    Returns
    -------
    Measured
        Where a crack is not seen, its figure is the outline of its box; a figure is empty where the box does not lie
        on the ground.
    """
    left, top, right, bottom = detection.xyxy_px
    middle = np.array([[(left + right) / 2, (top + bottom) / 2]])
    gsd_mm, position_m = float(ground.gsd_mm(middle)[0]), float(ground.sigma_m(middle)[0])
    if not math.isfinite(gsd_mm):
        return _unmeasured(shapely.Point(), ("no_ground",), position_m=None)
    scene = _Scene(
        image,
        detection,
        ground,
        measures,
        gsd_mm=gsd_mm,
        position_m=position_m if math.isfinite(position_m) else None,
        scale=scale_sigma,
    )
    if detection.label in CRACKS - {DefectClass.ALLIGATOR_CRACK}:
        return _single_crack(scene)
    return _area(scene, masker)


def mean_diameter_m(area_m2: float) -> float:
    """Return the diameter of the circle of the same area."""
    return math.sqrt(4 * area_m2 / math.pi)


@dataclass(frozen=True, slots=True)
class _Scene:
    """A detection and all that is known of it before anything is measured."""

    image: Image
    detection: Detection
    ground: GroundMap
    measures: frozenset[Measure]
    gsd_mm: float
    position_m: float | None
    scale: float


def _single_crack(scene: _Scene) -> Measured:
    detection = scene.detection
    trace = trace_crack(scene.image, detection.xyxy_px, within=detection.outlines_px)
    line = None if trace is None else line_on_ground(trace.path_px, scene.ground)
    if trace is None or line is None:
        missing = ("crack_not_seen", "severity_crack_width")
        return _boxed(scene, missing)
    figure, length = line
    reasons: list[str] = []
    length_m = length_sigma = None
    missing_length = _missing(scene, Measure.LENGTH)
    if missing_length is None:
        length_m, length_sigma = length, length_sigma_m(length, gsd_mm=scene.gsd_mm, scale=scene.scale)
    else:
        reasons.append(missing_length)
    width = _width(scene, trace)
    width_mm = None
    if width is None:
        reasons.append("width_quality")
    elif not width.measurable:
        reasons.append("width_gsd")
    else:
        width_mm = width.median_mm
    severity = _crack_severity(width)
    if severity is Severity.UNMEASURED:
        reasons.append("severity_crack_width")
    errors = Errors(
        position_m=scene.position_m,
        length_m=length_sigma,
        width_mm=None if width is None or width_mm is None else width.sigma_mm,
    )
    return Measured(figure, length_m, width_mm, None, errors, severity, _keys(reasons))


def _missing(scene: _Scene, size: Measure) -> str | None:
    """Return why a size is not measured: the gate keeps what serves any class, so each has its own limit here."""
    if size not in measurable(scene.gsd_mm, labels=(scene.detection.label,)):
        return f"{size.value}_gsd"
    return None if size in scene.measures else f"{size.value}_quality"


def _width(scene: _Scene, trace: Trace) -> CrackWidth | None:
    if Measure.CRACK_WIDTH not in scene.measures:
        return None
    return crack_width(trace, scene.ground, gsd_mm=scene.gsd_mm, scale=scene.scale)


def _crack_severity(width: CrackWidth | None) -> Severity:
    """Return the severity by the width; by its upper limit, where that is below the lowest limit of the standard."""
    if width is None:
        return Severity.UNMEASURED
    if width.measurable:
        return crack_severity(width.median_mm)
    highest = crack_severity(width.median_mm + 2 * width.sigma_mm)
    return highest if highest is Severity.LOW else Severity.UNMEASURED


def _area(scene: _Scene, masker: Masker) -> Measured:
    label = scene.detection.label
    outlined = masker.outline(scene.image, scene.detection)
    figure = None if outlined is None else area_on_ground(outlined.outlines_px, scene.ground)
    if outlined is None or figure is None:
        return _boxed(scene, ("area_no_outline", *_no_severity(label, None)))
    reasons: list[str] = []
    area_m2 = area_sigma = None
    missing_area = _missing(scene, Measure.AREA)
    if missing_area is None:
        area_m2 = float(figure.area)
        area_sigma = area_sigma_m2(
            area_m2,
            perimeter_m=float(figure.length),
            gsd_mm=scene.gsd_mm,
            edge_px=outlined.edge_sigma_px,
            shape=outlined.shape_sigma,
            scale=scene.scale,
        )
    else:
        reasons.append(missing_area)
    if label is DefectClass.ALLIGATOR_CRACK:
        reasons.append("width_pattern")
    reasons.extend(_no_severity(label, area_m2))
    errors = Errors(position_m=scene.position_m, area_m2=area_sigma)
    return Measured(figure, None, None, area_m2, errors, Severity.UNMEASURED, _keys(reasons))


def _no_severity(label: DefectClass, area_m2: float | None) -> tuple[str, ...]:
    """Return why an area has no severity: of potholes the depth decides, of others what they look like."""
    if label is not DefectClass.POTHOLE:
        return (_NO_SEVERITY[label],)
    if area_m2 is None or Severity.LOW in pothole_severities(1000 * mean_diameter_m(area_m2)):
        return ("severity_pothole_depth",)
    return ("severity_pothole_depth_medium",)


def _boxed(scene: _Scene, reasons: tuple[str, ...]) -> Measured:
    """Return that nothing was measured, at the place of the box."""
    box = box_on_ground(scene.detection.xyxy_px, scene.ground)
    if box is None:
        return _unmeasured(shapely.Point(), ("no_ground",), position_m=None)
    return _unmeasured(box, reasons, position_m=scene.position_m)


def _unmeasured(figure: BaseGeometry, reasons: tuple[str, ...], *, position_m: float | None) -> Measured:
    errors = Errors(position_m=position_m)
    return Measured(figure, None, None, None, errors, Severity.UNMEASURED, _keys(reasons))


def _keys(reasons: Iterable[str]) -> tuple[str, ...]:
    return tuple(_REASON + reason for reason in reasons)
