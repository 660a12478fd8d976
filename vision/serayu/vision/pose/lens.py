"""The camera of a photo from its tags: calibration first, then focal length and sensor, then the 35 mm equivalent."""

import math
from typing import Any

import numpy as np

from serayu.vision.pose.camera import Camera, Distortion
from serayu.vision.pose.jpeg import Tags
from serayu.vision.pose.sensors import SENSORS
from serayu.vision.pose.xmp import numbers, signed_number

__all__ = ["camera_of"]

# Standard errors of the focal length, as a share of it [project proposal].
DEWARP_SIGMA = 0.001  # calibrated one by one [DJI Mavic 3M manual, table of XMP fields]
CALIBRATED_SIGMA = 0.005  # what DJI calls calibrated is the design's value [ibid.]
SENSOR_SIGMA = 0.02  # public tables differ by 1.5 % for the same model
FILM_SIGMA = 0.04  # rounded to a millimetre (2 % at 24 mm), and makers differ on diagonal or width

UNKNOWN_LENS_SHARE = (
    0.001  # of the picture's width: standard error where nothing tells the distortion [project proposal]
)
UNKNOWN_CENTRE_SHARE = 0.005

_FILM_DIAGONAL_MM = math.hypot(36.0, 24.0)  # CIPA DCG-001: the 35 mm equivalent compares diagonals
_CENTRE_TOLERANCE = (
    0.1  # of the width: an optical centre farther from the middle belongs to another picture size
)
_DEWARP_NUMBERS = 9

Found = tuple[Camera | None, tuple[str, ...]]


def camera_of(tags: Tags) -> Found:
    """Return the camera of a photo, None without one, and reasons: keys without their prefix.

    Parameters
    ----------
    tags
        Of the photo. Sizes in px hold for the size that EXIF gives; a photo made smaller since is scaled.
    """
    zoom = _number(tags.exif.get("DigitalZoomRatio"))
    if zoom is not None and zoom > 1:
        return None, ("digital_zoom",)
    size = _first_size(tags)
    if size is None:
        return None, ("resized",)
    for make in (_dewarped, _calibrated, _by_sensor, _by_film):
        camera, reasons = make(tags, size)
        if camera is not None:
            return _scaled(camera, tags), reasons
    return None, ("no_focal",)


def _first_size(tags: Tags) -> tuple[int, int] | None:
    """Return the picture's size when it was taken; None where it was cut since."""
    width, height = _number(tags.exif.get("ExifImageWidth")), _number(tags.exif.get("ExifImageHeight"))
    if not width or not height:
        return tags.width, tags.height
    same_shape = abs(tags.width * height - tags.height * width) <= max(width, height)
    return (round(width), round(height)) if same_shape else None


def _scaled(camera: Camera, tags: Tags) -> Camera:
    scale = tags.width / camera.width
    return Camera(
        tags.width,
        tags.height,
        (camera.focal_px[0] * scale, camera.focal_px[1] * scale),
        (camera.centre_px[0] * scale, camera.centre_px[1] * scale),
        distortion=camera.distortion,
        focal_sigma=camera.focal_sigma,
        doubt_px=camera.doubt_px * scale,
        source=camera.source,
    )


def _dewarped(tags: Tags, size: tuple[int, int]) -> Found:
    """Read ``date;fx,fy,cx,cy,k1,k2,p1,p2,k3``, the centre from the picture's middle [DJI Mavic 3M manual]."""
    values = numbers(tags.dji.get("DewarpData", "").rpartition(";")[2])
    if values is None or len(values) != _DEWARP_NUMBERS or min(values[:2]) <= 0:
        return None, ()
    across, down, right, below = values[:4]
    if max(abs(right), abs(below)) > _CENTRE_TOLERANCE * size[0]:
        return None, ()
    lens = Distortion(*values[4:])
    flag = signed_number(tags.dji.get("DewarpFlag", ""))
    reasons: tuple[str, ...] = ()
    doubt = 0.0
    if flag not in (0, 1):
        reasons, doubt = ("dewarp_unknown",), _reach_px(lens, focal_px=across, size=size)
    return Camera(
        *size,
        (across, down),
        (size[0] / 2 + right, size[1] / 2 + below),
        distortion=lens if flag == 0 and any(values[4:]) else None,
        focal_sigma=DEWARP_SIGMA,
        doubt_px=doubt,
        source="dewarp",
    ), reasons


