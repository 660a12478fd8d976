"""The numbers of a bulletin as CAP parameters: for machines, with a decimal point, the same in every language.

Rounded as the sentences round them, so that the two never differ.
"""

from collections.abc import Iterator

from serayu.models.cap.values import cap_time
from serayu.models.siaga_levels import Siaga
from serayu.models.warning.bulletin import Bulletin, Foreseen, Hazard, Impact, SlopeRisk
from serayu.models.warning.spoken import clean, known
from serayu.models.warning.statements import head, over

Parameter = tuple[str, str]


def parameters(bulletin: Bulletin) -> Iterator[Parameter]:
    """Yield name and value of each parameter that is known.

    Parameters
    ----------
    bulletin
        What is told.

    Yields
    ------
    tuple of str
        ``level_m``, ``limit_m``, ``siaga`` (4 normal to 1 the worst; floods only), ``level`` and so on. An alert that
        lapsed for want of data has neither of the last two.
    """
    yield from ((name, value) for name, value in _all(bulletin) if value)


def _all(bulletin: Bulletin) -> Iterator[Parameter]:
    yield "station", bulletin.station
    yield "observed_at", cap_time(bulletin.at_us)
    lapsed = head(bulletin) == "lapsed"  # it has no level: "normal" would be invented
    if bulletin.hazard is Hazard.FLOOD:
        yield "siaga", "" if lapsed else str(bulletin.level.number)
        yield "siaga_before", str(bulletin.before.number)
    yield "level", "" if lapsed else bulletin.level.value
    yield "level_before", bulletin.before.value
    yield "reason", bulletin.reason.value
    yield "verified", _flag(value=bulletin.verified)
    yield "observed_flooding", _flag(value=bulletin.observed_flooding)
    yield "level_m", _number(bulletin.level_m, 2)
    if bulletin.level is not Siaga.NORMAL:
        yield "limit_m", _number(bulletin.limit_m, 2)
    yield "limits_invented", _flag(value=bulletin.invented)
    yield "slope_m_per_h", _number(bulletin.slope_m_per_h, 2)
    yield "fallback", ",".join(bulletin.fallback)
    if bulletin.foreseen is not None:
        yield from _foreseen(bulletin.foreseen)
    if bulletin.slope is not None:
        yield from _slope(bulletin.slope)
    if not over(bulletin):  # as the sentences: whom it reached is past
        yield from _impact(bulletin.impact)


def _foreseen(foreseen: Foreseen) -> Iterator[Parameter]:
    yield "probability", _number(foreseen.probability, 2)
    yield "forecast_issued_at", cap_time(foreseen.issued_us)
    yield "forecast_horizon_h", _number(foreseen.horizon_h, 1)
    yield "forecast_level_m", _number(foreseen.level_m, 2)
    yield "forecast_low_m", _number(foreseen.low_m, 2)
    yield "forecast_high_m", _number(foreseen.high_m, 2)
    yield "forecast_crossing_at", "" if foreseen.crossing_us is None else cap_time(foreseen.crossing_us)
    yield "forecast_method", clean(foreseen.method)
    yield "forecast_skill", _number(foreseen.skill, 2)
    yield "forecast_without", ",".join(foreseen.without)


def _slope(slope: SlopeRisk) -> Iterator[Parameter]:
    yield "rain_mm", _number(slope.rain_mm, 1)
    yield "rain_h", _number(slope.rain_h, 1)
    yield "rule", clean(slope.rule)
    yield "threshold_mm", _number(slope.threshold_mm, 1)
    yield "factor_of_safety", _number(slope.factor_of_safety, 2)
    yield "missing", ",".join(slope.missing)


def _impact(impact: Impact) -> Iterator[Parameter]:
    yield "people", _number(impact.people, 0)
    yield "buildings", _number(impact.buildings, 0)
    yield "road_km", _number(impact.road_km, 1)
    yield "rice_ha", _number(impact.rice_ha, 1)
    for ruas in impact.ruas:
        yield "ruas", clean(f"{ruas.number} {ruas.name}")
    yield "impact_missing", ",".join(impact.missing)


def _number(value: float | None, decimals: int) -> str:
    """Return a number with a decimal point; "" where it is not known."""
    if value is None or not known(value):
        return ""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def _flag(*, value: bool) -> str:
    return "true" if value else "false"
