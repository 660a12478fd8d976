"""Pixels on the ground and back: lens, flat ground, terrain, errors."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio import Affine
from scipy.spatial.transform import Rotation

from serayu.models.errors import BadInputError
from serayu.models.plane import LocalPlane
from serayu.vision.detection import Points
from serayu.vision.pose.attitude import Pose, Sigmas
from serayu.vision.pose.camera import Camera, Distortion
from serayu.vision.pose.geometry import (
    Visibility,
    altitude_for_gsd_m,
    axes,
    crack_visibility,
    flat_offset_m,
    gsd_mm,
)
from serayu.vision.pose.photo_ground import PIXEL_SIGMA, PhotoGround
from serayu.vision.pose.terrain import Terrain

LON, LAT = 109.2396, -7.4244
PLANE = LocalPlane(109.24)
EXACT = Sigmas(0, 0, 0, 0)
POSE = Pose(LON, LAT, 100.0, 0.0, -90.0, 0.0, EXACT)
CAMERA = Camera(5472, 3648, (3648.0, 3648.0), (2736.0, 1824.0))
LENS = Distortion(-0.11, 0.03, 0.0008, -0.0006, -0.002)  # like the published DewarpData of a Phantom 4 RTK
BENT = dataclasses.replace(CAMERA, distortion=LENS)
UTM = "EPSG:32749"

Write = Callable[..., Path]


def _eye(plane: LocalPlane = PLANE) -> Points:
    eye: Points = plane.forward(np.array([[LON, LAT]]))
    return eye


def _offset(ground: PhotoGround, *pixel: float) -> Points:
    offset: Points = (ground.ground_m(np.array([pixel])) - _eye(ground.plane))[0]
    return offset


@pytest.fixture
def dem(tmp_path: Path) -> Write:
    """Write an elevation model: heights by metres east and north of the camera."""

    def write(
        height: Callable[[Points], np.ndarray[tuple[int], np.dtype[np.float64]]],
        *,
        crs: str = UTM,
        cells: int = 200,
        cell: float = 2.0,
        void: Callable[[Points], np.ndarray[tuple[int], np.dtype[np.bool_]]] | None = None,
    ) -> Path:
        middle = np.array(pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform(LON, LAT))
        corner = middle - np.array([cells * cell / 2, -cells * cell / 2])
        transform = Affine(cell, 0, corner[0], 0, -cell, corner[1])
        rows, columns = np.mgrid[0:cells, 0:cells] + 0.5
        coordinates = np.column_stack(transform @ (columns.ravel(), rows.ravel()))
        back = pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(*coordinates.T)
        offsets = PLANE.forward(np.column_stack(back)) - _eye()
        heights = height(offsets)
        if void is not None:
            heights = np.where(void(offsets), -9999, heights)
        file = tmp_path / "dem.tif"
        with rasterio.open(
            file, "w", driver="GTiff", width=cells, height=cells, count=1, dtype="float32", crs=crs,
            transform=transform, nodata=-9999,
        ) as raster:  # fmt: skip
            raster.write(heights.reshape(cells, cells).astype(np.float32), 1)
        return file

    return write


def _over(file: Path, *, pose: Pose = POSE, camera: Camera = CAMERA, level_m: float = 50.0) -> PhotoGround:
    return PhotoGround(camera, pose, PLANE, Terrain.read(file, plane=PLANE), level_m)


@pytest.mark.parametrize(
    ("yaw", "pitch", "height", "pixel", "east", "north"),
    [
        (0, -90, 100, (2736, 1824), 0, 0),
        (0, -90, 100, (3000, 2000), 7.237, -4.825),
        (90, -90, 100, (3000, 2000), -4.825, -7.237),
        (0, -45, 100, (2736, 1824), 0, 100),
        (90, -60, 80, (2736, 1824), 46.188, 0),
        (180, -90, 100, (2736, 0), 0, -50),
    ],
)
def test_the_worked_examples_of_the_domain_reference(
    yaw: float, pitch: float, height: float, pixel: tuple[float, float], east: float, north: float
) -> None:
    pose = dataclasses.replace(POSE, yaw_deg=yaw, pitch_deg=pitch, height_m=height)
    assert _offset(PhotoGround(CAMERA, pose, PLANE), *pixel) == pytest.approx([east, north], abs=1e-3)


def test_the_right_edge_of_a_camera_rolled_positive_looks_nearer_to_below() -> None:
    pose = dataclasses.replace(POSE, pitch_deg=-45, roll_deg=10)
    assert pose.axes[0, 2] < 0  # right points down
    assert pose.axes @ pose.axes.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(axes(yaw_deg=33, pitch_deg=-70, roll_deg=5)) == pytest.approx(1)


def test_what_is_above_the_horizon_meets_no_ground() -> None:
    level = PhotoGround(CAMERA, dataclasses.replace(POSE, pitch_deg=0), PLANE)
    sky, ground = level.ground_m(np.array([[2736.0, 100.0], [2736.0, 3000.0]]))
    assert np.isnan(sky).all()
    assert np.isfinite(ground).all()
    assert np.isnan(level.gsd_mm(np.array([[2736.0, 100.0]]))).all()
    assert np.isnan(level.sigma_m(np.array([[2736.0, 100.0]]))).all()
    behind = _eye() + np.array([[0.0, -50.0]])
    assert np.isnan(level.pixels(behind)).all()
    rays = np.array([[1.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert flat_offset_m(rays, height_m=5)[0] == pytest.approx([5, 0])
    assert np.isnan(flat_offset_m(rays, height_m=5)[1:]).all()


def test_no_points_give_no_points() -> None:
    ground = PhotoGround(BENT, POSE, PLANE)
    none = np.zeros((0, 2))
    assert ground.ground_m(none).shape == ground.pixels(none).shape == (0, 2)
    assert ground.gsd_mm(none).shape == ground.sigma_m(none).shape == (0,)


@given(
    px=st.tuples(st.floats(0, 5472), st.floats(0, 3648)),
    yaw=st.floats(-180, 180),
    pitch=st.floats(-100, -50),
    roll=st.floats(-20, 20),
    height=st.floats(3, 300),
    lon0=st.floats(108.8, 109.7),
)
@settings(max_examples=80, deadline=None)
def test_a_pixel_comes_back_through_the_ground(
    px: tuple[float, float], yaw: float, pitch: float, roll: float, height: float, lon0: float
) -> None:
    pose = Pose(LON, LAT, height, yaw, pitch, roll, EXACT)
    ground = PhotoGround(BENT, pose, LocalPlane(lon0))
    point = np.array([px])
    met = ground.ground_m(point)
    if np.isfinite(met).all() and np.abs(met - _eye(ground.plane)).max() < 50 * height:
        assert ground.pixels(met) == pytest.approx(point, abs=0.01)


@given(
    tangent=st.tuples(st.floats(-0.75, 0.75), st.floats(-0.5, 0.5)),
    lens=st.builds(
        Distortion,
        st.floats(-0.15, 0.3),
        st.floats(-0.03, 0.1),
        st.floats(-0.002, 0.002),
        st.floats(-0.002, 0.002),
        st.floats(-0.02, 0.02),
    ),
)
@settings(max_examples=80, deadline=None)
def test_straightening_undoes_bending(tangent: tuple[float, float], lens: Distortion) -> None:
    straight = np.array([tangent])
    assert lens.straighten(lens.bend(straight)) == pytest.approx(straight, abs=1e-9)


def test_what_lies_far_outside_the_lens_does_not_fold_back_into_the_picture() -> None:
    ground = PhotoGround(dataclasses.replace(BENT, distortion=Distortion(-0.3, 0, 0, 0, 0)), POSE, PLANE)
    far = _eye() + np.array([[300.0, 0.0]])  # 72 degrees off axis; the series turns back at 46
    assert np.isnan(ground.pixels(far)).all()


def test_bending_agrees_with_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    points = np.random.default_rng(1).uniform(-0.6, 0.6, (50, 2))
    solid = np.column_stack((points, np.ones(50)))
    order = np.array([LENS.k1, LENS.k2, LENS.p1, LENS.p2, LENS.k3])
    expected, _ = cv2.projectPoints(solid, np.zeros(3), np.zeros(3), np.eye(3), order)
    assert LENS.bend(points) == pytest.approx(expected[:, 0], abs=1e-12)


def test_the_scale_is_that_of_the_formula_and_grows_with_tilt() -> None:
    middle = CAMERA.middle_px
    flat = PhotoGround(CAMERA, POSE, PLANE)
    assert flat.gsd_mm(middle)[0] == pytest.approx(100_000 / 3648, rel=1e-7)
    assert flat.gsd_mm(np.array([[10.0, 10.0]]))[0] == pytest.approx(100_000 / 3648, rel=1e-7)
    tilted = PhotoGround(CAMERA, dataclasses.replace(POSE, pitch_deg=-45), PLANE)
    # across grows with the distance 1 / sin(45), along the view by another 1 / sin(45)
    assert tilted.gsd_mm(middle)[0] == pytest.approx(100_000 / 3648 * 2**0.75, rel=1e-4)


@pytest.mark.parametrize("lon0", [108.8, 109.6, 112.0])
def test_the_plane_may_be_anyones(lon0: float) -> None:
    """North of a plane leans away from its middle: ground positions in degrees must not."""
    px = np.array([[100.0, 200.0], [5000.0, 3500.0]])
    pose = dataclasses.replace(POSE, yaw_deg=30, pitch_deg=-70)
    there = PhotoGround(BENT, pose, LocalPlane(lon0))
    here = PhotoGround(BENT, pose, LocalPlane(LON))
    assert there.plane.inverse(there.ground_m(px)) == pytest.approx(
        here.plane.inverse(here.ground_m(px)), abs=2e-8
    )


@pytest.mark.parametrize("crs", [UTM, "EPSG:3857"])
@pytest.mark.parametrize("camera", [CAMERA, BENT])
def test_a_level_elevation_model_is_flat_ground(dem: Write, crs: str, camera: Camera) -> None:
    px = np.array([[0.0, 0.0], [2736.0, 1824.0], [5472.0, 3648.0], [3000.0, 2000.0]])
    terrain = _over(dem(lambda xy: np.full(len(xy), 50.0), crs=crs), camera=camera)
    flat = PhotoGround(camera, POSE, PLANE)
    assert terrain.ground_m(px) == pytest.approx(flat.ground_m(px), abs=1e-6)
    assert terrain.gsd_mm(px) == pytest.approx(flat.gsd_mm(px), rel=1e-6)
    assert terrain.pixels(flat.ground_m(px)) == pytest.approx(px, abs=1e-4)


def test_a_slope_shifts_points_as_geometry_says(dem: Write) -> None:
    """Ground rising 10 % to the east: a ray at 45 degrees meets it at h / 1.1."""
    ground = _over(
        dem(lambda xy: 50 + 0.1 * xy[:, 0]), pose=dataclasses.replace(POSE, yaw_deg=90, pitch_deg=-45)
    )
    assert _offset(ground, 2736, 1824) == pytest.approx([100 / 1.1, 0], abs=0.01)
    level = PhotoGround(CAMERA, ground.pose, PLANE)
    assert _offset(level, 2736, 1824)[0] == pytest.approx(100, abs=1e-6)


def test_a_ridge_hides_what_is_behind_it(dem: Write) -> None:
    ridge = dem(lambda xy: 50 + 40 * (np.abs(xy[:, 0] - 60) < 6))
    ground = _over(ridge, pose=dataclasses.replace(POSE, yaw_deg=90, pitch_deg=-45))
    assert 52 < _offset(ground, 2736, 1824)[0] < 62  # at its crest of 40 m, not at 100 behind it


@given(
    px=st.tuples(st.floats(0, 5472), st.floats(0, 3648)),
    yaw=st.floats(-180, 180),
    pitch=st.floats(-100, -70),
)
@settings(max_examples=20, deadline=None)
def test_a_pixel_comes_back_through_hilly_ground(
    hills: Terrain, px: tuple[float, float], yaw: float, pitch: float
) -> None:
    pose = Pose(LON, LAT, 60.0, yaw, pitch, 0.0, EXACT)
    ground = PhotoGround(BENT, pose, PLANE, hills, 55.0)
    point = np.array([px])
    met = ground.ground_m(point)
    assert np.isfinite(met).all()
    assert ground.pixels(met) == pytest.approx(point, abs=0.01)


@pytest.fixture(scope="module")
def hills(tmp_path_factory: pytest.TempPathFactory) -> Terrain:
    file = tmp_path_factory.mktemp("dem") / "hills.tif"
    corner = pyproj.Transformer.from_crs(4326, UTM, always_xy=True).transform(LON, LAT)
    rows, columns = np.mgrid[0:400, 0:400]
    heights = 50 + 6 * np.sin(rows / 17) * np.cos(columns / 23)
    with rasterio.open(
        file, "w", driver="GTiff", width=400, height=400, count=1, dtype="float32", crs=UTM,
        transform=Affine(1, 0, corner[0] - 200, 0, -1, corner[1] + 200),
    ) as raster:  # fmt: skip
        raster.write(heights.astype(np.float32), 1)
    return Terrain.read(file, plane=PLANE)


def test_voids_and_what_lies_outside_the_model_have_no_place(dem: Write) -> None:
    file = dem(lambda xy: np.full(len(xy), 50.0), cells=60, void=lambda xy: xy[:, 0] > 15)
    ground = _over(file)
    into_void, outside, inside = ground.ground_m(
        np.array([[3648.0, 1824.0], [2736.0, -1000.0], [2600.0, 1824.0]])
    )
    assert np.isnan(into_void).all()
    assert np.isnan(outside).all()
    assert np.isfinite(inside).all()
    assert np.isnan(ground.pixels(_eye() + np.array([[40.0, 0.0]]))).all()


def test_a_camera_below_the_ground_or_over_voids_alone_sees_nothing(dem: Write) -> None:
    under = _over(dem(lambda xy: np.full(len(xy), 500.0)))
    assert np.isnan(under.ground_m(CAMERA.middle_px)).all()
    void = _over(dem(lambda xy: np.full(len(xy), 1.0), void=lambda xy: np.ones(len(xy), dtype=bool)))
    assert np.isnan(void.ground_m(CAMERA.middle_px)).all()


def test_an_elevation_model_that_cannot_serve_is_named(tmp_path: Path, dem: Write) -> None:
    text = tmp_path / "x.tif"
    text.write_text("no raster")
    with pytest.raises(BadInputError, match=r"x\.tif: not an elevation model"):
        Terrain.read(text, plane=PLANE)
    good = dem(lambda xy: np.full(len(xy), 50.0))
    with pytest.raises(BadInputError, match="does not reach"):
        Terrain.read(good, plane=PLANE, bounds_deg=(110, -7, 110.1, -6.9))


def test_a_part_of_the_model_says_the_same(dem: Write) -> None:
    file = dem(lambda xy: 50 + 0.05 * xy[:, 0] - 0.02 * xy[:, 1])
    box = (LON - 3e-4, LAT - 3e-4, LON + 3e-4, LAT + 3e-4)
    part, whole = Terrain.read(file, plane=PLANE, bounds_deg=box), Terrain.read(file, plane=PLANE)
    assert part.heights_m.size < whole.heights_m.size
    points = _eye() + np.random.default_rng(2).uniform(-25, 25, (20, 2))
    assert part.height_m(points) == pytest.approx(whole.height_m(points), abs=1e-6)
    assert whole.slope(points) == pytest.approx(np.tile([0.05, -0.02], (20, 1)), abs=1e-3)


def _turned(pose: Pose, east_north_up_deg: Points) -> Pose:
    """Turn a pose about the axes of the world; its angles follow from the turned axes."""
    right, down, forward = pose.axes @ Rotation.from_rotvec(np.radians(east_north_up_deg)).as_matrix().T
    yaw, pitch = math.degrees(math.atan2(forward[0], forward[1])), math.degrees(math.asin(forward[2]))
    level = axes(yaw_deg=yaw, pitch_deg=pitch, roll_deg=0)
    roll = math.degrees(math.atan2(right @ level[1], right @ level[0]))
    turned = dataclasses.replace(pose, yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)
    assert turned.axes[1] == pytest.approx(down, abs=1e-9)
    return turned


@pytest.mark.parametrize("pitch", [-90.0, -60.0])
def test_the_error_of_the_position_is_that_of_many_throws(pitch: float) -> None:
    """Throw every input by its error, see how far the point lands: the mean square must agree."""
    sigmas = Sigmas(horizontal_m=0.8, height_m=1.5, yaw_deg=2.0, tilt_deg=0.5)
    pose = dataclasses.replace(POSE, yaw_deg=25, pitch_deg=pitch, sigmas=sigmas)
    camera = dataclasses.replace(CAMERA, focal_sigma=0.01, doubt_px=6.0)
    px = np.array([[4000.0, 1200.0]])
    truth = PhotoGround(camera, pose, PLANE)
    rng = np.random.default_rng(5)
    square = 0.0
    throws = 500
    for _ in range(throws):
        focal = 3648 * (1 + rng.normal(0, 0.01))
        thrown = _turned(
            dataclasses.replace(pose, height_m=100 + rng.normal(0, 1.5)), rng.normal(0, (0.5, 0.5, 2.0))
        )
        moved = rng.normal(0, 0.8 / math.sqrt(2), 2)
        pixel = px + rng.normal(0, math.hypot(6, PIXEL_SIGMA), 2)
        ground = PhotoGround(dataclasses.replace(camera, focal_px=(focal, focal)), thrown, PLANE)
        square += float(((ground.ground_m(pixel) + moved - truth.ground_m(px)) ** 2).sum())
    assert truth.sigma_m(px)[0] == pytest.approx(math.sqrt(square / throws), rel=0.1)


def test_each_error_adds_its_part() -> None:
    px = np.array([[2736.0, 1824.0], [4560.0, 1824.0]])  # below, and 50 m to the right

    def sigma(**parts: float) -> list[float]:
        pose = dataclasses.replace(POSE, sigmas=dataclasses.replace(EXACT, **parts))
        squares = PhotoGround(CAMERA, pose, PLANE).sigma_m(px) ** 2
        return list(np.sqrt(np.maximum(squares - base, 0)))

    base = PhotoGround(CAMERA, POSE, PLANE).sigma_m(px) ** 2
    assert np.sqrt(base) == pytest.approx(PIXEL_SIGMA * math.sqrt(2) * 100 / 3648, rel=1e-6)
    assert sigma(horizontal_m=2.0) == pytest.approx([2, 2], rel=1e-6)
    assert sigma(height_m=2.0) == pytest.approx([0, 1], abs=1e-6)  # 2 % of 50 m
    assert sigma(yaw_deg=2.0) == pytest.approx([0, 50 * math.radians(2)], abs=1e-3)
    assert sigma(tilt_deg=1.0)[0] == pytest.approx(100 * math.radians(1) * math.sqrt(2), rel=1e-3)
    scale = dataclasses.replace(CAMERA, focal_sigma=0.03)
    pose = dataclasses.replace(POSE, sigmas=dataclasses.replace(EXACT, height_m=4.0))
    assert PhotoGround(scale, pose, PLANE).scale_sigma(px) == pytest.approx([0.05, 0.05])


def test_the_error_grows_over_ground_that_falls_away(dem: Write) -> None:
    pose = dataclasses.replace(POSE, yaw_deg=90, pitch_deg=-45, sigmas=Sigmas(0, 2.0, 0, 0))
    falling = _over(dem(lambda xy: 50 - 0.3 * xy[:, 0]), pose=pose)
    level = PhotoGround(CAMERA, pose, PLANE)
    assert falling.sigma_m(CAMERA.middle_px)[0] == pytest.approx(2 / (1 - 0.3), rel=0.02)
    assert level.sigma_m(CAMERA.middle_px)[0] == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize(
    ("crack_mm", "gsd", "grade"),
    [
        (3, 1.0, Visibility.MEASURABLE),
        (0.3, 0.1, Visibility.MEASURABLE),
        (3, 1.001, Visibility.DETECTABLE),
        (3, 1.5, Visibility.DETECTABLE),
        (3, 1.6, Visibility.MARGINAL),
        (3, 3.0, Visibility.MARGINAL),
        (3, 3.1, Visibility.UNRELIABLE),
        (3, 8.2, Visibility.UNRELIABLE),
    ],
)
def test_what_shows_of_a_crack(crack_mm: float, gsd: float, grade: Visibility) -> None:
    assert crack_visibility(crack_mm, gsd_mm_px=gsd) is grade


@given(
    height=st.floats(0.5, 500), width=st.floats(4, 40), focal=st.floats(3, 50), pixels=st.integers(500, 9000)
)
def test_height_and_scale_undo_each_other(height: float, width: float, focal: float, pixels: int) -> None:
    scale = gsd_mm(sensor_width_mm=width, focal_mm=focal, image_width_px=pixels, height_m=height)
    back = altitude_for_gsd_m(scale, sensor_width_mm=width, focal_mm=focal, image_width_px=pixels)
    assert back == pytest.approx(height, rel=1e-9)


@pytest.mark.parametrize("size", [0, -1, math.nan, math.inf])
def test_a_size_that_is_none_is_refused(size: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        gsd_mm(sensor_width_mm=13.2, focal_mm=8.8, image_width_px=5472, height_m=size)
    with pytest.raises(ValueError, match="above 0"):
        crack_visibility(size, gsd_mm_px=1)
