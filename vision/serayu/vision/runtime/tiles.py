"""How a picture is cut into tiles that overlap: what the network sees at once."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serayu.vision.detection import Image

__all__ = ["DEFAULT_OVERLAP", "PAD_VALUE", "Tiles", "cut_tile", "plan_tiles"]

DEFAULT_OVERLAP = 0.2
"""Share of a tile's side that it has in common with the next at least; as in the measurements beside SAHI."""

PAD_VALUE = 114
"""Grey of the margin and around pictures smaller than a tile: the value that ultralytics trains with."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """The tiles of one picture, row by row.

    Parameters
    ----------
    xyxy_px
        Rectangles of the tiles inside the picture, shape (n, 4), integers.
    inset_px
        Where in the network's square each one's upper left corner lies, shape (n, 2), integers.
    side_px
        Side of the square that the network sees; around a smaller tile it is grey.
    width_px, height_px
        Size of the picture.
    """

    xyxy_px: npt.NDArray[np.int64]
    inset_px: npt.NDArray[np.int64]
    side_px: int
    width_px: int
    height_px: int

    def __len__(self) -> int:
        return len(self.xyxy_px)


def plan_tiles(
    width_px: int, height_px: int, *, side_px: int, overlap: float = DEFAULT_OVERLAP, margin_px: int = 0
) -> Tiles:
    """Return the fewest tiles that cover a picture and a margin around it with at least so much overlap, spread evenly.

    Even spreading gives every pair of neighbours the same overlap, where a last tile moved inwards would see most of
    its picture twice.

    Parameters
    ----------
    width_px, height_px
        Size of the picture, at least 1.
    side_px
        Side of a tile.
    overlap
        Least share of the side in common, above 0 and at most 0.9.
    margin_px
        Width of the grey margin, below half of the side.

    Raises
    ------
    ValueError
        A size is below 1 or the overlap or margin outside its range.
    """
    if width_px < 1 or height_px < 1 or side_px < 1:
        raise ValueError(f"no tiles of {side_px} px in a picture of {width_px} × {height_px} px")
    if not 0 < overlap <= 0.9:  # noqa: PLR2004
        raise ValueError(f"the overlap must be above 0 and at most 0.9, not {overlap}")
    if not 0 <= 2 * margin_px < side_px:
        raise ValueError(f"a margin of {margin_px} px leaves nothing of a tile of {side_px} px")
    columns, rows = (_starts(length + 2 * margin_px, side_px, overlap) for length in (width_px, height_px))
    corners = np.array([(x, y) for y, x in itertools.product(rows, columns)], dtype=np.int64) - margin_px
    low = np.maximum(corners, 0)
    high = np.minimum(corners + side_px, (width_px, height_px))
    return Tiles(np.concatenate([low, high], axis=1), low - corners, side_px, width_px, height_px)


def cut_tile(image: Image, tiles: Tiles, index: int, *, into: Image) -> None:
    """Copy a tile into a square buffer of shape (side, side, 3), grey where the picture ends."""
    left, top, right, bottom = tiles.xyxy_px[index]
    x, y = tiles.inset_px[index]
    below, beside = y + bottom - top, x + right - left
    into[:y] = PAD_VALUE
    into[below:] = PAD_VALUE
    into[y:below, :x] = PAD_VALUE
    into[y:below, beside:] = PAD_VALUE
    into[y:below, x:beside] = image[top:bottom, left:right]


def _starts(length: int, side: int, overlap: float) -> list[int]:
    """Return the left (or upper) ends of the tiles along one side of the picture."""
    if length <= side:
        return [0]
    steps = math.ceil((length - side) / (side * (1 - overlap)))
    return [round(step * (length - side) / steps) for step in range(steps + 1)]
