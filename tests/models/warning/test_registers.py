"""Three registers, short message and documents: the same numbers, names and times, all of them the bulletin's own."""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.texts import LANGUAGES
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, parse_rfc3339, wib
from serayu.models.warning import registers
from serayu.models.warning.bulletin import (
    AffectedArea,
    AffectedRuas,
    Bulletin,
    BulletinStatus,
    Foreseen,
    Hazard,
    Impact,
    MessageType,
    SlopeRisk,
)
from serayu.models.warning.documents import bulletin_document
from serayu.models.warning.gsm import gsm, septets
from serayu.models.warning.sms import sms_text
from serayu.models.warning.spoken import awaited, clean, percent, say
from tests.models.warning.numbers import numbers
from tests.models.warning.strategies import bulletins

SENT = parse_rfc3339("2026-01-10T11:31:00Z")
ALERT = Bulletin(
    id="0198a2b4-0000-7000-8000-000000000001",
    alert_id="0198a2b4-0000-7000-8000-000000000000",
    change_id=1,
    region="33.02",
    station="bgs-hulu",
    hazard=Hazard.FLOOD,
    msg_type=MessageType.ALERT,
    status=BulletinStatus.TEST,
    sent_us=SENT,
    expires_us=SENT + 24 * US_PER_HOUR,
    level=Siaga.SIAGA,
    before=Siaga.NORMAL,
    reason=Reason.FORECAST,
    post="Bendung Gerak Serayu",
    river="Kali Serayu",
    level_m=16.35,
    limit_m=17.0,
    at_us=SENT - US_PER_MINUTE,
    slope_m_per_h=0.31,
    foreseen=Foreseen(
        SENT - US_PER_MINUTE, 3.0, 17.4, 16.9, 17.9, 0.82, SENT + 139 * US_PER_MINUTE, "ridge", 0.44, ("hujan-b",)
    ),
    impact=Impact(
        areas=(
            AffectedArea("33.02.12.2001", "Kedungwuluh Lor", "Patikraja", 1234, SENT + 269 * US_PER_MINUTE),
            AffectedArea("33.02.12.2002", "Notog"),
        ),
        people=1555,
        ruas=(AffectedRuas("12", "Patikraja - Rawalo", 2.1, 0.4, 2.5), AffectedRuas("7", "Notog - Kebasen", 0.8)),
        road_km=2.9,
        schools=("SD Contoh",),
        basis="zona contoh (dibuat-buat)",
    ),
)  # fmt: skip
REFERENCE = (("0198a2b4-0000-7000-8000-000000000009", SENT - US_PER_HOUR),)
LANDSLIDE = msgspec.structs.replace(
    ALERT,
    hazard=Hazard.LANDSLIDE,
    river=None,
    level_m=None,
    limit_m=None,
    slope_m_per_h=None,
    foreseen=None,
    impact=Impact(),
    slope=SlopeRisk("Ruas Baturraden - Kemutug", 132.4, 72.0, "pejawaran", 118.25, None, ("piezometer",)),
)


def changed(**fields: object) -> Bulletin:
    return msgspec.structs.replace(ALERT, **fields)


def whole(bulletin: Bulletin, lang: str) -> str:
    return "\n".join(registers.message(bulletin, lang))


def names_of(value: Any) -> Iterator[str]:  # noqa: ANN401 -- builtins of any shape
    """Yield the names in a bulletin's builtins, cleaned as every text shows them."""
    if isinstance(value, dict):
        for key, field in value.items():
            if key not in ("polygons", "number", "references", "id", "alert_id", "rule", "missing"):
                yield from names_of(field)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from names_of(item)
    elif isinstance(value, str) and clean(value):
        yield clean(value)


def without_names(text: str, bulletin: Bulletin) -> str:
    for name in sorted(set(names_of(msgspec.to_builtins(bulletin))), key=len, reverse=True):
        text = text.replace(name, " ")
    return text


