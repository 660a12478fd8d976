"""The methods everybody has: no change, and the trend goes on."""

import numpy as np

from serayu.models.flood.frame import FloatArray
from serayu.models.flood.table import Table

__all__ = ["Persistence", "Trend"]

_TREND_H = (1, 3, 6)


class Persistence:
    """The level stays: the change is 0. The greatest rise ahead is its mean."""

    on_ridge = False

    def __init__(self) -> None:
        self.name = "persistence"
        self.targets = 0

    def fit(self, table: Table, changes: FloatArray, weight: FloatArray) -> None:  # noqa: ARG002 - a Learner
        """Learn nothing but the number of targets."""
        self.targets = changes.shape[1]

    def predict(self, table: Table) -> FloatArray:
        """Return zeros."""
        return np.zeros((len(table), self.targets))


class Trend:
    """Damped linear trend: a share of the change over the last 1, 3 and 6 h goes on.

    The shares are least squares without a constant, drawn a little towards 0 (Gardner and McKenzie 1985
    damp the trend of a forecast for the same reason: rises do not go on for ever).
    """

    on_ridge = False

    def __init__(self) -> None:
        self.name = "trend"
        self.shares = np.zeros((0, 0))

    @staticmethod
    def _inputs(table: Table) -> FloatArray:
        return np.nan_to_num(np.column_stack([table.column(f"change_{hours}h") for hours in _TREND_H]))

    def fit(self, table: Table, changes: FloatArray, weight: FloatArray) -> None:
        """Learn the shares."""
        inputs = self._inputs(table)
        gram = (inputs * weight[:, None]).T @ inputs
        damping = np.eye(len(gram)) * (1e-3 * np.trace(gram) / len(gram) + 1e-12)
        self.shares = np.linalg.solve(gram + damping, (inputs * weight[:, None]).T @ changes)

    def predict(self, table: Table) -> FloatArray:
        """Return the trend, shape (n, k)."""
        return np.asarray(self._inputs(table) @ self.shares, dtype=np.float64)
