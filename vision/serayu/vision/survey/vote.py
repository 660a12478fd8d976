"""One thing on one place that was called by different names: the pictures vote.

A detector may call a crack longitudinal in one picture and transverse or alligator in the next, or both in one. Two
groups are one thing under two names when their classes are alike and each covers most of the other on the ground that
the pictures of both show. A crack that crosses another, a hole in a patch or one crack through a field of alligator
cracking cover little of the larger one: these are second things and stay. Each picture gives each class the best score
that it has there (given boxes: 1), and the class with the largest sum names the thing. [project proposal]
"""

from collections.abc import Sequence
from dataclasses import replace

import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.survey.finding import CRACKS, DefectClass
from serayu.vision.survey.alike import Seen, along_share
from serayu.vision.survey.fuse import Group

__all__ = ["voted"]

_FAMILIES = (
    CRACKS,
    frozenset({DefectClass.POTHOLE, DefectClass.PATCH_REPAIR}),
    frozenset(
        {DefectClass.POTHOLE, DefectClass.ALLIGATOR_CRACK}
    ),  # of a patch with such cracks both are true
)
_SINGLE = frozenset({DefectClass.LONGITUDINAL_CRACK, DefectClass.TRANSVERSE_CRACK})
_SHARE = 0.5  # of each that the other covers, at least, of cracks
_AREA_SHARE = 0.7  # of holes, patches and cracked areas: one outline, not one in the other
_REACH_M = 0.3  # boxes and masks of one thing differ by that, as in fusion


def voted(groups: Sequence[Group], figures: Sequence[BaseGeometry]) -> tuple[Group, ...]:
    """Join groups that are one thing under several names; whatever the order of the groups.

    Parameters
    ----------
    groups
        Each of one class.
    figures
        What each looks like on the ground, metres.

    Returns
    -------
    tuple of Group
        In the order of their first sightings; those that were joined keep the sightings that can be measured
        together as `seen` and the rest as `others`.
    """
    if not groups:
        return ()
    root = list(range(len(groups)))

    def top(index: int) -> int:
        while root[index] != index:
            index = root[index]
        return index

    tree = shapely.STRtree(list(figures))
    near = tree.query(list(figures), predicate="dwithin", distance=_REACH_M).T.tolist()
    for i, j in near:
        if i < j and _same(groups[i], groups[j], figures[i], figures[j]):
            low, high = sorted((top(i), top(j)))
            root[high] = low
    parts: dict[int, list[Group]] = {}
    for index, group in enumerate(groups):
        parts.setdefault(top(index), []).append(group)
    return tuple(sorted((_joined(part) for part in parts.values()), key=lambda one: one.first))


def _same(one: Group, two: Group, first: BaseGeometry, second: BaseGeometry) -> bool:
    """Return whether two groups are one thing under two names."""
    labels = {one.label, two.label}
    family = next((family for family in _FAMILIES if labels <= family), None)
    if len(labels) == 1 or family is None:
        return False
    a, b = (shapely.intersection(first, _ground(two)), shapely.intersection(second, _ground(one)))
    if a.is_empty or b.is_empty:
        return False
    if family is CRACKS:
        return min(along_share(a, b, _REACH_M), along_share(b, a, _REACH_M)) >= _SHARE
    return min(along_share(a, b, 0.0), along_share(b, a, 0.0)) >= _AREA_SHARE


def _ground(group: Group) -> BaseGeometry:
    """Return what the pictures of a group show."""
    return shapely.union_all([seen.footprint for seen in group.seen])


def _joined(part: Sequence[Group]) -> Group:
    if len(part) == 1:
        return part[0]
    every = sorted((seen for group in part for seen in group.seen), key=lambda seen: seen.key)
    label = _elected(every)
    # Single cracks have a line each, whatever they were called; an area and a line cannot be measured together.
    alike = _SINGLE if label in _SINGLE else {label}
    seen = tuple(one for one in every if one.sighting.label in alike)
    others = tuple(one for one in every if one.sighting.label not in alike)
    return replace(part[0], seen=seen, others=others, label=label)


def _elected(seen: Sequence[Seen]) -> DefectClass:
    """Return the class with the largest sum of scores over pictures; of equal ones the first by name."""
    best: dict[tuple[DefectClass, str], float] = {}
    for one in seen:
        key = (one.sighting.label, one.sighting.unit)
        score = 1.0 if one.sighting.score is None else one.sighting.score
        best[key] = max(best.get(key, 0.0), score)
    sums: dict[DefectClass, float] = {}
    for (label, _), score in sorted(best.items()):
        sums[label] = sums.get(label, 0.0) + score
    return min(sums, key=lambda label: (-round(sums[label], 9), label.value))
