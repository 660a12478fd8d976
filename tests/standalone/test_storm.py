import csv
import itertools
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serayu.models.errors import BadInputError, NotFoundError
from serayu.models.quality.flags import QualityFlag
from serayu.models.region import Region, load_region
from serayu.models.siaga import ChangeKind, Reason, Siaga, SiagaChange, SiagaMachine
from serayu.models.station import StationKind
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, parse_rfc3339
from serayu.standalone.storm import Storm, write_series
from serayu.standalone.storm.basins import load_basins
from serayu.standalone.storm.flows import route
from serayu.standalone.storm.noise import noise_key, uniform_noise
from serayu.standalone.storm.rain_cell import RainCell

BANYUMAS = Path(__file__).parents[2] / "regions" / "banyumas"
START_US = parse_rfc3339("2026-01-10T05:00:00Z")  # noon in Banyumas
STEP_S = 60.0


@pytest.fixture(scope="module", name="region")
def _region() -> Region:
    return load_region(BANYUMAS)


@pytest.fixture(scope="module", name="storm")
def _storm(region: Region) -> Storm:
    return Storm(region, start_us=START_US)


@pytest.fixture(name="copy")
def _copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BANYUMAS, tmp_path / "banyumas"))


def _changes(storm: Storm, post: str) -> list[SiagaChange]:
    """Run the machine of a post over the whole storm; it must end normal."""
    station = storm.region.station(post)
    assert station.thresholds is not None
    machine = SiagaMachine(station.thresholds, station.siaga)
    times = range(storm.start_us + US_PER_MINUTE, storm.end_us + 1, US_PER_MINUTE)
    levels = storm.series(post, "stage", times)
    changes = [
        change
        for t_us, level_m in zip(times, levels, strict=True)
        for change in machine.step(t_us, level_m, QualityFlag.GOOD)
    ]
    assert machine.level is Siaga.NORMAL, post
    return changes


def _rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text().splitlines()))


def _posts(region: Region) -> list[str]:
    return [station.id for station in region.stations.values() if station.kind is StationKind.RIVER]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_flood_raises_some_posts_leaves_others_and_ends_before_the_storm_does(
    region: Region, seed: int
) -> None:
    storm = Storm(region, start_us=START_US, seed=seed)
    worst = {
        post: max((change.after.rank for change in _changes(storm, post)), default=0)
        for post in _posts(region)
    }
    assert sum(rank >= Siaga.SIAGA.rank for rank in worst.values()) >= 3
    assert sum(rank == Siaga.AWAS.rank for rank in worst.values()) >= 1
    assert sum(rank == Siaga.NORMAL.rank for rank in worst.values()) >= 3


def test_levels_rise_and_fall_step_by_step_in_order(storm: Storm) -> None:
    for post in _posts(storm.region):
        moves = [change for change in _changes(storm, post) if change.before is not change.after]
        assert all(abs(change.after.rank - change.before.rank) == 1 for change in moves), post
        by_limit = [change for change in moves if change.reason is Reason.THRESHOLD]
        kinds = [change.kind for change in by_limit]
        assert kinds == sorted(kinds, key=[ChangeKind.RAISE, ChangeKind.LOWER].index), post


def test_waves_cross_the_limits_several_times_but_change_no_level_twice(storm: Storm) -> None:
    post = "bgs-hulu"
    thresholds = storm.region.station(post).thresholds
    assert thresholds is not None
    times = range(storm.start_us, storm.end_us, US_PER_MINUTE)
    above = np.array(storm.series(post, "stage", times)) > thresholds.awas_m
    lowered = [change for change in _changes(storm, post) if change.before is Siaga.AWAS]
    assert np.count_nonzero(np.diff(above)) >= 2
    assert len([change for change in lowered if change.kind is ChangeKind.LOWER]) == 1


