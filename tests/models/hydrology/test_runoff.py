"""SCS losses: what a storm loses, and what no parameter may change."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from serayu.models.hydrology.runoff import excess_rain_mm, retention_mm, scs_runoff_mm

curve_numbers = st.floats(1, 100)
rains = arrays(np.float64, st.integers(0, 40), elements=st.floats(0, 200))


@pytest.mark.parametrize(
    ("rain", "curve_number", "expected"),
    [
        pytest.param(0.0, 80, 0.0, id="no rain"),
        pytest.param(0.2 * (25400 / 80 - 254), 80, 0.0, id="just the initial abstraction"),
        pytest.param(0.0, 100, 0.0, id="no rain on water"),
        pytest.param(50.0, 100, 50.0, id="everything runs off water"),
        pytest.param(50.0, 84, 18.3, id="Ponce, homework 6: 5 cm, CN 84, 1.8 cm"),
        pytest.param(201.0, 77, 132.0, id="Ponce, homework 6: 201 mm and 132 mm are CN 77"),
    ],
)
def test_runoff_of_a_storm(rain: float, curve_number: float, expected: float) -> None:
    assert scs_runoff_mm(rain, curve_number=curve_number) == pytest.approx(expected, abs=0.2)


def test_a_missing_depth_stays_missing_and_an_empty_series_empty() -> None:
    assert math.isnan(scs_runoff_mm(math.nan, curve_number=80))
    assert excess_rain_mm([], curve_number=80).tolist() == []
    after_gap = excess_rain_mm([60.0, math.nan, 10.0], curve_number=80)
    assert after_gap[0] > 0
    assert np.isnan(after_gap[1:]).all()


@pytest.mark.parametrize("curve_number", [0, -5, 100.1, math.nan])
def test_a_curve_number_off_its_scale_is_refused(curve_number: float) -> None:
    with pytest.raises(ValueError, match="curve number"):
        retention_mm(curve_number)


def test_negative_rain_and_ratio_are_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        scs_runoff_mm(np.array([1.0, -1.0]), curve_number=80)
    with pytest.raises(ValueError, match="abstraction ratio"):
        scs_runoff_mm(1.0, curve_number=80, abstraction_ratio=-0.1)
    with pytest.raises(ValueError, match="one row"):
        excess_rain_mm([[1.0]], curve_number=80)


@given(rain=rains, curve_number=curve_numbers)
def test_effective_rain_is_between_nothing_and_the_rain_and_sums_to_the_runoff(
    rain: np.ndarray, curve_number: float
) -> None:
    excess = excess_rain_mm(rain, curve_number=curve_number)
    assert (excess >= 0).all()
    assert (excess <= rain + 1e-9).all()
    runoff = scs_runoff_mm(float(rain.sum()), curve_number=curve_number)
    assert float(excess.sum()) == pytest.approx(runoff, abs=1e-6)


@given(rain=st.floats(0, 500), curve_number=st.floats(1, 99), more=st.floats(0, 1))
def test_a_sealed_catchment_never_yields_less(rain: float, curve_number: float, more: float) -> None:
    sealed = curve_number + more
    assert scs_runoff_mm(rain, curve_number=sealed) >= scs_runoff_mm(rain, curve_number=curve_number) - 1e-9
