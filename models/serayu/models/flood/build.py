"""From series as read to the regular table that forecasts are made from, and the observations that judge them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from serayu.models.flood.clean import (
    LevelLimits,
    Verdict,
    believed_rain,
    clean_level,
    highest_rain,
    learn_limits,
)
from serayu.models.flood.frame import FloatArray, Frame, IntArray
from serayu.models.flood.links import PostLinks
from serayu.models.flood.series import PostInfo, Series
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE

__all__ = [
    "BuiltPost",
    "CleanLevel",
    "GaugeLimits",
    "build_post",
    "cut_frame",
    "gauge_depths",
    "grid_step_us",
    "hours_to_rows",
    "learn_gauge",
    "newest_values",
    "rows_before",
    "usable_level",
]

STEPS_US = (15 * US_PER_MINUTE, 30 * US_PER_MINUTE, US_PER_HOUR)
"""Distances of rows to choose from: as dense as the data, an hour at most."""
MOST_ROWS = 200_000
"""Above this the next longer step is taken: rows closer than the river changes only cost time [project proposal]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanLevel:
    """A level after quality control.

    Parameters
    ----------
    known_us, known
        What a forecast could use: values believed when they came.
    good_us, good
        What scores forecasts: values that are good in hindsight.
    limits
        What the fit part taught.
    refused
        How many values, by verdict.
    """

    known_us: IntArray
    known: FloatArray
    good_us: IntArray
    good: FloatArray
    limits: LevelLimits
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPost:
    """A post ready for a backtest: its table, its own level and those of the posts above."""

    frame: Frame
    level: CleanLevel
    upstream: Mapping[str, CleanLevel]
    notes: tuple[str, ...] = ()


def usable_level(series: Series, fit_until_us: int) -> CleanLevel:
    """Clean a level with limits from what came before *fit_until_us*."""
    fit = series.time_us < fit_until_us
    limits = learn_limits(series.time_us[fit], series.value[fit], series.flagged[fit])
    verdicts, good = clean_level(series.time_us, series.value, series.flagged, limits)
    known = verdicts == Verdict.GOOD
    counts = np.bincount(verdicts, minlength=len(Verdict))
    return CleanLevel(
        known_us=series.time_us[known],
        known=series.value[known],
        good_us=series.time_us[good],
        good=series.value[good],
        limits=limits,
        refused={each.name.lower(): int(counts[each]) for each in Verdict if each and counts[each]},
    )


def grid_step_us(time_us: IntArray) -> int:
    """Return the distance of rows that suits a series, 15 min to 1 h."""
    distances = np.diff(np.unique(time_us))
    usual = float(np.median(distances)) if len(distances) else float(US_PER_HOUR)
    span = int(time_us[-1] - time_us[0]) if len(time_us) else 0
    for step in STEPS_US:
        if usual <= 1.01 * step and span // step <= MOST_ROWS:
            return step
    return STEPS_US[-1]


