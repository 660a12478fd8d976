"""Our alerts: valid by the schema, by our rules and to an independent reader, and saying what the bulletin says."""

import itertools
from pathlib import Path

import msgspec
import pytest
from cap_tools.models import Alert as IndependentAlert
from capvalidator import check_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xsdata.formats.dataclass.parsers import XmlParser

from serayu.models.cap.check import check_cap
from serayu.models.cap.read import read_cap
from serayu.models.cap.siaga import bulletin_rating, siaga_rating
from serayu.models.cap.structs import CapAlert
from serayu.models.cap.values import cap_time, moment
from serayu.models.cap.write import cap_xml
from serayu.models.errors import ConflictError
from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.warning.authority import load_authority
from serayu.models.warning.bulletin import (
    AffectedArea,
    Bulletin,
    BulletinStatus,
    Hazard,
    Impact,
    MessageType,
)
from serayu.models.warning.registers import message
from tests.models.cap.generated import bulletin
from tests.models.warning.strategies import bulletins

BANYUMAS = load_authority(Path(__file__).parents[3] / "regions" / "banyumas")
POST = (-7.51, 109.21)
SENT = 1_768_032_000_000_000  # 2026-01-10T15:00:00+07:00

replace = msgspec.structs.replace


def a_bulletin(**changes: object) -> Bulletin:
    plain = Bulletin(
        id="019ba6c0-0000-7000-8000-000000000001",
        alert_id="019ba6c0-0000-7000-8000-0000000000aa",
        change_id=1,
        region="33.02",
        station="bgs-hulu",
        hazard=Hazard.FLOOD,
        msg_type=MessageType.ALERT,
        status=BulletinStatus.TEST,
        sent_us=SENT,
        expires_us=SENT + 6 * 3_600_000_000,
        level=Siaga.SIAGA,
        before=Siaga.WASPADA,
        reason=Reason.THRESHOLD,
        post="Bendung Gerak Serayu",
        river="Serayu",
        level_m=17.456,
        limit_m=17.25,
        at_us=SENT - 60_000_000,
    )
    return replace(plain, **changes)


def written(one: Bulletin) -> CapAlert:
    return read_cap(cap_xml(one, BANYUMAS, position=POST))


def test_a_thousand_alerts_of_ours_are_valid_to_three_judges() -> None:
    independent = XmlParser()
    for seed in range(1000):
        one = bulletin(seed)
        data = cap_xml(one, BANYUMAS, position=POST)
        report = check_cap(data)
        assert (report.verdict, report.problems) == ("valid", ()), (seed, report.problems)
        assert check_schema(data).passed, seed
        theirs = independent.from_bytes(data, IndependentAlert)
        assert theirs.identifier == BANYUMAS.identifier(one.id)
        assert [info.language for info in theirs.infos] == ["id", "en"]
        assert [info.headline for info in theirs.infos] == [
            message(one, lang).headline for lang in ("id", "en")
        ]
        assert len(theirs.references_to_list()) == len(one.references)
        # A ring is in both languages, as a village is.
        rings = [area.polygons for info in theirs.infos for area in info.areas]
        assert sum(map(len, rings)) == 2 * sum(len(area.polygons) for area in one.impact.areas)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bulletins(statuses=st.sampled_from((BulletinStatus.TEST, BulletinStatus.EXERCISE))))
def test_whatever_a_bulletin_holds_its_alert_is_valid_and_says_the_same(one: Bulletin) -> None:
    data = cap_xml(one, BANYUMAS, position=POST)
    assert check_cap(data).problems == ()
    alert = read_cap(data)
    assert (alert.status, alert.msg_type) == (one.status.value, one.msg_type.value)
    assert alert.sent_us == one.sent_us
    for info, lang in zip(alert.infos, ("id", "en"), strict=True):
        said = message(one, lang)
        assert info.headline == said.headline.strip()
        assert info.description == said.description.strip()
        assert info.instruction == said.instruction.strip()
        assert moment(str(info.expires)) == one.expires_us
    first, second = alert.infos
    assert first.parameters == second.parameters
    assert [area.polygons for area in first.areas] == [area.polygons for area in second.areas]


