import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.plane import ECCENTRICITY_SQ, SEMI_MAJOR_M, LocalPlane

DEGREES = st.tuples(
    st.floats(-5, 5, allow_nan=False).map(lambda offset: 109.2 + offset), st.floats(-85, 85, allow_nan=False)
)


def zone_area_m2(south: float, north: float, width_deg: float) -> float:
    """Area between two parallels: the closed form on the ellipsoid (Snyder eq. 3-11, 3-12), not the series."""
    e = math.sqrt(ECCENTRICITY_SQ)

    def q(lat: float) -> float:
        s = math.sin(math.radians(lat))
        return (1 - e * e) * (s / (1 - (e * s) ** 2) - math.log((1 - e * s) / (1 + e * s)) / (2 * e))

    return SEMI_MAJOR_M**2 * math.radians(width_deg) * (q(north) - q(south)) / 2


@pytest.mark.parametrize(("lat", "metres"), [(0.0, 110_574.3), (45.0, 111_131.7), (89.5, 111_693.9)])
def test_a_degree_of_latitude_has_its_published_length(lat: float, metres: float) -> None:
    """Snyder table of degree lengths: 110,574.3 m at the equator, 111,131.7 at 45, 111,693.9 at the pole."""
    plane = LocalPlane(0.0)
    ends = plane.forward(np.array([[0.0, lat - 0.5], [0.0, lat + 0.5]]))
    assert ends[1, 1] - ends[0, 1] == pytest.approx(metres, abs=0.7)


@pytest.mark.parametrize(("south", "north"), [(-7.7, -7.2), (-0.2, 0.3), (51.5, 52.5)])
def test_areas_are_those_of_the_ellipsoid(south: float, north: float) -> None:
    plane = LocalPlane(109.2)
    cell = shapely.segmentize(
        shapely.box(108.9, south, 109.5, north), 0.01
    )  # its sides are curved in the plane
    (figure,) = plane.to_metres(np.array([cell]))
    assert figure.area == pytest.approx(zone_area_m2(south, north, 0.6), rel=1e-6)


def test_lengths_at_the_edge_of_banyumas_are_right_to_a_tenth_of_a_percent() -> None:
    plane = LocalPlane(109.17)
    start, step = np.array([109.52, -7.45]), 0.001
    north_m = SEMI_MAJOR_M * (1 - ECCENTRICITY_SQ) * math.radians(step)
    for bearing in np.radians(np.arange(0, 180, 15)):
        end = start + step * np.array([math.sin(bearing), math.cos(bearing)])
        w = math.sqrt(1 - ECCENTRICITY_SQ * math.sin(math.radians(-7.45)) ** 2)
        true_m = math.hypot(
            math.sin(bearing) * SEMI_MAJOR_M * math.radians(step) * math.cos(math.radians(-7.45)) / w,
            math.cos(bearing) * north_m / w**3,
        )
        xy = plane.forward(np.array([start, end]))
        assert math.dist(*xy) == pytest.approx(true_m, rel=1e-3)


@given(point=DEGREES)
def test_the_way_back_is_the_way_there(point: tuple[float, float]) -> None:
    plane = LocalPlane(109.2)
    there = np.array([point])
    assert plane.inverse(plane.forward(there)) == pytest.approx(there, abs=1e-9)
