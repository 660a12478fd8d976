"""People and vehicles, by a detector of COCO's classes that the operator supplies."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.runtime.found import Boxes
from serayu.vision.runtime.network import Precision
from serayu.vision.runtime.tiled import TiledDetector
from serayu.vision.runtime.weights import load_detector

__all__ = ["CLASSES", "THRESHOLD", "PeopleFinder"]

CLASSES = ("person", "bicycle", "car", "motorcycle", "bus", "truck")
"""Of COCO [Lin et al. 2014, arXiv:1405.0312]: people, and what carries a number plate or a rider."""
THRESHOLD = 0.15
"""Least score, below the usual 0.25: a blur too many costs nothing [project proposal]."""


@dataclass(frozen=True, slots=True)
class PeopleFinder:
    """Finds people and vehicles.

    Parameters
    ----------
    detector
        Of any classes, some of `CLASSES` among them.
    """

    detector: TiledDetector

    @classmethod
    def load(cls, weights: Path) -> "PeopleFinder":
        """Return the finder with an operator's weights.

        Parameters
        ----------
        weights
            ``.onnx`` or OpenVINO ``.xml`` as ultralytics exports YOLOv8 and YOLO11, trained on COCO.

        Raises
        ------
        BadInputError
            No such file or network, or none of its classes is a person.
        """
        detector = load_detector(weights.resolve(), precision=Precision.FP32, threshold=THRESHOLD)
        if "person" not in detector.classes:
            detector.close()
            raise BadInputError(
                f"no class 'person' among {', '.join(detector.classes[:6])}: needs a detector of COCO's classes",
                file=weights,
            )
        return cls(detector)

    @property
    def name(self) -> str:
        """Return weights, library and threshold, for the record."""
        return f"{self.detector.name} {self.detector.threshold:g}"

    @property
    def classes(self) -> tuple[str, ...]:
        """Return which of `CLASSES` it knows."""
        return tuple(one for one in CLASSES if one in self.detector.classes)

    def find(self, image: Image) -> Boxes:
        """Return boxes, shape (n, 4), px of the picture."""
        found = self.detector.find(image)
        wanted = [self.detector.classes.index(one) for one in self.classes]
        boxes: Boxes = found.xyxy_px[np.isin(found.labels, wanted)]
        return boxes
