import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
import shapely

from serayu.models.errors import NotFoundError
from serayu.models.impact import ImpactIndex
from serayu.models.impact.rings import DECIMALS
from serayu.models.region import load_region
from serayu.models.siaga import Siaga
from serayu.models.station import StationKind
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE
from serayu.models.warning.bulletin import Impact
from tests.models.impact.conftest import MADE, Write, box, feature, line, point, village
from tests.shared import shared

BANYUMAS = Path(__file__).parents[3] / "regions" / "banyumas"
AT = 1_770_000_000_000_000


def assess(folder: Path, level: Siaga = Siaga.SIAGA, station: str = "hulu") -> Impact:
    return ImpactIndex.load(folder).assess(station, level, at_us=AT)


def test_a_region_without_layers_knows_nothing_and_says_so(folder: Path) -> None:
    impact = assess(folder)
    assert impact.areas == ()
    assert (impact.people, impact.buildings, impact.road_km, impact.rice_ha) == (None, None, None, None)
    assert impact.missing == ("flood_zones",)
    assert "tidak ada" in impact.basis


def test_an_unknown_station_is_refused(folder: Path) -> None:
    with pytest.raises(NotFoundError):
        assess(folder, station="lain")


@pytest.mark.usefixtures("villages", "zones")
def test_the_normal_level_reaches_nobody(folder: Path) -> None:
    impact = assess(folder, Siaga.NORMAL)
    assert impact == Impact(basis="tidak ada dampak pada tingkat normal, pos Hulu")


@pytest.mark.usefixtures("zones")
def test_a_zone_without_villages_keeps_its_outline_under_the_name_of_the_region(folder: Path) -> None:
    impact = assess(folder)
    (area,) = impact.areas
    assert (area.code, area.name, area.people) == ("99.01", "Kabupaten Contoh", None)
    assert len(area.polygons) == 1
    assert impact.people is None
    assert impact.missing == (
        "villages", "people", "buildings", "ruas", "bridges", "schools", "health", "rice",
    )  # fmt: skip


@pytest.mark.usefixtures("villages", "zones")
def test_people_of_a_village_are_taken_by_the_share_of_its_area(folder: Path) -> None:
    impact = assess(folder)
    assert [(area.name, area.people) for area in impact.areas] == [
        ("Hulu", 500), ("Tengah", 250), ("Hilir", None),
    ]  # fmt: skip
    assert impact.people == 750
    assert impact.basis.startswith("zona genangan SIAGA (Siaga 2) pos Hulu")
    assert "dibuat-buat" not in impact.basis


@pytest.mark.usefixtures("villages", "zones")
def test_a_sum_that_leaves_out_a_third_of_the_zone_is_not_said(folder: Path) -> None:
    """Only Hulu's houses were counted, and a third of the zone lies in Tengah."""
    impact = assess(folder)
    assert impact.buildings is None
    assert "buildings" in impact.missing
    assert assess(folder, Siaga.WASPADA).buildings == 50


@pytest.mark.usefixtures("zones")
def test_a_sum_that_leaves_out_a_sliver_is_said_and_named_incomplete(folder: Path, write: Write) -> None:
    strip = feature(box(20, -10, 21, 10), kode="99.01.01.2002", nama="Tepi")
    write("villages", [village(1, "Hulu", 0, people=1000), strip, village(3, "Lain", 21, people=0)])
    impact = assess(folder)
    assert impact.people == 500
    assert "people" in impact.missing
    assert {area.name: area.people for area in impact.areas} == {"Hulu": 500, "Lain": 0, "Tepi": None}


@pytest.mark.usefixtures("villages", "zones")
def test_settlements_speak_instead_of_their_village(folder: Path, write: Write) -> None:
    write(
        "settlements",
        [
            feature(box(2, -2, 4, 2), people=30, buildings=10, **MADE),  # all inside
            feature(box(2, 4, 4, 6), people=100, buildings=20, **MADE),  # half inside
            feature(point(3, 0), people=7, buildings=2, **MADE),  # a point counts whole
            feature(point(3, 9), people=900, buildings=90, **MADE),  # dry
            feature(point(3, 1), people=5, buildings=1, desa="99.01.01.2002", **MADE),  # belongs elsewhere
        ],
    )
    impact = assess(folder)
    people = {area.name: area.people for area in impact.areas}
    assert people["Hulu"] == 87
    assert people["Tengah"] == 5
    assert impact.people == 92
    assert impact.buildings == 23


@pytest.mark.usefixtures("villages", "zones")
def test_nobody_is_zero_only_in_a_complete_layer(folder: Path, write: Write) -> None:
    dry = [feature(point(3, 9), people=900, **MADE), feature(point(23, 9), people=40, **MADE)]
    write("settlements", dry)
    assert assess(folder).people is None
    write("settlements", dry, complete=True)
    impact = assess(folder)
    assert impact.people == 0
    assert "people" not in impact.missing


