"""Making a region folder from a table of stations."""

import csv
import io
import json
import math
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from serayu.models.errors import BadInputError, RefusedError
from serayu.models.properties import observed_property
from serayu.models.region import REGION_FILE, STATIONS_FILE, THRESHOLDS_FILE, RegionInfo, load_region
from serayu.models.siaga import Thresholds
from serayu.models.times import US_PER_S, parse_span
from serayu.models.topics import RESERVED, SLUG

__all__ = ["COLUMNS", "StationTable", "read_stations", "replace_folder", "station_slug", "write_region"]

COLUMNS = (
    "station_id", "dataset", "name", "river", "variable", "unit", "lat", "lon", "step",
    "alert", "alarm", "critical", "source", "licence", "note",
)  # fmt: skip
"""Columns that a table must have; others are ignored."""

PROPERTY_OF: Mapping[str, str] = {"stage": "stage", "flow": "discharge"}
"""Variable of the table → observed property; rows of other variables are left out with a note."""

_LIMITS = ("alert", "alarm", "critical")  # Siaga 3, 2, 1
_NOT_STATED = "tidak tercantum dalam tabel (not stated in the table)"
_NOT_SLUG = re.compile(r"[^a-z0-9-]")


@dataclass(frozen=True, slots=True)
class StationTable:
    """Stations of one dataset, ready to be written.

    Parameters
    ----------
    features
        GeoJSON features as `stations.geojson` holds them.
    limits
        Station id → limits, for stations that have them.
    notes
        What was left out or changed, for people.
    """

    features: tuple[dict[str, Any], ...]
    limits: Mapping[str, Thresholds]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the table, with the place that errors name."""

    file: Path
    row: int
    cells: Mapping[str, str]

    def text(self, name: str) -> str:
        return (self.cells.get(name) or "").strip()

    def refused(self, reason: str, name: str) -> BadInputError:
        return BadInputError(reason, file=self.file, row=self.row, field=name)

    def number(self, name: str) -> float:
        try:
            value = float(self.text(name))
        except ValueError:
            raise self.refused(f"expected a number, got {self.text(name)!r}", name) from None
        if not math.isfinite(value):
            raise self.refused(f"expected a finite number, got {self.text(name)!r}", name)
        return value


@dataclass(slots=True)
class _Draft:
    """What has been read so far."""

    features: dict[str, dict[str, Any]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # slug → id in the table
    limits: dict[str, Thresholds] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def station_slug(name: str) -> str:
    """Return an id of a table as a station id: lower case, other characters as dashes.

    An id that does not begin with a letter gets ``pos-`` in front. The result may still be too long or reserved.

    Examples
    --------
    >>> station_slug("LK-NAGALAGAM_STREET"), station_slug("01191000")
    ('lk-nagalagam-street', 'pos-01191000')
    """
    slug = _NOT_SLUG.sub("-", name.strip().lower())
    return slug if slug[:1].isalpha() else f"pos-{slug}"


def read_stations(file: Path, *, dataset: str) -> StationTable:
    """Read the river posts of one dataset from a CSV table.

    Parameters
    ----------
    file
        UTF-8 CSV with a header line naming at least `COLUMNS`.
    dataset
        Rows of other datasets are passed over.

    Returns
    -------
    StationTable
        One station for each id: stage and discharge as datastreams, the columns alert, alarm and critical as
        the limits of Siaga 3, 2 and 1. Names and rivers are kept as they are.

    Raises
    ------
    BadInputError
        The file cannot be read, or a row is wrong: no coordinates, no number where one belongs, limits that
        are incomplete or do not ascend, an unknown unit or step, two stations of one slug. Names file, row and
        field.
    """
    rows = [row for row in _rows(file) if row.text("dataset") == dataset]
    if not rows:
        raise BadInputError(f"no rows of dataset {dataset!r}", file=file, field="dataset")
    draft = _Draft()
    for row in rows:
        _take(row, draft)
    if not draft.features:
        raise BadInputError(
            f"dataset {dataset!r} measures neither {' nor '.join(PROPERTY_OF)}", file=file, field="variable"
        )
    return StationTable(tuple(draft.features.values()), draft.limits, tuple(draft.notes))


def write_region(table: StationTable, out: Path, *, info: RegionInfo, force: bool = False) -> None:
    """Write a region folder at once.

    Parameters
    ----------
    table
        Stations and limits.
    out
        Folder to make; its parent must exist.
    info
        Head of the folder.
    force
        Replace an existing region folder, layers included.

    Raises
    ------
    BadInputError
        The folder exists and *force* is false, it exists and is no region folder, or it cannot be written.
    """

    def fill(folder: Path) -> None:
        (folder / REGION_FILE).write_text(_toml(msgspec.to_builtins(info)), encoding="utf-8")
        (folder / STATIONS_FILE).write_text(_geojson(table.features), encoding="utf-8")
        (folder / THRESHOLDS_FILE).write_text(_thresholds_toml(table.limits), encoding="utf-8")
        load_region(folder)

    replace_folder(out, fill, force=force, marker=REGION_FILE)


def replace_folder(out: Path, fill: Callable[[Path], None], *, force: bool, marker: str) -> None:
    """Make a folder at once: it is filled under another name and then renamed.

    Parameters
    ----------
    out
        The folder; its parent must exist.
    fill
        Writes the content into the folder that it is given; what it raises leaves *out* as it was.
    force
        Replace an existing folder.
    marker
        File that an existing folder must hold to be replaced, so that no other folder is lost by mistake.

    Raises
    ------
    BadInputError
        The folder exists and may not be replaced, or the disk refuses.
    """
    if out.exists() or out.is_symlink():
        if not force:
            raise BadInputError("exists already; --force replaces it", file=out)
        if not (out / marker).is_file():
            raise BadInputError(f"exists and holds no {marker}: it is not replaced", file=out)
    try:
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise BadInputError(f"cannot write: {error.strerror or error}", file=out) from None
    try:
        new, old = work / "new", work / "old"
        new.mkdir()
        fill(new)
        if out.exists():
            out.rename(old)
        new.rename(out)
    except OSError as error:
        if old.exists() and not out.exists():
            old.rename(out)
        raise BadInputError(f"cannot write: {error.strerror or error}", file=out) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _rows(file: Path) -> list[_Row]:
    try:
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except UnicodeDecodeError as error:
        raise BadInputError(f"not UTF-8: {error.reason}", file=file) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise BadInputError("column is missing", file=file, row=1, field=missing[0])
        return [_Row(file, reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise BadInputError(f"not CSV: {error}", file=file, row=reader.line_num) from None


def _take(row: _Row, draft: _Draft) -> None:
    """Add one row's datastream, and its station if it is new."""
    name, variable = row.text("station_id"), row.text("variable")
    slug_of_property = PROPERTY_OF.get(variable)
    if slug_of_property is None:
        draft.notes.append(
            f"row {row.row}: {name}: {variable!r} left out, only {', '.join(PROPERTY_OF)} are read"
        )
        return
    slug = _slug(row, draft)
    datastream = _datastream(row, slug_of_property)
    position = [_degrees(row, "lon", 180.0), _degrees(row, "lat", 90.0)]
    feature = draft.features.get(slug)
    if feature is None:
        draft.features[slug] = _feature(row, slug, position, datastream)
    else:
        if feature["geometry"]["coordinates"] != position:
            raise row.refused(f"station {name!r} is elsewhere in an earlier row", "lat")
        datastreams = feature["properties"]["datastreams"]
        if any(other["property"] == slug_of_property for other in datastreams):
            raise row.refused(f"station {name!r} measures {variable!r} twice", "variable")
        datastreams.append(datastream)
    if slug_of_property == "stage" and (limits := _limits(row)) is not None:
        draft.limits[slug] = limits


