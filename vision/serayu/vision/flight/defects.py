"""Paints defects, scars, trees and their shadows over the ground, anti-aliased at their true sizes."""

import cv2
import numpy as np
import numpy.typing as npt
from shapely.geometry import Polygon
from skimage.draw import polygon

from serayu.models.survey.finding import CRACKS, DefectClass
from serayu.vision.flight.look import Look
from serayu.vision.flight.noise import Noise, Raster
from serayu.vision.flight.road import Grid
from serayu.vision.flight.scene import Scene
from serayu.vision.flight.shapes import STEP_M
from serayu.vision.flight.site import FloatArray
from serayu.vision.flight.surface import mixed, smooth_step
from serayu.vision.flight.thing import Crack, Thing, crack_outline

__all__ = ["Defects"]

_FINER = 4  # finer texels on a side under edges
_CRACK_FINER = 6  # and under cracks
_HALF = 0.5
_PIECE = 12  # steps of a crack that are drawn at once
_SHIFT = 4  # fractional bits of OpenCV's polygon corners
_REACH_M = 0.35  # how far beyond its outline a thing changes the ground
_BOTTOM: tuple[float, float, float] = (38.0, 40.0, 42.0)  # of an open crack


class Defects:
    """Paints what lies on the ground of a scene.

    Parameters
    ----------
    scene, look, noise
        As for the surface below.
    """

    def __init__(self, scene: Scene, look: Look, noise: Noise) -> None:
        self._scene, self._look, self._noise = scene, look, noise
        order = {DefectClass.LANDSLIDE: 0, DefectClass.PATCH_REPAIR: 1, DefectClass.ALLIGATOR_CRACK: 2}
        self._things = sorted(scene.things, key=lambda thing: order.get(thing.label, 3))
        self._bounds = np.array([thing.figure.bounds for thing in self._things]).reshape(-1, 4)

    def paint(self, surface: Grid, raster: Raster) -> Grid:
        """Return the ground with all things on it."""
        for thing in self._near(raster):
            if thing.label is DefectClass.LANDSLIDE:
                surface = self._scar(surface, raster, thing)
            elif thing.label is DefectClass.PATCH_REPAIR:
                surface = self._patch(surface, raster, thing)
            elif thing.label is DefectClass.POTHOLE:
                surface = self._pothole(surface, raster, thing)
            else:
                surface = self._cracked(surface, raster, thing)
        return surface

    def _near(self, raster: Raster) -> list[Thing]:
        low = np.array([raster.left_m, raster.low_m]) - _REACH_M
        high = low + raster.side_m + 2 * _REACH_M
        meets = (self._bounds[:, :2] < high).all(axis=1) & (self._bounds[:, 2:] > low).all(axis=1)
        return [self._things[i] for i in np.flatnonzero(meets)]

    def _cracked(self, surface: Grid, raster: Raster, thing: Thing) -> Grid:
        cover = np.zeros(surface.shape[:2], np.float32)
        for crack in thing.cracks:
            _add_crack(cover, crack, raster)
        if thing.label is DefectClass.ALLIGATOR_CRACK and isinstance(thing.figure, Polygon):
            surface = self._loosened(surface, raster, thing.figure)
        if not cover.any():
            return surface
        # Dust fills a crack in places, and its edges are rounded: a soft lighter hem, an uneven bottom.
        filled = np.clip(0.35 * self._noise.field("fill", raster, cell_m=0.05), 0, 0.75)
        hem = cv2.GaussianBlur(cover, (0, 0), 0.02 / raster.texel_m)
        surface = surface + (4.0 * (thing.label in CRACKS) * np.clip(hem * 2, 0, 1))[..., None]
        share = np.clip(cover * np.float32(thing.tone) * (1 - filled), 0, 1)
        return mixed(surface, _BOTTOM, share)

    def _loosened(self, surface: Grid, raster: Raster, figure: Polygon) -> Grid:
        """Return asphalt a little darker and uneven in its blocks where it is cracked all over."""
        inside = cv2.GaussianBlur(
            _cover(np.asarray(figure.exterior.coords), raster), (0, 0), 0.05 / raster.texel_m
        )
        shade = -5.0 + 5.0 * self._noise.field("blocks", raster, cell_m=0.06)
        found: Grid = surface + (inside * shade)[..., None]
        return found

    def _patch(self, surface: Grid, raster: Raster, thing: Thing) -> Grid:
        ring = np.asarray(thing.figure.exterior.coords)
        cover = _cover(ring, raster)
        if not cover.any():
            return surface
        grey = np.float32(thing.tone) + 2.5 * self._noise.field("patch", raster, cell_m=0.3)
        grey += 0.7 * self._look.grain * self._noise.grain("patch stones", raster, sigma=0.65)
        grey += 1.8 * self._noise.field("patch spots", raster, cell_m=0.08)
        fresh = grey[..., None] + np.asarray(self._look.asphalt, dtype=np.float32)
        surface = mixed(surface, fresh, cover * np.float32(0.93))
        seam = np.clip(
            _line(ring, raster, width_m=0.018) * (0.6 + 0.4 * self._noise.field("s", raster, cell_m=0.15)),
            0,
            1,
        )
        return mixed(surface, (62.0, 62.0, 62.0), seam * np.float32(0.6))

    def _pothole(self, surface: Grid, raster: Raster, thing: Thing) -> Grid:
        """Return a bowl with broken walls: lit and shaded by its slope, its sunward wall throwing a shadow."""
        ring = np.asarray(thing.figure.exterior.coords)
        cover = _cover(ring, raster)
        if not cover.any():
            return surface
        texel = raster.texel_m
        depth = self._depth(ring, raster, thing.depth_m)
        depth += cover * (0.006 * self._noise.field("rubble", raster, cell_m=0.022)).astype(np.float32)
        slope_y, slope_x = np.gradient(depth, texel)
        to_sun = -np.asarray(self._scene.shadow)
        light = 1 + 0.5 * np.clip(slope_x * to_sun[0] + slope_y * to_sun[1], -1.1, 0.8)
        floor = np.asarray(self._look.asphalt, np.float32) * (1 - 0.16 * thing.tone) - 14
        floor = (
            floor * (1 - 0.35 * thing.tone)
            + np.asarray(self._look.soil, np.float32) * 0.35 * thing.tone * 0.85
        )
        stones = 12.0 * self._noise.grain("rubble stones", raster, sigma=1.1)
        stones += 9.0 * self._noise.field("rubble dark", raster, cell_m=0.05)
        bowl = (floor + stones[..., None]) * light[..., None]
        shade = self._cast(depth, raster)
        bowl = bowl * (1 - np.array([0.42, 0.47, 0.5], np.float32) * shade[..., None])
        crumbs = np.clip(self._noise.field("crumbs", raster, cell_m=0.03) - 1.5, 0, 1)
        ring_share = cv2.GaussianBlur(cover, (0, 0), 0.07 / texel) * (1 - cover)
        surface = surface + (26.0 * crumbs * ring_share + 5.0 * ring_share)[..., None]
        return mixed(surface, bowl, cover)

    def _depth(self, ring: FloatArray, raster: Raster, depth_m: float) -> Grid:
        """Return depth below the road, m: a steep wall 6 cm wide, then a floor that goes on sinking.

        The whole hole is rasterised, also where it leaves the raster, so that neighbouring rasters agree.
        """
        pad = int(np.ceil(np.ptp(ring, axis=0).max() / raster.texel_m)) + 8
        wide = Raster(raster.column - pad, raster.row - pad, raster.size + 2 * pad, raster.texel_m)
        inside = (_cover(ring, wide) > _HALF).astype(np.uint8)
        wall = cv2.distanceTransform(inside, cv2.DIST_L2, 5) * np.float32(raster.texel_m)
        depth = depth_m * (0.7 * smooth_step(wall, 0.0, 0.07) + 0.3 * smooth_step(wall, 0.05, 0.25))
        soft: Grid = cv2.GaussianBlur(depth, (0, 0), 0.008 / raster.texel_m)
        found: Grid = soft[pad:-pad, pad:-pad]
        return found

    def _cast(self, depth: Grid, raster: Raster) -> Grid:
        """Return where the wall towards the sun shades the bowl: the ground there is higher by the ray's climb."""
        climb = np.tan(np.radians(self._scene.sun_deg))
        shade = np.zeros_like(depth)
        for reach_m in (0.02, 0.04, 0.06):
            shift = np.asarray(self._scene.shadow) * reach_m / raster.texel_m
            moved = cv2.warpAffine(
                depth,
                np.array([[1, 0, shift[0]], [0, 1, shift[1]]]),
                depth.shape[::-1],
                borderMode=cv2.BORDER_REPLICATE,
            )
            shade = np.maximum(shade, smooth_step(depth - moved - np.float32(reach_m * climb), -0.006, 0.006))
        return cv2.GaussianBlur(shade, (0, 0), 0.006 / raster.texel_m)

    def _scar(self, surface: Grid, raster: Raster, thing: Thing) -> Grid:
        """Return bare clay with gullies down the slope, boulders, and the dark crown of the slide."""
        ring = np.asarray(thing.figure.exterior.coords)
        cover = _cover(ring, raster)
        if not cover.any():
            return surface
        noise, x_y = self._noise, raster.centres()
        station, offset = self._scene.road.station_offset(*x_y)
        gully = noise.at("gully", station / np.float32(0.45), offset / np.float32(3.5))
        grey = 9.0 * gully + 8.0 * noise.field("clods", raster, cell_m=0.16)
        grey += 9.0 * noise.field("clay", raster, cell_m=1.6) + 7.0 * noise.grain(
            "clay grain", raster, sigma=1.2
        )
        stones = np.clip(noise.field("boulders", raster, cell_m=0.09) - 1.9, 0, 1)
        grey += 45.0 * stones - 30.0 * np.clip(noise.field("holes", raster, cell_m=0.13) - 1.8, 0, 1)
        bare = (grey[..., None] * np.array([0.75, 0.9, 1.1], np.float32)) + np.asarray(
            self._look.clay, np.float32
        )
        far = np.abs(offset) - np.float32(np.abs(thing.offset_m))
        crown = smooth_step(far, 0.2 * np.sqrt(thing.figure.area), 0.5 * np.sqrt(thing.figure.area))
        edge = cv2.GaussianBlur(cover, (0, 0), 0.35 / raster.texel_m)
        scarp = np.clip(1.5 - 1.6 * edge, 0, 1) * crown
        return mixed(surface, bare * (1 - 0.45 * scarp)[..., None], cover)

    def shade(self, surface: Grid, raster: Raster) -> Grid:
        """Return the ground with the shadows of trees, bluish as the sky lights them, and the crowns over it."""
        x, y = raster.centres()
        ragged = 0.16 * self._noise.field("crown", raster, cell_m=0.3)
        ragged += 0.1 * self._noise.field("crown fine", raster, cell_m=0.08)
        dappled = ragged + 0.1 * self._noise.field("dapples", raster, cell_m=0.05)
        dark: Grid | None = None
        crown: Grid | None = None
        length = 1 / np.tan(np.radians(self._scene.sun_deg))
        for tree in self._scene.trees:
            reach = tree.crown_m * 1.4
            fall = np.asarray(self._scene.shadow) * (tree.height_m * length)
            if _meets(raster, tree.x_m + fall[0], tree.y_m + fall[1], reach):
                away = np.hypot(x - np.float32(tree.x_m + fall[0]), y - np.float32(tree.y_m + fall[1]))
                # Leaves let light through, more so at the rim, and the sun is half a degree wide.
                here = smooth_step(1 - away / np.float32(tree.crown_m) + 1.6 * dappled, -0.2, 0.4)
                dark = here if dark is None else np.maximum(dark, here)
            if _meets(raster, tree.x_m, tree.y_m, reach):
                away = np.hypot(x - np.float32(tree.x_m), y - np.float32(tree.y_m))
                here = smooth_step(1 - away / np.float32(tree.crown_m) + 1.2 * ragged, 0.0, 0.05)
                crown = here if crown is None else np.maximum(crown, here)
        if dark is not None:
            surface = surface * (1 - dark[..., None] * np.array([0.37, 0.42, 0.46], np.float32))
        if crown is not None:
            surface = mixed(surface, self._leaves(raster), crown)
        return surface

    def _leaves(self, raster: Raster) -> Grid:
        clumps = self._noise.field("foliage", raster, cell_m=0.26)
        twigs = self._noise.field("twigs", raster, cell_m=0.07)
        light = np.clip(1 + 0.34 * clumps + 0.25 * twigs, 0.25, 2.3)
        leaves: Grid = np.asarray(self._look.leaves, dtype=np.float32) * light[..., None]
        return leaves


