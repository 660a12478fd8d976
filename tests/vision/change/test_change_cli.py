"""Two surveys of the same made-up road, compared by the command."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from serayu.models.errors import BadInputError
from serayu.models.survey.change import Change, Fate, growth
from serayu.models.survey.finding import DefectClass, Errors, Finding, Severity
from serayu.vision.change.change_cli import app
from serayu.vision.change.compare import compare
from serayu.vision.change.folder import Surveyed, read_surveyed
from serayu.vision.change.lines import change_lines
from serayu.vision.survey.pipeline import Order, run_survey
from tests.vision.survey.pictures import ROAD, FlatFolder, gauge, write_flight


def survey(folder: Path, name: str, *, n: int = 6, without: int | None = None) -> Path:
    """Survey the road; `without` leaves the boxes of one thing's photos away."""
    flight, out = folder / f"flight-{name}", folder / name
    write_flight(flight, ROAD, n=n)
    for file in (flight / "boxes").glob("P*.txt"):
        if without is not None:
            lines = [line for line in file.read_text().splitlines() if not line.startswith(f"{without} ")]
            file.write_text("\n".join(lines) + "\n")
    order = Order(flight, out, boxes=flight / "boxes", survey=name)
    run_survey(order, imagery=FlatFolder(flight), gauge=gauge)
    return out


@pytest.fixture(name="first", scope="module")
def _first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return survey(tmp_path_factory.mktemp("first"), "first")


@pytest.fixture(name="without_crack", scope="module")
def _without_crack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return survey(tmp_path_factory.mktemp("second"), "second", without=1)


def said(first: Path, second: Path, *options: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, [str(first), str(second), "--json", *options])
    assert done.exit_code == 0, done.output
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_the_same_road_surveyed_twice_has_no_changes(first: Path, tmp_path: Path) -> None:
    found = said(first, survey(tmp_path, "second"))
    assert found["matched"] == found["before"]["findings"] == 4
    assert found["counts"]["gone"] == found["counts"]["new"] == found["counts"]["grown"] == 0
    assert all(abs(size["change"]) < 1e-6 for one in found["changes"] for size in one["growth"])


def test_a_crack_without_boxes_is_gone_and_the_map_shows_where(first: Path, tmp_path: Path) -> None:
    second = survey(tmp_path, "second", without=1)
    found = said(
        first, second, "--geojson", str(tmp_path / "map.geojson"), "--output", str(tmp_path / "c.json")
    )
    assert found["classes"]["longitudinal_crack"] == {"gone": 1}
    assert any("terlewat oleh detektor" in text for text in found["texts"]["id"])
    assert json.loads((tmp_path / "c.json").read_text()) == found
    features = json.loads((tmp_path / "map.geojson").read_text())["features"]
    (gone,) = [one for one in features if one["properties"]["fate"] == "gone"]
    assert gone["geometry"]["type"] == "LineString"
    assert gone["properties"]["after"] is None


def test_what_a_shorter_flight_did_not_photograph_is_not_gone(first: Path, tmp_path: Path) -> None:
    found = said(first, survey(tmp_path, "second", n=1))
    assert found["counts"]["not_seen"] > 0
    assert found["counts"]["gone"] == 0


def test_without_a_coverage_document_only_whole_segments_count_as_photographed(
    first: Path, without_crack: Path, tmp_path: Path
) -> None:
    second = Path(shutil.copytree(without_crack, tmp_path / "second"))
    (second / "coverage.geojson").unlink()
    report = compare(read_surveyed(first), read_surveyed(second))
    assert report.counts["gone"] == 0
    assert report.counts["not_seen"] == 1
    assert any("per segmen" in text for text in report.texts["id"])


@pytest.mark.parametrize("name", ["survey.json", "findings.geojson"])
def test_a_folder_that_is_no_survey_is_one_error(first: Path, tmp_path: Path, name: str) -> None:
    second = Path(shutil.copytree(first, tmp_path / "second"))
    (second / name).unlink()
    done = CliRunner().invoke(app, [str(first), str(second)])
    assert done.exit_code == 2
    assert name in done.stderr


def test_people_read_it_in_both_languages_and_see_each_thing_that_changed(
    first: Path, without_crack: Path
) -> None:
    done = CliRunner().invoke(app, [str(first), str(without_crack)])
    assert done.exit_code == 0
    assert "no change beyond" in done.stdout or "cannot be decided" in done.stdout
    lines = done.stdout.splitlines()
    (place,) = [n for n, line in enumerate(lines) if "Retak memanjang · Longitudinal crack" in line]
    assert "tidak ditemukan lagi, tempatnya terfoto · not found again" in lines[place]
    assert re.search(r"panjang · length \d+,\d\d( ± \d+,\d\d)? → – m", lines[place + 1])


def _told(*, length_m: float | None, km: float | None = 1.25) -> Change:
    errors = Errors(position_m=0.1, length_m=None if length_m is None else 0.25)
    before, after = (
        Finding(
            id=f"{n}", survey="s", label=DefectClass.TRANSVERSE_CRACK, score=0.9,
            ruas=None if km is None else "C-01", km=km, side=None, length_m=size, width_mm=None, area_m2=None,
            severity=Severity.UNMEASURED, errors=errors, photo="a.jpg", photos=("a.jpg",), time=None,
            geometry={"type": "Point", "coordinates": [109.25, -7.43]},
        )
        for n, size in enumerate((length_m, None if length_m is None else length_m + 2.19))
    )  # fmt: skip
    return Change(
        fate=Fate.GROWN, label=before.label, before=before, after=after, growth=growth(before, after)
    )


def test_a_line_says_where_what_and_from_which_size_to_which_with_its_error() -> None:
    assert list(change_lines([_told(length_m=2.06)])) == [
        "  ruas C-01 km 1,250: Retak melintang · Transverse crack, membesar · grown",
        "      panjang · length 2,06 → 4,25 m (+2,19 ± 0,35)",
    ]
    where, sizes = change_lines([_told(length_m=None, km=None)])
    assert "di luar ruas · away from roads" in where
    assert "tidak terukur · not measured" in sizes


def test_what_stayed_has_no_line_and_beyond_twenty_it_is_said_how_many_more() -> None:
    stayed = msgspec.structs.replace(_told(length_m=1.0), fate=Fate.SAME)
    assert list(change_lines([stayed])) == []
    lines = list(change_lines([_told(length_m=1.0)] * 23))
    assert len(lines) == 41
    assert "dan 3 lagi" in lines[-1]
    assert "3 more" in lines[-1]


def _at(folder: Path, day: str) -> Surveyed:
    found = read_surveyed(folder)
    return replace(found, head=msgspec.structs.replace(found.head, first=day, last=day))


def test_surveys_named_in_the_wrong_order_are_refused(first: Path, without_crack: Path) -> None:
    early, late = _at(first, "2026-01-01T00:00:00Z"), _at(without_crack, "2026-01-01T00:00:01Z")
    assert compare(early, late).days == 0.0
    with pytest.raises(BadInputError, match="name the earlier survey first"):
        compare(late, early)


def test_a_survey_is_not_compared_with_itself(first: Path) -> None:
    done = CliRunner().invoke(app, [str(first), str(first)])
    assert done.exit_code == 2
    assert "both folders hold the survey first" in " ".join(done.stderr.split())
