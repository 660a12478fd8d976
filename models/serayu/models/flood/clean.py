"""Quality control of a level as it comes in: typing errors, spikes, stuck sensors, without losing a flash flood.

Strictly causal: the verdict on a value uses that value and what came before. A jump that the river has not made in
the fit part waits for the next value, which confirms it or does not; so a flash flood within what was seen is believed
one reading later at worst. One that jumps far above all that was seen at once waits for six readings that agree: a
misplaced decimal point looks the same. Limits are learnt from the fit part alone.

All rules here are [project proposal]; the fixed spans of `serayu.models.quality` stay in force at ingest.
"""

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from serayu.models.flood.frame import FloatArray, IntArray
from serayu.models.quality.defaults import DEFAULT_PROFILES
from serayu.models.times import US_PER_DAY, US_PER_HOUR

__all__ = [
    "LevelLimits",
    "LevelQc",
    "Verdict",
    "believed_rain",
    "clean_level",
    "clean_rain",
    "highest_rain",
    "learn_limits",
]

_JUDGED_GAP_US = 12 * US_PER_HOUR  # after a longer gap the level may be anywhere within the span
_JUDGED_STEPS_OUTSIDE = 2.5
_CONFIRM_FAR = 6  # readings that agree before a level far outside all that was seen is believed
_STUCK_SHORTEST_US = 12 * US_PER_HOUR
_FEW = 50  # values below which nothing is learnt
_NEVER_US = 1 << 62
_SAME = 1e-9  # decimal values closer than this are equal


class Verdict(IntEnum):
    """What is thought of a value at the time it came."""

    GOOD = 0
    MISSING = 1
    FLAGGED = 2
    """The agency itself distrusts it."""
    REPEATED = 3
    """A second value for the same time."""
    JUMP = 4
    """Not confirmed yet."""
    OUTSIDE = 5
    """Far outside all that was seen: most often a decimal point in the wrong place."""
    STUCK = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelLimits:
    """What the river did in the fit part.

    Parameters
    ----------
    rise, fall
        Largest believable change over one step, unit of the series.
    step_us
        Usual distance of values.
    low, high
        Span outside which a value needs much confirmation.
    stuck_low_us, stuck_high_us
        How long one value may stand, below and above *high_water*.
    high_water
        Where water is high: the upper quarter of the fit part.
    """

    rise: float
    fall: float
    step_us: int
    low: float
    high: float
    stuck_low_us: int
    stuck_high_us: int
    high_water: float


_NO_LIMITS = LevelLimits(
    rise=math.inf,
    fall=math.inf,
    step_us=US_PER_HOUR,
    low=-math.inf,
    high=math.inf,
    stuck_low_us=_NEVER_US,
    stuck_high_us=_NEVER_US,
    high_water=math.inf,
)


def learn_limits(time_us: IntArray, value: FloatArray, flagged: npt.NDArray[np.bool_]) -> LevelLimits:
    """Learn what is believable from the fit part, errors included.

    Parameters
    ----------
    time_us, value, flagged
        A series as read, shape (n,): ascending times with repeats, NaN where missing.

    Returns
    -------
    LevelLimits
        Without any limit when there are fewer than 50 values.

    Notes
    -----
    Changes are those of the running median of five values, which keeps steep rises as they are and drops up to two
    wrong values in a row; the third largest is taken, times 1.5.
    """
    keep = np.isfinite(value) & ~flagged
    t, v = time_us[keep], value[keep]
    new = np.concatenate(([True], np.diff(t) > 0)) if len(t) else np.zeros(0, np.bool_)
    t, v = t[new], v[new]
    if len(v) < _FEW:
        return _NO_LIMITS
    step_us = int(np.median(np.diff(t)))
    sane = _sustained(v)
    change = np.diff(sane)[np.diff(t)[2:-2] <= 1.5 * step_us]
    spread = float(np.subtract(*np.quantile(v, [0.75, 0.25])))
    least = max(0.05 * spread, _resolution(v) * 3)
    rise, fall = (_third_largest(part, least) for part in (change, -change))
    low, middle, high = (float(each) for each in np.quantile(sane, [0.0, 0.5, 1.0]))
    high_water = float(np.quantile(sane, 0.75))
    runs, levels = _runs(t, v)
    return LevelLimits(
        rise=1.5 * rise,
        fall=1.5 * fall,
        step_us=step_us,
        low=low - 0.5 * (middle - low) - least,
        high=high + 1.0 * (high - middle) + least,
        stuck_low_us=_stuck_limit(runs[levels <= high_water], shortest_us=2 * US_PER_DAY),
        stuck_high_us=_stuck_limit(runs[levels > high_water], shortest_us=_STUCK_SHORTEST_US),
        high_water=high_water,
    )


