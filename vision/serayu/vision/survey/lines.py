"""A crack from the lines of its pieces, which overlap, lie a little apart and were each cut by a picture's edge."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

__all__ = ["joined", "long_axis"]

Floats = npt.NDArray[np.float64]

_LEAST_M = 0.15  # a rest that is shorter is the pieces' error, not more crack [project proposal]


def joined(lines: Sequence[BaseGeometry], *, sigma_m: float) -> BaseGeometry:
    """Return the line that pieces make together.

    The first piece is kept; of each other one, what goes on beyond the ends is put on the end that it starts at.

    Parameters
    ----------
    lines
        LineStrings (of a MultiLineString the longest part counts), metres, the longest first; one at least.
    sigma_m
        Standard error of their places against each other.

    Returns
    -------
    LineString
        Metres.
    """
    near = max(_LEAST_M, 3 * sigma_m)
    line = _coordinates(lines[0])
    for other in lines[1:]:
        line = _extended(line, _coordinates(other), near)
    return shapely.LineString(line)


def long_axis(area: BaseGeometry) -> BaseGeometry:
    """Return the line along the middle of an elongated area: of its smallest rectangle, from short side to short side.

    Parameters
    ----------
    area
        Polygon, metres.
    """
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(area))
    if len(box) != 5:  # noqa: PLR2004 -- a rectangle; anything flatter is a line or a point already
        return shapely.LineString(box[[0, -1]] if len(box) > 1 else np.vstack((box, box)))
    sides = np.hypot(*np.diff(box, axis=0).T)
    start = 0 if sides[0] <= sides[1] else 1  # a short side; the opposite one is two corners on
    return shapely.LineString((box[start : start + 2].mean(axis=0), box[start + 2 : start + 4].mean(axis=0)))


def _coordinates(line: BaseGeometry) -> Floats:
    parts = shapely.get_parts(line)
    longest = parts[int(np.argmax(shapely.length(parts)))]
    points: Floats = shapely.get_coordinates(longest)
    return points


def _extended(line: Floats, other: Floats, near: float) -> Floats:
    """Put what of another line goes beyond a line's ends on them."""
    covered = shapely.buffer(shapely.LineString(line), near)
    rests = shapely.get_parts(shapely.difference(shapely.LineString(other), covered))
    for rest in sorted(rests, key=lambda part: (-part.length, part.wkt)):
        if rest.length < _LEAST_M:
            continue
        points = shapely.get_coordinates(rest)
        # The rest begins where the buffer ends, so it lies up to twice that far from the end it continues.
        gaps = [
            (float(np.hypot(*(end - start))), at_end, turned)
            for at_end, end in ((False, line[0]), (True, line[-1]))
            for turned, start in ((False, points[0]), (True, points[-1]))
        ]
        gap, at_end, turned = min(gaps)
        if gap > 2 * near:
            continue
        run = points[::-1] if turned else points
        line = np.vstack((line, run)) if at_end else np.vstack((run[::-1], line))
    return line
