"""Labels as they are read, joined and written."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.errors import BadInputError
from serayu.vision.training.labels import Labels, join_near, read_yolo, yolo_text


def labels_of(*rows: tuple[int, float, float, float, float]) -> Labels:
    return Labels(
        np.array([row[0] for row in rows], np.int64), np.array([row[1:] for row in rows]).reshape(-1, 4)
    )


@pytest.mark.parametrize("text", ["", "\n\n", None])
def test_nothing_labelled_is_no_label(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "a.txt"
    if text is not None:
        file.write_text(text)
    assert len(read_yolo(file, classes=5)) == 0


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param("5 0.5 0.5 0.1 0.1", "class 5", id="class above the last"),
        pytest.param("-1 0.5 0.5 0.1 0.1", "class -1", id="class below 0"),
        pytest.param("0.5 0.5 0.5 0.1 0.1", "class 0.5", id="half a class"),
        pytest.param("nan 0.5 0.5 0.1 0.1", "numbers", id="no class"),
        pytest.param("0 nan 0.5 0.1 0.1", "numbers", id="no place"),
        pytest.param("0 0.5 0.5 inf 0.1", "numbers", id="a side without end"),
        pytest.param("0 0.5 0.5 0.1", "not 4", id="a side is absent"),
        pytest.param("0 0.1 0.1 0.2 0.2 0.3 0.3 0.4", "not 8", id="half a corner"),
        pytest.param("0 x 0.5 0.1 0.1", "numbers", id="a word"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, reason: str) -> None:
    file = tmp_path / "a.txt"
    file.write_text(f"0 0.5 0.5 0.1 0.1\n{row}\n")
    with pytest.raises(BadInputError) as caught:
        read_yolo(file, classes=5)
    assert caught.value.row == 2
    assert reason in str(caught.value)


def test_a_polygon_becomes_its_box_and_stays_a_polygon(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("1 0.1 0.2 0.5 0.2 0.3 0.6\n")
    labels = read_yolo(file, classes=2)
    assert labels.boxes.tolist() == [[0.1, 0.2, 0.5, 0.6]]
    assert yolo_text(labels, polygons=True).split() == [
        "1",
        "0.100000",
        "0.200000",
        "0.500000",
        "0.200000",
        "0.300000",
        "0.600000",
    ]
    assert yolo_text(labels, polygons=False).split() == ["1", "0.300000", "0.400000", "0.400000", "0.400000"]


unit = st.floats(0, 1)


@given(st.lists(st.tuples(st.integers(0, 2), unit, unit, unit, unit), max_size=12), st.floats(0, 0.3))
def test_joined_boxes_cover_what_they_join_and_none_are_near(
    rows: list[tuple[int, float, float, float, float]], gap: float
) -> None:
    boxes = [(k, min(a, c), min(b, d), max(a, c), max(b, d)) for k, a, b, c, d in rows]
    joined = join_near(labels_of(*boxes), gap=gap)
    for number, *box in boxes:
        inside = [
            (big[:2] <= box[:2]).all() and (big[2:] >= box[2:]).all()
            for kind, big in zip(joined.classes, joined.boxes, strict=True)
            if kind == number
        ]
        assert sum(inside) >= 1
    for first in range(len(joined)):
        for second in range(first):
            if joined.classes[first] == joined.classes[second]:
                a, b = joined.boxes[first], joined.boxes[second]
                assert max((a[:2] - b[2:]).max(), (b[:2] - a[2:]).max()) > gap


def test_boxes_of_another_class_are_not_joined() -> None:
    pair = labels_of((0, 0.1, 0.1, 0.2, 0.2), (1, 0.15, 0.15, 0.3, 0.3))
    assert len(join_near(pair, gap=0.5)) == 2
