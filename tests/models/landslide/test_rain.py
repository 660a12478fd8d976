"""Windows of rain know their gaps; storms and lines are judged over all windows."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.landslide.rain import LOOKBACK_H, RainSeries, Window, judge_line, judge_storm
from serayu.models.landslide.thresholds import ID_THRESHOLDS
from serayu.models.times import US_PER_DAY, US_PER_HOUR
from tests.models.landslide.support import AT_US, hourly, series

H = US_PER_HOUR
NAN = math.nan


def test_an_empty_series_knows_nothing() -> None:
    empty = RainSeries([], [])
    assert empty.until_us(AT_US) is None
    assert empty.window(AT_US - H, AT_US) == Window(AT_US - H, AT_US, 0.0, 1.0)


@pytest.mark.parametrize(
    ("mm", "hours", "expected"),
    [
        pytest.param([1.0, 2.0, 3.0], 1, (3.0, 0.0), id="the newest hour"),
        pytest.param([1.0, 2.0, 3.0], 3, (6.0, 0.0), id="all"),
        pytest.param([1.0, 2.0, 3.0], 2.5, (5.5, 0.0), id="an interval that is cut gives its share"),
        pytest.param([1.0, 2.0, 3.0], 5, (6.0, 2.0), id="longer than the series: a gap"),
        pytest.param([1.0, NAN, 3.0], 3, (4.0, 1.0), id="a missing value: a gap, not 0"),
        pytest.param([NAN, NAN, NAN], 3, (0.0, 3.0), id="nothing known"),
    ],
)
def test_rain_of_a_window(mm: list[float], hours: float, expected: tuple[float, float]) -> None:
    window = series(mm).window(AT_US - round(hours * H), AT_US)
    assert (window.mm, window.gap_h) == pytest.approx(expected)


def test_a_row_that_is_not_there_is_a_gap_and_the_value_after_it_stands_for_one_interval() -> None:
    hours = [n for n in range(1, 25) if n != 20]
    rain = RainSeries([AT_US - (24 - n) * H for n in hours], [1.0] * len(hours))
    assert rain.window(AT_US - 24 * H, AT_US) == Window(AT_US - 24 * H, AT_US, 23.0, 1.0)


def test_an_irregular_series_has_no_gaps_where_its_intervals_are_usual_and_the_limit_can_be_given() -> None:
    minutes = np.cumsum([5, 20, 12, 8, 17, 20, 6, 14, 19, 11])
    times = [AT_US - int(120 - m) * H // 60 for m in minutes]
    rain = RainSeries(times, [1.0] * 10)
    assert rain.window(times[0], times[-1]).complete
    assert not RainSeries(times, [1.0] * 10, limit_h=0.25).window(times[0], times[-1]).complete


@pytest.mark.parametrize(
    ("times", "mm", "reason"),
    [
        pytest.param([1, 2], [0.0], "as many", id="shapes"),
        pytest.param([2, 2], [0.0, 0.0], "ascend", id="twice"),
        pytest.param([1, 2], [0.0, -1.0], "0 mm or more", id="negative"),
        pytest.param([1, 2], [0.0, math.inf], "0 mm or more", id="infinite"),
    ],
)
def test_a_series_that_is_none_is_refused(times: list[int], mm: list[float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        RainSeries(times, mm)


@given(st.lists(st.one_of(st.just(NAN), st.floats(0, 100)), min_size=2, max_size=60), st.data())
def test_windows_add_up(mm: list[float], data: st.DataObject) -> None:
    rain = series(mm)
    bounds = st.integers(AT_US - 70 * H, AT_US)
    begin, middle, end = sorted(data.draw(st.tuples(bounds, bounds, bounds)))
    whole, first, second = rain.window(begin, end), rain.window(begin, middle), rain.window(middle, end)
    assert whole.mm == pytest.approx(first.mm + second.mm, abs=1e-6)
    assert whole.gap_h == pytest.approx(first.gap_h + second.gap_h, abs=2e-3)
    assert whole.mm >= 0
    assert whole.gap_h >= 0


@pytest.mark.parametrize(
    ("rain", "hours"),
    [
        pytest.param(hourly(5.0), 1, id="one wet hour"),
        pytest.param(hourly(5.0, *[0.0] * 23, 5.0), 25, id="23 dry hours part nothing"),
        pytest.param(hourly(5.0, *[0.0] * 24, 5.0), 1, id="24 dry hours part two storms"),
        pytest.param(hourly(5.0, *[0.0] * 10), 11, id="it is not over yet"),
        pytest.param(hourly(5.0, *[0.0] * 24), None, id="it is over"),
        pytest.param(hourly(*[0.1] * 30), None, id="drizzle is dry"),
        pytest.param(hourly(5.0, *[0.0] * 12, NAN, *[0.0] * 12, 5.0), 27, id="a gap is not dry"),
        pytest.param(hourly(before=1.0), LOOKBACK_H, id="it rains always"),
    ],
)
def test_the_storm_that_is_not_over(rain: RainSeries, hours: int | None) -> None:
    storm = judge_storm(rain, until_us=AT_US)
    assert (None if storm is None else storm.window.hours) == hours


def test_a_storm_tells_its_wettest_hour_and_day_and_its_longest_rain() -> None:
    storm = judge_storm(hourly(10.0, 30.0, 0.0, *[2.0] * 30), until_us=AT_US)
    assert storm is not None
    assert (storm.hour_mm, storm.day_mm, storm.wet_hours) == (30.0, 82.0, 30)


def test_a_line_finds_the_worst_of_all_windows() -> None:
    line = ID_THRESHOLDS["caine1980"]
    rain = hourly(1.0, 1.0, 40.0, 40.0, 1.0, *[0.0] * 5)
    storm = judge_storm(rain, until_us=AT_US)
    assert storm is not None
    found = judge_line(rain, storm.window, line)
    assert found is not None
    assert (found.window.mm, found.window.hours) == (80.0, 2.0)
    assert found.window.end_us == AT_US - 6 * H
    assert found.ratio == pytest.approx(80.0 / (14.82 * 2**0.61))
    assert found.judged == sum(range(1, 11))  # every window of ten hours


@settings(deadline=None)
@given(st.lists(st.floats(0, 60), min_size=1, max_size=30))
def test_a_line_is_exceeded_as_a_search_through_all_windows_says(mm: list[float]) -> None:
    rain, line = hourly(50.0, *mm), ID_THRESHOLDS["muntohar_umy"]
    storm = judge_storm(rain, until_us=AT_US)
    assert storm is None or storm.window.hours <= len(mm) + 1
    if storm is None:
        return
    values = [50.0, *mm][-round(storm.window.hours) :]
    sums = {(i, j): sum(values[i:j]) for i in range(len(values)) for j in range(i + 1, len(values) + 1)}
    worst = max(total / line.depth_mm(j - i) for (i, j), total in sums.items())
    found = judge_line(rain, storm.window, line)
    assert found is not None
    assert found.ratio == pytest.approx(worst)


def test_daily_values_are_judged_by_windows_of_days() -> None:
    rain = series([0.0] * 10 + [120.0, 60.0], step_h=24)
    storm = judge_storm(rain, until_us=AT_US)
    assert storm is not None
    assert (storm.window.hours, storm.hour_mm, storm.day_mm) == (48.0, None, 120.0)
    found = judge_line(rain, storm.window, ID_THRESHOLDS["caine1980"])
    assert found is not None
    assert found.window.hours >= 24
    assert found.window.end_us in (AT_US, AT_US - US_PER_DAY)
