"""Reading a picture of a data set, whatever its name, format and depth, as 8-bit blue, green, red."""

import warnings
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image

__all__ = ["read_picture"]


def read_picture(file: Path) -> Image:
    """Return a picture, turned upright as its EXIF orientation says.

    What OpenCV cannot decode (many bands, float or 16-bit TIFF) is read through rasterio: bands 1-3 are red, green,
    blue, one band is grey; depths above 8 bit are stretched from their 0.5 % to their 99.5 % quantile.

    Raises
    ------
    BadInputError
        Neither can; names the file.
    """
    try:
        data = np.fromfile(file, dtype=np.uint8)
    except OSError as error:
        raise BadInputError(f"cannot be read: {error.strerror or error}", file=file) from None
    if data.size == 0:
        raise BadInputError("is empty", file=file)
    raster = file.suffix.lower() in {".tif", ".tiff", ".jp2"}
    picture = None if raster else _decoded(data)
    if picture is None:
        picture = _raster(file)
    if picture is None and raster:
        picture = _decoded(data)
    if picture is None:
        raise BadInputError("is not a picture that can be decoded (corrupt or truncated?)", file=file)
    return picture


def _decoded(data: npt.NDArray[np.uint8]) -> Image | None:
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if picture is None else np.ascontiguousarray(picture, dtype=np.uint8)


def _raster(file: Path) -> Image | None:
    import rasterio  # noqa: PLC0415 - only for pictures that OpenCV cannot decode
    from rasterio.errors import NotGeoreferencedWarning, RasterioError  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            with rasterio.open(file) as source:
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
