import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.errors import BadInputError
from serayu.models.region import RegionInfo, load_region
from serayu.models.region_check import check_region
from serayu.models.region_import import COLUMNS, read_stations, station_slug, write_region
from serayu.models.region_layers import LAYERS, read_layers, write_layers
from serayu.models.siaga import SiagaSettings
from serayu.models.station import StationKind
from serayu.models.topics import RESERVED, SLUG

SHARED = Path(__file__).parents[3] / "shared"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="no shared data beside the checkout")
INFO = RegionInfo(code="99.01", name="Sungai lain", source='sebuah "tabel"\\baru')
GOOD = {
    "station_id": "LK-NAGALAGAM_STREET", "dataset": "ditwah", "name": 'Jembatan "Besar", hulu', "river": "Kelani",
    "variable": "stage", "unit": "m", "lat": "6.96", "lon": "79.87", "step": "1h", "alert": "1.2", "alarm": "1.5",
    "critical": "2.1", "source": "sebuah repositori", "licence": "MIT", "note": "kadang putus",
}  # fmt: skip


def _table(tmp_path: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    """Write rows, each given as what differs from the good one."""

    def line(cells: list[str]) -> str:
        return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)

    file = tmp_path / "stations.csv"
    lines = [line([{**GOOD, **row}[name] for name in columns]) for row in rows]
    file.write_text("\n".join([",".join(columns), *lines]) + "\n")
    return file


def test_a_station_is_written_and_read_back_as_it_was(tmp_path: Path) -> None:
    table = read_stations(_table(tmp_path, {}), dataset="ditwah")
    write_region(table, tmp_path / "out", info=INFO)
    region = load_region(tmp_path / "out")
    (station,) = region.stations.values()
    assert region.info == INFO
    assert (station.id, station.kind) == ("lk-nagalagam-street", StationKind.RIVER)
    assert (station.name, station.river) == (GOOD["name"], "Kelani")
    assert (station.lat, station.lon, station.note) == (6.96, 79.87, "kadang putus")
    assert "sebuah repositori" in station.source
    assert "MIT" in station.source
    assert not station.invented
    (datastream,) = station.datastreams
    assert (datastream.property, datastream.interval_s) == ("stage", 3600.0)


def test_the_three_limits_become_siaga_without_waiting_and_without_foresight(tmp_path: Path) -> None:
    table = read_stations(_table(tmp_path, {}), dataset="ditwah")
    write_region(table, tmp_path / "out", info=INFO)
    station = load_region(tmp_path / "out").station("lk-nagalagam-street")
    assert station.thresholds is not None
    limits = station.thresholds
    assert (limits.waspada_m, limits.siaga_m, limits.awas_m) == (1.2, 1.5, 2.1)
    assert "MIT" in limits.source
    assert not limits.invented
    assert station.siaga == SiagaSettings(min_duration_us=0, travel_time_us=None)


def test_limits_are_turned_into_metres(tmp_path: Path) -> None:
    row = {"unit": "cm", "alert": "120", "alarm": "150", "critical": "210"}
    limits = read_stations(_table(tmp_path, row), dataset="ditwah").limits["lk-nagalagam-street"]
    assert (limits.waspada_m, limits.siaga_m, limits.awas_m) == pytest.approx((1.2, 1.5, 2.1))


def test_a_post_without_limits_has_none(tmp_path: Path) -> None:
    row = {"alert": "", "alarm": "", "critical": ""}
    assert read_stations(_table(tmp_path, row), dataset="ditwah").limits == {}


def test_stage_and_flow_of_one_id_are_one_station_and_other_variables_are_noted(tmp_path: Path) -> None:
    file = _table(
        tmp_path,
        {},
        {"variable": "flow", "unit": "m3/s", "step": "15min"},
        {"variable": "rain", "unit": "mm", "lat": "", "lon": ""},
        {"dataset": "lain", "lat": "", "lon": ""},
    )
    table = read_stations(file, dataset="ditwah")
    (feature,) = table.features
    datastreams = feature["properties"]["datastreams"]
    assert [(entry["property"], entry["interval_s"]) for entry in datastreams] == [
        ("stage", 3600.0),
        ("discharge", 900.0),
    ]
    assert any("row 4" in note and "'rain' left out" in note for note in table.notes)


