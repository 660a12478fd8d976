"""Crack area and mean crack width of a segment, for the surface distress index, between bounds."""

import math
from collections.abc import Iterable, Sequence

from serayu.models.pavement.damage import Damage, Range
from serayu.models.survey.finding import DefectClass

__all__ = ["INFLUENCE_M", "crack_area_m2", "mean_width_mm"]

INFLUENCE_M = 0.5
"""A single crack of some length stands for a strip this wide [domain reference 1b, memory]."""


def crack_area_m2(crack: Damage) -> Range | None:
    """Return the bounds of the cracked area: of alligator cracking its own, of a single crack length times 0.5 m."""
    if crack.label is DefectClass.ALLIGATOR_CRACK:
        return crack.range("area_m2")
    length = crack.range("length_m")
    return None if length is None else (length[0] * INFLUENCE_M, length[1] * INFLUENCE_M)


def mean_width_mm(sure: Sequence[Damage], doubtful: Sequence[Damage]) -> Range:
    """Return the bounds of the mean crack width, weighted by cracked area.

    An unmeasured width may be anything from 0 to infinite, and a doubtful crack may be there or not: each bound takes
    the doubtful ones that make it wider apart. Without a known area of every crack nothing is known.

    Parameters
    ----------
    sure, doubtful
        Cracks.
    """
    weighted = [[(crack, crack_area_m2(crack)) for crack in cracks] for cracks in (sure, doubtful)]
    if any(area is None for cracks in weighted for _, area in cracks):
        return 0.0, math.inf
    low, high = (
        _extreme(*([_pair(crack, area, end) for crack, area in cracks] for cracks in weighted), sign=sign)
        for end, sign in ((0, 1), (1, -1))
    )
    return low, high


def _pair(crack: Damage, area: Range | None, end: int) -> tuple[float, float]:
    width = crack.range("width_mm") or (0.0, math.inf)
    return width[end], sum(area or (0.0, 0.0)) / 2


def _extreme(
    sure: Iterable[tuple[float, float]], doubtful: Iterable[tuple[float, float]], *, sign: int
) -> float:
    """Return the least (sign 1) or largest (-1) mean of widths and weights over all choices of doubtful ones."""
    mean = _mean(list(sure))
    chosen = [pair for pair in sure if pair[1] > 0]
    for pair in sorted(doubtful, key=lambda one: sign * one[0]):
        if pair[1] > 0 and (mean is None or sign * pair[0] < sign * mean):
            chosen.append(pair)
            mean = _mean(chosen)
    return 0.0 if mean is None else mean


def _mean(pairs: Sequence[tuple[float, float]]) -> float | None:
    whole = math.fsum(weight for _, weight in pairs)
    return math.fsum(width * weight for width, weight in pairs if weight > 0) / whole if whole > 0 else None
