"""A region: a folder with ``region.toml``, ``stations.geojson`` and ``thresholds.toml``.

``stations.geojson`` holds Point features whose properties are the fields of `Station` (less region, position and
thresholds); ``thresholds.toml`` holds one table per river post under ``[post.<station id>]`` with the fields of
`Thresholds` and, under ``[post.<station id>.siaga]``, those of `SiagaSettings` with spans as text (``"30min"``). Beside
the limits ``fallback = ["<station id>", …]`` may name what stands in for the post when it falls silent.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import msgspec

from serayu.models.errors import BadInputError, NotFoundError
from serayu.models.siaga import SiagaSettings, Thresholds
from serayu.models.station import Station
from serayu.models.times import parse_span
from serayu.models.topics import REGION

T = TypeVar("T")
REGION_FILE, STATIONS_FILE, THRESHOLDS_FILE = "region.toml", "stations.geojson", "thresholds.toml"


class RegionInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Head of a region folder: Kemendagri code, names, where the facts come from."""

    code: str
    name: str
    source: str
    note: str = ""
    name_en: str = ""

    def __post_init__(self) -> None:
        if REGION.match(self.code) is None:
            raise ValueError(f"region code {self.code!r} must match {REGION.pattern}")


class Region(msgspec.Struct, frozen=True):
    """A region and its stations by id."""

    info: RegionInfo
    stations: Mapping[str, Station]
    folder: Path

    @property
    def code(self) -> str:
        """Region code as in topics, e.g. ``33.02``."""
        return self.info.code

    def station(self, station_id: str) -> Station:
        """Return a station.

        Raises
        ------
        NotFoundError
            No station of that id.
        """
        try:
            return self.stations[station_id]
        except KeyError:
            raise NotFoundError(f"station {station_id!r} is not in region {self.code}") from None


def load_region(folder: Path) -> Region:
    """Read a region folder.

    Raises
    ------
    BadInputError
        A file is missing or wrong; names file, feature and field.
    """
    if not folder.is_dir():
        raise BadInputError("no such region folder", file=folder)
    info = _convert(_read_toml(folder / REGION_FILE), RegionInfo, file=folder / REGION_FILE)
    posts = load_limits(folder / THRESHOLDS_FILE)
    stations: dict[str, Station] = {}
    file = folder / STATIONS_FILE
    for row, feature in enumerate(_features(file), start=1):
        station = _station(feature, info, posts, file=file, row=row)
        if station.id in stations:
            raise BadInputError(f"station {station.id!r} is there twice", file=file, row=row, field="id")
        stations[station.id] = station
    unknown = sorted(set(posts) - set(stations))
    if unknown:
        raise BadInputError(
            f"limits for unknown stations: {', '.join(unknown)}", file=folder / THRESHOLDS_FILE
        )
    _check_fallbacks(stations, file=folder / THRESHOLDS_FILE)
    return Region(info, MappingProxyType(stations), folder)


def _check_fallbacks(stations: Mapping[str, Station], *, file: Path) -> None:
    for station in stations.values():
        wrong = sorted(name for name in station.fallback if name not in stations or name == station.id)
        if wrong:
            message = f"not other stations of the region: {', '.join(wrong)}"
            raise BadInputError(message, file=file, field=f"post.{station.id}.fallback")


class PostLimits(NamedTuple):
    """One table of ``thresholds.toml``."""

    limits: Thresholds | None = None
    settings: SiagaSettings = SiagaSettings()
    fallback: tuple[str, ...] = ()


def load_limits(file: Path) -> dict[str, PostLimits]:
    """Read a file with the form of ``thresholds.toml``; empty where there is none.

    Raises
    ------
    BadInputError
        It is wrong; names table and field.
    """
    if not file.exists():
        return {}
    posts: dict[str, PostLimits] = {}
    for station, table in _read_toml(file).get("post", {}).items():
        limits = dict(table)
        spans = _spans(dict(limits.pop("siaga", {})), file=file, field=f"post.{station}.siaga")
        settings = _convert(spans, SiagaSettings, file=file, field=f"post.{station}.siaga")
        others = limits.pop("fallback", [])
        fallback = _convert(others, tuple[str, ...], file=file, field=f"post.{station}.fallback")
        posts[station] = PostLimits(
            _convert(limits, Thresholds, file=file, field=f"post.{station}"), settings, fallback
        )
    return posts


def _spans(table: dict[str, Any], *, file: Path, field: str) -> dict[str, Any]:
    """Turn ``fall_after = "30min"`` into ``fall_after_us``."""
    spans: dict[str, Any] = {}
    for name, value in table.items():
        if not isinstance(value, str):
            spans[name] = value
            continue
        try:
            spans[f"{name}_us"] = parse_span(value)
        except ValueError as error:
            raise BadInputError(str(error), file=file, field=f"{field}.{name}") from None
    return spans


def _station(
    feature: Any,  # noqa: ANN401 -- JSON of unknown shape, checked here
    info: RegionInfo,
    posts: Mapping[str, PostLimits],
    *,
    file: Path,
    row: int,
) -> Station:
    geometry = feature.get("geometry") or {} if isinstance(feature, dict) else {}
    if geometry.get("type") != "Point":
        raise BadInputError("expected a Point feature", file=file, row=row, field="geometry")
    position = geometry.get("coordinates")
    if not isinstance(position, list) or len(position) < 2:  # noqa: PLR2004 -- longitude and latitude
        raise BadInputError(
            "expected [longitude, latitude]", file=file, row=row, field="geometry.coordinates"
        )
    post = posts.get(feature["properties"].get("id", ""), PostLimits())
    fields = {"region": info.code, "lon": position[0], "lat": position[1], **feature["properties"]}
    station = _convert(fields, Station, file=file, row=row)
    fallback = post.fallback or station.fallback
    return msgspec.structs.replace(station, thresholds=post.limits, siaga=post.settings, fallback=fallback)


def _features(file: Path) -> list[Any]:
    try:
        collection = json.loads(file.read_bytes())
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except ValueError as error:
        raise BadInputError(f"not JSON: {error}", file=file) from None
    if not isinstance(collection, dict) or not isinstance(collection.get("features"), list):
        raise BadInputError("expected a GeoJSON FeatureCollection", file=file)
    return list(collection["features"])


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"not TOML: {error}", file=file) from None


def _convert(value: Any, kind: type[T], *, file: Path, row: int | None = None, field: str | None = None) -> T:  # noqa: ANN401
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadInputError(str(error), file=file, row=row, field=field) from None
