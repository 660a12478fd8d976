from pathlib import Path

import numpy as np
import pytest

from serayu.models.errors import BadInputError
from serayu.vision.evaluate.truth import read_labels


def labels(folder: Path, text: str) -> Path:
    file = folder / "a.txt"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("text", ["", "\n\n", "﻿", "  \r\n"])
def test_an_empty_file_labels_background(tmp_path: Path, text: str) -> None:
    assert read_labels(labels(tmp_path, text), classes=2).truths == ()


def test_an_absent_file_labels_background(tmp_path: Path) -> None:
    assert read_labels(tmp_path / "none.txt", classes=2).truths == ()


@pytest.mark.parametrize(
    ("row", "box", "corners"),
    [
        ("1 0.5 0.5 0.2 0.4", (0.4, 0.3, 0.6, 0.7), 0),
        ("1.0 0.5 0.5 1 1", (0.0, 0.0, 1.0, 1.0), 0),
        ("1 0.95 0.5 0.2 0.4", (0.85, 0.3, 1.0, 0.7), 0),  # cut at the edge
        ("1 0.1 0.1 0.5 0.1 0.3 0.4", (0.1, 0.1, 0.5, 0.4), 3),
        ("1 -0.001 0 1.004 0 1 1 0 1", (0.0, 0.0, 1.0, 1.0), 4),  # rounding outside
    ],
)
def test_boxes_and_polygons_are_read(tmp_path: Path, row: str, box: tuple[float, ...], corners: int) -> None:
    (truth,) = read_labels(labels(tmp_path, row), classes=2).truths
    assert truth.index == 1
    np.testing.assert_allclose(truth.xyxy, box, atol=1e-12)
    assert (0 if truth.outline is None else len(truth.outline)) == corners


@pytest.mark.parametrize(
    ("row", "field", "told"),
    [
        ("0 0.5 0.5 0.2", None, "4 fields"),
        ("0 0.5 0.5 0.2 0.2 0.9", None, "6 fields"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3 0.4", None, "8 fields"),
        ("2 0.5 0.5 0.2 0.2", "class", "0 to 1"),
        ("-1 0.5 0.5 0.2 0.2", "class", "0 to 1"),
        ("0.5 0.5 0.5 0.2 0.2", "class", "0 to 1"),
        ("crack 0.5 0.5 0.2 0.2", "class", "a number"),
        ("0 0.5 nan 0.2 0.2", "y", "a number"),
        ("0 0.5 0.5 inf 0.2", "width", "a number"),
        ("0 250 120 30 40", "x", "a fraction"),
        ("0 0.1 0.1 0.2 0.2 0.3 7", "y3", "a fraction"),
    ],
)
def test_a_bad_row_is_named_with_file_row_and_field(
    tmp_path: Path, row: str, field: str | None, told: str
) -> None:
    file = labels(tmp_path, f"0 0.5 0.5 0.2 0.2\n\n{row}\n")
    with pytest.raises(BadInputError, match=told) as caught:
        read_labels(file, classes=2)
    assert (caught.value.file, caught.value.row, caught.value.field) == (str(file), 3, field)


def test_rows_repeated_or_without_area_are_left_out_and_counted(tmp_path: Path) -> None:
    file = labels(tmp_path, "0 .5 .5 .2 .2\n0 .5 .5 .2 .2\n1 .5 .5 0 .2\n1 .1 .1 .2 .1 .3 .1\n")
    read = read_labels(file, classes=2)
    assert (len(read.truths), read.repeated, read.empty) == (1, 1, 2)
