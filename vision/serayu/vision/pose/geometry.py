"""Scales and rays of a camera over flat ground; what a ground sampling distance lets one see of a crack."""

import enum
import math

import numpy as np
import numpy.typing as npt

__all__ = [
    "DETECTABLE_PX",
    "MEASURABLE_PX",
    "Visibility",
    "altitude_for_gsd_m",
    "axes",
    "crack_visibility",
    "flat_offset_m",
    "gsd_mm",
]

MEASURABLE_PX = 3.0
"""Pixels across a crack from which its width is measured [project proposal, domain reference §9; that thin cracks are
uncertain: Lee et al. 2026, PMC12900104; Cho et al. 2018, DOI 10.3390/s18082644]."""
DETECTABLE_PX = 2.0
"""Pixels across a crack from which it is found [project proposal, as above]."""
_MARGINAL_PX = 1.0

Matrix = npt.NDArray[np.float64]


class Visibility(enum.StrEnum):
    """What can be said of a crack of some width in a picture of some scale."""

    MEASURABLE = "measurable"
    DETECTABLE = "detectable"
    MARGINAL = "marginal"
    UNRELIABLE = "unreliable"


def gsd_mm(*, sensor_width_mm: float, focal_mm: float, image_width_px: float, height_m: float) -> float:
    """Return the ground sampling distance straight below, mm per px.

    ``GSD = sensor width * height / (focal length * picture width)`` with the true focal length.

    Raises
    ------
    ValueError
        A size is not positive.

    Examples
    --------
    >>> round(gsd_mm(sensor_width_mm=13.2, focal_mm=8.8, image_width_px=5472, height_m=100), 2)
    27.41
    """
    _positive(sensor_width_mm, focal_mm, image_width_px, height_m)
    return sensor_width_mm * height_m * 1000 / (focal_mm * image_width_px)


def altitude_for_gsd_m(
    gsd: float, *, sensor_width_mm: float, focal_mm: float, image_width_px: float
) -> float:
    """Return the height above ground, m, that gives a ground sampling distance in mm per px.

    Raises
    ------
    ValueError
        A size is not positive.
    """
    _positive(gsd, sensor_width_mm, focal_mm, image_width_px)
    return gsd / 1000 * focal_mm * image_width_px / sensor_width_mm


def crack_visibility(crack_mm: float, *, gsd_mm_px: float) -> Visibility:
    """Return what can be said of a crack: a width on a limit counts as the better grade.

    Raises
    ------
    ValueError
        A size is not positive.
    """
    _positive(crack_mm, gsd_mm_px)
    across = crack_mm / gsd_mm_px
    # 3 mm / 1 mm must be 3 px whatever the rounding of decimal fractions
    for limit, grade in (
        (MEASURABLE_PX, Visibility.MEASURABLE),
        (DETECTABLE_PX, Visibility.DETECTABLE),
        (_MARGINAL_PX, Visibility.MARGINAL),
    ):
        if across >= limit or math.isclose(across, limit, rel_tol=1e-9):
            return grade
    return Visibility.UNRELIABLE


def axes(*, yaw_deg: float, pitch_deg: float, roll_deg: float) -> Matrix:
    """Return the camera's axes in the world [domain reference §9; DJI's order yaw, pitch, roll].

    Parameters
    ----------
    yaw_deg
        Clockwise from true north.
    pitch_deg
        0 level, -90 straight down.
    roll_deg
        Positive when the right edge is lower.

    Returns
    -------
    ndarray
        Shape (3, 3); rows: right, down, forward; columns: east, north, up.
    """
    yaw, pitch, roll = np.radians((yaw_deg, pitch_deg, roll_deg))
    forward = np.array([np.sin(yaw) * np.cos(pitch), np.cos(yaw) * np.cos(pitch), np.sin(pitch)])
    level = np.array([np.cos(yaw), -np.sin(yaw), 0.0])
    below = np.cross(forward, level)
    right = level * np.cos(roll) + below * np.sin(roll)
    down = -level * np.sin(roll) + below * np.cos(roll)
    return np.stack((right, down, forward))


def flat_offset_m(rays: Matrix, *, height_m: float) -> Matrix:
    """Return where rays meet flat ground, east and north of the camera.

    Parameters
    ----------
    rays
        Directions east, north, up; shape (n, 3), of any length.
    height_m
        Of the camera above that ground.

    Returns
    -------
    ndarray
        Shape (n, 2); NaN for rays that do not go down.
    """
    falls = np.where(rays[:, 2] < 0, -rays[:, 2], np.nan)
    return rays[:, :2] * (height_m / falls)[:, None]


def _positive(*sizes: float) -> None:
    if not all(math.isfinite(size) and size > 0 for size in sizes):
        raise ValueError(f"sizes must be above 0, got {sizes}")
