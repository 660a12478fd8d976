"""Outlines of potholes and patches inside their boxes, and areas on the ground."""

import cv2
import numpy as np
import pytest
import shapely

from serayu.models.survey.finding import DefectClass
from serayu.vision.detection import Detection, Points
from serayu.vision.flight.shapes import alligator
from serayu.vision.measure.masker import ClassicalMasker
from serayu.vision.measure.project import area_on_ground, line_on_ground
from tests.vision.measure.drawn import Flat, Tilted, bounds, bumpy, crack, enclosed, hole, turned


def _outline(ring: Points, label: DefectClass, **drawn: float) -> tuple[Points, float]:
    image = hole(ring, **drawn)  # type: ignore[arg-type]
    outlined = ClassicalMasker().outline(image, Detection(label, None, bounds(ring)))
    assert outlined is not None
    (outline,) = outlined.outlines_px
    return outline, outlined.shape_sigma


def _overlap(one: Points, other: Points) -> float:
    first, second = shapely.Polygon(one), shapely.Polygon(other)
    return float(first.intersection(second).area / first.union(second).area)


def test_areas_of_irregular_holes_are_found_within_a_tenth() -> None:
    errors = []
    for seed in range(12):
        ring = bumpy(seed)
        outline, _ = _outline(ring, DefectClass.POTHOLE, seed=seed)
        assert _overlap(outline, ring) > 0.8
        errors.append(enclosed(outline) / enclosed(ring) - 1)
    assert np.median(np.abs(errors)) < 0.1
    assert np.std(errors) < 0.15  # the standard error that is told for a drawn box


def test_a_hole_follows_its_edge_better_than_an_ellipse_would() -> None:
    ring = turned((120.0, 100.0), (90.0, 90.0), 0.0)
    outline, _ = _outline(ring, DefectClass.POTHOLE, depth=60.0)
    assert enclosed(outline) > 1.05 * 0.94**2 * np.pi / 4 * enclosed(ring)


def test_a_hole_without_contrast_is_about_the_usual_ellipse() -> None:
    ring = bumpy(3)
    outline, sigma = _outline(ring, DefectClass.POTHOLE, depth=0.0)
    left, top, right, bottom = bounds(ring)
    assert enclosed(outline) == pytest.approx(0.94**2 * np.pi / 4 * (right - left) * (bottom - top), rel=0.15)
    assert sigma >= 0.15


@pytest.mark.parametrize("tilt_deg", [-30.0, -12.0, 0.0, 8.0, 24.0, 36.0])
@pytest.mark.parametrize("depth", [40.0, -40.0])
def test_a_patch_is_found_as_it_lies(tilt_deg: float, depth: float) -> None:
    ring = turned((120.0, 100.0), (110.0, 50.0), tilt_deg)
    outline, sigma = _outline(ring, DefectClass.PATCH_REPAIR, depth=depth)
    assert _overlap(outline, ring) > 0.85
    assert enclosed(outline) == pytest.approx(enclosed(ring), rel=0.1)
    assert sigma < 0.1


def test_a_patch_without_contrast_is_its_box_with_a_large_error() -> None:
    ring = turned((120.0, 100.0), (110.0, 50.0), 0.0)
    outline, sigma = _outline(ring, DefectClass.PATCH_REPAIR, depth=0.0)
    assert bounds(outline) == pytest.approx(bounds(ring))
    assert sigma >= 0.3


def test_cracked_areas_are_enclosed_inside_their_box() -> None:
    image = crack(3.0, way=lambda y: 60 + 12 * np.sin(y / 35)).image
    for shift in range(8, 56, 12):
        image = np.minimum(image, np.roll(crack(3.0, seed=shift).image, shift - 30, axis=1))
    outlined = ClassicalMasker().outline(
        image, Detection(DefectClass.ALLIGATOR_CRACK, 0.7, (30, 60, 140, 340))
    )
    assert outlined is not None
    assert 0.4 < enclosed(outlined.outlines_px[0]) / (110 * 280) < 1.0


