import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.quality import QcProfile, QcTest, worst
from serayu.models.quality.combine import reasons
from serayu.models.quality.qartod import (
    aggregate,
    climatology,
    flat_line,
    gross_range,
    rate_of_change,
    run_profile,
    spike,
    time_gap,
)
from tests.models.quality.series import irregular_series, profiles

NAN = math.nan
STEP_S = 900
Series = tuple[list[int], list[float]]

# Rows marked IOOS are numbers of the tests of ioos_qc (github.com/ioos/ioos_qc, Apache-2.0).


@pytest.mark.parametrize(
    ("values", "settings", "expected"),
    [
        pytest.param([], {"fail_span": (0, 5)}, [], id="empty"),
        pytest.param([0, 5, -0.1, 5.1], {"fail_span": (0, 5)}, [1, 1, 4, 4], id="bounds are inside"),
        pytest.param(
            [1, 2, 3, 4, 8], {"fail_span": (0, 5), "suspect_span": (1, 4)}, [1, 1, 1, 1, 4], id="IOOS"
        ),
        pytest.param(
            [NAN, None, math.inf, 0.0], {"fail_span": (0, 0)}, [9, 9, 9, 1], id="missing, and a span of zero"
        ),
        pytest.param([3, 5], {"fail_span": None, "suspect_span": (0, 4)}, [1, 3], id="no fail span"),
    ],
)
def test_gross_range(values: list[float], settings: dict[str, Any], expected: list[int]) -> None:
    flags = gross_range(values, **settings)
    assert flags.tolist() == expected
    assert flags.dtype == np.uint8


def test_gross_range_keeps_the_shape_and_masked_values_are_missing() -> None:
    values = np.ma.MaskedArray([[1.0, 2.0], [3.0, 4.0]], mask=[[False, True], [False, False]])
    assert gross_range(values, fail_span=(0, 3)).tolist() == [[1, 9], [1, 4]]


@pytest.mark.parametrize(
    ("values", "thresholds", "expected"),
    [
        pytest.param([], (1, 2), [], id="empty"),
        pytest.param([7], (1, 2), [1], id="one value"),
        pytest.param([0, 900, 0, 1801], (1, 2), [1, 1, 1, 4], id="a rate equal to the threshold passes"),
        pytest.param([2, 2, 2.1], (0, None), [1, 1, 3], id="zero is a threshold"),
        pytest.param(
            [2, 10, 2, 3, NAN, None, 7, 10], (5 / 900, None), [1, 3, 3, 1, 9, 9, 1, 1], id="IOOS missing"
        ),
        pytest.param([-2, -10, -2, -3], (5 / 900, None), [1, 3, 3, 1], id="IOOS negative"),
        pytest.param([0, 9000, 9000], (None, 5), [1, 4, 1], id="fail only"),
    ],
)
def test_rate_of_change(values: list[float], thresholds: tuple[float, float], expected: list[int]) -> None:
    times = np.arange(len(values)) * STEP_S
    assert (
        rate_of_change(values, times, suspect_per_s=thresholds[0], fail_per_s=thresholds[1]).tolist()
        == expected
    )


def test_a_rate_over_half_a_second_is_not_infinite() -> None:
    assert rate_of_change([0, 1], [0, 0.5], suspect_per_s=2, fail_per_s=3).tolist() == [1, 1]
    assert rate_of_change([0, 1], [0, 0.5], suspect_per_s=1.9, fail_per_s=3).tolist() == [1, 3]


@pytest.mark.parametrize(
    ("values", "settings", "expected"),
    [
        pytest.param([], {"suspect": 1, "fail": 2}, [], id="empty"),
        pytest.param([1], {"suspect": 1, "fail": 2}, [2], id="one value"),
        pytest.param([1, 9], {"suspect": 1, "fail": 2}, [2, 2], id="two values"),
        pytest.param([1, 5, 1, 1], {"suspect": 0, "fail": None}, [2, 3, 3, 2], id="zero is a threshold"),
        pytest.param([0, 1, 0, 2.5, 0], {"suspect": 1, "fail": 2.5}, [2, 1, 3, 3, 2], id="equal passes"),
        pytest.param([-100, -99, -99, -98], {"suspect": 25, "fail": 50}, [2, 1, 1, 2], id="IOOS calm"),
        pytest.param(
            [10, 12, 999.99, 13, 15, 40, 9, 9],
            {"suspect": 25, "fail": 50},
            [2, 4, 4, 4, 1, 3, 1, 2],
            id="IOOS spike",
        ),
        pytest.param(
            [1, 2, NAN, 2, 9, 2], {"suspect": 1, "fail": 2}, [2, 2, 9, 2, 4, 2], id="beside a missing value"
        ),
        pytest.param(
            [1, 2, None, 2, 9, 2],
            {"suspect": 1, "fail": 2, "method": "differential"},
            [2, 2, 9, 2, 4, 2],
            id="differential beside a missing value",
        ),
        pytest.param(
            [0, 9, 18, 18, 18],
            {"suspect": 1, "fail": 2, "method": "differential"},
            [2, 1, 1, 1, 2],
            id="a fast rise is no spike",
        ),
    ],
)
def test_spike(values: list[float], settings: dict[str, Any], expected: list[int]) -> None:
    assert spike(values, **settings).tolist() == expected


