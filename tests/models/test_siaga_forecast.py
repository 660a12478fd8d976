"""Levels that forecasts raise and that lapse; waves at every limit never flap."""

import itertools
import math
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.quality.flags import QualityFlag
from serayu.models.region import load_region
from serayu.models.siaga import (
    ChangeKind,
    ForecastPolicy,
    Reason,
    Siaga,
    SiagaChange,
    SiagaMachine,
    SiagaSettings,
    SiagaState,
    Thresholds,
)
from serayu.models.siaga_forecast import nested
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE

N, W, S, A = Siaga
GOOD, SUSPECT, FAIL = QualityFlag.GOOD, QualityFlag.SUSPECT, QualityFlag.FAIL
RAISE, LOWER, CONFIRM, VERIFY, RETRACT, LAPSE = ChangeKind
THRESHOLD, RISE, FORECAST = Reason
LIMITS = Thresholds(
    2.0, 3.0, 4.0, source="invented for this test", valid_from="2026-01-01", approved_by="nobody"
)
Row = tuple[str, float, float] | tuple[str, float, float, float, float] | tuple[str, float]


def drive(machine: SiagaMachine, *rows: Row) -> list[SiagaChange]:
    """Tell a machine ("level", minute, m), ("doubt", minute, m), ("p", minute, p, p, p), ("now"/"held", minute)."""
    changes: list[SiagaChange] = []
    for what, minute, *rest in rows:
        t_us = round(minute * US_PER_MINUTE)
        match what:
            case "level" | "doubt":
                changes += machine.step(t_us, rest[0], GOOD if what == "level" else SUSPECT)
            case "p":
                changes += machine.foresee(t_us, rest)
            case "held":
                machine.sustain(t_us)
            case _:
                changes += machine.lapse(t_us)
    return changes


def told(changes: list[SiagaChange]) -> list[tuple[float, ChangeKind, Reason, Siaga, Siaga]]:
    return [(c.at_us / US_PER_MINUTE, c.kind, c.reason, c.before, c.after) for c in changes]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([("p", 0, 0.9, 0.9, 0.9)], [], id="a post without a value is not spoken of"),
        pytest.param([("level", 0, 1.0), ("p", 0, 0.49, 0.1, 0.0)], [], id="below on"),
        pytest.param(
            [("level", 0, 1.0), ("p", 0, 0.5, 0.1, 0.0)], [(0, RAISE, FORECAST, N, W)], id="from on"
        ),
        pytest.param(
            [("level", 0, 1.0), ("p", 0, 0.9, 0.8, 0.0)], [(0, RAISE, FORECAST, N, S)], id="several levels at once"
        ),
        pytest.param(
            [("level", 0, 1.0), ("p", 0, 0.1, 0.8, 0.0)], [(0, RAISE, FORECAST, N, S)], id="high implies low"
        ),
        pytest.param(
            [("level", 0, 1.0), ("p", 0, 0.9, 0, 0), ("level", 60, 2.1)],
            [(0, RAISE, FORECAST, N, W), (60, CONFIRM, THRESHOLD, W, W)],
            id="confirmed by the limit",
        ),
        pytest.param(
            [("level", 0, 1.0), ("p", 0, 0.9, 0, 0), ("p", 10, 0.31, 0, 0), ("p", 90, 0.31, 0, 0)],
            [(0, RAISE, FORECAST, N, W)],
            id="between off and on it holds",
        ),
        pytest.param(
            [("level", 0, 1.0), ("p", 0, 0.9, 0, 0), ("p", 10, 0.2, 0, 0), ("p", 39, 0.2, 0, 0), ("p", 40, 0.2, 0, 0)],
            [(0, RAISE, FORECAST, N, W), (40, LOWER, FORECAST, W, N)],
            id="below off for half an hour lets go",
        ),
        pytest.param(
            [("level", 0, 1.0), ("p", 0, 0.9, 0, 0), ("p", 10, 0.2, 0, 0), ("p", 20, 0.4, 0, 0), ("p", 49, 0.2, 0, 0)],
            [(0, RAISE, FORECAST, N, W)],
            id="a return starts the half hour anew",
        ),
        pytest.param(
            [("level", 0, 3.5), *(("p", minute, 0.0, 0, 0) for minute in range(0, 300, 10))],
            [(0, RAISE, THRESHOLD, N, S)],
            id="a forecast never lowers what was measured",
        ),
        pytest.param(
            [("level", 0, 1.0), ("p", 5, 0.9, 0, 0), ("p", 5, 0.9, 0.9, 0), ("p", 4, 0.9, 0.9, 0)],
            [(5, RAISE, FORECAST, N, W)],
            id="told twice or too late it changes nothing",
        ),
        pytest.param(
            [("level", 0, 1.0), ("p", 0, 0.9, math.nan, 0.1), ("p", 60, math.nan, 0, 0), ("p", 120, math.nan, 0, 0)],
            [(0, RAISE, FORECAST, N, W), (120, LOWER, FORECAST, W, N)],
            id="a level of which forecasts say nothing any more is let go after half an hour",
        ),
        pytest.param(
            [("level", 0, 2.5), ("p", 1, 0.9, 0, 0), ("level", 10, 1.5), ("level", 40, 1.5), ("now", 182)],
            [(0, RAISE, THRESHOLD, N, W), (182, LOWER, FORECAST, W, N)],
            id="the water fell, a forecast held it, and was not renewed while the post speaks",
        ),
    ],
)  # fmt: skip
def test_forecasts_raise_hold_and_let_go(
    rows: list[Row], expected: list[tuple[float, ChangeKind, Reason, Siaga, Siaga]]
) -> None:
    machine = SiagaMachine(LIMITS)
    changes = drive(machine, *rows)
    assert told(changes) == expected
    assert all(change.verified for change in changes)
    assert machine.level is (expected[-1][-1] if expected else N)


