"""A region made of given tables: stations, their limits and what feeds what, for series that no region describes."""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import numpy as np

from serayu.models.errors import BadInputError
from serayu.models.flood.links import PostLinks
from serayu.models.flood.series import LEVELS, PostInfo, Series, read_text
from serayu.models.reading import SeriesKey
from serayu.models.region import Region, RegionInfo
from serayu.models.siaga import SiagaSettings, Thresholds
from serayu.models.station import Datastream, Station, StationKind
from serayu.models.times import US_PER_HOUR, US_PER_S

GIVEN = "0"
"""Code of a region that is none."""
SLUGS = {"stage": "stage", "rain": "rain"}
_GROSS_M = (-5.0, 40.0)  # of the default profile, see `serayu.models.quality.defaults`
_ROOM = (
    3.0  # times the highest limit that a level may reach before it is no level any more [project proposal]
)
_USUAL_STEP_S = 60.0


class Given(NamedTuple):
    """A region of given stations, their series, the id in the tables of each, and what was left out and why."""

    region: Region
    series: Mapping[SeriesKey, Series]
    ids: Mapping[str, str]
    skipped: Mapping[str, str]


def of_region(region: Region, infos: Mapping[str, PostInfo], series: Mapping[str, Series]) -> Given:
    """Return given series as those of a region's stations: its limits, settings and quality control hold."""
    ids: dict[str, str] = {}
    kept: dict[SeriesKey, Series] = {}
    skipped: dict[str, str] = {}
    for name, values in series.items():
        slug = SLUGS.get(infos[name].variable)
        station = region.stations.get(name) or region.stations.get(slug_of(name))
        if slug is None:
            skipped[name] = f"the live rules take no {infos[name].variable}"
        elif station is None or station.datastream(slug) is None:
            skipped[name] = f"region {region.code} has no station of that name with {slug}"
        else:
            ids[station.id] = name
            kept[station.key(slug)] = values
    return Given(region, kept, ids, skipped)


def of_tables(
    infos: Mapping[str, PostInfo],
    series: Mapping[str, Series],
    links: Mapping[str, PostLinks],
    positions: Mapping[str, tuple[float, float]],
    *,
    file: Path,
) -> Given:
    """Return a region whose posts have the official limits of the table and the default behaviour.

    Parameters
    ----------
    infos, series
        Table of stations and the series of some of them.
    links
        What feeds what: upstream posts and gauges stand in for a post that falls silent, and the travel time to the
        next post switches the early step-up by the rate of rise on, as in a region.
    positions
        Longitude and latitude where the table has them; a gauge without stands in for nobody by itself.
    file
        The table, for error messages, and the folder in which nothing else of a region is found.
    """
    stations: dict[str, Station] = {}
    kept: dict[SeriesKey, Series] = {}
    skipped: dict[str, str] = {}
    names = {name: slug_of(name) for name in infos}
    for name, values in series.items():
        slug = SLUGS.get(infos[name].variable)
        limits = _limits(infos[name])
        if slug is None:
            skipped[name] = f"the live rules take no {infos[name].variable}"
            continue
        if slug == "stage" and limits is None:
            skipped[name] = f"no three ascending limits ({', '.join(LEVELS)})"
            continue
        station = _station(names[name], name, slug, limits if slug == "stage" else None, values)
        if station.id in stations:
            raise BadInputError(
                f"{name!r} and another id are both {station.id!r}", file=file, field="station_id"
            )
        stations[station.id] = _placed(station, positions.get(name))
        kept[station.key(slug)] = values
    for name, link in links.items():
        _link(stations, names, name, link)
    info = RegionInfo(GIVEN, "given series", source=file.name)
    region = Region(info, MappingProxyType(stations), file.parent / "no-region")
    return Given(region, kept, {names[name]: name for name in series if names[name] in stations}, skipped)


def slug_of(name: str) -> str:
    """Return an id of a table as a station id of ours.

    Examples
    --------
    >>> slug_of("LK-BADALGAMA"), slug_of("01037000")
    ('lk-badalgama', 's-01037000')
    """
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (slug if slug[:1].isalpha() and len(slug) > 1 else f"s-{slug}")[:40]


def read_positions(file: Path) -> dict[str, tuple[float, float]]:
    """Return longitude and latitude of the stations for which a table has both.

    Raises
    ------
    BadInputError
        The file cannot be read, or a position is no number.
    """
    positions = {}
    reader = csv.DictReader(io.StringIO(read_text(file), newline=""))
    for row in reader:
        given = [(row.get(name) or "").strip() for name in ("lon", "lat")]
        if not all(given):
            continue
        try:
            positions[row["station_id"].strip()] = (float(given[0]), float(given[1]))
        except ValueError:
            raise BadInputError("not a position", file=file, row=reader.line_num, field="lon, lat") from None
    return positions


def _limits(info: PostInfo) -> Thresholds | None:
    given = [info.thresholds.get(level) for level in LEVELS]
    low, middle, high = given
    if low is None or middle is None or high is None or not low < middle < high:
        return None
    return Thresholds(low, middle, high, source="table of stations", valid_from="-", approved_by="-")


def _station(slug_id: str, name: str, slug: str, limits: Thresholds | None, values: Series) -> Station:
    river = slug == "stage"
    qc = {}
    if limits is not None and limits.awas_m * _ROOM > _GROSS_M[1]:
        qc = {"gross_fail": (_GROSS_M[0], limits.awas_m * _ROOM)}
    return Station(
        id=slug_id,
        region=GIVEN,
        name=name,
        kind=StationKind.RIVER if river else StationKind.FIELD,
        lon=0.0,
        lat=0.0,
        datastreams=(Datastream(slug, interval_s=_step_s(values), qc=qc),),
        source="table of stations",
        thresholds=limits,
    )


def _step_s(values: Series) -> float:
    steps = np.diff(np.unique(values.time_us))
    return float(np.median(steps)) / US_PER_S if len(steps) else _USUAL_STEP_S


def _placed(station: Station, position: tuple[float, float] | None) -> Station:
    if position is None:
        return station
    kind = StationKind.RAIN if station.datastream("rain") is not None else station.kind
    return msgspec.structs.replace(station, lon=position[0], lat=position[1], kind=kind)


def _link(stations: dict[str, Station], names: Mapping[str, str], name: str, link: PostLinks) -> None:
    post = stations.get(names[name])
    if post is None:
        return
    sources = tuple(names[one] for one in (*link.upstream, *link.rain) if names[one] in stations)
    stations[post.id] = msgspec.structs.replace(post, fallback=sources)
    for above, hours in link.travel_time_h.items():
        upstream = stations.get(names[above])
        if upstream is not None:
            settings = SiagaSettings(travel_time_us=round(hours * US_PER_HOUR))
            stations[upstream.id] = msgspec.structs.replace(
                upstream, siaga=settings, downstream=(*upstream.downstream, post.id)
            )


def cut(series: Mapping[SeriesKey, Series], start_us: int, end_us: int) -> dict[SeriesKey, Series]:
    """Return what lies in ``start_us <= t < end_us`` of each series that has something there."""
    kept = {}
    for key, one in series.items():
        first, last = np.searchsorted(one.time_us, (start_us, end_us))
        if last > first:
            rows = slice(int(first), int(last))
            kept[key] = Series(time_us=one.time_us[rows], value=one.value[rows], flagged=one.flagged[rows])
    return kept
