"""A whole evaluation, with a detector whose every answer is known."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.evaluate.dataset import read_dataset
from serayu.vision.evaluate.evaluation import evaluate
from serayu.vision.evaluate.report import Source, document, text
from serayu.vision.evaluate.scenes import Overlap, manifest_scenes
from serayu.vision.evaluate.source import source_of
from serayu.vision.runtime.found import Found, empty_found
from serayu.vision.runtime.weights import load_detector
from tests.vision.runtime.pictures import DETECT, shelf

SOURCE = Source(
    task="detect",
    weights="known",
    sha256="0" * 64,
    threshold_source="invented for this test",
    runtime="none",
    data="data.yaml",
    split="val",
)


@dataclass
class Known:
    """Answers by the grey level of a picture's first pixel, so that it needs nothing but the picture."""

    answers: dict[int, list[tuple[int, float, tuple[float, float, float, float]]]]
    classes: tuple[str, ...] = ("pothole", "patch_repair")
    has_masks: bool = False

    def find(self, image: Image, *, gsd_mm: float | None = None, threshold: float | None = None) -> Found:
        del gsd_mm
        rows = [row for row in self.answers.get(int(image[0, 0, 0]), []) if row[1] >= (threshold or 0)]
        if not rows:
            return empty_found()
        rings = [np.array(box)[[0, 1, 2, 1, 2, 3, 0, 3]].reshape(4, 2) for _, _, box in rows]
        return Found(
            np.array([box for _, _, box in rows], dtype=float),
            np.array([score for _, score, _ in rows]),
            np.array([label for label, _, _ in rows], dtype=np.intp),
            tuple((ring,) for ring in rings) if self.has_masks else (),
        )


def data(
    folder: Path, pictures: dict[str, tuple[int, str | None]], names: str = "[pothole, patch_repair]"
) -> Path:
    """Write flat grey pictures of 100 px by 50 px with their labels (None: no label file)."""
    for name, (grey, labels) in pictures.items():
        image = folder / "images" / name
        image.parent.mkdir(exist_ok=True)
        (folder / "labels").mkdir(exist_ok=True)
        image.write_bytes(cv2.imencode(".png", np.full((50, 100, 3), grey, dtype=np.uint8))[1].tobytes())
        if labels is not None:
            (folder / "labels" / f"{image.stem}.txt").write_text(labels, encoding="utf-8")
    file = folder / "data.yaml"
    file.write_text(f"val: images\nnames: {names}\n", encoding="utf-8")
    return file


def report(finder: Known, file: Path, threshold: float = 0.5) -> dict[str, Any]:
    evaluation = evaluate(finder, read_dataset(file, split="val"), threshold=threshold)
    written = document(evaluation, SOURCE)
    assert text(written)
    plain: dict[str, Any] = json.loads(json.dumps(written))
    return plain


BOX = "0 0.2 0.4 0.2 0.4"  # left 10, top 10, right 30, bottom 30 px


def test_the_document_of_four_pictures_by_hand(tmp_path: Path) -> None:
    file = data(
        tmp_path,
        {
            "a.png": (10, f"{BOX}\n1 0.7 0.5 0.2 0.4\n"),
            "b.png": (20, BOX),
            "c.png": (30, ""),
            "d.png": (40, None),
        },
    )
    finder = Known(
        {
            10: [(0, 0.9, (10, 10, 30, 30)), (0, 0.8, (10, 10, 30, 30)), (1, 0.4, (60, 15, 80, 35))],
            20: [(1, 0.7, (10, 10, 30, 30))],
            30: [(0, 0.6, (0, 0, 9, 9))],
        }
    )
    told = report(finder, file)
    assert (told["n_images"], told["n_boxes"]) == (4, 3)
    # Right: a's pothole. False: its double, b's patch, c's pothole. Missed: a's patch (0.4 < 0.5), b's pothole.
    assert (told["precision"], told["recall"], told["f1"]) == (0.25, 0.3333, 0.2857)
    pothole, patch = told["classes"]["pothole"], told["classes"]["patch_repair"]
    assert (pothole["n"], pothole["precision"], pothole["recall"]) == (2, 0.3333, 0.5)
    assert (patch["n"], patch["precision"], patch["recall"], patch["f1"]) == (1, 0.0, 0.0, 0.0)
    # Pothole: right at recall 1/2 with precision 1: 51 of 101 points. Patch: false (0.7), right (0.4): 1/2 throughout.
    assert (pothole["ap50"], patch["ap50"]) == (0.505, 0.5)
    assert told["map50"] == pytest.approx((51 / 101 + 0.5) / 2, abs=1e-4)
    assert told["map50_95"] == told["map50"]  # what matches, matches exactly
    # a and b show something, a, b and c are taken to.
    assert told["image"] == {"f1": 0.8, "precision": 0.6667, "recall": 1.0}
    assert told["mask"] is None
    assert told["labels"]["images_without_file"] == 1
    assert told["ms_per_image"] >= 0
    assert told["threshold_source"] == "invented for this test"


