import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serayu.models.region import load_region
from serayu.standalone.region_cli import app

BANYUMAS = Path(__file__).parents[2] / "regions" / "banyumas"
TABLE = """station_id,dataset,name,river,variable,unit,lat,lon,step,alert,alarm,critical,source,licence,note
A-1,satu,Pos A,Kali A,stage,m,-7.4,109.2,10min,1,2,3,sebuah tabel,CC0,
A-2,satu,Pos B,Kali A,stage,m,,109.2,10min,1,2,3,sebuah tabel,CC0,
B-1,dua,Pos C,-,stage,m,-7.5,109.3,10min,,,,sebuah tabel,CC0,
"""


@pytest.fixture(name="table")
def _table(tmp_path: Path) -> Path:
    file = tmp_path / "stations.csv"
    file.write_text(TABLE)
    return file


def test_check_prints_a_summary_and_the_same_as_json(tmp_path: Path) -> None:
    text = CliRunner().invoke(app, ["check", str(BANYUMAS)])
    assert text.exit_code == 0
    assert "22 stasiun" in text.stdout
    target = tmp_path / "report.json"
    result = CliRunner().invoke(app, ["check", str(BANYUMAS), "--json", "--output", str(target)])
    document = json.loads(result.stdout)
    assert (result.exit_code, document["region"], document["stations"]) == (0, "33.02", 22)
    assert json.loads(target.read_text()) == document


def test_check_reads_the_basins_too(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BANYUMAS, tmp_path / "copy", ignore=shutil.ignore_patterns("layers")))
    file = folder / "basins.toml"
    file.write_text(file.read_text().replace("area_km2 = 45", "area_km2 = -45"))
    result = CliRunner().invoke(app, ["check", str(folder)])
    assert result.exit_code == 2
    assert result.stderr == f"error: {file}, field bgs-hulu: area_km2 must be positive, got -45.0\n"


def test_check_reads_the_timers_of_delivery_too(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BANYUMAS, tmp_path / "copy", ignore=shutil.ignore_patterns("layers")))
    (folder / "delivery.toml").write_text('[escalation]\nafter = ["10 seconds or so"]\n')
    result = CliRunner().invoke(app, ["check", str(folder)])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert f"{folder / 'delivery.toml'}, field escalation.after: expected a span" in line


def test_import_writes_a_region_that_passes_the_check(tmp_path: Path, table: Path) -> None:
    out = tmp_path / "out"
    arguments = ["import", "--stations", str(table), "--dataset", "dua", "--code", "99.01", "--out", str(out)]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "out": str(out), "region": "99.01", "stations": ["b-1"], "posts_with_limits": [], "notes": [],
    }  # fmt: skip
    assert load_region(out).station("b-1").river is None
    assert CliRunner().invoke(app, ["check", str(out)]).exit_code == 0
    again = CliRunner().invoke(app, arguments)
    assert (again.exit_code, again.stderr) == (2, f"error: {out}: exists already; --force replaces it\n")
    assert CliRunner().invoke(app, [*arguments, "--force"]).exit_code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param([], "nothing to import", id="nothing"),
        pytest.param(["--stations", "{table}"], "needs --dataset and --code", id="no dataset"),
        pytest.param(
            ["--layers", "{folder}", "--code", "99.01"], "belong to --stations", id="code for layers"
        ),
        pytest.param(["--layers", "{folder}"], "layer desa, found none", id="empty folder of layers"),
        pytest.param(
            ["--stations", "{table}", "--dataset", "satu", "--code", "99.01"],
            "{table}, row 3, field lat: coordinates are missing",
            id="row without coordinates",
        ),
        pytest.param(
            ["--stations", "{table}", "--dataset", "dua", "--code", "Banyumas"],
            "field --code: region code 'Banyumas' must match",
            id="code",
        ),
        pytest.param(
            ["--stations", "{table}", "--dataset", "dua", "--code", "99.01", "--layers", "{folder}"],
            "layer desa, found none",
            id="good stations, bad layers",
        ),
    ],
)
def test_a_wrong_import_is_one_line_and_writes_nothing(
    tmp_path: Path, table: Path, options: list[str], message: str
) -> None:
    places = {"table": table, "folder": tmp_path}
    arguments = [option.format(**places) for option in options]
    result = CliRunner().invoke(app, ["import", "--out", str(tmp_path / "out"), *arguments])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert message.format(**places) in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["stations.csv"]
