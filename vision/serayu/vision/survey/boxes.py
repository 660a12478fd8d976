"""Given boxes instead of a detector: YOLO labels beside a list of class names."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serayu.models.errors import BadInputError, plain
from serayu.models.survey.finding import DefectClass
from serayu.vision.detection import Detection

__all__ = ["CLASSES_FILE", "GivenBoxes", "read_labels"]

CLASSES_FILE = "classes.txt"
_BOX_FIELDS, _SCORED_FIELDS = 5, 6
_SLACK = 1e-3  # of the picture: labels are often rounded to three or four decimals


@dataclass(frozen=True, slots=True)
class GivenBoxes:
    """A folder of labels: ``<name of the photo without its ending>.txt`` each, and ``classes.txt``.

    Parameters
    ----------
    folder
        Where they lie. A photo without a file shows nothing.
    classes
        Names of the classes by number; names that are no defect class are passed over.
    """

    folder: Path
    classes: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> "GivenBoxes":
        """Open a folder of labels.

        Raises
        ------
        BadInputError
            No ``classes.txt``, or none of its names is a defect class.
        """
        file = folder / CLASSES_FILE
        try:
            names = tuple(line.strip() for line in file.read_text("utf-8").splitlines() if line.strip())
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError(f"cannot read the names of the classes: {plain(error)}", file=file) from None
        if not set(names) & {label.value for label in DefectClass}:
            known = ", ".join(label.value for label in DefectClass)
            raise BadInputError(f"none of its names is a class ({known})", file=file)
        return cls(folder, names)

    def file(self, name: str) -> Path:
        """Return where the labels of a unit lie, whether or not they do."""
        return self.folder / f"{Path(name).stem}.txt"

    def detections(self, name: str, *, size_px: tuple[int, int]) -> tuple[Detection, ...]:
        """Return the boxes of a unit, by class, then box.

        Raises
        ------
        BadInputError
            A line that is no label; names file and row.
        """
        file = self.file(name)
        if not file.is_file():
            return ()
        return read_labels(file, classes=self.classes, size_px=size_px)


def read_labels(file: Path, *, classes: tuple[str, ...], size_px: tuple[int, int]) -> tuple[Detection, ...]:
    """Read YOLO labels.

    Parameters
    ----------
    file
        Lines of ``class x y width height`` (middle and size of a box), the same with a confidence behind, or ``class``
        and three or more corners ``x y`` of an outline; all as fractions of the picture.
    classes
        Names by number.
    size_px
        Width and height of the picture.

    Raises
    ------
    BadInputError
        A line that is neither; names file and row.
    """
    found: list[Detection] = []
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"cannot read labels: {plain(error)}", file=file) from None
    for row, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            one = _detection(line.split(), classes, size_px)
        except (ValueError, IndexError) as error:
            raise BadInputError(f"not a YOLO label: {error}", file=file, row=row) from None
        if one is not None:
            found.append(one)
    return tuple(sorted(found, key=lambda one: (one.label.value, one.xyxy_px)))


def _detection(words: list[str], classes: tuple[str, ...], size_px: tuple[int, int]) -> Detection | None:
    number = int(words[0])
    if not 0 <= number < len(classes):
        raise ValueError(f"class {number} of {len(classes)}")
    numbers = np.array([float(word) for word in words[1:]])
    if not np.isfinite(numbers).all():
        raise ValueError("a number is not finite")
    score: float | None = None
    outline = None
    if len(words) in {_BOX_FIELDS, _SCORED_FIELDS}:
        score = float(numbers[4]) if len(words) == _SCORED_FIELDS else None
        corners = np.array([numbers[:2] - numbers[2:4] / 2, numbers[:2] + numbers[2:4] / 2])
    elif len(words) > _SCORED_FIELDS and len(numbers) % 2 == 0:
        outline = numbers.reshape(-1, 2)
        corners = np.array([outline.min(axis=0), outline.max(axis=0)])
    else:
        raise ValueError(f"{len(words)} fields")
    if score is not None and not 0 <= score <= 1:
        raise ValueError(f"confidence {score} is not 0 to 1")
    if (corners < -_SLACK).any() or (corners > 1 + _SLACK).any() or (corners[1] <= corners[0]).any():
        raise ValueError("the box is empty or leaves the picture")
    if classes[number] not in {label.value for label in DefectClass}:
        return None
    left, top, right, bottom = (np.clip(corners, 0, 1) * size_px).ravel().tolist()
    outlines = () if outline is None else (np.clip(outline, 0, 1) * size_px,)
    return Detection(DefectClass(classes[number]), score, (left, top, right, bottom), outlines)
