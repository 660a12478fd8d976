"""Gradient boosting and extremely randomised trees on what the ridge leaves over."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.tree import DecisionTreeRegressor

from serayu.models.flood.frame import FloatArray
from serayu.models.flood.table import Table

__all__ = ["Boosting", "Trees", "forest_mean", "grown", "tree_inputs"]

_UNKNOWN = -9999.0
_ROWS_SHARE = 0.25


def tree_inputs(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return features as trees read them: contiguous float32, an unknown one far below all others."""
    return np.ascontiguousarray(np.nan_to_num(values, nan=_UNKNOWN), dtype=np.float32)


def forest_mean(trees: list["object"], inputs: npt.NDArray[np.float32]) -> FloatArray:
    """Return the mean of what the trees say, shape (n, targets).

    The bare trees are asked: checks and threads of the ensemble around them take 20 ms for a single row.
    """
    total = trees[0].predict(inputs)[:, :, 0]  # type: ignore[attr-defined]
    for tree in trees[1:]:
        total = total + tree.predict(inputs)[:, :, 0]  # type: ignore[attr-defined]
    return np.asarray(total / len(trees), dtype=np.float64)


def grown(models: Iterable[DecisionTreeRegressor]) -> list["object"]:
    """Return the bare trees of fitted regressors: all that a forecast, and the file, needs."""
    return [model.tree_ for model in models]


def _spread(changes: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the spread of each target, so that trees for all targets listen to each alike."""
    spread = np.sqrt(np.average(changes**2, axis=0, weights=weight))
    return np.asarray(np.where(spread > 0, spread, 1.0), dtype=np.float64)


class Boosting:
    """Gradient boosting (Friedman 2001) of small trees of scikit-learn, each for all targets at once.

    Squared error, so a mean; eight leaves, a tenth of the features at each split and a quarter of the rows for
    each tree (Friedman 2002), for few storms are in a record and their rows resemble one another [project
    proposal]. One tree for all targets costs a ninth of a model per target.
    """

    on_ridge = True

    def __init__(self, *, seed: int, rounds: int = 50) -> None:
        self.name = "boosting"
        self.seed = seed
        self.rounds = rounds
        self.rate = 0.1
        self.spread = np.ones(0)
        self.trees: list[object] = []

    def fit(self, table: Table, changes: FloatArray, weight: FloatArray) -> None:
        """Learn a sequence of trees, each from what those before it left over."""
        rng = np.random.default_rng(self.seed)
        self.spread = _spread(changes, weight)
        inputs, left = tree_inputs(table.values), changes / self.spread
        leaf = int(np.clip(len(table) // 80, 3, 20))
        self.trees = []
        for _ in range(self.rounds):
            rows = np.flatnonzero(rng.random(len(inputs)) < _ROWS_SHARE)
            model = DecisionTreeRegressor(
                max_leaf_nodes=8,
                min_samples_leaf=leaf,
                max_features=0.1,
                random_state=int(rng.integers(2**31)),
            ).fit(inputs[rows], left[rows], sample_weight=weight[rows])
            self.trees += grown([model])
            left = left - self.rate * forest_mean(self.trees[-1:], inputs)

    def predict(self, table: Table) -> FloatArray:
        """Return the mean change, shape (n, k)."""
        said = forest_mean(self.trees, tree_inputs(table.values))
        return np.asarray(said * (len(self.trees) * self.rate) * self.spread, dtype=np.float64)


class Trees:
    """Extremely randomised trees (Geurts, Ernst and Wehenkel 2006): the mean of many rough analogues.

    One forest for all targets, each scaled to the same spread. A leaf is a set of like situations of the
    past, so it never says a change that was not seen; the ridge that it corrects does.
    """

    on_ridge = True

    def __init__(self, *, seed: int, count: int = 25) -> None:
        self.name = "trees"
        self.seed = seed
        self.count = count
        self.spread = np.ones(0)
        self.trees: list[object] = []

    def fit(self, table: Table, changes: FloatArray, weight: FloatArray) -> None:
        """Learn the forest."""
        self.spread = _spread(changes, weight)
        model = ExtraTreesRegressor(
            self.count, min_samples_leaf=20, max_features=0.2, random_state=self.seed, n_jobs=1
        ).fit(tree_inputs(table.values), changes / self.spread, sample_weight=weight)
        self.trees = grown(model.estimators_)

    def predict(self, table: Table) -> FloatArray:
        """Return the mean change, shape (n, k)."""
        return forest_mean(self.trees, tree_inputs(table.values)) * self.spread
