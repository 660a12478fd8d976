"""Reading roads from GeoJSON: every feature is checked, and every bad one is named."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import shapely
from shapely.errors import GEOSException
from shapely.geometry import LineString, MultiLineString
from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError
from serayu.models.roads.line import Authority, RoadClass, Ruas, Surface, joined

__all__ = ["check_numbers", "read_ruas"]

_FIELD = re.compile(r"`\$\.?([^`]*)`")
_NAMED = 5  # so many bad features are named in one message; the rest are counted
Text = Annotated[str, msgspec.Meta(min_length=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """Properties of a road; others are passed over."""

    number: Text
    name: Text
    km_from: Amount = 0.0
    road_class: RoadClass | None = None
    authority: Authority | None = None
    width_m: Annotated[float, msgspec.Meta(gt=0, le=100)] | None = None
    lanes: Annotated[int, msgspec.Meta(ge=1, le=20)] | None = None
    lhr: Amount | None = None
    surface: Surface | None = None
    source: str = ""
    invented: bool = False


class _Feature(msgspec.Struct):
    geometry: msgspec.Raw = msgspec.Raw(b"null")
    properties: Any = None


class _Collection(msgspec.Struct):
    features: list[_Feature]


class _BadFeatureError(ValueError):
    def __init__(self, reason: str, *, row: int, field: str | None) -> None:
        super().__init__(reason)
        self.reason, self.row, self.field = reason, row, field


def read_ruas(file: Path) -> tuple[Ruas, ...]:
    """Read the roads of a GeoJSON FeatureCollection, degrees (longitude, latitude).

    A feature is a LineString, or a MultiLineString whose parts follow one another, with the properties ``number`` and
    ``name``; ``km_from``, ``road_class``, ``authority``, ``width_m``, ``lanes``, ``lhr``, ``surface``, ``source`` and
    ``invented`` are optional, others are passed over.

    Raises
    ------
    BadInputError
        The file cannot be read, is no FeatureCollection, holds no roads, or features are wrong: the first is named
        as row and field, the others in the message.
    """
    try:
        features = msgspec.json.decode(file.read_bytes(), type=_Collection).features
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"expected a GeoJSON FeatureCollection: {error}", file=file) from None
    if not features:
        raise BadInputError("holds no roads", file=file, field="features")
    ruas, bad = list[Ruas](), list[_BadFeatureError]()
    rows = dict[str, int]()
    for row, feature in enumerate(features, start=1):
        try:
            ruas.append(_ruas(feature, rows, row=row))
        except _BadFeatureError as error:
            bad.append(error)
    if bad:
        raise _bad_input(bad, file)
    return tuple(ruas)


def check_numbers(ruas: Sequence[Ruas]) -> None:
    """Refuse roads of which two have the same number.

    Raises
    ------
    ValueError
        Names the number.
    """
    seen = set[str]()
    for one in ruas:
        if one.number in seen:
            raise ValueError(f"ruas {one.number} is there twice")
        seen.add(one.number)


def _ruas(feature: _Feature, rows: dict[str, int], *, row: int) -> Ruas:
    """Return a feature as a road; *rows* says where each number was seen, and learns this one."""
    properties = _properties(feature.properties, row=row)
    first = rows.setdefault(properties.number, row)
    if first != row:
        raise _BadFeatureError(
            f"number {properties.number!r} is there twice, first in row {first}", row=row, field="number"
        )
    try:
        line = _line(feature.geometry)
        return Ruas(geometry=line, **msgspec.structs.asdict(properties))
    except ValueError as error:
        raise _BadFeatureError(f"ruas {properties.number}: {error}", row=row, field="geometry") from None


def _properties(properties: object, *, row: int) -> _Row:
    if not isinstance(properties, dict):
        raise _BadFeatureError("expected a Feature with properties", row=row, field="properties")
    try:
        return msgspec.convert(properties, _Row)
    except msgspec.ValidationError as error:
        reason, _, _ = str(error).partition(" - at `")
        found = _FIELD.findall(str(error))
        number = properties.get("number")
        named = f"ruas {number}: " if isinstance(number, str) and number else ""
        raise _BadFeatureError(named + reason, row=row, field=found[-1] if found else None) from None


def _line(raw: msgspec.Raw) -> LineString:
    try:
        text = bytes(raw)
        figure: BaseGeometry | None = None if text == b"null" else shapely.from_geojson(text)
    except GEOSException as error:
        raise ValueError(f"no geometry: {' '.join(str(error).split())}") from None
    if figure is None or figure.is_empty or not isinstance(figure, LineString | MultiLineString):
        got = "nothing" if figure is None or figure.is_empty else figure.geom_type
        raise ValueError(f"expected LineString or MultiLineString with coordinates, got {got}")
    flat = shapely.force_2d(figure)
    return joined(flat) if isinstance(flat, MultiLineString) else flat


def _bad_input(bad: Sequence[_BadFeatureError], file: Path) -> BadInputError:
    first, *rest = bad
    also = "".join(f"; row {one.row}: {one.reason}" for one in rest[: _NAMED - 1])
    more = f"; and {len(rest) - _NAMED + 1} more" if len(rest) >= _NAMED else ""
    return BadInputError(first.reason + also + more, file=file, row=first.row, field=first.field)
