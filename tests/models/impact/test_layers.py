from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import shapely

from serayu.models.errors import BadInputError
from serayu.models.impact import ImpactIndex
from serayu.models.impact.layers import SETTLEMENTS, read_layer
from serayu.models.plane import LocalPlane
from tests.models.impact.conftest import MADE, Write, box, feature, line, point, village

ZONE = {"station": "hulu", "level": "siaga", **MADE}
ROAD = {"number": "12", "name": "Jalan", **MADE}
BOW_TIE = {"type": "Polygon", "coordinates": [[[100, 0], [100.01, 0.01], [100.01, 0], [100, 0.01], [100, 0]]]}
FAR = {"type": "Polygon", "coordinates": [[[300, 0], [301, 0], [301, 1], [300, 0]]]}
OPEN = {"type": "Polygon", "coordinates": [[[100, 0], [101, 0]]]}


@pytest.mark.parametrize(
    ("layer", "bad", "field", "reason"),
    [
        ("flood_zones", feature(BOW_TIE, **ZONE), "geometry", "Self-intersection"),
        ("flood_zones", feature(None, **ZONE), "geometry", "expected Polygon or Multipolygon"),
        ("flood_zones", feature(OPEN, **ZONE), "geometry", "expected Polygon"),
        ("flood_zones", feature(FAR, **ZONE), "geometry", "not degrees"),
        ("flood_zones", feature(point(1, 1), **ZONE), "geometry", "got Point"),
        ("flood_zones", feature(shapely.Polygon(), **ZONE), "geometry", "got nothing"),
        (
            "flood_zones",
            feature(box(0, 0, 1, 1), **{**ZONE, "station": "lain"}),
            "station",
            "unknown station",
        ),
        (
            "flood_zones",
            feature(box(0, 0, 1, 1), **{**ZONE, "level": "merah"}),
            "level",
            "Invalid enum value",
        ),
        (
            "flood_zones",
            feature(box(0, 0, 1, 1), **{**ZONE, "level": "normal"}),
            "level",
            "belongs to waspada",
        ),
        ("flood_zones", feature(box(0, 0, 1, 1), **{**ZONE, "depth_m": -1}), "depth_m", ">= 0"),
        ("flood_zones", feature(box(0, 0, 1, 1), **{**ZONE, "dept": 1}), None, "unknown field `dept`"),
        ("flood_zones", {"type": "Feature", "geometry": None}, "geometry", "got nothing"),
        ("settlements", feature(point(1, 1), people=-5, **MADE), "people", ">= 0"),
        ("settlements", feature(point(1, 1), people="banyak", **MADE), "people", "Expected `int | null`"),
        ("settlements", feature(point(1, 1), desa="99.01.01.2009", **MADE), "desa", "unknown village"),
        ("settlements", feature(line((0, 0), (1, 1)), **MADE), "geometry", "got LineString"),
        ("ruas", feature(line((0, 0), (1, 1)), **{**ROAD, "number": ""}), "number", "length >= 1"),
        (
            "ruas",
            feature(line((0, 0), (1, 1)), name="Jalan", **MADE),
            None,
            "missing required field `number`",
        ),
        ("schools", feature(point(0, 0), name="SD", source="uji"), None, "missing required field `invented`"),
        ("rice", feature(line((0, 0), (1, 1)), **MADE), "geometry", "got LineString"),
        ("villages", village(1, "", 0), "nama", "length >= 1"),
        ("villages", feature(box(0, 0, 1, 1), kode="99.1", nama="A"), "kode", "matching regex"),
        ("villages", village(9, "Dua kali", 40), "kode", "there twice, first in row 1"),
    ],
)
@pytest.mark.usefixtures("villages")
def test_a_bad_feature_is_named_with_file_row_and_field(
    folder: Path, write: Write, layer: str, bad: Mapping[str, Any], field: str | None, reason: str
) -> None:
    good = {
        "flood_zones": feature(box(0, 0, 1, 1), **ZONE),
        "settlements": feature(point(1, 1), people=5, **MADE),
        "ruas": feature(line((0, 0), (1, 1)), **ROAD),
        "schools": feature(point(0, 0), name="SD", **MADE),
        "rice": feature(box(0, 0, 1, 1), **MADE),
        "villages": village(9, "Lama", 60),
    }[layer]
    file = write(layer, [good, bad])
    with pytest.raises(BadInputError, match=reason) as caught:
        ImpactIndex.load(folder)
    assert (caught.value.file, caught.value.row, caught.value.field) == (str(file), 2, field)


@pytest.mark.parametrize(
    "content", ["", "[1, 2]", '{"type": "FeatureCollection"}', '{"features": [3]}', "\xff"]
)
def test_what_is_no_feature_collection_is_named(folder: Path, content: str) -> None:
    (folder / "ruas.geojson").write_text(content, encoding="latin-1")
    with pytest.raises(BadInputError, match=r"ruas\.geojson.*FeatureCollection"):
        ImpactIndex.load(folder)


def test_a_road_register_may_say_more_than_we_read(folder: Path, write: Write) -> None:
    write("ruas", [feature(line((0, 0), (1, 1)), width_m=6, **ROAD)])
    layer = ImpactIndex.load(folder).layers.ruas
    assert layer is not None
    assert layer.rows[0].number == "12"


def test_an_empty_layer_is_a_layer(folder: Path, write: Write) -> None:
    write("settlements", [], complete=True)
    layer = read_layer(folder, SETTLEMENTS, LocalPlane(100.0))
    assert layer is not None
    assert (layer.rows, layer.complete) == ((), True)
    assert ImpactIndex.load(folder).layers.settlements is None


@pytest.mark.usefixtures("villages", "zones")
def test_imported_boundaries_replace_the_packaged_ones_and_keep_their_counts(
    folder: Path, write: Write
) -> None:
    narrow = feature(box(0, -1, 20, 1), kode="99.01.01.2001", nama="Hulu", level="desa", lat=0.0)
    other = feature(box(60, -10, 80, 10), kode="99.01.01.2007", nama="Jauh", level="desa")
    write("layers/desa", [narrow, other])
    layer = ImpactIndex.load(folder).layers.villages
    assert layer is not None
    found = {
        row.nama: (row.people, row.kecamatan, figure)
        for row, figure in zip(layer.rows, layer.figures, strict=True)
    }
    assert found["Hulu"][:2] == (1000, "Contoh")
    assert found["Hulu"][2].area < 0.2 * found["Hilir"][2].area
    assert found["Jauh"][:2] == (None, "Contoh")
    assert set(found) == {"Hulu", "Tengah", "Hilir", "Jauh"}
