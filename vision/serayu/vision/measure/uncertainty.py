"""Standard errors (one sigma) of sizes.

Sources, independent of each other and so added as squares:

- edges: where an edge or an end lies in the picture, `END_PX`, `WIDTH_PX` or what the outline says;
- scale: the ground sampling distance, which is off like the height above the ground, `SCALE` (a share of it);
- bends of a crack finer than pixels, `BENDS`, and shapes found from boxes: shares of the size;
- points: what leaving out points and taking grey levels between pixels moves a line, evenly up to the 0.3 px of
  `project.SIMPLIFIED_PX`: 0.3 / sqrt(3) px.
"""

import math

from serayu.vision.measure.project import SIMPLIFIED_PX

__all__ = ["BENDS", "END_PX", "SCALE", "WIDTH_PX", "area_sigma_m2", "length_sigma_m", "width_sigma_mm"]

SCALE = 0.02
"""Standard error of the scale as a share: relative heights of drones are off by 1-3 % [`domain.md` §9]."""

END_PX = 3.0
"""Standard error of where each end of a crack is seen, px [calibrated on drawn cracks, tests]."""

BENDS = 0.09
"""Standard error of a crack's length from bends too fine to see, as a share; widened, not corrected.

A crack is a rough line, the shorter the coarser it is looked at, so lengths run short. Of 41 cracks of made-up flights
without noise and with given boxes [`serayu.vision.flight`, seeds 11-13 and 31-34], measured on three or four photos
each, all came out short: at the median by 3 % at 4 mm per px (7 cracks), 6 % at 8 mm (25) and 6 % at 12 mm (9); one in
four by more than 8 %, where a faint part was lost too (once a third). The mean of three or four photos keeps 0.8 of one
photo's error; with 0.09, 26 of the 41 lie within one stated error of their finding and 38 within two. The mean is not
added to lengths: it follows the roughness that the renderer was given, a bend each 2 cm; of real ones it is unknown.
"""

WIDTH_PX = 0.5
"""Standard error of a crack's width, px: half of the +- 1 px of `domain.md` §9, which mixed pixels dominate; drawn
cracks of 3 to 12 px under a blur of 0.8 px are off by less [tests]."""

_POINTS_PX = SIMPLIFIED_PX / math.sqrt(3)


def length_sigma_m(length_m: float, *, gsd_mm: float, scale: float = SCALE) -> float:
    """Return ``sqrt(2 (END gsd)^2 + (POINTS gsd)^2 + (BENDS L)^2 + (scale L)^2)``."""
    pixel_m = gsd_mm / 1000
    return math.hypot(
        math.sqrt(2) * END_PX * pixel_m, _POINTS_PX * pixel_m, BENDS * length_m, scale * length_m
    )


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
