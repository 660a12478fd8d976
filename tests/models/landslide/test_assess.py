"""A unit's level follows from rain, soil, slope and findings; what is missing is said and never taken as safe."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from serayu.models.landslide.findings import FindingKind, PlacedFinding, SlopeFinding
from serayu.models.landslide.levels import SlopeLevel
from serayu.models.landslide.rain import RainSeries
from serayu.models.landslide.result import Verdict
from serayu.models.landslide.series import SoilSeries
from serayu.models.texts import catalogue
from serayu.models.times import US_PER_DAY, US_PER_HOUR
from tests.models.landslide.support import AT_US, SOIL, hourly, judged, reported, series, unit

NAN = math.nan
DRY = hourly()


@pytest.mark.parametrize(
    ("rain", "level", "deciding"),
    [
        pytest.param(DRY, "normal", None, id="dry"),
        pytest.param(hourly(2.0), "normal", None, id="a shower"),
        pytest.param(hourly(5.0), "pantau", "guzzetti2008_global", id="above Guzzetti"),
        pytest.param(hourly(6.0, 6.0, 6.0), "waspada", "muntohar_umy", id="above UMY"),
        pytest.param(hourly(35.0, 10.0), "siaga", "caine1980", id="above Caine"),
        pytest.param(
            hourly(35.0, 10.0, *[0.0] * 20), "siaga", "caine1980", id="held while the storm is not over"
        ),
        pytest.param(hourly(35.0, 10.0, *[0.0] * 24), "normal", None, id="a dry day ends it"),
    ],
)
def test_rain_gives_the_level_of_the_highest_line_that_it_exceeds(
    rain: RainSeries, level: str, deciding: str | None
) -> None:
    result = judged(unit(), rain)
    assert (result.level.value, result.deciding) == (level, deciding)


@pytest.mark.parametrize(
    ("changes", "rain", "at_us", "missing"),
    [
        pytest.param({}, {}, AT_US, "rain", id="no such gauge"),
        pytest.param({"rain": ()}, {"g1": DRY}, AT_US, "gauge", id="no gauge named"),
        pytest.param({}, {"g1": series([])}, AT_US, "rain", id="an empty series"),
        pytest.param({}, {"g1": DRY}, AT_US + 3 * US_PER_HOUR, "rain", id="old rain"),
        pytest.param({}, {"g1": DRY}, AT_US - 30 * US_PER_DAY, "rain", id="rain of later only"),
        pytest.param({}, {"g1": hourly(NAN, *[0.0] * 5)}, AT_US, "rain_last_day", id="a gap in the last day"),
        pytest.param({}, {"g1": hourly(2.0, NAN, 2.0)}, AT_US, "rain_last_day", id="a gap in light rain"),
        pytest.param(
            {}, {"g1": hourly(5.0, NAN, 0.0)}, AT_US, "rain_last_day", id="pantau with a gap may be more"
        ),
    ],
)
def test_without_whole_rain_a_unit_is_unknown_and_not_normal(
    changes: dict[str, Any],
    rain: dict[str, RainSeries],
    at_us: int,
    missing: str,
) -> None:
    result = judged(unit(**changes), rain, at_us=at_us)
    assert (result.level, result.siaga) == (SlopeLevel.UNKNOWN, None)
    assert missing in result.missing
    assert "TIDAK DIKETAHUI" in result.explanation.id


def test_rain_that_is_known_raises_in_spite_of_a_gap() -> None:
    result = judged(unit(), hourly(20.0, NAN, 40.0))
    caine = result.rule("caine1980")
    assert result.level is SlopeLevel.SIAGA
    assert caine is not None
    assert caine.verdict is Verdict.EXCEEDED


def test_an_old_gap_in_the_storm_leaves_a_rule_partly_known() -> None:
    result = judged(unit(), hourly(3.0, NAN, *[0.0] * 20, 0.5, *[0.0] * 20, 0.5))
    caine = result.rule("caine1980")
    assert caine is not None
    assert caine.verdict is Verdict.PARTLY
    assert "rain_storm" in result.missing
    assert caine.windows_unknown


@pytest.mark.parametrize(
    ("p15", "p3", "verdict"),
    [
        pytest.param(0.0, 138.0, Verdict.NOT_EXCEEDED, id="below the line"),
        pytest.param(0.0, 138.6, Verdict.EXCEEDED, id="above the line"),
        pytest.param(300.0, 51.0, Verdict.NOT_EXCEEDED, id="wet ground, below 52.1"),
        pytest.param(300.0, 53.1, Verdict.EXCEEDED, id="wet ground, above"),
        pytest.param(600.0, 0.0, Verdict.NOT_EXCEEDED, id="the line is at 0 and it does not rain"),
        pytest.param(600.0, 1.5, Verdict.EXCEEDED, id="the line is at 0 and it rains"),
    ],
)
def test_three_days_are_held_against_the_fifteen_before(p15: float, p3: float, verdict: Verdict) -> None:
    rain = hourly(*[p15 / 360] * 360, *[p3 / 72] * 72)
    result = judged(unit(), rain)
    rule = result.rule("pejawaran")
    assert rule is not None
    assert rule.verdict is verdict
    assert result.antecedent.p3_mm == pytest.approx(p3, abs=0.05)
    assert result.antecedent.p15_mm == pytest.approx(p15, abs=0.05)


def test_the_antecedent_rule_is_unknown_with_a_gap_in_eighteen_days_and_the_level_is_not() -> None:
    result = judged(unit(), hourly(NAN, *[0.0] * 400))
    rule = result.rule("pejawaran")
    assert rule is not None
    assert (rule.verdict, rule.threshold) == (Verdict.UNKNOWN, None)
    assert result.antecedent.p15_mm is None
    assert result.level is SlopeLevel.NORMAL
    assert "rain_18_days" in result.missing


@pytest.mark.parametrize(
    ("slope", "yearly", "rain", "level"),
    [
        pytest.param(30.0, 3000.0, [71.0], "siaga", id="zone A, an hour"),
        pytest.param(30.0, 3000.0, [5.0] * 20, "siaga", id="zone A, a day"),
        pytest.param(30.0, 2000.0, [5.0] * 20, "pantau", id="zone A, a day of a dry region"),
        pytest.param(30.0, None, [5.0] * 20, "siaga", id="zone A, year not known"),
        pytest.param(15.0, 3000.0, [71.0], "waspada", id="zone B"),
        pytest.param(5.0, 3000.0, [71.0], "pantau", id="zone C"),
        pytest.param(30.0, 3000.0, [0.3] * 3, "pantau", id="zone A, light and long"),
        pytest.param(15.0, 3000.0, [0.3] * 3, "normal", id="zone B, light and long"),
    ],
)
def test_the_trigger_rain_of_the_regulation(
    slope: float, yearly: float | None, rain: list[float], level: str
) -> None:
    rule = judged(unit(slope_deg=slope, yearly_rain_mm=yearly), hourly(*rain)).rule("permen_pu22")
    assert rule is not None
    assert rule.level.value == level


def test_without_a_slope_rain_still_counts_and_the_slope_is_named_as_missing() -> None:
    result = judged(unit(slope_deg=None), hourly(35.0, 10.0))
    rule = result.rule("permen_pu22")
    assert rule is not None
    assert (result.level.value, rule.verdict, result.zone) == ("siaga", Verdict.UNKNOWN, None)
    assert "slope" in result.missing


def test_flat_ground_counts_one_level_less() -> None:
    assert judged(unit(slope_deg=5.0), hourly(35.0, 10.0)).level is SlopeLevel.WASPADA


def soil(moisture: float, *, age_h: float = 1.0) -> dict[str, SoilSeries]:
    return {"soil": SoilSeries((AT_US - round(age_h * US_PER_HOUR),), (moisture,))}


@pytest.mark.parametrize(
    ("slope", "moisture", "level"),
    [
        pytest.param(25.0, 20.0, "normal", id="dry soil"),
        pytest.param(33.0, 40.0, "waspada", id="half wet"),
        pytest.param(33.0, 50.0, "siaga", id="full pores"),
    ],
)
def test_the_factor_of_safety_gives_a_level(slope: float, moisture: float, level: str) -> None:
    assert judged(unit(slope_deg=slope, **SOIL), DRY, soil=soil(moisture)).level.value == level


def test_siaga_rain_on_a_slope_below_a_factor_of_one_is_awas() -> None:
    result = judged(unit(slope_deg=33.0, **SOIL), hourly(35.0, 10.0), soil=soil(50.0))
    assert result.level is SlopeLevel.AWAS
    assert result.soil.factor_of_safety is not None
    assert result.soil.factor_of_safety < 1 < (result.soil.factor_dry or 0)


@pytest.mark.parametrize(
    ("changes", "moisture", "missing"),
    [
        pytest.param({}, None, "soil_moisture", id="no probe"),
        pytest.param({}, soil(50.0, age_h=7), "soil_moisture", id="an old value"),
        pytest.param({}, soil(NAN), "soil_moisture", id="no value"),
        pytest.param({"depth_m": None}, soil(50.0), "soil", id="no depth"),
        pytest.param({"saturation_pct": None}, soil(50.0), "soil", id="no saturation"),
        pytest.param(
            {"cohesion_kpa": 0.0, "friction_deg": 20.0},
            soil(50.0),
            "soil_plausible",
            id="cannot stand",
        ),
    ],
)
def test_stability_that_is_not_known_is_named_and_raises_nothing(
    changes: dict[str, Any], moisture: dict[str, SoilSeries] | None, missing: str
) -> None:
    result = judged(unit(slope_deg=33.0, **{**SOIL, **changes}), DRY, soil=moisture)
    assert missing in result.missing
    assert result.level is SlopeLevel.NORMAL


def finding(
    kind: str, *, edge_m: float | None = None, days: float = 1, lon: float = 109.0005
) -> PlacedFinding:
    seen_us = AT_US - round(days * US_PER_DAY)
    return PlacedFinding(
        SlopeFinding(kind=FindingKind(kind), observed_us=seen_us, edge_m=edge_m), Point(lon, -7.3995)
    )


@pytest.mark.parametrize(
    ("rain", "findings", "level"),
    [
        pytest.param(DRY, [], "normal", id="nothing seen"),
        pytest.param(DRY, [finding("bare_soil")], "normal", id="bare soil alone"),
        pytest.param(DRY, [finding("scar")], "pantau", id="a scar"),
        pytest.param(DRY, [finding("crack", edge_m=10.0)], "waspada", id="a crack at the edge"),
        pytest.param(DRY, [finding("crack", edge_m=10.1)], "normal", id="a crack elsewhere"),
        pytest.param(DRY, [finding("crack")], "normal", id="a crack somewhere"),
        pytest.param(hourly(6.0, 6.0, 6.0), [finding("bare_soil")], "siaga", id="bare soil in rain"),
        pytest.param(
            hourly(35.0, 10.0),
            [finding("scar"), finding("crack", edge_m=1.0)],
            "awas",
            id="one step, not two",
        ),
        pytest.param(DRY, [finding("crack", edge_m=1.0, days=181)], "normal", id="too old"),
        pytest.param(DRY, [finding("crack", edge_m=1.0, days=-0.1)], "normal", id="not seen yet"),
        pytest.param(
            DRY, [finding("crack", edge_m=1.0, lon=109.00145)], "waspada", id="49 m beside the unit"
        ),
        pytest.param(DRY, [finding("crack", edge_m=1.0, lon=109.0015)], "normal", id="55 m beside the unit"),
        pytest.param(series([]), [finding("crack", edge_m=1.0)], "waspada", id="known danger, unknown rain"),
        pytest.param(series([]), [finding("scar")], "unknown", id="a scar does not make rain known"),
    ],
)
def test_findings_raise_by_the_stated_rule(
    rain: RainSeries, findings: list[PlacedFinding], level: str
) -> None:
    assert judged(unit(), rain, findings=findings).level.value == level


def test_the_first_gauge_with_whole_rain_speaks_and_the_others_are_named() -> None:
    placed = unit(rain=("dead", "g1", "g2"))
    result = judged(placed, {"g1": hourly(NAN), "g2": DRY})
    assert (result.gauge, result.without_gauges) == ("g2", ("dead", "g1"))
    assert judged(placed, {"g1": hourly(NAN, 0.0)}).gauge == "g1"


def test_a_road_has_the_level_of_its_worst_unit_and_is_not_normal_with_an_unknown_one() -> None:
    units = [
        unit(id="a"),
        unit(id="b", rain=()),
        unit(id="c", ruas="R2"),
        unit(id="d", ruas="R3", rain=("wet",)),
    ]
    report = reported(units, {"g1": DRY, "wet": hourly(35.0, 10.0)})
    assert [(one.ruas, one.level.value, one.siaga) for one in report.ruas] == [
        ("R3", "siaga", "siaga"),
        ("R2", "normal", "normal"),
        ("R1", "unknown", None),
    ]
    assert report.ruas[2].unknown_units == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 40), min_size=1, max_size=20), st.floats(0, 40), st.integers(0, 19))
def test_more_rain_never_lowers_a_level(mm: list[float], more: float, place: int) -> None:
    wetter = list(mm)
    wetter[place % len(mm)] += more
    assert judged(unit(), hourly(*wetter)).level.rank >= judged(unit(), hourly(*mm)).level.rank


@given(
    st.lists(st.one_of(st.just(NAN), st.floats(0, 40)), min_size=1, max_size=30),
    st.lists(st.floats(0, 40), max_size=6),
)
def test_what_comes_later_changes_nothing(mm: list[float], later: list[float]) -> None:
    now = hourly(*mm)
    end_us = AT_US + len(later) * US_PER_HOUR
    then = series([0.0] * (480 - len(mm)) + mm + later, end_us=end_us)
    assert judged(unit(), then) == judged(unit(), now)


def test_every_missing_key_rule_and_level_has_its_text() -> None:
    texts = catalogue()
    keys = (
        "gauge rain rain_last_day rain_storm rain_18_days yearly_rain slope soil soil_plausible soil_moisture findings "
        "crack_edge"
    )
    assert all(set(texts[f"landslide.missing.{key}"]) >= {"id", "en"} for key in keys.split())
    assert all(f"landslide.level.{level.value}" in texts for level in SlopeLevel)


def test_an_explanation_names_number_window_threshold_rule_and_what_is_missing() -> None:
    told = judged(unit(invented=True), hourly(35.0, 10.0)).explanation
    assert told.id == (
        "Tebing: SIAGA (Siaga 2). Hujan 35,0 mm dalam 1 jam di penakar g1 sampai 21-01-2026 06.00 WIB, di atas ambang "
        "Caine 1980 14,8 mm. Lereng 30°, zona A. Tidak diketahui: kelembapan tanah, sifat tanah, temuan drone. "
        "Sifat lereng dibuat-buat."
    )
    assert told.en.startswith("Tebing: ALERT (Siaga 2, siaga). Rain of 35.0 mm in 1 h at gauge g1")
