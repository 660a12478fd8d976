"""Dark lines in a picture: grey level, and how much each pixel looks like the middle of a dark line."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from serayu.vision.detection import Image

__all__ = ["Grey", "grey", "ridge_response"]

Grey = npt.NDArray[np.float32]
"""Grey levels or a response to a filter, shape (height, width)."""

_SCALES_PX = (1.0, 1.8, 3.2, 5.6)  # standard deviations: lines of about 2 to 16 px [project proposal]


def grey(image: Image) -> Grey:
    """Return luma (ITU-R BT.601, as OpenCV weighs it), 0-255."""
    levels: Grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return levels


def ridge_response(levels: Grey, *, scales_px: Sequence[float] = _SCALES_PX) -> Grey:
    """Return how strongly each pixel lies on a dark line, >= 0, of the best of several scales.

    At each scale it is the larger eigenvalue of the Hessian of the smoothed picture times the scale squared
    [Lindeberg 1998, edge and ridge detection with automatic scale selection, with gamma = 1; the filter of Sato et
    al. 1998 for two dimensions]. scikit-image's `sato` gives the same maps but takes about 40 times as long, which
    is more than the whole measurement may take. A slow change of light has no second derivative and so no response.
    """
    best = np.zeros_like(levels)
    for scale in scales_px:
        smooth = cv2.GaussianBlur(levels, (0, 0), scale)
        xx = cv2.Sobel(smooth, cv2.CV_32F, 2, 0, ksize=3, scale=0.25)
        yy = cv2.Sobel(smooth, cv2.CV_32F, 0, 2, ksize=3, scale=0.25)
        xy = cv2.Sobel(smooth, cv2.CV_32F, 1, 1, ksize=3, scale=0.25)
        larger = 0.5 * (xx + yy) + np.sqrt(0.25 * (xx - yy) ** 2 + xy**2)
        np.maximum(best, larger * np.float32(scale * scale), out=best)
    return best
