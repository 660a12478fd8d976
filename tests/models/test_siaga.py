"""The Siaga machine: what raises a river post, what lowers it, and what never does."""

import itertools
import math

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serayu.models.quality.flags import QualityFlag
from serayu.models.siaga import (
    JOURNAL,
    SLOPE_SAMPLES,
    ChangeKind,
    Reason,
    Siaga,
    SiagaChange,
    SiagaMachine,
    SiagaSettings,
    SiagaState,
    Thresholds,
    classify,
)
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, US_PER_S

N, W, S, A = Siaga
GOOD, SUSPECT, FAIL, MISSING = QualityFlag.GOOD, QualityFlag.SUSPECT, QualityFlag.FAIL, QualityFlag.MISSING
RAISE, LOWER, CONFIRM, VERIFY, RETRACT, LAPSE = ChangeKind
THRESHOLD, RISE, FORECAST = Reason
LIMITS = Thresholds(
    2.0,
    3.0,
    4.0,
    source="invented for this test",
    valid_from="2026-01-01",
    approved_by="nobody",
    invented=True,
)
HOUR_AHEAD = SiagaSettings(travel_time_us=US_PER_HOUR)

Row = tuple[float, float] | tuple[float, float, QualityFlag]


def run(*rows: Row, settings: SiagaSettings | None = None) -> list[SiagaChange]:
    """Feed rows (minute, level, flag)."""
    machine = SiagaMachine(LIMITS, settings)
    return [change for row in rows for change in feed(machine, *row)]


def feed(machine: SiagaMachine, minute: float, level_m: float, flag: QualityFlag = GOOD) -> list[SiagaChange]:
    return list(machine.step(round(minute * US_PER_MINUTE), level_m, flag))


def take_back(machine: SiagaMachine, minute: float) -> list[SiagaChange]:
    return list(machine.retract(round(minute * US_PER_MINUTE)))


def levels(changes: list[SiagaChange]) -> list[tuple[float, Siaga, Siaga]]:
    return [(change.at_us / US_PER_MINUTE, change.before, change.after) for change in changes]


