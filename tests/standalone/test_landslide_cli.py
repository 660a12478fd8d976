"""``serayu landslide assess`` on files, and on the shared record of landslides."""

import csv
import json
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serayu.models.landslide.assess import Evidence, assess
from serayu.models.landslide.series import read_rain
from serayu.models.times import WIB, to_us
from tests.models.landslide.support import unit
from tests.shared import shared

ROOT = Path(__file__).parents[2]
SLOPES = ROOT / "regions" / "banyumas" / "slopes.geojson"
AT = "2026-01-21T00:10:00Z"


def rain_file(folder: Path, newest_mm: float = 20.0) -> Path:
    file = folder / "rain.csv"
    begin = datetime.fromisoformat("2026-01-01T01:00:00+00:00")
    rows = ["station,time,mm"]
    for hour in range(480):
        mm = newest_mm if hour >= 474 else 0.0
        rows.append(f"hujan-gumelar,{(begin + timedelta(hours=hour)).isoformat()},{mm}")
    file.write_text("\n".join(rows), encoding="utf-8")
    return file


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "serayu.standalone", "landslide", "assess", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_json_geojson_and_file_come_from_one_run(tmp_path: Path) -> None:
    files = ("--output", tmp_path / "report.json", "--geojson", tmp_path / "units.geojson")
    done = run("--units", SLOPES, "--rain", rain_file(tmp_path), "--at", AT, "--json", *files)
    assert (done.returncode, done.stderr) == (0, "")
    report: dict[str, Any] = json.loads(done.stdout)
    assert report == json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert (report["format"], report["at"]) == ("serayu.landslide/1", "2026-01-21T00:10:00Z")
    assert report["siaga_levels"]["pantau"] == "normal"
    assert report["siaga_levels"]["unknown"] is None
    levels = {road["ruas"]: road["level"] for road in report["ruas"]}
    assert levels["PERAGAAN-01"] == "siaga"
    assert {level for ruas, level in levels.items() if ruas != "PERAGAAN-01"} == {"unknown"}
    caine = next(rule for rule in report["units"][0]["rules"] if rule["rule"] == "caine1980")
    assert (caine["verdict"], caine["value"], caine["window_h"]) == ("exceeded", 120.0, 6.0)
    units = json.loads((tmp_path / "units.geojson").read_text("utf-8"))
    assert [one["properties"]["id"] for one in units["features"]] == [one["id"] for one in report["units"]]
    assert units["features"][0]["geometry"]["type"] == "Polygon"


def test_people_read_sentences_and_now_is_the_moment_when_none_is_given(tmp_path: Path) -> None:
    done = run("--units", SLOPES, "--rain", rain_file(tmp_path))
    assert done.returncode == 0
    assert "Ruas PERAGAAN-01 Gumelar-Samudra: TIDAK DIKETAHUI" in done.stdout  # that rain is not of today
    assert "newest rain: 2026-01-21T00:00:00Z" in done.stderr
    assert "--at 2026-01-21T00:00:00Z" in done.stderr


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"--rain": "absent.csv"}, "absent.csv", id="no rain file"),
        pytest.param({"--units": "absent.geojson"}, "absent.geojson", id="no units file"),
        pytest.param({"--dem": "absent.tif"}, "elevation model", id="no DEM"),
        pytest.param({"--at": "yesterday"}, "--at", id="no moment"),
    ],
)
def test_bad_input_ends_with_status_2_and_one_line(
    tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    options: dict[str, object] = {"--units": SLOPES, "--rain": rain_file(tmp_path), "--at": AT, **changes}
    done = run(*(part for option in options.items() for part in option))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert reason in done.stderr


@pytest.mark.shared
def test_the_recorded_landslides_near_banyumas_hold_no_rain_so_all_are_unknown(tmp_path: Path) -> None:
    """The catalogue holds dates and places and no rain: it can check neither hits nor false alarms of any rule."""
    with shared("data", "landslide", "glc_near_banyumas.csv").open(encoding="utf-8", newline="") as stream:
        events = list(csv.DictReader(stream))
    assert len(events) == 14
    rain = tmp_path / "none.csv"
    rain.write_text("station,time,mm\n", encoding="utf-8")
    for event in events:
        day = date.fromisoformat(event["event_date"])
        at_us = to_us(datetime(day.year, day.month, day.day, 12, tzinfo=WIB))
        report = assess([unit()], Evidence(rain=read_rain(rain)), at_us=at_us)
        assert report.units[0].level.value == "unknown"


@pytest.mark.shared
def test_the_coefficients_are_those_of_the_shared_table() -> None:
    from serayu.models.landslide.thresholds import ANTECEDENT  # noqa: PLC0415 -- only this test needs it

    table = json.loads(shared("data", "landslide", "rainfall_thresholds.json").read_text("utf-8"))
    form = next(row["form"] for row in table if row["id"] == "pejawaran_CT")
    assert form == f"P3 = {ANTECEDENT.intercept_mm} - {ANTECEDENT.slope}*P15"
