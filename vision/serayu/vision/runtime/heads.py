"""From a network's raw output to boxes: the heads of YOLOv8 and YOLO11, for detection and for segmentation.

The head gives one column per anchor: centre x, centre y, width, height in pixels of the input, one score per class
(after the sigmoid) and, for segmentation, 32 coefficients of the mask; a second output holds the prototypes of masks
(Jocher et al., ultralytics, ``Detect`` and ``Segment`` heads; Bolya et al. 2019, YOLACT, for the prototypes).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError
from serayu.vision.runtime.found import Boxes, Found, empty_found
from serayu.vision.runtime.masks import mask_outlines

__all__ = ["SAME_THING_IOU", "Head", "decode", "suppressed"]

Floats = npt.NDArray[np.float32]

SAME_THING_IOU = 0.5
"""Boxes of one class in one tile that agree so well show one thing [project proposal]; ultralytics' own default, 0.7,
leaves more doubles of thin cracks."""

MOST_CANDIDATES = 3000
"""Boxes of one tile that are looked at, from the highest score: a bound on time at thresholds near 0."""

_BOX = 4


@dataclass(frozen=True, slots=True)
class Head:
    """What the outputs of a network mean.

    Parameters
    ----------
    classes
        Number of classes.
    coefficients
        Number of mask coefficients; 0 for detection.
    side_px
        Side of the input.
    """

    classes: int
    coefficients: int
    side_px: int

    @classmethod
    def of(cls, shapes: Sequence[Sequence[int]], *, classes: int, side_px: int, source: str) -> "Head":
        """Return the head of a network with these output shapes.

        Raises
        ------
        BadInputError
            These are not the outputs of such a head; names `source` and the shapes.
        """
        masks = shapes[1][1] if len(shapes) > 1 else 0
        anchors = sum((side_px // stride) ** 2 for stride in (8, 16, 32))
        if len(shapes) > 2 or list(shapes[0]) != [1, _BOX + classes + masks, anchors]:  # noqa: PLR2004
            raise BadInputError(
                f"outputs of shape {[list(shape) for shape in shapes]} are not the raw head of a YOLOv8 or YOLO11 "
                f"with {classes} classes at {side_px} px, which has [1, {_BOX + classes + masks}, {anchors}]",
                file=source,
            )
        return cls(classes, masks, side_px)


def decode(
    outputs: Sequence[Floats],
    head: Head,
    *,
    threshold: float,
    iou: float = SAME_THING_IOU,
    within_px: Boxes | None = None,
) -> Found:
    """Return what one tile shows.

    Parameters
    ----------
    outputs
        The raw head, shape (1, 4 + classes + coefficients, anchors), and for segmentation the prototypes, shape
        (1, coefficients, height, width).
    head
        What they mean.
    threshold
        Least score.
    iou
        Boxes of one class with at least this intersection over union show one thing; the best is kept.
    within_px
        Left, top, right, bottom of the part of the tile that shows a picture, shape (4,): boxes are cut to it, and
        those outside left out. None: all of it.

    Returns
    -------
    Found
        In pixels of the tile, by falling score.
    """
    raw = outputs[0][0]
    best = raw[_BOX : _BOX + head.classes].max(axis=0)
    columns = np.flatnonzero(best >= threshold)
    if not len(columns):
        return empty_found()
    columns = columns[np.argsort(-best[columns], kind="stable")[:MOST_CANDIDATES]]
    picked = raw[:, columns].astype(np.float64)
    xyxy, scores = _corners(picked), best[columns].astype(np.float64)
    labels = picked[_BOX : _BOX + head.classes].argmax(axis=0)
    rows = suppressed(xyxy, labels, iou=iou)
    if within_px is not None:
        xyxy = np.clip(xyxy, np.tile(within_px[:2], 2), np.tile(within_px[2:], 2))
        rows = rows[(xyxy[rows, 2:] > xyxy[rows, :2]).all(axis=1)]
    if not head.coefficients:
        return Found(xyxy[rows], scores[rows], labels[rows])
    weights = picked[_BOX + head.classes :, rows].T.astype(np.float32)
    outlines = mask_outlines(weights, outputs[1][0], xyxy[rows], side_px=head.side_px)
    return Found(xyxy[rows], scores[rows], labels[rows], outlines)


def suppressed(xyxy: Boxes, labels: npt.NDArray[np.intp], *, iou: float) -> npt.NDArray[np.intp]:
    """Return the rows that no better row of the same class overlaps; rows are ordered by falling score."""
    areas = (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])
    alive = np.ones(len(xyxy), dtype=bool)
    kept = []
    for row in range(len(xyxy)):
        if not alive[row]:
            continue
        kept.append(row)
        rest = row + 1 + np.flatnonzero(alive[row + 1 :] & (labels[row + 1 :] == labels[row]))
        low = np.maximum(xyxy[row, :2], xyxy[rest, :2])
        high = np.minimum(xyxy[row, 2:], xyxy[rest, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        alive[rest[shared > iou * (areas[row] + areas[rest] - shared)]] = False
    return np.array(kept, dtype=np.intp)


def _corners(picked: npt.NDArray[np.float64]) -> Boxes:
    """Return left, top, right, bottom of centres and sizes, shape (4 + …, n) → (n, 4)."""
    centre, half = picked[:2].T, picked[2:_BOX].T / 2
    return np.concatenate([centre - half, centre + half], axis=1)