@pytest.mark.parametrize("seed", range(4))
def test_a_cracked_area_is_as_large_as_the_surface_that_its_cracks_take_up(seed: int) -> None:
    """Five areas each, of the shapes of made-up flights at 8 mm per px: their mean is right, not a fifth too small."""
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(5):
        outline, lines = alligator(
            rng,
            length_m=float(rng.uniform(1.2, 3.2)),
            width_m=float(rng.uniform(0.9, 1.6)),
            cell_m=float(rng.uniform(0.14, 0.28)),
        )
        ring = np.asarray(outline.exterior.coords) / 0.008 + (300.0, 200.0)
        grey = np.clip(rng.normal(120.0, 6.0, (400, 600)), 0, 255).astype(np.uint8)
        for line in lines:
            points = np.round((line / 0.008 + (300.0, 200.0)) * 16).astype(np.int32)
            cv2.polylines(
                grey, [points], isClosed=False, color=60, thickness=1, lineType=cv2.LINE_AA, shift=4
            )
        image = np.repeat(cv2.GaussianBlur(grey, (0, 0), 0.8)[:, :, None], 3, axis=2).astype(np.uint8)
        outlined = ClassicalMasker().outline(
            image, Detection(DefectClass.ALLIGATOR_CRACK, None, bounds(ring))
        )
        assert outlined is not None
        shares.append(enclosed(outlined.outlines_px[0]) / enclosed(ring))
    assert 0.9 < float(np.mean(shares)) < 1.12, shares


def test_outlines_of_a_detector_are_taken_as_they_are() -> None:
    ring = bumpy(1)
    given = Detection(DefectClass.LANDSLIDE, 0.9, bounds(ring), (ring,))
    outlined = ClassicalMasker().outline(hole(ring), given)
    assert outlined is not None
    assert outlined.outlines_px == (ring,)


@pytest.mark.parametrize("label", list(DefectClass))
def test_a_box_outside_the_picture_has_no_outline(label: DefectClass) -> None:
    detection = Detection(label, 0.5, (500.0, 500.0, 600.0, 600.0))
    assert ClassicalMasker().outline(hole(bumpy(0)), detection) is None


def test_an_area_is_that_of_the_outline_on_the_ground() -> None:
    ring = bumpy(5)
    flat = area_on_ground((ring,), Flat(20.0))
    assert flat is not None
    assert flat.area == pytest.approx(enclosed(ring) * 0.02**2, rel=0.005)
    assert len(flat.exterior.coords) < len(ring)


def test_overlapping_outlines_count_once() -> None:
    ring = bumpy(5)
    twice = area_on_ground((ring, ring + np.array([1.0, 0.0])), Flat(20.0))
    assert twice is not None
    assert twice.area < 1.05 * enclosed(ring) * 0.02**2


def test_a_square_on_the_ground_is_one_however_the_camera_tilts() -> None:
    tilted = Tilted()
    ring = tilted.pixels(np.array([(-0.5, 5.3), (0.5, 5.3), (0.5, 6.3), (-0.5, 6.3)]))
    assert tilted.ground_m(ring)[2] == pytest.approx((0.5, 6.3))
    area = area_on_ground((ring,), tilted)
    assert area is not None
    assert area.area == pytest.approx(1.0, abs=0.001)
    line = line_on_ground(ring[[0, 3]], tilted)
    assert line is not None
    assert line[1] == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize(
    "outlines",
    [
        pytest.param((), id="none"),
        pytest.param((np.zeros((2, 2)),), id="two points"),
        pytest.param((np.array([[0.0, 0], [5, 0], [9, 0]]),), id="no area"),
    ],
)
def test_outlines_that_enclose_nothing_have_no_area(outlines: tuple[Points, ...]) -> None:
    assert area_on_ground(outlines, Flat()) is None


def test_what_reaches_above_the_horizon_has_no_size() -> None:
    steep = Tilted(pitch_deg=5.0)
    sky = np.array([[100.0, 50.0], [150.0, 50.0], [150.0, 390.0]])
    assert area_on_ground((sky,), steep) is None
    assert line_on_ground(sky, steep) is None


@pytest.mark.parametrize("box", [(40.0, 90.0, 260.0, 94.0), (140.0, 20.0, 145.0, 280.0)])
def test_a_patch_of_a_detector_that_is_too_slim_for_any_tilt_is_its_box(
    box: tuple[float, float, float, float],
) -> None:
    image = np.random.default_rng(1).integers(80, 120, (300, 300, 3), dtype=np.uint8)
    outlined = ClassicalMasker().outline(image, Detection(DefectClass.PATCH_REPAIR, 0.3, box, ()))
    assert outlined is not None
    assert shapely.Polygon(outlined.outlines_px[0]).bounds == pytest.approx(box, abs=1)
