"""One finding for each real thing, however many pictures show it.

The pictures are aligned by what they share (:mod:`serayu.vision.survey.align`), pairs of sightings that can be one
thing are found on the ground (:mod:`serayu.vision.survey.alike`), and the best pairs are joined first. Two sightings
of one picture are never joined, whatever lies between them, unless they are pieces of one crack; so neighbours that
any picture shows apart stay apart. The result does not depend on the order of the input: everything is sorted first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.survey.finding import DefectClass
from serayu.vision.sighting import Sighting
from serayu.vision.survey.align import Alignment, align
from serayu.vision.survey.alike import Seen, mismatch, pieces
from serayu.vision.survey.frames import Frame
from serayu.vision.survey.lines import long_axis

__all__ = ["Group", "fuse"]

_REACH_SIGMAS = 3.0
_LEAST_REACH_M = 0.3  # boxes and masks of one thing differ by that [project proposal]
_FAR = 2.0  # times the reach: two whole sightings that were joined through others


@dataclass(frozen=True, slots=True)
class Group:
    """One thing on the ground.

    Parameters
    ----------
    seen
        Its sightings, by picture; one at least.
    alignment
        How the pictures were moved.
    label
        What it is.
    others
        Sightings of it under another name that cannot be measured together with those of this one.
    """

    seen: tuple[Seen, ...]
    alignment: Alignment
    label: DefectClass
    others: tuple[Seen, ...] = ()

    @property
    def first(self) -> tuple[str, int]:
        """Return what sorts groups: their first sighting."""
        return min(one.key for one in (*self.seen, *self.others))


def fuse(sightings: Iterable[Sighting], frames: Mapping[str, Frame]) -> tuple[Group, ...]:
    """Return the things that sightings show.

    Parameters
    ----------
    sightings
        Of all pictures, in any order; those of pictures without a frame are left out.
    frames
        The pictures by name.

    Returns
    -------
    tuple of Group
        In the order of their first sightings.
    """
    ordered = sorted((one for one in sightings if one.unit in frames), key=lambda one: (one.unit, one.index))
    alignment = align(ordered, frames)
    seen = _placed(ordered, frames, alignment)
    groups = _Groups(seen)
    for _, i, j in sorted(_pairs(seen)):
        groups.join(i, j)
    return tuple(
        Group(tuple(seen[i] for i in members), alignment, seen[members[0]].sighting.label)
        for members in groups.members()
    )


def reach_m(one: Seen, two: Seen) -> float:
    """Return how far apart the same point may lie in two pictures, m."""
    return max(_LEAST_REACH_M, _REACH_SIGMAS * float(np.hypot(one.sigma_m, two.sigma_m)))


def _placed(
    sightings: Sequence[Sighting], frames: Mapping[str, Frame], alignment: Alignment
) -> tuple[Seen, ...]:
    """Return sightings after alignment; what is left between tied pictures is the residual, else the prior."""
    prints = {unit: alignment.moved(unit, frame.footprint) for unit, frame in frames.items()}
    residual = alignment.residual_m or 0.0
    return tuple(
        Seen(
            one,
            alignment.moved(one.unit, _shape(one)),
            prints[one.unit],
            residual / 2**0.5 if one.unit in alignment.tied else frames[one.unit].sigma_m,
        )
        for one in sightings
    )


def _shape(sighting: Sighting) -> BaseGeometry:
    """Return the figure of a sighting; of a single crack whose line was not seen, the long axis of its box."""
    figure = sighting.measured.figure
    single = sighting.label in {DefectClass.LONGITUDINAL_CRACK, DefectClass.TRANSVERSE_CRACK}
    return long_axis(figure) if single and figure.area > 0 else figure


def _pairs(seen: Sequence[Seen]) -> list[tuple[float, int, int]]:
    """Return pairs that can be one thing, of different pictures: mismatch and places."""
    if not seen:
        return []
    figures = [one.figure for one in seen]
    tree = shapely.STRtree(figures)
    sigma = np.array([one.sigma_m for one in seen])
    farthest = np.maximum(_LEAST_REACH_M, _REACH_SIGMAS * np.hypot(sigma, sigma.max()))
    # The middle of an area may wobble with its size; its outline then still comes within that of the other.
    farthest = farthest + 0.15 * np.sqrt(shapely.area(figures))
    found = []
    for i, j in tree.query(figures, predicate="dwithin", distance=farthest).T.tolist():
        if i < j and seen[i].sighting.unit != seen[j].sighting.unit:
            badness = mismatch(seen[i], seen[j], reach_m=reach_m(seen[i], seen[j]))
            if badness is not None:
                found.append((badness, i, j))
    return found


class _Groups:
    """Disjoint sets that refuse to hold two things of one picture."""

    def __init__(self, seen: Sequence[Seen]) -> None:
        self._seen = seen
        self._root = list(range(len(seen)))
        self._members = {index: [index] for index in range(len(seen))}

    def members(self) -> list[list[int]]:
        """Return the sets, each sorted, in the order of their first members."""
        return sorted(sorted(members) for members in self._members.values())

    def join(self, i: int, j: int) -> None:
        """Join two sets unless they hold sightings that are two things."""
        first, second = self._find(i), self._find(j)
        if first == second:
            return
        if any(self._apart(a, b) for a in self._members[first] for b in self._members[second]):
            return
        low, high = sorted((first, second))
        self._members[low] += self._members.pop(high)
        self._root[high] = low

    def _apart(self, a: int, b: int) -> bool:
        """Return whether two sightings cannot be one thing.

        Of one picture: unless pieces of a crack. Of two: when both show it whole and their middles are farther apart
        than they may be; so that a chain of near neighbours is not joined link by link.
        """
        one, two = self._seen[a], self._seen[b]
        allowed = reach_m(one, two)
        if one.sighting.unit == two.sighting.unit:
            return not pieces(one, two, reach_m=allowed)
        if one.sighting.cut or two.sighting.cut or one.figure.area == 0 or two.figure.area == 0:
            return False
        wobble = 0.15 * float(max(one.figure.area, two.figure.area)) ** 0.5
        return bool(shapely.distance(one.figure.centroid, two.figure.centroid) > _FAR * (allowed + wobble))

    def _find(self, index: int) -> int:
        while self._root[index] != index:
            self._root[index] = self._root[self._root[index]]
            index = self._root[index]
        return index
