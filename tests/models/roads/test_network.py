"""Roads: read with every bad feature named, kilometres, sides, edges, doubt at junctions, segments of 100 m."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiLineString, Point, Polygon

from serayu.models.errors import BadInputError
from serayu.models.plane import FloatArray, LocalPlane
from serayu.models.roads.line import Authority, RoadClass, Ruas, Surface, joined
from serayu.models.roads.network import RoadNetwork, Snap
from serayu.models.roads.read import read_ruas
from serayu.models.roads.sta import parse_sta, sta_text
from serayu.models.survey.finding import Side

PLANE = LocalPlane(109.25)
ORIGIN = PLANE.forward(np.array([[109.25, -7.42]]))[0]
REGION = Path(__file__).parents[3] / "regions" / "banyumas" / "ruas.geojson"


def degrees(*points: tuple[float, float]) -> LineString:
    """Return a line in degrees of metres east and north of a point in Banyumas."""
    return LineString(PLANE.inverse(np.array(points, dtype=float) + ORIGIN))


def at(x: float, y: float) -> FloatArray:
    moved: FloatArray = ORIGIN + np.array([x, y])
    return moved


def road(number: str, *points: tuple[float, float], width: float | None = None, km_from: float = 0.0) -> Ruas:
    return Ruas(
        number=number, name=f"Jalan {number}", geometry=degrees(*points), width_m=width, km_from=km_from
    )


def network(*ruas: Ruas) -> RoadNetwork:
    return RoadNetwork.of(ruas, PLANE)


def snap(roads: RoadNetwork, x: float, y: float, **limits: float) -> Snap:
    found = roads.snap(at(x, y), **limits)
    assert found is not None
    return found


NORTH = road("N", (0, 0), (0, 1000), width=6)


@pytest.mark.parametrize(
    ("x", "y", "km", "side", "offset", "edge"),
    [
        pytest.param(0, 500, 0.5, None, 0, 0, id="on the axis"),
        pytest.param(-2, 500, 0.5, Side.LEFT, 2, 0, id="on the left lane, going north"),
        pytest.param(3, 250, 0.25, Side.RIGHT, 3, 0, id="at the right edge"),
        pytest.param(10, 250, 0.25, Side.RIGHT, 10, 7, id="beside the road"),
        pytest.param(-30, 0, 0, Side.LEFT, 30, 27, id="at the limit"),
        pytest.param(3, -4, 0, Side.RIGHT, 5, 2, id="before the start"),
        pytest.param(-3, 1004, 1, Side.LEFT, 5, 2, id="beyond the end"),
    ],
)
def test_a_thing_beside_a_road(
    x: float, y: float, km: float, side: Side | None, offset: float, edge: float
) -> None:
    found = snap(network(NORTH), x, y)
    assert (found.ruas, found.side, found.ambiguous, found.rivals) == ("N", side, False, ())
    assert (found.km, found.offset_m, found.edge_m) == pytest.approx((km, offset, edge), abs=1e-5)


def test_a_thing_far_from_every_road_lies_on_none() -> None:
    assert network(NORTH).snap(at(31, 500)) is None
    assert network(NORTH).snap(at(31, 500), limit_m=32) is not None
    assert network().snap(ORIGIN) is None


def test_the_edge_is_unknown_where_the_width_is_and_kilometres_begin_where_the_register_says() -> None:
    found = snap(network(road("A", (0, 0), (1000, 0), km_from=12.3)), 450, -4)
    assert found.edge_m is None
    assert found.km == pytest.approx(12.75, abs=1e-5)
    assert found.side is Side.RIGHT


def test_the_outer_side_of_a_sharp_bend_is_told_by_both_directions() -> None:
    roads = network(road("A", (0, 0), (100, 0), (10, 20)))  # turns back to the left
    assert snap(roads, 105, 5, margin_m=0).side is Side.RIGHT
    assert snap(roads, 105, -4, margin_m=0).side is Side.RIGHT
    assert snap(roads, 60, 3, margin_m=0).side is Side.LEFT


def test_a_junction_is_ambiguous_and_names_the_rival() -> None:
    roads = network(NORTH, road("E", (0, 500), (800, 500)))
    near = snap(roads, 4, 503)
    assert (near.ruas, near.ambiguous, near.rivals) == ("E", True, ("N",))
    assert snap(roads, 4, 503, margin_m=0.5).ambiguous is False
    away = snap(roads, 4, 540)
    assert (away.ruas, away.ambiguous, away.rivals) == ("N", False, ())


def test_equal_distances_go_to_the_road_that_stands_first() -> None:
    one, other = road("B", (0, 0), (100, 0)), road("A", (0, 10), (100, 10))
    assert snap(network(one, other), 50, 5).ruas == "B"
    assert snap(network(other, one), 50, 5).ruas == "A"


def test_a_hairpin_is_ambiguous_and_a_gentle_bend_is_not() -> None:
    hairpin = network(road("A", (0, 0), (200, 0), (200, 12), (0, 12)))
    assert snap(hairpin, 100, 5).ambiguous is True
    assert snap(hairpin, 100, 5).rivals == ()
    arc = [(100 * math.sin(a), 100 * math.cos(a)) for a in np.linspace(0, 2, 60)]
    bend = network(road("A", *arc))
    assert not any(
        snap(bend, 90 * math.sin(a), 90 * math.cos(a)).ambiguous for a in np.linspace(0.1, 1.9, 19)
    )


def test_a_loop_has_kilometres_from_its_first_point() -> None:
    loop = network(road("L", (0, 0), (100, 0), (100, 100), (0, 100), (0, 0)))
    assert snap(loop, 50, 2).km == pytest.approx(0.05, abs=1e-5)
    assert snap(loop, 2, 50).km == pytest.approx(0.35, abs=1e-5)
    seam = snap(loop, -2, -2)
    assert seam.km == pytest.approx(0, abs=1e-5)
    assert (seam.side, seam.ambiguous) == (Side.RIGHT, False)
    assert [segment.length_m for segment in loop.segments()] == pytest.approx([100] * 4, abs=1e-4)


def test_a_line_that_crosses_itself_is_ambiguous_at_the_crossing_only() -> None:
    eight = network(road("8", (0, 0), (200, 200), (200, 0), (0, 200)))
    assert snap(eight, 101, 100).ambiguous is True
    assert snap(eight, 40, 40).ambiguous is False


@pytest.mark.parametrize("point", [(1.0,), (1.0, 2.0, 3.0), (math.nan, 0.0), (math.inf, 0.0)])
def test_a_point_that_is_none_is_refused(point: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="expected a point of two numbers"):
        network(NORTH).snap(point)
    with pytest.raises(ValueError, match="distances"):
        network(NORTH).snap(ORIGIN, limit_m=-1)


def figure(*points: tuple[float, float]) -> Polygon:
    return Polygon(np.array(points, dtype=float) + ORIGIN)


def test_a_figure_over_a_junction_is_ambiguous() -> None:
    roads = network(NORTH, road("E", (0, 500), (800, 500)))
    over = roads.snap_figure(figure((-20, 498), (-20, 506), (3, 506), (3, 498)))
    assert over is not None
    assert (over.ruas, over.ambiguous, over.rivals, over.edge_m) == ("N", True, ("E",), 0)


def test_a_figure_is_as_far_from_the_road_as_its_nearest_point() -> None:
    roads = network(NORTH)
    beside = roads.snap_figure(figure((10, 200), (40, 150), (40, 260)))
    assert beside is not None
    assert (beside.km, beside.offset_m, beside.edge_m) == pytest.approx((0.2, 10, 7), abs=1e-5)
    assert beside.side is Side.RIGHT
    over = roads.snap_figure(figure((-40, 300), (1, 300), (1, 340), (-40, 340)))
    assert over is not None
    assert (over.km, over.offset_m, over.edge_m) == pytest.approx((0.32, 0, 0), abs=1e-5)
    assert over.side is Side.LEFT, "where most of it lies"
    assert roads.snap_figure(figure((-40, 300), (1, 300), (1, 340), (-40, 340)), margin_m=0) == over
    assert roads.snap_figure(figure((50, 0), (60, 0), (60, 10))) is None
    assert network().snap_figure(Point(0, 0)) is None
    with pytest.raises(ValueError, match="empty"):
        roads.snap_figure(Polygon())


POINTS = st.lists(st.tuples(st.floats(-400, 400), st.floats(-400, 400)), min_size=2, max_size=7).filter(
    lambda points: LineString(points).length > 1
)


@settings(max_examples=60)
@given(POINTS, st.tuples(st.floats(-450, 450), st.floats(-450, 450)))
def test_snapping_agrees_with_shapely(points: list[tuple[float, float]], at_m: tuple[float, float]) -> None:
    roads = network(road("A", *points))
    found, here = snap(roads, *at_m, limit_m=2000), at(*at_m)
    line, point = roads.lines[0], Point(here)
    assert found.offset_m == pytest.approx(line.distance(point), abs=1e-5)
    assert line.interpolate(found.km * 1000).distance(point) == pytest.approx(found.offset_m, abs=1e-5)
    assert not found.rivals


WHOLE = st.lists(st.tuples(*[st.integers(-400, 400)] * 2), min_size=2, max_size=7).filter(
    lambda points: len(set(points)) > 1 and bool(LineString(points).is_simple)
)


@settings(max_examples=60)
@given(WHOLE, st.floats(0, 1), st.floats(-50, 50))
def test_turning_a_road_round_turns_sides_and_kilometres(
    points: list[tuple[int, int]], share: float, shift: float
) -> None:
    there, back = network(road("A", *points)), network(road("A", *points[::-1]))
    length = there.lines[0].length
    middle = shapely.get_coordinates(there.lines[0].interpolate(share, normalized=True))[0] + (shift, shift)
    one, other = there.snap(middle, limit_m=100), back.snap(middle, limit_m=100)
    assert one is not None
    assert other is not None
    assert one.offset_m == pytest.approx(other.offset_m, abs=1e-5)
    near = there.pieces.near(middle, reach_m=100)
    places = near.along_m[near.distance_m < near.distance_m[0] + 1e-4]
    if one.side is not None and np.ptp(places) < 1e-6:  # where the nearest point is one
        assert other.side is not None
        assert other.side is not one.side
        assert one.km + other.km == pytest.approx(length / 1000, abs=1e-5)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        pytest.param(7.0, [7], id="shorter than one"),
        pytest.param(100.0, [100], id="exactly one"),
        pytest.param(119.0, [119], id="a short rest joins"),
        pytest.param(121.0, [100, 21], id="a long rest stands alone"),
        pytest.param(299.5, [100, 100, 99.5], id="nearly three"),
        pytest.param(301.0, [100, 100, 101], id="a little over three"),
    ],
)
def test_segments_cover_the_road(length: float, expected: list[float]) -> None:
    ruas = road("S", (0, 0), (0, length))
    segments = ruas.segments(PLANE)
    assert [segment.length_m for segment in segments] == pytest.approx(expected, abs=1e-4)
    assert [segment.index for segment in segments] == list(range(len(expected)))
    assert segments[0].km_from == 0
    assert [one.km_to for one in segments[:-1]] == [one.km_from for one in segments[1:]]
    assert segments[-1].km_to == pytest.approx(length / 1000, abs=1e-7)


@settings(max_examples=40)
@given(POINTS)
def test_segments_are_the_road_again_and_the_same_each_time(points: list[tuple[float, float]]) -> None:
    roads = network(road("A", *points, km_from=3))
    segments = roads.segments()
    assert segments == roads.segments()
    metres = PLANE.to_metres(np.array([one.geometry for one in segments], dtype=object))
    assert sum(one.length for one in metres) == pytest.approx(roads.lines[0].length, abs=1e-4)
    assert all(
        one.length == pytest.approx(seg.length_m, abs=1e-4) for one, seg in zip(metres, segments, strict=True)
    )
    for before, after in pairwise(metres):
        assert before.coords[-1] == pytest.approx(after.coords[0], abs=1e-4)
    assert segments[0].km_from == 3


def test_a_segment_has_stations() -> None:
    assert [one.sta for one in road("S", (0, 0), (0, 250), km_from=0.9).segments(PLANE)] == [
        "0+900–1+000", "1+000–1+100", "1+100–1+150",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="length of a segment"):
        NORTH.segments(PLANE, length_m=0)


@pytest.mark.parametrize(
    ("km", "expected"),
    [(0, "0+000"), (1.25, "1+250"), (0.9996, "1+000"), (12.0004, "12+000"), (123.4567, "123+457")],
)
def test_stations_are_written_to_the_metre(km: float, expected: str) -> None:
    assert sta_text(km) == expected
    assert parse_sta(f"STA {expected}") == pytest.approx(km, abs=5.1e-4)


def test_bad_stations_are_refused() -> None:
    for text in ("", "1250", "1+25", "1+2500", "-1+250", "a+250", "\u0661+\u0662\u0665\u0660"):
        with pytest.raises(ValueError, match="expected a station"):
            parse_sta(text)
    for km in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="km must be"):
            sta_text(km)


# ---- reading


LINE = {"type": "LineString", "coordinates": [[109.3, -7.5], [109.31, -7.5]]}


def feature(geometry: object = LINE, **properties: object) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {"number": "1", "name": "Satu"} | properties,
    }


def write(folder: Path, *features: object) -> Path:
    file = folder / "ruas.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return file


def test_the_roads_of_the_region_are_read() -> None:
    roads = RoadNetwork.read(REGION)
    assert list(roads.by_number)[:2] == ["CONTOH-01", "CONTOH-02"]
    assert all(one.invented and one.width_m is None for one in roads.ruas)
    assert {segment.ruas for segment in roads.segments()} == set(roads.by_number)
    first = roads.ruas[0]
    found = roads.snap(roads.plane.forward(np.array([first.geometry.coords[1]]))[0])
    assert found is not None
    # The geodesic of its first piece is 666.86 m (pyproj's Geod on WGS84).
    assert found.ruas == "CONTOH-01"
    assert found.km == pytest.approx(0.66686, abs=0.0002)


def test_all_that_a_register_may_say_is_read_and_the_rest_passed_over(tmp_path: Path) -> None:
    said = {
        "road_class": "lokal", "authority": "kabupaten", "width_m": 4.5, "lanes": 2, "lhr": 820.5, "surface": "aspal",
        "km_from": 1.5, "source": "SK", "invented": False, "warna": "biru",
    }  # fmt: skip
    (one,) = read_ruas(write(tmp_path, feature(**said)))
    assert (one.road_class, one.authority, one.surface) == (
        RoadClass.LOKAL,
        Authority.KABUPATEN,
        Surface.ASPAL,
    )
    assert (one.width_m, one.lanes, one.lhr, one.km_from, one.source) == (4.5, 2, 820.5, 1.5, "SK")
    (bare,) = read_ruas(write(tmp_path, feature(width_m=None)))
    assert (bare.road_class, bare.width_m, bare.lanes, bare.lhr, bare.surface) == (None,) * 5


def test_parts_that_follow_one_another_are_one_line_and_heights_are_dropped(tmp_path: Path) -> None:
    parts = [[[109.3, -7.5, 20], [109.31, -7.5, 21]], [[109.310001, -7.5, 21], [109.31, -7.51, 22]]]
    (one,) = read_ruas(write(tmp_path, feature({"type": "MultiLineString", "coordinates": parts})))
    assert list(one.geometry.coords) == [(109.3, -7.5), (109.31, -7.5), (109.31, -7.51)]
    with pytest.raises(ValueError, match=r"part 2 of the line begins 110\d m from the end of part 1"):
        joined(MultiLineString([((109, -7), (109.01, -7)), ((109.02, -7), (109.03, -7))]))


@pytest.mark.parametrize(
    ("bad", "field", "reason"),
    [
        pytest.param(feature(None), "geometry", "ruas 1: expected LineString .* got nothing", id="no geometry"),
        pytest.param(feature({"type": "Point", "coordinates": [1, 2]}), "geometry", "got Point", id="a point"),
        pytest.param(feature({"type": "LineString", "coordinates": []}), "geometry", "got nothing", id="empty"),
        pytest.param(feature({"type": "LineString", "coordinates": [[1, 2]]}), "geometry", "ruas 1", id="one point"),
        pytest.param(
            feature({"type": "LineString", "coordinates": [[1, 2], [1, 2]]}), "geometry", "ruas 1", id="no length"
        ),
        pytest.param(
            feature({"type": "LineString", "coordinates": [[3e5, 9e6], [3e5, 9.1e6]]}),
            "geometry", "not degrees", id="metres",
        ),
        pytest.param(feature({"type": "Moon"}), "geometry", "no geometry", id="no such kind"),
        pytest.param(
            feature({"type": "MultiLineString", "coordinates": [[[1, 2], [1, 3]], [[2, 2], [2, 3]]]}),
            "geometry", "ruas 1: part 2", id="parts with a gap",
        ),
        pytest.param(feature(number=""), "number", "length >= 1", id="an empty number"),
        pytest.param(feature(number=7), "number", "str", id="a number that is no text"),
        pytest.param(feature(name=None), "name", "ruas 1", id="no name"),
        pytest.param(feature(width_m=0), "width_m", "> 0", id="no width"),
        pytest.param(feature(width_m="4"), "width_m", "ruas 1", id="a width in text"),
        pytest.param(feature(lanes=1.5), "lanes", "int", id="half a lane"),
        pytest.param(feature(lhr=-1), "lhr", ">= 0", id="negative traffic"),
        pytest.param(feature(authority="bulan"), "authority", "bulan", id="an unknown authority"),
        pytest.param(feature(road_class="besar"), "road_class", "besar", id="an unknown class"),
        pytest.param(feature(surface="kaca"), "surface", "kaca", id="an unknown surface"),
        pytest.param({"type": "Feature", "geometry": LINE}, "properties", "properties", id="no properties"),
        pytest.param(feature(name="Dua"), "number", "'1' is there twice, first in row 1", id="the same number"),
    ],
)  # fmt: skip
def test_a_bad_feature_is_named(tmp_path: Path, bad: dict[str, Any], field: str, reason: str) -> None:
    file = write(tmp_path, feature(number="1" if "twice" in reason else "0"), bad)
    with pytest.raises(BadInputError, match=reason) as caught:
        RoadNetwork.read(file)
    assert (caught.value.file, caught.value.row, caught.value.field) == (str(file), 2, field)
    assert "\n" not in str(caught.value)


def test_every_bad_feature_is_named_and_many_are_counted(tmp_path: Path) -> None:
    file = write(tmp_path, *(feature(number=f"{n}", width_m=-1) for n in range(9)))
    with pytest.raises(
        BadInputError, match=r"row 1, field width_m: ruas 0: .*; row 5: ruas 4: .*; and 4 more$"
    ):
        read_ruas(file)
    with pytest.raises(
        BadInputError, match=r"row 1, field width_m.*; row 2: ruas b: got nothing|row 2: ruas b"
    ):
        read_ruas(write(tmp_path, feature(number="a", width_m=-1), feature(None, number="b")))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"), ("{", "expected a GeoJSON FeatureCollection"), ("[]", "FeatureCollection"),
        ('{"type": "FeatureCollection"}', "features"), ('{"features": []}', "holds no roads"),
        (b"\xff\xfe", "FeatureCollection"),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_roads_is_refused(
    tmp_path: Path, content: str | bytes | None, reason: str
) -> None:
    file = tmp_path / "roads.geojson"
    if content is not None:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BadInputError, match=reason) as caught:
        read_ruas(file)
    assert caught.value.file == str(file)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"number": ""}, "needs a number"), ({"width_m": math.nan}, "width_m"), ({"km_from": -1.0}, "km_from"),
        ({"geometry": LineString()}, "with coordinates"), ({"geometry": Point(1, 2)}, "got Point"),
        ({"geometry": LineString([(1, 2), (1, 2)])}, "no length"),
        ({"geometry": LineString([(1, math.inf), (1, 2)])}, "not degrees"),
    ],
)  # fmt: skip
def test_a_road_of_nonsense_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Ruas(**({"number": "1", "name": "Satu", "geometry": degrees((0, 0), (0, 9))} | changes))


def test_roads_without_a_plane_get_the_meridian_of_their_middle_and_numbers_are_unique() -> None:
    roads = RoadNetwork.of(
        [Ruas(number="1", name="Satu", geometry=LineString([(109.2, -7.5), (109.4, -7.5)]))]
    )
    assert roads.plane.lon0 == pytest.approx(109.3)
    with pytest.raises(ValueError, match="ruas N is there twice"):
        network(NORTH, NORTH)
    with pytest.raises(ValueError, match="plane must be given"):
        RoadNetwork.of([])
