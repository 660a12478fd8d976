"""A whole survey of small made-up pictures: resumed, killed, with bad pictures among them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import shapely

from serayu.models.errors import BadInputError
from serayu.vision.survey.pipeline import Order, Outcome, run_survey
from serayu.vision.survey.workspace import Workspace
from tests.vision.survey.pictures import ROAD, FlatFolder, gauge, write_flight

RUNNER = Path(__file__).with_name("runner.py")


@pytest.fixture(scope="module", name="flown")
def _flown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return pictures that no test changes."""
    folder = tmp_path_factory.mktemp("flown") / "flight"
    write_flight(folder, ROAD)
    return folder


@pytest.fixture(scope="module", name="calm")
def _calm(flown: Path) -> Outcome:
    """Return an undisturbed survey, which no test changes."""
    return _survey(flown, flown.parent / "calm")


@pytest.fixture(name="flight")
def _flight(flown: Path, tmp_path: Path) -> Path:
    """Return pictures of one's own."""
    return Path(shutil.copytree(flown, tmp_path / "flight"))


def _survey(flight: Path, out: Path, survey: str | None = None, *, replace: bool = False) -> Outcome:
    order = Order(flight, out, boxes=flight / "boxes", survey=survey, replace=replace)
    return run_survey(order, imagery=FlatFolder(flight), gauge=gauge)


def _findings(out: Path) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = json.loads((out / "findings.geojson").read_text())["features"]
    return features


def _files(out: Path) -> dict[str, bytes]:
    """Return all files but those of the work folder."""
    return {
        str(file.relative_to(out)): file.read_bytes()
        for file in sorted(out.rglob("*"))
        if file.is_file() and ".work" not in file.parts
    }


def test_each_thing_is_found_once_with_its_size(calm: Outcome) -> None:
    found = _findings(calm.out)
    assert [one["properties"]["class"] for one in found].count("pothole") == 3
    (crack,) = [one for one in found if one["properties"]["class"] == "longitudinal_crack"]
    assert crack["properties"]["length_m"] == pytest.approx(11.0, abs=0.05)
    assert len(crack["properties"]["photos"]) == 5
    assert shapely.geometry.shape(crack["geometry"]).geom_type == "LineString"
    assert (calm.looked, calm.resumed) == (6, 0)
    assert calm.summary.counts.annotated == 6
    for one in found:
        assert (calm.out / "crops" / f"{one['id']}.jpg").is_file()


def test_a_second_run_looks_at_nothing_and_changes_nothing_wherever_the_photos_lie(
    calm: Outcome, flight: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(calm.out, tmp_path / "out"))
    again = _survey(flight, out)
    assert (again.looked, again.resumed) == (0, 6)
    assert _files(out) == _files(calm.out)


