"""Feature collections as a bundle brings them: opened one by one, so that an error names its feature."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError

__all__ = ["RawFeature", "field_of", "geometry_of", "raw_features"]

_KINDS = {"Point": 1, "LineString": 2, "MultiLineString": 3, "Polygon": 3, "MultiPolygon": 4}
"""How deep the coordinates of each lie in lists: shapely takes other depths too, browsers do not."""
_LON, _LAT = 180.0, 90.0
_PLACE = re.compile(r" - at `\$\.?(.*)`$")


class RawFeature(NamedTuple):
    """A feature whose properties were not looked into.

    Parameters
    ----------
    row
        Its number, from 1.
    id
        Foreign to the properties; None where it has none.
    geometry
        As in the document; checked.
    shape
        The same, longitude and latitude.
    properties
        As in the document.
    """

    row: int
    id: object
    geometry: dict[str, Any]
    shape: BaseGeometry
    properties: dict[str, Any]


class _Collection(msgspec.Struct):
    type: str
    features: list[msgspec.Raw]


class _Feature(msgspec.Struct):
    type: str
    geometry: dict[str, Any]
    properties: dict[str, Any]
    id: object = None


def raw_features(data: bytes, *, file: str, at_most: int) -> Iterator[RawFeature]:
    """Yield the features of a collection [RFC 7946].

    Parameters
    ----------
    data
        The document.
    file
        Its name, for errors.
    at_most
        So many features.

    Raises
    ------
    BadInputError
        Not a collection, too many features, or one that is none; names its number and field.
    """
    try:
        found = msgspec.json.decode(data, type=_Collection)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInputError(f"not a GeoJSON collection: {_short(error)}", file=file) from None
    if found.type != "FeatureCollection":
        raise BadInputError("expected a FeatureCollection", file=file, field="type")
    if len(found.features) > at_most:
        raise BadInputError(f"more than {at_most} features", file=file, field="features")
    for row, raw in enumerate(found.features, 1):
        yield _feature(raw, row, file)


def _feature(raw: msgspec.Raw, row: int, file: str) -> RawFeature:
    try:
        found = msgspec.json.decode(raw, type=_Feature)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInputError(_short(error), file=file, row=row, field=field_of(error)) from None
    if found.type != "Feature":
        raise BadInputError("expected a Feature", file=file, row=row, field="type")
    try:
        shape = geometry_of(found.geometry)
    except ValueError as error:
        raise BadInputError(str(error), file=file, row=row, field="geometry") from None
    return RawFeature(row, found.id, found.geometry, shape, found.properties)


def geometry_of(given: dict[str, Any]) -> BaseGeometry:
    """Return a GeoJSON geometry in degrees.

    Raises
    ------
    ValueError
        Not a point, line or area, empty, or beyond longitude ±180 or latitude ±90.
    """
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"expected one of {', '.join(sorted(_KINDS))}, not {str(kind)[:40]!r}")
    try:
        shape = shapely.geometry.shape(given)
    except (
        shapely.errors.ShapelyError,
        ValueError,
        TypeError,
        OverflowError,
        KeyError,
        IndexError,
        AttributeError,
    ) as error:
        raise ValueError(f"not a geometry: {error}") from None
    if shape.is_empty:
        raise ValueError("it is empty")
    if _depth(given["coordinates"]) != _KINDS[kind]:
        raise ValueError(f"not the coordinates of a {kind}")
    west, south, east, north = shape.bounds
    if not (-_LON <= west <= east <= _LON and -_LAT <= south <= north <= _LAT):
        raise ValueError("coordinates beyond longitude ±180 or latitude ±90")
    return shape


def _depth(coordinates: object) -> int:
    depth = 0
    while isinstance(coordinates, list) and coordinates:
        coordinates, depth = coordinates[0], depth + 1
    return depth


def field_of(error: Exception) -> str | None:
    """Return the place that an error of msgspec names, e.g. ``errors.position_m``; None where it names none."""
    place = _PLACE.search(str(error))
    return place[1] or None if place else None


def _short(error: Exception) -> str:
    return _PLACE.sub("", str(error)) if str(error) else type(error).__name__