def test_a_foreseen_change_tells_the_newest_measured_level() -> None:
    (change,) = drive(SiagaMachine(LIMITS), ("level", 0, 1.2), ("level", 9, 1.4), ("p", 9, 0.9, 0, 0))
    assert (change.level_m, change.at_us) == (1.4, 9 * US_PER_MINUTE)


DAY = 24 * 60
UP = (0, RAISE, THRESHOLD, N, W)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([("now", 9e9)], [], id="normal cannot lapse"),
        pytest.param([("level", 0, 2.5), ("now", DAY)], [UP], id="24 h are not yet over"),
        pytest.param([("level", 0, 2.5), ("now", DAY + 1)], [UP, (DAY + 1, LAPSE, THRESHOLD, W, N)], id="over"),
        pytest.param(
            [("level", 0, 2.5), ("doubt", DAY, 2.5), ("now", DAY + 1)],
            [UP, (DAY + 1, LAPSE, THRESHOLD, W, N)],
            id="a doubtful value renews nothing",
        ),
        pytest.param([("level", 0, 2.5), ("level", 60, 2.5), ("now", DAY + 1)], [UP], id="a good one does"),
        pytest.param([("level", 0, 2.5), ("held", 60), ("now", DAY + 1)], [UP], id="so does a stand-in"),
        pytest.param(
            [("level", 0, 1.0), ("p", 0, 0.9, 0, 0), ("now", 180), ("now", 181)],
            [(0, RAISE, FORECAST, N, W), (181, LAPSE, FORECAST, W, N)],
            id="forecasts stop with the post",
        ),
        pytest.param(
            [("level", 0, 1.0), ("p", 0, 0.9, 0, 0), ("level", 170, 1.0), ("now", 181)],
            [(0, RAISE, FORECAST, N, W), (181, LOWER, FORECAST, W, N)],
            id="forecasts stop, the post speaks",
        ),
        pytest.param(
            [("level", 0, 2.5), ("p", 0, 0.9, 0.9, 0), ("now", 181), ("now", DAY + 1)],
            [(0, RAISE, THRESHOLD, N, W), (0, RAISE, FORECAST, W, S), (181, LAPSE, FORECAST, S, W),
             (DAY + 1, LAPSE, THRESHOLD, W, N)],
            id="first what was foreseen, then what was measured",
        ),
        pytest.param(
            [("level", 0, 1.0), ("p", 0, 0.9, 0, 0), ("held", 60), ("now", 239)],
            [(0, RAISE, FORECAST, N, W)],
            id="a stand-in keeps up what was foreseen",
        ),
        pytest.param(
            [("level", 0, 2.5), ("now", DAY + 1), ("level", DAY + 2, 2.5)],
            [UP, (DAY + 1, LAPSE, THRESHOLD, W, N), (DAY + 2, RAISE, THRESHOLD, N, W)],
            id="a post that speaks again is warned of again",
        ),
    ],
)  # fmt: skip
def test_what_nobody_renews_lapses(
    rows: list[Row], expected: list[tuple[float, ChangeKind, Reason, Siaga, Siaga]]
) -> None:
    changes = drive(SiagaMachine(LIMITS), *rows)
    assert told(changes) == expected
    for change in changes:
        assert change.unknown == (change.kind is LAPSE and change.after is N)


