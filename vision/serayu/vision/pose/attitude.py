"""Where a camera was and how it looked, from a photo's tags; what is missing is named, never guessed."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from serayu.vision.pose.geometry import Matrix, axes
from serayu.vision.pose.jpeg import Tags
from serayu.vision.pose.xmp import signed_number

__all__ = ["Pose", "Sigmas", "motion_m", "pose_of"]

# One sigma. GNSS 1.5-3 m, heading 2 degrees, RelativeAltitude 1-3 % and several metres of drift [domain reference §9];
# the values inside those ranges, for RTK and for the tilt of the gimbal are a project proposal.
GNSS_SIGMA_M = 2.0
FLOAT_SIGMA_M = 0.5
FIXED_SIGMA_M = 0.03
HEIGHT_SIGMA_SHARE, HEIGHT_SIGMA_M = 0.02, 1.0
RTK_HEIGHT_SIGMA_SHARE, RTK_HEIGHT_SIGMA_M = 0.005, 0.1
GIVEN_HEIGHT_SIGMA_SHARE, GIVEN_HEIGHT_SIGMA_M = 0.01, 0.3
YAW_SIGMA_DEG = 2.0
RTK_YAW_SIGMA_DEG = 1.0
FLIGHT_YAW_SIGMA_DEG = 5.0
TILT_SIGMA_DEG = 0.5

RTK_FIXED = 50
RTK_FLOAT = range(32, 50)  # as 50 [DJI Mavic 3M and Zenmuse P1 manuals, tables of XMP fields]

NADIR_DEG = 10.0
"""Angle off the nadir below which the gimbal's yaw can flip and is checked [project proposal]."""
FLIP_TOLERANCE_DEG = 30.0
"""How near to 180 degrees from the flight's yaw the picture's top must be to be called flipped [project proposal]."""

_POLE = 90.0


@dataclass(frozen=True, slots=True)
class Sigmas:
    """Standard errors (one sigma) of a pose.

    Parameters
    ----------
    horizontal_m
        Of the position, root mean square distance.
    height_m
        Of the height above the reference ground.
    yaw_deg, tilt_deg
        Of the heading, and of the level about each of two horizontal axes.
    """

    horizontal_m: float
    height_m: float
    yaw_deg: float
    tilt_deg: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the camera was and how it looked.

    Parameters
    ----------
    lon_deg, lat_deg
        WGS84.
    height_m
        Above the reference ground: the take-off level, or what was given as height above ground.
    yaw_deg
        Clockwise from true north.
    pitch_deg
        0 level, -90 straight down.
    roll_deg
        Positive when the right edge is lower.
    sigmas
        Standard errors.
    absolute_m
        AbsoluteAltitude as the photo has it; None without.
    rtk
        Whether its position is fixed by RTK.
    """

    lon_deg: float
    lat_deg: float
    height_m: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    sigmas: Sigmas
    absolute_m: float | None = None
    rtk: bool = False

    @property
    def axes(self) -> Matrix:
        """Return right, down and forward of the camera in east, north, up; shape (3, 3)."""
        return axes(yaw_deg=self.yaw_deg, pitch_deg=self.pitch_deg, roll_deg=self.roll_deg)

    @property
    def tilt_deg(self) -> float:
        """Return the angle of the optical axis off the nadir."""
        return math.degrees(math.acos(min(1.0, max(-1.0, -float(self.axes[2, 2])))))


def pose_of(tags: Tags, *, height_above_ground_m: float | None = None) -> tuple[Pose | None, tuple[str, ...]]:
    """Return the pose of a photo, None without one, and reasons: keys without their prefix.

    The heading is the gimbal's. Near the nadir a gimbal can flip by 180 degrees and stay so: where the top of the
    picture points the other way than the aircraft's nose, within `FLIP_TOLERANCE_DEG`, the gimbal's yaw is turned by
    180 degrees, that is, the aircraft's heading decides (``yaw_flipped``). A roll of 180 degrees that says the same
    is no flip. Between the two, the gimbal is believed and its distance named (``yaw_apart``): it may have been
    panned. Without a gimbal's yaw, and only near the nadir, the aircraft's is taken (``yaw_of_flight``).

    Parameters
    ----------
    tags
        Of the photo.
    height_above_ground_m
        Taken instead of RelativeAltitude.
    """
    place = _place(tags)
    height = _tag(tags, "RelativeAltitude") if height_above_ground_m is None else height_above_ground_m
    pitch, roll = _tag(tags, "GimbalPitchDegree"), _tag(tags, "GimbalRollDegree")
    yaw, reasons = _heading(tags, pitch=pitch, roll=roll)
    needed = {"position": place, "height": height, "pitch": pitch, "roll": roll, "yaw": yaw}
    if place is None or height is None or pitch is None or roll is None or yaw is None:
        return None, tuple(f"no_{name}" for name, value in needed.items() if value is None)
    if height <= 0:
        return None, ("height_not_above",)
    flag = _tag(tags, "RtkFlag")
    sigmas = _sigmas(tags, flag=flag, height_m=height, given=height_above_ground_m is not None, notes=reasons)
    return Pose(
        *place,
        height,
        yaw,
        pitch,
        roll,
        sigmas,
        absolute_m=_tag(tags, "AbsoluteAltitude"),
        rtk=flag == RTK_FIXED,
    ), reasons


def motion_m(tags: Tags) -> float | None:
    """Return how far the aircraft moved during the exposure, m; None where speed or exposure is missing."""
    speeds = [_tag(tags, f"Flight{axis}Speed") for axis in "XYZ"]
    known = [speed for speed in speeds[:2] if speed is not None]
    try:
        exposure_s = float(tags.exif["ExposureTime"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if len(known) != 2 or not (math.isfinite(exposure_s) and exposure_s > 0):  # noqa: PLR2004 -- X and Y
        return None
    return math.hypot(*known, speeds[2] or 0.0) * exposure_s


def _tag(tags: Tags, name: str) -> float | None:
    return signed_number(tags.dji.get(name, ""))


def _place(tags: Tags) -> tuple[float, float] | None:
    """Return longitude and latitude: DJI's, else those of EXIF; 0, 0 is what a receiver without a fix writes."""
    # older firmware misspells the longitude
    lon = _tag(tags, "GpsLongitude") if "GpsLongitude" in tags.dji else _tag(tags, "GpsLongtitude")
    lat = _tag(tags, "GpsLatitude")
    if lon is None or lat is None:
        lon = _degrees(tags.gps.get("GPSLongitude"), tags.gps.get("GPSLongitudeRef"), "EW")
        lat = _degrees(tags.gps.get("GPSLatitude"), tags.gps.get("GPSLatitudeRef"), "NS")
    if lon is None or lat is None or (lon == 0 and lat == 0):
        return None
    return (lon, lat) if abs(lon) <= 2 * _POLE and abs(lat) < _POLE else None


