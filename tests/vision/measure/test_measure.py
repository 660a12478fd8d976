"""From a detection to sizes on the ground, their errors, and the reasons where there are none."""

import math

import numpy as np
import pytest

from serayu.models import texts
from serayu.models.survey.finding import DefectClass, Severity
from serayu.vision.detection import Detection
from serayu.vision.ground import GroundMap
from serayu.vision.measure.masker import Outlined
from serayu.vision.measure.measure import mean_diameter_m, measure
from serayu.vision.measure.uncertainty import area_sigma_m2, length_sigma_m, width_sigma_mm
from serayu.vision.pose.limits import measurable
from serayu.vision.quality import Measure
from serayu.vision.sighting import Measured
from tests.vision.measure.drawn import Crack, Flat, Tilted, bounds, bumpy, crack, enclosed, hole, rough_crack

ALL = frozenset(Measure)


def _crack(
    drawn: Crack, ground: GroundMap, *, measures: frozenset[Measure] = ALL, scale_sigma: float = 0.02
) -> Measured:
    detection = Detection(DefectClass.TRANSVERSE_CRACK, 0.8, drawn.box)
    return measure(drawn.image, detection, ground, measures=measures, scale_sigma=scale_sigma)


def _reasons(measured: Measured) -> list[str]:
    for key in measured.unmeasured:
        for lang in ("id", "en"):
            assert texts.text(key, lang)
    return [key.removeprefix("finding.unmeasured.") for key in measured.unmeasured]


@pytest.mark.parametrize(
    ("width_px", "mm", "severity"),
    [(4.0, 1.0, Severity.LOW), (5.0, 4.0, Severity.MEDIUM), (10.0, 10.0, Severity.HIGH)],
)
def test_a_crack_has_length_width_and_severity(width_px: float, mm: float, severity: Severity) -> None:
    drawn = crack(width_px)
    found = _crack(drawn, Flat(mm))
    assert found.length_m is not None
    assert found.errors.length_m is not None
    assert found.length_m == pytest.approx(drawn.length_px * mm / 1000, abs=3 * found.errors.length_m)
    assert found.width_mm == pytest.approx(width_px * mm, abs=mm)
    assert found.errors.width_mm == pytest.approx(0.5 * mm, rel=0.5)
    assert found.area_m2 is None
    assert found.figure.geom_type == "LineString"
    assert found.figure.length == pytest.approx(found.length_m, rel=0.02)
    assert (found.severity, _reasons(found)) == (severity, [])


def test_a_crack_of_two_pixels_has_no_width() -> None:
    found = _crack(crack(2.0), Flat(8.0))
    assert (found.width_mm, found.errors.width_mm, found.severity) == (None, None, Severity.UNMEASURED)
    assert _reasons(found) == ["width_gsd", "severity_crack_width"]


def test_a_crack_of_two_fine_pixels_is_low_for_its_width_is_under_the_limit_at_most() -> None:
    found = _crack(crack(2.0), Flat(1.5))
    assert found.width_mm is None
    assert (found.severity, _reasons(found)) == (Severity.LOW, ["width_gsd"])


def test_a_crack_that_does_not_show_is_not_measured_and_its_place_is_its_box() -> None:
    drawn = crack(3.0, depth=0.0)
    found = _crack(drawn, Flat(10.0))
    assert (found.length_m, found.width_mm, found.severity) == (None, None, Severity.UNMEASURED)
    assert _reasons(found) == ["crack_not_seen", "severity_crack_width"]
    left, top, right, bottom = drawn.box
    assert found.figure.area == pytest.approx((right - left) * (bottom - top) * 1e-4)
    assert found.errors.position_m == 0.5


def test_what_the_picture_is_not_good_for_is_not_measured() -> None:
    found = _crack(crack(5.0), Flat(2.0), measures=frozenset({Measure.POSITION}))
    assert (found.length_m, found.width_mm, found.severity) == (None, None, Severity.UNMEASURED)
    assert _reasons(found) == ["length_quality", "width_quality", "severity_crack_width"]
    ring = bumpy(1)
    hollow = measure(
        hole(ring), Detection(DefectClass.POTHOLE, 0.9, bounds(ring)), Flat(), measures=frozenset()
    )
    assert (hollow.area_m2, hollow.errors.area_m2) == (None, None)
    assert _reasons(hollow) == ["area_quality", "severity_pothole_depth"]


