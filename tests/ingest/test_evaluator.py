"""The alert evaluator over a real hot store and a real register: nothing missed, nothing doubled."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.ingest.evaluator import CURSOR_SLACK, AlertEvaluator
from serayu.models.alert import Alert, AlertChange, AlertStatus, retracted
from serayu.models.errors import ConflictError
from serayu.models.quality.flags import QualityFlag
from serayu.models.quality.sensor_caution import tell
from serayu.models.reading import Observation, SeriesKey
from serayu.models.region import Region, RegionInfo
from serayu.models.siaga import (
    ChangeKind,
    Reason,
    Siaga,
    SiagaChange,
    SiagaMachine,
    SiagaSettings,
    Thresholds,
)
from serayu.models.station import Datastream, Station, StationKind
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_transaction import Revision
from serayu.models.stores.register import Register
from serayu.models.stores.register.database import sqlite_url
from serayu.models.stores.register.evaluator import CursorMove, EvaluatorSnapshot
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE
from tests.registers import empty_register

CODE = "33.02"
LIMITS = Thresholds(
    2.0, 3.0, 4.0, source="invented for this test", valid_from="2026-01-01", approved_by="nobody"
)
EARLY = SiagaSettings(travel_time_us=US_PER_HOUR)
POSTS = ("hulu", "hilir")
N, W, S, A = Siaga


def _station(name: str, *, limits: Thresholds | None = LIMITS, behaviour: SiagaSettings = EARLY) -> Station:
    streams = (Datastream("stage"), Datastream("rain"))
    return Station(
        name, CODE, name, StationKind.RIVER, 109.2, -7.4, streams, "test", thresholds=limits, siaga=behaviour
    )


STATIONS = {name: _station(name) for name in POSTS} | {"bebas": _station("bebas", limits=None)}
REGION = Region(RegionInfo(CODE, "Banyumas", "test"), MappingProxyType(STATIONS), Path())


def at(
    minute: float,
    value: float,
    station: str = "hulu",
    *,
    slug: str = "stage",
    flag: QualityFlag = QualityFlag.GOOD,
    late: bool = False,
) -> Observation:
    key = SeriesKey(CODE, station, slug)
    return Observation(key, round(minute * US_PER_MINUTE), value, flag, late=late)


@pytest.fixture(scope="module", name="empty")
def _empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("register") / "empty.db"
    empty_register(file)
    return file


@contextmanager
def _host(empty: Path) -> Iterator[tuple[HotStore, Register]]:
    with tempfile.TemporaryDirectory() as name:
        shutil.copy(empty, Path(name) / "register.db")
        register = Register(sqlite_url(Path(name) / "register.db"))
        with closing(HotStore(Path(name) / "hot.db")) as store, register:
            yield store, register


@pytest.fixture(name="host")
def _host_fixture(empty: Path) -> Iterator[tuple[HotStore, Register]]:
    with _host(empty) as host:
        yield host


def told(changes: Sequence[AlertChange]) -> list[tuple[str, float, Siaga, Siaga]]:
    return [(change.station, change.at_us / US_PER_MINUTE, change.before, change.after) for change in changes]


FLOOD = [1.0, 1.1, 2.1, 3.1, 4.1, 3.5, 2.0, 1.5, 1.0, 1.0, 1.0]


def test_an_empty_store_changes_nothing(host: tuple[HotStore, Register]) -> None:
    store, register = host
    assert AlertEvaluator(store, register, REGION).step() == []


def test_a_flood_opens_one_alert_and_ends_it(host: tuple[HotStore, Register]) -> None:
    store, register = host
    store.write([at(20 * number, value) for number, value in enumerate(FLOOD)])
    changes = AlertEvaluator(store, register, REGION).step()
    assert changes == register.changes_after(0)
    (alert,) = register.alerts(CODE)
    assert alert.changes == tuple(changes)
    assert (alert.status, alert.highest, alert.highest_by_threshold) == (AlertStatus.ENDED, A, A)
    assert AlertEvaluator(store, register, REGION).step() == []


def test_what_concerns_no_machine_is_ignored(host: tuple[HotStore, Register]) -> None:
    store, register = host
    foreign = Observation(SeriesKey("99.01", "hulu", "stage"), 1, 9.0)
    store.write([
        at(1, 9.0, late=True),
        at(2, 9.0, slug="rain"),
        at(3, 9.0, "bebas"),
        at(4, 9.0, "tidak-dikenal"),
        at(5, 9.0, flag=QualityFlag.FAIL),
        at(6, float("nan"), flag=QualityFlag.MISSING),
        foreign,
    ])  # fmt: skip
    assert AlertEvaluator(store, register, REGION).step() == []
    assert register.evaluator_snapshot(CODE, "alerts") == EvaluatorSnapshot(0, {}), (
        "nothing was worth a write"
    )


def test_a_restart_keeps_the_state_over_a_long_gap(host: tuple[HotStore, Register]) -> None:
    store, register = host
    store.write([at(0, 2.5)])
    assert told(AlertEvaluator(store, register, REGION).step()) == [("hulu", 0, N, W)]
    store.write([at(10_000, 2.5), at(10_001, 1.0)])
    assert AlertEvaluator(store, register, REGION).step() == []
    store.write([at(10_031, 1.0)])
    assert told(AlertEvaluator(store, register, REGION).step()) == [("hulu", 10_031, W, N)]


def test_changes_of_several_posts_are_recorded_in_order_of_time(host: tuple[HotStore, Register]) -> None:
    store, register = host
    store.write([at(0, 1.0, "hilir"), at(1, 2.5, "hulu"), at(2, 2.5, "hilir"), at(3, 3.5, "hulu")])
    changes = AlertEvaluator(store, register, REGION).step()
    assert told(changes) == [("hulu", 1, N, W), ("hilir", 2, N, W), ("hulu", 3, W, S)]


def test_a_revision_of_a_value_that_was_seen_changes_nothing(host: tuple[HotStore, Register]) -> None:
    store, register = host
    evaluator = AlertEvaluator(store, register, REGION)
    store.write([at(0, 2.5), at(1, 1.0)])
    assert len(evaluator.step()) == 1
    with store.transaction() as transaction:
        transaction.revise([Revision(at(0, 0).key, 0, QualityFlag.SUSPECT, 4)])
    assert evaluator.step() == []


def revise(store: HotStore, minute: float, flag: QualityFlag, station: str = "hulu") -> None:
    observation = at(minute, 0, station)
    with store.transaction() as transaction:
        transaction.revise([Revision(observation.key, observation.t_us, flag, 4)])


@pytest.mark.parametrize("together", [True, False])
def test_a_spike_that_fails_its_tests_one_reading_later_is_retracted(
    host: tuple[HotStore, Register],
    together: bool,  # noqa: FBT001 -- a case
) -> None:
    store, register = host
    evaluator = AlertEvaluator(store, register, REGION)
    store.write([*(at(minute, 1.0) for minute in range(10)), at(10, 10.2, flag=QualityFlag.SUSPECT)])
    assert told(evaluator.step()) == [("hulu", 10, N, A)]
    store.write([at(11, 1.0)])
    said = [] if together else evaluator.step()
    revise(store, 10, QualityFlag.FAIL)
    said += AlertEvaluator(store, register, REGION).step()
    assert [(change.kind, change.before, change.after) for change in said] == [(ChangeKind.RETRACT, A, N)]
    (alert,) = register.alerts(CODE)
    assert (alert.status, alert.level, alert.highest, alert.highest_by_threshold) == (
        AlertStatus.ENDED,
        N,
        N,
        N,
    )
    assert (alert.level_m, alert.opened_us <= (alert.ended_us or 0)) == (1.0, True)
    assert retracted(alert.changes) == [True, False]
    store.write([at(12, 2.5)])
    assert told(AlertEvaluator(store, register, REGION).step()) == [("hulu", 12, N, W)]


def test_a_value_that_failed_before_it_was_seen_says_nothing(host: tuple[HotStore, Register]) -> None:
    store, register = host
    store.write([at(0, 1.0), at(1, 10.2), at(2, 1.0)])
    revise(store, 1, QualityFlag.FAIL)
    assert AlertEvaluator(store, register, REGION).step() == []


def test_a_spike_during_an_alert_leaves_the_level_and_the_highest_that_stand(
    host: tuple[HotStore, Register],
) -> None:
    store, register = host
    store.write([at(0, 2.5), at(60, 3.5), at(61, 10.2), at(62, 3.5)])
    evaluator = AlertEvaluator(store, register, REGION)
    evaluator.step()
    revise(store, 61, QualityFlag.FAIL)
    evaluator.step()
    (alert,) = register.alerts(CODE)
    assert (alert.level, alert.highest, alert.highest_by_threshold, alert.reason) == (
        S,
        S,
        S,
        Reason.THRESHOLD,
    )
    assert retracted(alert.changes) == [False, False, True, False]


def test_a_value_that_was_revised_before_it_could_be_read_takes_its_place_in_time(
    host: tuple[HotStore, Register],
) -> None:
    store, register = host
    store.write([at(0, 2.5), at(1, 1.0)])
    with store.transaction() as transaction:
        transaction.revise([Revision(at(0, 0).key, 0, QualityFlag.SUSPECT, 4)])
    (change,) = AlertEvaluator(store, register, REGION).step()
    assert told([change]) == [("hulu", 0, N, W)]
    assert not change.verified


def test_a_peak_that_comes_behind_its_successor_raises_in_its_place(host: tuple[HotStore, Register]) -> None:
    store, register = host
    evaluator = AlertEvaluator(store, register, REGION)
    store.write([at(10, 1.0), at(20, 2.5), at(15, 1.0, "hilir")])
    evaluator.step()
    store.write([at(19, 4.5), at(21, 2.5), at(21, 2.5, "hilir")])
    assert told(evaluator.step()) == [("hulu", 19, W, A), ("hilir", 21, N, W)]
    alert = register.active_levels(CODE)["hulu"]
    assert (alert.level, alert.opened_us, alert.updated_us) == (A, 20 * US_PER_MINUTE, 20 * US_PER_MINUTE)


def test_a_second_evaluator_of_the_same_name_is_refused_and_then_takes_up(
    host: tuple[HotStore, Register],
) -> None:
    store, register = host
    first, second = AlertEvaluator(store, register, REGION), AlertEvaluator(store, register, REGION)
    store.write([at(0, 1.0)])
    first.step()
    second.step()
    store.write([at(40, 2.5)])
    assert len(first.step()) == 1
    store.write([at(80, 3.5)])
    with pytest.raises(ConflictError):
        second.step()
    assert told(second.step()) == [("hulu", 80, W, S)]
    assert len(register.changes_after(0)) == 2


def test_a_replaced_hot_store_is_followed_from_its_start(
    host: tuple[HotStore, Register], tmp_path: Path
) -> None:
    store, register = host
    store.write([at(minute, 2.5) for minute in range(10)])
    AlertEvaluator(store, register, REGION).step()
    with HotStore(tmp_path / "new.db") as fresh:
        fresh.write([at(9, 9.0), at(10, 3.5)])
        evaluator = AlertEvaluator(fresh, register, REGION)
        assert evaluator.step() == []
        assert told(evaluator.step()) == [("hulu", 10, W, S)]


@pytest.mark.parametrize("broken", [b"[]", b"{", b'{"limits": []}', b'{"last_us": "x"}'])
def test_a_state_that_cannot_be_read_stops_no_other_post_and_its_own_starts_afresh(
    host: tuple[HotStore, Register], caplog: pytest.LogCaptureFixture, broken: bytes
) -> None:
    store, register = host
    store.write([at(0, 3.5), at(0, 2.5, "hilir")])
    evaluator = AlertEvaluator(store, register, REGION)
    evaluator.step()
    move = CursorMove("alerts", evaluator.position, evaluator.position)
    register.record_changes(CODE, cursor=move, states={"hulu": broken}, changes=[], now_us=0)
    store.write([at(1, 3.6), at(1, 4.5, "hilir"), at(10, 1.0), at(40, 1.0)])
    changes = AlertEvaluator(store, register, REGION).step()
    assert told(changes) == [("hilir", 1, W, A), ("hulu", 40, S, N)]
    assert [record.station for record in caplog.records] == ["hulu"]  # type: ignore[attr-defined]
    assert set(register.active_levels(CODE)) == {"hilir"}


def test_an_alert_whose_post_is_no_longer_evaluated_is_named(
    host: tuple[HotStore, Register], caplog: pytest.LogCaptureFixture
) -> None:
    store, register = host
    store.write([at(0, 3.5), at(0, 2.5, "hilir")])
    AlertEvaluator(store, register, REGION).step()
    stations = STATIONS | {"hulu": _station("hulu", limits=None)}
    less = Region(RegionInfo(CODE, "Banyumas", "test"), MappingProxyType(stations), Path())
    assert AlertEvaluator(store, register, less).step() == []
    assert ["hulu" in record.message for record in caplog.records] == [True]


def test_a_long_stretch_that_concerns_nobody_is_passed_with_few_writes(
    host: tuple[HotStore, Register],
) -> None:
    store, register = host
    store.write([at(minute, 1.0, slug="rain") for minute in range(CURSOR_SLACK + 1)])
    evaluator = AlertEvaluator(store, register, REGION)
    evaluator.step(limit=CURSOR_SLACK - 1)
    assert register.evaluator_snapshot(CODE, "alerts").position == 0
    evaluator.step()
    assert register.evaluator_snapshot(CODE, "alerts").position == evaluator.position == CURSOR_SLACK + 1


class KilledError(Exception):
    """Stands for SIGKILL: whatever the process knew is gone."""


class Fragile:
    """A register whose process dies at chosen calls, before or after the commit."""

    def __init__(self, register: Register, deaths: Mapping[int, str]) -> None:
        self._register = register
        self._deaths = deaths
        self._calls = 0

    def evaluator_snapshot(self, region: str, name: str) -> EvaluatorSnapshot:
        return self._register.evaluator_snapshot(region, name)

    def active_levels(self, region: str) -> Mapping[str, Alert]:
        return self._register.active_levels(region)

    def record_changes(
        self,
        region: str,
        *,
        cursor: CursorMove,
        states: Mapping[str, bytes],
        changes: Sequence[tuple[str, SiagaChange]],
        now_us: int,
    ) -> list[AlertChange]:
        self._calls += 1
        death = self._deaths.get(self._calls)
        if death == "before":
            raise KilledError
        recorded = self._register.record_changes(
            region, cursor=cursor, states=states, changes=changes, now_us=now_us
        )
        if death == "after":
            raise KilledError
        return recorded


def _straight(observations: Sequence[Observation]) -> dict[str, list[tuple[int, Siaga, Siaga, ChangeKind]]]:
    """What one machine a post says that is never stopped."""
    said: dict[str, list[tuple[int, Siaga, Siaga, ChangeKind]]] = {name: [] for name in POSTS}
    machines = {name: SiagaMachine(LIMITS, EARLY) for name in POSTS}
    for observation in observations:
        name = observation.key.station
        if not observation.late:
            changes = tell(machines[name], observation)
            said[name] += [(change.at_us, change.before, change.after, change.kind) for change in changes]
    return said


observations_of_two_posts = st.lists(
    st.builds(
        at,
        st.integers(0, 600),
        st.sampled_from([1.0, 1.7, 1.95, 2.05, 2.5, 3.1, 3.5, 4.2]),
        st.sampled_from(POSTS),
        flag=st.sampled_from([QualityFlag.GOOD] * 4 + [QualityFlag.SUSPECT, QualityFlag.FAIL]),
        late=st.sampled_from([False] * 5 + [True]),
    ),
    max_size=60,
    unique_by=lambda observation: (observation.key, observation.t_us),
)


@settings(max_examples=40, deadline=None)
@given(
    observations=observations_of_two_posts,
    in_order=st.booleans(),
    deaths=st.dictionaries(st.integers(1, 20), st.sampled_from(["before", "after"])),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    new_process=st.booleans(),
)
def test_an_evaluator_that_is_killed_anywhere_records_what_one_says_that_never_is(
    empty: Path,
    observations: list[Observation],
    in_order: bool,  # noqa: FBT001 -- drawn
    deaths: dict[int, str],
    sizes: list[int],
    new_process: bool,  # noqa: FBT001 -- drawn
) -> None:
    if in_order:
        observations = sorted(observations, key=lambda observation: observation.t_us)
    with _host(empty) as (store, register):
        fragile = Fragile(register, deaths)
        evaluator = AlertEvaluator(store, fragile, REGION)
        written = turn = 0
        while written < len(observations) or evaluator.position < store.last_change_id():
            size = sizes[turn % len(sizes)]
            turn += 1
            store.write(observations[written : written + size])
            written += size
            try:
                evaluator.step(limit=sizes[-turn % len(sizes)])
            except KilledError:
                evaluator = AlertEvaluator(store, fragile, REGION) if new_process else evaluator
        changes = register.changes_after(0, limit=10_000)
        for name, expected in _straight(observations).items():
            mine = [(c.at_us, c.before, c.after, c.kind) for c in changes if c.station == name]
            assert mine == expected


def test_a_process_killed_between_reading_and_recording_records_once(host: tuple[HotStore, Register]) -> None:
    store, register = host
    store.write([at(20 * number, value) for number, value in enumerate(FLOOD)])
    fragile = Fragile(register, {1: "before", 2: "after"})
    steps: Callable[[], list[AlertChange]] = AlertEvaluator(store, fragile, REGION).step
    for _ in range(2):
        with pytest.raises(KilledError):
            steps()
    assert steps() == []
    kinds = [change.kind for change in register.changes_after(0)]
    assert kinds.count(ChangeKind.RAISE) == 3
    assert len(register.alerts()) == 1


@settings(max_examples=40, deadline=None)
@given(
    observations=observations_of_two_posts,
    spikes=st.sets(st.integers(0, 59)),
    deaths=st.dictionaries(st.integers(1, 30), st.sampled_from(["before", "after"])),
    limit=st.integers(1, 9),
)
def test_retractions_are_recorded_once_however_often_the_evaluator_is_killed(
    empty: Path, observations: list[Observation], spikes: set[int], deaths: dict[int, str], limit: int
) -> None:
    """Some values fail right after they were seen; one that is never killed says the same."""
    said = []
    for killed in ({}, deaths):
        with _host(empty) as (store, register):
            fragile = Fragile(register, killed)
            for place, observation in enumerate(observations):
                store.write([observation])
                _follow(AlertEvaluator(store, fragile, REGION), store, limit)
                if place in spikes:
                    with store.transaction() as transaction:
                        transaction.revise([Revision(observation.key, observation.t_us, QualityFlag.FAIL, 4)])
                    _follow(AlertEvaluator(store, fragile, REGION), store, limit)
            changes = register.changes_after(0, limit=10_000)
            said.append(
                [(c.station, c.at_us, c.before, c.after, c.kind, c.reason, c.verified) for c in changes]
            )
            alerts = register.active_levels(CODE)
            for post in POSTS:
                mine = [change for change in changes if change.station == post]
                assert [c.before for c in mine[1:]] == [c.after for c in mine[:-1]]
                assert (mine[-1].after if mine else N) is (alerts[post].level if post in alerts else N)
    assert said[0] == said[1]


def _follow(evaluator: AlertEvaluator, store: HotStore, limit: int) -> None:
    """Step to the end of the store, whatever dies."""
    while evaluator.position < store.last_change_id():
        with suppress(KilledError):
            evaluator.step(limit=limit)