def kinds(changes: list[SiagaChange]) -> list[tuple[ChangeKind, Reason, Siaga, Siaga, bool]]:
    return [(c.kind, c.reason, c.before, c.after, c.verified) for c in changes]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(0, 0.5)], [], id="normal stays normal"),
        pytest.param([(0, 2.0)], [], id="exactly at the limit is not above"),
        pytest.param([(0, 2.001)], [(0, N, W)], id="a millimetre above is"),
        pytest.param([(0, 4.0)], [(0, N, S)], id="exactly at the highest limit is the class below"),
        pytest.param([(0, 9.0)], [(0, N, A)], id="normal jumps to awas in one change"),
        pytest.param(
            [(0, 1.0), (9, 2.5), (10, 3.5), (11, 4.5)], [(9, N, W), (10, W, S), (11, S, A)], id="rises"
        ),
        pytest.param(
            [(0, 2.5), (10, 1.95), (200, 1.95)], [(0, N, W)], id="less than 10 cm below never lowers"
        ),
        pytest.param([(0, 2.5), (10, 1.5)], [(0, N, W)], id="10 cm alone does not lower"),
        pytest.param([(0, 2.5), (10, 1.5), (39, 1.5)], [(0, N, W)], id="29 min do not lower"),
        pytest.param([(0, 2.5), (10, 1.5), (40, 1.5)], [(0, N, W), (40, W, N)], id="10 cm and 30 min lower"),
        pytest.param([(0, 2.5), (10, 1.9), (40, 1.9)], [(0, N, W), (40, W, N)], id="exactly 10 cm is enough"),
        pytest.param([(0, 2.5), (10, 1.901), (90, 1.901)], [(0, N, W)], id="a millimetre less is not"),
        pytest.param(
            [(0, 2.5), (10, 1.5), (30, 1.95), (40, 1.5), (69, 1.5), (70, 1.5)],
            [(0, N, W), (70, W, N)],
            id="a return into the band starts the 30 min anew",
        ),
        pytest.param(
            [(0, 4.5), (10, 0.1), (40, 0.1)], [(0, N, A), (40, A, N)], id="awas falls to normal at once"
        ),
        pytest.param(
            [(0, 4.5), (10, 3.5), (40, 3.5), (50, 2.5), (80, 2.5), (90, 1.5), (120, 1.5)],
            [(0, N, A), (40, A, S), (80, S, W), (120, W, N)],
            id="falls step by step",
        ),
        pytest.param([(0, 2.5), (0, 4.5)], [(0, N, W)], id="the same time is ignored"),
        pytest.param([(0, 1.0), (-5, 4.5)], [(-5, N, A)], id="a value behind a newer one raises"),
        pytest.param([(0, 2.5), (-5, 2.6), (-4, 2.7)], [(0, N, W)], id="but not what is in force"),
        pytest.param([(0, 1.0), (-29.9, 4.5)], [(-29.9, N, A)], id="what it raises would still be in force"),
        pytest.param([(0, 1.0), (-30, 4.5)], [], id="what it raised would be left by now"),
        pytest.param(
            [(0, 1.0), (-5, 9.0, FAIL), (-4, math.nan)], [], id="behind or not, failed never alerts"
        ),
        pytest.param(
            [(0, 2.5), (10, 1.0), (9, 1.0), (5, 1.0), (40, 1.0)],
            [(0, N, W), (40, W, N)],
            id="a value behind a newer one never lowers",
        ),
        pytest.param(
            [(0, 2.5), (10, 1.0), (30, 1.0), (20, 2.5), (40, 1.0), (69, 1.0), (70, 1.0)],
            [(0, N, W), (70, W, N)],
            id="but starts the 30 min anew",
        ),
        pytest.param(
            [(0, 1.0), (10, 1.0), (1, 1.0), (2, 2.5), (3, 3.5), (4, 1.0), (11, 1.0), (41, 1.0)],
            [(2, N, W), (3, W, S), (41, S, N)],
            id="a clock that was ahead blinds nobody",
        ),
        pytest.param([(0, 9.0, FAIL), (1, 9.0, MISSING)], [], id="failed and missing values never alert"),
        pytest.param([(0, math.nan), (1, math.inf), (2, -math.inf, SUSPECT)], [], id="not finite is missing"),
        pytest.param(
            [(0, 2.5), (10, 1.0, FAIL), (50, 1.0, FAIL), (60, 1.0)],
            [(0, N, W)],
            id="failed values do not lower",
        ),
        pytest.param([(0, 1.0), (60, 9.0, FAIL), (30, 2.5)], [(30, N, W)], id="a failed value holds no time"),
        pytest.param(
            [(0, 2.5), (9e4, 1.0), (9e4 + 30, 1.0)], [(0, N, W), (9e4 + 30, W, N)], id="a gap lowers nothing"
        ),
    ],
)
def test_levels_follow_the_limits(rows: list[Row], expected: list[tuple[float, Siaga, Siaga]]) -> None:
    changes = run(*rows)
    assert levels(changes) == expected
    assert {change.reason for change in changes} <= {THRESHOLD}


@pytest.mark.parametrize("settings", [SiagaSettings(), HOUR_AHEAD])
def test_waves_of_2_cm_at_a_limit_do_not_flap(settings: SiagaSettings) -> None:
    waves = [(minute, 2.0 + 0.02 * math.sin(minute)) for minute in range(600)]
    after = [(600 + minute, 1.5) for minute in range(60)]
    changes = run(*waves, *after, settings=settings)
    raised = [change for change in changes if change.kind is RAISE]
    lowered = [change for change in changes if change.kind is LOWER]
    assert (len(raised), len(lowered)) == (1, 1)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([(0, 2.5), (9, 2.5)], [], id="9 min are too short"),
        pytest.param([(0, 2.5), (10, 2.5)], [(10, N, W)], id="10 min raise"),
        pytest.param([(0, 2.5), (5, 2.0), (6, 2.5), (15, 2.5)], [], id="a value at the limit starts anew"),
        pytest.param(
            [(0, 2.5), (5, 4.5), (10, 4.5), (15, 4.5)], [(10, N, W), (15, W, A)], id="each limit for itself"
        ),
        pytest.param([(0, 2.5, SUSPECT), (10, 2.5)], [(10, N, W)], id="suspect values count for the time"),
        pytest.param(
            [(20, 1.0), (5, 2.5), (10, 2.5), (15, 2.5)], [(15, N, W)], id="so do those behind a newer one"
        ),
        pytest.param([(20, 1.0), (5, 2.5), (10, 1.0), (15, 2.5)], [], id="unless they are interrupted"),
        pytest.param([(20, 1.0), (5, 2.5), (21, 1.0), (15, 2.5)], [], id="or something newer comes between"),
        pytest.param([(20, 1.0), (15, 2.5), (5, 2.5)], [], id="backwards counts for nothing"),
    ],
)
def test_a_limit_must_be_exceeded_for_the_minimum_duration(
    rows: list[Row], expected: list[tuple[float, Siaga, Siaga]]
) -> None:
    changes = run(*rows, settings=SiagaSettings(min_duration_us=10 * US_PER_MINUTE))
    assert levels(changes) == expected
    assert all(change.verified for change in changes)


