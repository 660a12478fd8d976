"""Bulletins over the api: who sees which, every form of one, the feed, and what need not be fetched twice."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree

from serayu.models.cap.check import check_cap
from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_S
from serayu.models.uuid7 import uuid7
from serayu.models.warning.authority import nobody
from serayu.models.warning.bulletin import AffectedArea, Bulletin, BulletinStatus, Hazard, Impact, MessageType
from serayu.models.warning.documents import bulletin_document
from serayu.models.warning.registers import message
from serayu.models.warning.sms import sms_text
from tests.api.site import Site, now_us, site
from tests.models.warning.test_registers import ALERT

ACTUAL: dict[str, Any] = {"status": BulletinStatus.ACTUAL, "authority": "BPBD Contoh"}
ATOM = "{http://www.w3.org/2005/Atom}"
RING = ((-7.5, 109.2), (-7.4, 109.2), (-7.4, 109.3), (-7.5, 109.3), (-7.5, 109.2))
OTHERS = [None, "public", "crew", "farmer"]


def put(api: Site, *, age_us: int = US_PER_MINUTE, **fields: Any) -> Bulletin:  # noqa: ANN401 -- fields of a bulletin
    """Record a bulletin that was sent so long ago."""
    sent_us = now_us() - age_us
    made = msgspec.structs.replace(
        ALERT,
        **{
            "id": uuid7(sent_us),
            "alert_id": uuid7(sent_us - US_PER_HOUR),
            "station": "hulu",
            "sent_us": sent_us,
            "expires_us": sent_us + US_PER_DAY,
            "at_us": sent_us,
            "foreseen": None,
            "impact": Impact(),
            **fields,
        },
    )
    assert api.register.record_bulletin(made, now_us=now_us())
    return made


def ids(api: Site, role: str | None = None, **asked: str | int) -> list[str]:
    answer = api.get("/api/v1/bulletins", role, **asked)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["bulletins"]]


def test_without_bulletins_every_list_is_empty_and_valid(api: Site) -> None:
    assert api.get("/api/v1/bulletins").json() == {"bulletins": [], "next": None}
    assert api.get("/api/v1/bulletins.geojson").json()["features"] == []
    feed = api.get("/api/v1/cap/feed.atom")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    assert check_cap(feed.content).valid
    page = api.get("/peringatan")
    assert page.status_code == 200
    assert "Tidak ada peringatan yang berlaku." in page.text
    assert "bukan berarti aman" in page.text


def test_what_the_map_shows_and_nobody_signed_is_said_as_monitoring(api: Site) -> None:
    api.change("hulu", Siaga.NORMAL, Siaga.AWAS, level_m=4.25)
    (alert,) = api.register.alerts("33.02")
    told = put(api, status=BulletinStatus.TEST, alert_id=alert.id, level=Siaga.AWAS)
    for role in OTHERS:
        page = api.get("/peringatan", role).text
        assert "Tidak ada peringatan yang berlaku" not in page
        assert "No alerts are in force" not in page
        assert "Belum ada peringatan RESMI" in page
        assert "Pos Hulu: AWAS (Siaga 1), muka air 4,25 m" in page
        assert "bukan peringatan resmi: belum ada instansi" in page
        assert told.id not in page
    agency = api.get("/peringatan", "dishub").text  # has the bulletin on it, and the alert once
    assert told.id in agency
    assert "Belum ada peringatan RESMI" not in agency
    assert "Pemantauan juga" not in agency
    api.change("hilir", Siaga.NORMAL, Siaga.WASPADA, level_m=2.5, verified=False)
    assert "Pos Hilir &lt;i&gt;: WASPADA (Siaga 3), muka air 2,50 m" in api.get("/peringatan").text
    page = api.get("/peringatan", "dishub").text
    assert "Pemantauan juga menunjukkan:" in page
    assert "Data belum terverifikasi." in page
    api.change("hulu", Siaga.AWAS, Siaga.NORMAL, level_m=1.0, age_s=1)
    api.change("hilir", Siaga.WASPADA, Siaga.NORMAL, level_m=1.0, age_s=1)
    assert "Tidak ada peringatan yang berlaku." in api.get("/peringatan").text


def test_a_level_that_is_only_foreseen_is_told_with_the_limit_that_is_not_passed(api: Site) -> None:
    api.change("hulu", Siaga.NORMAL, Siaga.AWAS, level_m=2.5, reason=Reason.RATE_OF_RISE)
    page = api.get("/peringatan").text
    assert "muka air 2,50 m" in page
    assert "Peringatan dini: batas 4,00 m belum terlewati." in page
    api.change("hulu", Siaga.AWAS, Siaga.NORMAL, level_m=1.0, age_s=2)
    api.change("hulu", Siaga.NORMAL, Siaga.AWAS, level_m=4.25, age_s=1)
    assert "belum terlewati" not in api.get("/peringatan").text


def test_only_what_an_authority_signed_is_public(api: Site) -> None:
    signed = put(api, **ACTUAL)
    drill = put(api, status=BulletinStatus.EXERCISE)
    monitored = put(api, status=BulletinStatus.TEST)
    for role in OTHERS:
        assert ids(api, role) == [signed.id]
        assert ids(api, role, status="Test") == ids(api, role, status="Exercise") == []
        assert [f["id"] for f in api.get("/api/v1/bulletins.geojson", role).json()["features"]] == [signed.id]
        for hidden in (drill, monitored):
            for ending in ("", ".xml", ".txt", ".geojson"):
                assert api.get(f"/api/v1/bulletins/{hidden.id}{ending}", role).status_code == 404
            assert hidden.id not in api.get("/api/v1/cap/feed.atom", role).text
            assert hidden.id not in api.get("/peringatan", role).text
        assert signed.id in api.get("/peringatan", role).text
    for role in ("dishub", "operator"):
        assert set(ids(api, role)) == {signed.id, drill.id, monitored.id}
        assert ids(api, role, status="Test") == [monitored.id]
        assert monitored.id in api.get("/peringatan", role).text


def test_exercises_in_the_feed_need_an_agencys_key(api: Site) -> None:
    drill = put(api, status=BulletinStatus.EXERCISE)
    assert drill.id in api.get("/api/v1/cap/feed.atom", "dishub", status="Exercise").text
    assert drill.id not in api.get("/api/v1/cap/feed.atom", "dishub").text
    assert api.get("/api/v1/cap/feed.atom", status="Exercise").status_code == 401
    assert api.get("/api/v1/cap/feed.atom", "farmer", status="Test").status_code == 403
    assert api.get("/api/v1/cap/feed.atom", "dishub", status="Draft").status_code == 422


def test_one_bulletin_says_the_same_in_every_form(api: Site) -> None:
    area = AffectedArea("33.02.12.2001", "Desa Contoh", people=120, polygons=(RING,))
    drill = put(api, status=BulletinStatus.EXERCISE, impact=Impact(areas=(area,), people=120))
    path = f"/api/v1/bulletins/{drill.id}"
    document = {**bulletin_document(drill), "escalation": None}
    assert api.get(path, "dishub").json() == json.loads(json.dumps(document))
    feature = api.get(f"{path}.geojson", "dishub")
    assert feature.headers["content-type"].startswith("application/geo+json")
    assert feature.json()["geometry"]["coordinates"][0][0][0] == [109.2, -7.5]
    cap = api.get(f"{path}.xml", "dishub")
    assert cap.headers["content-type"].startswith("application/cap+xml")
    assert check_cap(cap.content).valid
    text = api.get(f"{path}.txt", "dishub").text
    page = api.get("/peringatan", "dishub").text
    for lang in ("id", "en"):
        said = message(drill, lang)
        assert said.headline in text
        assert said.description in text
        assert said.headline in page
        assert said.headline in cap.text
    assert (
        text.index(message(drill).headline)
        < text.index("draf")
        < text.index(message(drill, "jv-banyumas").instruction)
    )
    assert page.index(message(drill).headline) < page.index("draf, belum diperiksa")
    assert api.get(path, "dishub").json()["sms"]["id"] == sms_text(drill)


def test_without_a_known_area_the_place_is_the_posts(api: Site) -> None:
    signed = put(api, **ACTUAL)
    geometry = api.get(f"/api/v1/bulletins/{signed.id}.geojson").json()["geometry"]
    assert geometry == {"type": "Point", "coordinates": [109.30, -7.51]}


def test_the_list_is_filtered(api: Site) -> None:
    alert_id = uuid7(now_us())
    first = put(api, **ACTUAL, alert_id=alert_id, age_us=2 * US_PER_HOUR)
    renewed = put(
        api, **ACTUAL, alert_id=alert_id, age_us=US_PER_HOUR, change_id=2,
        msg_type=MessageType.UPDATE, references=((first.id, first.sent_us),),
    )  # fmt: skip
    lapsed = put(api, **ACTUAL, age_us=2 * US_PER_DAY, station="hilir")
    slide = put(api, **ACTUAL, hazard=Hazard.LANDSLIDE, station="hujan-a", level_m=None, river=None)
    assert ids(api) == [slide.id, lapsed.id, renewed.id, first.id]
    assert ids(api, active="true") == [slide.id, renewed.id]
    assert ids(api, alert=alert_id) == [renewed.id, first.id]
    assert ids(api, station="hilir") == [lapsed.id]
    assert ids(api, hazard="landslide") == [slide.id]
    since = bulletin_document(renewed)["sent"]
    assert ids(api, since=since) == [slide.id, renewed.id]


@pytest.mark.parametrize(
    "asked", [{"limit": 0}, {"limit": 201}, {"since": "yesterday"}, {"status": "actual"}, {"colour": "red"}]
)
def test_a_wrong_question_is_refused(shared_api: Site, asked: dict[str, Any]) -> None:
    assert shared_api.get("/api/v1/bulletins", **asked).status_code == 422


def test_pages_follow_each_other_without_gap_or_repetition(api: Site) -> None:
    made = [
        put(api, **ACTUAL, station=("hulu", "hilir")[n % 2], age_us=(9 - n) * US_PER_S).id for n in range(9)
    ]
    seen: list[str] = []
    asked: dict[str, Any] = {"limit": 2, "station": "hulu"}
    while True:
        page = api.get("/api/v1/bulletins", **asked).json()
        seen += [one["id"] for one in page["bulletins"]]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert seen == made[::-2]
    assert api.get("/api/v1/bulletins", cursor="nothing").status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/bulletins", "/api/v1/bulletins.geojson", "/api/v1/cap/feed.atom"])
def test_what_is_known_is_not_sent_again(api: Site, path: str) -> None:
    put(api, **ACTUAL)
    with api.client() as client:
        first = client.get(path)
        tag = first.headers["etag"]
        assert first.headers["content-encoding"] == "gzip"
        again = client.get(path, headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status_code, again.content) == (304, b"")
        plain = client.get(path, headers={"Accept-Encoding": "identity"})
        assert plain.content == first.content
        put(api, **ACTUAL)
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_the_feed_links_to_documents_and_lists_a_cancel_beside_its_alert(api: Site) -> None:
    first = put(api, **ACTUAL, age_us=2 * US_PER_HOUR)
    cancel = put(
        api, **ACTUAL, alert_id=first.alert_id, change_id=2, msg_type=MessageType.CANCEL, level=Siaga.NORMAL,
        limit_m=None, references=((first.id, first.sent_us),),
    )  # fmt: skip
    feed = etree.fromstring(api.get("/api/v1/cap/feed.atom").content)
    found = [entry.findtext(f"{ATOM}id") for entry in feed.iter(f"{ATOM}entry")]
    assert [one.rpartition(".")[2] for one in found if one] == [cancel.id, first.id]
    links = [link.get("href") for link in feed.iter(f"{ATOM}link") if link.get("rel") == "alternate"]
    assert links == [f"{api.url}/api/v1/bulletins/{one.id}.xml" for one in (cancel, first)]
    assert ids(api, active="true") == []


def test_an_actual_document_is_not_written_while_nobody_has_signed(api: Site) -> None:
    """The region of these tests has no authority: a row that says Actual all the same gets no CAP document."""
    signed = put(api, **ACTUAL)
    assert not nobody("region").signed
    assert api.get(f"/api/v1/bulletins/{signed.id}.xml").status_code == 409


def test_in_a_replay_exercises_are_on_the_pages_and_never_in_the_feed(tmp_path: Path) -> None:
    with site(tmp_path, clock="replay") as api:
        api.put("hulu", "stage", 3.2, age_s=1)
        drill = put(api, status=BulletinStatus.EXERCISE)
        page = api.get("/peringatan").text
        assert "PUTAR ULANG" in page
        assert "LATIHAN – SIAGA (Siaga 2)" in page
        assert "bukan peringatan resmi" in page
        assert f"{drill.id}.xml" not in page
        assert ids(api) == [drill.id]
        assert drill.id not in api.get("/api/v1/cap/feed.atom").text
        assert api.get(f"/api/v1/bulletins/{drill.id}.xml").status_code == 404
        assert f"{drill.id}.xml" in api.get("/peringatan", "operator").text


def test_the_page_has_no_script_and_escapes_names(api: Site) -> None:
    put(api, **ACTUAL, post="<script>alert(1)</script>", level=Siaga.WASPADA, change_id=5)
    put(api, **ACTUAL, level=Siaga.AWAS, change_id=6)
    answer = api.get("/peringatan")
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert answer.text.index("AWAS (Siaga 1)") < answer.text.index("WASPADA (Siaga 3)")
    assert answer.headers["cache-control"] == "no-store"
