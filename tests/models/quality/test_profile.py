from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from serayu.models.properties import OBSERVED_PROPERTIES
from serayu.models.quality import DEFAULT_PROFILES, ClimatologySpan, QcProfile
from serayu.models.quality.climatology import time_us
from serayu.models.quality.qartod import run_profile

HOUR_S = 3600


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gross_fail": 5}, r"gross_fail: expected two numbers \(low, high\), got 5"),
        ({"gross_fail": "05"}, "gross_fail: expected two numbers"),
        ({"gross_fail": (1, 2, 3)}, "gross_fail: expected two numbers .* got 3"),
        ({"gross_fail": ("a", 2)}, "gross_fail: expected two numbers"),
        ({"gross_fail": (float("nan"), 2)}, "gross_fail: a bound is NaN"),
        ({"gross_suspect": (2, 1)}, "gross_suspect: low 2 exceeds high 1"),
        ({"gross_fail": (0, 5), "gross_suspect": (-1, 4)}, "gross_suspect .* within gross_fail"),
        ({"rate_suspect_per_s": 2, "rate_fail_per_s": 1}, "rate_suspect_per_s 2 exceeds rate_fail_per_s 1"),
        ({"rate_fail_per_s": -1}, "rate_fail_per_s: must not be negative, got -1"),
        ({"spike_suspect": 2, "spike_fail": 1.5}, "spike_suspect 2 exceeds spike_fail 1.5"),
        ({"spike_suspect": 0.1, "spike_fail": 0}, "spike_suspect 0.1 exceeds spike_fail 0"),
        ({"spike_fail": float("inf")}, "spike_fail: expected a finite number"),
        ({"spike_fail": True}, "spike_fail: expected a number, got True"),
        ({"spike_method": "mean"}, "spike_method: 'mean' is none of average, differential"),
        (
            {"flat_suspect_s": 2, "flat_fail_s": 1, "flat_tolerance": 1},
            "flat_suspect_s 2 exceeds flat_fail_s 1",
        ),
        ({"flat_suspect_s": 60}, "flat_tolerance: the flat line test"),
        ({"flat_fail_s": 60, "flat_tolerance": 0}, "flat_tolerance: must be greater than 0, got 0"),
        ({"flat_suspect_s": 0, "flat_tolerance": 1}, "flat_suspect_s: must be greater than 0"),
        ({"gap_s": "6h"}, "gap_s: expected a number, got '6h'"),
        ({"gap_s": 0}, "gap_s: must be greater than 0"),
        ({"climatology": "dry"}, "climatology: expected a list"),
        ({"climatology": ["dry"]}, r"climatology\[0\]: expected a mapping, got 'dry'"),
        (
            {"climatology": [{"tspan": (1, 2), "vspan": (2, 1), "period": "month"}]},
            r"climatology\[0\]: vspan: low 2",
        ),
        ({"spikes": 1}, "spikes: unknown field of a quality profile; known: climatology, flat_fail_s"),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_a_profile_that_makes_no_sense_is_refused_by_field(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QcProfile.from_mapping(settings)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"vspan": (1, 2)}, "tspan: a climatology span needs it"),
        ({"tspan": (1, 2), "period": "month"}, "vspan: a climatology span needs it"),
        ({"tspan": (1, 2), "vspan": (1, 2), "season": 1}, "season: unknown field"),
        (
            {"tspan": (1, 2), "vspan": (1, 2), "period": "moon"},
            "period: 'moon' is none of year, quarter, month",
        ),
        ({"tspan": (1.5, 2), "vspan": (1, 2), "period": "month"}, "tspan: expected whole numbers"),
        ({"tspan": ("2011-13", "2012"), "vspan": (1, 2)}, "tspan: '2011-13-01' is no ISO 8601 time"),
        ({"tspan": (1, 2), "vspan": (1, 2)}, "tspan: expected a time, got 1"),
        ({"tspan": "2011", "vspan": (1, 2)}, "tspan: expected two times"),
        (
            {"tspan": (1, 2), "vspan": (0, 5), "fspan": (1, 4), "period": "month"},
            "vspan .* must lie within fspan",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_a_climatology_span_that_makes_no_sense_is_refused_by_field(
    mapping: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ClimatologySpan.from_mapping(mapping)


def test_a_time_without_offset_is_utc() -> None:
    assert time_us("1970-01") == 0
    assert time_us("1970-01-01T07:00:00+07:00") == 0
    assert time_us("1970-01-02T00:00:00Z") == 86_400_000_000


def test_zero_is_a_threshold_and_runs_its_test() -> None:
    profile = QcProfile(rate_fail_per_s=0, spike_suspect=0, gross_fail=(0, 0))
    assert profile.runs_rate_of_change
    assert profile.runs_spike
    assert profile.runs_gross_range
    assert not profile.runs_flat_line
    assert not QcProfile().runs_spike


def test_a_profile_is_frozen_and_its_copy_is_checked() -> None:
    profile = QcProfile.from_mapping({"spike_suspect": 1, "gross_fail": [0, 5]})
    assert profile.gross_fail == (0.0, 5.0)
    assert profile.replace(spike_suspect=None) == QcProfile(gross_fail=(0, 5))
    with pytest.raises(FrozenInstanceError):
        profile.spike_suspect = 2.0  # type: ignore[misc]
    with pytest.raises(ValueError, match=r"spike_suspect 1 exceeds spike_fail 0\.5"):
        profile.replace(spike_fail=0.5)
    with pytest.raises(ValueError, match="spike: unknown field"):
        profile.replace(spike=1)


def test_every_observed_property_has_a_profile_within_its_physical_range() -> None:
    assert set(DEFAULT_PROFILES) == set(OBSERVED_PROPERTIES)
    for slug, profile in DEFAULT_PROFILES.items():
        low, high = OBSERVED_PROPERTIES[slug].physical_range
        assert profile.gross_fail is not None
        assert low <= profile.gross_fail[0] < profile.gross_fail[1] <= high, slug


def test_no_default_profile_fails_a_fast_change_or_a_flat_line() -> None:
    for slug, profile in DEFAULT_PROFILES.items():
        assert profile.rate_fail_per_s is None, slug
        assert profile.flat_fail_s is None, slug


def stage_flags(values: list[float], step_s: float) -> list[int]:
    flags, _ = run_profile(values, np.arange(len(values)) * step_s, DEFAULT_PROFILES["stage"])
    return [int(flag) for flag in flags]


def test_a_flash_flood_is_never_failed() -> None:
    # 4 m in half an hour is beyond anything on record for Banyumas: invented, to be harsher than reality.
    assert max(stage_flags([1.0, 1.1, 2.5, 4.1, 5.0, 5.1, 5.0, 4.8, 4.5], 600)) == 3


def test_an_hourly_crest_is_at_most_suspect() -> None:
    assert stage_flags([2.42, 2.63, 3.98, 2.52, 2.42], HOUR_S) == [1, 1, 3, 1, 1]


def test_a_telemetry_error_of_three_metres_fails_and_the_jump_back_is_suspect() -> None:
    assert stage_flags([4.93, 4.91, 1.76, 4.89, 4.85], HOUR_S) == [1, 1, 4, 3, 1]


def test_a_dry_season_river_is_suspect_after_six_hours_and_never_fails() -> None:
    flags = stage_flags([0.42] * 24 * 40, HOUR_S)
    assert flags[:7] == [1, 1, 1, 1, 1, 1, 3]
    assert set(flags[6:]) == {3}


def test_weeks_without_rain_are_good() -> None:
    flags, _ = run_profile([0.0] * 24 * 40, np.arange(24 * 40) * HOUR_S, DEFAULT_PROFILES["rain"])
    assert set(flags.tolist()) == {1}


def test_a_thermometer_that_did_not_convert_fails() -> None:
    flags, _ = run_profile([26.1, 85.0, 26.2], [0, 600, 1200], DEFAULT_PROFILES["soil-temperature"])
    assert flags.tolist() == [1, 4, 1]
