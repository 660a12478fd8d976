"""Pavement condition index of a sample unit from its deduct values [ASTM D6433; Shahin 2005, pages 33-35]."""

import enum
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from serayu.models.pavement.curves import MAX_DEDUCT, corrected_deduct, corrected_deducts
from serayu.models.plane import FloatArray
from serayu.models.texts import text

__all__ = [
    "Corrected", "OlderRating", "Pci", "Rating", "allowable_deducts", "monotone_max_cdv", "older_rating", "pci",
    "rating",
]  # fmt: skip

MAX_KEPT = 10.0
_SLOPE = 9 / 98  # roads; airfields have 9/95
_COUNTED = 2.0  # deducts above this are counted in q, and are reduced to it
_STEPS = 400


class Rating(enum.StrEnum):
    """Rating of ASTM D6433; `name_in` gives the words."""

    GOOD = "good"
    SATISFACTORY = "satisfactory"
    FAIR = "fair"
    POOR = "poor"
    VERY_POOR = "very_poor"
    SERIOUS = "serious"
    FAILED = "failed"

    def name_in(self, lang: str = "id") -> str:
        """Return the name for people."""
        return text(f"pavement.pci.{self.value}", lang)


_LOWEST = (
    (85.0, Rating.GOOD), (70.0, Rating.SATISFACTORY), (55.0, Rating.FAIR), (40.0, Rating.POOR),
    (25.0, Rating.VERY_POOR), (10.0, Rating.SERIOUS), (0.0, Rating.FAILED),
)  # fmt: skip


class OlderRating(enum.StrEnum):
    """The older names that Indonesian papers often print; their limits are others."""

    EXCELLENT = "excellent"
    VERY_GOOD = "very_good"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    VERY_POOR = "very_poor"
    FAILED = "failed"

    def name_in(self, lang: str = "id") -> str:
        """Return the name for people."""
        return text(f"pavement.pci.older.{self.value}", lang)


