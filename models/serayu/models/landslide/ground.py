"""Metres on the ground from degrees, near one place."""

import math

import shapely
from shapely.geometry.base import BaseGeometry

__all__ = ["degree_lengths_m", "distance_m"]


def degree_lengths_m(latitude: float) -> tuple[float, float]:
    """Return the lengths of a degree of longitude and of latitude, m, on WGS 84.

    Series of the ellipsoid's radii, good to a metre [NGA TR 8350.2; Snyder 1987].

    Examples
    --------
    >>> [round(length) for length in degree_lengths_m(0.0)]
    [111319, 110574]
    """
    phi = math.radians(latitude)
    longitude = 111412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi)
    meridian = 111132.92 - 559.82 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi) - 0.0023 * math.cos(6 * phi)
    return longitude, meridian


def distance_m(one: BaseGeometry, other: BaseGeometry) -> float:
    """Return the distance between two geometries in degrees (longitude, latitude), m; right within some 10 km."""
    east_m, north_m = degree_lengths_m(one.centroid.y)
    scale = (east_m, north_m)
    return float(
        shapely.transform(one, lambda c: c * scale).distance(shapely.transform(other, lambda c: c * scale))
    )
