"""The catalogue: complete in Indonesian and English, the same fields in each language, nothing left unfilled."""

import string
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from serayu.models.alert_text import LEVEL_STYLES, change_sentence, level_label
from serayu.models.siaga import ChangeKind, Reason, Siaga, SiagaChange, Thresholds
from serayu.models.station import Datastream, Station, StationKind
from serayu.models.texts import DRAFTS, LANGUAGES, catalogue, decimal, text

N, W, S, A = Siaga
LIMITS = Thresholds(
    2.0, 3.0, 4.0, source="invented for this test", valid_from="2026-01-01", approved_by="nobody"
)
POST = Station(
    "pos-a", "33.02", "Pos A", StationKind.RIVER, 109.2, -7.4, (Datastream("stage"),), "test", river="Kali Pelus",
    thresholds=LIMITS,
)  # fmt: skip


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def change(
    before: Siaga,
    after: Siaga,
    kind: ChangeKind,
    reason: Reason = Reason.THRESHOLD,
    *,
    slope: float | None = None,
    verified: bool = True,
) -> SiagaChange:
    return SiagaChange(0, before, after, kind, reason, 2.345, slope, verified)


def _faults(languages: Mapping[str, str]) -> Iterator[str]:
    if not {"id", "en"} <= set(languages) <= set(LANGUAGES):
        yield f"languages {sorted(languages)}"
    if not all(sentence.strip() == sentence != "" for sentence in languages.values()):
        yield "empty, or space at an end"
    if len({frozenset(fields(sentence)) for sentence in languages.values()}) != 1:
        yield "other fields in another language"
    names = {name for sentence in languages.values() for name in fields(sentence)}
    if odd := {name for name in names if not name.isidentifier()}:
        yield f"plain names only, no positions and no look-ups: {sorted(odd)}"


def test_every_text_has_indonesian_and_english_with_the_same_fields() -> None:
    texts = catalogue()
    assert len(texts) > 700
    assert [(key, fault) for key, languages in texts.items() for fault in _faults(languages)] == []


@pytest.mark.parametrize(
    "languages",
    [
        {"id": "Air"},
        {"id": "Air", "en": "Water", "fr": "Eau"},
        {"id": "Air", "en": ""},
        {"id": "Air ", "en": "Water"},
        {"id": "Air {m}", "en": "Water"},
        {"id": "Air {0}", "en": "Water {0}"},
        {"id": "Air {m.n}", "en": "Water {m.n}"},
    ],
)
def test_the_look_at_texts_finds_a_fault(languages: dict[str, str]) -> None:
    assert len(list(_faults(languages))) == 1


def test_the_dialect_is_marked_as_a_draft() -> None:
    assert frozenset(LANGUAGES) - {"id", "en"} == DRAFTS


def test_a_missing_field_text_or_language_raises() -> None:
    with pytest.raises(KeyError, match=r"text 'stale\.last' needs the field 'minutes'"):
        text("stale.last")
    with pytest.raises(KeyError, match="no text 'nothing'"):
        text("nothing")
    with pytest.raises(KeyError, match="in language 'jv-banyumas'"):
        text("siaga.awas.colour", "jv-banyumas")
    assert text("stale.none", unused=1) == "tidak ada data"


def test_a_field_is_never_read_as_a_pattern() -> None:
    assert text("stale.last", minutes="{secret} {0}") == "data terakhir {secret} {0} menit lalu"


def test_the_files_have_no_key_twice_and_nothing_beside_texts() -> None:
    folder = Path(__file__).parents[2] / "models" / "serayu" / "models" / "data" / "texts"
    files = [
        tomllib.loads(file.read_text("utf-8")) for file in folder.iterdir()
    ]  # refuses a key that is there twice
    assert files
    assert all(set(file) == {"text"} for file in files)
    assert sum(len(file["text"]) for file in files) == len(catalogue())


