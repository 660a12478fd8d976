"""What a training draws: which picture, and how it is changed before ultralytics changes it further.

Nothing here needs torch; :mod:`serayu.vision.training.dataset` puts it into ultralytics' data set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serayu.vision.detection import Image
from serayu.vision.training.config import Augment, Graft, Paste
from serayu.vision.training.graft import Scion, graft_some
from serayu.vision.training.looks import zoomed
from serayu.vision.training.paste import Bank, Pasted, paste_some
from serayu.vision.training.prepare import Entry

__all__ = ["Changes", "Drawn", "chances", "changed", "with_ignored"]

_CLEAN_PARTS = (0.35, 0.85)
_CLEAN_TRIES = 12
_PASTE_ROOM = 0.33
"""[project proposal] A cut-out is at most this part of the picture's shorter side."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One picture as it is learnt from.

    Parameters
    ----------
    image
        Pixels.
    classes
        Class numbers, shape (n,): those of the training, and from their number on, of the class that many lower,
        boxes about which nothing is said.
    boxes_px
        Shape (n, 4).
    """

    image: Image
    classes: npt.NDArray[np.int64]
    boxes_px: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Changes:
    """What is done to a picture.

    Parameters
    ----------
    augment
        Zoom.
    pastes
        Cut-outs: how, the number of their class, and the cut-outs.
    classes
        Number of classes.
    grafts
        Things taken from other pictures: how, the number of their class, and the things; none of them empty.
    """

    augment: Augment
    pastes: tuple[tuple[Paste, int, Bank], ...]
    classes: int
    grafts: tuple[tuple[Graft, int, tuple[Scion, ...]], ...] = ()


def chances(names: Sequence[str], entries: Mapping[str, Entry]) -> npt.NDArray[np.float64]:
    """Return the chance of each picture to be drawn, shape (n,), of sum 1.

    Raises
    ------
    KeyError
        A picture was not prepared.
    """
    weights = np.array([entries[name].weight for name in names])
    return np.asarray(weights / weights.sum(), float)


def with_ignored(drawn: Drawn, entry: Entry, *, classes: int) -> Drawn:
    """Return a picture with the boxes about which nothing is said, as classes above its own."""
    if not entry.ignored:
        return drawn
    height, width = drawn.image.shape[:2]
    numbers = np.array([box[0] + classes for box in entry.ignored], np.int64)
    boxes = np.array([box[1:] for box in entry.ignored]) * [width, height, width, height]
    return Drawn(drawn.image, np.concatenate([drawn.classes, numbers]), np.vstack([drawn.boxes_px, boxes]))


def changed(drawn: Drawn, changes: Changes, *, most_px: int, rng: np.random.Generator) -> Drawn:
    """Return a picture, or a clean part of it, with new things laid on it and seen from another height.

    Parameters
    ----------
    drawn
        The picture.
    changes
        What may be done.
    most_px
        Largest side of the result.
    rng
        Source of every draw.
    """
    if rng.random() < changes.augment.clean_p:
        drawn = _clean_part(drawn, rng)
    for paste, number, bank in changes.pastes:
        if rng.random() < paste.p:
            drawn = _pasted(drawn, paste, number, bank, rng)
    for graft, number, things in changes.grafts:
        if rng.random() < graft.p:
            free = _clear_of(drawn)
            laid = graft_some(drawn.image, free, things, most=graft.most, scale=graft.scale, rng=rng)
            drawn = _joined(drawn, laid, number)
    augment = changes.augment
    if rng.random() >= augment.zoom_p:
        return drawn
    factor = float(np.exp(rng.uniform(*np.log(augment.zoom))))
    image, boxes, kept = zoomed(drawn.image, drawn.boxes_px, factor=factor, most_px=most_px, rng=rng)
    # A box about which nothing is said counts however little of it is left.
    whole = drawn.classes >= changes.classes
    kept |= whole & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Drawn(image, drawn.classes[kept], boxes[kept])


def _clean_part(drawn: Drawn, rng: np.random.Generator) -> Drawn:
    """Return a part of a picture without any label but what is muted all over it; the picture when tries find none."""
    height, width = drawn.image.shape[:2]
    labelled = _clear_of(drawn)
    muted = drawn.classes[((drawn.boxes_px[:, 2:] - drawn.boxes_px[:, :2]) >= [width, height]).all(axis=1)]
    for _ in range(_CLEAN_TRIES):
        part = rng.uniform(*_CLEAN_PARTS)
        wide, high = int(part * width), int(part * height)
        left, top = int(rng.integers(width - wide + 1)), int(rng.integers(height - high + 1))
        meets = (labelled[:, :2] < [left + wide, top + high]).all(axis=1) & (
            labelled[:, 2:] > [left, top]
        ).all(axis=1)
        if not meets.any():
            cut = drawn.image[top : top + high, left : left + wide]
            return Drawn(cut, muted, np.tile([0.0, 0.0, wide, high], (len(muted), 1)))
    return drawn


def _pasted(drawn: Drawn, paste: Paste, number: int, bank: Bank, rng: np.random.Generator) -> Drawn:
    """Return a picture with some cut-outs of one class laid on it, clear of everything labelled."""
    room = _PASTE_ROOM * min(drawn.image.shape[:2])
    low, high = min(paste.size_px[0], room), min(paste.size_px[1], room)
    laid = paste_some(drawn.image, _clear_of(drawn), bank, most=paste.most, size_px=(low, high), rng=rng)
    return _joined(drawn, laid, number)


def _clear_of(drawn: Drawn) -> npt.NDArray[np.float64]:
    """Return the boxes that nothing is laid over: all but those that mute a class all over."""
    height, width = drawn.image.shape[:2]
    sides = drawn.boxes_px[:, 2:] - drawn.boxes_px[:, :2]
    return drawn.boxes_px[~(sides >= [width, height]).all(axis=1)]


def _joined(drawn: Drawn, laid: Pasted, number: int) -> Drawn:
    """Return a picture with what was laid on it among its labels."""
    numbers = np.full(len(laid.boxes_px), number, np.int64)
    return Drawn(
        laid.image, np.concatenate([drawn.classes, numbers]), np.vstack([drawn.boxes_px, laid.boxes_px])
    )
