"""One ingest process, its parts in threads: against a real broker, and when a part of it fails."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serayu.ingest.service import IngestService
from serayu.ingest.settings import IngestSettings
from serayu.models.broker_url import BrokerUrl
from serayu.models.errors import StoreUnavailableError
from serayu.standalone.broker import accepts, embedded_broker_argv
from tests.ingest.conftest import message
from tests.ingest.test_landslide_watch import write_slopes
from tests.servers import free_port, wait_for

REGION_TOML = 'code = "99.01"\nname = "Uji"\nsource = "test"\n'
STATIONS = """{"type": "FeatureCollection", "features": [{"type": "Feature",
  "geometry": {"type": "Point", "coordinates": [109.2, -7.5]}, "properties": {"id": "hulu", "name": "Hulu",
  "kind": "river", "source": "test", "datastreams": [{"property": "stage"}]}}]}"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[IngestSettings]:
    region = tmp_path / "R"
    region.mkdir()
    (region / "region.toml").write_text(REGION_TOML)
    (region / "stations.geojson").write_text(STATIONS)
    port = free_port()
    with subprocess.Popen(embedded_broker_argv(port, tmp_path), stdin=subprocess.PIPE) as broker:
        wait_for(lambda: accepts(BrokerUrl("127.0.0.1", port)), what="broker")
        yield IngestSettings.model_validate(
            {"broker_url": f"mqtt://127.0.0.1:{port}", "region": region, "data_dir": tmp_path / "data"}
        )
        broker.terminate()


@contextmanager
def running(settings: IngestSettings) -> Iterator[IngestService]:
    settings.data_dir.mkdir(exist_ok=True)
    service = IngestService(settings)
    service.start()
    try:
        assert service.consumer.connected.wait(15)
        yield service
    finally:
        service.stop()


def test_every_part_has_a_name_and_ends_when_told(settings: IngestSettings) -> None:
    with running(settings):
        names = {thread.name for thread in threading.enumerate()}
        parts = {
            f"serayu-ingest-{part}" for part in ("consumer", "writer", "housekeeping", "evaluator", "courier")
        }
        assert parts <= names
    assert not {thread.name for thread in threading.enumerate()} & parts


def test_slopes_are_watched_where_the_region_has_some(settings: IngestSettings) -> None:
    write_slopes(settings.region, {"id": "u1", "name": "Tebing", "ruas": "R1", "rain": ["hulu"]})
    with running(settings) as service:
        assert "serayu-ingest-landslide" in {thread.name for thread in threading.enumerate()}
        wait_for(lambda: _roads(service, "unknown") == 1, what="the first round")
    with running(settings.model_copy(update={"store_only": True})) as service:
        assert service.landslides is None


def _roads(service: IngestService, level: str) -> float | None:
    return service.metrics.registry.get_sample_value("serayu_landslide_roads", {"level": level})


def test_a_part_that_fails_by_a_fault_of_ours_ends_the_process(
    settings: IngestSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("serayu.ingest.alerting.AlertEvaluator.step", broken)
    with running(settings) as service:
        assert service.failed.wait(15)


def test_readings_are_stored_while_the_register_is_away(
    settings: IngestSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: str) -> None:
        raise StoreUnavailableError("no register")

    monkeypatch.setattr("serayu.ingest.alerting.upgrade", away)
    with running(settings) as service:
        one = message(1.0, first_us=time.time_ns() // 1000)
        service.consumer.publish(one.topic, one.payload, qos=1)
        wait_for(lambda: service.store.count() == 1, what="the reading")
        assert not service.failed.is_set()


def test_latest_is_published_again_after_an_error_of_the_store(
    settings: IngestSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[set[str]] = []
    fails = [True, False]

    def step(_: object, stations: set[str]) -> set[str]:
        if fails.pop(0):
            raise StoreUnavailableError("locked")
        told.append(set(stations))
        return set()

    settings.data_dir.mkdir()
    service = IngestService(settings)
    monkeypatch.setattr("serayu.ingest.housekeeping.StalenessWatcher.step", step)
    service.writer.dirty.mark(["hulu"])
    with pytest.raises(StoreUnavailableError):
        service.housekeeper.publish_latest()
    service.housekeeper.publish_latest()
    service.stop()
    assert told == [{"hulu"}]
