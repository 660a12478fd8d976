"""A road's landslide level as a bulletin, from which every warning is written."""

from collections.abc import Iterable, Sequence

import msgspec
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from serayu.models.landslide.levels import SlopeLevel
from serayu.models.landslide.result import Report, RuasResult, RuleResult, UnitResult
from serayu.models.landslide.rules import SAFETY
from serayu.models.landslide.units import PlacedUnit, SlopeUnit
from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.texts import text
from serayu.models.times import parse_rfc3339
from serayu.models.warning.bulletin import (
    POLYGON_POINTS,
    AffectedArea,
    AffectedRuas,
    Bulletin,
    BulletinStatus,
    Hazard,
    Impact,
    MessageType,
    SlopeRisk,
)

__all__ = ["Envelope", "ruas_bulletin"]

_PLACES = 5  # decimals of a degree: a metre
_SIMPLER_DEG = 1e-5


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a bulletin needs that no assessment knows; the fields are those of `Bulletin`."""

    id: str
    alert_id: str
    region: str
    sent_us: int
    expires_us: int
    status: BulletinStatus = BulletinStatus.TEST
    msg_type: MessageType = MessageType.ALERT
    references: tuple[tuple[str, int], ...] = ()
    before: Siaga = Siaga.NORMAL
    authority: str | None = None
    note: str | None = None


def ruas_bulletin(
    result: RuasResult, report: Report, units: Sequence[PlacedUnit], *, envelope: Envelope
) -> Bulletin:
    """Return what is to be told about a road.

    Parameters
    ----------
    result
        The road, from *report*.
    report, units
        The assessment, and the slope units that it was made of.
    envelope
        The rest.

    Raises
    ------
    ValueError
        The level is not known: nothing can be told about it; or it is normal and this would be an alert.
    """
    siaga = result.level.siaga
    if siaga is None:
        raise ValueError(f"the level of ruas {result.ruas} is not known")
    if siaga is Siaga.NORMAL and envelope.msg_type is MessageType.ALERT:
        raise ValueError(f"ruas {result.ruas} is at {result.level.value}: nothing to warn of")
    here = {unit.id: unit for unit in report.units if unit.ruas == result.ruas}
    worst = here[result.unit]
    warned = [
        placed
        for placed in units
        if placed.unit.id in here and _warns(here[placed.unit.id].level, siaga, result.unit, placed.unit.id)
    ]
    rule = _rain_rule(worst)
    ranked = next(placed.unit for placed in units if placed.unit.id == worst.id).rain
    fields = {name: getattr(envelope, name) for name in envelope.__struct_fields__}
    return Bulletin(
        **{**fields, "note": _note(envelope.note, worst, rule)},
        change_id=None,
        station=worst.gauge or next(iter(ranked), worst.id),
        hazard=Hazard.LANDSLIDE,
        level=siaga,
        reason=Reason.THRESHOLD,
        post=worst.gauge or worst.name,
        at_us=parse_rfc3339(worst.rain_until or report.at),
        slope=None if rule is None else _risk(result, worst, rule),
        impact=_impact(result, warned),
        invented=any(placed.unit.invented for placed in warned),
    )


def _warns(level: SlopeLevel, siaga: Siaga, worst: str, unit: str) -> bool:
    """Say whether a unit is named: all that people are warned of, and of an all-clear the one behind it."""
    return unit == worst if siaga is Siaga.NORMAL else level.siaga not in (None, Siaga.NORMAL)


def _rain_rule(worst: UnitResult) -> RuleResult | None:
    """Return the rain rule that the text shows: the strongest of those in mm with a number and a threshold."""
    rain = [
        rule
        for rule in worst.rules
        if rule.rule != SAFETY
        and rule.unit == "mm"
        and None not in (rule.value, rule.threshold, rule.window_h)
    ]
    return max(rain, key=lambda rule: (rule.level.rank, rule.ratio or 0.0), default=None)


def _risk(result: RuasResult, worst: UnitResult, rule: RuleResult) -> SlopeRisk:
    plausible = "soil_plausible" not in worst.missing
    return SlopeRisk(
        place=" ".join(part for part in (result.ruas, result.name) if part),
        rain_mm=rule.value or 0.0,
        rain_h=rule.window_h or 0.0,
        rule=rule.rule,
        threshold_mm=rule.threshold or 0.0,
        factor_of_safety=worst.soil.factor_of_safety if plausible else None,
        missing=worst.missing,
    )


def _note(given: str | None, worst: UnitResult, rule: RuleResult | None) -> str | None:
    """Return the operator's words, and what no field of a bulletin holds: findings alone, and gauges that failed."""
    told = [] if given is None else [given]
    if rule is None:
        kinds = ", ".join(dict.fromkeys(text(f"landslide.finding.{kind}") for kind in worst.findings))
        told.append(text("landslide.bulletin.no_rain", kinds=kinds))
    elif worst.without_gauges:
        names = ", ".join(worst.without_gauges)
        told.append(text("landslide.bulletin.without", names=names, gauge=worst.gauge))
    return " ".join(told) or None


