"""How fast a river rises. Pure Python: the alert evaluator calls it for every reading."""

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["MAX_SLOPE_SAMPLES", "MIN_SLOPE_SAMPLES", "RateOfRise", "rate_of_rise", "theil_sen_slope"]

MIN_SLOPE_SAMPLES = 3
"""Fewest samples of a robust slope: with two, one bad reading is the slope."""

MAX_SLOPE_SAMPLES = 120
"""Most samples of a robust slope: 7140 pairs take a few milliseconds, a half hour at 1 Hz would take a
second."""

_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class RateOfRise:
    """Rate of rise at the end of a series of stages, m/h; negative while the river falls.

    Parameters
    ----------
    mean_m_per_h
        From the first to the last sample of the window; None with fewer than two samples at different times.
    max_step_m_per_h
        Largest rate between neighbouring samples of the window; None likewise.
    steps_m_per_h
        Rates between all neighbouring samples of the series, the window's and older ones.
    """

    mean_m_per_h: float | None
    max_step_m_per_h: float | None
    steps_m_per_h: tuple[float, ...]


def _clean(times_s: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    """Drop missing samples, order by time, keep the last of samples with one time."""
    if len(times_s) != len(values):
        raise ValueError(f"expected as many times as values, got {len(times_s)} and {len(values)}")
    by_time = {
        time: value
        for time, value in zip(times_s, values, strict=True)
        if math.isfinite(time) and math.isfinite(value)
    }
    return sorted(by_time.items())


def _slope_per_h(first: tuple[float, float], last: tuple[float, float]) -> float:
    return (last[1] - first[1]) / (last[0] - first[0]) * _SECONDS_PER_HOUR


def rate_of_rise(times_s: Sequence[float], stages_m: Sequence[float], *, window_s: float) -> RateOfRise:
    """Rate of rise over the window that ends at the last sample.

    Parameters
    ----------
    times_s
        Times of the samples, s from any origin, shape (n,), in any order. Of two samples with one time the
        later in the series counts.
    stages_m
        Stages, m, shape (n,). Missing ones (NaN) are passed over.
    window_s
        Length of the window, s, above 0; both ends belong to it. A window longer than the series takes all of
        it.

    Returns
    -------
    RateOfRise
        Mean and largest step of the window, and the rate of each step of the series.

    Raises
    ------
    ValueError
        When the window is not positive or the lengths differ.
    """
    if not window_s > 0:
        raise ValueError(f"window must be longer than 0 s, got {window_s}")
    samples = _clean(times_s, stages_m)
    steps = tuple(_slope_per_h(*pair) for pair in itertools.pairwise(samples))
    recent = [sample for sample in samples if samples[-1][0] - sample[0] <= window_s]
    if len(recent) < 2:  # noqa: PLR2004 - a rate needs two points
        return RateOfRise(None, None, steps)
    return RateOfRise(_slope_per_h(recent[0], recent[-1]), max(steps[1 - len(recent) :]), steps)


def theil_sen_slope(
    times_s: Sequence[float], values: Sequence[float], *, max_samples: int = MAX_SLOPE_SAMPLES
) -> float | None:
    """Robust slope: the median of the slopes between all pairs of samples (Theil 1950, Sen 1968).

    Up to 29 % of the samples may be wrong without spoiling it. The work grows with the square of the number
    of samples, so a longer series is thinned to evenly chosen samples, the first and the last among them.

    Parameters
    ----------
    times_s
        Times of the samples, s from any origin, shape (n,), in any order. Of two samples with one time the
        later in the series counts.
    values
        Values in any unit, shape (n,). Missing ones (NaN) are passed over.
    max_samples
        Most samples that enter, 3 or more.

    Returns
    -------
    float or None
        Slope in the unit of the values per second; None with fewer than three samples at different times.

    Raises
    ------
    ValueError
        When the lengths differ or fewer than three samples are allowed.

    Examples
    --------
    One spike in a rise of 0.1 m per 10 min:

    >>> slope = theil_sen_slope([0, 600, 1200, 1800], [1.0, 1.1, 9.9, 1.3])
    >>> round(slope * 3600, 6)
    0.6
    """
    if max_samples < MIN_SLOPE_SAMPLES:
        raise ValueError(f"max_samples must be at least {MIN_SLOPE_SAMPLES}, got {max_samples}")
    samples = _clean(times_s, values)
    if len(samples) < MIN_SLOPE_SAMPLES:
        return None
    if len(samples) > max_samples:
        last = len(samples) - 1
        samples = [samples[round(index * last / (max_samples - 1))] for index in range(max_samples)]
    return statistics.median(
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for index, earlier in enumerate(samples)
        for later in samples[index + 1 :]
    )
