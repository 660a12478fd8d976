"""One contract for every store of observations: memory, SQLite, and a real InfluxDB."""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec
import pytest

from serayu.models.ports import ObservationReader, ObservationWriter
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Bucket, Observation, SeriesKey
from serayu.models.stores.hot import HotStore
from serayu.models.stores.influx import InfluxStore
from serayu.models.stores.memory import MemoryStore
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_S
from tests import servers

_numbers = itertools.count()  # every test has a database of its own
KEY = SeriesKey("33.02", "bgs-hulu", "stage")
T0 = 1_700_000_000 * US_PER_S - 1_700_000_000 * US_PER_S % US_PER_DAY  # a midnight UTC in November 2023
NAN = float("nan")
GOOD, SUSPECT, FAIL, MISSING = QualityFlag.GOOD, QualityFlag.SUSPECT, QualityFlag.FAIL, QualityFlag.MISSING
ODD_NAMES = [
    "bgs-hulu",
    "Sungai Sérayu",
    "川の水位",
    "a,b",
    "a=b",
    "a b=c,d",
    "back\\slash",
    "back\\ space",
    "back\\,comma\\=equals",
    "n\\not a newline",
    "'single' \"double\"",
    "${x} %s {0}",
    "#begins like a comment",
    "percent%2Cencoded",
    "🌊",
]


class Store(ObservationReader, ObservationWriter, Protocol):
    """Both ports at once."""


@pytest.fixture(scope="module")
def influx_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.influxd(tmp_path_factory.mktemp("influx"), databases=()) as server:
        yield server.url


