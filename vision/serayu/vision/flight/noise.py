"""Endless smooth noise that has the same value at the same ground point, whichever raster asks for it."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from serayu.vision.flight.road import Grid

__all__ = ["Noise", "Raster", "generator"]

_CELLS = 512  # of one period; a power of two
_GRAIN_CELLS = 1024
_WRAP = 8  # more than four times the widest smoothing


@dataclass(frozen=True, slots=True)
class Raster:
    """A square raster on the ground: rows along y, columns along x, both growing.

    Parameters
    ----------
    column, row
        Index of its first texel in the endless raster of this texel size.
    size
        Texels on a side.
    texel_m
        Size of a texel.
    """

    column: int
    row: int
    size: int
    texel_m: float

    @property
    def left_m(self) -> float:
        """Return x of the left edge."""
        return self.column * self.texel_m

    @property
    def low_m(self) -> float:
        """Return y of the low edge."""
        return self.row * self.texel_m

    @property
    def side_m(self) -> float:
        """Return the length of a side."""
        return self.size * self.texel_m

    def centres(self) -> tuple[Grid, Grid]:
        """Return x and y of the texels' centres, each of shape (size, size)."""
        steps = (np.arange(self.size) + 0.5) * self.texel_m
        x = np.broadcast_to((self.left_m + steps).astype(np.float32), (self.size, self.size))
        y = np.broadcast_to((self.low_m + steps).astype(np.float32)[:, None], (self.size, self.size))
        return x, y


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """Return random numbers of their own for a purpose, so that more of one thing changes no other thing."""
    words = [int.from_bytes(str(word).encode()[:8], "little") for word in purpose]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


class Noise:
    """Periodic lattices of smooth noise with mean 0 and standard deviation 1, one for each name.

    Parameters
    ----------
    seed
        Of the flight.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lattices: dict[tuple[str, int], Grid] = {}

    def field(self, name: str, raster: Raster, *, cell_m: float) -> Grid:
        """Return noise whose features are about two cells wide, at the texels of a raster."""
        lattice = self._lattice(name, _CELLS)
        first_x, first_y = raster.left_m / cell_m, raster.low_m / cell_m
        step = raster.texel_m / cell_m
        left, low = int(np.floor(first_x)) - 2, int(np.floor(first_y)) - 2
        count = int(np.ceil(raster.size * step)) + 6
        columns, rows = (left + np.arange(count)) % _CELLS, (low + np.arange(count)) % _CELLS
        shift_x, shift_y = first_x - left + step / 2, first_y - low + step / 2
        change = np.array([[step, 0, shift_x], [0, step, shift_y]])
        field: Grid = cv2.warpAffine(
            lattice[np.ix_(rows, columns)],
            change,
            (raster.size, raster.size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return field

    def at(self, name: str, u: Grid, v: Grid) -> Grid:
        """Return noise at any coordinates, counted in cells, of the coordinates' shape."""
        u0, v0 = float(np.floor(u.min())), float(np.floor(v.min()))
        width, height = int(u.max() - u0) + 3, int(v.max() - v0) + 3
        columns, rows = (int(u0) + np.arange(width)) % _CELLS, (int(v0) + np.arange(height)) % _CELLS
        cut = self._lattice(name, _CELLS)[np.ix_(rows, columns)]
        found: Grid = cv2.remap(
            cut,
            (u - np.float32(u0)).astype(np.float32),
            (v - np.float32(v0)).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return found

    def line(self, name: str, cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return noise along one axis, counted in cells, shape (n,)."""
        row = self._lattice(name, _CELLS)[0].astype(float)
        along: npt.NDArray[np.float64] = np.interp(
            cells % _CELLS, np.arange(_CELLS + 1), np.append(row, row[0])
        )
        return along

    def grain(self, name: str, raster: Raster, *, sigma: float) -> Grid:
        """Return noise of the texels' own size, smoothed by so many texels."""
        lattice = self._lattice(f"{name} {sigma}", _GRAIN_CELLS, sigma)
        columns = (raster.column + np.arange(raster.size)) % _GRAIN_CELLS
        rows = (raster.row + np.arange(raster.size)) % _GRAIN_CELLS
        return lattice[np.ix_(rows, columns)]

    def _lattice(self, name: str, cells: int, sigma: float = 0.7) -> Grid:
        key = (name, cells)
        if key not in self._lattices:
            rng = generator(self._seed, "noise", *_letters(name))
            white = rng.standard_normal((cells, cells), dtype=np.float32)
            wrapped = cv2.copyMakeBorder(white, _WRAP, _WRAP, _WRAP, _WRAP, cv2.BORDER_WRAP)
            smooth = cv2.GaussianBlur(wrapped, (0, 0), sigma)[_WRAP:-_WRAP, _WRAP:-_WRAP]
            self._lattices[key] = (smooth - smooth.mean()) / smooth.std()
        return self._lattices[key]


def _letters(name: str) -> list[int]:
    return list(name.encode())
