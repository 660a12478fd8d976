"""The renderer's camera against the worked examples of its conventions, and against itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.vision.flight.camera import Camera, Pose

CAMERA = Camera(5472, 3648, 3648.0, (2736.0, 1824.0))


@pytest.mark.parametrize(
    ("yaw", "pitch", "height", "px", "east_north"),
    [
        pytest.param(0, -90, 100, (3000, 2000), (7.237, -4.825), id="nadir, north up"),
        pytest.param(90, -90, 100, (3000, 2000), (-4.825, -7.237), id="nadir, east up"),
        pytest.param(0, -45, 100, (2736, 1824), (0, 100), id="oblique, ahead"),
        pytest.param(90, -60, 80, (2736, 1824), (46.188, 0), id="oblique, to the east"),
    ],
)
def test_rays_meet_flat_ground_where_the_worked_examples_say(
    yaw: float, pitch: float, height: float, px: tuple[float, float], east_north: tuple[float, float]
) -> None:
    ray = CAMERA.rays(np.array([px], float), Pose(0, 0, height, yaw, pitch, 0))[0]
    assert np.allclose(ray[:2] / -ray[2] * height, east_north, atol=0.001)


def test_a_positive_roll_puts_the_right_edge_down() -> None:
    pose = Pose(0, 0, 100, 0, 0, 10)  # level, looking north
    assert CAMERA.rays(np.array([[5472.0, 1824.0]]), pose)[0, 2] < 0


def test_points_behind_the_camera_have_no_pixel() -> None:
    assert np.isnan(CAMERA.pixels(np.array([[0.0, 0.0, 200.0]]), Pose(0, 0, 100, 0, -90, 0))).all()


@given(
    yaw=st.floats(-180, 180),
    pitch=st.floats(-90, -60),
    roll=st.floats(-10, 10),
    x=st.floats(0, 5472),
    y=st.floats(0, 3648),
    k1=st.floats(-0.08, 0.08),
)
def test_a_pixels_ray_comes_back_to_the_pixel(
    yaw: float, pitch: float, roll: float, x: float, y: float, k1: float
) -> None:
    camera = Camera(5472, 3648, 3648.0, (2740.0, 1820.0), (k1, 0.01, 0.001, -0.001, 0.0))
    pose = Pose(12.0, -7.0, 80.0, yaw, pitch, roll)
    ray = camera.rays(np.array([[x, y]]), pose)
    back = camera.pixels(np.array([12.0, -7.0, 80.0]) + 50 * ray, pose)
    assert np.allclose(back, [[x, y]], atol=0.01)