def build_post(
    station_id: str,
    *,
    levels: Mapping[str, CleanLevel],
    rain: Mapping[str, Series],
    infos: Mapping[str, PostInfo],
    links: PostLinks,
    fit_until_us: int,
) -> BuiltPost:
    """Build the table of one post.

    Parameters
    ----------
    levels
        Cleaned levels of this post and of those above it that have data.
    rain
        Series of the gauges that have data.
    links
        What feeds the post; what has no data is left out and named in the notes.
    """
    own = levels[station_id]
    step_us = grid_step_us(own.known_us)
    start_us = _start_us(own.known_us, step_us)
    rows = int(-(-(own.known_us[-1] - start_us) // step_us)) + 1
    notes = [f"upstream {name}: no data" for name in links.upstream if name not in levels]
    notes += [f"rain {name}: no data" for name in links.rain if name not in rain]
    above = {name: levels[name] for name in links.upstream if name in levels}
    gauges = {name: rain[name] for name in links.rain if name in rain}
    frame = Frame(
        start_us=start_us,
        step_us=step_us,
        level=newest_values(own.known_us, own.known, start_us=start_us, step_us=step_us, rows=rows),
        upstream={
            name: newest_values(post.known_us, post.known, start_us=start_us, step_us=step_us, rows=rows)
            for name, post in above.items()
        },
        rain={
            name: gauge_depths(
                series,
                learn_gauge(series, fit_until_us, step_us=step_us),
                start_us=start_us,
                step_us=step_us,
                rows=rows,
            )
            for name, series in gauges.items()
            if infos[name].variable == "rain"
        },
        travel_time_h={name: hours for name, hours in links.travel_time_h.items() if name in above},
    )
    return BuiltPost(frame=frame, level=own, upstream=above, notes=tuple(notes))


def cut_frame(frame: Frame, rows: int) -> Frame:
    """Return the first *rows* rows: what a fit may see."""
    return replace(
        frame,
        level=frame.level[:rows],
        upstream={name: level[:rows] for name, level in frame.upstream.items()},
        rain={name: depth[:rows] for name, depth in frame.rain.items()},
    )


def _start_us(time_us: IntArray, step_us: int) -> int:
    """Return the time of row 0: rows lie where most readings lie, so that they carry no needless delay."""
    phases, counts = np.unique(time_us % step_us, return_counts=True)
    most = int(np.argmax(counts))
    phase = int(phases[most]) if counts[most] * 2 > len(time_us) else 0
    first = int(time_us[0])
    return first + (phase - first) % step_us


def _rows_of(time_us: IntArray, *, start_us: int, step_us: int) -> IntArray:
    """Return the row that each time falls in: (t - step, t] belongs to the row at t."""
    return np.asarray(-((start_us - time_us) // step_us), dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeLimits:
    """What the fit part taught of a rain gauge.

    Parameters
    ----------
    highest_mm
        Largest believable depth of one value.
    interval_us
        Usual distance of values.
    """

    highest_mm: float
    interval_us: int


def learn_gauge(series: Series, fit_until_us: int, *, step_us: int) -> GaugeLimits:
    """Learn what is believable of a gauge from what came before *fit_until_us*."""
    fit = series.time_us < fit_until_us
    times = np.unique(series.time_us[fit])
    return GaugeLimits(
        highest_mm=highest_rain(series.value[fit], series.flagged[fit]),
        interval_us=int(np.median(np.diff(times))) if len(times) > 1 else step_us,
    )


def gauge_depths(
    series: Series, gauge: GaugeLimits, *, start_us: int, step_us: int, rows: int
) -> npt.NDArray[np.float64]:
    """Return the rain of each row, mm, NaN unknown.

    The depth of a longer interval lies in the row in which it became known.
    """
    time_us, first = np.unique(series.time_us, return_index=True)
    value = believed_rain(series.value, series.flagged, highest_mm=gauge.highest_mm)[first]
    at = _rows_of(time_us, start_us=start_us, step_us=step_us)
    inside = (at >= 0) & (at < rows)
    known = inside & np.isfinite(value)
    depth = np.bincount(at[known], weights=value[known], minlength=rows)
    seen = np.bincount(at[known], minlength=rows) > 0
    lost = np.bincount(at[inside & ~known], minlength=rows) > 0
    covered = max(1, min(gauge.interval_us, 24 * US_PER_HOUR) // step_us)
    if covered > 1:  # between two depths of a coarser gauge nothing new is known, and nothing is missing
        last_seen = np.maximum.accumulate(np.where(seen, np.arange(rows), -covered))
        seen = np.arange(rows) - last_seen < covered
    return np.where(seen & ~lost, depth, np.nan)


def newest_values(
    time_us: IntArray, value: FloatArray, *, start_us: int, step_us: int, rows: int
) -> FloatArray:
    """Return the newest value of each row, times ascending; NaN where there is none."""
    result = np.full(rows, np.nan)
    at = _rows_of(time_us, start_us=start_us, step_us=step_us)
    inside = (at >= 0) & (at < rows)
    result[at[inside]] = value[inside]  # times ascend, so the newest of a row comes last and stays
    return result


def rows_before(frame: Frame, time_us: int) -> int:
    """Return how many rows lie before a time."""
    return int(np.clip(-((frame.start_us - time_us) // frame.step_us), 0, len(frame)))


def hours_to_rows(frame: Frame, horizons_h: Sequence[float]) -> list[int]:
    """Return each horizon in rows."""
    return [frame.rows_of(hours) for hours in horizons_h]
