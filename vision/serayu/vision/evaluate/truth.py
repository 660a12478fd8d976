"""The truth that a picture's YOLO label file tells: boxes and outlines, each of a class of the data set."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serayu.models.errors import BadInputError, plain
from serayu.vision.detection import Points

__all__ = ["LabelFile", "Truth", "read_labels"]

_BOX_FIELDS = 5
_POLYGON_FIELDS = 7
_SLACK = 0.01
"""How far outside 0-1 a coordinate may lie before it is an error: rounding of labels that touch the edge; what
lies outside is cut off [project proposal]."""


@dataclass(frozen=True, slots=True)
class Truth:
    """One labelled thing.

    Parameters
    ----------
    index
        Class in the data set's own numbering.
    xyxy
        Box: left, top, right, bottom as fractions of the picture's width and height, 0-1.
    outline
        Outline in the same fractions, shape (n, 2); None where the label is only a box.
    """

    index: int
    xyxy: tuple[float, float, float, float]
    outline: Points | None = None


@dataclass(frozen=True, slots=True)
class LabelFile:
    """What a label file holds.

    Parameters
    ----------
    truths
        The things, in the order of the file.
    repeated, empty
        Rows left out: equal to an earlier row, or without area.
    """

    truths: tuple[Truth, ...] = ()
    repeated: int = 0
    empty: int = 0


def read_labels(file: Path, *, classes: int) -> LabelFile:
    """Read a label file; one that is absent or empty labels a picture of nothing (background).

    A row is ``class x_centre y_centre width height`` or ``class x1 y1 x2 y2 x3 y3 …``, in fractions of the picture.

    Parameters
    ----------
    file
        The label file.
    classes
        How many classes the data set has.

    Raises
    ------
    BadInputError
        A row cannot be read; names file, row and field.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return LabelFile()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"cannot be read as text: {plain(error)}", file=file) from None
    truths: list[Truth] = []
    seen: set[tuple[str, ...]] = set()
    repeated = empty = 0
    for row, line in enumerate(text.splitlines(), start=1):
        fields = tuple(line.split())
        if not fields:
            continue
        truth = _truth(fields, classes=classes, file=file, row=row)
        if fields in seen:
            repeated += 1
        elif truth.xyxy[2] <= truth.xyxy[0] or truth.xyxy[3] <= truth.xyxy[1]:
            empty += 1
        else:
            truths.append(truth)
        seen.add(fields)
    return LabelFile(tuple(truths), repeated, empty)


def _truth(fields: tuple[str, ...], *, classes: int, file: Path, row: int) -> Truth:
    if len(fields) != _BOX_FIELDS and (len(fields) < _POLYGON_FIELDS or len(fields) % 2 == 0):
        raise BadInputError(
            f"has {len(fields)} fields; expected 5 of a box (class x y width height) or an odd number from 7 of a "
            "polygon (class x1 y1 x2 y2 x3 y3 …)",
            file=file,
            row=row,
        )
    index = _class(fields[0], classes=classes, file=file, row=row)
    box = len(fields) == _BOX_FIELDS
    names = ("x", "y", "width", "height") if box else ()
    numbers = [
        _fraction(text, file=file, row=row, field=names[k] if box else f"{'xy'[k % 2]}{k // 2 + 1}")
        for k, text in enumerate(fields[1:])
    ]
    if box:
        x, y, width, height = numbers
        edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        left, top, right, bottom = (min(max(edge, 0.0), 1.0) for edge in edges)
        return Truth(index, (left, top, right, bottom))
    outline = np.clip(np.asarray(numbers, dtype=np.float64).reshape(-1, 2), 0.0, 1.0)
    low, high = outline.min(axis=0), outline.max(axis=0)
    return Truth(index, (float(low[0]), float(low[1]), float(high[0]), float(high[1])), outline)


def _class(text: str, *, classes: int, file: Path, row: int) -> int:
    number = _number(text, file=file, row=row, field="class")
    if number != int(number) or not 0 <= number < classes:
        raise BadInputError(
            f"expected a class of the data set, 0 to {classes - 1}, not {text!r}",
            file=file,
            row=row,
            field="class",
        )
    return int(number)


def _fraction(text: str, *, file: Path, row: int, field: str) -> float:
    number = _number(text, file=file, row=row, field=field)
    if not -_SLACK <= number <= 1.0 + _SLACK:
        raise BadInputError(
            f"expected a fraction of the picture, 0 to 1, not {text!r}", file=file, row=row, field=field
        )
    return number


def _number(text: str, *, file: Path, row: int, field: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadInputError(f"expected a number, not {text!r}", file=file, row=row, field=field)
    return number
