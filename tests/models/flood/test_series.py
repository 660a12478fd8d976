import gzip
import math
from pathlib import Path

import pytest

from serayu.models.errors import BadInputError
from serayu.models.flood.links import PostLinks, read_links
from serayu.models.flood.series import read_series, read_stations
from serayu.models.times import parse_rfc3339

TABLE = """station_id,name,variable,unit,alert,alarm,critical
A,Hulu,stage,cm,150,200,
B,"Hilir, kota",discharge,ft3/s,,,
R,Rain,rain,in,,,
T,Turbidity,turbidity,FNU,,,
"""
HEADER = "station_id,time_utc,value,unit,flag\n"


def _write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(name="table")
def _table(tmp_path: Path) -> Path:
    return _write(tmp_path, "stations.csv", TABLE)


def test_units_become_metric_in_thresholds_and_values(table: Path, tmp_path: Path) -> None:
    infos = read_stations(table)
    assert dict(infos["A"].thresholds) == {"alert": 1.5, "alarm": 2.0}
    assert [(info.variable, info.unit) for info in infos.values()] == [
        ("stage", "m"),
        ("flow", "m3/s"),
        ("rain", "mm"),
        ("turbidity", "FNU"),
    ]
    rows = "A,2025-01-01T00:00:00Z,120,cm,ok\nA,2025-01-01T01:00:00Z,1.3,m,ok\n"
    rows += "B,2025-01-01T00:00:00Z,1000,,ok\nR,2025-01-01T00:00:00Z,0.5,,ok\n"
    series = read_series([_write(tmp_path, "s.csv", HEADER + rows)], infos)
    assert series["A"].value.tolist() == pytest.approx([1.2, 1.3])
    assert series["B"].value.tolist() == pytest.approx([28.316846592])
    assert series["R"].value.tolist() == pytest.approx([12.7])


def test_files_join_in_order_of_time_and_repeats_stay_in_order_of_the_files(
    table: Path, tmp_path: Path
) -> None:
    infos = read_stations(table)
    late = gzip.compress((HEADER + "A,2025-01-01T02:00:00Z,3,m,ok\nA,2025-01-01T00:00:00Z,9,m,ok\n").encode())
    packed = tmp_path / "late.csv.gz"
    packed.write_bytes(late)
    early = _write(
        tmp_path, "early.csv", HEADER + "A,2025-01-01T00:00:00Z,1,m,suspect\nA,2025-01-01T01:00:00Z,,m,ok\n"
    )
    series = read_series([early, packed], infos)["A"]
    assert series.value.tolist() == pytest.approx([1.0, 9.0, math.nan, 3.0], nan_ok=True)
    assert series.flagged.tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    "stamp", ["2025-01-01T07:00:00+07:00", "2025-01-01 00:00:00", "2025-01-01T00:00:00.000Z", "2025-01-01"]
)
def test_other_forms_of_the_same_time_are_read(table: Path, tmp_path: Path, stamp: str) -> None:
    file = _write(tmp_path, "s.csv", HEADER + f"A,{stamp},1,m,ok\n")
    series = read_series([file], read_stations(table))["A"]
    assert series.time_us.tolist() == [parse_rfc3339("2025-01-01T00:00:00Z")]


@pytest.mark.parametrize(
    ("flag", "distrusted"),
    [
        ("spike", True),
        ("range", True),
        ("suspect", True),
        ("ok", False),
        ("good", False),
        ("estimated", False),
    ],
)
def test_words_of_an_agency_against_a_value_count(
    table: Path, tmp_path: Path, flag: str, *, distrusted: bool
) -> None:
    file = _write(tmp_path, "s.csv", HEADER + f"A,2025-01-01T00:00:00Z,1,m,{flag}\n")
    assert read_series([file], read_stations(table))["A"].flagged.tolist() == [distrusted]


@pytest.mark.parametrize("text", ["", "NA", "nan", "-", "inf"])
def test_a_value_that_is_not_there_is_missing(table: Path, tmp_path: Path, text: str) -> None:
    file = _write(tmp_path, "s.csv", HEADER + f"A,2025-01-01T00:00:00Z,{text},m,ok\n")
    assert math.isnan(read_series([file], read_stations(table))["A"].value[0])


