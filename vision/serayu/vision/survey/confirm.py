"""Whether enough pictures saw a thing: a detector that errs does so in one picture, a hole is there in all.

Overlapping photos look at every place several times. What one picture alone shows, although two more at least show its
whole place as finely, is left out and counted. Given boxes are not doubted. [project proposal]
"""

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.vision.survey.frames import Frame
from serayu.vision.survey.fuse import Group

__all__ = ["confirmed"]

_CHANCES = 3  # pictures that show the whole place, from which on one sighting is too few
_COARSER = 1.5  # times its ground sampling distance: coarser pictures may well miss a thing
_MARGIN_M = 0.3  # around it: at the very edge of a picture detectors are blind


def confirmed(
    groups: Sequence[Group], figures: Sequence[BaseGeometry], frames: Mapping[str, Frame]
) -> tuple[tuple[Group, ...], int]:
    """Return the things that enough pictures saw, and how many others there were.

    Parameters
    ----------
    groups
        The things.
    figures
        What each looks like on the ground, metres.
    frames
        The pictures by name.
    """
    if not groups:
        return (), 0
    moved = groups[0].alignment.moved
    names = sorted(frames)
    prints = np.array([moved(name, frames[name].footprint) for name in names], dtype=object)
    gsd_mm = np.array([_gsd_mm(frames[name]) for name in names])
    kept = tuple(
        group
        for group, figure in zip(groups, figures, strict=True)
        if _sure(group) or _chances(group, figure, prints, gsd_mm) < _CHANCES
    )
    return kept, len(groups) - len(kept)


def _sure(group: Group) -> bool:
    """Return whether a person drew a box of it or two pictures saw it."""
    seen = (*group.seen, *group.others)
    return any(one.sighting.score is None for one in seen) or len({one.sighting.unit for one in seen}) > 1


def _chances(
    group: Group,
    figure: BaseGeometry,
    prints: "np.ndarray[tuple[int], np.dtype[np.object_]]",
    gsd_mm: "np.ndarray[tuple[int], np.dtype[np.float64]]",
) -> int:
    """Return how many pictures show the whole place as finely as the one that saw the thing."""
    finest = min(one.sighting.gsd_mm for one in group.seen)
    shown = shapely.contains(prints, shapely.buffer(figure, _MARGIN_M))
    return int((shown & (gsd_mm <= _COARSER * finest)).sum())


def _gsd_mm(frame: Frame) -> float:
    width, height = frame.size_px
    return 1000 * float((frame.footprint.area / (width * height)) ** 0.5)