@pytest.mark.parametrize(
    ("label", "mm", "reasons"),
    [
        (DefectClass.POTHOLE, 16.0, ["severity_pothole_depth_medium"]),
        (DefectClass.POTHOLE, 16.1, ["area_gsd", "severity_pothole_depth"]),
        (DefectClass.POTHOLE, 39.0, ["area_gsd", "severity_pothole_depth"]),
        (DefectClass.PATCH_REPAIR, 39.0, ["area_gsd", "severity_patch"]),
        (DefectClass.ALLIGATOR_CRACK, 39.0, ["area_gsd", "width_pattern", "severity_alligator_pattern"]),
        (DefectClass.LANDSLIDE, 39.0, ["severity_landslide"]),
        (DefectClass.LANDSLIDE, 1001.0, ["area_gsd", "severity_landslide"]),
    ],
)
def test_each_class_has_its_own_limit_whatever_else_the_picture_is_good_for(
    label: DefectClass, mm: float, reasons: list[str]
) -> None:
    ring = bumpy(4)
    outlined = Detection(label, 0.9, bounds(ring), (ring,))
    found = measure(hole(ring), outlined, Flat(mm), measures=measurable(mm) | {Measure.AREA, Measure.LENGTH})
    missing = "area_gsd" in reasons
    assert (found.area_m2 is None, found.errors.area_m2 is None) == (missing, missing)
    assert (found.severity, _reasons(found)) == (Severity.UNMEASURED, reasons)


def test_a_crack_of_a_coarse_picture_taken_for_slides_has_no_size() -> None:
    found = _crack(crack(5.0), Flat(39.0), measures=measurable(39.0))
    assert (found.length_m, found.errors.length_m, found.width_mm) == (None, None, None)
    assert found.severity is Severity.UNMEASURED
    assert _reasons(found) == ["length_gsd", "width_quality", "severity_crack_width"]


@pytest.mark.parametrize("across", [False, True])
def test_tilt_is_in_length_and_width(*, across: bool) -> None:
    """Under a camera 30 degrees off nadir rows are stretched: cracks across and away are seen differently."""
    drawn = crack(6.0, shape=(400, 400), way=lambda y: np.full_like(y, 200.0), across=across)
    ground = Tilted(mm=2.0)
    found = _crack(drawn, ground)
    ends, edges = np.array([[200.0, 40.0], [200.0, 360.0]]), np.array([[197.0, 200.0], [203.0, 200.0]])
    if across:
        ends, edges = ends[:, ::-1], edges[:, ::-1]
    length = np.hypot(*np.diff(ground.ground_m(ends), axis=0)[0])
    width = 1000 * np.hypot(*np.diff(ground.ground_m(edges), axis=0)[0])
    assert found.length_m == pytest.approx(length, rel=0.03)
    assert found.width_mm == pytest.approx(width, abs=float(ground.gsd_mm(ends).mean()))


@pytest.mark.parametrize(
    ("mm", "reason"), [(1.0, "severity_pothole_depth"), (10.0, "severity_pothole_depth_medium")]
)
def test_a_pothole_has_an_area_and_waits_for_its_depth(mm: float, reason: str) -> None:
    ring = bumpy(4)
    found = measure(hole(ring), Detection(DefectClass.POTHOLE, None, bounds(ring)), Flat(mm), measures=ALL)
    assert found.area_m2 is not None
    assert found.errors.area_m2 is not None
    assert found.area_m2 == pytest.approx(enclosed(ring) * mm**2 / 1e6, abs=2 * found.errors.area_m2)
    assert found.area_m2 == found.figure.area
    assert (found.length_m, found.width_mm, found.severity) == (None, None, Severity.UNMEASURED)
    assert _reasons(found) == [reason]


@pytest.mark.parametrize(
    ("label", "reasons"),
    [
        (DefectClass.PATCH_REPAIR, ["severity_patch"]),
        (DefectClass.ALLIGATOR_CRACK, ["width_pattern", "severity_alligator_pattern"]),
        (DefectClass.LANDSLIDE, ["area_no_outline", "severity_landslide"]),
    ],
)
def test_what_a_picture_from_above_cannot_grade_says_so(label: DefectClass, reasons: list[str]) -> None:
    ring = bumpy(4)
    found = measure(hole(ring), Detection(label, 0.6, bounds(ring)), Flat(), measures=ALL)
    assert (found.severity, _reasons(found)) == (Severity.UNMEASURED, reasons)


