"""Outlines and lines of defects, drawn at random in metres along and left of the road."""

import numpy as np
import shapely
from scipy.spatial import Voronoi
from shapely.geometry import MultiPolygon, Polygon

from serayu.vision.flight.site import FloatArray

__all__ = ["alligator", "blob", "crack_line", "crack_widths_mm", "rectangle"]

STEP_M = 0.02  # of a crack's line
_KEPT_INSIDE, _KEPT_OUTSIDE = (
    0.95,
    0.75,
)  # share of the block edges that are open, within an area and at its rim


def _smooth(rng: np.random.Generator, count: int, *, correlated: float) -> FloatArray:
    """Return noise of mean 0 and standard deviation 1 that is correlated over so many steps."""
    reach = max(int(3 * correlated), 1)
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / correlated) ** 2)
    values = np.convolve(rng.standard_normal(count + 2 * reach), window, mode="valid")
    scaled: FloatArray = values / np.sqrt((window**2).sum())
    return scaled


def crack_line(rng: np.random.Generator, *, length_m: float, across: bool) -> FloatArray:
    """Return a crack's middle line, shape (n, 2): a walk whose direction wanders fast a little and slowly more.

    Parameters
    ----------
    length_m
        Its length, exactly.
    across
        Whether it runs across the road, else along it.
    """
    count = max(round(length_m / STEP_M), 2)
    angle = 0.55 * _smooth(rng, count, correlated=0.9) + 0.34 * _smooth(rng, count, correlated=4)
    angle += 0.2 * _smooth(rng, count, correlated=16) + 0.1 * _smooth(rng, count, correlated=60)
    angle -= angle.mean()
    step = length_m / count
    walk = np.cumsum(np.column_stack((np.cos(angle), np.sin(angle))) * step, axis=0)
    walk = np.vstack((np.zeros((1, 2)), walk))
    walk -= (walk.max(axis=0) + walk.min(axis=0)) / 2
    return np.column_stack((-walk[:, 1], walk[:, 0])) if across else walk


def crack_widths_mm(
    rng: np.random.Generator, count: int, *, width_mm: float, tapers: bool = True
) -> FloatArray:
    """Return the width at each point of a crack: it swells and narrows by half, and may taper at its ends."""
    swelling = np.exp(0.34 * _smooth(rng, count, correlated=8) + 0.3 * _smooth(rng, count, correlated=1.0))
    ends = np.minimum(np.arange(count), np.arange(count)[::-1]) * STEP_M
    whole: FloatArray = width_mm * swelling
    return whole * np.clip(0.25 + ends / 0.3, 0.25, 1) if tapers else whole


def blob(rng: np.random.Generator, *, length_m: float, width_m: float, roughness: float) -> FloatArray:
    """Return an irregular closed outline, shape (n, 2), about so long along the road and so wide."""
    count = 180
    around = np.linspace(0, 2 * np.pi, count, endpoint=False)
    radius = np.ones(count)
    for wave in range(2, 24):
        size = roughness * rng.standard_normal() / wave**0.9
        radius += size * np.cos(wave * around + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.45, None)
    outline = np.column_stack((np.cos(around), np.sin(around))) * radius[:, None]
    outline -= (outline.max(axis=0) + outline.min(axis=0)) / 2
    scaled: FloatArray = outline / np.ptp(outline, axis=0) * np.array([length_m, width_m])
    return scaled


def rectangle(rng: np.random.Generator, *, length_m: float, width_m: float) -> FloatArray:
    """Return a sawn patch's outline, shape (n, 2): a rectangle a little askew, its sides not quite straight."""
    corners = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]) / 2
    corners = corners * np.array([length_m, width_m]) + rng.normal(0, 0.015, (4, 2))
    turn = np.radians(rng.normal(0, 1.5))
    corners = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    sides = []
    for i in range(4):
        share = np.linspace(0, 1, 24, endpoint=False)[:, None]
        sides.append(corners[i] * (1 - share) + corners[(i + 1) % 4] * share)
    outline = np.vstack(sides)
    wobble = np.column_stack([0.008 * _smooth(rng, len(outline), correlated=2) for _ in range(2)])
    return outline + wobble


def alligator(
    rng: np.random.Generator, *, length_m: float, width_m: float, cell_m: float
) -> tuple[Polygon, list[FloatArray]]:
    """Return the outline of an alligator-cracked area and the lines of its cracks, each of shape (n, 2).

    The blocks are the cells of a shaken hexagonal pattern that have their middle in a blob.
    """
    region = Polygon(blob(rng, length_m=length_m, width_m=width_m, roughness=0.16)).buffer(0)
    rows = np.arange(-width_m / 2 - 3 * cell_m, width_m / 2 + 3 * cell_m, cell_m * 0.87)
    columns = np.arange(-length_m / 2 - 3 * cell_m, length_m / 2 + 3 * cell_m, cell_m)
    seeds = np.array([(x + cell_m / 2 * (i % 2), y) for i, y in enumerate(rows) for x in columns])
    seeds = seeds + rng.normal(0, 0.34 * cell_m, seeds.shape)
    cells = Voronoi(seeds)
    chosen = shapely.contains_xy(region, seeds)
    lines: list[FloatArray] = []
    for (one, other), ridge in zip(cells.ridge_points, cells.ridge_vertices, strict=True):
        inside = int(chosen[one]) + int(chosen[other])
        if min(ridge) < 0 or inside == 0 or rng.random() > (_KEPT_INSIDE if inside > 1 else _KEPT_OUTSIDE):
            continue
        lines.append(_crooked(rng, cells.vertices[ridge]))
    polygons = [Polygon(cells.vertices[cells.regions[cells.point_region[i]]]) for i in np.flatnonzero(chosen)]
    union = shapely.union_all(polygons)
    if isinstance(union, MultiPolygon):
        union = max(union.geoms, key=lambda part: part.area)
        lines = [line for line in lines if union.buffer(0.05).contains(shapely.LineString(line))]
    return Polygon(union.exterior), lines


def _crooked(rng: np.random.Generator, ends: FloatArray) -> FloatArray:
    """Return a line between two points with bends in it, shape (n, 2)."""
    length = float(np.hypot(*(ends[1] - ends[0])))
    count = max(int(length / STEP_M), 2)
    share = np.linspace(0, 1, count + 1)
    bow = length * (
        0.09 * _smooth(rng, count + 1, correlated=2.5) + 0.05 * _smooth(rng, count + 1, correlated=0.8)
    )
    bow *= np.sin(np.pi * share)
    along = (ends[1] - ends[0]) / max(length, 1e-9)
    line: FloatArray = (
        ends[0] + share[:, None] * (ends[1] - ends[0]) + bow[:, None] * np.array([-along[1], along[0]])
    )
    return line