def _slug(row: _Row, draft: _Draft) -> str:
    name = row.text("station_id")
    slug = station_slug(name)
    if SLUG.match(slug) is None or slug in RESERVED:
        raise row.refused(f"{name!r} makes no station id: {slug!r} must match {SLUG.pattern}", "station_id")
    if draft.names.setdefault(slug, name) != name:
        raise row.refused(
            f"{name!r} and {draft.names[slug]!r} make the same station id {slug!r}", "station_id"
        )
    if slug not in draft.features and slug != name.lower():
        draft.notes.append(f"row {row.row}: {name} is called {slug}")
    return slug


def _degrees(row: _Row, name: str, limit: float) -> float:
    if not row.text(name):
        raise row.refused("coordinates are missing", name)
    value = row.number(name)
    if not -limit <= value <= limit:
        raise row.refused(f"expected {-limit:g} to {limit:g} degrees, got {value:g}", name)
    return value


def _datastream(row: _Row, slug: str) -> dict[str, Any]:
    unit = row.text("unit")
    try:
        observed_property(slug).to_canonical(1.0, unit)
    except RefusedError as error:
        raise row.refused(error.detail, "unit") from None
    try:
        interval_us = parse_span(row.text("step"))
    except ValueError as error:
        raise row.refused(str(error), "step") from None
    if interval_us == 0:
        raise row.refused("must be longer than 0", "step")
    return {
        "property": slug,
        "interval_s": interval_us / US_PER_S,
        "sensor": f"{row.text('dataset')} ({unit})",
    }


