import math

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from serayu.models.impact.rings import DECIMALS, KEEP, Ring, cap_rings
from serayu.models.plane import LocalPlane
from serayu.models.warning.bulletin import POLYGON_POINTS

PLANE = LocalPlane(109.2)
CENTRE = PLANE.forward(np.array([[109.2252, -7.49]]))[0]


@st.composite
def shores(draw: st.DrawFn) -> list[float]:
    """Radii of outlines from smooth to as ragged as white noise, of up to 1,200 points."""
    points, roughness = draw(st.integers(3, 1200)), draw(st.floats(0, 1))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    noise = generator.normal(0, 0.3, points)
    walk = np.cumsum(noise) / math.sqrt(points)
    radii: list[float] = np.clip(0.6 + roughness * noise + (1 - roughness) * walk, 0.05, 1.0).tolist()
    return radii


def star(radii: list[float], *, size_m: float, at: tuple[float, float] = (0.0, 0.0)) -> BaseGeometry:
    """Return a star-shaped polygon about the place: ragged, and always valid."""
    angles = np.linspace(0, 2 * math.pi, len(radii), endpoint=False)
    offsets = size_m * np.array(radii)[:, None] * np.column_stack((np.cos(angles), np.sin(angles)))
    return shapely.make_valid(shapely.Polygon(CENTRE + np.array(at) + offsets))


def in_metres(rings: tuple[Ring, ...]) -> list[BaseGeometry]:
    degrees = [shapely.Polygon([(lon, lat) for lat, lon in ring]) for ring in rings]
    return list(PLANE.to_metres(np.array(degrees, dtype=object)))


def assert_well_formed(rings: tuple[Ring, ...]) -> None:
    for ring in rings:
        assert ring[0] == ring[-1]
        assert 4 <= len(ring) <= POLYGON_POINTS
        polygon = shapely.Polygon([(lon, lat) for lat, lon in ring])
        assert polygon.is_valid
        assert polygon.area > 0
        assert polygon.exterior.is_ccw
        assert all(-7.7 < lat < -7.3 < 109.0 < lon < 109.5 for lat, lon in ring)
        assert all(round(value, DECIMALS) == value for point in ring for value in point)


def filled(area: BaseGeometry) -> BaseGeometry:
    return shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(area)])


@settings(max_examples=80, deadline=None)
@given(radii=shores(), size_m=st.floats(100, 6000))
def test_any_outline_becomes_valid_rings_that_keep_98_percent(radii: list[float], size_m: float) -> None:
    area = star(radii, size_m=size_m)
    rings = cap_rings(area, PLANE)
    assert_well_formed(rings)
    kept = shapely.union_all(in_metres(rings)).intersection(area).area
    assert kept >= KEEP * area.area


@settings(max_examples=40, deadline=None)
@example(parts=[([0.201171875] * 3, 50.0, (0.125, 0.0))], hole=5.0)  # three slivers of a few metres
@given(
    parts=st.lists(
        st.tuples(
            st.lists(st.floats(0.2, 1.0), min_size=3, max_size=60),
            st.floats(50, 1500),
            st.tuples(st.floats(-4000, 4000), st.floats(-4000, 4000)),
        ),
        min_size=1,
        max_size=6,
    ),
    hole=st.floats(5, 400),
)
def test_several_parts_and_holes_become_valid_rings(
    parts: list[tuple[list[float], float, tuple[float, float]]], hole: float
) -> None:
    whole = shapely.union_all([star(radii, size_m=size_m, at=at) for radii, size_m, at in parts])
    area = whole.difference(shapely.Point(CENTRE).buffer(hole))
    rings = cap_rings(area, PLANE)
    assert_well_formed(rings)
    assert shapely.union_all(in_metres(rings)).intersection(area).area >= KEEP * area.area


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(st.tuples(st.floats(-900, 900), st.floats(-900, 900)), min_size=0, max_size=12),
    limit=st.integers(5, 20),
)
@example(points=[(0.0, 0.0), (1.0, 0.0), (0.0, -553.0), (-5.960464477539063e-08, 3.0)], limit=5)
def test_whatever_is_given_the_rings_are_valid(points: list[tuple[float, float]], limit: int) -> None:
    """Bow ties, slivers, lines, nothing: after make_valid these are collections of all kinds."""
    figure = shapely.Polygon([CENTRE + np.array(point) for point in points]) if len(points) > 2 else None
    area = shapely.GeometryCollection() if figure is None else shapely.make_valid(figure)
    rings = cap_rings(area, PLANE, points=limit)
    assert_well_formed(rings)
    assert all(len(ring) <= limit for ring in rings)


@pytest.mark.parametrize(
    "area",
    [
        shapely.Polygon(),
        shapely.LineString([CENTRE, CENTRE + 5]),
        shapely.Point(CENTRE),
        shapely.box(*CENTRE, *(CENTRE + 0.001)),  # smaller than the last decimal
    ],
)
def test_what_has_no_area_has_no_ring(area: BaseGeometry) -> None:
    assert cap_rings(area, PLANE) == ()


def test_a_small_outline_is_kept_to_the_centimetre() -> None:
    area = shapely.box(*(CENTRE - 200), *(CENTRE + 200))
    (ring,) = cap_rings(area, PLANE)
    assert len(ring) == 5
    (back,) = in_metres((ring,))
    assert back.symmetric_difference(area).area < 0.15 * area.length


def test_a_hole_is_dropped_because_an_island_in_a_flood_is_cut_off() -> None:
    disc = shapely.Point(CENTRE).buffer(2000)
    (ring,) = cap_rings(disc.difference(shapely.Point(CENTRE).buffer(800)), PLANE)
    assert in_metres((ring,))[0].area == pytest.approx(disc.area, rel=0.02)


def test_the_largest_part_comes_first_and_crumbs_are_left_out() -> None:
    crumb = shapely.box(*(CENTRE + 3000), *(CENTRE + 3005))
    small, large = shapely.Point(CENTRE - 3000).buffer(300), shapely.Point(CENTRE).buffer(900)
    first, second = in_metres(cap_rings(shapely.union_all([crumb, small, large]), PLANE))
    assert first.area > second.area


def test_a_ragged_shore_of_a_thousand_points_is_simplified_not_boxed() -> None:
    generator = np.random.default_rng(7)
    radii = np.clip(0.8 + np.cumsum(generator.normal(0, 0.01, 1000)), 0.4, 1.0).tolist()
    area = star(radii, size_m=3000)
    (ring,) = cap_rings(area, PLANE)
    (back,) = in_metres((ring,))
    assert_well_formed((ring,))
    assert back.area < 1.1 * filled(area).area
