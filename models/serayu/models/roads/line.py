"""One road of the register, its line, and its segments of 100 m."""

import enum
import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry import LineString, MultiLineString
from shapely.ops import substring

from serayu.models.plane import LocalPlane
from serayu.models.roads.sta import sta_text

__all__ = ["SEGMENT_M", "Authority", "RoadClass", "Ruas", "Segment", "Surface", "joined", "segments_of"]

SEGMENT_M = 100.0  # of the road condition survey (RCS/SKJ)
_REST = 0.2
"""A rest of the road shorter than this share belongs to the segment before it: one hole on 20 m is already 50 per
km, the limit of the last class of the SDI [project proposal]."""
_GAP_M = 1.0  # parts of a line this near join: editors round to 1e-5 degrees [project proposal]


class Authority(enum.StrEnum):
    """Who is in charge of a road [UU 38/2004 article 9]."""

    NASIONAL = "nasional"
    PROVINSI = "provinsi"
    KABUPATEN = "kabupaten"
    KOTA = "kota"
    DESA = "desa"


class RoadClass(enum.StrEnum):
    """Function of a road [UU 38/2004 article 8]."""

    ARTERI = "arteri"
    KOLEKTOR = "kolektor"
    LOKAL = "lokal"
    LINGKUNGAN = "lingkungan"


class Surface(enum.StrEnum):
    """What the carriageway is made of."""

    ASPAL = "aspal"
    BETON = "beton"
    PAVING = "paving"
    KERIKIL = "kerikil"
    TANAH = "tanah"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruas:
    """A road of the register.

    Parameters
    ----------
    number, name
        As the decree has them.
    geometry
        Line in degrees (longitude, latitude), in the order in which kilometres grow.
    km_from
        Km of its first point, not below 0.
    road_class, authority, surface
        None where unknown.
    width_m
        Of the carriageway, above 0; None where unknown.
    lanes, lhr
        Lanes, and mean daily traffic in vehicles per day; None where unknown.
    source, invented
        Where the line comes from; True where the project made it up.

    Raises
    ------
    ValueError
        The number is empty, the line has no length or is not in degrees, or a quantity is out of range.
    """

    number: str
    name: str
    geometry: LineString
    km_from: float = 0.0
    road_class: RoadClass | None = None
    authority: Authority | None = None
    width_m: float | None = None
    lanes: int | None = None
    lhr: float | None = None
    surface: Surface | None = None
    source: str = ""
    invented: bool = False

    def __post_init__(self) -> None:
        if not self.number:
            raise ValueError("a ruas needs a number")
        _check_line(self.geometry)
        if not 0 <= self.km_from < math.inf:
            raise ValueError(f"km_from must be a number not below 0, got {self.km_from}")
        if self.width_m is not None and not 0 < self.width_m < math.inf:
            raise ValueError(f"width_m must be above 0, got {self.width_m}")

    def line_m(self, plane: LocalPlane) -> LineString:
        """Return the line in metres of a plane, without repeated points."""
        return plane.to_metres(np.array([self.geometry], dtype=object))[0]

    def segments(self, plane: LocalPlane, *, length_m: float = SEGMENT_M) -> tuple["Segment", ...]:
        """Return its segments; see `segments_of`."""
        return segments_of(self, plane, length_m=length_m)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a road between two kilometres.

    Parameters
    ----------
    ruas
        Number of the road.
    index
        Its place along the road, from 0.
    km_from, km_to
        Where it begins and ends.
    length_m
        In the plane, m.
    geometry
        Line in degrees, in the order in which kilometres grow.
    """

    ruas: str
    index: int
    km_from: float
    km_to: float
    length_m: float
    geometry: LineString

    @property
    def sta(self) -> str:
        """Its stations, as ``0+100–0+200``."""
        return f"{sta_text(self.km_from)}–{sta_text(self.km_to)}"


def segments_of(ruas: Ruas, plane: LocalPlane, *, length_m: float = SEGMENT_M) -> tuple[Segment, ...]:
    """Return the segments of a road from its first point; a rest below a fifth of the length joins the one before.

    Parameters
    ----------
    ruas
        The road.
    plane
        Where lengths are measured.
    length_m
        Of a segment, above 0.

    Raises
    ------
    ValueError
        The length is not above 0.
    """
    if not 0 < length_m < math.inf:
        raise ValueError(f"length of a segment must be above 0 m, got {length_m}")
    line = ruas.line_m(plane)
    whole = float(line.length)
    count = max(1, math.floor(whole / length_m))
    ends = [length_m * index for index in range(count)] + [whole]
    if whole - count * length_m >= _REST * length_m:
        ends.insert(count, count * length_m)
    cuts = np.array([substring(line, *pair) for pair in pairwise(ends)], dtype=object)
    return tuple(
        Segment(ruas.number, index, ruas.km_from + start / 1000, ruas.km_from + end / 1000, end - start, cut)
        for index, ((start, end), cut) in enumerate(zip(pairwise(ends), plane.to_degrees(cuts), strict=True))
    )


def joined(parts: MultiLineString) -> LineString:
    """Return one line of parts that follow one another, each beginning where the one before ended.

    Parameters
    ----------
    parts
        In degrees, in the order and the direction in which kilometres grow.

    Raises
    ------
    ValueError
        A part begins more than a metre away from the end of the one before: there would be a jump in kilometres.
    """
    lines = list(parts.geoms)
    points = [tuple(point[:2]) for point in lines[0].coords]
    for number, line in enumerate(lines[1:], start=2):
        gap_m = _gap_m(points[-1], line.coords[0])
        if gap_m > _GAP_M:
            raise ValueError(
                f"part {number} of the line begins {gap_m:.0f} m from the end of part {number - 1}: put the parts in"
                " the order and direction of the kilometres, or give each its own ruas"
            )
        points += [tuple(point[:2]) for point in line.coords[1:]]
    return LineString(points)


def _gap_m(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    ends = LocalPlane(one[0]).forward(np.array([one[:2], other[:2]], dtype=np.float64))
    return float(np.hypot(*(ends[1] - ends[0])))


def _check_line(line: LineString) -> None:
    points = shapely.get_coordinates(line)
    if line.geom_type != "LineString" or not len(points):
        raise ValueError(f"expected a LineString with coordinates, got {line.geom_type}")
    if not (np.abs(points) <= (180.0, 90.0)).all():  # NaN fails too
        raise ValueError("coordinates are not degrees (longitude, latitude)")
    if not line.length > 0:
        raise ValueError("the line has no length")
