"""Labels of one picture, and what is done to them before a network learns from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serayu.vision.evaluate.truth import Truth

__all__ = ["Boxes", "Labels", "join_near", "yolo_text"]

Boxes = npt.NDArray[np.float64]
"""Boxes, shape (n, 4): left, top, right, bottom in parts of the picture's width and height, 0-1."""


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

    @classmethod
    def of(cls, truths: Sequence[Truth]) -> "Labels":
        """Return what a label file tells, see :func:`serayu.vision.evaluate.truth.read_labels`."""
        classes = np.array([truth.index for truth in truths], np.int64)
        boxes = np.array([truth.xyxy for truth in truths], np.float64).reshape(-1, 4)
        return cls(classes, boxes, tuple(_corners(truth) for truth in truths))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.classes)

    def take(self, chosen: npt.NDArray[np.bool_]) -> "Labels":
        """Return some of them; ``chosen`` has shape (n,)."""
        polygons = tuple(p for p, good in zip(self.polygons, chosen, strict=False) if good)
        return Labels(self.classes[chosen], self.boxes[chosen], polygons)


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


def _corners(truth: Truth) -> npt.NDArray[np.float64]:
    """Return the outline of a labelled thing, shape (n, 2); the corners of its box where it is only a box."""
    if truth.outline is not None:
        return truth.outline
    left, top, right, bottom = truth.xyxy
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
