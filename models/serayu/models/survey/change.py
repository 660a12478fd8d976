"""What became of defects between two surveys: grown, gone, new, or not photographed again."""

import enum
import math
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.plane import LocalPlane
from serayu.models.survey.finding import DefectClass, Finding
from serayu.models.survey.match import Match, Placed, match, placed, reach_m

__all__ = ["SIGNIFICANT_SIGMAS", "Change", "Fate", "Growth", "changes", "growth"]

SIGNIFICANT_SIGMAS = 1.96
"""A change beyond so many of its standard errors is told as one: 5 % of things that did not change are."""
_QUANTITIES = ("length_m", "width_mm", "area_m2")
_DECIMALS = {"length_m": 3, "width_mm": 1, "area_m2": 4}
_LINEAR = frozenset({DefectClass.LONGITUDINAL_CRACK, DefectClass.TRANSVERSE_CRACK})
_REPAIRABLE = frozenset(DefectClass) - {DefectClass.PATCH_REPAIR, DefectClass.LANDSLIDE}
_SEEN_SHARE = 0.8  # of a thing and its position error on photographed ground, at least [project proposal]
_LEAST_AROUND_M = 0.05


class Fate(enum.StrEnum):
    """What became of a thing."""

    GROWN = "grown"
    SHRUNK = "shrunk"
    SAME = "same"
    DOUBTFUL = "doubtful"
    """One crack or hole that seems smaller: they do not shrink, so it is another, or part of it was repaired."""
    UNDECIDED = "undecided"
    NEW = "new"
    GONE = "gone"
    REPAIRED = "repaired"
    NOT_SEEN = "not_seen"
    NOT_SEEN_BEFORE = "not_seen_before"


