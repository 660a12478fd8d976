"""BMKG's nowcast: its list, its files, and which of our stations lie in it."""

from pathlib import Path

import msgspec
import pytest

from serayu.models.cap.nowcast import circle_shape, in_force, nowcasts_at, read_nowcasts
from serayu.models.cap.read import read_cap
from serayu.models.cap.rss import CENTRAL_JAVA, province_of, read_rss
from serayu.models.cap.safe import XmlRefusedError
from serayu.models.cap.structs import CapAlert, CapArea
from serayu.models.region import load_region
from serayu.models.station import Station, StationKind
from serayu.models.times import US_PER_HOUR, parse_rfc3339
from tests.shared import shared

DATA = Path(__file__).parents[2] / "data" / "cap"
ALERT = read_cap((DATA / "nowcast.xml").read_bytes())
NOON = parse_rfc3339("2026-02-16T22:00:00+07:00")
END = parse_rfc3339("2026-02-17T01:00:00+07:00")

replace = msgspec.structs.replace


def station(name: str, lat: float, lon: float) -> Station:
    return Station(name, "33.02", name, StationKind.RAIN, lon, lat, (), source="made up")


INSIDE, EDGE, OUTSIDE = (
    station("pos-a", -7.5, 109.2),
    station("pos-b", -7.4, 109.2),
    station("pos-c", -7.3, 109.2),
)


def stations_in(*alerts: CapAlert, at_us: int = NOON) -> set[str]:
    return set(nowcasts_at(alerts, [INSIDE, EDGE, OUTSIDE], at_us=at_us))


def test_stations_inside_or_on_the_edge_have_the_alert_with_its_source() -> None:
    found = nowcasts_at([ALERT, ALERT], [INSIDE, EDGE, OUTSIDE], at_us=NOON)
    assert set(found) == {"pos-a", "pos-b"}
    (one,) = found["pos-a"]
    assert (one.event, one.severity, one.expires_us) == ("Hujan Uji", "Moderate", END)
    assert one.attribution == "Pengirim Uji"
    theirs = replace(ALERT, sender="cuaca.ekstrem@bmkg.go.id")
    assert nowcasts_at([theirs], [INSIDE], at_us=NOON)["pos-a"][0].attribution == "BMKG"


@pytest.mark.parametrize(("at_us", "there"), [(NOON - 1, False), (NOON, True), (END - 1, True), (END, False)])
def test_an_alert_holds_from_effective_until_expires(at_us: int, there: bool) -> None:  # noqa: FBT001
    assert bool(stations_in(ALERT, at_us=at_us)) is there


def test_what_is_no_actual_alert_is_not_shown() -> None:
    assert stations_in(replace(ALERT, status="Test")) == set()
    assert stations_in(replace(ALERT, msg_type="Ack")) == set()
    assert stations_in(replace(ALERT, infos=())) == set()
    assert stations_in(replace(ALERT, infos=(replace(ALERT.infos[0], expires=None),))) == set()
    assert nowcasts_at([], [INSIDE], at_us=NOON) == {}


def test_an_update_or_a_cancel_ends_what_it_refers_to() -> None:
    about = f"{ALERT.sender},{ALERT.identifier},{ALERT.sent}"
    elsewhere = CapArea("lain", polygons=(((0.0, 1.0), (0.0, 2.0), (1.0, 2.0), (0.0, 1.0)),))
    update = replace(
        ALERT,
        identifier="baru",
        msg_type="Update",
        references=about,
        infos=(replace(ALERT.infos[0], areas=(elsewhere,)),),
    )
    assert stations_in(ALERT, update) == set()
    cancel = replace(ALERT, identifier="batal", msg_type="Cancel", references=about)
    assert in_force([cancel, ALERT], at_us=NOON) == []
    later = replace(cancel, sent="2026-02-16T23:00:00+07:00")
    assert stations_in(ALERT, later) == {"pos-a", "pos-b"}
    assert stations_in(ALERT, later, at_us=NOON + US_PER_HOUR) == set()


def test_a_circle_reaches_its_radius() -> None:
    area = CapArea("sekitar", circles=(((-7.3, 109.2), 12.0),))
    alert = replace(ALERT, infos=(replace(ALERT.infos[0], areas=(area,)),))
    assert stations_in(alert) == {"pos-b", "pos-c"}  # 11.1 km and 0; the other is 22 km away
    assert stations_in(replace(alert, infos=(replace(alert.infos[0], areas=(CapArea("tanpa"),)),))) == set()


def test_a_circle_at_60_degrees_is_twice_as_wide_in_degrees() -> None:
    west, south, east, north = circle_shape((60.0, 10.0), 111.195).bounds
    assert (north - south, east - west) == pytest.approx((2.0, 4.0), rel=1e-3)


def test_one_bad_file_does_not_silence_the_others() -> None:
    good = (DATA / "nowcast.xml").read_bytes()
    found = read_nowcasts({"a": b"<html/>", "b": good, "c": (DATA / "entity.xml").read_bytes()})
    assert [alert.identifier for alert in found.alerts] == [ALERT.identifier]
    assert {name: reason.partition(":")[0] for name, reason in found.refused.items()} == {
        "a": "not_an_alert",
        "c": "doctype_refused",
    }


def test_the_list_names_each_alert_its_file_and_its_province() -> None:
    first, second = read_rss((DATA / "nowcast.rss").read_bytes())
    assert (first.guid, first.province) == ("2.49.0.1.360.99.2026.02.16.16.36.004", "CBT")
    assert first.published_us == parse_rfc3339("2026-02-16T22:50:00+07:00")
    assert second.province == CENTRAL_JAVA
    assert second.published_us is None  # no zone: not guessed


def test_what_is_no_list_is_refused() -> None:
    with pytest.raises(XmlRefusedError, match="expected RSS"):
        read_rss((DATA / "nowcast.xml").read_bytes())
    with pytest.raises(XmlRefusedError, match="doctype_refused"):
        read_rss((DATA / "entity.xml").read_bytes())


@pytest.mark.parametrize(
    "link", [None, "", "https://x/CJG2026_alert.xml", "https://x/DJG20260216005_alert.xml"]
)
def test_a_link_of_another_form_has_no_province(link: str | None) -> None:
    assert province_of(link) is None


@pytest.mark.shared
def test_the_real_alerts_of_two_provinces_are_read_and_reach_none_of_our_stations() -> None:
    folder = shared("domain", "cap", "bmkg")
    found = read_nowcasts({file.name: file.read_bytes() for file in folder.glob("cap_*.xml")})
    assert (len(found.alerts), found.refused) == (2, {})
    assert len(in_force(found.alerts, at_us=NOON + US_PER_HOUR)) == 2
    region = load_region(Path(__file__).parents[3] / "regions" / "banyumas")
    assert nowcasts_at(found.alerts, region.stations.values(), at_us=NOON + US_PER_HOUR) == {}
    pekalongan = station("pos-d", -6.88, 109.68)
    (one,) = nowcasts_at(found.alerts, [pekalongan], at_us=NOON + US_PER_HOUR)["pos-d"]
    assert (one.attribution, one.headline) == ("BMKG", "Hujan Lebat disertai Petir di Jawa Tengah")
