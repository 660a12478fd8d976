"""How long a rise takes from an upstream post to this one, found in the data."""

import numpy as np

from serayu.models.flood.frame import FloatArray
from serayu.models.flood.windows import lagged, last_known

__all__ = ["travel_time_rows"]

_LONGEST_H = 24
_LEAST_CORRELATION = 0.1
_LEAST_PAIRS = 100


def _rises(level: FloatArray, *, hour: int) -> FloatArray:
    """Return changes over three hours, drawn in to their 0.5 to 99.5 % range so that a typing error does not decide."""
    known = last_known(level, limit=3 * hour)
    change = known - lagged(known, 3 * hour)
    if not np.isfinite(change).any():
        return change
    low, high = np.nanquantile(change, [0.005, 0.995])
    return np.clip(change, low, high)


def travel_time_rows(upstream: FloatArray, level: FloatArray, *, rows_per_hour: int) -> int | None:
    """Return the lag at which changes upstream correlate best with changes here, or ``None``.

    Parameters
    ----------
    upstream, level
        Levels on the same rows, shape (n,), NaN where there is none; fit part only.
    rows_per_hour
        Rows per hour; lags of whole hours from 0 to 24 h are tried.

    Returns
    -------
    int or None
        Rows; ``None`` when fewer than 100 pairs are known or no correlation reaches 0.1 (the post tells
        nothing). The maximum of the cross-correlation function is the usual estimate of a travel time (Box,
        Jenkins and Reinsel, Time Series Analysis, chapter 12); the bounds are ours [project proposal].
    """
    here, there = _rises(level, hour=rows_per_hour), _rises(upstream, hour=rows_per_hour)
    best, best_lag = _LEAST_CORRELATION, None
    for hours in range(_LONGEST_H + 1):
        moved = lagged(there, hours * rows_per_hour)
        both = np.isfinite(moved) & np.isfinite(here)
        if both.sum() < _LEAST_PAIRS:
            continue
        a, b = moved[both] - moved[both].mean(), here[both] - here[both].mean()
        spread = float(np.sqrt((a @ a) * (b @ b)))
        correlation = float(a @ b) / spread if spread > 0 else 0.0
        if correlation > best:
            best, best_lag = correlation, hours * rows_per_hour
    return best_lag
