"""Lagged linear model: ridge regression on all features."""

import numpy as np

from serayu.models.flood.frame import FloatArray
from serayu.models.flood.methods.scaling import Scale, learn_scale, scaled
from serayu.models.flood.table import Table

__all__ = ["Ridge"]

_ALPHAS = np.logspace(-4, 1, 11)
_PARTS = 5
_TEMPERED = 0.005
_BEYOND = 1.5
"""A change of more than 1.5 times the greatest of the fit part is not believed [project proposal]."""


def _tempered(changes: FloatArray, weight: FloatArray) -> FloatArray:
    """Return weights that are less for the rows of the greatest changes."""
    usual = np.sqrt(np.average(changes**2, axis=0, weights=weight))
    size = np.abs(changes / np.where(usual > 0, usual, 1.0)).max(axis=1)
    order = np.argsort(-size)
    rank = int(np.searchsorted(np.cumsum(weight[order]), _TEMPERED * weight.sum()))
    great = size[order[min(rank, len(order) - 1)]]
    return np.asarray(weight * np.minimum(1.0, great / np.maximum(size, 1e-12)), dtype=np.float64)


class Ridge:
    """Ridge regression (Hoerl and Kennard 1970) on standardised features, target: change of the level.

    Features are drawn in to their usual range (see ``scaling``). The penalty, as a share of the sum of
    weights, is chosen per target on five consecutive parts of time. The 0.5 % of rows that change most count
    less, in proportion to their change: the square of one record flood would else decide every coefficient
    [project proposal; on the development series this cost 0.01 where storms were alike and saved 0.3 to 0.9 of
    the persistence index where one flood was far above all others].
    """

    on_ridge = False

    def __init__(self) -> None:
        self.name = "ridge"
        self.scale: Scale | None = None
        self.intercept = self.least = self.most = np.zeros(0)
        self.coefficients = np.zeros((0, 0))

    def fit(self, table: Table, changes: FloatArray, weight: FloatArray) -> None:
        """Learn scales, penalty and coefficients."""
        self.scale = learn_scale(table.values, weight)
        self.intercept = np.average(changes, axis=0, weights=weight)
        self.least = _BEYOND * np.minimum(changes.min(axis=0), 0.0)
        self.most = _BEYOND * np.maximum(changes.max(axis=0), 0.0)
        self._solve(scaled(table.values, self.scale), changes - self.intercept, _tempered(changes, weight))

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
        if self.scale is None:
            raise RuntimeError("predict before fit")
        said = scaled(table.values, self.scale) @ self.coefficients + self.intercept
        return np.asarray(np.clip(said, self.least, self.most), dtype=np.float64)
