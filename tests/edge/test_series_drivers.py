"""Simulated and replayed readings."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from serayu.edge.config import DriverConfig
from serayu.edge.drivers import KINDS, EndOfData, Sample, make_driver
from serayu.edge.drivers.csv_replay import CsvReplay, CsvReplayOptions
from serayu.edge.drivers.simulated import Simulated, SimulatedOptions
from serayu.edge.series import read_series, station_slug
from serayu.models.errors import BadInputError
from serayu.models.times import US_PER_S, parse_rfc3339
from tests.edge.support import FakeSource, setup

HEADER = "time_utc,property,value,unit\n"
T0 = "2025-11-23T05:00:00Z"
T0_US = parse_rfc3339(T0)


def series(folder: Path, *rows: str, header: str = HEADER) -> Path:
    file = folder / "series.csv"
    file.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return file


def read_all(driver: CsvReplay) -> list[Sample]:
    samples: list[Sample] = []
    while True:
        try:
            samples += driver.read()
        except EndOfData:
            return samples


def replay(file: Path, **options: object) -> CsvReplay:
    return CsvReplay(CsvReplayOptions(file, **{"speed": "max", **options}), setup())  # type: ignore[arg-type]


def test_rows_are_replayed_in_file_order_with_their_times_and_empty_values_passed_over(
    tmp_path: Path,
) -> None:
    file = series(
        tmp_path, f"{T0},stage,1.5,m", f"{T0},rain,,mm", "2025-11-23T12:00:01+07:00,battery,12600,mV"
    )
    driver = replay(file)
    assert read_all(driver) == [
        Sample("stage", 1.5, "m", T0_US, 2),
        Sample("battery", 12600.0, "mV", T0_US + US_PER_S, 4),
    ]
    assert driver.skipped == 1


def test_an_empty_file_is_at_its_end_at_once(tmp_path: Path) -> None:
    with pytest.raises(EndOfData):
        replay(series(tmp_path)).read()


def test_a_tidy_file_gives_each_station_its_own_rows(tmp_path: Path) -> None:
    file = series(
        tmp_path, f"BGS-HULU,{T0},1,m,ok", f"LAIN,{T0},2,m,ok", header="station_id,time_utc,value,unit,flag\n"
    )
    driver = CsvReplay(CsvReplayOptions(file, speed="max"), setup(property_slug="stage"))
    assert [(s.property, s.value) for s in read_all(driver)] == [("stage", 1.0)]


def test_a_restarted_replay_goes_on_behind_its_mark(tmp_path: Path) -> None:
    file = series(tmp_path, *(f"{T0},stage,{n},m" for n in range(5)))
    driver = CsvReplay(CsvReplayOptions(file, speed="max"), setup(resume_after=4))
    assert [s.value for s in read_all(driver)] == [3.0, 4.0]


def test_a_replay_waits_for_room_in_the_outbox(tmp_path: Path) -> None:
    file = series(tmp_path, *(f"{T0},stage,{n},m" for n in range(5)))
    room = [2, 0, 9]
    driver = CsvReplay(CsvReplayOptions(file, speed="max"), setup(room=lambda: room.pop(0)))
    assert [len(driver.read()) for _ in range(3)] == [2, 0, 3]


def test_a_replay_at_a_speed_follows_the_clock_and_agents_with_one_anchor_stay_in_step(
    tmp_path: Path,
) -> None:
    file = series(tmp_path, *(f"2025-11-23T05:{m:02}:00Z,stage,{m},m" for m in (0, 1, 2, 10)))
    source = FakeSource()
    own = CsvReplay(CsvReplayOptions(file, speed=60), setup(source))
    anchored = CsvReplay(
        CsvReplayOptions(file, speed=60, anchor_us=T0_US - 60 * US_PER_S, anchor_wall_us=source.wall),
        setup(source),
    )

    def values(driver: CsvReplay) -> Sequence[float]:
        return [sample.value for sample in driver.read()]

    assert (values(own), values(anchored)) == ([0.0], [])
    source.pass_s(0.99)
    assert (values(own), values(anchored)) == ([], [])
    source.pass_s(0.01)
    assert (values(own), values(anchored)) == ([1.0], [0.0])
    source.pass_s(100)
    assert (values(own), values(anchored)) == ([2.0, 10.0], [1.0, 2.0, 10.0])


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (f"{T0},stage,abc,m", "value", "could not convert"),
        (f"{T0},stage,nan,m", "value", "finite"),
        (f"{T0},stage,inf,m", "value", "finite"),
        (f"{T0},height,1,m", "property", "unknown_property"),
        (f"{T0},,1,m", "property", "unknown_property"),
        (f"{T0},stage,1,furlong", "unit", "unknown_unit"),
        ("2025-11-23T05:00:00,stage,1,m", "time_utc", "time zone missing"),
        ("yesterday,stage,1,m", "time_utc", "Invalid isoformat"),
        (",stage,1,m", "time_utc", "Invalid isoformat"),
        ("1970-01-01T00:00:00Z,stage,1,m", "time_utc", "July 1978"),
        ("2110-01-01T00:00:00Z,stage,1,m", "time_utc", "January 2106"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, field: str, reason: str) -> None:
    file = series(tmp_path, f"{T0},stage,1,m", row)
    with pytest.raises(BadInputError) as caught:
        list(read_series(file))
    assert (caught.value.row, caught.value.field) == (3, field)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "column missing: time_utc, value, property"),
        (b"time_utc,value\n", "column missing: property"),
        (b"time_utc,property,value\n\xff\xff,stage,1\n", "not CSV in UTF-8"),
        (b'time_utc,property,value\n"' + b"x" * 200_000 + b'",stage,1\n', "not CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_series_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "series.csv"
    file.write_bytes(content)
    with pytest.raises(BadInputError, match=reason):
        list(read_series(file))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"none\.csv"):
        list(read_series(tmp_path / "none.csv"))


@pytest.mark.parametrize(
    ("name", "slug"), [("LK-KALAWELLAWA (MILLA)", "lk-kalawellawa--milla-"), (" A_b ", "a-b"), ("x", "x")]
)
def test_a_station_id_becomes_a_slug(name: str, slug: str) -> None:
    assert station_slug(name) == slug


def test_a_simulated_series_is_the_same_for_the_same_seed_and_stays_within_its_bounds() -> None:
    def values(seed: int, station: str = "bgs-hulu") -> list[float]:
        source = FakeSource()
        driver = Simulated(
            SimulatedOptions(
                mean=1.0, amplitude=2.0, period_s=3600, step=0.5, minimum=0.0, maximum=2.5, seed=seed
            ),
            setup(source, property_slug="stage", station=station),
        )
        found = []
        for _ in range(200):
            source.pass_s(60)
            found += [sample.value for sample in driver.read()]
        return found

    first = values(1)
    assert first == values(1)
    assert first != values(2)
    assert first != values(1, station="bgs-hilir")
    assert (min(first), max(first)) == (0.0, 2.5)


@pytest.mark.parametrize(
    ("config", "field", "reason"),
    [
        (DriverConfig("sonar"), "driver[0].kind", "unknown kind 'sonar'; known: bucket, csv_replay"),
        (DriverConfig("no.such.module:X"), "driver[0].kind", "No module named"),
        (DriverConfig("serayu.edge.drivers.simulated:X"), "driver[0].kind", "no attribute 'X'"),
        (DriverConfig("simulated", "height"), "driver[0].property", "unknown property 'height'"),
        (DriverConfig("simulated"), "driver[0].options", "needs a property"),
        (
            DriverConfig("simulated", "stage", options={"maen": 1}),
            "driver[0].options",
            "unknown field `maen`",
        ),
        (
            DriverConfig("simulated", "stage", options={"seed": "x"}),
            "driver[0].options.seed",
            "Expected `int`",
        ),
        (DriverConfig("csv_replay", options={"file": "x", "speed": 0}), "driver[0].options.speed", "> 0"),
        (
            DriverConfig("csv_replay", options={"file": "x", "anchor_us": 0}),
            "driver[0].options",
            "belong together",
        ),
        (
            DriverConfig("ultrasonic", options={"trigger": 1, "echo": 2}),
            "driver[0].options",
            "sensor_height_m",
        ),
        (
            DriverConfig("bucket", options={"pin": 4, "debounce_ms": 20}),
            "driver[0].options.debounce_ms",
            ">= 100",
        ),
    ],
)
def test_wrong_driver_settings_are_named(config: DriverConfig, field: str, reason: str) -> None:
    with pytest.raises(BadInputError) as caught:
        make_driver(config, setup(property_slug=config.property), field="driver[0]")
    assert caught.value.field == field
    assert reason in caught.value.reason


def test_every_kind_names_a_driver() -> None:
    for kind, place in KINDS.items():
        with pytest.raises(BadInputError):
            make_driver(DriverConfig(kind, options={"no such option": 1}), setup(), field="driver[0]")
        assert place.startswith("serayu.edge.drivers.")
