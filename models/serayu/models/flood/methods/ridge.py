"""Lagged linear model: ridge regression on all features."""

import numpy as np
import numpy.typing as npt

from serayu.models.flood.frame import FloatArray
from serayu.models.flood.table import Table

__all__ = ["Ridge"]

_ALPHAS = np.logspace(-4, 1, 11)
_PARTS = 5
_CLIP = 0.0005
_SEEN = 20


class Ridge:
    """Ridge regression (Hoerl and Kennard 1970) on standardised features, target: change of the level.

    A feature is drawn in to its 0.05 to 99.95 % range in the fit part, so that one typing error moves no
    forecast; an unknown feature counts at its mean. The penalty, as a share of the sum of weights, is chosen
    per target on five consecutive parts of time.
    """

    def __init__(self) -> None:
        self.name = "ridge"
        self.used: npt.NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self.low = self.high = self.centre = self.spread = self.intercept = np.zeros(0)
        self.coefficients = np.zeros((0, 0))

    def _inputs(self, values: npt.NDArray[np.float32]) -> FloatArray:
        chosen = np.clip(values[:, self.used].astype(np.float64), self.low, self.high)
        return np.nan_to_num((chosen - self.centre) / self.spread)

    def fit(self, table: Table, changes: FloatArray, weight: FloatArray) -> None:
        """Learn scales, penalty and coefficients."""
        values = table.values.astype(np.float64)
        self.used = np.isfinite(values).sum(axis=0) >= min(_SEEN, max(1, len(values) // 2))
        chosen = values[:, self.used]
        self.low, self.high = np.nanquantile(chosen, [_CLIP, 1 - _CLIP], axis=0)
        chosen = np.clip(chosen, self.low, self.high)
        share = np.where(np.isfinite(chosen), weight[:, None], 0.0)
        self.centre = (np.nan_to_num(chosen) * share).sum(axis=0) / share.sum(axis=0)
        variance = (np.nan_to_num(chosen - self.centre) ** 2 * share).sum(axis=0) / share.sum(axis=0)
        self.spread = np.where(variance > 1e-18, np.sqrt(variance), 1.0)  # noqa: PLR2004 - a constant column
        inputs = self._inputs(table.values)
        self.intercept = np.average(changes, axis=0, weights=weight)
        self._solve(inputs, changes - self.intercept, weight)

    def _solve(self, inputs: FloatArray, left: FloatArray, weight: FloatArray) -> None:
        parts = np.array_split(np.arange(len(inputs)), min(_PARTS, len(inputs)))
        grams, sides = [], []
        for part in parts:
            weighted = inputs[part] * weight[part, None]
            grams.append(weighted.T @ inputs[part])
            sides.append(weighted.T @ left[part])
        gram, side = np.sum(grams, axis=0), np.sum(sides, axis=0)
        eye = np.eye(inputs.shape[1])
        penalties = _ALPHAS * weight.sum()
        errors = np.zeros((len(_ALPHAS), left.shape[1]))
        for part, less_gram, less_side in zip(parts, grams, sides, strict=True):
            for number, penalty in enumerate(penalties):
                guess = np.linalg.solve(gram - less_gram + penalty * eye, side - less_side)
                miss = left[part] - inputs[part] @ guess
                errors[number] += (miss**2 * weight[part, None]).sum(axis=0)
        best = errors.argmin(axis=0)
        self.coefficients = np.column_stack(
            [
                np.linalg.solve(gram + penalties[number] * eye, side[:, target])
                for target, number in enumerate(best)
            ]
        )

    def predict(self, table: Table) -> FloatArray:
        """Return the mean change, shape (n, k)."""
        return np.asarray(self._inputs(table.values) @ self.coefficients + self.intercept, dtype=np.float64)
