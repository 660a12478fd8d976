"""Outlines of things inside their boxes: the port of every way to find them, and the classical one."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from serayu.models.survey.finding import DefectClass
from serayu.vision.detection import Detection, Image, Points
from serayu.vision.measure.blob import blob_outline
from serayu.vision.measure.crop import Crop
from serayu.vision.measure.panel import panel_outline
from serayu.vision.measure.ridge import Grey, grey, ridge_response
from serayu.vision.measure.trace import trace_crack

__all__ = ["ClassicalMasker", "Masker", "Outlined"]

_MARGIN_SHARE, _MARGIN_PX = 0.35, 4.0  # of surroundings about a box, of its longer side and beyond
_ALLIGATOR_FILL = 0.88
"""Size of alligator cracking against the ellipse in its box: root of the median ratio of areas, 0.78, of 523 outlines
of road_seg's train half, their notches closed that are narrower than half the box's shorter side [project proposal].

Those outlines follow single pixels (0.70 of their convex hulls at the median, with a ratio of 0.65 as they are and of
0.94 for the hulls), while the area of ASTM D6433 is that of the surface that the cracks take up, notches and all. With
0.80, the root of 0.65, areas were 0.8 of the closed ones and of rendered flights' truth at the median."""
_LINE_SCALES_PX = (1.0, 1.8, 3.2)
_CELL_SHARE, _CELL_PX = 0.12, (7, 41)  # of the box's shorter side: over what cracks are counted
_CRACKED = 0.95  # quantile of the surroundings from which a pixel counts as of a crack
# One sigma of the areas' ratio to human masks (`bench.masks`). Of alligator cracking 0.18 to closed masks, and as much
# again for where it is said to end: the found areas are 1.16 of masks as they are and 0.83 of their hulls.
_POTHOLE_SIGMA, _ALLIGATOR_SIGMA = 0.15, 0.25
_PANEL_SIGMA, _PANEL_GUESS_SIGMA = 0.08, 0.3  # [project proposal; no masks of patches are at hand]
_DRAWN_BOX_SIGMA, _BOX_SIGMA = 0.02, 0.06  # of a box's side, of each of its edges [project proposal]
_MASK_SIGMA, _MASK_EDGE_PX = 0.1, 1.0  # of masks of detectors [project proposal]


@dataclass(frozen=True, slots=True)
class Outlined:
    """Outlines of one thing and how sure they are.

    Parameters
    ----------
    outlines_px
        In pixels of the whole picture, each of shape (n, 2).
    shape_sigma
        Standard error of the area that comes from the shape, as a share of the area.
    edge_sigma_px
        Standard error of the place of the edge, the same all around.
    """

    outlines_px: tuple[Points, ...]
    shape_sigma: float
    edge_sigma_px: float


class Masker(Protocol):
    """Finds the outlines of a detected thing; a learned mask model is another one."""

    def outline(self, image: Image, detection: Detection) -> Outlined | None:
        """Return the outlines; None where nothing in the picture shows them."""
        ...


class ClassicalMasker:
    """Outlines by grey levels inside the box; a detection's own outlines are taken as they are.

    Potholes: an ellipse drawn to edges. Compared on human masks with GrabCut, thresholds of grey level and of
    distance to the surroundings, which reach an IoU of 0.35 to 0.51, it has 0.75 and the plain ellipse of the box as
    much (`bench.masks`).
    Patches: the tilted rectangle that fills the box. Alligator cracking: the closed outline of where cracks are
    dense, as ASTM D6433 measures its area. Single cracks: the middle line with its width. Landslides have no shape
    that a box could tell.
    """

    def outline(self, image: Image, detection: Detection) -> Outlined | None:
        """Return the outlines; None where nothing in the picture shows them."""
        if detection.outlines_px:
            return Outlined(detection.outlines_px, _MASK_SIGMA, _MASK_EDGE_PX)
        label = detection.label
        if label is DefectClass.LANDSLIDE:
            return None
        if label in {DefectClass.LONGITUDINAL_CRACK, DefectClass.TRANSVERSE_CRACK}:
            trace = trace_crack(image, detection.xyxy_px)
            return None if trace is None else Outlined((trace.outline_px(),), 0.0, 0.5)
        left, top, right, bottom = detection.xyxy_px
        margin_px = _MARGIN_SHARE * max(right - left, bottom - top) + _MARGIN_PX
        crop = Crop.of(image, detection.xyxy_px, margin_px=margin_px)
        if crop is None:
            return None
        outline, sigma = _area_outline(crop, label)
        box_sigma = _DRAWN_BOX_SIGMA if detection.score is None else _BOX_SIGMA
        # each side has two edges, each area two sides: 2 edges and 2 sides add up to twice the share of one
        return Outlined((crop.to_picture(outline),), float(np.hypot(sigma, 2 * box_sigma)), 0.5)


def _area_outline(crop: Crop, label: DefectClass) -> tuple[Points, float]:
    """Return the outline in pixels of the window, and the standard error of its area as a share."""
    if label is DefectClass.PATCH_REPAIR:
        outline, decided = panel_outline(crop)
        return outline, _PANEL_SIGMA if decided else _PANEL_GUESS_SIGMA
    if label is DefectClass.ALLIGATOR_CRACK:
        return blob_outline(crop, distance=_crack_density(crop), fill=_ALLIGATOR_FILL), _ALLIGATOR_SIGMA
    return blob_outline(crop), _POTHOLE_SIGMA


def _crack_density(crop: Crop) -> Grey:
    """Return the share of pixels that look like cracks around each pixel, 0-1."""
    response = ridge_response(grey(crop.image), scales_px=_LINE_SCALES_PX)
    left, top, right, bottom = crop.box_px
    outside = np.ones(response.shape, dtype=np.bool_)
    outside[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] = False
    around = response[outside] if outside.any() else response
    cracked = (response > np.quantile(around, _CRACKED)).astype(np.float32)
    side = int(np.clip(_CELL_SHARE * min(right - left, bottom - top), *_CELL_PX)) | 1
    density: Grey = cv2.blur(cracked, (side, side)).astype(np.float32)
    return density
