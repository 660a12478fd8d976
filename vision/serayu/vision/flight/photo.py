"""Makes the picture that a camera sees of the painted ground."""

from dataclasses import dataclass

import cv2
import numpy as np

from serayu.vision.detection import Image
from serayu.vision.flight.camera import Camera
from serayu.vision.flight.ground import Ground
from serayu.vision.flight.noise import generator
from serayu.vision.flight.plan import Shot
from serayu.vision.flight.road import Grid
from serayu.vision.flight.scene import Scene
from serayu.vision.flight.site import FloatArray
from serayu.vision.flight.terrain import seen_ground

__all__ = ["Lens", "developed", "seen"]

_GRID_PX = 16  # rays are traced at every so many pixels; a nadir view of a slope is that smooth
_TEXELS_PER_PX = 1.35  # of the painted ground
_BLUR_PX = 0.55  # of lens and sensor, standard deviation
_SHARPEN = 0.45  # drones sharpen what they write
_DARK_CORNERS = 0.1  # share of light lost in the corners
_NOISE_SIZE = 2048


@dataclass(frozen=True, slots=True)
class Lens:
    """What all photos of a flight share besides the ground.

    Parameters
    ----------
    fall_off
        Share of light by pixel, shape (height, width, 1).
    noise
        Grey levels of the sensor's noise, shape (2048, 2048), larger than most pictures.
    """

    fall_off: Grid
    noise: Grid

    @classmethod
    def of(cls, camera: Camera, *, seed: int) -> "Lens":
        """Return the lens of a camera."""
        y = (np.arange(camera.height, dtype=np.float32)[:, None] / camera.height - 0.5) * 2
        x = (np.arange(camera.width, dtype=np.float32)[None, :] / camera.width - 0.5) * 2
        fall_off = 1 - np.float32(_DARK_CORNERS / 2) * (x * x + y * y)
        rng = generator(seed, "sensor")
        level = rng.uniform(1.2, 2.6)
        size = (max(_NOISE_SIZE, camera.height), max(_NOISE_SIZE, camera.width))
        return cls(fall_off[..., None], (level * rng.standard_normal(size, dtype=np.float32)))


def seen(shot: Shot, *, camera: Camera, scene: Scene, ground: Ground) -> Image:
    """Return the light that reaches the camera, blue green red, before lens and sensor spoil it.

    Parameters
    ----------
    shot
        Its true pose is used.
    camera, scene, ground
        Of the flight.
    """
    nodes = _nodes(camera)
    grid = seen_ground(
        nodes.reshape(-1, 2), camera=camera, pose=shot.true, terrain=scene.terrain, site=scene.road.site
    ).reshape(nodes.shape)
    texel_m = round(shot.gsd_mm / _TEXELS_PER_PX, 3) / 1000
    mosaic = ground.mosaic(grid, texel_m=texel_m)
    texels = grid / texel_m - np.array([mosaic.column, mosaic.row]) - 0.5
    columns, rows = (_every_pixel(texels[..., axis], camera) for axis in (0, 1))
    light: Grid = cv2.remap(mosaic.picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return light


def _nodes(camera: Camera) -> FloatArray:
    """Return pixels of a coarse grid that spans the picture, shape (rows, columns, 2)."""
    x = np.arange(camera.width // _GRID_PX + 2) * float(_GRID_PX)
    y = np.arange(camera.height // _GRID_PX + 2) * float(_GRID_PX)
    return np.stack(np.meshgrid(x, y), axis=-1)


def _every_pixel(values: FloatArray, camera: Camera) -> Grid:
    """Return values of the coarse grid at every pixel's centre, straight between its nodes."""
    down = _weights(camera.height, values.shape[0])
    right = _weights(camera.width, values.shape[1])
    found: Grid = (down @ values @ right.T).astype(np.float32)
    return found


def _weights(pixels: int, nodes: int) -> FloatArray:
    place = (np.arange(pixels) + 0.5) / _GRID_PX
    weights = np.zeros((pixels, nodes))
    low = place.astype(int)
    weights[np.arange(pixels), low] = 1 - (place - low)
    weights[np.arange(pixels), low + 1] = place - low
    return weights


def developed(seen: Image, *, lens: Lens, seed: int, index: int) -> Image:
    """Return the picture as the drone writes it: blurred, lit unevenly, noisy, sharpened.

    Parameters
    ----------
    seen
        What reached the camera.
    lens
        Of the flight.
    seed, index
        Of the flight, and number of the photo: light and noise differ from photo to photo.
    """
    rng = generator(seed, "photo", index)
    gain = np.float32(rng.normal(1.0, 0.02))
    balance = np.asarray(rng.normal(1.0, 0.006, 3), dtype=np.float32)
    light = cv2.GaussianBlur(seen, (0, 0), _BLUR_PX).astype(np.float32) * lens.fall_off * (gain * balance)
    height, width = seen.shape[:2]
    y, x = rng.integers(0, lens.noise.shape[0] - height + 1), rng.integers(0, lens.noise.shape[1] - width + 1)
    light += lens.noise[y : y + height, x : x + width, None]
    soft = cv2.GaussianBlur(light, (0, 0), 1.1)
    picture: Grid = cv2.addWeighted(light, 1 + _SHARPEN, soft, -_SHARPEN, 0, dtype=cv2.CV_8U)
    return picture
