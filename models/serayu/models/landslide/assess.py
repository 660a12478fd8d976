"""The assessment: slope units, rain, soil moisture and drone findings give a level per unit and per road, explained."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from serayu.models.landslide import rules
from serayu.models.landslide.explain import explain_ruas, explain_unit
from serayu.models.landslide.findings import FindingKind, PlacedFinding, SlopeFinding, findings_of, raised
from serayu.models.landslide.levels import SlopeLevel, highest
from serayu.models.landslide.rain import RainSeries
from serayu.models.landslide.result import (
    FORMAT,
    Antecedent,
    Explanation,
    Report,
    RuasResult,
    RuleResult,
    SoilState,
    UnitResult,
    Verdict,
)
from serayu.models.landslide.rules import RainEvidence
from serayu.models.landslide.series import SoilSeries
from serayu.models.landslide.stability import soil_wetness
from serayu.models.landslide.thresholds import ID_THRESHOLDS
from serayu.models.landslide.units import PlacedUnit, SlopeUnit
from serayu.models.landslide.zones import Zone, slope_percent, zone_of
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_HOUR, rfc3339

__all__ = ["SOIL_FRESH_H", "Evidence", "assess"]

SOIL_FRESH_H = 6
"""Soil moisture older than this does not speak of the present, hours [data reception, domain reference section 6]."""
_FINDING = "finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known besides the units.

    Parameters
    ----------
    rain
        Series by gauge.
    soil
        Soil moisture by station; None: no file was given.
    findings
        Of drones; None: no file was given.
    slope_of
        Gives the slope of a unit from a DEM, degrees, or None where it is void or the unit outside; None: no DEM.
    """

    rain: Mapping[str, RainSeries]
    soil: Mapping[str, SoilSeries] | None = None
    findings: Sequence[PlacedFinding] | None = None
    slope_of: Callable[[PlacedUnit], float | None] | None = field(default=None)


class _Slope(NamedTuple):
    degrees: float | None
    source: str | None
    zone: Zone | None


def assess(units: Sequence[PlacedUnit], evidence: Evidence, *, at_us: int) -> Report:
    """Assess all units as of a moment; what came after it is not looked at.

    Parameters
    ----------
    units, evidence
        What is known.
    at_us
        The moment, microseconds UTC.
    """
    wanted = {name for placed in units for name in placed.unit.rain}
    gauges = {
        name: RainEvidence.of(series, at_us=at_us) for name, series in evidence.rain.items() if name in wanted
    }
    results = [_assess_unit(placed, evidence, gauges, at_us=at_us) for placed in units]
    names = {placed.unit.ruas: placed.unit.ruas_name for placed in units}
    roads = [
        _ruas(ruas, name, [result for result in results if result.ruas == ruas])
        for ruas, name in names.items()
    ]
    roads.sort(key=lambda road: (-road.level.rank, road.ruas))
    return Report(
        format=FORMAT,
        at=rfc3339(at_us),
        siaga_levels={level.value: _siaga(level) for level in SlopeLevel},
        ruas=tuple(roads),
        units=tuple(results),
    )


def _assess_unit(
    placed: PlacedUnit, evidence: Evidence, gauges: Mapping[str, RainEvidence | None], *, at_us: int
) -> UnitResult:
    unit, missing = placed.unit, list[str]()
    slope = _slope(placed, evidence, missing)
    gauge, without, rain = _gauge(unit, gauges)
    found = _rain_rules(rain, slope, unit, missing)
    state = _soil(unit, evidence, slope, missing, at_us=at_us)
    safety = rules.safety_rule(state)
    if state.factor_dry is not None and state.factor_dry < 1:
        missing.append("soil_plausible")
    seen = _seen(placed, evidence, missing, at_us=at_us)
    level, deciding = _level(found, safety, seen)
    result = UnitResult(
        id=unit.id,
        name=unit.name,
        ruas=unit.ruas,
        desa=unit.desa,
        level=level,
        siaga=_siaga(level),
        deciding=deciding,
        slope_deg=None if slope.degrees is None else round(slope.degrees, 1),
        slope_source=slope.source,
        zone=slope.zone,
        gauge=gauge,
        without_gauges=without,
        rain_until=None if rain is None else rfc3339(rain.until_us),
        rules=(*found, safety),
        antecedent=Antecedent() if rain is None else rain.antecedent,
        soil=state,
        findings=tuple(finding.kind.value for finding in seen),
        missing=tuple(missing),
        invented=unit.invented,
        explanation=Explanation("", ""),
    )
    return msgspec.structs.replace(result, explanation=explain_unit(result))


def _slope(placed: PlacedUnit, evidence: Evidence, missing: list[str]) -> _Slope:
    degrees, source = placed.unit.slope_deg, "unit"
    if degrees is None and evidence.slope_of is not None:
        degrees, source = evidence.slope_of(placed), "dem"
    if degrees is None:
        missing.append("slope")
        return _Slope(None, None, None)
    return _Slope(degrees, source, zone_of(slope_percent(degrees)))


