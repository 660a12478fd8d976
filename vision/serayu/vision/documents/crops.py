"""Pictures for the report: crops of findings, smaller, as many as the report may carry."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from serayu.models.survey.finding import DefectClass, Finding, Severity

__all__ = ["MOST_BYTES", "MOST_PICTURES", "chosen_crops"]

MOST_PICTURES = 400
"""In a report at most [project proposal]: 400 pictures are some 25 pages."""
MOST_BYTES = 7_500_000
"""Of all pictures together at most: in HTML (4 characters for 3 bytes) 10 MB, so that it stays below 15 MB
[project proposal]."""
_SIDE_PX = 260  # 33 mm on paper at 200 dots per inch
_QUALITY = 78
_RANK = {Severity.HIGH: 0, Severity.MEDIUM: 1, Severity.LOW: 2, Severity.UNMEASURED: 3}


def chosen_crops(findings: Sequence[Finding], folder: Path) -> Mapping[str, bytes]:
    """Return small JPEG files by the findings' ids: slides first, then the most severe and the largest.

    A crop that is absent or cannot be read is passed over.
    """
    chosen: dict[str, bytes] = {}
    spent = 0
    for finding in sorted(findings, key=_urgency):
        if len(chosen) >= MOST_PICTURES:
            break
        small = _small(folder / f"{finding.id}.jpg")
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


def _small(file: Path) -> bytes | None:
    try:
        with Image.open(file, formats=("JPEG",)) as picture:
            picture.draft("RGB", (_SIDE_PX, _SIDE_PX))
            small = picture.convert("RGB")
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError):
        return None
    small.thumbnail((_SIDE_PX, _SIDE_PX))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
