"""Echoes become levels and tips become rain; what is no measurement is refused or named."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.sensing import (
    EchoStatus,
    apparent_distance_m,
    bucket_depth_mm,
    correct_intensity_linear,
    correct_intensity_power,
    echo_distance_m,
    echo_stage_m,
    echo_status,
    speed_of_sound_m_per_s,
    undercatch_fraction,
)

temperatures = st.floats(-20, 60)


def _echo_s(distance_m: float, temperature_cel: float) -> float:
    return 2 * distance_m / speed_of_sound_m_per_s(temperature_cel)


@given(distance_m=st.floats(0, 20), temperature=temperatures, height_m=st.floats(0, 30))
def test_the_echo_of_a_distance_gives_it_back(distance_m: float, temperature: float, height_m: float) -> None:
    echo = _echo_s(distance_m, temperature)
    assert echo_distance_m(echo, temperature_cel=temperature) == pytest.approx(distance_m)
    stage = echo_stage_m(echo, sensor_height_m=height_m, temperature_cel=temperature)
    assert stage == pytest.approx(height_m - distance_m)


@given(distance_m=st.floats(0.1, 10), assumed=temperatures, actual=temperatures)
def test_apparent_distance_is_what_the_wrong_temperature_reads_from_the_true_echo(
    distance_m: float, assumed: float, actual: float
) -> None:
    read = echo_distance_m(_echo_s(distance_m, actual), temperature_cel=assumed)
    assert apparent_distance_m(distance_m, assumed_cel=assumed, actual_cel=actual) == pytest.approx(read)


@pytest.mark.parametrize("echo_s", [-1e-6, math.nan, math.inf])
def test_what_is_no_echo_time_has_no_distance(echo_s: float) -> None:
    with pytest.raises(ValueError, match="echo time"):
        echo_distance_m(echo_s, temperature_cel=25)


@pytest.mark.parametrize("temperature", [-300, math.nan, math.inf])
def test_an_impossible_temperature_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        speed_of_sound_m_per_s(temperature)


@pytest.mark.parametrize(
    ("echo_s", "expected"),
    [
        pytest.param(None, EchoStatus.NO_ECHO, id="none"),
        pytest.param(0, EchoStatus.NO_ECHO, id="zero"),
        pytest.param(-1, EchoStatus.NO_ECHO, id="negative"),
        pytest.param(math.nan, EchoStatus.NO_ECHO, id="NaN"),
        pytest.param(math.inf, EchoStatus.NO_ECHO, id="for ever"),
        pytest.param(_echo_s(0.249, 25), EchoStatus.BLIND_ZONE, id="in the blind zone"),
        pytest.param(_echo_s(0.251, 25), EchoStatus.OK, id="beyond the blind zone"),
        pytest.param(_echo_s(4.499, 25), EchoStatus.OK, id="in range"),
        pytest.param(_echo_s(4.501, 25), EchoStatus.OUT_OF_RANGE, id="out of range"),
    ],
)
def test_a_ping_is_judged_by_the_range_of_its_sensor(echo_s: float | None, expected: EchoStatus) -> None:
    assert echo_status(echo_s, temperature_cel=25, min_m=0.25, max_m=4.5) is expected


@pytest.mark.parametrize(("low", "high"), [(-0.1, 4), (4, 4), (5, 4), (math.nan, 4)])
def test_an_empty_range_is_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="min_m"):
        echo_status(0.01, temperature_cel=25, min_m=low, max_m=high)


@given(rate=st.floats(0, 300), bucket=st.floats(0.1, 1))
def test_the_correction_puts_back_at_least_the_loss_and_nothing_in_no_rain(
    rate: float, bucket: float
) -> None:
    corrected = correct_intensity_linear(rate, mm_per_tip=bucket)
    assert corrected == pytest.approx(rate * (1 + undercatch_fraction(rate, mm_per_tip=bucket)))
    assert corrected >= rate
    assert correct_intensity_linear(0, mm_per_tip=bucket) == 0
    assert correct_intensity_linear(rate, mm_per_tip=bucket, tip_s=0) == rate


@given(rate=st.floats(0, 300))
def test_a_gauge_with_unit_coefficients_needs_no_correction(rate: float) -> None:
    assert correct_intensity_power(rate, a=1, b=1) == rate


def test_tips_are_depth() -> None:
    assert bucket_depth_mm(0, mm_per_tip=0.2) == 0
    assert bucket_depth_mm(7, mm_per_tip=0.5) == 3.5


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_impossible_tips_and_rates_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="tips"):
        bucket_depth_mm(bad, mm_per_tip=0.2)
    with pytest.raises(ValueError, match="intensity"):
        undercatch_fraction(bad, mm_per_tip=0.2)
    with pytest.raises(ValueError, match="intensity"):
        correct_intensity_power(bad, a=1, b=1)


def test_impossible_buckets_and_coefficients_are_refused() -> None:
    with pytest.raises(ValueError, match="mm_per_tip"):
        bucket_depth_mm(1, mm_per_tip=0)
    with pytest.raises(ValueError, match="tip_s"):
        undercatch_fraction(1, mm_per_tip=0.2, tip_s=-1)
    with pytest.raises(ValueError, match="coefficients"):
        correct_intensity_power(1, a=0, b=1)
