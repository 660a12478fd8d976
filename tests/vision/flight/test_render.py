"""A rendered flight: its files agree with one another, with the ground and with a second rendering."""

import ast
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from typer.testing import CliRunner

import serayu.vision.flight
from serayu.models.errors import BadInputError
from serayu.models.survey.finding import DefectClass
from serayu.vision.cli import app
from serayu.vision.flight import render_cli
from serayu.vision.flight.plan import FlightNoise
from serayu.vision.flight.render import Rendered, render_flight

from .conftest import SMALL, TINY


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def _xmp(file: Path) -> dict[str, str]:
    with Image.open(file) as picture:
        packet = picture.info["xmp"].decode()
    return dict(re.findall(r'drone-dji:(\w+)="([^"]*)"', packet))


def _truth(folder: Path) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((folder / "truth.geojson").read_text(encoding="utf-8"))
    return truth


def test_the_same_seed_gives_the_same_bytes(strip: Path, roads: Path, tmp_path: Path) -> None:
    render_flight(tmp_path / "again", road=roads, noise=FlightNoise.none(), **TINY)
    assert _files(tmp_path / "again") == _files(strip)


def test_noise_changes_what_is_recorded_but_not_the_ground(strip: Path, roads: Path, tmp_path: Path) -> None:
    render_flight(tmp_path / "noisy", road=roads, noise=FlightNoise(3, 0, 0, 1), **TINY)
    same, noisy = _truth(strip), _truth(tmp_path / "noisy")
    assert [f["geometry"] for f in same["features"]] == [f["geometry"] for f in noisy["features"]]
    assert same["true_poses"] == noisy["true_poses"]
    one, other = (_xmp(folder / "photos" / "SRY_0003.jpg") for folder in (strip, tmp_path / "noisy"))
    metres = abs(float(one["GpsLatitude"]) - float(other["GpsLatitude"])) * 111_000
    assert 0.01 < metres < 15
    assert (one["RtkFlag"], other["RtkFlag"]) == ("50", "0")
    assert one["RelativeAltitude"] == "+30.00" != other["RelativeAltitude"]


def test_exif_and_xmp_say_where_and_when(flight: Path) -> None:
    truth = _truth(flight)
    for pose in truth["true_poses"]:
        file = flight / "photos" / pose["photo"]
        with Image.open(file) as picture:
            exif = picture.getexif()
        place, details = exif.get_ifd(IFD.GPSInfo), exif.get_ifd(IFD.Exif)
        lat, lon = (
            sum(float(part) / 60**i for i, part in enumerate(place[tag]))
            for tag in (GPS.GPSLatitude, GPS.GPSLongitude)
        )
        assert place[GPS.GPSLatitudeRef], place[GPS.GPSLongitudeRef] == ("S", "E")
        assert (-lat, lon) == pytest.approx((pose["lat"], pose["lon"]), abs=2e-8)
        assert details[Base.OffsetTimeOriginal] == "+07:00"
        stamp = f"{details[Base.DateTimeOriginal]}.{details[Base.SubsecTimeOriginal]}"
        assert stamp.replace(":", "") == pose["time"][:-6].replace("-", "").replace(":", "").replace("T", " ")
        xmp = _xmp(file)
        assert float(xmp["GimbalYawDegree"]) == pytest.approx(pose["yaw_deg"], abs=0.006)
        assert xmp["GimbalPitchDegree"] == "-90.00"
        assert xmp["GimbalRollDegree"] == "+0.00"
        assert float(xmp["CalibratedFocalLength"]) == 1500
    times = [pose["time"] for pose in truth["true_poses"]]
    assert times == sorted(set(times))


def test_labels_are_the_boxes_of_the_truth(flight: Path) -> None:
    classes = (flight / "boxes" / "classes.txt").read_text(encoding="utf-8").split()
    assert classes == [label.value for label in DefectClass]
    features = _truth(flight)["features"]
    for photo in sorted((flight / "photos").iterdir()):
        rows = (flight / "boxes" / f"{photo.stem}.txt").read_text(encoding="utf-8").splitlines()
        expected = [
            (feature["properties"]["class"], feature["properties"]["boxes"][photo.name])
            for feature in features
            if photo.name in feature["properties"]["photos"]
        ]
        assert len(rows) == len(expected)
        for row, (label, box) in zip(rows, expected, strict=True):
            number, *shares = row.split()
            x, y, w, h = (float(share) for share in shares)
            assert classes[int(number)] == label
            edges = ((x - w / 2) * 480, (y - h / 2) * 360, (x + w / 2) * 480, (y + h / 2) * 360)
            assert edges == pytest.approx(box, abs=0.02)
            assert min(box) >= -0.01
            assert box[2] <= 480.01
            assert box[3] <= 360.01