_ABOVE = (
    (85.0, OlderRating.EXCELLENT), (70.0, OlderRating.VERY_GOOD), (55.0, OlderRating.GOOD), (40.0, OlderRating.FAIR),
    (25.0, OlderRating.POOR), (10.0, OlderRating.VERY_POOR), (-1.0, OlderRating.FAILED),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Corrected:
    """One row of the iteration: total of the deducts, how many exceed 2, corrected deduct value."""

    total: float
    q: int
    cdv: float


@dataclass(frozen=True, slots=True)
class Pci:
    """Index with what it was found from.

    Parameters
    ----------
    pci
        0 (failed) to 100.
    m
        How many deducts may be kept, 1-10.
    deducts
        Those kept, descending; the last may be a fraction.
    rows
        The iteration.
    """

    pci: float
    m: float
    deducts: tuple[float, ...]
    rows: tuple[Corrected, ...]

    @property
    def max_cdv(self) -> float:
        """Largest corrected deduct value."""
        return max((row.cdv for row in self.rows), default=0.0)

    @property
    def rating(self) -> Rating:
        """Its rating."""
        return rating(self.pci)


def allowable_deducts(hdv: float) -> float:
    """Return how many deducts may be kept, 1 to 10 [ASTM D6433: ``m = 1 + 9/98 (100 - HDV)``, at most 10].

    Parameters
    ----------
    hdv
        Highest deduct value, 0-100.

    Raises
    ------
    ValueError
        Out of range.
    """
    if not 0 <= hdv <= MAX_DEDUCT:
        raise ValueError(f"highest deduct value must be 0 to 100, got {hdv}")
    return min(1 + _SLOPE * (MAX_DEDUCT - hdv), MAX_KEPT)


def pci(deducts: Iterable[float]) -> Pci:
    """Return the index of a sample unit, exactly by the standard.

    Parameters
    ----------
    deducts
        Deduct values, one per distress and severity, 0-100; none: an index of 100.

    Raises
    ------
    ValueError
        A deduct is out of range.
    """
    ordered = _ordered(deducts)
    m = allowable_deducts(ordered[0] if ordered else 0.0)
    kept = _kept(ordered, m)
    rows = _rows(kept)
    return Pci(MAX_DEDUCT - max((row.cdv for row in rows), default=0.0), m, tuple(kept), tuple(rows))


def monotone_max_cdv(deducts: Iterable[float]) -> float:
    """Return the largest corrected deduct value that these deducts, or any smaller ones, have.

    By the standard a larger highest deduct lets fewer others be kept, so that more damage can give a better index
    (54, 38, 36, 36, 31, 27, 24, 22, 19 give 7.1; with 74 instead of 54 it is 11.9). This one never falls when a
    deduct grows. It differs from the standard only where more deducts exist than may be kept [project proposal].

    Raises
    ------
    ValueError
        A deduct is out of range.
    """
    ordered = _ordered(deducts)
    if not ordered:
        return 0.0
    highest = ordered[0]
    if len(ordered) <= allowable_deducts(highest):
        return pci(ordered).max_cdv
    steps = np.arange(1, _STEPS + 1) * (highest / _STEPS)
    return max(pci(ordered).max_cdv, _largest(np.array(ordered), np.concatenate((steps, ordered))))


def rating(index: float) -> Rating:
    """Return the rating of an index; a limit belongs to the better rating.

    Raises
    ------
    ValueError
        The index is not 0 to 100.
    """
    _check_index(index)
    return next(name for lowest, name in _LOWEST if index >= lowest)


def older_rating(index: float) -> OlderRating:
    """Return the older rating: Sempurna above 85, Sangat Baik above 70 and so on; a limit belongs to the worse one.

    Raises
    ------
    ValueError
        The index is not 0 to 100.
    """
    _check_index(index)
    return next(name for limit, name in _ABOVE if index > limit)


def _check_index(index: float) -> None:
    if not 0 <= index <= MAX_DEDUCT:
        raise ValueError(f"PCI must be 0 to 100, got {index}")


def _ordered(deducts: Iterable[float]) -> list[float]:
    ordered = sorted(deducts, reverse=True)
    for deduct in ordered:
        if not 0 <= deduct <= MAX_DEDUCT:  # NaN fails too
            raise ValueError(f"deduct value must be 0 to 100, got {deduct}")
    return [deduct for deduct in ordered if deduct > 0]


def _kept(ordered: Sequence[float], m: float) -> list[float]:
    """Return the largest deducts, the last in its fraction."""
    whole = math.floor(m)
    kept = list(ordered[:whole])
    if len(ordered) > whole and m > whole:
        kept.append(ordered[whole] * (m - whole))
    return kept


def _rows(kept: Sequence[float]) -> list[Corrected]:
    """Return the iteration: the smallest deduct above 2 becomes 2, until one is left above it."""
    if not kept:
        return []
    values, rows = sorted(kept, reverse=True), list[Corrected]()
    q = max(sum(value > _COUNTED for value in values), 1)
    for counted in range(q, 0, -1):
        total = sum(values)
        rows.append(Corrected(total, counted, corrected_deduct(total, counted)))
        values[counted - 1] = min(values[counted - 1], _COUNTED)
    return rows


def _largest(ordered: FloatArray, levels: FloatArray) -> float:
    """Return the largest corrected value of deducts, shape (n,), that are cut off at any of some levels, (k,)."""
    kept_at_most = np.minimum(1 + _SLOPE * (MAX_DEDUCT - levels), MAX_KEPT)
    shares = np.clip(kept_at_most[:, None] - np.arange(len(ordered)), 0.0, 1.0)
    kept = np.minimum(ordered, levels[:, None]) * shares
    reduced = np.minimum(kept, _COUNTED)
    counted = np.maximum((kept > _COUNTED).sum(axis=1), 1)
    largest = 0.0
    for q in range(1, int(counted.max()) + 1):
        whole = counted >= q
        totals = kept[whole, :q].sum(axis=1) + reduced[whole, q:].sum(axis=1)
        largest = max(largest, float(corrected_deducts(totals, q).max()))
    return largest