def test_the_flood_arrives_later_at_every_post_down_the_serayu(storm: Storm) -> None:
    course = ["serayu-somagede", "serayu-banyumas", "serayu-patikraja", "bgs-hulu", "bgs-hilir"]
    peaks = [int(np.argmax(storm.flows[post].discharge_m3s)) for post in course]
    assert peaks == sorted(peaks)
    assert len(set(peaks)) == len(peaks)


def test_the_flood_arrives_later_at_every_next_basin(storm: Storm) -> None:
    for name, flow in storm.flows.items():
        for above, arriving in flow.routed_m3s.items():
            assert np.argmax(arriving) >= np.argmax(storm.flows[above].direct_m3s), (above, name)
            assert arriving.max() <= storm.flows[above].direct_m3s.max(), (above, name)


def test_no_basin_gives_more_water_than_rain_brought(storm: Storm) -> None:
    for name, flow in storm.flows.items():
        area_m2 = storm.basins[name].area_km2 * 1e6
        rain_m3 = flow.rain_mm.sum() * area_m2 / 1000
        excess_m3 = flow.excess_mm.sum() * area_m2 / 1000
        assert 0 <= excess_m3 <= rain_m3, name
        assert flow.local_m3s.sum() * STEP_S <= excess_m3 * (1 + 1e-9), name


def test_all_runoff_of_the_region_passes_the_barrage_when_time_is_long_enough(region: Region) -> None:
    storm = Storm(region, start_us=START_US, hours=24 * 12)
    reaching = [name for name in storm.basins if name != "tajum-ajibarang"]
    runoff_m3 = sum(
        storm.flows[name].excess_mm.sum() * storm.basins[name].area_km2 * 1000 for name in reaching
    )
    assert storm.flows["bgs-hilir"].direct_m3s.sum() * STEP_S == pytest.approx(runoff_m3, rel=1e-3)


def test_a_confluence_carries_at_every_moment_what_its_tributaries_bring(storm: Storm) -> None:
    for name, flow in storm.flows.items():
        for arriving in flow.routed_m3s.values():
            assert np.all(flow.discharge_m3s >= arriving - 1e-9), name
        assert flow.discharge_m3s.min() >= flow.baseflow_m3s - 1e-9


def test_before_the_rain_the_barrage_stands_at_its_normal_level(storm: Storm) -> None:
    # 14 m and 300 to 500 m3/s are the published normal values.
    assert storm.value("bgs-hulu", "stage", START_US) == pytest.approx(14.0, abs=0.2)
    assert 300 <= storm.value("bgs-hulu", "discharge", START_US) <= 500


@pytest.mark.parametrize(("stage_m", "discharge_m3s"), [(19.15, 1898.0), (19.85, 2179.0)])
def test_the_rating_of_the_barrage_passes_the_published_floods(stage_m: float, discharge_m3s: float) -> None:
    rating = load_basins(BANYUMAS)["bgs-hulu"].rating
    assert rating is not None
    assert rating.curve().discharge(stage_m) == pytest.approx(discharge_m3s, rel=0.01)


def test_stations_and_basins_name_the_same_next_post(region: Region) -> None:
    basins = load_basins(BANYUMAS)
    for post in _posts(region):
        into = basins[post].into
        assert region.station(post).downstream == (() if into is None else (into,))


def test_the_same_seed_gives_the_same_values_in_another_storm_object(region: Region, storm: Storm) -> None:
    again, other = Storm(region, start_us=START_US), Storm(region, start_us=START_US, seed=2)
    t_us = START_US + 11 * US_PER_HOUR
    for station in region.stations.values():
        for datastream in station.datastreams:
            value = storm.value(station.id, datastream.property, t_us)
            assert value == again.value(station.id, datastream.property, t_us)
    assert storm.value("bgs-hulu", "stage", t_us) != other.value("bgs-hulu", "stage", t_us)


