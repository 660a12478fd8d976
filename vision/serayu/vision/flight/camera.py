"""The renderer's own camera, written apart from the one that surveys use, so that each checks the other.

Axes: x right, y down, z along the optical axis. Yaw clockwise from north, pitch 0 level and -90 nadir, roll positive
with the right edge down. Pixel (0, 0) is the upper left corner of the upper left pixel.
"""

from dataclasses import dataclass

import numpy as np

from serayu.vision.flight.site import FloatArray

__all__ = ["Camera", "Pose"]

_UNDISTORT_STEPS = 12  # of a fixed-point iteration that gains more than a digit a step for |k1| <= 0.1


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the camera is and how it looks.

    Parameters
    ----------
    east_m, north_m
        In the plane.
    up_m
        Height in the datum of the elevation model.
    yaw_deg, pitch_deg, roll_deg
        Attitude, see the module.
    """

    east_m: float
    north_m: float
    up_m: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float

    def axes(self) -> FloatArray:
        """Return the camera's right, down and forward unit vectors in east, north, up: rows of shape (3, 3).

        Built from turns about single axes: level and looking north, then rolled about the line of sight, pitched
        about the right axis, and yawed about the vertical.
        """
        yaw, pitch, roll = np.radians((self.yaw_deg, self.pitch_deg, self.roll_deg))
        level = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
        rolled = np.array(
            [[np.cos(roll), np.sin(roll), 0.0], [-np.sin(roll), np.cos(roll), 0.0], [0.0, 0.0, 1.0]]
        )
        pitched = np.array(
            [[1.0, 0.0, 0.0], [0.0, np.cos(pitch), np.sin(pitch)], [0.0, -np.sin(pitch), np.cos(pitch)]]
        )
        yawed = np.array([[np.cos(yaw), -np.sin(yaw), 0.0], [np.sin(yaw), np.cos(yaw), 0.0], [0.0, 0.0, 1.0]])
        axes: FloatArray = rolled @ level @ pitched @ yawed
        return axes


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera with Brown's distortion [D. C. Brown, Close-range camera calibration, 1971].

    Parameters
    ----------
    width, height
        Picture, px.
    focal_px
        Focal length, px.
    centre_px
        Principal point.
    distortion
        k1, k2, p1, p2, k3 as in DJI's DewarpData.
    """

    width: int
    height: int
    focal_px: float
    centre_px: tuple[float, float]
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)

    def rays(self, px: FloatArray, pose: Pose) -> FloatArray:
        """Return directions (east, north, up) of pixels, shape (n, 3), one unit long along the optical axis."""
        bent = (px - np.asarray(self.centre_px)) / self.focal_px
        straight = bent
        if any(self.distortion):
            for _ in range(_UNDISTORT_STEPS):
                straight = bent - (self._bent(straight) - straight)
        return np.column_stack((straight, np.ones(len(straight)))) @ pose.axes()

    def pixels(self, points: FloatArray, pose: Pose) -> FloatArray:
        """Return pixels, shape (n, 2), of points (east, north, up; shape (n, 3)); NaN behind the camera."""
        seen = (points - np.array([pose.east_m, pose.north_m, pose.up_m])) @ pose.axes().T
        depth = np.where(seen[:, 2] > 0, seen[:, 2], np.nan)
        straight = seen[:, :2] / depth[:, None]
        pixels: FloatArray = self._bent(straight) * self.focal_px + np.asarray(self.centre_px)
        return pixels

    def _bent(self, straight: FloatArray) -> FloatArray:
        if not any(self.distortion):
            return straight
        k1, k2, p1, p2, k3 = self.distortion
        x, y = straight[:, 0], straight[:, 1]
        r2 = x * x + y * y
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        return np.column_stack(
            (
                x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
                y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
            )
        )
