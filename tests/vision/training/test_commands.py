"""``serayu vision train`` and ``card``: bad usage ends with one line and status 2, before anything is trained."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serayu.vision.training.card_cli import app as card
from serayu.vision.training.record import Record, read_record, write_record
from serayu.vision.training.train_cli import app as train

runner = CliRunner()


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        pytest.param("none", "shipped are", id="no such configuration"),
        pytest.param("road", "start weights", id="no start weights"),
    ],
)
def test_a_training_that_cannot_begin_says_why(tmp_path: Path, config: str, reason: str) -> None:
    words = [config, "--data", str(tmp_path), "--start", str(tmp_path / "none.pt"), "--runs", str(tmp_path)]
    done = runner.invoke(train, words)
    assert done.exit_code == 2
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "road").exists()


def test_a_run_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "road").mkdir()
    (tmp_path / "road" / "record.json").write_text("{}")
    done = runner.invoke(train, ["road", "--data", str(tmp_path), "--runs", str(tmp_path)])
    assert (done.exit_code, "resume it or name another" in done.stderr) == (2, True)
    done = runner.invoke(train, ["road", "--data", str(tmp_path), "--runs", str(tmp_path), "--resume"])
    assert (done.exit_code, "record.json" in done.stderr) == (2, True), "what is not a record is named"


def test_a_run_of_another_configuration_is_not_gone_on_with(tmp_path: Path) -> None:
    record = Record(
        name="road", task="detect", classes=("pothole",), config_sha256="0" * 64, start_sha256=None, commit=None,
        versions={}, device="cpu", pictures={}, labels={}, epochs=2, done=1,
    )  # fmt: skip
    (tmp_path / "road").mkdir()
    write_record(record, tmp_path / "road" / "record.json")
    done = runner.invoke(train, ["road", "--data", str(tmp_path), "--runs", str(tmp_path), "--resume"])
    assert (done.exit_code, "another configuration" in done.stderr) == (2, True)
    assert read_record(tmp_path / "road" / "record.json") == record


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param(["road", "--domain", "val"], "no weights named 'road'", id="no such weights"),
        pytest.param(["other", "--domain", "val"], "shipped are", id="no such configuration"),
    ],
)
def test_a_card_that_cannot_be_written_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], reason: str
) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"weights": []}))
    monkeypatch.setenv("SERAYU_VISION_WEIGHTS", str(tmp_path))
    done = runner.invoke(card, words)
    assert done.exit_code == 2
    assert reason in done.stderr


def test_a_domain_without_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {
        "name": "road", "task": "detect", "file": "road.onnx", "sha256": "0" * 64, "licence": "CC0",
        "restriction": None,
        "classes": ["pothole"], "input_px": 416, "gsd_mm": None, "threshold": 0.3, "threshold_source": "none",
        "training_commit": None,
    }  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps({"weights": [entry]}))
    monkeypatch.setenv("SERAYU_VISION_WEIGHTS", str(tmp_path))
    done = runner.invoke(card, ["road", "--domain", "val"])
    assert (done.exit_code, "expected name=DATA.yaml" in done.stderr) == (2, True)
