"""Whether scores mean what they say: of boxes with score 0.7, about seven in ten should be right."""

import itertools
from collections.abc import Iterable

import msgspec
import numpy as np

from serayu.vision.evaluate.counts import LIMIT
from serayu.vision.evaluate.matching import Pairs, match

__all__ = ["Bin", "Calibration", "calibration"]

_EDGES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_Z = 1.96


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Boxes of like score.

    Parameters
    ----------
    low, high
        Scores from, and below (the last: up to).
    n
        Number of boxes.
    score, right
        Their mean score, and the share that matches a label (IoU 0.5 and more).
    right_ci95
        Wilson's interval of that share.
    """

    low: float
    high: float
    n: int
    score: float
    right: float
    right_ci95: tuple[float, float]


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How far scores are from shares.

    Parameters
    ----------
    n
        Boxes with a score of 0.05 and more.
    error
        Expected calibration error: mean distance of score and share over bins, weighted by boxes (Naeini et al.
        2015); null without boxes.
    bins
        Those that hold boxes.
    """

    n: int
    error: float | None
    bins: tuple[Bin, ...]


def calibration(pairs: Iterable[Pairs]) -> Calibration:
    """Return how well scores agree with the share of boxes that are right.

    Parameters
    ----------
    pairs
        Every class in every picture, with everything found.
    """
    scores, right = [np.zeros(0)], [np.zeros(0, bool)]
    for one in pairs:
        scores.append(one.scores)
        right.append(match(one.box_ious, limit=LIMIT) >= 0)
    score, hit = np.concatenate(scores), np.concatenate(right)
    bins = []
    for low, high in itertools.pairwise(_EDGES):
        inside = (score >= low) & ((score < high) | (high == _EDGES[-1]))
        if inside.any():
            bins.append(_bin(low, high, score[inside].mean(), int(hit[inside].sum()), int(inside.sum())))
    total = sum(one.n for one in bins)
    error = sum(one.n * abs(one.score - one.right) for one in bins) / total if total else None
    return Calibration(n=total, error=None if error is None else round(error, 4), bins=tuple(bins))


def _bin(low: float, high: float, score: float, right: int, n: int) -> Bin:
    share = right / n
    # Wilson 1927, score interval of a share
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * float(np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)))
    return Bin(
        low=low,
        high=high,
        n=n,
        score=round(float(score), 4),
        right=round(share, 4),
        right_ci95=(round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)),
    )
