"""How wrong a forecast may be: errors on unseen storms, scaled to the situation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from serayu.models.flood.frame import FloatArray, IntArray
from serayu.models.flood.table import Table

__all__ = ["PROBABILITIES", "Spread", "calibrate", "spread_inputs"]

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
    """Return what the size of the error depends on.

    Parameters
    ----------
    table
        Situations, n rows.
    guesses
        What each method says of one target, shape (methods, n).
    change
        The blend of them, shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (n, p): the predicted change and its size, how far the methods disagree, and the situation.
    """
    arriving = [table.column(name) for name in table.names if "arriving_" in name]
    return np.column_stack(
        [change, np.abs(change), guesses.std(axis=0), *(table.column(name) for name in _SITUATION), *arriving]
    )


@dataclass(eq=False)
class Spread:
    """Distribution of the error of one target.

    Parameters
    ----------
    model
        Mean size of the error in a situation; ``None`` where there was too little to learn it from.
    typical
        Mean size over the fit part.
    edges
        Sizes that part the groups, ascending, shape (g - 1,).
    quantiles
        Error over its mean size, at `PROBABILITIES`, per group, shape (g, q).
    """

    model: HistGradientBoostingRegressor | None
    typical: float
    edges: FloatArray
    quantiles: FloatArray

    def size(self, inputs: FloatArray) -> FloatArray:
        """Return the mean size of the error, shape (n,), unit of the level."""
        if self.model is None:
            return np.full(len(inputs), self.typical)
        return np.asarray(
            np.maximum(self.model.predict(inputs), _SMALLEST_SHARE * self.typical), dtype=np.float64
        )

    def errors(self, size: FloatArray) -> FloatArray:
        """Return the quantiles of the error, shape (n, q)."""
        group = np.searchsorted(self.edges, size, side="right")
        return np.asarray(size[:, None] * self.quantiles[group], dtype=np.float64)


def calibrate(
    inputs: FloatArray, error: FloatArray, fold_of: IntArray, *, seed: int, quick: bool = False
) -> tuple[Spread, FloatArray]:
    """Learn the distribution of errors from held-out ones.

    Parameters
    ----------
    inputs
        See :func:`spread_inputs`; shape (n, p).
    error
        Truth less forecast, held out, shape (n,); NaN where the truth is unknown.
    fold_of
        Fold of each row, shape (n,).
    seed
        Of the trees.
    quick
        Learn the size from fewer rows and trees: for a model that is seldom used.

    Returns
    -------
    tuple
        The distribution, and the size of the error at each row by a model that had no part of it, (n,).

    Notes
    -----
    Split conformal prediction with a normalised score (Lei et al. 2018), one calibration per group of
    predicted size (Mondrian; Vovk, Gammerman and Shafer 2005, section 4.5), so that quiet days do not hide
    floods that are forecast badly. The size is the mean absolute error, by boosting with gamma deviance.
    """
    known = np.flatnonzero(np.isfinite(error))
    typical = max(float(np.abs(error[known]).mean()) if len(known) else 1.0, 1e-9)
    size = np.full(len(error), typical)
    model = None
    if len(known) >= 2 * _LEAST_GROUP:
        half = fold_of % 2
        for side in (0, 1):
            other = known[half[known] != side]
            if len(other) >= _LEAST_GROUP:
                fitted = _size_model(inputs[other], error[other], typical, seed=seed, quick=quick)
                size[half == side] = fitted.predict(inputs[half == side])
        size = np.maximum(size, _SMALLEST_SHARE * typical)
        model = _size_model(inputs[known], error[known], typical, seed=seed, quick=quick)
    scores, sizes = error[known] / size[known], size[known]
    edges, quantiles = _grouped(scores, sizes)
    return Spread(model, typical, edges, quantiles), size


def _size_model(
    inputs: FloatArray, error: FloatArray, typical: float, *, seed: int, quick: bool
) -> HistGradientBoostingRegressor:
    every = -(-len(error) // (_MOST_ROWS_QUICK if quick else _MOST_ROWS))
    size = np.abs(error[::every]) + 0.02 * typical  # gamma deviance needs a size above 0
    return HistGradientBoostingRegressor(
        loss="gamma",
        max_iter=25 if quick else 60,
        learning_rate=0.2 if quick else 0.1,
        max_leaf_nodes=8,
        min_samples_leaf=60,
        l2_regularization=5.0,
        early_stopping=False,
        random_state=seed,
    ).fit(inputs[::every], size)


def _grouped(scores: FloatArray, sizes: FloatArray) -> tuple[FloatArray, FloatArray]:
    if len(scores) == 0:
        return np.zeros(0), np.zeros((1, len(PROBABILITIES)))
    edges = np.unique(np.quantile(sizes, _GROUP_SHARES))
    group = np.searchsorted(edges, sizes, side="right")
    every = np.quantile(scores, PROBABILITIES)
    rows: Sequence[FloatArray] = [
        np.quantile(scores[group == each], PROBABILITIES) if (group == each).sum() >= _LEAST_GROUP else every
        for each in range(len(edges) + 1)
    ]
    return edges, np.stack(rows)
