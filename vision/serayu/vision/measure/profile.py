"""Edges of a crack from the grey levels across it, finer than a pixel."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

from serayu.vision.detection import Points
from serayu.vision.ground import Values
from serayu.vision.measure.ridge import Grey

__all__ = ["Edges", "crack_edges"]

_STEP_PX = 0.25  # of the samples across
_ALONG = 5  # profiles that are averaged along the crack, about one per px: takes noise out, keeps bends
_REACHES_PX = (
    12.0,
    24.0,
    48.0,
)  # half lengths of profiles, tried until the crack fills less than half of one
_MIDDLE = 1 / 3  # of the reach: how far the darkest place may lie from the path
_OUTER = 2 / 3  # of the reach: from there on the surface beside the crack is looked at
_MAD_TO_SIGMA = 1.4826  # of a normal distribution


@dataclass(frozen=True, slots=True)
class Edges:
    """A crack across, at points along it.

    Parameters
    ----------
    left_px, right_px
        Its two edges at half of the contrast, shape (n, 2); NaN where there is no such edge.
    contrast
        How much darker it is than the surface beside it, grey levels, shape (n,).
    noise
        Standard deviation of the averaged profiles beside the crack, grey levels: what contrast must be seen against.
    """

    left_px: Points
    right_px: Points
    contrast: Values
    noise: float

    @property
    def widths_px(self) -> Values:
        """Return the distance between the edges; NaN where one is missing."""
        widths: Values = np.hypot(*(self.right_px - self.left_px).T)
        return widths


def crack_edges(levels: Grey, path: Points) -> Edges:
    """Measure a crack across its path.

    Each edge is where the grey level passes half-way between the darkest place of the crack and the surface on that
    side: the mid-grey threshold has the smallest error in width where edge pixels are mixed [Cho et al. 2018, DOI
    10.3390/s18082644]. A crack much narrower than the blur of the picture looks as wide as the blur.

    Parameters
    ----------
    levels
        Grey levels.
    path
        Points along the middle of the crack at steps of about 1 px, shape (n, 2), n >= 2.
    """
    normals = _normals(path)
    for reach_px in _REACHES_PX:
        edges = _edges(levels, path, normals, reach_px)
        widths = edges.widths_px[np.isfinite(edges.widths_px)]
        if widths.size and np.median(widths) <= reach_px / 2:
            break
    return edges


def _normals(path: Points) -> Points:
    tangents = np.gradient(path, axis=0)
    tangents = uniform_filter1d(tangents, 2 * _ALONG + 1, axis=0, mode="nearest")
    lengths = np.maximum(np.hypot(*tangents.T), 1e-9)[:, None]
    normals: Points = np.column_stack((-tangents[:, 1], tangents[:, 0])) / lengths
    return normals


def _edges(levels: Grey, path: Points, normals: Points, reach_px: float) -> Edges:
    across = np.arange(-reach_px, reach_px + _STEP_PX / 2, _STEP_PX)
    places = path[:, None, :] + across[None, :, None] * normals[:, None, :]
    # remap counts from pixel centres, the pictures' coordinates from corners
    sampled = cv2.remap(
        levels,
        (places[..., 0] - 0.5).astype(np.float32),
        (places[..., 1] - 0.5).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    profiles = uniform_filter1d(sampled.astype(np.float64), _ALONG, axis=0, mode="nearest")
    left_side = np.median(profiles[:, across < -_OUTER * reach_px], axis=1)
    right_side = np.median(profiles[:, across > _OUTER * reach_px], axis=1)
    middle = np.flatnonzero(np.abs(across) <= max(_MIDDLE * reach_px, 3.0))
    darkest = middle[0] + np.argmin(profiles[:, middle], axis=1)
    dark = profiles[np.arange(len(path)), darkest]
    right = _crossing(profiles, darkest, 0.5 * (dark + right_side))
    left = _crossing(profiles[:, ::-1], len(across) - 1 - darkest, 0.5 * (dark + left_side))
    return Edges(
        left_px=path + (reach_px - _STEP_PX * left)[:, None] * normals,
        right_px=path + (_STEP_PX * right - reach_px)[:, None] * normals,
        contrast=np.minimum(left_side, right_side) - dark,
        noise=_noise(profiles, across, reach_px),
    )


def _crossing(profiles: npt.NDArray[np.float64], start: npt.NDArray[np.intp], level: Values) -> Values:
    """Return the first place after *start* where each profile reaches its level, in samples; NaN without one."""
    samples = np.arange(profiles.shape[1])
    reached = (profiles >= level[:, None]) & (samples[None, :] > start[:, None])
    first = np.argmax(reached, axis=1)
    rows = np.arange(len(profiles))
    before, after = profiles[rows, np.maximum(first - 1, 0)], profiles[rows, first]
    rise = after - before
    share = np.clip((level - before) / np.where(rise > 0, rise, 1.0), 0.0, 1.0)
    return np.where(reached.any(axis=1), first - 1 + share, np.nan)


def _noise(profiles: npt.NDArray[np.float64], across: Values, reach_px: float) -> float:
    sides = [profiles[:, across < -_OUTER * reach_px], profiles[:, across > _OUTER * reach_px]]
    offsets = np.concatenate([(side - np.median(side, axis=1, keepdims=True)).ravel() for side in sides])
    return float(_MAD_TO_SIGMA * np.median(np.abs(offsets)))
