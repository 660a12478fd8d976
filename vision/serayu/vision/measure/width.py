"""Width of a crack on the ground."""

from dataclasses import dataclass

import numpy as np

from serayu.vision.ground import GroundMap
from serayu.vision.measure.trace import Trace
from serayu.vision.measure.uncertainty import SCALE, width_sigma_mm
from serayu.vision.pose.geometry import Visibility, crack_visibility

__all__ = ["CrackWidth", "crack_width"]

_MOST_PLACES = 200  # along a crack: more change the median by less than its error
_DEPENDENT_PX = 5.0  # profiles are averaged over so many px along the crack
_MAD_TO_SIGMA = 1.4826  # of a normal distribution


@dataclass(frozen=True, slots=True)
class CrackWidth:
    """Width of one crack.

    Parameters
    ----------
    median_mm, p95_mm
        Over its length.
    sigma_mm
        Standard error of the median.
    visibility
        Whether pixels are fine enough for such a width.
    """

    median_mm: float
    p95_mm: float
    sigma_mm: float
    visibility: Visibility

    @property
    def measurable(self) -> bool:
        """Return whether the median is a measurement, and not only an upper limit that the pixels set."""
        return self.visibility is Visibility.MEASURABLE


def crack_width(trace: Trace, ground: GroundMap, *, gsd_mm: float, scale: float = SCALE) -> CrackWidth | None:
    """Measure the width where the crack is seen: between the two edges on the ground, so that tilt is in it.

    None where no place of it lies on the ground.

    Parameters
    ----------
    gsd_mm
        Ground sampling distance at the crack, mm per px.
    scale
        Standard error of it, as a share.
    """
    seen = np.flatnonzero(np.isfinite(trace.widths_px))
    if not seen.size:
        return None
    chosen = seen[np.linspace(0, seen.size - 1, min(seen.size, _MOST_PLACES)).round().astype(np.intp)]
    edges = ground.ground_m(np.concatenate((trace.left_px[chosen], trace.right_px[chosen])))
    widths_mm = 1000 * np.hypot(*(edges[: chosen.size] - edges[chosen.size :]).T)
    widths_mm = widths_mm[np.isfinite(widths_mm)]
    if not widths_mm.size:
        return None
    median = float(np.median(widths_mm))
    sigma = width_sigma_mm(
        median,
        gsd_mm=gsd_mm,
        spread_mm=float(_MAD_TO_SIGMA * np.median(np.abs(widths_mm - median))),
        places=seen.size / _DEPENDENT_PX,
        scale=scale,
    )
    return CrackWidth(
        median, float(np.quantile(widths_mm, 0.95)), sigma, crack_visibility(median, gsd_mm_px=gsd_mm)
    )
