"""A rain series that knows its gaps: depths of windows, the storm that is not over, the worst windows in it.

A value is the rain since the value before it, stamped at the interval's end. When the value before it lies further
back than a value can stand for, the rest of the interval is a gap: rain there is not known, never 0. Rain that is
known is then a lower bound of the window's rain.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from serayu.models.landslide.thresholds import IdThreshold
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, US_PER_S

__all__ = [
    "DRY_H",
    "LOOKBACK_H",
    "IdFinding",
    "RainSeries",
    "Storm",
    "Window",
    "judge_line",
    "judge_lines",
    "judge_storm",
]

LOOKBACK_H = 240
"""Longest window, hours: the validity of Caine's line, the shortest of the three."""
DRY_H = 24
"""Dry hours that part two storms [Progo study, https://eartharxiv.org/repository/view/4951/]."""
WET_MM_PER_H = 0.2
"""Least rain of a wet hour, mm [the same]."""
_SLACK = 1.5  # a value may come half an interval late [project proposal]
_GAP_S = 1.0  # gaps shorter than this are rounding
_UPPER_QUARTILE = 0.75
_SUBHOURLY_H = (1 / 6, 0.25, 0.5, 0.75)
_HOUR_PARTS_MIN = (60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1)

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Window:
    """Rain of a stretch of time.

    Parameters
    ----------
    begin_us, end_us
        Bounds, microseconds UTC.
    mm
        Rain that is known; all of it only where `complete`.
    gap_h
        Hours of it without a value.
    """

    begin_us: int
    end_us: int
    mm: float
    gap_h: float

    @property
    def hours(self) -> float:
        """Length, h."""
        return (self.end_us - self.begin_us) / US_PER_HOUR

    @property
    def complete(self) -> bool:
        """Whether every moment has a value."""
        return self.gap_h == 0


class RainSeries:
    """Rain of one gauge.

    Parameters
    ----------
    times_us
        Ends of the intervals, shape (n,), microseconds UTC, ascending.
    mm
        Rain of each interval, shape (n,), mm; NaN where it is not known.
    limit_h
        Hours that a value can stand for at most. By default 1.5 times the upper quartile of the intervals
        [project proposal].

    Raises
    ------
    ValueError
        Shapes differ, times do not ascend, or a depth is negative.
    """

    def __init__(
        self, times_us: Sequence[int] | Times, mm: Sequence[float] | Values, *, limit_h: float | None = None
    ) -> None:
        ends = np.asarray(times_us, dtype=np.int64)
        depths = np.asarray(mm, dtype=np.float64)
        if ends.shape != depths.shape or ends.ndim != 1:
            raise ValueError(f"expected as many times as values, got {ends.shape} and {depths.shape}")
        steps = np.diff(ends)
        if (steps <= 0).any():
            raise ValueError("times must ascend")
        if (depths < 0).any() or np.isinf(depths).any():
            raise ValueError("rain must be depths of 0 mm or more")
        usual = int(np.quantile(steps, _UPPER_QUARTILE)) if steps.size else US_PER_HOUR
        self.step_us = usual if limit_h is None else min(usual, round(limit_h * US_PER_HOUR))
        self.limit_us = round(_SLACK * usual) if limit_h is None else round(limit_h * US_PER_HOUR)
        self._ends = ends
        self._points, self._known, self._gap = self._cumulate(steps, depths)
        self._points_s = self._seconds(self._points) if self._points.size else np.zeros(0)

    def __len__(self) -> int:
        return int(self._ends.size)

    def until_us(self, at_us: int) -> int | None:
        """Return the end of the newest interval that had ended by a moment; None where there is none."""
        place = int(np.searchsorted(self._ends, at_us, side="right"))
        return int(self._ends[place - 1]) if place else None

    def ends_between(self, begin_us: int, end_us: int) -> Times:
        """Return the interval ends after *begin_us* up to *end_us*."""
        first, last = np.searchsorted(self._ends, [begin_us, end_us], side="right")
        return self._ends[first:last]

    def window(self, begin_us: int, end_us: int) -> Window:
        """Return the rain of a stretch; an interval that is cut gives its share."""
        mm, gap_h = self.totals(np.array([begin_us], np.int64), np.array([end_us], np.int64))
        return Window(begin_us, end_us, float(mm[0]), float(gap_h[0]))

    def totals(self, begin_us: Times, end_us: Times) -> tuple[Values, Values]:
        """Return known rain, mm, and hours without a value, of many windows; shapes (m,)."""
        (known_begin, gap_begin), (known_end, gap_end) = self.so_far(begin_us), self.so_far(end_us)
        return _between(known_begin, known_end), _gap_hours(gap_begin, gap_end)

    def so_far(self, times_us: Times) -> tuple[Values, Values]:
        """Return the rain known so far, mm, and the time without a value so far, s, both from an arbitrary zero."""
        return self._at(times_us, self._known), self._gap_at(times_us)

    def _cumulate(self, steps: Times, depths: Values) -> tuple[Times, Values, Values]:
        if not self._ends.size:
            return self._ends, depths, depths
        previous = np.concatenate(([self._ends[0] - self.step_us], self._ends[:-1]))
        spans = np.concatenate(([self.step_us], steps))
        begins = np.where(spans <= self.limit_us, previous, self._ends - self.step_us)
        missing = np.isnan(depths)
        between_s = (begins - previous) / US_PER_S
        inside_s = np.where(missing, (self._ends - begins) / US_PER_S, 0.0)
        gap_s = np.cumsum(np.stack([between_s, inside_s], axis=1).ravel())
        rain = np.where(missing, 0.0, depths)
        known = np.cumsum(np.stack([np.zeros_like(rain), rain], axis=1).ravel())
        return np.stack([begins, self._ends], axis=1).ravel(), known, gap_s

    def _at(self, times_us: Times, values: Values) -> Values:
        if not self._points.size:
            return np.zeros(times_us.shape)
        found: Values = np.interp(self._seconds(times_us), self._points_s, values)
        return found

    def _gap_at(self, times_us: Times) -> Values:
        """Return the gap so far; time before the first and after the last value is gap."""
        if not self._points.size:
            everything: Values = times_us / US_PER_S
            return everything
        before_s: Values = np.minimum(times_us - self._points[0], 0) / US_PER_S
        after_s: Values = np.maximum(times_us - self._points[-1], 0) / US_PER_S
        return self._at(times_us, self._gap) + before_s + after_s

    def _seconds(self, times_us: Times) -> Values:
        seconds: Values = (times_us - self._points[0]) / US_PER_S
        return seconds


