"""A result in a few sentences, Indonesian and English, from the catalogue of texts."""

from serayu.models.landslide.levels import SlopeLevel
from serayu.models.landslide.result import Explanation, RuasResult, RuleResult, UnitResult
from serayu.models.landslide.thresholds import ID_THRESHOLDS
from serayu.models.texts import decimal, text
from serayu.models.times import parse_rfc3339, wib

__all__ = ["explain_ruas", "explain_unit"]

_SAFETY = "factor_of_safety"


def explain_unit(result: UnitResult) -> Explanation:
    """Return why a unit has its level, which number stood behind it, and what was missing."""
    return Explanation(_unit(result, "id"), _unit(result, "en"))


def explain_ruas(result: RuasResult, worst: UnitResult) -> Explanation:
    """Return the level of a road and the unit behind it."""
    return Explanation(_ruas(result, worst, "id"), _ruas(result, worst, "en"))


def _unit(result: UnitResult, lang: str) -> str:
    parts = [text("landslide.explain.head", lang, name=result.name, level=_label(result.level, lang))]
    parts += _rain(result, lang) + _slope(result, lang)
    if result.findings:
        kinds = ", ".join(dict.fromkeys(text(f"landslide.finding.{kind}", lang) for kind in result.findings))
        parts.append(text("landslide.explain.findings", lang, kinds=kinds))
    if result.missing:
        keys = ", ".join(text(f"landslide.missing.{key}", lang) for key in result.missing)
        parts.append(text("landslide.explain.missing", lang, keys=keys))
    if result.invented:
        parts.append(text("landslide.explain.invented", lang))
    return " ".join(parts)


def _rain(result: UnitResult, lang: str) -> list[str]:
    rule = _telling_rule(result)
    if rule is None or rule.value is None or rule.threshold is None:
        return [text("landslide.explain.no_rain", lang)] if result.gauge is None else []
    fields = {
        "gauge": result.gauge,
        "value": decimal(rule.value, 1, lang),
        "hours": decimal(rule.window_h, 0 if rule.window_h >= 1 else 2, lang) if rule.window_h else "",
        "end": wib(parse_rfc3339(rule.end or result.rain_until or "")),
        "threshold": decimal(rule.threshold, 1, lang),
        "rule": text(f"landslide.rule.{rule.rule}", lang),
    }
    if rule.unit == "h":
        return [text("landslide.explain.long", lang, **fields)]
    key = "above" if rule.level.rank > 0 else "below"
    told = [text(f"landslide.explain.{key}", lang, **fields)]
    if rule.gap_h:
        told.append(text("landslide.explain.at_least", lang, hours=decimal(rule.gap_h, 1, lang)))
    return told


def _telling_rule(result: UnitResult) -> RuleResult | None:
    """Return the rain rule to tell: the deciding one, else the strongest, nearest to its threshold."""
    rain = [rule for rule in result.rules if rule.rule != _SAFETY and rule.ratio is not None]
    deciding = [rule for rule in rain if rule.rule == result.deciding]
    lines = [rule for rule in rain if rule.rule in ID_THRESHOLDS]
    return max(
        deciding or [rule for rule in rain if rule.level.rank > 0] or lines,
        key=lambda rule: (rule.level.rank, rule.ratio or 0.0),
        default=None,
    )


def _slope(result: UnitResult, lang: str) -> list[str]:
    told = []
    if result.slope_deg is not None and result.zone is not None:
        told.append(
            text(
                "landslide.explain.slope",
                lang,
                degrees=decimal(result.slope_deg, 0, lang),
                zone=result.zone.value,
            )
        )
    if result.soil.factor_of_safety is not None and "soil_plausible" not in result.missing:
        told.append(
            text("landslide.explain.safety", lang, factor=decimal(result.soil.factor_of_safety, 2, lang))
        )
    return told


def _ruas(result: RuasResult, worst: UnitResult, lang: str) -> str:
    name = " ".join(part for part in (result.ruas, result.name) if part)
    fields = {"name": name, "level": _label(result.level, lang), "unit": worst.name}
    parts = [text("landslide.explain.ruas", lang, **fields)]
    if result.unknown_units:
        parts.append(
            text(
                "landslide.explain.ruas_unknown", lang, unknown=result.unknown_units, units=len(result.units)
            )
        )
    return " ".join(parts)


def _label(level: SlopeLevel, lang: str) -> str:
    return text(f"landslide.level.{level.value}", lang)
