import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from typing_extensions import override

from serayu.ingest.clock import LiveClock, ReplayClock
from serayu.ingest.consumer import Arrival
from serayu.ingest.decode import Decoder
from serayu.ingest.housekeeping import DiskGuard, StalenessWatcher, apply_retention
from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.pipeline import Pipeline
from serayu.models.reading import Observation, SeriesKey
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE
from tests.ingest.conftest import NOW_US, message

STAGE = SeriesKey("99.01", "hulu", "stage")


class HandClock(LiveClock):
    """A clock set by hand."""

    def __init__(self) -> None:
        self.at_us = NOW_US

    @override
    def now_us(self) -> int:
        return self.at_us


class Link:
    """Keeps the last retained message of each topic."""

    def __init__(self) -> None:
        self.retained: dict[str, Any] = {}

    def take(self, *, timeout_s: float) -> list[Arrival]:
        raise AssertionError(timeout_s)

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        raise AssertionError(arrivals)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 0) -> None:
        assert (retain, qos) == (True, 0)
        self.retained[topic] = msgspec.json.decode(payload)


class Watch(NamedTuple):
    """What a test of the watcher works with."""

    clock: HandClock
    link: Link
    pipeline: Pipeline
    watcher: StalenessWatcher


@pytest.fixture
def watch(store: HotStore, region: Region) -> Watch:
    clock, link = HandClock(), Link()
    watcher = StalenessWatcher(store, region, clock, link, IngestMetrics())
    return Watch(clock, link, Pipeline(store, region, clock), watcher)


def test_a_datastream_that_never_spoke_is_silent_only_after_its_time(watch: Watch) -> None:
    assert watch.watcher.step(()) == set()
    watch.clock.at_us += 5 * US_PER_MINUTE + 1
    assert STAGE in watch.watcher.step(())


def test_silence_is_noticed_told_and_kept_and_ends_with_the_next_reading(
    watch: Watch, store: HotStore
) -> None:
    watch.pipeline.process([message(1.0, first_us=NOW_US)])
    watch.watcher.step({"hulu"})
    topic = "serayu/v1/99.01/hulu/latest"
    assert watch.link.retained[topic]["latest"]["stage"]["value"] == 1.0
    watch.clock.at_us += 6 * US_PER_MINUTE
    assert STAGE in watch.watcher.step(())
    told = watch.link.retained[topic]["latest"]["stage"]
    assert (told["value"], told["last_value"], told["stale"], told["age_s"]) == (None, 1.0, True, 360)
    (silence,) = [one for one in store.silences.open() if one.key == STAGE]
    assert (silence.since_us, silence.ended_us) == (NOW_US, None)
    watch.pipeline.process([message(1.1, first_seq=2, first_us=watch.clock.at_us)])
    assert STAGE not in watch.watcher.step({"hulu"})
    assert STAGE not in {one.key for one in store.silences.open()}
    assert watch.link.retained[topic]["latest"]["stage"]["value"] == 1.1


def test_the_message_carries_position_and_flag(watch: Watch) -> None:
    watch.pipeline.process([message(1.0, first_us=NOW_US)])
    watch.watcher.step({"hulu"})
    body = watch.link.retained["serayu/v1/99.01/hulu/latest"]
    assert body["position"] == [109.2, -7.5]
    assert body["latest"]["stage"]["flag"] == 1


def test_a_restarted_watcher_knows_who_was_silent(watch: Watch, store: HotStore, region: Region) -> None:
    watch.pipeline.process([message(1.0, first_us=NOW_US)])
    watch.clock.at_us += US_PER_HOUR
    watch.watcher.step(())
    again = StalenessWatcher(store, region, watch.clock, watch.link, IngestMetrics())
    again.step(())
    assert len([one for one in store.silences.history() if one.key == STAGE]) == 1


def test_a_replay_is_judged_by_its_own_time(store: HotStore, region: Region) -> None:
    clock = ReplayClock(store)
    pipeline = Pipeline(store, region, clock, decoder=Decoder(region, far_future_us=30 * US_PER_DAY))
    watcher = StalenessWatcher(store, region, clock, Link(), IngestMetrics())
    years_ago_us = NOW_US - 3000 * US_PER_DAY
    pipeline.process([message(1.0, first_us=years_ago_us)])
    assert STAGE not in watcher.step(())
    pipeline.process([message(1.0, station="hilir", first_us=years_ago_us + US_PER_HOUR)])
    assert STAGE in watcher.step(())


def test_a_slow_station_of_a_replay_is_not_late(store: HotStore, region: Region) -> None:
    pipeline = Pipeline(store, region, ReplayClock(store))
    pipeline.process([message(1.0, station="hilir", first_us=NOW_US)])
    outcome = pipeline.process([message(1.0, first_us=NOW_US - 9 * US_PER_DAY)])
    assert outcome.late == 0


class Usage(NamedTuple):
    """What the operating system says of a disk."""

    total: float
    used: float
    free: float


def test_the_disk_guard_warns_closes_and_opens_the_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = threading.Event()
    guard = DiskGuard(tmp_path, warn_fraction=0.8, refuse_fraction=0.95, refuse=refuse)
    states = []
    for used in (0.5, 0.8, 0.949, 0.95, 0.99, 0.94):
        monkeypatch.setattr(
            "shutil.disk_usage",
            lambda _, used=used: Usage(1000, used * 1000, (1 - used) * 1000),
        )
        guard.step()
        states.append(refuse.is_set())
    assert states == [False, False, False, True, True, False]


def test_retention_waits_for_the_slowest_follower_and_keeps_the_hours(store: HotStore) -> None:
    old = [Observation(STAGE, NOW_US - 500 * US_PER_DAY + number * US_PER_HOUR, 1.0) for number in range(48)]
    store.write([*old, Observation(STAGE, NOW_US, 2.0)])
    before_us = NOW_US - 400 * US_PER_DAY
    store.set_cursor("influx", 0)
    assert apply_retention(store, before_us=before_us, keep_after=["influx"]) == 0
    store.set_cursor("influx", store.last_change_id())
    assert apply_retention(store, before_us=before_us, keep_after=["influx"]) == 48
    assert store.count() == 1
    hours = store.aggregate(STAGE, 0, (NOW_US // US_PER_HOUR + 1) * US_PER_HOUR, step_us=US_PER_HOUR)
    assert len(hours) == 49
