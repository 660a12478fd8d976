"""A survey against the truth of its flight: what was found, how far off, how wrong its sizes and its stated errors.

Findings and true things of one class are matched one to one, nearest first in sum. A finding may lie as far off as
three of the standard errors of position that it states itself (0.5 m at least), so a survey that boasts of its
position loses matches; for cracks 15 % of the length is added, as much as the middle moves with an end. ``duplicates``
are findings that touch a true thing which another finding has already. Errors of position share the drift of the
receiver: neighbours are off together, so shares within one and two standard errors come from few independent draws.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from scipy.optimize import linear_sum_assignment
from shapely.geometry.base import BaseGeometry

from serayu.models.plane import LocalPlane

__all__ = ["GATE_SIGMAS", "Thing", "compared", "matched", "things_of"]

GATE_SIGMAS = 3.0
LEAST_GATE_M = 0.5
MIDDLE_SHARE = 0.15
TOUCH_M = 0.5


@dataclass(frozen=True, slots=True)
class Thing:
    """A true thing or a finding, in metres."""

    properties: dict[str, Any]
    figure: BaseGeometry

    @property
    def middle(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        line = self.figure.geom_type == "LineString"
        point = self.figure.interpolate(0.5, normalized=True) if line else self.figure.centroid
        return np.array([point.x, point.y])


def compared(flight: Path, out: Path) -> dict[str, Any]:
    """Compare a survey with the truth of its flight."""
    document = json.loads((flight / "truth.geojson").read_text())
    truth_all = document["features"]
    plane = LocalPlane(float(shapely.geometry.shape(truth_all[0]["geometry"]).centroid.x))
    truth = [one for one in things_of(truth_all, plane) if one.properties["photos"]]
    found = things_of(json.loads((out / "findings.geojson").read_text())["features"], plane)
    pairs = matched(truth, found)
    taken = {j for _, j in pairs}
    real = {i for i, _ in pairs}
    spare = [one for j, one in enumerate(found) if j not in taken]
    duplicates = [
        one
        for one in spare
        if any(
            one.properties["class"] == truth[i].properties["class"]
            and shapely.distance(one.figure, truth[i].figure) <= TOUCH_M
            for i in real
        )
    ]
    return {
        "truth": len(truth),
        "findings": len(found),
        "matched": len(pairs),
        "recall": share(len(pairs), len(truth)),
        "precision": share(len(pairs), len(found)),
        "duplicates": len(duplicates),
        "other_class": _other_class(truth, found, real, taken),
        **_errors([(truth[i], found[j]) for i, j in pairs]),
        "classes": _classes(truth, found, pairs),
        "missed": [truth[i].properties["id"] for i in range(len(truth)) if i not in real],
        "false": [f"{one.properties['class']} km {one.properties['km']}" for one in spare],
    }


def things_of(features: list[dict[str, Any]], plane: LocalPlane) -> list[Thing]:
    figures = np.array([shapely.geometry.shape(one["geometry"]) for one in features], dtype=object)
    return [
        Thing(one["properties"], figure)
        for one, figure in zip(features, plane.to_metres(figures) if len(features) else [], strict=True)
    ]


def matched(truth: list[Thing], found: list[Thing]) -> list[tuple[int, int]]:
    """Return pairs one to one: as many as can be within the gates, and of those the nearest in sum."""
    if not truth or not found:
        return []
    far = 1e6
    cost = np.full((len(truth), len(found)), far)
    for i, one in enumerate(truth):
        for j, other in enumerate(found):
            if one.properties["class"] == other.properties["class"]:
                apart = float(np.hypot(*(one.middle - other.middle)))
                if apart <= _gate_m(other) + MIDDLE_SHARE * float(one.figure.length):
                    cost[i, j] = apart
    rows, columns = linear_sum_assignment(cost)
    return [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if cost[i, j] < far]


def _gate_m(found: Thing) -> float:
    """Return how far from the truth a finding may lie: so many of the standard errors that it states itself."""
    return max(GATE_SIGMAS * float(found.properties["errors"]["position_m"] or 0.0), LEAST_GATE_M)


def _other_class(truth: list[Thing], found: list[Thing], real: set[int], taken: set[int]) -> int:
    """Return how many missed things lie under a spare finding of another class."""
    return sum(
        any(
            j not in taken and shapely.distance(truth[i].figure, one.figure) <= TOUCH_M
            for j, one in enumerate(found)
        )
        for i in range(len(truth))
        if i not in real
    )


def _errors(pairs: list[tuple[Thing, Thing]]) -> dict[str, Any]:
    apart = [float(np.hypot(*(one.middle - other.middle))) for one, other in pairs]
    claimed = [
        distance / other.properties["errors"]["position_m"]
        for distance, (_, other) in zip(apart, pairs, strict=True)
        if other.properties["errors"]["position_m"]
    ]
    km = [
        1000 * abs(one.properties["km"] - other.properties["km"])
        for one, other in pairs
        if one.properties["km"] is not None and other.properties["km"] is not None
    ]
    placed = [other for _, other in pairs if other.properties["ruas"] is not None]
    sides = [
        one.properties["side"] == other.properties["side"]
        for one, other in pairs
        if one.properties["side"] and other.properties["side"]
    ]
    return {
        "position_m": _spread(apart),
        "position_to_sigma": _spread(claimed),
        "within_1_sigma": share(sum(one <= 1 for one in claimed), len(claimed)),
        "within_2_sigma": share(sum(one <= 2 for one in claimed), len(claimed)),
        "km_error_m": _spread(km),
        "side_right": share(sum(sides), len(sides)),
        "side_stated": share(sum(one.properties["side"] is not None for one in placed), len(placed)),
        "ruas_right": share(
            sum(one.properties["ruas"] == other.properties["ruas"] for one, other in pairs), len(pairs)
        ),
        "relative_error": {name: _relative(pairs, name) for name in ("length_m", "width_mm", "area_m2")},
        "pothole_area": _relative([p for p in pairs if p[0].properties["class"] == "pothole"], "area_m2"),
    }


def _relative(pairs: list[tuple[Thing, Thing]], name: str) -> dict[str, Any]:
    true = [(a.properties[name], b.properties[name]) for a, b in pairs if a.properties[name]]
    measured = [b / a - 1 for a, b in true if b is not None]
    spread = _spread([abs(one) for one in measured])
    return {
        "of": len(true),
        "n": len(measured),
        "bias_median": round(float(np.median(measured)), 4) if measured else None,
        **spread,
    }


def _classes(truth: list[Thing], found: list[Thing], pairs: list[tuple[int, int]]) -> dict[str, Any]:
    true = Counter(one.properties["class"] for one in truth)
    said = Counter(one.properties["class"] for one in found)
    right = Counter(truth[i].properties["class"] for i, _ in pairs)
    return {
        name: {
            "n": true[name],
            "recall": share(right[name], true[name]),
            "precision": share(right[name], said[name]),
        }
        for name in sorted({*true, *said})
    }


def _spread(values: list[float]) -> dict[str, float | None]:
    if not values:
        return {"median": None, "p95": None}
    return {
        "median": round(float(np.median(values)), 4),
        "p95": round(float(np.percentile(values, 95)), 4),
    }


def share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
