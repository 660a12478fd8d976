import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.flood.baselines import trigger_warnings
from serayu.models.flood.events import LAPSE_US, Warned
from serayu.models.flood.policy import PolicyState, Signals, Situation, WarningPolicy, simulate, thinned
from serayu.models.times import US_PER_HOUR

H = US_PER_HOUR
POLICY = WarningPolicy(limit=2.0, horizons=(0,), probability_on=0.5)


def _signals(level: list[float], probability: list[float], step_us: int = H) -> Signals:
    n = len(level)
    return Signals(
        t_us=np.arange(n) * step_us,
        level=np.array(level, dtype=float),
        probabilities=np.array(probability, dtype=float).reshape(n, 1),
        upstream=np.full(n, math.nan),
    )


def _stepwise(policy: WarningPolicy, signals: Signals) -> list[Warned]:
    """What a live program does: one step for each row."""
    state = PolicyState()
    warnings: list[Warned] = []
    for row in range(len(signals)):
        act = policy.step(state, signals.situation(row))
        if act is not None and act.ended is not None:
            warnings.append(act.ended)
    if state.issue_us is not None:
        warnings.append(Warned(state.issue_us, state.until_us))
    return warnings


def test_no_rows_give_no_warnings() -> None:
    assert simulate(POLICY, _signals([], [])) == []


def test_a_warning_comes_before_the_crossing_and_ends_with_it() -> None:
    signals = _signals([1, 1, 1.5, 2.5, 2.6, 1.5], [0.1, 0.6, 0.9, 1.0, 1.0, 0.9])
    assert simulate(POLICY, signals) == [Warned(1 * H, 3 * H)]


def test_none_is_issued_while_the_flood_runs_nor_for_six_hours_after() -> None:
    level = [3.0] * 3 + [1.0] * 8
    signals = _signals(level, [1.0] * 11)
    assert simulate(POLICY, signals) == [Warned(9 * H, 33 * H)]


def test_a_warning_lapses_after_a_day_and_is_not_repeated_for_the_same_reason() -> None:
    assert simulate(POLICY, _signals([1.0] * 60, [0.6] * 60)) == [Warned(0, 24 * H)]


def test_a_renewal_is_a_warning_of_its_own() -> None:
    warnings = simulate(replace(POLICY, renew=True), _signals([1.0] * 60, [0.6] * 60))
    assert warnings == [Warned(0, 24 * H), Warned(24 * H, 48 * H), Warned(48 * H, 72 * H)]


def test_a_warning_without_reason_ends_when_its_hold_is_over() -> None:
    policy = replace(POLICY, hold_us=3 * H)
    assert simulate(policy, _signals([1.0] * 12, [0.6, 0.6] + [0.0] * 10)) == [Warned(0, 4 * H)]


def test_a_probability_that_wavers_above_its_slack_does_not_flap() -> None:
    policy = replace(POLICY, hold_us=H)
    assert len(simulate(policy, _signals([1.0] * 20, [0.6, 0.4] * 10))) == 1


def test_confirmation_waits_for_a_second_row() -> None:
    policy = replace(POLICY, confirm=2)
    assert simulate(policy, _signals([1.0] * 6, [0.6, 0.1, 0.6, 0.6, 0.1, 0.1])) == [Warned(3 * H, 27 * H)]


@pytest.mark.parametrize(
    ("policy", "situation", "expected"),
    [
        (POLICY, Situation(t_us=0, level=1.0, probabilities=(0.5,)), True),
        (POLICY, Situation(t_us=0, level=math.nan, probabilities=(0.5,)), True),  # the post is silent
        (POLICY, Situation(t_us=0, level=1.0, probabilities=(math.nan,)), False),
        (replace(POLICY, level_min=1.5), Situation(t_us=0, level=1.4, probabilities=(0.9,)), False),
        (replace(POLICY, level_min=1.5), Situation(t_us=0, level=math.nan, probabilities=(0.9,)), False),
        (replace(POLICY, level_on=1.5), Situation(t_us=0, level=1.6, probabilities=(0.0,)), True),
        (
            replace(POLICY, upstream_on=4.0),
            Situation(t_us=0, level=1.0, probabilities=(0.0,), upstream=4.1),
            True,
        ),
    ],
)
def test_reasons_are_a_probability_or_a_level_or_the_post_above(
    policy: WarningPolicy, situation: Situation, *, expected: bool
) -> None:
    assert policy.reasons(situation)[0] is expected
    assert (policy.step(PolicyState(), situation) is not None) is expected


