"""Bundles: only what belongs there, each wrong thing by file, feature and field; the same contents, the same digest."""

import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serayu.models.errors import BadInputError
from serayu.models.survey import bundle as module
from serayu.models.survey.bundle import pack, read_bundle
from tests.models.survey.bundles import IDS, JPEG, SURVEY, changed, crops, documents, feature, zipped

Documents = dict[str, Any]


def _first(given: Documents) -> dict[str, Any]:
    found: dict[str, Any] = given["findings.geojson"]["features"][0]
    return found


def _with(name: str, value: object) -> Callable[[Documents], None]:
    return lambda given: _first(given).__setitem__(name, value)


def _geometry(kind: object, coordinates: object) -> Callable[[Documents], None]:
    return _with("geometry", {"type": kind, "coordinates": coordinates})


def _in(name: str, **values: object) -> Callable[[Documents], None]:
    return lambda given: given[name].update(values)


def _segment(**values: object) -> Callable[[Documents], None]:
    return lambda given: given["segments.geojson"]["features"][0]["properties"].update(values)


def _photo(**values: object) -> Callable[[Documents], None]:
    return lambda given: given["sightings.json"]["photos"][1].update(values)


def _box(*edges: float, finding: str = IDS[0]) -> Callable[[Documents], None]:
    return _photo(boxes=[{"finding": finding, "xyxy_px": edges}])


SPOILED: list[tuple[Callable[[Documents], None], str]] = [
    (_with("type", "Thing"), r"findings\.geojson, row 1, field type"),
    (_with("id", IDS[1]), "row 1, field id: differs"),
    (_with("geometry", None), "row 1, field geometry"),
    (_geometry("Circle", [0, 0]), "row 1, field geometry: expected one of"),
    (_geometry("Point", [-7.5, 109.3]), "latitude ±90"),
    (_geometry("Point", [200, 0]), "longitude ±180"),
    (_geometry("Point", [1e400, 0]), "not a GeoJSON collection"),
    (_geometry("Point", [10**400, 0]), "field geometry: not a geometry"),
    (_geometry(["Point"], [0, 0]), "field geometry: expected one of"),
    (_geometry("Point", ["a", 0]), "field geometry"),
    (_geometry("Point", []), "field geometry"),
    (_geometry("Point", [[1, 2]]), "field geometry: not the coordinates of a Point"),
    (_geometry("Polygon", [[[0, 0], [1, 1]]]), "field geometry"),
    (_geometry("LineString", []), "field geometry: it is empty"),
    (lambda given: given["findings.geojson"]["features"].append(feature(1)), r"row 5, .*is there twice"),
    (lambda given: given["findings.geojson"]["features"].pop(), r"survey\.json, field counts\.findings: says 4"),
    (_in("findings.geojson", type="Feature"), "expected a FeatureCollection"),
    (_in("findings.geojson", features={}), "not a GeoJSON collection"),
    (_in("survey.json", survey="../x"), r"survey\.json, field survey"),
    (_in("survey.json", survey="another"), r"findings\.geojson, row 1, field properties\.survey: of another survey"),
    (_in("survey.json", first="yesterday"), r"survey\.json, field first"),
    (_in("survey.json", counts=None), r"survey\.json, field counts"),
    (_segment(survey="x"), r"segments\.geojson, row 1, field properties\.survey"),
    (_segment(km_to=0.0), r"field properties\.km_to"),
    (_segment(surveyed=1.2), r"field properties\.surveyed"),
    (_segment(pci=[80, 60]), r"field properties\.pci"),
    (_segment(pci=[80]), r"field properties\.pci"),
    (_segment(sdi="high"), r"field properties\.sdi"),
    (_in("sightings.json", survey="x"), r"sightings\.json, field survey"),
    (_photo(photo="../x.jpg"), r"sightings\.json, row 2, field photo"),
    (_photo(photo="SRY_0001.jpg"), "is there twice"),
    (_photo(width_px=0), "field width_px"),
    (_box(0, 0, 1700, 10), "does not lie in the photo"),
    (_box(10, 0, 10, 10), "does not lie in the photo"),
    (_box(0, 0, 9, 9, finding="x"), "x is not a finding"),
]  # fmt: skip


def test_a_bundle_is_read_whole() -> None:
    found = read_bundle(io.BytesIO(zipped()))
    assert (found.head.survey, len(found.findings), len(found.segments), len(found.photos)) == (
        SURVEY,
        4,
        1,
        2,
    )
    assert dict(found.pictures()) == {name.removeprefix("crops/"): data for name, data in crops().items()}
    assert found.segments[0][0].pci == (61.5, 74.0)
    assert json.loads(found.document) == documents()["survey.json"]


def test_the_digest_is_of_the_contents_and_packing_is_deterministic(tmp_path: Path) -> None:
    (tmp_path / "crops").mkdir()
    for name, said in documents().items():
        (tmp_path / name).write_bytes(json.dumps(said).encode())
    for name, data in crops().items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "report.pdf").write_bytes(b"is not published")
    one, two = io.BytesIO(), io.BytesIO()
    pack(tmp_path, one)
    pack(tmp_path, two)
    assert one.getvalue() == two.getvalue() != zipped()
    same, other = read_bundle(one).digest, read_bundle(io.BytesIO(zipped(changed(score=0.91)))).digest
    assert same == read_bundle(io.BytesIO(zipped())).digest != other
    fewer = dict(list(crops().items())[:1])
    assert read_bundle(io.BytesIO(zipped(pictures=fewer))).digest != same