def _gauge(
    unit: SlopeUnit, gauges: Mapping[str, RainEvidence | None]
) -> tuple[str | None, tuple[str, ...], RainEvidence | None]:
    """Return the gauge that speaks for a unit: the first whose last day is whole, else the first with rain."""
    looked = {name: gauges.get(name) for name in unit.rain}
    speaking = {name: rain for name, rain in looked.items() if rain is not None}
    whole = [name for name, rain in speaking.items() if rain.last_day.complete]
    gauge = next(iter([*whole, *speaking]), None)
    if gauge is None:
        return None, unit.rain, None
    return gauge, unit.rain[: unit.rain.index(gauge)], speaking[gauge]


def _rain_rules(
    rain: RainEvidence | None, slope: _Slope, unit: SlopeUnit, missing: list[str]
) -> list[RuleResult]:
    if rain is None:
        missing.append("rain" if unit.rain else "gauge")
        return []
    found = rules.line_rules(rain, zone=slope.zone)
    before = rules.antecedent_rule(rain, zone=slope.zone)
    if not rain.last_day.complete:
        missing.append("rain_last_day")
    elif any(one.verdict is Verdict.PARTLY for one in found):
        missing.append("rain_storm")
    if before.windows_unknown:
        missing.append("rain_18_days")
    if unit.yearly_rain_mm is None:
        missing.append("yearly_rain")
    return [*found, before, rules.zone_rule(rain, zone=slope.zone, yearly_mm=unit.yearly_rain_mm)]


def _soil(unit: SlopeUnit, evidence: Evidence, slope: _Slope, missing: list[str], *, at_us: int) -> SoilState:
    series = (evidence.soil or {}).get(unit.soil_moisture or "")
    newest = None if series is None else series.newest(at_us)
    moisture = None
    if newest is not None and at_us - newest[0] <= SOIL_FRESH_H * US_PER_HOUR:
        moisture = newest[1]
    else:
        missing.append("soil_moisture")
    capacity, saturation = unit.field_capacity_pct, unit.saturation_pct
    wetness = None
    if moisture is not None and capacity is not None and saturation is not None:
        wetness = soil_wetness(moisture, field_capacity_pct=capacity, saturation_pct=saturation)
    soil = unit.soil()
    if soil is None or (moisture is not None and wetness is None):
        missing.append("soil")
    return rules.soil_state(soil, slope_deg=slope.degrees, moisture_pct=moisture, wetness=wetness)


def _seen(placed: PlacedUnit, evidence: Evidence, missing: list[str], *, at_us: int) -> list[SlopeFinding]:
    if evidence.findings is None:
        missing.append("findings")
        return []
    seen = findings_of(placed, evidence.findings, at_us=at_us)
    if any(finding.kind is FindingKind.CRACK and finding.edge_m is None for finding in seen):
        missing.append("crack_edge")
    return seen


def _level(
    found: Sequence[RuleResult], safety: RuleResult, seen: Iterable[SlopeFinding]
) -> tuple[SlopeLevel, str | None]:
    """Return the level and the rule behind it.

    The highest rule decides; rain for siaga on a slope whose factor of safety is below 1 is awas; findings raise
    further. Where nothing that people are warned of is exceeded and a line could not be judged, the level is not known.
    """
    strongest = max((*found, safety), key=lambda one: (one.level.rank, one.ratio or 0.0))
    by_rain = highest(one.level for one in found)
    lines = [one for one in found if one.rule in ID_THRESHOLDS]
    open_lines = not lines or any(one.verdict is Verdict.UNKNOWN for one in lines)
    level = strongest.level
    if level is SlopeLevel.NORMAL and open_lines:
        level = SlopeLevel.UNKNOWN
    if by_rain is SlopeLevel.SIAGA and safety.level is SlopeLevel.SIAGA:
        level = SlopeLevel.AWAS
    after = raised(level, seen)
    if open_lines and after.siaga is Siaga.NORMAL:
        return (
            SlopeLevel.UNKNOWN,
            None,
        )  # what could not be judged may be a warning: nobody may read "Siaga 4"
    if level.rank > 0:
        return after, strongest.rule
    return after, _FINDING if after.rank > 0 else None


def _ruas(ruas: str, name: str, units: Sequence[UnitResult]) -> RuasResult:
    level = highest(unit.level for unit in units)
    unknown = sum(unit.level is SlopeLevel.UNKNOWN for unit in units)
    if level is SlopeLevel.NORMAL and unknown:
        level = SlopeLevel.UNKNOWN
    worst = next(unit for unit in units if unit.level is level)
    result = RuasResult(
        ruas=ruas,
        name=name,
        level=level,
        siaga=_siaga(level),
        unit=worst.id,
        units=tuple(unit.id for unit in units),
        unknown_units=unknown,
        missing=tuple(dict.fromkeys(key for unit in units for key in unit.missing)),
        explanation=Explanation("", ""),
    )
    return msgspec.structs.replace(result, explanation=explain_ruas(result, worst))


def _siaga(level: SlopeLevel) -> str | None:
    siaga = level.siaga
    return None if siaga is None else siaga.value
