"""Places as CAP writes them: ``lat,lon lat,lon …`` and ``lat,lon radius`` (CAP 1.2 section 3.2.4, WGS 84)."""

import re
from collections.abc import Sequence
from typing import Literal

from shapely import Polygon

from serayu.models.cap.structs import Position

PAIRS = 4  # least pairs of a ring: three corners and the first again, CAP 1.2 section 3.2.4
MAX_LAT, MAX_LON = 90.0, 180.0
DECIMALS = 6  # 0.1 m; five are 1 m, the least that street level needs
_NUMBER = re.compile(r"[-+]?\d{1,3}(?:\.\d+)?")
_RADIUS = re.compile(r"\+?\d+(?:\.\d+)?")

PolygonProblem = Literal[
    "empty",
    "not_numbers",
    "too_few_points",
    "latitude_out_of_range",
    "longitude_out_of_range",
    "not_closed",
    "self_intersection",
]


def parse_polygon(text: str) -> tuple[Position, ...]:
    """Return the ring that a ``polygon`` element names.

    Parameters
    ----------
    text
        Pairs ``lat,lon`` separated by white space.

    Raises
    ------
    ValueError
        A pair is not two decimal numbers.
    """
    return tuple(_pair(pair) for pair in text.split())


def parse_circle(text: str) -> tuple[Position, float]:
    """Return centre and radius (km) of a ``circle`` element.

    Raises
    ------
    ValueError
        Not of the form ``lat,lon radius``.
    """
    parts = text.split()
    if len(parts) != 2 or _RADIUS.fullmatch(parts[1]) is None:  # noqa: PLR2004 -- centre and radius
        raise ValueError(f"expected 'lat,lon radius', not {text!r}")
    return _pair(parts[0]), float(parts[1])


def polygon_problem(polygon: str | Sequence[Position]) -> PolygonProblem | None:
    """Say what is wrong with a ring, or None.

    Latitude and longitude exchanged cannot be seen where both are below 90; over Indonesia, all of it east of
    95 degrees, the range shows it.

    Parameters
    ----------
    polygon
        Text of a ``polygon`` element, or its ring of (latitude, longitude).
    """
    if isinstance(polygon, str):
        if not polygon.strip():
            return "empty"
        try:
            ring: Sequence[Position] = parse_polygon(polygon)
        except ValueError:
            return "not_numbers"
    else:
        ring = polygon
    outside = next((found for found in map(position_problem, ring) if found), None)
    if outside is not None:
        return outside
    if len(ring) < PAIRS:
        return "too_few_points"
    if ring[0] != ring[-1]:
        return "not_closed"
    return None if Polygon([(lon, lat) for lat, lon in ring]).is_valid else "self_intersection"


def position_problem(
    position: Position,
) -> Literal["latitude_out_of_range", "longitude_out_of_range"] | None:
    """Say whether a position is off the globe; NaN is."""
    if not abs(position[0]) <= MAX_LAT:
        return "latitude_out_of_range"
    return None if abs(position[1]) <= MAX_LON else "longitude_out_of_range"


def polygon_text(ring: Sequence[Position]) -> str:
    """Return a ring as CAP writes it, with `DECIMALS` decimals."""
    return " ".join(f"{lat:.{DECIMALS}f},{lon:.{DECIMALS}f}" for lat, lon in ring)


def circle_text(centre: Position, radius_km: float) -> str:
    """Return a circle as CAP writes it; radius 0 is a point, as in OASIS's own example of an earthquake."""
    return f"{polygon_text([centre])} {radius_km:.3f}"


def _pair(text: str) -> Position:
    parts = text.split(",")
    if len(parts) != 2 or not all(_NUMBER.fullmatch(part) for part in parts):  # noqa: PLR2004 -- a pair
        raise ValueError(f"expected 'lat,lon' in decimal degrees, not {text!r}")
    return float(parts[0]), float(parts[1])
