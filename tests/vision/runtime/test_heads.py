"""The raw head of a network becomes boxes."""

import numpy as np
import pytest

from serayu.models.errors import BadInputError
from serayu.vision.runtime.heads import Head, decode, suppressed

HEAD = Head(classes=2, coefficients=0, side_px=64)


def raw(*columns: list[float]) -> list[np.ndarray]:
    out = np.zeros((1, 6, 84), dtype=np.float32)
    for index, column in enumerate(columns):
        out[0, :, index] = column
    return [out]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([[10, 20, 4, 6, 0.49, 0.1]], [], id="below the threshold"),
        pytest.param([[10, 20, 4, 6, 0.5, 0.1]], [(8, 17, 12, 23, 0.5, 0)], id="at the threshold"),
        pytest.param([[10, 20, 4, 6, 0.1, 0.75]], [(8, 17, 12, 23, 0.75, 1)], id="second class"),
        pytest.param(
            [[10, 20, 4, 6, 0.5, 0], [10, 20, 4, 6, 0.75, 0]],
            [(8, 17, 12, 23, 0.75, 0)],
            id="the better of two",
        ),
        pytest.param(
            [[10, 20, 4, 6, 0.5, 0], [10, 20, 4, 6, 0, 0.75]],
            [(8, 17, 12, 23, 0.75, 1), (8, 17, 12, 23, 0.5, 0)],
            id="two classes at one place",
        ),
        pytest.param([[float("nan")] * 6], [], id="NaN"),
    ],
)
def test_columns_above_the_threshold_are_boxes(
    columns: list[list[float]], expected: list[tuple[float, ...]]
) -> None:
    found = decode(raw(*columns), HEAD, threshold=0.5)
    rows = [
        (*box, score, label)
        for box, score, label in zip(
            found.xyxy_px.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True
        )
    ]
    assert rows == expected


def test_boxes_that_agree_less_than_the_limit_all_stay() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 6.1], [0, 0, 10, 5.9]])
    assert suppressed(boxes, np.zeros(3, dtype=np.intp), iou=0.6).tolist() == [0, 2]


@pytest.mark.parametrize(
    "shapes",
    [
        pytest.param([[1, 300, 6]], id="an end-to-end head"),
        pytest.param([[1, 7, 84]], id="one class more"),
        pytest.param([[1, 6, 84], [1, 1, 16, 16], [1, 2]], id="three outputs"),
    ],
)
def test_another_head_is_refused(shapes: list[list[int]]) -> None:
    with pytest.raises(BadInputError, match="raw head"):
        Head.of(shapes, classes=2, side_px=64, source="net.onnx")