def test_no_second_warning_on_one_recession_but_on_a_fresh_rise() -> None:
    policy = replace(POLICY, quiet_us=6 * H)
    level = [1.0] * 2 + [3.0] * 3 + [1.5] * 12 + [1.0] * 8 + [1.5] * 2
    likely = [0.0] + [0.9] * 16 + [0.0] * 8 + [0.9] * 2
    assert simulate(policy, _signals(level, likely)) == [Warned(1 * H, 2 * H), Warned(25 * H, 49 * H)]
    assert [w.issue_us for w in simulate(POLICY, _signals(level, likely))] == [1 * H, 11 * H]


def test_a_level_rule_with_a_quiet_time_warns_no_oftener_than_the_baseline() -> None:
    rng = np.random.default_rng(5)
    level = np.abs(np.cumsum(rng.normal(0, 0.4, 2000))) % 5
    policy = WarningPolicy(limit=3.0, level_on=2.0, quiet_us=6 * H)
    ours = {w.issue_us for w in simulate(policy, _signals(level.tolist(), [0.0] * 2000))}
    theirs = {w.issue_us for w in trigger_warnings(np.arange(2000) * H, level, 2.0)}
    at_once = {t for t in theirs if level[t // H] > 3.0}
    assert ours
    assert len(ours - theirs) <= len(at_once)  # late by the six hours after a flood, or not at all


_VALUES = st.sampled_from([0.5, 1.0, 1.4, 1.6, 2.0, 2.1, 3.0, math.nan])
_ROWS = st.lists(
    st.tuples(
        _VALUES,
        st.sampled_from([0.0, 0.2, 0.35, 0.5, 0.8, math.nan]),
        st.sampled_from([0.0, 0.2, 0.35, 0.5, 0.8, math.nan]),
        _VALUES,
        st.integers(1, 7),
    ),
    max_size=60,
)
_POLICIES = st.builds(
    WarningPolicy,
    limit=st.just(2.0),
    horizons=st.sampled_from([(), (0,), (1,), (0, 1)]),
    probability_on=st.sampled_from([0.3, 0.5, math.inf]),
    level_min=st.sampled_from([-math.inf, 1.0]),
    level_on=st.sampled_from([1.5, math.inf]),
    upstream_on=st.sampled_from([1.5, math.inf]),
    confirm=st.integers(1, 3),
    hold_us=st.sampled_from([H, 6 * H, LAPSE_US]),
    renew=st.booleans(),
    rearm_us=st.sampled_from([0, 2 * H, 6 * H]),
    upstream_min=st.sampled_from([-math.inf, 1.4]),
    quiet_us=st.sampled_from([0, H, 6 * H]),
)


@settings(max_examples=300)
@given(_POLICIES, _ROWS)
def test_simulation_is_the_step_of_the_live_program_in_a_loop(
    policy: WarningPolicy, rows: list[tuple[float, float, float, float, int]]
) -> None:
    table = np.array(rows, dtype=float).reshape(len(rows), 5)
    signals = Signals(
        t_us=np.cumsum(table[:, 4]).astype(np.int64) * H,
        level=table[:, 0],
        probabilities=table[:, 1:3],
        upstream=table[:, 3],
    )
    warnings = simulate(policy, signals)
    assert warnings == _stepwise(policy, signals)
    loosest = replace(
        policy,
        horizons=(0, 1),
        probability_on=0.3,
        level_min=-math.inf,
        level_on=1.5,
        upstream_on=1.5,
        upstream_min=-math.inf,
    )
    assert warnings == simulate(policy, thinned(signals, loosest))
    for warning, after in itertools.pairwise(warnings):
        assert warning.end_us <= after.issue_us
    for warning in warnings:
        assert warning.issue_us <= warning.end_us <= warning.issue_us + LAPSE_US
