import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serayu.models.errors import BadInputError, NotFoundError
from serayu.models.region import Region, load_region
from serayu.models.region_check import check_region
from serayu.models.siaga import SiagaSettings
from serayu.models.station import StationKind
from serayu.models.times import US_PER_MINUTE

BANYUMAS = Path(__file__).parents[2] / "regions" / "banyumas"
STATIONS, THRESHOLDS, HEAD = "stations.geojson", "thresholds.toml", "region.toml"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BANYUMAS, tmp_path / "wilayah", ignore=shutil.ignore_patterns("layers")))


@pytest.fixture(scope="module", name="banyumas")
def _banyumas() -> Region:
    return load_region(BANYUMAS)


def _edit_station(folder: Path, index: int, edit: Callable[[dict[str, Any]], None]) -> None:
    file = folder / STATIONS
    collection = json.loads(file.read_text())
    edit(collection["features"][index])
    file.write_text(json.dumps(collection))


def test_banyumas_has_every_kind_of_station(banyumas: Region) -> None:
    kinds = [station.kind for station in banyumas.stations.values()]
    assert banyumas.code == "33.02"
    assert len(kinds) >= 20
    assert kinds.count(StationKind.RIVER) >= 10
    assert kinds.count(StationKind.RAIN) >= 4
    assert kinds.count(StationKind.JUNCTION) >= 3
    assert kinds.count(StationKind.FIELD) >= 3


def test_only_the_barrage_has_published_limits_and_nobody_approved_any(banyumas: Region) -> None:
    upstream, downstream = (banyumas.station(name).thresholds for name in ("bgs-hulu", "bgs-hilir"))
    assert upstream is not None
    assert downstream is not None
    assert upstream.awas_m == 18.0
    assert (downstream.siaga_m, downstream.awas_m) == (10.4, 11.0)
    for station in banyumas.stations.values():
        assert station.invented
        assert station.source
        if station.thresholds is not None:
            assert station.thresholds.invented
            assert station.thresholds.approved_by == "belum ada (nobody yet)"
            assert station.thresholds.source


def test_spans_of_the_limits_are_read_as_text(banyumas: Region) -> None:
    assert banyumas.station("bgs-hulu").siaga == SiagaSettings(
        hysteresis_m=0.10,
        fall_after_us=30 * US_PER_MINUTE,
        min_duration_us=2 * US_PER_MINUTE,
        travel_time_us=10 * US_PER_MINUTE,
    )


def test_a_station_is_found_by_its_id_or_named_as_absent(banyumas: Region) -> None:
    assert banyumas.station("bgs-hulu").river == "Sungai Serayu"
    with pytest.raises(NotFoundError, match=r"'laut' is not in region 33\.02"):
        banyumas.station("laut")


