"""The scale that a network was trained at, and how imagery is brought to it."""

import math
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from serayu.vision.detection import Image

__all__ = ["STILL_WHOLE", "Scale", "resized"]

MOST_ENLARGED = 2.0
"""Imagery coarser than the training is enlarged this much at most: more shows nothing new [project proposal]."""

STILL_WHOLE = 1.5
"""A picture of unknown scale whose longer side is at most this many training pictures is looked at whole, as a training
picture is: cut in squares, things that fill it would be cut too [project proposal]."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The training scale of weights.

    Parameters
    ----------
    gsd_mm
        Ground sampling distance, mm per px of the network's input, that imagery of known scale is brought to: one of
        those that the network saw in training; None where they are not known.
    gsd_range_mm
        Imagery in this range is looked at as it is (the training had pictures of all these scales).
    also_gsd_mm
        Imagery that is finer than these is looked at once more at each of them: what has no size of its own, such as a
        slide of 3 or of 100 m, is found at the scale that shows it whole.
    also_threshold
        Least score of what is found in those further looks, where it is above the detector's own: imagery unlike the
        training's gives more that is not there.
    tile_px
        Longer side of the training pictures: training makes every one of them fill the input, and so does a
        picture of unknown scale up to `STILL_WHOLE` times this; of a larger one, squares of this side are. None: the
        pixels of such a picture are taken as they are.
    margin_px
        Width of the grey margin around every picture, in pixels of the input. In training other pictures are beside a
        thing that ends where its picture does; without ground beyond it the network misses it (of 90 slides, many
        cut by the edge, 72 were found without and 85 with 16 px).
    forced_tile_px
        `tile_px` for every picture, whatever its scale: what a person asked for.
    """

    gsd_mm: float | None = None
    gsd_range_mm: tuple[float, float] | None = None
    tile_px: int | None = None
    margin_px: int = 0
    also_gsd_mm: tuple[float, ...] = ()
    also_threshold: float = 0.0
    forced_tile_px: int | None = None

    def factors(self, gsd_mm: float | None, *, longest_px: int, side_px: int) -> tuple[float, ...]:
        """Return by how much a picture is enlarged before each look at it; see :meth:`factor`."""
        first = self.factor(gsd_mm, longest_px=longest_px, side_px=side_px)
        if self.forced_tile_px is not None or not _known(gsd_mm):
            return (first,)
        return (first, *(gsd_mm / one for one in self.also_gsd_mm if gsd_mm < one))

    def factor(self, gsd_mm: float | None, *, longest_px: int, side_px: int) -> float:
        """Return by how much a picture is enlarged before it is first looked at, above 0.

        Parameters
        ----------
        gsd_mm
            Its ground sampling distance, mm per px; None: not known.
        longest_px
            Its longer side.
        side_px
            Side of the network's input.
        """
        if self.forced_tile_px is not None:
            return (side_px - 2 * self.margin_px) / self.forced_tile_px
        if self.gsd_mm is None or not _known(gsd_mm):
            return self._as_in_training(longest_px, side_px)
        if self.gsd_range_mm is not None and self.gsd_range_mm[0] <= gsd_mm <= self.gsd_range_mm[1]:
            return 1.0
        return min(gsd_mm / self.gsd_mm, MOST_ENLARGED)

    def _as_in_training(self, longest_px: int, side_px: int) -> float:
        """Return the factor for a picture of unknown scale."""
        if self.tile_px is None:
            return 1.0
        whole = longest_px <= STILL_WHOLE * self.tile_px
        return (side_px - 2 * self.margin_px) / (longest_px if whole else self.tile_px)


def _known(gsd_mm: float | None) -> TypeGuard[float]:
    return gsd_mm is not None and math.isfinite(gsd_mm) and gsd_mm > 0


def resized(image: Image, factor: float) -> tuple[Image, tuple[float, float]]:
    """Return a picture at another scale, and the exact factors in x and y after rounding to whole pixels."""
    import cv2  # noqa: PLC0415 - heavy

    height, width = image.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if size == (width, height):
        return image, (1.0, 1.0)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method)), (size[0] / width, size[1] / height)
