"""How wrong a forecast may be: errors on unseen storms, scaled to the situation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from serayu.models.flood.frame import FloatArray, IntArray
from serayu.models.flood.methods.trees import forest_mean, grown, tree_inputs
from serayu.models.flood.table import Table

__all__ = ["PROBABILITIES", "Sizes", "Spread", "calibrate", "spread_inputs"]

PROBABILITIES = np.array(
    [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998]
)
"""Probabilities of the quantiles of a forecast; more in the upper tail, where floods are."""

_SITUATION = (
    "level", "age", "unrest_6h", "unrest_24h", "unrest_168h", "change_1h", "change_3h", "change_6h",
    "below_max_24h", "above_mean_168h", "rain_3h", "rain_12h", "rain_72h", "day_sin", "day_cos", "half_day_sin",
    "half_day_cos",
)  # fmt: skip
_GROUP_SHARES = (0.5, 0.8, 0.95)
_LEAST_GROUP = 200
_MOST_ROWS = 6_000
_MOST_ROWS_QUICK = 2_500
_SMALLEST_SHARE = 0.05


def spread_inputs(table: Table, guesses: FloatArray, change: FloatArray) -> FloatArray:
    """Return what the sizes of the errors depend on.

    Parameters
    ----------
    table
        Situations, n rows.
    guesses
        What each method says, shape (methods, n, targets).
    change
        The blend of them, shape (n, targets).

    Returns
    -------
    numpy.ndarray
        Shape (n, p): the predicted changes and their sizes, how far the methods disagree, and the situation.
    """
    arriving = [table.column(name) for name in table.names if "arriving_" in name]
    situation = [table.column(name) for name in _SITUATION]
    return np.column_stack([change, np.abs(change), guesses.std(axis=0), *situation, *arriving])


@dataclass(eq=False)
class Sizes:
    """Mean size of the error of every target, in a situation.

    Parameters
    ----------
    trees
        Mean size as a share of the typical one; empty where there was too little to learn it from.
    typical
        Mean size over the fit part, shape (targets,).
    """

    trees: list[object]
    typical: FloatArray

    def of(self, inputs: FloatArray) -> FloatArray:
        """Return the mean size of the errors, shape (n, targets), unit of the level."""
        if not self.trees:
            return np.tile(self.typical, (len(inputs), 1))
        return np.maximum(forest_mean(self.trees, tree_inputs(inputs)), _SMALLEST_SHARE) * self.typical


@dataclass(eq=False)
class Spread:
    """Distribution of the error of one target.

    Parameters
    ----------
    edges
        Sizes that part the groups, ascending, shape (g - 1,).
    quantiles
        Error over its mean size, at `PROBABILITIES`, per group, shape (g, q).
    """

    edges: FloatArray
    quantiles: FloatArray

    def errors(self, size: FloatArray) -> FloatArray:
        """Return the quantiles of the error, shape (n, q)."""
        group = np.searchsorted(self.edges, size, side="right")
        return np.asarray(size[:, None] * self.quantiles[group], dtype=np.float64)


def calibrate(
    inputs: FloatArray, error: FloatArray, fold_of: IntArray, *, seed: int, quick: bool = False
) -> tuple[Sizes, list[Spread], FloatArray]:
    """Learn the distribution of errors from held-out ones.

    Parameters
    ----------
    inputs
        See :func:`spread_inputs`; shape (n, p).
    error
        Truth less forecast, held out, shape (n, targets); NaN where the truth is unknown.
    fold_of
        Fold of each row, shape (n,).
    seed
        Of the trees.
    quick
        Learn the size from fewer rows and trees: for a model that is seldom used.

    Returns
    -------
    tuple
        The sizes, the distribution of each target, and the size of the error at each row by a model that had
        no part of it, (n, targets).

    Notes
    -----
    Split conformal prediction with a normalised score (Lei et al. 2018), one calibration per group of
    predicted size (Mondrian; Vovk, Gammerman and Shafer 2005, section 4.5), so that quiet days do not hide
    floods that are forecast badly. The size is the mean absolute error, by extremely randomised trees.
    """
    known = np.flatnonzero(np.isfinite(error).all(axis=1))
    typical = np.ones(error.shape[1])
    if len(known):
        typical = np.maximum(np.abs(error[known]).mean(axis=0), 1e-9)
    sizes = Sizes([], typical)
    size = np.tile(typical, (len(error), 1))
    if len(known) >= 2 * _LEAST_GROUP:
        half = fold_of % 2
        for side in (0, 1):
            other = known[half[known] != side]
            if len(other) >= _LEAST_GROUP:
                fitted = _sizes(inputs[other], error[other], typical, seed=seed, quick=quick)
                size[half == side] = fitted.of(inputs[half == side])
        sizes = _sizes(inputs[known], error[known], typical, seed=seed, quick=quick)
    spreads = [
        Spread(*_grouped(error[known, target] / size[known, target], size[known, target]))
        for target in range(error.shape[1])
    ]
    return sizes, spreads, size


def _sizes(inputs: FloatArray, error: FloatArray, typical: FloatArray, *, seed: int, quick: bool) -> Sizes:
    every = -(-len(error) // (_MOST_ROWS_QUICK if quick else _MOST_ROWS))
    model = ExtraTreesRegressor(
        8 if quick else 20, min_samples_leaf=30, max_features=0.3, random_state=seed, n_jobs=1
    ).fit(tree_inputs(inputs[::every]), np.abs(error[::every]) / typical)
    return Sizes(grown(model.estimators_), typical)


def _quantiles(scores: FloatArray) -> FloatArray:
    """Return quantiles with the correction of split conformal prediction: of n scores and the one to come.

    The rank of a new score among n is at most (n + 1) p with chance p (Vovk, Gammerman and Shafer 2005), so
    the p-quantile is taken at p (n + 1) / n above the middle, and as far below the middle on the other side.
    """
    count = len(scores)
    above = np.minimum(PROBABILITIES * (count + 1) / count, 1.0)
    below = np.maximum(1 - (1 - PROBABILITIES) * (count + 1) / count, 0.0)
    return np.asarray(np.quantile(scores, np.where(PROBABILITIES > 0.5, above, below)))  # noqa: PLR2004 - median


def _grouped(scores: FloatArray, sizes: FloatArray) -> tuple[FloatArray, FloatArray]:
    if len(scores) == 0:
        return np.zeros(0), np.zeros((1, len(PROBABILITIES)))
    edges = np.unique(np.quantile(sizes, _GROUP_SHARES))
    group = np.searchsorted(edges, sizes, side="right")
    every = _quantiles(scores)
    rows: Sequence[FloatArray] = [
        _quantiles(scores[group == each]) if (group == each).sum() >= _LEAST_GROUP else every
        for each in range(len(edges) + 1)
    ]
    return edges, np.stack(rows)
