"""Other cameras, heights and weathers than those of the training pictures: size, tone, blur, noise, compression."""

import cv2
import numpy as np
import numpy.typing as npt

from serayu.vision.detection import Image
from serayu.vision.training.config import Augment

__all__ = ["changed_look", "zoomed"]

_LEAST_VISIBLE = 0.25


def zoomed(
    image: Image,
    boxes_px: npt.NDArray[np.float64],
    *,
    factor: float,
    most_px: int,
    rng: np.random.Generator,
) -> tuple[Image, npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return a picture as a lower (factor above 1) or higher flight would see it.

    Parameters
    ----------
    image
        The picture; it is not changed.
    boxes_px
        Boxes, shape (n, 4).
    factor
        New pixels per old pixel.
    most_px
        Largest side of the result: what is larger is cut at a drawn place.
    rng
        Draws that place.

    Returns
    -------
    tuple
        The new picture, the boxes in it, shape (n, 4), and which of them still show a quarter or more, shape (n,).
    """
    height, width = image.shape[:2]
    new = (max(1, round(width * factor)), max(1, round(height * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    cut = tuple(min(side, most_px) for side in new)
    left, top = (int(rng.integers(side - kept + 1)) for side, kept in zip(new, cut, strict=True))
    # Cut before enlarging: the rest of a doubled picture would be computed in vain.
    scale = np.array([new[0] / width, new[1] / height])
    x0, y0 = int(left / scale[0]), int(top / scale[1])
    x1 = min(width, int(np.ceil((left + cut[0]) / scale[0])))
    y1 = min(height, int(np.ceil((top + cut[1]) / scale[1])))
    part = image[y0:y1, x0:x1]
    result = np.asarray(cv2.resize(part, cut, interpolation=way), np.uint8)
    real = np.array([cut[0] / (x1 - x0), cut[1] / (y1 - y0)])
    moved = (np.asarray(boxes_px, float).reshape(-1, 4) - [x0, y0, x0, y0]) * [*real, *real]
    clipped = np.clip(moved, 0, [cut[0], cut[1], cut[0], cut[1]])
    seen = _areas(clipped) / np.maximum(_areas(moved), 1e-9)
    return result, clipped, (seen >= _LEAST_VISIBLE) & (clipped[:, 2:] - clipped[:, :2] >= 1).all(axis=1)


def changed_look(image: Image, augment: Augment, rng: np.random.Generator) -> Image:
    """Return a picture with another tone, sharpness, noise and compression, each with its own probability.

    Parameters
    ----------
    image
        The picture; it is not changed.
    augment
        The probabilities.
    rng
        Source of every draw.
    """
    result = image
    if rng.random() < augment.tone_p:
        result = _toned(result, rng)
    if augment.shade_p and rng.random() < augment.shade_p:
        result = _dappled(result, rng)
    if rng.random() < augment.soft_p:
        result = _softened(result, rng)
    if rng.random() < augment.noise_p:
        result = _noised(result, rng)
    if rng.random() < augment.jpeg_p:
        result = _compressed(result, rng)
    return result


def _toned(image: Image, rng: np.random.Generator) -> Image:
    """Return another exposure, contrast, white balance, and perhaps a soft shadow or grey alone."""
    curve = np.arange(256, dtype=np.float32) / 255
    gamma, contrast, light = (
        np.exp(rng.uniform(-0.45, 0.45)),
        rng.uniform(0.65, 1.35),
        rng.uniform(-0.12, 0.12),
    )
    balance = np.exp(rng.uniform(-0.07, 0.07, 3))
    tables = np.stack([(curve**gamma - 0.5) * contrast + 0.5 + light for _ in range(3)], axis=1) * balance
    tables = np.clip(tables * 255, 0, 255).astype(np.uint8)
    channels = [cv2.LUT(image[..., channel], tables[:, channel]) for channel in range(3)]
    result = np.asarray(np.stack(channels, axis=2), np.uint8)
    if rng.random() < 0.1:  # noqa: PLR2004 - one in ten
        return np.asarray(
            cv2.cvtColor(cv2.cvtColor(result, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8
        )
    if rng.random() < 0.2:  # noqa: PLR2004 - one in five
        return _shaded(result, rng)
    return result


def _shaded(image: Image, rng: np.random.Generator) -> Image:
    """Return the picture under a soft irregular shadow, as of trees."""
    coarse = rng.random((int(rng.integers(3, 8)), int(rng.integers(3, 8)))).astype(np.float32)
    field = cv2.resize(coarse, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_CUBIC)
    soft = 1 / (1 + np.exp(-(field - 0.55) * rng.uniform(8, 40)))
    shade = 1 - rng.uniform(0.2, 0.6) * soft
    return np.asarray(np.clip(image * shade[..., None], 0, 255), np.uint8)


def _dappled(image: Image, rng: np.random.Generator) -> Image:
    """Return the picture with shadows of leaves on part of it: dark spots that are no holes."""
    height, width = image.shape[:2]
    cells = float(np.exp(rng.uniform(np.log(6), np.log(30))))
    across, down = (max(3, round(cells * side / max(height, width))) for side in (width, height))
    spots = cv2.resize(
        rng.random((down, across)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    part = cv2.resize(rng.random((3, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    leaf = 1 / (1 + np.exp(-(spots - rng.uniform(0.5, 0.85)) * rng.uniform(15, 50)))
    there = 1 / (1 + np.exp(-(part - rng.uniform(0.3, 0.7)) * 12))
    # A shadow is lit by the sky alone: darker, and a little bluer.
    depth = rng.uniform(0.25, 0.65) * np.array([0.92, 1.0, 1.05], np.float32)
    shade = 1 - (leaf * there)[..., None] * depth
    return np.asarray(np.clip(image * shade, 0, 255), np.uint8)


def _softened(image: Image, rng: np.random.Generator) -> Image:
    """Return it out of focus, moved, or enlarged from fewer pixels."""
    kind = int(rng.integers(3))
    if kind == 0:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.5, 1.8))), np.uint8)
    if kind == 1:
        length = int(rng.integers(3, 8))
        kernel = np.zeros((length, length), np.float32)
        angle = rng.uniform(0, np.pi)
        middle = (length - 1) / 2
        for step in np.linspace(-middle, middle, 4 * length):
            kernel[round(middle + step * np.sin(angle)), round(middle + step * np.cos(angle))] += 1
        return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)
    factor = float(rng.uniform(0.4, 0.8))
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(
        cv2.resize(small, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8
    )


def _noised(image: Image, rng: np.random.Generator) -> Image:
    """Return it with the noise of a small sensor: partly alike in all colours."""
    sigma = float(rng.uniform(2, 10))
    alike = rng.standard_normal(image.shape[:2], dtype=np.float32)
    # Each colour's own part is the same field, moved: drawing three more would take as long as a step of the network.
    apart = np.stack([np.roll(alike, int(rng.integers(alike.size))) for _ in range(3)], axis=2)
    return np.clip(image + sigma * (0.8 * alike[..., None] + 0.5 * apart), 0, 255).astype(np.uint8)


def _compressed(image: Image, rng: np.random.Generator) -> Image:
    """Return it after a JPEG of low quality."""
    good, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 85))])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR) if good else None
    return image if decoded is None else np.asarray(decoded, np.uint8)


def _areas(boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), float)
