"""Hypothesis strategies for the tests of quality control: irregular series and profiles."""

import math
from typing import Any

from hypothesis import strategies as st

from serayu.models.quality import ClimatologySpan, QcProfile

START_US = 1_764_000_000_000_000  # 24 November 2025

# Coarse values and steps, so that repeated values, equal distances and windows that just close come up often.
_VALUES = st.one_of(
    st.integers(-8, 8).map(lambda quarter: quarter / 4),
    st.sampled_from([0.0, 0.0, 0.1, math.nan, math.inf, 1e300, -1e300]),
    st.floats(-10, 10),
)
_STEPS_US = st.one_of(
    st.integers(1, 12).map(lambda count: count * 60_000_000),
    st.sampled_from([1, 600_000_000, 599_999_999, 4 * 3_600_000_000, 30 * 86_400_000_000]),
)
_LIMITS = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.5]))
_SECONDS = st.one_of(st.none(), st.sampled_from([60.0, 300.0, 601.5, 1800.0, 14_400.0, 0.1]))
_SPANS = st.one_of(st.none(), st.sampled_from([(-2.0, 2.0), (-1.0, 1.0), (0.0, 0.0), (-1.0, 0.5)]))
_SEASONS = st.one_of(
    st.none(),
    st.just((ClimatologySpan((11, 11), (-1.0, 1.0), (-2.0, 2.0), period="month"),)),
    st.just(
        (
            ClimatologySpan((START_US, START_US + 3_600_000_000), (0.0, 1.0)),
            ClimatologySpan((4, 4), (-1.0, 1.0), period="quarter"),
            ClimatologySpan((0, 9), (-1.0, 1.0), zspan=(0.0, 1.0), period="month"),
        )
    ),
)


@st.composite
def irregular_series(draw: st.DrawFn) -> tuple[list[int], list[float]]:
    """Times in microseconds, increasing, and as many values, some missing, some runs repeated."""
    pieces = draw(st.lists(st.tuples(_VALUES, _STEPS_US, st.integers(1, 6)), max_size=25))
    times, values, now = [], [], START_US
    for value, step_us, repeats in pieces:
        for _ in range(repeats):
            now += step_us
            times.append(now)
            values.append(value)
    return times, values


def _in_order(pair: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    low, high = pair
    return (high, low) if low is not None and high is not None and low > high else pair


@st.composite
def profiles(draw: st.DrawFn) -> QcProfile:
    """Profiles of any set of tests, from none to all."""
    inner = draw(_SPANS)
    settings: dict[str, Any] = {"gross_suspect": inner, "climatology": draw(_SEASONS)}
    settings["gross_fail"] = draw(st.sampled_from([None, (-3.0, 3.0), inner]))
    for names, limits in (
        (("rate_suspect_per_s", "rate_fail_per_s"), _LIMITS.map(lambda limit: limit and limit / 60)),
        (("spike_suspect", "spike_fail"), _LIMITS),
        (("flat_suspect_s", "flat_fail_s"), _SECONDS),
    ):
        settings.update(zip(names, _in_order(draw(st.tuples(limits, limits))), strict=True))
    settings["spike_method"] = draw(st.sampled_from(["average", "differential"]))
    settings["flat_tolerance"] = draw(st.sampled_from([0.001, 0.25, 0.5]))
    settings["gap_s"] = draw(_SECONDS)
    return QcProfile(**settings)


@st.composite
def stage_series(draw: st.DrawFn) -> tuple[list[int], list[float]]:
    """A river in cm, read every ten minutes: calm, rise, recession, with telemetry errors and outages."""
    times, values, now, stage_cm = [], [], START_US, 120
    for _ in range(draw(st.integers(1, 6))):
        slope_cm = draw(st.sampled_from([0, 0, 1, 4, 35, -1, -3]))
        for _ in range(draw(st.integers(1, 40))):
            now += 600_000_000
            stage_cm += slope_cm
            times.append(now)
            values.append(stage_cm / 100)
        now += draw(st.sampled_from([0, 0, 3_600_000_000, 8 * 3_600_000_000]))
    for _ in range(draw(st.integers(0, 4))):
        row = draw(st.integers(0, len(values) - 1))
        values[row] = draw(st.sampled_from([math.nan, 0.0, 9.99, values[row] + 0.4]))
    return times, values