@dataclass(frozen=True, slots=True)
class Storm:
    """The storm that is not over.

    Parameters
    ----------
    window
        From its first wet hour, at most `LOOKBACK_H` back, to the newest value.
    wet_hours
        Longest run of wet hours in it, h.
    hour_mm, day_mm
        Most rain of one hour and of 24 h in it, as far as known; None where the values are too coarse for an hour.
    """

    window: Window
    wet_hours: int
    hour_mm: float | None
    day_mm: float


def judge_storm(series: RainSeries, *, until_us: int) -> Storm | None:
    """Return the storm that is not over at a moment; None after `DRY_H` dry hours.

    An hour with a gap is neither wet nor dry: no storm ends in it, and it may belong to one.
    """
    ends = until_us - np.arange(LOOKBACK_H, dtype=np.int64) * US_PER_HOUR
    mm, gap_h = series.totals(ends - US_PER_HOUR, ends)
    wet = mm >= WET_MM_PER_H - 1e-9
    dry = ~wet & (gap_h == 0)
    run = 0
    last = LOOKBACK_H
    for hour, is_dry in enumerate(dry):
        run = run + 1 if is_dry else 0
        if run == DRY_H:
            last = hour + 1 - DRY_H
            break
    while last and not wet[last - 1]:
        last -= 1  # a storm begins with rain: gaps and dry hours before it are none of it
    if not last:
        return None
    window = series.window(until_us - last * US_PER_HOUR, until_us)
    return Storm(
        window, _longest_run(wet[:last]), _most_mm(series, window, 1), _most_mm(series, window, 24) or 0.0
    )


def _longest_run(wet: npt.NDArray[np.bool_]) -> int:
    longest = run = 0
    for one in wet:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest


def _most_mm(series: RainSeries, within: Window, hours: int) -> float | None:
    """Return the most rain of so many hours; a storm shorter than that counts whole."""
    if series.step_us > hours * US_PER_HOUR:
        return None
    ends = _ends(series, within)
    mm, _ = series.totals(np.maximum(ends - hours * US_PER_HOUR, within.begin_us), ends)
    return float(mm.max())


@dataclass(frozen=True, slots=True)
class IdFinding:
    """What one intensity-duration line says about a storm.

    Parameters
    ----------
    window
        The window that is furthest above the line, or nearest to it.
    threshold_mm, ratio
        Depth on the line for its length, and the window's depth over it.
    judged, unknown
        Windows that were looked at, and those among them whose gaps leave the answer open.
    """

    window: Window
    threshold_mm: float
    ratio: float
    judged: int
    unknown: int

    @property
    def exceeded(self) -> bool:
        """Whether rain that is known is above the line."""
        return self.ratio > 1