def figures(value: Any) -> Iterator[float]:  # noqa: ANN401 -- builtins of any shape
    if isinstance(value, dict):
        for key, field in value.items():
            if key != "polygons":
                yield from figures(field)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from figures(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def allowed(bulletin: Bulletin) -> set[str]:
    """Return every number that a text about a bulletin may hold, from its values alone."""
    built = msgspec.to_builtins(bulletin)
    found = {"10", "90", "99", "0", "1", *RULES, *(str(4 - rank) for rank in range(4))}
    for value in figures(built):
        if value > 1e14:  # a time in microseconds
            date, clock = wib(int(value)).split(" ", 1)
            ahead = (int(value) - bulletin.sent_us) / US_PER_HOUR
            found |= {date, clock, _plain(round(ahead * 2) / 2), _plain(max(round(ahead * 12), 1) * 5)}
            continue
        for scaled in (value, abs(value), value * 100, abs(value) * 100, round(value, 2) * 100):
            found |= {_plain(round(scaled, digits)) for digits in (0, 1, 2)}
    found |= {ruas.number for ruas in bulletin.impact.ruas} | {area.code for area in bulletin.impact.areas}
    lists = (bulletin.impact.areas, bulletin.impact.ruas)
    return found | {str(len(items) - most) for items in lists for most in (6, 12)}


def _plain(value: float) -> str:
    return str(Decimal(f"{value:.3f}").normalize() + 0)


@settings(max_examples=60, deadline=None)
@given(bulletins())
def test_all_registers_carry_the_same_numbers_times_and_names(bulletin: Bulletin) -> None:
    said = {lang: whole(bulletin, lang) for lang in LANGUAGES}
    counted = {lang: numbers(without_names(text, bulletin), lang) for lang, text in said.items()}
    assert counted["id"] == counted["en"] == counted["jv-banyumas"]
    assert set(counted["id"]) <= allowed(bulletin)
    for name in {
        *names_of(msgspec.to_builtins(bulletin.impact)),
        clean(bulletin.post),
        clean(bulletin.river or ""),
    }:
        assert len({text.count(name) > 0 for text in said.values()}) == 1, name


@settings(max_examples=60, deadline=None)
@given(bulletins())
def test_a_short_message_says_nothing_that_the_registers_do_not(bulletin: Bulletin) -> None:
    for lang in LANGUAGES:
        short, spoken = sms_text(bulletin, lang), "en" if lang == "en" else "id"
        assert septets(short) <= 160
        said = whole(bulletin, spoken)
        assert set(numbers(short, spoken)) <= set(numbers(said, spoken)) | set(numbers(gsm(said), spoken))


@settings(max_examples=40, deadline=None)
@given(bulletins())
def test_a_document_carries_the_values_of_the_bulletin_and_all_its_texts(bulletin: Bulletin) -> None:
    document = json.loads(json.dumps(bulletin_document(bulletin), allow_nan=False))
    assert {lang: sms_text(bulletin, lang) for lang in LANGUAGES} == document["sms"]
    for lang, texts in document["texts"].items():
        assert tuple(texts[part] for part in registers.Message._fields) == registers.message(bulletin, lang)
        assert texts["draft"] == (lang == "jv-banyumas")
    for key, value in (("sent", bulletin.sent_us), ("expires", bulletin.expires_us), ("at", bulletin.at_us)):
        assert document[key].endswith("Z")
        assert parse_rfc3339(document[key]) == value
    assert (document["level_m"], document["limits"]["level_m"]) == (bulletin.level_m, bulletin.limit_m)
    assert document["impact"]["people"] == bulletin.impact.people
    assert [area["code"] for area in document["impact"]["areas"]] == [a.code for a in bulletin.impact.areas]
    assert (document["origin"] == "signed") == bulletin.public == document["public"]


@settings(max_examples=40, deadline=None)
@given(bulletins())
def test_only_what_an_authority_signed_is_not_called_monitoring_information(bulletin: Bulletin) -> None:
    for lang, words in (
        ("id", "Informasi pemantauan, bukan peringatan resmi."),
        ("en", "not an official warning."),
    ):
        assert registers.message(bulletin, lang).description.endswith(words) == (not bulletin.public)
    mark = {"id": "LATIHAN", "en": "EXERCISE", "jv-banyumas": "LATIHAN"}
    if bulletin.status is BulletinStatus.EXERCISE:
        for lang in LANGUAGES:
            assert all(part.startswith(mark[lang]) for part in registers.message(bulletin, lang))
            assert sms_text(bulletin, lang).startswith(mark[lang])
    for lang, words in (("id", "INFORMASI PEMANTAUAN"), ("en", "MONITORING")):
        said, unsigned = registers.message(bulletin, lang), bulletin.status is BulletinStatus.TEST
        assert said.headline.startswith(f"{words} – ") == unsigned
        assert said.instruction.startswith(f"{words}. ") == unsigned
        assert sms_text(bulletin, lang).startswith(words.split()[-1]) == unsigned


@pytest.mark.parametrize("hazard", list(Hazard))
def test_what_nobody_signed_orders_nobody_away(hazard: Hazard) -> None:
    bulletin = changed(level=Siaga.AWAS, hazard=hazard)
    for lang, words in (("id", "Tunggu keputusan BPBD"), ("en", "Await BPBD's decision")):
        said = registers.message(bulletin, lang)
        assert words in said.instruction
        for order in ("mengungsi", "MENGUNGSI", "Leave", "LEAVE"):
            assert order not in "".join(said) + sms_text(bulletin, lang)
    signed = msgspec.structs.replace(bulletin, status=BulletinStatus.ACTUAL, authority="BPBD Contoh")
    assert registers.message(signed).instruction.startswith("Segera ")
    assert "SEGERA" in sms_text(signed)


def test_an_alert_in_indonesian() -> None:
    assert registers.message(ALERT) == (
        "INFORMASI PEMANTAUAN – SIAGA (Siaga 2): potensi banjir, Kali Serayu di Bendung Gerak Serayu",
        (
            "Muka air Kali Serayu di Bendung Gerak Serayu 16,35 m (TMA 1.635 cm) pada 10-01-2026 18.30 WIB."
            " Dasar: prakiraan melewati batas SIAGA (Siaga 2), 17,00 m. Naik 31 cm/jam."
            " Batas diperkirakan terlampaui sekitar 2,5 jam lagi, pukul 20.50 WIB."
            " Wilayah terdampak: Kedungwuluh Lor (kode 33.02.12.2001, Kec. Patikraja, 1.234 jiwa, tiba sekitar"
            " 4,5 jam lagi, pukul 23.00 WIB), Notog (kode 33.02.12.2002)."
            " Perkiraan terdampak: 1.555 jiwa, 2,9 km jalan."
            " Ruas terdampak, mungkin tidak bisa dilewati: 12 Patikraja - Rawalo (2,1 km, km 0,4 sampai 2,5), "
            "7 Notog - Kebasen (0,8 km)."
            " Sekolah: SD Contoh. Tidak diketahui: jumlah bangunan, luas sawah."
            " Dihitung dari: zona contoh (dibuat-buat)."
            " Prakiraan untuk 3 jam sesudah 10-01-2026 18.30 WIB: 17,40 m, rentang 10–90 persen 16,90 sampai 17,90 m."
            " Peluang melewati batas: 82 persen. Metode ridge; indeks persistensi 0,44 pada banjir yang tidak dipakai"
            " melatihnya (0 berarti tidak lebih baik daripada menganggap muka air tetap). Prakiraan tanpa data"
            " dari hujan-b."
            " Berlaku sampai 11-01-2026 18.31 WIB dan gugur bila tidak diperbarui."
            " Informasi pemantauan, bukan peringatan resmi."
        ),
        ("INFORMASI PEMANTAUAN. Belum resmi. Tunggu keputusan BPBD; siapkan petugas dan tempat pengungsian."),
    )


RULES = ("1980", "2007", "2008", "22")  # years and numbers in the names of landslide rules
CANCEL = {"msg_type": MessageType.CANCEL, "references": REFERENCE}
UPDATE = {"msg_type": MessageType.UPDATE, "references": REFERENCE}


@pytest.mark.parametrize(
    ("fields", "lang", "expected"),
    [
        ({}, "en", "ALERT (Siaga 2, siaga): flood possible, Kali Serayu at Bendung Gerak Serayu"),
        ({"river": None}, "id", "SIAGA (Siaga 2): potensi banjir, Bendung Gerak Serayu"),
        ({"post": "Serayu di Somagede"}, "id", "SIAGA (Siaga 2): potensi banjir, Serayu di Somagede"),
        ({"before": Siaga.WASPADA, **UPDATE}, "id", "naik dari WASPADA (Siaga 3)"),
        ({"before": Siaga.AWAS, **UPDATE}, "id", "turun dari AWAS (Siaga 1)"),
        ({"before": Siaga.SIAGA, **UPDATE}, "id", "SIAGA (Siaga 2), masih berlaku"),
        ({"before": Siaga.SIAGA, "level": Siaga.NORMAL, **CANCEL}, "id", "Kembali NORMAL (Siaga 4)"),
        ({"before": Siaga.SIAGA, "level": Siaga.NORMAL, **UPDATE}, "en", "Back to NORMAL (Siaga 4)"),
        ({"before": Siaga.SIAGA, **CANCEL}, "id", "DIBATALKAN: peringatan banjir SIAGA (Siaga 2)"),
        ({"level": Siaga.NORMAL, **CANCEL}, "id", "DICABUT: peringatan banjir sebelumnya tidak berlaku"),
        ({"status": BulletinStatus.EXERCISE}, "id", "LATIHAN – SIAGA (Siaga 2)"),
        ({"status": BulletinStatus.EXERCISE}, "en", "EXERCISE – ALERT"),
    ],
)  # fmt: skip
def test_a_headline_says_what_has_become_of_the_alert(
    fields: dict[str, Any], lang: str, expected: str
) -> None:
    assert expected in registers.message(changed(**fields), lang).headline


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"level_m": None}, "Muka air Kali Serayu di Bendung Gerak Serayu tidak diketahui", id="level"),
        pytest.param({"level_m": float("nan")}, "tidak diketahui (10-01-2026 18.30 WIB)", id="level is NaN"),
        pytest.param({"level_m": 0.0}, "0,00 m (TMA 0 cm)", id="zero is a level"),
        pytest.param({"limit_m": None}, "Batas SIAGA (Siaga 2) tidak diketahui.", id="limit"),
        pytest.param({"slope_m_per_h": None}, "Laju naik atau turun tidak diketahui.", id="rate"),
        pytest.param({"slope_m_per_h": 0.001}, "Muka air tidak banyak berubah.", id="rate rounds to nothing"),
        pytest.param({"slope_m_per_h": -0.2}, "Turun 20 cm/jam.", id="falling"),
        pytest.param({"foreseen": None}, "Tidak ada prakiraan.", id="forecast"),
        pytest.param({"impact": Impact()}, "Dampak tidak diketahui.", id="impact"),
        pytest.param({"impact": Impact(people=0)}, "Perkiraan terdampak: 0 jiwa.", id="nobody is a number"),
        pytest.param({"impact": Impact(buildings=3)}, "Tidak diketahui: wilayah terdampak, jumlah jiwa", id="people"),
        pytest.param({"reason": Reason.THRESHOLD, "level_m": 17.01}, "Di atas batas SIAGA (Siaga 2)", id="above"),
        pytest.param({"reason": Reason.THRESHOLD, "level_m": 17.0}, "Tepat di batas SIAGA", id="at the limit"),
        pytest.param({"reason": Reason.THRESHOLD, "level_m": 16.9}, "kini tidak di atasnya", id="held by hysteresis"),
        pytest.param({"reason": Reason.THRESHOLD, "level_m": None}, "Batas SIAGA (Siaga 2): 17,00 m.", id="only limit"),
        pytest.param({"reason": Reason.RATE_OF_RISE}, "Peringatan dini: naik cepat menuju batas", id="early step"),
        pytest.param({"verified": False}, "Data belum terverifikasi.", id="unverified"),
        pytest.param({"invented": True}, "Batas dibuat-buat untuk peragaan.", id="invented"),
        pytest.param({"observed_flooding": True}, "Genangan sudah terlihat.", id="seen"),
        pytest.param({"note": " Tanggul\nretak "}, "Catatan petugas: Tanggul retak", id="note"),
        pytest.param(
            {"fallback": ("hulu-a", "hujan-b")},
            "Pos Bendung Gerak Serayu tidak mengirim data yang layak; memakai hulu-a, hujan-b.",
            id="fallback",
        ),
        pytest.param(
            {"status": BulletinStatus.ACTUAL, "authority": "BPBD"}, "Ditandatangani oleh BPBD.", id="signed"
        ),
        pytest.param(
            {"status": BulletinStatus.TEST, "authority": "BPBD Contoh"}, "bukan peringatan resmi.", id="test unsigned"
        ),
    ],
)  # fmt: skip
def test_what_is_not_known_or_not_certain_is_said(fields: dict[str, Any], expected: str) -> None:
    assert expected in registers.message(changed(**fields)).description