def test_a_clean_road_has_nothing_on_it(roads: Path, tmp_path: Path) -> None:
    made = render_flight(tmp_path / "clean", road=roads, **{**TINY, "per_100_m": 0.0})
    assert _truth(made.folder)["features"] == []
    labels = [file for file in (made.folder / "boxes").iterdir() if file.name != "classes.txt"]
    assert len(labels) == made.photos
    assert all(file.read_bytes() == b"" for file in labels)


def test_every_thing_on_the_flown_road_is_in_some_photo(flight: Path) -> None:
    truth = _truth(flight)
    unseen = [f["properties"]["id"] for f in truth["features"] if not f["properties"]["photos"]]
    fine = [f["properties"]["id"] for f in truth["features"] if (f["properties"]["width_mm"] or 99) < 5]
    assert set(unseen) <= set(fine)  # a quarter of a pixel is 5 mm here
    assert len({f["properties"]["id"] for f in truth["features"]}) == len(truth["features"])


def test_sizes_in_the_truth_are_those_of_its_figures(flight: Path) -> None:
    middle = np.array([109.336, -7.504])
    scale = np.array([111_320 * np.cos(np.radians(middle[1])), 110_580])
    for feature in _truth(flight)["features"]:
        figure = shapely.transform(
            shapely.geometry.shape(feature["geometry"]), lambda p: (p - middle) * scale
        )
        size = feature["properties"]
        if size["length_m"] is not None:
            assert figure.length == pytest.approx(size["length_m"], rel=0.005)
        else:
            assert figure.area == pytest.approx(size["area_m2"], rel=0.01)


def test_the_picture_shows_the_patch_inside_its_box(flight: Path) -> None:
    """A patch is darker or lighter than the road around it, in the photo, where the truth says."""
    seen = 0
    for feature in _truth(flight)["features"]:
        size = feature["properties"]
        if size["class"] != DefectClass.PATCH_REPAIR:
            continue
        for photo, (left, top, right, bottom) in size["boxes"].items():
            if size["shares"][photo] < 0.999:
                continue
            with Image.open(flight / "photos" / photo) as picture:
                grey = np.asarray(picture.convert("L"), dtype=float)
            x, y = int((left + right) / 2), int((top + bottom) / 2)
            inner = np.median(grey[y - 8 : y + 8, x - 8 : x + 8])
            outer = np.median(grey[int(top) - 5 : int(top) - 1, x - 8 : x + 8])
            assert abs(inner - outer) > 4
            seen += 1
    assert seen > 0


def test_the_elevation_model_has_the_slope_of_the_scar(flight: Path) -> None:
    import rasterio  # noqa: PLC0415

    scar = next(f for f in _truth(flight)["features"] if f["properties"]["class"] == DefectClass.LANDSLIDE)
    with rasterio.open(flight / "dem.tif") as dem:
        assert dem.crs.to_epsg() == 4326
        middle = shapely.geometry.shape(scar["geometry"]).centroid
        heights = dem.read(1)
        row, column = dem.index(middle.x, middle.y)
        down, right = np.gradient(heights.astype(float))
        slope = np.degrees(np.arctan(np.hypot(down, right)[row, column] / (dem.res[1] * 111_320)))
    assert slope == pytest.approx(scar["properties"]["slope_deg"], abs=1.0)
    assert heights.min() == 50


