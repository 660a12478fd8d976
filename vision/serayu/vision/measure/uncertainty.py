"""Standard errors (one sigma) of sizes.

Three sources, independent of each other and so added as squares:

- edges: where the edge of a thing lies in the picture, `EDGE_PX`;
- scale: the ground sampling distance, which is off like the height above the ground, `SCALE` (a share of it);
- points: what leaving out points and taking grey levels between pixels moves a line, evenly up to the 0.3 px of
  `project.SIMPLIFIED_PX`: 0.3 / sqrt(3) px.
"""

import math

from serayu.vision.measure.project import SIMPLIFIED_PX

__all__ = ["END_PX", "SCALE", "WIDTH_PX", "area_sigma_m2", "length_sigma_m", "width_sigma_mm"]

SCALE = 0.02
"""Standard error of the scale as a share: relative heights of drones are off by 1-3 % [`domain.md` §9]."""

END_PX = 3.0
"""Standard error of where each end of a crack is seen, px [calibrated on drawn cracks, tests]."""

WIDTH_PX = 0.5
"""Standard error of a crack's width, px: half of the +- 1 px of `domain.md` §9, which mixed pixels dominate; drawn
cracks of 3 to 12 px under a blur of 0.8 px are off by less [tests]."""

_POINTS_PX = SIMPLIFIED_PX / math.sqrt(3)


def length_sigma_m(length_m: float, *, gsd_mm: float, scale: float = SCALE) -> float:
    """Return ``sqrt(2 (END gsd)^2 + (POINTS gsd)^2 + (scale L)^2)``."""
    pixel_m = gsd_mm / 1000
    return math.sqrt(2 * (END_PX * pixel_m) ** 2 + (_POINTS_PX * pixel_m) ** 2 + (scale * length_m) ** 2)


def width_sigma_mm(
    width_mm: float, *, gsd_mm: float, spread_mm: float, places: float, scale: float = SCALE
) -> float:
    """Return ``sqrt((WIDTH gsd)^2 + spread^2 / places + (scale w)^2)``.

    Parameters
    ----------
    spread_mm, places
        Standard deviation of the width along the crack, and at how many independent places it was measured.
    """
    parts = (WIDTH_PX * gsd_mm, spread_mm / math.sqrt(max(places, 1.0)), scale * width_mm)
    return math.hypot(*parts)


def area_sigma_m2(
    area_m2: float,
    *,
    perimeter_m: float,
    gsd_mm: float,
    edge_px: float,
    shape: float,
    scale: float = SCALE,
) -> float:
    """Return ``sqrt((P e gsd)^2 + (shape A)^2 + (2 scale A)^2)``: an edge is off by the same all around.

    Parameters
    ----------
    edge_px
        Standard error of the edge, px; that of the points is added.
    shape
        Standard error of the area that comes from how its outline was found, as a share.
    """
    edge_m = math.hypot(edge_px, _POINTS_PX) * gsd_mm / 1000
    return math.hypot(perimeter_m * edge_m, shape * area_m2, 2 * scale * area_m2)
