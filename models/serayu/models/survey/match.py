"""Which findings of two surveys are the same thing on the ground.

Candidates are pairs of one class that lie as near each other as their position errors allow and whose sizes can be
those of one thing. Place and size count together [project proposal]: with u = distance / the distance that the
position errors of both allow, and v = ln(larger / smaller) / ln `MOST_RATIO`, of lengths of single cracks and areas
of all else, a pair is a candidate where u + v <= 1. Things in one place may differ `MOST_RATIO` times, things as
far apart as just possible not at all. Outlines that overlap need only v <= 1, and landslides that overlap not even
that. Of the candidates the largest set of pairs, each finding in one, with the least cost [linear assignment, Kuhn
1955; scipy's `linear_sum_assignment`] is taken, group by group of findings that are candidates of one another. The
result does not depend on the order of the findings, nor on which survey is called the first.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.plane import LocalPlane
from serayu.models.survey.finding import DefectClass, Finding

__all__ = ["LEAST_REACH_M", "LEAST_SHARE", "MOST_RATIO", "Match", "Placed", "match", "placed", "reach_m"]

REACH_SIGMAS = 3.03
"""Within so many standard errors per axis lie 99 % of distances in the plane [Rayleigh: √(-2 ln 0.01)]."""
LEAST_REACH_M = 0.5
"""Outlines of one thing differ by so much whatever the position error [project proposal]."""
UNKNOWN_SIGMA_M = 3.0
"""Of a finding without one: GNSS without correction [domain reference, error budget: 1.5-3 m]."""
MOST_RATIO = 6.0
"""Of areas or lengths of one thing in two surveys [project proposal]: what grew more is told as gone and new."""
LEAST_SHARE = 0.5
"""Of the shorter of two lines along the longer [project proposal]."""
_SAMPLES = 16
_FORBIDDEN = 1e4
_TIE = 1e-7  # decides between equal costs, by the things' content
_BITS = 64


@dataclass(frozen=True, slots=True)
class Placed:
    """A finding on the plane.

    Parameters
    ----------
    finding
        As surveyed.
    figure
        Its outline, line or point, metres.
    sigma_m
        Standard error of its place, per axis.
    """

    finding: Finding
    figure: BaseGeometry
    sigma_m: float


@dataclass(frozen=True, slots=True)
class Match:
    """One thing in two surveys.

    Parameters
    ----------
    before, after
        Rows of the two lists.
    apart_m
        How far apart the surveys put it.
    """

    before: int
    after: int
    apart_m: float


def placed(findings: Sequence[Finding], plane: LocalPlane) -> tuple[Placed, ...]:
    """Return findings on a plane, in their order."""
    if not findings:
        return ()
    degrees = np.array([shapely.geometry.shape(one.geometry) for one in findings], dtype=object)
    figures = plane.to_metres(degrees)
    return tuple(
        Placed(one, figure, UNKNOWN_SIGMA_M if one.errors.position_m is None else one.errors.position_m)
        for one, figure in zip(findings, figures, strict=True)
    )


def reach_m(one: Placed, two: Placed) -> float:
    """Return how far apart two surveys may put the same thing, m."""
    return max(LEAST_REACH_M, REACH_SIGMAS * float(np.hypot(one.sigma_m, two.sigma_m)))


def match(before: Sequence[Placed], after: Sequence[Placed]) -> tuple[Match, ...]:
    """Return the pairs of findings that are one thing, by rows of `before`.

    Parameters
    ----------
    before, after
        Findings of two surveys on one plane.
    """
    pairs = _candidates(before, after)
    found: list[Match] = []
    for group in _groups(pairs, len(before), len(after)):
        rows = sorted({i for i, _ in group})
        columns = sorted({j for _, j in group})
        found += _assigned(rows, columns, {pair: pairs[pair] for pair in group}, before, after)
    return tuple(sorted(found, key=lambda one: one.before))


def _candidates(
    before: Sequence[Placed], after: Sequence[Placed]
) -> dict[tuple[int, int], tuple[float, float]]:
    """Return cost and distance of the pairs that can be one thing."""
    if not before or not after:
        return {}
    tree = shapely.STRtree([one.figure for one in after])
    widest = max(one.sigma_m for one in after)
    distances = [max(LEAST_REACH_M, REACH_SIGMAS * float(np.hypot(one.sigma_m, widest))) for one in before]
    near = tree.query([one.figure for one in before], predicate="dwithin", distance=distances)
    found = {}
    for i, j in near.T.tolist():
        judged = _judged(before[i], after[j])
        if judged is not None:
            found[i, j] = judged
    return found


def _judged(one: Placed, two: Placed) -> tuple[float, float] | None:
    """Return cost (0 alike, 2 just possible) and distance of two findings, None where they are two things."""
    if one.finding.label is not two.finding.label:
        return None
    reach = reach_m(one, two)
    if shapely.distance(one.figure, two.figure) > reach:
        return None
    lines = one.figure.area == 0 and two.figure.area == 0 and min(one.figure.length, two.figure.length) > 0
    return _lines(one, two, reach) if lines else _areas(one, two, reach)


def _lines(one: Placed, two: Placed, reach: float) -> tuple[float, float] | None:
    short, long = sorted((one.figure, two.figure), key=lambda line: line.length)
    share = shapely.intersection(short, shapely.buffer(long, reach)).length / short.length
    if share < LEAST_SHARE:
        return None
    points = shapely.line_interpolate_point(
        _run(short), (np.arange(_SAMPLES) + 0.5) / _SAMPLES, normalized=True
    )
    apart = float(np.median(shapely.distance(points, long)))
    cost = apart / reach + _unlike(*(_length(each) for each in (one, two)))
    return None if cost > 1 else (cost + (1 - float(share)), apart)


def _areas(one: Placed, two: Placed, reach: float) -> tuple[float, float] | None:
    sizes = sorted(_area(each) for each in (one, two))
    unlike = _unlike(*sizes)
    slide = one.finding.label is DefectClass.LANDSLIDE
    apart = float(shapely.distance(one.figure.centroid, two.figure.centroid))
    inside = bool(shapely.intersects(one.figure, two.figure))
    if unlike > 1 and not (slide and inside):
        return None
    # The middle moves as a thing grows to one side: by a part of its size.
    allowed = reach + 0.5 * float(sizes[1]) ** 0.5
    if apart / allowed + unlike > 1 and not inside:
        return None
    return min(apart / allowed, 1.0) + unlike, apart


def _unlike(one: float, two: float) -> float:
    """Return how unlike two sizes are: 0 the same or not known, 1 `MOST_RATIO` times."""
    if min(one, two) <= 0:
        return 0.0
    return abs(math.log(one / two)) / math.log(MOST_RATIO)


def _length(one: Placed) -> float:
    measured = one.finding.length_m
    return float(one.figure.length) if measured is None or measured <= 0 else float(measured)


def _area(one: Placed) -> float:
    measured = one.finding.area_m2
    return float(one.figure.area) if measured is None or measured <= 0 else float(measured)


def _run(line: BaseGeometry) -> BaseGeometry:
    """Return a line of one piece: of several, the longest."""
    return max(shapely.get_parts(line), key=lambda part: part.length)


def _groups(
    pairs: dict[tuple[int, int], tuple[float, float]], n_before: int, n_after: int
) -> list[list[tuple[int, int]]]:
    """Return the pairs by connected groups."""
    if not pairs:
        return []
    from scipy.sparse import coo_array  # noqa: PLC0415 - heavy
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - heavy

    rows, columns = np.array(list(pairs)).T
    size = n_before + n_after
    links = coo_array((np.ones(len(rows), np.int8), (rows, columns + n_before)), shape=(size, size))
    _, group = connected_components(links, directed=False)
    found: dict[int, list[tuple[int, int]]] = {}
    for pair in pairs:
        found.setdefault(int(group[pair[0]]), []).append(pair)
    return list(found.values())


def _assigned(
    rows: Sequence[int],
    columns: Sequence[int],
    pairs: dict[tuple[int, int], tuple[float, float]],
    before: Sequence[Placed],
    after: Sequence[Placed],
) -> list[Match]:
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - heavy

    cost: npt.NDArray[np.float64] = np.full((len(rows), len(columns)), _FORBIDDEN)
    row_of = {one: number for number, one in enumerate(rows)}
    column_of = {one: number for number, one in enumerate(columns)}
    for (i, j), (badness, _) in pairs.items():
        cost[row_of[i], column_of[j]] = badness + _TIE * _chance(before[i], after[j])
    return [
        Match(rows[r], columns[c], pairs[rows[r], columns[c]][1])
        for r, c in zip(*linear_sum_assignment(cost), strict=True)
        if (rows[r], columns[c]) in pairs
    ]


def _chance(one: Placed, two: Placed) -> float:
    """Return a number 0-1 that only the two things' content decides, the same whichever comes first."""
    parts = sorted(shapely.to_wkb(each.figure) + each.finding.id.encode() for each in (one, two))
    number = int.from_bytes(hashlib.sha256(b"".join(parts)).digest()[:8], "big")
    return float(number / 2**_BITS)
