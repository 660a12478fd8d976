"""A JPEG photo: its picture, and what its EXIF and XMP say; a damaged file is refused by name."""

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from serayu.models.errors import BadInputError, plain
from serayu.vision.detection import Image as Picture
from serayu.vision.pose import xmp

__all__ = ["Tags", "read_picture", "read_tags"]

_START, _SCAN, _END = 0xD8, 0xDA, 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_MARKER = 0xFF
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
)  # what Pillow raises on bad files


@dataclass(frozen=True, slots=True)
class Tags:
    """What a photo says of itself.

    Parameters
    ----------
    width, height
        Of its picture, px.
    exif, gps
        By EXIF name; numbers where EXIF has rationals.
    dji
        DJI's XMP, as text.
    faults
        Why a part of them could not be read.
    """

    width: int
    height: int
    exif: Mapping[str, Any]
    gps: Mapping[str, Any]
    dji: Mapping[str, str]
    faults: tuple[str, ...] = ()


def read_picture(file: Path) -> tuple[Picture, Tags]:
    """Return the picture (blue, green, red; not turned by the orientation tag) and the tags of a photo.

    Cameras are calibrated in the picture as it is stored, so the orientation tag is not obeyed. A file that ends
    early is refused. Damage inside that still decodes cannot be told from a picture.

    Raises
    ------
    BadInputError
        It cannot be read, is no JPEG, or is truncated or damaged; names the file.
    """
    data = _bytes(file)
    if not _is_whole(data):
        raise BadInputError("no whole JPEG: truncated or damaged", file=file)
    try:
        with _opened(data, file) as photo:
            found = _tags(photo)
            rgb = np.asarray(photo.convert("RGB"))
    except _UNREADABLE as error:
        raise BadInputError(f"truncated or damaged: {plain(error)}", file=file) from None
    return np.ascontiguousarray(rgb[:, :, ::-1]), found


def read_tags(file: Path) -> Tags:
    """Return the tags of a photo without decoding its picture.

    Raises
    ------
    BadInputError
        It cannot be read or is no JPEG; names the file.
    """
    try:
        with file.open("rb") as stream, _opened(stream, file) as photo:
            return _tags(photo)
    except _UNREADABLE as error:
        raise BadInputError(f"cannot be read: {plain(error)}", file=file) from None


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror or error}", file=file) from None


def _opened(source: Any, file: Path) -> Image.Image:  # noqa: ANN401 -- bytes or a stream
    try:
        return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=("JPEG",))
    except UnidentifiedImageError:
        raise BadInputError("not a JPEG photo", file=file) from None


def _is_whole(data: bytes) -> bool:
    """Return whether an end marker follows the start of the scan; the end of a preview before it does not count."""
    if data[:2] != bytes((_MARKER, _START)):
        return False
    place = 2
    while place + 4 <= len(data) and data[place] == _MARKER:
        marker = data[place + 1]
        if marker == _SCAN:
            return data.find(bytes((_MARKER, _END)), place) >= 0
        # fill bytes and markers without content are one or two bytes long
        if marker == _MARKER:
            place += 1
        elif marker in _ALONE:
            place += 2
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return False


def _tags(photo: Image.Image) -> Tags:
    faults: list[str] = []
    exif: dict[str, Any] = {}
    gps: dict[str, Any] = {}
    with warnings.catch_warnings():  # Pillow warns of damaged EXIF and goes on
        warnings.simplefilter("ignore", UserWarning)
        try:
            whole = photo.getexif()
            exif = _named(whole, ExifTags.TAGS) | _named(whole.get_ifd(ExifTags.IFD.Exif), ExifTags.TAGS)
            gps = _named(whole.get_ifd(ExifTags.IFD.GPSInfo), ExifTags.GPSTAGS)
        except (*_UNREADABLE, KeyError, TypeError, ZeroDivisionError):
            faults.append("exif_unreadable")
    dji: dict[str, str] = {}
    packet = photo.info.get("xmp")
    if isinstance(packet, bytes):
        try:
            dji = xmp.tags(packet)
        except BadInputError:
            faults.append("xmp_unreadable")
    return Tags(
        photo.width,
        photo.height,
        MappingProxyType(exif),
        MappingProxyType(gps),
        MappingProxyType(dji),
        tuple(faults),
    )


def _named(values: Mapping[int, Any], names: Mapping[int, str]) -> dict[str, Any]:
    return {names[tag]: value for tag, value in values.items() if tag in names}
