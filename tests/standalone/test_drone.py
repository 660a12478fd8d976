"""The drone of the demonstration: where it flies, how its survey is judged, and what it says when there is none."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from serayu.models.errors import BadInputError
from serayu.models.landslide.units import read_units
from serayu.models.places import default_region
from serayu.models.plane import LocalPlane
from serayu.models.roads.network import RoadNetwork
from serayu.models.survey.finding import DefectClass
from serayu.standalone.demo import Demo, DemoOptions
from serayu.standalone.drone.eyes import installed
from serayu.standalone.drone.fly import RESULT_FILE, Flown
from serayu.standalone.drone.place import place_over
from serayu.standalone.drone.surveyed import Flight, FlightError, Survey, lines_of
from serayu.standalone.drone.truth import judged
from serayu.standalone.stack import StackOptions

START = datetime.fromisoformat("2026-01-10T00:00:00+07:00")
M = 1 / 111_195  # degrees in a metre, near the equator


# -- where -------------------------------------------------------------------------------------------------------------


def test_it_flies_where_a_slide_beside_the_road_lies_near_a_slope_unit() -> None:
    region = default_region()
    place = place_over(region, length_m=30)
    network = RoadNetwork.read(region / "ruas.geojson")
    line = dict(zip(network.by_number, network.lines, strict=True))[place.ruas]
    middle = line.interpolate(place.start_m + 15)
    units = [one.geometry for one in read_units(region / "slopes.geojson")]
    assert min(_metres(network.plane, unit).distance(middle) for unit in units) < 45


def _metres(plane: LocalPlane, figure: Any) -> Any:  # noqa: ANN401 -- any geometry
    return plane.to_metres([figure])[0]  # type: ignore[arg-type]


def test_without_slopes_it_flies_the_first_road_that_is_long_enough(tmp_path: Path) -> None:
    roads = [_road("A", 20), _road("B", 300), _road("C", 300)]
    (tmp_path / "ruas.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": roads}))
    assert place_over(tmp_path, length_m=100).ruas == "B"
    with pytest.raises(BadInputError, match="no road of 400 m"):
        place_over(tmp_path, length_m=400)


def _road(number: str, length_m: float) -> dict[str, Any]:
    line = {"type": "LineString", "coordinates": [[109.0, 0.0], [109.0 + length_m * M, 0.0]]}
    return {"type": "Feature", "properties": {"number": number, "name": number}, "geometry": line}


# -- judged ------------------------------------------------------------------------------------------------------------

Spot = tuple[str, float, float]
HOLE, PATCH = "pothole", "patch_repair"


def _file(file: Path, spots: Sequence[Spot], *, gnss_m: float = 0.0, seen: bool = True) -> Path:
    features = [
        {
            "type": "Feature",
            "properties": {"class": label, "photos": ["a.jpg"] if seen else []},
            "geometry": {"type": "Polygon", "coordinates": [_square(x, y)]},
        }
        for label, x, y in spots
    ]
    document = {"type": "FeatureCollection", "noise": {"gnss_m": gnss_m}, "features": features}
    file.write_text(json.dumps(document))
    return file


def _square(x_m: float, y_m: float) -> list[list[float]]:
    corners = [(-0.2, -0.2), (0.2, -0.2), (0.2, 0.2), (-0.2, 0.2), (-0.2, -0.2)]
    return [[109.0 + (x_m + x) * M, (y_m + y) * M] for x, y in corners]


REAL = [(HOLE, 0.0, 0.0), (HOLE, 10.0, 0.0), (PATCH, 20.0, 0.0), (PATCH, 30.0, 0.0)]


@pytest.mark.parametrize(
    ("found", "matched", "duplicates", "recall", "precision", "error_m"),
    [
        ([], 0, 0, 0.0, None, None),
        (REAL, 4, 0, 1.0, 1.0, 0.0),
        ([(HOLE, 0.5, 0.0), (PATCH, 20.0, 0.7)], 2, 0, 0.5, 1.0, 0.6),
        ([(HOLE, 0.0, 0.0), (HOLE, 0.5, 0.0)], 1, 1, 0.25, 0.5, 0.0),
        ([(PATCH, 0.0, 0.0)], 0, 0, 0.0, 0.0, None),
        ([(HOLE, 0.0, 3.0)], 0, 0, 0.0, 0.0, None),
    ],
    ids=["none", "all", "off", "twice", "another class", "too far"],
)
def test_findings_are_judged_by_what_lies_there(
    tmp_path: Path,
    found: Sequence[Spot],
    matched: int,
    duplicates: int,
    recall: float,
    precision: float | None,
    error_m: float | None,
) -> None:
    truth, said = _file(tmp_path / "truth", REAL), _file(tmp_path / "said", found)
    got = judged(truth, said, classes=(HOLE, PATCH))
    assert (got.things, got.matched, got.duplicates) == (4, matched, duplicates)
    assert (got.recall, got.precision) == (recall, precision)
    assert got.position_error_median_m == (None if error_m is None else pytest.approx(error_m, abs=0.01))


def test_noise_of_the_position_widens_the_gate(tmp_path: Path) -> None:
    said = _file(tmp_path / "said", [(HOLE, 0.0, 4.0)])
    matched = [
        judged(_file(tmp_path / "truth", REAL, gnss_m=noise), said, classes=(HOLE,)).matched
        for noise in (0.0, 1.5)
    ]
    assert matched == [0, 1]


def test_what_was_not_looked_for_or_not_photographed_is_no_miss(tmp_path: Path) -> None:
    said = _file(tmp_path / "said", REAL[:2])
    assert judged(_file(tmp_path / "truth", REAL), said, classes=(HOLE,)).recall == 1.0
    assert judged(_file(tmp_path / "truth", REAL, seen=False), said, classes=(HOLE,)).recall is None


# -- with and without -------------------------------------------------------------------------------------------------


@pytest.fixture(name="region")
def _region(tmp_path: Path) -> Path:
    region = tmp_path / "region"
    region.mkdir()
    roads = {"type": "FeatureCollection", "features": [_road("A", 300)]}
    (region / "ruas.geojson").write_text(json.dumps(roads))
    (tmp_path / "logs").mkdir()
    return region


def _ended(flight: Flight) -> Flight:
    with flight:
        while flight.flies:
            time.sleep(0.05)
    return flight


@pytest.fixture(name="without_opencv")
def _without_opencv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without the extra."""
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "cv2.py").write_text("raise ModuleNotFoundError(\"No module named 'cv2'\", name='cv2')")
    monkeypatch.setenv("PYTHONPATH", str(blocked))


