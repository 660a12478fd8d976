"""What was known about a post and its inputs, hour by hour: the table from which every method forecasts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from serayu.models.times import US_PER_HOUR

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A regular table of one post; row i holds only what had been received by its time.

    Parameters
    ----------
    start_us, step_us
        Time of row 0 and distance of rows, microseconds UTC; row i is at ``start_us + i * step_us``.
    level
        Newest good value of the post in (t - step, t], its own unit, shape (n,); NaN where there is none.
    upstream
        The same of each upstream post, nearest first, in that post's unit.
    rain
        Rain in (t - step, t] of each gauge, mm; NaN unknown (which is not zero).
    travel_time_h
        Hours from an upstream post to this one, where the region says so; else it is found from the data.
    """

    start_us: int
    step_us: int
    level: FloatArray
    upstream: Mapping[str, FloatArray] = field(default_factory=dict)
    rain: Mapping[str, FloatArray] = field(default_factory=dict)
    travel_time_h: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.level)

    @property
    def step_h(self) -> float:
        """Distance of rows, hours."""
        return self.step_us / US_PER_HOUR

    def time_us(self, row: int) -> int:
        """Return the time of a row, microseconds UTC."""
        return self.start_us + row * self.step_us

    def rows_of(self, hours: float) -> int:
        """Return how many rows *hours* are, rounded to whole rows, at least one."""
        return max(1, round(hours / self.step_h))


class Forecaster(Protocol):
    """One method; predicts the mean level and knows nothing of thresholds."""

    @property
    def name(self) -> str:
        """Short name, e.g. ``ridge``."""
        ...

    def fit(self, frame: Frame, rows: IntArray, horizons_h: Sequence[float]) -> None:
        """Learn from issue rows *rows* (and the truth at their horizons, all of it before the end of the fit part)."""
        ...

    def predict(self, frame: Frame, rows: IntArray) -> FloatArray:
        """Return the level at each horizon, shape (len(rows), horizons); NaN where it cannot say."""
        ...