def test_a_folder_without_limits_is_a_region(folder: Path) -> None:
    (folder / THRESHOLDS).unlink()
    assert all(station.thresholds is None for station in load_region(folder).stations.values())


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such region folder"):
        load_region(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        pytest.param(HEAD, 'code = "33.02"', "", "missing required field `code`", id="no code"),
        pytest.param(HEAD, '"33.02"', '"Banyumas"', "region code 'Banyumas' must match", id="code of letters"),
        pytest.param(HEAD, "code =", "code", "not TOML", id="not TOML"),
        pytest.param(HEAD, "source =", "sumber =", "unknown field `sumber`", id="unknown field"),
        pytest.param(STATIONS, '"features"', '"fitur"', "expected a GeoJSON FeatureCollection", id="no features"),
        pytest.param(STATIONS, "{", "", "not JSON", id="not JSON"),
        pytest.param(
            THRESHOLDS, "siaga_m = 17.25", "siaga_m = 19.0",
            "field post.bgs-hulu: expected waspada_m < siaga_m < awas_m", id="limits not ascending",
        ),
        pytest.param(
            THRESHOLDS, "awas_m = 18.0", "awas_m = true",
            "field post.bgs-hulu: Expected `float`", id="limit is no number",
        ),
        pytest.param(
            THRESHOLDS, 'fall_after = "30min"', 'fall_after = "lama"',
            "field post.bgs-hulu.siaga.fall_after: expected a span", id="span",
        ),
        pytest.param(
            THRESHOLDS, "hysteresis_m = 0.10", "hysteresis_m = -0.1",
            "field post.bgs-hulu.siaga: hysteresis_m must not be negative", id="negative hysteresis",
        ),
        pytest.param(
            STATIONS, '"id": "tajum-ajibarang"', '"id": "tajum"',
            "limits for unknown stations: tajum-ajibarang", id="limits without station",
        ),
    ],
)  # fmt: skip
def test_a_bad_file_is_named_with_its_field(
    folder: Path, file: str, old: str, new: str, message: str
) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises(BadInputError, match=re.escape(message)) as caught:
        load_region(folder)
    expected = THRESHOLDS if message.startswith("limits for unknown") else file
    assert str(folder / expected) in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda f: f.update(geometry=None), "field geometry: expected a Point", id="no geometry"),
        pytest.param(lambda f: f["geometry"].update(type="LineString"), "expected a Point feature", id="a line"),
        pytest.param(
            lambda f: f["geometry"].update(coordinates=[109.2]),
            "field geometry.coordinates: expected [longitude, latitude]", id="one coordinate",
        ),
        pytest.param(
            lambda f: f["geometry"].update(coordinates=[-7.4, 109.2]),
            "position -7.4, 109.2 is outside longitude and latitude", id="swapped",
        ),
        pytest.param(lambda f: f["properties"].pop("name"), "missing required field `name`", id="no name"),
        pytest.param(lambda f: f["properties"].pop("source"), "missing required field `source`", id="no source"),
        pytest.param(lambda f: f["properties"].update(id="Bendung"), "station id 'Bendung' must match", id="id"),
        pytest.param(lambda f: f["properties"].update(id="status"), "station id 'status' must match", id="reserved"),
        pytest.param(lambda f: f["properties"].update(id="bgs-hulu"), "'bgs-hulu' is there twice", id="id twice"),
        pytest.param(lambda f: f["properties"].update(kind="laut"), "Invalid enum value 'laut'", id="kind"),
        pytest.param(lambda f: f["properties"].update(warna="biru"), "unknown field `warna`", id="unknown field"),
        pytest.param(
            lambda f: f["properties"]["datastreams"][0].update(property="salinity"),
            "unknown property 'salinity'", id="unknown property",
        ),
        pytest.param(
            lambda f: f["properties"]["datastreams"][0].update(interval_s=0),
            "interval_s must be positive, got 0", id="no interval",
        ),
        pytest.param(
            lambda f: f["properties"]["datastreams"].append({"property": "stage"}),
            "names a property twice", id="property twice",
        ),
    ],
)  # fmt: skip
def test_a_bad_station_is_named_with_its_row(
    folder: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    _edit_station(folder, 4, change)  # bgs-hilir, the fifth feature
    with pytest.raises(BadInputError, match=re.escape(message)) as caught:
        load_region(folder)
    assert (caught.value.file, caught.value.row) == (str(folder / STATIONS), 5)


def test_the_check_counts_and_warns() -> None:
    report = check_region(BANYUMAS)
    assert report.region == "33.02"
    assert report.stations == sum(report.by_kind.values())
    assert report.posts_with_limits == report.by_kind["river"]
    assert len(report.warnings) == len(report.invented_limits) == report.posts_with_limits


def test_the_check_warns_of_a_post_that_can_raise_no_alert(folder: Path) -> None:
    (folder / THRESHOLDS).unlink()
    assert "bgs-hulu: no Siaga limits, so it raises no alert" in check_region(folder).warnings


@pytest.mark.parametrize(
    ("properties", "field", "message"),
    [
        pytest.param({"downstream": ["laut"]}, "downstream", "flows into unknown 'laut'", id="unknown"),
        pytest.param({"downstream": ["bgs-hilir"]}, "downstream", "flows into itself", id="itself"),
        pytest.param(
            {"kecamatan": "33.05.01"}, "kecamatan", "does not lie in 33.02", id="kecamatan elsewhere"
        ),
        pytest.param({"desa": "33.02.06.2001"}, "desa", "does not lie in 33.02.05", id="desa elsewhere"),
    ],
)
def test_the_check_refuses_stations_that_do_not_hang_together(
    folder: Path, properties: dict[str, Any], field: str, message: str
) -> None:
    _edit_station(folder, 4, lambda feature: feature["properties"].update(properties))
    with pytest.raises(BadInputError, match=message) as caught:
        check_region(folder)
    assert (caught.value.row, caught.value.field) == (5, field)


def test_the_check_finds_a_circle_of_several_posts(folder: Path) -> None:
    _edit_station(folder, 4, lambda feature: feature["properties"].update(downstream=["serayu-somagede"]))
    with pytest.raises(BadInputError, match="flows into itself"):
        check_region(folder)
