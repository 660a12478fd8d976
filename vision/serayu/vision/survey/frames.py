"""The pictures of a survey as fusion sees them: what ground each shows and how well its place is known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.vision.survey.marks import Marks
from serayu.vision.survey.result import UnitResult

__all__ = ["Frame", "frames_of"]

_SIGMA_M = (
    3.0  # of a picture that does not know: GNSS without correction, 1.5-3 m [domain reference, error budget]
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    Parameters
    ----------
    unit
        Its name.
    footprint
        The ground it shows, metres.
    size_px
        Width and height.
    sigma_m
        Standard error of its place as a whole: position in its middle.
    turn_sigma
        Standard error of its turn and of its scale, radians and parts of one: how much more the corners are off than
        the middle, per metre between them.
    marks
        Points of its ground that can be known again.
    """

    unit: str
    footprint: BaseGeometry
    size_px: tuple[int, int]
    sigma_m: float
    turn_sigma: float
    marks: Marks | None = None

    @property
    def centre_m(self) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
        """Return the middle of its ground, metres, shape (2,)."""
        middle = self.footprint.centroid
        return np.array([middle.x, middle.y])


def frames_of(results: Iterable[UnitResult]) -> Mapping[str, Frame]:
    """Return the frames of all units that lie on the ground, by name in the order of names."""
    found: dict[str, Frame] = {}
    for result in sorted(results, key=lambda one: one.unit):
        if result.footprint is None or result.size_px is None:
            continue
        centre = _SIGMA_M if result.centre_sigma_m is None else result.centre_sigma_m
        edge = centre if result.edge_sigma_m is None else result.edge_sigma_m
        ring = shapely.get_coordinates(result.footprint)
        middle = shapely.get_coordinates(result.footprint.centroid)
        reach = float(np.hypot(*(ring - middle).T).max())
        turn = float(np.sqrt(max(edge**2 - centre**2, 0.0))) / max(reach, 1e-6)
        found[result.unit] = Frame(result.unit, result.footprint, result.size_px, centre, turn, result.marks)
    return found