def test_one_value_equals_its_place_in_a_series(storm: Storm) -> None:
    times = [START_US + 7_000_000 * count for count in range(500)]
    series = storm.series("kranji-purwokerto", "stage", times)
    assert series == [storm.value("kranji-purwokerto", "stage", t_us) for t_us in times]


def test_every_value_is_physically_possible(storm: Storm) -> None:
    for station in storm.region.stations.values():
        for datastream in station.datastreams:
            low, high = datastream.observed.physical_range
            times = range(storm.start_us, storm.end_us, 10 * US_PER_MINUTE)
            values = storm.series(station.id, datastream.property, times)
            assert low <= min(values) <= max(values) <= high, (station.id, datastream.property)


@settings(max_examples=50, deadline=None)
@given(cuts=st.lists(st.integers(-US_PER_HOUR, 25 * US_PER_HOUR), min_size=2, max_size=6))
def test_amounts_of_adjoining_spans_add_up(storm: Storm, cuts: list[int]) -> None:
    times = [START_US + cut for cut in sorted(cuts)]
    for station, slug in (("hujan-baturraden", "rain"), ("simpang-ayani", "count-mc")):
        parts = [storm.amount(station, slug, a, b) for a, b in itertools.pairwise(times)]
        assert min(parts) >= 0
        assert sum(parts) == pytest.approx(storm.amount(station, slug, times[0], times[-1]), abs=1e-6)


def test_a_sum_read_as_a_value_is_that_of_its_interval(storm: Storm) -> None:
    t_us = START_US + 3 * US_PER_HOUR + 30 * US_PER_MINUTE
    expected = storm.amount("hujan-baturraden", "rain", t_us - US_PER_MINUTE, t_us)
    assert storm.value("hujan-baturraden", "rain", t_us) == expected > 0


def test_the_bucket_tips_in_fifths_of_a_millimetre(storm: Storm) -> None:
    total = storm.amount("hujan-baturraden", "rain", storm.start_us, storm.end_us)
    assert 80 < total < 200
    assert total / 0.2 == pytest.approx(round(total / 0.2))


def test_hard_rain_slows_traffic_and_thins_it(region: Region) -> None:
    dry = Storm(region, start_us=START_US - 6 * US_PER_HOUR)  # the same clock, six hours into another storm
    wet = Storm(region, start_us=START_US)
    at_us = START_US + 4 * US_PER_HOUR + 15 * US_PER_MINUTE
    junction = "simpang-ayani"
    assert wet.amount(junction, "count-mc", at_us - US_PER_HOUR, at_us) < 0.8 * dry.amount(
        junction, "count-mc", at_us - US_PER_HOUR, at_us
    )


def test_rain_wets_a_field_that_then_drains(storm: Storm) -> None:
    before, peak, after = (
        storm.value("sawah-banteran", "soil-moisture", START_US + hour * US_PER_HOUR) for hour in (1, 5, 20)
    )
    assert before < after < peak


