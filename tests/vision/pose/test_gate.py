"""What a photo is refused for, and what it still serves."""

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import serayu.vision.pose
from serayu.models.survey.finding import DefectClass
from serayu.models.texts import catalogue, text
from serayu.vision.detection import Image
from serayu.vision.pose.gate import PREFIX, judge
from serayu.vision.pose.limits import measurable
from serayu.vision.pose.sharpness import sharpness
from serayu.vision.quality import Measure, Quality, Verdict
from tests.vision.pose.photos import textured

ALL = frozenset(Measure)
SIZES = frozenset({Measure.AREA, Measure.LENGTH, Measure.POSITION})
ROAD = frozenset(DefectClass) - {DefectClass.LANDSLIDE}


def _reasons(quality: Quality) -> list[str]:
    return [reason.removeprefix(PREFIX) for reason in quality.reasons]


def _painted(share: float, value: int) -> Image:
    """Return a sharp picture whose upper part has one value."""
    picture = textured().copy()
    picture[: round(share * len(picture))] = value
    return picture


def test_a_sharp_fine_nadir_photo_is_good() -> None:
    quality = judge(textured(), gsd_mm=0.9, tilt_deg=1.0, motion_m=0.0004)
    assert (quality.verdict, quality.measures, quality.reasons) == (Verdict.GOOD, ALL, ())
    # narrower than a road marking may be: glare is not looked for
    assert [name for name, _ in quality.figures] == [
        "bright_share", "dark_share", "gsd_mm", "motion_px", "sharpness", "tilt_deg",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "verdict", "lost", "reason"),
    [
        pytest.param({"gsd_mm": 1.0}, Verdict.GOOD, frozenset(), None, id="at the limit of widths"),
        pytest.param(
            {"gsd_mm": 1.1}, Verdict.LIMITED, {Measure.CRACK_WIDTH}, "gsd_crack_width", id="past it"
        ),
        pytest.param({"tilt_deg": 15.0}, Verdict.GOOD, frozenset(), None, id="at the limit of tilt"),
        pytest.param(
            {"tilt_deg": 20.0}, Verdict.LIMITED, {Measure.CRACK_WIDTH}, "tilt", id="a little tilted"
        ),
        pytest.param({"tilt_deg": 45.0}, Verdict.LIMITED, ALL - {Measure.POSITION}, "tilt", id="tilted"),
        pytest.param({"tilt_deg": 61.0}, Verdict.REFUSED, ALL, "tilt", id="near the horizon"),
        pytest.param({"motion_m": 0.00045}, Verdict.GOOD, frozenset(), None, id="half a pixel of motion"),
        pytest.param({"motion_m": 0.001}, Verdict.LIMITED, {Measure.CRACK_WIDTH}, "motion", id="one pixel"),
        pytest.param(
            {"motion_m": 0.003}, Verdict.LIMITED, ALL - {Measure.POSITION}, "motion", id="three pixels"
        ),
        pytest.param({"motion_m": 0.01}, Verdict.REFUSED, ALL, "motion", id="eleven pixels"),
    ],
)
def test_limits(change: dict[str, float], verdict: Verdict, lost: set[Measure], reason: str | None) -> None:
    known = {"gsd_mm": 0.9, "tilt_deg": 0.0, "motion_m": 0.0} | change
    quality = judge(
        textured(), gsd_mm=known["gsd_mm"], tilt_deg=known["tilt_deg"], motion_m=known["motion_m"]
    )
    assert (quality.verdict, quality.measures) == (verdict, ALL - lost)
    assert _reasons(quality) == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("gsd", "labels", "left"),
    [
        (8.2, ROAD, SIZES),
        (16.0, ROAD, SIZES),
        (27.4, ROAD, frozenset({Measure.POSITION})),
        (27.4, frozenset(DefectClass), SIZES),
        (700.0, frozenset({DefectClass.LANDSLIDE}), SIZES),
        (1500.0, frozenset(DefectClass), frozenset()),
        (0.5, frozenset({DefectClass.POTHOLE}), SIZES),
    ],
)
def test_what_can_be_measured_follows_from_what_is_looked_for(
    gsd: float, labels: frozenset[DefectClass], left: frozenset[Measure]
) -> None:
    assert measurable(gsd, labels=labels) == left
    assert judge(textured(), gsd_mm=gsd, labels=labels).measures == left


def test_without_a_pose_nothing_is_measured_but_the_photo_is_looked_at() -> None:
    quality = judge(textured(), notes=("no_position",))
    assert (quality.verdict, quality.measures, _reasons(quality)) == (
        Verdict.LIMITED,
        frozenset(),
        ["no_position"],
    )


@pytest.mark.parametrize(
    ("value", "share", "verdict", "reason"),
    [
        (0, 0.2, Verdict.GOOD, None),
        (0, 0.5, Verdict.LIMITED, "dark"),
        (0, 0.8, Verdict.REFUSED, "dark"),
        (255, 0.8, Verdict.REFUSED, "bright"),
    ],
)
def test_clipped_pictures(value: int, share: float, verdict: Verdict, reason: str | None) -> None:
    quality = judge(_painted(share, value), gsd_mm=0.9)
    assert quality.verdict is verdict
    assert (reason in _reasons(quality)) == (reason is not None)


