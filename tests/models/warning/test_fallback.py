"""What stands in for a silent post: by rank, by class, never with a level of its own."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from serayu.models.errors import BadInputError
from serayu.models.region import Region, RegionInfo, load_region
from serayu.models.siaga import Siaga, SiagaSettings, Thresholds
from serayu.models.station import Datastream, Station, StationKind
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE
from serayu.models.warning.fallback import TRAVEL_SLACK_US, StandIn, sources, stand_in

BANYUMAS = Path(__file__).parents[3] / "regions" / "banyumas"
LIMITS = Thresholds(2.0, 3.0, 4.0, source="invented for this test", valid_from="", approved_by="nobody")
NOW_US = 100 * US_PER_HOUR
N, W, S, A = Siaga


def _post(name: str, *, travel_min: int | None = 60, downstream: tuple[str, ...] = ("hilir",)) -> Station:
    travel_us = None if travel_min is None else travel_min * US_PER_MINUTE
    return Station(
        name, "33.02", name, StationKind.RIVER, 109.2, -7.4, (Datastream("stage"),), "test",
        thresholds=LIMITS, siaga=SiagaSettings(travel_time_us=travel_us), downstream=downstream,
    )  # fmt: skip


def _gauge(name: str, lon: float) -> Station:
    return Station(name, "33.02", name, StationKind.RAIN, lon, -7.4, (Datastream("rain"),), "test")


def _region(*stations: Station) -> Region:
    return Region(
        RegionInfo("33.02", "Uji", "test"), MappingProxyType({one.id: one for one in stations}), Path()
    )


class Told:
    """Evidence that the test states: station → level or rain; those absent are silent."""

    def __init__(self, **values: float) -> None:
        self.values = values
        self.spans: list[tuple[int, int]] = []

    def speaks(self, station: Station, slug: str, now_us: int) -> bool:  # noqa: ARG002 -- the port's
        return station.id in self.values

    def highest(self, station: Station, start_us: int, end_us: int) -> float | None:
        self.spans.append((start_us, end_us))
        return self.values.get(station.id)

    def rain_mm(self, station: Station, start_us: int, end_us: int) -> float | None:
        return self.values[station.id] if end_us - start_us == US_PER_HOUR else 0.0


REGION = _region(
    _post("jauh", travel_min=180), _post("dekat"), _post("tak-tahu", travel_min=None), _post("hilir", downstream=()),
    _gauge("hb", 109.25), _gauge("ha", 109.21), _gauge("terlalu-jauh", 110.0),
)  # fmt: skip
HILIR = REGION.stations["hilir"]


def test_the_usual_ranks_are_the_nearest_posts_above_in_time_then_the_nearest_gauges() -> None:
    assert sources(REGION, HILIR) == ("dekat", "jauh", "tak-tahu", "ha", "hb")
    assert sources(_region(HILIR), HILIR) == ()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, None, id="nobody speaks"),
        pytest.param({"hilir": 9.0, "dekat": 9.0}, None, id="the post itself speaks"),
        pytest.param(
            {"dekat": 3.5, "jauh": 9.0},
            StandIn("dekat", S, supports=True),
            id="the first that speaks",
        ),
        pytest.param(
            {"dekat": 1.0, "jauh": 9.0}, StandIn("dekat", N, supports=False), id="also when it is normal"
        ),
        pytest.param({"jauh": 4.5, "ha": 0.0}, StandIn("jauh", A, supports=True), id="the next by rank"),
        pytest.param({"ha": 21.0}, StandIn("ha", None, supports=True), id="heavy rain has no class"),
        pytest.param(
            {"ha": 20.0, "hb": 99.0}, StandIn("ha", None, supports=False), id="rain at the limit is not above"
        ),
        pytest.param({"terlalu-jauh": 99.0}, None, id="a gauge too far away is not asked"),
    ],
)
def test_the_first_source_that_speaks_decides(values: Mapping[str, float], expected: StandIn | None) -> None:
    assert stand_in(REGION, HILIR, Told(**values), now_us=NOW_US) == expected


def test_a_post_is_asked_for_what_is_on_its_way() -> None:
    told = Told(dekat=3.5)
    stand_in(REGION, HILIR, told, now_us=NOW_US)
    assert told.spans == [(NOW_US - US_PER_HOUR - TRAVEL_SLACK_US, NOW_US)]


def test_the_region_of_banyumas_has_stand_ins_for_posts_below_others() -> None:
    region = load_region(BANYUMAS)
    for post in region.stations.values():
        named = sources(region, post)
        assert post.id not in named
        assert set(named) <= set(region.stations)
    assert sources(region, region.stations["bgs-hulu"])


def _written(folder: Path, fallback: str) -> Path:
    for name in ("region.toml", "stations.geojson"):
        (folder / name).write_bytes((BANYUMAS / name).read_bytes())
    limits = (BANYUMAS / "thresholds.toml").read_text("utf-8")
    (folder / "thresholds.toml").write_text(
        limits.replace("[post.bgs-hilir]\n", f"[post.bgs-hilir]\nfallback = {fallback}\n"), "utf-8"
    )
    return folder


def test_the_table_of_limits_names_other_stand_ins(tmp_path: Path) -> None:
    region = load_region(_written(tmp_path, '["tajum-ajibarang", "bgs-hulu"]'))
    assert sources(region, region.stations["bgs-hilir"]) == ("tajum-ajibarang", "bgs-hulu")


@pytest.mark.parametrize("wrong", ['["tidak-ada"]', '["bgs-hilir"]', '"bgs-hulu"', "[1]"])
def test_stand_ins_that_cannot_be_are_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(BadInputError, match=r"thresholds\.toml.*post\.bgs-hilir\.fallback"):
        load_region(_written(tmp_path, wrong))
