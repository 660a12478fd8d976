"""Pictures of cracks and holes drawn with known sizes, and simple grounds to put them on."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import shapely
from typing_extensions import override

from serayu.models.plane import LocalPlane
from serayu.vision.detection import Image, Points
from serayu.vision.flight.shapes import crack_line
from serayu.vision.ground import Values

FINER = 8  # finer pixels on a side, so that edges are anti-aliased
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Flat:
    """Ground straight below: so many mm per px, east to the right, north up."""

    mm: float = 10.0

    @property
    def plane(self) -> LocalPlane:
        return LocalPlane(109.2)

    def ground_m(self, px: Points) -> Points:
        return np.column_stack((px[:, 0], -px[:, 1])) * self.mm / 1000

    def pixels(self, ground_m: Points) -> Points:
        return np.column_stack((ground_m[:, 0], -ground_m[:, 1])) * 1000 / self.mm

    def gsd_mm(self, px: Points) -> Values:
        return np.full(len(px), self.mm)

    def sigma_m(self, px: Points) -> Values:
        return np.full(len(px), 0.5)


@dataclass(frozen=True)
class Tilted(Flat):
    """The same, seen with the top of the picture away: rows above the horizon do not meet the ground.

    A pinhole camera `focal_px` above flat ground at height h looks down by `pitch_deg`; `mm` is h / focal.
    """

    pitch_deg: float = 60.0
    focal_px: float = 1000.0
    centre: tuple[float, float] = (200.0, 200.0)

    @override
    def pixels(self, ground_m: Points) -> Points:
        pitch, height_m = np.radians(self.pitch_deg), self.mm * self.focal_px / 1000
        right, ahead = ground_m.T
        depth = ahead * np.cos(pitch) + height_m * np.sin(pitch)
        below = height_m * np.cos(pitch) - ahead * np.sin(pitch)
        return np.array(self.centre) + self.focal_px * np.column_stack((right / depth, below / depth))

    @override
    def ground_m(self, px: Points) -> Points:
        pitch = np.radians(self.pitch_deg)
        a, b = ((px - np.array(self.centre)) / self.focal_px).T
        down = np.sin(pitch) + b * np.cos(pitch)
        height_m = self.mm * self.focal_px / 1000
        with np.errstate(divide="ignore", invalid="ignore"):
            found = height_m * np.column_stack((a / down, (np.cos(pitch) - b * np.sin(pitch)) / down))
        metres: Points = np.where((down > 0)[:, None], found, np.nan)
        return metres

    @override
    def gsd_mm(self, px: Points) -> Values:
        steps = [self.ground_m(px + np.array(step)) - self.ground_m(px) for step in ((0.5, 0.0), (0.0, 0.5))]
        cross = steps[0][:, 0] * steps[1][:, 1] - steps[0][:, 1] * steps[1][:, 0]
        found: Values = 1000 * np.sqrt(4 * np.abs(cross))
        return found


def wave(seed: int, *, middle: float = 80.0, drift: float = 0.0) -> Callable[[Values], Values]:
    return lambda y: middle + 12 * np.sin(y / 35 + seed) + drift * (y - 200)


@dataclass(frozen=True)
class Crack:
    """A drawn crack: the picture, the box that a person would draw, and the true length, px."""

    image: Image
    box: Box
    length_px: float


def crack(  # noqa: PLR0913 -- what a drawn crack can be, all with defaults
    width_px: float,
    *,
    way: Callable[[Values], Values] | None = None,
    shape: tuple[int, int] = (400, 160),
    depth: float = 60.0,
    noise: float = 6.0,
    blur: float = 0.8,
    seed: int = 0,
    gap_px: float = 0.0,
    across: bool = False,
    taper_px: float = 0.0,
) -> Crack:
    """Draw a crack on grainy asphalt under slanting light.

    It has one width and its ends are cut off straight, or it narrows to a quarter over so many pixels.
    """
    height, width = shape
    rng = np.random.default_rng(seed)
    y = np.linspace(40, height - 40, 500)
    x = (way or wave(seed))(y)
    line = np.column_stack((x, y))
    along = np.gradient(line, axis=0)
    normal = np.column_stack((-along[:, 1], along[:, 0])) / np.hypot(*along.T)[:, None]
    steps = np.hypot(*np.diff(line, axis=0).T)
    to_end = np.minimum(np.cumsum([0, *steps]), np.cumsum([0, *steps[::-1]])[::-1])
    half = width_px / 2 * np.clip(0.25 + 0.75 * to_end / max(taper_px, 1e-9), 0.25, 1.0)[:, None]
    half = half if taper_px else np.full_like(half, width_px / 2)
    ring = np.concatenate((line - normal * half, (line + normal * half)[::-1]))
    cover = coverage(ring, shape)
    if gap_px:
        cover[int(height / 2 - gap_px / 2) : int(height / 2 + gap_px / 2)] = 0
    surface = 130 + rng.normal(0, noise, shape) + np.linspace(-20, 20, width)[None, :]
    grain = cv2.GaussianBlur(rng.normal(0, 3 * noise, shape), (0, 0), 1.2)
    seen = cv2.GaussianBlur(surface + grain - depth * cover, (0, 0), blur) + rng.normal(0, 2, shape)
    box = (x.min() - width_px / 2 - 2, 38.0, x.max() + width_px / 2 + 2, height - 38.0)
    length = float(np.hypot(*np.diff(line, axis=0).T).sum())
    if across:
        return Crack(colour(seen.T), (box[1], box[0], box[3], box[2]), length)
    return Crack(colour(seen), box, length)


def rough_crack(width_px: float, *, mm: float, seed: int = 0) -> Crack:
    """Draw a crack of the flight's renderer, which bends each 2 cm, 2.5 m long, at so many mm per px."""
    rng = np.random.default_rng(seed)
    line = crack_line(rng, length_m=2.5, across=False) * (1000 / mm)
    line += 40 - line.min(axis=0)
    left, top, right, bottom = bounds(line)
    shape = (int(bottom) + 40, int(right) + 40)
    ring = shapely.get_coordinates(shapely.LineString(line).buffer(width_px / 2, cap_style="flat").exterior)
    surface = 130 + rng.normal(0, 6, shape) + cv2.GaussianBlur(rng.normal(0, 18, shape), (0, 0), 1.2)
    seen = cv2.GaussianBlur(surface - 60 * coverage(ring, shape), (0, 0), 0.8) + rng.normal(0, 2, shape)
    return Crack(colour(seen), (left - 2, top - 2, right + 2, bottom + 2), 2500 / mm)


