"""The documents of a survey, opened again by other programs' readers."""

import io
import json
import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pyogrio
import pyogrio.raw
import pytest
import shapely
from PIL import Image
from typing_extensions import override

from serayu.models.survey.finding import DefectClass, Severity
from serayu.models.survey.photo import CropFrame
from serayu.vision.documents import content as content_module
from serayu.vision.documents import crops as crops_module
from serayu.vision.documents.columns import tables_of
from serayu.vision.documents.content import content_of, edge_of, where_of
from serayu.vision.documents.crops import chosen_crops
from serayu.vision.documents.facts import Facts
from serayu.vision.documents.html import html
from serayu.vision.documents.kml import kml
from serayu.vision.documents.pdf import pdf
from serayu.vision.documents.road_map import road_map
from serayu.vision.documents.signs import CONDITIONS, SIGNS
from serayu.vision.documents.weights import Model, models_of, scores_in
from serayu.vision.documents.write import GEOPACKAGE, HTML, KML, PDF, write_reports
from serayu.vision.runtime.manifest import ThresholdChoice, WeightsEntry
from serayu.vision.survey.summary import LeftOut
from tests.vision.documents.made import made_facts, without_findings, write_crops

KML_NAME = "{http://www.opengis.net/kml/2.2}"


@pytest.fixture(name="facts", scope="module")
def _facts() -> Facts:
    return made_facts(24)


