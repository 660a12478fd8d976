import math

import numpy as np
import pytest

from serayu.models.flood.baselines import lower_trigger, persistence, thresholds_of, trend, trigger_warnings
from serayu.models.flood.events import Warned
from serayu.models.flood.frame import Frame
from serayu.models.times import US_PER_HOUR

H = US_PER_HOUR


def test_official_levels_are_taken_and_none_is_made_up_beside_them() -> None:
    assert thresholds_of({"critical": 9.0, "alert": 3.0}, np.arange(100.0)) == (
        {"alert": 3.0, "critical": 9.0},
        "official",
    )


def test_without_official_levels_quantiles_of_the_fit_part_stand_in() -> None:
    thresholds, source = thresholds_of({}, np.arange(1001.0))
    assert source == "quantile"
    assert thresholds == pytest.approx({"alert": 980.0, "alarm": 995.0, "critical": 999.0})


def test_without_anything_there_are_no_levels() -> None:
    assert thresholds_of({}, np.zeros(0)) == ({}, "quantile")


def test_the_trigger_is_the_next_lower_level_or_eight_tenths_of_the_way() -> None:
    thresholds = {"alert": 3.0, "alarm": 4.0, "critical": 6.0}
    fit = np.array([0.5, 1.0, 1.5])
    assert lower_trigger(thresholds, "alert", fit) == pytest.approx(1.0 + 0.8 * 2.0)
    assert lower_trigger(thresholds, "alarm", fit) == 3.0
    assert lower_trigger(thresholds, "critical", fit) == 4.0


def test_a_trigger_warns_once_per_passing_and_lapses_after_a_day() -> None:
    level = np.array([1.0, 2.5, 1.0, 2.5] + [1.0] * 30 + [2.5])
    warnings = trigger_warnings(np.arange(len(level)) * H, level, 2.0)
    assert warnings == [Warned(H, 25 * H), Warned(34 * H, 58 * H)]
    assert trigger_warnings(np.arange(len(level)) * H, level, math.nan) == []
    assert trigger_warnings(np.arange(len(level)) * H, level, 9.0) == []


def test_persistence_stands_and_trend_goes_on() -> None:
    frame = Frame(start_us=0, step_us=H, level=np.array([1.0, 1.1, 1.2, 1.3, 1.6, math.nan]))
    rows = np.array([2, 4, 5])
    assert persistence(frame, rows, (1.0, 3.0)) == pytest.approx(
        np.array([[1.2, 1.2], [1.6, 1.6], [math.nan] * 2]), nan_ok=True
    )
    slope = 0.5 / 3
    expected = np.array([[1.2, 1.2], [1.6 + slope, 1.6 + 3 * slope], [math.nan] * 2])
    assert trend(frame, rows, (1.0, 3.0)) == pytest.approx(expected, nan_ok=True)
