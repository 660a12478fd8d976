"""Pictures in files: read as pixels lie in the file, and written with what was found drawn in."""

from pathlib import Path

import numpy as np

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.runtime.found import Found

__all__ = ["drawn", "read_picture", "write_picture"]

# Blue, green, red of Okabe and Ito's palette, which the colour-blind tell apart.
_COLOURS = ((0, 159, 230), (233, 180, 86), (115, 158, 0), (66, 228, 240), (178, 114, 0), (0, 94, 213))


def read_picture(file: Path) -> Image:
    """Return a picture as its pixels lie in the file (no turning by EXIF: poses refer to the sensor).

    Raises
    ------
    BadInputError
        It is absent, truncated or no picture; names the file.
    """
    import cv2  # noqa: PLC0415 - heavy

    try:
        data = np.fromfile(file, dtype=np.uint8)
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(data, flags) if data.size else None
    if image is None:
        raise BadInputError("not a picture that can be read", file=file)
    return np.asarray(image, dtype=np.uint8)


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
