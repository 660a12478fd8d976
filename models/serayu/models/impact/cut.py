"""Cutting a layer with a flooded area."""

from dataclasses import dataclass
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.impact.layers import Layer, size_of
from serayu.models.plane import FloatArray, Geometries

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
    parts = layer.figures[index]
    crossing = np.flatnonzero(~shapely.contains_properly(area, parts))
    parts[crossing] = shapely.intersection(parts[crossing], area)
    share = np.ones(len(index))
    wet = size_of(parts[crossing], layer.dimension[index[crossing]])
    share[crossing] = np.minimum(wet / layer.size[index[crossing]], 1.0)
    wet_at_all = share > 0
    return Cut(index[wet_at_all], parts[wet_at_all], share[wet_at_all])
