"""What a network found, as aligned arrays: the form between decoding, merging and the values of the port."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serayu.vision.detection import Points

__all__ = ["Boxes", "Found", "Labels", "Scores", "empty_found", "gather", "join"]

Boxes = npt.NDArray[np.float64]
"""Boxes, shape (n, 4): left, top, right, bottom in pixels."""

Scores = npt.NDArray[np.float64]
"""Confidences 0-1, shape (n,)."""

Labels = npt.NDArray[np.intp]
"""Indices into the classes of the weights, shape (n,)."""


@dataclass(frozen=True, slots=True)
class Found:
    """Detections of one picture or of one tile.

    Parameters
    ----------
    xyxy_px
        Boxes, shape (n, 4).
    scores
        Confidences, shape (n,).
    labels
        Indices of classes, shape (n,).
    outlines_px
        Outlines of each one's mask, n entries of rings of shape (k, 2); empty when there are no masks at all.

    Raises
    ------
    ValueError
        The arrays do not belong together; says the shapes.
    """

    xyxy_px: Boxes
    scores: Scores
    labels: Labels
    outlines_px: tuple[tuple[Points, ...], ...] = ()

    def __post_init__(self) -> None:
        count = len(self.xyxy_px)
        if self.xyxy_px.shape != (count, 4):
            raise ValueError(f"xyxy_px must have shape (n, 4), not {self.xyxy_px.shape}")
        if self.scores.shape != (count,) or self.labels.shape != (count,):
            raise ValueError(f"{count} boxes with scores {self.scores.shape} and labels {self.labels.shape}")
        if self.outlines_px and len(self.outlines_px) != count:
            raise ValueError(f"{count} boxes with outlines of {len(self.outlines_px)}")

    def __len__(self) -> int:
        return len(self.scores)

    def taken(self, rows: npt.NDArray[np.intp]) -> "Found":
        """Return some of them, in the order of `rows`, shape (k,)."""
        outlines = tuple(self.outlines_px[row] for row in rows) if self.outlines_px else ()
        return Found(self.xyxy_px[rows], self.scores[rows], self.labels[rows], outlines)

    def moved(self, offset_px: tuple[float, float]) -> "Found":
        """Return them moved in x and y."""
        if not len(self):
            return self
        shift = np.asarray(offset_px, dtype=np.float64)
        outlines = tuple(tuple(ring + shift for ring in rings) for rings in self.outlines_px)
        return Found(self.xyxy_px + np.tile(shift, 2), self.scores, self.labels, outlines)

    def rescaled(self, scale: tuple[float, float]) -> "Found":
        """Return them in a picture that was enlarged by `scale` in x and y: divided by it."""
        if scale == (1.0, 1.0):
            return self
        by = np.asarray(scale, dtype=np.float64)
        outlines = tuple(tuple(ring / by for ring in rings) for rings in self.outlines_px)
        return Found(self.xyxy_px / np.tile(by, 2), self.scores, self.labels, outlines)

    def ordered(self) -> "Found":
        """Return them in the fixed order: by class, then box, then score from the highest."""
        left, top, right, bottom = self.xyxy_px.T
        return self.taken(np.lexsort((-self.scores, bottom, right, top, left, self.labels)))


def empty_found() -> Found:
    """Return nothing."""
    return Found(np.zeros((0, 4)), np.zeros(0), np.zeros(0, dtype=np.intp))


def join(parts: Sequence[Found]) -> Found:
    """Return all of several, in their order."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return empty_found()
    masked = any(part.outlines_px for part in parts)
    outlines = tuple(rings for part in parts for rings in (part.outlines_px or ((),) * len(part)) if masked)
    return Found(
        np.concatenate([part.xyxy_px for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.labels for part in parts]),
        outlines,
    )


def gather(parts: Sequence[Found]) -> npt.NDArray[np.intp]:
    """Return which part each row of :func:`join` came from, shape (n,)."""
    return np.repeat(np.arange(len(parts)), [len(part) for part in parts])
