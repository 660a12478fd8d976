"""Which posts and gauges feed which post: the file that an operator writes beside the table of stations."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from serayu.models.errors import BadInputError
from serayu.models.flood.series import PostInfo, read_text

__all__ = ["PostLinks", "read_links"]

_KEYS = ("upstream", "rain", "travel_time_h")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostLinks:
    """What feeds a post: posts upstream, nearest first, rain gauges, and hours of travel where known."""

    upstream: tuple[str, ...] = ()
    rain: tuple[str, ...] = ()
    travel_time_h: Mapping[str, float] = field(default_factory=dict)


def read_links(file: Path, stations: Mapping[str, PostInfo]) -> dict[str, PostLinks]:
    """Read which posts and gauges feed which post.

    One table ``[stations.ID]`` for each post: ``upstream``, a list of ids, nearest first; ``rain``, a list of ids of
    gauges; ``travel_time_h``, hours by the id of an upstream post. All may be absent.

    Raises
    ------
    BadInputError
        Not TOML, another shape, an id that is not in the table of stations, a station above itself, a gauge that
        measures no rain, a travel time that is not positive or not of an upstream post.
    """
    try:
        document = tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as error:
        raise BadInputError(f"not TOML: {error}", file=file) from None
    table = document.get("stations", {})
    if not isinstance(table, dict):
        raise BadInputError("expected tables [stations.ID]", file=file, field="stations")
    for name in document:
        if name != "stations":
            raise BadInputError("unknown key; expected tables [stations.ID]", file=file, field=name)
    return {station_id: _links(station_id, entry, stations, file) for station_id, entry in table.items()}


def _links(station_id: str, entry: object, stations: Mapping[str, PostInfo], file: Path) -> PostLinks:
    place = f"stations.{station_id}"
    _known(station_id, stations, file=file, place=place)
    if not isinstance(entry, dict):
        raise BadInputError("expected a table", file=file, field=place)
    for name in entry:
        if name not in _KEYS:
            expected = f"unknown key; expected {', '.join(_KEYS)}"
            raise BadInputError(expected, file=file, field=f"{place}.{name}")
    upstream = _ids(entry.get("upstream", []), stations, file=file, place=f"{place}.upstream")
    rain = _ids(entry.get("rain", []), stations, file=file, place=f"{place}.rain")
    if station_id in upstream:
        raise BadInputError(
            "the post is named as its own upstream post", file=file, field=f"{place}.upstream"
        )
    for gauge in rain:
        if stations[gauge].variable != "rain":
            raise BadInputError(f"{gauge!r} does not measure rain", file=file, field=f"{place}.rain")
    travel = _travel(
        entry.get("travel_time_h", {}), upstream, stations, file=file, place=f"{place}.travel_time_h"
    )
    return PostLinks(upstream=upstream, rain=rain, travel_time_h=travel)


def _travel(
    value: object, upstream: tuple[str, ...], stations: Mapping[str, PostInfo], *, file: Path, place: str
) -> dict[str, float]:
    if not isinstance(value, dict):
        raise BadInputError("expected a table of hours", file=file, field=place)
    travel: dict[str, float] = {}
    for name, hours in value.items():
        where = f"{place}.{name}"
        _known(name, stations, file=file, place=where)
        if name not in upstream:
            raise BadInputError("not among the upstream posts", file=file, field=where)
        if isinstance(hours, bool) or not isinstance(hours, (int, float)) or not 0 < hours < math.inf:
            raise BadInputError(f"expected hours above 0, got {hours!r}", file=file, field=where)
        travel[name] = float(hours)
    return travel


def _ids(value: object, stations: Mapping[str, PostInfo], *, file: Path, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadInputError("expected a list of ids", file=file, field=place)
    for each in value:
        _known(each, stations, file=file, place=place)
    if len(set(value)) < len(value):
        raise BadInputError("an id appears twice", file=file, field=place)
    return tuple(value)


def _known(station_id: str, stations: Mapping[str, PostInfo], *, file: Path, place: str) -> None:
    if station_id not in stations:
        raise BadInputError(f"station {station_id!r} is not in the table of stations", file=file, field=place)
