import math

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


def test_reaching_every_aim_adds_nothing_to_the_cost() -> None:
    assert Aims().objective(_match([100, 200], [95, 190])) == 0
    late = Aims().objective(_match([100, 200], [99, 199]))
    assert 0 < late < 5


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


def test_without_events_the_rule_says_that_it_was_not_tuned() -> None:
    tuned = tune({"alert": _task(np.random.default_rng(3), floods=0)}, horizons_h=(6.0,))["alert"]
    assert tuned.note
    assert tuned.policy.probability_on == pytest.approx(0.5)
