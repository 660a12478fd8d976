"""Weights by name: checked before use, removed by a setting, and every mistake named."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from serayu.models.errors import BadInputError
from serayu.standalone.cli import app
from serayu.vision.runtime.manifest import read_manifest, verified
from serayu.vision.runtime.pictures import read_picture, write_picture
from serayu.vision.runtime.settings import VisionSettings
from serayu.vision.runtime.weights import available_weights, load_detector, weights_folder
from serayu.vision.survey.recipe import weights_told
from tests.vision.runtime.pictures import BLUE, DETECT, RED, painted, shelf

runner = CliRunner()


def test_the_weights_that_serayu_carries_are_what_its_manifest_says() -> None:
    folder = weights_folder(VisionSettings(weights=None))
    for entry in read_manifest(folder).weights:
        for one in entry.files():
            verified(folder, one)


def test_every_card_that_the_manifest_names_is_of_these_weights() -> None:
    folder = weights_folder(VisionSettings(weights=None))
    for entry in read_manifest(folder).weights:
        assert entry.card is not None, entry.name
        assert entry.sha256 in (folder.parent / "cards" / entry.card).read_text("utf-8")


def test_weights_are_found_by_name_with_their_threshold(tmp_path: Path) -> None:
    with load_detector("tiny", settings=VisionSettings(weights=shelf(tmp_path))) as detector:
        assert (detector.threshold, detector.classes) == (0.6, ("pothole", "patch_repair"))
        assert detector.name.startswith("tiny ")
        assert len(detector.detect(painted(64, 64, (8, 8, RED)), gsd_mm=10)) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"sha256": "0" * 64}, "its SHA-256 is", id="another content"),
        pytest.param({"file": "none.onnx"}, "No such file", id="absent"),
        pytest.param({"file": "../tiny.onnx"}, "not the name of a file beside it", id="outside"),
        pytest.param({"threshold": 1.5}, "field threshold: tiny: must be between 0 and 1", id="threshold"),
        pytest.param({"classes": ["a", "a"]}, "field classes", id="classes"),
        pytest.param({"classes": ["pothole"]}, "raw head", id="fewer classes than the network"),
        pytest.param({"gsd_mm": 0}, "field gsd_mm", id="scale"),
        pytest.param({"gsd_range_mm": [0, 9]}, "field gsd_range_mm: tiny: must be above 0", id="range"),
        pytest.param(
            {"gsd_range_mm": [9, 8]}, "field gsd_range_mm: tiny: must be least and most", id="order"
        ),
        pytest.param({"tile_px": 0}, "field tile_px", id="training pictures of no size"),
        pytest.param({"also_gsd_mm": [80, 0]}, "field also_gsd_mm: tiny: must be above 0, not 0", id="also"),
        pytest.param({"also_threshold": 1}, "field also_threshold", id="threshold of further looks"),
        pytest.param({"margin_px": 32}, "field margin_px", id="nothing but margin"),
        pytest.param({"margin_px": 40, "input_px": 128}, "nothing of an input of 64 px", id="another input"),
        pytest.param({"task": "guess"}, "not a manifest of weights", id="task"),
        pytest.param({"name": "other"}, "no weights named 'tiny'; there are: other", id="name"),
        pytest.param({"int8": [{"file": "tiny8.xml", "sha256": "0"}]}, "tiny8.xml: No such file", id="int8"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    settings = VisionSettings(weights=shelf(tmp_path, **changes))
    with pytest.raises(BadInputError, match=message):
        load_detector("tiny", settings=settings)


def test_restricted_weights_say_so_and_can_be_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf(tmp_path, restriction="research only")
    load_detector("tiny", settings=VisionSettings(weights=tmp_path)).close()
    assert capsys.readouterr().err == "tiny: research only\n"
    without = VisionSettings(weights=tmp_path, research_weights=False)
    assert available_weights(without).weights == ()
    assert len(available_weights(VisionSettings(weights=tmp_path)).weights) == 1
    with pytest.raises(BadInputError, match="removed by SERAYU_VISION_RESEARCH_WEIGHTS: research only"):
        load_detector("tiny", settings=without)


RESEARCH_ID = (
    "Dilatih dengan gambar yang diterbitkan untuk penelitian dan lisensinya tidak jelas: "
    "hanya untuk penelitian dan evaluasi."
)
RESEARCH = (
    RESEARCH_ID,
    "Trained on pictures published for research, whose licence is unclear: for research and evaluation only.",
)


def test_research_weights_say_so_in_indonesian_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf(tmp_path, restriction=RESEARCH[1])
    load_detector("tiny", settings=VisionSettings(weights=tmp_path)).close()
    assert capsys.readouterr().err == f"tiny: {RESEARCH[0]} · {RESEARCH[1]}\n"


def test_every_restriction_of_the_weights_that_serayu_carries_has_its_indonesian() -> None:
    found = [one.restricted for one in read_manifest(weights_folder(VisionSettings(weights=None))).weights]
    told = [one for one in found if one is not None]
    assert told
    assert {(one.id, one.en) for one in told} == {RESEARCH}


def test_a_survey_says_the_restriction_of_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf(tmp_path, restriction=RESEARCH[1])
    monkeypatch.setenv("SERAYU_VISION_WEIGHTS", str(tmp_path))
    told = weights_told("tiny")
    assert (told["name"], told["restriction_id"], told["restriction_en"]) == ("tiny", *RESEARCH)
    shelf(tmp_path, restriction=None)
    assert weights_told("tiny") == {"name": "tiny", "sha256": told["sha256"]}


@pytest.mark.parametrize(
    ("variable", "value"), [("RESEARCH_WEIGHTS", "nee"), ("THREADS", "0"), ("PRECISION", "fp64")]
)
@pytest.mark.parametrize("command", ["detect", "survey"])
def test_a_wrong_setting_of_the_environment_is_one_line_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, variable: str, value: str
) -> None:
    shelf(tmp_path)
    write_picture(tmp_path / "road.jpg", painted(64, 64))
    monkeypatch.setenv("SERAYU_VISION_WEIGHTS", str(tmp_path))
    monkeypatch.setenv(f"SERAYU_VISION_{variable}", value)
    words = {
        "detect": ["detect", str(tmp_path / "road.jpg"), "--weights", "tiny"],
        "survey": ["survey", str(tmp_path), "--out", str(tmp_path / "out"), "--weights", "tiny"],
    }
    result = runner.invoke(app, ["vision", *words[command]])
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: field SERAYU_VISION_{variable}: Input should be ")
    assert line.endswith(f", not '{value}'")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        pytest.param("none.onnx", {}, "no such file of weights", id="absent"),
        pytest.param("best.pt", {}, "export it first", id="checkpoint"),
        pytest.param(str(DETECT), {"precision": "int8"}, "no int8 file", id="int8"),
        pytest.param(
            str(DETECT),
            {"precision": "bf16", "runtime": "onnxruntime"},
            "computes in fp32",
            id="onnx in bf16",
        ),
        pytest.param(str(DETECT), {"threshold": 0.0}, "field threshold", id="threshold"),
        pytest.param(str(DETECT), {"tile_px": 8}, "field tile", id="tile"),
        pytest.param(str(DETECT), {"overlap": 0.0}, "field overlap", id="overlap"),
    ],
)
def test_what_cannot_be_loaded_is_named(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        load_detector(name, **options)


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_file_that_is_no_network_is_named(tmp_path: Path, runtime: str) -> None:
    file = tmp_path / "text.onnx"
    file.write_text("not a network")
    with pytest.raises(BadInputError, match=r"text\.onnx: not a network"):
        load_detector(file, runtime=runtime)


def test_the_command_prints_one_document(tmp_path: Path) -> None:
    file, out = tmp_path / "road.png", tmp_path / "out.json"
    write_picture(file, painted(64, 64, (8, 16, RED), (40, 40, BLUE)))
    options = ["--weights", str(DETECT), "--threshold", "0.6", "--precision", "fp32"]
    result = runner.invoke(
        app,
        [
            "vision",
            "detect",
            str(file),
            *options,
            "--annotate",
            str(tmp_path / "a"),
            "--json",
            "--output",
            str(out),
        ],
    )
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document == json.loads(out.read_text())
    (row,) = document["images"]
    assert (row["width_px"], row["height_px"]) == (64, 64)
    assert {one["class"]: one["xyxy_px"] for one in row["detections"]} == {
        "pothole": [8, 16, 16, 24],
        "patch_repair": [40, 40, 48, 48],
    }
    assert read_picture(tmp_path / "a" / "road.jpg", upright=False).shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read: No such file"), (b"", "is empty"), (b"GIF89a", "is not a picture")],
)
def test_the_command_names_a_picture_that_cannot_be_read(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "road.jpg"
    if content is not None:
        file.write_bytes(content)
    result = runner.invoke(app, ["vision", "detect", str(file), "--weights", str(DETECT), "--json"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{file}: {message}" in result.stderr


def test_the_command_passes_over_a_bad_picture_and_looks_into_folders(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    write_picture(folder / "B.PNG", painted(64, 64, (8, 16, RED)))
    write_picture(folder / "a.jpg", painted(64, 64))
    (folder / "notes.txt").write_text("no picture")
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not a picture")
    options = ["--weights", str(DETECT), "--threshold", "0.6", "--precision", "fp32"]
    result = runner.invoke(app, ["vision", "detect", str(bad), str(folder), *options, "--json"])
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert [row["image"] for row in document["images"]] == [str(folder / "B.PNG"), str(folder / "a.jpg")]
    assert [len(row["detections"]) for row in document["images"]] == [1, 0]
    assert document["skipped"] == [
        {"file": str(bad), "reason": "is not a picture that can be decoded (corrupt or truncated?)"}
    ]
    assert f"dilewati · skipped: {bad}: is not a picture" in result.stderr


def test_the_command_names_every_picture_where_none_can_be_read(tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("a.jpg", "b.jpg")]
    result = runner.invoke(app, ["vision", "detect", *files, "--weights", str(DETECT)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(f"{file}: cannot be read: No such file" in result.stderr for file in files)


def test_the_command_names_a_folder_without_pictures(tmp_path: Path) -> None:
    result = runner.invoke(app, ["vision", "detect", str(tmp_path), "--weights", str(DETECT)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{tmp_path}: folder tanpa gambar JPEG atau PNG · a folder without" in result.stderr


def test_the_command_draws_no_picture_over_another(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_picture(tmp_path / name / "road.png", painted(64, 64))
    files = [str(tmp_path / name / "road.png") for name in ("a", "b")]
    options = ["--weights", str(DETECT), "--annotate", str(tmp_path / "drawn")]
    result = runner.invoke(app, ["vision", "detect", *files, *options])
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(file in result.stderr for file in files)
    assert not (tmp_path / "drawn").exists()
