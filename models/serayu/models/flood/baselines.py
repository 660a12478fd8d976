"""What a forecast and a warning must beat: persistence, linear trend, a fixed limit, the post upstream."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from serayu.models.flood.events import Warned, events_of, warned_times
from serayu.models.flood.frame import FloatArray, Frame, IntArray
from serayu.models.flood.series import LEVELS

__all__ = ["QUANTILES", "lower_trigger", "persistence", "thresholds_of", "trend", "trigger_warnings"]

QUANTILES = {"alert": 0.98, "alarm": 0.995, "critical": 0.999}
"""Quantiles of the fit part that stand for official levels where there are none."""
_SHARE_OF_WAY = 0.8
_TREND_H = 3.0


def thresholds_of(official: Mapping[str, float], fit_level: FloatArray) -> tuple[dict[str, float], str]:
    """Return the levels of a post and where they come from.

    Parameters
    ----------
    official
        Those given; when there is one or more, no other is made up.
    fit_level
        Good observations of the fit part, shape (n,).

    Returns
    -------
    thresholds : dict of str to float
        By level, lowest first; empty when there is neither an official level nor a fit part.
    source : str
        ``official`` or ``quantile``.
    """
    if official:
        return {level: official[level] for level in LEVELS if level in official}, "official"
    if len(fit_level) == 0:
        return {}, "quantile"
    return {level: float(np.quantile(fit_level, q)) for level, q in QUANTILES.items()}, "quantile"


def lower_trigger(thresholds: Mapping[str, float], level: str, fit_level: FloatArray) -> float:
    """Return the level at which `threshold_only` warns of *level*.

    The next lower level of the post; for the lowest one, eight tenths of the way from the median of the fit part to
    the limit.
    """
    names = list(thresholds)
    at = names.index(level)
    if at:
        return thresholds[names[at - 1]]
    median = float(np.median(fit_level)) if len(fit_level) else math.nan
    return median + _SHARE_OF_WAY * (thresholds[level] - median)


def trigger_warnings(time_us: IntArray, level: FloatArray, trigger: float) -> list[Warned]:
    """Warn once each time a level passes *trigger*; again only after 6 h below; each lapses after 24 h.

    Parameters
    ----------
    time_us, level
        Observations that could be believed when they came, shape (n,).
    """
    if not math.isfinite(trigger):
        return []
    return warned_times([event.crossing_us for event in events_of(time_us, level, trigger)])


def persistence(frame: Frame, rows: IntArray, horizons_h: Sequence[float]) -> FloatArray:
    """Return "as it is now" at each horizon, shape (len(rows), horizons); NaN where the level is unknown."""
    return np.repeat(frame.level[rows][:, np.newaxis], len(horizons_h), axis=1)


def trend(frame: Frame, rows: IntArray, horizons_h: Sequence[float]) -> FloatArray:
    """Return the straight line through now and three hours ago, shape (len(rows), horizons).

    "As it is now" where the older level is unknown, NaN where the present one is.
    """
    back = frame.rows_of(_TREND_H)
    before = np.where(rows >= back, frame.level[np.maximum(rows - back, 0)], np.nan)
    now = frame.level[rows]
    slope = np.nan_to_num((now - before) / _TREND_H)
    return now[:, np.newaxis] + slope[:, np.newaxis] * np.asarray(horizons_h, dtype=np.float64)
