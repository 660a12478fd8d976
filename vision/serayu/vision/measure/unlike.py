"""How unlike the surface around a box each pixel is: the picture that outlines of areas are searched in."""

import cv2
import numpy as np
import numpy.typing as npt

from serayu.vision.measure.crop import Crop
from serayu.vision.measure.ridge import Grey

__all__ = ["coordinates", "unlike_surroundings"]

_SMOOTH_PX, _ROUGH_PX = 1.5, 3.0
_CAP = 8.0  # standard deviations; beyond, more is not more different
_FLOOR = 1.0  # variance in grey levels squared, so that a picture without noise has a distance
_LEAST_PIXELS = 50  # around the box, to know its surroundings from


def unlike_surroundings(crop: Crop) -> Grey:
    """Return the Mahalanobis distance of each pixel to the surroundings of the box, 0 to 8.

    Of smoothed CIE lightness and colour and of local roughness: a pothole is darker, of another colour or rougher, a
    patch mostly of another lightness. Surroundings are the pixels of the window outside the box; all, where the
    window has hardly any.
    """
    lab = cv2.cvtColor(crop.image, cv2.COLOR_BGR2LAB).astype(np.float32)
    light = lab[..., 0]
    mean = cv2.GaussianBlur(light, (0, 0), _ROUGH_PX)
    variance = cv2.GaussianBlur(light * light, (0, 0), _ROUGH_PX) - mean * mean
    smooth = cv2.GaussianBlur(lab, (0, 0), _SMOOTH_PX)
    features = np.dstack([smooth, np.sqrt(np.maximum(variance, 0.0))])
    x, y = coordinates(crop)
    left, top, right, bottom = crop.box_px
    outside = ~((x > left) & (x < right) & (y > top) & (y < bottom))
    around = features[outside] if outside.sum() >= _LEAST_PIXELS else features.reshape(-1, 4)
    middle = np.median(around, axis=0)
    spread = np.cov((around - middle).T) + _FLOOR * np.eye(4)
    off = (features - middle).reshape(-1, 4)
    squares = np.einsum("ij,ij->i", off @ np.linalg.inv(spread), off).reshape(light.shape)
    distance: Grey = np.minimum(np.sqrt(np.maximum(squares, 0.0)), _CAP).astype(np.float32)
    return distance


def coordinates(crop: Crop) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return x, shape (1, width), and y, shape (height, 1), of the centres of a window's pixels."""
    height, width = crop.image.shape[:2]
    x = np.arange(width, dtype=np.float32)[None, :] + np.float32(0.5)
    y = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
    return x, y