@pytest.mark.parametrize(
    ("level_m", "median_m", "said"),
    [
        pytest.param(16.35, 16.9, True, id="below and stays below"),
        pytest.param(None, 16.9, True, id="only the forecast is known"),
        pytest.param(17.2, 17.6, False, id="above and rises"),
        pytest.param(17.2, 16.9, False, id="above and falls"),
        pytest.param(None, 17.6, False, id="the forecast is above"),
    ],
)
def test_nobody_is_told_that_a_limit_is_not_passed_which_is_or_will_be(
    level_m: float | None,
    median_m: float,
    said: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    foreseen = Foreseen(SENT, 3.0, median_m, 16.0, 18.0, 0.6, None, "ridge", 0.44)
    description = registers.message(changed(level_m=level_m, foreseen=foreseen)).description
    assert ("Nilai tengah prakiraan tidak melewati batas." in description) is said


def test_an_exercise_tells_nobody_to_leave() -> None:
    said = registers.message(changed(status=BulletinStatus.EXERCISE, level=Siaga.AWAS))
    assert said.description.startswith("LATIHAN. INI HANYA LATIHAN. Tidak perlu mengungsi.")
    assert said.instruction.startswith("LATIHAN. Tidak perlu mengungsi. Dalam keadaan sesungguhnya: ")
    short = sms_text(changed(status=BulletinStatus.EXERCISE, level=Siaga.AWAS))
    assert "Tidak perlu mengungsi" in short
    assert "SEGERA" not in short


def test_what_is_over_neither_expires_nor_names_anybody_as_affected() -> None:
    said = registers.message(changed(level=Siaga.NORMAL, before=Siaga.SIAGA, limit_m=None, **CANCEL))
    assert "Berlaku sampai" not in said.description
    assert "Wilayah terdampak" not in said.description
    assert said.instruction == "INFORMASI PEMANTAUAN. Tetap waspada terhadap hujan susulan."
    retracted = changed(level=Siaga.NORMAL, before=Siaga.NORMAL, limit_m=None, **CANCEL)
    assert "NORMAL" not in sms_text(retracted)
    assert sms_text(retracted).startswith(
        "PEMANTAUAN. PERINGATAN banjir DICABUT. Bendung Gerak Serayu 16,35 m 18.30 WIB. Tidak berlaku"
    )
    withdrawn = registers.message(changed(before=Siaga.SIAGA, **CANCEL))
    assert (
        withdrawn.instruction
        == "INFORMASI PEMANTAUAN. Peringatan ini tidak berlaku lagi. Ikuti informasi berikutnya."
    )


@pytest.mark.parametrize(
    ("bulletin", "now_us", "expected"),
    [
        (ALERT, SENT, "Berlaku sampai 11-01-2026 18.31 WIB dan gugur bila tidak diperbarui."),
        (ALERT, ALERT.expires_us, "Sudah gugur sejak 11-01-2026 18.31 WIB karena tidak diperbarui."),
        (changed(**CANCEL), SENT, None),
    ],
)
def test_a_bulletin_lapses_at_its_expiry(bulletin: Bulletin, now_us: int, expected: str | None) -> None:
    assert registers.expiry(bulletin, now_us=now_us) == expected


def test_an_alert_that_ended_for_want_of_data_is_never_called_normal() -> None:
    lapsed = changed(
        level=Siaga.NORMAL, before=Siaga.SIAGA, limit_m=None, level_m=None, foreseen=None, **CANCEL
    )
    said = registers.message(lapsed)
    assert said.headline.startswith(
        "INFORMASI PEMANTAUAN – SIAGA (Siaga 2) tidak berlaku lagi karena tidak ada data baru: keadaan Kali Serayu"
    )
    assert "bukan aman" in said.instruction
    assert sms_text(lapsed).startswith(
        "PEMANTAUAN. banjir TIDAK DIKETAHUI: tak ada data baru. Bendung Gerak Serayu"
    )
    assert not any("NORMAL" in whole(lapsed, lang) + sms_text(lapsed, lang) for lang in LANGUAGES)
    document = bulletin_document(lapsed)
    assert (document["level"], document["label"], document["level_known"]) == (None, "TIDAK DIKETAHUI", False)


def test_a_landslide_says_its_rain_its_rule_and_what_was_missing() -> None:
    said = registers.message(LANDSLIDE)
    assert (
        said.headline == "INFORMASI PEMANTAUAN – SIAGA (Siaga 2): potensi longsor, Ruas Baturraden - Kemutug"
    )
    assert (
        "Hujan 132,4 mm dalam 72 jam di Ruas Baturraden - Kemutug (pos Bendung Gerak Serayu, 10-01-2026 18.30 WIB);"
        " ambang Pejawaran 118,2 mm. Faktor keamanan lereng tidak diketahui. Masukan yang tidak ada: piezometer."
    ) in said.description
    unknown = msgspec.structs.replace(LANDSLIDE, slope=None)
    assert "Hujan di Bendung Gerak Serayu tidak diketahui" in registers.message(unknown).description


def test_the_draft_never_stands_alone() -> None:
    both = registers.combined(ALERT, "jv-banyumas")
    alone, official = registers.message(ALERT, "jv-banyumas"), registers.message(ALERT)
    for part, draft, first in zip(both[1:], alone[1:], official[1:], strict=True):
        assert part.startswith(first)
        assert part.index("draf, belum diperiksa") < part.index(draft)
    assert registers.combined(ALERT, "en") == registers.message(ALERT, "en")
    text = registers.plain_text(ALERT)
    assert (
        text.index(official.headline) < text.index("MONITORING – ALERT (Siaga 2") < text.index(alone.headline)
    )
    with pytest.raises(ValueError, match="unknown language 'jv'"):
        registers.message(ALERT, "jv")


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (-5, "mungkin sudah tiba, sejak pukul 18.26 WIB"), (0, "mungkin sudah tiba, sejak pukul 18.31 WIB"),
        (1, "sekitar 5 menit lagi, pukul 18.32 WIB"), (57, "sekitar 55 menit lagi, pukul 19.28 WIB"),
        (58, "sekitar 1 jam lagi, pukul 19.29 WIB"), (74, "sekitar 1 jam lagi, pukul 19.45 WIB"),
        (76, "sekitar 1,5 jam lagi, pukul 19.47 WIB"), (270, "sekitar 4,5 jam lagi, pukul 23.01 WIB"),
        (330, "sekitar 5,5 jam lagi, pukul 11-01-2026 00.01 WIB"),
    ],
)  # fmt: skip
def test_an_arrival_is_said_as_about_so_long_and_at_what_time(minutes: int, expected: str) -> None:
    said = awaited("bulletin.arrival", "bulletin.arrived", SENT + minutes * US_PER_MINUTE, sent_us=SENT)
    assert say(said, "id").removeprefix("tiba ") == expected


