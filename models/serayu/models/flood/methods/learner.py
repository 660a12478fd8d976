"""What a method is."""

from typing import Protocol

from serayu.models.flood.frame import FloatArray
from serayu.models.flood.table import Table

__all__ = ["Learner"]


class Learner(Protocol):
    """A method: learns the mean change of the level, knows nothing of thresholds.

    Attributes
    ----------
    name
        Short name, e.g. ``ridge``.
    on_ridge
        Whether it learns, and says, what is to be added to the ridge's change.
    """

    name: str
    on_ridge: bool

    def fit(self, table: Table, changes: FloatArray, weight: FloatArray) -> None:
        """Learn from situations.

        Parameters
        ----------
        table
            Situations, n rows, in time order.
        changes
            What became of them, shape (n, k), no NaN.
        weight
            How many rows each stands for, shape (n,).
        """
        ...

    def predict(self, table: Table) -> FloatArray:
        """Return the mean change of each target, or what to add to the ridge's, shape (len(table), k)."""
        ...
