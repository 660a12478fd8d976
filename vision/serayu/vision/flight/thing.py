"""One thing on the ground at a known place with a known size: the truth that a survey is judged by."""

from dataclasses import dataclass

import numpy as np
from shapely.geometry import LineString, Polygon

from serayu.models.survey.finding import DefectClass
from serayu.vision.flight.site import FloatArray

__all__ = ["Crack", "Thing"]


@dataclass(frozen=True, slots=True)
class Crack:
    """One crack as it is drawn.

    Parameters
    ----------
    line_m
        Its middle line in site metres, shape (n, 2).
    widths_mm
        Width at each point, shape (n,).
    """

    line_m: FloatArray
    widths_mm: FloatArray


@dataclass(frozen=True, slots=True)
class Thing:
    """A defect or a landslide scar.

    Parameters
    ----------
    id
        Unique in the flight; its class and a number along the road.
    label
        What it is.
    figure
        In site metres: a line for single cracks, a polygon otherwise.
    station_m, offset_m
        Of its middle: along the ruas, and to the left of its line.
    cracks
        What is drawn of a cracked thing.
    tone
        How dark it is drawn, 0-1, or for a patch its shade in grey levels over the asphalt.
    depth_m
        Of a pothole.
    slope_deg
        Of the ground under a scar.
    """

    id: str
    label: DefectClass
    figure: LineString | Polygon
    station_m: float
    offset_m: float
    cracks: tuple[Crack, ...] = ()
    tone: float = 1.0
    depth_m: float = 0.0
    slope_deg: float | None = None

    def drawn(self) -> Polygon:
        """Return what covers ground: the figure, a line given its width."""
        if isinstance(self.figure, Polygon):
            return self.figure
        (crack,) = self.cracks
        return crack_polygon(crack)


def crack_polygon(crack: Crack) -> Polygon:
    """Return the ground that a crack's opening covers."""
    return Polygon(crack_outline(crack)).buffer(0)


def crack_outline(crack: Crack) -> FloatArray:
    """Return both edges of a crack as one closed outline, shape (2 n, 2)."""
    along = np.gradient(crack.line_m, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-12)[:, None]
    left = np.column_stack((-along[:, 1], along[:, 0])) * crack.widths_mm[:, None] / 2000
    return np.vstack((crack.line_m + left, (crack.line_m - left)[::-1]))