@pytest.mark.usefixtures("villages", "zones")
def test_a_settlement_outside_every_village_counts_in_the_sum(folder: Path, write: Write) -> None:
    write("flood_zones", [feature(box(-30, -5, 10, 5), station="hulu", level="siaga", **MADE)])
    write("settlements", [feature(point(-20, 0), people=11, **MADE)])
    impact = assess(folder)
    assert impact.people == 261
    assert impact.areas[0].people == 250


@pytest.mark.usefixtures("villages", "zones")
def test_roads_give_km_and_the_wet_stretch(folder: Path, write: Write) -> None:
    write(
        "ruas",
        [
            feature(line((5, -10), (5, 10)), number="7", name="Jalan Utara", km_from=3.0, **MADE),
            feature(line((0, 3), (30, 3)), number="8", name="Jalan Timur", **MADE),
            feature(line((0, 9), (30, 9)), number="9", name="Jalan Kering", **MADE),
            feature(line((0, 5), (0, 8)), number="10", name="Jalan Sentuh", **MADE),
        ],
    )
    impact = assess(folder)
    long, short = impact.ruas
    assert (long.number, long.km_from) == ("8", 0.0)
    assert long.length_km == pytest.approx(3.34, abs=0.01)
    assert (short.number, short.name) == ("7", "Jalan Utara")
    assert short.length_km == pytest.approx(1.106, abs=0.002)
    assert short.km_from == pytest.approx(3.553, abs=0.002)
    assert short.km_to == pytest.approx(4.659, abs=0.002)
    assert impact.road_km == pytest.approx(long.length_km + short.length_km, abs=1e-9)
    assert "data tidak lengkap: ruas" in impact.basis


@pytest.mark.usefixtures("villages", "zones")
@pytest.mark.parametrize(("complete", "road_km"), [(False, None), (True, 0.0)])
def test_no_road_is_zero_km_only_in_a_complete_layer(
    folder: Path, write: Write, *, complete: bool, road_km: float | None
) -> None:
    write("ruas", [feature(line((0, 9), (30, 9)), number="9", name="Kering", **MADE)], complete=complete)
    assert assess(folder).road_km == road_km


@pytest.mark.usefixtures("villages", "zones")
def test_places_and_fields_are_named_and_measured(folder: Path, write: Write) -> None:
    write("bridges", [feature(line((10, -6), (10, 6)), name="Jembatan A", **MADE)])
    write("schools", [feature(point(1, 1), name="SD 1", **MADE), feature(point(1, 8), name="SD 2", **MADE)])
    write("health", [feature(point(25, 0), name="Puskesmas", source="uji", invented=True)])
    write("rice", [feature(box(10, 0, 12, 10), **MADE)])
    impact = assess(folder)
    assert (impact.bridges, impact.schools, impact.health) == (("Jembatan A",), ("SD 1",), ("Puskesmas",))
    assert impact.rice_ha == pytest.approx(2 * 111.32 * 5 * 110.574 / 10_000, rel=1e-3)
    assert "dibuat-buat: fasilitas kesehatan" in impact.basis


@pytest.mark.usefixtures("villages", "zones")
def test_a_level_without_a_zone_takes_the_next_lower_and_says_so(folder: Path) -> None:
    awas, siaga = assess(folder, Siaga.AWAS), assess(folder, Siaga.SIAGA)
    assert awas.people == siaga.people
    assert "zona AWAS (Siaga 1) tidak ada, jadi paling sedikit" in awas.basis


@pytest.mark.usefixtures("villages", "zones")
def test_villages_downstream_get_the_time_that_the_water_takes(folder: Path) -> None:
    """Hilir has a post of its own, one hour below; the zone itself is wet when the level is reached."""
    arrivals = {area.name: area.arrival_us for area in assess(folder).areas}
    assert arrivals["Hulu"] == AT
    assert arrivals["Hilir"] == AT + US_PER_HOUR
    later = ImpactIndex.load(folder).assess("hulu", Siaga.SIAGA, at_us=AT, crossing_us=AT + 5)
    assert {area.name: area.arrival_us for area in later.areas}["Hilir"] == AT + 5 + US_PER_HOUR


@pytest.mark.usefixtures("villages", "zones")
def test_without_a_speed_the_time_to_a_part_far_from_the_post_is_missing(folder: Path) -> None:
    impact = assess(folder)
    assert {area.name: area.arrival_us for area in impact.areas}["Tengah"] is None
    assert "travel_time" in impact.missing
    (folder / "downstream.toml").write_text("celerity_m_per_s = 2.0\nsinuosity = 1.5\n")
    impact = assess(folder)
    seconds = 10 * 111.32 * 1.5 / 2.0  # from the post at 10 to the village at 20, thousandths of a degree
    arrival_us = {area.name: area.arrival_us for area in impact.areas}["Tengah"]
    assert arrival_us is not None
    assert (arrival_us - AT) / 1e6 == pytest.approx(seconds, rel=1e-3)
    assert "travel_time" not in impact.missing


