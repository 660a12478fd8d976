"""The part of a picture around a detection, so that work depends on the size of the thing, not of the picture."""

from dataclasses import dataclass

import numpy as np

from serayu.vision.detection import Image, Points

__all__ = ["Box", "Crop"]

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A window of a picture with the box of a detection in it.

    Parameters
    ----------
    image
        The window's pixels, a view where possible.
    left, top
        The window's upper left corner in the whole picture, px.
    box_px
        The box in pixels of the window, cut to the picture.
    """

    image: Image
    left: int
    top: int
    box_px: Box

    @classmethod
    def of(cls, image: Image, xyxy_px: Box, *, margin_px: float) -> "Crop | None":
        """Cut a window with a margin; None where less than 3 x 3 px of the box lie in the picture."""
        height, width = image.shape[:2]
        if not np.all(np.isfinite(xyxy_px)):
            return None
        box = (max(xyxy_px[0], 0.0), max(xyxy_px[1], 0.0), min(xyxy_px[2], width), min(xyxy_px[3], height))
        if box[2] - box[0] < _SMALLEST_PX or box[3] - box[1] < _SMALLEST_PX:
            return None
        left, top = (int(max(np.floor(edge - margin_px), 0)) for edge in box[:2])
        right = int(min(np.ceil(box[2] + margin_px), width))
        bottom = int(min(np.ceil(box[3] + margin_px), height))
        inner = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
        return cls(image[top:bottom, left:right], left, top, inner)

    def to_picture(self, points: Points) -> Points:
        """Return points of the window as points of the whole picture, shape (n, 2)."""
        moved: Points = points + np.array([self.left, self.top])
        return moved

    def to_window(self, points: Points) -> Points:
        """Return points of the whole picture as points of the window, shape (n, 2)."""
        moved: Points = points - np.array([self.left, self.top])
        return moved


_SMALLEST_PX = 3.0  # below that nothing has a shape
