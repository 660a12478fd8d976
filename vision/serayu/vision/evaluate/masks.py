"""Outlines as shapes: their areas, and how much of them is common. Exact in the plane, so size costs no memory."""

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.vision.detection import Points
from serayu.vision.evaluate.matching import Floats

__all__ = ["covered_px", "mask_ious", "shape_of"]

_CORNERS = 3


def shape_of(outlines: Sequence[Points]) -> BaseGeometry:
    """Return the area that outlines enclose together, px; crossing outlines are mended.

    Parameters
    ----------
    outlines
        Rings of shape (n, 2); those with fewer than three points enclose nothing.
    """
    rings = [shapely.make_valid(shapely.Polygon(ring)) for ring in outlines if len(ring) >= _CORNERS]
    return shapely.union_all(rings) if rings else shapely.Polygon()


def mask_ious(found: Sequence[BaseGeometry], truth: Sequence[BaseGeometry]) -> Floats:
    """Return the intersection over union of shapes, shape (n, m)."""
    ious = np.zeros((len(found), len(truth)))
    if not ious.size:
        return ious
    tree = shapely.STRtree(list(truth))
    rows, columns = tree.query(list(found), predicate="intersects")
    if len(rows):
        one, other = np.asarray(found, dtype=object)[rows], np.asarray(truth, dtype=object)[columns]
        common = shapely.area(shapely.intersection(one, other))
        union = shapely.area(one) + shapely.area(other) - common
        ious[rows, columns] = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return ious


def covered_px(found: Sequence[BaseGeometry], truth: Sequence[BaseGeometry]) -> tuple[float, float]:
    """Return the area that both cover and the area that either covers, px²."""
    one, other = shapely.union_all(list(found)), shapely.union_all(list(truth))
    common = float(shapely.area(shapely.intersection(one, other)))
    return common, float(shapely.area(one) + shapely.area(other)) - common