def _feature(row: _Row, slug: str, position: list[float], datastream: dict[str, Any]) -> dict[str, Any]:
    if not row.text("source"):
        raise row.refused("every station needs its source", "source")
    properties: dict[str, Any] = {
        "id": slug,
        "name": row.text("name") or row.text("station_id"),
        "kind": "river",
    }
    if row.text("river") not in ("", "-"):
        properties["river"] = row.text("river")
    properties["source"] = _source(row)
    if row.text("note"):
        properties["note"] = row.text("note")
    properties["datastreams"] = [datastream]
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": position},
        "properties": properties,
    }


def _source(row: _Row) -> str:
    return f"{row.text('source')}; lisensi / licence: {row.text('licence') or _NOT_STATED}"


def _limits(row: _Row) -> Thresholds | None:
    given = [name for name in _LIMITS if row.text(name)]
    if not given:
        return None
    for name in _LIMITS:
        if name not in given:
            raise row.refused(f"limits are incomplete: only {', '.join(given)} given", name)
    stage, unit = observed_property("stage"), row.text("unit")
    waspada_m, siaga_m, awas_m = (stage.to_canonical(row.number(name), unit) for name in _LIMITS)
    try:
        return Thresholds(
            waspada_m=waspada_m,
            siaga_m=siaga_m,
            awas_m=awas_m,
            source=_source(row),
            valid_from=_NOT_STATED,
            approved_by=_NOT_STATED,
        )
    except ValueError as error:
        raise row.refused(str(error), "alert") from None


def _geojson(features: tuple[dict[str, Any], ...]) -> str:
    collection = {"type": "FeatureCollection", "name": "stations", "features": list(features)}
    return json.dumps(collection, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _thresholds_toml(limits: Mapping[str, Thresholds]) -> str:
    # Sparse, official data: the first value above a limit counts, and no travel time is known, so no limit is
    # foreseen from the rate of rise.
    siaga: dict[str, str | float | bool] = {"hysteresis_m": 0.10, "fall_after": "30min", "min_duration": "0s"}
    tables = [
        f"[post.{slug}]\n{_toml(msgspec.to_builtins(limit))}[post.{slug}.siaga]\n{_toml(siaga)}"
        for slug, limit in limits.items()
    ]
    return "\n".join(tables)


def _toml(table: Mapping[str, str | float | bool]) -> str:
    """Write flat keys and values as TOML."""
    return "".join(f"{key} = {_toml_value(value)}\n" for key, value in table.items())


def _toml_value(value: str | float | bool) -> str:  # noqa: FBT001 -- one of the three kinds of value
    # JSON's text, numbers and truth values are TOML's, but for the raw delete character.
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\x7f", "\\u007f")