def _degrees(parts: Any, side: object, sides: str) -> float | None:  # noqa: ANN401 -- values as Pillow has them
    letter = str(side).strip("\x00 ").upper()
    if letter not in tuple(sides):
        return None
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value):
        return None
    return -value if letter == sides[1] else value


def _heading(tags: Tags, *, pitch: float | None, roll: float | None) -> tuple[float | None, tuple[str, ...]]:
    gimbal, flight = _tag(tags, "GimbalYawDegree"), _tag(tags, "FlightYawDegree")
    if pitch is None or roll is None or abs(pitch + _POLE) > NADIR_DEG:
        return gimbal, ()
    if gimbal is None:
        return flight, ("yaw_of_flight",) if flight is not None else ()
    if flight is None:
        return gimbal, ("flight_yaw_missing",)
    apart = abs(_turn(_top_heading(gimbal, pitch, roll) - flight))
    if apart >= 2 * _POLE - FLIP_TOLERANCE_DEG:
        return _turn(gimbal + 2 * _POLE), ("yaw_flipped",)
    return gimbal, ("yaw_apart",) if apart > FLIP_TOLERANCE_DEG else ()


def _top_heading(yaw: float, pitch: float, roll: float) -> float:
    """Return where the top of the picture points, degrees clockwise from north."""
    up = -axes(yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)[1]
    return math.degrees(math.atan2(up[0], up[1]))


def _turn(degrees: float) -> float:
    return (degrees + 180) % 360 - 180


def _sigmas(
    tags: Tags, *, flag: float | None, height_m: float, given: bool, notes: tuple[str, ...]
) -> Sigmas:
    fixed = flag == RTK_FIXED
    horizontal = GNSS_SIGMA_M
    if flag is not None and (fixed or int(flag) in RTK_FLOAT):
        spread = [
            abs(value) for name in ("RtkStdLon", "RtkStdLat") if (value := _tag(tags, name)) is not None
        ]
        horizontal = max(FIXED_SIGMA_M if fixed else FLOAT_SIGMA_M, float(np.hypot.reduce(spread or [0.0])))
    share, least = HEIGHT_SIGMA_SHARE, HEIGHT_SIGMA_M
    if given:
        share, least = GIVEN_HEIGHT_SIGMA_SHARE, GIVEN_HEIGHT_SIGMA_M
    elif fixed:
        share, least = RTK_HEIGHT_SIGMA_SHARE, RTK_HEIGHT_SIGMA_M
    yaw = RTK_YAW_SIGMA_DEG if fixed else YAW_SIGMA_DEG
    yaw = FLIGHT_YAW_SIGMA_DEG if "yaw_of_flight" in notes else yaw
    return Sigmas(horizontal, math.hypot(share * height_m, least), yaw, TILT_SIGMA_DEG)
