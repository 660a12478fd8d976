"""Average precision as COCO counts it: 101 points of recall, at most 100 things of a class in a picture."""

from collections.abc import Sequence

import numpy as np

from serayu.vision.evaluate.matching import Floats, Pairs, match

__all__ = ["COCO_LIMITS", "average_precision", "average_precisions"]

COCO_LIMITS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Intersections over union of the mean average precision, 0.50 to 0.95 [Lin et al. 2014, COCO detection metrics]."""

_MOST = 100
_RECALLS = np.linspace(0.0, 1.0, 101)


def average_precision(scores: Floats, hits: Floats, *, truths: int) -> float:
    """Return the area below precision against recall, read at recalls 0, 0.01, … 1.

    Precision at a recall is the best at that recall or a higher one [COCO; Padilla et al. 2020, 101-point AP].

    Parameters
    ----------
    scores
        Confidences in any order, shape (n,); equal ones keep their order.
    hits
        1 where the thing found is there, else 0; shape (n,).
    truths
        How many things there are, at least 1.
    """
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(hits[order])
    if not len(found):
        return 0.0
    precision = found / np.arange(1, len(found) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(found / truths, _RECALLS, side="left")
    reached = places < len(found)
    return float(np.sum(envelope[places[reached]]) / len(_RECALLS))


def average_precisions(
    pairs: Sequence[Pairs], *, masks: bool = False, limits: Sequence[float] = COCO_LIMITS
) -> Floats | None:
    """Return one class's average precision at each limit; None where nothing of the class is there.

    Parameters
    ----------
    pairs
        The class in every picture.
    masks
        Compare masks, not boxes.
    limits
        Least intersections over union.
    """
    truths = sum(pair.truths for pair in pairs)
    if truths == 0:
        return None
    scores = np.concatenate([pair.scores[:_MOST] for pair in pairs])
    values = []
    for limit in limits:
        hits = [match(_ious(pair, masks=masks)[:_MOST], limit=limit) >= 0 for pair in pairs]
        values.append(average_precision(scores, np.concatenate(hits).astype(np.float64), truths=truths))
    return np.asarray(values)


def _ious(pair: Pairs, *, masks: bool) -> Floats:
    if not masks:
        return pair.box_ious
    return pair.mask_ious if pair.mask_ious is not None else np.zeros_like(pair.box_ious)
