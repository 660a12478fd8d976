"""The scorecard: what was told against what the river did, counted as the backtest counts, with honest intervals."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.flood.events import Event, match_warnings
from serayu.models.flood.observed import LEVELS, observed_events
from serayu.models.flood.scorecard import AT_LEAST, Wait, scorecard, scorecard_document
from serayu.models.flood.told import Outcome, Record, Told, judge, warnings_of
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, SeriesKey
from serayu.models.siaga_levels import Siaga, Thresholds
from serayu.models.stores.hot import HotStore
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, parse_rfc3339

N, W, S, A = Siaga
H = US_PER_HOUR
KEY = SeriesKey("99.01", "hilir", "stage")
LIMITS = Thresholds(2.0, 3.0, 4.0, source="invented", valid_from="2026-01-01", approved_by="nobody")
T0 = parse_rfc3339("2026-01-10T00:00:00Z")
FAR_US = T0 + 1000 * H


def _told(*rows: tuple[float, Siaga], alert: str = "a") -> list[Told]:
    return [Told(alert, level, T0 + round(hour * H), T0 + round((hour + 24) * H)) for hour, level in rows]


def _event(hour: float, *, lasts_h: float = 2.0) -> Event:
    return Event(T0 + round(hour * H), T0 + round((hour + lasts_h) * H), 9.0)


def _outcomes(
    events: list[Event], told: list[Told], until_us: int = FAR_US
) -> list[tuple[str, float | None]]:
    return [
        (one.outcome.value, None if one.lead_us is None else one.lead_us / H)
        for one in judge("hilir", {W: events}, told, until_us=until_us)
    ]


@pytest.mark.parametrize(
    ("events", "told", "expected"),
    [
        ([], [], []),
        ([_event(5)], [], [("missed", None)]),
        ([], _told((0, W), (2, N)), [("false", None)]),
        ([_event(3)], _told((0, W), (9, N)), [("hit", 3.0)]),
        ([_event(0.5)], _told((0, W), (9, N)), [("hit", 0.5)]),  # half an hour is enough
        ([_event(0.25)], _told((0, W), (9, N)), [("late", 0.25)]),
        ([_event(3)], _told((3, W), (9, N)), [("late", 0.0)]),  # told by the limit itself
        ([_event(3)], _told((4, W), (9, N)), [("late", -1.0)]),
        ([_event(3)], _told((0, W), (1, N)), [("false", None), ("missed", None)]),  # cancelled before
        ([_event(24)], _told((0, W), (26, N)), [("hit", 24.0)]),
        ([_event(20)], _told((0, W), (9, W), (30, N)), [("hit", 20.0)]),  # told once more, not renewed
        (
            [_event(25)],
            _told((0, W), (22, W), (46, N)),
            [("false", None), ("hit", 3.0)],
        ),  # a renewal is a new one
        (
            [_event(3, lasts_h=40)],
            _told((0, W), (22, W), (44, W), (50, N)),
            [("hit", 3.0)],
        ),  # goes on in the flood
        ([_event(3), _event(30)], _told((0, W), (9, N), (27, W), (40, N)), [("hit", 3.0), ("hit", 3.0)]),
        ([_event(3)], _told((0, S), (2, W), (9, N)), [("hit", 3.0)]),  # lowered, and not below this level
    ],
)
def test_each_warning_and_each_event_has_one_outcome(
    events: list[Event], told: list[Told], expected: list[tuple[str, float | None]]
) -> None:
    assert _outcomes(events, told) == expected


def test_a_warning_in_force_at_the_end_is_open_and_one_that_lapsed_was_false() -> None:
    assert _outcomes([], _told((0, W)), T0 + 3 * H) == [("open", None)]
    assert _outcomes([], _told((0, W)), T0 + 25 * H) == [("false", None)]


def test_levels_are_judged_each_for_itself() -> None:
    told = _told((0, W), (4, S), (9, N))
    records = judge("hilir", {W: [_event(3)], S: [_event(4.1)], A: []}, told, until_us=FAR_US)
    assert [(one.level, one.outcome) for one in records] == [(W, Outcome.HIT), (S, Outcome.LATE)]


def test_two_alerts_do_not_end_one_another() -> None:
    told = sorted([*_told((0, W), (30, N)), *_told((1, W), (2, N), alert="b")], key=lambda one: one.sent_us)
    assert [(alert, w.issue_us - T0, w.end_us - T0) for alert, w in warnings_of(told, W)] == [
        ("a", 0, 24 * H),  # nobody renewed it: it lapsed before it was cancelled
        ("b", H, 2 * H),
    ]


_hours = st.floats(min_value=0, max_value=400)


@given(st.lists(_hours, max_size=6), st.lists(st.tuples(_hours, st.floats(0.1, 60)), max_size=6))
def test_counts_agree_with_the_backtests_matching(
    crossings: list[float], warned: list[tuple[float, float]]
) -> None:
    events = [
        _event(hour, lasts_h=0.0) for hour in np.unique(np.round(np.array(crossings, dtype=float) / 8) * 8)
    ]
    told = sorted(
        (
            one
            for number, (start, length) in enumerate(warned)
            for one in _told((start, W), (start + min(length, 23.9), N), alert=str(number))
        ),
        key=lambda one: one.sent_us,
    )
    records = judge("hilir", {W: events}, told, until_us=FAR_US * 2)
    inside = [
        w
        for _, w in warnings_of(told, W)
        if not any(e.crossing_us <= w.issue_us < e.last_us + 6 * H for e in events)
    ]
    match = match_warnings([event.crossing_us for event in events], inside)
    scored = scorecard(["hilir"], records).together[W]
    assert (scored.hits, scored.misses) == (match.counts.hits, match.counts.misses)
    assert scored.false_alarms == match.counts.false_alarms
    assert scored.late <= scored.misses
    assert scored.open == 0


# -- scores and intervals -----------------------------------------------------------------------------------


def _records(hits: int, missed: int, false: int) -> list[Record]:
    return [
        *(Record("hilir", W, Outcome.HIT, "a", T0, T0 + (60 + n) * US_PER_MINUTE) for n in range(hits)),
        *(Record("hilir", W, Outcome.MISSED, crossing_us=T0 + n * H) for n in range(missed)),
        *(Record("hilir", W, Outcome.FALSE, "b", T0 + n * H) for n in range(false)),
    ]


def test_without_events_nothing_is_defined_and_nothing_is_invented() -> None:
    scored = scorecard(["hilir"], []).stations["hilir"][A]
    assert (scored.events, scored.warnings) == (0, 0)
    assert {one.value for one in (scored.pod, scored.far, scored.csi, scored.lead_median_min)} == {None}
    assert scored.pod.low is scored.pod.high is None


def test_few_events_have_a_score_and_no_interval() -> None:
    scored = scorecard(["hilir"], _records(3, 1, 0)).together[W]
    assert (scored.pod.value, scored.pod.n, scored.pod.low) == (0.75, AT_LEAST - 1, None)


def test_outcomes_that_are_all_alike_have_no_interval() -> None:
    scored = scorecard(["hilir"], _records(30, 0, 0)).together[W]
    assert (scored.pod.value, scored.pod.low, scored.pod.high) == (1.0, None, None)
    assert scored.lead_median_min.low is not None  # their leads differ


def test_intervals_hold_their_value_and_shrink_with_the_record() -> None:
    few, many = (scorecard(["hilir"], _records(7 * n, 3 * n, 4 * n)).together[W] for n in (1, 30))
    for scored in (few, many):
        for one in (scored.pod, scored.far, scored.csi, scored.lead_median_min, scored.lead_p10_min):
            assert one.value is not None
            assert one.low is not None
            assert one.high is not None
            assert one.low <= one.value <= one.high
    assert many.pod.low is not None
    assert few.pod.low is not None
    # Binomial: 1.645 * sqrt(0.7 * 0.3 / n) on either side, 0.238 of 10 and 0.0435 of 300.
    assert many.pod.low == pytest.approx(0.7 - 0.0435, abs=0.01)
    assert few.pod.low == pytest.approx(0.7 - 0.238, abs=0.08)


def test_the_same_record_gives_the_same_interval() -> None:
    one, two = (scorecard(["hilir"], _records(7, 3, 4)) for _ in range(2))
    assert one == two


def test_time_to_acknowledge_counts_those_that_were_and_tells_how_many_were_not() -> None:
    waits = [
        *(Wait("hilir", W, 60.0 * n) for n in range(1, 11)),
        Wait("hilir", W, None),
        Wait("hilir", S, 5.0),
    ]
    scored = scorecard(["hilir"], [], waits).together[W]
    assert scored.acknowledge_median_s.value == pytest.approx(330.0)
    assert scored.acknowledge_p90_s.value == pytest.approx(546.0)
    assert (scored.acknowledge_median_s.n, scored.unacknowledged) == (10, 1)


def test_the_document_says_from_when_to_when_and_by_which_rules() -> None:
    card = scorecard(["hilir"], _records(1, 1, 1))
    document = scorecard_document(
        card, names={"hilir": "Pos Hilir"}, since_us=T0, until_us=T0 + H, source="test"
    )
    assert (document["since"], document["until"]) == ("2026-01-10T00:00:00Z", "2026-01-10T01:00:00Z")
    assert document["definitions"]["bootstrap"]["at_least"] == AT_LEAST
    assert document["stations"]["hilir"]["name"] == "Pos Hilir"
    assert [one["outcome"] for one in document["records"]] == ["hit", "missed", "false"]
    assert document["records"][0]["lead_min"] == 60.0


# -- what the river did -------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HotStore]:
    with HotStore(tmp_path / "hot.sqlite") as store:
        yield store


def _put(store: HotStore, *rows: tuple[float, float], flag: QualityFlag = QualityFlag.GOOD) -> None:
    store.write([Observation(KEY, T0 + round(minute * US_PER_MINUTE), level, flag) for minute, level in rows])


def _crossings(store: HotStore, level: Siaga = W) -> list[float]:
    found = observed_events(store, KEY, LIMITS, T0, T0 + 100 * H)[level]
    return [(one.crossing_us - T0) / US_PER_MINUTE for one in found]


def test_events_are_found_to_the_value_and_by_good_values_only(store: HotStore) -> None:
    _put(store, *((minute, 1.0) for minute in range(0, 600, 5)))
    _put(store, (603, 2.5), (608, 3.5), (613, 2.2), (618, 1.5))
    _put(store, (700, 8.0), flag=QualityFlag.SUSPECT)
    assert _crossings(store) == [603]
    assert _crossings(store, S) == [608]
    assert _crossings(store, A) == []


def test_a_gap_ends_no_event_and_six_hours_below_do(store: HotStore) -> None:
    _put(store, (0, 2.5), (600, 2.5), (610, 1.0), (900, 2.5), (910, 1.0), (1275, 2.5))
    assert _crossings(store) == [0, 1275]


def test_a_flood_that_goes_on_at_the_begin_of_the_span_began_before_it(store: HotStore) -> None:
    _put(store, *((minute, 2.5) for minute in range(0, 600, 10)), (610, 1.0), (1000, 2.5))
    later = observed_events(store, KEY, LIMITS, T0 + 5 * H, T0 + 100 * H)
    assert [(one.crossing_us - T0) / US_PER_MINUTE for one in later[W]] == [0, 1000]
    assert observed_events(store, KEY, LIMITS, T0 + 16 * H, T0 + 100 * H)[W] == later[W][1:]
    # No false alarm: the flood was there already, and who was told of it then was told late.
    counted = [
        one.outcome
        for one in judge("hilir", later, _told((6, W), (30, N)), until_us=T0 + 100 * H)
        if one.at_us >= T0 + 5 * H
    ]
    assert counted == [Outcome.LATE, Outcome.MISSED]


def test_an_hour_whose_values_are_deleted_counts_with_its_highest(store: HotStore) -> None:
    _put(store, *((minute, 1.0 if minute < 120 else 2.5) for minute in range(0, 240, 10)))
    store.delete_before(T0 + 3 * H)
    assert _crossings(store) == [120]


@given(st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 5)), max_size=60, unique_by=lambda row: row[0]))
def test_reading_by_hours_finds_what_reading_everything_finds(rows: list[tuple[int, float]]) -> None:
    from serayu.models.flood.events import events_of  # noqa: PLC0415
    from serayu.models.stores.memory import MemoryStore  # noqa: PLC0415

    store = MemoryStore()
    store.write([Observation(KEY, T0 + minute * US_PER_MINUTE, level) for minute, level in rows])
    whole = store.window(KEY, T0, T0 + 100 * H)
    times = np.array([one.t_us for one in whole], dtype=np.int64)
    levels = np.array([one.value for one in whole], dtype=np.float64)
    found = observed_events(store, KEY, LIMITS, T0, T0 + 100 * H)
    for level, bound in zip(LEVELS, LIMITS.bounds_m, strict=True):
        assert [one.crossing_us for one in found[level]] == [
            one.crossing_us for one in events_of(times, levels, bound)
        ]