def test_masks_are_scored_by_their_areas(tmp_path: Path) -> None:
    square = "0 0.1 0.2 0.3 0.2 0.3 0.6 0.1 0.6"  # 20 px by 20 px
    file = data(tmp_path, {"a.png": (10, square), "b.png": (20, "")})
    told = report(Known({10: [(0, 0.9, (10, 10, 30, 26))]}, has_masks=True), file)
    assert told["mask"] == {"map50": 1.0, "iou": 0.8, "area_error_median": 0.2}
    missed = report(Known({}, has_masks=True), file)
    assert missed["mask"] == {"map50": 0.0, "iou": 0.0, "area_error_median": None}


def test_masks_are_left_out_with_a_reason_where_labels_are_boxes(tmp_path: Path) -> None:
    told = report(Known({}, has_masks=True), data(tmp_path, {"a.png": (10, BOX)}))
    assert told["mask"] is None
    assert told["mask_left_out"] == "1 of 1 labels are boxes without outline"


def test_what_is_found_of_an_unlabelled_class_is_not_false(tmp_path: Path) -> None:
    file = data(tmp_path, {"a.png": (10, BOX)}, names="[pothole, patch_repair, manhole]")
    told = report(Known({10: [(0, 0.9, (10, 10, 30, 30)), (1, 0.9, (50, 10, 70, 30))]}), file)
    assert told["f1"] == 1.0
    assert list(told["classes"]) == ["pothole"]
    assert told["classes_left_out"] == {
        "not_in_data": [],
        "not_in_weights": ["manhole"],
        "unlabelled": ["patch_repair"],
    }


def test_clean_pictures_count_every_finding_as_false(tmp_path: Path) -> None:
    file = data(tmp_path, {"a.png": (10, ""), "b.png": (20, None)})
    told = report(Known({10: [(0, 0.9, (10, 10, 30, 30))]}), file)
    assert (told["n_boxes"], told["false_findings"], told["f1"], told["map50"]) == (0, 1, 0.0, None)
    nothing = report(Known({}), file)
    assert (nothing["false_findings"], nothing["f1"], nothing["image"]["f1"]) == (0, None, None)


def test_a_picture_that_cannot_be_read_is_passed_over_by_name(tmp_path: Path) -> None:
    file = data(tmp_path, {"a.png": (10, BOX)})
    (tmp_path / "images" / "broken.jpg").write_bytes(b"no picture")
    told = report(Known({}), file)
    assert told["n_images"] == 1
    assert [one["file"] for one in told["skipped"]] == ["broken.jpg"]
    (tmp_path / "images" / "a.png").write_bytes(b"")
    with pytest.raises(BadInputError, match=r"no picture could be read; the first, a\.png, is empty"):
        report(Known({}), file)


def textured(seed: int) -> Image:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (60, 60), dtype=np.uint8)
    return np.repeat(cv2.resize(coarse, (700, 700), interpolation=cv2.INTER_CUBIC)[:, :, None], 3, axis=2)


def test_shifted_frames_of_one_place_are_one_scene() -> None:
    places = [textured(seed) for seed in range(3)]
    overlap = Overlap()
    for top in (0, 60, 120):
        for place in places:
            overlap.add(np.ascontiguousarray(place[top : top + 500, top : top + 500]))
    overlap.add(np.full((500, 500, 3), 90, dtype=np.uint8))  # nothing to hold on to: its own scene
    assert overlap.scenes() == (0, 1, 2, 0, 1, 2, 0, 1, 2, 3)


@pytest.mark.parametrize("count", [0, 1])
def test_no_pictures_and_one_picture_have_as_many_scenes(count: int) -> None:
    overlap = Overlap()
    for _ in range(count):
        overlap.add(textured(1))
    assert overlap.scenes() == tuple(range(count))


def test_a_manifest_tells_scenes_only_when_it_tells_all(tmp_path: Path) -> None:
    images = [tmp_path / "images" / name for name in ("a.jpg", "b.jpg", "c.jpg")]
    assert manifest_scenes(images) is None
    (tmp_path / "manifest.csv").write_text("file,scene\na.jpg,7\nb.jpg,9\nval/c.jpg,7\n", encoding="utf-8")
    assert manifest_scenes(images) == (0, 1, 0)
    (tmp_path / "manifest.csv").write_text("file,scene\na.jpg,7\nb.jpg,9\n", encoding="utf-8")
    assert manifest_scenes(images) is None
    assert manifest_scenes([]) is None
    rows = "train,a.jpg,1\nval,a.jpg,2\nval,b.jpg,2\nval,c.jpg,2\n"
    (tmp_path / "manifest.csv").write_text(f"split,file,scene\n{rows}", encoding="utf-8")
    assert manifest_scenes(images) is None, "one name in two splits"


def test_weights_of_the_manifest_may_have_a_dot_in_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERAYU_VISION_WEIGHTS", str(shelf(tmp_path, name="road.v2")))
    with load_detector("road.v2") as detector:
        assert detector.threshold == 0.6
    assert source_of("road.v2").threshold_source == "made for this test"
    assert source_of(str(DETECT)).threshold_source.startswith("none: a file without manifest")
    with pytest.raises(BadInputError, match="no weights named"):
        source_of("road.v3")
