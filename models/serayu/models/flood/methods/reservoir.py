"""Unit hydrograph and linear reservoir: what is on the way arrives, what is here drains."""

import numpy as np
from scipy.optimize import nnls

from serayu.models.flood.frame import FloatArray
from serayu.models.flood.table import Table

__all__ = ["Reservoir"]

_FLOOR_SHARE = 0.01


class Reservoir:
    """A linear store fed by rain and by the upstream posts.

    Change to a horizon = (rain already fallen, through Nash cascades of four times to peak, less what of it
    is here now) + (upstream change on the way) - (share of the storage that drains) + constant. All shares
    are non-negative (Lawson and Hanson 1974), as mass and time demand: this is the superposition of a unit
    hydrograph (Nash 1957) and the exact recession of a linear reservoir over the horizon.
    """

    on_ridge = False

    def __init__(self) -> None:
        self.name = "reservoir"
        self.parts: list[str] = []
        self.signs = np.zeros(0)
        self.shares = np.zeros((0, 0))

    @staticmethod
    def _parts(names: tuple[str, ...]) -> list[str]:
        fed = [name for name in names if "arriving_" in name or "runoff_" in name]
        return [name for name in fed if "_in_" in name or "arriving_" in name]

    def _inputs(self, table: Table) -> FloatArray:
        fed = [table.column(name) for name in self.parts]
        drained = [
            -table.column("above_mean_168h"),
            -table.column("storage_square"),
            -table.column("below_max_24h"),
        ]
        going_on = [table.column("change_1h"), table.column("change_3h")]
        flat = np.ones(len(table))
        return np.nan_to_num(np.column_stack([*fed, *drained, *going_on, flat, -flat]))

    def fit(self, table: Table, changes: FloatArray, weight: FloatArray) -> None:
        """Learn the shares."""
        self.parts = self._parts(table.names)
        inputs = self._inputs(table)
        scale = np.sqrt((inputs**2 * weight[:, None]).sum(axis=0) / weight.sum())
        scale = np.where(scale > 0, scale, 1.0)
        scaled = inputs / scale
        gram = (scaled * weight[:, None]).T @ scaled
        # Normal equations with a small ridge: their Cholesky factor gives the same problem in few rows.
        factor = np.linalg.cholesky(gram + np.eye(len(gram)) * _FLOOR_SHARE * weight.sum()).T
        sides = np.linalg.solve(factor.T, (scaled * weight[:, None]).T @ changes)
        self.shares = np.column_stack([nnls(factor, side)[0] / scale for side in sides.T])

    def predict(self, table: Table) -> FloatArray:
        """Return the mean change, shape (n, k)."""
        return np.asarray(self._inputs(table) @ self.shares, dtype=np.float64)
