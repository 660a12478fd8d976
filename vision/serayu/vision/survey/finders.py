"""What finds things in the units of a survey: given boxes, or detectors."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serayu.models.survey.finding import DefectClass
from serayu.vision.detection import Detection, Detector
from serayu.vision.imagery import Opened, Unit
from serayu.vision.survey.boxes import GivenBoxes

__all__ = ["DetectorFinder", "GivenFinder", "shifted"]

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class GivenFinder:
    """Boxes that somebody drew, in the place of a detector.

    The labels of an orthophoto are fractions of the whole of it; each window gets its part of them, so that what is
    found does not depend on where the windows begin.
    """

    boxes: GivenBoxes

    @property
    def name(self) -> str:
        """Return that boxes were given."""
        return "given boxes"

    @property
    def key(self) -> str:
        """Return what its results depend on besides the bytes of pictures, weights and boxes."""
        return self.name

    @property
    def least(self) -> Mapping[DefectClass, float]:
        """Return no thresholds: boxes that somebody drew are not doubted."""
        return {}

    def find(self, unit: Unit, opened: Opened) -> tuple[Detection, ...]:
        """Return the boxes of a unit.

        Raises
        ------
        BadInputError
            They cannot be read.
        """
        height, width = opened.image.shape[:2]
        if unit.window_px is None:
            return self.boxes.detections(unit.name, size_px=(width, height))
        found = self.boxes.detections(unit.file.name, size_px=_raster_size(unit.file))
        parts = (shifted(one, unit.window_px) for one in found)
        return tuple(one for one in parts if one is not None)


@dataclass(frozen=True, slots=True)
class DetectorFinder:
    """One or more detectors, each for classes of its own."""

    detectors: Sequence[Detector]

    @property
    def name(self) -> str:
        """Return the names of the detectors."""
        return " + ".join(one.name for one in self.detectors)

    @property
    def key(self) -> str:
        """Return what its results depend on besides the bytes of pictures, weights and boxes."""
        return " + ".join(f"{one.name} {one.settings}" for one in self.detectors)

    @property
    def least(self) -> Mapping[DefectClass, float]:
        """Return the least score of each class; of a class that several detectors know, the lowest."""
        lowest: dict[DefectClass, float] = {}
        for one in self.detectors:
            for label in one.defects:
                lowest[label] = min(one.threshold, lowest.get(label, 1.0))
        return lowest

    def find(self, unit: Unit, opened: Opened) -> tuple[Detection, ...]:  # noqa: ARG002 -- given boxes need it
        """Return what the detectors see, by class, then box."""
        found = [d for one in self.detectors for d in one.detect(opened.image, gsd_mm=opened.gsd_mm)]
        return tuple(sorted(found, key=lambda one: (one.label.value, one.xyxy_px)))


def shifted(detection: Detection, window_px: tuple[int, int, int, int]) -> Detection | None:
    """Return the part of a detection that lies in a window, in the window's pixels; None outside.

    Parameters
    ----------
    detection
        In pixels of the whole.
    window_px
        Left, top, width, height.
    """
    left, top, width, height = window_px
    x0, y0, x1, y1 = detection.xyxy_px
    box: Box = (
        max(x0 - left, 0.0),
        max(y0 - top, 0.0),
        min(x1 - left, float(width)),
        min(y1 - top, float(height)),
    )
    if box[2] - box[0] < 1 or box[3] - box[1] < 1:
        return None
    outlines = tuple(np.clip(outline - (left, top), 0, (width, height)) for outline in detection.outlines_px)
    return Detection(detection.label, detection.score, box, outlines)


@functools.lru_cache(maxsize=4)
def _raster_size(file: Path) -> tuple[int, int]:
    import rasterio  # noqa: PLC0415 -- only for orthophotos

    with rasterio.open(file) as raster:
        return int(raster.width), int(raster.height)