@pytest.mark.parametrize(
    ("rows", "row", "field", "message"),
    [
        pytest.param([{"lat": ""}], 2, "lat", "coordinates are missing", id="no latitude"),
        pytest.param([{}, {"station_id": "B-2", "lon": ""}], 3, "lon", "coordinates are missing", id="no longitude"),
        pytest.param([{"lat": "utara"}], 2, "lat", "expected a number, got 'utara'", id="latitude is text"),
        pytest.param([{"lat": "nan"}], 2, "lat", "expected a finite number", id="latitude is NaN"),
        pytest.param([{"lat": "91"}], 2, "lat", "expected -90 to 90 degrees", id="latitude too large"),
        pytest.param([{"alert": "1,2"}], 2, "alert", "expected a number", id="limit is text"),
        pytest.param([{"alarm": ""}], 2, "alarm", "limits are incomplete", id="one limit missing"),
        pytest.param([{"alert": "3"}], 2, "alert", "expected waspada_m < siaga_m", id="limits descend"),
        pytest.param([{"unit": "ft"}], 2, "unit", "stage in 'ft'; accepted: m, cm, mm", id="unit"),
        pytest.param([{"step": "sejam"}], 2, "step", "expected a span", id="step"),
        pytest.param([{"step": "0s"}], 2, "step", "must be longer than 0", id="no step"),
        pytest.param([{"source": ""}], 2, "source", "every station needs its source", id="no source"),
        pytest.param([{"station_id": "x" * 50}], 2, "station_id", "makes no station id", id="id too long"),
        pytest.param([{"station_id": "STATUS"}], 2, "station_id", "makes no station id", id="reserved id"),
        pytest.param([{}, {}], 3, "variable", "measures 'stage' twice", id="twice"),
        pytest.param(
            [{}, {"station_id": "LK-NAGALAGAM-STREET"}], 3, "station_id", "make the same station id", id="same slug",
        ),
        pytest.param([{}, {"variable": "flow", "unit": "m3/s", "lat": "7"}], 3, "lat", "elsewhere", id="moved"),
        pytest.param([{"dataset": "lain"}], None, "dataset", "no rows of dataset 'ditwah'", id="no rows"),
        pytest.param([{"variable": "rain"}], None, "variable", "measures neither stage nor flow", id="only rain"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named(
    tmp_path: Path, rows: list[dict[str, str]], row: int | None, field: str, message: str
) -> None:
    file = _table(tmp_path, *rows)
    with pytest.raises(BadInputError, match=message) as caught:
        read_stations(file, dataset="ditwah")
    assert (caught.value.file, caught.value.row, caught.value.field) == (str(file), row, field)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    file = _table(tmp_path, {}, columns=tuple(name for name in COLUMNS if name != "licence"))
    with pytest.raises(BadInputError, match="row 1, field licence: column is missing"):
        read_stations(file, dataset="ditwah")


def test_an_absent_or_unreadable_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"absent\.csv"):
        read_stations(tmp_path / "absent.csv", dataset="ditwah")
    (tmp_path / "latin.csv").write_bytes(b"\xe9")
    with pytest.raises(BadInputError, match="not UTF-8"):
        read_stations(tmp_path / "latin.csv", dataset="ditwah")


@given(st.text(max_size=30))
def test_a_slug_is_a_station_id_unless_it_is_too_long_short_or_reserved(name: str) -> None:
    slug = station_slug(name)
    assert SLUG.match(slug) or slug in RESERVED or not 2 <= len(slug) <= 40
    assert station_slug(slug) == slug


def test_an_existing_folder_is_kept_without_force(tmp_path: Path) -> None:
    table = read_stations(_table(tmp_path, {}), dataset="ditwah")
    write_region(table, tmp_path / "out", info=INFO)
    before = (tmp_path / "out" / "region.toml").read_bytes()
    other = RegionInfo(code="99.02", name="Lain", source="lain")
    with pytest.raises(BadInputError, match="exists already"):
        write_region(table, tmp_path / "out", info=other)
    assert (tmp_path / "out" / "region.toml").read_bytes() == before
    write_region(table, tmp_path / "out", info=other, force=True)
    assert load_region(tmp_path / "out").code == "99.02"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "stations.csv"]


def test_force_never_replaces_a_folder_that_is_no_region(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("penting")
    table = read_stations(_table(tmp_path, {}), dataset="ditwah")
    with pytest.raises(BadInputError, match=r"holds no region\.toml"):
        write_region(table, tmp_path / "out", info=INFO, force=True)
    assert (tmp_path / "out" / "letter.txt").read_text() == "penting"


def test_a_folder_whose_parent_is_absent_is_refused(tmp_path: Path) -> None:
    table = read_stations(_table(tmp_path, {}), dataset="ditwah")
    with pytest.raises(BadInputError, match="cannot write"):
        write_region(table, tmp_path / "absent" / "out", info=INFO)


SQUARE = [[[109.0, -7.0], [109.1, -7.0], [109.1, -7.1], [109.0, -7.0]]]
BOW_TIE = [[[109.0, -7.0], [109.1, -7.1], [109.1, -7.0], [109.0, -7.1], [109.0, -7.0]]]


def _feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def _layers() -> dict[str, list[dict[str, Any]]]:
    line = [[109.0, -7.0], [109.1, -7.1]]
    return {
        "x_desa.geojson": [
            _feature("Polygon", SQUARE, kode="33.02.01.2001", nama="Cirahab"),
            _feature("Polygon", SQUARE, kode="33.02.01.2002", nama="Canduk"),
        ],
        "x_kecamatan.geojson": [_feature("Polygon", SQUARE, kode="33.02.01", nama="Lumbir")],
        "x_kabupaten.geojson": [_feature("MultiPolygon", [SQUARE], kode="33.02", nama="Banyumas")],
        "x_roads.geojson": [
            _feature("LineString", line, name="Jalan A", **{"class": "tertiary"}, lic="ODbL", src="O")
        ],
        "x_waterways.geojson": [_feature("MultiLineString", [line], name="Kali B", **{"class": "river"})],
        "x_settlements.geojson": [_feature("Point", [109.05, -7.05], name="Wangon")],
    }


def _write_layers(folder: Path, layers: dict[str, list[dict[str, Any]]]) -> Path:
    folder.mkdir()
    for name, features in layers.items():
        collection = {"type": "FeatureCollection", "license": "MIT", "features": features}
        (folder / name).write_text(json.dumps(collection))
    (folder / "kecamatan_table.csv").write_text("kode,nama\n33.02.01,Lumbir\n")
    return folder


@pytest.fixture(name="region")
def _region(tmp_path: Path) -> Path:
    write_region(read_stations(_table(tmp_path, {}), dataset="ditwah"), tmp_path / "region", info=INFO)
    return tmp_path / "region"


def test_layers_are_taken_over_byte_for_byte_with_their_licences(tmp_path: Path, region: Path) -> None:
    source = _write_layers(tmp_path / "gis", _layers())
    write_layers(read_layers(source), region)
    assert (region / "layers" / "desa.geojson").read_bytes() == (source / "x_desa.geojson").read_bytes()
    assert {path.name for path in (region / "layers").iterdir()} == {
        "SOURCES.toml", *(layer.target for layer in LAYERS.values()),
    }  # fmt: skip
    sources = (region / "layers" / "SOURCES.toml").read_text()
    assert 'licence = ["MIT", "ODbL"]' in sources
    assert sources.count("not stated in the file") >= 1
    assert load_region(region).code == "99.01"


def test_layers_that_are_there_are_kept_without_force(tmp_path: Path, region: Path) -> None:
    layers = read_layers(_write_layers(tmp_path / "gis", _layers()))
    write_layers(layers, region)
    with pytest.raises(BadInputError, match="exists already"):
        write_layers(layers, region)
    write_layers(layers, region, force=True)


def test_layers_go_only_into_a_region(tmp_path: Path) -> None:
    layers = read_layers(_write_layers(tmp_path / "gis", _layers()))
    with pytest.raises(BadInputError, match=r"region\.toml is missing"):
        write_layers(layers, tmp_path)


@pytest.mark.parametrize("geometry", [None, {"type": "LineString", "coordinates": []}])
def test_a_feature_without_coordinates_is_left_out_and_noted(
    tmp_path: Path, geometry: dict[str, Any] | None
) -> None:
    layers = _layers()
    layers["x_roads.geojson"].append(
        {"type": "Feature", "properties": {"name": "Jalan C", "class": "tertiary"}, "geometry": geometry}
    )
    roads = next(
        layer for layer in read_layers(_write_layers(tmp_path / "gis", layers)) if layer.name == "roads"
    )
    assert roads.features == len(json.loads(roads.content)["features"]) == 1
    assert roads.notes == ("x_roads.geojson, row 2: name Jalan C: left out, it has no coordinates",)


@pytest.mark.parametrize(
    ("coordinates", "properties", "field", "message"),
    [
        pytest.param(
            BOW_TIE, {}, "geometry", r"kode 33\.02\.01\.2002: Self-intersection", id="crosses itself"
        ),
        pytest.param([[[109.0, -7.0]]], {}, "geometry", "no geometry", id="too few points"),
        pytest.param("tidak ada", {}, "geometry", "no geometry", id="text"),
        pytest.param(
            [[[x * 1e4, y * 1e4] for x, y in SQUARE[0]]], {}, "geometry", "not degrees", id="metres"
        ),
        pytest.param(SQUARE, {"nama": ""}, "nama", "missing", id="no name"),
        pytest.param(
            SQUARE, {"kode": "33.02.01.2001"}, "kode", "there twice, first in row 1", id="same kode"
        ),
    ],
)
def test_a_bad_feature_is_named(
    tmp_path: Path,
    coordinates: Any,  # noqa: ANN401 -- JSON
    properties: dict[str, Any],
    field: str,
    message: str,
) -> None:
    layers = _layers()
    named = {"kode": "33.02.01.2002", "nama": "Canduk", **properties}
    layers["x_desa.geojson"][1] = _feature("Polygon", coordinates, **named)
    source = _write_layers(tmp_path / "gis", layers)
    with pytest.raises(BadInputError, match=message) as caught:
        read_layers(source)
    assert (caught.value.file, caught.value.row, caught.value.field) == (
        str(source / "x_desa.geojson"),
        2,
        field,
    )


def test_a_layer_of_another_geometry_missing_or_there_twice_is_refused(tmp_path: Path) -> None:
    layers = _layers()
    layers["x_roads.geojson"] = layers["x_settlements.geojson"]
    with pytest.raises(BadInputError, match="name Wangon: expected LineString or MultiLineString, got Point"):
        read_layers(_write_layers(tmp_path / "points", layers))
    del layers["x_roads.geojson"]
    with pytest.raises(BadInputError, match="layer roads, found none"):
        read_layers(_write_layers(tmp_path / "missing", layers))
    twice = _layers() | {"y_roads.geojson": _layers()["x_roads.geojson"]}
    with pytest.raises(BadInputError, match=r"found x_roads\.geojson, y_roads\.geojson"):
        read_layers(_write_layers(tmp_path / "twice", twice))


@pytest.mark.shared
@needs_shared
def test_the_posts_of_cyclone_ditwah_become_a_region(tmp_path: Path) -> None:
    table = read_stations(SHARED / "data" / "hydro" / "stations.csv", dataset="srilanka_ditwah")
    write_region(table, tmp_path / "ditwah", info=INFO)
    report = check_region(tmp_path / "ditwah")
    assert (report.region, report.stations, report.posts_with_limits) == ("99.01", 27, 27)
    assert report.warnings == []
    limits = load_region(tmp_path / "ditwah").station("lk-badalgama").thresholds
    assert limits is not None
    assert (limits.waspada_m, limits.siaga_m, limits.awas_m) == (5.0, 6.2, 9.6)


@pytest.mark.shared
@needs_shared
def test_the_layers_of_banyumas_pass_the_checks() -> None:
    layers = {layer.name: layer for layer in read_layers(SHARED / "data" / "gis")}
    assert (layers["desa"].features, layers["kecamatan"].features) == (331, 27)
    assert all(layer.licences for name, layer in layers.items() if name != "kecamatan_table")
