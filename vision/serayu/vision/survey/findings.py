"""Findings from things: placed, rounded to what can be known, with ids that the same survey gives again."""

from collections.abc import Sequence

import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.plane import LocalPlane
from serayu.models.survey.finding import DefectClass, Errors, Finding
from serayu.models.times import rfc3339
from serayu.vision.survey.combine import Thing
from serayu.vision.survey.ids import stable_uuid7
from serayu.vision.survey.place import Place, Roads, SlopeOf

__all__ = ["findings_of", "geometry_of"]

_SIDE = "finding.unmeasured.side"
_DEGREES = 8  # decimals: 1 mm
_METRES, _SQUARE_METRES, _MILLIMETRES, _KM, _SCORE = 3, 4, 1, 4, 4


def findings_of(
    things: Sequence[Thing],
    *,
    survey: str,
    roads: Roads | None,
    slope_of: SlopeOf | None,
    plane: LocalPlane,
) -> tuple[tuple[Finding, Thing], ...]:
    """Return findings, each with its thing, in the order of roads, kilometres and ids; those away from roads last.

    Parameters
    ----------
    things
        What was found.
    survey
        Id of the survey.
    roads, slope_of
        Network and elevation model; None where none is given.
    plane
        The plane of the things' metres.
    """
    found = [(_finding(one, survey, roads, slope_of, plane), one) for one in things]
    return tuple(sorted(found, key=lambda pair: _order(pair[0])))


def _order(finding: Finding) -> tuple[bool, str, float, str]:
    return finding.ruas is None, finding.ruas or "", finding.km or 0.0, finding.id


def geometry_of(figure: BaseGeometry, plane: LocalPlane) -> dict[str, object]:
    """Return a figure in metres as a GeoJSON geometry in degrees, to the millimetre."""
    degrees = plane.to_degrees(figure)
    rounded = shapely.transform(degrees, lambda points: points.round(_DEGREES) + 0.0)
    return dict(shapely.geometry.mapping(rounded))


def _finding(
    thing: Thing, survey: str, roads: Roads | None, slope_of: SlopeOf | None, plane: LocalPlane
) -> Finding:
    best = thing.best
    placed = Place() if roads is None else roads.place(thing)
    slide = thing.label is DefectClass.LANDSLIDE
    slope = slope_of(plane.to_degrees(thing.figure)) if slide and slope_of is not None else None
    box = " ".join(f"{value:.1f}" for value in best.xyxy_px)
    return Finding(
        id=stable_uuid7(best.time_us, survey, thing.label.value, best.unit, str(best.index), box),
        survey=survey,
        label=thing.label,
        score=_rounded(thing.score, _SCORE),
        ruas=placed.ruas,
        km=_rounded(placed.km, _KM),
        side=placed.side,
        length_m=_rounded(thing.length_m, _METRES),
        width_mm=_rounded(thing.width_mm, _MILLIMETRES),
        area_m2=_rounded(thing.area_m2, _SQUARE_METRES),
        severity=thing.severity,
        errors=Errors(
            position_m=_rounded(thing.errors.position_m, _METRES),
            length_m=_rounded(thing.errors.length_m, _METRES),
            width_mm=_rounded(thing.errors.width_mm, _MILLIMETRES),
            area_m2=_rounded(thing.errors.area_m2, _SQUARE_METRES),
            road_edge_m=_rounded(placed.road_edge_sigma_m, _METRES),
        ),
        photo=best.unit,
        photos=thing.photos,
        time=None if best.time_us is None else rfc3339(best.time_us),
        geometry=geometry_of(thing.figure, plane),
        unmeasured=(*thing.unmeasured, *([_SIDE] if placed.ruas is not None and placed.side is None else [])),
        road_edge_m=_rounded(placed.road_edge_m, _METRES),
        slope_deg=_rounded(slope, 1),
    )


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(float(value), decimals) + 0.0
