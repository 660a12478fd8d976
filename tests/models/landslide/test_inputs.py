"""Slope units, series and findings from files: what is wrong is named with its row."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from serayu.models.errors import BadInputError
from serayu.models.landslide.findings import read_findings
from serayu.models.landslide.series import read_rain, read_soil
from serayu.models.landslide.units import read_units
from serayu.models.region import load_region
from serayu.models.times import US_PER_HOUR, parse_rfc3339

ROOT = Path(__file__).parents[3]
GOOD: dict[str, Any] = {"id": "a", "name": "A", "ruas": "R1", "slope_deg": 30}
POINT = {"type": "Point", "coordinates": [109.0, -7.4]}
AT = "2026-01-21T00:00:00Z"


def geojson(folder: Path, *features: tuple[object, object]) -> Path:
    file = folder / "features.geojson"
    rows = [
        {"type": "Feature", "properties": properties, "geometry": place} for properties, place in features
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), encoding="utf-8")
    return file


def text(folder: Path, content: str) -> Path:
    file = folder / "series.csv"
    file.write_text(content, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("properties", "geometry", "reason"),
    [
        pytest.param({**GOOD, "slope": 3}, POINT, "slope", id="a field that nobody knows"),
        pytest.param({"id": "a", "name": "A"}, POINT, "ruas", id="no road"),
        pytest.param({**GOOD, "slope_deg": 90}, POINT, "slope_deg", id="a wall"),
        pytest.param({**GOOD, "friction_deg": 0}, POINT, "friction_deg", id="no friction"),
        pytest.param({**GOOD, "km_from": 2, "km_to": 1}, POINT, "km_from < km_to", id="kilometres backwards"),
        pytest.param({**GOOD, "desa": "33.02"}, POINT, "desa", id="no village code"),
        pytest.param(GOOD, {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, "geometry", id="a line"),
        pytest.param(GOOD, {"type": "Point", "coordinates": [-7.4, 109.0]}, "degrees", id="latitude first"),
        pytest.param(GOOD, {"type": "Point"}, "geometry", id="no coordinates"),
        pytest.param(GOOD, None, "geometry", id="no geometry"),
        pytest.param(
            GOOD,
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
            "not valid",
            id="a bow tie",
        ),
        pytest.param(7, POINT, "properties", id="no properties"),
    ],
)
def test_a_wrong_unit_is_named_with_its_row(
    tmp_path: Path, properties: object, geometry: object, reason: str
) -> None:
    file = geojson(tmp_path, ({**GOOD, "id": "first"}, POINT), (properties, geometry))
    with pytest.raises(BadInputError, match=reason) as caught:
        read_units(file)
    assert (caught.value.file, caught.value.row) == (str(file), 2)


@pytest.mark.parametrize(
    ("content", "reason"),
    [("{", "not JSON"), ("[]", "FeatureCollection"), ('{"features": []}', "no slope units")],
)
def test_a_file_without_units_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        read_units(text(tmp_path, content))
    with pytest.raises(BadInputError, match="No such file"):
        read_units(tmp_path / "absent")


def test_a_unit_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="twice"):
        read_units(geojson(tmp_path, (GOOD, POINT), (GOOD, POINT)))


@pytest.mark.parametrize(
    "header", ["station,time,mm", "station_id,time_utc,value,unit", "mm,station,time,flag"]
)
def test_rain_is_read_by_gauge_in_any_order_of_rows(tmp_path: Path, header: str) -> None:
    cells = {"station": "g", "station_id": "g", "unit": "mm", "flag": "1"}
    rows = [header]
    for hour, mm in ((2, "3.5"), (1, "1"), (3, ""), (1, "1.0")):
        time = f"2026-01-21T0{hour}:00:00+00:00"
        row = {**cells, "time": time, "time_utc": time, "mm": mm, "value": mm}
        rows.append(",".join(row[name] for name in header.split(",")))
    rain = read_rain(text(tmp_path, "\n".join(rows)))["g"]
    end_us = parse_rfc3339("2026-01-21T03:00:00Z")
    window = rain.window(end_us - 3 * US_PER_HOUR, end_us)
    assert (len(rain), window.mm, window.gap_h) == (3, 4.5, 1.0)


@pytest.mark.parametrize(
    "row", [f"g,{AT},9,4", f"g,{AT},9,9", f"g,{AT},501,1", f"g,{AT},,1", f"g,{AT},nan,1"]
)
def test_rain_that_cannot_be_used_is_not_known_and_not_zero(tmp_path: Path, row: str) -> None:
    rain = read_rain(text(tmp_path, f"station,time,mm,flag\n{row}\n"))["g"]
    end_us = parse_rfc3339(AT)
    assert not rain.window(end_us - US_PER_HOUR, end_us).complete


@pytest.mark.parametrize(
    ("rows", "row", "field"),
    [
        pytest.param("station,time\n", 1, None, id="no column"),
        pytest.param("", 1, None, id="empty"),
        pytest.param(f"station,time,mm\n,{AT},1\n", 2, "station", id="no gauge"),
        pytest.param(f"station,time,mm\ng,{AT},x\n", 2, "mm", id="no number"),
        pytest.param(f"station,time,mm\ng,{AT},-0.2\n", 2, "mm", id="negative"),
        pytest.param(f"station,time,mm\ng,{AT},inf\n", 2, "mm", id="infinite"),
        pytest.param("station,time,mm\ng,2026-01-21 00:00,1\n", 2, "time", id="no zone"),
        pytest.param("station,time,mm\ng,yesterday,1\n", 2, "time", id="no time"),
        pytest.param(f"station,time,mm\ng,{AT},1\ng,{AT},2\n", 3, None, id="two values at one time"),
    ],
)
def test_wrong_rain_is_named(tmp_path: Path, rows: str, row: int, field: str | None) -> None:
    with pytest.raises(BadInputError) as caught:
        read_rain(text(tmp_path, rows))
    assert (caught.value.row, caught.value.field) == (row, field)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"station,time,mm\n\xff\xfe,1,1\n")
    with pytest.raises(BadInputError, match="UTF-8"):
        read_rain(file)


def test_the_newest_soil_moisture_by_a_moment(tmp_path: Path) -> None:
    rows = "station,time,moisture_pct\np,2026-01-21T00:00:00Z,31\np,2026-01-21T01:00:00Z,\np,2026-01-21T02:00:00Z,35\n"
    soil = read_soil(text(tmp_path, rows))["p"]
    at_us = parse_rfc3339(AT)
    assert soil.newest(at_us - 1) is None
    assert soil.newest(at_us + 90 * US_PER_HOUR // 60) == (at_us, 31.0)
    assert soil.newest(at_us + 3 * US_PER_HOUR) == (at_us + 2 * US_PER_HOUR, 35.0)
    assert math.isnan(soil.moisture_pct[1])


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        pytest.param({"kind": "house", "observed": AT}, "kind", id="another kind"),
        pytest.param({"kind": "scar"}, "observed", id="no time"),
        pytest.param({"kind": "scar", "observed": "2026-01-21"}, "zone", id="no zone"),
        pytest.param({"kind": "crack", "observed": AT, "edge_m": -1}, "edge_m", id="behind the edge"),
    ],
)
def test_a_wrong_finding_is_named(tmp_path: Path, properties: object, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason) as caught:
        read_findings(geojson(tmp_path, (properties, POINT)))
    assert caught.value.row == 1


def test_findings_may_carry_other_properties_and_any_shape(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": [[109.0, -7.4], [109.001, -7.4]]}
    file = geojson(tmp_path, ({"kind": "crack", "observed": AT, "edge_m": 2, "score": 0.9}, line))
    assert read_findings(file)[0].finding.near_edge


def test_the_slopes_of_the_demonstration_are_marked_invented_and_name_gauges_of_the_region() -> None:
    folder = ROOT / "regions" / "banyumas"
    region = load_region(folder)
    units = [placed.unit for placed in read_units(folder / "slopes.geojson")]
    assert all(unit.invented and unit.source and (unit.desa or "").startswith(region.code) for unit in units)
    assert {gauge for unit in units for gauge in unit.rain} <= {
        station.id for station in region.stations.values() if station.kind.value == "rain"
    }