@pytest.mark.parametrize(
    ("probability", "expected"),
    [(0.0, "kurang dari 1 persen"), (0.01, "1 persen"), (0.5, "50 persen"), (0.99, "99 persen"),
     (0.995, "lebih dari 99 persen"), (1.0, "lebih dari 99 persen"), (float("nan"), "tidak diketahui")],
)  # fmt: skip
def test_a_probability_is_never_certainty(probability: float, expected: str) -> None:
    assert say(percent(probability), "id") == expected


def test_nothing_has_arrived_anywhere_while_the_water_is_below_the_limit() -> None:
    areas = tuple(
        AffectedArea(f"33.02.12.{code}", name, arrival_us=SENT + minutes * US_PER_MINUTE)
        for code, name, minutes in ((2001, "Desa A", -1), (2002, "Desa B", 30))
    )
    early = changed(reason=Reason.RATE_OF_RISE, foreseen=None, impact=Impact(areas=areas))
    said = registers.message(early).description
    assert "Desa A (kode 33.02.12.2001, bila batas terlewati), Desa B" in said
    assert "bila batas terlewati, paling cepat sekitar 30 menit lagi, pukul 19.01 WIB" in said
    for passed in ({"level_m": 17.0}, {"observed_flooding": True}, {"reason": Reason.THRESHOLD}):
        said = registers.message(msgspec.structs.replace(early, **passed)).description
        assert "mungkin sudah tiba, sejak pukul 18.30 WIB" in said
        assert "bila batas" not in said


