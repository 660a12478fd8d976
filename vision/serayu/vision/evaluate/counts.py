"""Right, false and missed at one threshold; the scores made of them, and their intervals over scenes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serayu.vision.evaluate.matching import Floats, Ints, Pairs, match

__all__ = ["LIMIT", "REPEATS", "Counts", "count", "f1_interval", "f1_score"]

LIMIT = 0.5
"""Least intersection over union of a match."""
REPEATS = 2000
"""Resamples of the bootstrap."""

_SEED = 20240
_LEVEL = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Counts:
    """Right (found and there), false (found, not there), missed (there, not found).

    Scores are None where they are not defined (nothing there and nothing found); with something there and nothing
    found precision counts as 0.
    """

    right: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.right + other.right, self.false + other.false, self.missed + other.missed)

    @property
    def precision(self) -> float | None:
        """Return right ÷ found."""
        if self.right + self.false == 0:
            return 0.0 if self.missed else None
        return self.right / (self.right + self.false)

    @property
    def recall(self) -> float | None:
        """Return right ÷ there; 0 where nothing is there but something was found."""
        if self.right + self.missed == 0:
            return 0.0 if self.false else None
        return self.right / (self.right + self.missed)

    @property
    def f1(self) -> float | None:
        """Return the harmonic mean of precision and recall."""
        whole = 2 * self.right + self.false + self.missed
        return 2 * self.right / whole if whole else None


def count(pairs: Pairs, *, threshold: float) -> Counts:
    """Return the counts of one class in one picture: boxes, IoU ≥ 0.5, scores from the threshold up."""
    passing = int(np.count_nonzero(pairs.scores >= threshold))
    right = int(np.count_nonzero(match(pairs.box_ious[:passing], limit=LIMIT) >= 0))
    return Counts(right, passing - right, pairs.truths - right)


def f1_score(counts: Ints) -> Floats:
    """Return F1 of counts of shape (…, 3): right, false, missed; NaN where not defined."""
    right, false, missed = (counts[..., k] for k in range(3))
    whole = np.asarray(2 * right + false + missed, dtype=np.float64)
    scores: Floats = np.divide(2 * right, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return scores


def f1_interval(
    counts: Sequence[Counts], scenes: Sequence[int], *, repeats: int = REPEATS
) -> list[float] | None:
    """Return the 95 % interval of F1: percentiles over bootstrap resamples of whole scenes.

    Pictures of one scene go together, since they show the same things: resampling single pictures would count one
    thing seen in ten frames as ten [Efron & Tibshirani 1993, ch. 13; cluster bootstrap of Field & Welsh 2007].

    Parameters
    ----------
    counts
        Of each picture.
    scenes
        Number of each picture's scene, from 0.
    repeats
        Resamples; drawn from a fixed seed.

    Returns
    -------
    list
        Lower and upper; None with fewer than two scenes or where F1 is not defined.
    """
    scene_count = max(scenes, default=-1) + 1
    if scene_count < 2:  # noqa: PLR2004 - one scene tells nothing of others
        return None
    sums = np.zeros((scene_count, 3), dtype=np.int64)
    for one, scene in zip(counts, scenes, strict=True):
        sums[scene] += (one.right, one.false, one.missed)
    draws = np.random.default_rng(_SEED).multinomial(
        scene_count, np.full(scene_count, 1 / scene_count), size=repeats
    )
    values = f1_score(draws @ sums)
    values = values[np.isfinite(values)]
    return [float(edge) for edge in np.percentile(values, _LEVEL)] if values.size else None
