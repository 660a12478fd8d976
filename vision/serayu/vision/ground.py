"""The port between a picture and the ground: where a pixel lies, how much ground it covers, how well that is known."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from serayu.models.plane import LocalPlane
from serayu.vision.detection import Points

__all__ = ["GroundMap", "Values"]

Values = npt.NDArray[np.float64]
"""One number per point, shape (n,)."""


class GroundMap(Protocol):
    """Where the pixels of one picture lie; a posed photo and a window of an orthophoto each have one."""

    @property
    def plane(self) -> LocalPlane:
        """Return the plane that metres are measured in, one for a whole survey."""
        ...

    def ground_m(self, px: Points) -> Points:
        """Return metres in the plane of pixels; NaN where the ray does not meet the ground."""
        ...

    def pixels(self, ground_m: Points) -> Points:
        """Return pixels of metres in the plane, also outside the picture; NaN behind the camera."""
        ...

    def gsd_mm(self, px: Points) -> Values:
        """Return the ground sampling distance at pixels, mm per px: the geometric mean of the two directions."""
        ...

    def sigma_m(self, px: Points) -> Values:
        """Return the standard error (one sigma) of the horizontal position at pixels, m."""
        ...
