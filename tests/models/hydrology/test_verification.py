"""Scores at their best, at no skill, and where they are undefined."""

import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.hydrology.verification import (
    Contingency,
    continuous_scores,
    lead_time,
    persistence_index,
    summarise_lead_times,
)

OBSERVED = [1.2, 1.5, 2.1, 3.4, 5.0, 4.2, 3.1, 2.4, 1.9, 1.6]
NAMES = ("pod", "far", "csi", "bias", "pofd", "accuracy", "ets", "hss", "tss")
counts = st.integers(0, 1000)


def _all(scores: Contingency) -> dict[str, float | None]:
    return {name: getattr(scores, name) for name in NAMES}


def test_nothing_counted_leaves_every_score_undefined() -> None:
    table = Contingency(hits=0, false_alarms=0, misses=0, correct_negatives=0)
    assert set(_all(table).values()) == {None}


def test_quiet_times_without_a_warning_are_accurate_and_say_nothing_else() -> None:
    scores = _all(Contingency(hits=0, false_alarms=0, misses=0, correct_negatives=9))
    assert scores == dict.fromkeys(NAMES) | {"pofd": 0, "accuracy": 1}


def test_perfect_warnings() -> None:
    scores = _all(Contingency(hits=4, false_alarms=0, misses=0, correct_negatives=9))
    best = {"pod": 1, "far": 0, "csi": 1, "bias": 1, "pofd": 0, "accuracy": 1, "ets": 1, "hss": 1, "tss": 1}
    assert scores == pytest.approx(best)


def test_without_correct_negatives_only_scores_that_need_them_are_undefined() -> None:
    scores = _all(Contingency(hits=3, false_alarms=1, misses=1))
    assert [name for name in NAMES if scores[name] is None] == ["pofd", "accuracy", "ets", "hss", "tss"]


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Contingency(hits=1, false_alarms=-1, misses=0, correct_negatives=0)


@given(hits=counts, false_alarms=counts, misses=counts, negatives=counts)
def test_scores_stay_in_their_ranges(hits: int, false_alarms: int, misses: int, negatives: int) -> None:
    scores = _all(
        Contingency(hits=hits, false_alarms=false_alarms, misses=misses, correct_negatives=negatives)
    )
    lowest = dict.fromkeys(NAMES, 0.0) | {"ets": -1 / 3, "hss": -1.0, "tss": -1.0}
    for name, value in scores.items():
        if value is not None:
            assert value >= lowest[name] - 1e-9
            assert name == "bias" or value <= 1 + 1e-9


def test_a_perfect_series() -> None:
    scores = continuous_scores(OBSERVED, OBSERVED)
    assert scores.rmse == 0
    best = (scores.nse, scores.r, scores.alpha, scores.beta, scores.kge, scores.kge_prime, scores.persistence)
    assert best == pytest.approx((1,) * 7)


def test_the_mean_has_no_nash_sutcliffe_skill_and_no_correlation() -> None:
    scores = continuous_scores([2.64] * 10, OBSERVED)
    assert scores.nse == pytest.approx(0)
    assert (scores.r, scores.kge, scores.kge_prime) == (None, None, None)
    assert (scores.alpha, scores.beta) == pytest.approx((0, 1))


def test_constant_observations_leave_what_compares_spreads_undefined() -> None:
    scores = continuous_scores([0.1, 0.2, 0.4], [0.1, 0.1, 0.1])
    assert (scores.nse, scores.r, scores.alpha, scores.kge, scores.persistence) == (None,) * 5
    assert scores.rmse == pytest.approx(math.sqrt(0.1 / 3))


@pytest.mark.parametrize("series", [[], [None, None], [math.nan]])
def test_nothing_to_compare_has_no_score(series: list[float | None]) -> None:
    scores = continuous_scores(series, series)
    assert scores.n == 0
    assert {scores.rmse, scores.nse, scores.kge, scores.persistence} == {None}


def test_missing_pairs_are_left_out_and_do_not_shift_the_lead() -> None:
    observed: list[float | None] = [1.0, None, 3.0, 4.0, 6.0]
    simulated: list[float | None] = [1.0, 2.0, 3.5, None, 5.0]
    assert continuous_scores(simulated, observed).n == 3
    # of the steps of one, only 4 to 6 has simulation, observation and the observation before
    assert persistence_index(simulated, observed, lead=1) == pytest.approx(1 - 1 / 4)


def test_persistence_itself_has_no_skill_over_persistence() -> None:
    assert persistence_index([0.0, *OBSERVED[:-1]], OBSERVED, lead=1) == pytest.approx(0)


@pytest.mark.parametrize("lead", [10, 11])
def test_a_lead_as_long_as_the_series_has_no_persistence_index(lead: int) -> None:
    assert persistence_index(OBSERVED, OBSERVED, lead=lead) is None


def test_wrong_shapes_and_leads_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        continuous_scores([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="lead"):
        persistence_index(OBSERVED, OBSERVED, lead=0)


@given(st.lists(st.tuples(st.floats(0.1, 100), st.floats(0.1, 100)), min_size=2, max_size=30))
def test_no_score_exceeds_one_and_correlation_is_numpys(pairs: list[tuple[float, float]]) -> None:
    simulated, observed = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    scores = continuous_scores(simulated, observed)
    for value in (scores.nse, scores.kge, scores.kge_prime, scores.persistence):
        assert value is None or value <= 1 + 1e-9
    if scores.r is not None and np.std(simulated) > 1e-6 and np.std(observed) > 1e-6:
        assert scores.r == pytest.approx(float(np.corrcoef(simulated, observed)[0, 1]), abs=1e-6)


ALERT = datetime(2026, 1, 10, 14, 20, tzinfo=timezone(timedelta(hours=7)))


def test_lead_time_counts_across_zones_and_is_negative_when_late() -> None:
    assert lead_time(ALERT, datetime(2026, 1, 10, 10, 5, tzinfo=UTC)) == timedelta(minutes=165)
    assert lead_time(ALERT, ALERT - timedelta(minutes=5)) == timedelta(minutes=-5)


def test_without_a_warning_or_a_crossing_there_is_no_lead_time() -> None:
    assert lead_time(None, ALERT) is None
    assert lead_time(ALERT, None) is None


def test_a_time_without_zone_beside_one_with_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        lead_time(ALERT, ALERT.replace(tzinfo=None))


def test_lead_times_are_summarised_by_median_and_share() -> None:
    minutes = [timedelta(minutes=value) for value in (30, 60, 180, 90)]
    summary = summarise_lead_times(minutes, required=timedelta(hours=1))
    assert (summary.median, summary.share_sufficient) == (timedelta(minutes=75), 0.75)
    nothing = summarise_lead_times([], required=timedelta(hours=1))
    assert (nothing.median, nothing.share_sufficient) == (None, None)
