import csv
import json
import math
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.quality import (
    DEFAULT_PROFILES,
    QcProfile,
    QualityFlag,
    StreamingQc,
    failure_names,
    reason_names,
)
from serayu.models.quality.combine import reasons
from serayu.models.quality.qartod import run_profile
from tests.models.quality.series import irregular_series, profiles, stage_series

SHARED = Path(__file__).parents[4] / "shared"
MINUTE_US = 60_000_000
Series = tuple[list[int], list[float]]
ALL_TESTS = QcProfile(
    gross_fail=(-5, 40),
    gross_suspect=(0, 20),
    rate_suspect_per_s=0.5 / 600,
    rate_fail_per_s=1.5 / 600,
    spike_suspect=0.3,
    spike_fail=1.0,
    spike_method="differential",
    flat_suspect_s=3600,
    flat_fail_s=6 * 3600,
    flat_tolerance=0.002,
    gap_s=6 * 3600,
)


def last_words(qc: StreamingQc, times: list[int], values: list[float]) -> list[tuple[int, int]]:
    """Push a series and keep, for every value, the last (flag, tests) that was said of it."""
    kept: list[tuple[int, int]] = []
    for t_us, value in zip(times, values, strict=True):
        result = qc.push(t_us, value)
        if result.revised is not None and kept:
            kept[-1] = (int(result.revised[0]), result.revised[1])
        kept.append((int(result.flag), result.tests))
    return kept


def whole_series(times: list[int], values: list[float], profile: QcProfile) -> list[tuple[int, int]]:
    flags, tests = run_profile(values, np.array(times, dtype="datetime64[us]"), profile)
    masks = reasons(tests).tolist() if tests else [0] * len(values)
    return list(zip(flags.tolist(), masks, strict=True))


@settings(max_examples=300, deadline=None)
@given(series=irregular_series(), profile=profiles())
def test_the_last_word_on_every_value_is_that_of_the_whole_series(series: Series, profile: QcProfile) -> None:
    times, values = series
    assert last_words(StreamingQc(profile), times, values) == whole_series(times, values, profile)


@settings(max_examples=100, deadline=None)
@given(series=stage_series(), profile=st.sampled_from([ALL_TESTS, DEFAULT_PROFILES["stage"]]))
def test_a_river_gets_the_same_flags_value_by_value(series: Series, profile: QcProfile) -> None:
    times, values = series
    for each in (profile, profile.replace(spike_method="average")):
        assert last_words(StreamingQc(each), times, values) == whole_series(times, values, each)


@settings(max_examples=150, deadline=None)
@given(series=irregular_series(), profile=profiles(), data=st.data())
def test_a_state_that_went_through_json_goes_on_as_if_nothing_had_happened(
    series: Series, profile: QcProfile, data: st.DataObject
) -> None:
    times, values = series
    cut = data.draw(st.integers(0, len(times)))
    qc = StreamingQc(profile)
    last_words(qc, times[:cut], values[:cut])
    restored = StreamingQc.load(profile, json.loads(json.dumps(qc.dump())))
    assert restored.state_time_us == qc.state_time_us
    rest = zip(times[cut:], values[cut:], strict=True)
    assert [restored.push(*sample) == qc.push(*sample) for sample in rest] == [True] * (len(times) - cut)
    assert restored.dump() == qc.dump()


@settings(max_examples=150, deadline=None)
@given(series=irregular_series(), profile=profiles(), data=st.data())
def test_a_state_is_rebuilt_from_memory_s_and_two_values_more(
    series: Series, profile: QcProfile, data: st.DataObject
) -> None:
    times, values = series
    cut = data.draw(st.integers(0, len(times)))
    qc = StreamingQc(profile)
    last_words(qc, times[:cut], values[:cut])
    since = times[cut - 1] - qc.memory_s * 1_000_000 if cut else 0
    first = max(0, sum(t_us < since for t_us in times[:cut]) - 2)
    rebuilt = StreamingQc(profile)
    last_words(rebuilt, times[first:cut], values[first:cut])
    rest = list(zip(times[cut:], values[cut:], strict=True))
    assert [rebuilt.push(*sample) for sample in rest] == [qc.push(*sample) for sample in rest]


@settings(max_examples=100, deadline=None)
@given(series=irregular_series(), profile=profiles())
def test_a_missing_value_is_missing_and_nothing_else(series: Series, profile: QcProfile) -> None:
    for (flag, tests), value in zip(last_words(StreamingQc(profile), *series), series[1], strict=True):
        assert (flag == QualityFlag.MISSING) == (not math.isfinite(value))
        assert bool(tests) == (flag in {QualityFlag.SUSPECT, QualityFlag.FAIL})


def test_a_spike_is_known_one_value_later_and_says_why() -> None:
    qc = StreamingQc(ALL_TESTS)
    results = [qc.push(row * 10 * MINUTE_US, value) for row, value in enumerate([2.0, 4.1, 2.0])]
    assert [result.flag for result in results] == [1, 4, 4]
    assert results[1].reasons == ("rate_of_change",)
    assert results[2].revised is not None
    flag, tests = results[2].revised
    assert flag is QualityFlag.FAIL
    assert reason_names(tests) == failure_names(tests) == ("rate_of_change", "spike")


