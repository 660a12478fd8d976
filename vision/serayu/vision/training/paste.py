"""Lay cut-outs of potholes on pictures of roads, so that a network sees more than the few that were photographed."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image

__all__ = ["Bank", "Pasted", "free_place", "lay", "like_road", "paste_some", "read_bank"]

Bank = tuple[npt.NDArray[np.uint8], ...]
"""Cut-outs: blue, green, red, opacity; each (height, width, 4)."""

_TRIES = 12
_FEATHER = 0.06
_OPAQUE = 0.5
_COLOUR = 0.16
_SCATTER = 0.12
_DARKEST = 25.0
_KEPT_TONE = 0.35


@dataclass(frozen=True, slots=True)
class Pasted:
    """A picture with new things on it.

    Parameters
    ----------
    image
        A new picture.
    boxes_px
        Boxes of the new things alone, shape (n, 4).
    """

    image: Image
    boxes_px: npt.NDArray[np.float64]


def read_bank(folder: Path) -> Bank:
    """Return the cut-outs of a folder, in order of their names.

    Raises
    ------
    BadInputError
        There is none, or one has no opacity; names it.
    """
    bank = []
    for file in sorted(folder.glob("*.png")):
        cut = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        if cut is None or cut.ndim != 3 or cut.shape[2] != 4:  # noqa: PLR2004 - BGRA
            raise BadInputError("expected a PNG with opacity (RGBA)", file=file)
        bank.append(np.asarray(cut, np.uint8))
    if not bank:
        raise BadInputError("holds no *.png", file=folder)
    return tuple(bank)


def paste_some(
    image: Image,
    boxes_px: npt.NDArray[np.float64],
    bank: Bank,
    *,
    most: int,
    size_px: tuple[float, float],
    rng: np.random.Generator,
) -> Pasted:
    """Lay one to ``most`` cut-outs where the picture looks like bare road and nothing is labelled.

    Parameters
    ----------
    image
        The picture; it is not changed.
    boxes_px
        What is labelled already, shape (n, 4): nothing is laid over it.
    bank
        Cut-outs to draw from.
    most
        Largest number.
    size_px
        Smallest and largest longer side, drawn evenly in its logarithm.
    rng
        Source of every draw.

    Returns
    -------
    Pasted
        With fewer boxes than drawn, or none, where no free place was found.
    """
    taken = np.asarray(boxes_px, float).reshape(-1, 4)
    done: list[npt.NDArray[np.float64]] = []
    result = image
    for _ in range(int(rng.integers(1, most + 1))):
        longer = float(np.exp(rng.uniform(np.log(size_px[0]), np.log(size_px[1]))))
        cut = _changed(bank[int(rng.integers(len(bank)))], longer=longer, rng=rng)
        place = free_place(result, cut.shape[:2], taken, rng)
        if place is None or not (_feathered(cut[..., 3]) > _OPAQUE).any():  # too thin at this size to be seen
            continue
        result, box = lay(result, cut, place=place, rng=rng)
        taken = np.vstack([taken, box])
        done.append(box)
    return Pasted(result, np.array(done).reshape(-1, 4))


def lay(
    image: Image, cut: npt.NDArray[np.uint8], *, place: tuple[int, int], rng: np.random.Generator
) -> tuple[Image, npt.NDArray[np.float64]]:
    """Lay one cut-out on a picture: soft at its edge, its tone drawn towards that of the road around it.

    Parameters
    ----------
    image
        The picture; it is not changed.
    cut
        Cut-out (h, w, 4) that fits there.
    place
        Its left and top, pixels.
    rng
        Draws how dark it is against the road.

    Returns
    -------
    tuple
        The new picture, and the box of what is opaque by half and more, shape (4,).
    """
    left, top = place
    height, width = cut.shape[:2]
    under = image[top : top + height, left : left + width].astype(np.float32)
    alpha = _feathered(cut[..., 3])
    solid = alpha > _OPAQUE
    colour = cut[..., :3].astype(np.float32)
    inner, road = colour[solid].mean(axis=0), under.reshape(-1, 3).mean(axis=0)
    # The hue of the road with the light and shade of the hole: most holes are darker than the road, some show a
    # lighter base course.
    tone = road * float(rng.choice([rng.uniform(0.45, 0.85), rng.uniform(0.95, 1.25)], p=[0.7, 0.3]))
    matched = colour - inner + (1 - _KEPT_TONE) * tone + _KEPT_TONE * inner
    mixed = alpha[..., None] * matched + (1 - alpha[..., None]) * under
    result = image.copy()
    result[top : top + height, left : left + width] = np.clip(mixed, 0, 255).astype(np.uint8)
    rows, columns = np.nonzero(solid)
    box = np.array(
        [left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1], float
    )
    return result, box


def _changed(cut: npt.NDArray[np.uint8], *, longer: float, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return a cut-out turned by any angle, perhaps mirrored, a little squeezed, and of the wanted size."""
    height, width = cut.shape[:2]
    scale = longer / max(height, width)
    squeeze = np.array([rng.uniform(0.75, 1.0), 1.0])[rng.permutation(2)]
    angle = float(rng.uniform(0, 360))
    side = int(np.ceil(longer * 1.5)) + 2
    turn = cv2.getRotationMatrix2D((0, 0), angle, 1.0)[:, :2] @ np.diag(scale * squeeze)
    if rng.random() < 0.5:  # noqa: PLR2004 - even odds
        turn = turn @ np.diag([-1.0, 1.0])
    shift = side / 2 - turn @ np.array([width / 2, height / 2])
    # Halve first: a large cut-out warped at once to a few pixels would alias.
    matrix = np.column_stack([turn, shift])
    small = cut
    while scale < 0.5 and min(small.shape[:2]) > 1:  # noqa: PLR2004 - halves
        small = np.asarray(cv2.resize(small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        matrix[:, :2] *= 2
        scale *= 2
    turned = np.asarray(cv2.warpAffine(small, matrix, (side, side), flags=cv2.INTER_LINEAR), np.uint8)
    rows, columns = np.nonzero(turned[..., 3] > 127)  # noqa: PLR2004 - half of 255
    if not len(rows):
        return turned
    return turned[max(rows.min() - 2, 0) : rows.max() + 3, max(columns.min() - 2, 0) : columns.max() + 3]


def _feathered(opacity: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return opacity 0-1, soft over a few hundredths of the size."""
    sigma = max(0.6, _FEATHER * max(opacity.shape) / 2)
    padded = cv2.copyMakeBorder(opacity, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    soft = cv2.GaussianBlur(padded.astype(np.float32) / 255, (0, 0), sigma)[1:-1, 1:-1]
    return np.minimum(soft, opacity.astype(np.float32) / 255)


def free_place(
    image: Image, size: tuple[int, int], taken: npt.NDArray[np.float64], rng: np.random.Generator
) -> tuple[int, int] | None:
    """Return left and top of a free place of grey and even look; None when a dozen tries find none.

    Parameters
    ----------
    image
        The picture.
    size
        Height and width to lay on it.
    taken
        Boxes that must stay clear, shape (n, 4).
    rng
        Draws the tries.
    """
    height, width = size
    room_y, room_x = image.shape[0] - height, image.shape[1] - width
    if room_x < 0 or room_y < 0:
        return None
    for _ in range(_TRIES):
        left, top = int(rng.integers(room_x + 1)), int(rng.integers(room_y + 1))
        apart = (
            (taken[:, 0] >= left + width)
            | (taken[:, 2] <= left)
            | (taken[:, 1] >= top + height)
            | (taken[:, 3] <= top)
        )
        if apart.all() and like_road(image[top : top + height, left : left + width]):
            return left, top
    return None


def like_road(pixels: npt.NDArray[np.uint8]) -> bool:
    """Return whether pixels are grey and even: not grass, marking, kerb or the black edge of a warped picture.

    Parameters
    ----------
    pixels
        Blue, green, red; shape (..., 3).
    """
    mean, scatter = (part.ravel() for part in cv2.meanStdDev(pixels.reshape(-1, 1, 3)))
    light = float(mean.mean())
    return bool(
        mean.min() > _DARKEST and np.ptp(mean) < 4 + _COLOUR * light and scatter.max() < 8 + _SCATTER * light
    )