def judge_line(series: RainSeries, within: Window, line: IdThreshold) -> IdFinding | None:
    """Return what a line says about every window of a storm; see `judge_lines`."""
    return judge_lines(series, within, [line])[line.name]


def judge_lines(
    series: RainSeries, within: Window, lines: Iterable[IdThreshold]
) -> Mapping[str, IdFinding | None]:
    """Return what each line says about every window of a storm, by its name.

    Windows are as long as a line is valid for: all whole hours, and 10 to 45 minutes where the values are that fine.
    They end at each value; values of an hour or finer are looked at in steps that part an hour evenly, backwards from
    the storm's newest value, so that all windows of one length are one subtraction. None where the storm is shorter
    than any of them or the values coarser.
    """
    wanted = list(lines)
    best: dict[str, IdFinding | None] = {line.name: None for line in wanted}
    counts = {line.name: [0, 0] for line in wanted}
    for hours, begins, ends, mm, gap_h in _windows(series, within):
        for line in (one for one in wanted if one.holds_for(hours)):
            limit_mm = line.depth_mm(hours)
            counts[line.name][0] += ends.size
            counts[line.name][1] += int(((gap_h > 0) & (mm <= limit_mm)).sum())
            top, known = int(mm.argmax()), best[line.name]
            if known is None or mm[top] / limit_mm > known.ratio:
                window = Window(int(begins[top]), int(ends[top]), float(mm[top]), float(gap_h[top]))
                best[line.name] = IdFinding(window, limit_mm, float(mm[top] / limit_mm), 0, 0)
    return {
        name: None if found is None else replace(found, judged=counts[name][0], unknown=counts[name][1])
        for name, found in best.items()
    }


def _windows(series: RainSeries, within: Window) -> Iterator[tuple[float, Times, Times, Values, Values]]:
    """Give for each length, h, the windows of it: begins, ends, known rain (mm), hours without a value."""
    step_us = _even_step_us(series)
    if step_us is None:
        yield from _windows_at_values(series, within, _durations(series, within))
        return
    count = (within.end_us - within.begin_us) // step_us
    points = within.end_us - np.arange(count, -1, -1, dtype=np.int64) * step_us
    known, gap_s = series.so_far(points)
    for hours in _durations(series, within):
        steps, rest = divmod(round(hours * US_PER_HOUR), step_us)
        if rest:
            yield from _windows_at_values(series, within, [hours])
        elif steps <= count:
            yield (
                hours,
                points[:-steps],
                points[steps:],
                _between(known[:-steps], known[steps:]),
                _gap_hours(gap_s[:-steps], gap_s[steps:]),
            )


def _windows_at_values(
    series: RainSeries, within: Window, durations: Iterable[float]
) -> Iterator[tuple[float, Times, Times, Values, Values]]:
    ends = _ends(series, within)
    for hours in durations:
        chosen = ends[ends - round(hours * US_PER_HOUR) >= within.begin_us - US_PER_S]
        if chosen.size:
            begins = chosen - round(hours * US_PER_HOUR)
            yield hours, begins, chosen, *series.totals(begins, chosen)


def _even_step_us(series: RainSeries) -> int | None:
    """Return the longest even part of an hour that is not longer than the values' interval; None for coarser ones."""
    if series.step_us > US_PER_HOUR + US_PER_S:
        return None
    parts_us = (minutes * US_PER_MINUTE for minutes in _HOUR_PARTS_MIN)
    return next((part for part in parts_us if part <= series.step_us + US_PER_S), US_PER_MINUTE)


def _between(begin: Values, end: Values) -> Values:
    return np.maximum(end - begin, 0.0)


def _gap_hours(begin_s: Values, end_s: Values) -> Values:
    gap_s = end_s - begin_s
    return np.where(gap_s < _GAP_S, 0.0, gap_s / 3600.0)


def _ends(series: RainSeries, within: Window) -> Times:
    ends = series.ends_between(within.begin_us, within.end_us)
    return ends if ends.size else np.array([within.end_us], np.int64)


def _durations(series: RainSeries, within: Window) -> list[float]:
    hours = [*_SUBHOURLY_H, *range(1, LOOKBACK_H + 1)]
    finest = (series.step_us - US_PER_S) / US_PER_HOUR
    longest = within.hours + 1e-6
    return [float(one) for one in hours if finest <= one <= longest]
