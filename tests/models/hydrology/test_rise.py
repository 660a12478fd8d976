"""The rate of rise, and a slope that one bad reading cannot bend."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.hydrology.rise import MAX_SLOPE_SAMPLES, rate_of_rise, theil_sen_slope

MINUTE = 60.0
lines = st.tuples(
    st.lists(st.integers(0, 7200), min_size=3, max_size=40, unique=True),
    st.floats(-1e-3, 1e-3),
    st.floats(-5, 20),
)


@pytest.mark.parametrize(
    ("times", "stages", "window_s", "mean", "step"),
    [
        pytest.param([], [], 600, None, None, id="empty"),
        pytest.param([0], [1.0], 600, None, None, id="one sample"),
        pytest.param([0, 3600], [1.0, 2.0], 600, None, None, id="the window holds only the last"),
        pytest.param([0, 600], [1.0, 1.1], 600, 0.6, 0.6, id="both ends belong to the window"),
        pytest.param([0, 600], [1.0, 1.1], 1e9, 0.6, 0.6, id="a window longer than the series"),
        pytest.param([0, 600, 600], [1.0, 5.0, 1.1], 600, 0.6, 0.6, id="the later of two at one time"),
        pytest.param([600, 0], [1.1, 1.0], 600, 0.6, 0.6, id="in any order"),
        pytest.param([0, 300, 600], [1.0, math.nan, 1.1], 600, 0.6, 0.6, id="a missing stage"),
        pytest.param([0, 300, 600], [2.0, 1.9, 1.7], 600, -1.8, -1.2, id="falling"),
        pytest.param([0, 300, 600], [2.0, 2.2, 2.3], 600, 1.8, 2.4, id="Depok, 200 to 230 cm in ten minutes"),
    ],
)
def test_rate_of_rise(
    times: list[float], stages: list[float], window_s: float, mean: float | None, step: float | None
) -> None:
    result = rate_of_rise(times, stages, window_s=window_s)
    assert result.mean_m_per_h == (mean if mean is None else pytest.approx(mean))
    assert result.max_step_m_per_h == (step if step is None else pytest.approx(step))


def test_steps_of_the_whole_series_are_told_whatever_the_window() -> None:
    stages = [15.89, 15.90, 16.39, 16.48]  # Bendung Gerak Serayu, 2 January 2012
    result = rate_of_rise([hour * 3600.0 for hour in range(4)], stages, window_s=3600)
    assert result.steps_m_per_h == pytest.approx((0.01, 0.49, 0.09))
    assert result.mean_m_per_h == pytest.approx(0.09)


@pytest.mark.parametrize("window_s", [0, -1, math.nan])
def test_a_window_without_length_is_refused(window_s: float) -> None:
    with pytest.raises(ValueError, match="window"):
        rate_of_rise([0, 1], [0, 1], window_s=window_s)


def test_unequal_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="as many times"):
        rate_of_rise([0, 1], [0], window_s=1)
    with pytest.raises(ValueError, match="as many times"):
        theil_sen_slope([0, 1], [0])


@given(line=lines)
def test_the_slope_of_a_line_is_found(line: tuple[list[int], float, float]) -> None:
    times, slope, start = line
    values = [start + slope * time for time in times]
    assert theil_sen_slope(times, values) == pytest.approx(slope, abs=1e-9)


@given(line=lines, bad=st.floats(-1e6, 1e6), data=st.data())
def test_one_bad_reading_in_a_dozen_does_not_bend_the_slope(
    line: tuple[list[int], float, float], bad: float, data: st.DataObject
) -> None:
    _, slope, start = line
    times = [index * 5 * MINUTE for index in range(12)]
    values = [start + slope * time for time in times]
    values[data.draw(st.integers(0, 11))] = bad
    assert theil_sen_slope(times, values) == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize(
    ("times", "values"),
    [
        pytest.param([], [], id="empty"),
        pytest.param([0, 60], [1, 2], id="two samples"),
        pytest.param([0, 60, 60, 60], [1, 2, 3, 4], id="two times"),
        pytest.param([0, 60, 120], [1, math.nan, 3], id="two that are not missing"),
    ],
)
def test_fewer_than_three_samples_have_no_slope(times: list[float], values: list[float]) -> None:
    assert theil_sen_slope(times, values) is None


def test_a_long_series_is_thinned_and_keeps_its_ends() -> None:
    times = [float(second) for second in range(1800)]
    values = [0.0001 * time for time in times]
    assert theil_sen_slope(times, values) == pytest.approx(0.0001)
    assert len(times) > MAX_SLOPE_SAMPLES
    # of the slopes 0, 9/1799 and 9/899 between first, middle and last, the median joins both ends
    assert theil_sen_slope(times, [0.0] * 1799 + [9.0], max_samples=3) == pytest.approx(9 / 1799)
    with pytest.raises(ValueError, match="max_samples"):
        theil_sen_slope(times, values, max_samples=2)


def test_a_device_gets_the_slope_without_numpy() -> None:
    code = "import sys, serayu.models.hydrology.rise, serayu.models.hydrology.rain, serayu.models.sensing\n"
    code += "sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