def test_a_level_foreseen_from_a_value_that_fails_later_is_taken_back() -> None:
    machine = SiagaMachine(LIMITS)
    drive(machine, ("level", 0, 1.0), ("level", 10, 1.9), ("p", 10, 0.9, 0, 0))
    assert [(c.kind, c.before, c.after) for c in machine.retract(10 * US_PER_MINUTE)] == [(RETRACT, W, N)]
    drive(machine, ("p", 20, 0.9, 0, 0), ("level", 30, 1.1))
    assert machine.retract(30 * US_PER_MINUTE) == ()
    assert machine.level is W, "it was foreseen before the failed value"


@pytest.mark.parametrize("wrong", [(0.5, 0.5), (0.5, 1.1, 0.0), (-0.1, 0.0, 0.0)])
def test_probabilities_without_sense_are_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="probabilit"):
        nested(wrong)


def test_a_policy_must_let_go_below_where_it_raises() -> None:
    with pytest.raises(ValueError, match="off <= on"):
        ForecastPolicy(on=(0.5, 0.5, 0.5), off=(0.3, 0.6, 0.3))


def test_doubtful_values_alone_hold_a_level_for_a_day_and_do_not_flap_after_it() -> None:
    machine = SiagaMachine(LIMITS)
    rows: list[Row] = [("level", 0, 1.0)]
    for minute in range(120, 72 * 60, 10):
        rows += [("doubt", minute, 2.5), ("now", minute + 1)]
    changes = told(drive(machine, *rows))
    day = 24 * 60
    assert [(minute, kind) for minute, kind, *_ in changes] == [
        (120, RAISE),
        (120 + day + 1, LAPSE),
        (120 + day + 10, RAISE),
        (120 + 2 * day + 11, LAPSE),
        (120 + 2 * day + 20, RAISE),
    ]


def test_a_flood_of_a_sensor_that_was_doubtful_for_days_is_not_given_up_at_once() -> None:
    machine = SiagaMachine(LIMITS)
    drive(machine, ("level", 0, 1.0), *(("doubt", minute, 1.0) for minute in range(60, 3000, 60)))
    assert [kind for _, kind, *_ in told(drive(machine, ("doubt", 3010, 3.5), ("now", 3011)))] == [RAISE]
    assert machine.level is S


def test_a_state_of_the_first_release_is_read() -> None:
    old = (
        b'{"last_us":60000000,"limits":[{"active":true,"verified":true,"above_since_us":0},{},{}],"rise":{},'
        b'"rise_rank":2,"recent":[[0,2.4],[60000000,2.5]],"journal":[{"t_us":60000000,"level_m":2.5,"good":true,'
        b'"last_us":0,"limits":[{"active":true,"verified":true,"above_since_us":0},{},{}],"rise":{},"rise_rank":2}]}'
    )
    machine = SiagaMachine(LIMITS, state=msgspec.json.decode(old, type=SiagaState))
    assert machine.level is W
    assert machine.lapse(US_PER_MINUTE + 24 * US_PER_HOUR) == ()
    (change,) = machine.lapse(US_PER_MINUTE + 24 * US_PER_HOUR + 1)
    assert (change.kind, change.level_m) == (LAPSE, 2.5)


