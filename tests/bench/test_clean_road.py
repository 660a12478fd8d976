"""Which part of a labelled picture the benchmark of clean road looks at."""

import numpy as np
import pytest

from bench.clean_road import Clean, free_square
from serayu.vision.runtime.found import Found


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        pytest.param([], (0, 0, 512), id="no label"),
        pytest.param([(0, 0, 100, 512)], (112, 0, 400), id="beside a label, some pixels away"),
        pytest.param([(0, 0, 512, 200)], (0, 208, 304), id="below a label"),
        pytest.param([(240, 0, 272, 512)], None, id="both halves are too narrow"),
        pytest.param([(200, 200, 312, 312)], None, id="in the middle"),
        pytest.param([(0, 0, 512, 512)], None, id="everywhere"),
    ],
)
def test_free_square(
    boxes: list[tuple[float, float, float, float]], expected: tuple[int, int, int] | None
) -> None:
    found = free_square(np.array(boxes, dtype=float).reshape(-1, 4), width=512, height=512)
    assert found == expected


def test_only_what_has_its_middle_in_the_square_counts() -> None:
    picture = Clean("a", np.zeros((512, 512, 3), np.uint8), None, (112, 0, 400))
    boxes = np.array([[0, 0, 60, 60], [100, 10, 140, 20], [100, 10, 120, 20], [300, 380, 320, 430]], float)
    found = Found(boxes, np.full(4, 0.5), np.zeros(4, np.intp))
    assert picture.false(found).xyxy_px.tolist() == [[100, 10, 140, 20]]