def coverage(ring: Points, shape: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return how much of each pixel an outline covers, 0-1."""
    fine = np.zeros((shape[0] * FINER, shape[1] * FINER), np.uint8)
    corners = np.round((ring * FINER - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(fine, [corners], 255, shift=4)
    return cv2.resize(fine, shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float64) / 255


def hole(
    ring: Points,
    *,
    shape: tuple[int, int] = (200, 240),
    depth: float = 45.0,
    noise: float = 6.0,
    seed: int = 0,
) -> Image:
    """Draw an outline darker (or, below 0, lighter) than grainy asphalt."""
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.normal(0, 3 * noise, shape), (0, 0), 1.2)
    seen = 130 + rng.normal(0, noise, shape) + grain - depth * coverage(ring, shape)
    return colour(np.asarray(cv2.GaussianBlur(seen, (0, 0), 0.8), dtype=np.float64))


def colour(levels: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Image:
    return np.repeat(np.clip(levels, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def bounds(ring: Points) -> Box:
    left, top = ring.min(axis=0).tolist()
    right, bottom = ring.max(axis=0).tolist()
    return left, top, right, bottom


def bumpy(seed: int, *, middle: tuple[float, float] = (120.0, 100.0), radius: float = 40.0) -> Points:
    """Return an irregular roundish outline."""
    rng = np.random.default_rng(seed)
    around = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    radii = np.ones(180)
    for turn in range(2, 7):
        radii += rng.normal(0, 0.13 / turn) * np.cos(turn * around + rng.uniform(0, 6))
    stretched = np.column_stack((np.cos(around) * 1.3, np.sin(around))) * radii[:, None]
    return np.array(middle) + radius * stretched


def turned(middle: tuple[float, float], sides: tuple[float, float], tilt_deg: float) -> Points:
    """Return the corners of a rectangle."""
    tilt = np.radians(tilt_deg)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2 * np.array(sides)
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    placed: Points = np.array(middle) + corners @ turn
    return placed


def enclosed(ring: Points) -> float:
    """Return the area of an outline, px²."""
    x, y = ring.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