def test_without_a_signature_an_alert_is_restricted_monitoring_information() -> None:
    alert = written(a_bulletin())
    assert (alert.status, alert.scope) == ("Test", "Restricted")
    assert alert.restriction == (
        "Informasi pemantauan, bukan peringatan resmi / Monitoring information, not an official warning"
    )
    assert [info.event for info in alert.infos] == [
        "Informasi pemantauan banjir",
        "Flood monitoring information",
    ]
    assert "2.49.0.1.360.0" not in alert.identifier


def test_status_actual_without_a_signature_is_refused() -> None:
    with pytest.raises(ConflictError, match="needs the signature"):
        cap_xml(a_bulletin(status=BulletinStatus.ACTUAL, authority="BPBD Uji"), BANYUMAS)


def test_numbers_codes_and_times_stand_in_the_alert() -> None:
    info = written(a_bulletin(impact=Impact(people=1234, road_km=2.26))).infos[0]
    values = dict(info.parameters)
    assert (values["level_m"], values["limit_m"], values["siaga"]) == ("17.46", "17.25", "2")
    assert (values["people"], values["road_km"]) == ("1234", "2.3")
    assert "buildings" not in values
    assert (info.categories, info.event_codes) == (("Met",), (("OET", "OET-081"),))
    assert info.expires == "2026-01-10T21:00:00+07:00"
    assert "17,46 m" in str(info.description)


def test_a_landslide_has_its_own_category_and_code_and_no_siaga_number() -> None:
    info = written(a_bulletin(hazard=Hazard.LANDSLIDE, river=None, level_m=None, limit_m=None)).infos[1]
    assert (info.categories, info.event_codes) == (("Geo",), (("OET", "OET-119"),))
    assert "siaga" not in dict(info.parameters)


def test_an_update_refers_to_the_alerts_before_it_each_once() -> None:
    earlier = ("019ba6c0-0000-7000-8000-000000000000", SENT - 3_600_000_000)
    alert = written(a_bulletin(msg_type=MessageType.UPDATE, references=(earlier, earlier)))
    prefix = "id.go.banyumaskab.serayu-uji-coba."
    assert alert.referenced == (
        ("serayu@banyumas.invalid", prefix + earlier[0], "2026-01-10T14:00:00+07:00"),
    )


def test_back_to_normal_is_all_clear() -> None:
    one = a_bulletin(
        level=Siaga.NORMAL,
        before=Siaga.SIAGA,
        limit_m=None,
        msg_type=MessageType.UPDATE,
        references=(("x", SENT - 1_000_000),),
    )
    info = written(one).infos[0]
    assert info.response_types == ("AllClear",)
    assert (info.urgency, info.severity, info.certainty) == ("Past", "Minor", "Observed")


def test_only_what_is_signed_or_rehearsed_says_evacuate() -> None:
    awas = a_bulletin(level=Siaga.AWAS)
    assert bulletin_rating(awas) == ("Severe", "Immediate", "Observed", "Prepare")
    assert written(awas).infos[0].response_types == ("Prepare",)
    for fields in (
        {"status": BulletinStatus.EXERCISE},
        {"status": BulletinStatus.ACTUAL, "authority": "BPBD"},
    ):
        assert bulletin_rating(replace(awas, **fields)).response_type == "Evacuate"
    assert bulletin_rating(a_bulletin(level=Siaga.WASPADA)).response_type == "Monitor"


