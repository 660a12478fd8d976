"""The document of segments: what was found on each and the condition that follows, as GeoJSON features."""

from collections.abc import Sequence
from typing import Any

import msgspec
import shapely

from serayu.models.pavement.segment import SegmentCondition, segment_condition
from serayu.vision.survey.segments import SegmentFound

__all__ = ["condition_of", "segment_features"]

_DECIMALS = 2


def condition_of(one: SegmentFound) -> SegmentCondition:
    """Return the condition of a segment by what was found on it."""
    return segment_condition(
        one.damages,
        length_m=one.segment.length_m,
        width_m=one.ruas.width_m,
        surveyed=min(one.surveyed, 1.0),
        surface=one.ruas.surface,
    )


def segment_features(found: Sequence[SegmentFound], *, survey: str) -> list[dict[str, Any]]:
    """Return one feature for each segment that any picture shows; intervals as ``[low, high]``."""
    return [_feature(one, survey) for one in found]


def _feature(one: SegmentFound, survey: str) -> dict[str, Any]:
    segment = one.segment
    line = shapely.transform(segment.geometry, lambda points: points.round(8) + 0.0)
    condition = {
        name: _bounds(value)
        for name, value in msgspec.to_builtins(condition_of(one)).items()
        if name != "surveyed"
    }
    properties = {
        "survey": survey,
        "ruas": segment.ruas,
        "sta": segment.sta,
        "km_from": round(segment.km_from, 4),
        "km_to": round(segment.km_to, 4),
        "length_m": round(segment.length_m, _DECIMALS),
        "width_m": one.ruas.width_m,
        "surveyed": round(one.surveyed, 3),
        "findings": len(one.findings),
        **condition,
    }
    return {"type": "Feature", "geometry": shapely.geometry.mapping(line), "properties": properties}


def _bounds(value: Any) -> Any:  # noqa: ANN401 -- JSON
    if isinstance(value, dict):
        return [round(value["low"], _DECIMALS), round(value["high"], _DECIMALS)]
    return round(value, _DECIMALS) if isinstance(value, float) else value
