"""From metres in the survey's plane to any coordinate system and back."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
from pyproj.exceptions import ProjError
from typing_extensions import override

from serayu.models.errors import BadInputError
from serayu.models.plane import LocalPlane
from serayu.vision.detection import Points

__all__ = ["Placing"]


@dataclass(frozen=True)
class Placing:
    """A plane and a coordinate system; it can be sent to other processes.

    Parameters
    ----------
    plane
        Of the survey.
    crs_wkt
        The coordinate system, its first axis east in rasters.
    """

    plane: LocalPlane
    crs_wkt: str

    def to_crs(self, metres: Points) -> Points:
        """Return coordinates of metres in the plane, shape (n, 2); NaN stays NaN, what has no coordinates is NaN."""
        degrees = self.plane.inverse(metres)
        return degrees if self._to_crs is None else _moved(self._to_crs, degrees)

    def to_metres(self, coordinates: Points) -> Points:
        """Return metres in the plane of coordinates, shape (n, 2)."""
        back = self._to_degrees
        return self.plane.forward(coordinates if back is None else _moved(back, coordinates))

    @override
    def __getstate__(self) -> tuple[LocalPlane, str]:
        return self.plane, self.crs_wkt

    def __setstate__(self, state: tuple[LocalPlane, str]) -> None:
        self.__dict__.update(plane=state[0], crs_wkt=state[1])

    @functools.cached_property
    def _to_crs(self) -> Any:  # noqa: ANN401 -- None or a transformer
        return _transformer("EPSG:4326", self.crs_wkt)

    @functools.cached_property
    def _to_degrees(self) -> Any:  # noqa: ANN401 -- None or a transformer
        return _transformer(self.crs_wkt, "EPSG:4326")


def _transformer(source: str, target: str) -> Any:  # noqa: ANN401 -- None or a transformer
    """Return a change of coordinates, None where there is nothing to change.

    Raises
    ------
    BadInputError
        There is none between the two.
    """
    try:
        one, other = pyproj.CRS.from_user_input(source), pyproj.CRS.from_user_input(target)
        if one.equals(other, ignore_axis_order=True):
            return None
        return pyproj.Transformer.from_crs(one.to_2d(), other.to_2d(), always_xy=True)
    except ProjError as error:
        raise BadInputError(f"coordinate system cannot be used: {error}") from None


def _moved(transformer: Any, points: Points) -> Points:  # noqa: ANN401 -- a module with few types
    x, y = transformer.transform(points[:, 0], points[:, 1])
    moved = np.column_stack((x, y))
    moved[~np.isfinite(moved).all(axis=1)] = np.nan
    return moved
