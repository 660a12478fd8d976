"""SQLite and memory behave alike after any writes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, SeriesKey
from serayu.models.stores.hot import HotStore
from serayu.models.stores.memory import MemoryStore
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE

T0 = 19_675 * US_PER_DAY  # 14 November 2023, 00:00 UTC
NAN = float("nan")


def at(offset_us: int, value: float, *, key: SeriesKey, flag: QualityFlag) -> Observation:
    return Observation(key, T0 + offset_us, value, flag, received_us=T0 + offset_us + 7)


writes = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 400),  # minutes: few, so that times repeat
            st.one_of(st.integers(-80, 80).map(lambda eighths: eighths / 8), st.just(NAN)),
            st.sampled_from(list(QualityFlag)),
            st.integers(0, 2),  # station
        ),
        max_size=12,
    ),
    max_size=6,
)


@given(batches=writes)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sqlite_behaves_like_memory_after_any_writes(
    batches: list[list[tuple[int, float, QualityFlag, int]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    memory = MemoryStore()
    keys = [SeriesKey("33.02", f"st-{i}", "stage") for i in range(3)]
    with HotStore(tmp_path_factory.mktemp("hot") / "hot.db") as hot:
        for batch in batches:
            story = [at(m * US_PER_MINUTE, value, key=keys[i], flag=flag) for m, value, flag, i in batch]
            assert repr(list(hot.write(story))) == repr(list(memory.write(story)))
        for key in keys:
            assert repr(hot.window(key, 0, 2 * T0)) == repr(memory.window(key, 0, 2 * T0))
            for step_us in (US_PER_HOUR, 13 * US_PER_MINUTE):
                bounds = (T0, T0 + US_PER_DAY)
                assert hot.aggregate(key, *bounds, step_us=step_us) == memory.aggregate(
                    key, *bounds, step_us=step_us
                )
        assert repr(list(hot.latest())) == repr(list(memory.latest()))
