"""A model card says what the weights are, where each score comes from, and what they must not be used for."""

from pathlib import Path

import numpy as np
import pytest

from serayu.vision.evaluate.matching import Pairs
from serayu.vision.runtime.manifest import WeightsEntry
from serayu.vision.training.calibration import calibration
from serayu.vision.training.card import Domain, card_text
from serayu.vision.training.config import read_config
from serayu.vision.training.record import Judged, Record, Round, read_record, write_record

CLASSES = ("longitudinal_crack", "transverse_crack", "alligator_crack", "pothole", "patch_repair")
ENTRY = WeightsEntry(
    name="road",
    task="detect",
    file="road.onnx",
    sha256="ab" * 32,
    licence="AGPL-3.0",
    restriction=None,
    classes=("pothole",),
    input_px=416,
    gsd_mm=8.0,
    gsd_range_mm=(2.0, 12.0),
    threshold=0.31,
    threshold_source="scenes held out of training",
    training_commit="c0ffee",
)
SCORES = {"precision": 0.5, "recall": 0.4, "f1": 0.444, "f1_ci95": [0.3, 0.6], "ap50": 0.41}
REPORT = {
    "task": "detect",
    "n_images": 9,
    "n_boxes": 12,
    "map50": 0.41,
    "classes": {"pothole": {"n": 12, **SCORES}, "patch_repair": {"n": 0, **dict.fromkeys(SCORES)}},
    "scenes": {"n": 5},
    "runtime": "openvino",
    "ms_per_image": 99.0,
    "ms_per_image_median": 11.4,
    "mask": None,
    "image": SCORES,
    **{name: SCORES[name] for name in ("precision", "recall", "f1", "f1_ci95")},
}
RECORD = Record(
    name="road",
    task="detect",
    classes=CLASSES,
    config_sha256="cd" * 32,
    start_sha256=None,
    commit="c0ffee",
    versions={"torch": "2"},
    device="cpu",
    pictures={"train": 100, "left_out": 7},
    labels={"train": dict.fromkeys(CLASSES, 3)},
    epochs=2,
    done=2,
    begun=3,
    seconds=7200,
    rounds=[Round(epoch=2, fitness=0.5, judges={"val": Judged(map50=0.5, map50_95=0.3, classes={"pothole": 0.5})})],
    best_epoch=2,
)  # fmt: skip


def pairs(*boxes: tuple[float, bool]) -> Pairs:
    ordered = sorted(boxes, reverse=True)
    ious = np.zeros((len(ordered), len(ordered)))
    for row, (_, right) in enumerate(ordered):
        ious[row, row] = 0.9 if right else 0.1
    return Pairs(np.array([score for score, _ in ordered]), len(ordered), ious)


def test_a_card_holds_scores_with_n_and_interval_licences_limits_and_prohibitions() -> None:
    config, _ = read_config(Path("road"))
    measured = calibration([pairs((0.75, True), (0.72, False), (0.15, False))])
    text = card_text(
        config, ENTRY, [Domain("val", "The same drone.", REPORT, REPORT, measured)], record=RECORD
    )
    assert "| pothole | 12 | 0.44 (0.30-0.60) | 0.50 | 0.40 | 0.41 | 0.44 |" in text
    assert "| patch_repair | 0 | – | – | – | – | – |" in text
    assert "9 pictures of 5 scenes, openvino, 11 ms per picture (median)" in text
    assert text.count("AGPL-3.0") == 1, "a licence that the training names as well is told once"
    assert "| 0.7-0.8 | 2 | 0.73 | 0.50 (0.09-0.91) |" in text
    assert "CC BY-SA 4.0" in text
    assert "RDD2022" in text
    assert "No Indonesian imagery was in training" in text
    assert "To measure depth" in text
    assert "not taken as absent: longitudinal_crack, transverse_crack, alligator_crack, patch_repair" in text
    assert "7 training pictures were left out" in text
    assert "begun or resumed 3 times" in text
    assert "0.310: scenes held out of training" in text


def test_a_card_of_research_weights_begins_with_the_restriction() -> None:
    config, _ = read_config(Path("landslide"))
    text = card_text(config, ENTRY, [])
    assert text.index("**Restriction: ") < text.index("## ")
    assert "No record was kept" in text


@pytest.mark.parametrize(
    ("boxes", "error"),
    [
        pytest.param([], None, id="nothing found"),
        pytest.param([(0.04, True)], None, id="all below the lowest score"),
        pytest.param([(1.0, True)], 0.0, id="sure and right"),
        pytest.param([(0.95, False)], 0.95, id="sure and wrong"),
        pytest.param([(0.5, True), (0.5, False)], 0.0, id="as often right as said"),
    ],
)
def test_calibration_is_the_distance_of_score_and_share(
    boxes: list[tuple[float, bool]], error: float | None
) -> None:
    measured = calibration([pairs(*boxes)] if boxes else [])
    assert measured.error == error
    for one in measured.bins:
        assert one.right_ci95[0] <= one.right <= one.right_ci95[1]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    write_record(RECORD, file)
    assert read_record(file) == RECORD
    assert RECORD.best is not None