@pytest.mark.usefixtures("without_opencv")
def test_without_the_packages_there_is_no_survey_and_the_reason_is_said(tmp_path: Path, region: Path) -> None:
    flight = _ended(Flight(tmp_path, region, start=START, photos=4))
    assert flight.flown() is None
    (line,) = lines_of(None, flight.absent)
    assert "cv2" in line
    assert "not installed" in line


def test_without_roads_there_is_no_survey_and_the_reason_is_said(tmp_path: Path, region: Path) -> None:
    (region / "ruas.geojson").unlink()
    flight = _ended(Flight(tmp_path, region, start=START, photos=4))
    assert flight.flown() is None
    assert "ruas.geojson" in (flight.absent or "")


def test_a_survey_that_fails_is_an_error_with_its_last_words(tmp_path: Path, region: Path) -> None:
    (region / "ruas.geojson").write_text("{}")
    with pytest.raises(FlightError, match=r"the survey failed: .*ruas\.geojson"):
        _ended(Flight(tmp_path, region, start=START, photos=4)).flown()


def test_a_survey_that_fails_leaves_the_account_of_the_storm_and_fails_the_command(
    tmp_path: Path, region: Path
) -> None:
    (region / "ruas.geojson").write_text("{}", encoding="utf-8")
    flight = _ended(Flight(tmp_path, region, start=START, photos=4))
    demo = Demo(DemoOptions(StackOptions(region=default_region(), data_dir=tmp_path)))
    survey, absent = demo._surveyed(flight)
    assert survey is None
    assert absent is not None
    assert absent.startswith("survei gagal")
    assert demo.failed


def test_the_command_line_of_the_demonstration_imports_no_vision() -> None:
    script = "import serayu.standalone.demo, sys; print([m for m in ('cv2', 'scipy', 'rasterio') if m in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("weights", "names", "sought"),
    [
        ({}, (), ()),
        ({"landslide": ["landslide"]}, (), ()),
        ({"road": ["longitudinal_crack", "pothole"]}, ("road",), ("longitudinal_crack", "pothole")),
        (
            {"road": ["pothole", "manhole"], "landslide": ["landslide"]},
            ("road", "landslide"),
            ("pothole", "landslide"),
        ),
    ],
)
def test_the_installed_detectors_are_used_and_boxes_are_given_only_for_the_rest(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    weights: dict[str, list[str]],
    names: tuple[str, ...],
    sought: tuple[str, ...],
) -> None:
    entry = {
        "task": "detect", "file": "x.onnx", "sha256": "0" * 64, "licence": "none", "restriction": None, "input_px": 640,
        "gsd_mm": None, "threshold": 0.3, "threshold_source": "test", "training_commit": None,
    }  # fmt: skip
    told = [{"name": name, "classes": classes, **entry} for name, classes in weights.items()]
    (tmp_path / "manifest.json").write_text(json.dumps({"weights": told}))
    monkeypatch.setenv("SERAYU_VISION_WEIGHTS", str(tmp_path))
    eyes = installed()
    assert (eyes.weights, eyes.sought) == (names, sought)
    assert sorted((*eyes.sought, *eyes.given)) == sorted(DefectClass)


def test_the_text_says_when_boxes_were_given() -> None:
    survey = msgspec.convert(
        {
            **dict.fromkeys(Survey.__struct_fields__, 0),
            "ruas": "R", "detector": "road 0123", "given_boxes": False, "given": [], "note": None,
            "survey": "s", "again": False,
            "classes": {"pothole": 2, "landslide": 0}, "unlike": [], "slopes": ["baseh-1"], "recall": 0.5,
        },
        Survey,
    )  # fmt: skip
    text = "\n".join(lines_of(survey, None))
    assert "road 0123" in text
    assert "pothole 2" in text
    assert "landslide" not in text
    assert "baseh-1" in text
    assert "recall 0.5" in text
    assert "duplicates 0" in text
    assert "detectors err" in text
    noted = msgspec.structs.replace(survey, given_boxes=True, note="kotak diberikan")
    text = "\n".join(lines_of(noted, None))
    assert "kotak diberikan" in text
    assert "detectors err" not in text


def test_the_result_of_the_process_can_be_read_back(tmp_path: Path) -> None:
    flown = Flown(survey="s", classes={"pothole": 1}, sought=("pothole",), recall=0.25)
    (tmp_path / RESULT_FILE).write_bytes(msgspec.json.encode(flown))
    assert msgspec.json.decode((tmp_path / RESULT_FILE).read_bytes(), type=Flown) == flown
