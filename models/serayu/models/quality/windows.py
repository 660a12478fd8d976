"""What surrounds each value of a series: its neighbours, the time before it, its season (numpy)."""

from datetime import timedelta

import numpy as np
import numpy.typing as npt

from serayu.models.quality.arrays import US_PER_S
from serayu.models.quality.climatology import EPOCH, ClimatologySpan, period_of
from serayu.models.quality.profile import SpikeMethod


def ends_flat_line(
    array: npt.NDArray[np.float64],
    missing: npt.NDArray[np.bool_],
    t_us: npt.NDArray[np.int64],
    threshold_us: int,
    tolerance: float,
) -> npt.NDArray[np.bool_]:
    """Tell which values end a flat line of one threshold."""
    if array.size == 0:
        return np.zeros(0, dtype=np.bool_)
    index = np.arange(array.size)
    step = np.diff(t_us, prepend=t_us[:1])
    start = np.maximum.accumulate(np.where(2 * step > threshold_us, index, 0))
    first = np.maximum(start, np.searchsorted(t_us, t_us - threshold_us, side="left"))
    valid = np.concatenate([[0], np.cumsum(~missing)])
    enough = valid[index + 1] - valid[first] > 1
    covered = t_us - t_us[start] + step > threshold_us
    with np.errstate(over="ignore", invalid="ignore"):
        spread = _window_extreme(np.where(missing, -np.inf, array), first, np.maximum) - _window_extreme(
            np.where(missing, np.inf, array), first, np.minimum
        )
    flat: npt.NDArray[np.bool_] = enough & covered & (spread < tolerance)
    return flat


def _window_extreme(
    array: npt.NDArray[np.float64], first: npt.NDArray[np.intp], pick: np.ufunc
) -> npt.NDArray[np.float64]:
    """Return the extreme of ``array[first[i]:i + 1]`` for each i, in O(n log n).

    Extremes of blocks of 1, 2, 4, … samples that end at each i are built from one another; two blocks, which
    may overlap, cover any window (a sparse table, kept one level at a time).
    """
    index = np.arange(array.size)
    level_of = np.frexp((index - first + 1).astype(np.float64))[1] - 1  # floor of log2 of the window's length
    result = array.copy()
    block = array.copy()
    for level in range(1, int(level_of.max()) + 1):
        half = 1 << (level - 1)
        block[half:] = pick(block[half:], block[:-half].copy())
        here = np.nonzero(level_of == level)[0]
        result[here] = pick(block[here], block[first[here] + 2 * half - 1])
    return result


def spike_distance(array: npt.NDArray[np.float64], method: SpikeMethod) -> npt.NDArray[np.float64]:
    """Return the spike height of all but the first and last value; NaN beside a missing value."""
    if method == "average":
        return np.abs(array[1:-1] - (array[:-2] + array[2:]) / 2)
    step = np.diff(array)
    before, after = step[:-1], step[1:]
    # Signs are compared, not multiplied: the product of two tiny steps underflows to 0.
    turns = ((before > 0) & (after < 0)) | ((before < 0) & (after > 0))
    height = np.minimum(np.abs(before), np.abs(after))
    return np.where(turns | np.isnan(height), height, 0.0)


def in_season(t_us: npt.NDArray[np.int64], span: ClimatologySpan) -> npt.NDArray[np.bool_]:
    """Tell which times lie in the season of a span."""
    if span.period is None:
        at = t_us
    else:
        # A day decides every period, so each day of the series is looked up once.
        day_us = 86_400 * US_PER_S
        days, where = np.unique(t_us // day_us, return_inverse=True)
        numbers = [period_of(EPOCH + timedelta(days=int(day)), span.period) for day in days]
        at = np.array(numbers, dtype=np.int64)[where]
    return (at >= span.tspan[0]) & (at <= span.tspan[1])
