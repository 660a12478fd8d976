"""The score that the benchmark of sliced inference states."""

from pathlib import Path

import numpy as np
import pytest

from bench.vision_scene import Scene, f1, labelled

TRUTH = Scene(
    "two things",
    np.zeros((1, 1, 3), dtype=np.uint8),
    np.array([[0.0, 0, 10, 10], [20, 0, 30, 10]]),
    np.array([0, 1]),
    ("pothole", "patch_repair"),
)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([], 0, id="nothing found"),
        pytest.param([((0, 0, 10, 10), "pothole"), ((20, 0, 30, 10), "patch_repair")], 1, id="all"),
        pytest.param([((0, 0, 10, 10), "pothole")], 2 / 3, id="one"),
        pytest.param([((0, 0, 10, 10), "pothole"), ((5, 5, 9, 9), "rut")], 0.5, id="no class of the truth"),
        pytest.param([((0, 0, 10, 10), "patch_repair")], 0, id="another class"),
        pytest.param([((0, 0, 10, 5), "pothole")], 2 / 3, id="just half"),
        pytest.param([((0, 0, 10, 4.9), "pothole")], 0, id="less than half"),
        pytest.param([((0, 0, 10, 10), "pothole")] * 2, 0.5, id="a double counts once"),
    ],
)
def test_f1(rows: list[tuple[tuple[float, ...], str]], expected: float) -> None:
    boxes = np.array([box for box, _ in rows], dtype=float).reshape(-1, 4)
    assert f1(boxes, np.full(len(rows), 0.5), [name for _, name in rows], TRUTH) == pytest.approx(expected)


def test_the_truth_is_read_in_pixels(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("1 0.5 0.25 0.1 0.2\n0 0.1 0.1 0.2 0.1 0.2 0.4\n")
    classes, boxes = zip(*labelled(file, classes=2), strict=True)
    assert classes == (1, 0)
    np.testing.assert_allclose(boxes, [(450, 150, 550, 350), (100, 100, 200, 400)])
