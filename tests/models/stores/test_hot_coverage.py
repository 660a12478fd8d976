"""How much of a span the readings of a datastream cover, and since when."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation
from serayu.models.stores.hot import Coverage, HotStore
from serayu.models.times import US_PER_MINUTE
from tests.models.stores.hot_story import OTHER, RAIN

T0 = 1_700_000_000_000_000
HOUR = range(1, 61)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HotStore]:
    with HotStore(tmp_path / "hot.db") as store:
        yield store


def _write(store: HotStore, minutes: list[int], *, flag: QualityFlag = QualityFlag.GOOD) -> None:
    rows = [Observation(RAIN, T0 + m * US_PER_MINUTE, 0.2, flag, received_us=T0) for m in minutes]
    assert not store.write(rows)


def _covered(store: HotStore, minutes: int = 60) -> Coverage:
    return store.covered_us(RAIN, T0, T0 + minutes * US_PER_MINUTE, interval_us=US_PER_MINUTE)


@pytest.mark.parametrize(
    ("minutes", "covered", "since"),
    [
        pytest.param([], 0, None, id="nothing"),
        pytest.param([*HOUR], 60, 0, id="every minute"),
        pytest.param([m for m in HOUR if m != 20], 60, 0, id="one reading late by one interval"),
        pytest.param([m for m in HOUR if m not in (20, 21)], 58, 0, id="two missing: only the next counts"),
        pytest.param([m for m in HOUR if m > 45], 15, 45, id="begun a quarter ago"),
        pytest.param([60], 1, 59, id="the last only"),
        pytest.param([0, 61], 0, None, id="just before and just after"),
        pytest.param([*range(70)], 60, 0, id="on both sides too"),
    ],
)
def test_a_span_is_covered_by_the_intervals_of_its_readings(
    store: HotStore, minutes: list[int], covered: int, since: int | None
) -> None:
    _write(store, minutes)
    expected_since = None if since is None else T0 + since * US_PER_MINUTE
    assert _covered(store) == Coverage(covered * US_PER_MINUTE, expected_since)


@pytest.mark.parametrize("flag", [QualityFlag.FAIL, QualityFlag.MISSING])
def test_values_that_cannot_be_used_cover_nothing(store: HotStore, flag: QualityFlag) -> None:
    _write(store, [*HOUR], flag=flag)
    assert _covered(store) == Coverage(0, None)


def test_another_datastream_covers_nothing_here(store: HotStore) -> None:
    assert not store.write([Observation(OTHER, T0 + US_PER_MINUTE, 1.0, received_us=T0)])
    assert _covered(store) == Coverage(0, None)


@given(st.lists(st.integers(-10, 130), unique=True))
def test_never_more_than_the_span_is_covered_and_more_readings_never_cover_less(
    tmp_path_factory: pytest.TempPathFactory, minutes: list[int]
) -> None:
    with HotStore(tmp_path_factory.mktemp("cover") / "hot.db") as store:
        before = 0
        for minute in minutes:
            _write(store, [minute])
            covered = _covered(store).covered_us
            assert before <= covered <= 60 * US_PER_MINUTE
            before = covered
