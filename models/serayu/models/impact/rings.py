"""Polygons as a CAP message carries them: few points, valid, closed, latitude first.

Holes are dropped on purpose: CAP has none, and a dry island in a flood is cut off, so it is warned too.
"""

import bisect
import math
from collections.abc import Iterator

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.plane import LocalPlane
from serayu.models.warning.bulletin import POLYGON_POINTS

Ring = tuple[tuple[float, float], ...]

DECIMALS = 6
"""Decimals of degrees: 0.11 m. Whoever writes them must not round further, or a narrow ring may cross itself."""
KEEP = 0.98
"""Least share of the area that the rings cover."""
_KEEP_EACH = (
    0.993  # of a part; the rest of the allowance is for small parts that are left out and for rounding
)
_KEEP_PARTS = 0.995  # of the area, by leaving out the smallest parts
_KEEP_ROUNDED = KEEP / _KEEP_PARTS  # of a part, after rounding
_GRID = 10.0**-DECIMALS
_FIRST_TOLERANCE_M, _STEP = 0.5, 1.4
_NEARLY = 2  # times the points allowed: an outline with more is not worth growing yet
_GROWTHS = (0.0, 0.25, 0.5, 1.0)  # of the tolerance, outward


def cap_rings(area: BaseGeometry, plane: LocalPlane, *, points: int = POLYGON_POINTS) -> tuple[Ring, ...]:
    """Return an area as rings for CAP, the largest first.

    Parameters
    ----------
    area
        Polygon, several, or anything that holds polygons; metres in *plane*. Lines and points in it are passed
        over.
    points
        Most points of a ring, at least 5, the last one, equal to the first, included.

    Returns
    -------
    tuple
        Rings of (latitude, longitude) in degrees with `DECIMALS` decimals: closed, counter-clockwise on the map,
        valid (none crosses or touches itself; two may overlap slightly), at most *points* points. Together they cover
        at least 98 % of the area, unless it is so narrow (some decimetres) that rounding takes it away; an area
        that vanishes gives no ring. Where fewer points cannot do that, a ring grows outward rather than losing ground.
    """
    rings = []
    for part in _largest(_without_holes(area)):
        for simple in _simplified(part, points, plane):
            outline = shapely.get_coordinates(shapely.orient_polygons(simple))[:, ::-1]
            rings.append(tuple((float(lat), float(lon)) for lat, lon in outline.round(DECIMALS)))
    return tuple(rings)


def _without_holes(area: BaseGeometry) -> list[BaseGeometry]:
    """Return the parts with their holes filled; filling may swallow other parts."""
    polygons = [
        part
        for part in shapely.get_parts(shapely.get_parts([area]))
        if part.geom_type == "Polygon" and part.area > 0
    ]
    if not shapely.get_num_interior_rings(polygons).any():
        return polygons
    filled = shapely.union_all([shapely.Polygon(part.exterior) for part in polygons])
    return [shapely.Polygon(part.exterior) for part in shapely.get_parts(filled) if part.area > 0]


def _largest(parts: list[BaseGeometry]) -> list[BaseGeometry]:
    """Return the parts by size, without the smallest that together are within the allowance."""
    parts = sorted(parts, key=lambda part: part.area, reverse=True)
    covered = np.cumsum([part.area for part in parts])
    if not parts:
        return []
    return parts[: int(np.searchsorted(covered, _KEEP_PARTS * covered[-1])) + 1]


def _simplified(part: BaseGeometry, points: int, plane: LocalPlane) -> list[BaseGeometry]:
    """Return polygons in degrees on the grid, at most *points* points each: one, or a few where the grid splits it.

    Rounding takes more than its allowance of a few metres' sliver: then a wider outline is tried, and the one that
    keeps most is returned where none keeps enough.
    """
    best: list[BaseGeometry] = []
    most = 0.0
    for candidate in _candidates(part, points):
        degrees = shapely.make_valid(plane.to_degrees(np.array([candidate]))[0])
        try:
            on_grid = shapely.set_precision(degrees, _GRID)
        except shapely.errors.GEOSException:
            continue  # slivers of less than a grid step; the hull or the box are simple enough
        pieces = [shapely.Polygon(one.exterior) for one in shapely.get_parts(on_grid) if one.area > 0]
        if not pieces or max(shapely.get_num_coordinates(pieces)) > points:
            continue
        valid = [one for one in pieces if one.is_valid]
        rounded = shapely.union_all(plane.to_metres(np.array(valid, dtype=object)))
        kept = rounded.intersection(part).area / part.area
        if kept > most:
            best, most = valid, kept
        if kept >= _KEEP_ROUNDED:
            break
    return best


def _candidates(part: BaseGeometry, points: int) -> Iterator[BaseGeometry]:
    """Yield simpler and simpler outlines that cover nearly all of the part, in the end its hull or box."""
    if _points(part) <= points:
        yield part
    west, south, east, north = part.bounds
    span_m = max(east - west, north - south)
    steps = max(0, math.ceil(math.log(span_m / _FIRST_TOLERANCE_M, _STEP)))
    rungs = [_FIRST_TOLERANCE_M * _STEP**step for step in range(steps)]
    first = bisect.bisect_left(
        rungs, 1, key=lambda rung: int(_points(_smoother(part, rung)) <= _NEARLY * points)
    )
    for tolerance in rungs[first:]:
        rough = _smoother(part, tolerance / 4)  # growing it is cheaper
        for growth in _GROWTHS:
            grown = rough.buffer(growth * tolerance, quad_segs=2) if growth else part
            outline = shapely.Polygon(shapely.get_parts(_smoother(grown, tolerance))[0].exterior)
            if (
                _points(outline) <= points
                and outline.is_valid
                and outline.intersection(part).area >= _KEEP_EACH * part.area
            ):
                yield outline
    hull = part.convex_hull
    if _points(hull) <= points:
        yield hull
    yield part.minimum_rotated_rectangle
    yield part.envelope


def _points(figure: BaseGeometry) -> int:
    return int(shapely.get_num_coordinates(figure))


def _smoother(figure: BaseGeometry, tolerance_m: float) -> BaseGeometry:
    """Return an outline with fewer points [Douglas and Peucker 1973], valid as it was."""
    return shapely.simplify(figure, tolerance_m, preserve_topology=True)
