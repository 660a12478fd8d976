"""Points of the ground that can be known again in another picture, and which of two pictures' points are the same.

Corners are found and described by ORB [Rublee et al. 2011, ICCV] on a picture of `SIDE_PX`, so many in each part of it;
of two pictures those are the same that are each other's most alike within reach, and that one similarity transform on
the ground explains (RANSAC). A handful of means of them tie the pictures together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from serayu.vision.detection import Image
from serayu.vision.ground import GroundMap

__all__ = ["LEAST_INLIERS", "Marks", "common_marks", "marks_of"]

Floats = npt.NDArray[np.float64]

SIDE_PX = 1280
"""Longer side of the picture that marks are looked for in: a few hundredths of a second on one core."""
LEAST_INLIERS = 12
"""Fewer agreeing points are chance [project proposal]; a wrong point agrees by one in some thousands."""
_CELLS = 5  # along each side of the picture
_PER_CELL = 20
_MOST = 6000
_FAST = 6  # grey levels that a corner stands out by: worn asphalt has little contrast
_INLIER_M = 0.12
_TIE_CELLS = 3  # along each side of the common ground


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks of one picture.

    Parameters
    ----------
    xy_m
        Places on the ground, metres in the survey's plane: 64-bit floats, east and north of each.
    descriptors
        32 bytes each.
    """

    xy_m: bytes
    descriptors: bytes

    def arrays(self) -> tuple[Floats, npt.NDArray[np.uint8]]:
        """Return places, shape (n, 2), and descriptors, shape (n, 32)."""
        return (
            np.frombuffer(self.xy_m, np.float64).reshape(-1, 2),
            np.frombuffer(self.descriptors, np.uint8).reshape(-1, 32),
        )


def marks_of(image: Image, ground: GroundMap) -> Marks:
    """Return the marks of a picture; none where nothing stands out."""
    scale = min(1.0, SIDE_PX / max(image.shape[:2]))
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    orb = cv2.ORB.create(nfeatures=_MOST, nlevels=4, fastThreshold=_FAST)
    strongest = _spread(orb.detect(grey, None), grey.shape[1], grey.shape[0])
    points, descriptors = orb.compute(grey, strongest)
    if descriptors is None or len(points) == 0:
        return Marks(b"", b"")
    # Pixel centres are at whole numbers for OpenCV, half a pixel into the picture for us.
    px = (np.array([one.pt for one in points], dtype=np.float64) + 0.5) / scale
    xy = ground.ground_m(px)
    known = np.isfinite(xy).all(axis=1)
    return Marks(xy[known].tobytes(), np.asarray(descriptors, np.uint8)[known].tobytes())


def common_marks(one: Marks, two: Marks, *, reach_m: float, turn: float) -> tuple[Floats, Floats] | None:
    """Return points of the ground that two pictures share: where each puts them, shape (n, 2), 9 at most.

    Parameters
    ----------
    one, two
        Marks.
    reach_m
        How far apart the pictures may put the same point.
    turn
        How much they may be turned and scaled to each other, radians and parts of one: along one straight edge, points
        agree on any scale.

    Returns
    -------
    tuple of ndarray or None
        None where they do not agree on any transform.
    """
    (xy1, code1), (xy2, code2) = one.arrays(), two.arrays()
    if len(xy1) < LEAST_INLIERS or len(xy2) < LEAST_INLIERS:
        return None
    apart = xy1[:, None] - xy2[None]
    near = (np.hypot(apart[..., 0], apart[..., 1]) <= reach_m).astype(np.uint8)
    forth, back = _likest(code1, code2, near), _likest(code2, code1, np.ascontiguousarray(near.T))
    pairs = [(i, j) for i, j in forth.items() if back.get(j) == i]
    if len(pairs) < LEAST_INLIERS:
        return None
    rows, columns = (np.array(side) for side in zip(*pairs, strict=True))
    middle = xy1.mean(axis=0)
    here, there = xy1[rows] - middle, xy2[columns] - middle
    change, agreed = cv2.estimateAffinePartial2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=_INLIER_M, maxIters=2000, confidence=0.999
    )
    if change is None or int(agreed.sum()) < LEAST_INLIERS:
        return None
    if float(np.hypot(change[0, 0] - 1, change[1, 0])) > turn:
        return None
    kept = agreed.ravel().astype(bool)
    means = _means(here[kept], there[kept])
    return means[0] + middle, means[1] + middle


def _likest(
    codes: npt.NDArray[np.uint8], others: npt.NDArray[np.uint8], near: npt.NDArray[np.uint8]
) -> dict[int, int]:
    """Return for each point the other picture's point that is most like it, of those that are near."""
    matches = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(codes, others, k=1, mask=near)
    return {found[0].queryIdx: found[0].trainIdx for found in matches if found}


def _spread(points: Sequence[cv2.KeyPoint], width: int, height: int) -> list[cv2.KeyPoint]:
    """Keep the strongest points of each cell, so that one hedge does not take them all."""
    ordered = sorted(points, key=lambda one: (-one.response, one.pt))
    counts: dict[tuple[int, int], int] = {}
    kept = []
    for one in ordered:
        cell = int(one.pt[0] * _CELLS / width), int(one.pt[1] * _CELLS / height)
        counts[cell] = counts.get(cell, 0) + 1
        if counts[cell] <= _PER_CELL:
            kept.append(one)
    return kept


def _means(here: Floats, there: Floats) -> tuple[Floats, Floats]:
    """Return the means of points by cells of the ground they cover."""
    low, high = here.min(axis=0), here.max(axis=0)
    cells = np.minimum((here - low) / np.maximum(high - low, 1e-9) * _TIE_CELLS, _TIE_CELLS - 1).astype(int)
    number = cells[:, 0] * _TIE_CELLS + cells[:, 1]
    places = np.unique(number)
    return (
        np.array([here[number == one].mean(axis=0) for one in places]),
        np.array([there[number == one].mean(axis=0) for one in places]),
    )