def _impact(result: RuasResult, placed: Sequence[PlacedUnit]) -> Impact:
    areas = tuple(_areas(placed))
    road = _road(result, [one.unit for one in placed])
    names = ", ".join(one.unit.name for one in placed)
    missing = ("people", "buildings", *(() if road else ("ruas",)))
    return Impact(
        areas=areas,
        ruas=(road,) if road else (),
        road_km=road.length_km if road else None,
        basis=text("landslide.bulletin.basis", units=names, ruas=result.ruas),
        missing=missing,
    )


def _areas(placed: Sequence[PlacedUnit]) -> Iterable[AffectedArea]:
    """Give the villages of the units, each once; nobody has counted who lives below a slope."""
    for code in dict.fromkeys(one.unit.desa for one in placed if one.unit.desa is not None):
        here = [one for one in placed if one.unit.desa == code]
        rings = tuple(ring for one in here for ring in _rings(one.geometry))
        unit = here[0].unit
        yield AffectedArea(code or "", unit.desa_name, unit.kecamatan or None, polygons=rings)


def _rings(geometry: BaseGeometry) -> Iterable[tuple[tuple[float, float], ...]]:
    """Give closed outer rings, (latitude, longitude), of `POLYGON_POINTS` points at most; a point gives none."""
    parts = geometry.geoms if isinstance(geometry, MultiPolygon) else [geometry]
    for part in parts:
        if isinstance(part, Polygon):
            ring = _few_points(Polygon(part.exterior))
            yield tuple((round(y, _PLACES), round(x, _PLACES)) for x, y in ring.exterior.coords)


def _few_points(polygon: Polygon) -> Polygon:
    tolerance = _SIMPLER_DEG
    simple = shapely.set_precision(polygon, 10.0**-_PLACES)
    while not isinstance(simple, Polygon) or len(simple.exterior.coords) > POLYGON_POINTS:
        simple = shapely.set_precision(polygon.simplify(tolerance), 10.0**-_PLACES)
        tolerance *= 2
    return simple


def _road(result: RuasResult, units: Sequence[SlopeUnit]) -> AffectedRuas | None:
    """Return the stretch below the units; None where a unit does not say which it is."""
    spans = sorted(
        (unit.km_from, unit.km_to) for unit in units if unit.km_from is not None and unit.km_to is not None
    )
    if len(spans) != len(units) or not spans:
        return None
    length_km, end_km = 0.0, spans[0][0]
    for begin, end in spans:
        length_km += max(0.0, end - max(begin, end_km))
        end_km = max(end_km, end)
    return AffectedRuas(result.ruas, result.name, round(length_km, 3), km_from=spans[0][0], km_to=end_km)