def _reach_px(lens: Distortion, *, focal_px: float, size: tuple[int, int]) -> float:
    """Return how far the lens moves a pixel half way to the corner: the error of not knowing whether it did."""
    half = np.array([[size[0], size[1]]]) / 4 / focal_px
    moved = lens.bend(half) - half
    reach = float(np.hypot(moved[0, 0], moved[0, 1])) * focal_px
    return reach if math.isfinite(reach) else UNKNOWN_LENS_SHARE * size[0]


def _calibrated(tags: Tags, size: tuple[int, int]) -> Found:
    focal = signed_number(tags.dji.get("CalibratedFocalLength", ""))
    if focal is None or focal <= 0:
        return None, ()
    centre = (
        signed_number(tags.dji.get("CalibratedOpticalCenterX", "")),
        signed_number(tags.dji.get("CalibratedOpticalCenterY", "")),
    )
    middle = (size[0] / 2, size[1] / 2)
    if centre[0] is None or centre[1] is None:
        return _plain(size, focal, sigma=CALIBRATED_SIGMA, source="calibrated", tags=tags)
    if max(abs(centre[0] - middle[0]), abs(centre[1] - middle[1])) > _CENTRE_TOLERANCE * size[0]:
        return None, ()  # calibrated for another size of picture, so the focal length is as well
    camera, reasons = _plain(size, focal, sigma=CALIBRATED_SIGMA, source="calibrated", tags=tags)
    return Camera(
        *size,
        camera.focal_px,
        (centre[0], centre[1]),
        focal_sigma=CALIBRATED_SIGMA,
        doubt_px=UNKNOWN_LENS_SHARE * size[0] if "distortion_unknown" in reasons else 0.0,
        source="calibrated",
    ), tuple(reason for reason in reasons if reason != "centre_unknown")


def _by_sensor(tags: Tags, size: tuple[int, int]) -> Found:
    sensor = SENSORS.get(str(tags.exif.get("Model", "")).strip("\x00 ").upper())
    focal = _number(tags.exif.get("FocalLength"))
    if sensor is None or focal is None or focal <= 0 or not sensor.takes(*size):
        return None, ()
    camera, reasons = _plain(size, focal / sensor.pitch_mm, sigma=SENSOR_SIGMA, source="sensor", tags=tags)
    return camera, ("focal_from_sensor", *reasons)


def _by_film(tags: Tags, size: tuple[int, int]) -> Found:
    equivalent = _number(tags.exif.get("FocalLengthIn35mmFilm"))
    if equivalent is None or equivalent <= 0:
        return None, ()
    focal = equivalent * math.hypot(*size) / _FILM_DIAGONAL_MM
    camera, reasons = _plain(size, focal, sigma=FILM_SIGMA, source="film", tags=tags)
    return camera, ("focal_from_film", *reasons)


def _plain(
    size: tuple[int, int], focal_px: float, *, sigma: float, source: str, tags: Tags
) -> tuple[Camera, tuple[str, ...]]:
    """Return a camera with its centre in the middle and what is not known of it."""
    known = signed_number(tags.dji.get("DewarpFlag", "")) == 1
    doubt = math.hypot(UNKNOWN_CENTRE_SHARE, 0.0 if known else UNKNOWN_LENS_SHARE) * size[0]
    reasons = ("centre_unknown",) if known else ("centre_unknown", "distortion_unknown")
    camera = Camera(
        *size,
        (focal_px, focal_px),
        (size[0] / 2, size[1] / 2),
        focal_sigma=sigma,
        doubt_px=doubt,
        source=source,
    )
    return camera, reasons


def _number(value: Any) -> float | None:  # noqa: ANN401 -- values as Pillow has them
    """Return an EXIF number; None where there is none, or a rational over 0."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None
