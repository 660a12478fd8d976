"""A road's level becomes a bulletin that every form of warning can be written from."""

from typing import Any

import pytest
from shapely.geometry import Point

from serayu.models.landslide.bulletin import Envelope, ruas_bulletin
from serayu.models.landslide.rain import RainSeries
from serayu.models.landslide.units import PlacedUnit
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_HOUR
from serayu.models.warning.bulletin import POLYGON_POINTS, Bulletin, BulletinStatus, Hazard, MessageType
from serayu.models.warning.registers import message
from serayu.models.warning.sms import sms_text
from tests.models.landslide.support import AT_US, SOIL, SQUARE, hourly, reported, unit
from tests.models.landslide.test_assess import finding, soil

PLACE = {
    "desa": "33.02.15.2006",
    "desa_name": "Gumelar",
    "kecamatan": "Gumelar",
    "ruas_name": "Gumelar-Samudra",
}
STORM = hourly(35.0, 10.0)


def envelope(**changes: Any) -> Envelope:  # noqa: ANN401
    fields: dict[str, Any] = {
        "id": "019a6f00-0000-7000-8000-000000000001",
        "alert_id": "019a6f00-0000-7000-8000-000000000000",
        "region": "33.02",
        "sent_us": AT_US,
        "expires_us": AT_US + 24 * US_PER_HOUR,
        **changes,
    }
    return Envelope(**fields)


def units(**changes: Any) -> list[PlacedUnit]:  # noqa: ANN401
    return [
        unit(id="a", km_from=1.0, km_to=1.4, **PLACE, **changes),
        unit(id="b", km_from=1.2, km_to=1.7, **PLACE, **changes),
        unit(id="c", km_from=3.0, km_to=3.1, **PLACE, rain=("dry",)),
    ]


def bulletin_of(placed: list[PlacedUnit], rain: dict[str, RainSeries], **evidence: Any) -> Bulletin:  # noqa: ANN401
    report = reported(placed, rain, **evidence)
    return ruas_bulletin(report.ruas[0], report, placed, envelope=envelope())


def test_it_carries_the_numbers_of_the_deciding_rule_the_road_and_the_village() -> None:
    told = bulletin_of(units(**SOIL), {"g1": STORM, "dry": hourly()}, soil=soil(20.0))
    assert (told.hazard, told.level, told.status) == (Hazard.LANDSLIDE, Siaga.SIAGA, BulletinStatus.TEST)
    assert told.slope is not None
    assert (told.slope.rule, told.slope.rain_mm, told.slope.rain_h) == ("caine1980", 35.0, 1.0)
    assert told.slope.threshold_mm == pytest.approx(14.8)
    assert told.slope.place == "R1 Gumelar-Samudra"
    assert told.slope.factor_of_safety is not None
    (road,) = told.impact.ruas
    assert (road.km_from, road.km_to, road.length_km) == (1.0, 1.7, 0.7)
    (area,) = told.impact.areas
    assert (area.code, area.people) == ("33.02.15.2006", None)
    assert area.polygons[0][0] == area.polygons[0][-1]
    assert -7.41 < area.polygons[0][0][0] < -7.39
    assert told.station == told.post == "g1"


def test_all_registers_and_the_sms_can_be_written_from_it() -> None:
    told = bulletin_of(units(), {"g1": STORM, "dry": hourly()})
    for lang in ("id", "en", "jv-banyumas"):
        written = message(told, lang)
        assert "35" in written.description
        assert written.headline
        assert len(sms_text(told, lang)) <= 160


@pytest.mark.parametrize(
    ("rain", "reason"),
    [({"g1": hourly(5.0)}, "pantau"), ({"g1": hourly()}, "normal"), ({}, "not known")],
)
def test_nobody_is_alerted_of_what_is_normal_or_not_known(rain: dict[str, RainSeries], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        bulletin_of([unit()], rain)


def test_an_all_clear_names_the_unit_behind_it() -> None:
    report = reported([unit(**PLACE)], hourly())
    before = {"msg_type": MessageType.CANCEL, "references": (("b0", AT_US - 1),), "before": Siaga.SIAGA}
    told = ruas_bulletin(report.ruas[0], report, [unit(**PLACE)], envelope=envelope(**before))
    assert (told.level, told.before) == (Siaga.NORMAL, Siaga.SIAGA)
    assert [area.name for area in told.impact.areas] == ["Gumelar"]


def test_a_finding_without_rain_shows_no_rain_and_says_so() -> None:
    told = bulletin_of([unit()], {}, findings=[finding("crack", edge_m=1.0)])
    assert (told.slope, told.level) == (None, Siaga.WASPADA)
    assert told.note is not None
    assert "retakan" in told.note


def test_a_gauge_that_stands_in_is_named() -> None:
    told = bulletin_of([unit(rain=("dead", "g1"))], {"g1": STORM})
    assert told.station == "g1"
    assert told.note is not None
    assert "dead" in told.note


def test_a_road_whose_stretch_is_not_known_is_missing_and_a_point_has_no_ring() -> None:
    told = bulletin_of([unit(geometry=Point(109.0, -7.4), **PLACE)], {"g1": STORM})
    assert told.impact.ruas == ()
    assert "ruas" in told.impact.missing
    assert told.impact.areas[0].polygons == ()


def test_a_ring_of_many_points_gets_few() -> None:
    told = bulletin_of([unit(geometry=SQUARE.centroid.buffer(0.004, quad_segs=200), **PLACE)], {"g1": STORM})
    (ring,) = told.impact.areas[0].polygons
    assert 4 <= len(ring) <= POLYGON_POINTS
