"""Train-side pictures that decide about weights: their threshold, and whether 8 bit is good enough."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serayu.models.errors import BadInputError
from serayu.vision.evaluate.dataset import Dataset
from serayu.vision.evaluate.evaluation import Evaluation, Finder, evaluate
from serayu.vision.evaluate.matching import Pairs
from serayu.vision.evaluate.precision import average_precisions
from serayu.vision.evaluate.threshold import Choice, best_threshold

__all__ = ["Judged", "drawn", "judge"]

_SEED = 7
_FORBIDDEN = frozenset({"test", "val", "valid", "validation"})


@dataclass(frozen=True, slots=True)
class Judged:
    """What a detector reaches on train-side pictures.

    Parameters
    ----------
    choice
        The best threshold and its F1.
    map50
        Mean average precision at IoU 0.5.
    pictures
        How many pictures.
    """

    choice: Choice
    map50: float
    pictures: int

    def points_below(self, other: "Judged") -> float:
        """Return by how many points (hundredths) this is worse than another, in F1 or mAP50, whichever is more."""
        return 100.0 * max(other.choice.f1 - self.choice.f1, other.map50 - self.map50)


def drawn(dataset: Dataset, *, most: int) -> Dataset:
    """Return at most so many pictures of a split, drawn from a fixed seed.

    Raises
    ------
    BadInputError
        The split is one that results are reported on: nothing may be chosen there.
    """
    if dataset.split in _FORBIDDEN:
        raise BadInputError(
            "thresholds are not chosen where results are reported", file=dataset.file, field=dataset.split
        )
    if len(dataset.samples) <= most:
        return dataset
    rows = np.sort(np.random.default_rng(_SEED).choice(len(dataset.samples), size=most, replace=False))
    return Dataset(dataset.file, dataset.split, dataset.names, tuple(dataset.samples[row] for row in rows))


def judge(finder: Finder, dataset: Dataset) -> Judged:
    """Return what a detector reaches.

    Raises
    ------
    BadInputError
        Nothing is labelled there, or nothing can be read.
    """
    evaluation = evaluate(finder, dataset, threshold=0.5, by_scene=False)
    pairs = _pairs(evaluation)
    if not sum(one.truths for one in pairs):
        raise BadInputError("nothing is labelled there", file=dataset.file, field=dataset.split)
    return Judged(best_threshold(pairs), _map50(evaluation), len(evaluation.pictures))


def _pairs(evaluation: Evaluation) -> Sequence[Pairs]:
    return [picture.every[name] for picture in evaluation.pictures for name in evaluation.naming.counted]


def _map50(evaluation: Evaluation) -> float:
    values = [
        average_precisions([picture.every[name] for picture in evaluation.pictures], limits=(0.5,))
        for name in evaluation.naming.counted
    ]
    return float(np.mean([one[0] for one in values if one is not None]))
