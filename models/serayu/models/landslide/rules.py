"""The rules of an assessment, each giving one result with its number, threshold, window and verdict."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import msgspec

from serayu.models.hydrology.rain import antecedent_index_mm
from serayu.models.landslide.levels import SlopeLevel, one_less
from serayu.models.landslide.rain import DRY_H, IdFinding, RainSeries, Storm, Window, judge_lines, judge_storm
from serayu.models.landslide.result import Antecedent, RuleResult, SoilState, Verdict
from serayu.models.landslide.stability import Soil, factor_of_safety
from serayu.models.landslide.thresholds import ANTECEDENT, ID_THRESHOLDS, IdThreshold
from serayu.models.landslide.zones import DAILY_MM, HOURLY_MM, LONG_H, RainTrigger, Zone, rain_trigger
from serayu.models.times import US_PER_DAY, US_PER_HOUR, rfc3339

__all__ = [
    "SAFETY",
    "RainEvidence",
    "antecedent_rule",
    "line_rules",
    "safety_rule",
    "soil_state",
    "zone_rule",
]

SAFETY, ZONE = "factor_of_safety", "permen_pu22"
_PU22 = "Permen PU 22/PRT/M/2007"
_INDEX_DAYS, _INDEX_K = 30, 0.87  # k: middle of the usual 0.84-0.90 [domain reference section 3, from memory]
# SINMAP's class bounds as levels [project proposal].
_SAFETY_LEVELS = ((1.0, SlopeLevel.SIAGA), (1.25, SlopeLevel.WASPADA), (1.5, SlopeLevel.PANTAU))
_ZONE_LEVELS = {Zone.A: SlopeLevel.SIAGA, Zone.B: SlopeLevel.WASPADA, Zone.C: SlopeLevel.PANTAU}


@dataclass(frozen=True)
class RainEvidence:
    """A gauge's rain as the rules look at it; what does not depend on the slope is worked out once.

    Parameters
    ----------
    series, until_us
        The series, and the end of its newest value by the moment of the assessment.
    storm
        The storm that is not over, or None.
    last_day
        The last 24 h.
    """

    series: RainSeries
    until_us: int
    storm: Storm | None
    last_day: Window

    @classmethod
    def of(cls, series: RainSeries, *, at_us: int) -> "RainEvidence | None":
        """Look at a series; None without a value that still speaks of the present.

        The newest value may be as old as a value can stand for, or an hour [project proposal].
        """
        until_us = series.until_us(at_us)
        if until_us is None or at_us - until_us > max(series.limit_us, US_PER_HOUR):
            return None
        last_day = series.window(until_us - DRY_H * US_PER_HOUR, until_us)
        return cls(series, until_us, judge_storm(series, until_us=until_us), last_day)

    @cached_property
    def lines(self) -> Mapping[str, IdFinding | None]:
        """What each intensity-duration line says about the storm, by name; nothing without a storm."""
        if self.storm is None:
            return {}
        return judge_lines(self.series, self.storm.window, ID_THRESHOLDS.values())

    @cached_property
    def antecedent(self) -> Antecedent:
        """The rain before; a span with a gap is None."""
        return _antecedent(self)

    def verdict(self, *, exceeded: bool, open_windows: bool) -> Verdict:
        """Return the verdict of a rule: rain that is known is a lower bound, so it can exceed in spite of gaps."""
        if exceeded:
            return Verdict.EXCEEDED
        if not self.last_day.complete:
            return Verdict.UNKNOWN
        return Verdict.PARTLY if open_windows else Verdict.NOT_EXCEEDED


def line_rules(rain: RainEvidence, *, zone: Zone | None) -> list[RuleResult]:
    """Return what each intensity-duration line says about the storm.

    In zone C, the flattest, each gives one level less [project proposal].
    """
    return [_line_rule(rain, line, zone=zone) for line in ID_THRESHOLDS.values()]


def _line_rule(rain: RainEvidence, line: IdThreshold, *, zone: Zone | None) -> RuleResult:
    found = rain.lines.get(line.name)
    if rain.storm is not None and found is None:
        return RuleResult(rule=line.name, verdict=Verdict.UNKNOWN, source=line.source)
    window = rain.last_day if found is None else found.window
    threshold_mm = line.depth_mm(window.hours)
    exceeded = found is not None and found.exceeded
    result = RuleResult(
        rule=line.name,
        verdict=rain.verdict(exceeded=exceeded, open_windows=found is not None and found.unknown > 0),
        level=_in_zone(line.level, zone) if exceeded else SlopeLevel.NORMAL,
        value=_tenth(window.mm),
        threshold=_tenth(threshold_mm),
        ratio=round(window.mm / threshold_mm, 3),
        windows=1 if found is None else found.judged,
        windows_unknown=(0 if window.complete else 1) if found is None else found.unknown,
        source=line.source,
    )
    return _over(result, window)


def _antecedent(rain: RainEvidence) -> Antecedent:
    three, fifteen = _three_and_fifteen(rain)
    days = [
        rain.series.window(end_us - US_PER_DAY, end_us)
        for end_us in range(rain.until_us - (_INDEX_DAYS - 1) * US_PER_DAY, rain.until_us + 1, US_PER_DAY)
    ]
    index = antecedent_index_mm([day.mm if day.complete else math.nan for day in days], k=_INDEX_K)[-1]
    return Antecedent(
        p3_mm=_tenth(three.mm) if three.complete else None,
        p15_mm=_tenth(fifteen.mm) if fifteen.complete else None,
        index_mm=None if math.isnan(index) else _tenth(index),
    )


def antecedent_rule(rain: RainEvidence, *, zone: Zone | None) -> RuleResult:
    """Return what the line of three days against the fifteen before says.

    More earlier rain lowers the line, so known rain of both spans is enough to exceed it.
    """
    three, fifteen = _three_and_fifteen(rain)
    threshold_mm = ANTECEDENT.depth_mm(fifteen.mm)
    exceeded = three.mm > threshold_mm
    complete = three.complete and fifteen.complete
    verdict = Verdict.EXCEEDED if exceeded else Verdict.NOT_EXCEEDED if complete else Verdict.UNKNOWN
    result = RuleResult(
        rule=ANTECEDENT.name,
        verdict=verdict,
        level=_in_zone(ANTECEDENT.level, zone) if exceeded else SlopeLevel.NORMAL,
        value=_tenth(three.mm),
        threshold=_tenth(threshold_mm) if complete or exceeded else None,
        ratio=round(three.mm / threshold_mm, 3) if threshold_mm and (complete or exceeded) else None,
        windows=1,
        windows_unknown=0 if complete else 1,
        source=ANTECEDENT.source,
    )
    return _over(result, three)


def zone_rule(rain: RainEvidence, *, zone: Zone | None, yearly_mm: float | None) -> RuleResult:
    """Return what the trigger rain of Permen PU 22/2007 says.

    The regulation names it for zone A: siaga there, waspada in B, pantau in C; lighter rain of more than two hours,
    which every wet day brings, is pantau in A and nothing elsewhere [project proposal].
    """
    if zone is None:
        return RuleResult(rule=ZONE, verdict=Verdict.UNKNOWN, source=_PU22)
    storm = rain.storm
    hour_mm, day_mm, hours = (
        (0.0, rain.last_day.mm, 0) if storm is None else (storm.hour_mm, storm.day_mm, storm.wet_hours)
    )
    clause = rain_trigger(
        hourly_mm=math.nan if hour_mm is None else hour_mm,
        daily_mm=day_mm,
        hours_continuous=hours,
        yearly_mm=yearly_mm,
    )
    if clause is RainTrigger.LONG:
        level = SlopeLevel.PANTAU if zone is Zone.A else SlopeLevel.NORMAL
        return _zone_result(rain, clause, level, float(hours), LONG_H, unit="h")
    level = _ZONE_LEVELS[zone] if clause else SlopeLevel.NORMAL
    if clause is RainTrigger.HOURLY or (
        clause is None and hour_mm is not None and hour_mm / HOURLY_MM > day_mm / DAILY_MM
    ):
        return _zone_result(rain, clause, level, hour_mm or 0.0, HOURLY_MM, window_h=1.0)
    return _zone_result(rain, clause, level, day_mm, DAILY_MM, window_h=24.0)


def _zone_result(
    rain: RainEvidence,
    clause: RainTrigger | None,
    level: SlopeLevel,
    value: float,
    threshold: float,
    *,
    unit: str = "mm",
    window_h: float | None = None,
) -> RuleResult:
    # Rain that meets the clause of a zone where it means nothing is not exceeding anything.
    exceeded = clause is not None and level is not SlopeLevel.NORMAL
    gaps = rain.storm is not None and not rain.storm.window.complete
    return RuleResult(
        rule=ZONE,
        verdict=rain.verdict(exceeded=exceeded, open_windows=gaps),
        level=level,
        value=_tenth(value),
        threshold=threshold,
        unit=unit,
        ratio=round(value / threshold, 3),
        window_h=window_h,
        source=_PU22,
    )


def soil_state(
    soil: Soil | None, *, slope_deg: float | None, moisture_pct: float | None, wetness: float | None
) -> SoilState:
    """Return the stability of a unit as far as slope, soil and wetness (0 to 1) are known."""
    if soil is None or not slope_deg:
        return SoilState(moisture_pct=moisture_pct, wetness=_rounded(wetness))

    def factor(share: float) -> float:
        return round(factor_of_safety(soil, slope_deg=slope_deg, water_m=share * soil.depth_m), 3)

    return SoilState(
        moisture_pct=moisture_pct,
        wetness=_rounded(wetness),
        factor_of_safety=None if wetness is None else factor(wetness),
        factor_dry=factor(0.0),
        factor_saturated=factor(1.0),
    )


def safety_rule(state: SoilState) -> RuleResult:
    """Return what the factor of safety says: below 1 siaga, 1.25 waspada, 1.5 pantau [project proposal].

    A slope that would slide even dry stands nevertheless: then its parameters are wrong, and the rule says nothing.
    """
    factor, dry = state.factor_of_safety, state.factor_dry
    if factor is None or dry is None or dry < 1:
        return RuleResult(rule=SAFETY, verdict=Verdict.UNKNOWN, value=factor, unit="1")
    bound, level = next(((b, given) for b, given in _SAFETY_LEVELS if factor < b), (1.0, SlopeLevel.NORMAL))
    return RuleResult(
        rule=SAFETY,
        verdict=Verdict.NOT_EXCEEDED if level is SlopeLevel.NORMAL else Verdict.EXCEEDED,
        level=level,
        value=factor,
        threshold=bound,
        unit="1",
        ratio=round(factor / bound, 3),
        source="infinite slope",
    )


def _three_and_fifteen(rain: RainEvidence) -> tuple[Window, Window]:
    middle_us = rain.until_us - 3 * US_PER_DAY
    return (
        rain.series.window(middle_us, rain.until_us),
        rain.series.window(middle_us - 15 * US_PER_DAY, middle_us),
    )


def _over(result: RuleResult, window: Window) -> RuleResult:
    return msgspec.structs.replace(
        result,
        window_h=round(window.hours, 3),
        begin=rfc3339(window.begin_us),
        end=rfc3339(window.end_us),
        gap_h=round(window.gap_h, 3),
    )


def _in_zone(level: SlopeLevel, zone: Zone | None) -> SlopeLevel:
    return one_less(level) if zone is Zone.C else level


def _tenth(value: float) -> float:
    return round(value, 1)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
