"""Writes a photo as a drone does: JPEG with EXIF and with DJI's XMP packet.

Names, signs and number forms of the packet as in DJI's files: https://exiftool.org/TagNames/DJI.html (XMP).
"""

import io
from datetime import UTC, datetime

import numpy as np
from PIL.ExifTags import GPS, IFD, Base
from PIL.Image import Exif, fromarray
from PIL.TiffImagePlugin import IFDRational

from serayu.vision.detection import Image
from serayu.vision.flight.camera import Camera, Pose
from serayu.vision.flight.plan import SENSOR_WIDTH_MM, Shot

__all__ = ["jpeg_bytes"]

_QUALITY = 90
_MAKE, _MODEL = "Serayu", "Serayu Render 1"
_FULL_FRAME_WIDTH_MM = 36.0
_EXPOSURE = IFDRational(1, 1000)  # s: at 3 m/s the drone moves 3 mm, less than half a pixel of 8 mm
_RTK_FIXED, _NO_RTK = 50, 0


def jpeg_bytes(
    picture: Image, *, shot: Shot, camera: Camera, focal_mm: float, lon_lat: tuple[float, float], rtk: bool
) -> bytes:
    """Return the file of a photo.

    Parameters
    ----------
    picture
        Blue, green, red.
    shot
        Its recorded pose and time are written.
    camera, focal_mm
        Written as its calibration.
    lon_lat
        The recorded position, degrees.
    rtk
        Whether the position is said to be an RTK fix.
    """
    file = io.BytesIO()
    fromarray(np.ascontiguousarray(picture[..., ::-1])).save(
        file,
        format="JPEG",
        quality=_QUALITY,
        subsampling="4:2:0",
        exif=_exif(shot, camera, focal_mm=focal_mm, lon_lat=lon_lat),
        xmp=_xmp(shot, camera, lon_lat=lon_lat, rtk=rtk),
    )
    return file.getvalue()


def _exif(shot: Shot, camera: Camera, *, focal_mm: float, lon_lat: tuple[float, float]) -> bytes:
    local = shot.time.strftime("%Y:%m:%d %H:%M:%S")
    offset = shot.time.strftime("%z")
    offset = f"{offset[:3]}:{offset[3:]}"
    exif = Exif()
    exif[Base.Make], exif[Base.Model], exif[Base.DateTime] = _MAKE, _MODEL, local
    exif[Base.Orientation] = 1
    exif[Base.Software] = "serayu vision render"
    details = exif.get_ifd(IFD.Exif)
    details[Base.DateTimeOriginal] = details[Base.DateTimeDigitized] = local
    details[Base.OffsetTime] = details[Base.OffsetTimeOriginal] = offset
    details[Base.SubsecTimeOriginal] = f"{shot.time.microsecond // 1000:03d}"
    details[Base.FocalLength] = _rational(focal_mm, 1000)
    details[Base.FocalLengthIn35mmFilm] = round(focal_mm * _FULL_FRAME_WIDTH_MM / SENSOR_WIDTH_MM)
    details[Base.ExposureTime] = _EXPOSURE
    details[Base.ExifImageWidth], details[Base.ExifImageHeight] = camera.width, camera.height
    utc = shot.time.astimezone(UTC)
    place = exif.get_ifd(IFD.GPSInfo)
    place[GPS.GPSVersionID] = b"\x02\x03\x00\x00"
    place[GPS.GPSLatitudeRef], place[GPS.GPSLatitude] = (
        ("N" if lon_lat[1] >= 0 else "S"),
        _degrees(lon_lat[1]),
    )
    place[GPS.GPSLongitudeRef], place[GPS.GPSLongitude] = (
        ("E" if lon_lat[0] >= 0 else "W"),
        _degrees(lon_lat[0]),
    )
    place[GPS.GPSAltitudeRef] = b"\x00" if shot.recorded.up_m >= 0 else b"\x01"
    place[GPS.GPSAltitude] = _rational(abs(shot.recorded.up_m), 1000)
    place[GPS.GPSDateStamp] = utc.strftime("%Y:%m:%d")
    place[GPS.GPSTimeStamp] = (IFDRational(utc.hour), IFDRational(utc.minute), _seconds(utc))
    packed: bytes = exif.tobytes()
    return packed


def _rational(value: float, parts: int) -> IFDRational:
    return IFDRational(round(value * parts), parts)


def _seconds(utc: datetime) -> IFDRational:
    return IFDRational(utc.second * 1000 + utc.microsecond // 1000, 1000)


def _degrees(value: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Return degrees, minutes and seconds, to 0.00001 seconds (0.3 mm)."""
    ticks = round(abs(value) * 3600 * 100_000)
    minutes, ticks = divmod(ticks, 60 * 100_000)
    return IFDRational(minutes // 60), IFDRational(minutes % 60), IFDRational(ticks, 100_000)


def _xmp(shot: Shot, camera: Camera, *, lon_lat: tuple[float, float], rtk: bool) -> bytes:
    pose: Pose = shot.recorded
    values = {
        "GpsStatus": "RTK" if rtk else "GPS",
        "GpsLatitude": f"{lon_lat[1]:+.9f}",
        "GpsLongitude": f"{lon_lat[0]:+.9f}",
        "AbsoluteAltitude": f"{pose.up_m:+.2f}",
        "RelativeAltitude": f"{pose.up_m - shot.take_off_m:+.2f}",
        "GimbalRollDegree": f"{pose.roll_deg:+.2f}",
        "GimbalYawDegree": f"{pose.yaw_deg:+.2f}",
        "GimbalPitchDegree": f"{pose.pitch_deg:+.2f}",
        "FlightRollDegree": "+0.00",
        "FlightYawDegree": f"{pose.yaw_deg:+.2f}",
        "FlightPitchDegree": "+0.00",
        "RtkFlag": str(_RTK_FIXED if rtk else _NO_RTK),
        "CalibratedFocalLength": f"{camera.focal_px:.6f}",
        "CalibratedOpticalCenterX": f"{camera.centre_px[0]:.6f}",
        "CalibratedOpticalCenterY": f"{camera.centre_px[1]:.6f}",
        "DewarpFlag": "0",
        "DewarpData": _dewarp(camera, shot.time),
    }
    attributes = "\n".join(f'   drone-dji:{name}="{value}"' for name, value in values.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about="DJI Meta Data"\n'
        '   xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"\n'
        f"{attributes}/>\n </rdf:RDF>\n</x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    ).encode()


def _dewarp(camera: Camera, time: datetime) -> str:
    """Return date; fx, fy, the principal point from the picture's middle, k1, k2, p1, p2, k3."""
    off = (camera.centre_px[0] - camera.width / 2, camera.centre_px[1] - camera.height / 2)
    figures = (camera.focal_px, camera.focal_px, *off, *camera.distortion)
    return f"{time:%Y-%m-%d};" + ",".join(f"{figure:.9f}" for figure in figures)