@pytest.fixture(params=["memory", "hot", pytest.param("influx", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "hot":
        with HotStore(tmp_path / "hot.db") as hot:
            yield hot
    else:
        url = request.getfixturevalue("influx_url")
        with InfluxStore(url, "a token", "serayu", f"db {next(_numbers)}") as influx:
            yield influx


def at(offset_us: int, value: float, *, key: SeriesKey = KEY, flag: QualityFlag = GOOD) -> Observation:
    return Observation(key, T0 + offset_us, value, flag, received_us=T0 + offset_us + 7)


def shown(observations: "list[Observation] | tuple[Observation, ...]") -> list[str]:
    """Return texts to compare: NaN is not equal to itself."""
    return [repr(observation) for observation in observations]


def whole(store: Store, key: SeriesKey = KEY) -> list[Observation]:
    return list(store.window(key, 0, 2 * T0))


# -- writing and windows ----------------------------------------------------------------------------------------------


def test_an_empty_store_has_nothing(store: Store) -> None:
    assert list(store.window(KEY, 0, 2 * T0)) == []
    assert list(store.latest()) == []
    assert list(store.aggregate(KEY, 0, 2 * T0, step_us=US_PER_HOUR)) == []
    assert list(store.write([])) == []


def test_every_field_comes_back(store: Store) -> None:
    full = Observation(KEY, T0, 1.25, SUSPECT, 0x0402, 'o"id\\x', 77, T0 + 3, late=True)
    other = Observation(KEY, T0 + 1, -0.1, QualityFlag.NOT_EVALUATED)
    assert list(store.write([full, other])) == []
    assert whole(store) == [full, other]


@pytest.mark.parametrize(
    "value",
    [0.0, -0.0, 1.0, 0.1, 1 / 3, 1e-300, 5e-324, 1.7976931348623157e308, 123456789.123456789, -2.5e-8],
)
def test_a_value_comes_back_to_the_last_bit(store: Store, value: float) -> None:
    store.write([at(0, value)])
    (found,) = whole(store)
    assert found.value == value


def test_an_observation_written_again_changes_nothing(store: Store) -> None:
    first = [at(i * US_PER_MINUTE, i / 8) for i in range(3)]
    assert list(store.write(first)) == []
    assert list(store.write(first)) == []
    assert list(store.write([*first, *first])) == []
    assert whole(store) == first
    (bucket,) = store.aggregate(KEY, T0, T0 + US_PER_HOUR, step_us=US_PER_HOUR)
    assert bucket == Bucket(T0, 3, 0.125, 0.0, 0.25, 0.375)


def test_an_identity_written_again_changes_nothing(store: Store) -> None:
    one = Observation(KEY, T0, 1.5, oid="a1b2", seq=1)
    assert list(store.write([one])) == []
    assert list(store.write([one, one])) == []
    assert whole(store) == [one]


def test_an_observation_written_with_another_flag_is_revised(store: Store) -> None:
    store.write([at(0, 1.0), at(US_PER_MINUTE, 9.0), at(2 * US_PER_MINUTE, 2.0)])
    revised = msgspec.structs.replace(at(US_PER_MINUTE, 9.0), flag=FAIL, tests=4 << 8)
    assert list(store.write([revised])) == []
    assert whole(store) == [at(0, 1.0), revised, at(2 * US_PER_MINUTE, 2.0)]
    for step_us in (US_PER_HOUR, 7 * US_PER_MINUTE):
        (bucket,) = store.aggregate(KEY, T0, T0 + US_PER_HOUR, step_us=step_us)
        assert (bucket.count, bucket.maximum, bucket.total) == (2, 2.0, 3.0)


def test_a_mask_alone_is_revised_too(store: Store) -> None:
    store.write([at(0, 1.0, flag=SUSPECT)])
    revised = msgspec.structs.replace(at(0, 1.0, flag=SUSPECT), tests=2)
    store.write([revised])
    assert whole(store) == [revised]


def test_a_revision_within_one_call_counts(store: Store) -> None:
    revised = msgspec.structs.replace(at(0, 1.0), flag=SUSPECT, tests=2)
    assert list(store.write([at(0, 1.0), revised])) == []
    assert whole(store) == [revised]


def test_another_value_for_a_stored_time_is_refused_or_replaces_it(store: Store) -> None:
    """The port leaves it open which; never are there two, and never is it silent and lost in part."""
    store.write([at(0, 1.0)])
    refusals = store.write([at(0, 2.0), at(1, 3.0)])
    values = [observation.value for observation in whole(store)]
    if isinstance(store, InfluxStore):
        assert (list(refusals), values) == ([], [2.0, 3.0])
    else:
        assert [refusal.observation for refusal in refusals] == [at(0, 2.0)]
        assert "1.0 is stored for this time" in refusals[0].reason
        assert values == [1.0, 3.0]


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_an_infinite_value_is_refused_beside_good_ones(store: Store, value: float) -> None:
    refusals = store.write([at(0, 1.0), at(1, value), at(2, 3.0)])
    assert [(refusal.observation, refusal.reason) for refusal in refusals] == [
        (at(1, value), "the value is infinite")
    ]
    assert whole(store) == [at(0, 1.0), at(2, 3.0)]


def test_nan_is_stored_as_missing(store: Store) -> None:
    missing = at(US_PER_MINUTE, NAN, flag=MISSING)
    assert list(store.write([at(0, 1.0), missing])) == []
    assert list(store.write([missing])) == []
    assert shown(whole(store)) == shown([at(0, 1.0), missing])
    (last,) = store.latest()
    assert (repr(last.observation), last.trend_per_h) == (repr(missing), None)


def test_neighbours_one_microsecond_apart_stay_two(store: Store) -> None:
    story = [at(i, float(i)) for i in range(5)]
    store.write(story)
    assert whole(store) == story
    assert list(store.window(KEY, T0 + 1, T0 + 3)) == story[1:3]
    assert [b.count for b in store.aggregate(KEY, T0, T0 + 5, step_us=2)] == [2, 2, 1]


@pytest.mark.parametrize(
    ("start", "end", "limit", "expected"),
    [
        pytest.param(0, 0, None, [], id="empty"),
        pytest.param(3, 2, None, [], id="backwards"),
        pytest.param(0, 1, None, [0], id="start is inside"),
        pytest.param(1, 3, None, [1, 2], id="end is outside"),
        pytest.param(-(2**60), 2**62, None, [0, 1, 2, 3], id="everything"),
        pytest.param(0, 4, 0, [], id="limit zero"),
        pytest.param(0, 4, 1, [0], id="limit one"),
        pytest.param(1, 4, 2, [1, 2], id="limit cuts the end"),
        pytest.param(0, 4, 99, [0, 1, 2, 3], id="limit beyond"),
    ],
)
def test_a_window_is_half_open_limited_and_in_order(
    store: Store, start: int, end: int, limit: int | None, expected: list[int]
) -> None:
    store.write([at(i * US_PER_S, float(i)) for i in (2, 0, 3, 1)])
    found = store.window(KEY, T0 + start * US_PER_S, T0 + end * US_PER_S, limit=limit)
    assert [observation.value for observation in found] == expected


def test_a_negative_limit_is_an_error(store: Store) -> None:
    with pytest.raises(ValueError, match="limit"):
        store.window(KEY, 0, 1, limit=-1)


def test_the_beginning_of_1970_is_a_time(store: Store) -> None:
    story = [Observation(KEY, 0, 1.0), Observation(KEY, 1, 2.0)]
    store.write(story)
    assert list(store.window(KEY, 0, 2)) == story


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_come_back(store: Store, name: str) -> None:
    """Slugs forbid them on the wire; a store must not mix them up or be steered by them."""
    keys = [SeriesKey(name, "a", "b"), SeriesKey("a", name, "b"), SeriesKey("a", "b", name)]
    story = [Observation(key, T0 + i, float(i), oid=name, seq=i + 1) for i, key in enumerate(keys)]
    assert list(store.write(story)) == []
    for key, observation in zip(keys, story, strict=True):
        assert whole(store, key) == [observation]
        assert [b.total for b in store.aggregate(key, T0, T0 + US_PER_HOUR, step_us=US_PER_HOUR)] == [
            observation.value
        ]
    assert [last.observation.key for last in store.latest()] == sorted(keys)
    assert [last.observation.key for last in store.latest(name)] == [keys[0]]


def test_a_large_batch_is_stored_whole(store: Store) -> None:
    story = [at(i * US_PER_S, i / 4) for i in range(12_001)]
    assert list(store.write(story)) == []
    assert whole(store) == story


# -- latest -----------------------------------------------------------------------------------------------------------


def test_latest_gives_every_datastream_once_in_order_of_key(store: Store) -> None:
    keys = [
        SeriesKey(region, station, slug)
        for region in ("33.02", "33.03")
        for station in ("a", "b", "c")
        for slug in ("rain", "stage")
    ]
    for round_ in range(3):
        store.write(
            [at(round_ * US_PER_MINUTE + i, float(i), key=key) for i, key in enumerate(reversed(keys))]
        )
    last = store.latest()
    assert [one.observation.key for one in last] == keys
    assert all(one.observation.t_us >= T0 + 2 * US_PER_MINUTE for one in last)
    assert [one.observation.key for one in store.latest("33.03")] == keys[6:]
    assert list(store.latest("33.04")) == []


def test_latest_is_the_newest_in_time_not_in_arrival(store: Store) -> None:
    store.write([at(5 * US_PER_MINUTE, 5.0)])
    store.write([at(0, 1.0), at(4 * US_PER_MINUTE, 4.0)])
    (last,) = store.latest()
    assert last.observation == at(5 * US_PER_MINUTE, 5.0)


def test_latest_follows_a_revision(store: Store) -> None:
    store.write([at(0, 1.0)])
    revised = msgspec.structs.replace(at(0, 1.0), flag=FAIL, tests=1 << 8)
    store.write([revised])
    (last,) = store.latest()
    assert last.observation == revised


@pytest.mark.parametrize(
    ("minutes_before", "flags", "last_flag", "expected"),
    [
        pytest.param([], [], GOOD, None, id="alone"),
        pytest.param([29], [GOOD], GOOD, None, id="too near"),
        pytest.param([30], [GOOD], GOOD, -60.0, id="half an hour"),
        pytest.param([180], [GOOD], GOOD, -60.0, id="three hours"),
        pytest.param([181], [GOOD], GOOD, None, id="too far"),
        pytest.param([90, 60, 20], [GOOD, GOOD, GOOD], GOOD, -60.0, id="the last that is old enough"),
        pytest.param([120, 60], [SUSPECT, FAIL], GOOD, -60.0, id="fail does not count"),
        pytest.param([120, 60], [GOOD, MISSING], GOOD, -60.0, id="missing does not count"),
        pytest.param([60], [GOOD], FAIL, None, id="last value failed"),
        pytest.param([60], [GOOD], SUSPECT, -60.0, id="last value suspect"),
        pytest.param(list(range(170, 0, -1)), [GOOD] * 170, GOOD, -60.0, id="every minute"),
    ],
)
def test_trend_is_the_change_since_the_last_usable_value_half_an_hour_earlier(
    store: Store,
    minutes_before: list[int],
    flags: list[QualityFlag],
    last_flag: QualityFlag,
    expected: float | None,
) -> None:
    now_us = 4 * US_PER_HOUR
    story = [
        at(now_us - minutes * US_PER_MINUTE, float(minutes), flag=flag)
        for minutes, flag in zip(minutes_before, flags, strict=True)
    ]
    store.write([*story, at(now_us, 0.0, flag=last_flag)])
    (last,) = store.latest()
    if expected is None:
        assert last.trend_per_h is None
    else:
        assert last.trend_per_h == pytest.approx(expected)


def test_trends_of_stations_that_ended_at_different_times_do_not_mix(store: Store) -> None:
    keys = [SeriesKey("33.02", f"st-{i}", "stage") for i in range(6)]
    for i, key in enumerate(keys):
        end_us = i * 2 * US_PER_MINUTE + (US_PER_DAY if i > 3 else 0)
        store.write(
            [
                at(end_us - m * US_PER_MINUTE, float(i * (60 - m)), key=key)
                for m in range(60, -1, -10 if i % 2 else -2)
            ]
        )
    trends = [last.trend_per_h for last in store.latest()]
    assert trends == pytest.approx([i * 60.0 for i in range(6)])


# -- aggregates -------------------------------------------------------------------------------------------------------

STEPS = [
    US_PER_MINUTE,
    7 * US_PER_MINUTE,
    US_PER_HOUR,
    5 * US_PER_HOUR,
    US_PER_DAY,
    7 * US_PER_DAY,
    1_234_567_891,
]


def expected_buckets(story: list[Observation], start_us: int, end_us: int, step_us: int) -> list[Bucket]:
    """Recompute from the definition."""
    groups: dict[int, list[float]] = {}
    for observation in sorted(story, key=lambda observation: observation.t_us):
        counts = observation.flag not in (FAIL, MISSING) and not math.isnan(observation.value)
        if counts and start_us <= observation.t_us < end_us:
            groups.setdefault(observation.t_us // step_us * step_us, []).append(observation.value)
    return [
        Bucket(start, len(values), sum(values) / len(values), min(values), max(values), sum(values))
        for start, values in groups.items()
    ]


@pytest.mark.parametrize("step_us", STEPS)
@pytest.mark.parametrize(
    ("start_us", "end_us"),
    [
        pytest.param(T0, T0 + 2 * US_PER_DAY, id="whole days"),
        pytest.param(T0 + 3 * US_PER_HOUR, T0 + 20 * US_PER_HOUR, id="whole hours"),
        pytest.param(T0 + 1, T0 + US_PER_DAY - 1, id="odd ends"),
        pytest.param(T0 + 5, T0 + 5, id="empty"),
        pytest.param(T0 + 5, T0, id="backwards"),
    ],
)
def test_aggregates_equal_their_definition(store: Store, step_us: int, start_us: int, end_us: int) -> None:
    flags = [GOOD, SUSPECT, FAIL, GOOD, MISSING, QualityFlag.NOT_EVALUATED]
    story = [
        at(i * 11 * US_PER_MINUTE, NAN if i % 17 == 0 else (i * 37 % 101) / 8, flag=flags[i % 6])
        for i in range(300)
    ]
    store.write(story[::2])
    store.write(story[1::2])
    found = list(store.aggregate(KEY, start_us, end_us, step_us=step_us))
    assert found == expected_buckets(story, start_us, end_us, step_us)


def test_a_bucket_of_unusable_values_is_left_out(store: Store) -> None:
    store.write([at(0, 1.0, flag=FAIL), at(US_PER_HOUR, NAN), at(2 * US_PER_HOUR, 3.0)])
    for step_us in (US_PER_HOUR, US_PER_MINUTE):
        found = store.aggregate(KEY, T0, T0 + US_PER_DAY, step_us=step_us)
        assert [bucket.start_us for bucket in found] == [T0 + 2 * US_PER_HOUR]


@pytest.mark.parametrize("step_us", [0, -1])
def test_a_step_that_is_not_positive_is_an_error(store: Store, step_us: int) -> None:
    with pytest.raises(ValueError, match="step_us"):
        store.aggregate(KEY, T0, T0 + 1, step_us=step_us)
