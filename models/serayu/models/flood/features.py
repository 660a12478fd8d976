"""What a row knows: features of the level, the upstream posts, the rain and the clock, all of them from the past."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from serayu.models.flood.frame import FloatArray, Frame, IntArray
from serayu.models.flood.travel import travel_time_rows
from serayu.models.flood.windows import (
    age_rows,
    filtered_bank,
    lagged,
    last_known,
    repaired,
    rolling_max,
    rolling_mean,
    rolling_min,
    rolling_sums,
    rows_since,
)  # fmt: skip
from serayu.models.times import US_PER_HOUR

__all__ = ["MEMORY_H", "FeatureSpec", "Features", "anchor", "describe", "features", "recent"]

Column = tuple[str, FloatArray]

MEMORY_H = 504
"""No feature looks back further, hours: a forecast of one row needs this much of the frame."""
STALE_H = 24
"""A level older than this is no present level, hours [project proposal]."""
_DIFFERENCES_H = (1, 2, 3, 4, 5, 6, 8, 10, 12, 18, 24, 48)
_UPSTREAM_H = (1, 2, 3, 4, 5, 6, 8, 10, 12, 24)
_RAIN_H = (1, 2, 3, 6, 12, 24, 72)
_GAUGE_H = (1, 3, 6, 12)
_UNIT_HYDROGRAPH_H = (2.0, 4.0, 8.0, 16.0)
_API_K = (0.85, 0.9)
_YEAR_H = 365.2425 * 24
_LEAST_SEASONS_H = 1.5 * _YEAR_H
_NOISE_JUMPS = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSpec:
    """What the features of one post are made of; learnt from the fit part, then fixed.

    Parameters
    ----------
    step_us
        Distance of rows, microseconds.
    horizons_h
        Hours ahead.
    upstream, travel_h
        Upstream posts that are used, nearest first, and hours from each to this post.
    rain
        Rain gauges that are used.
    floor
        Level that storage is counted from: the lowest 1 % of the fit part.
    jump, upstream_jump
        Change of one row that only a lone spike shows, of this post and of each upstream post.
    seasons
        Whether the fit part is long enough (1.5 years) to learn the day of the year.
    """

    step_us: int
    horizons_h: tuple[float, ...]
    upstream: tuple[str, ...]
    travel_h: tuple[float, ...]
    rain: tuple[str, ...]
    floor: float
    jump: float
    upstream_jump: tuple[float, ...]
    seasons: bool

    def without(self, *posts: str) -> "FeatureSpec":
        """Return the spec less some upstream posts."""
        keep = [k for k, name in enumerate(self.upstream) if name not in posts]
        return replace(
            self,
            upstream=tuple(self.upstream[k] for k in keep),
            travel_h=tuple(self.travel_h[k] for k in keep),
            upstream_jump=tuple(self.upstream_jump[k] for k in keep),
        )


@dataclass(frozen=True, slots=True)
class Features:
    """A table of features.

    Parameters
    ----------
    names
        Names, p of them.
    values
        Shape (rows, p), float32; NaN unknown.
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.float32]


def _lone_jump(level: FloatArray) -> float:
    """Change of one row that is beyond four times the 98 % quantile of changes [project proposal]."""
    known = last_known(level, limit=len(level))
    step = np.abs(np.diff(known))
    step = step[np.isfinite(step)]
    moving = step[step > 0]
    if len(moving) == 0:
        return np.inf
    return _NOISE_JUMPS * float(max(np.quantile(step, 0.98), np.median(moving)))


def describe(frame: Frame, rows: IntArray, horizons_h: tuple[float, ...]) -> FeatureSpec:
    """Return what the features of this post are to be made of, from the fit rows only.

    Parameters
    ----------
    frame
        The post.
    rows
        Fit rows; nothing after the last is read.
    horizons_h
        Hours ahead.
    """
    fit = slice(0, int(rows.max()) + 1)
    level = frame.level[fit]
    hour = max(1, round(US_PER_HOUR / frame.step_us))
    upstream: list[str] = []
    travel: list[float] = []
    for name, values in frame.upstream.items():
        if np.isfinite(values[fit]).sum() < STALE_H:
            continue
        given = frame.travel_time_h.get(name)
        found = travel_time_rows(values[fit], level, rows_per_hour=hour)
        upstream.append(name)
        travel.append(given if given is not None else (found or 0) / hour)
    rain = tuple(name for name, values in frame.rain.items() if np.nansum(values[fit]) > 0)
    return FeatureSpec(
        step_us=frame.step_us,
        horizons_h=horizons_h,
        upstream=tuple(upstream),
        travel_h=tuple(travel),
        rain=rain,
        floor=float(np.nanquantile(level, 0.01)),
        jump=_lone_jump(level),
        upstream_jump=tuple(_lone_jump(frame.upstream[name][fit]) for name in upstream),
        seasons=len(level) * frame.step_h >= _LEAST_SEASONS_H,
    )


