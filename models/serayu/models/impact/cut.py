"""Cutting a layer with a flooded area."""

from dataclasses import dataclass
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.impact.layers import Layer
from serayu.models.impact.plane import FloatArray, Geometries

Row = TypeVar("Row", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Cut:
    """The features of a layer that reach into an area.

    Parameters
    ----------
    index
        Which features, ascending, shape (n,).
    parts
        What of each lies in the area, metres, shape (n,).
    share
        Part of each that lies in the area, 0-1; 1 for points.
    """

    index: npt.NDArray[np.intp]
    parts: Geometries
    share: FloatArray


def cut(layer: Layer[Row], area: BaseGeometry) -> Cut:
    """Cut a layer with an area, both in metres; what only touches it is left out.

    Most features lie wholly inside or outside: the index and the prepared area find them, and only those on its
    border are intersected.
    """
    shapely.prepare(area)
    index = np.sort(layer.tree.query(area, predicate="intersects"))
    figures = layer.figures[index]
    parts = figures.copy()
    crossing = ~shapely.contains_properly(area, figures)
    parts[crossing] = shapely.intersection(figures[crossing], area)
    dimension = shapely.get_dimensions(figures)
    whole, wet = _size(figures, dimension), _size(parts, dimension)
    share = np.divide(wet, whole, out=np.zeros_like(wet), where=whole > 0)
    wet_at_all = share > 0
    return Cut(index[wet_at_all], parts[wet_at_all], np.minimum(share[wet_at_all], 1.0))


def _size(figures: Geometries, dimension: npt.NDArray[np.int32]) -> FloatArray:
    """Return one, length or area by the dimension of the uncut figures."""
    size: FloatArray = np.select(
        [dimension == 0, dimension == 1],
        [np.ones(len(figures)), shapely.length(figures)],
        shapely.area(figures),
    )
    return size
