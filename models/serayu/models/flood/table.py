"""Situations and what became of them: the table that every method learns from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serayu.models.flood.features import FeatureSpec, anchor, features
from serayu.models.flood.frame import FloatArray, Frame, IntArray
from serayu.models.flood.windows import repaired

__all__ = ["Table", "changes", "situations", "truth"]

_BRIDGED_H = 3
_KNOWN_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Table:
    """Situations at some issue rows.

    Parameters
    ----------
    names
        Names of the features, p of them.
    values
        Features, shape (n, p), float32; NaN unknown.
    level
        Present level, shape (n,).
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.float32]
    level: FloatArray

    def __len__(self) -> int:
        return len(self.level)

    def column(self, name: str) -> FloatArray:
        """Return a feature, shape (n,); zeros where the table has none of that name."""
        if name not in self.names:
            return np.zeros(len(self))
        return self.values[:, self.names.index(name)].astype(np.float64)

    def take(self, rows: IntArray) -> "Table":
        """Return some of the rows, by position."""
        return Table(self.names, self.values[rows], self.level[rows])


def situations(frame: Frame, rows: IntArray, spec: FeatureSpec) -> Table:
    """Return the situations at *rows*; nothing after each row is read."""
    found = features(frame, rows, spec)
    return Table(found.names, found.values, anchor(frame)[rows])


def truth(frame: Frame, spec: FeatureSpec, *, until_row: int) -> FloatArray:
    """Return the level to learn from: lone spikes repaired and gaps of up to 3 h bridged in a straight line.

    Looks at both sides of a value, so it serves for learning only. Rows from *until_row* on are unknown.

    Parameters
    ----------
    frame, spec
        The post and its features.
    until_row
        First row that is not in the fit part.
    """
    level = repaired(frame.level[:until_row], jump=spec.jump)
    known = np.flatnonzero(np.isfinite(level))
    whole = np.full(len(frame), np.nan)
    if len(known) == 0:
        return whole
    at = np.arange(until_row)
    line = np.interp(at, known, level[known], left=np.nan, right=np.nan)
    after = np.searchsorted(known, at).clip(0, len(known) - 1)
    before = (np.searchsorted(known, at, side="right") - 1).clip(0)
    gap = known[after] - known[before]
    whole[:until_row] = np.where(gap <= frame.rows_of(_BRIDGED_H), line, np.nan)
    return whole


def changes(frame: Frame, rows: IntArray, level: FloatArray, horizons_h: tuple[float, ...]) -> FloatArray:
    """Return what became of each row: the change to each horizon, then the greatest rise up to each.

    Parameters
    ----------
    frame
        The post, for the present level.
    rows
        Issue rows, shape (n,).
    level
        True level of every row, shape (len(frame),), NaN unknown.
    horizons_h
        Hours ahead, h of them.

    Returns
    -------
    numpy.ndarray
        Shape (n, 2 h): level at t + h less the present level, for each horizon; then the highest level in
        (t, t + h] less the present level. NaN where unknown (for the highest: where less than 0.8 of the
        span is known [project proposal]).
    """
    now = anchor(frame)[rows]
    padded = np.concatenate([level, np.full(frame.rows_of(max(horizons_h)) + 1, np.nan)])
    columns = [padded[rows + frame.rows_of(hours)] - now for hours in horizons_h]
    highest, known, done = np.full(len(rows), -np.inf), np.zeros(len(rows)), 0
    for hours in horizons_h:
        span = frame.rows_of(hours)
        for ahead in range(done + 1, span + 1):
            value = padded[rows + ahead]
            highest = np.fmax(highest, value)
            known += np.isfinite(value)
        done = span
        columns.append(np.where(known >= _KNOWN_SHARE * span, highest, np.nan) - now)
    return np.column_stack(columns)
