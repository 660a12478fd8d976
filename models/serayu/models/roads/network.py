"""The roads of a region: read from GeoJSON, and asked what lies beside which road at which kilometre."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.plane import FloatArray, Geometries, LocalPlane
from serayu.models.roads.line import SEGMENT_M, Ruas, Segment, segments_of
from serayu.models.roads.pieces import Near, Pieces
from serayu.models.roads.read import check_numbers, read_ruas
from serayu.models.survey.finding import Side

__all__ = ["LIMIT_M", "MARGIN_M", "RoadNetwork", "Snap"]

LIMIT_M = 30.0
"""Farther from every axis than this, a thing belongs to no road [project proposal]."""
MARGIN_M = 5.0
"""A second road (or stretch) nearer than this beyond the nearest makes the answer doubtful; about twice the standard
error of a position by satellite alone, 1.5-3 m [domain reference section 9; project proposal]."""
_ON_AXIS_M = 0.01  # nearer than a centimetre there is no side


@dataclass(frozen=True, slots=True)
class Snap:
    """Where a thing lies along a road.

    Parameters
    ----------
    ruas
        Number of the nearest road.
    km
        From the road's first point, plus its ``km_from``.
    side
        Looking the way kilometres grow; None on the axis.
    offset_m
        Distance to the axis, m.
    edge_m
        Distance to the edge of the carriageway, m; 0 on it, None where the road's width is unknown.
    ambiguous
        Whether another road, or another stretch of the same one, is nearly as near.
    rivals
        Numbers of those roads, nearest first.
    """

    ruas: str
    km: float
    side: Side | None
    offset_m: float
    edge_m: float | None
    ambiguous: bool
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoadNetwork:
    """Roads with an index over their lines; `read` and `of` make it.

    Parameters
    ----------
    ruas
        The roads.
    plane
        Where distances are measured.
    lines
        Their lines in metres, same order.
    pieces
        The lines' straight pieces.
    """

    ruas: tuple[Ruas, ...]
    plane: LocalPlane
    lines: Geometries
    pieces: Pieces

    @classmethod
    def read(cls, file: Path, *, plane: LocalPlane | None = None) -> "RoadNetwork":
        """Read a GeoJSON file, see `read_ruas`; by default the plane's meridian is the middle of the roads.

        Raises
        ------
        BadInputError
            The file or one of its features is wrong.
        """
        return cls.of(read_ruas(file), plane)

    @classmethod
    def of(cls, ruas: Iterable[Ruas], plane: LocalPlane | None = None) -> "RoadNetwork":
        """Index roads.

        Raises
        ------
        ValueError
            Two roads have the same number, or there are none and no plane either.
        """
        ruas = tuple(ruas)
        check_numbers(ruas)
        degrees: Geometries = np.empty(len(ruas), dtype=object)
        degrees[:] = [one.geometry for one in ruas]
        if plane is None:
            if not ruas:
                raise ValueError("no roads: the plane must be given")
            west, _, east, _ = shapely.total_bounds(degrees)
            plane = LocalPlane((float(west) + float(east)) / 2)
        lines = plane.to_metres(degrees)
        return cls(ruas, plane, lines, Pieces.of(lines))

    @property
    def by_number(self) -> Mapping[str, Ruas]:
        """The roads by their numbers."""
        return MappingProxyType({one.number: one for one in self.ruas})

    def segments(self, *, length_m: float = SEGMENT_M) -> tuple[Segment, ...]:
        """Return the segments of all roads, in the roads' order; see `segments_of`."""
        return tuple(
            segment for one in self.ruas for segment in segments_of(one, self.plane, length_m=length_m)
        )

    def snap(
        self, ground_m: npt.ArrayLike, *, limit_m: float = LIMIT_M, margin_m: float = MARGIN_M
    ) -> Snap | None:
        """Return where a point lies along the nearest road; None where no axis is within the limit.

        Parameters
        ----------
        ground_m
            The point in metres of the plane, shape (2,).
        limit_m
            Farthest distance to an axis, not below 0.
        margin_m
            What is at most this much farther than the nearest makes the answer ambiguous, not below 0; best about
            twice the standard error of the position.

        Raises
        ------
        ValueError
            The point is not two numbers, or a distance is negative or no number.
        """
        point = np.asarray(ground_m, dtype=np.float64)
        if point.shape != (2,) or not np.isfinite(point).all():
            raise ValueError(f"expected a point of two numbers, got {ground_m!r}")
        if not (0 <= limit_m < math.inf and 0 <= margin_m < math.inf):
            raise ValueError(f"distances must be numbers not below 0, got {limit_m} and {margin_m}")
        near = self.pieces.near(point, reach_m=limit_m + margin_m)
        if not len(near.piece) or near.distance_m[0] > limit_m:
            return None
        return self._snapped(near, point, margin_m=margin_m)

    def snap_figure(
        self, figure_m: BaseGeometry, *, limit_m: float = LIMIT_M, margin_m: float = MARGIN_M
    ) -> Snap | None:
        """Return where a figure lies along the nearest road, distances from its nearest point.

        A figure that an axis crosses has distance 0, the kilometre and the side of its middle.

        Parameters
        ----------
        figure_m
            Point, line or area in metres of the plane.
        limit_m, margin_m
            As in `snap`.

        Raises
        ------
        ValueError
            The figure is empty, or as in `snap`.
        """
        if figure_m.is_empty:
            raise ValueError("expected a figure with coordinates, got an empty one")
        found, distance = self.pieces.tree.query_nearest(figure_m, return_distance=True)
        if not len(found) or distance[0] > limit_m:
            return None
        first = int(found.min())
        if distance[0] > 0:
            piece = shapely.linestrings(np.stack((self.pieces.start[first], self.pieces.end[first])))
            touch = shapely.get_coordinates(shapely.shortest_line(figure_m, piece))[0]
            return self.snap(touch, limit_m=limit_m, margin_m=margin_m)
        return self._crossing(figure_m, int(self.pieces.owner[first]), margin_m=margin_m)

    def _crossing(self, figure_m: BaseGeometry, owner: int, *, margin_m: float) -> Snap:
        """Return where a road crosses a figure: the middle of the part inside it."""
        line = self.lines[owner]
        inside = figure_m.intersection(line)
        middle = shapely.line_interpolate_point(line, shapely.line_locate_point(line, inside.centroid))
        point = shapely.get_coordinates(middle)[0]
        # Another road may pass nearer to that point only where both are on it; the one that was asked for is kept.
        near = self._of_owner(self.pieces.near(point, reach_m=margin_m + _ON_AXIS_M), owner)
        snapped = self._snapped(near, shapely.get_coordinates(figure_m.centroid)[0], margin_m=margin_m)
        return replace(snapped, offset_m=0.0, edge_m=0.0)

    @staticmethod
    def _of_owner(near: Near, owner: int) -> Near:
        """Return the same with that line's nearest piece first."""
        first = int(np.argmax(near.owner == owner))
        order = np.concatenate(([first], np.delete(np.arange(len(near.owner)), first)))
        return Near(
            near.piece[order],
            near.owner[order],
            near.distance_m[order],
            near.along_m[order],
            near.share[order],
        )

    def _snapped(self, near: Near, point: FloatArray, *, margin_m: float) -> Snap:
        road, offset = self.ruas[int(near.owner[0])], float(near.distance_m[0])
        turn = self.pieces.turn(near, point)
        side = None if abs(turn) < _ON_AXIS_M else Side.LEFT if turn > 0 else Side.RIGHT
        close = near.distance_m <= offset + margin_m
        others = dict.fromkeys(
            self.ruas[owner].number for owner in near.owner[close] if owner != near.owner[0]
        )
        return Snap(
            ruas=road.number,
            km=road.km_from + float(near.along_m[0]) / 1000,
            side=side,
            offset_m=offset,
            edge_m=None if road.width_m is None else max(0.0, offset - road.width_m / 2),
            ambiguous=bool(others) or self._returns(near, margin_m=margin_m),
            rivals=tuple(others),
        )

    def _returns(self, near: Near, *, margin_m: float) -> bool:
        """Return whether the same road passes a second time nearly as near: a hairpin, or a line that crosses itself.

        A bend around the point is no second time: at the radius of the farthest rival half a circle is π·r long.
        """
        owner, offset = int(near.owner[0]), float(near.distance_m[0])
        rivals = (near.owner == owner) & (near.distance_m <= offset + margin_m)
        apart = np.abs(near.along_m[rivals] - near.along_m[0])
        if self.pieces.closed(owner):
            apart = np.minimum(apart, self.pieces.length_m(owner) - apart)
        return bool((apart > math.pi * (offset + margin_m)).any())
