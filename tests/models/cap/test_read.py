"""Reading an alert: every field, the older versions, and what cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.cap.check import check_cap
from serayu.models.cap.geometry import parse_circle, parse_polygon, polygon_problem, polygon_text
from serayu.models.cap.read import read_cap
from serayu.models.cap.safe import XmlRefusedError
from serayu.models.cap.structs import CapAlert, CapArea, CapInfo, CapResource
from serayu.models.cap.values import is_absolute, moment

FULL = """<c:alert xmlns:c="urn:oasis:names:tc:emergency:cap:1.2">
 <c:identifier>uji-1</c:identifier><c:sender>uji@uji.invalid</c:sender><c:sent>2026-01-10T15:00:00+07:00</c:sent>
 <c:status>Exercise</c:status><c:msgType>Update</c:msgType><c:source>alat</c:source><c:scope>Private</c:scope>
 <c:addresses>a@uji.invalid "b c"</c:addresses><c:code>k1</c:code><c:code>k2</c:code><c:note> catatan </c:note>
 <c:references>uji@uji.invalid,uji-0,2026-01-10T14:00:00+07:00</c:references><c:incidents>banjir-1</c:incidents>
 <c:info><c:language>id-ID</c:language><c:category>Met</c:category><c:category>Geo</c:category>
  <c:event>Banjir</c:event><c:responseType>Prepare</c:responseType><c:responseType>Monitor</c:responseType>
  <c:urgency>Expected</c:urgency><c:severity>Moderate</c:severity><c:certainty>Likely</c:certainty>
  <c:audience>warga</c:audience><c:eventCode><c:valueName>OET</c:valueName><c:value>OET-081</c:value></c:eventCode>
  <c:effective>2026-01-10T15:00:00+07:00</c:effective><c:onset>2026-01-10T16:00:00+07:00</c:onset>
  <c:expires>2026-01-10T21:00:00+07:00</c:expires><c:senderName>Pengirim</c:senderName><c:headline>Judul</c:headline>
  <c:description>Isi &lt;b&gt; <![CDATA[& lagi]]></c:description><c:instruction>Siap</c:instruction>
  <c:web>https://uji.invalid/a</c:web><c:contact>uji@uji.invalid</c:contact>
  <c:parameter><c:valueName>level_m</c:valueName><c:value>1.20</c:value></c:parameter>
  <c:resource><c:resourceDesc>peta</c:resourceDesc><c:mimeType>image/png</c:mimeType><c:size>12</c:size>
   <c:uri>peta.png</c:uri><c:derefUri>AAAA</c:derefUri><c:digest>0f</c:digest></c:resource>
  <c:area><c:areaDesc>Desa</c:areaDesc><c:polygon>-7.4,109.1
     -7.4,109.3 -7.6,109.3 -7.4,109.1</c:polygon><c:circle>-7.5,109.2 1.5</c:circle>
   <c:geocode><c:valueName>kode</c:valueName><c:value>33.02</c:value></c:geocode>
   <c:altitude>0</c:altitude><c:ceiling>100.5</c:ceiling></c:area></c:info>
