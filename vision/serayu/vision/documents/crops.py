"""Pictures for the report: crops of findings, smaller, as many as the report may carry."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, UnidentifiedImageError

from serayu.models.survey.finding import DefectClass, Finding, Severity
from serayu.models.survey.photo import CropFrame

__all__ = ["MOST_BYTES", "MOST_PICTURES", "chosen_crops"]

MOST_PICTURES = 400
"""In a report at most [project proposal]: 400 pictures are some 25 pages."""
MOST_BYTES = 7_500_000
"""Of all pictures together at most: in HTML (4 characters for 3 bytes) 10 MB, so that it stays below 15 MB
[project proposal]."""
_SIDE_PX = 260  # 33 mm on paper at 200 dots per inch
_QUALITY = 78
_DARK, _LIGHT = (20, 20, 20), (255, 255, 255)
_RANK = {Severity.HIGH: 0, Severity.MEDIUM: 1, Severity.LOW: 2, Severity.UNMEASURED: 3}


def chosen_crops(
    findings: Sequence[Finding], folder: Path, frames: Mapping[str, CropFrame]
) -> Mapping[str, bytes]:
    """Return small JPEG files by the findings' ids: slides first, then the most severe and the largest.

    A crop that is absent or cannot be read is passed over.

    Parameters
    ----------
    findings
        What to show.
    folder
        Of crops, named by the findings' ids.
    frames
        Where the crops show the findings, by id: a box is drawn there.
    """
    chosen: dict[str, bytes] = {}
    spent = 0
    for finding in sorted(findings, key=_urgency):
        if len(chosen) >= MOST_PICTURES:
            break
        small = _small(folder / f"{finding.id}.jpg", frames.get(finding.id))
        if small is None:
            continue
        if spent + len(small) > MOST_BYTES:
            break
        chosen[finding.id] = small
        spent += len(small)
    return chosen


def _urgency(finding: Finding) -> tuple[bool, int, float, float, str]:
    return (
        finding.label is not DefectClass.LANDSLIDE,
        _RANK[finding.severity],
        -(finding.area_m2 or 0.0),
        -(finding.length_m or 0.0),
        finding.id,
    )


def _small(file: Path, frame: CropFrame | None) -> bytes | None:
    try:
        with Image.open(file, formats=("JPEG",)) as picture:
            picture.draft("RGB", (_SIDE_PX, _SIDE_PX))
            small = picture.convert("RGB")
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError):
        return None
    small.thumbnail((_SIDE_PX, _SIDE_PX))
    if frame is not None:
        _draw(small, frame)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()


def _draw(picture: Image.Image, frame: CropFrame) -> None:
    """Draw the box of a finding, dark around light, so that it shows on any road."""
    across, down = picture.width / frame.width, picture.height / frame.height
    left, top, right, bottom = frame.box
    x0, x1 = (min(max(value * across, 1), picture.width - 2) for value in (left, right))
    y0, y1 = (min(max(value * down, 1), picture.height - 2) for value in (top, bottom))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline=_DARK, width=3)
    draw.rectangle((x0, y0, x1, y1), outline=_LIGHT, width=1)
