"""A small region, a store and messages as a station sends them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType

import pytest
from typing_extensions import override

from serayu.ingest.clock import LiveClock
from serayu.ingest.decode import Message
from serayu.ingest.pipeline import Pipeline
from serayu.models.region import Region, RegionInfo
from serayu.models.senml import SenmlRecord, encode_pack, seconds
from serayu.models.siaga import Thresholds
from serayu.models.station import Datastream, Station, StationKind
from serayu.models.stores.hot import HotStore
from serayu.models.times import US_PER_MINUTE, parse_rfc3339

NOW_US = parse_rfc3339("2026-01-10T12:00:00Z")
LIMITS = Thresholds(2.0, 3.0, 4.0, source="test", valid_from="2026-01-01", approved_by="nobody")


class StillClock(LiveClock):
    """A system clock that stands still."""

    @override
    def now_us(self) -> int:
        return NOW_US


def river_post(station_id: str) -> Station:
    return Station(
        id=station_id,
        region="99.01",
        name=station_id.upper(),
        kind=StationKind.RIVER,
        lon=109.2,
        lat=-7.5,
        datastreams=(Datastream("stage"), Datastream("rain"), Datastream("air-temperature")),
        source="test",
        thresholds=LIMITS,
    )


@pytest.fixture
def region(tmp_path: Path) -> Region:
    stations = {name: river_post(name) for name in ("hulu", "hilir")}
    return Region(RegionInfo("99.01", "Uji", "test"), MappingProxyType(stations), tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HotStore]:
    with HotStore(tmp_path / "hot.sqlite") as store:
        yield store


@pytest.fixture
def pipeline(store: HotStore, region: Region) -> Pipeline:
    return Pipeline(store, region, StillClock())


MessageOf = Callable[..., Message]


def message(
    *values: float,
    first_seq: int = 1,
    station: str = "hulu",
    slug: str = "stage",
    region: str = "99.01",
    oid: str = "aa11",
    unit: str | None = "m",
    first_us: int = NOW_US - 60 * US_PER_MINUTE,
    step_us: int = US_PER_MINUTE,
    **labels: object,
) -> Message:
    """One pack of values, a minute apart."""
    records = [
        SenmlRecord(
            n=f"{region}/{station}/{slug}",
            u=unit,
            t=seconds(first_us + index * step_us),
            v=value,
            oid=oid,
            seq=first_seq + index,
            **labels,  # type: ignore[arg-type]
        )
        for index, value in enumerate(values)
    ]
    return Message(f"serayu/v1/{region}/{station}/{slug}", encode_pack(records), NOW_US)
