"""One small training on drawn pictures, killed after an epoch and resumed: needs the extra ``train``."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra train is not installed")
pytest.importorskip("ultralytics", reason="the extra train is not installed")

CONFIG = """
name = "tiny"
task = "{task}"
classes = ["pothole", "patch_repair"]
model = "{model}"
size_px = 64
epochs = {epochs}
batch = 4
seed = 1
holdout = 0.25
[hyper]
mosaic = 1.0
optimizer = "AdamW"
lr0 = 0.001
warmup_epochs = 0
[augment]
zoom = [0.5, 2.0]
zoom_p = 0.5
tone_p = 0.5
soft_p = 0.5
noise_p = 0.5
jpeg_p = 0.5
[[source]]
folder = "drawn"
split = "train"
{known}
licence = "CC0"
attribution = "drawn"
[[judge]]
name = "val"
[judge.source]
folder = "drawn"
split = "val"
licence = "CC0"
attribution = "drawn"
[card]
title = "t"
purpose = "p"
limits = []
never = []
weights_licence = "CC0"
"""


def draw_data(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for split, count in (("train", 8), ("val", 2)):
        for kind in ("images", "labels"):
            (folder / "drawn" / kind / split).mkdir(parents=True)
        for index in range(count):
            image = rng.integers(90, 160, (64, 64, 3), dtype=np.uint8)
            image[20:40, 20:44] = 30
            cv2.imwrite(str(folder / "drawn" / "images" / split / f"{split}_{index}.png"), image)
            label = "0 0.3125 0.3125 0.6875 0.3125 0.6875 0.625 0.3125 0.625\n"
            (folder / "drawn" / "labels" / split / f"{split}_{index}.txt").write_text(label)
    (folder / "drawn" / "data.yaml").write_text("names: {0: pothole, 1: patch_repair}\n")


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = (
        "from serayu.vision.training.train_cli import app\n"
        "import serayu.vision.training.learn as learn, serayu.vision.training.trainer as trainer, os\n"
        "if os.environ.get('KILL_AFTER'):\n"
        "    plain = learn._reporter\n"
        "    def reporter(*words):\n"
        "        report = plain(*words)\n"
        "        def then_die(*told):\n"
        "            report(*told)\n"
        "            os._exit(9)\n"
        "        return then_die\n"
        "    learn._reporter = reporter\n"
        "app()\n"
    )
    places = ["--data", str(folder), "--runs", str(folder / "runs")]
    return subprocess.run(
        [sys.executable, "-c", code, str(folder / "tiny.toml"), *places, *words, "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "KILL_AFTER": "1" if "--resume" not in words else ""},
    )


def test_a_killed_training_goes_on_where_it_was(tmp_path: Path) -> None:
    draw_data(tmp_path)
    (tmp_path / "tiny.toml").write_text(
        CONFIG.format(task="detect", model="yolo11n", known='known = ["pothole"]', epochs=2)
    )
    assert command(tmp_path).returncode == 9
    record = msgspec.json.decode((tmp_path / "runs" / "tiny" / "record.json").read_bytes())
    assert (record["done"], record["begun"]) == (1, 1)
    done = command(tmp_path, "--resume")
    assert done.returncode == 0, done.stderr[-3000:]
    record = msgspec.json.decode(done.stdout)
    assert (record["done"], record["begun"]) == (2, 2)
    assert [one["epoch"] for one in record["rounds"]] == [1, 2]
    assert record["rounds"][-1]["judges"]["val"]["classes"].keys() == {"pothole"}
    assert (tmp_path / "runs" / "tiny" / "weights" / "best.pt").exists()
    again = command(tmp_path, "--resume")
    assert msgspec.json.decode(again.stdout) == record, "what is finished is not trained again"


def test_masks_are_learnt_too(tmp_path: Path) -> None:
    draw_data(tmp_path)
    (tmp_path / "tiny.toml").write_text(
        CONFIG.format(task="segment", model="yolo11n-seg", known="", epochs=1).replace(
            "warmup_epochs = 0", "warmup_epochs = 1"
        )
    )
    done = command(tmp_path, "--resume")
    assert done.returncode == 0, done.stderr[-3000:]
    record = msgspec.json.decode(done.stdout)
    assert (record["task"], record["done"], record["labels"]["train"]["pothole"]) == ("segment", 1, 6)
    with (tmp_path / "runs" / "tiny" / "results.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["lr/pg2"]) <= 0.001, "Adam's steps are as long as its rate: biases too begin slowly"
