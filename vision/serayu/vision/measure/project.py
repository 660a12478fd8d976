"""Lines and outlines of a picture on the ground."""

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.vision.detection import Points
from serayu.vision.ground import GroundMap
from serayu.vision.measure.crop import Box
from serayu.vision.measure.path import lengths_px

__all__ = ["SIMPLIFIED_PX", "area_on_ground", "box_on_ground", "line_on_ground"]

SIMPLIFIED_PX = 0.3
"""By how much an outline or line may move when points are left out, px: well below what a picture shows."""

_LONGEST_EDGE_PX = 64.0  # straight edges in a picture bend on the ground with the lens and the terrain


def line_on_ground(path_px: Points, ground: GroundMap) -> tuple[BaseGeometry, float] | None:
    """Return a line in metres and its length, m: of the projected points, so that tilt and terrain are in it.

    None where a part of it does not meet the ground.
    """
    points = ground.ground_m(path_px)
    if not np.isfinite(points).all():
        return None
    kept = shapely.get_coordinates(shapely.LineString(path_px).simplify(SIMPLIFIED_PX))
    # the line is simplified to some of its own points, in their order
    places = np.flatnonzero((path_px[:, None, :] == kept[None, :, :]).all(axis=2).any(axis=1))
    return shapely.LineString(points[places]), float(lengths_px(points)[-1])


def area_on_ground(outlines_px: Sequence[Points], ground: GroundMap) -> BaseGeometry | None:
    """Return the polygons of outlines in metres, parts that overlap united, as seen from above.

    None where they enclose nothing, or a part of them does not meet the ground.
    """
    polygons = []
    for outline in outlines_px:
        if len(outline) < 3:  # noqa: PLR2004 -- of a triangle
            continue
        ring = shapely.LinearRing(outline).simplify(SIMPLIFIED_PX)
        corners = shapely.get_coordinates(ring.segmentize(_LONGEST_EDGE_PX))
        metres = ground.ground_m(corners)
        if not np.isfinite(metres).all():
            return None
        polygons.append(shapely.make_valid(shapely.Polygon(metres)))
    areas = [part for polygon in polygons for part in shapely.get_parts(polygon) if part.area > 0]
    return shapely.union_all(areas) if areas else None


def box_on_ground(xyxy_px: Box, ground: GroundMap) -> BaseGeometry | None:
    """Return the outline of a box in metres; None where a part of it does not meet the ground."""
    left, top, right, bottom = xyxy_px
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return area_on_ground((corners,), ground)
