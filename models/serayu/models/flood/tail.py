"""The newest stretch of a datastream, cleaned as it comes in: what a live forecast reads of the record."""

import numpy as np

from serayu.models.flood.build import GaugeLimits, gauge_depths, newest_values
from serayu.models.flood.clean import LevelLimits, LevelQc, Verdict
from serayu.models.flood.frame import FloatArray
from serayu.models.flood.series import Series
from serayu.models.flood.stored import StoredValues, stored_series
from serayu.models.reading import SeriesKey
from serayu.models.times import US_PER_DAY, US_PER_HOUR

__all__ = ["LevelTail", "RainTail"]

WARM_UP_US = 2 * US_PER_DAY
MOST_WARM_UP_US = 30 * US_PER_DAY
"""Quality control remembers how long one value has stood; farther back than this it is not asked [project proposal]."""
ANEW_US = 6 * US_PER_HOUR
"""So often all is read anew: values that came behind newer ones are then in their place [project proposal]."""


class _Tail:
    """Reads what is new, and everything where time went back or much time has passed."""

    def __init__(self, key: SeriesKey, *, span_us: int) -> None:
        self._key = key
        self._span_us = span_us
        self._read_us: int | None = None  # up to which everything is read
        self._begun_us = 0
        self._whole = _nothing()

    def _advance(self, store: StoredValues, now_us: int) -> tuple[Series, bool]:
        """Return what is new up to *now_us*, and whether that is everything anew."""
        read_us = self._read_us
        anew = read_us is None or now_us < read_us or now_us - self._begun_us >= ANEW_US
        if anew:
            self._begun_us = now_us
        start_us = now_us - self._span_us if anew or read_us is None else read_us
        self._read_us = None  # if reading fails, all is read again
        new = stored_series(store, self._key, start_us + 1, now_us + 1)
        self._read_us = now_us
        return new, anew


class LevelTail(_Tail):
    """A level; values are judged once, in the order of their times, by the limits of the fit.

    Parameters
    ----------
    key, limits
        The datastream and its quality control.
    memory_us
        How far back values are wanted; quality control starts earlier.
    """

    def __init__(self, key: SeriesKey, limits: LevelLimits, *, memory_us: int) -> None:
        longest_us = max(limits.stuck_low_us, limits.stuck_high_us) + US_PER_DAY
        super().__init__(key, span_us=memory_us + min(max(longest_us, WARM_UP_US), MOST_WARM_UP_US))
        self._limits = limits
        self._qc = LevelQc(limits)

    def rows(self, store: StoredValues, now_us: int, *, start_us: int, step_us: int, rows: int) -> FloatArray:
        """Return the newest believed value of each row, shape (rows,); NaN where there is none."""
        new, anew = self._advance(store, now_us)
        if anew:
            self._qc, self._whole = LevelQc(self._limits), _nothing()
        push = self._qc.push
        each = zip(new.time_us.tolist(), new.value.tolist(), new.flagged.tolist(), strict=True)
        known = np.array([push(t, v, flagged=f) == Verdict.GOOD for t, v, f in each], dtype=np.bool_)
        self._whole = _appended(self._whole, _taken(new, known), since_us=start_us - step_us)
        whole = self._whole
        return newest_values(whole.time_us, whole.value, start_us=start_us, step_us=step_us, rows=rows)


class RainTail(_Tail):
    """Rain of a gauge.

    Parameters
    ----------
    key, gauge
        The datastream and what is believable of it.
    memory_us
        How far back depths are wanted.
    """

    def __init__(self, key: SeriesKey, gauge: GaugeLimits, *, memory_us: int) -> None:
        super().__init__(key, span_us=memory_us + US_PER_DAY)
        self._gauge = gauge

    def rows(self, store: StoredValues, now_us: int, *, start_us: int, step_us: int, rows: int) -> FloatArray:
        """Return the rain of each row, mm, shape (rows,); NaN unknown."""
        new, anew = self._advance(store, now_us)
        self._whole = new if anew else _appended(self._whole, new, since_us=start_us - US_PER_DAY)
        return gauge_depths(self._whole, self._gauge, start_us=start_us, step_us=step_us, rows=rows)


def _nothing() -> Series:
    return Series(time_us=np.zeros(0, np.int64), value=np.zeros(0), flagged=np.zeros(0, np.bool_))


def _taken(series: Series, which: np.ndarray) -> Series:
    return Series(time_us=series.time_us[which], value=series.value[which], flagged=series.flagged[which])


def _appended(old: Series, new: Series, *, since_us: int) -> Series:
    """Return both, less what lies before a time."""
    first = int(np.searchsorted(old.time_us, since_us))
    return Series(
        time_us=np.concatenate((old.time_us[first:], new.time_us)),
        value=np.concatenate((old.value[first:], new.value)),
        flagged=np.concatenate((old.flagged[first:], new.flagged)),
    )