def test_a_steep_rise_steps_up_early_and_is_confirmed_by_the_limit() -> None:
    changes = run((0, 1.4), (10, 1.5), (20, 1.6), (30, 2.05), settings=HOUR_AHEAD)
    assert kinds(changes) == [
        (RAISE, RISE, N, W, True),  # at 20 min: 1.6 m + 0.6 m/h for an hour
        (CONFIRM, THRESHOLD, W, W, True),
    ]
    assert [change.at_us // US_PER_MINUTE for change in changes] == [20, 30]
    # Pairs of the second: three times 0.6, then 1.3, 1.65 and 2.7 m/h; the median lies between the third and fourth.
    assert [change.slope_m_per_h for change in changes] == [pytest.approx(0.6), pytest.approx(0.95)]


def test_the_rise_foresees_one_level_and_no_more() -> None:
    changes = run((0, 0.1), (10, 0.9), (20, 1.7), settings=HOUR_AHEAD)
    assert kinds(changes) == [(RAISE, RISE, N, W, True)], "4.8 m/h would reach awas within the hour"


def test_a_limit_passed_while_the_next_is_foreseen_raises_twice_at_one_time() -> None:
    changes = run((0, 1.9), (10, 1.95), (20, 2.9), settings=HOUR_AHEAD)
    assert kinds(changes) == [(RAISE, THRESHOLD, N, W, True), (RAISE, RISE, W, S, True)]


def test_a_jump_over_a_foreseen_level_is_a_raise_by_the_limit() -> None:
    changes = run((0, 1.4), (10, 1.5), (20, 1.6), (30, 4.5), settings=HOUR_AHEAD)
    assert kinds(changes) == [(RAISE, RISE, N, W, True), (RAISE, THRESHOLD, W, A, True)]


def test_a_foreseen_level_that_does_not_come_is_left_after_half_an_hour() -> None:
    rows = [(0, 1.4), (10, 1.5), (20, 1.6), *((minute, 1.6) for minute in range(30, 120, 10))]
    changes = run(*rows, settings=HOUR_AHEAD)
    assert kinds(changes) == [(RAISE, RISE, N, W, True), (LOWER, RISE, W, N, True)]
    held_us = changes[1].at_us - changes[0].at_us
    assert held_us >= 30 * US_PER_MINUTE


def test_an_unknown_slope_foresees_nothing_and_holds_what_was_foreseen_for_half_an_hour() -> None:
    assert run((0, 1.0), (60, 1.9), (120, 1.99), settings=HOUR_AHEAD) == []
    changes = run((0, 1.4), (10, 1.5), (20, 1.6), (300, 1.6), (329, 1.6), (330, 1.6), settings=HOUR_AHEAD)
    assert levels(changes) == [(20, N, W), (330, W, N)]


def test_awas_foresees_nothing_worse() -> None:
    changes = run((0, 4.1), (10, 5.1), (20, 6.1), settings=HOUR_AHEAD)
    assert kinds(changes) == [(RAISE, THRESHOLD, N, A, True)]


def test_a_foreseen_level_goes_down_to_what_is_still_foreseen() -> None:
    """Siaga was foreseen; the river fell below waspada's limit and rises again, but no longer towards siaga."""
    state = SiagaState(last_us=0, rise_rank=2, recent=[(0, 1.5)])
    state.rise.active = state.rise.verified = True
    machine = SiagaMachine(LIMITS, HOUR_AHEAD, state=state)
    assert machine.level is S
    rows = [(minute, 1.5 + 0.01 * minute) for minute in range(2, 40, 2)]
    changes = [change for row in rows for change in feed(machine, *row)]
    assert kinds(changes) == [(LOWER, RISE, S, W, True)]


def test_suspect_values_raise_unverified_and_a_good_one_verifies() -> None:
    changes = run((0, 1.0), (1, 2.5, SUSPECT), (2, 2.6, SUSPECT), (3, 2.6), (4, 2.6))
    assert kinds(changes) == [(RAISE, THRESHOLD, N, W, False), (VERIFY, THRESHOLD, W, W, True)]
    assert changes[1].at_us == 3 * US_PER_MINUTE


def test_suspect_values_never_lower() -> None:
    rows: list[Row] = [(0, 2.5), *((minute, 1.0, SUSPECT) for minute in range(1, 200))]
    assert levels(run(*rows)) == [(0, N, W)]
    assert levels(run(*rows, (200, 1.0), (230, 1.0))) == [(0, N, W), (230, W, N)]


def test_a_suspect_value_above_a_verified_level_leaves_the_lower_one_verified() -> None:
    changes = run((0, 2.5), (1, 4.5, SUSPECT), (2, 2.5), (32, 2.5), (33, 1.0), (63, 1.0))
    assert kinds(changes) == [
        (RAISE, THRESHOLD, N, W, True),
        (RAISE, THRESHOLD, W, A, False),
        (LOWER, THRESHOLD, A, W, True),
        (LOWER, THRESHOLD, W, N, True),
    ]


def test_an_unverified_level_stays_so_while_good_values_only_hold_it() -> None:
    changes = run((0, 2.5, SUSPECT), (1, 1.95), (60, 1.95), (61, 2.1))
    assert kinds(changes) == [(RAISE, THRESHOLD, N, W, False), (VERIFY, THRESHOLD, W, W, True)]
    assert changes[1].at_us == 61 * US_PER_MINUTE


def test_a_rise_seen_by_a_suspect_value_is_verified_by_the_rise() -> None:
    changes = run((0, 1.4), (10, 1.5), (20, 1.6, SUSPECT), (30, 1.7), settings=HOUR_AHEAD)
    assert kinds(changes) == [(RAISE, RISE, N, W, False), (VERIFY, RISE, W, W, True)]


@pytest.mark.parametrize(
    ("rows", "failed", "expected"),
    [
        pytest.param([(0, 1.0), (1, 9.0), (2, 1.1)], 1, [(RETRACT, THRESHOLD, A, N, True)], id="a spike"),
        pytest.param([(0, 1.0), (1, 9.0, SUSPECT)], 1, [(RETRACT, THRESHOLD, A, N, True)], id="the newest value"),
        pytest.param([(1, 9.0)], 1, [(RETRACT, THRESHOLD, A, N, True)], id="the first and only value"),
        pytest.param([(0, 2.5), (1, 9.0), (2, 2.5)], 1, [(RETRACT, THRESHOLD, A, W, True)], id="down to waspada"),
        pytest.param([(0, 1.0), (1, 9.0), (2, 2.5)], 1, [(RETRACT, THRESHOLD, A, W, True)], id="passed later"),
        pytest.param(
            [(0, 1.0), (1, 9.0), (2, 2.5, SUSPECT)], 1, [(RETRACT, THRESHOLD, A, W, False)], id="suspect later"
        ),
        pytest.param([(0, 1.0), (1, 9.0), (2, 9.1)], 1, [], id="another value above the limit stands"),
        pytest.param([(0, 1.0), (1, 9.0, SUSPECT), (2, 1.0), (3, 9.1)], 1, [], id="one after an interruption"),
        pytest.param([(0, 9.0), (1, 9.1), (2, 1.0)], 1, [], id="one stands before"),
        pytest.param(
            [(0, 9.0, SUSPECT), (1, 9.1), (2, 1.0)], 1, [(RETRACT, THRESHOLD, A, A, False)], id="the good one of two"
        ),
        pytest.param([(0, 1.0), (1, 9.0), (2, 1.1)], 0, [], id="a value that did nothing"),
        pytest.param([(0, 1.0), (1, 9.0), (2, 1.1)], 5, [], id="a value that was never seen"),
        pytest.param([(0, 2.5), (10, 1.0), (40, 1.0)], 40, [], id="what a failed value lowered stays down"),
        pytest.param(
            [(0, 9.0), *((minute, 1.0) for minute in range(1, JOURNAL + 1))], 0, [], id="too long ago"
        ),
    ],
)  # fmt: skip
def test_a_value_that_failed_later_takes_back_what_it_alone_brought_about(
    rows: list[Row], failed: float, expected: list[tuple[ChangeKind, Reason, Siaga, Siaga, bool]]
) -> None:
    machine = SiagaMachine(LIMITS)
    for row in rows:
        feed(machine, *row)
    changes = take_back(machine, failed)
    assert kinds(changes) == expected
    assert take_back(machine, failed) == [], "it is taken back once"
    for change in changes:
        assert (machine.level, machine.verified) == (change.after, change.verified)


def test_a_retraction_tells_the_newest_level_that_stands() -> None:
    machine = SiagaMachine(LIMITS)
    for row in [(0, 1.0), (1, 9.0), (2, 1.1)]:
        feed(machine, *row)
    (change,) = take_back(machine, 1)
    assert (change.at_us, change.level_m) == (2 * US_PER_MINUTE, 1.1)


def test_a_failed_value_does_not_count_for_the_minimum_duration() -> None:
    machine = SiagaMachine(LIMITS, SiagaSettings(min_duration_us=10 * US_PER_MINUTE))
    said = [change for row in [(0, 2.5), (5, 2.5)] for change in feed(machine, *row)]
    assert said + take_back(machine, 0) == []
    assert feed(machine, 10, 2.5) == []
    assert levels(feed(machine, 15, 2.5)) == [(15, N, W)]
    assert kinds(take_back(machine, 15)) == [(RETRACT, THRESHOLD, W, N, True)]


def test_a_level_that_was_foreseen_by_a_failed_value_is_taken_back() -> None:
    machine = SiagaMachine(LIMITS, HOUR_AHEAD)
    assert [feed(machine, *row) for row in [(0, 1.0), (10, 1.0)]] == [[], []]
    assert kinds(feed(machine, 20, 1.9)) == [(RAISE, RISE, N, W, True)]
    assert kinds(take_back(machine, 20)) == [(RETRACT, THRESHOLD, W, N, True)]


def test_a_spike_over_a_foreseen_level_leaves_it_as_it_was() -> None:
    machine = SiagaMachine(LIMITS, HOUR_AHEAD)
    for row in [(0, 1.4), (10, 1.5), (20, 1.6)]:
        feed(machine, *row)
    assert kinds(feed(machine, 21, 9.0)) == [(RAISE, THRESHOLD, W, A, True)]
    feed(machine, 30, 1.7)
    assert kinds(take_back(machine, 21)) == [(RETRACT, RISE, A, W, True)]
    assert kinds(feed(machine, 60, 2.05)) == [(CONFIRM, THRESHOLD, W, W, True)]
    assert kinds(take_back(machine, 60)) == [(RETRACT, RISE, W, W, True)]


def test_a_value_behind_a_newer_one_can_be_taken_back() -> None:
    machine = SiagaMachine(LIMITS)
    said = [change for row in [(0, 1.0), (10, 1.1), (5, 9.0), (6, 1.0)] for change in feed(machine, *row)]
    assert kinds(said) == [(RAISE, THRESHOLD, N, A, True)]
    assert said[0].slope_m_per_h is None
    (change,) = take_back(machine, 5)
    assert (change.kind, change.after, change.at_us, change.level_m) == (RETRACT, N, 10 * US_PER_MINUTE, 1.1)


def test_a_value_behind_a_newer_one_verifies_and_confirms() -> None:
    changes = run((0, 1.0), (10, 2.5, SUSPECT), (9, 2.4))
    assert kinds(changes) == [(RAISE, THRESHOLD, N, W, False), (VERIFY, THRESHOLD, W, W, True)]
    changes = run((0, 1.4), (10, 1.5), (20, 1.6), (19, 2.1), settings=HOUR_AHEAD)
    assert kinds(changes) == [(RAISE, RISE, N, W, True), (CONFIRM, THRESHOLD, W, W, True)]


def test_a_change_carries_level_and_slope_also_without_a_travel_time() -> None:
    (change,) = run((0, 1.0), (10, 1.5), (20, 2.0), (30, 2.5))
    assert change.level_m == 2.5
    assert change.slope_m_per_h == pytest.approx(3.0)
    (first,) = run((0, 2.5))
    assert first.slope_m_per_h is None


def test_a_fast_sensor_keeps_a_bounded_window() -> None:
    machine = SiagaMachine(LIMITS, HOUR_AHEAD)
    for second in range(7200):
        machine.step(second * US_PER_S, 1.0 + second * 1e-5, GOOD)
    recent = machine.state.recent
    assert len(recent) <= SLOPE_SAMPLES + 2
    assert recent[-1][0] == 7199 * US_PER_S
    assert all(later[0] > earlier[0] for earlier, later in itertools.pairwise(recent))
    assert recent[-1][0] - recent[0][0] > 29 * US_PER_MINUTE


def test_levels_are_words_with_the_official_numbers() -> None:
    assert [level.number for level in Siaga] == [4, 3, 2, 1]
    assert [level.label for level in Siaga] == [
        "Siaga 4 (NORMAL)", "Siaga 3 (WASPADA)", "Siaga 2 (SIAGA)", "Siaga 1 (AWAS)",
    ]  # fmt: skip
    assert [Siaga.of_rank(level.rank) for level in Siaga] == list(Siaga)


@pytest.mark.parametrize(
    ("level_cm", "expected"), [(0, N), (80, N), (81, W), (150, W), (151, S), (200, S), (201, A), (240, A)]
)
def test_katulampas_published_table_is_reproduced(level_cm: float, expected: Siaga) -> None:
    katulampa = Thresholds(
        0.8, 1.5, 2.0, source="Jakarta, 2019", valid_from="2019", approved_by="BPBD DKI Jakarta"
    )
    assert classify(level_cm / 100, katulampa) is expected


@pytest.mark.parametrize(
    ("waspada_m", "siaga_m", "awas_m"), [(2, 2, 3), (3, 2, 4), (1, 2, 1), (1, math.nan, 3)]
)
def test_limits_must_ascend(waspada_m: float, siaga_m: float, awas_m: float) -> None:
    with pytest.raises(ValueError, match="expected waspada_m < siaga_m < awas_m"):
        Thresholds(waspada_m, siaga_m, awas_m, source="", valid_from="", approved_by="")


@pytest.mark.parametrize(
    "wrong", [{"hysteresis_m": -0.1}, {"fall_after_us": -1}, {"min_duration_us": -1}, {"travel_time_us": 0}]
)
def test_settings_without_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SiagaSettings(**wrong)  # type: ignore[arg-type]


rows_in_order = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.one_of(st.floats(0, 6), st.sampled_from([1.9, 2.0, 2.9, 3.0, 3.9, 4.0])),
        st.sampled_from([GOOD, GOOD, GOOD, QualityFlag.NOT_EVALUATED, SUSPECT, FAIL, MISSING]),
    ),
    max_size=60,
).map(
    lambda rows: [
        (minute, level, flag)
        for minute, (_, level, flag) in zip(itertools.accumulate(row[0] for row in rows), rows, strict=True)
    ]
)
all_settings = st.builds(
    SiagaSettings,
    hysteresis_m=st.sampled_from([0.0, 0.1]),
    fall_after_us=st.sampled_from([0, 30 * US_PER_MINUTE]),
    min_duration_us=st.sampled_from([0, 10 * US_PER_MINUTE]),
    travel_time_us=st.sampled_from([None, US_PER_HOUR, 6 * US_PER_HOUR]),
)


