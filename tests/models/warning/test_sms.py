"""The GSM alphabet, shortened names, and what a short message keeps when little fits."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.region import load_region
from serayu.models.siaga_levels import Reason, Siaga
from serayu.models.station import StationKind
from serayu.models.texts import LANGUAGES
from serayu.models.warning.bulletin import AffectedArea, Bulletin, BulletinStatus, Impact, MessageType
from serayu.models.warning.gsm import BASIC, EXTENSION, gsm, septets
from serayu.models.warning.sms import shortened, sms_text
from tests.models.warning.strategies import bulletins
from tests.models.warning.test_registers import ALERT, LANDSLIDE, REFERENCE

REGION = load_region(Path(__file__).parents[3] / "regions" / "banyumas")

POSTS = [one.id for one in REGION.stations.values() if one.kind in (StationKind.RIVER, StationKind.RAIN)]


def test_the_alphabet_is_that_of_the_standard() -> None:
    """Section 6.2.1 has 128 places of which one is the escape; the extension table has ten characters."""
    assert len(BASIC) == 127
    assert len(EXTENSION) == 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""), ("Muka air 2,35 m", "Muka air 2,35 m"), ("Kémit", "Kémit"), ("Tjindê Ōsaka", "Tjinde Osaka"),
        ("10–90 “m” … ±", '10-90 "m" ... +/-'), ("e\u0301", "e"), ("雨", "?"), ("½", "1?2"), ("[€]", "[€]"),
    ],
)  # fmt: skip
def test_other_letters_are_written_with_those_of_the_alphabet(text: str, expected: str) -> None:
    assert gsm(text) == expected


@given(st.text(max_size=50))
def test_any_text_can_be_counted_once_it_is_written_so(text: str) -> None:
    assert len(gsm(text)) <= septets(gsm(text)) <= 2 * len(gsm(text))
    assert gsm(gsm(text)) == gsm(text)


def test_a_letter_outside_the_alphabet_is_not_counted() -> None:
    with pytest.raises(ValueError, match="not in the GSM alphabet: '雨'"):
        septets("雨")


@pytest.mark.parametrize(
    ("name", "at_most", "expected"),
    [
        ("", 5, ""), ("Notog", 5, "Notog"), ("Notog", 4, "No.."), ("Notog Lor", 8, "Notog.."),
        ("Jembatan 12345", 13, "Jembatan.."), ("RT12345", 6, "RT.."), ("12345", 4, ".."), ("[[[[", 6, "[[.."),
    ],
)  # fmt: skip
def test_a_name_is_shortened_between_words_and_never_within_a_number(
    name: str, at_most: int, expected: str
) -> None:
    assert shortened(name, at_most) == expected


@given(st.text(max_size=80), st.integers(2, 60))
def test_a_shortened_name_fits_and_is_marked(name: str, at_most: int) -> None:
    short = shortened(name, at_most)
    assert septets(short) <= at_most
    whole = shortened(name, 10**6)
    assert short == whole or (short.endswith("..") and whole.startswith(short[:-2]))


def test_the_message_of_an_alert() -> None:
    assert sms_text(ALERT) == (
        "PEMANTAUAN. SIAGA (Siaga 2) potensi banjir. Bendung Gerak Serayu 16,35 m 18.30 WIB. Tunggu BPBD, siapkan"
        " petugas. 1.555 jiwa a.l. Kedungwuluh Lor. -Belum resmi"
    )
    assert sms_text(LANDSLIDE, "en") == (
        "MONITORING. ALERT (Siaga 2, siaga) landslide. Ruas Baturraden - Kemutug rain 132.4 mm/72 h 18.30 WIB."
        " Await BPBD, prepare crews. -Unofficial"
    )


def everything(bulletin: Bulletin, lang: str) -> str:
    text = sms_text(bulletin, lang)
    assert septets(text) <= 160
    assert "\n" not in text
    return text


@pytest.mark.parametrize("station", POSTS)
@pytest.mark.parametrize("level", list(Siaga))
def test_every_post_of_the_region_fits_whole(station: str, level: Siaga) -> None:
    name = gsm(REGION.station(station).name)
    for lang in LANGUAGES:
        for status in BulletinStatus:
            bulletin = msgspec.structs.replace(
                ALERT,
                post=REGION.station(station).name,
                level=level,
                status=status,
                authority="BPBD Banyumas",
            )
            text = everything(bulletin, lang)
            assert name in text
            assert f"(Siaga {level.number}" in text
            assert "18.30 WIB" in text


def test_the_worst_case_keeps_level_time_instruction_and_origin() -> None:
    bulletin = msgspec.structs.replace(
        ALERT,
        post="Karangkemojing " * 9,
        level_m=-1234.56,
        at_us=ALERT.at_us - 86_400_000_000,
        status=BulletinStatus.ACTUAL,
        authority="Badan Penanggulangan Bencana Daerah Kabupaten Banyumas",
        msg_type=MessageType.CANCEL,
        references=REFERENCE,
        before=Siaga.AWAS,
        level=Siaga.AWAS,
    )
    for lang in LANGUAGES:
        text = everything(bulletin, lang)
        assert "09-01-2026 18.30 WIB" in text
        assert "Karangkemojing.." in text
        assert text.endswith(". -Badan Penanggulangan..")


def test_a_draft_stands_only_behind_the_indonesian() -> None:
    bulletin = msgspec.structs.replace(ALERT, post="Pos A", foreseen=None, impact=Impact())
    text = sms_text(bulletin, "jv-banyumas")
    assert text.index("Tunggu BPBD, siapkan petugas") < text.index("Ngenteni BPBD")
    with pytest.raises(ValueError, match="unknown language 'jv'"):
        sms_text(bulletin, "jv")


@settings(max_examples=50, deadline=None)
@given(bulletins())
def test_parts_are_left_out_whole(bulletin: Bulletin) -> None:
    """The villages and people that are named are named whole: a number is never part of a longer one."""
    text = sms_text(bulletin)
    people = bulletin.impact.people
    if people is not None and " jiwa. " in text:
        assert f" {people:,} jiwa. ".replace(",", ".") in text


def reaching(*areas: AffectedArea, **fields: object) -> Bulletin:
    """Return a signed bulletin whose limit is passed, of a post with a short name."""
    given = {"reason": Reason.THRESHOLD, "level_m": 17.2, "post": "Banjaran", "foreseen": None, **fields}
    impact = Impact(areas=areas, people=sum(one.people or 0 for one in areas) or None)
    return msgspec.structs.replace(
        ALERT, status=BulletinStatus.ACTUAL, authority="BPBD Contoh", impact=impact, **given
    )


def place(name: str, *, people: int | None = None, after_min: int = 0) -> AffectedArea:
    return AffectedArea(
        "33.02.12.2001", name, people=people, arrival_us=ALERT.sent_us + after_min * 60_000_000
    )


def test_the_place_that_is_reached_next_is_named_once_with_its_time_of_day() -> None:
    areas = (place("Kaliori", after_min=-60), place("Notog", after_min=180), place("Sidabowa", after_min=60))
    text = sms_text(reaching(*areas))
    assert ". tiba Sidabowa 19.31 WIB. " in text
    assert text.count("Sidabowa") == 1
    assert "tiba Kaliori sejak 17.31 WIB. " in sms_text(reaching(areas[0]))


def test_people_are_named_with_where_most_of_them_live_and_not_with_the_place_reached_next() -> None:
    lived = [place("Pasirmuncang", people=4000), place("Kedungwuluh", people=2885)]
    text = sms_text(reaching(*lived, place("Pangebatan", after_min=6), level=Siaga.AWAS))
    assert ". 6.885 jiwa a.l. Pasirmuncang, Kedungwuluh. tiba Pangebatan 18.37 WIB. " in text
    assert not any(word in text for word in ("mnt", " jam", "sktr"))
    english = sms_text(reaching(*lived, place("Pangebatan", after_min=6), level=Siaga.AWAS), "en")
    assert ". 6,885 people incl. Pasirmuncang" in english
    assert ". at Pangebatan 18.37 WIB. " in english
    nearest = sms_text(reaching(place("Notog", people=120, after_min=6)))
    assert ". 120 jiwa a.l. Notog (18.37 WIB). " in nearest


def test_a_level_that_is_only_foreseen_names_the_limit_that_is_not_passed() -> None:
    early = msgspec.structs.replace(
        ALERT, reason=Reason.RATE_OF_RISE, level_m=16.5, limit_m=17.0, impact=Impact()
    )
    assert "SIAGA (Siaga 2) potensi banjir. " in sms_text(early)
    assert ". Batas 17,00 m. " in sms_text(early)
    passed = msgspec.structs.replace(early, reason=Reason.THRESHOLD, level_m=17.1)
    assert "SIAGA (Siaga 2) banjir. " in sms_text(passed)
    assert "Batas" not in sms_text(passed)


def test_nothing_has_arrived_while_the_water_is_below_the_limit() -> None:
    early = reaching(
        place("Notog"), place("Pangebatan", after_min=6), reason=Reason.RATE_OF_RISE, level_m=16.5
    )
    assert ". Pangebatan plg cepat 18.37 WIB. " in sms_text(early)
    assert "sejak" not in sms_text(early)


def test_a_village_is_named_though_its_name_is_part_of_another() -> None:
    text = sms_text(reaching(place("Sari"), place("Sarirejo", after_min=5)))
    assert ". tiba Sarirejo 18.36 WIB. " in text
    assert " Sari. " in text


def test_an_exercise_says_in_banyumasan_too_that_nobody_need_leave() -> None:
    drill = msgspec.structs.replace(
        reaching(), status=BulletinStatus.EXERCISE, level=Siaga.AWAS, impact=Impact()
    )
    assert "Tidak perlu mengungsi (Ora usah ngungsi)" in sms_text(drill, "jv-banyumas")