class Growth(msgspec.Struct, frozen=True):
    """How a size changed.

    Parameters
    ----------
    quantity
        ``length_m``, ``width_mm`` or ``area_m2``.
    before, after, change
        In its unit.
    error
        Standard error of the change; null where that of a size is not known.
    significant
        Whether the change is beyond `SIGNIFICANT_SIGMAS` errors; null without an error, and of a doubtful pair,
        whose sizes may be those of two things.
    """

    quantity: str
    before: float
    after: float
    change: float
    error: float | None
    significant: bool | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in one or both surveys.

    Parameters
    ----------
    fate
        What became of it: by the length of single cracks and the area of all else.
    label
        ``class`` in documents.
    before, after
        Findings; null in the survey that does not have it.
    apart_m
        How far apart the surveys put it; null of one survey alone.
    growth
        Of every size that both surveys measured.
    repaired_by
        The patch that the later survey found in its place.
    """

    fate: Fate
    label: DefectClass = msgspec.field(name="class")
    before: Finding | None
    after: Finding | None
    apart_m: float | None = None
    growth: tuple[Growth, ...] = ()
    repaired_by: str | None = None


def changes(
    before: Sequence[Finding],
    after: Sequence[Finding],
    *,
    seen_before: BaseGeometry,
    seen_after: BaseGeometry,
    plane: LocalPlane,
) -> tuple[Change, ...]:
    """Return what became of everything in either survey, in a fixed order.

    Parameters
    ----------
    before, after
        Findings of the two surveys, in any order.
    seen_before, seen_after
        The ground that each photographed, degrees.
    plane
        Plane to measure on.
    """
    old, new = placed(before, plane), placed(after, plane)
    matches = match(old, new)
    seen = [plane.to_metres(one) for one in (seen_before, seen_after)]
    for ground in seen:
        shapely.prepare(ground)
    lone_old = _others(old, {one.before for one in matches})
    lone_new = _others(new, {one.after for one in matches})
    found = [_both(one, old, new) for one in matches]
    patches = _Patches(lone_new)
    found += [_lost(one, seen[1], patches) for one in lone_old]
    found += [_came(one, seen[0]) for one in lone_new]
    return tuple(sorted(found, key=_order))


def growth(before: Finding, after: Finding) -> tuple[Growth, ...]:
    """Return how the sizes changed that both findings have."""
    found = []
    for name in _QUANTITIES:
        low, high = getattr(before, name), getattr(after, name)
        if low is None or high is None:
            continue
        errors = [getattr(one.errors, name) for one in (before, after)]
        error = None if None in errors else math.hypot(*errors)
        change = high - low
        found.append(
            Growth(
                name,
                low,
                high,
                round(change, _DECIMALS[name]) + 0.0,
                None if error is None else round(error, _DECIMALS[name]),
                None if error is None else bool(abs(change) > SIGNIFICANT_SIGMAS * error),
            )
        )
    return tuple(found)


def _both(one: Match, old: Sequence[Placed], new: Sequence[Placed]) -> Change:
    before, after = old[one.before].finding, new[one.after].finding
    sizes = growth(before, after)
    fate = _fate(before.label, sizes)
    if fate is Fate.DOUBTFUL:
        sizes = tuple(msgspec.structs.replace(size, significant=None) for size in sizes)
    return Change(
        fate=fate,
        label=before.label,
        before=before,
        after=after,
        apart_m=round(one.apart_m, 3),
        growth=sizes,
    )


def _fate(label: DefectClass, sizes: Sequence[Growth]) -> Fate:
    wanted = "length_m" if label in _LINEAR else "area_m2"
    main = next((one for one in sizes if one.quantity == wanted), None)
    if main is None or main.significant is None:
        return Fate.UNDECIDED
    if not main.significant:
        return Fate.SAME
    if main.change > 0:
        return Fate.GROWN
    return Fate.DOUBTFUL if label in _REPAIRABLE else Fate.SHRUNK


class _Patches:
    """The patches that only the later survey has."""

    def __init__(self, arrived: Sequence[Placed]) -> None:
        self._all = [one for one in arrived if one.finding.label is DefectClass.PATCH_REPAIR]
        self._tree = shapely.STRtree([one.figure for one in self._all])
        self._widest_m = max((one.sigma_m for one in self._all), default=0.0)

    def over(self, one: Placed) -> Placed | None:
        """Return the patch that lies where a thing was, the nearest; None without one."""
        if not self._all or one.finding.label not in _REPAIRABLE:
            return None
        middle, farthest = one.figure.centroid, reach_m(one, replace(one, sigma_m=self._widest_m))
        found = []
        for row in self._tree.query(middle, predicate="dwithin", distance=farthest).tolist():
            patch = self._all[row]
            apart = float(shapely.distance(middle, patch.figure))
            if apart <= reach_m(one, patch):
                found.append((apart, patch.finding.id, row))
        return self._all[min(found)[2]] if found else None


def _lost(one: Placed, seen: BaseGeometry, patches: _Patches) -> Change:
    patch = patches.over(one)
    fate = Fate.REPAIRED if patch is not None else Fate.GONE if _shown(one, seen) else Fate.NOT_SEEN
    return Change(
        fate=fate,
        label=one.finding.label,
        before=one.finding,
        after=None,
        repaired_by=None if patch is None else patch.finding.id,
    )


def _came(one: Placed, seen: BaseGeometry) -> Change:
    fate = Fate.NEW if _shown(one, seen) else Fate.NOT_SEEN_BEFORE
    return Change(fate=fate, label=one.finding.label, before=None, after=one.finding)


def _shown(one: Placed, seen: BaseGeometry) -> bool:
    """Return whether a survey photographed a thing's place, as far as its position is known."""
    around = shapely.buffer(one.figure, max(one.sigma_m, _LEAST_AROUND_M))
    if shapely.covers(seen, around):
        return True
    return bool(shapely.intersection(around, seen).area >= _SEEN_SHARE * around.area)


def _others(all_: Sequence[Placed], taken: set[int]) -> list[Placed]:
    return [one for number, one in enumerate(all_) if number not in taken]


def _order(one: Change) -> tuple[bool, str, float, str, str]:
    known = one.after or one.before
    if known is None:
        raise ValueError("a change of nothing")
    return known.ruas is None, known.ruas or "", known.km or 0.0, known.id, one.fate.value
