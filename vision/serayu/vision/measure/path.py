"""The way of a crack through a window: the cheapest path along dark lines from one end of its box to the other."""

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from skimage.graph import MCP_Geometric

from serayu.vision.detection import Points
from serayu.vision.measure.ridge import Grey
from serayu.vision.measure.skeleton import Mask

__all__ = ["cheapest_path", "lengths_px", "resampled", "smoothed"]

_CELLS = 12_000  # of the search; larger windows are pooled, so that the search takes milliseconds
_FLOOR = 0.04  # response of a pixel without any line, of the strongest: a gap costs 25 times a clear line
_OUTSIDE = 0.1  # of the response is left outside a given mask
_SMOOTH_PX = 2.0  # takes the staircase of the pixels out of a path, whose length would be up to 8 % too long


def cheapest_path(ridge: Grey, *, down: bool, within: Mask | None = None) -> Points:
    """Return the middle line of a crack, pixels from one side of the window to the other, shape (n, 2).

    Parameters
    ----------
    ridge
        Response of `ridge_response`.
    down
        From the top to the bottom; otherwise from the left to the right.
    within
        Pixels of a given mask, which the path hardly leaves.
    """
    response = ridge if within is None else np.where(within, ridge, _OUTSIDE * ridge)
    factor = int(np.ceil(np.sqrt(response.size / _CELLS)))
    pooled = _pooled(response, factor)
    pooled = pooled if down else pooled.T
    strongest = float(np.quantile(pooled, 0.99)) or 1.0
    cost = 1.0 / (_FLOOR + np.minimum(pooled / strongest, 1.0))
    last = pooled.shape[0] - 1
    columns = range(pooled.shape[1])
    search = MCP_Geometric(cost.astype(np.float64), fully_connected=True)
    ends = [(last, column) for column in columns]
    costs, _ = search.find_costs([(0, column) for column in columns], ends, find_all_ends=False)
    end = ends[int(np.argmin(costs[last]))]
    steps = np.array(search.traceback(end), dtype=np.float64)
    points: Points = (steps[:, ::-1] if down else steps) + 0.5
    return points * factor


def _pooled(response: Grey, factor: int) -> npt.NDArray[np.float32]:
    """Return the strongest response in each square of pixels; the last ones repeat the edge."""
    if factor == 1:
        return response
    rows, columns = (-(-size // factor) * factor for size in response.shape)
    whole = cv2.copyMakeBorder(
        response, 0, rows - response.shape[0], 0, columns - response.shape[1], cv2.BORDER_REPLICATE
    )
    pooled: npt.NDArray[np.float32] = whole.reshape(rows // factor, factor, columns // factor, factor).max(
        (1, 3)
    )
    return pooled


def lengths_px(path: Points) -> npt.NDArray[np.float64]:
    """Return the distance along a path from its start to each point, shape (n,)."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    return np.concatenate(([0.0], np.cumsum(steps)))


def smoothed(path: Points, *, sigma_px: float = _SMOOTH_PX) -> Points:
    """Return a path without the staircase of its pixels; its ends stay about where they are."""
    smooth: Points = gaussian_filter1d(path, sigma_px, axis=0, mode="nearest")
    return smooth


def resampled(path: Points, *, step_px: float = 1.0) -> Points:
    """Return points along a path at about equal steps, its ends among them."""
    along = lengths_px(path)
    if along[-1] == 0:
        return path[:1]
    places = np.linspace(0.0, along[-1], max(round(along[-1] / step_px), 1) + 1)
    return np.column_stack([np.interp(places, along, path[:, axis]) for axis in (0, 1)])
