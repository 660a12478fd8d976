"""The document of segments: what was found on each, as GeoJSON features."""

from collections.abc import Sequence
from typing import Any

import shapely

from serayu.vision.survey.segments import SegmentFound

__all__ = ["segment_features"]


def segment_features(found: Sequence[SegmentFound], *, survey: str) -> list[dict[str, Any]]:
    """Return one feature for each segment that any picture shows."""
    return [_feature(one, survey) for one in found]


def _feature(one: SegmentFound, survey: str) -> dict[str, Any]:
    segment = one.segment
    line = shapely.transform(segment.geometry, lambda points: points.round(8) + 0.0)
    width_mm = one.crack_width_mm
    properties = {
        "survey": survey,
        "ruas": segment.ruas,
        "sta": segment.sta,
        "km_from": round(segment.km_from, 4),
        "km_to": round(segment.km_to, 4),
        "length_m": round(segment.length_m, 2),
        "width_m": one.width_m,
        "width_known": one.width_known,
        "surveyed": round(one.surveyed, 3),
        "crack_area_pct": round(one.crack_area_pct, 2),
        "crack_width_mm": None if width_mm is None else round(width_mm, 1),
        "potholes": one.potholes,
        "potholes_per_km": round(one.potholes_per_km, 1),
        "findings": sum(one.counts.values()),
        "unsized": one.unsized,
    }
    return {"type": "Feature", "geometry": shapely.geometry.mapping(line), "properties": properties}
