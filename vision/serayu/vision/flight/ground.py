"""The painted ground in squares that are painted once and kept while photos need them."""

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from serayu.vision.detection import Image
from serayu.vision.flight.defects import Defects
from serayu.vision.flight.look import Look
from serayu.vision.flight.noise import Noise, Raster
from serayu.vision.flight.scene import Scene
from serayu.vision.flight.site import FloatArray
from serayu.vision.flight.surface import Surface

__all__ = ["Ground", "Mosaic"]

_SIZE = 512  # texels on a side of a square
_PAD = 8  # texels painted beyond it, so that blurs agree across its edges
_KEPT = 160  # squares, 0.8 MB each


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Joined squares.

    Parameters
    ----------
    picture
        Blue, green, red; rows along y, columns along x.
    column, row
        Index of its first texel.
    texel_m
        Size of a texel.
    """

    picture: Image
    column: int
    row: int
    texel_m: float


@dataclass(slots=True)
class Ground:
    """Paints squares of a scene's ground on demand.

    Parameters
    ----------
    scene
        What lies there.
    """

    scene: Scene
    _surface: Surface = field(init=False)
    _defects: Defects = field(init=False)
    _squares: OrderedDict[tuple[int, int, float], Image] = field(init=False, default_factory=OrderedDict)

    def __post_init__(self) -> None:
        look, noise = Look.drawn(self.scene.seed), Noise(self.scene.seed)
        self._surface = Surface(self.scene, look, noise)
        self._defects = Defects(self.scene, look, noise)

    def mosaic(self, site_m: FloatArray, *, texel_m: float) -> Mosaic:
        """Return the ground under points, shape (rows, columns, 2) on a regular grid of a photo's pixels.

        Only squares near one of the points are painted; the points must lie closer together than a square is wide.
        """
        known = site_m[np.isfinite(site_m).all(axis=-1)]
        spots: npt.NDArray[np.int64] = np.unique(np.floor(known / (texel_m * _SIZE)).astype(np.int64), axis=0)
        # A point's neighbours in the photo may fall on the next square: one more all round a border point.
        near = (known / (texel_m * _SIZE))[:, None, :] + np.array(
            [[0.1, 0.1], [0.1, -0.1], [-0.1, 0.1], [-0.1, -0.1]]
        )
        spots = np.unique(np.vstack((spots, np.floor(near).astype(np.int64).reshape(-1, 2))), axis=0)
        low, high = spots.min(axis=0), spots.max(axis=0) + 1
        width, height = (high - low) * _SIZE
        picture = np.zeros((height, width, 3), np.uint8)
        for column, row in spots:
            x, y = (column - low[0]) * _SIZE, (row - low[1]) * _SIZE
            picture[y : y + _SIZE, x : x + _SIZE] = self._square(int(column), int(row), texel_m)
        return Mosaic(picture, int(low[0]) * _SIZE, int(low[1]) * _SIZE, texel_m)

    def _square(self, column: int, row: int, texel_m: float) -> Image:
        key = (column, row, texel_m)
        if key in self._squares:
            self._squares.move_to_end(key)
            return self._squares[key]
        raster = Raster(column * _SIZE - _PAD, row * _SIZE - _PAD, _SIZE + 2 * _PAD, texel_m)
        painted = self._defects.paint(self._surface.painted(raster), raster)
        painted = self._defects.shade(painted, raster)[_PAD:-_PAD, _PAD:-_PAD]
        square: Image = np.clip(painted + np.float32(0.5), 0, 255).astype(np.uint8)
        self._squares[key] = square
        while len(self._squares) > _KEPT:
            self._squares.popitem(last=False)
        return square
