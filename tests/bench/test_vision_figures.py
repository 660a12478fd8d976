"""The figures that the benchmark of sliced inference states of seconds and boxes."""

import numpy as np
import pytest

from bench.vision import Tally, aims, times_faster
from bench.vision_scene import Scene
from bench.vision_subjects import Seen

SCENE = Scene(
    "one hole",
    np.zeros((1, 1, 3), dtype=np.uint8),
    np.array([[0.0, 0, 10, 10]]),
    np.array([0]),
    ("pothole",),
)
RIGHT: Seen = (np.array([[0.0, 0, 10, 10]]), np.array([0.9]), ["pothole"])
NOTHING: Seen = (np.zeros((0, 4)), np.zeros(0), [])


@pytest.mark.parametrize(
    ("theirs", "own", "expected"),
    [
        pytest.param([6.0], [2.0], 3, id="one round"),
        pytest.param([6.0, 8, 100], [2.0, 2, 2], 4, id="the median of rounds, not of seconds"),
        pytest.param([6.0], [2.0, 1], 3, id="only rounds that both ran"),
    ],
)
def test_times_faster(theirs: list[float], own: list[float], expected: float) -> None:
    assert times_faster(theirs, own) == pytest.approx(expected)


def test_aims_are_stated_of_what_ran_and_say_whether_they_are_reached() -> None:
    tallies = {
        "ours openvino": Tally([1.0], [2.0], RIGHT),
        "limit openvino": Tally([0.9], [1.8], NOTHING),
        "sahi pt": Tally([7.0], [7.0], RIGHT),
        "sahi openvino": Tally([1.5], [1.5], NOTHING),
    }
    told = {row["figure"]: (row["value"], row["reached"]) for row in aims(SCENE, tallies)}
    assert told == {
        "ours openvino, times as fast as SAHI's usual use (wall)": (7.0, True),
        "ours openvino, times as fast as SAHI's usual use (CPU)": (3.5, None),
        "ours openvino, times as fast as SAHI with the same OpenVINO model (wall)": (1.5, False),
        "ours openvino, times as fast as SAHI with the same OpenVINO model (CPU)": (0.75, None),
        "ours openvino, of the limit (wall)": (0.9, False),
        "ours openvino, of the limit (CPU)": (0.9, None),
        "ours openvino, F1 (aim: SAHI's best)": (1.0, True),
    }