def recent(frame: Frame, rows: IntArray) -> tuple[Frame, IntArray]:
    """Return the part of a frame that *rows* need, and the rows counted in it."""
    first = max(0, int(rows.min()) - frame.rows_of(MEMORY_H))
    last = int(rows.max()) + 1
    if first == 0 and last == len(frame):
        return frame, rows
    part = replace(
        frame,
        start_us=frame.time_us(first),
        level=frame.level[first:last],
        upstream={name: values[first:last] for name, values in frame.upstream.items()},
        rain={name: values[first:last] for name, values in frame.rain.items()},
    )
    return part, rows - first


def anchor(frame: Frame) -> FloatArray:
    """Return the present level of each row: the newest that is known and at most 24 h old."""
    return last_known(frame.level, limit=frame.rows_of(STALE_H))


def features(frame: Frame, rows: IntArray, spec: FeatureSpec) -> Features:
    """Return the features of some rows.

    Parameters
    ----------
    frame
        The post; only rows up to each issue row are read.
    rows
        Issue rows, shape (n,).
    spec
        What to make them of.
    """
    part, inside = recent(frame, rows)
    names: list[str] = []
    columns: list[npt.NDArray[np.float32]] = []
    for name, values in _columns(part, inside, spec):
        names.append(name)
        columns.append(values[inside].astype(np.float32))
    return Features(tuple(names), np.column_stack(columns))


def _columns(frame: Frame, rows: IntArray, spec: FeatureSpec) -> Iterator[Column]:
    hour = frame.rows_of(1)
    own = anchor(frame)
    yield from _own(own, frame.level, hour=hour, spec=spec)
    for name, travel_h, jump in zip(spec.upstream, spec.travel_h, spec.upstream_jump, strict=True):
        values = frame.upstream.get(name)
        raw = np.full(len(frame), np.nan) if values is None else values
        yield from _upstream(name, raw, own, hour=hour, travel_h=travel_h, jump=jump, spec=spec)
    if spec.rain:
        yield from _rain(frame, rows, hour=hour, spec=spec)
    yield from _clock(frame, spec)


def _own(own: FloatArray, raw: FloatArray, *, hour: int, spec: FeatureSpec) -> Iterator[Column]:
    past = repaired(own, jump=spec.jump)
    yield "level", own
    yield "age", age_rows(raw, limit=hour * STALE_H) / hour
    if hour > 1:
        yield "change_step", own - lagged(past, 1)
    for hours in _DIFFERENCES_H:
        yield f"change_{hours}h", own - lagged(past, hours * hour)
    first = lagged(past, hour)
    yield "change_before", first - lagged(past, 2 * hour)
    yield "change_before_2", lagged(past, 2 * hour) - lagged(past, 3 * hour)
    yield "bend", own - 2 * first + lagged(past, 2 * hour)
    yield "over_median_3", own - np.median([own, first, lagged(past, 2 * hour)], axis=0)
    for hours in (6, 24, 72):
        yield f"below_max_{hours}h", own - rolling_max(first, rows=hours * hour)
        yield f"above_min_{hours}h", own - rolling_min(first, rows=hours * hour)
    for hours in (6, 24, 168):
        yield f"above_mean_{hours}h", own - rolling_mean(first, rows=hours * hour)
    step = np.abs(first - lagged(past, 2 * hour))
    for hours in (6, 24, 168):
        yield f"unrest_{hours}h", rolling_mean(step, rows=hours * hour)
    with np.errstate(invalid="ignore"):
        yield "storage_root", np.sqrt(np.maximum(own - spec.floor, 0))
        yield "storage_square", np.maximum(own - spec.floor, 0) ** 2
        rising = (own - lagged(past, hour)) > 0
        falling = (own - lagged(past, hour)) < 0
    yield "since_rise", rows_since(rising, limit=48 * hour) / hour
    yield "since_fall", rows_since(falling, limit=48 * hour) / hour


