"""The pictures of one source, with their labels in the classes of the training."""

import fnmatch
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from serayu.models.errors import BadInputError
from serayu.vision.evaluate.dataset import SUFFIXES, read_names
from serayu.vision.evaluate.truth import read_labels
from serayu.vision.training.config import Source
from serayu.vision.training.labels import Labels, join_near

__all__ = ["Ignored", "Picture", "source_pictures"]

Ignored = tuple[int, float, float, float, float]
"""A class, and the box (left, top, right, bottom in parts of the picture) where nothing is said about it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to learn from or to be judged by.

    Parameters
    ----------
    file
        Where it is.
    labels
        What is learnt from it.
    ignored
        Where the network is neither praised nor blamed.
    top
        Part of its height to cut off at the top; labels and ignored boxes are in parts of what remains.
    """

    file: Path
    labels: Labels
    ignored: tuple[Ignored, ...] = ()
    top: float = 0.0


def source_pictures(source: Source, *, data: Path, classes: tuple[str, ...]) -> tuple[Picture, ...]:
    """Return the pictures of a source, in order of their names.

    Parameters
    ----------
    source
        Which and how.
    data
        The data folder.
    classes
        Classes of the training; those of the source are matched by name, others left out.

    Raises
    ------
    BadInputError
        A folder, ``data.yaml`` or label is absent or wrong; names it.
    """
    names = read_names(data / source.folder / "data.yaml")
    folder = data / source.folder / "images" / source.split
    if not folder.is_dir():
        raise BadInputError("is not a folder of pictures", file=folder)
    files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES]
    files = [file for file in files if fnmatch.fnmatch(file.name, source.only)]
    if not files:
        raise BadInputError(f"holds no picture {source.only!r}", file=folder)
    beside = data / source.folder / "labels" / source.split
    read = [read_labels(beside / f"{file.stem}.txt", classes=len(names)) for file in files]
    return tuple(
        _picture(file, Labels.of(one.truths), source, names, classes)
        for file, one in zip(files, read, strict=True)
    )


def _picture(
    file: Path, labels: Labels, source: Source, names: tuple[str, ...], classes: tuple[str, ...]
) -> Picture:
    """Bring one picture's labels into the classes of the training and the limits of its source."""
    known = {name for name in classes if name in names and name in (source.known or classes)}
    keep = set(source.keep or classes)
    mine = np.array([names[int(number)] in classes for number in labels.classes], dtype=bool)
    labels = labels.take(mine)
    numbers = np.array([classes.index(names[int(number)]) for number in labels.classes], np.int64)
    labels = Labels(numbers, labels.boxes, labels.polygons)
    if source.crop_top:
        labels = _without_top(labels, source.crop_top)
    if source.join_gap:
        labels = join_near(labels, gap=source.join_gap)
    wanted = np.array([classes[number] in keep for number in labels.classes], dtype=bool)
    good = _fit(labels, source, file)
    out = ~(good & wanted)
    ignored = [
        (int(number), float(box[0]), float(box[1]), float(box[2]), float(box[3]))
        for number, box in zip(labels.classes[out], labels.boxes[out], strict=True)
    ]
    unknown = [number for number, name in enumerate(classes) if name not in known]
    ignored = [box for box in ignored if box[0] not in unknown] + [(n, 0.0, 0.0, 1.0, 1.0) for n in unknown]
    return Picture(file, labels.take(~out), tuple(ignored), source.crop_top)


def _fit(labels: Labels, source: Source, file: Path) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which labels are within the source's limits of size and form."""
    sides = labels.boxes[:, 2:] - labels.boxes[:, :2]
    good = (sides.max(axis=1, initial=0) >= source.least) & (sides.prod(axis=1) <= source.most)
    if source.longest < 1e6 and len(labels):  # noqa: PLR2004 - a limit was set
        height, width = _shape(file)
        pixels = np.maximum(sides * [width, height * (1 - source.crop_top)], 1e-6)
        good &= pixels.max(axis=1) <= source.longest * pixels.min(axis=1)
    return np.asarray(good, dtype=bool)


def _shape(file: Path) -> tuple[int, int]:
    picture = cv2.imread(str(file))
    if picture is None:
        raise BadInputError("is not a picture", file=file)
    return picture.shape[0], picture.shape[1]


def _without_top(labels: Labels, top: float) -> Labels:
    """Return boxes in parts of the picture below a cut; those with less than half below it are left out."""
    boxes = labels.boxes.copy()
    before = np.maximum(boxes[:, 3] - boxes[:, 1], 1e-9)
    boxes[:, [1, 3]] = np.clip((boxes[:, [1, 3]] - top) / (1 - top), 0, 1)
    left = (boxes[:, 3] - boxes[:, 1]) * (1 - top) >= before / 2
    return Labels(labels.classes, boxes).take(left)
