"""Width of a crack from its mask alone: distance transform on the skeleton."""

import cv2
import numpy as np
import numpy.typing as npt
from skimage.morphology import skeletonize

from serayu.vision.ground import Values
from serayu.vision.measure.ridge import Grey

__all__ = ["Mask", "skeleton_widths_px"]

Mask = npt.NDArray[np.bool_]
"""Which pixels belong to a thing, shape (height, width)."""


def skeleton_widths_px(mask: Mask) -> Values:
    """Return the width of a mask at each pixel of its skeleton, px; empty for an empty mask.

    ``w = 2 EDT - 1`` with the Euclidean distance to the nearest pixel outside: exact where an odd number of pixels
    lie across, up to one pixel low where the number is even [`domain.md` §9]. Pixels whose nearest edge is an end of
    the crack rather than a side of it are left out when others are there: they would measure the end.
    """
    if not mask.any():
        return np.empty(0)
    inside = np.pad(mask, 1).astype(np.uint8)  # what lies beyond the picture counts as outside
    distance: Grey = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).astype(np.float32)
    skeleton: Mask = skeletonize(inside.astype(np.bool_))  # type: ignore[no-untyped-call]
    widths = 2.0 * distance[skeleton].astype(np.float64) - 1.0
    inner = _away_from_ends(skeleton, distance)[skeleton]
    kept: Values = widths[inner] if inner.any() else widths
    return kept


def _away_from_ends(skeleton: Mask, distance: Grey) -> Mask:
    """Return the pixels further from every end of the skeleton than half the width at that end."""
    bones = skeleton.astype(np.uint8)
    neighbours = cv2.filter2D(bones, -1, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT) - bones
    away = np.ones_like(skeleton)
    rows, columns = np.nonzero(skeleton & (neighbours <= 1))
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        reach = int(np.ceil(distance[row, column])) + 1
        away[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1] = False
    return away
