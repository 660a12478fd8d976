"""A fleet of agents, and the commands that start one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from serayu.edge.cli import app
from serayu.edge.config import AgentConfig, BrokerConfig, DriverConfig
from serayu.edge.fleet import Fleet
from serayu.edge.simulation import INVENTED, replay_configs, simulated_configs, split_series
from serayu.models.properties import OBSERVED_PROPERTIES, observed_property
from serayu.models.region import Region, load_region
from tests.edge.support import Ingest
from tests.servers import Server, free_port, mosquitto, wait_for

STATIONS = ("bgs-hulu", "logawa", "tajum")


@pytest.fixture(name="region")
def _region(tmp_path: Path) -> Region:
    folder = tmp_path / "region"
    folder.mkdir()
    (folder / "region.toml").write_text(
        'code = "33.02"\nname = "Uji"\nsource = "invented for tests"\n', "utf-8"
    )
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [109.2, -7.5]},
            "properties": {
                "id": name,
                "name": name,
                "kind": "river",
                "source": "invented for tests",
                "datastreams": [
                    {"property": "stage", "interval_s": 5},
                    {"property": "battery", "interval_s": 5},
                ],
            },
        }
        for name in STATIONS
    ]
    collection = {"type": "FeatureCollection", "features": features}
    (folder / "stations.geojson").write_text(json.dumps(collection), encoding="utf-8")
    return load_region(folder)


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Server]:
    with mosquitto(tmp_path) as server:
        yield server


def tidy(folder: Path, rows: list[str]) -> Path:
    file = folder / "tidy.csv"
    file.write_text(
        "station_id,time_utc,value,unit,flag\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8"
    )
    return file


def rows(count: int) -> list[str]:
    return [
        f"{name.upper()},2025-11-23T05:{n // 60:02}:{n % 60:02}Z,{n},m,ok"
        for n in range(count)
        for name in STATIONS
    ]


def test_a_tidy_file_is_taken_apart_by_station_in_its_order(tmp_path: Path, region: Region) -> None:
    file = tidy(
        tmp_path,
        [*rows(2), "LOGAWA,2025-11-23T06:00:00Z,,m,missing", "LOGAWA,2025-11-23T07:00:00Z,12.1,V,ok"],
    )
    split = split_series(file, region=region, folder=tmp_path / "parts")
    assert (split.rows, split.skipped, sorted(split.files)) == (8, 1, sorted(STATIONS))
    assert split.files["logawa"].read_text("utf-8").splitlines() == [
        "time_utc,property,value,unit",
        "2025-11-23T05:00:00Z,stage,0.0,m",
        "2025-11-23T05:00:01Z,stage,1.0,m",
        "2025-11-23T07:00:00Z,battery,12.1,V",
    ]


def test_replays_of_one_file_share_an_anchor(tmp_path: Path, region: Region) -> None:
    split = split_series(tidy(tmp_path, rows(2)), region=region, folder=tmp_path / "parts")
    configs = replay_configs(
        split, region=region, broker=BrokerConfig(), folder=tmp_path, speed=60.0, anchor_wall_us=77
    )
    anchors = {(c.drivers[0].options["anchor_us"], c.drivers[0].options["anchor_wall_us"]) for c in configs}
    assert anchors == {(split.begin_us, 77)}
    assert all(c.exit_when_done for c in configs)


def test_every_property_has_an_invented_series_within_its_physical_range() -> None:
    assert set(INVENTED) == set(OBSERVED_PROPERTIES)
    for slug, shape in INVENTED.items():
        low, high = observed_property(slug).physical_range
        assert low <= shape["mean"] - shape.get("amplitude", 0.0)
        assert shape["mean"] + shape.get("amplitude", 0.0) <= high


def wait_finished(fleet: Fleet) -> None:
    wait_for(lambda: fleet.poll().finished, what="fleet", timeout_s=60)


@pytest.mark.servers
def test_a_fleet_replays_a_file_and_an_agent_killed_on_the_way_changes_nothing(
    tmp_path: Path, region: Region, broker: Server
) -> None:
    count = 1_500
    split = split_series(tidy(tmp_path, rows(count)), region=region, folder=tmp_path / "parts")
    configs = replay_configs(
        split,
        region=region,
        broker=BrokerConfig(port=broker.port),
        folder=tmp_path / "state",
        speed="max",
        anchor_wall_us=0,
    )
    with Ingest(broker.port) as ingest, Fleet(configs, folder=tmp_path / "fleet") as fleet:
        wait_for(lambda: fleet.progress("logawa").accepted > 0, what="first readings")
        assert fleet.pid("logawa") is not None
        fleet.kill("logawa")
        wait_finished(fleet)
        status = fleet.poll()
        assert (status.accepted, status.confirmed, status.pending) == (3 * count, 3 * count, 0)
        assert (status.restarts, status.failed, status.running) == (1, {}, 0)
        assert len(ingest.received) == 3 * count


@pytest.mark.servers
def test_a_simulated_fleet_sends_every_datastream(tmp_path: Path, region: Region, broker: Server) -> None:
    configs = simulated_configs(
        region, broker=BrokerConfig(port=broker.port), folder=tmp_path / "state", interval_s=0.1
    )
    with Ingest(broker.port) as ingest, Fleet(configs, folder=tmp_path / "fleet") as fleet:
        wait_for(lambda: fleet.poll().confirmed >= 60, what="readings")
        topics = {topic for topic, _ in ingest.packs}
        assert topics == {
            f"serayu/v1/33.02/{name}/{slug}" for name in STATIONS for slug in ("stage", "battery")
        }
        fleet.stop()
        assert fleet.poll().pending == 0


def test_an_agent_that_cannot_run_is_told_with_its_last_words(tmp_path: Path) -> None:
    config = AgentConfig("33.02", "bgs-hulu", tmp_path / "state", (DriverConfig("sonar"),))
    with Fleet([config], folder=tmp_path / "fleet") as fleet:
        wait_for(lambda: bool(fleet.poll().failed), what="failure")
        assert "unknown kind 'sonar'" in fleet.poll().failed["bgs-hulu"]
        assert not fleet.poll().finished


def test_an_agent_that_crashes_is_started_again(tmp_path: Path, region: Region) -> None:
    configs = simulated_configs(region, broker=BrokerConfig(port=free_port()), folder=tmp_path / "state")
    (tmp_path / "state").write_text("where a folder should be", encoding="utf-8")
    with Fleet(configs[:1], folder=tmp_path / "fleet") as fleet:
        wait_for(lambda: fleet.poll().restarts > 0, what="restart")
        assert fleet.poll().failed == {}
        (tmp_path / "state").unlink()
        wait_for(lambda: fleet.poll().accepted > 0, what="reading")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.servers
def test_replay_prints_what_became_of_every_row(tmp_path: Path, region: Region, broker: Server) -> None:
    file = tidy(tmp_path, [*rows(40), "TAJUM,2025-11-23T06:00:00Z,,m,missing"])
    out, work = tmp_path / "out.json", tmp_path / "work"
    arguments = [
        "replay", "--region", str(region.folder), "--series", str(file), "--broker", broker.url, "--work", str(work),
        "--json", "--output", str(out),
    ]  # fmt: skip
    with Ingest(broker.port) as ingest:
        done = invoke(*arguments)
        assert done.exit_code == 0, done.output
        report = json.loads(done.stdout)
        assert report == json.loads(out.read_text("utf-8"))
        expected = {"stations": 3, "rows": 121, "skipped": 1, "accepted": 120, "confirmed": 120}
        assert {name: report[name] for name in expected} == expected
        assert (report["rejected"], report["pending"], report["dropped"]) == (0, 0, 0)
        assert len(ingest.received) == 120
        status = invoke("status", "--state", str(work / "tajum"), "--json")
        assert json.loads(status.stdout)["confirmed"] == 40
        again = invoke(*arguments)  # an interrupted replay goes on; this one had come to its end
        assert json.loads(again.stdout)["accepted"] == 120
        assert len(ingest.received) == 120


@pytest.mark.servers
def test_replay_gives_up_with_status_1_when_nobody_confirms(
    tmp_path: Path, region: Region, broker: Server
) -> None:
    done = invoke(
        "replay", "--region", str(region.folder), "--series", str(tidy(tmp_path, rows(5))), "--broker", broker.url,
        "--timeout", "3", "--json",
    )  # fmt: skip
    assert done.exit_code == 1
    assert json.loads(done.stdout)["pending"] == 15
    assert "15 readings are still unconfirmed" in done.stderr


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("NOWHERE,2025-11-23T05:00:00Z,1,m,ok", ["row 3", "station_id", "unknown station 'nowhere'"]),
        ("TAJUM,2025-11-23T05:00:00Z,1,km/h,ok", ["row 3", "property", "name the property"]),
        ("TAJUM,2025-11-23T05:00:00Z,1,furlong,ok", ["row 3", "furlong"]),
        ("TAJUM,yesterday,1,m,ok", ["row 3", "time_utc"]),
    ],
)
def test_replay_of_a_wrong_file_is_one_line_that_names_the_row(
    tmp_path: Path, region: Region, row: str, words: list[str]
) -> None:
    file = tidy(tmp_path, ["TAJUM,2025-11-23T05:00:00Z,1,m,ok", row])
    done = invoke("replay", "--region", str(region.folder), "--series", str(file), "--timeout", "5")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    for word in [str(file), *words]:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [("--speed", "fast", "--speed"), ("--speed", "0", "--speed"), ("--broker", "http://x", "mqtt")],
)
def test_replay_with_a_wrong_option_is_one_line(
    tmp_path: Path, region: Region, option: str, value: str, word: str
) -> None:
    file = tidy(tmp_path, rows(1))
    done = invoke("replay", "--region", str(region.folder), "--series", str(file), option, value)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert word in done.stderr


@pytest.mark.servers
def test_simulate_ends_after_its_hours(region: Region, broker: Server) -> None:
    with Ingest(broker.port):
        done = invoke(
            "simulate", "--region", str(region.folder), "--broker", broker.url, "--hours", "0.001", "--interval-s",
            "0.1", "--json",
        )  # fmt: skip
    report = json.loads(done.stdout)
    assert (done.exit_code, report["stations"], report["rows"], report["pending"]) == (0, 3, None, 0)
    assert report["confirmed"] == report["accepted"] > 0


def test_status_of_a_folder_without_an_outbox_is_an_error(tmp_path: Path) -> None:
    done = invoke("status", "--state", str(tmp_path))
    assert done.exit_code == 2
    assert "no outbox there" in done.stderr


def test_run_with_a_missing_file_is_an_error(tmp_path: Path) -> None:
    done = invoke("run", "--config", str(tmp_path / "none.toml"))
    assert done.exit_code == 2
