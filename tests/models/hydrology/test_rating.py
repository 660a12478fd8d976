"""Rating curves: monotone, invertible, and found again from their own gaugings."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.hydrology.rating import RatingCurve, fit_rating, johnson_h0

curves = st.builds(RatingCurve, a=st.floats(0.5, 200), h0=st.floats(-2, 5), b=st.floats(1, 3))
depths = st.floats(0.05, 15)


@given(curve=curves, depth=depths)
def test_a_stage_comes_back_from_its_discharge(curve: RatingCurve, depth: float) -> None:
    stage = curve.h0 + depth
    assert curve.stage(curve.discharge(stage)) == pytest.approx(stage, abs=1e-6)


@given(curve=curves, low=st.floats(-5, 20), rise=st.floats(0, 5))
def test_more_stage_never_means_less_discharge_nor_a_negative_one(
    curve: RatingCurve, low: float, rise: float
) -> None:
    assert 0 <= curve.discharge(low) <= curve.discharge(low + rise)


@given(
    curve=curves, gauged=st.lists(depths, min_size=4, max_size=12, unique_by=lambda depth: round(depth, 1))
)
def test_a_fit_with_known_h0_finds_the_curve(curve: RatingCurve, gauged: list[float]) -> None:
    stages = curve.h0 + np.array(gauged)
    fit = fit_rating(stages, curve.discharge(stages), h0_m=curve.h0)
    assert (fit.curve.a, fit.curve.b) == pytest.approx((curve.a, curve.b), rel=1e-6)
    assert fit.curve.highest_gauged_m == float(stages.max())
    assert fit.gaugings_used == len(gauged)
    assert fit.log_rmse < 1e-6


@pytest.mark.parametrize("h0", [-0.4, 0.0, 0.25, 0.55])
def test_a_fit_finds_h0_as_well(h0: float) -> None:
    stages = np.array([0.6, 0.9, 1.3, 1.8, 2.4, 3.1])
    fit = fit_rating(stages, RatingCurve(15, h0, 1.8).discharge(stages))
    found = (fit.curve.a, fit.curve.h0, fit.curve.b)
    assert found == pytest.approx((15, h0, 1.8), abs=1e-3)


def test_gaugings_without_a_logarithm_are_left_out_and_counted() -> None:
    curve = RatingCurve(15, 0.25, 1.8)
    stages = np.array([0.1, 0.25, 0.6, 1.3, math.nan, 2.4, 3.1])
    flows = curve.discharge(stages)
    flows[5] = math.nan
    fit = fit_rating(stages, flows, h0_m=0.25)
    assert fit.gaugings_used == 3
    assert fit.curve.b == pytest.approx(1.8)


@pytest.mark.parametrize(
    ("stages", "flows", "h0", "reason"),
    [
        pytest.param([], [], None, "at least 3 usable", id="empty"),
        pytest.param([1.0, 2.0], [1.0, 4.0], None, "at least 3 usable", id="two points leave h0 open"),
        pytest.param([1.0, 1.0], [1.0, 4.0], 0.0, "at least 2 usable", id="one stage twice"),
        pytest.param([1.0, 2.0, 3.0], [0.0, 0.0, 0.0], None, "got 0", id="a dry river"),
        pytest.param([1.0, 2.0, 3.0], [9.0, 5.0, 2.0], 0.0, "does not grow", id="falling"),
        pytest.param([1.0, 2.0], [1.0], 0.0, "one length", id="unequal rows"),
    ],
)
def test_a_fit_refuses_gaugings_that_make_no_curve(
    stages: list[float], flows: list[float], h0: float | None, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        fit_rating(stages, flows, h0_m=h0)


def test_bounds_and_gaps() -> None:
    curve = RatingCurve(12.5, 0.35, 1.72)
    assert curve.discharge(0.35) == 0
    assert curve.discharge(-3) == 0
    assert curve.stage(0) == 0.35
    assert math.isnan(curve.discharge(math.nan))
    assert math.isnan(curve.stage(math.nan))
    assert curve.discharge(np.array([0.2, 1.35])).tolist() == pytest.approx([0, 12.5])
    assert curve.stage(np.array([0, 12.5])).tolist() == pytest.approx([0.35, 1.35])
    with pytest.raises(ValueError, match="negative"):
        curve.stage(-0.1)


@pytest.mark.parametrize(
    ("a", "h0", "b"), [(0, 0, 1), (1, 0, 0), (-1, 0, 1), (1, math.nan, 1), (math.inf, 0, 1), (1, 0, math.nan)]
)
def test_a_curve_that_is_none_is_refused(a: float, h0: float, b: float) -> None:
    with pytest.raises(ValueError, match="expected a > 0"):
        RatingCurve(a, h0, b)


def test_beyond_1_2_times_the_highest_gauging_a_discharge_is_extrapolated() -> None:
    curve = RatingCurve(12.5, 0.35, 1.72, highest_gauged_m=2.5)
    assert not curve.extrapolated(3.0)
    assert curve.extrapolated(3.01)
    assert RatingCurve(12.5, 0.35, 1.72).extrapolated(0.5)


@given(curve=curves, low=depths, rise=st.floats(0.5, 10))
def test_johnson_finds_h0_from_the_geometric_mean_of_two_discharges(
    curve: RatingCurve, low: float, rise: float
) -> None:
    h1, h2 = curve.h0 + low, curve.h0 + low + rise
    h3 = curve.stage(math.sqrt(curve.discharge(h1) * curve.discharge(h2)))
    found = johnson_h0(h1, h2, h3)
    assert found is not None
    # the difference h1 + h2 - 2 h3 is small for gaugings that are close: rounding grows
    assert found == pytest.approx(curve.h0, abs=1e-6 * (1 + low / rise) ** 2)


def test_johnson_has_no_answer_when_the_third_stage_is_midway() -> None:
    assert johnson_h0(1.0, 3.0, 2.0) is None