@pytest.mark.parametrize(
    ("values", "seconds", "tolerance", "expected"),
    [
        pytest.param([], (3, 5), 0.1, [], id="empty"),
        pytest.param([5], (3, 5), 0.1, [1], id="one value"),
        pytest.param([5, 5, 5], (3, 5), 0.1, [1, 1, 1], id="IOOS too short"),
        pytest.param([5] * 6, (3, 5), 0.1, [1, 1, 1, 3, 3, 4], id="IOOS flat"),
        pytest.param([5] * 6, (3, 5), 0, [1] * 6, id="no range is below zero"),
        pytest.param([0, 1, 0, 1, 0], (2, None), 1, [1] * 5, id="a range equal to the tolerance passes"),
        pytest.param([0] * 6, (None, 2), 1, [1, 1, 4, 4, 4, 4], id="fail only"),
        pytest.param(
            [1, 1, 1, 1, 1, 6, 5, 4, 3, 2], (3, 6), 4, [1, 1, 1, 3, 3, 1, 1, 1, 3, 3], id="IOOS with a spike"
        ),
        pytest.param(
            [NAN] * 4 + [5.0, NAN, 5.0], (2, None), 1, [9] * 4 + [1, 9, 3], id="one value is no line"
        ),
    ],
)
def test_flat_line(
    values: list[float], seconds: tuple[float, float], tolerance: float, expected: list[int]
) -> None:
    flags = flat_line(
        values, np.arange(len(values)), suspect_s=seconds[0], fail_s=seconds[1], tolerance=tolerance
    )
    assert flags.tolist() == expected


def test_a_flat_line_of_missing_and_jittering_values_is_found() -> None:
    values = [1, None, None, 2, 2.0001, 2, 2.0001, 2, 4, None, 3, None, None, 3.00001]  # IOOS
    flags = flat_line(values, np.arange(14) * STEP_S, suspect_s=3000, fail_s=4800, tolerance=0.01)
    assert flags.tolist() == [1, 9, 9, 1, 3, 3, 4, 4, 1, 9, 1, 9, 9, 3]


def test_a_few_equal_values_around_an_outage_are_no_flat_line() -> None:
    hours = [0, 1, 2, 3, 4, 5, 6, 100, 101, 102, 103, 104, 105, 106]
    flags = flat_line([3.0] * 14, np.array(hours) * 3600.0, suspect_s=6 * 3600, fail_s=None, tolerance=0.002)
    assert flags.tolist() == [1, 1, 1, 1, 1, 1, 3] * 2


@settings(max_examples=200, deadline=None)
@given(series=irregular_series(), threshold_s=st.sampled_from([60.0, 300.0, 601.5, 7200.0]))
def test_a_flat_line_is_what_its_definition_says(series: Series, threshold_s: float) -> None:
    times, values = series
    expected = []
    start = 0
    for row, t_us in enumerate(times):
        step = t_us - times[row - 1] if row else 0
        start = row if 2 * step > threshold_s * 1e6 else start
        window = [
            values[other]
            for other in range(start, row + 1)
            if times[other] >= t_us - threshold_s * 1e6 and math.isfinite(values[other])
        ]
        long_enough = t_us - times[start] + step > threshold_s * 1e6
        flat = long_enough and len(window) > 1 and max(window) - min(window) < 0.25
        expected.append(9 if not math.isfinite(values[row]) else 4 if flat else 1)
    moments = np.array(times, dtype="datetime64[us]")
    assert flat_line(values, moments, suspect_s=None, fail_s=threshold_s, tolerance=0.25).tolist() == expected


