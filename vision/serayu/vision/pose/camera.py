"""The inner geometry of a camera: pixels to rays and back, lens distortion included."""

from dataclasses import dataclass

import numpy as np

from serayu.vision.detection import Points
from serayu.vision.ground import Values

__all__ = ["Camera", "Distortion"]

_STEPS = 20  # of Newton's iteration; it doubles the digits each step where the lens equation can be solved
_SOLVED = 1e-10  # in tangents of the field angle: 1e-6 px at any focal length in use
_RADII = 400  # at which the distortion is looked at for its turning point
_WIDEST = 4.0  # tangent of the field angle up to which it is looked at: 76 degrees off axis


@dataclass(frozen=True, slots=True)
class Distortion:
    """Radial and tangential distortion [Brown 1971, Close-range camera calibration; in the order of DJI's DewarpData].

    ``x' = x (1 + k1 r^2 + k2 r^4 + k3 r^6) + 2 p1 x y + p2 (r^2 + 2 x^2)`` and likewise y, in tangents of the field
    angle.
    """

    k1: float
    k2: float
    p1: float
    p2: float
    k3: float

    def bend(self, tangents: Points) -> Points:
        """Return where the lens puts straight rays; NaN beyond `widest`, where its series has no meaning."""
        bent = self._raw(tangents)
        with np.errstate(invalid="ignore"):
            bent[np.hypot(tangents[:, 0], tangents[:, 1]) > self.widest()] = np.nan
        return bent

    def straighten(self, bent: Points) -> Points:
        """Return the straight rays of where the lens put them, by Newton's method; NaN where there are none."""
        found = bent.copy()
        for _ in range(_STEPS):
            missing = self._raw(found) - bent
            found = found - _solved(self._slope(found), missing)
        with np.errstate(invalid="ignore"):
            wrong = ~(np.abs(self._raw(found) - bent).max(axis=1, initial=0.0) < _SOLVED)
            wrong |= np.hypot(found[:, 0], found[:, 1]) > self.widest()
        found[wrong] = np.nan
        return found

    def widest(self) -> float:
        """Return the tangent of the field angle where the radial series turns back, or the widest looked at."""
        radii = np.linspace(0, _WIDEST, _RADII)
        squared = radii * radii
        slope = 1 + squared * (3 * self.k1 + squared * (5 * self.k2 + squared * 7 * self.k3))
        turned = np.flatnonzero(slope <= 0)
        return float(radii[turned[0] - 1]) if turned.size else _WIDEST

    def _raw(self, tangents: Points) -> Points:
        x, y = tangents[:, 0], tangents[:, 1]
        squared = x * x + y * y
        radial = 1 + squared * (self.k1 + squared * (self.k2 + squared * self.k3))
        across = x * radial + 2 * self.p1 * x * y + self.p2 * (squared + 2 * x * x)
        down = y * radial + self.p1 * (squared + 2 * y * y) + 2 * self.p2 * x * y
        return np.column_stack((across, down))

    def _slope(self, tangents: Points) -> tuple[Values, Values, Values, Values]:
        """Return the derivatives of `_raw`: across by x, by y (as down by x), down by y, and their determinant."""
        x, y = tangents[:, 0], tangents[:, 1]
        squared = x * x + y * y
        radial = 1 + squared * (self.k1 + squared * (self.k2 + squared * self.k3))
        growth = 2 * (self.k1 + squared * (2 * self.k2 + squared * 3 * self.k3))
        xx = radial + growth * x * x + 2 * self.p1 * y + 6 * self.p2 * x
        xy = growth * x * y + 2 * self.p1 * x + 2 * self.p2 * y
        yy = radial + growth * y * y + 6 * self.p1 * y + 2 * self.p2 * x
        return xx, xy, yy, xx * yy - xy * xy


def _solved(slope: tuple[Values, Values, Values, Values], missing: Points) -> Points:
    xx, xy, yy, determinant = slope
    whole = np.where(np.abs(determinant) > np.finfo(float).tiny, determinant, np.nan)
    return np.column_stack(
        (
            (yy * missing[:, 0] - xy * missing[:, 1]) / whole,
            (xx * missing[:, 1] - xy * missing[:, 0]) / whole,
        )
    )


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as its picture has it.

    Parameters
    ----------
    width, height
        Of the picture, px.
    focal_px
        Focal lengths along x and y, px.
    centre_px
        Where the optical axis meets the picture, from its upper left corner.
    distortion
        Of the lens; None when the picture is without, or nothing is known of it.
    focal_sigma
        Standard error of the focal length, as a share of it.
    doubt_px
        Standard error of a pixel through unknown distortion or centre, px.
    source
        What the focal length comes from: ``dewarp``, ``calibrated``, ``sensor`` or ``film``.
    """

    width: int
    height: int
    focal_px: tuple[float, float]
    centre_px: tuple[float, float]
    distortion: Distortion | None = None
    focal_sigma: float = 0.0
    doubt_px: float = 0.0
    source: str = "calibrated"

    def tangents(self, px: Points) -> Points:
        """Return the straight rays of pixels as x and y over depth, shape (n, 2); NaN where the lens has none."""
        bent = (np.asarray(px, dtype=np.float64) - self.centre_px) / self.focal_px
        return bent if self.distortion is None else self.distortion.straighten(bent)

    def pixels(self, tangents: Points) -> Points:
        """Return the pixels of straight rays, also outside the picture; NaN where the lens has none."""
        bent = tangents if self.distortion is None else self.distortion.bend(tangents)
        return bent * self.focal_px + self.centre_px

    @property
    def middle_px(self) -> Points:
        """Return the middle of the picture, shape (1, 2)."""
        return np.array([[self.width / 2, self.height / 2]])
