"""What a detector sees in one picture, in pixels of the whole picture, and the port of every detector."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from serayu.models.survey.finding import DefectClass

__all__ = ["Detection", "Detector", "Image", "Points"]

Image = npt.NDArray[np.uint8]
"""A picture: blue, green, red; shape (height, width, 3)."""

Points = npt.NDArray[np.float64]
"""Points, shape (n, 2): x to the right and y down in pixels (0, 0 is the upper left corner of the upper left pixel),
or x east and y north in metres."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing in one picture.

    Parameters
    ----------
    label
        What it is.
    score
        Confidence, 0-1; None where a person drew the box.
    xyxy_px
        Box: left, top, right, bottom.
    outlines_px
        Outlines of its mask, each of shape (n, 2); empty without a mask.
    """

    label: DefectClass
    score: float | None
    xyxy_px: tuple[float, float, float, float]
    outlines_px: tuple[Points, ...] = ()


class Detector(Protocol):
    """Finds things in a picture of any size."""

    @property
    def name(self) -> str:
        """Return what found them: weights and runtime, for the record of the survey."""
        ...

    @property
    def settings(self) -> str:
        """Return what else decides on what is found (threshold, scale, …): detectors that differ in it are others."""
        ...

    @property
    def defects(self) -> tuple[DefectClass, ...]:
        """Return the classes of damage that it knows."""
        ...

    @property
    def threshold(self) -> float:
        """Return the least score of what it finds."""
        ...

    def detect(self, image: Image, *, gsd_mm: float | None) -> tuple[Detection, ...]:
        """Return what is in a picture, whose ground sampling distance is so many mm per px (None: not known).

        The result is in a fixed order that does not depend on threads: by class, then box.
        """
        ...