def test_a_value_that_stands_is_not_revised() -> None:
    qc = StreamingQc(ALL_TESTS)
    assert [qc.push(row * 10 * MINUTE_US, 2.0 + row / 100).revised for row in range(5)] == [None] * 5


def test_a_spike_test_alone_evaluates_a_value_once_it_has_both_neighbours() -> None:
    qc = StreamingQc(QcProfile(spike_suspect=1.0))
    results = [qc.push(row, value) for row, value in enumerate([2.0, 2.1, 2.2, math.nan, 2.0])]
    assert [result.flag for result in results] == [2, 2, 2, 9, 2]
    assert [result.revised for result in results] == [None, None, (QualityFlag.GOOD, 0), None, None]


def test_without_a_test_a_value_is_not_evaluated() -> None:
    qc = StreamingQc(QcProfile())
    assert [qc.push(row, value).flag for row, value in enumerate([1.0, math.nan, math.inf])] == [2, 9, 9]


@pytest.mark.parametrize("t_us", [0, 999, 1000])
def test_a_time_out_of_order_is_refused_and_changes_nothing(t_us: int) -> None:
    qc = StreamingQc(ALL_TESTS)
    assert qc.state_time_us is None
    qc.push(1000, 2.0)
    before = qc.dump()
    with pytest.raises(ValueError, match=f"t_us {t_us} is not after 1000"):
        qc.push(t_us, 9.0)
    assert qc.dump() == before
    assert qc.state_time_us == 1000


def test_the_state_stays_small_over_a_day_of_noise_and_a_day_of_rise() -> None:
    qc = StreamingQc(ALL_TESTS.replace(flat_tolerance=0.01, flat_fail_s=7 * 86400))
    rng = np.random.default_rng(7)
    calm = np.round(2 + rng.integers(0, 9, 8640) / 1000, 3)
    rise = 2 + np.arange(8640) / 1000
    for row, value in enumerate([*calm.tolist(), *rise.tolist()]):
        qc.push(row * 10_000_000, value)
        # At a resolution of 1 mm a stretch within 10 mm has at most 10 values: one entry each per queue.
        assert len(qc._highs) + len(qc._lows) <= 22


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 0}, "format: expected 1, got 0"),
        ({"value": ...}, "value: missing"),
        ({"lows": ...}, "lows: missing"),
    ],
    ids=["another format", "no value", "no queue"],
)
def test_a_state_that_is_none_is_refused(change: dict[str, Any], message: str) -> None:
    state = {**StreamingQc(ALL_TESTS).dump(), **change}
    state = {name: value for name, value in state.items() if value is not ...}
    with pytest.raises(ValueError, match=message):
        StreamingQc.load(ALL_TESTS, state)


def test_memory_is_that_of_the_longest_flat_line_and_none_without() -> None:
    assert StreamingQc(ALL_TESTS).memory_s == 6 * 3600
    assert StreamingQc(QcProfile(gross_fail=(0, 1))).memory_s == 0


def test_a_station_can_use_it_without_numpy() -> None:
    use = "import sys, serayu.models.quality as q; q.StreamingQc(q.QcProfile()).push(0, 1.0)"
    code = f"{use}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _flood_records() -> dict[str, list[tuple[int, float, str]]]:
    records: dict[str, list[tuple[int, float, str]]] = {}
    with (SHARED / "data/hydro/srilanka_ditwah/stage.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            t_us = round(datetime.fromisoformat(row["time_utc"]).timestamp()) * 1_000_000
            records.setdefault(row["station_id"], []).append((t_us, float(row["value"]), row["flag"]))
    return records


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not beside this checkout")
def test_a_real_flood_keeps_its_values_and_loses_its_four_telemetry_errors() -> None:
    profile = DEFAULT_PROFILES["stage"]
    flagged: dict[str, list[int]] = {"ok": [], "spike": []}
    for rows in _flood_records().values():
        times, values = [row[0] for row in rows], [row[1] for row in rows]
        words = last_words(StreamingQc(profile), times, values)
        assert words == whole_series(times, values, profile)
        for (flag, _), (_, _, label) in zip(words, rows, strict=True):
            flagged[label].append(flag)
    assert flagged["spike"] == [4, 4, 4, 4]
    assert QualityFlag.FAIL not in flagged["ok"]
    # Most of a flood is plain good; among the suspects are errors of one metre that the agency left unmarked.
    assert flagged["ok"].count(QualityFlag.GOOD) > 0.9 * len(flagged["ok"])


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not beside this checkout")
def test_a_tide_gauge_gets_the_same_flags_value_by_value() -> None:
    with (SHARED / "data/replay/ioos_water_level_example.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    times = [int(row["timestamp"]) * 1_000_000 for row in rows]
    values = [float(row["sea_surface_height_above_sea_level"] or "nan") for row in rows]
    assert len(times) > 100
    assert last_words(StreamingQc(ALL_TESTS), times, values) == whole_series(times, values, ALL_TESTS)
