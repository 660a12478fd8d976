"""Unit hydrographs carry the water of their rain, and their published shapes."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from serayu.models.hydrology.unit_hydrograph import (
    GamaI,
    Nakayasu,
    ScsUnitHydrograph,
    convolve,
    scs_lag_h,
)

areas = st.floats(0.5, 5000)
lengths = st.floats(0.5, 200)
nakayasus = st.builds(
    Nakayasu,
    area_km2=areas,
    length_km=lengths,
    alpha=st.floats(1.5, 3),
    duration_ratio=st.floats(0.5, 1),
)
rows = arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 100))


def _volume_m3(graph: Nakayasu, *, step_h: float) -> float:
    hours = np.arange(0, graph.time_to_peak_h + 60 * graph.recession_h, step_h)
    return float(np.trapezoid(graph.discharge(hours), hours)) * 3600


@given(graph=nakayasus)
def test_nakayasus_formula_holds_one_millimetre_over_the_area_within_three_percent(graph: Nakayasu) -> None:
    assert _volume_m3(graph, step_h=graph.time_to_peak_h / 50) == pytest.approx(
        1000 * graph.area_km2, rel=0.03
    )


@given(graph=nakayasus, share=st.floats(0.05, 1))
def test_ordinates_hold_exactly_one_millimetre_over_the_area(graph: Nakayasu, share: float) -> None:
    step_h = share * graph.time_to_peak_h
    ordinates = graph.ordinates(step_h=step_h)
    assert float(ordinates.sum()) * step_h * 3600 == pytest.approx(1000 * graph.area_km2, rel=1e-9)
    assert ordinates[0] == 0
    assert (ordinates >= 0).all()
    # what is cut off is small beside the peak
    assert ordinates[-1] <= 2e-3 * float(ordinates.max())


@given(graph=nakayasus)
def test_nakayasu_rises_to_its_peak_and_falls_without_a_jump(graph: Nakayasu) -> None:
    times = np.linspace(0, graph.time_to_peak_h + 8 * graph.recession_h, 4001)
    flow = graph.discharge(times)
    assert (np.diff(flow[times <= graph.time_to_peak_h]) >= 0).all()
    assert (np.diff(flow[times >= graph.time_to_peak_h]) <= 0).all()
    assert float(flow.max()) <= graph.peak_m3s
    assert float(np.abs(np.diff(flow)).max()) < 0.05 * graph.peak_m3s


@given(graph=nakayasus)
def test_the_limbs_of_the_recession_meet_at_03_009_and_0027_of_the_peak(graph: Nakayasu) -> None:
    shares = graph.discharge(graph.corner_times_h()) / graph.peak_m3s
    assert shares.tolist() == pytest.approx([0.5**2.4, 1, 0.3, 0.09, 0.027])


def test_nakayasu_has_one_lag_for_rivers_above_15_km_and_another_for_shorter_ones() -> None:
    graph = Nakayasu(area_km2=100, length_km=20)
    assert graph.lag_h == pytest.approx(1.56)
    assert dataclasses.replace(graph, length_km=15).lag_h == pytest.approx(0.21 * 15**0.7)
    assert dataclasses.replace(graph, length_km=15.001).lag_h == pytest.approx(1.270058)


def test_before_the_rain_there_is_no_flow_and_a_missing_time_has_none_known() -> None:
    flow = Nakayasu(area_km2=100, length_km=20).discharge([-1.0, 0.0, math.nan])
    assert flow[:2].tolist() == [0, 0]
    assert math.isnan(flow[2])


def test_more_rain_and_more_runoff_give_more_flow() -> None:
    graph = Nakayasu(area_km2=100, length_km=20)
    assert dataclasses.replace(graph, rain_mm=10, runoff_coefficient=0.5).peak_m3s == pytest.approx(
        5 * graph.peak_m3s
    )


@pytest.mark.parametrize("field", ["area_km2", "length_km", "alpha", "rain_mm", "duration_ratio"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_nakayasu_refuses_what_is_no_positive_number(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        dataclasses.replace(Nakayasu(area_km2=100, length_km=20), **{field: value})


@pytest.mark.parametrize("step_h", [0.0, -1.0, 2.6, math.nan])
def test_a_step_that_would_miss_the_flood_is_refused(step_h: float) -> None:
    with pytest.raises(ValueError, match="step"):
        Nakayasu(area_km2=100, length_km=20).ordinates(step_h=step_h)


@given(area_km2=areas, lag_h=st.floats(0.1, 50))
def test_the_scs_triangle_holds_one_centimetre_over_the_area(area_km2: float, lag_h: float) -> None:
    graph = ScsUnitHydrograph(area_km2=area_km2, lag_h=lag_h)
    times = np.linspace(0, graph.base_h, 8001)
    volume = float(np.trapezoid(graph.discharge(times), times)) * 3600
    assert volume == pytest.approx(10_000 * area_km2, rel=0.003)  # 2.08 is 2.0833 rounded


def test_scs_parameters_of_a_worked_example() -> None:
    """V. M. Ponce, San Diego State University, CIVE 445, homework 6 (area 11.2 km², CN 82)."""
    lag = scs_lag_h(length_m=4200, slope=0.02, curve_number=82)
    graph = ScsUnitHydrograph(area_km2=11.2, lag_h=lag)
    shown = [lag, graph.duration_h, graph.time_to_peak_h, graph.peak_m3s_per_cm, graph.base_h]
    assert shown == pytest.approx([1.72, 0.38, 1.91, 12.2, 9.55], abs=0.006)


@pytest.mark.parametrize(
    "change", [{"length_m": 0.0}, {"slope": 0.0}, {"curve_number": 0.0}, {"curve_number": 101.0}]
)
def test_scs_lag_refuses_what_is_out_of_range(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change)).split("_")[0]):
        scs_lag_h(**({"length_m": 4200.0, "slope": 0.02, "curve_number": 82.0} | change))


def test_gama_1_rises_in_a_line_and_empties_like_a_reservoir() -> None:
    graph = GamaI(
        area_km2=39.3,
        length_km=9.18,
        source_factor=0.59,
        symmetry_factor=1.05,
        junctions=10,
        slope=0.0001,
        drainage_density_km_per_km2=1,
    )
    rise, fall, peak = graph.time_to_rise_h, graph.storage_h, graph.peak_m3s
    flow = graph.discharge([-1, 0, rise / 2, rise, rise + fall])
    assert flow.tolist() == pytest.approx([0, 0, peak / 2, peak, peak / math.e])
    with pytest.raises(ValueError, match="slope"):
        dataclasses.replace(graph, slope=0)


@given(rain=rows, ordinates=rows)
def test_convolution_conserves_volume_and_makes_no_negative_flow(
    rain: np.ndarray, ordinates: np.ndarray
) -> None:
    flow = convolve(rain, ordinates)
    assert flow.shape == (rain.size + ordinates.size - 1,)
    assert float(flow.sum()) == pytest.approx(float(rain.sum() * ordinates.sum()))
    assert (flow >= 0).all()


@given(rain=rows, ordinates=rows)
def test_convolution_is_the_sum_of_shifted_unit_hydrographs(rain: np.ndarray, ordinates: np.ndarray) -> None:
    expected = [0.0] * (rain.size + ordinates.size - 1)
    for (step, depth), (lag, ordinate) in itertools.product(enumerate(rain), enumerate(ordinates)):
        expected[step + lag] += float(depth * ordinate)
    assert convolve(rain, ordinates).tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("rain", "ordinates"), [([], [1.0]), ([1.0], []), ([], [])])
def test_without_rain_or_ordinates_there_is_no_hydrograph(rain: list[float], ordinates: list[float]) -> None:
    assert convolve(rain, ordinates).tolist() == []


def test_convolution_refuses_tables() -> None:
    with pytest.raises(ValueError, match="rows"):
        convolve([[1.0]], [1.0])
