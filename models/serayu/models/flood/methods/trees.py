"""Gradient boosting and extremely randomised trees."""

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor

from serayu.models.flood.frame import FloatArray
from serayu.models.flood.table import Table

__all__ = ["Boosting", "Trees"]

_UNKNOWN = -9999.0
_STEPS = 200


def _snapped(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return every feature drawn to the nearest of at most 200 of its own quantiles.

    scikit-learn bins a feature of more values by weighted percentiles, which took ten times the fit itself.
    Its thresholds lie half-way between the values left, so forecasts read the features as they are.
    """
    result = values.copy()
    for column in result.T:
        known = np.isfinite(column)
        if known.any():
            steps = np.unique(np.quantile(column[known], np.linspace(0, 1, _STEPS)))
            column[known] = steps[np.searchsorted((steps[1:] + steps[:-1]) / 2, column[known])]
    return result


class Boosting:
    """Gradient boosting (Friedman 2001) of small trees, one model per target; squared error, so a mean.

    Eight leaves, slow steps, a third of the features at each split: few storms are in a record, and their
    rows resemble one another [project proposal]. The dearest method to fit, so it can be kept to the first
    targets (the levels); it says 0 of the rest, and the blend gives it nothing to do there.
    """

    def __init__(self, *, seed: int, only: int, rounds: int = 110) -> None:
        self.name = "boosting"
        self.seed = seed
        self.rounds = rounds
        self.only = only
        self.targets = 0
        self.models: list[HistGradientBoostingRegressor] = []

    def fit(self, table: Table, changes: FloatArray, weight: FloatArray) -> None:
        """Learn one model for each of the first targets."""
        leaf = int(np.clip(len(table) // 40, 3, 20))
        self.targets = changes.shape[1]
        values = _snapped(table.values)
        self.models = [
            HistGradientBoostingRegressor(
                max_iter=self.rounds, learning_rate=0.07, max_leaf_nodes=8, min_samples_leaf=leaf,
                l2_regularization=20.0, max_features=0.3, early_stopping=False, random_state=self.seed,
            ).fit(values, target, sample_weight=weight)
            for target in changes.T[: self.only]
        ]  # fmt: skip

    def predict(self, table: Table) -> FloatArray:
        """Return the mean change, shape (n, k)."""
        change = np.zeros((len(table), self.targets))
        for target, model in enumerate(self.models):
            change[:, target] = model.predict(table.values)
        return change


class Trees:
    """Extremely randomised trees (Geurts, Ernst and Wehenkel 2006): the mean of many rough analogues.

    One forest for all targets, each scaled to the same spread. A leaf is a set of like situations of the
    past, so it never says a change that was not seen; the linear methods beside it do.
    """

    def __init__(self, *, seed: int, count: int = 40) -> None:
        self.name = "trees"
        self.seed = seed
        self.count = count
        self.spread = np.ones(0)
        self.model: ExtraTreesRegressor | None = None

    @staticmethod
    def _inputs(table: Table) -> npt.NDArray[np.float32]:
        return np.nan_to_num(table.values, nan=_UNKNOWN)

    def fit(self, table: Table, changes: FloatArray, weight: FloatArray) -> None:
        """Learn the forest."""
        spread = np.sqrt(np.average(changes**2, axis=0, weights=weight))
        self.spread = np.where(spread > 0, spread, 1.0)
        self.model = ExtraTreesRegressor(
            self.count, min_samples_leaf=12, max_features=0.35, random_state=self.seed, n_jobs=1
        ).fit(self._inputs(table), changes / self.spread, sample_weight=weight)

    def predict(self, table: Table) -> FloatArray:
        """Return the mean change, shape (n, k)."""
        if self.model is None:
            raise RuntimeError("predict before fit")
        return (
            np.asarray(self.model.predict(self._inputs(table)), dtype=np.float64).reshape(len(table), -1)
            * self.spread
        )
