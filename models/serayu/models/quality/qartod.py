"""QARTOD tests over whole series, vectorised: arrays in, ``uint8`` flags of the same shape out.

Behaviour follows ioos_qc 3.0.0 (Apache-2.0, github.com/ioos/ioos_qc) with these differences, each on purpose:

- a threshold of 0 is a threshold, and an empty series gives empty flags;
- thresholds are checked against each other, and a span must be given low bound first;
- time steps keep their fraction of a second, and times must increase;
- `flat_line` looks back over a window of time and never at the median step of the whole series, so that a
  value's flag does not depend on values after it. For a regular step of at most half the threshold the flags
  are the same, but for a value alone in its window, the others missing: it is no flat line here;
- `climatology` leaves a missing value missing, where ioos_qc calls it good inside the period;
- in `run_profile` a gap makes the value after it suspect, not failed: the first value after an outage may be
  the flood.

NaN, infinite and masked values are ``MISSING`` (9) in every test. Times are seconds since 1970 UTC, or
``datetime64``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from serayu.models.quality.arrays import (
    FAIL,
    GOOD,
    MISSING,
    NOT_EVALUATED,
    SUSPECT,
    US_PER_S,
    Flags,
    Values,
    as_series,
    as_times,
    as_values,
    check_limits,
    check_one_dimensional,
    graded,
)
from serayu.models.quality.climatology import ClimatologySpan, check_nested, ordered_span
from serayu.models.quality.combine import aggregate
from serayu.models.quality.flags import QcTest
from serayu.models.quality.profile import (
    SPIKE_METHODS,
    QcProfile,
    SpikeMethod,
    as_climatology_span,
    as_number,
)
from serayu.models.quality.windows import ends_flat_line, in_season, spike_distance

__all__ = [
    "aggregate",
    "climatology",
    "flat_line",
    "gross_range",
    "rate_of_change",
    "run_profile",
    "spike",
    "time_gap",
]

_S_PER_H = 3600.0


def gross_range(
    values: Values,
    *,
    fail_span: tuple[float, float] | None,
    suspect_span: tuple[float, float] | None = None,
) -> Flags:
    """Flag values outside the fail span 4 and, of the others, those outside the suspect span 3.

    Parameters
    ----------
    values
        Any shape.
    fail_span, suspect_span
        Low and high in the unit of *values*; the bounds are inside. ``None``: that level is not tested.

    Raises
    ------
    ValueError
        A span is not two ordered numbers, or the suspect span leaves the fail span.

    Examples
    --------
    >>> gross_range([1, 2, 8], fail_span=(0, 5), suspect_span=(2, 4)).tolist()
    [3, 1, 4]
    """
    array, missing = as_values(values)
    flags = np.full(array.shape, GOOD)
    outer = None if fail_span is None else ordered_span("fail_span", fail_span)
    if suspect_span is not None:
        inner = ordered_span("suspect_span", suspect_span)
        if outer is not None:
            check_nested("suspect_span", inner, "fail_span", outer)
        flags[(array < inner[0]) | (array > inner[1])] = SUSPECT
    if outer is not None:
        flags[(array < outer[0]) | (array > outer[1])] = FAIL
    flags[missing] = MISSING
    return flags


def rate_of_change(
    values: Values,
    times_s: npt.ArrayLike,
    *,
    suspect_per_s: float | None,
    fail_per_s: float | None = None,
) -> Flags:
    """Flag values that changed faster, since the value before, than a rate.

    Parameters
    ----------
    values, times_s
        Shape (n,); times increase.
    suspect_per_s, fail_per_s
        Rates in units of *values* per second, not negative; a rate equal to them passes.

    Returns
    -------
    Flags
        The first value, and one that follows a missing value, are 1.

    Raises
    ------
    ValueError
        Shapes differ, times do not increase, or the suspect rate exceeds the fail rate.

    Examples
    --------
    >>> rate_of_change([2, 10, 10], [0, 900, 1800], suspect_per_s=5 / 900).tolist()
    [1, 3, 1]
    """
    array, missing, t_us = as_series(values, times_s)
    check_limits("suspect_per_s", suspect_per_s, "fail_per_s", fail_per_s)
    rate = np.full(array.shape, np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        rate[1:] = np.abs(np.diff(array)) / (np.diff(t_us) / US_PER_S)
    return graded(rate, missing, suspect_per_s, fail_per_s)


def spike(
    values: Values,
    *,
    suspect: float | None,
    fail: float | None,
    method: SpikeMethod = "average",
) -> Flags:
    """Flag values far from both neighbours.

    Parameters
    ----------
    values
        Shape (n,).
    suspect, fail
        Distances in the unit of *values*, not negative; a distance equal to them passes. ``None`` leaves a
        level out.
    method
        ``average``: distance to the mean of both neighbours. ``differential``: the smaller of the two steps
        if they change sign, else 0.

    Returns
    -------
    Flags
        The first and last value, and the neighbours of a missing value, are 2.

    Raises
    ------
    ValueError
        The method is unknown, or the suspect distance exceeds the fail distance.

    Examples
    --------
    >>> spike([1, 5, 1, 1], suspect=0, fail=3).tolist()
    [2, 4, 3, 2]
    """
    if method not in SPIKE_METHODS:
        raise ValueError(f"method: {method!r} is none of {', '.join(SPIKE_METHODS)}")
    check_limits("suspect", suspect, "fail", fail)
    array, missing = as_values(values)
    check_one_dimensional("values", array)
    distance = np.full(array.shape, np.nan)
    if array.size > 2:  # noqa: PLR2004 - a value and its two neighbours
        with np.errstate(over="ignore", invalid="ignore"):
            distance[1:-1] = spike_distance(array, method)
    flags = graded(distance, missing, suspect, fail)
    flags[np.isnan(distance) & ~missing] = NOT_EVALUATED
    return flags


def flat_line(
    values: Values,
    times_s: npt.ArrayLike,
    *,
    suspect_s: float | None,
    fail_s: float | None,
    tolerance: float,
) -> Flags:
    """Flag values that end a stretch of samples whose range stays below a tolerance.

    For a threshold T the window of a value at time t holds the samples in [t - T, t]. A step longer than T /
    2 starts the history anew, so that a few samples around an outage are no flat line. The value is flagged
    when the history, the last step included, is longer than T, when two or more values in the window are not
    missing, and when their range is less than *tolerance*.

    Parameters
    ----------
    values, times_s
        Shape (n,); times increase.
    suspect_s, fail_s
        Thresholds T in seconds, greater than 0. ``None`` leaves a level out.
    tolerance
        Range in the unit of *values*, not negative. No range is less than 0, so 0 flags nothing.

    Raises
    ------
    ValueError
        Shapes differ, times do not increase, or a threshold makes no sense.

    Examples
    --------
    >>> flat_line([5, 5, 5, 5, 5, 6], range(6), suspect_s=3, fail_s=4, tolerance=0.1).tolist()
    [1, 1, 1, 3, 4, 1]
    """
    array, missing, t_us = as_series(values, times_s)
    check_limits("suspect_s", suspect_s, "fail_s", fail_s)
    if as_number("tolerance", tolerance) < 0:
        raise ValueError(f"tolerance: must not be negative, got {tolerance:g}")
    flags = np.full(array.shape, GOOD)
    for name, threshold_s, flag in (("suspect_s", suspect_s, SUSPECT), ("fail_s", fail_s, FAIL)):
        if threshold_s is None:
            continue
        if threshold_s <= 0:
            raise ValueError(f"{name}: must be greater than 0, got {threshold_s:g}")
        flags[ends_flat_line(array, missing, t_us, round(threshold_s * US_PER_S), tolerance)] = flag
    flags[missing] = MISSING
    return flags


def time_gap(
    times_s: npt.ArrayLike,
    *,
    fail_span_h: float | None = 2.0,
    suspect_span_h: float | None = None,
    first_like_second: bool = True,
) -> Flags:
    """Flag samples that follow the one before after more than a span.

    Parameters
    ----------
    times_s
        Shape (n,), increasing; NaN and NaT are missing times.
    fail_span_h, suspect_span_h
        Spans in hours, not negative; a step equal to them passes. 2 h is the default of ioos_qc.
    first_like_second
        Give the first sample the flag of the second, as ioos_qc does (2 if that time is missing). False: 1,
        for a caller who cannot wait for the second.

    Returns
    -------
    Flags
        A missing time is 9, the sample after it 2.

    Raises
    ------
    ValueError
        Times do not increase, or the suspect span exceeds the fail span.

    Examples
    --------
    >>> time_gap([0, 60, 9000], fail_span_h=2).tolist()
    [1, 1, 4]
    """
    check_limits("suspect_span_h", suspect_span_h, "fail_span_h", fail_span_h)
    t_us, missing = as_times(times_s)
    known = t_us[~missing]
    if np.any(np.diff(known) <= 0):
        raise ValueError("times_s: times must increase")
    flags = np.full(t_us.shape, GOOD)
    step = np.diff(t_us)
    for span_h, flag in ((suspect_span_h, SUSPECT), (fail_span_h, FAIL)):
        if span_h is not None:
            flags[1:][step > round(span_h * _S_PER_H * US_PER_S)] = flag
    flags[1:][missing[:-1]] = NOT_EVALUATED
    flags[missing] = MISSING
    if first_like_second and flags.size > 1 and not missing[0]:
        flags[0] = NOT_EVALUATED if missing[1] else flags[1]
    return flags


def climatology(
    values: Values,
    times: npt.ArrayLike,
    *,
    config: Iterable[ClimatologySpan | Mapping[str, Any]],
    depths_m: Values | None = None,
) -> Flags:
    """Flag values outside what is expected in their season.

    Parameters
    ----------
    values, times
        Shape (n,); times need not increase.
    config
        Spans, or mappings for `ClimatologySpan.from_mapping`; where several apply the last one decides.
    depths_m
        Shape (n,), positive down; a span with a depth range speaks only of known depths inside it.

    Returns
    -------
    Flags
        2 where no span applies, 4 outside *fspan*, 3 outside *vspan*.

    Raises
    ------
    ValueError
        Shapes differ, a time is missing, or a span makes no sense.
    """
    array, missing = as_values(values)
    t_us, unknown = as_times(times)
    depth = np.full(array.shape, np.nan) if depths_m is None else as_values(depths_m)[0]
    if not array.shape == t_us.shape == depth.shape:
        raise ValueError(f"values {array.shape}, times {t_us.shape} and depths {depth.shape} differ in shape")
    if np.any(unknown):
        raise ValueError(f"times: row {int(np.argmax(unknown))} is missing")
    flags = np.full(array.shape, NOT_EVALUATED)
    for row, entry in enumerate(config):
        span = as_climatology_span(f"config[{row}]", entry)
        here = in_season(t_us, span)
        if span.zspan is not None:
            here &= (depth >= span.zspan[0]) & (depth <= span.zspan[1])
        flags[here] = gross_range(array[here], fail_span=None, suspect_span=span.vspan)
        if span.fspan is not None:
            flags[here & ((array < span.fspan[0]) | (array > span.fspan[1]))] = FAIL
    flags[missing] = MISSING
    return flags


def run_profile(
    values: Values, times_s: npt.ArrayLike, profile: QcProfile
) -> tuple[Flags, dict[QcTest, Flags]]:
    """Run the tests of a profile over one series.

    Parameters
    ----------
    values, times_s
        Shape (n,); times increase.
    profile
        Settings of the datastream.

    Returns
    -------
    flags
        The aggregate; 2 throughout (missing values 9) where the profile runs no test.
    tests
        Flags of each test that ran. A value that is missing is 9 in all of them.

    Raises
    ------
    ValueError
        Shapes differ or times do not increase.
    """
    array, missing, t_us = as_series(values, times_s)
    times = t_us.view("datetime64[us]")
    tests: dict[QcTest, Flags] = {}
    if profile.runs_gross_range:
        tests[QcTest.GROSS_RANGE] = gross_range(
            array, fail_span=profile.gross_fail, suspect_span=profile.gross_suspect
        )
    if profile.runs_rate_of_change:
        tests[QcTest.RATE_OF_CHANGE] = rate_of_change(
            array, times, suspect_per_s=profile.rate_suspect_per_s, fail_per_s=profile.rate_fail_per_s
        )
    if profile.runs_spike:
        tests[QcTest.SPIKE] = spike(
            array, suspect=profile.spike_suspect, fail=profile.spike_fail, method=profile.spike_method
        )
    if profile.runs_flat_line and profile.flat_tolerance is not None:
        tests[QcTest.FLAT_LINE] = flat_line(
            array,
            times,
            suspect_s=profile.flat_suspect_s,
            fail_s=profile.flat_fail_s,
            tolerance=profile.flat_tolerance,
        )
    if profile.gap_s is not None:
        gap = time_gap(
            times, fail_span_h=None, suspect_span_h=profile.gap_s / _S_PER_H, first_like_second=False
        )
        tests[QcTest.TIME_GAP] = np.where(missing, MISSING, gap)
    if profile.climatology is not None:
        tests[QcTest.CLIMATOLOGY] = climatology(array, times, config=profile.climatology)
    if not tests:
        return np.where(missing, MISSING, NOT_EVALUATED), tests
    return aggregate(tests.values()), tests
