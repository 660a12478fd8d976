"""Classes of rain at their bounds, and wetness that only rain and time change."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.hydrology.rain import (
    RainClass,
    antecedent_index_mm,
    daily_class,
    hourly_class,
    rolling_sum_mm,
)

depths = st.lists(st.floats(0, 300), max_size=30)


@pytest.mark.parametrize(
    ("mm", "expected"),
    [
        (0, RainClass.TIDAK_HUJAN),
        (0.49, RainClass.TIDAK_HUJAN),
        (0.5, RainClass.RINGAN),
        (20, RainClass.RINGAN),
        (20.01, RainClass.SEDANG),
        (50, RainClass.SEDANG),
        (100, RainClass.LEBAT),
        (150, RainClass.SANGAT_LEBAT),
        (150.01, RainClass.EKSTREM),
        (900, RainClass.EKSTREM),
    ],
)
def test_daily_classes_take_their_upper_bound(mm: float, expected: RainClass) -> None:
    assert daily_class(mm) is expected


@pytest.mark.parametrize(
    ("mm", "expected"),
    [
        (0, RainClass.TIDAK_HUJAN),
        (0.09, RainClass.TIDAK_HUJAN),
        (0.1, RainClass.SANGAT_RINGAN),
        (1, RainClass.SANGAT_RINGAN),
        (1.01, RainClass.RINGAN),
        (5, RainClass.RINGAN),
        (10, RainClass.SEDANG),
        (20, RainClass.LEBAT),
        (20.01, RainClass.SANGAT_LEBAT),
    ],
)
def test_hourly_classes_take_their_upper_bound(mm: float, expected: RainClass) -> None:
    assert hourly_class(mm) is expected


@pytest.mark.parametrize("mm", [-0.1, math.nan, math.inf])
def test_what_is_no_depth_has_no_class(mm: float) -> None:
    with pytest.raises(ValueError, match="depth"):
        daily_class(mm)
    with pytest.raises(ValueError, match="depth"):
        hourly_class(mm)


@given(daily=depths, k=st.floats(0, 1))
def test_the_index_is_at_least_the_rain_of_the_day_and_at_most_all_rain(daily: list[float], k: float) -> None:
    index = antecedent_index_mm(daily, k=k)
    assert len(index) == len(daily)
    for day, value in enumerate(index):
        assert daily[day] <= value <= sum(daily[: day + 1]) + 1e-6


def test_the_index_fades_from_its_start_and_a_missing_day_leaves_it_unknown() -> None:
    assert antecedent_index_mm([0, 0], k=0.5, initial_mm=8) == [4, 2]
    index = antecedent_index_mm([1, math.nan, 0], k=0.5)
    assert [math.isnan(value) for value in index] == [False, True, True]
    assert antecedent_index_mm([], k=0.85) == []


@pytest.mark.parametrize("k", [-0.1, 1.1, math.nan])
def test_an_index_that_grows_by_itself_is_refused(k: float) -> None:
    with pytest.raises(ValueError, match="k must lie"):
        antecedent_index_mm([1], k=k)


@pytest.mark.parametrize(
    ("daily", "days", "expected"),
    [([], 3, 0), ([5], 3, 5), ([1, 2, 3], 3, 6), ([1, 2, 3, 4], 3, 9), ([0.1] * 10, 10, 1.0)],
)
def test_the_sum_is_of_the_last_days(daily: list[float], days: int, expected: float) -> None:
    assert rolling_sum_mm(daily, days=days) == expected


def test_a_missing_day_makes_a_missing_sum_only_inside_the_window() -> None:
    assert math.isnan(rolling_sum_mm([1, math.nan, 2], days=2))
    assert rolling_sum_mm([math.nan, 1, 2], days=2) == 3


def test_a_window_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 day"):
        rolling_sum_mm([1], days=0)
