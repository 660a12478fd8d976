"""Given boxes: YOLO labels, and what is wrong with them."""

from pathlib import Path

import pytest

from serayu.models.errors import BadInputError
from serayu.models.survey.finding import DefectClass
from serayu.vision.detection import Detection
from serayu.vision.survey.boxes import GivenBoxes
from serayu.vision.survey.finders import shifted

SIZE = (200, 100)


def _boxes(folder: Path, labels: str, classes: str = "pothole\nkucing\npatch_repair\n") -> GivenBoxes:
    (folder / "classes.txt").write_text(classes)
    (folder / "a.txt").write_text(labels)
    return GivenBoxes.of(folder)


def test_a_photo_without_labels_shows_nothing(tmp_path: Path) -> None:
    assert _boxes(tmp_path, "").detections("a.jpg", size_px=SIZE) == ()
    assert _boxes(tmp_path, "").detections("b.jpg", size_px=SIZE) == ()


def test_boxes_confidences_and_outlines_are_read_in_a_fixed_order(tmp_path: Path) -> None:
    labels = "2 0.25 0.5 0.1 0.2\n\n0 0.5 0.5 1 1 0.75\n0 0.1 0.1 0.3 0.1 0.3 0.4\n1 0.5 0.5 0.1 0.1\n"
    first, second, third = _boxes(tmp_path, labels).detections("a.jpg", size_px=SIZE)
    assert (first.label, first.score, first.xyxy_px) == (DefectClass.PATCH_REPAIR, None, (40, 40, 60, 60))
    assert (second.label, second.score, second.xyxy_px) == (DefectClass.POTHOLE, 0.75, (0, 0, 200, 100))
    assert third.xyxy_px == pytest.approx((20, 10, 60, 40))
    assert third.outlines_px[0].tolist() == [[20, 10], [60, 10], [60, 40]]


@pytest.mark.parametrize(
    "line",
    [
        "0 0.5 0.5 0.1",
        "9 0.5 0.5 0.1 0.1",
        "-1 0.5 0.5 0.1 0.1",
        "pothole 0.5 0.5 0.1 0.1",
        "0 0.5 0.5 nan 0.1",
        "0 0.5 0.5 0 0.1",
        "0 0.9 0.5 0.3 0.1",
        "0 0.5 0.5 0.1 0.1 1.5",
        "0 0.1 0.1 0.2 0.2 0.3 0.3 0.4",
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadInputError, match=r"a\.txt, row 2: not a YOLO label"):
        _boxes(tmp_path, f"0 0.5 0.5 0.1 0.1\n{line}\n").detections("a.jpg", size_px=SIZE)


def test_names_that_are_no_classes_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="none of its names is a class"):
        _boxes(tmp_path, "", classes="D00\nD10\n")
    with pytest.raises(BadInputError, match="cannot read the names"):
        GivenBoxes.of(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("window", "box"),
    [
        ((0, 0, 100, 100), (90.0, 10.0, 100.0, 30.0)),
        ((100, 0, 100, 100), (0.0, 10.0, 20.0, 30.0)),
        ((0, 0, 90, 100), None),
        ((0, 20, 200, 5), (90.0, 0.0, 120.0, 5.0)),
    ],
)
def test_windows_get_their_part_of_a_box(
    window: tuple[int, int, int, int], box: tuple[float, float, float, float] | None
) -> None:
    part = shifted(Detection(DefectClass.POTHOLE, None, (90.0, 10.0, 120.0, 30.0)), window)
    assert (None if part is None else part.xyxy_px) == box


def test_a_file_that_is_not_there_is_named_once_and_without_the_number_of_the_error(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        GivenBoxes.of(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'classes.txt'}: cannot read the names of the classes: No such file or directory"
    )
