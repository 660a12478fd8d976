"""Layers of a region, read and checked: figures in metres, a spatial index and what each feature says."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import shapely
from shapely.errors import GEOSException
from shapely.validation import explain_validity

from serayu.models.errors import BadInputError
from serayu.models.impact.rows import PlaceRow, RiceRow, RuasRow, SettlementRow, VillageRow, ZoneRow
from serayu.models.plane import FloatArray, Geometries, LocalPlane

IntArray = npt.NDArray[np.int32]
Row = TypeVar("Row", bound=msgspec.Struct)

_POINT, _LINE, _POLYGON, _MULTILINE, _MULTIPOLYGON = 0, 1, 3, 5, 6  # shapely.GeometryType
_AREAS = frozenset({_POLYGON, _MULTIPOLYGON})
_LINES = frozenset({_LINE, _MULTILINE})
_POINTS = frozenset({_POINT})
_FIELD = re.compile(r"`\$\.?([^`]*)`")


@dataclass(frozen=True, slots=True)
class LayerSpec(Generic[Row]):
    """What a layer must be.

    Parameters
    ----------
    file
        Its name in the region folder.
    row
        Properties of a feature.
    kinds
        Geometry types allowed, shapely's numbers.
    """

    file: str
    row: type[Row]
    kinds: frozenset[int]


ZONES = LayerSpec("flood_zones.geojson", ZoneRow, _AREAS)
VILLAGES = LayerSpec("villages.geojson", VillageRow, _AREAS)
SETTLEMENTS = LayerSpec("settlements.geojson", SettlementRow, _AREAS | _POINTS)
RUAS = LayerSpec("ruas.geojson", RuasRow, _LINES)
BRIDGES = LayerSpec("bridges.geojson", PlaceRow, _POINTS | _LINES | _AREAS)
SCHOOLS = LayerSpec("schools.geojson", PlaceRow, _POINTS | _AREAS)
HEALTH = LayerSpec("health.geojson", PlaceRow, _POINTS | _AREAS)
RICE = LayerSpec("rice.geojson", RiceRow, _AREAS)
IMPORTED_VILLAGES = LayerSpec("layers/desa.geojson", VillageRow, _AREAS)


@dataclass(frozen=True, slots=True)
class Layer(Generic[Row]):
    """A layer that has passed its checks.

    Parameters
    ----------
    rows
        What each feature says.
    figures
        Their geometry in metres, same order.
    dimension, size
        Of each figure: 0, 1 or 2, and one, its length or its area, m or m².
    tree
        Index over *figures*.
    complete
        The file says ``"complete": true``: what it does not hold does not exist. Only then "none" means none.
    """

    rows: tuple[Row, ...]
    figures: Geometries
    dimension: IntArray
    size: FloatArray
    tree: shapely.STRtree
    complete: bool

    @classmethod
    def of(cls, rows: tuple[Row, ...], figures: Geometries, *, complete: bool) -> "Layer[Row]":
        """Measure and index figures."""
        dimension = shapely.get_dimensions(figures)
        size = size_of(figures, dimension)
        return cls(rows, figures, dimension, size, shapely.STRtree(figures), complete)


def size_of(figures: Geometries, dimension: IntArray) -> FloatArray:
    """Return what a figure of that dimension has: one, its length or its area, metres or square metres.

    The dimension is given because a cut polygon may be no more than a line, and then has no size.
    """
    size = np.ones(len(figures))
    lines, areas = dimension == 1, dimension == 2  # noqa: PLR2004 -- the dimension of an area
    size[lines] = shapely.length(figures[lines])
    size[areas] = shapely.area(figures[areas])
    return size


class _Feature(msgspec.Struct):
    geometry: msgspec.Raw = msgspec.Raw(b"null")
    properties: Any = None


class _Collection(msgspec.Struct):
    features: list[_Feature]
    complete: bool = False


def read_layer(folder: Path, spec: LayerSpec[Row], plane: LocalPlane) -> Layer[Row] | None:
    """Read one layer of a region folder; None where the file is not there.

    Raises
    ------
    BadInputError
        It is no GeoJSON FeatureCollection, or a feature is wrong: another kind of geometry, invalid, not in
        degrees, a property that is missing, unknown or out of range. Names file, feature (as row) and field.
    """
    file = folder / spec.file
    try:
        collection = msgspec.json.decode(file.read_bytes(), type=_Collection)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"expected a GeoJSON FeatureCollection: {error}", file=file) from None
    figures = _figures(collection.features, spec, file)
    rows = tuple(
        _row(feature.properties, spec.row, file=file, row=row)
        for row, feature in enumerate(collection.features, start=1)
    )
    return Layer.of(rows, plane.to_metres(figures), complete=collection.complete)


def convert(value: object, kind: type[Row], *, file: Path, row: int | None = None, field: str = "") -> Row:
    """Return a value as a struct.

    Raises
    ------
    BadInputError
        Names file, row and field.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, _, _ = str(error).partition(" - at `")
        found = _FIELD.findall(str(error))
        place = ".".join(part for part in (field, found[-1] if found else "") if part) or None
        raise BadInputError(reason, file=file, row=row, field=place) from None


def _row(properties: object, kind: type[Row], *, file: Path, row: int) -> Row:
    if not isinstance(properties, dict):
        raise BadInputError("expected a Feature with properties", file=file, row=row, field="properties")
    return convert(properties, kind, file=file, row=row)


def _figures(features: list[_Feature], spec: LayerSpec[Row], file: Path) -> Geometries:
    """Return the geometry of each feature in degrees, all checked."""
    texts = [bytes(feature.geometry) for feature in features]
    figures: Geometries = np.empty(len(texts), dtype=object)
    if not texts:
        return figures
    try:
        figures[:] = shapely.from_geojson(texts, on_invalid="ignore")
    except GEOSException as error:
        raise BadInputError(f"no geometry: {error}", file=file, field="geometry") from None
    kinds = shapely.get_type_id(figures)
    bounds = shapely.bounds(figures)
    right_kind = np.isin(kinds, list(spec.kinds)) & ~shapely.is_empty(figures)
    in_degrees = (np.abs(bounds) <= np.array([180.0, 90.0, 180.0, 90.0])).all(axis=1)
    good = right_kind & in_degrees & shapely.is_valid(figures)
    if not good.all():
        bad = int(np.argmin(good))
        raise BadInputError(
            _reason(figures[bad], spec, right_kind=bool(right_kind[bad]), in_degrees=bool(in_degrees[bad])),
            file=file,
            row=bad + 1,
            field="geometry",
        )
    flat: Geometries = shapely.force_2d(figures)
    return flat


def _reason(figure: Any, spec: LayerSpec[Row], *, right_kind: bool, in_degrees: bool) -> str:  # noqa: ANN401
    if not right_kind:
        names = {kind.value: kind.name.title() for kind in shapely.GeometryType}
        expected = " or ".join(names[kind] for kind in sorted(spec.kinds))
        got = "nothing" if figure is None or figure.is_empty else figure.geom_type
        return f"expected {expected} with coordinates, got {got}"
    return explain_validity(figure) if in_degrees else "coordinates are not degrees (longitude, latitude)"
