import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.flood.clean import LevelLimits, LevelQc, Verdict, clean_level, clean_rain, learn_limits
from serayu.models.times import US_PER_HOUR
from tests.flood.chain import damage_level, make_chain

H = US_PER_HOUR
LIMITS = LevelLimits(
    rise=0.8,
    fall=0.4,
    step_us=H,
    low=0.0,
    high=6.0,
    stuck_low_us=48 * H,
    stuck_high_us=12 * H,
    high_water=2.0,
)


def _verdicts(values: list[float], limits: LevelLimits = LIMITS) -> list[Verdict]:
    qc = LevelQc(limits)
    return [qc.push(row * H, value) for row, value in enumerate(values)]


def _good(values: list[float]) -> list[bool]:
    n = len(values)
    good = clean_level(np.arange(n) * H, np.array(values), np.zeros(n, bool), LIMITS)[1]
    return [bool(each) for each in good]


G, J, X = Verdict.GOOD, Verdict.JUMP, Verdict.OUTSIDE


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([1.0, math.nan, 1.1], [G, Verdict.MISSING, G]),
        ([1.0, 1.1, 11.0, 1.2], [G, G, X, G]),  # a decimal point in the wrong place
        ([1.0, 2.5, 1.1], [G, J, G]),  # a spike
        ([1.0, 2.5, 3.0, 3.2], [G, J, G, G]),  # a flash flood: believed with the next value
        ([3.0, 0.3, 0.35, 2.9], [G, J, G, J]),  # a fall that lasts is believed too
        ([1.0, 2.5, 4.1, 1.1], [G, J, J, G]),  # two wrong values that do not bear one another out
        ([1.0] + [20.0] * 9, [G] + [X] * 6 + [G] * 3),  # far outside: six more must agree
        ([5.5, 6.0, 6.5, 7.2, 9.0], [G, G, G, G, X]),  # a record flood climbs out of the span
    ],
)
def test_verdicts_use_only_what_came_before(values: list[float], expected: list[Verdict]) -> None:
    assert _verdicts(values) == expected


def test_a_flash_flood_is_whole_in_hindsight_and_a_spike_is_not() -> None:
    assert _good([1.0, 2.5, 3.0, 3.2]) == [True, True, True, True]
    assert _good([1.0, 2.5, 1.1, 1.0]) == [True, False, True, True]


def test_a_record_flood_that_leaps_above_all_that_was_seen_is_whole_in_hindsight() -> None:
    assert _good([1.0, *[9.0, 9.5, 9.9, 9.9, 9.7, 9.5, 9.3, 9.1]]) == [True] * 9
    assert _good([1.0, 11.0, 11.5, 1.2, 1.1]) == [True, False, False, True, True]  # two misplaced points


def test_a_second_value_for_the_same_hour_does_not_count_unless_the_first_was_not_believed() -> None:
    qc = LevelQc(LIMITS)
    assert [qc.push(0, 1.0), qc.push(0, 1.2), qc.push(H, 9.9), qc.push(H, 1.1)] == [
        G,
        Verdict.REPEATED,
        X,
        G,
    ]


def test_a_sensor_that_stands_still_at_high_water_is_stuck_until_it_moves() -> None:
    verdicts = _verdicts([2.5] * 20 + [2.4])
    assert verdicts[:13] == [G] * 13
    assert verdicts[13:20] == [Verdict.STUCK] * 7
    assert verdicts[20] == G


def test_what_the_agency_distrusts_is_not_used() -> None:
    assert LevelQc(LIMITS).push(0, 1.0, flagged=True) is Verdict.FLAGGED


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([0.5, 0.6, 1.0, 2.0, 3.0, 5.0, 10.0, 50.0, math.nan]), max_size=30),
    st.lists(st.sampled_from([0.5, 3.0, 50.0]), max_size=5),
)
def test_what_comes_later_changes_no_verdict(values: list[float], later: list[float]) -> None:
    assert _verdicts(values + later)[: len(values)] == _verdicts(values)


def test_too_few_values_teach_nothing_and_refuse_nothing() -> None:
    limits = learn_limits(np.arange(10) * H, np.arange(10.0), np.zeros(10, bool))
    assert _verdicts([0.0, 100.0, -3.0], limits) == [G, G, G]


@pytest.mark.parametrize("seed", [2, 5])
def test_typed_errors_make_no_floods_and_floods_are_kept(seed: int) -> None:
    """Invented river, invented errors; counts are of what a false alarm and a lost flood would come from."""
    chain = make_chain(seed, years=2.0)
    rng = np.random.default_rng(seed)
    for truth, (alert, _, _) in zip(chain.truth, chain.thresholds, strict=True):
        read = damage_level(truth, chain.time_us, rng=rng, resolution_m=chain.resolution_m, rate=0.006)
        none = np.zeros(len(read.value), bool)
        fit = len(read.value) // 2
        limits = learn_limits(read.time_us[:fit], read.value[:fit], none[:fit])
        verdicts, good = clean_level(read.time_us, read.value, none, limits)
        true = np.interp(read.time_us, chain.time_us, truth)
        first = verdicts != Verdict.REPEATED
        made_up = first & read.wrong & (read.value > alert) & (true <= alert - 0.1)
        flood = first & ~read.wrong & (read.value > alert)
        assert made_up.sum() >= 6
        assert (verdicts[made_up] == Verdict.GOOD).mean() <= 0.2
        assert good[made_up].mean() < 0.2  # most of them: a level written again and again at high water
        assert good[flood].mean() > 0.97


def test_rain_that_cannot_be_is_unknown_not_zero() -> None:
    value = np.array([0.0, -1.0, 999.0, 5.0, 5.0, math.nan])
    flagged = np.array([False, False, False, False, True, False])
    clean = clean_rain(value, flagged, np.ones(6, bool))
    assert clean.tolist() == pytest.approx([0.0, math.nan, math.nan, 5.0, math.nan, math.nan], nan_ok=True)


def test_rain_far_above_the_record_of_the_fit_part_is_unknown() -> None:
    value = np.concatenate((np.linspace(0.2, 20.0, 200), [58.0, 150.0]))
    clean = clean_rain(value, np.zeros(202, bool), np.arange(202) < 200)
    assert np.isnan(clean).tolist() == [False] * 201 + [True]
