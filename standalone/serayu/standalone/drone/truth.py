"""How well a survey knows what lies on the rendered road: its findings against the truth of the flight."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import shapely
from scipy.optimize import linear_sum_assignment
from shapely.geometry.base import BaseGeometry

from serayu.models.plane import LocalPlane

__all__ = ["Judged", "judged"]

GATE_M, NOISE_GATES = 1.0, 3.0
"""A finding is of a thing when their middles are so near: 1 m and three standard deviations of the flight's GNSS."""
_LONG_SHARE = 0.15  # of a long thing's length besides: its ends are vague, its middle moves with them


class Judged(NamedTuple):
    """What came of the comparison.

    Parameters
    ----------
    things
        On the ground, of the classes that were looked for, that some photo shows.
    matched
        Pairs of thing and finding, one to one, of one class.
    duplicates
        Findings besides that lie on a thing which has one already.
    recall, precision
        Pairs of things, and of findings; None without any.
    position_error_median_m
        Between the middles of pairs, m; None without any.
    """

    things: int
    matched: int
    duplicates: int
    recall: float | None
    precision: float | None
    position_error_median_m: float | None


class _Thing(NamedTuple):
    label: str
    figure: BaseGeometry

    @property
    def middle(self) -> shapely.Point:
        line = self.figure.geom_type == "LineString"
        return self.figure.interpolate(0.5, normalized=True) if line else self.figure.centroid


def judged(truth: Path, findings: Path, *, classes: Iterable[str]) -> Judged:
    """Compare findings with the truth.

    Parameters
    ----------
    truth, findings
        ``truth.geojson`` of the flight, ``findings.geojson`` of its survey.
    classes
        Those that were looked for; the others are left out on both sides.
    """
    document = json.loads(truth.read_bytes())
    wanted = frozenset(classes)
    shown = [one for one in document["features"] if one["properties"]["photos"]]
    said = json.loads(findings.read_bytes())["features"]
    lon0 = float(shapely.geometry.shape(document["features"][0]["geometry"]).centroid.x)
    real, found = (_things(some, wanted, LocalPlane(lon0)) for some in (shown, said))
    gate_m = GATE_M + NOISE_GATES * float(document["noise"]["gnss_m"])
    pairs = _pairs(real, found, gate_m)
    taken = {j for _, j in pairs}
    return Judged(
        things=len(real),
        matched=len(pairs),
        duplicates=sum(
            any(_lies_on(one, real[i], gate_m) for i, _ in pairs)
            for j, one in enumerate(found)
            if j not in taken
        ),
        recall=_share(len(pairs), len(real)),
        precision=_share(len(pairs), len(found)),
        position_error_median_m=round(median(_apart(real[i], found[j]) for i, j in pairs), 3)
        if pairs
        else None,
    )


def _things(features: Sequence[Mapping[str, Any]], wanted: frozenset[str], plane: LocalPlane) -> list[_Thing]:
    mine = [one for one in features if one["properties"]["class"] in wanted]
    if not mine:
        return []
    degrees = np.array([shapely.geometry.shape(one["geometry"]) for one in mine], dtype=object)
    metres = plane.to_metres(degrees)
    return [_Thing(one["properties"]["class"], figure) for one, figure in zip(mine, metres, strict=True)]


def _pairs(real: Sequence[_Thing], found: Sequence[_Thing], gate_m: float) -> list[tuple[int, int]]:
    """Return as many pairs as the gate allows, and of those the nearest in sum."""
    far = 1e6
    cost = np.full((len(real), len(found)), far)
    for i, one in enumerate(real):
        for j, other in enumerate(found):
            apart = _apart(one, other)
            if one.label == other.label and apart <= gate_m + _LONG_SHARE * one.figure.length:
                cost[i, j] = apart
    rows, columns = linear_sum_assignment(cost)
    return [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if cost[i, j] < far]


def _lies_on(one: _Thing, thing: _Thing, gate_m: float) -> bool:
    return one.label == thing.label and float(shapely.distance(one.figure, thing.figure)) <= gate_m


def _apart(one: _Thing, other: _Thing) -> float:
    return float(shapely.distance(one.middle, other.middle))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None