def test_the_road_is_written_with_its_width(flight: Path) -> None:
    (road,) = json.loads((flight / "ruas.geojson").read_text(encoding="utf-8"))["features"]
    assert road["properties"] == {"number": "UJI-01", "name": "Jalan uji", "width_m": 5.5}
    assert road["geometry"]["coordinates"][0] == [109.3362, -7.5035]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"length_m": 5}, "at least 10 m", id="too short"),
        pytest.param({"length_m": 5000}, "do not fit", id="longer than the road"),
        pytest.param({"length_m": None}, "either the number of photos or the length", id="neither"),
        pytest.param({"photos": 9}, "either the number of photos or the length", id="both"),
        pytest.param({"length_m": None, "photos": 3}, "at least 4 photos", id="too few"),
        pytest.param({"gsd_mm": float("nan")}, "gsd_mm", id="not a number"),
        pytest.param({"overlap": 1.0}, "overlap", id="never moves on"),
        pytest.param({"seed": -1}, "negative", id="negative seed"),
        pytest.param({"ruas": "X"}, "no road of number X", id="no such road"),
        pytest.param({"length_m": float("nan")}, "at least 10 m", id="length not a number"),
        pytest.param({"start_m": float("nan")}, "do not fit", id="start not a number"),
    ],
)
def test_what_cannot_be_flown_is_refused_and_nothing_is_left(
    roads: Path, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadInputError, match=reason):
        render_flight(tmp_path / "out", **{"road": roads, "length_m": 18, **SMALL, **change})
    assert list(tmp_path.iterdir()) == []


def test_a_used_folder_is_refused_and_left_as_it_is(roads: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(BadInputError, match="not an empty folder"):
        render_flight(tmp_path, road=roads, length_m=18, **SMALL)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_noise_out_of_range_is_refused() -> None:
    with pytest.raises(BadInputError, match="gnss_m"):
        FlightNoise(gnss_m=-1)


def test_a_failure_half_way_leaves_nothing(roads: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise RuntimeError(f"{done} of {total}")

    with pytest.raises(RuntimeError, match="1 of"):
        render_flight(tmp_path / "out", road=roads, progress=stop, **TINY)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_one_line_on_a_used_folder(roads: Path, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    result = CliRunner().invoke(app, ["render", str(tmp_path), "--road", str(roads), "--length", "20"])
    assert result.exit_code == 2
    assert "not an empty folder" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_command_prints_one_json_document(roads: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app,
        [
            *("render", str(tmp_path / "f"), "--road", str(roads), "--length", "10", "--gsd", "8"),
            *("--no-landslide", "--no-noise", "--overlap", "0", "--json"),
        ],
    )
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["photos"] == len(list((tmp_path / "f" / "photos").iterdir())) > 0
    assert document["ruas"] == "UJI-01"


def test_the_command_tells_people_what_to_do_next(
    roads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def rendered(folder: Path, **how: object) -> Rendered:
        asked.update(how)
        return Rendered(folder, 4, "UJI-01", 0.02, 0.03, {"pothole": {"on_ground": 2, "in_photos": 1}})

    monkeypatch.setattr("serayu.vision.flight.render.render_flight", rendered)
    result = CliRunner().invoke(
        app,
        [
            *("render", str(tmp_path / "f"), "--road", str(roads), "--length", "10", "--gsd", "8"),
            *("--no-landslide", "--no-noise", "--overlap", "0"),
        ],
    )
    assert result.exit_code == 0, result.stderr
    assert "4 foto buatan" in result.stdout
    assert "UJI-01 km 0.020-0.030 (10 m)" in result.stdout
    assert "things shown: 1;" in result.stdout
    assert "no whole segment of 100 m" in result.stdout
    assert f"  serayu vision survey {tmp_path / 'f' / 'photos'} --ruas" in result.stdout
    assert (asked["length_m"], asked["photos"], asked["gsd_mm"], asked["overlap"]) == (10, None, 8, 0)
    assert (asked["landslide"], asked["noise"]) == (False, FlightNoise.none())


@pytest.mark.parametrize(
    ("start_km", "end_km", "holds"),
    [(0.0, 0.1, True), (0.0, 0.099, False), (0.02, 0.14, False), (0.02, 0.2, True), (0.3, 0.4, True)],
)
def test_a_flight_holds_a_segment_only_from_hundred_to_hundred(
    start_km: float, end_km: float, *, holds: bool
) -> None:
    assert render_cli._holds_segment(start_km, end_km) is holds


def test_the_renderer_imports_no_geometry_that_is_tested_on_it() -> None:
    folder = Path(serayu.vision.flight.__file__).parent
    for file in folder.glob("*.py"):
        names = {
            node.module or ""
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        assert not [
            name
            for name in names
            if re.match(r"serayu\.vision\.(pose|measure|survey|runtime|evaluate)", name)
        ]


def test_photos_are_jpegs_of_the_size_asked_for(flight: Path) -> None:
    for file in (flight / "photos").iterdir():
        with Image.open(io.BytesIO(file.read_bytes())) as picture:
            assert (picture.format, picture.size) == ("JPEG", (480, 360))
