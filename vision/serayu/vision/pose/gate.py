"""The quality gate: what a picture can be used for, and why not for more."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from serayu.models.survey.finding import CRACKS, DefectClass
from serayu.vision.detection import Image
from serayu.vision.pose.limits import ALL_CLASSES, measurable
from serayu.vision.pose.sharpness import sharpness
from serayu.vision.quality import Measure, Quality, Verdict

__all__ = ["PREFIX", "judge"]

PREFIX = "photo.quality."
"""Of the keys of reasons in the catalogue of texts."""

# On the 90 pictures that `sharpness` names, also at 0.4 and 1.3 times their light, none that is sharp is refused or
# called soft (1 in 100 lies below 7.75). Of those with a Gaussian blur of 2 px 84 % are refused and all are caught, of
# 1 px 53 % are caught; of those moved by 6 or 12 px 31 % are refused, and 81 and 75 % caught.
SOFT = 7.5
BLURRED = 4.0
# Motion during the exposure, px. Half a pixel for widths [domain reference §9]; the others are a project proposal: two
# pixels soften like a Gaussian of 0.6 px, eight destroy what is narrower than a hand at 8 mm per px.
MOTION_WIDTH_PX, MOTION_SIZE_PX, MOTION_REFUSED_PX = 0.5, 2.0, 8.0
# Angle off the nadir, degrees [project proposal]: at 15 the scale along the tilt is 1 / cos(15) = 3.5 % off, at 35 the
# far edge of a picture 50 degrees wide is seen at 60, where 1 % of height is 1.7 % of distance; then the horizon nears.
TILT_WIDTH_DEG, TILT_SIZE_DEG, TILT_REFUSED_DEG = 15.0, 35.0, 60.0
# Shares of the picture [project proposal].
CLIPPED, CLIPPED_REFUSED = 0.3, 0.7
GLARE, GLARE_REFUSED = 0.02, 0.4

_DARK, _BRIGHT = 5, 250  # of 255: what a camera clips, with room for compression
_GLARE_LEVEL, _GLARE_COLOUR = 245, 25  # brightest channel at least, and its distance to the darkest at most
_GLARE_WIDTH_M = (
    0.6  # markings are narrower (a zebra's bar has 0.3-0.6 m), sun on water and wet roads is wider
)
_GLARE_WIDTH_SHARE = 0.03  # of the picture's width, where metres are not known
_LOOKED_AT_PX = 1000  # longer side of what exposure and glare are looked at

_SIZES = frozenset({Measure.CRACK_WIDTH, Measure.LENGTH, Measure.AREA})
_WIDTH = frozenset({Measure.CRACK_WIDTH})
_TOO_COARSE = {
    Measure.POSITION: "gsd_position",
    Measure.AREA: "gsd_area",
    Measure.LENGTH: "gsd_length",
    Measure.CRACK_WIDTH: "gsd_crack_width",
}

Mask = npt.NDArray[np.bool_]


@dataclass(slots=True)
class _Findings:
    """What was found so far."""

    refused: list[str] = field(default_factory=list)
    limits: list[tuple[str, frozenset[Measure]]] = field(default_factory=list)
    figures: list[tuple[str, float]] = field(default_factory=list)

    def limit(self, reason: str, lost: frozenset[Measure]) -> None:
        self.limits.append((reason, lost))


def judge(
    image: Image,
    *,
    gsd_mm: float | None = None,
    tilt_deg: float | None = None,
    motion_m: float | None = None,
    labels: Collection[DefectClass] = ALL_CLASSES,
    notes: Sequence[str] = (),
    valid: Mask | None = None,
) -> Quality:
    """Return what a picture can be used for.

    Parameters
    ----------
    image
        The picture.
    gsd_mm
        Ground sampling distance in its middle, mm per px; None without a pose: nothing is measured then.
    tilt_deg
        Angle of the optical axis off the nadir.
    motion_m
        How far the camera moved during the exposure, m.
    labels
        What is looked for; a measure that serves one of them is kept. `limits.measurable` tells it for one class.
    notes
        Reasons already known, without the prefix, put last; they take no measure away.
    valid
        Where the picture has content, shape (height, width); None for all of it.

    Notes
    -----
    Glare is wide, bright and without colour, after strips as wide as road markings are taken away; a white roof looks
    the same, so it only limits. A wet road that mirrors no light cannot be told from new asphalt.
    """
    if valid is not None and not valid.any():
        return Quality(Verdict.REFUSED, frozenset(), (PREFIX + "empty",))
    found = _Findings()
    small, seen = _smaller(image, valid)
    _judge_light(small, seen, found)
    _judge_glare(small, seen, gsd_mm=_scaled(gsd_mm, image, small), found=found)
    _judge_sharpness(image, valid, found)
    if motion_m is not None and gsd_mm is not None:
        _judge_motion(motion_m * 1000 / gsd_mm, found)
    if tilt_deg is not None:
        _judge_tilt(tilt_deg, found)
    wanted = _wanted(labels)
    measures = frozenset[Measure]() if gsd_mm is None else measurable(gsd_mm, labels=labels)
    if gsd_mm is not None:
        found.figures.append(("gsd_mm", gsd_mm))
        for measure in (one for one in _TOO_COARSE if one in wanted - measures):
            found.limit(_TOO_COARSE[measure], frozenset({measure}))
    return _verdict(found, measures=measures, wanted=wanted, notes=notes)


def _verdict(
    found: _Findings, *, measures: frozenset[Measure], wanted: frozenset[Measure], notes: Sequence[str]
) -> Quality:
    lost = frozenset[Measure]().union(*(what for _, what in found.limits))
    limits = [reason for reason, _ in sorted(found.limits, key=lambda one: -len(one[1]))]
    reasons = tuple(dict.fromkeys(PREFIX + reason for reason in (*found.refused, *limits, *notes)))
    figures = tuple(sorted(found.figures))
    if found.refused:
        return Quality(Verdict.REFUSED, frozenset(), reasons, figures)
    left = measures - lost
    good = not reasons and left == wanted
    return Quality(Verdict.GOOD if good else Verdict.LIMITED, left, reasons, figures)


def _wanted(labels: Collection[DefectClass]) -> frozenset[Measure]:
    return frozenset(Measure) if CRACKS & set(labels) else frozenset(Measure) - _WIDTH


def _judge_light(small: Image, seen: Mask, found: _Findings) -> None:
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)[seen]
    for name, share in (("dark", np.mean(grey <= _DARK)), ("bright", np.mean(grey >= _BRIGHT))):
        found.figures.append((f"{name}_share", float(share)))
        if share > CLIPPED_REFUSED:
            found.refused.append(name)
        elif share > CLIPPED:
            found.limit(name, _WIDTH)


def _judge_glare(small: Image, seen: Mask, *, gsd_mm: float | None, found: _Findings) -> None:
    blue, green, red = (small[:, :, band] for band in range(3))
    brightest = np.maximum(np.maximum(blue, green), red)
    darkest = np.minimum(np.minimum(blue, green), red)
    white = (brightest >= _GLARE_LEVEL) & (brightest - darkest <= _GLARE_COLOUR) & seen
    width = _GLARE_WIDTH_M * 1000 / gsd_mm if gsd_mm else _GLARE_WIDTH_SHARE * small.shape[1]
    if width > min(small.shape[:2]):
        return  # the whole picture is narrower than a marking may be
    kernel = np.ones((max(round(width), 3),) * 2, dtype=np.uint8)
    wide = cv2.morphologyEx(white.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    share = float(wide.sum() / seen.sum())
    found.figures.append(("glare_share", share))
    if share > GLARE_REFUSED:
        found.refused.append("glare")
    elif share > GLARE:
        found.limit("glare", _WIDTH)


def _judge_sharpness(image: Image, valid: Mask | None, found: _Findings) -> None:
    value = sharpness(image, valid=valid)
    found.figures.append(("sharpness", value))
    if value < BLURRED:
        found.refused.append("blur")
    elif value < SOFT:
        found.limit("soft", _WIDTH)


def _judge_motion(motion_px: float, found: _Findings) -> None:
    found.figures.append(("motion_px", motion_px))
    if motion_px > MOTION_REFUSED_PX:
        found.refused.append("motion")
    elif motion_px > MOTION_WIDTH_PX:
        found.limit("motion", _SIZES if motion_px > MOTION_SIZE_PX else _WIDTH)


def _judge_tilt(tilt_deg: float, found: _Findings) -> None:
    found.figures.append(("tilt_deg", tilt_deg))
    if tilt_deg > TILT_REFUSED_DEG:
        found.refused.append("tilt")
    elif tilt_deg > TILT_WIDTH_DEG:
        found.limit("tilt", _SIZES if tilt_deg > TILT_SIZE_DEG else _WIDTH)


def _smaller(image: Image, valid: Mask | None) -> tuple[Image, Mask]:
    """Return a picture of at most `_LOOKED_AT_PX` and where it has content."""
    step = max(image.shape[:2]) / _LOOKED_AT_PX
    if step <= 1:
        return image, np.ones(image.shape[:2], dtype=bool) if valid is None else valid
    size = (max(round(image.shape[1] / step), 1), max(round(image.shape[0] / step), 1))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if valid is None:
        return small, np.ones(small.shape[:2], dtype=bool)
    seen = np.asarray(cv2.resize(valid.astype(np.uint8), size, interpolation=cv2.INTER_AREA)) > 0
    return small, seen if seen.any() else np.ones(small.shape[:2], dtype=bool)


def _scaled(gsd_mm: float | None, image: Image, small: Image) -> float | None:
    return None if gsd_mm is None else gsd_mm * image.shape[1] / small.shape[1]