def test_what_ended_for_want_of_data_is_neither_all_clear_nor_normal() -> None:
    ended = {"msg_type": MessageType.CANCEL, "references": (("x", SENT - 1_000_000),), "limit_m": None}
    one = a_bulletin(level=Siaga.NORMAL, before=Siaga.SIAGA, level_m=None, **ended)
    info = written(one).infos[0]
    assert (info.response_types, info.urgency) == (("Monitor",), "Unknown")
    assert (info.severity, info.certainty) == ("Unknown", "Unknown")
    said = dict(info.parameters)
    assert (said["siaga_before"], said["level_before"]) == ("2", "siaga")
    assert not {"siaga", "level"} & said.keys()


def test_villages_have_polygons_with_six_decimals_and_their_code() -> None:
    ring = ((-7.41, 109.2), (-7.41, 109.3), (-7.51, 109.3), (-7.41, 109.2))
    village = AffectedArea("33.02.12.2001", "Desa Uji", kecamatan="Patikraja", polygons=(ring,))
    data = cap_xml(a_bulletin(impact=Impact(areas=(village,))), BANYUMAS, position=POST)
    assert b"<polygon>-7.410000,109.200000 -7.410000,109.300000 " in data
    area = read_cap(data).infos[0].areas[0]
    assert area.description == "Desa Uji, Kecamatan Patikraja"
    assert (area.polygons, area.circles) == ((ring,), ())
    assert area.geocodes == (("kode_wilayah_kemendagri", "33.02.12.2001"),)


def test_a_ring_that_crosses_itself_is_left_out_and_the_warning_goes_out() -> None:
    bow = ((0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0))
    village = AffectedArea("33.02.12.2001", "Desa Uji", polygons=(bow,))
    area = written(a_bulletin(impact=Impact(areas=(village,)))).infos[0].areas[0]
    assert (area.polygons, area.geocodes[0][1]) == ((), "33.02.12.2001")


def test_where_no_area_is_known_the_post_is_a_point_or_the_region_a_code() -> None:
    area = written(a_bulletin()).infos[0].areas[0]
    assert area.circles == ((POST, 0.0),)
    assert "Bendung Gerak Serayu" in area.description
    placeless = read_cap(cap_xml(a_bulletin(), BANYUMAS)).infos[0].areas[0]
    assert (placeless.circles, placeless.geocodes) == ((), (("kode_wilayah_kemendagri", "33.02"),))


def test_a_telephone_number_in_a_note_never_gets_into_an_alert() -> None:
    data = cap_xml(a_bulletin(note="hubungi Pak Uji 0812-3456-7890 bila tanggul rembes"), BANYUMAS).decode()
    assert "7890" not in data
    assert "hubungi Pak Uji […] bila tanggul rembes" in data


@pytest.mark.parametrize(
    ("changes", "certainty"),
    [
        ({}, "Observed"),
        ({"reason": Reason.FORECAST}, "Likely"),
        ({"reason": Reason.RATE_OF_RISE}, "Likely"),
        ({"verified": False}, "Likely"),
        ({"fallback": ("hulu",), "level_m": None}, "Likely"),
        ({"reason": Reason.FORECAST, "observed_flooding": True}, "Observed"),
    ],
)
def test_only_what_is_there_is_called_observed(changes: dict[str, object], certainty: str) -> None:
    assert bulletin_rating(a_bulletin(level=Siaga.AWAS, **changes)).certainty == certainty


def test_every_level_of_both_hazards_has_a_rating_that_never_falls_with_danger() -> None:
    order = ("Minor", "Moderate", "Severe", "Extreme")
    for hazard, seen in itertools.product(Hazard, (False, True)):
        ratings = [siaga_rating(level, hazard=hazard, observed_flooding=seen) for level in list(Siaga)[1:]]
        ranks = [order.index(rating.severity) for rating in ratings if rating is not None]
        assert len(ranks) == 3
        assert ranks == sorted(ranks)
    assert siaga_rating(Siaga.NORMAL) is None


def test_times_are_those_of_java_without_fractions() -> None:
    assert cap_time(SENT + 999_999) == "2026-01-10T15:00:00+07:00"