@pytest.fixture(name="written", scope="module")
def _written(facts: Facts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("survey")
    write_crops(facts, out / "crops", size_px=120)
    write_reports(out, facts, crops=out / "crops")
    return out


def test_writing_again_gives_the_same_bytes_and_leaves_nothing_else(facts: Facts, written: Path) -> None:
    names = (GEOPACKAGE, KML, HTML, PDF)
    before = {name: (written / name).read_bytes() for name in names}
    write_reports(written, facts, crops=written / "crops")
    assert {name: (written / name).read_bytes() for name in names} == before
    assert sorted(one.name for one in written.iterdir()) == sorted([*names, "crops"])


def test_the_geopackage_holds_what_the_findings_say(facts: Facts, written: Path) -> None:
    file = written / GEOPACKAGE
    assert [name for name, _ in pyogrio.list_layers(file)] == ["findings", "segments", "photos"]
    meta, _, shapes, columns = pyogrio.raw.read(file, layer="findings")
    table = dict(zip(meta["fields"], columns, strict=True))
    assert meta["crs"] == "EPSG:4326"
    assert list(table["id"]) == [one.id for one in facts.findings]
    assert list(table["class"]) == [one.label.value for one in facts.findings]
    for name, wanted in (
        ("area_m2", [one.area_m2 for one in facts.findings]),
        ("area_error_m2", [one.errors.area_m2 for one in facts.findings]),
        ("slope_deg", [one.slope_deg for one in facts.findings]),
    ):
        assert table[name].dtype == np.float64
        np.testing.assert_array_equal(table[name], [np.nan if one is None else one for one in wanted])
    assert table["n_photos"].dtype == np.int32
    assert list(table["photos"]) == [",".join(one.photos) for one in facts.findings]
    assert str(table["time"][0]).startswith("2026-07-01T02:00:01")
    for shape, one in zip(shapes, facts.findings, strict=True):
        assert shapely.from_wkb(shape).equals_exact(shapely.geometry.shape(one.geometry), 1e-9)


def test_the_geopackage_holds_segments_and_photos_with_their_gaps(facts: Facts, written: Path) -> None:
    meta, _, _, columns = pyogrio.raw.read(written / GEOPACKAGE, layer="segments")
    segments = dict(zip(meta["fields"], columns, strict=True))
    wanted = [one["properties"]["sdi"] or (np.nan, np.nan) for one in facts.segments]
    np.testing.assert_array_equal(np.column_stack((segments["sdi_low"], segments["sdi_high"])), wanted)
    assert segments["condition_best"][-1] is None
    meta, _, shapes, columns = pyogrio.raw.read(written / GEOPACKAGE, layer="photos")
    photos = dict(zip(meta["fields"], columns, strict=True))
    assert list(photos["status"]) == ["read"] * 36 + ["corrupt"]
    assert shapes[-1] is None
    assert meta["geometry_type"] == "Polygon"


def test_the_kml_has_a_placemark_of_each_finding_and_segment_and_fetches_nothing(
    facts: Facts, written: Path
) -> None:
    root = ET.fromstring((written / KML).read_bytes())  # noqa: S314 -- our own file
    names = [one.findtext(f"{KML_NAME}name") for one in root.iter(f"{KML_NAME}Placemark")]
    assert len(names) == len(facts.findings) + len(facts.segments)
    for place, one in enumerate(facts.findings, start=1):
        assert f"{SIGNS[one.label].letter}{place}" in names
    words = (written / KML).read_text("utf-8")
    assert "±" in words
    assert not re.search(r"https?://(?!www\.(opengis\.net|google\.com)/kml)", words)
    layers = pyogrio.list_layers(written / KML)
    assert len(layers) > 1


class _Page(HTMLParser):
    """Collects tags and what they load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data"}]


def test_the_report_is_one_file_without_scripts_that_loads_nothing(facts: Facts, written: Path) -> None:
    words = (written / HTML).read_text("utf-8")
    page = _Page()
    page.feed(words)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert page.loads
    assert all(one.startswith("data:image/jpeg;base64,") for one in page.loads)
    assert page.tags.count("img") == len(facts.findings) + len(facts.slides)
    assert "url(" not in words
    assert "&lt;Lor&gt;" in words
    assert "<i>satu</i>" not in words
    assert "&lt;i&gt;satu&lt;/i&gt;" in words


def test_the_report_says_what_was_left_out_in_words(facts: Facts, written: Path) -> None:
    words = (written / HTML).read_text("utf-8")
    for told in (
        "Terlalu gelap",
        "Foto kabur",
        "DJI_0036.JPG",
        "Pesan program (bahasa Inggris): truncated<",
        "tidak terukur",
        "36 dibaca dari 38",
        "DJI FC3582",
    ):
        assert told in words
    assert "photo.quality." not in words
    assert "finding.unmeasured." not in words
    assert "pavement.missing." not in words
    assert str(facts.summary.survey) in words


def test_without_roads_nothing_is_said_to_lie_off_them(facts: Facts, tmp_path: Path) -> None:
    lone = msgspec.structs.replace(facts.findings[3], ruas=None, km=None, side=None)
    for sha, words in (("26" * 32, "di luar ruas"), (None, "Tanpa ruas jalan")):
        summary = msgspec.structs.replace(facts.summary, inputs={"ruas": sha, "dem": None})
        given = replace(facts, findings=(lone,), summary=summary)
        assert content_of(given, crops=tmp_path).findings[0].where.id == words
        assert words in kml(given)


def test_privacy_is_one_paragraph_of_the_limits(facts: Facts, tmp_path: Path) -> None:
    note = msgspec.structs.replace(
        facts.summary.privacy, texts={"id": ["satu", "dua."], "en": ["one", "two."]}
    )
    summary = msgspec.structs.replace(facts.summary, privacy=note)
    told = content_of(replace(facts, summary=summary), crops=tmp_path).limits[-1]
    assert (told.id, told.en) == ("Privasi: satu; dua.", "Privacy: one; two.")


def test_boxes_that_have_no_place_are_counted_in_words(facts: Facts, tmp_path: Path) -> None:
    lost = [LeftOut(unit="DJI_1.JPG", status="read", code="off_ground", detail="3")]
    summary = msgspec.structs.replace(facts.summary, problems=lost)
    told = content_of(replace(facts, summary=summary), crops=tmp_path).left_out.problems
    assert [[(said.id, said.en) for said in one.details] for one in told] == [[("3 kotak", "3 boxes")]]


@pytest.mark.parametrize(
    ("classes", "boxes", "sought"),
    [
        ([["pothole", "patch_repair"]], None, {DefectClass.POTHOLE, DefectClass.PATCH_REPAIR}),
        ([["pothole"], ["landslide", "crane"]], None, {DefectClass.POTHOLE, DefectClass.LANDSLIDE}),
        ([["pothole"], None], None, None),
        ([["pothole"]], "given", None),
        ([], "given", None),
    ],
)
def test_a_class_that_no_detector_knows_is_told_as_not_looked_for_instead_of_none_found(
    facts: Facts,
    tmp_path: Path,
    classes: list[list[str] | None],
    boxes: str | None,
    sought: set[DefectClass] | None,
) -> None:
    models = tuple(
        Model("road", "0" * 64, None if names is None else weights_entry(names)) for names in classes
    )
    summary = msgspec.structs.replace(facts.summary, settings={"boxes": boxes})
    given = replace(without_findings(facts), models=models, summary=summary)
    assert given.looked_for == (None if sought is None else frozenset(sought))
    content = content_of(given, crops=tmp_path)
    shown = {one.words.en: one.n for one in content.classes}
    slides = sought is None or DefectClass.LANDSLIDE in sought
    assert shown["Pothole"] == "0"
    assert shown["Landslide"] == ("0" if slides else "–")
    for page in (
        html(content),
        b"".join(_inflated(pdf(content, made=datetime(2026, 7, 1, tzinfo=UTC)))).decode("latin-1"),
    ):
        assert ("Longsor tidak dicari" in page) is not slides
        assert ("Tidak ada longsor yang ditemukan" in page) is slides
    assert any("Tidak dicari" in one.id for one in content.limits) is (sought is not None)


def test_a_class_that_was_found_though_no_detector_knows_it_was_looked_for(facts: Facts) -> None:
    given = replace(facts, models=(Model("road", "0" * 64, weights_entry(["pothole"])),))
    found = {one.label for one in facts.findings}
    assert DefectClass.LANDSLIDE in found
    assert given.looked_for == frozenset(found | {DefectClass.POTHOLE})


@pytest.mark.parametrize(
    ("choice", "words", "english"),
    [
        (
            ThresholdChoice(f1=0.6744, pictures=200, whole=1816, split="train", learnt=True),
            "F1 mikro tertinggi (0,674) pada 200 dari 1816 gambar bagian latih 'train', yang dilihat saat pelatihan",
            "highest micro F1 (0.674) on 200 of 1816 pictures of the train-side split 'train', seen in training",
        ),
        (
            ThresholdChoice(f1=0.5, pictures=9, whole=9, split="holdout", learnt=False),
            "F1 mikro tertinggi (0,500) pada 9 dari 9 gambar bagian latih 'holdout', yang tidak dipakai melatih",
            "highest micro F1 (0.500) on 9 of 9 pictures of the train-side split 'holdout', kept out of the training",
        ),
        (None, "dipilih dengan cara lain, keterangannya hanya dalam bahasa Inggris", "invented"),
    ],
)
def test_the_source_of_the_threshold_is_told_in_indonesian_first(
    facts: Facts, tmp_path: Path, choice: ThresholdChoice | None, words: str, english: str
) -> None:
    entry = msgspec.structs.replace(weights_entry(["pothole"]), threshold_choice=choice)
    content = content_of(replace(facts, models=(Model("road", "0" * 64, entry),)), crops=tmp_path)
    page = unescape(html(content))
    assert f'0,219 ({words} <span lang="en">{english}</span>)' in page
    paper = b"".join(_inflated(pdf(content, made=datetime(2026, 7, 1, tzinfo=UTC)))).decode("latin-1")
    assert words.rsplit(maxsplit=1)[-1] in paper


def test_the_restriction_of_weights_is_told_in_indonesian_first(facts: Facts, tmp_path: Path) -> None:
    weights = [
        {
            "name": "landslide",
            "sha256": "0" * 64,
            "restriction_id": "hanya penelitian",
            "restriction_en": "research",
        },
        {"name": "road", "sha256": "1" * 64},
    ]
    content = content_of(replace(facts, models=models_of(weights)), crops=tmp_path)
    page = unescape(html(content))
    assert (
        page.count('class="warn"')
        == unescape(html(content_of(facts, crops=tmp_path))).count('class="warn"') + 1
    )
    assert ': hanya penelitian <span lang="en">research</span></div>' in page
    paper = b"".join(_inflated(pdf(content, made=datetime(2026, 7, 1, tzinfo=UTC)))).decode("latin-1")
    assert "hanya penelitian" in paper


def weights_entry(classes: list[str]) -> WeightsEntry:
    return WeightsEntry(
        name="road", task="detect", file="road.onnx", sha256="0" * 64, licence="AGPL-3.0", restriction=None,
        classes=tuple(classes), input_px=512, gsd_mm=8.0, threshold=0.219, threshold_source="invented",
        training_commit=None,
    )  # fmt: skip


def test_rows_of_findings_have_sizes_with_errors_in_the_order_of_the_findings(
    facts: Facts, written: Path
) -> None:
    told = content_of(facts, crops=written / "crops")
    assert [row.id for row in told.findings] == [one.id for one in facts.findings]
    for row, one in zip(told.findings, facts.findings, strict=True):
        assert len(row.sizes) == sum(value is not None for value in (one.length_m, one.width_mm, one.area_m2))
        assert all("±" in size for _, size in row.sizes)
        assert (row.severity.id == "tidak terukur") == (
            one.severity is Severity.UNMEASURED and one.label is not DefectClass.LANDSLIDE
        )
    (slide,) = told.slides
    assert (slide.edge.id, slide.slope) == ("2,2 ± 1,9 m: mungkin mencapai badan jalan", "31°")
    page = (written / HTML).read_text("utf-8")
    assert "2,2 ± 1,9 m: mungkin mencapai badan jalan" in page
    assert "2,2 ± 1,9 m: mungkin mencapai badan jalan · may reach the carriageway" in kml(facts)
    (layer,) = (one for one in tables_of(facts) if one.name == "findings")
    columns = {one.name: one.values for one in layer.columns}
    place = [one.id for one in facts.findings].index(facts.slides[0].id)
    assert (columns["road_edge_m"][place], columns["road_edge_error_m"][place]) == (2.25, 1.9)
    assert sum(value is not None for value in columns["road_edge_error_m"]) == 1
    assert [row.condition.id for row in told.segments][-1] == "tidak diketahui"
    assert told.segments[-1].sdi == "–"


@pytest.mark.parametrize(
    ("distance_m", "error_m", "words"),
    [
        (None, None, "tidak diketahui"),
        (3.1, 2.3, "3,1 ± 2,3 m: mungkin mencapai badan jalan"),
        (3.8, 2.3, "3,8 ± 2,3 m"),
        (1.645, 1.0, "1,6 ± 1,0 m: mungkin mencapai badan jalan"),
        (12.0, 0.03, "12,00 ± 0,03 m"),
        (12.04, None, "12,0 m"),
        (0.0, 2.3, "0,0 ± 2,3 m: mencapai badan jalan"),
        (0.0, None, "0 m: mencapai badan jalan"),
    ],
)
def test_a_distance_to_the_road_is_told_with_its_error_and_what_it_leaves_open(
    facts: Facts, distance_m: float | None, error_m: float | None, words: str
) -> None:
    errors = msgspec.structs.replace(facts.slides[0].errors, road_edge_m=error_m)
    slide = msgspec.structs.replace(facts.slides[0], road_edge_m=distance_m, errors=errors)
    assert edge_of(slide).id == words


def test_the_pdf_has_pages_and_no_time_of_writing(facts: Facts, written: Path) -> None:
    data = (written / PDF).read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b(?!s)", data)) >= 2
    assert re.findall(rb"/CreationDate \(D:(\d{14})", data) == [b"20260701020612"]
    text = b"".join(_inflated(data))
    assert b"33.02.017" in text
    assert facts.summary.survey.encode() in text


def _inflated(data: bytes) -> list[bytes]:
    found = []
    for stream in re.findall(rb"stream\n(.*?)\nendstream", data, flags=re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue  # a picture
    return found


def test_a_survey_without_findings_roads_or_photos_still_has_all_documents(
    facts: Facts, tmp_path: Path
) -> None:
    empty = without_findings(facts)
    write_reports(tmp_path, empty, crops=tmp_path / "none")
    words = (tmp_path / HTML).read_text("utf-8")
    assert "bukan bukti bahwa jalan tanpa kerusakan" in words
    assert "tanggal tidak tercatat" in words
    assert road_map(empty) is None
    for layer in ("findings", "segments", "photos"):
        assert pyogrio.read_info(tmp_path / GEOPACKAGE, layer=layer)["features"] == 0
    assert (tmp_path / PDF).read_bytes().startswith(b"%PDF-")
    ET.fromstring((tmp_path / KML).read_bytes())  # noqa: S314 -- our own file


def test_slides_and_the_severe_get_pictures_first_and_the_rest_is_counted(
    facts: Facts, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crops_module, "MOST_PICTURES", 3)
    chosen = chosen_crops(facts.findings, written / "crops", {})
    assert len(chosen) == 3
    assert facts.slides[0].id in chosen
    severe = {one.id for one in facts.findings if one.severity is Severity.HIGH}
    assert len(severe) >= 2
    assert set(chosen) - {facts.slides[0].id} <= severe
    told = content_of(facts, crops=written / "crops")
    assert told.pictures_left_out == len(facts.findings) - 3
    assert f"{told.pictures_left_out} gambar tidak dimuat" in html(told)


def test_the_box_of_a_finding_is_drawn_where_its_crop_shows_it(facts: Facts, tmp_path: Path) -> None:
    id_ = facts.findings[0].id
    Image.new("RGB", (640, 320), (110, 110, 110)).save(tmp_path / f"{id_}.jpg", quality=95)
    frame = CropFrame(1280, 640, (320.0, 160.0, 960.0, 480.0))
    (drawn,) = chosen_crops(facts.findings[:1], tmp_path, {id_: frame}).values()
    with Image.open(io.BytesIO(drawn)) as picture:
        grey = np.asarray(picture.convert("L"), dtype=int)
    height, width = grey.shape
    column, row = grey[height // 2], grey[:, width // 2]
    assert abs(int(column[: width // 2].argmax()) - width // 4) <= 1
    assert abs(width // 2 + int(column[width // 2 :].argmax()) - 3 * width // 4) <= 1
    assert abs(int(row[: height // 2].argmax()) - height // 4) <= 1
    assert column.min() < 60, "dark beside light, for any road"
    assert abs(grey[height // 2, width // 2] - 110) <= 3
    (plain,) = chosen_crops(facts.findings[:1], tmp_path, {}).values()
    with Image.open(io.BytesIO(plain)) as picture:
        assert np.ptp(np.asarray(picture.convert("L"), dtype=int)) <= 3


def test_pictures_stop_at_a_size(facts: Facts, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops_module, "MOST_BYTES", 12_000)
    chosen = chosen_crops(facts.findings, written / "crops", {})
    assert 0 < len(chosen) < len(facts.findings)
    assert sum(map(len, chosen.values())) <= 12_000


def test_rows_beyond_the_limit_are_counted(
    facts: Facts, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_module, "MOST_ROWS", 5)
    told = content_of(facts, crops=written / "crops")
    assert (len(told.findings), told.rows_left_out) == (5, 19)
    assert "19 temuan lain" in html(told)


def test_names_from_outside_cannot_break_the_documents(facts: Facts, tmp_path: Path) -> None:
    evil = '<script>alert("1")</script> & ]]> 村'
    findings = tuple(msgspec.structs.replace(one, photo=evil) for one in facts.findings[:2])
    summary = msgspec.structs.replace(facts.summary, survey=evil, source=evil)
    write_reports(tmp_path, replace(facts, findings=findings, summary=summary), crops=tmp_path)
    assert "<script" not in (tmp_path / HTML).read_text("utf-8")
    ET.fromstring((tmp_path / KML).read_bytes())  # noqa: S314 -- our own file


def test_signs_differ_by_letter_and_shape_and_conditions_by_letters_and_dashes() -> None:
    assert set(SIGNS) == set(DefectClass)
    assert (
        len({one.letter for one in SIGNS.values()})
        == len({one.shape for one in SIGNS.values()})
        == len(SIGNS)
    )
    assert (
        len({one.letters for one in CONDITIONS.values()})
        == len({one.dashes for one in CONDITIONS.values()})
        == 4
    )
    assert {len(one.letter) for one in SIGNS.values()} == {1}
    assert {len(one.letters) for one in CONDITIONS.values()} == {2}, "a letter alone is a class of findings"
    for sign in SIGNS.values():
        assert _contrast(sign.colour) >= 3.4


def _contrast(colour: str) -> float:
    """Return the contrast of white on a colour [WCAG 2.2]."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    light = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 1.05 / (0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] + 0.05)


def test_the_same_facts_give_the_same_kml_after_another(facts: Facts) -> None:
    first = kml(facts)
    kml(without_findings(facts))
    assert kml(facts) == first
    assert json.dumps(first)


def test_a_side_that_is_not_certain_is_said_to_be_so(facts: Facts) -> None:
    one = msgspec.structs.replace(next(one for one in facts.findings if one.ruas), side=None)
    words = where_of(one, facts)
    assert words.id.endswith(", sisi tidak pasti")
    assert words.en == "side not certain"


def test_numbers_of_a_model_card_are_written_as_indonesians_do() -> None:
    (one,) = scores_in(
        "### drone\n| class | n | F1 | P | R | AP50 |\n| **all** | 442 | 0.64 (0.60-0.68) | 0.62 | – | 0.58 |"
    )
    assert (one.n, one.f1, one.precision, one.recall) == ("442", "0,64 (0,60-0,68)", "0,62", "–")