def test_a_landslide_is_measured_by_the_mask_of_its_detector() -> None:
    ring = bumpy(4)
    detection = Detection(DefectClass.LANDSLIDE, 0.6, bounds(ring), (ring,))
    found = measure(hole(ring), detection, Flat(500.0), measures=ALL)
    assert found.area_m2 == pytest.approx(enclosed(ring) * 0.25, rel=0.01)


@pytest.mark.parametrize("label", list(DefectClass))
def test_a_box_in_the_sky_has_neither_place_nor_size(label: DefectClass) -> None:
    found = measure(
        hole(bumpy(0)), Detection(label, 0.5, (10.0, 5.0, 60.0, 40.0)), Tilted(pitch_deg=5.0), measures=ALL
    )
    assert found.figure.is_empty
    assert found.errors.position_m is None
    assert _reasons(found) == ["no_ground"]


def test_another_masker_can_be_plugged_in() -> None:
    class Square:
        def outline(self, image: object, detection: Detection) -> Outlined:  # noqa: ARG002 -- the port's
            return Outlined((np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]]),), 0.0, 0.0)

    detection = Detection(DefectClass.LANDSLIDE, 0.5, (0, 0, 40, 40))
    found = measure(hole(bumpy(0)), detection, Flat(100.0), measures=ALL, masker=Square(), scale_sigma=0.0)
    assert found.area_m2 == pytest.approx(1.0)
    assert found.errors.area_m2 == pytest.approx(4 * 0.3 / math.sqrt(3) * 0.1)


def test_the_same_input_gives_the_same_answer() -> None:
    drawn = crack(5.0)
    assert _crack(drawn, Flat(2.0)) == _crack(drawn, Flat(2.0))


def test_errors_add_as_squares() -> None:
    points = 0.3 / math.sqrt(3)
    assert length_sigma_m(10.0, gsd_mm=10.0) == pytest.approx(
        math.hypot(math.sqrt(2) * 0.03, points * 0.01, 0.9, 0.2)
    )
    assert width_sigma_mm(20.0, gsd_mm=2.0, spread_mm=3.0, places=9.0) == pytest.approx(
        math.hypot(1.0, 1.0, 0.4)
    )
    assert width_sigma_mm(20.0, gsd_mm=2.0, spread_mm=3.0, places=0.0) == pytest.approx(
        math.hypot(1.0, 3.0, 0.4)
    )
    assert area_sigma_m2(2.0, perimeter_m=6.0, gsd_mm=10.0, edge_px=0.0, shape=0.1) == pytest.approx(
        math.hypot(6 * points * 0.01, 0.2, 0.08)
    )


def test_the_told_errors_of_lengths_cover_what_drawing_shows() -> None:
    """Of 12 drawn cracks about two thirds lie within one standard error and nearly all within two."""
    off = []
    for seed in range(12):
        drawn = crack(3.0 + seed % 4, seed=seed, noise=3.0 + seed % 5)
        found = _crack(drawn, Flat(10.0), scale_sigma=0.0)
        assert found.length_m is not None
        assert found.errors.length_m is not None
        off.append((found.length_m - drawn.length_px / 100) / found.errors.length_m)
    assert np.mean(np.abs(off) < 2) >= 11 / 12
    assert abs(np.mean(off)) < 0.7


@pytest.mark.parametrize("mm", [8.0, 12.0])
def test_rough_cracks_are_measured_short_but_within_the_told_error(mm: float) -> None:
    """Bends of 2 cm: what three or four photos together keep of the error covers two thirds."""
    kept = math.sqrt(0.5 + 0.5 / 3)  # `survey.combine.weighted`
    off = []
    for seed in range(12):
        drawn = rough_crack(2.0, mm=mm, seed=seed)
        found = _crack(drawn, Flat(mm))
        assert found.length_m is not None
        assert found.errors.length_m is not None
        off.append((found.length_m - drawn.length_px * mm / 1000) / (kept * found.errors.length_m))
    assert np.mean(off) < 0
    assert np.mean(np.abs(off) < 1) >= 0.75


def test_a_mean_diameter_is_that_of_a_circle() -> None:
    assert mean_diameter_m(math.pi / 4) == pytest.approx(1.0)