def test_what_is_known_of_some_villages_only_is_not_called_missing() -> None:
    area = AffectedArea("33.02.12.2001", "Desa A", people=120, arrival_us=SENT + US_PER_HOUR)
    missing = ("people", "travel_time", "schools")
    said = registers.message(changed(impact=Impact(areas=(area,), people=120, missing=missing))).description
    assert "Hanya diketahui untuk sebagian desa: jumlah penduduk, waktu tempuh." in said
    assert "Masukan yang tidak ada: sekolah." in said


def test_a_flood_is_possible_until_it_is_seen() -> None:
    lower = changed(before=Siaga.AWAS, **UPDATE)
    for one in (ALERT, lower):
        assert ": potensi banjir, " in registers.message(one).headline
        seen = msgspec.structs.replace(one, observed_flooding=True)
        assert ": banjir, " in registers.message(seen).headline


def test_long_lists_say_how_many_more_there_are() -> None:
    areas = tuple(AffectedArea(f"33.02.12.{2000 + n}", f"Desa {chr(65 + n)}") for n in range(15))
    said = registers.message(changed(impact=Impact(areas=areas))).description
    assert "Desa L (kode 33.02.12.2011), dan 3 lainnya." in said
    assert "Desa M" not in said


def test_places_can_be_listed_instead_of_said() -> None:
    listed, said = registers.places(ALERT), registers.sentences(ALERT, places=False)
    assert len(listed) == len(ALERT.impact.areas)
    assert f"Wilayah terdampak: {', '.join(listed)}." in registers.sentences(ALERT)
    assert len(said) + 1 == len(registers.sentences(ALERT))
    assert registers.places(LANDSLIDE) == []


def test_what_is_said_to_be_unknown_is_not_said_to_be_missing_too() -> None:
    impact = Impact(people=3, buildings=None, road_km=None, missing=("buildings", "ruas", "travel_time"))
    said = registers.message(changed(impact=impact)).description
    assert "Tidak diketahui: wilayah terdampak, jumlah bangunan, panjang jalan, luas sawah." in said
    assert said.count("bangunan") == 1
    assert "travel_time" in said or "waktu tempuh" in said


def test_times_in_documents_are_utc() -> None:
    document = bulletin_document(ALERT)
    assert document["sent"] == "2026-01-10T11:31:00Z"
    assert datetime.fromisoformat(document["foreseen"]["crossing"]).utcoffset() is not None
    assert document["impact"]["areas"][1] == {
        "code": "33.02.12.2002", "name": "Notog", "kecamatan": None, "people": None, "arrival": None,
    }  # fmt: skip
