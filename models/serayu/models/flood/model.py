"""What a fitted post says: a distribution of the level per horizon, its method, and whether it may be shown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from serayu.models.flood.frame import FloatArray, Frame, IntArray

__all__ = ["BAND", "PostModel", "Prediction"]

BAND = (0.1, 0.9)
"""Quantiles of the band that is published."""
_NARROWEST = 1e-9  # two quantiles that are equal: the step between them is steep, not infinite


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Forecasts from some issue rows, as quantiles.

    Parameters
    ----------
    horizons_h
        Hours ahead, ascending, h of them.
    mean
        Level, unit of the post, shape (n, h); NaN where nothing can be said.
    probabilities
        Probabilities of the quantiles, ascending inside (0, 1), q >= 2 of them, shape (q,).
    quantiles
        Levels that are not exceeded with these probabilities, shape (n, h, q), ascending along the last axis (ties
        allowed); NaN where the mean is.

    Raises
    ------
    ValueError
        Shapes that do not fit, or probabilities that do not ascend inside (0, 1).
    """

    horizons_h: tuple[float, ...]
    mean: FloatArray
    probabilities: FloatArray
    quantiles: FloatArray

    def __post_init__(self) -> None:
        shape = (len(self.mean), len(self.horizons_h), len(self.probabilities))
        if self.mean.shape != shape[:2] or self.quantiles.shape != shape:
            raise ValueError(
                f"expected mean {shape[:2]} and quantiles {shape}, got {self.mean.shape}, {self.quantiles.shape}"
            )
        levels = self.probabilities
        inside = len(levels) > 1 and bool((np.diff(levels) > 0).all()) and levels[0] > 0 and levels[-1] < 1
        if not inside:
            raise ValueError(f"probabilities must ascend inside (0, 1), two or more, got {levels.tolist()}")

    def __len__(self) -> int:
        return len(self.mean)

    @property
    def low(self) -> FloatArray:
        """Lower limit of the 80 % band, shape (n, h)."""
        return self.quantile(BAND[0])

    @property
    def high(self) -> FloatArray:
        """Upper limit of the 80 % band, shape (n, h)."""
        return self.quantile(BAND[1])

    def quantile(self, probability: float) -> FloatArray:
        """Return the level that is not exceeded with *probability*, shape (n, h); linear between quantiles."""
        at = float(np.interp(probability, self.probabilities, np.arange(len(self.probabilities))))
        low = min(int(at), len(self.probabilities) - 2)
        share = at - low
        return self.quantiles[:, :, low] * (1 - share) + self.quantiles[:, :, low + 1] * share

    def probability_above(self, limit: float) -> FloatArray:
        """Return the probability that the level is above *limit* at each horizon, shape (n, h), 0 to 1.

        Linear between quantiles; beyond them the tail falls exponentially at the rate of the last two
        [project proposal], so that a rare threshold still has an order. NaN where the forecast is.
        """
        below = (self.quantiles <= limit).sum(axis=2)
        q = len(self.probabilities)
        inside = np.clip(below, 1, q - 1)[:, :, np.newaxis]
        left = np.take_along_axis(self.quantiles, inside - 1, axis=2)[:, :, 0]
        right = np.take_along_axis(self.quantiles, inside, axis=2)[:, :, 0]
        p_left, p_right = self.probabilities[inside[:, :, 0] - 1], self.probabilities[inside[:, :, 0]]
        width = np.maximum(right - left, _NARROWEST)
        share = np.clip((limit - left) / width, 0.0, 1.0)
        above = 1 - (p_left + share * (p_right - p_left))
        rate_high = np.log((1 - p_left) / (1 - p_right)) / width
        tail_high = (1 - p_right) * np.exp(-rate_high * np.maximum(limit - right, 0))
        rate_low = np.log(p_right / p_left) / width
        tail_low = 1 - p_left * np.exp(-rate_low * np.maximum(left - limit, 0))
        above = np.where(below == q, tail_high, np.where(below == 0, tail_low, above))
        return np.where(np.isnan(self.mean), math.nan, np.clip(above, 0.0, 1.0))


class PostModel(Protocol):
    """A fitted post, made by ``serayu.models.flood.selection.fit_post(frame, fit_rows, horizons_h)``."""

    @property
    def horizons_h(self) -> tuple[float, ...]:
        """Hours ahead, ascending."""
        ...

    @property
    def method(self) -> Mapping[float, str]:
        """Name of the method chosen, by horizon."""
        ...

    @property
    def shown(self) -> Mapping[float, bool]:
        """Whether it has skill over persistence, by horizon: what has none is not shown."""
        ...

    @property
    def fit_rows(self) -> IntArray:
        """Rows of the fit part that `out_of_fold` forecasts from, ascending, regular runs (as dense as the frame)."""
        ...

    @property
    def out_of_fold(self) -> Prediction:
        """Forecasts from `fit_rows`, each by a model that saw nothing of the time around the row."""
        ...

    @property
    def out_of_fold_highest(self) -> Prediction:
        """The same for the highest level in (t, t + h] of each horizon h: what a warning is decided on."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What was done without, e.g. an upstream post that has no data."""
        ...

    def predict(self, frame: Frame, rows: IntArray) -> Prediction:
        """Forecast from *rows*; uses nothing after each row's time."""
        ...

    def predict_both(self, frame: Frame, rows: IntArray) -> tuple[Prediction, Prediction]:
        """Forecast the level at each horizon and the highest up to each, from *rows*."""
        ...
