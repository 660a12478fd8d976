"""Paper for a map: metres east and north to millimetres right and down, and what every map carries."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.texts import decimal
from serayu.vision.documents.drawing import Area, Label, Mark

__all__ = ["Sheet", "north_arrow", "scale_bar", "sheet_for"]

Floats = npt.NDArray[np.float64]
_MARGIN_MM = 9.0
_BAND_MM = 9.0  # below the ground, for scale bar, arrow and names
_LEAST_M = 40.0  # across: a smaller survey is not blown up [project proposal]
_BAR_SHARE = 0.3  # of the width at most
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where the ground lies on paper.

    Parameters
    ----------
    width, height
        Of the paper, mm.
    west_m, north_m
        Ground under its upper left corner.
    mm_per_m
        Scale.
    """

    width: float
    height: float
    west_m: float
    north_m: float
    mm_per_m: float

    def points(self, xy_m: Floats) -> tuple[tuple[float, float], ...]:
        """Return points on paper, mm, of points on the ground, shape (n, 2)."""
        x = (xy_m[:, 0] - self.west_m) * self.mm_per_m
        y = (self.north_m - xy_m[:, 1]) * self.mm_per_m
        return tuple((round(float(a), 2), round(float(b), 2)) for a, b in zip(x, y, strict=True))

    def ground(self) -> BaseGeometry:
        """Return the ground that the paper shows."""
        return shapely.box(
            self.west_m,
            self.north_m - self.height / self.mm_per_m,
            self.west_m + self.width / self.mm_per_m,
            self.north_m,
        )


def sheet_for(bounds: tuple[float, float, float, float], *, width: float, most_height: float) -> Sheet:
    """Return paper of a width on which bounds (west, south, east, north, m) fit, no higher than it must be."""
    west, south, east, north = bounds
    across, up = max(east - west, _LEAST_M), max(north - south, _LEAST_M * 0.6)
    scale = min((width - 2 * _MARGIN_MM) / across, (most_height - 2 * _MARGIN_MM - _BAND_MM) / up)
    height = up * scale + 2 * _MARGIN_MM
    return Sheet(
        width,
        round(height + _BAND_MM, 2),
        (west + east) / 2 - width / 2 / scale,
        (south + north) / 2 + height / 2 / scale,
        scale,
    )


def scale_bar(sheet: Sheet) -> list[Mark]:
    """Return a scale bar of a round length, lower left."""
    most = _BAR_SHARE * sheet.width / sheet.mm_per_m
    power = 10.0 ** math.floor(math.log10(most))
    length = max(step * power for step in _STEPS if step * power <= most)
    wide, x, y = length * sheet.mm_per_m, 4.0, sheet.height - 4.0
    half = ((x, y), (x + wide / 2, y), (x + wide / 2, y + 1.2), (x, y + 1.2))
    whole = ((x, y), (x + wide, y), (x + wide, y + 1.2), (x, y + 1.2))
    words = f"{decimal(length / 1000, 1)} km" if length >= 1000 else f"{decimal(length, 0)} m"  # noqa: PLR2004
    return [
        Area(whole, "#ffffff", "#222222", 0.2),
        Area(half, "#222222"),
        Label((x, y - 1.6), "0", 2.4, start=True),
        Label((x + wide + 1, y + 0.6), words, 2.4, start=True),
    ]


def north_arrow(sheet: Sheet) -> list[Mark]:
    """Return an arrow to the north, lower right."""
    x, y = sheet.width - 5.0, sheet.height - 9.5
    return [
        Area(((x, y), (x + 1.8, y + 5.6), (x, y + 4.4), (x - 1.8, y + 5.6)), "#222222"),
        Label((x, y + 7.4), "U · N", 2.2, bold=True),
    ]
