"""Outline of a rectangle in a box (a patch), which lies as the road lies and not as the picture does."""

import math

import cv2
import numpy as np

from serayu.vision.detection import Points
from serayu.vision.measure.crop import Crop
from serayu.vision.measure.unlike import unlike_surroundings

__all__ = ["panel_outline"]

_TILTS_DEG = tuple(range(-42, 43, 2))
_LEAST_SHARE = 0.12  # of the box's longer side that the shorter side of a tilted rectangle has at least
_LEAST_GAIN = 0.4  # by which inside and outside differ at the best tilt at least, standard deviations


def panel_outline(crop: Crop) -> tuple[Points, bool]:
    """Return the rectangle that touches all four sides of the box, and whether the picture decided its tilt.

    For each tilt there is one such rectangle: its sides a and b solve ``a cos t + b sin t = width``, ``a sin t + b
    cos t = height``. The tilt is taken at which its inside differs most from the rest of the window; without a clear
    difference it is the box itself, an upper limit.

    Returns
    -------
    outline
        Corners in pixels of the window, shape (4, 2).
    decided
        False where no tilt stood out: the shape is then a guess.
    """
    distance = unlike_surroundings(crop)
    rectangles = {tilt: corners for tilt in _TILTS_DEG if (corners := _touching(crop, tilt)) is not None}
    gains = {tilt: _gain(distance, corners) for tilt, corners in rectangles.items()}
    best = max(gains, key=lambda tilt: (gains[tilt], -abs(tilt)))
    if gains[best] < _LEAST_GAIN:
        return rectangles[0], False
    return rectangles[best], True


def _touching(crop: Crop, tilt_deg: int) -> Points | None:
    left, top, right, bottom = crop.box_px
    width, height = right - left, bottom - top
    cos, sin = math.cos(math.radians(abs(tilt_deg))), math.sin(math.radians(abs(tilt_deg)))
    squared = cos * cos - sin * sin
    along, across = (width * cos - height * sin) / squared, (height * cos - width * sin) / squared
    if tilt_deg and min(along, across) < _LEAST_SHARE * max(width, height):  # the box itself always touches
        return None
    turn = math.copysign(1.0, tilt_deg)
    side, up = np.array([cos, turn * sin]) * along / 2, np.array([-turn * sin, cos]) * across / 2
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    return np.array([middle - side - up, middle + side - up, middle + side + up, middle - side + up])


def _gain(distance: np.ndarray[tuple[int, ...], np.dtype[np.float32]], corners: Points) -> float:
    """Return how well a rectangle splits the window: difference of means times the root of the shares of both."""
    inside = np.zeros(distance.shape, np.uint8)
    cv2.fillPoly(inside, [np.floor(corners).astype(np.int32)], 1)
    share = float(inside.mean())
    if not 0.0 < share < 1.0:
        return 0.0
    total, inner = float(distance.mean()), float(distance[inside > 0].mean())
    outer = (total - share * inner) / (1.0 - share)
    return (inner - outer) * 2.0 * math.sqrt(share * (1.0 - share))
