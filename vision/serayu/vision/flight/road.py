"""The road that is flown: its line in metres, and the station and offset of points near it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString

from serayu.models.errors import BadInputError
from serayu.models.plane import LocalPlane
from serayu.models.roads.line import Ruas
from serayu.models.roads.read import read_ruas
from serayu.vision.flight.site import FloatArray, Site

__all__ = ["Road", "read_road"]

Grid = npt.NDArray[Any]
"""Numbers of float32 at the texels of a raster; typed loosely, as OpenCV promises no type."""

DEFAULT_WIDTH_M = 6.0  # two lanes of 3 m, usual on regency roads [project proposal]
_MIN_LENGTH_M = 10.0


@dataclass(frozen=True, slots=True)
class Road:
    """A road's line in site metres.

    Parameters
    ----------
    number, name
        Of the ruas.
    width_m
        Of the pavement.
    line
        The whole ruas, in the direction that its kilometres grow; the site's origin is `start_m` along it.
    start_m, end_m
        The flown part.
    lon_lat
        Its vertices as they were given, shape (n, 2).
    site
        The frame.
    """

    number: str
    name: str
    width_m: float
    line: LineString
    start_m: float
    end_m: float
    lon_lat: FloatArray
    site: Site

    def at(self, station_m: float, offset_m: float = 0.0) -> tuple[FloatArray, FloatArray]:
        """Return the point at a station, so far left of the line, and the line's unit vector there."""
        here = np.asarray(self.line.interpolate(station_m).coords[0])
        before = np.asarray(self.line.interpolate(max(station_m - 0.05, 0.0)).coords[0])
        after = np.asarray(self.line.interpolate(station_m + 0.05).coords[0])
        along = (after - before) / np.hypot(*(after - before))
        return here + offset_m * np.array([-along[1], along[0]]), along

    def placed(self, station_m: float, local: FloatArray) -> FloatArray:
        """Return site metres, shape (n, 2), of points along and left of the line's direction at a station."""
        here, along = self.at(station_m)
        left = np.array([-along[1], along[0]])
        placed: FloatArray = here + local[:, :1] * along + local[:, 1:] * left
        return placed

    def station_offset(self, x: Grid, y: Grid) -> tuple[Grid, Grid]:
        """Return the station and the offset to the left of points, m, of the points' shape.

        The nearest piece of the line counts; beyond its ends it goes on straight.
        """
        vertices = np.asarray(self.line.coords)
        stations = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(vertices, axis=0).T))))
        best: tuple[Grid, Grid, Grid] | None = None
        for i in self._pieces_near(vertices, x, y):
            length = stations[i + 1] - stations[i]
            ux, uy = (vertices[i + 1] - vertices[i]) / length
            dx, dy = x - np.float32(vertices[i, 0]), y - np.float32(vertices[i, 1])
            along = np.float32(ux) * dx + np.float32(uy) * dy
            across = np.float32(ux) * dy - np.float32(uy) * dx
            low = -np.inf if i == 0 else 0.0
            high = np.inf if i == len(vertices) - 2 else length
            beyond = along - np.clip(along, low, high).astype(np.float32)
            squared = across * across + beyond * beyond
            found = (squared, along + np.float32(stations[i]), np.copysign(np.sqrt(squared), across))
            if best is None:
                best = found
            else:
                nearer = squared < best[0]
                best = tuple(np.where(nearer, new, old) for new, old in zip(found, best, strict=True))  # type: ignore[assignment]
        assert best is not None  # noqa: S101 - a line has at least one piece
        return best[1], best[2]

    def _pieces_near(self, vertices: FloatArray, x: Grid, y: Grid) -> list[int]:
        """Return which pieces can be nearest to any of the points: those within reach of the nearest one."""
        box = shapely.box(float(x.min()), float(y.min()), float(x.max()), float(y.max()))
        pieces = shapely.linestrings(np.stack((vertices[:-1], vertices[1:]), axis=1))
        distances = shapely.distance(pieces, box)
        reach = distances.min() + np.hypot(float(np.ptp(x)), float(np.ptp(y)))
        return [int(i) for i in np.flatnonzero(distances <= reach)]


def read_road(
    file: Path, *, ruas: str | None, start_m: float, length_m: float, width_m: float | None = None
) -> Road:
    """Read a ruas from a GeoJSON file and cut it.

    Parameters
    ----------
    file
        FeatureCollection of LineStrings in degrees with ``number`` (and ``width_m``) as properties.
    ruas
        Its number; the first road of the file when None.
    start_m, length_m
        The part that is flown.
    width_m
        Width of the pavement; the file's ``width_m``, else 6 m, when None.

    Raises
    ------
    BadInputError
        Not such a file, no such road, or too short for the part.
    """
    chosen, row = _chosen(file, ruas)
    lon_lat = shapely.get_coordinates(chosen.geometry)
    if not length_m >= _MIN_LENGTH_M:
        raise BadInputError(f"at least {_MIN_LENGTH_M:g} m of road must be flown, not {length_m:g} m")
    plane = LocalPlane(lon0=float(lon_lat[:, 0].mean()))
    metres = LineString(plane.forward(lon_lat))
    if not 0 <= start_m <= metres.length - length_m:
        raise BadInputError(
            f"road {chosen.number} is {metres.length:.0f} m long: "
            f"{length_m:.0f} m from {start_m:.0f} m on do not fit",
            file=file,
            row=row,
        )
    site = _site(plane, metres, start_m, start_m + length_m)
    width = width_m or chosen.width_m or DEFAULT_WIDTH_M
    line = LineString(site.from_plane(np.asarray(metres.coords)))
    return Road(chosen.number, chosen.name, width, line, start_m, start_m + length_m, lon_lat, site)


def _site(plane: LocalPlane, line: LineString, start_m: float, end_m: float) -> Site:
    first = np.asarray(line.interpolate(start_m).coords[0])
    chord = np.asarray(line.interpolate(end_m).coords[0]) - first
    if np.hypot(*chord) == 0:  # a loop
        chord = np.array([1.0, 0.0])
    east, north = chord / np.hypot(*chord)
    return Site(plane, (float(first[0]), float(first[1])), float(east), float(north))


def _chosen(file: Path, number: str | None) -> tuple[Ruas, int]:
    """Return a road of a file by its number, the first without one, and its row."""
    roads = {one.number: (one, row) for row, one in enumerate(read_ruas(file), start=1)}
    if number is None:
        return next(iter(roads.values()))
    if number not in roads:
        raise BadInputError(f"no road of number {number}; there are {', '.join(roads)}", file=file)
    return roads[number]
