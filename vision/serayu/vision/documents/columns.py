"""Tables of a survey with typed columns: what the GeoPackage holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.survey.finding import Finding
from serayu.models.times import parse_rfc3339
from serayu.vision.documents.facts import Facts, PhotoFact

__all__ = ["Column", "Kind", "Table", "tables_of"]

Kind = Literal["text", "real", "whole", "time"]
"""``time`` is microseconds UTC."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Parameters
    ----------
    name, kind
        Its name and what it holds.
    values
        One of each row; None where there is none.
    """

    name: str
    kind: Kind
    values: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Table:
    """A layer.

    Parameters
    ----------
    name, geometry_type
        Of the layer.
    columns, shapes
        One value and one shape (degrees, or None) of each row.
    """

    name: str
    geometry_type: str
    columns: tuple[Column, ...]
    shapes: tuple[BaseGeometry | None, ...]


_FINDING: Mapping[str, Kind] = {
    "id": "text", "survey": "text", "class": "text", "score": "real", "ruas": "text", "km": "real", "side": "text",
    "length_m": "real", "length_error_m": "real", "width_mm": "real", "width_error_mm": "real", "area_m2": "real",
    "area_error_m2": "real", "severity": "text", "position_error_m": "real", "photo": "text", "photos": "text",
    "n_photos": "whole", "time": "time", "unmeasured": "text", "road_edge_m": "real",
    "road_edge_error_m": "real", "slope_deg": "real",
}  # fmt: skip
_SEGMENT: Mapping[str, Kind] = {
    "survey": "text", "ruas": "text", "sta": "text", "km_from": "real", "km_to": "real", "length_m": "real",
    "width_m": "real", "surveyed": "real", "findings": "whole", "crack_area_pct_low": "real",
    "crack_area_pct_high": "real", "potholes_per_km_low": "real", "potholes_per_km_high": "real", "pci_low": "real",
    "pci_high": "real", "pci_middle": "real", "rating_worst": "text", "rating_best": "text", "sdi_low": "real",
    "sdi_high": "real", "condition_best": "text", "condition_worst": "text", "missing": "text",
}  # fmt: skip
_PHOTO: Mapping[str, Kind] = {
    "unit": "text", "status": "text", "verdict": "text", "reasons": "text", "gsd_mm": "real",
    "position_error_m": "real", "time": "time", "findings": "whole",
}  # fmt: skip


def tables_of(facts: Facts) -> tuple[Table, ...]:
    """Return the layers findings, segments and photos; lists joined by a comma, intervals as two columns."""
    return (
        _table(
            "findings",
            "Unknown",
            _FINDING,
            [(_finding(one), shapely.geometry.shape(one.geometry)) for one in facts.findings],
        ),
        _table(
            "segments",
            "LineString",
            _SEGMENT,
            [
                (_segment(one["properties"]), shapely.geometry.shape(one["geometry"]))
                for one in facts.segments
            ],
        ),
        _table("photos", "Polygon", _PHOTO, [(_photo(one), one.footprint) for one in facts.photos]),
    )


def _table(
    name: str,
    geometry_type: str,
    kinds: Mapping[str, Kind],
    rows: Sequence[tuple[Mapping[str, Any], BaseGeometry | None]],
) -> Table:
    columns = tuple(Column(one, kind, [row[one] for row, _ in rows]) for one, kind in kinds.items())
    return Table(name, geometry_type, columns, tuple(shape for _, shape in rows))


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "id": one.id,
        "survey": one.survey,
        "class": one.label.value,
        "score": one.score,
        "ruas": one.ruas,
        "km": one.km,
        "side": None if one.side is None else one.side.value,
        "length_m": one.length_m,
        "length_error_m": one.errors.length_m,
        "width_mm": one.width_mm,
        "width_error_mm": one.errors.width_mm,
        "area_m2": one.area_m2,
        "area_error_m2": one.errors.area_m2,
        "severity": one.severity.value,
        "position_error_m": one.errors.position_m,
        "photo": one.photo,
        "photos": ",".join(one.photos),
        "n_photos": len(one.photos),
        "time": None if one.time is None else parse_rfc3339(one.time),
        "unmeasured": ",".join(one.unmeasured),
        "road_edge_m": one.road_edge_m,
        "road_edge_error_m": one.errors.road_edge_m,
        "slope_deg": one.slope_deg,
    }


def _segment(properties: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: properties.get(name) for name in _SEGMENT}
    for name in ("crack_area_pct", "potholes_per_km", "pci", "sdi"):
        low, high = properties.get(name) or (None, None)
        row |= {f"{name}_low": low, f"{name}_high": high}
    row["missing"] = ",".join(properties.get("missing") or ())
    return row


def _photo(one: PhotoFact) -> dict[str, Any]:
    return {
        "unit": one.unit,
        "status": one.status,
        "verdict": one.verdict,
        "reasons": ",".join(one.reasons),
        "gsd_mm": one.gsd_mm,
        "position_error_m": one.position_error_m,
        "time": one.time_us,
        "findings": one.findings,
    }
