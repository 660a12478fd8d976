"""Map layers of a region: boundaries, roads, waterways and settlements, checked before they are taken over."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import shapely
from shapely.errors import GEOSException
from shapely.geometry import shape
from shapely.validation import explain_validity

from serayu.models.errors import BadInputError
from serayu.models.region import REGION_FILE
from serayu.models.region_import import replace_folder

__all__ = ["LAYERS", "LAYERS_FOLDER", "SOURCES_FILE", "Layer", "LayerFile", "read_layers", "write_layers"]

LAYERS_FOLDER, SOURCES_FILE = "layers", "SOURCES.toml"
_NOT_STATED = "tidak tercantum dalam berkas (not stated in the file)"
_AREAS = frozenset({"Polygon", "MultiPolygon"})
_LINES = frozenset({"LineString", "MultiLineString"})
_POINTS = frozenset({"Point"})


@dataclass(frozen=True, slots=True)
class Layer:
    """What a layer must be.

    Parameters
    ----------
    pattern
        Name of its file in the folder that is imported; exactly one must match.
    target
        Its name in the region.
    geometry
        Kinds of geometry allowed; empty for a table without geometry.
    required
        Properties, or columns, that must not be empty.
    key
        Property, or column, that is different in each feature.
    """

    pattern: str
    target: str
    geometry: frozenset[str]
    required: tuple[str, ...] = ()
    key: str | None = None


LAYERS: Mapping[str, Layer] = MappingProxyType(
    {
        "desa": Layer("*desa*.geojson", "desa.geojson", _AREAS, ("kode", "nama"), "kode"),
        "kecamatan": Layer("*kecamatan*.geojson", "kecamatan.geojson", _AREAS, ("kode", "nama"), "kode"),
        "kabupaten": Layer("*kabupaten*.geojson", "kabupaten.geojson", _AREAS, ("kode", "nama"), "kode"),
        "roads": Layer("*roads*.geojson", "roads.geojson", _LINES, ("class",)),
        "waterways": Layer("*waterways*.geojson", "waterways.geojson", _LINES, ("class",)),
        "settlements": Layer("*settlements*.geojson", "settlements.geojson", _POINTS, ("name",)),
        "kecamatan_table": Layer(
            "kecamatan_table.csv", "kecamatan.csv", frozenset(), ("kode", "nama"), "kode"
        ),
    }
)


@dataclass(frozen=True, slots=True)
class LayerFile:
    """A layer that has passed the checks.

    Parameters
    ----------
    name
        Key in `LAYERS`.
    file
        Name of the file it came from.
    features
        Number of features or rows.
    licences, sources
        As the file states them.
    content
        The file: byte for byte, or without the features that have no place.
    notes
        Features left out: GeoJSON without coordinates is an unlocated feature (RFC 7946 sections 3.1 and 3.2),
        which no map can show.
    """

    name: str
    file: str
    features: int
    licences: tuple[str, ...]
    sources: tuple[str, ...]
    content: bytes
    notes: tuple[str, ...] = ()


def read_layers(folder: Path) -> tuple[LayerFile, ...]:
    """Read and check every layer of a folder.

    Parameters
    ----------
    folder
        Folder with one file for each of `LAYERS`, GeoJSON in WGS84 or CSV.

    Raises
    ------
    BadInputError
        A layer is missing or there twice, or a feature is wrong: no or invalid geometry, coordinates that are
        not degrees, a missing or repeated code. Names file, feature (as row) and field.
    """
    if not folder.is_dir():
        raise BadInputError("no such folder", file=folder)
    return tuple(_layer(name, layer, folder) for name, layer in LAYERS.items())


def write_layers(layers: tuple[LayerFile, ...], region: Path, *, force: bool = False) -> None:
    """Write layers into a region folder's ``layers/``, at once, with ``SOURCES.toml`` beside them.

    Parameters
    ----------
    layers
        From :func:`read_layers`.
    region
        Region folder; it must exist.
    force
        Replace layers that are there.

    Raises
    ------
    BadInputError
        The region folder is none, or its layers are there and *force* is false.
    """
    if not (region / REGION_FILE).is_file():
        raise BadInputError(f"no region folder: {REGION_FILE} is missing", file=region)

    def fill(folder: Path) -> None:
        for layer in layers:
            (folder / LAYERS[layer.name].target).write_bytes(layer.content)
        (folder / SOURCES_FILE).write_text(
            "\n".join(_source_table(layer) for layer in layers), encoding="utf-8"
        )

    replace_folder(region / LAYERS_FOLDER, fill, force=force, marker=SOURCES_FILE)


def _layer(name: str, layer: Layer, folder: Path) -> LayerFile:
    found = sorted(folder.glob(layer.pattern))
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise BadInputError(f"expected one file {layer.pattern} for layer {name}, found {names}", file=folder)
    file = found[0]
    try:
        content = file.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except UnicodeDecodeError as error:
        raise BadInputError(f"not UTF-8: {error.reason}", file=file) from None
    if not layer.geometry:
        rows = _table_rows(text, file)
        _check_properties(rows, layer, file=file, first_row=2)
        return LayerFile(name, file.name, len(rows), (), (), content)
    collection = _collection(text, file)
    all_features = collection["features"]
    located = [
        _check_feature(feature, layer, file=file, row=row)
        for row, feature in enumerate(all_features, start=1)
    ]
    properties = [feature["properties"] for feature in all_features]
    _check_properties(properties, layer, file=file, first_row=1)
    notes = tuple(
        f"{file.name}, row {row}: {_name(properties[row - 1])}: left out, it has no coordinates"
        for row, is_located in enumerate(located, start=1)
        if not is_located
    )
    if notes:
        collection["features"] = [
            feature for feature, is_located in zip(all_features, located, strict=True) if is_located
        ]
        content = json.dumps(collection, ensure_ascii=False, allow_nan=False).encode()
    licences = _stated([collection.get("license"), *(entry.get("lic") for entry in properties)])
    sources = _stated([entry.get("src") for entry in properties])
    return LayerFile(name, file.name, sum(located), licences, sources, content, notes)


def _collection(text: str, file: Path) -> dict[str, Any]:
    try:
        collection = json.loads(text)
    except ValueError as error:
        raise BadInputError(f"not JSON: {error}", file=file) from None
    if not isinstance(collection, dict) or not isinstance(collection.get("features"), list):
        raise BadInputError("expected a GeoJSON FeatureCollection", file=file)
    if not collection["features"]:
        raise BadInputError("holds no features", file=file, field="features")
    return collection


def _table_rows(text: str, file: Path) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        rows: list[dict[str, Any]] = list(reader)
    except csv.Error as error:
        raise BadInputError(f"not CSV: {error}", file=file, row=reader.line_num) from None
    if not rows:
        raise BadInputError("holds no rows", file=file)
    return rows


def _check_feature(feature: Any, layer: Layer, *, file: Path, row: int) -> bool:  # noqa: ANN401 -- JSON
    """Refuse a feature whose geometry is wrong, naming it; return whether it has a place at all."""
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        raise BadInputError("expected a Feature with properties", file=file, row=row)
    named = _name(feature["properties"])
    geometry = feature.get("geometry")
    if geometry is None:
        return False
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in layer.geometry:
        expected = " or ".join(sorted(layer.geometry))
        raise BadInputError(f"{named}: expected {expected}, got {kind}", file=file, row=row, field="geometry")
    try:
        figure = shape(geometry)
    except (GEOSException, ValueError, TypeError, KeyError, IndexError) as error:
        raise BadInputError(f"{named}: no geometry: {error}", file=file, row=row, field="geometry") from None
    if figure.is_empty:
        return False
    if not figure.is_valid:
        raise BadInputError(f"{named}: {explain_validity(figure)}", file=file, row=row, field="geometry")
    west, south, east, north = figure.bounds
    if not shapely.box(-180, -90, 180, 90).covers(shapely.box(west, south, east, north)):
        raise BadInputError(f"{named}: coordinates are not degrees", file=file, row=row, field="geometry")
    return True


def _check_properties(rows: list[dict[str, Any]], layer: Layer, *, file: Path, first_row: int) -> None:
    seen: dict[object, int] = {}
    for row, properties in enumerate(rows, start=first_row):
        for name in layer.required:
            if properties.get(name) in (None, ""):
                raise BadInputError(f"{_name(properties)}: missing", file=file, row=row, field=name)
        if layer.key is None:
            continue
        value = properties[layer.key]
        if value in seen:
            raise BadInputError(
                f"{value!r} is there twice, first in row {seen[value]}", file=file, row=row, field=layer.key
            )
        seen[value] = row


def _name(properties: Mapping[str, Any]) -> str:
    """Return what people call a feature."""
    for key in ("kode", "nama", "name", "osm_id", "geonameid"):
        if properties.get(key) not in (None, ""):
            return f"{key} {properties[key]}"
    return "feature without name"


def _stated(values: list[Any]) -> tuple[str, ...]:
    """Return the different texts, in order of appearance."""
    return tuple(dict.fromkeys(value for value in values if isinstance(value, str) and value))


def _source_table(layer: LayerFile) -> str:
    fields = {
        "file": LAYERS[layer.name].target,
        "imported_from": layer.file,
        "features": layer.features,
        "licence": list(layer.licences) or [_NOT_STATED],
        "source": list(layer.sources) or [_NOT_STATED],
        "left_out": list(layer.notes),
    }
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return f"[{layer.name}]\n" + "\n".join(lines) + "\n"