@pytest.mark.usefixtures("villages", "zones")
def test_a_list_of_places_beats_the_distance(folder: Path) -> None:
    (folder / "downstream.toml").write_text(
        '[[post.hulu.place]]\ndesa = "99.01.01.2002"\ntravel_time = "20min"\n'
    )
    arrivals = {area.name: area.arrival_us for area in assess(folder).areas}
    assert arrivals["Tengah"] == AT + 20 * US_PER_MINUTE


@pytest.fixture(scope="module", name="banyumas")
def _banyumas() -> ImpactIndex:
    return ImpactIndex.load(BANYUMAS)


RIVER_POSTS = [
    station.id for station in load_region(BANYUMAS).stations.values() if station.kind is StationKind.RIVER
]


@pytest.mark.parametrize("level", list(Siaga)[1:])
@pytest.mark.parametrize("post", RIVER_POSTS)
def test_every_post_of_banyumas_names_villages_with_codes_and_polygons(
    banyumas: ImpactIndex, post: str, level: Siaga
) -> None:
    impact = banyumas.assess(post, level, at_us=AT)
    wet = [area for area in impact.areas if area.polygons]
    assert wet
    assert impact.road_km is not None
    assert "dibuat-buat" in impact.basis
    assert {area.code for area in impact.areas} <= {row.kode for row in banyumas.layers.villages.rows}  # type: ignore[union-attr] # it has them
    assert all(area.kecamatan and area.arrival_us is not None for area in impact.areas)
    assert all(area.arrival_us >= AT for area in impact.areas if area.arrival_us is not None)
    for area in wet:
        for ring in area.polygons:
            polygon = shapely.Polygon([(lon, lat) for lat, lon in ring])
            assert polygon.is_valid
            assert len(ring) <= 100
            assert -7.8 < ring[0][0] < -7.2 < 108.9 < ring[0][1] < 109.6
            assert all(round(value, DECIMALS) == value for pair in ring for value in pair)


@pytest.mark.parametrize("post", RIVER_POSTS)
def test_a_worse_level_never_reaches_fewer(banyumas: ImpactIndex, post: str) -> None:
    impacts = [banyumas.assess(post, level, at_us=AT) for level in list(Siaga)[1:]]
    for mild, bad in itertools.pairwise(impacts):
        assert {area.code for area in mild.areas} <= {area.code for area in bad.areas}
        assert (mild.people or 0) <= (bad.people or 0)
        assert (mild.road_km or 0) <= (bad.road_km or 0)
        assert set(mild.schools) <= set(bad.schools)


def test_the_sum_is_that_of_the_villages(banyumas: ImpactIndex) -> None:
    impact = banyumas.assess("serayu-patikraja", Siaga.AWAS, at_us=AT)
    named = sum(area.people for area in impact.areas if area.people is not None)
    assert impact.people == pytest.approx(named, abs=3)  # slivers are counted, not named


def test_the_answer_is_the_same_when_asked_again_later(banyumas: ImpactIndex) -> None:
    first = banyumas.assess("bgs-hulu", Siaga.SIAGA, at_us=AT)
    again = banyumas.assess("bgs-hulu", Siaga.SIAGA, at_us=AT + US_PER_HOUR)
    assert [area.polygons for area in first.areas] == [area.polygons for area in again.areas]
    assert [(area.arrival_us or 0) + US_PER_HOUR for area in first.areas] == [
        area.arrival_us for area in again.areas
    ]


@pytest.mark.shared
def test_the_villages_of_banyumas_are_real() -> None:
    """Every packaged village has the code and name of the full boundaries, and covers nearly the same ground."""
    full = json.loads(shared("data", "gis", "banyumas_desa_simplified.geojson").read_text())["features"]
    known = {one["properties"]["kode"]: one for one in full}
    for one in json.loads((BANYUMAS / "villages.geojson").read_text())["features"]:
        real = known[one["properties"]["kode"]]
        assert real["properties"]["nama"] == one["properties"]["nama"]
        coarse, fine = (shapely.geometry.shape(each["geometry"]) for each in (one, real))
        assert coarse.symmetric_difference(fine).area < 0.25 * fine.area


def test_importing_it_loads_no_raster_library() -> None:
    code = (
        "import sys, serayu.models.impact; "
        "assert not {'rasterio', 'pyproj', 'scipy', 'sklearn', 'lxml'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
