"""Pictures in files: read as 8-bit blue, green, red, whatever their format and depth, and written with drawings."""

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.runtime.found import Found

__all__ = ["drawn", "read_picture", "write_picture"]

# Blue, green, red of Okabe and Ito's palette, which the colour-blind tell apart.
_COLOURS = ((0, 159, 230), (233, 180, 86), (115, 158, 0), (66, 228, 240), (178, 114, 0), (0, 94, 213))
_RASTERS = frozenset({".tif", ".tiff", ".jp2"})


def read_picture(file: Path, *, upright: bool) -> Image:
    """Return a picture.

    What OpenCV cannot decode (many bands, float or 16-bit TIFF) is read through rasterio: bands 1-3 are red, green,
    blue, one band is grey; depths above 8 bit are stretched from their 0.5 % to their 99.5 % quantile.

    Parameters
    ----------
    file
        Any format that OpenCV or rasterio reads.
    upright
        Whether the picture is turned as its EXIF orientation says, as people look at it and label it; else its
        pixels lie as in the file, as poses count them from the sensor. A TIFF is never turned.

    Raises
    ------
    BadInputError
        It is absent, truncated or no picture; names the file.
    """
    try:
        data = np.fromfile(file, dtype=np.uint8)
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror or error}", file=file) from None
    if data.size == 0:
        raise BadInputError("is empty", file=file)
    raster = file.suffix.lower() in _RASTERS
    picture = None if raster else _decoded(data, upright=upright)
    if picture is None:
        picture = _raster(file)
    if picture is None and raster:
        picture = _decoded(data, upright=False)
    if picture is None:
        raise BadInputError("is not a picture that can be decoded (corrupt or truncated?)", file=file)
    return picture


def _decoded(data: npt.NDArray[np.uint8], *, upright: bool) -> Image | None:
    import cv2  # noqa: PLC0415 - heavy

    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR | (0 if upright else cv2.IMREAD_IGNORE_ORIENTATION))
    except cv2.error:
        return None
    return None if picture is None else np.ascontiguousarray(picture, dtype=np.uint8)


def _raster(file: Path) -> Image | None:
    import rasterio  # noqa: PLC0415 - only for pictures that OpenCV cannot decode
    from rasterio.enums import ColorInterp  # noqa: PLC0415
    from rasterio.errors import NotGeoreferencedWarning, RasterioError  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            with rasterio.open(file) as source:
                if source.colorinterp[0] == ColorInterp.palette:
                    return None  # numbers of colours: OpenCV looks them up
                bands = (1, 2, 3) if source.count >= 3 else (1, 1, 1)  # noqa: PLR2004 - red, green, blue
                pixels = source.read(bands)
        except (RasterioError, OSError, ValueError, MemoryError):
            return None
    return np.ascontiguousarray(np.moveaxis(_eight_bit(pixels), 0, -1)[:, :, ::-1])


def _eight_bit(pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    values = pixels.astype(np.float32)
    finite = values[np.isfinite(values)]
    low, high = np.quantile(finite, (0.005, 0.995)) if finite.size else (0.0, 0.0)
    if high <= low:
        return np.zeros(pixels.shape, dtype=np.uint8)
    stretched = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / (high - low)
    return np.round(np.clip(stretched, 0.0, 1.0) * 255).astype(np.uint8)


def drawn(image: Image, found: Found, classes: tuple[str, ...]) -> Image:
    """Return a copy of a picture with boxes, outlines, names and scores drawn in."""
    import cv2  # noqa: PLC0415 - heavy

    result = image.copy()
    line = max(1, round(max(image.shape[:2]) / 800))
    for row in range(len(found)):
        label = int(found.labels[row])
        colour = _COLOURS[label % len(_COLOURS)]
        left, top, right, bottom = (round(float(side)) for side in found.xyxy_px[row])
        cv2.rectangle(result, (left, top), (right, bottom), colour, line)
        if found.outlines_px:
            rings = [np.rint(ring).astype(np.int32) for ring in found.outlines_px[row]]
            cv2.polylines(result, rings, isClosed=True, color=colour, thickness=line)
        text = f"{classes[label]} {found.scores[row]:.2f}"
        place = (left, max(top - 2 * line, 12 * line))
        cv2.putText(result, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45 * line, colour, line, cv2.LINE_AA)
    return result


def write_picture(file: Path, image: Image) -> None:
    """Write a picture in one step, in the format that its name says.

    Raises
    ------
    BadInputError
        It cannot be written so.
    """
    import cv2  # noqa: PLC0415 - heavy

    from serayu.models.command import write_atomically  # noqa: PLC0415 - a program's module

    try:
        done, data = cv2.imencode(file.suffix, image)
    except cv2.error:
        done = False
    if not done:
        raise BadInputError(f"no picture can be written as {file.suffix!r}; use .jpg or .png", file=file)
    write_atomically(file, data.tobytes())
