"""One picture of an evaluation: what was found in it, set beside its labels, class by class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from shapely.geometry.base import BaseGeometry

from serayu.vision.evaluate.masks import covered_px, mask_ious, shape_of
from serayu.vision.evaluate.matching import Pairs, box_ious
from serayu.vision.evaluate.naming import Naming
from serayu.vision.evaluate.truth import Truth
from serayu.vision.runtime.found import Found

__all__ = ["Compared", "Labelled", "compare"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A picture's outcome.

    Parameters
    ----------
    passing, every
        Of every counted class: what passes the threshold, and what is found at whatever score.
    there
        Whether anything of a counted class is labelled.
    seen
        Whether any box (of weights with masks: any mask) of a counted class passes the threshold.
    common_px, either_px
        Areas that the passing masks and the labelled outlines both cover, and that either covers, px²; None
        where one side has no masks.
    """

    passing: dict[str, Pairs]
    every: dict[str, Pairs]
    there: bool
    seen: bool
    common_px: float | None = None
    either_px: float | None = None


class Labelled:
    """The labels of one picture, in its pixels.

    Parameters
    ----------
    truths
        Its labels.
    naming, classes
        Which classes count; names of the weights' classes by number.
    size_px
        Width and height.
    masks
        Whether masks are compared.
    """

    def __init__(
        self,
        truths: tuple[Truth, ...],
        naming: Naming,
        *,
        classes: tuple[str, ...],
        size_px: tuple[int, int],
        masks: bool,
    ) -> None:
        scale = np.asarray([*size_px, *size_px], dtype=np.float64)
        self.masks = masks
        self.labels = {name: classes.index(name) for name in naming.counted}
        there = {
            name: [truth for truth in truths if naming.by_index.get(truth.index) == name]
            for name in naming.counted
        }
        self.boxes = {
            name: np.asarray([truth.xyxy for truth in some], dtype=np.float64).reshape(-1, 4) * scale
            for name, some in there.items()
        }
        self.shapes: dict[str, list[BaseGeometry]] = {
            name: [shape_of(() if truth.outline is None else (truth.outline * scale[:2],)) for truth in some]
            for name, some in there.items()
            if masks
        }

    def pairs(self, found: Found) -> tuple[dict[str, Pairs], dict[str, list[BaseGeometry]]]:
        """Return the pairs of every class, and the masks of what was found."""
        pairs: dict[str, Pairs] = {}
        shapes: dict[str, list[BaseGeometry]] = {}
        for name, label in self.labels.items():
            rows = np.flatnonzero(found.labels == label)
            chosen = found.taken(rows[np.argsort(-found.scores[rows], kind="stable")])
            ious = box_ious(chosen.xyxy_px, self.boxes[name])
            if not self.masks:
                pairs[name] = Pairs(chosen.scores, len(self.boxes[name]), ious)
                continue
            outlines: Sequence[Sequence[np.ndarray]] = chosen.outlines_px or ((),) * len(chosen)
            shapes[name] = [shape_of(rings) for rings in outlines]
            pairs[name] = Pairs(
                chosen.scores,
                len(self.boxes[name]),
                ious,
                mask_ious(shapes[name], self.shapes[name]),
                np.asarray([shape.area for shape in shapes[name]]),
                np.asarray([shape.area for shape in self.shapes[name]]),
            )
        return pairs, shapes


def compare(passing: Found, every: Found, labelled: Labelled, *, has_masks: bool) -> Compared:
    """Set what was found in one picture beside its labels.

    Parameters
    ----------
    passing
        What passes the threshold. It is not always a part of `every`: joining across tiles depends on all that is
        joined.
    every
        What is found at whatever score.
    labelled
        The labels.
    has_masks
        Whether the weights give masks: then only what has a mask makes a picture positive.
    """
    pairs, shapes = labelled.pairs(passing)
    common = either = None
    if labelled.masks:
        areas = [covered_px(shapes[name], labelled.shapes[name]) for name in shapes]
        common, either = sum(area[0] for area in areas), sum(area[1] for area in areas)
    counted = np.isin(passing.labels, list(labelled.labels.values()))
    return Compared(
        passing=pairs,
        every=labelled.pairs(every)[0],
        there=any(len(boxes) for boxes in labelled.boxes.values()),
        seen=any(not has_masks or _has_mask(passing, int(row)) for row in np.flatnonzero(counted)),
        common_px=common,
        either_px=either,
    )


def _has_mask(found: Found, row: int) -> bool:
    return bool(found.outlines_px) and any(len(ring) for ring in found.outlines_px[row])