def _resolution(v: FloatArray) -> float:
    steps = np.abs(np.diff(v))
    steps = steps[steps > _SAME]
    return float(np.quantile(steps, 0.05)) if len(steps) else 0.0


def _third_largest(changes: FloatArray, least: float) -> float:
    ups = np.sort(changes[changes > 0])
    return max(float(ups[-min(3, len(ups))]), least) if len(ups) else least


def _sustained(v: FloatArray) -> FloatArray:
    """Return the running median of five values, shape (n - 4,)."""
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(v, 5), axis=1))


def _runs(t: IntArray, v: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return how long each run of equal values lasts, and its value."""
    starts = np.flatnonzero(np.concatenate(([True], np.diff(v) != 0)))
    ends = np.concatenate((starts[1:] - 1, [len(v) - 1]))
    return t[ends] - t[starts], v[starts]


def _stuck_limit(runs_us: IntArray, *, shortest_us: int) -> int:
    """Return twice the run that one in a thousand exceeds; at least *shortest_us*."""
    if len(runs_us) == 0:
        return shortest_us
    return max(shortest_us, 2 * int(np.quantile(runs_us, 0.999)))


class LevelQc:
    """Judges one value after another; the same object at ingest's side and in a backtest."""

    __slots__ = (
        "_agreeing",
        "_limits",
        "_newest_us",
        "_run_since_us",
        "_run_value",
        "_t0",
        "_t1",
        "_v0",
        "_v1",
    )

    def __init__(self, limits: LevelLimits) -> None:
        self._limits = limits
        self._t0, self._v0 = -_NEVER_US, math.nan  # newest believed
        self._t1, self._v1 = -_NEVER_US, math.nan  # newest that waits for confirmation
        self._agreeing = 0  # values in a row that agree with one another but not with what is believed
        self._newest_us = -_NEVER_US
        self._run_value, self._run_since_us = math.nan, -_NEVER_US

    def push(self, t_us: int, value: float, *, flagged: bool = False) -> Verdict:
        """Judge the next value.

        Parameters
        ----------
        t_us
            Microseconds UTC, not before the last one.
        value
            Unit of the series; NaN when missing.
        flagged
            Whether the agency distrusts it.
        """
        if not -math.inf < value < math.inf:
            return Verdict.MISSING
        if flagged:
            return Verdict.FLAGGED
        if t_us == self._t0:
            return Verdict.REPEATED
        if value != self._run_value or t_us - self._newest_us > _JUDGED_GAP_US:
            self._run_value, self._run_since_us = value, t_us
        self._newest_us = t_us
        limits = self._limits
        outside = not limits.low <= value <= limits.high
        if self._follows(t_us, value, self._t0, self._v0, outside=outside):
            self._believe(t_us, value)
            stands_us = t_us - self._run_since_us
            longest = limits.stuck_high_us if value > limits.high_water else limits.stuck_low_us
            return Verdict.STUCK if stands_us > longest else Verdict.GOOD
        waiting = self._v1 == self._v1 and t_us > self._t1
        agrees = waiting and self._follows(t_us, value, self._t1, self._v1, outside=outside)
        self._agreeing = self._agreeing + 1 if agrees else 0
        if agrees and (not outside or self._agreeing >= _CONFIRM_FAR):
            self._believe(t_us, value)
            return Verdict.GOOD
        self._t1, self._v1 = t_us, value
        return Verdict.OUTSIDE if outside else Verdict.JUMP

    def _believe(self, t_us: int, value: float) -> None:
        self._t0, self._v0 = t_us, value
        self._v1 = math.nan
        self._agreeing = 0

    def _follows(self, t_us: int, value: float, before_us: int, before: float, *, outside: bool) -> bool:
        """Tell whether the river can have gone from *before* to *value* in that time.

        Outside the span of the fit part only small steps count: a record flood climbs there, a misplaced decimal
        point after a gap does not.
        """
        span_us = t_us - before_us
        step_us = self._limits.step_us
        longest_us = _JUDGED_STEPS_OUTSIDE * step_us if outside else _JUDGED_GAP_US
        if before != before or span_us > longest_us:  # noqa: PLR0124 - NaN: nothing before
            return not outside
        steps = max(1.0, span_us / step_us)
        change = value - before
        return change <= self._limits.rise * steps if change >= 0 else -change <= self._limits.fall * steps


def clean_level(
    time_us: IntArray, value: FloatArray, flagged: npt.NDArray[np.bool_], limits: LevelLimits
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Judge a whole series.

    Parameters
    ----------
    time_us, value, flagged
        A series as read, shape (n,).

    Returns
    -------
    verdicts : array of uint8, shape (n,)
        `Verdict` of each value when it came: what a forecast may use is GOOD.
    good : array of bool, shape (n,)
        In hindsight, for scoring alone: a jump that the next believed value bears out is good, a spike that no
        neighbour bears out is not.
    """
    push = LevelQc(limits).push
    verdicts = np.fromiter(
        (
            push(t, v, flagged=f)
            for t, v, f in zip(time_us.tolist(), value.tolist(), flagged.tolist(), strict=True)
        ),
        np.uint8,
        len(value),
    )
    good = verdicts == Verdict.GOOD
    doubted = (verdicts == Verdict.JUMP) | (verdicts == Verdict.OUTSIDE)
    for _ in range(_CONFIRM_FAR + 1):  # backwards from what was believed at last, one reading a time
        waiting = np.flatnonzero(doubted & ~good)
        borne = waiting[_borne_out(time_us, value, good, waiting, limits)]
        if len(borne) == 0:
            break
        good[borne] = True
    rows = np.flatnonzero(good)
    good[rows[_spikes(time_us[rows], value[rows], limits)]] = False
    return verdicts, good


def _borne_out(
    time_us: IntArray, value: FloatArray, good: npt.NDArray[np.bool_], waiting: IntArray, limits: LevelLimits
) -> npt.NDArray[np.bool_]:
    """Tell which waiting values the next believed one follows from."""
    believed = np.flatnonzero(good)
    if len(believed) == 0:
        return np.zeros(len(waiting), np.bool_)
    at = np.searchsorted(believed, waiting)
    after = believed[np.minimum(at, len(believed) - 1)]
    span_us = time_us[after] - time_us[waiting]
    change = value[after] - value[waiting]
    steps = np.maximum(1.0, span_us / limits.step_us)
    possible = np.where(change >= 0, change <= limits.rise * steps, -change <= limits.fall * steps)
    return (at < len(believed)) & (span_us > 0) & (span_us <= 3 * limits.step_us) & possible


def _spikes(time_us: IntArray, value: FloatArray, limits: LevelLimits) -> npt.NDArray[np.bool_]:
    """Tell which values stand alone: neighbours agree with one another and not with them."""
    spikes = np.zeros(len(value), np.bool_)
    if len(value) < 3 or not math.isfinite(limits.rise):  # noqa: PLR2004 - two neighbours
        return spikes
    before, now, after = value[:-2], value[1:-1], value[2:]
    height = np.minimum(np.abs(now - before), np.abs(now - after))
    apart = np.abs(after - before)
    near = (time_us[2:] - time_us[:-2]) <= 3 * limits.step_us
    peak = np.sign(now - before) == np.sign(now - after)
    spikes[1:-1] = near & peak & (height > 0.4 * max(limits.rise, limits.fall)) & (apart < 0.25 * height)
    return spikes


_RAIN = DEFAULT_PROFILES["rain"]


def clean_rain(value: FloatArray, flagged: npt.NDArray[np.bool_], fit: npt.NDArray[np.bool_]) -> FloatArray:
    """Return rain with NaN where it cannot be believed: negative, distrusted, or more than any rain.

    Parameters
    ----------
    value
        mm per value, shape (n,).
    flagged
        Where the agency distrusts it, shape (n,).
    fit
        Rows of the fit part, from which the largest believable depth is learnt, shape (n,).
    """
    return believed_rain(value, flagged, highest_mm=highest_rain(value[fit], flagged[fit]))


def highest_rain(value: FloatArray, flagged: npt.NDArray[np.bool_]) -> float:
    """Return the largest believable depth of one value, mm.

    Three times the fifth largest of the fit part, at most the span of the quality control at ingest.
    """
    highest = _RAIN.gross_suspect[1] if _RAIN.gross_suspect else math.inf
    seen = np.sort(value[np.isfinite(value) & (value > 0) & ~flagged])
    return min(highest, 3 * float(seen[-5])) if len(seen) >= _FEW else highest


def believed_rain(value: FloatArray, flagged: npt.NDArray[np.bool_], *, highest_mm: float) -> FloatArray:
    """Return rain with NaN where it is distrusted, no depth, or above *highest_mm*."""
    return np.where(flagged | ~(value >= 0) | (value > highest_mm), math.nan, value)