@given(rows=rows_in_order)
@example(rows=[(1, 4.0, GOOD)])
@example(rows=[(1, 9.0, FAIL)])
def test_the_highest_level_by_threshold_is_that_of_the_highest_value_that_did_not_fail(
    rows: list[Row],
) -> None:
    changes = run(*rows)
    assert {change.reason for change in changes} <= {THRESHOLD}
    highest = max((change.after.rank for change in changes), default=0)
    usable = [row[1] for row in rows if len(row) > 2 and row[2] not in (FAIL, MISSING)]
    assert highest == max((classify(level, LIMITS).rank for level in usable), default=0)


@given(rows=rows_in_order, settings=all_settings)
def test_with_a_travel_time_the_highest_by_threshold_is_the_same(
    rows: list[Row], settings: SiagaSettings
) -> None:
    settings = msgspec.structs.replace(settings, min_duration_us=0)
    changes = run(*rows, settings=settings)
    highest = max(
        (change.after.rank for change in changes if change.reason is THRESHOLD and change.kind is not LOWER),
        default=0,
    )
    usable = [row[1] for row in rows if len(row) > 2 and row[2] not in (FAIL, MISSING)]
    assert highest == max((classify(level, LIMITS).rank for level in usable), default=0)


@given(rows=rows_in_order, settings=all_settings)
def test_changes_form_one_chain_and_say_what_they_do(rows: list[Row], settings: SiagaSettings) -> None:
    machine = SiagaMachine(LIMITS, settings)
    level, verified = N, True
    for minute, level_m, flag in (row for row in rows if len(row) > 2):
        for change in feed(machine, minute, level_m, flag):
            assert change.before is level
            steps = {RAISE: 1, LOWER: -1, CONFIRM: 0, VERIFY: 0}
            sign = (change.after.rank > level.rank) - (change.after.rank < level.rank)
            assert sign == steps[change.kind]
            assert flag not in (FAIL, MISSING)
            assert flag is not SUSPECT or change.kind in (RAISE, CONFIRM)
            if change.kind is VERIFY:
                assert not verified
            level, verified = change.after, change.verified
        assert (machine.level, machine.verified) == (level, verified)


