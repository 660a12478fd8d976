"""Rows that look back: the newest known value, lags, rolling sums and extremes, and causal filters."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage, signal

from serayu.models.flood.frame import FloatArray, IntArray

__all__ = [
    "age_rows", "filtered", "filtered_bank", "lagged", "last_known", "repaired", "rolling_max", "rolling_mean",
    "rolling_min", "rolling_sum", "rolling_sums", "rows_since",
]  # fmt: skip

_FEW_ROWS = 50


def _newest(known: np.ndarray) -> np.ndarray:
    """Return the row of the newest true value at or before each row; -1 where there is none."""
    return np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))


def last_known(values: FloatArray, *, limit: int) -> FloatArray:
    """Return the newest value that is known at each row and at most *limit* rows old, else NaN.

    Parameters
    ----------
    values
        Shape (n,), NaN where there is none.
    limit
        Greatest age, rows, at least 0.
    """
    newest = _newest(np.isfinite(values))
    age = np.arange(len(values)) - newest
    return np.where((newest >= 0) & (age <= limit), values[np.maximum(newest, 0)], np.nan)


def age_rows(values: FloatArray, *, limit: int) -> FloatArray:
    """Return the age of the newest known value at each row, rows, at most *limit*."""
    newest = _newest(np.isfinite(values))
    return np.minimum(np.where(newest >= 0, np.arange(len(values)) - newest, limit), limit).astype(np.float64)


def rows_since(event: np.ndarray, *, limit: int) -> FloatArray:
    """Return how many rows ago *event* was last true, at most *limit*."""
    newest = _newest(event)
    return np.minimum(np.where(newest >= 0, np.arange(len(event)) - newest, limit), limit).astype(np.float64)


def lagged(values: FloatArray, rows: int) -> FloatArray:
    """Return the value *rows* rows earlier; NaN before the first."""
    if rows == 0:
        return values
    moved = np.full(len(values), np.nan)
    moved[rows:] = values[:-rows]
    return moved


def rolling_sum(values: FloatArray, *, rows: int, least_known: float = 0.5) -> FloatArray:
    """Return the sum of the last *rows* rows, gaps counted at the mean of the known ones.

    Parameters
    ----------
    values
        Shape (n,), NaN unknown.
    rows
        Length of the window, with the present row.
    least_known
        Share of the window that must be known, else the sum is NaN.
    """
    return rolling_sums(values, windows=(rows,), least_known=least_known)[0]


def rolling_sums(values: FloatArray, *, windows: Sequence[int], least_known: float = 0.5) -> list[FloatArray]:
    """Return :func:`rolling_sum` for several lengths of the window at the price of little more than one."""
    known = np.isfinite(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    result = []
    for rows in windows:
        low = np.maximum(np.arange(len(values)) + 1 - rows, 0)
        some = count[1:] - count[low]
        # A cumulative sum leaves rounding of 1e-12 behind a storm: a dry window must read 0.
        window = np.round(total[1:] - total[low], 9) * rows / np.maximum(some, 1)
        result.append(np.where((some >= least_known * rows) & (some > 0), window, np.nan))
    return result


def rolling_mean(values: FloatArray, *, rows: int, least_known: float = 0.3) -> FloatArray:
    """Return the mean of the known values of the last *rows* rows."""
    return rolling_sum(values, rows=rows, least_known=least_known) / rows


def rolling_max(values: FloatArray, *, rows: int) -> FloatArray:
    """Return the greatest known value of the last *rows* rows; NaN where none is known."""
    filled = np.where(np.isfinite(values), values, -np.inf)
    # The origin shifts the centred window so that it ends at the present row.
    most = ndimage.maximum_filter1d(filled, rows, mode="constant", cval=-np.inf, origin=(rows - 1) // 2)
    return np.where(np.isfinite(most), most, np.nan)


def rolling_min(values: FloatArray, *, rows: int) -> FloatArray:
    """Return the smallest known value of the last *rows* rows; NaN where none is known."""
    return -rolling_max(-values, rows=rows)


def filtered(values: FloatArray, taps: FloatArray) -> FloatArray:
    """Return the causal convolution with *taps* (the present row first); an unknown value counts as zero."""
    return np.asarray(signal.lfilter(taps, [1.0], np.nan_to_num(values)), dtype=np.float64)


def filtered_bank(values: FloatArray, bank: Sequence[FloatArray], rows: IntArray) -> list[FloatArray]:
    """Return :func:`filtered` with each taps of a bank; read at *rows* only, for a few of them much faster.

    Parameters
    ----------
    values
        Shape (n,).
    bank
        Taps, each with the present row first.
    rows
        Where the result is needed; elsewhere it may be NaN.
    """
    if len(rows) > _FEW_ROWS:
        return [filtered(values, taps) for taps in bank]
    longest = max(len(taps) for taps in bank)
    back = rows[:, None] - np.arange(longest)
    past = np.where(back >= 0, np.nan_to_num(values)[np.maximum(back, 0)], 0.0)
    result = []
    for taps in bank:
        column = np.full(len(values), np.nan)
        column[rows] = past[:, : len(taps)] @ taps
        result.append(column)
    return result


def repaired(values: FloatArray, *, jump: float) -> FloatArray:
    """Return the rows with lone spikes replaced by the mean of their neighbours.

    A spike leaves both neighbours by more than *jump*, on the same side, while these agree within 0.3 of
    it [project proposal]. The value of a row then depends on the row after it: use it at lags of one row
    or more only.
    """
    result = values.copy()
    before, here, after = values[:-2], values[1:-1], values[2:]
    with np.errstate(invalid="ignore"):
        middle = (before + after) / 2
        spike = (np.minimum(np.abs(here - before), np.abs(here - after)) > jump) & (
            np.abs(after - before) < 0.3 * np.abs(here - middle)
        )
    result[1:-1] = np.where(spike, middle, here)
    return result