def test_other_boxes_are_looked_at_again_and_leave_no_old_pictures(flight: Path, tmp_path: Path) -> None:
    _survey(flight, tmp_path / "out")
    for file in (flight / "boxes").glob("P*.txt"):
        file.write_text("")
    (flight / "boxes" / "P00000_0.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    again = _survey(flight, tmp_path / "out", replace=True)
    assert (again.looked, again.resumed) == (6, 0)
    assert len(_findings(tmp_path / "out")) == 1
    assert len(list((tmp_path / "out" / "crops").iterdir())) == 1
    assert [file.name for file in (tmp_path / "out" / "photos").iterdir()] == ["P00000_0.jpg"]
    assert len(list((tmp_path / "out" / ".work").glob("*.result"))) == 6


def test_corrupt_and_refused_pictures_are_reported_and_passed_over(flight: Path, tmp_path: Path) -> None:
    (flight / "P00240_0.jpg").write_bytes(b"")
    (flight / "P00480_0.jpg").write_bytes((flight / "P00000_0.jpg").read_bytes()[:40])
    (flight / "boxes" / "P00720_0.txt").write_text("0 0.5 0.5 0.1 0.1\n0 0.5 0.5 nan 0.1\n")
    outcome = _survey(flight, tmp_path / "out")
    counts = outcome.summary.counts
    assert (counts.read, counts.refused, counts.corrupt) == (3, 1, 2)
    problems = {one.unit: (one.code, one.detail) for one in outcome.summary.problems}
    assert problems["P00240_0.jpg"] == ("corrupt", "P00240_0.jpg: not a picture")
    assert problems["P00720_0.jpg"][0] == "labels"
    assert "row 2" in problems["P00720_0.jpg"][1]
    assert str(flight) not in (tmp_path / "out" / "survey.json").read_text()


def test_no_usable_picture_is_one_error(flight: Path, tmp_path: Path) -> None:
    for file in flight.glob("*.jpg"):
        file.write_bytes(b"no")
    with pytest.raises(BadInputError, match="none of its 6 pictures can be used: 6 corrupt, 0 refused"):
        _survey(flight, tmp_path / "out")
    assert not (tmp_path / "out" / "survey.json").exists()


def test_an_empty_folder_is_one_error(tmp_path: Path) -> None:
    write_flight(tmp_path / "none", ROAD, n=0)
    with pytest.raises(BadInputError, match="holds no photos"):
        _survey(tmp_path / "none", tmp_path / "out")


def test_an_id_can_be_given(flight: Path, tmp_path: Path) -> None:
    _survey(flight, tmp_path / "out", survey="S-1")
    assert {one["properties"]["survey"] for one in _findings(tmp_path / "out")} == {"S-1"}


@pytest.mark.parametrize("goal", [2, 6], ids=["while looking", "while writing"])
def test_a_survey_killed_at_any_moment_ends_as_if_undisturbed(
    calm: Outcome, flown: Path, tmp_path: Path, goal: int
) -> None:
    """`bench.survey --kills` does so twenty times on a rendered flight; here once in each half of the work."""
    out = tmp_path / "out"
    killed = subprocess.Popen([sys.executable, str(RUNNER), str(flown), str(out)], stdout=subprocess.DEVNULL)
    work = out / ".work"
    while killed.poll() is None:  # until so many pictures are done
        if work.is_dir() and len(list(work.glob("*.result"))) >= goal:
            os.kill(killed.pid, signal.SIGKILL)
            break
        time.sleep(0.002)
    killed.wait()
    done = len(list(work.glob("*.result")))
    assert done >= goal
    assert not (out / "survey.json").exists()
    (out / ".report.html.s8tira26").write_text("half of a document, as a kill leaves it")
    again = _survey(flown, out)
    assert (again.looked, again.resumed) == (6 - done, done)
    assert _files(out) == _files(calm.out)


def test_two_surveys_do_not_write_to_one_folder(flown: Path, tmp_path: Path) -> None:
    with (
        Workspace.under(tmp_path / "out"),
        pytest.raises(BadInputError, match="another survey is writing to this folder"),
    ):
        _survey(flown, tmp_path / "out")
    assert _survey(flown, tmp_path / "out").looked == 6


@pytest.mark.parametrize("recorded", [True, False])
def test_finished_results_of_another_survey_are_not_written_over(
    calm: Outcome, flight: Path, tmp_path: Path, *, recorded: bool
) -> None:
    out = Path(shutil.copytree(calm.out, tmp_path / "out"))
    if not recorded:  # with the work folder removed, as it may be
        shutil.rmtree(out / ".work")
    (flight / "P00000_0.jpg").unlink()  # the other five are shared
    with pytest.raises(BadInputError) as caught:
        _survey(flight, out)
    assert str(caught.value).startswith(f"{out}: ")
    assert f"finished results of another survey, {calm.summary.survey}; " in str(caught.value)
    photos = "photos (6 di sana · there, 5 di sini · here, 5 sama · shared)"
    assert (photos in str(caught.value)) == recorded
    assert "--replace" in str(caught.value)
    assert _files(out) == _files(calm.out)


def test_finished_results_made_with_other_settings_are_not_written_over(
    calm: Outcome, flight: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(calm.out, tmp_path / "out"))
    with pytest.raises(BadInputError, match="differs in: --survey: give another folder"):
        _survey(flight, out, survey="S-1")
    (flight / "boxes" / "P00000_0.txt").write_text("")
    with pytest.raises(BadInputError, match="boxes, photos, privacy or release"):
        _survey(flight, out)
    assert _files(out) == _files(calm.out)


def test_a_survey_with_an_id_of_its_own_is_the_same_only_with_the_same_content(
    flight: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    _survey(flight, out, survey="S-1")
    before = _files(out)
    assert _survey(flight, out, survey="S-1").looked == 0
    (flight / "P00000_0.jpg").unlink()
    with pytest.raises(BadInputError, match=r"another survey, S-1; .*5 sama · shared"):
        _survey(flight, out, survey="S-1")
    assert _files(out) == before


def test_a_survey_with_a_photo_more_replaces_the_smaller_one_only_where_asked(
    calm: Outcome, flight: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(calm.out, tmp_path / "out"))
    shutil.copy(flight / "P00000_0.jpg", flight / "P09000_0.jpg")
    again = _survey(flight, out, replace=True)
    assert (again.looked, again.resumed) == (1, 6)
    assert _files(out) == _files(_survey(flight, tmp_path / "fresh").out)


def test_results_are_not_written_among_the_inputs(flight: Path, tmp_path: Path) -> None:
    before = _files(flight)
    with pytest.raises(BadInputError, match=r"flight: .* it holds P00000_0\.jpg, an input"):
        _survey(flight, flight)
    for name in ("boxes", "truth.geojson"):
        (tmp_path / name / name).mkdir(parents=True)
        with pytest.raises(BadInputError, match=f"it holds {name}, an input"):
            _survey(flight, tmp_path / name)
        assert not (tmp_path / name / ".work").exists()
    assert _files(flight) == before
    assert not (flight / ".work").exists()
