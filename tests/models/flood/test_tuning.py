import math
from dataclasses import replace

import numpy as np
import pytest

from serayu.models.flood.events import Event, Match, Warned, match_warnings
from serayu.models.flood.policy import Signals
from serayu.models.flood.tuning import Aims, LevelTask, tune
from serayu.models.times import US_PER_HOUR

H = US_PER_HOUR


def _match(crossings_h: list[int], issues_h: list[int]) -> Match:
    return match_warnings([c * H for c in crossings_h], [Warned(i * H, (i + 24) * H) for i in issues_h])


def test_cost_counts_a_miss_five_times() -> None:
    assert Aims().cost(_match([100, 200], [95, 300])) == 6
    assert Aims(miss_cost=2).cost(_match([100, 200], [95, 300])) == 3


@pytest.mark.parametrize(
    ("tally", "expected"),
    [
        ((10, 0, 0, 10), 0.0),
        ((10, 0, 3, 5), 0.3),  # 3 of 13 are false: within the aim; half of the hits come in time
        ((10, 0, 0, 0), 1.0),  # every hit late
        ((0, 10, 0, 0), 5 + 2.5 * 0.85 + 1.0),
        ((0, 0, 0, 0), 2.5 * 0.85 + 1.0),  # nothing is known: the same of all rules
    ],
)
def test_falling_short_of_an_aim_adds_to_the_cost(
    tally: tuple[float, float, float, float], expected: float
) -> None:
    assert float(Aims().objectives(np.array(tally, dtype=float))) == pytest.approx(expected)


def _task(rng: np.random.Generator, *, floods: int) -> LevelTask:
    """Floods 100 h apart; the probability is high from 8 h before each, and for 3 h at as many false starts."""
    n = 100 * floods + 200
    level, likely = np.full(n, 1.0), rng.uniform(0, 0.1, n)
    events = []
    for flood in range(floods):
        at = 100 * (flood + 1)
        level[at : at + 5] = 3.0
        likely[at - 8 : at] = 0.7
        likely[at + 50 : at + 53] = 0.3
        events.append(Event(at * H, (at + 4) * H, 3.0))
    signals = Signals(
        t_us=np.arange(n) * H, level=level, probabilities=likely[:, np.newaxis], upstream=np.full(n, math.nan)
    )
    return LevelTask(limit=2.0, usual=1.0, signals=signals, events=events)


def test_the_rule_lies_between_the_false_starts_and_the_floods() -> None:
    task = _task(np.random.default_rng(1), floods=12)
    tuned = tune({"alert": task}, horizons_h=(6.0,))["alert"]
    assert 0.3 < tuned.policy.probability_on <= 0.7
    assert (tuned.match.counts.hits, tuned.match.counts.false_alarms) == (12, 0)
    assert np.median(tuned.match.leads_us) >= 3 * H


def test_a_limit_seldom_passed_borrows_from_the_others() -> None:
    rng = np.random.default_rng(2)
    common, rare = _task(rng, floods=12), _task(rng, floods=1)
    tuned = tune({"alert": common, "critical": rare}, horizons_h=(6.0,))
    assert 0.3 < tuned["critical"].policy.probability_on <= 0.7


def test_with_few_events_the_fixed_limit_warns() -> None:
    task = replace(_task(np.random.default_rng(3), floods=2), lower=1.6)
    tuned = tune({"alert": task}, horizons_h=(6.0,))["alert"]
    assert tuned.note
    assert tuned.form.family == "threshold_only"
    assert tuned.policy.level_on == 1.6


def test_without_a_single_row_the_fixed_limit_warns() -> None:
    task = LevelTask(
        limit=2.0, usual=1.0, signals=_task(np.random.default_rng(1), floods=0).signals, events=[]
    )
    none = Signals(
        t_us=np.zeros(0, dtype=np.int64),
        level=np.zeros(0),
        probabilities=np.zeros((0, 1)),
        upstream=np.zeros(0),
    )
    for signals in (task.signals, none):
        tuned = tune({"alert": replace(task, signals=signals)}, horizons_h=(6.0,))["alert"]
        assert tuned.note
        assert tuned.policy.level_on == math.inf  # the lower level is unknown: no warning rather than a guess


def test_a_forecast_that_knows_nothing_leaves_the_word_to_the_post_above() -> None:
    rng = np.random.default_rng(4)
    task = _task(rng, floods=20)
    level, upstream = task.signals.level, np.full(len(task.signals), 1.0)
    for event in task.events:
        at = event.crossing_us // H
        upstream[at - 6 : at + 2] = 5.0
    signals = Signals(
        t_us=task.signals.t_us,
        level=level,
        probabilities=rng.uniform(0, 1, (len(level), 1)),
        upstream=upstream,
    )
    task = replace(task, signals=signals, lower=1.6)
    tuned = tune({"alert": task}, horizons_h=(6.0,), upstream_levels=(3.0,), upstream_alert=4.0)["alert"]
    assert tuned.policy.upstream_on in (3.0, 4.0)
    assert (tuned.match.counts.hits, tuned.match.counts.false_alarms) == (20, 0)


def test_a_rule_found_by_luck_gives_way_to_the_fixed_limit() -> None:
    """Probabilities are noise; the level rises to 1.7 before each flood and at no other time."""
    rng = np.random.default_rng(5)
    task = _task(rng, floods=10)
    level = task.signals.level.copy()
    for event in task.events:
        at = event.crossing_us // H
        level[at - 5 : at] = 1.7
    signals = replace(task.signals, level=level, probabilities=rng.uniform(0, 0.5, (len(level), 2)))
    task = replace(task, signals=signals, lower=1.6)
    tuned = tune({"alert": task}, horizons_h=(3.0, 6.0))["alert"]
    assert (tuned.match.counts.misses, tuned.match.counts.false_alarms) == (0, 0)
    assert 1.0 < tuned.policy.level_on < 1.7
