"""A finding as a GeoJSON feature."""

from typing import Any

import msgspec

from serayu.models.survey.finding import Finding

__all__ = ["finding_feature"]

_ORDER = (
    "id", "survey", "class", "score", "ruas", "km", "side", "length_m", "width_mm", "area_m2", "severity", "errors",
    "photo", "time", "photos", "unmeasured", "road_edge_m", "slope_deg",
)  # fmt: skip


def finding_feature(finding: Finding) -> dict[str, Any]:
    """Return a finding as a feature [RFC 7946], properties in the order of the schema."""
    fields = msgspec.to_builtins(finding)
    return {
        "type": "Feature",
        "id": finding.id,
        "geometry": fields["geometry"],
        "properties": {name: fields[name] for name in _ORDER},
    }
