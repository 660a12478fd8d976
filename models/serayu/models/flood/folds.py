"""Blocks of time that keep a storm whole, and the thinning of calm rows."""

import numpy as np
import numpy.typing as npt

from serayu.models.flood.frame import FloatArray, IntArray

__all__ = ["Thinned", "thinned", "time_folds", "training_rows"]

Thinned = tuple[IntArray, FloatArray]

_BLOCKS_PER_FOLD = 6
_SHIFT_SHARE = 0.2


def time_folds(activity: FloatArray, *, folds: int, seed: int) -> IntArray:
    """Return the fold of each row: blocks of consecutive rows, cut where the river is calm.

    Parameters
    ----------
    activity
        How much the river moves around each row, shape (n,), at least 0.
    folds
        Number of folds, at least 2.
    seed
        Decides which block goes to which fold; each run of *folds* blocks has one of each.

    Returns
    -------
    numpy.ndarray
        Shape (n,), 0 to folds - 1. Storm-blocked cross-validation: neighbouring rows are near copies, so a
        random split would flatter (Bergmeir and Benítez 2012); about six blocks a fold, each cut moved by up
        to a fifth of a block to the calmest row [project proposal].
    """
    n = len(activity)
    count = min(folds * _BLOCKS_PER_FOLD, max(folds, n // 24))
    size = n / count
    cuts = [0]
    for number in range(1, count):
        low = max(round((number - _SHIFT_SHARE) * size), cuts[-1] + 1)
        high = max(round((number + _SHIFT_SHARE) * size), low + 1)
        cuts.append(low + int(np.argmin(activity[low:high])) if low < n else n)
    cuts.append(n)
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(folds) for _ in range(-(-count // folds))])
    result = np.empty(n, dtype=np.int64)
    for number in range(count):
        result[cuts[number] : cuts[number + 1]] = order[number]
    return result


def training_rows(fold_of: IntArray, fold: int, *, gap: int) -> npt.NDArray[np.bool_]:
    """Return the rows that may teach the model of a fold: none within *gap* rows of the fold.

    Parameters
    ----------
    fold_of
        Fold of each row, shape (n,).
    fold
        The fold that is held out.
    gap
        Rows between: the truth of one must not be the features of the other.
    """
    held = (fold_of == fold).astype(np.float64)
    total = np.concatenate([[0.0], np.cumsum(held)])
    n = len(held)
    low, high = np.maximum(np.arange(n) - gap, 0), np.minimum(np.arange(n) + gap + 1, n)
    return np.asarray(total[high] - total[low] == 0, dtype=np.bool_)


def thinned(activity: FloatArray, *, most: int, seed: int) -> Thinned:
    """Return rows that stand for all: the most active quarter of *most*, fewer of the calm, weighted to keep means.

    Parameters
    ----------
    activity
        How much happens at each row, shape (n,), at least 0.
    most
        About how many rows to keep.
    seed
        Of the draw.

    Returns
    -------
    tuple
        Positions, ascending, and weights 1 / p, where p is the chance that the row was kept (Horvitz and
        Thompson 1952): a weighted mean of the sample is unbiased for that of all rows. Where many rows are
        equally active, more are kept.
    """
    n = len(activity)
    if n <= most:
        return np.arange(n), np.ones(n)
    least = most / (2 * n)
    storm = activity >= np.partition(activity, -most // 4)[-most // 4]
    scale = max(float(activity[storm].min()), 1e-12)
    for _ in range(20):  # the scale at which about `most` rows are kept
        chance = np.where(storm, 1.0, np.clip(activity / scale, least, 1.0))
        scale *= float(np.clip(chance.sum() / most, 0.5, 2.0))
    keep = np.flatnonzero(np.random.default_rng(seed).random(n) < chance)
    return keep, 1.0 / chance[keep]
