"""Surveys of a rendered strip of road, with the real cameras, the real measuring and the command itself."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyproj
import pytest
import rasterio
from rasterio import Affine
from rasterio.errors import NotGeoreferencedWarning
from shapely.geometry import shape
from typer.testing import CliRunner

from serayu.models.plane import LocalPlane
from serayu.models.texts import text
from serayu.vision.cli import app
from serayu.vision.flight.plan import FlightNoise
from serayu.vision.flight.render import render_flight

LON, LAT = 109.2396, -7.4244
UTM = "EPSG:32749"
GSD_M = 0.01
SINGLE = {"longitudinal_crack", "transverse_crack"}


@pytest.fixture(scope="module", name="flight")
def _flight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered")
    road = {"type": "LineString", "coordinates": [[LON, LAT], [LON + 0.001, LAT + 0.0006]]}
    properties = {"number": "001", "name": "Contoh", "width_m": 5.5}
    feature = {"type": "Feature", "properties": properties, "geometry": road}
    (folder / "road.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    render_flight(
        folder / "flown",
        road=folder / "road.geojson",
        seed=5,
        photos=5,
        overlap=0.5,
        gsd_mm=16,
        size_px=(480, 360),
        per_100_m=60,
        noise=FlightNoise.none(),
        landslide=False,
        overviews=0,
    )
    return folder / "flown"


@pytest.fixture(scope="module", name="told")
def _told(flight: Path) -> dict[str, Any]:
    """Return what the command prints; one photo is cut short, as a full card leaves it."""
    photos = Path(shutil.copytree(flight / "photos", flight / "card"))
    whole = min(photos.iterdir()).read_bytes()
    (photos / "ZZZ_9999.jpg").write_bytes(whole[: len(whole) // 2])
    return _survey(photos, flight / "out", "--boxes", flight / "boxes", "--ruas", flight / "ruas.geojson")


def _survey(source: Path, out: Path, *options: object) -> dict[str, Any]:
    words = ["survey", str(source), "--out", str(out), *map(str, options), "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def _features(file: Path) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["features"]
    return features


def test_a_photo_that_is_cut_short_is_passed_over_and_reported(told: dict[str, Any]) -> None:
    counts = told["summary"]["counts"]
    assert (counts["units"], counts["read"], counts["corrupt"]) == (6, 5, 1)
    (problem,) = told["summary"]["problems"]
    assert (problem["unit"], problem["code"]) == ("ZZZ_9999.jpg", "corrupt")


def test_every_rendered_thing_is_found_once_at_its_place_on_the_road(
    flight: Path, told: dict[str, Any]
) -> None:
    true = [one for one in _features(flight / "truth.geojson") if one["properties"]["photos"]]
    found = _features(flight / "out" / "findings.geojson")
    assert len(true) >= 4
    assert told["summary"]["counts"]["findings"] == len(found) == len(true)
    plane = LocalPlane(LON)
    middles = {one["id"]: plane.to_metres(np.array([shape(one["geometry"])]))[0].centroid for one in found}
    taken, sides = set(), list[str | None]()
    for thing in true:
        wanted = thing["properties"]
        place = plane.to_metres(np.array([shape(thing["geometry"])]))[0].centroid
        alike = [one for one in found if one["properties"]["class"] == wanted["class"]]
        near = alike[int(np.argmin([middles[one["id"]].distance(place) for one in alike]))]
        told_of = near["properties"]
        assert middles[near["id"]].distance(place) < 0.5
        assert (told_of["ruas"], told_of["km"]) == ("001", pytest.approx(wanted["km"], abs=0.0005))
        assert told_of["side"] in (wanted["side"], None)
        sides.append(told_of["side"])
        taken.add(near["id"])
    assert len(taken) == len(true)
    assert sum(side is not None for side in sides) >= 3, "most sides are certain"


def test_a_folder_that_is_not_there_is_one_line_and_exit_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["survey", str(tmp_path / "no"), "--out", str(tmp_path / "out"), "--boxes", str(tmp_path)]
    )
    assert result.exit_code == 2
    assert "no such folder or orthophoto" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_an_orthophoto_in_utm_is_surveyed_over_the_borders_of_its_windows(tmp_path: Path) -> None:
    """A patch across the border of two windows and a round hole, drawn; boxes as fractions of the whole."""
    random = np.random.default_rng(1)
    width, height = 3000, 600
    image = random.normal(125, 6, (height, width)).clip(0, 255).astype(np.uint8)
    things = [("patch_repair", 1800, 200, 2300, 420), ("pothole", 400, 250, 470, 320)]
    image[200:420, 1800:2300] = random.normal(60, 5, (220, 500)).astype(np.uint8)
    cv2.circle(image, (435, 285), 35, 60, -1)
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.7), dtype=np.uint8)
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes" / "classes.txt").write_text("pothole\npatch_repair\n")
    rows = [
        f"{int(label == 'patch_repair')} {(x0 + x1) / 2 / width} {(y0 + y1) / 2 / height} "
        f"{(x1 - x0) / width} {(y1 - y0) / height}"
        for label, x0, y0, x1, y1 in things
    ]
    (tmp_path / "boxes" / "mosaic.txt").write_text("\n".join(rows) + "\n")
    east, north = pyproj.Transformer.from_crs(4326, UTM, always_xy=True).transform(LON, LAT)
    with rasterio.open(
        tmp_path / "mosaic.tif",
        "w",
        driver="GTiff",
        width=width,
        height=height,
        count=3,
        dtype="uint8",
        crs=UTM,
        transform=Affine.translation(east, north) @ Affine.scale(GSD_M, -GSD_M),
    ) as file:
        for band in (1, 2, 3):
            file.write(image, band)
    told = _survey(tmp_path / "mosaic.tif", tmp_path / "out", "--boxes", tmp_path / "boxes")
    assert told["summary"]["kind"] == "orthophoto"
    assert told["looked"] >= 2
    found = {one["properties"]["class"]: one for one in _features(tmp_path / "out" / "findings.geojson")}
    assert len(found) == told["summary"]["counts"]["findings"] == 2
    back = pyproj.Transformer.from_crs(4326, UTM, always_xy=True)
    for label, left, top, right, bottom in things:
        told_of = found[label]
        area = (right - left) * (bottom - top) * GSD_M**2 * (np.pi / 4 if label == "pothole" else 1)
        assert told_of["properties"]["area_m2"] == pytest.approx(area, rel=0.08)
        middle = shape(told_of["geometry"]).centroid
        placed = np.subtract(back.transform(middle.x, middle.y), (east, north))
        wanted = np.array([(left + right) / 2, -(top + bottom) / 2]) * GSD_M
        assert np.hypot(*(placed - wanted)) < 0.1


def _roads_at(file: Path, *, lat: float) -> Path:
    road = {"type": "LineString", "coordinates": [[LON, lat], [LON + 0.001, lat]]}
    feature = {"type": "Feature", "properties": {"number": "009", "name": "Jauh"}, "geometry": road}
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return file


def test_roads_far_from_every_photo_are_named_once_and_the_report_does_not_say_that_none_was_given(
    flight: Path, tmp_path: Path
) -> None:
    far = _roads_at(tmp_path / "far.geojson", lat=LAT - 0.9)
    words = ["survey", str(flight / "photos"), "--out", str(tmp_path / "out"), "--ruas", str(far)]
    result = CliRunner().invoke(app, [*words, "--boxes", str(flight / "boxes")])
    assert result.exit_code == 0, result.stderr
    assert (
        result.stdout.count("tidak satu pun ruas di dekat foto · none of the roads lies near the photos") == 1
    )
    (problem,) = json.loads((tmp_path / "out" / "survey.json").read_text("utf-8"))["problems"]
    assert (problem["unit"], problem["code"]) == ("far.geojson", "roads_far")
    assert float(problem["detail"]) == pytest.approx(99.5, abs=0.5)
    assert f"laporan untuk dicetak · report to print: {tmp_path / 'out' / 'report.html'}" in result.stdout
    assert f"serayu vision publish {tmp_path / 'out'}" in result.stdout
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "No road given" not in report
    assert "None of the roads was photographed" in report
    assert "99," in report


def test_why_photos_are_good_for_less_is_said_on_the_screen(flight: Path, tmp_path: Path) -> None:
    words = ["survey", str(flight / "photos"), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*words, "--boxes", str(flight / "boxes")])
    assert result.exit_code == 0, result.stderr
    reasons = json.loads((tmp_path / "out" / "survey.json").read_text("utf-8"))["quality"]
    assert reasons, "pixels of 16 mm are too coarse for widths"
    for key, n in reasons.items():
        assert f"  {n} foto · pictures: {text(key, 'id')} · {text(key, 'en')}" in result.stdout


def test_roads_beside_the_photos_are_no_problem(told: dict[str, Any]) -> None:
    assert "roads_far" not in {one["code"] for one in told["summary"]["problems"]}


def _without_tags(photo: Path, *, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    image = cv2.imread(str(photo))
    assert image is not None
    cv2.imwrite(str(to), image)


def test_a_photo_without_gps_is_named_in_words(flight: Path, tmp_path: Path) -> None:
    photos = Path(shutil.copytree(flight / "photos", tmp_path / "card"))
    _without_tags(min(photos.iterdir()), to=photos / "A_0000.jpg")
    words = ["survey", str(photos), "--out", str(tmp_path / "out"), "--boxes", str(flight / "boxes")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    (line,) = (one for one in result.stdout.splitlines() if "A_0000.jpg" in one)
    assert "tanpa posisi" in line
    assert "no position" in line
    assert "Foto tidak memuat letak GNSS · The photo has no GNSS position" in line
    assert "no_pose" not in result.stdout
    (problem,) = json.loads((tmp_path / "out" / "survey.json").read_text("utf-8"))["problems"]
    assert problem["code"] == "no_pose"
    assert "Foto tidak memuat letak GNSS" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_photos_that_all_lack_gps_are_one_line_and_exit_2_before_any_is_looked_at(
    flight: Path, tmp_path: Path
) -> None:
    for photo in sorted((flight / "photos").iterdir())[:2]:
        _without_tags(photo, to=tmp_path / "phone" / photo.name)
    words = [
        "survey",
        str(tmp_path / "phone"),
        "--out",
        str(tmp_path / "out"),
        "--boxes",
        str(flight / "boxes"),
    ]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "none of its 2 photos can be put on a map" in result.stderr
    assert "Foto tidak memuat letak GNSS" in result.stderr
    assert not (tmp_path / "out").exists()


def _bare_raster(file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(file, "w", driver="GTiff", width=8, height=8, count=1, dtype="float32") as raster:
            raster.write(np.full((8, 8), 100, np.float32), 1)


def _far_raster(file: Path) -> None:
    with rasterio.open(
        file, "w", driver="GTiff", width=8, height=8, count=1, dtype="float32", crs="EPSG:4326",
        transform=Affine(0.001, 0, 100, 0, -0.001, 10),
    ) as raster:  # fmt: skip
        raster.write(np.full((8, 8), 100, np.float32), 1)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (_bare_raster, "no georeference"),
        (lambda file: file.write_text("bukan raster"), "not an elevation model"),
        (lambda _: None, "not an elevation model"),
        (_far_raster, "does not reach the survey"),
    ],
    ids=["no georeference", "text", "absent", "elsewhere"],
)
def test_an_elevation_model_that_cannot_be_used_is_one_line_before_any_photo_is_read(
    flight: Path, tmp_path: Path, write: Callable[[Path], object], said: str
) -> None:
    write(tmp_path / "dem.tif")
    words = [
        "survey",
        str(flight / "photos"),
        "--out",
        str(tmp_path / "out"),
        "--boxes",
        str(flight / "boxes"),
    ]
    result = CliRunner().invoke(app, [*words, "--dem", str(tmp_path / "dem.tif")])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "dem.tif" in line
    assert said in line
    assert "Warning" not in result.output
    assert not (tmp_path / "out").exists()