def _meets(raster: Raster, x: float, y: float, reach: float) -> bool:
    """Return whether a disc about a point meets a raster's square."""
    return bool(
        raster.left_m - reach < x < raster.left_m + raster.side_m + reach
        and raster.low_m - reach < y < raster.low_m + raster.side_m + reach
    )


def _texels(points: FloatArray, raster: Raster) -> FloatArray:
    """Return columns and rows of points, counted from the raster's first texel's corner."""
    texels: FloatArray = points / raster.texel_m - np.array([raster.column, raster.row])
    return texels


def _corners(points: FloatArray, raster: Raster, window: tuple[int, int, int, int]) -> npt.NDArray[np.int32]:
    """Return OpenCV's fixed-point corners on the finer raster of a window: a texel's centre is whole there."""
    finer = (_texels(points, raster) - np.array(window[:2])) * _FINER - 0.5
    corners: npt.NDArray[np.int32] = np.round(finer * (1 << _SHIFT)).astype(np.int32)
    return corners


def _window(points: FloatArray, raster: Raster) -> tuple[int, int, int, int] | None:
    """Return the columns and rows (left, low, right, high) of a raster that points span, or None."""
    texels = _texels(points, raster)
    low = np.maximum(np.floor(texels.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(texels.max(axis=0)).astype(int) + 1, raster.size)
    if (high <= low).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _shares(fine: npt.NDArray[np.uint8], finer: int) -> Grid:
    """Return the covered share of each texel of a mask (0 or 255) with finer texels."""
    size = (fine.shape[1] // finer, fine.shape[0] // finer)
    shares: Grid = cv2.resize(fine, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    return shares


def _cover(ring: FloatArray, raster: Raster) -> Grid:
    """Return the share of each texel inside a ring; OpenCV's fill is at most one finer texel too wide."""
    cover = np.zeros((raster.size, raster.size), np.float32)
    window = _window(ring, raster)
    if window is not None:
        left, low, right, high = window
        fine = np.zeros(((high - low) * _FINER, (right - left) * _FINER), np.uint8)
        cv2.fillPoly(fine, [_corners(ring, raster, window)], 255, lineType=cv2.LINE_8, shift=_SHIFT)
        cover[low:high, left:right] = _shares(fine, _FINER)
    return cover


def _line(ring: FloatArray, raster: Raster, *, width_m: float) -> Grid:
    """Return the share of each texel on the line of a ring."""
    cover = np.zeros((raster.size, raster.size), np.float32)
    window = _window(ring, raster)
    if window is not None:
        left, low, right, high = window
        width = max(round(width_m / raster.texel_m * _FINER), 1)
        fine = np.zeros(((high - low) * _FINER, (right - left) * _FINER), np.uint8)
        cv2.polylines(
            fine, [_corners(ring, raster, window)], isClosed=True, color=255, thickness=width, shift=_SHIFT
        )
        cover[low:high, left:right] = _shares(fine, _FINER)
    return cover


def _add_crack(cover: Grid, crack: Crack, raster: Raster) -> None:
    """Add one crack, a short piece at a time, as far as it meets the raster."""
    texels = _texels(crack.line_m, raster)
    reach = _PIECE * STEP_M / raster.texel_m + 4
    near = np.atleast_1d(((texels > -reach) & (texels < raster.size + reach)).all(axis=1))
    for start in range(0, len(near) - 1, _PIECE):
        stop = min(start + _PIECE + 1, len(near))
        if near[start:stop].any():
            _add_piece(
                cover, crack_outline(Crack(crack.line_m[start:stop], crack.widths_mm[start:stop])), raster
            )


def _add_piece(cover: Grid, outline: FloatArray, raster: Raster) -> None:
    """Add the covered shares of a small outline.

    By the rule of point in polygon: OpenCV's fill takes whole edge texels in, which widens a line by almost one.
    """
    window = _window(outline, raster)
    if window is None:
        return
    left, low, right, high = window
    fine = np.zeros(((high - low) * _CRACK_FINER, (right - left) * _CRACK_FINER), np.uint8)
    corners = (_texels(outline, raster) - np.array(window[:2])) * _CRACK_FINER - 0.5
    fine[polygon(corners[:, 1], corners[:, 0], shape=fine.shape)] = 255  # type: ignore[no-untyped-call]
    part = cover[low:high, left:right]
    np.minimum(part + _shares(fine, _CRACK_FINER), 1, out=part)
