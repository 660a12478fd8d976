from pathlib import Path

import pytest

from serayu.models.errors import BadInputError
from serayu.models.impact.travel import DOWNSTREAM_FILE, TravelTimes, read_travel_times
from serayu.models.region import load_region
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, US_PER_S

HULU, TENGAH, HILIR = "99.01.01.2001", "99.01.01.2002", "99.01.01.2003"
BANYUMAS = Path(__file__).parents[3] / "regions" / "banyumas"


def times(
    folder: Path, toml: str = "", *, villages: tuple[str, ...] | None = (HULU, TENGAH, HILIR)
) -> TravelTimes:
    if toml:
        (folder / DOWNSTREAM_FILE).write_text(toml)
    return read_travel_times(folder, load_region(folder), villages=villages)


def test_without_a_table_the_times_between_posts_are_the_stations_own(folder: Path) -> None:
    assert times(folder).villages_below("hulu") == {HULU: 0, HILIR: US_PER_HOUR}
    assert times(folder).villages_below("hilir") == {HILIR: 0}
    assert times(folder).villages_below("lain") == {}


def test_a_river_distance_is_divided_by_the_speed(folder: Path) -> None:
    toml = f'celerity_m_per_s = 2.5\n[[post.hulu.place]]\ndesa = "{TENGAH}"\nriver_km = 4.5\n'
    assert times(folder, toml).villages_below("hulu")[TENGAH] == 1800 * US_PER_S


def test_the_table_overrules_the_time_to_the_next_post(folder: Path) -> None:
    assert (
        times(folder, '[post.hulu.to]\nhilir = "30min"\n').villages_below("hulu")[HILIR] == 30 * US_PER_MINUTE
    )


def test_a_village_below_two_posts_has_the_shorter_time(folder: Path) -> None:
    toml = f"""
        [[post.hulu.place]]
        desa = "{HILIR}"
        travel_time = "3h"
        [[post.hilir.place]]
        desa = "{TENGAH}"
        travel_time = "5min"
    """
    below = times(folder, toml).villages_below("hulu")
    assert below == {HULU: 0, HILIR: US_PER_HOUR, TENGAH: US_PER_HOUR + 5 * US_PER_MINUTE}
    assert list(below) == [HULU, HILIR, TENGAH], "soonest first"


def test_a_circle_of_stations_ends(folder: Path) -> None:
    file = folder / "stations.geojson"
    file.write_text(file.read_text().replace('"downstream": []', '"downstream": ["hulu"]'))
    assert times(folder).villages_below("hilir") == {HILIR: 0, HULU: US_PER_HOUR}


@pytest.mark.parametrize(
    ("toml", "field", "reason"),
    [
        ("celerity_m_per_s = 0", "celerity_m_per_s", "> 0"),
        ("sinuosity = 0.5", "sinuosity", ">= 1"),
        ("speed = 2", None, "unknown field `speed`"),
        ("celerity_m_per_s = ", None, "not TOML"),
        ('[post.lain.to]\nhilir = "1h"', "post.lain", "unknown station"),
        ('[post.hilir.to]\nhulu = "1h"', "post.hilir.to", "does not flow into 'hulu'"),
        ('[post.hulu.to]\nhilir = "soon"', "post.hulu.to.hilir", "soon"),
        (
            '[[post.hulu.place]]\ndesa = "99.01.01.2009"\nriver_km = 1',
            "post.hulu.place 1.desa",
            "unknown village",
        ),
        (f'[[post.hulu.place]]\ndesa = "{HILIR}"\nriver_km = 1', "post.hulu.place 1.river_km", "celerity"),
        (f'[[post.hulu.place]]\ndesa = "{HILIR}"\ntravel_time = "x"', "post.hulu.place 1.travel_time", "x"),
        (f'[[post.hulu.place]]\ndesa = "{HILIR}"', "post.hulu.place[0]", "give either"),
        (
            f'[[post.hulu.place]]\ndesa = "{HILIR}"\nriver_km = -1',
            "post.hulu.place[0].river_km",
            ">= 0",
        ),
    ],
)
def test_a_wrong_table_is_named_with_file_and_field(
    folder: Path, toml: str, field: str | None, reason: str
) -> None:
    with pytest.raises(BadInputError, match=reason) as caught:
        times(folder, toml)
    assert caught.value.file == str(folder / DOWNSTREAM_FILE)
    assert caught.value.field == field


def test_a_flood_at_somagede_is_at_patikraja_before_rawalo() -> None:
    region = load_region(BANYUMAS)
    below = read_travel_times(BANYUMAS, region, villages=None).villages_below("serayu-somagede")
    patikraja, rawalo = below["33.02.12.2004"], below["33.02.04.2004"]
    assert patikraja == region.station("serayu-somagede").siaga.travel_time_us + (  # type: ignore[operator] # it has one
        region.station("serayu-banyumas").siaga.travel_time_us
    )
    assert patikraja < rawalo
