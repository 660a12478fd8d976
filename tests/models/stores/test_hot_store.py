"""The hot store: what is new, and what changes together."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Bucket, Observation, Reading, SeriesKey
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_transaction import Revision, Verdict
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE
from tests.models.stores.hot_story import (
    DUPLICATE,
    IDENTITY,
    KEY,
    NEW,
    OTHER,
    RAIN,
    T0,
    TIME,
    assert_derived_tables_are_right,
    fail,
    observed,
    reading,
    take,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hot.db"


@pytest.fixture
def store(path: Path) -> Iterator[HotStore]:
    with HotStore(path) as store:
        yield store


# -- what is new ------------------------------------------------------------------------------------------------------

VERDICTS = [
    pytest.param(reading(2, 60), NEW, id="next"),
    pytest.param(reading(9, -60), NEW, id="older time, higher seq"),
    pytest.param(reading(0, 60), NEW, id="seq below the stored one, never seen"),
    pytest.param(reading(1, 60, key=OTHER), NEW, id="same oid and seq at another station"),
    pytest.param(reading(1, 60, oid="b2"), NEW, id="another outbox of the station"),
    pytest.param(reading(2, 0, key=RAIN), NEW, id="another datastream at the same time"),
    pytest.param(reading(1, 0), DUPLICATE, id="the same again"),
    pytest.param(
        reading(1, 55, clock_ok=False), DUPLICATE, id="the same again, time not fixed by the device"
    ),
    pytest.param(reading(1, 0, 2.0), IDENTITY, id="another value"),
    pytest.param(reading(1, 60), IDENTITY, id="another time"),
    pytest.param(reading(1, 0, key=RAIN), IDENTITY, id="another datastream"),
    pytest.param(reading(1, 55, 2.0, clock_ok=False), IDENTITY, id="another value, time not fixed"),
    pytest.param(reading(2, 0), TIME, id="the same time under another seq"),
    pytest.param(reading(2, 0, 2.0), TIME, id="the same time under another seq with another value"),
    pytest.param(reading(1, 0, oid="b2"), TIME, id="the same time from another outbox"),
    pytest.param(reading(1, 0, oid="csv-b2"), DUPLICATE, id="the same time and value from a file"),
    pytest.param(reading(1, 0, 2.0, oid="csv-b2"), TIME, id="the same time from a file, another value"),
    pytest.param(reading(1, 60, oid="csv-b2"), NEW, id="another time from a file"),
]


@pytest.mark.parametrize(("second", "verdict"), VERDICTS)
def test_a_reading_is_judged_by_what_is_stored(store: HotStore, second: Reading, verdict: Verdict) -> None:
    assert take(store, [reading(1, 0)]) == [NEW]
    assert take(store, [second]) == [verdict]
    assert store.count() == 1 + (verdict is NEW)


@pytest.mark.parametrize(("second", "verdict"), VERDICTS)
def test_a_reading_is_judged_by_what_came_before_it_in_the_batch(
    store: HotStore, second: Reading, verdict: Verdict
) -> None:
    assert take(store, [reading(1, 0), second]) == [NEW, verdict]


@pytest.mark.parametrize(("second", "verdict"), VERDICTS)
def test_a_reading_is_judged_the_same_after_a_restart(path: Path, second: Reading, verdict: Verdict) -> None:
    with HotStore(path) as store:
        take(store, [reading(1, 0)])
    with HotStore(path) as store:
        assert take(store, [second]) == [verdict]


@pytest.mark.parametrize(("second", "verdict"), VERDICTS)
def test_a_reading_is_judged_by_what_another_process_stored(
    store: HotStore, path: Path, second: Reading, verdict: Verdict
) -> None:
    take(store, [reading(-5, -US_PER_HOUR)])  # so that the first store remembers something that grows stale
    with HotStore(path) as other:
        take(other, [reading(1, 0)])
    assert take(store, [second]) == [verdict]


def test_what_a_failed_transaction_held_is_new_again(store: HotStore) -> None:
    with pytest.raises(RuntimeError, match="before commit"):
        fail(store, [reading(1, 0)])
    assert store.count() == 0
    assert store.last_change_id() == 0
    assert take(store, [reading(1, 0)]) == [NEW]


def test_judging_stores_nothing(store: HotStore) -> None:
    assert store.classify([reading(1, 0)]) == [NEW]
    assert store.classify([reading(1, 0)]) == [NEW]
    assert store.count() == 0


def test_the_stored_time_of_an_identity_can_be_asked(store: HotStore) -> None:
    take(store, [reading(1, 0)])
    with store.transaction() as transaction:
        assert transaction.stored_time(reading(1, 55, clock_ok=False)) == T0
        assert transaction.stored_time(reading(2, 55)) is None


def test_an_identity_stored_without_being_judged_is_known(store: HotStore) -> None:
    """Back-fill writes observations directly."""
    assert list(store.write([observed(reading(5, 0))])) == []
    assert take(store, [reading(5, 0), reading(5, 60)]) == [DUPLICATE, IDENTITY]
    (refusal,) = store.write([observed(reading(5, 120))])
    assert "another time" in refusal.reason


names = st.sampled_from([KEY, RAIN, OTHER])
some_readings = st.builds(
    reading,
    st.integers(1, 6),
    st.integers(0, 200).map(lambda minutes: minutes * US_PER_MINUTE),
    st.integers(-16, 16).map(lambda eighths: eighths / 8),  # sums of eighths are exact
    key=names,
    oid=st.sampled_from(["a1", "csv-b2"]),
    clock_ok=st.booleans(),
)
some_revisions = st.builds(
    Revision,
    names,
    st.integers(0, 200).map(lambda minutes: T0 + minutes * US_PER_MINUTE),
    st.sampled_from(QualityFlag),
    st.integers(0, 2),
)
steps = st.lists(
    st.tuples(
        st.lists(some_readings, max_size=8),
        st.sampled_from(QualityFlag),
        st.lists(some_revisions, max_size=8),
        st.sampled_from(["commit", "commit", "fail", "restart"]),
    ),
    max_size=8,
)


class Model:
    """What must be stored, by the definition of the promises."""

    def __init__(self) -> None:
        self.identities: dict[tuple[str, str, int], Reading] = {}
        self.observations: dict[tuple[SeriesKey, int], Observation] = {}

    def take(self, one: Reading, flag: QualityFlag) -> Verdict:
        name = (one.key.station, one.oid, one.seq)
        earlier = self.identities.get(name)
        if earlier is not None:
            same = earlier.key == one.key and earlier.value == one.value
            return DUPLICATE if same and (earlier.t_us == one.t_us or not one.clock_ok) else IDENTITY
        taken = self.observations.get((one.key, one.t_us))
        if taken is not None:
            return DUPLICATE if one.oid == "csv-b2" and taken.value == one.value else TIME
        self.identities[name] = one
        self.observations[(one.key, one.t_us)] = observed(one, flag)
        return NEW


@given(story=steps)
@settings(max_examples=60, deadline=None)
def test_verdicts_latest_and_hours_always_equal_their_recomputation(
    story: list[tuple[list[Reading], QualityFlag, list[Revision], str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("hot") / "hot.db"
    model, store = Model(), HotStore(path)
    for readings, flag, revisions, ending in story:
        if ending == "fail":
            with pytest.raises(RuntimeError, match="before commit"):
                fail(store, readings)
            continue
        assert take(store, readings, flag) == [model.take(one, flag) for one in readings]
        with store.transaction() as transaction:
            transaction.revise(revisions)
        for key, t_us, new_flag, tests in revisions:
            found = model.observations.get((key, t_us))
            if found is not None:
                fields = (found.value, new_flag, tests, found.oid, found.seq, found.received_us)
                model.observations[(key, t_us)] = Observation(key, t_us, *fields)
        if ending == "restart":
            store.close()
            store = HotStore(path)
    for key in (KEY, RAIN, OTHER):
        expected = sorted((o for (k, _), o in model.observations.items() if k == key), key=lambda o: o.t_us)
        assert store.window(key, 0, 2 * T0) == expected
    assert_derived_tables_are_right(store)
    ids = [change.id for change in store.changes(0, limit=10_000)]
    assert ids == sorted(set(ids))
    assert len(ids) == len(model.observations)
    store.close()


# -- revisions --------------------------------------------------------------------------------------------------------


def test_a_revision_gets_a_new_change_number_and_recounts_the_hour(store: HotStore) -> None:
    take(store, [reading(i, i * US_PER_MINUTE, float(i)) for i in range(1, 4)])
    with store.transaction() as transaction:
        transaction.revise([Revision(KEY, T0 + 3 * US_PER_MINUTE, QualityFlag.FAIL, 4)])
    changes = store.changes(0, limit=10)
    assert [(change.id, change.observation.value, change.revised) for change in changes] == [
        (1, 1.0, False),
        (2, 2.0, False),
        (4, 3.0, True),
    ]
    assert changes[-1].observation.flag is QualityFlag.FAIL
    assert store.aggregate(KEY, T0, T0 + US_PER_HOUR, step_us=US_PER_HOUR) == [
        Bucket(T0, 2, 1.5, 1.0, 2.0, 3.0)
    ]
    assert store.latest()[0].observation.flag is QualityFlag.FAIL


def test_revising_the_only_value_of_an_hour_removes_and_restores_it(store: HotStore) -> None:
    take(store, [reading(1, 0, 2.5)])
    for flag, buckets in ((QualityFlag.FAIL, []), (QualityFlag.GOOD, [Bucket(T0, 1, 2.5, 2.5, 2.5, 2.5)])):
        with store.transaction() as transaction:
            transaction.revise([Revision(KEY, T0, flag, 0)])
        assert store.aggregate(KEY, T0, T0 + US_PER_HOUR, step_us=US_PER_HOUR) == buckets


@pytest.mark.parametrize(
    "revision",
    [
        pytest.param(Revision(KEY, T0, QualityFlag.GOOD, 0), id="nothing changes"),
        pytest.param(Revision(KEY, T0 + 1, QualityFlag.FAIL, 0), id="no such observation"),
    ],
)
def test_a_revision_that_changes_nothing_is_no_change(store: HotStore, revision: Revision) -> None:
    take(store, [reading(1, 0)])
    with store.transaction() as transaction:
        transaction.revise([revision])
    assert store.last_change_id() == 1


def test_changes_are_followed_in_pieces(store: HotStore) -> None:
    take(store, [reading(i, i) for i in range(1, 8)])
    found, position = [], 0
    while changes := store.changes(position, limit=3):
        found += [change.observation.seq for change in changes]
        position = changes[-1].id
    assert found == list(range(1, 8))
    assert store.last_change_id() == position


def test_bare_values_are_those_of_the_window(store: HotStore) -> None:
    rows = [observed(reading(n, 60 * n, float(n))) for n in (1, 2, 3)]
    assert not store.write(rows)
    key, end_us = rows[0].key, rows[2].t_us
    window = store.window(key, rows[0].t_us, end_us)
    assert store.values(key, rows[0].t_us, end_us) == [(one.t_us, one.value, int(one.flag)) for one in window]
    assert len(window) == 2
    assert store.values(OTHER, 0, end_us) == []
