"""What lies on which 100 m of road, and how much of it was seen."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import shapely

from serayu.models.plane import LocalPlane
from serayu.models.roads.line import Ruas
from serayu.models.roads.network import RoadNetwork
from serayu.models.survey.finding import DefectClass, Errors, Severity
from serayu.vision.sighting import Measured, Sighting
from serayu.vision.survey.combine import Thing
from serayu.vision.survey.conditions import segment_features
from serayu.vision.survey.findings import findings_of
from serayu.vision.survey.place import Roads
from serayu.vision.survey.segments import SegmentFound, segments_found

PLANE = LocalPlane(109.25)
START = PLANE.forward(np.array([[109.25, -7.43]]))[0]


def _degrees(figure: shapely.Geometry) -> shapely.Geometry:
    return PLANE.to_degrees(np.array([figure], dtype=object))[0]


def _at(figure: shapely.Geometry) -> shapely.Geometry:
    """Return a figure of metres east and north of the road's beginning in the plane."""
    return shapely.transform(figure, lambda xy: xy + START)


def _roads(**options: object) -> Roads:
    line = _degrees(_at(shapely.LineString([(0, 0), (350, 0)])))
    ruas = Ruas(number="01", name="Uji", geometry=line, width_m=6.0, km_from=2.0, **options)  # type: ignore[arg-type]
    return Roads(RoadNetwork.of([ruas], PLANE))


def _thing(label: DefectClass, figure: shapely.Geometry, *, position_m: float | None = 0.1) -> Thing:
    area = figure.area if figure.area > 0 else None
    length = None if area else figure.length
    errors = Errors(position_m=position_m, length_m=0.1 if length else None, area_m2=0.1 if area else None)
    placed = _at(figure)
    best = Sighting(
        unit="a.jpg",
        index=0,
        label=label,
        score=None,
        measured=Measured(placed, length, None, area, errors, Severity.LOW),
        xyxy_px=(0, 0, 9, 9),
        gsd_mm=8.0,
        cut=False,
        time_us=None,
    )
    return Thing(best, placed, label, None, length, None, area, errors, Severity.LOW, (), ("a.jpg",))


def _found(things: list[Thing], shown: shapely.Geometry, **options: object) -> tuple[SegmentFound, ...]:
    roads = _roads(**options)
    pairs = findings_of(things, survey="s", roads=roads, slope_of=None, plane=PLANE)
    return segments_found(pairs, roads=roads, footprints=[_at(shown)])


def test_segments_that_no_picture_shows_are_left_out() -> None:
    assert _found([], shapely.box(0, 50, 100, 60)) == ()
    (first, second) = _found([], shapely.box(50, -10, 200, 10))
    assert (first.segment.sta, second.segment.sta) == ("2+000–2+100", "2+100–2+200")
    assert first.surveyed == pytest.approx(0.5, abs=0.01)
    assert second.surveyed == pytest.approx(1.0, abs=0.01)


def test_half_the_carriageway_is_half_surveyed() -> None:
    (first, *_) = _found([], shapely.box(0, 0, 350, 10))
    assert first.surveyed == pytest.approx(0.5, abs=0.01)


def test_a_crack_over_a_border_counts_on_both_in_parts_and_a_hole_on_one() -> None:
    crack = _thing(DefectClass.LONGITUDINAL_CRACK, shapely.LineString([(92, 1), (116, 1)]))
    hole = _thing(DefectClass.POTHOLE, shapely.Point(99.9, 0.5).buffer(0.5))
    first, second, *_ = _found([crack, hole], shapely.box(0, -10, 350, 10))
    assert [one.length_m for one in first.damages if one.length_m] == [pytest.approx(8.0)]
    assert [one.length_m for one in second.damages if one.length_m] == [pytest.approx(16.0)]
    assert [one.label for one in first.damages].count(DefectClass.POTHOLE) == 1
    assert [one.label for one in second.damages].count(DefectClass.POTHOLE) == 0
    assert (len(first.findings), len(second.findings)) == (1, 1)


def test_features_tell_intervals_and_what_is_missing() -> None:
    alligator = _thing(DefectClass.ALLIGATOR_CRACK, shapely.box(20, 0, 30, 3))
    features = segment_features(
        _found([alligator], shapely.box(0, -10, 150, 10), surface="aspal"), survey="s"
    )
    first, second = (one["properties"] for one in features)
    assert first["crack_area_pct"] == [pytest.approx(4.97, abs=0.02), pytest.approx(5.03, abs=0.02)]
    assert first["pci"][0] <= first["pci"][1] < 100
    assert (second["surveyed"], second["pci"]) == (0.5, None)
    assert "pavement.missing.not_surveyed" in second["missing"]