@pytest.mark.parametrize(
    ("hours", "settings", "expected"),
    [
        pytest.param([], {}, [], id="empty"),
        pytest.param([0], {}, [1], id="one time"),
        pytest.param([0, 2, 4.001], {}, [1, 1, 4], id="a step equal to the span passes"),
        pytest.param([0, 3, 4], {}, [4, 4, 1], id="the first is like the second"),
        pytest.param([0, 3, 4], {"first_like_second": False}, [1, 4, 1], id="the first cannot wait"),
        pytest.param([0, 3, 10], {"fail_span_h": 6, "suspect_span_h": 2}, [3, 3, 4], id="two levels"),
        pytest.param([0, NAN, 2, 3], {}, [2, 9, 2, 1], id="a missing time"),
        pytest.param([NAN, 0, 1], {}, [9, 2, 1], id="the first time is missing"),
        pytest.param([0, 0.001], {"fail_span_h": 0}, [4, 4], id="zero is a threshold"),
    ],
)
def test_time_gap(hours: list[float], settings: dict[str, Any], expected: list[int]) -> None:
    assert time_gap(np.array(hours) * 3600, **settings).tolist() == expected


YEAR_2011 = [
    {"tspan": ("2011-01", "2011-07"), "vspan": (10, 20)},
    {"tspan": ("2011-07", "2012-01"), "vspan": (30, 40), "fspan": (0, 50)},
]


@pytest.mark.parametrize(
    ("moment", "value", "expected"),
    [
        pytest.param("2011-01-02", 9, 3, id="IOOS below"),
        pytest.param("2011-01-02", 11, 1, id="IOOS inside"),
        pytest.param("2015-01-02", 21, 2, id="IOOS outside the period"),
        pytest.param("2011-01-01", 10, 1, id="first moment and lowest value belong"),
        pytest.param("2011-07-01", 15, 3, id="where two apply the last decides"),
        pytest.param("2012-01-01", 40, 1, id="last moment and highest value belong"),
        pytest.param("2012-01-01T00:00:01", 40, 2, id="a second later"),
        pytest.param("2011-08-01", 51, 4, id="outside the fail span"),
        pytest.param("2011-08-01", NAN, 9, id="missing"),
    ],
)
def test_climatology(moment: str, value: float, expected: int) -> None:
    assert climatology([value], [moment], config=YEAR_2011).tolist() == [expected]


@pytest.mark.parametrize(
    ("period", "inside", "outside"),
    [
        ("year", "2019-12-31T23:59:59", "2020-01-01"),
        ("quarter", "2020-06-30", "2020-12-31"),
        ("month", "2020-03-31T23:59:59.999999", "1969-12-01"),
        ("week", "2020-01-19", "2020-01-27"),
        ("weekofyear", "2020-01-19", "2020-01-27"),
        ("dayofyear", "1969-01-03", "1969-01-05"),
        ("dayofweek", "2024-01-04", "2024-01-05"),
    ],
)
def test_a_season_may_be_counted_in_periods(period: str, inside: str, outside: str) -> None:
    tspan = {"year": (2018, 2019)}.get(period, (1, 3))
    config = [{"tspan": tspan, "vspan": (0, 1), "period": period}]
    assert climatology([0.5, 0.5], [inside, outside], config=config).tolist() == [1, 2]


def test_a_span_with_depths_speaks_only_of_known_depths_inside_it() -> None:
    config = [{"tspan": ("2012-01", "2013-01"), "vspan": (50, 60), "zspan": (0, 10)}]
    times = ["2012-01-02"] * 4
    assert climatology([55, 61, 55, 55], times, config=config, depths_m=[0, 10, 11, None]).tolist() == [
        1,
        3,
        2,
        2,
    ]
    assert climatology([55] * 4, times, config=config).tolist() == [2] * 4


def test_the_aggregate_takes_the_highest_precedence() -> None:
    vectors = [[1, 1, 1, 9, 1, 1, 9, 9], [2, 1, 1, 1, 1, 1, 9, 9], [1, 3, 3, 4, 3, 1, 2, 9]]  # IOOS
    assert aggregate(vectors).tolist() == [1, 3, 3, 4, 3, 1, 2, 9]
    assert aggregate([[]]).tolist() == []


