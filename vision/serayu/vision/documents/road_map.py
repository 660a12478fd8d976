"""The report's map: roads, condition of segments at both ends, findings as symbols."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.pavement.bina_marga import Condition
from serayu.models.survey.finding import DefectClass, Finding
from serayu.vision.documents.drawing import Area, Drawing, Label, Line, Mark
from serayu.vision.documents.facts import Facts
from serayu.vision.documents.sheet import Sheet, north_arrow, scale_bar, sheet_for
from serayu.vision.documents.signs import CONDITIONS, SIGNS, UNKNOWN, Sign, Strip

__all__ = ["MOST_NUMBERS", "middle", "road_map", "strip_of", "symbol"]

Floats = npt.NDArray[np.float64]

WIDTH_MM, MOST_HEIGHT_MM = 182.0, 150.0
MOST_NUMBERS = 40
"""Findings that are numbered on the map at most: more hide each other [project proposal]."""
_RADIUS_MM = 1.9
_SMALL_MM = 1.35  # of a symbol where there are many
_MOST_SHIFTED = 200  # findings: more fill the map, and every place is tried against every other
_FEW = 25  # findings whose symbols are large [project proposal]
_ROOM_MM = 11.0  # between stations, for their words
_STRIP_MM = 1.4
_STRIP_OFF_MM = 0.9
_ROAD, _GROUND, _PAPER, _TICK = "#b9b9b9", "#e9ecef", "#ffffff", "#444444"


def road_map(facts: Facts) -> Drawing | None:
    """Return the map; None where nothing has a place."""
    prints = [one.footprint for one in facts.photos if one.footprint is not None]
    lines = [shapely.geometry.shape(one["geometry"]) for one in facts.segments]
    things = [shapely.geometry.shape(one.geometry) for one in facts.findings]
    if not prints and not lines and not things:
        return None
    every = _metres(facts, [*prints, *lines, *things])
    sheet = sheet_for(_bounds(every), width=WIDTH_MM, most_height=MOST_HEIGHT_MM)
    marks: list[Mark] = [Area(_frame(sheet), _PAPER, "#888888", 0.2)]
    marks += _photographed(sheet, _metres(facts, prints))
    marks += _roads(sheet, facts)
    marks += _segments(sheet, facts, _metres(facts, lines))
    marks += _findings(sheet, facts.findings, _metres(facts, things))
    return Drawing(sheet.width, sheet.height, (*marks, *scale_bar(sheet), *north_arrow(sheet)))


def middle(figure: BaseGeometry) -> BaseGeometry:
    """Return a point of a figure: halfway along a line, inside an area."""
    if figure.geom_type == "LineString":
        point: BaseGeometry = figure.interpolate(0.5, normalized=True)
        return point
    return figure.representative_point()


def strip_of(condition: str | None) -> Strip:
    """Return how a condition of a segment is shown."""
    return UNKNOWN if condition is None else CONDITIONS[Condition(condition)]


def symbol(sign: Sign, at: tuple[float, float], *, radius: float = _RADIUS_MM) -> list[Mark]:
    """Return a symbol with its letter."""
    return [
        Area(_outline(sign.shape, at, radius), sign.colour, "#ffffff", 0.25),
        Label(
            (at[0], at[1] + (0.3 * radius if sign.shape == "triangle" else 0)),
            sign.letter,
            1.25 * radius,
            "#ffffff",
            bold=True,
        ),
    ]


def _metres(facts: Facts, degrees: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    return list(facts.plane.to_metres(np.array(degrees, dtype=object))) if degrees else []


def _bounds(figures: Sequence[BaseGeometry]) -> tuple[float, float, float, float]:
    west, south, east, north = shapely.total_bounds(np.array(figures, dtype=object)).tolist()
    return west, south, east, north


def _frame(sheet: Sheet) -> tuple[tuple[float, float], ...]:
    return ((0, 0), (sheet.width, 0), (sheet.width, sheet.height), (0, sheet.height))


def _photographed(sheet: Sheet, prints: Sequence[BaseGeometry]) -> list[Mark]:
    shown = shapely.simplify(shapely.unary_union(list(prints)), 0.2 / sheet.mm_per_m)
    rings = [part.exterior for part in shapely.get_parts(shown) if part.geom_type == "Polygon"]
    return [Area(sheet.points(shapely.get_coordinates(ring)), _GROUND) for ring in rings]


def _roads(sheet: Sheet, facts: Facts) -> list[Mark]:
    """Return the axes of all roads on the paper."""
    marks: list[Mark] = []
    ground = sheet.ground()
    for ruas in facts.roads:
        shown = shapely.intersection(ruas.line_m(facts.plane), ground)
        parts = [part for part in shapely.get_parts(shown) if part.geom_type == "LineString"]
        marks += [Line(sheet.points(shapely.get_coordinates(part)), _ROAD, 0.9) for part in parts]
    return marks


def _segments(sheet: Sheet, facts: Facts, lines: Sequence[BaseGeometry]) -> list[Mark]:
    """Return each segment as two strips, the best case on the left, with letters and its stations."""
    marks: list[Mark] = []
    ends = {(one["properties"]["ruas"], one["properties"]["km_to"]) for one in facts.segments}
    for feature, line in zip(facts.segments, lines, strict=True):
        said = feature["properties"]
        if (said["ruas"], said["km_from"]) not in ends:
            marks += _tick(sheet, line, 0.0, said["km_from"])
        best, worst = strip_of(said["condition_best"]), strip_of(said["condition_worst"])
        for strip, side in ((best, 1), (worst, -1)):
            shifted = shapely.offset_curve(line, side * _STRIP_OFF_MM / sheet.mm_per_m)
            if shifted.is_empty:
                continue
            for part in shapely.get_parts(shifted):
                points = sheet.points(shapely.get_coordinates(part))
                marks.append(Line(points, strip.colour, _STRIP_MM, strip.dashes))
        marks += _tick(sheet, line, 1.0, said["km_to"])
        words = best.letters if best == worst else f"{best.letters}–{worst.letters}"
        marks.append(Label(_beside(sheet, line, 0.5, -4.2), words, 2.5, "#222222", bold=True))
    return marks


def _tick(sheet: Sheet, line: BaseGeometry, share: float, km: float) -> list[Mark]:
    """Return a station: a line across the road, and its word where there is room for it."""
    marks: list[Mark] = [
        Line((_beside(sheet, line, share, -2.2), _beside(sheet, line, share, 2.2)), _TICK, 0.25)
    ]
    metres = round(km * 1000)
    if line.length * sheet.mm_per_m >= _ROOM_MM or metres % 500 == 0:
        words = f"{metres // 1000}+{metres % 1000:03d}"
        marks.append(Label(_beside(sheet, line, share, 4.6), words, 2.1, "#555555"))
    return marks


def _beside(sheet: Sheet, line: BaseGeometry, share: float, off_mm: float) -> tuple[float, float]:
    """Return a place beside a line at a share of its length; to the left of its way when above 0."""
    here = line.interpolate(share, normalized=True)
    first, last = (line.interpolate(min(max(share + step, 0), 1), normalized=True) for step in (-0.02, 0.02))
    along = np.array([last.x - first.x, last.y - first.y])
    along /= max(float(np.hypot(*along)), 1e-9)
    ((x, y),) = sheet.points(
        np.array([[here.x, here.y]]) + np.array([-along[1], along[0]]) * off_mm / sheet.mm_per_m
    )
    return x, y


def _findings(sheet: Sheet, findings: Sequence[Finding], shapes: Sequence[BaseGeometry]) -> list[Mark]:
    """Return slides to scale, then every finding as a symbol, its number beside it where there is room."""
    marks: list[Mark] = []
    for finding, shape in zip(findings, shapes, strict=True):
        if finding.label is DefectClass.LANDSLIDE:
            sign = SIGNS[finding.label]
            for part in shapely.get_parts(shape):
                ring = shapely.get_coordinates(part.exterior if part.geom_type == "Polygon" else part)
                marks.append(Area(sheet.points(ring), "#e7d9c3", sign.colour, 0.4))
    radius = _RADIUS_MM if len(findings) <= _FEW else _SMALL_MM
    taken: list[tuple[float, float]] = []
    for place, (finding, shape) in enumerate(zip(findings, shapes, strict=True), start=1):
        ((x, y),) = sheet.points(shapely.get_coordinates(middle(shape)))
        at = _free((x, y), taken, clear=2.15 * radius) if len(findings) <= _MOST_SHIFTED else (x, y)
        taken.append(at)
        if at != (x, y):
            marks.append(Line(((x, y), at), "#333333", 0.2))
        marks += symbol(SIGNS[finding.label], at, radius=radius)
        if len(findings) <= MOST_NUMBERS:
            marks.append(Label((at[0] + radius + 0.2, at[1] - 0.8 * radius), str(place), 1.9, start=True))
    return marks


def _free(
    wanted: tuple[float, float], taken: Sequence[tuple[float, float]], *, clear: float
) -> tuple[float, float]:
    """Return the free place nearest to the wanted one, on growing circles; the wanted one where all is full."""
    for ring in range(5):
        for step in range(max(1, 8 * ring)):
            angle = 2 * math.pi * step / max(1, 8 * ring) - math.pi / 2
            x = wanted[0] + ring * clear * math.cos(angle)
            y = wanted[1] + ring * clear * math.sin(angle)
            if all((x - a) ** 2 + (y - b) ** 2 >= clear**2 for a, b in taken):
                return (round(x, 2), round(y, 2)) if ring else wanted
    return wanted


def _around(n: int, radius: float) -> list[tuple[float, float]]:
    angles = (2 * math.pi * place / n for place in range(n))
    return [(radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]


def _outline(shape: str, at: tuple[float, float], radius: float) -> tuple[tuple[float, float], ...]:
    corners: dict[str, list[tuple[float, float]]] = {
        "circle": _around(20, 1.0),
        "square": [(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)],
        "diamond": [(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)],
        "triangle": [(0, -1.35), (1.3, 0.95), (-1.3, 0.95)],
        "hexagon": _around(6, 1.1),
        "house": [(0, -1.2), (1, -0.4), (1, 1), (-1, 1), (-1, -0.4)],
    }
    return tuple((round(at[0] + radius * x, 2), round(at[1] + radius * y, 2)) for x, y in corners[shape])