def test_things_get_road_kilometre_and_side_and_a_slide_its_distance() -> None:
    slide = _thing(DefectClass.LANDSLIDE, shapely.box(100, 8, 120, 40))
    hole = _thing(DefectClass.POTHOLE, shapely.Point(50, -2).buffer(0.3))
    far = _thing(DefectClass.POTHOLE, shapely.Point(50, -80).buffer(0.3))
    found = findings_of([far, slide, hole], survey="s", roads=_roads(), slope_of=lambda _: 33.33, plane=PLANE)
    first, second, third = (finding for finding, _ in found)
    assert (first.ruas, first.km, first.side) == ("01", 2.05, "kanan")
    assert (second.km, second.side, second.slope_deg) == (2.11, "kiri", 33.3)
    assert second.road_edge_m == pytest.approx(5.0, abs=0.01)
    assert (third.ruas, third.km, third.side, third.slope_deg) == (None, None, None, None)


@pytest.mark.parametrize(
    ("south_m", "position_m", "distance_m", "sigma_m"),
    [
        (8.0, 0.0, 5.0, 0.1 / 104),
        (8.0, 0.0003, 5.0, 0.001),
        (8.0, 2.0, 5.0, 2.0),
        (1.0, 2.0, 0.0, 2.0),
        (8.0, None, 5.0, None),
    ],
)
def test_the_distance_of_a_slide_has_the_error_of_its_place_and_of_its_outline(
    south_m: float, position_m: float | None, distance_m: float, sigma_m: float | None
) -> None:
    slide = _thing(DefectClass.LANDSLIDE, shapely.box(100, south_m, 120, 40), position_m=position_m)
    hole = _thing(DefectClass.POTHOLE, shapely.Point(50, -2).buffer(0.3))
    pairs = findings_of([slide, hole], survey="s", roads=_roads(), slope_of=None, plane=PLANE)
    second, first = sorted((finding for finding, _ in pairs), key=lambda one: one.label)
    assert (first.label, first.road_edge_m, first.errors.road_edge_m) == (DefectClass.POTHOLE, None, None)
    assert second.road_edge_m == pytest.approx(distance_m, abs=0.01)
    assert second.errors.road_edge_m == (None if sigma_m is None else pytest.approx(sigma_m, abs=0.0006))
    lone = findings_of([slide], survey="s", roads=None, slope_of=None, plane=PLANE)[0][0]
    assert (lone.road_edge_m, lone.errors.road_edge_m) == (None, None)


def test_an_outline_that_is_poorly_known_widens_the_error_of_its_distance() -> None:
    slide = _thing(DefectClass.LANDSLIDE, shapely.box(100, 8, 120, 40), position_m=3.0)
    blurred = replace(slide, errors=msgspec.structs.replace(slide.errors, area_m2=416.0))
    ((found, _),) = findings_of([blurred], survey="s", roads=_roads(), slope_of=None, plane=PLANE)
    assert found.errors.road_edge_m == pytest.approx(
        5.0, abs=0.002
    )  # 416 m² over 104 m are 4 m; 3 and 4 make 5


@pytest.mark.parametrize(
    ("north_m", "position_m", "side"),
    [
        (1.66, 1.0, "kiri"),
        (-1.66, 1.0, "kanan"),
        (1.63, 1.0, None),
        (-1.63, 1.0, None),
        (0.0, 0.0, None),
        (0.2, 0.0, "kiri"),
        (25.0, None, None),
    ],
)
def test_a_side_is_stated_only_where_the_error_of_the_position_leaves_no_doubt(
    north_m: float, position_m: float | None, side: str | None
) -> None:
    hole = _thing(DefectClass.POTHOLE, shapely.Point(50, north_m).buffer(0.3), position_m=position_m)
    ((finding, _),) = findings_of([hole], survey="s", roads=_roads(), slope_of=None, plane=PLANE)
    assert (finding.ruas, finding.km, finding.side) == ("01", 2.05, side)
    assert ("finding.unmeasured.side" in finding.unmeasured) is (side is None)


def test_a_thing_away_from_every_road_is_not_said_to_lack_its_side() -> None:
    hole = _thing(DefectClass.POTHOLE, shapely.Point(50, -80).buffer(0.3))
    ((finding, _),) = findings_of([hole], survey="s", roads=_roads(), slope_of=None, plane=PLANE)
    assert (finding.ruas, finding.side, finding.unmeasured) == (None, None, ())
