"""The scale that a network was trained at, and how imagery is brought to it."""

import math
from dataclasses import dataclass

import numpy as np

from serayu.vision.detection import Image

__all__ = ["Scale", "resized"]

MOST_ENLARGED = 2.0
"""Imagery coarser than the training is enlarged this much at most: more shows nothing new [project proposal]."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The training scale of weights.

    Parameters
    ----------
    gsd_mm
        Ground sampling distance of the training pictures as the network saw them, mm per px of its input; None where
        it is not known.
    gsd_range_mm
        Imagery in this range is looked at as it is (the training had pictures of all these scales).
    tile_px
        Side of the square, in pixels of a picture of unknown scale, that fills the input: the size of the training
        pictures; the input's own side when None.
    forced_tile_px
        The same for every picture, whatever its scale: what a person asked for.
    """

    gsd_mm: float | None = None
    gsd_range_mm: tuple[float, float] | None = None
    tile_px: int | None = None
    forced_tile_px: int | None = None

    def factor(self, gsd_mm: float | None, *, side_px: int) -> float:
        """Return by how much a picture is enlarged before it is looked at, above 0 and at most 2.

        Parameters
        ----------
        gsd_mm
            Its ground sampling distance, mm per px; None: not known.
        side_px
            Side of the network's input.
        """
        if self.forced_tile_px is not None:
            return side_px / self.forced_tile_px
        if gsd_mm is None or not math.isfinite(gsd_mm) or gsd_mm <= 0 or self.gsd_mm is None:
            return 1.0 if self.tile_px is None else side_px / self.tile_px
        if self.gsd_range_mm is not None and self.gsd_range_mm[0] <= gsd_mm <= self.gsd_range_mm[1]:
            return 1.0
        return min(gsd_mm / self.gsd_mm, MOST_ENLARGED)


def resized(image: Image, factor: float) -> tuple[Image, tuple[float, float]]:
    """Return a picture at another scale, and the exact factors in x and y after rounding to whole pixels."""
    import cv2  # noqa: PLC0415 - heavy

    height, width = image.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if size == (width, height):
        return image, (1.0, 1.0)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method)), (size[0] / width, size[1] / height)
