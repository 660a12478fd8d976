"""The ground that a survey photographed: what later surveys need, to tell what is gone from what was not seen."""

from collections.abc import Sequence
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.plane import LocalPlane

__all__ = ["coverage_feature"]

_DEGREES = 7  # decimals: 1 cm
_SIMPLER_M = 0.02


def coverage_feature(footprints: Sequence[BaseGeometry], *, survey: str, plane: LocalPlane) -> dict[str, Any]:
    """Return the union of what pictures show as a GeoJSON feature; its geometry is null where none has a place.

    Parameters
    ----------
    footprints
        Of the pictures that were used, metres.
    survey
        Id of the survey.
    plane
        Of the metres.
    """
    shown = shapely.union_all(list(footprints)).simplify(_SIMPLER_M)
    degrees = shapely.set_precision(plane.to_degrees(shown), 10.0**-_DEGREES)
    rounded = shapely.transform(degrees, lambda points: points.round(_DEGREES) + 0.0)
    geometry = None if rounded.is_empty else shapely.geometry.mapping(rounded)
    properties = {"survey": survey, "area_m2": round(float(shown.area), 1)}
    return {"type": "Feature", "geometry": geometry, "properties": properties}