@given(rows=rows_in_order, settings=all_settings)
def test_values_that_are_told_again_change_nothing(rows: list[Row], settings: SiagaSettings) -> None:
    """As they are when a hot store was restored from a copy and is read again."""
    machine = SiagaMachine(LIMITS, settings)
    for row in rows:
        feed(machine, *row)
    before = (machine.level, machine.verified)
    assert [change for row in rows for change in feed(machine, *row)] == []
    assert (machine.level, machine.verified) == before


@given(
    rows=rows_in_order,
    settings=all_settings,
    back=st.integers(0, JOURNAL - 1),
    flag=st.sampled_from([GOOD, SUSPECT]),
)
def test_a_retracted_value_above_all_limits_leaves_a_machine_that_never_saw_it(
    rows: list[Row], settings: SiagaSettings, back: int, flag: QualityFlag
) -> None:
    """The slope's window apart: what it dropped meanwhile does not come back."""
    settings = msgspec.structs.replace(settings, travel_time_us=None)
    usable = [row for row in rows if len(row) > 2 and row[2] not in (FAIL, MISSING)]
    place = max(len(usable) - back, 0)
    minute = (usable[place - 1][0] if place else 0) + 0.5
    never, spiked = SiagaMachine(LIMITS, settings), SiagaMachine(LIMITS, settings)
    for row in usable:
        feed(never, *row)
    for row in [*usable[:place], (minute, 9.0, flag), *usable[place:]]:
        feed(spiked, *row)
    before = (spiked.level, spiked.verified)
    said = take_back(spiked, minute)
    assert (spiked.level, spiked.verified) == (never.level, never.verified)
    assert spiked.state.limits == never.state.limits
    assert spiked.state.last_us == never.state.last_us
    assert [(c.kind, c.before, c.after) for c in said] in ([], [(RETRACT, before[0], spiked.level)])
    assert said or before == (spiked.level, spiked.verified)


@given(rows=rows_in_order, settings=all_settings, at=st.integers(0, 60))
def test_a_machine_restored_at_any_point_goes_on_as_if_nothing_had_happened(
    rows: list[Row], settings: SiagaSettings, at: int
) -> None:
    whole, first = SiagaMachine(LIMITS, settings), SiagaMachine(LIMITS, settings)
    expected = [feed(whole, *row) for row in rows]
    said = [feed(first, *row) for row in rows[:at]]
    stored = msgspec.json.encode(first.state)
    second = SiagaMachine(LIMITS, settings, state=msgspec.json.decode(stored, type=SiagaState))
    assert said + [feed(second, *row) for row in rows[at:]] == expected
    assert second.state == whole.state
