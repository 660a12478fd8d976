import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.flood.events import Event, Warned, events_of, match_warnings
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE

H = US_PER_HOUR


def _events(hours: list[float], level: list[float], limit: float = 1.0) -> list[Event]:
    return events_of(np.array([int(hour * H) for hour in hours]), np.array(level), limit)


@pytest.mark.parametrize(
    ("hours", "level", "crossings"),
    [
        ([], [], []),
        ([0, 1], [0.5, 1.0], []),  # the limit itself is not above it
        ([0, 1, 2], [0.5, 1.1, 0.5], [1]),
        ([0, 1, 2, 7, 8], [2, 2, 0, 2, 0], [0]),  # below from hour 2, above again 5 h later: the same event
        ([0, 1, 2, 8, 9], [2, 2, 0, 2, 0], [0, 8]),  # 6 h later: another
        ([0, 1, 30, 31], [2, 2, 2, 0], [0]),  # a gap ends nothing
        ([0, 1, 30, 31, 33], [2, 2, 0, 0, 2], [0]),  # below is known only from hour 30
    ],
)
def test_an_event_lasts_until_six_hours_below(
    hours: list[float], level: list[float], crossings: list[int]
) -> None:
    assert [event.crossing_us // H for event in _events(hours, level)] == crossings


def test_an_event_knows_its_peak_and_its_last_exceedance() -> None:
    assert _events([0, 1, 2, 3, 4, 5], [0, 2, 3, 0, 1.5, 0]) == [Event(H, 4 * H, 3.0)]


def _brute_events(hours: list[int], level: list[float], limit: float) -> list[int]:
    """Go through the observations one at a time with the words of the rule."""
    crossings: list[int] = []
    running, below_since = False, None
    for hour, value in zip(hours, level, strict=True):
        if running and below_since is not None and hour - below_since >= 6:
            running, below_since = False, None
        if value > limit:
            if not running:
                crossings.append(hour)
            running, below_since = True, None
        elif running and below_since is None:
            below_since = hour
    return crossings


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from([0.0, 1.0, 1.5, 2.0])), max_size=40))
def test_events_are_those_of_the_rule_taken_word_by_word(steps: list[tuple[int, float]]) -> None:
    hours = [int(hour) for hour in np.cumsum([step for step, _ in steps])]
    level = [value for _, value in steps]
    found = [event.crossing_us // H for event in _events([float(hour) for hour in hours], level)]
    assert found == _brute_events(hours, level, 1.0)


@pytest.mark.parametrize(
    ("issue_h", "end_h", "hit"),
    [
        (-0.5, 23.5, True),
        (-0.49, 23.5, False),  # too late
        (-24, 0, True),  # in force to the very end
        (-24.01, -0.01, False),
        (-3, -1, False),  # cleared before
        (-3, 0, True),
        (0, 24, False),  # at the crossing: no warning at all
        (1, 25, False),
    ],
)
def test_a_hit_comes_half_an_hour_to_a_day_before_and_is_in_force(
    issue_h: float, end_h: float, *, hit: bool
) -> None:
    crossing = 100 * H
    warning = Warned(crossing + round(issue_h * H), crossing + round(end_h * H))
    match = match_warnings([crossing], [warning])
    assert (match.counts.hits, match.counts.misses, match.counts.false_alarms) == (
        (1, 0, 0) if hit else (0, 1, 1)
    )
    assert match.leads_us == ((round(-issue_h * H),) if hit else ())


def test_a_renewal_that_nothing_follows_is_a_false_alarm() -> None:
    match = match_warnings([10 * H], [Warned(5 * H, 29 * H), Warned(29 * H, 53 * H)])
    assert (match.counts.hits, match.counts.false_alarms) == (1, 1)


def test_one_warning_serves_one_event() -> None:
    match = match_warnings([10 * H, 20 * H], [Warned(5 * H, 29 * H)])
    assert (match.counts.hits, match.counts.misses) == (1, 1)
    assert match.pairs == ((0, 0),)


def _brute_match(crossings: list[int], warnings: list[Warned]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for event, crossing in enumerate(crossings):
        for index, warning in enumerate(warnings):
            used = any(index == other for _, other in pairs)
            timely = 30 * US_PER_MINUTE <= crossing - warning.issue_us <= 24 * H
            if not used and timely and warning.issue_us <= crossing <= warning.end_us:
                pairs.append((event, index))
                break
    return pairs


@given(
    st.lists(st.integers(0, 200), max_size=8, unique=True).map(sorted),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 48)), max_size=12, unique_by=lambda pair: pair[0]),
)
def test_matching_is_that_of_the_rule_taken_word_by_word(
    crossings_h: list[int], given_warnings: list[tuple[int, int]]
) -> None:
    crossings = [hour * H for hour in crossings_h]
    half = 30 * US_PER_MINUTE
    warnings = [Warned(at * half, (at + length) * half) for at, length in sorted(given_warnings)]
    match = match_warnings(crossings, warnings)
    assert list(match.pairs) == _brute_match(crossings, warnings)
    assert match.counts.hits + match.counts.misses == len(crossings)
    assert match.counts.hits + match.counts.false_alarms == len(warnings)
