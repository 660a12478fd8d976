"""Straight pieces of all roads in an index, and the nearest points on them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import Point

from serayu.models.plane import FloatArray, Geometries

__all__ = ["IntArray", "Near", "Pieces"]

IntArray = npt.NDArray[np.intp]
_TIE_DECIMALS = (
    6  # distances that differ by less than a micrometre are equal: then lines and kilometres decide
)


@dataclass(frozen=True, slots=True)
class Near:
    """The nearest point of each piece within reach of a point, nearest first; all arrays are of shape (n,).

    Parameters
    ----------
    piece, owner
        Which piece, and which line it belongs to.
    distance_m, along_m
        Distance to it, and where on the line it is from the line's first point.
    share
        Where on the piece, 0 (its start) to 1.
    """

    piece: IntArray
    owner: IntArray
    distance_m: FloatArray
    along_m: FloatArray
    share: FloatArray


@dataclass(frozen=True, slots=True)
class Pieces:
    """The straight pieces of lines, metres.

    Parameters
    ----------
    start, end
        Their ends, shape (n, 2).
    owner
        Index of the line that each belongs to, shape (n,).
    along_m
        Distance from the line's first point to the piece's, shape (n,).
    tree
        Index over the pieces.
    """

    start: FloatArray
    end: FloatArray
    owner: IntArray
    along_m: FloatArray
    tree: shapely.STRtree

    @classmethod
    def of(cls, lines: Geometries) -> "Pieces":
        """Take lines apart; repeated points give no piece."""
        points, owners = shapely.get_coordinates(lines, return_index=True)
        same = owners[1:] == owners[:-1]
        lengths = np.where(same, np.hypot(*np.diff(points, axis=0).T), 0.0)
        total = np.concatenate(([0.0], np.cumsum(lengths)))
        along = total - total[np.searchsorted(owners, owners)]
        keep = lengths > 0
        start, end = points[:-1][keep], points[1:][keep]
        tree = shapely.STRtree(shapely.linestrings(np.stack((start, end), axis=1)))
        return cls(start, end, owners[:-1][keep], along[:-1][keep], tree)

    def near(self, point: FloatArray, *, reach_m: float) -> Near:
        """Return the pieces within reach of a point, shape (2,); equal ones in the order of lines and kilometres."""
        found: IntArray = np.sort(self.tree.query(Point(point), predicate="dwithin", distance=reach_m))
        start = self.start[found]
        step = self.end[found] - start
        share = np.clip(((point - start) * step).sum(axis=1) / (step**2).sum(axis=1), 0.0, 1.0)
        distance = np.hypot(*(point - (start + share[:, None] * step)).T)
        along = self.along_m[found] + share * np.hypot(*step.T)
        order = np.lexsort((along, self.owner[found], np.round(distance, _TIE_DECIMALS)))
        found = found[order]
        return Near(found, self.owner[found], distance[order], along[order], share[order])

    def turn(self, near: Near, point: FloatArray) -> float:
        """Return the distance from the nearest line to a point, above 0 to the left and below 0 to the right.

        Where the nearest point is a corner, the middle of both directions tells the side: on the outer side of a
        sharp bend either piece alone would err. The size is the distance from the line through the corner.
        """
        piece, share = int(near.piece[0]), float(near.share[0])
        direction = self._direction(piece)
        if share in {0.0, 1.0}:
            other = self._neighbour(piece, 1 if share else -1)
            middle = direction if other is None else direction + self._direction(other)
            direction = middle / np.hypot(*middle) if np.hypot(*middle) > 0 else direction
        away = point - (self.end[piece] if share else self.start[piece])
        return float(direction[0] * away[1] - direction[1] * away[0])

    def length_m(self, owner: int) -> float:
        """Return the length of a line."""
        last = int(np.searchsorted(self.owner, owner, side="right")) - 1
        return float(self.along_m[last] + np.hypot(*(self.end[last] - self.start[last])))

    def closed(self, owner: int) -> bool:
        """Return whether a line ends where it begins."""
        first, after = np.searchsorted(self.owner, [owner, owner + 1])
        return bool((self.start[first] == self.end[after - 1]).all())

    def _neighbour(self, piece: int, step: int) -> int | None:
        owner = int(self.owner[piece])
        other = piece + step
        if 0 <= other < len(self.owner) and self.owner[other] == owner:
            return other
        if not self.closed(owner):
            return None
        first, after = np.searchsorted(self.owner, [owner, owner + 1])
        return int(first if step > 0 else after - 1)

    def _direction(self, piece: int) -> FloatArray:
        step = self.end[piece] - self.start[piece]
        unit: FloatArray = step / np.hypot(*step)
        return unit
