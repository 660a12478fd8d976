"""A single crack in a window: its middle line as far as it is really seen, and its edges."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from serayu.vision.detection import Image, Points
from serayu.vision.ground import Values
from serayu.vision.measure.crop import Box, Crop
from serayu.vision.measure.path import cheapest_path, lengths_px, resampled, smoothed
from serayu.vision.measure.profile import Edges, crack_edges
from serayu.vision.measure.ridge import grey, ridge_response
from serayu.vision.measure.skeleton import Mask

__all__ = ["Trace", "trace_crack"]

_MARGIN_PX = 16.0  # of surface beside the box, for the profiles and so that filters see no border
_SLACK_PX = 4.0  # by which the path may leave the box
_ELONGATED = 1.5  # from this ratio of its sides on, a box says which way its crack runs
_WINDOW_PX = 9  # along the crack: evidence is averaged over it
_SEEN = 2.0  # contrast in units of the noise from which a place of a crack counts as seen
_FOUND = (
    3.2  # median contrast along it in the same units from which it is a crack: paths through mere noise reach
)
# 2.9 in one of 20 drawn pictures, and marked cracks of survey-car views 2.4 in 95 and 4.3 in 75 of 100 [bench.masks]
_LEAST_LEVELS = 3.0  # grey levels of contrast below which nothing is believed, however quiet the picture
_GAP_SHARE, _GAP_PX = 0.15, 12.0  # gaps up to either are bridged, the share being of the box's longer side
_LEAST_SHARE = 0.3  # of the box's longer side that must be seen
_MIDDLE_SMOOTH_PX = 1.0  # along the middle between the edges: more cuts the bends of rough cracks short
_BESIDE_PX = 3  # along the crack: profiles are averaged over five, so those next to a gap are half of it
_END = 0.25  # of the median contrast: where a crack ends, see `_without_faint_ends`
_MASK_SLACK_PX = 7  # by which a given mask is widened before the path is confined to it


@dataclass(frozen=True, slots=True)
class Trace:
    """A crack that was found in a picture.

    Parameters
    ----------
    path_px
        Its middle line at steps of about 1 px, pixels of the whole picture, shape (n, 2).
    left_px, right_px
        Its edges at those points, shape (n, 2); NaN where they are not seen.
    seen
        The share of the line where it is seen; the rest are bridged gaps, 0-1.
    contrast
        Median contrast along it, grey levels.
    noise
        Standard deviation of the surface beside it in the same averages, grey levels.
    """

    path_px: Points
    left_px: Points
    right_px: Points
    seen: float
    contrast: float
    noise: float

    @property
    def widths_px(self) -> Values:
        """Return the widths along the line, px, shape (n,); NaN where it is not seen."""
        widths: Values = np.hypot(*(self.right_px - self.left_px).T)
        return widths

    def outline_px(self) -> Points:
        """Return the closed outline of the crack, pixels of the whole picture, shape (2 n, 2)."""
        middle = self.path_px
        half = np.nan_to_num(0.5 * self.widths_px, nan=float(np.nanmedian(self.widths_px)) / 2)
        tangents = np.gradient(middle, axis=0)
        normals = np.column_stack((-tangents[:, 1], tangents[:, 0])) / np.hypot(*tangents.T)[:, None]
        return np.concatenate((middle - half[:, None] * normals, (middle + half[:, None] * normals)[::-1]))


def trace_crack(image: Image, xyxy_px: Box, *, within: tuple[Points, ...] = ()) -> Trace | None:
    """Follow the crack of a box; None where none stands out from the surface.

    The cheapest path along dark lines is searched from one end of the box to the other, then kept only where it is
    darker than the surface beside it by `_SEEN` times the noise, with short gaps bridged, and only if its median
    contrast is `_FOUND` times the noise: a cheapest path is somewhat dark in any noise. Of a forked crack the
    cheapest way is followed.

    Parameters
    ----------
    within
        Outlines of a mask, which the path is to keep to.
    """
    crop = Crop.of(image, xyxy_px, margin_px=_MARGIN_PX)
    if crop is None:
        return None
    levels = grey(crop.image)
    ridge = ridge_response(levels)
    mask = _mask(crop, within)
    left, top, right, bottom = crop.box_px
    rows = slice(max(int(top - _SLACK_PX), 0), int(np.ceil(bottom + _SLACK_PX)))
    columns = slice(max(int(left - _SLACK_PX), 0), int(np.ceil(right + _SLACK_PX)))
    inner, inner_mask = ridge[rows, columns], None if mask is None else mask[rows, columns]
    long_px = max(right - left, bottom - top)
    found = []
    for down in _ways(right - left, bottom - top):
        path = cheapest_path(inner, down=down, within=inner_mask) + np.array([columns.start, rows.start])
        path = resampled(smoothed(path))
        if len(path) > _WINDOW_PX:
            edges = crack_edges(levels, path)
            found.append(_kept(path, edges, long_px=long_px))
    traces = [trace for trace in found if trace is not None]
    if not traces:
        return None
    best = max(traces, key=lambda one: len(one.path_px) * one.seen)
    return Trace(
        crop.to_picture(best.path_px),
        crop.to_picture(best.left_px),
        crop.to_picture(best.right_px),
        best.seen,
        best.contrast,
        best.noise,
    )


def _ways(width_px: float, height_px: float) -> tuple[bool, ...]:
    """Return which ways to search: down, across, or both."""
    if height_px >= _ELONGATED * width_px:
        return (True,)
    return (False,) if width_px >= _ELONGATED * height_px else (True, False)


def _mask(crop: Crop, outlines: tuple[Points, ...]) -> Mask | None:
    if not outlines:
        return None
    canvas = np.zeros(crop.image.shape[:2], np.uint8)
    for outline in outlines:
        corners = np.floor(crop.to_window(outline)).astype(np.int32)
        cv2.fillPoly(canvas, [corners], 1)
    side = 2 * _MASK_SLACK_PX + 1
    return cv2.dilate(canvas, np.ones((side, side), np.uint8)).astype(np.bool_)


def _kept(path: Points, edges: Edges, *, long_px: float) -> Trace | None:
    """Return the longest run of a path that is seen, gaps bridged; None where that is too little."""
    contrast = uniform_filter1d(edges.contrast, _WINDOW_PX, mode="nearest")
    seen = contrast >= max(_SEEN * edges.noise, _LEAST_LEVELS)
    run = _longest_run(seen, gap=int(max(_GAP_SHARE * long_px, _GAP_PX)))
    if run is None:
        return None
    run = _without_faint_ends(edges.contrast, run)
    typical = float(np.median(edges.contrast[run]))
    hidden = ~seen[run] | np.isnan(edges.widths_px[run])
    found = typical >= max(_FOUND * edges.noise, _LEAST_LEVELS) and not hidden.all()
    if not found or lengths_px(path[run])[-1] < _LEAST_SHARE * long_px:
        return None
    left, right = (np.where(hidden[:, None], np.nan, side[run]) for side in (edges.left_px, edges.right_px))
    beside = maximum_filter1d(hidden, 2 * _BESIDE_PX + 1)
    middle = np.where(beside[:, None], path[run], 0.5 * (left + right))
    middle = smoothed(middle, sigma_px=_MIDDLE_SMOOTH_PX)
    return Trace(middle, left, right, 1.0 - float(hidden.mean()), typical, edges.noise)


def _without_faint_ends(contrast: Values, run: slice) -> slice:
    """Return a run cut where it first and last has a quarter of its median contrast.

    Cracks thin out towards their ends, and the contrast of what is narrower than a pixel or two goes with its width:
    half of the contrast, the rule of edges, is there half of the width, a decimetre or more before the end. A quarter
    makes a blunt end longer by about half a pixel, as the blur of the picture falls off so fast; less would let the
    averaging that found the run, over `_WINDOW_PX`, go on beyond the end. [project proposal]
    """
    clear = np.flatnonzero(contrast[run] >= _END * np.median(contrast[run]))
    return slice(run.start + int(clear[0]), run.start + int(clear[-1]) + 1)


def _longest_run(seen: npt.NDArray[np.bool_], *, gap: int) -> slice | None:
    """Return the longest stretch between seen places whose gaps are at most so long."""
    places = np.flatnonzero(seen)
    if not places.size:
        return None
    parts = np.split(places, np.flatnonzero(np.diff(places) > gap) + 1)
    longest = max(parts, key=lambda part: part[-1] - part[0])
    return slice(int(longest[0]), int(longest[-1]) + 1)