def _upstream(
    name: str, raw: FloatArray, own: FloatArray, *, hour: int, travel_h: float, jump: float, spec: FeatureSpec
) -> Iterator[Column]:
    known = last_known(raw, limit=hour * STALE_H)
    past = repaired(known, jump=jump)
    prefix = f"{name}_"
    yield prefix + "level", known
    yield prefix + "age", age_rows(raw, limit=hour * STALE_H) / hour
    yield prefix + "above_here", known - own
    for hours in _UPSTREAM_H:
        yield prefix + f"change_{hours}h", known - lagged(past, hours * hour)
    for hours in (1, 2, 3, 4, 5, 6, 8):
        yield prefix + f"step_{hours}h", lagged(past, hours * hour) - lagged(past, (hours + 1) * hour)
    travel = round(travel_h * hour)
    for horizon in spec.horizons_h:
        # The change that left there and has not arrived here: what passed after t - travel, up to t - travel + h.
        newest = max(0, travel - round(horizon * hour))
        gone = lagged(past, newest) if newest else known
        yield prefix + f"arriving_{horizon:g}h", gone - lagged(past, max(travel, 1))
    for hours in (3, 6, 12, 24):
        yield prefix + f"below_max_{hours}h", known - rolling_max(lagged(past, hour), rows=hours * hour)
    yield prefix + "above_mean_168h", known - rolling_mean(lagged(past, hour), rows=168 * hour)


@lru_cache(maxsize=64)
def _unit_hydrograph(time_to_peak_h: float, hour: int) -> FloatArray:
    """Cascade of two linear reservoirs, area 1: ``t/K² e^(-t/K)``, peak at K (Nash 1957)."""
    taps = (np.arange(round(8 * time_to_peak_h * hour)) + 0.5) / hour
    shape = taps / time_to_peak_h**2 * np.exp(-taps / time_to_peak_h)
    return np.asarray(shape / shape.sum(), dtype=np.float64)


@lru_cache(maxsize=64)
def _api_taps(k: float, hour: int) -> FloatArray:
    """Weights of the antecedent index: ``k`` to the age in days (Kohler and Linsley 1951), 20 days long."""
    return np.asarray(k ** (np.arange(20 * 24 * hour) / (24 * hour)), dtype=np.float64)


def _rain(frame: Frame, rows: IntArray, *, hour: int, spec: FeatureSpec) -> Iterator[Column]:
    gauges = [frame.rain.get(name, np.full(len(frame), np.nan)) for name in spec.rain]
    table = np.stack(gauges)
    known = np.isfinite(table)
    count = known.sum(axis=0)
    mean = np.where(count > 0, np.where(known, table, 0).sum(axis=0) / np.maximum(count, 1), np.nan)
    sums = rolling_sums(mean, windows=[hours * hour for hours in _RAIN_H])
    yield from ((f"rain_{hours}h", each) for hours, each in zip(_RAIN_H, sums, strict=True))
    yield "rain_known", rolling_mean((count > 0).astype(np.float64), rows=24 * hour)
    yield "rain_most_6h", rolling_max(mean, rows=6 * hour)
    yield from _runoff(mean, rows, hour=hour, horizons_h=spec.horizons_h)
    if len(gauges) > 1:
        for name, values in zip(spec.rain, gauges, strict=True):
            sums = rolling_sums(values, windows=[hours * hour for hours in _GAUGE_H])
            yield from ((f"{name}_{hours}h", each) for hours, each in zip(_GAUGE_H, sums, strict=True))


def _runoff(
    mean: FloatArray, rows: IntArray, *, hour: int, horizons_h: tuple[float, ...]
) -> Iterator[Column]:
    """Yield the antecedent indices, and the rain so far through each unit hydrograph, now and at each horizon."""
    bank = [_api_taps(k, hour) for k in _API_K]
    for peak_h in _UNIT_HYDROGRAPH_H:
        taps = _unit_hydrograph(peak_h, hour)
        bank.append(taps)
        bank += [taps[min(round(horizon * hour), len(taps) - 1) :] for horizon in horizons_h]
    done = iter(filtered_bank(mean, bank, rows))
    for k in _API_K:
        api = next(done)
        yield f"rain_index_{k:g}", api
    for peak_h in _UNIT_HYDROGRAPH_H:
        now = next(done)
        yield f"runoff_{peak_h:g}h", now
        for horizon in horizons_h:
            # What the rain so far will add until then if it stops now.
            later = next(done) - now
            yield f"runoff_{peak_h:g}h_in_{horizon:g}h", later
            if peak_h in _UNIT_HYDROGRAPH_H[1:3]:
                yield f"wet_runoff_{peak_h:g}h_in_{horizon:g}h", later * api


def _clock(frame: Frame, spec: FeatureSpec) -> Iterator[Column]:
    hours = (frame.start_us + np.arange(len(frame)) * frame.step_us) / US_PER_HOUR
    for name, period in (("day", 24.0), ("half_day", 12.0)):
        yield f"{name}_sin", np.sin(2 * np.pi * hours / period)
        yield f"{name}_cos", np.cos(2 * np.pi * hours / period)
    if spec.seasons:
        yield "year_sin", np.sin(2 * np.pi * hours / _YEAR_H)
        yield "year_cos", np.cos(2 * np.pi * hours / _YEAR_H)
