"""Labels as they are read, joined and written."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serayu.vision.evaluate.truth import read_labels
from serayu.vision.training.labels import Labels, join_near, yolo_text


def labels_of(*rows: tuple[int, float, float, float, float]) -> Labels:
    return Labels(
        np.array([row[0] for row in rows], np.int64), np.array([row[1:] for row in rows]).reshape(-1, 4)
    )


def test_a_polygon_becomes_its_box_and_stays_a_polygon(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("1 0.1 0.2 0.5 0.2 0.3 0.6\n")
    labels = Labels.of(read_labels(file, classes=2).truths)
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


def test_a_box_is_learnt_as_the_polygon_of_its_corners_and_nothing_as_no_label(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("0 0.5 0.5 0.5 0.25\n")
    labels = Labels.of(read_labels(file, classes=1).truths)
    assert labels.polygons[0].tolist() == [[0.25, 0.375], [0.75, 0.375], [0.75, 0.625], [0.25, 0.625]]
    assert len(Labels.of(())) == 0


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
