"""What can be said about a region folder beyond that it can be read."""

from collections import Counter
from pathlib import Path

import msgspec

from serayu.models.delivery.settings import load_delivery_settings
from serayu.models.errors import BadInputError
from serayu.models.impact import ImpactIndex
from serayu.models.impact.check import impact_warnings, invented_zones, layer_counts
from serayu.models.region import STATIONS_FILE, Region, load_region
from serayu.models.station import Station, StationKind

__all__ = ["RegionReport", "check_region"]


class RegionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Result of a check, with the JSON keys of ``serayu region check --json``.

    Parameters
    ----------
    region, name, folder
        Code, name, and the folder checked.
    stations, by_kind, datastreams
        How many.
    posts_with_limits
        River posts that have Siaga limits.
    invented_stations, invented_limits
        Ids of stations whose place, or limits, the project made up.
    impact_layers
        Features of each layer that impacts are computed from; None where it is not there.
    invented_zones
        Ids of stations whose flood zones the project made up.
    warnings
        What is allowed and should not stay, one line each.
    """

    region: str
    name: str
    folder: str
    stations: int
    by_kind: dict[str, int]
    datastreams: int
    posts_with_limits: int
    invented_stations: list[str]
    invented_limits: list[str]
    impact_layers: dict[str, int | None]
    invented_zones: list[str]
    warnings: list[str]


def check_region(folder: Path) -> RegionReport:
    """Read a region folder and check how its stations hang together.

    Raises
    ------
    BadInputError
        A file is missing or wrong, those of the impact layers and the timers of delivery included, a station flows
        into an unknown one or round in a circle, or its kode wilayah lies outside the region; names file, feature (as
        row) and field.
    """
    region = load_region(folder)
    for row, station in enumerate(region.stations.values(), start=1):
        _check_downstream(station, region, row=row)
        _check_codes(station, region, row=row)
    load_delivery_settings(folder)
    index = ImpactIndex.load(folder, region=region)
    stations = region.stations.values()
    return RegionReport(
        region=region.code,
        name=region.info.name,
        folder=str(folder),
        stations=len(stations),
        by_kind=dict(sorted(Counter(station.kind.value for station in stations).items())),
        datastreams=sum(len(station.datastreams) for station in stations),
        posts_with_limits=sum(station.thresholds is not None for station in stations),
        invented_stations=[station.id for station in stations if station.invented],
        invented_limits=[
            station.id for station in stations if station.thresholds and station.thresholds.invented
        ],
        impact_layers=layer_counts(index),
        invented_zones=invented_zones(index),
        warnings=[*(line for station in stations for line in _warnings(station)), *impact_warnings(index)],
    )


def _check_downstream(station: Station, region: Region, *, row: int) -> None:
    file = region.folder / STATIONS_FILE
    for next_id in station.downstream:
        if next_id not in region.stations:
            raise BadInputError(
                f"station {station.id!r} flows into unknown {next_id!r}",
                file=file,
                row=row,
                field="downstream",
            )
    reached: set[str] = set()
    ahead = list(station.downstream)
    while ahead:
        next_id = ahead.pop()
        if next_id == station.id:
            raise BadInputError(
                f"station {station.id!r} flows into itself", file=file, row=row, field="downstream"
            )
        if next_id in region.stations and next_id not in reached:
            reached.add(next_id)
            ahead += region.stations[next_id].downstream


def _check_codes(station: Station, region: Region, *, row: int) -> None:
    file = region.folder / STATIONS_FILE
    for field, code, above in (
        ("kecamatan", station.kecamatan, region.code),
        ("desa", station.desa, station.kecamatan or region.code),
    ):
        if code is not None and not code.startswith(f"{above}."):
            raise BadInputError(
                f"{code!r} of station {station.id!r} does not lie in {above}", file=file, row=row, field=field
            )


def _warnings(station: Station) -> list[str]:
    lines = []
    if not station.datastreams:
        lines.append(f"{station.id}: measures nothing")
    if station.kind is StationKind.RIVER and station.thresholds is None and station.datastream("stage"):
        lines.append(f"{station.id}: no Siaga limits, so it raises no alert")
    if station.thresholds is not None and station.datastream("stage") is None:
        lines.append(f"{station.id}: Siaga limits, but no stage is measured")
    if station.thresholds is not None and station.thresholds.invented:
        lines.append(f"{station.id}: Siaga limits are invented ({station.thresholds.approved_by})")
    return lines