events = st.lists(
    st.one_of(
        st.tuples(st.just("level"), st.integers(1, 90), st.floats(0, 5)),
        st.tuples(st.just("doubt"), st.integers(1, 90), st.floats(0, 5)),
        st.tuples(st.just("p"), st.integers(1, 90), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
        st.tuples(st.just("now"), st.integers(1, 2000)),
        st.tuples(st.just("held"), st.integers(1, 90)),
    ),
    max_size=60,
)


@given(events)
def test_changes_follow_one_another_and_a_restart_changes_nothing(rows: list[Row]) -> None:
    machine, restarted, minute, said = SiagaMachine(LIMITS), SiagaMachine(LIMITS), 0.0, []
    for row in rows:
        minute += row[1]
        one = (row[0], minute, *row[2:])
        measured = max(
            (rank for rank, limit in enumerate(machine.state.limits, 1) if limit.active), default=0
        )
        changes = drive(machine, one)
        if row[0] == "p":
            assert machine.level.rank >= measured, "a forecast never lowers what was measured"
        state = msgspec.json.decode(msgspec.json.encode(restarted.state), type=SiagaState)
        restarted = SiagaMachine(LIMITS, state=state)
        assert drive(restarted, one) == changes
        said += changes
    for before, after in itertools.pairwise(said):
        assert before.after is after.before
    assert (said[-1].after if said else N) is machine.level


BANYUMAS = load_region(Path(__file__).parents[2] / "regions" / "banyumas")
CLOSE = Thresholds(2.0, 2.15, 2.3, source="invented for this test", valid_from="", approved_by="")
POSTS = [
    pytest.param(LIMITS, SiagaSettings(), id="default"),
    pytest.param(LIMITS, SiagaSettings(travel_time_us=6 * US_PER_HOUR), id="a long travel time"),
    pytest.param(CLOSE, SiagaSettings(), id="limits 15 cm apart"),
    *(
        pytest.param(post.thresholds, post.siaga, id=post.id)
        for post in BANYUMAS.stations.values()
        if post.thresholds is not None
    ),
]


@pytest.mark.parametrize("period_min", [10, 120, 480])
@pytest.mark.parametrize(("limits", "settings"), POSTS)
def test_waves_of_2_cm_for_a_day_raise_once_and_clear_once(
    limits: Thresholds, settings: SiagaSettings, period_min: float
) -> None:
    """Around each limit, sampled each 5 min to 1 h, with and without a centimetre of noise; then the water falls."""
    dice = random.Random(period_min)  # noqa: S311 -- no secret
    cases = itertools.product(
        (limits.waspada_m, limits.siaga_m, limits.awas_m), ((5, 0.0), (15, 0.01), (60, 0.0))
    )
    for centre_m, (step_min, noise_m) in cases:
        machine, phase, changes = SiagaMachine(limits, settings), dice.uniform(0, 2 * math.pi), []
        for minute in range(-20 * step_min, 1440, step_min):
            wave_m = 0.02 * math.sin(2 * math.pi * minute / period_min + phase)
            level_m = centre_m - 0.02 if minute < 0 else centre_m + wave_m + dice.uniform(-noise_m, noise_m)
            said = machine.step(minute * US_PER_MINUTE, level_m, GOOD)
            changes += [change for change in said if minute >= 0]
        alerted = machine.level is not N  # else the samples never showed the crests
        for minute in range(1440, 1440 + 4 * 60, step_min):
            changes += machine.step(minute * US_PER_MINUTE, limits.waspada_m - 1.0, GOOD)
        kinds = [change.kind for change in changes]
        assert kinds.count(RAISE) <= 1, (centre_m, step_min, noise_m)
        assert kinds.count(LOWER) == alerted, (centre_m, step_min, noise_m)
        assert machine.level is N


def test_an_inclusive_limit_begins_at_its_number() -> None:
    limits = msgspec.structs.replace(LIMITS, inclusive=True)
    assert told(drive(SiagaMachine(limits), ("level", 0, 2.0))) == [(0, RAISE, THRESHOLD, N, W)]
    assert drive(SiagaMachine(limits), ("level", 0, 1.9999999)) == []
    assert limits.limit_m(W) == 2.0
