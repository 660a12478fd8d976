"""Makes photos as drones write them, for tests."""

import functools
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from serayu.vision.detection import Image as Picture

WIDTH, HEIGHT = 640, 480

DJI: Mapping[str, str] = {
    "GpsLatitude": "-7.424400000",
    "GpsLongitude": "+109.239600000",
    "AbsoluteAltitude": "+130.00",
    "RelativeAltitude": "+30.00",
    "GimbalYawDegree": "+40.00",
    "GimbalPitchDegree": "-90.00",
    "GimbalRollDegree": "+0.00",
    "FlightYawDegree": "+42.00",
    "FlightPitchDegree": "-3.00",
    "FlightRollDegree": "+1.00",
    "RtkFlag": "16",
    "CalibratedFocalLength": "500.000000",
    "CalibratedOpticalCenterX": "320.000000",
    "CalibratedOpticalCenterY": "240.000000",
    "DewarpFlag": "1",
}

EXIF: Mapping[int, Any] = {
    Base.DateTimeOriginal: "2026:07:01 09:00:00",
    Base.OffsetTimeOriginal: "+07:00",
    Base.ExifImageWidth: WIDTH,
    Base.ExifImageHeight: HEIGHT,
}


@functools.cache
def textured(width: int = WIDTH, height: int = HEIGHT, *, seed: int = 0) -> Picture:
    """Return a sharp picture of grains, as asphalt has them; copy it before painting on it."""
    rng = np.random.default_rng(seed)
    grains = rng.normal(128, 25, (height, width, 1)) + rng.normal(0, 5, (height, width, 3))
    return np.clip(grains, 0, 255).astype(np.uint8)


def packet(tags: Mapping[str, str], *, elements: bool = False) -> bytes:
    """Return an XMP packet, its tags as attributes or as elements."""
    inside = (
        ">" + "".join(f"<drone-dji:{name}>{value}</drone-dji:{name}>" for name, value in tags.items())
        if elements
        else " " + " ".join(f'drone-dji:{name}="{value}"' for name, value in tags.items()) + ">"
    )
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"{inside}'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def jpeg(
    picture: Picture | None = None,
    *,
    dji: Mapping[str, str] | None = None,
    exif: Mapping[int, Any] | None = None,
    base: Mapping[int, Any] | None = None,
    gps: Mapping[int, Any] | None = None,
    xmp: bytes | None = None,
) -> bytes:
    """Return the bytes of a photo; its tags are `DJI` and `EXIF` unless given."""
    tags = Image.Exif()
    for name, value in (base or {}).items():
        tags[name] = value
    tags.get_ifd(IFD.Exif).update(EXIF if exif is None else exif)
    if gps:
        tags.get_ifd(IFD.GPSInfo).update(gps)
    file = io.BytesIO()
    shown = textured() if picture is None else picture
    Image.fromarray(np.ascontiguousarray(shown[:, :, ::-1])).save(
        file,
        format="JPEG",
        quality=92,
        exif=tags.tobytes(),
        xmp=packet(DJI if dji is None else dji) if xmp is None else xmp,
    )
    return file.getvalue()


def photo(folder: Path, name: str = "DJI_0001.JPG", **tags: Any) -> Path:  # noqa: ANN401 -- passed on
    """Write a photo, see `jpeg`."""
    file = folder / name
    file.write_bytes(jpeg(**tags))
    return file


def position(lon: tuple[float, float, float], lat: tuple[float, float, float]) -> dict[int, Any]:
    """Return a place in EXIF's form, east and south."""
    return {
        GPS.GPSLatitudeRef: "S",
        GPS.GPSLatitude: tuple(IFDRational(round(part * 10_000), 10_000) for part in lat),
        GPS.GPSLongitudeRef: "E",
        GPS.GPSLongitude: tuple(IFDRational(round(part * 10_000), 10_000) for part in lon),
    }