@pytest.mark.parametrize(
    ("rows", "row", "column"),
    [
        ("A,2025-01-01T00:00:00Z,1,m,ok\nX,2025-01-01T00:00:00Z,1,m,ok\n", 3, "station_id"),
        ("A,2025-13-01T00:00:00Z,1,m,ok\n", 2, "time_utc"),
        ("A,2025-01-01T00:00:00Z,1.2.3,m,ok\n", 2, "value"),
        ("A,2025-01-01T00:00:00Z,1,furlong,ok\n", 2, "unit"),
        ('A,2025-01-01T00:00:00Z,1,m,"ok"\n\nA,2025-01-01T01:00:00Z,1\n', 4, None),
        ("A,2025-01-01T00:00:00Z,1,m\nA,2025-01-01T01:00:00Z,1,m,ok,ok\n", 2, None),  # short and long
    ],
)
def test_the_first_bad_row_is_named(
    table: Path, tmp_path: Path, rows: str, row: int, column: str | None
) -> None:
    file = _write(tmp_path, "s.csv", HEADER + rows)
    with pytest.raises(BadInputError) as caught:
        read_series([file], read_stations(table))
    assert (caught.value.file, caught.value.row, caught.value.field) == (str(file), row, column)


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        ("station_id,unit\nA,m\n", 1, None),
        ("station_id,variable\nA,stage\nA,stage\n", 3, "station_id"),
        ("station_id,variable,unit\nA,stage,kg\n", 2, "unit"),
        ("station_id,variable,unit,alert,alarm\nA,stage,m,3,2\n", 2, "alarm"),
        ("station_id,variable,unit,alert\nA,stage,m,high\n", 2, "alert"),
    ],
)
def test_a_bad_table_of_stations_is_named(tmp_path: Path, text: str, row: int, column: str | None) -> None:
    file = _write(tmp_path, "stations.csv", text)
    with pytest.raises(BadInputError) as caught:
        read_stations(file)
    assert (caught.value.row, caught.value.field) == (row, column)


def test_links_name_posts_gauges_and_travel_times(table: Path, tmp_path: Path) -> None:
    text = '[stations."B"]\nupstream = ["A"]\nrain = ["R"]\ntravel_time_h = {A = 4}\n'
    links = read_links(_write(tmp_path, "up.toml", text), read_stations(table))
    assert links == {"B": PostLinks(upstream=("A",), rain=("R",), travel_time_h={"A": 4.0})}


@pytest.mark.parametrize(
    "text",
    [
        '[stations."X"]\nupstream = []\n',
        '[stations."B"]\nupstream = ["X"]\n',
        '[stations."B"]\nrain = ["X"]\n',
        '[stations."B"]\nrain = ["A"]\n',
        '[stations."B"]\nupstream = ["B"]\n',
        '[stations."B"]\nupstream = ["A"]\ntravel_time_h = {X = 1}\n',
        '[stations."B"]\ntravel_time_h = {A = 1}\n',
        '[stations."B"]\nupstream = ["A"]\ntravel_time_h = {A = 0}\n',
        '[stations."B"]\nupstraem = ["A"]\n',
        '[stations."B"]\nupstream = "A"\n',
        "[station]\n",
        "stations = 3\n",
        "not toml",
    ],
)
def test_links_that_cannot_be_right_are_refused(table: Path, tmp_path: Path, text: str) -> None:
    file = _write(tmp_path, "up.toml", text)
    with pytest.raises(BadInputError, match=r"up\.toml"):
        read_links(file, read_stations(table))


def test_an_unknown_key_of_the_links_tells_the_known_ones(table: Path, tmp_path: Path) -> None:
    file = _write(tmp_path, "up.toml", '[stations."B"]\nabove = ["A"]\n')
    with pytest.raises(BadInputError, match="unknown key; expected upstream, rain, travel_time_h"):
        read_links(file, read_stations(table))
