"""Labels of one picture, and what is done to them before a network learns from them."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError

__all__ = ["Boxes", "Labels", "join_near", "read_yolo", "yolo_text"]

Boxes = npt.NDArray[np.float64]
"""Boxes, shape (n, 4): left, top, right, bottom in parts of the picture's width and height, 0-1."""

_BOX_FIELDS = 5
_LEAST_POLYGON_FIELDS = 7


@dataclass(frozen=True, slots=True)
class Labels:
    """What is labelled in one picture.

    Parameters
    ----------
    classes
        Class numbers, shape (n,).
    boxes
        Their boxes, shape (n, 4).
    polygons
        Their outlines in parts of the picture, each (m, 2); empty where only boxes are given.
    """

    classes: npt.NDArray[np.int64]
    boxes: Boxes
    polygons: tuple[npt.NDArray[np.float64], ...] = ()

    def __post_init__(self) -> None:
        """Check the shapes.

        Raises
        ------
        ValueError
            Classes, boxes and polygons are not one to one.
        """
        if self.classes.ndim != 1 or self.boxes.shape != (len(self.classes), 4):
            raise ValueError(f"expected boxes of shape ({len(self.classes)}, 4), not {self.boxes.shape}")
        if self.polygons and len(self.polygons) != len(self.classes):
            raise ValueError(f"expected {len(self.classes)} polygons or none, not {len(self.polygons)}")

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.classes)

    def take(self, chosen: npt.NDArray[np.bool_]) -> "Labels":
        """Return some of them; ``chosen`` has shape (n,)."""
        polygons = tuple(p for p, good in zip(self.polygons, chosen, strict=False) if good)
        return Labels(self.classes[chosen], self.boxes[chosen], polygons)


def read_yolo(file: Path, *, classes: int) -> Labels:
    """Return the labels of a YOLO text file: ``class x y w h`` or ``class x y x y x y …``, 0-1.

    Parameters
    ----------
    file
        Absent or empty means that nothing is labelled.
    classes
        How many classes there are.

    Raises
    ------
    BadInputError
        A row is neither; names file, row and reason.
    """
    if not file.exists():
        return Labels(np.zeros(0, np.int64), np.zeros((0, 4)))
    numbers, boxes, polygons = [], [], []
    for row, line in enumerate(file.read_text().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            fields = [float(field) for field in line.split()]
        except ValueError:
            fields = [math.nan]
        if not all(map(math.isfinite, fields)):
            raise BadInputError(f"not a row of numbers: {line!r}", file=file, row=row)
        if not 0 <= fields[0] < classes or fields[0] != int(fields[0]):
            raise BadInputError(f"class {fields[0]:g} is not one of 0-{classes - 1}", file=file, row=row)
        polygon = _polygon(fields)
        if polygon is None:
            raise BadInputError(
                f"a box has 5 fields, a polygon 7, 9, …; not {len(fields)}", file=file, row=row
            )
        polygon = np.clip(polygon, 0, 1)
        numbers.append(int(fields[0]))
        polygons.append(polygon)
        boxes.append([*polygon.min(axis=0), *polygon.max(axis=0)])
    return Labels(np.array(numbers, np.int64), np.array(boxes, float).reshape(-1, 4), tuple(polygons))


def yolo_text(labels: Labels, *, polygons: bool) -> str:
    """Return labels as rows of a YOLO text file, as polygons or as boxes."""
    rows = []
    for index, (number, box) in enumerate(zip(labels.classes, labels.boxes, strict=True)):
        if polygons:
            values = labels.polygons[index].ravel()
        else:
            values = np.array([*(box[:2] + box[2:]) / 2, *(box[2:] - box[:2])])
        rows.append(f"{number} " + " ".join(f"{value:.6f}" for value in values))
    return "".join(f"{row}\n" for row in rows)


def join_near(labels: Labels, *, gap: float) -> Labels:
    """Join boxes of one class that are nearer than a gap, as a mask broken to pieces is one thing.

    Parameters
    ----------
    labels
        Boxes; their polygons are not kept.
    gap
        Largest distance between two boxes' edges, along x and along y, in parts of the picture.
    """
    classes, boxes = labels.classes, labels.boxes
    joined = True
    while joined:
        classes, boxes, joined = _join_once(classes, boxes, gap)
    return Labels(classes, boxes)


def _join_once(
    classes: npt.NDArray[np.int64], boxes: Boxes, gap: float
) -> tuple[npt.NDArray[np.int64], Boxes, bool]:
    """Join the first pair that is near enough, if any."""
    for index in range(len(classes)):
        apart = np.maximum(boxes[index, :2] - boxes[:, 2:], boxes[:, :2] - boxes[index, 2:]).max(axis=1)
        near = (apart <= gap) & (classes == classes[index])
        if near.sum() > 1:
            whole = np.concatenate([boxes[near, :2].min(axis=0), boxes[near, 2:].max(axis=0)])
            return (
                np.concatenate([classes[~near], classes[index : index + 1]]),
                np.vstack([boxes[~near], whole]),
                True,
            )
    return classes, boxes, False


def _polygon(fields: list[float]) -> npt.NDArray[np.float64] | None:
    """Return the corners of a box or a polygon; None when the number of fields fits neither."""
    if len(fields) == _BOX_FIELDS:
        x, y, width, height = fields[1:]
        left, top, right, bottom = x - width / 2, y - height / 2, x + width / 2, y + height / 2
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    if len(fields) >= _LEAST_POLYGON_FIELDS and len(fields) % 2:
        return np.array(fields[1:]).reshape(-1, 2)
    return None
