"""Take labelled things out of training pictures, with some road around them, and lay them on other roads.

Few potholes and alligator cracks were photographed, and patches on one country's roads only: seen on other roads they
teach the thing, not its place. The road around the thing tells how bright the thing is against its own road; that
ratio is kept on the new road.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.evaluate.truth import read_labels
from serayu.vision.training.labels import Labels
from serayu.vision.training.paste import Pasted, free_place, like_road
from serayu.vision.training.prepare import Entry

__all__ = ["Scion", "graft_some", "scions"]

_MARGIN = 0.15
_LEAST_MARGIN_PX = 8
_LEAST_PX = 24
_GAIN = (0.5, 1.8)
_LEAST_SCATTER = 2.0
_MATTE = (0.8, 2.0)
# All sizes and limits are [project proposal], set by looking at the results.


@dataclass(frozen=True, slots=True)
class Scion:
    """A labelled thing with the road around it.

    Parameters
    ----------
    image
        Pixels of both.
    inner
        The thing's box in it: left, top, right, bottom, pixels.
    """

    image: Image
    inner: tuple[int, int, int, int]


def scions(
    folder: Path, entries: Mapping[str, Entry], *, label: int, classes: int, most_px: float
) -> tuple[Scion, ...]:
    """Return the things of one class that stand alone in their pictures, in order of the pictures' names.

    Left out are pictures about which not everything is told, things that touch the edge of their picture, whose
    surroundings hold another label or are no road, or that are smaller than 24 px or larger than the limit.

    Parameters
    ----------
    folder
        Prepared pictures: ``images/train`` and ``labels/train``.
    entries
        What is known of them.
    label
        Class number.
    classes
        Number of classes.
    most_px
        Largest longer side of a thing, pixels.

    Raises
    ------
    BadInputError
        A picture or its labels cannot be read; names it.
    """
    found = []
    for name in sorted(entries):
        file = (folder / "labels" / "train" / name).with_suffix(".txt")
        labels = Labels.of(read_labels(file, classes=classes).truths)
        if entries[name].ignored or not (labels.classes == label).any():
            continue
        image = cv2.imread(str(folder / "images" / "train" / name))
        if image is None:
            raise BadInputError("is not a picture", file=folder / "images" / "train" / name)
        found += _alone(np.asarray(image, np.uint8), labels, label=label, most_px=most_px)
    return tuple(found)


def graft_some(
    image: Image,
    boxes_px: npt.NDArray[np.float64],
    bank: tuple[Scion, ...],
    *,
    most: int,
    scale: tuple[float, float],
    rng: np.random.Generator,
) -> Pasted:
    """Lay one to ``most`` things where the picture looks like bare road and nothing is labelled.

    Parameters
    ----------
    image
        The picture; it is not changed.
    boxes_px
        What is labelled already, shape (n, 4).
    bank
        Things to draw from.
    most
        Largest number.
    scale
        Smallest and largest factor of their size.
    rng
        Source of every draw.
    """
    taken = np.asarray(boxes_px, float).reshape(-1, 4)
    done: list[npt.NDArray[np.float64]] = []
    result = image
    for _ in range(int(rng.integers(1, most + 1))):
        thing = _mirrored(bank[int(rng.integers(len(bank)))], factor=float(rng.uniform(*scale)), rng=rng)
        place = free_place(result, thing.image.shape[:2], taken, rng)
        if place is None:
            continue
        result = _laid(result, thing, place)
        box = np.array(thing.inner, float) + np.tile(place, 2)
        taken = np.vstack([taken, box])
        done.append(box)
    return Pasted(result, np.array(done).reshape(-1, 4))


def _alone(image: Image, labels: Labels, *, label: int, most_px: float) -> list[Scion]:
    """Return the things of one class in one picture that can be taken out of it."""
    height, width = image.shape[:2]
    boxes = labels.boxes * [width, height, width, height]
    result = []
    for index in np.flatnonzero(labels.classes == label):
        box = boxes[index]
        longer = float((box[2:] - box[:2]).max())
        margin = max(_LEAST_MARGIN_PX, _MARGIN * longer)
        outer = np.round([*(box[:2] - margin), *(box[2:] + margin)]).astype(int)
        inside = (outer[:2] >= 0).all() and outer[2] <= width and outer[3] <= height
        meets = (boxes[:, :2] < outer[2:]).all(axis=1) & (boxes[:, 2:] > outer[:2]).all(axis=1)
        if inside and meets.sum() == 1 and _LEAST_PX <= longer <= most_px:
            left, top, right, bottom = np.round(box - np.tile(outer[:2], 2)).astype(int).tolist()
            part = image[outer[1] : outer[3], outer[0] : outer[2]].copy()
            thing = Scion(part, (left, top, right, bottom))
            if like_road(part[_around(thing)]):
                result.append(thing)
    return result


def _mirrored(thing: Scion, *, factor: float, rng: np.random.Generator) -> Scion:
    """Return a thing of another size, perhaps mirrored; never turned, as turns swap the classes of cracks."""
    flips = rng.random(2) < 0.5  # noqa: PLR2004 - even odds
    image = thing.image[:: -1 if flips[1] else 1, :: -1 if flips[0] else 1]
    height, width = image.shape[:2]
    left, top, right, bottom = thing.inner
    if flips[0]:
        left, right = width - right, width - left
    if flips[1]:
        top, bottom = height - bottom, height - top
    size = (max(3, round(width * factor)), max(3, round(height * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(np.ascontiguousarray(image), size, interpolation=way), np.uint8)
    x, y = size[0] / width, size[1] / height
    return Scion(resized, (round(left * x), round(top * y), round(right * x), round(bottom * y)))


def _laid(image: Image, thing: Scion, place: tuple[int, int]) -> Image:
    """Return a picture with a thing on it: what differs from its own road, as bright against the new one.

    Without the matte the seams of the rectangle would be learnt as well.
    """
    left, top = place
    height, width = thing.image.shape[:2]
    under = image[top : top + height, left : left + width].astype(np.float32)
    own = thing.image.astype(np.float32)
    around = _around(thing)
    gain = np.clip((under[around].mean(axis=0) + 1) / (own[around].mean(axis=0) + 1), *_GAIN)
    alpha = (_edge(thing) * _matte(own, around))[..., None]
    result = image.copy()
    mixed = alpha * own * gain + (1 - alpha) * under
    result[top : top + height, left : left + width] = np.clip(mixed, 0, 255).astype(np.uint8)
    return result


def _around(thing: Scion) -> npt.NDArray[np.bool_]:
    """Return where the road around a thing is, shape (height, width)."""
    around = np.ones(thing.image.shape[:2], bool)
    left, top, right, bottom = thing.inner
    around[top:bottom, left:right] = False
    return around


def _edge(thing: Scion) -> npt.NDArray[np.float32]:
    """Return 1 inside the box of a thing, falling to 0 over its margin."""
    height, width = thing.image.shape[:2]
    x0, y0, x1, y1 = thing.inner
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    across = np.minimum(x / max(x0, 1), (width - x) / max(width - x1, 1))
    down = np.minimum(y / max(y0, 1), (height - y) / max(height - y1, 1))
    return np.asarray(np.clip(np.minimum(across[None, :], down[:, None]), 0, 1), np.float32)


def _matte(own: npt.NDArray[np.float32], around: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return how much each pixel differs from its own road: 0 within its scatter, 1 well beyond."""
    road, scatter = own[around].mean(axis=0), own[around].std(axis=0) + _LEAST_SCATTER
    apart = np.abs((own - road) / scatter).max(axis=2)
    apart = np.maximum(apart, cv2.GaussianBlur(apart, (0, 0), 2.0))
    low, high = _MATTE
    return np.asarray(np.clip((apart - low) / (high - low), 0, 1), np.float32)
