"""The one score from which something counts as found: chosen on train-side pictures, never on those of a test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serayu.vision.evaluate.counts import LIMIT
from serayu.vision.evaluate.matching import Floats, Pairs, match

__all__ = ["Choice", "best_threshold"]

_GRID = 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold and the F1, micro-averaged over classes, that it has where it was chosen."""

    threshold: float
    f1: float


def best_threshold(pairs: Sequence[Pairs]) -> Choice:
    """Return the threshold with the highest F1, micro-averaged over the classes.

    Thresholds are thousandths; the F1 of neighbours is averaged over ±0.02 first, since the highest single point of
    a ragged curve is luck [project proposal]. Of equal ones the lowest is taken.

    Parameters
    ----------
    pairs
        Every class in every picture.

    Raises
    ------
    ValueError
        Nothing is labelled: no score is better than another.
    """
    truths = sum(one.truths for one in pairs)
    if truths == 0:
        raise ValueError("nothing is labelled in the pictures that the threshold is to be chosen on")
    scores: Floats = np.concatenate([one.scores for one in pairs])
    hits = np.concatenate([match(one.box_ious, limit=LIMIT) >= 0 for one in pairs]).astype(np.int64)
    order = np.argsort(scores, kind="stable")
    right_below = np.concatenate([[0], np.cumsum(hits[order])])
    grid = np.arange(1, _GRID) / _GRID
    below = np.searchsorted(scores[order], grid, side="left")
    right = right_below[-1] - right_below[below]
    found = len(scores) - below
    f1 = 2.0 * right / (found + truths)
    width = 20
    padded = np.pad(f1, width, mode="edge")
    smooth = np.convolve(padded, np.full(2 * width + 1, 1.0 / (2 * width + 1)), mode="valid")
    best = int(np.argmax(np.round(smooth, 9)))
    return Choice(float(grid[best]), float(f1[best]))