def _marked(picture: Image, *, width_px: int, colour: tuple[int, int, int]) -> Image:
    painted = picture.copy()
    painted[:, 100 : 100 + width_px] = colour
    return painted


def test_glare_is_wide_white_and_without_colour() -> None:
    white, yellow = (250, 252, 251), (60, 250, 250)
    marking = judge(_marked(textured(), width_px=19, colour=white), gsd_mm=8.0)  # 15 cm
    assert "glare" not in _reasons(marking)
    sun = judge(_marked(textured(), width_px=150, colour=white), gsd_mm=8.0)  # 1.2 m
    assert "glare" in _reasons(sun)
    assert "glare" not in _reasons(judge(_marked(textured(), width_px=150, colour=yellow), gsd_mm=8.0))
    assert "glare" in _reasons(judge(_marked(textured(), width_px=150, colour=white)))
    refused = judge(_marked(textured(), width_px=500, colour=white), gsd_mm=8.0)
    assert refused.verdict is Verdict.REFUSED


def _moved(picture: Image, pixels: int) -> Image:
    return np.asarray(cv2.blur(picture, (pixels, 1)), dtype=np.uint8)


def _gauss(sigma: float) -> Callable[[Image], Image]:
    return lambda picture: np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.uint8)


@pytest.fixture(scope="module")
def road() -> Image:
    """Return a picture with texture at all scales, as pictures of the ground have."""
    rng = np.random.default_rng(3)
    layers = [
        cv2.resize(rng.normal(0, 12, (480 // cell, 640 // cell)), (640, 480), interpolation=cv2.INTER_CUBIC)
        for cell in (1, 2, 4, 8, 16)
    ]
    grey = np.clip(128 + sum(layers, start=np.zeros((480, 640))), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def test_blur_and_motion_lower_the_sharpness_and_light_does_not(road: Image) -> None:
    sharp = sharpness(road)
    for changed in ((road * 0.4).astype(np.uint8), np.clip(road * 1.2, 0, 255).astype(np.uint8)):
        assert sharpness(changed) == pytest.approx(sharp, rel=0.15)
    values = [sharpness(_gauss(sigma)(road)) for sigma in (0.7, 1.0, 2.0, 4.0)]
    assert sharp > values[0] > values[1] > values[2]
    assert max(values[2:]) < 4
    for way in (lambda one: one, lambda one: np.ascontiguousarray(np.swapaxes(one, 0, 1))):
        assert sharpness(way(_moved(road, 9))) < 0.5 * sharp


def test_a_blurred_photo_is_refused_and_a_soft_one_limited(road: Image) -> None:
    assert judge(_gauss(2.0)(road), gsd_mm=0.9).verdict is Verdict.REFUSED
    soft = judge(_gauss(1.1)(road), gsd_mm=0.9)
    assert (soft.verdict, _reasons(soft)) == (Verdict.LIMITED, ["soft"])
    assert Measure.CRACK_WIDTH not in soft.measures


@pytest.mark.parametrize("size", [(480, 640), (3000, 4000), (600, 33), (40, 40), (5, 5), (1, 1)])
def test_every_size_of_picture_is_judged(size: tuple[int, int]) -> None:
    picture = np.asarray(cv2.resize(textured(), size[::-1], interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
    assert isinstance(judge(picture, gsd_mm=8.0), Quality)


def test_a_blank_photo_is_blurred_and_where_there_is_nothing_does_not_count() -> None:
    blank = np.full((480, 640, 3), 120, dtype=np.uint8)
    assert "blur" in _reasons(judge(blank, gsd_mm=8.0))
    half = textured().copy()
    half[:, :320] = 0
    valid = np.zeros((480, 640), dtype=bool)
    valid[:, 320:] = True
    assert judge(half, gsd_mm=0.9, valid=valid).verdict is Verdict.GOOD
    empty = judge(half, gsd_mm=0.9, valid=np.zeros_like(valid))
    assert (empty.verdict, _reasons(empty)) == (Verdict.REFUSED, ["empty"])


def test_refusals_come_first_and_each_reason_once() -> None:
    quality = judge(textured(), gsd_mm=20.0, tilt_deg=70.0, labels=ROAD, notes=("tilt", "zone_assumed"))
    assert _reasons(quality) == ["tilt", "gsd_area", "gsd_length", "gsd_crack_width", "zone_assumed"]


def test_every_reason_that_the_code_gives_has_its_text() -> None:
    """Words of small letters in quotes that are keys, and the keys: the same set."""
    known = {key.removeprefix(PREFIX) for key in catalogue() if key.startswith(PREFIX)}
    source = "".join(file.read_text() for file in Path(next(iter(serayu.vision.pose.__path__))).glob("*.py"))
    said = set(re.findall(r'"([a-z0-9_]+)"', source)) | {
        f"no_{name}" for name in ("position", "height", "pitch", "roll", "yaw")
    }
    assert known <= said
    given = {
        word
        for word in said
        if re.match(r"(no|gsd|yaw|focal|takeoff|terrain|zone|time|dewarp|centre|distortion|xmp|exif)_", word)
    }
    assert given - known <= {"time_us", "focal_px", "focal_mm", "gsd_mm"}
    for key in known:
        for lang in ("id", "en"):
            assert text(PREFIX + key, lang)
