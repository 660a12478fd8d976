"""Matching what was found with the truth: greedy by score, one to one within a class."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Ints", "Pairs", "box_ious", "match"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """What was found of one class in one picture, beside the truth of that class.

    Parameters
    ----------
    scores
        Confidences, falling, shape (n,).
    truths
        Number m of labelled things.
    box_ious
        Intersection over union of the boxes, shape (n, m).
    mask_ious
        Same of the masks; None where one side has none.
    areas_px, truth_areas_px
        Areas of the masks, shapes (n,) and (m,); None with `mask_ious`.
    """

    scores: Floats
    truths: int
    box_ious: Floats
    mask_ious: Floats | None = None
    areas_px: Floats | None = None
    truth_areas_px: Floats | None = None


def box_ious(found: Floats, truth: Floats) -> Floats:
    """Return the intersection over union of boxes, shape (n, m).

    Parameters
    ----------
    found, truth
        Left, top, right, bottom; shapes (n, 4) and (m, 4). A box without area meets nothing.
    """
    low = np.maximum(found[:, None, :2], truth[None, :, :2])
    high = np.minimum(found[:, None, 2:], truth[None, :, 2:])
    common = np.prod(np.clip(high - low, 0.0, None), axis=2)
    areas = [np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None), axis=1) for boxes in (found, truth)]
    union = areas[0][:, None] + areas[1][None, :] - common
    ious: Floats = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return ious


def match(ious: Floats, *, limit: float) -> Ints:
    """Return which truth each found thing is matched with, -1 for none; shape (n,).

    In the order given (falling score) each takes the free truth that it overlaps most, if by `limit` or more: the
    rule of the COCO evaluation. What is matched therefore does not depend on what scores lower.

    Parameters
    ----------
    ious
        Shape (n, m), rows by falling score.
    limit
        Least intersection over union, 0-1.
    """
    matched = np.full(len(ious), -1, dtype=np.int64)
    if ious.shape[1] == 0:
        return matched
    free = ious.copy()
    for row in range(len(free)):
        best = int(np.argmax(free[row]))
        if free[row, best] >= limit:
            matched[row] = best
            free[:, best] = -1.0
    return matched