def test_a_state_has_no_amount_and_a_station_only_its_own_properties(storm: Storm) -> None:
    with pytest.raises(ValueError, match="stage is a state"):
        storm.amount("bgs-hulu", "stage", START_US, START_US + 1)
    with pytest.raises(ValueError, match="before its start"):
        storm.amount("hujan-baturraden", "rain", START_US + 1, START_US)
    with pytest.raises(NotFoundError, match="does not measure 'rain'"):
        storm.value("bgs-hulu", "rain", START_US)
    with pytest.raises(NotFoundError, match="nowhere"):
        storm.value("nowhere", "stage", START_US)


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        pytest.param("basins.toml", lambda _: "[a\n", "basins.toml: not TOML", id="not TOML"),
        pytest.param(
            "basins.toml",
            lambda text: text.replace('into = "bgs-hilir"', 'into = "laut"'),
            "field bgs-hulu.into: unknown basin 'laut'",
            id="unknown next basin",
        ),
        pytest.param(
            "basins.toml",
            lambda text: text.replace('into = "serayu-somagede"', 'into = "klawing"', 1),
            "circle",
            id="circle",
        ),
        pytest.param(
            "basins.toml",
            lambda text: text.replace("curve_number = 78", "curve_number = 101", 1),
            "field klawing: curve_number must be above 0 and at most 100",
            id="curve number",
        ),
        pytest.param(
            "basins.toml",
            lambda text: text.replace("[tajum-ajibarang]", "[tajum]"),
            "field tajum-ajibarang: river post without a basin",
            id="post without basin",
        ),
        pytest.param("storm.toml", lambda _: "cell = []\n", "field cell: a storm needs", id="no cell"),
        pytest.param(
            "storm.toml",
            lambda text: text.replace("radius_km = 7", "radius_km = 0"),
            "radius_km must be positive",
            id="cell without size",
        ),
    ],
)
def test_bad_input_is_named(copy: Path, file: str, edit: Callable[[str], str], message: str) -> None:
    (copy / file).write_text(edit((copy / file).read_text()))
    with pytest.raises(BadInputError, match=re.escape(message)) as caught:
        Storm(load_region(copy), start_us=START_US)
    assert str(copy / file) in str(caught.value)


def test_a_cell_rains_at_its_centre_as_it_moves_and_nowhere_before_it_starts() -> None:
    cell = RainCell(
        lon=109.0, lat=0.0, east_km_per_h=10.0, north_km_per_h=0.0, start_h=1.0, duration_h=2.0,
        peak_mm_per_h=40.0, radius_km=5.0,
    )  # fmt: skip
    moved_lon = 109.0 + 10.0 / 111.195
    assert cell.intensity(moved_lon, 0.0, np.array([2.0]))[0] == pytest.approx(40.0, rel=1e-4)
    assert cell.intensity(109.0, 0.0, np.array([0.5, 1.0, 3.0, 4.0])).tolist() == pytest.approx([0, 0, 0, 0])


def test_a_reach_keeps_the_water_and_delays_it_by_its_travel_time() -> None:
    inflow = np.zeros(6000)
    inflow[60] = 100.0
    outflow = route(inflow, travel_h=2.0, step_h=1 / 60)
    centroid_h = float((outflow * np.arange(6000)).sum() / outflow.sum()) / 60
    assert outflow.sum() == pytest.approx(100.0)
    assert centroid_h - 1.0 == pytest.approx(2.0, abs=0.05)


def test_noise_is_even_and_the_same_for_the_same_key() -> None:
    times = np.arange(20_000) * 60_000_000
    noise = uniform_noise(noise_key("a", 1), times)
    assert noise.tolist() == uniform_noise(noise_key("a", 1), times).tolist()
    assert noise.tolist() != uniform_noise(noise_key("a", 2), times).tolist()
    assert -1 <= noise.min() < -0.99
    assert 0.99 < noise.max() <= 1
    assert noise.mean() == pytest.approx(0.0, abs=0.02)
    assert np.corrcoef(noise[:-1], noise[1:])[0, 1] == pytest.approx(0.0, abs=0.03)


def test_the_written_series_hold_every_reading_of_every_station_in_order(
    storm: Storm, tmp_path: Path
) -> None:
    counts = write_series(storm, tmp_path / "series")
    assert set(counts) == set(storm.region.stations)
    assert 30_000 <= sum(counts.values()) <= 60_000
    for station_id, count in counts.items():
        rows = _rows(tmp_path / "series" / f"{station_id}.csv")
        times = [row["time_utc"] for row in rows]
        assert len(rows) == count
        assert times == sorted(times)
    rain = [
        float(row["value"])
        for row in _rows(tmp_path / "series" / "hujan-baturraden.csv")
        if row["property"] == "rain"
    ]
    assert sum(rain) == pytest.approx(storm.amount("hujan-baturraden", "rain", storm.start_us, storm.end_us))