@pytest.mark.parametrize(
    ("value", "decimals", "lang", "expected"),
    [
        (0, 0, "id", "0"), (-0.04, 1, "id", "0,0"), (2.345, 2, "en", "2.35"), (1234567.5, 1, "id", "1.234.567,5"),
        (-3.25, 1, "jv-banyumas", "-3,2"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_each_language_does(
    value: float, decimals: int, lang: str, expected: str
) -> None:
    assert decimal(value, decimals, lang) == expected


@pytest.mark.parametrize("level", list(Siaga))
def test_a_level_is_shown_by_word_number_sign_and_colour(level: Siaga) -> None:
    for lang in LANGUAGES:
        assert f"Siaga {level.number}" in level_label(level, lang)
    assert level.value.upper() in level_label(level)
    assert text(f"siaga.{level.value}.colour")
    assert text(f"siaga.{level.value}.do")
    assert len({style.sign for style in LEVEL_STYLES.values()}) == len(Siaga)
    assert len({style.colour for style in LEVEL_STYLES.values()}) == len(Siaga)


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        pytest.param(
            change(N, W, ChangeKind.RAISE, slope=0.304),
            "WASPADA (Siaga 3): muka air Kali Pelus di Pos A 2,35 m, di atas batas 2,00 m (01-01-1970 07.00 WIB)."
            " Naik 30 cm/jam.",
            id="raise",
        ),
        pytest.param(
            change(W, S, ChangeKind.RAISE, Reason.RATE_OF_RISE, slope=1.2, verified=False),
            "SIAGA (Siaga 2), peringatan dini: muka air Kali Pelus di Pos A 2,35 m dan naik cepat menuju batas 3,00 m"
            " (01-01-1970 07.00 WIB). Naik 120 cm/jam. Data belum terverifikasi.",
            id="early and unverified",
        ),
        pytest.param(
            change(W, N, ChangeKind.LOWER, slope=-0.2),
            "Kembali NORMAL (Siaga 4): muka air Kali Pelus di Pos A 2,35 m (01-01-1970 07.00 WIB)."
            " Tetap waspada terhadap hujan susulan. Turun 20 cm/jam.",
            id="end",
        ),
        pytest.param(
            change(A, W, ChangeKind.LOWER, slope=0.004),
            "Turun dari AWAS (Siaga 1) ke WASPADA (Siaga 3): muka air Kali Pelus di Pos A 2,35 m"
            " (01-01-1970 07.00 WIB).",
            id="lower, a slope that rounds to nothing",
        ),
        pytest.param(
            change(W, W, ChangeKind.CONFIRM),
            "WASPADA (Siaga 3) dipastikan: muka air Kali Pelus di Pos A 2,35 m, kini di atas batas 2,00 m"
            " (01-01-1970 07.00 WIB).",
            id="confirm, slope unknown",
        ),
        pytest.param(
            change(A, N, ChangeKind.RETRACT),
            "NORMAL (Siaga 4): bacaan yang menjadi dasar AWAS (Siaga 1) ternyata gagal uji mutu dan dicabut."
            " Muka air Kali Pelus di Pos A 2,35 m (01-01-1970 07.00 WIB).",
            id="retract",
        ),
        pytest.param(
            change(W, W, ChangeKind.VERIFY),
            "WASPADA (Siaga 3) terverifikasi: muka air Kali Pelus di Pos A 2,35 m (01-01-1970 07.00 WIB).",
            id="verify",
        ),
    ],
)
def test_a_change_is_one_sentence_with_its_numbers(happened: SiagaChange, expected: str) -> None:
    assert change_sentence(happened, POST) == expected


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("kind", list(ChangeKind))
def test_every_change_can_be_said_in_every_language(kind: ChangeKind, reason: Reason, lang: str) -> None:
    after = {ChangeKind.RAISE: A, ChangeKind.LOWER: W}.get(kind, S)
    sentence = change_sentence(change(S, after, kind, reason, slope=-0.5, verified=False), POST, lang)
    assert level_label(after, lang) in sentence
    assert decimal(2.345, 2, lang) in sentence
    assert text("alert.unverified", lang) in sentence


def test_a_station_without_limits_has_no_changes_to_tell() -> None:
    free = Station("pos-b", "33.02", "Pos B", StationKind.RIVER, 109.2, -7.4, (Datastream("stage"),), "test")
    with pytest.raises(ValueError, match="pos-b"):
        change_sentence(change(N, W, ChangeKind.RAISE), free)


@pytest.mark.parametrize("lang", ["id", "en"])
def test_a_score_is_called_the_same_in_the_report_and_in_reviews_and_never_a_confidence(lang: str) -> None:
    assert text("review.score", lang) == text("report.column.score", lang)
    assert not {"keyakinan", "confidence"} & set(text("review.score", lang).lower().split())