@given(st.lists(st.lists(st.sampled_from([1, 2, 3, 4, 9]), min_size=4, max_size=4), min_size=1, max_size=5))
def test_the_aggregate_is_the_worst_of_each_column_in_any_order(vectors: list[list[int]]) -> None:
    expected = [worst(column) for column in zip(*vectors, strict=True)]
    assert aggregate(vectors).tolist() == aggregate(vectors[::-1]).tolist() == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: gross_range([1], fail_span=(0, 5), suspect_span=(1, 6)),
            r"suspect_span \[1, 6\] .* fail_span \[0, 5\]",
        ),
        (lambda: gross_range([1], fail_span=(5, 0)), "fail_span: low 5 exceeds high 0"),
        (lambda: spike([1], suspect=2, fail=1), "suspect 2 exceeds fail 1"),
        (lambda: spike([1], suspect=-1, fail=1), "suspect: must not be negative"),
        (lambda: spike([1], suspect=1, fail=1, method="mean"), "method: 'mean' is none of"),  # type: ignore[arg-type]
        (lambda: spike([[1]], suspect=1, fail=1), r"values: expected shape \(n,\), got \(1, 1\)"),
        (
            lambda: rate_of_change([1], [0], suspect_per_s=2, fail_per_s=1),
            "suspect_per_s 2 exceeds fail_per_s 1",
        ),
        (lambda: rate_of_change([1, 2], [0], suspect_per_s=2), r"values \(2,\) and times \(1,\) differ"),
        (lambda: rate_of_change([1, 2], [0, 0], suspect_per_s=2), "row 1 is not after row 0"),
        (lambda: rate_of_change([1, 2], [0, NAN], suspect_per_s=2), "times_s: row 1 is missing"),
        (lambda: flat_line([1], [0], suspect_s=2, fail_s=1, tolerance=1), "suspect_s 2 exceeds fail_s 1"),
        (
            lambda: flat_line([1], [0], suspect_s=0, fail_s=1, tolerance=1),
            "suspect_s: must be greater than 0",
        ),
        (lambda: flat_line([1], [0], suspect_s=1, fail_s=1, tolerance=-1), "tolerance: must not be negative"),
        (lambda: time_gap([2, 1]), "times must increase"),
        (lambda: time_gap([1], suspect_span_h=3, fail_span_h=2), "suspect_span_h 3 exceeds fail_span_h 2"),
        (lambda: climatology([1], [], config=[]), "differ in shape"),
        (lambda: climatology([1], [NAN], config=[]), "times: row 0 is missing"),
        (lambda: climatology([1], [0], config=[{}]), r"config\[0\]: tspan"),
        (lambda: aggregate([]), r"expected one shape, got \[\]"),
        (lambda: aggregate([[1], [1, 2]]), "expected one shape"),
        (lambda: aggregate([[1, 7]]), "7.* is not a flag"),
        (lambda: reasons({}), "at least one"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_input_that_makes_no_sense_is_refused_with_both_sides_named(call: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match=message):
        call()


def test_a_profile_without_tests_evaluates_nothing() -> None:
    flags, tests = run_profile([1.0, NAN], [0, 1], QcProfile())
    assert flags.tolist() == [2, 9]
    assert tests == {}


def test_a_profile_whose_tests_pass_is_good_and_says_which_ran() -> None:
    profile = QcProfile(gross_fail=(0, 5), spike_fail=2, gap_s=60)
    flags, tests = run_profile([1.0, 1.1, NAN, 1.2], [0, 10, 20, 30], profile)
    assert flags.tolist() == [1, 1, 9, 1]
    assert list(tests) == [QcTest.GROSS_RANGE, QcTest.SPIKE, QcTest.TIME_GAP]


def test_the_first_value_after_a_gap_is_suspect_and_not_failed() -> None:
    flags, tests = run_profile([1.0, 1.1, 9.0], [0, 10, 50_000], QcProfile(gap_s=21_600))
    assert flags.tolist() == [1, 1, 3]
    assert reasons(tests).tolist() == [0, 0, QcTest.TIME_GAP]


@settings(max_examples=100, deadline=None)
@given(series=irregular_series(), profile=profiles())
def test_flags_do_not_depend_on_values_after_the_next(series: Series, profile: QcProfile) -> None:
    times, values = series
    moments = np.array(times, dtype="datetime64[us]")
    whole, _ = run_profile(values, moments, profile)
    half = len(values) // 2
    part, _ = run_profile(values[:half], moments[:half], profile)
    assert part[:-1].tolist() == whole[: max(half - 1, 0)].tolist()


@given(series=irregular_series())
def test_seconds_and_datetimes_give_the_same_flags(series: Series) -> None:
    times, values = series
    profile = QcProfile(rate_suspect_per_s=0.01, flat_suspect_s=600, flat_tolerance=0.3, gap_s=600)
    by_seconds, _ = run_profile(values, np.array(times) / 1e6, profile)
    by_moments, _ = run_profile(values, np.array(times, dtype="datetime64[us]"), profile)
    assert by_seconds.tolist() == by_moments.tolist()
