"""GeoJSON features from a file, each with its row and a geometry that has been checked."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import shapely
from shapely.errors import GEOSException
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError

__all__ = ["Feature", "read_features"]


class Feature(NamedTuple):
    """One feature; ``row`` counts from 1."""

    row: int
    properties: Mapping[str, Any]
    geometry: BaseGeometry


def read_features(file: Path, *, kinds: frozenset[str]) -> Iterator[Feature]:
    """Give the features of a GeoJSON FeatureCollection in longitude and latitude.

    Parameters
    ----------
    file
        The file.
    kinds
        Kinds of geometry allowed.

    Raises
    ------
    BadInputError
        Not such a file, or a geometry that is not allowed, not valid or not on Earth; names the row.
    """
    try:
        collection = json.loads(file.read_bytes())
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except ValueError as error:
        raise BadInputError(f"not JSON: {error}", file=file) from None
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list):
        raise BadInputError("expected a GeoJSON FeatureCollection", file=file)
    for row, feature in enumerate(features, start=1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            raise BadInputError("expected a Feature with properties", file=file, row=row)
        yield Feature(row, properties, _geometry(feature.get("geometry"), kinds, file=file, row=row))


def _geometry(value: object, kinds: frozenset[str], *, file: Path, row: int) -> BaseGeometry:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in kinds:
        raise BadInputError(
            f"expected {' or '.join(sorted(kinds))}, not {kind}", file=file, row=row, field="geometry"
        )
    try:
        geometry: BaseGeometry = shape(value)
    except (GEOSException, TypeError, ValueError, AttributeError, IndexError, KeyError) as error:
        raise BadInputError(f"not a geometry: {error}", file=file, row=row, field="geometry") from None
    if geometry.is_empty or not geometry.is_valid:
        reason = "empty" if geometry.is_empty else shapely.is_valid_reason(geometry)
        raise BadInputError(f"not valid: {reason}", file=file, row=row, field="geometry")
    west, south, east, north = geometry.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004 -- degrees
        raise BadInputError("not longitude and latitude in degrees", file=file, row=row, field="geometry")
    return geometry
