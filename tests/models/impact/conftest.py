"""A small invented region: one river from west to east, two posts, three villages side by side along it."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import shapely

Write = Callable[..., Path]

HEAD = 'code = "99.01"\nname = "Kabupaten Contoh"\nsource = "dibuat-buat"\n'
THRESHOLDS = """
[post.{post}]
waspada_m = 2.0
siaga_m = 3.0
awas_m = 4.0
source = "dibuat-buat"
valid_from = "2026-01-01"
approved_by = "belum ada"
invented = true
[post.{post}.siaga]
travel_time = "1h"
"""


def feature(figure: object, **properties: object) -> dict[str, Any]:
    geometry = shapely.geometry.mapping(figure) if hasattr(figure, "geom_type") else figure
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """Return a box in thousandths of a degree from 100 E, 0 N: about 111 m each."""
    return shapely.box(100 + west / 1000, south / 1000, 100 + east / 1000, north / 1000)


def point(x: float, y: float) -> shapely.Point:
    return shapely.Point(100 + x / 1000, y / 1000)


def line(*places: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(100 + x / 1000, y / 1000) for x, y in places])


MADE: Mapping[str, Any] = {"source": "uji", "invented": False}


def village(code: int, name: str, west: float, **more: object) -> dict[str, Any]:
    return feature(
        box(west, -10, west + 20, 10), kode=f"99.01.01.200{code}", nama=name, kecamatan="Contoh", **more
    )


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Return a region with posts hulu (at 10, 0) and hilir (at 50, 0), and no layers."""
    stations = [
        feature(
            point(x, 0),
            id=name,
            name=name.title(),
            kind="river",
            datastreams=[{"property": "stage"}],
            source="uji",
            desa=f"99.01.01.200{desa}",
            kecamatan="99.01.01",
            downstream=below,
        )
        for name, x, desa, below in (("hulu", 10, 1, ["hilir"]), ("hilir", 50, 3, []))
    ]
    (tmp_path / "region.toml").write_text(HEAD)
    (tmp_path / "thresholds.toml").write_text(
        THRESHOLDS.format(post="hulu") + THRESHOLDS.format(post="hilir")
    )
    (tmp_path / "stations.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": stations})
    )
    return tmp_path


@pytest.fixture(name="write")
def _write(folder: Path) -> Write:
    """Return a writer of layers into the region."""

    def write(name: str, features: Sequence[object], **more: object) -> Path:
        file = folder / f"{name}.geojson"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"type": "FeatureCollection", **more, "features": list(features)}))
        return file

    return write


@pytest.fixture(name="villages")
def _villages(write: Write) -> Path:
    """Write Hulu, Tengah and Hilir, 1,000 people each, 200 houses in the first."""
    return write(
        "villages",
        [
            village(1, "Hulu", 0, people=1000, buildings=200),
            village(2, "Tengah", 20, people=1000),
            village(3, "Hilir", 40, people=1000),
        ],
    )


@pytest.fixture(name="zones")
def _zones(write: Write) -> Path:
    """Write zones of hulu: waspada covers a quarter of Hulu, siaga half of Hulu and a quarter of Tengah."""
    return write(
        "flood_zones",
        [
            feature(box(0, -5, 10, 5), station="hulu", level="waspada", **MADE),
            feature(box(0, -5, 20, 5), station="hulu", level="siaga", **MADE),
            feature(box(20, -5, 30, 5), station="hulu", level="siaga", **MADE),
        ],
    )
