"""Pictures of what was found: the photo with boxes and sizes, and a crop of each thing."""

import cv2
import numpy as np

from serayu.models.survey.finding import DefectClass, Severity
from serayu.models.survey.photo import crop_bounds
from serayu.models.texts import decimal, text
from serayu.vision.detection import Image
from serayu.vision.sighting import Sighting

__all__ = ["ANNOTATED_PX", "COLOURS", "CROP_PX", "annotated_jpeg", "caption", "crop_jpeg"]

ANNOTATED_PX = 2048
"""Longer side of an annotated picture at most, px [project proposal]: a screen's width, a third of a megabyte."""
CROP_PX = 640
"""Longer side of a crop at most, px [project proposal]."""
_QUALITY = 85  # of JPEG
COLOURS: dict[DefectClass, tuple[int, int, int]] = {
    DefectClass.LONGITUDINAL_CRACK: (0, 159, 230),
    DefectClass.TRANSVERSE_CRACK: (233, 180, 86),
    DefectClass.ALLIGATOR_CRACK: (167, 121, 204),
    DefectClass.POTHOLE: (0, 94, 213),
    DefectClass.PATCH_REPAIR: (115, 158, 0),
    DefectClass.LANDSLIDE: (66, 228, 240),
}
"""Blue, green, red; told apart by colour-blind people too [Okabe & Ito 2008, Color Universal Design]."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def caption(sighting: Sighting) -> str:
    """Return what is written at a box, in Indonesian and in ASCII, for the font has nothing else.

    Class, sizes, severity and, after ``skor``, the score.
    """
    sizes = sighting.measured
    words = [text(f"report.class.{sighting.label.value}", "id")]
    if sizes.length_m is not None:
        words.append(f"{decimal(sizes.length_m, 2)} m")
    if sizes.width_mm is not None:
        words.append(f"{decimal(sizes.width_mm, 1)} mm")
    if sizes.area_m2 is not None:
        words.append(f"{decimal(sizes.area_m2, 2)} m2")
    if sizes.severity is not Severity.UNMEASURED:
        words.append(text(f"report.severity.{sizes.severity.value}", "id"))
    if sighting.score is not None:
        words.append(f"skor {decimal(sighting.score, 2)}")
    return "; ".join(words)


def annotated_jpeg(image: Image, sightings: tuple[Sighting, ...]) -> bytes:
    """Return a JPEG of a whole picture, `ANNOTATED_PX` at most, with boxes and captions."""
    scale = min(1.0, ANNOTATED_PX / max(image.shape[:2]))
    canvas = _resized(image, scale)
    size = max(canvas.shape[:2]) / ANNOTATED_PX
    thick = max(1, round(3 * size))
    for one in sightings:
        left, top, right, bottom = (round(value * scale) for value in one.xyxy_px)
        colour = COLOURS[one.label]
        cv2.rectangle(canvas, (left, top), (right, bottom), colour, thick)
        _write(canvas, caption(one), (left, top), colour, scale=max(0.4, 0.8 * size))
    return _jpeg(canvas)


def crop_jpeg(image: Image, xyxy_px: tuple[float, float, float, float]) -> bytes:
    """Return a JPEG of a box and a margin around it, `CROP_PX` at most."""
    height, width = image.shape[:2]
    left, top, right, bottom = crop_bounds(xyxy_px, width_px=width, height_px=height)
    cut = image[top:bottom, left:right]
    return _jpeg(_resized(cut, min(1.0, CROP_PX / max(cut.shape[:2]))))


def _resized(image: Image, scale: float) -> Image:
    if scale >= 1:
        return image.copy()
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _write(
    canvas: Image, words: str, corner: tuple[int, int], colour: tuple[int, int, int], *, scale: float
) -> None:
    """Write above a box, or into it at the picture's upper edge."""
    thick = max(1, round(2 * scale))
    (width, height), base = cv2.getTextSize(words, _FONT, scale, thick)
    left = int(np.clip(corner[0], 0, max(0, canvas.shape[1] - width)))
    bottom = corner[1] if corner[1] >= height + base else corner[1] + height + base
    cv2.rectangle(canvas, (left, bottom - height - base), (left + width, bottom), colour, -1)
    cv2.putText(canvas, words, (left, bottom - base // 2 - 1), _FONT, scale, (0, 0, 0), thick, cv2.LINE_AA)


def _jpeg(image: Image) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise RuntimeError("the JPEG encoder failed")
    return bytes(data)
