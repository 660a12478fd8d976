"""Outline of a roundish thing in a box (a pothole): an ellipse, drawn to the edges that the picture shows."""

import cv2
import numpy as np
import numpy.typing as npt

from serayu.vision.detection import Points
from serayu.vision.measure.crop import Crop
from serayu.vision.measure.ridge import Grey
from serayu.vision.measure.unlike import unlike_surroundings

__all__ = ["FILL", "blob_outline", "ellipse_outline"]

FILL = 0.94
"""Size of a pothole against the ellipse in its box: root of the median ratio of areas, 0.88, of 529 human outlines
in top views (`bench.masks`, train half of the data)."""

_ANGLES = 72
_RADII = np.linspace(0.4, 1.3, 46)  # of the ellipse of the box
_WINDOW = 8  # radii on each side of an edge that are compared
_PRIOR, _PRIOR_WIDTH = 3.0, 0.25  # [chosen on the train half, bench.masks]
_TURN = 2  # radii by which neighbouring rays may differ
_ROUGHNESS = 0.08  # cost of each such step, in units of a clear edge
_WRAP = 12  # rays that are searched twice, so that the ends meet


def ellipse_outline(crop: Crop, *, fill: float = FILL) -> Points:
    """Return the ellipse of the box, scaled, in pixels of the window, shape (72, 2)."""
    return _outline(crop, np.full(_ANGLES, fill))


def blob_outline(crop: Crop, *, distance: Grey | None = None, fill: float = FILL) -> Points:
    """Return the outline of a roundish thing, in pixels of the window, shape (72, 2).

    Rays from the middle of the box, in units of its ellipse; on each, the place where what is unlike the
    surroundings ends, pulled towards the usual size *fill* and to its neighbours' [star-shaped outline by dynamic
    programming, as in snakes of Kass et al. 1988]. Where the picture shows no edge the pull alone decides: an
    ellipse.

    Parameters
    ----------
    distance
        What the thing has more of than its surroundings, shape of the window; `unlike_surroundings` if not given.
    fill
        Usual size of the thing in units of the ellipse in its box.
    """
    levels = unlike_surroundings(crop) if distance is None else distance
    rays = cv2.remap(levels, *_rays(crop), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    gain = _edges(rays.astype(np.float64)) - _PRIOR * ((_RADII - fill) / _PRIOR_WIDTH) ** 2
    wrapped = np.vstack((gain[-_WRAP:], gain, gain[:_WRAP]))
    return _outline(crop, _RADII[_best_way(wrapped)[_WRAP:-_WRAP]])


def _frame(crop: Crop) -> tuple[float, float, float, float]:
    left, top, right, bottom = crop.box_px
    return (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2


def _outline(crop: Crop, radii: npt.NDArray[np.float64]) -> Points:
    x, y, half_width, half_height = _frame(crop)
    angles = np.linspace(0, 2 * np.pi, _ANGLES, endpoint=False)
    return np.column_stack(
        (x + half_width * radii * np.cos(angles), y + half_height * radii * np.sin(angles))
    )


def _rays(crop: Crop) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    x, y, half_width, half_height = _frame(crop)
    angles = np.linspace(0, 2 * np.pi, _ANGLES, endpoint=False)
    columns = x - 0.5 + half_width * np.outer(np.cos(angles), _RADII)
    rows = y - 0.5 + half_height * np.outer(np.sin(angles), _RADII)
    return columns.astype(np.float32), rows.astype(np.float32)


def _edges(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the drop of the distance outwards at each radius, a clear edge of the thing being 1."""
    sums = np.cumsum(np.pad(distance, ((0, 0), (1, 0))), axis=1)
    place = np.arange(distance.shape[1])
    before, after = np.maximum(place - _WINDOW, 0), np.minimum(place + _WINDOW, distance.shape[1])
    inside = (sums[:, place] - sums[:, before]) / np.maximum(place - before, 1)
    outside = (sums[:, after] - sums[:, place]) / np.maximum(after - place, 1)
    drop = inside - outside
    clear = max(float(np.quantile(np.abs(drop), 0.9)), 1e-3)
    edges: npt.NDArray[np.float64] = drop / clear
    return edges


def _best_way(gain: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the radius on each ray with the largest sum of gains, neighbours differing by at most `_TURN`."""
    rays, radii = gain.shape
    turns = np.arange(-_TURN, _TURN + 1)
    price = _ROUGHNESS * np.abs(turns)[:, None]
    best = gain[0].copy()
    came = np.zeros((rays, radii), dtype=np.intp)
    for ray in range(1, rays):
        padded = np.pad(best, _TURN, constant_values=-np.inf)
        options = np.stack([padded[_TURN + turn : _TURN + turn + radii] for turn in turns]) - price
        chosen = options.argmax(axis=0)
        came[ray] = np.arange(radii) + turns[chosen]
        best = options[chosen, np.arange(radii)] + gain[ray]
    way = np.empty(rays, dtype=np.intp)
    way[-1] = int(best.argmax())
    for ray in range(rays - 1, 0, -1):
        way[ray - 1] = came[ray, way[ray]]
    return way