</c:alert>"""

EXPECTED = CapAlert(
    version="1.2",
    identifier="uji-1",
    sender="uji@uji.invalid",
    sent="2026-01-10T15:00:00+07:00",
    status="Exercise",
    msg_type="Update",
    scope="Private",
    source="alat",
    addresses='a@uji.invalid "b c"',
    codes=("k1", "k2"),
    note="catatan",
    references="uji@uji.invalid,uji-0,2026-01-10T14:00:00+07:00",
    incidents="banjir-1",
    infos=(
        CapInfo(
            language="id-ID",
            categories=("Met", "Geo"),
            event="Banjir",
            response_types=("Prepare", "Monitor"),
            urgency="Expected",
            severity="Moderate",
            certainty="Likely",
            audience="warga",
            event_codes=(("OET", "OET-081"),),
            effective="2026-01-10T15:00:00+07:00",
            onset="2026-01-10T16:00:00+07:00",
            expires="2026-01-10T21:00:00+07:00",
            sender_name="Pengirim",
            headline="Judul",
            description="Isi <b> & lagi",
            instruction="Siap",
            web="https://uji.invalid/a",
            contact="uji@uji.invalid",
            parameters=(("level_m", "1.20"),),
            resources=(CapResource("peta", "image/png", 12, "peta.png", embedded=True, digest="0f"),),
            areas=(
                CapArea(
                    "Desa",
                    polygons=(((-7.4, 109.1), (-7.4, 109.3), (-7.6, 109.3), (-7.4, 109.1)),),
                    circles=(((-7.5, 109.2), 1.5),),
                    geocodes=(("kode", "33.02"),),
                    altitude_ft=0.0,
                    ceiling_ft=100.5,
                ),
            ),
        ),
    ),
)


def test_every_field_is_read() -> None:
    assert read_cap(FULL.encode()) == EXPECTED
    assert check_cap(FULL.encode()).problems == ()


def test_a_language_is_found_by_its_first_part_else_the_first_info_speaks() -> None:
    alert = read_cap(FULL.encode())
    assert alert.info("id") is alert.info("en") is alert.infos[0]
    assert alert.referenced == (("uji@uji.invalid", "uji-0", "2026-01-10T14:00:00+07:00"),)
    without = FULL.replace("<c:language>id-ID</c:language>", "")
    assert read_cap(without.encode()).infos[0].language == "en-US"


@pytest.mark.parametrize(
    ("namespace", "version"),
    [("urn:oasis:names:tc:emergency:cap:1.1", "1.1"), ("http://www.incident.com/cap/1.0", "1.0")],
)
def test_older_versions_are_read_and_named(namespace: str, version: str) -> None:
    data = FULL.replace("urn:oasis:names:tc:emergency:cap:1.2", namespace).encode()
    assert read_cap(data).version == version
    report = check_cap(data)
    assert (report.kind, report.valid, report.problems[0].code) == (f"cap-{version}", False, "wrong_version")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<c:sender>uji@uji.invalid</c:sender>", "", "/alert has no sender"),
        ("<c:event>Banjir</c:event>", "<c:event/>", "/alert/info has no event"),
        ("-7.6,109.3", "-7.6;109.3", "/alert/info/area: expected 'lat,lon'"),
        ("109.2 1.5", "109.2", "expected 'lat,lon radius'"),
        ("<c:altitude>0", "<c:altitude>tinggi", "not_a_place"),
        ("cap:1.2", "cap:9", "expected one CAP alert, not other <alert>"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(old: str, new: str, reason: str) -> None:
    assert old in FULL
    with pytest.raises(XmlRefusedError, match=reason):
        read_cap(FULL.replace(old, new).encode())


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_judged_and_never_raise(data: bytes) -> None:
    assert not check_cap(data).valid


@given(
    st.integers(0, len(FULL)),
    st.integers(0, 20),
    st.sampled_from(["", "<", "&", ",", "-", "9" * 30, "\x00", "é"]),
)
def test_an_alert_broken_anywhere_is_judged_and_never_raises(start: int, length: int, inserted: str) -> None:
    check_cap((FULL[:start] + inserted + FULL[start + length :]).encode())


@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), max_size=8))
def test_a_ring_is_written_so_that_it_is_read_again(ring: list[tuple[float, float]]) -> None:
    read = parse_polygon(polygon_text(ring))
    assert read == tuple((round(lat, 6), round(lon, 6)) for lat, lon in ring)
    assert polygon_problem(read) == polygon_problem(polygon_text(ring)) or not ring


@pytest.mark.parametrize(
    "text", ["", "1,2", "1,2 3 4", "1;2 3", "a,b 3", "1,2 -3", "1,2 nan", "1,2 1e3", "1,2,3 4"]
)
def test_what_is_no_circle_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_circle(text)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2026-01-10T15:00:00-00:00", True),
        ("2026-01-10T15:00:00+0700", False),
        ("2026-01-10t15:00:00+07:00", False),
        (" 2026-01-10T15:00:00+07:00", False),
        ("2026-13-10T15:00:00+07:00", False),
        ("2026-01-10T15:00:00,07:00", False),
        ("٢٠٢٦-01-10T15:00:00+07:00", False),
        ("", False),
    ],
)
def test_a_time_has_one_form(text: str, good: bool) -> None:  # noqa: FBT001
    assert (moment(text) is not None) is good


@pytest.mark.parametrize(
    ("uri", "absolute"),
    [
        ("https://a.id/x", True),
        ("mailto:a@b.id", True),
        ("a/b", False),
        ("//a.id/x", False),
        ("http://[x", False),
        ("https://a b", False),
        ("https:", False),
        ("", False),
    ],
)
def test_an_absolute_uri_has_a_scheme(uri: str, absolute: bool) -> None:  # noqa: FBT001
    assert is_absolute(uri) is absolute
