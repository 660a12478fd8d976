"""Pixelation that leaves a handful of rounded mean colours of what it hides, and nothing to compute the rest from.

Neural networks recognise faces in fine mosaics [McPherson, Shokri, Shmatikov 2016, "Defeating image obfuscation with
deep learning", arXiv:1609.00408, windows down to about 6 × 7 cells of a face]; so the cells here are far larger.
"""

import numpy as np

from serayu.vision.detection import Image
from serayu.vision.runtime.found import Boxes

__all__ = ["CELLS", "LEVELS", "PADDING", "pixelated"]

CELLS = 3
"""Cells along the longer side of what is hidden, padding included [project proposal]: of a face, two by two."""
LEVELS = 16
"""Levels of each colour that are left [project proposal]: several photos of one face then add up to no more."""
PADDING = 0.3
"""Of a box's longer side, added on each side [project proposal]: hair, ears, and the error of the box."""
_LEAST_PADDING_PX = 4


def pixelated(image: Image, boxes: Boxes, *, padding: float = PADDING) -> Image:
    """Return a copy in which boxes and a margin around them are coarse cells; what overlaps is hidden as one.

    Parameters
    ----------
    image
        Shape (height, width, 3).
    boxes
        Shape (n, 4), left, top, right, bottom in px; in any order, also reaching outside.
    padding
        Share of a box's longer side that is added on each side.
    """
    hidden = image.copy()
    for left, top, right, bottom in _joined(_padded(boxes, image, padding)):
        _hide(hidden[top:bottom, left:right])
    return hidden


def _hide(part: Image) -> None:
    """Replace a part of a picture, in place, by the means of its cells."""
    height, width = part.shape[:2]
    cell = -(-max(height, width) // CELLS)
    step = 256 // LEVELS
    for top in range(0, height, cell):
        for left in range(0, width, cell):
            block = part[top : top + cell, left : left + cell]
            mean = block.reshape(-1, 3).mean(axis=0)
            block[:] = (mean // step * step + step // 2).astype(np.uint8)


def _padded(boxes: Boxes, image: Image, padding: float) -> list[tuple[int, int, int, int]]:
    height, width = image.shape[:2]
    found = []
    for left, top, right, bottom in boxes.tolist():
        pad = max(padding * max(right - left, bottom - top), _LEAST_PADDING_PX)
        x0, y0 = max(0, int(np.floor(left - pad))), max(0, int(np.floor(top - pad)))
        x1, y1 = min(width, int(np.ceil(right + pad))), min(height, int(np.ceil(bottom + pad)))
        if x1 > x0 and y1 > y0:
            found.append((x0, y0, x1, y1))
    return sorted(found)


def _joined(boxes: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Return the outer boxes of those that overlap: cells over cells would leave finer ones at the edges."""
    done: list[tuple[int, int, int, int]] = []
    for one in boxes:
        outer = one
        while meeting := [other for other in done if _meet(outer, other)]:
            done = [other for other in done if other not in meeting]
            group = [outer, *meeting]
            outer = (
                min(box[0] for box in group),
                min(box[1] for box in group),
                max(box[2] for box in group),
                max(box[3] for box in group),
            )
        done.append(outer)
    return sorted(done)


def _meet(one: tuple[int, int, int, int], two: tuple[int, int, int, int]) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]
