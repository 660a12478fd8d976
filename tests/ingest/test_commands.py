"""``serayu ingest``: back-fill and dead letters."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serayu.ingest.cli import app
from serayu.ingest.pipeline import Pipeline
from serayu.models.reading import SeriesKey
from serayu.models.region import load_region
from serayu.models.stores.hot import HotStore
from tests.ingest.conftest import StillClock, message

runner = CliRunner()
HEADER = "station_id,property,time_utc,value,unit\n"
NONE: dict[str, object] = {"rejected": 0, "first_reason": None}
ROWS = HEADER + "hulu,stage,2025-01-01T00:00:00Z,1.5,m\nhulu,stage,2025-01-01T01:00:00Z,160,cm\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    region = tmp_path / "R"
    region.mkdir()
    (region / "region.toml").write_text('code = "99.01"\nname = "Uji"\nsource = "test"\n')
    _stations(region, ["hulu"])
    return tmp_path


def _stations(region: Path, ids: list[str]) -> None:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [109.2, -7.5]},
            "properties": {
                "id": station, "name": station, "kind": "river", "source": "test",
                "datastreams": [{"property": "stage"}],
            },
        }
        for station in ids
    ]  # fmt: skip
    (region / "stations.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def run(folder: Path, *args: str, status: int = 0) -> dict[str, object]:
    result = runner.invoke(app, [*args, "--data", str(folder / "data"), "--json"])
    assert result.exit_code == status, result.stderr
    document: dict[str, object] = json.loads(result.stdout)
    return document


def test_backfill_stores_a_file_once_however_often_it_runs(folder: Path) -> None:
    file = folder / "old.csv"
    file.write_text(ROWS)
    fill = ("backfill", str(file), "--region", str(folder / "R"))
    assert run(folder, *fill) == {"rows": 2, "stored": 2, "duplicates": 0, **NONE}
    assert run(folder, *fill) == {"rows": 2, "stored": 0, "duplicates": 2, **NONE}
    with HotStore(folder / "data" / "hot.sqlite") as store:
        found = store.window(SeriesKey("99.01", "hulu", "stage"), 0, 2**62)
    assert [(one.value, one.late) for one in found] == [(1.5, True), (1.6, True)]


def test_a_longer_file_adds_its_new_rows_and_no_dead_letter_for_the_old(folder: Path) -> None:
    file = folder / "old.csv"
    fill = ("backfill", str(file), "--region", str(folder / "R"))
    file.write_text(ROWS)
    run(folder, *fill)
    file.write_text(ROWS + "hulu,stage,2025-01-01T02:00:00Z,1.7,m\nhulu,stage,2025-01-01T01:00:00Z,1.9,m\n")
    assert run(folder, *fill, status=1) == {
        "rows": 4,
        "stored": 1,
        "duplicates": 2,
        "rejected": 1,
        "first_reason": "time_conflict: another reading of this datastream is stored for this time",
    }
    assert run(folder, "dead-letters", "list")["counts"] == {"time_conflict": 1}


@pytest.mark.parametrize(
    ("row", "place"),
    [
        pytest.param("hulu,stage,yesterday,1,m", "row 4, field time_utc", id="time"),
        pytest.param("hulu,stage,2025-01-01T02:00:00,1,m", "row 4, field time_utc", id="time without a zone"),
        pytest.param("hulu,stage,2025-01-01T02:00:00Z,high,m", "row 4, field value", id="value"),
        pytest.param("hulu,stage,2025-01-01T02:00:00Z,nan,m", "row 4, field value", id="NaN"),
    ],
)
def test_a_file_with_a_bad_row_is_refused_whole(folder: Path, row: str, place: str) -> None:
    file = folder / "old.csv"
    file.write_text(ROWS + row + "\n")
    fill = ["backfill", str(file), "--region", str(folder / "R"), "--data", str(folder / "data"), "--json"]
    result = runner.invoke(app, fill)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{file}, {place}" in result.stderr
    with HotStore(folder / "data" / "hot.sqlite") as store:
        assert store.count() == 0


def replayed(folder: Path) -> tuple[object, ...]:
    result = run(folder, "dead-letters", "replay", "--region", str(folder / "R"))
    names = ("tried", "stored", "still_dead", "sent_again", "not_replayable")
    assert tuple(result) == names
    return tuple(result.values())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("water_level", "bad_topic: property 'water_level'", id="no slug"),
        pytest.param("water-level", "unknown_property: 'water-level'", id="unknown"),
        pytest.param("rain", "unknown_datastream: station 'hulu'", id="not of this station"),
    ],
)
def test_rows_of_another_property_are_counted_and_the_first_reason_is_said(
    folder: Path, name: str, reason: str
) -> None:
    file = folder / "old.csv"
    file.write_text(ROWS.replace("stage", name))
    fill = ["backfill", str(file), "--region", str(folder / "R"), "--data", str(folder / "data"), "--json"]
    result = runner.invoke(app, fill)
    found = json.loads(result.stdout)
    assert (result.exit_code, found["stored"], found["rejected"]) == (1, 0, 2)
    assert found["first_reason"].startswith(reason)
    assert f"the first: {reason}" in result.stderr
    assert "stage, discharge, rain" in result.stderr


def test_rows_of_an_unknown_station_become_dead_letters_that_can_be_replayed(folder: Path) -> None:
    file = folder / "old.csv"
    file.write_text(ROWS.replace("hulu", "baru"))
    region = ("--region", str(folder / "R"))
    assert run(folder, "backfill", str(file), *region, status=1)["rejected"] == 2
    listed = run(folder, "dead-letters", "list")
    assert listed["counts"] == {"unknown_station": 2}
    assert replayed(folder) == (2, 0, 2, 0, 0)
    _stations(folder / "R", ["hulu", "baru"])
    assert replayed(folder) == (2, 2, 0, 0, 0)
    assert replayed(folder) == (0, 0, 0, 0, 0)
    with HotStore(folder / "data" / "hot.sqlite") as store:
        assert store.count() == 2


def test_letters_are_listed_with_reason_and_repeats(folder: Path) -> None:
    with HotStore(folder / "data" / "hot.sqlite") as store:
        pipeline = Pipeline(store, load_region(folder / "R"), StillClock())
        pipeline.process([message(1.0)._replace(payload=b"{")] * 3)
    result = runner.invoke(app, ["dead-letters", "list", "--data", str(folder / "data")])
    assert "3×  serayu/v1/99.01/hulu/stage  bad_" in result.stdout