def test_a_folder_without_its_documents_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"survey\.json: cannot read"):
        pack(tmp_path, io.BytesIO())


@pytest.mark.parametrize(
    ("spoil", "said"), SPOILED, ids=[f"{n} {said[:30]}" for n, (_, said) in enumerate(SPOILED)]
)
def test_a_wrong_document_is_refused_by_file_feature_and_field(
    spoil: Callable[[Documents], None], said: str
) -> None:
    given = documents()
    spoil(given)
    with pytest.raises(BadInputError, match=said):
        read_bundle(io.BytesIO(zipped(given)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first", "2026-13-01T00:00:00Z"),
        ("last", "soon"),
        ("source", "a\0b"),
        ("detector", ""),
        ("kind", "x" * 1001),
    ],
)
def test_a_summary_that_cannot_be_kept_is_refused(field: str, value: str) -> None:
    given = documents()
    given["survey.json"][field] = value
    with pytest.raises(BadInputError, match=rf"survey\.json, field {field}"):
        read_bundle(io.BytesIO(zipped(given)))


def test_a_summary_whose_unread_fields_are_no_text_is_refused() -> None:
    given = documents()
    data = json.dumps(given.pop("survey.json")).encode().replace(b'"weights": []', b'"weights": "\xff"')
    with pytest.raises(BadInputError, match=r"survey\.json"):
        read_bundle(io.BytesIO(zipped(given, {**crops(), "survey.json": data})))


@pytest.mark.parametrize("missing", ["survey.json", "findings.geojson", "segments.geojson"])
def test_a_document_that_is_missing_is_named(missing: str) -> None:
    given = documents()
    del given[missing]
    with pytest.raises(BadInputError, match=f"{missing}: is not in the bundle"):
        read_bundle(io.BytesIO(zipped(given)))


def test_a_survey_without_boxes_is_a_survey() -> None:
    given = documents()
    del given["sightings.json"]
    assert read_bundle(io.BytesIO(zipped(given))).photos == ()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("../evil.jpg", JPEG, "does not belong"),
        ("/etc/passwd", b"x", "does not belong"),
        ("crops/../../x.jpg", JPEG, "does not belong"),
        ("crops\\x.jpg", JPEG, "does not belong"),
        (f"crops/{IDS[3]}.jpg/x", JPEG, "does not belong"),
        ("photos/SRY_0001.jpg", JPEG, "does not belong"),
        ("crops/019f1b67-94e8-7000-b727-2d65b0594aff.jpg", JPEG, "the picture of no finding"),
        (f"crops/{IDS[3]}.jpg", b"<svg onload=x>", "not a JPEG"),
        (f"crops/{IDS[3]}.jpg", b"\xff\xd8\xff" + bytes(module.CROP_AT_MOST), "larger than"),
    ],
)
def test_a_file_that_does_not_belong_is_refused(name: str, content: bytes, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        read_bundle(io.BytesIO(zipped(pictures={**crops(), name: content})))


def test_a_link_is_refused() -> None:
    data = io.BytesIO(zipped())
    entry = zipfile.ZipInfo(f"crops/{IDS[3]}.jpg")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(data, "a") as packed:
        packed.writestr(entry, "/etc/passwd")
    with pytest.raises(BadInputError, match="is no plain file"):
        read_bundle(data)


def test_a_file_that_is_there_twice_is_refused() -> None:
    data = io.BytesIO(zipped())
    with zipfile.ZipFile(data, "a") as packed, pytest.warns(UserWarning, match="Duplicate"):
        packed.writestr("survey.json", b"{}")
    with pytest.raises(BadInputError, match=r"survey\.json: is in the bundle twice"):
        read_bundle(data)


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = {**crops(), "segments.geojson": b" " * (module.DOCUMENT_AT_MOST + 1)}
    given = documents()
    del given["segments.geojson"]
    data = zipped(given, bomb)
    assert len(data) < 100_000
    with pytest.raises(BadInputError, match=r"segments\.geojson: larger than 67108864 bytes"):
        read_bundle(io.BytesIO(data))


def test_a_zip_that_lies_about_a_size_is_damaged() -> None:
    data = bytearray(zipped(pictures={f"crops/{IDS[0]}.jpg": JPEG * 1000}))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as packed:
        size = packed.getinfo(f"crops/{IDS[0]}.jpg").file_size
    lied = bytes(data).replace(size.to_bytes(4, "little"), (40).to_bytes(4, "little"))
    assert lied != bytes(data)
    with pytest.raises(BadInputError, match="damaged"):
        read_bundle(io.BytesIO(lied))


def test_too_much_in_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOTAL_AT_MOST", 1000)
    with pytest.raises(BadInputError, match="more than 1000 bytes unpacked"):
        read_bundle(io.BytesIO(zipped()))


@pytest.mark.parametrize("data", [b"", b"not a zip", zipped()[:-30]])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    with pytest.raises(BadInputError, match="bundle: not a zip"):
        read_bundle(io.BytesIO(data))


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff", b"[" * 100_000, b'{"type": NaN}'])
def test_a_document_that_is_no_json_is_refused(data: bytes) -> None:
    given = documents()
    del given["findings.geojson"]
    with pytest.raises(BadInputError, match=r"findings\.geojson: not a GeoJSON collection"):
        read_bundle(io.BytesIO(zipped(given, {**crops(), "findings.geojson": data})))
