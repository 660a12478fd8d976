"""What an assessment says, as structs whose fields are the keys of its JSON."""

import enum

import msgspec

from serayu.models.landslide.levels import SlopeLevel
from serayu.models.landslide.zones import Zone

__all__ = [
    "Antecedent",
    "Explanation",
    "Report",
    "RuasResult",
    "RuleResult",
    "SoilState",
    "UnitResult",
    "Verdict",
]

FORMAT = "serayu.landslide/1"


class Verdict(enum.StrEnum):
    """What a rule says.

    `PARTLY` : nothing that is known exceeds it, and gaps before the last day leave some windows open. `UNKNOWN`:
    what it needs is missing, or the last day has gaps.
    """

    EXCEEDED = "exceeded"
    NOT_EXCEEDED = "not_exceeded"
    PARTLY = "partly_known"
    UNKNOWN = "unknown"


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: number, threshold, window, verdict.

    Parameters
    ----------
    rule
        Its name; texts ``landslide.rule.<name>``.
    verdict
        What it says.
    level
        Level that it gives: normal unless exceeded.
    value, threshold, unit
        Number, what it is held against, and their unit; None where not known. With gaps the rain is a lower bound.
    ratio
        Value over threshold; None where there is none.
    window_h, begin, end
        Length and bounds (RFC 3339) of the deciding window.
    gap_h
        Hours of that window without a value.
    windows, windows_unknown
        How many windows were judged, and how many of them gaps leave open.
    source
        Where the rule comes from.
    """

    rule: str
    verdict: Verdict
    level: SlopeLevel = SlopeLevel.NORMAL
    value: float | None = None
    threshold: float | None = None
    unit: str = "mm"
    ratio: float | None = None
    window_h: float | None = None
    begin: str | None = None
    end: str | None = None
    gap_h: float | None = None
    windows: int | None = None
    windows_unknown: int | None = None
    source: str = ""


class Antecedent(msgspec.Struct, frozen=True, kw_only=True):
    """Rain before: of the last 3 days, of the 15 before those, and the index of 30 days, mm; None with a gap."""

    p3_mm: float | None = None
    p15_mm: float | None = None
    index_mm: float | None = None


class SoilState(msgspec.Struct, frozen=True, kw_only=True):
    """Soil and stability; factors of safety with no water, with the present water, and with all pores full."""

    moisture_pct: float | None = None
    wetness: float | None = None
    factor_of_safety: float | None = None
    factor_dry: float | None = None
    factor_saturated: float | None = None


class Explanation(msgspec.Struct, frozen=True):
    """The result in a few sentences, Indonesian and English."""

    id: str
    en: str


class UnitResult(msgspec.Struct, frozen=True, kw_only=True):
    """One slope unit.

    Parameters
    ----------
    id, name, ruas, desa
        Of the unit.
    level, siaga
        Level, and the Siaga level it is told as (None for unknown).
    deciding
        Rule behind the level; None for normal and unknown.
    slope_deg, slope_source, zone
        Slope, where it comes from (``unit`` or ``dem``), zone of Permen PU 22/2007.
    gauge, without_gauges, rain_until
        Rain gauge that spoke, those before it by rank that could not, end of its newest value.
    rules, antecedent, soil
        Each rule; rain before; stability.
    findings
        Kinds of drone findings that count, newest first.
    missing
        What was not there; texts ``landslide.missing.<key>``.
    invented
        Parameters of the unit are made up.
    explanation
        In words.
    """

    id: str
    name: str
    ruas: str
    desa: str | None
    level: SlopeLevel
    siaga: str | None
    deciding: str | None
    slope_deg: float | None
    slope_source: str | None
    zone: Zone | None
    gauge: str | None
    without_gauges: tuple[str, ...]
    rain_until: str | None
    rules: tuple[RuleResult, ...]
    antecedent: Antecedent
    soil: SoilState
    findings: tuple[str, ...]
    missing: tuple[str, ...]
    invented: bool
    explanation: Explanation

    def rule(self, name: str) -> RuleResult | None:
        """Return one rule by name."""
        return next((rule for rule in self.rules if rule.rule == name), None)


class RuasResult(msgspec.Struct, frozen=True, kw_only=True):
    """One road: the highest level of the units above it, and which unit that is.

    ``unknown_units`` counts units without a level: with one of them a road is never called normal.
    """

    ruas: str
    name: str
    level: SlopeLevel
    siaga: str | None
    unit: str
    units: tuple[str, ...]
    unknown_units: int
    missing: tuple[str, ...]
    explanation: Explanation


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An assessment of all units at one moment.

    ``siaga_levels`` says what Siaga level each level is told as.
    """

    format: str
    at: str
    siaga_levels: dict[str, str | None]
    ruas: tuple[RuasResult, ...]
    units: tuple[UnitResult, ...]
