"""Invented slopes and rain for the tests of landslides."""

from collections.abc import Mapping, Sequence
from typing import Any

from shapely.geometry import box

from serayu.models.landslide.assess import Evidence, assess
from serayu.models.landslide.rain import RainSeries
from serayu.models.landslide.result import Report, UnitResult
from serayu.models.landslide.units import PlacedUnit, SlopeUnit
from serayu.models.times import US_PER_HOUR, parse_rfc3339

AT_US = parse_rfc3339("2026-01-21T00:00:00Z")
SOIL = {
    "cohesion_kpa": 6.0,
    "friction_deg": 30.0,
    "gamma_kn_m3": 17.5,
    "depth_m": 2.0,
    "field_capacity_pct": 30.0,
    "saturation_pct": 50.0,
    "soil_moisture": "soil",
}
SQUARE = box(109.0, -7.4, 109.001, -7.399)


def unit(**changes: Any) -> PlacedUnit:  # noqa: ANN401
    fields: dict[str, Any] = {
        "id": "u1",
        "name": "Tebing",
        "ruas": "R1",
        "slope_deg": 30.0,
        "rain": ("g1",),
        "yearly_rain_mm": 3000.0,
        **changes,
    }
    geometry = fields.pop("geometry", SQUARE)
    return PlacedUnit(SlopeUnit(**fields), geometry)


def hourly(*newest: float, days: int = 20, before: float = 0.0) -> RainSeries:
    """Hourly rain that ends at `AT_US`; before the given values the same in each hour."""
    mm = [before] * (24 * days - len(newest)) + list(newest)
    return series(mm)


def series(mm: Sequence[float], *, step_h: float = 1.0, end_us: int = AT_US, **options: Any) -> RainSeries:  # noqa: ANN401
    step_us = round(step_h * US_PER_HOUR)
    times = [end_us - (len(mm) - 1 - n) * step_us for n in range(len(mm))]
    return RainSeries(times, mm, **options)


def judged(placed: PlacedUnit, rain: Mapping[str, RainSeries] | RainSeries, **evidence: Any) -> UnitResult:  # noqa: ANN401
    return reported([placed], rain, **evidence).units[0]


def reported(
    placed: Sequence[PlacedUnit],
    rain: Mapping[str, RainSeries] | RainSeries,
    **evidence: Any,  # noqa: ANN401
) -> Report:
    gauges = {"g1": rain} if isinstance(rain, RainSeries) else rain
    at_us = evidence.pop("at_us", AT_US)
    return assess(placed, Evidence(rain=gauges, **evidence), at_us=at_us)
