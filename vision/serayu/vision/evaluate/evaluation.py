"""The evaluation of a detector on a split: every picture looked at once, nothing tuned."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.evaluate.dataset import Dataset, Sample
from serayu.vision.evaluate.naming import Naming, match_names
from serayu.vision.evaluate.pictures import Compared, Labelled, compare
from serayu.vision.evaluate.scenes import Overlap, manifest_scenes
from serayu.vision.evaluate.truth import LabelFile, read_labels
from serayu.vision.runtime.found import Found
from serayu.vision.runtime.pictures import read_picture

__all__ = ["LEAST_SCORE", "Evaluation", "Finder", "Skipped", "evaluate"]

LEAST_SCORE = 0.001
"""Score down to which boxes are asked for, so that precision is known at every recall [the usual value of COCO
evaluations of YOLO networks]."""


class Finder(Protocol):
    """A detector that tells everything it sees; :class:`serayu.vision.runtime.tiled.TiledDetector` is one."""

    classes: tuple[str, ...]

    @property
    def has_masks(self) -> bool:
        """Return whether what is found has outlines."""
        ...

    def find(self, image: Image, *, gsd_mm: float | None = None, threshold: float | None = None) -> Found:
        """Return what is in a picture from a score up."""
        ...


@dataclass(frozen=True, slots=True)
class Skipped:
    """A picture that was passed over, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation found.

    Parameters
    ----------
    naming
        Which classes count, and which were left out.
    pictures
        Outcome of each picture that could be read.
    scenes
        Number of each one's scene.
    scenes_source
        How scenes were told: ``manifest``, ``overlap`` or ``image``.
    threshold
        Score from which something counts as found.
    masks
        None where masks were compared, else why not.
    skipped
        Pictures passed over.
    unlabelled_pictures
        Pictures without a label file, taken for background.
    repeated_labels, empty_labels
        Label rows left out: equal to an earlier row of the file, or without area.
    ms
        Milliseconds of each picture, in the order of `pictures`.
    """

    naming: Naming
    pictures: tuple[Compared, ...]
    scenes: tuple[int, ...]
    scenes_source: str
    threshold: float
    masks: str | None
    skipped: tuple[Skipped, ...]
    unlabelled_pictures: int
    repeated_labels: int
    empty_labels: int
    ms: tuple[float, ...]


def evaluate(
    finder: Finder,
    dataset: Dataset,
    *,
    threshold: float,
    gsd_mm: float | None = None,
    by_scene: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Look at every picture of a split and compare with its labels.

    Every picture is looked at twice: down to `LEAST_SCORE` for average precision, then at the threshold, as in use.
    The time of a picture is that of the second look, from decoded pixels to boxes (scaling, cutting, network, decoding
    of its output, joining): reading and decoding the file is not in it, nor what libraries set up on first use.
    One picture at a time.

    Parameters
    ----------
    finder
        The detector.
    dataset
        The split.
    threshold
        Score from which something counts as found.
    gsd_mm
        Ground sampling distance of the pictures, mm per px, where known: they are then brought to the scale that the
        weights were trained at.
    by_scene
        Whether scenes are told for the intervals; else every picture is one.
    progress
        Called with pictures done and pictures in all.

    Raises
    ------
    BadInputError
        A label file has a bad row, no class is shared, or no picture can be read.
    """
    labels = {sample: read_labels(sample.labels, classes=len(dataset.names)) for sample in dataset.samples}
    naming = match_names(
        finder.classes,
        dataset.names,
        labelled={truth.index for one in labels.values() for truth in one.truths},
    )
    masks = _why_no_masks(finder, naming, labels)
    overlap = Overlap() if by_scene else None
    seen: dict[Path, Compared] = {}
    skipped: list[Skipped] = []
    ms: list[float] = []
    for number, sample in enumerate(dataset.samples):
        if progress is not None:
            progress(number, len(dataset.samples))
        try:
            image = read_picture(sample.image, upright=True)
        except BadInputError as error:
            skipped.append(Skipped(sample.image.name, error.reason))
            continue
        every = finder.find(image, gsd_mm=gsd_mm, threshold=LEAST_SCORE)
        start = time.perf_counter()
        passing = finder.find(image, gsd_mm=gsd_mm, threshold=threshold)
        ms.append((time.perf_counter() - start) * 1000.0)
        if overlap is not None:
            overlap.add(image)
        labelled = Labelled(
            labels[sample].truths,
            naming,
            classes=finder.classes,
            size_px=(image.shape[1], image.shape[0]),
            masks=masks is None,
        )
        seen[sample.image] = compare(passing, every, labelled, has_masks=finder.has_masks)
    if progress is not None:
        progress(len(dataset.samples), len(dataset.samples))
    if not seen:
        first = skipped[0]
        raise BadInputError(
            f"no picture could be read; the first, {first.file}, {first.reason}", file=dataset.file
        )
    scenes, source = _scenes(tuple(seen), overlap)
    read = [(sample, labels[sample]) for sample in dataset.samples if sample.image in seen]
    return Evaluation(
        naming=naming,
        pictures=tuple(seen.values()),
        scenes=scenes,
        scenes_source=source,
        threshold=threshold,
        masks=masks,
        skipped=tuple(skipped),
        unlabelled_pictures=sum(not sample.labels.is_file() for sample, _ in read),
        repeated_labels=sum(one.repeated for _, one in read),
        empty_labels=sum(one.empty for _, one in read),
        ms=tuple(ms),
    )


def _why_no_masks(finder: Finder, naming: Naming, labels: dict[Sample, LabelFile]) -> str | None:
    if not finder.has_masks:
        return "the weights give boxes only"
    outlines = [
        truth.outline is not None
        for one in labels.values()
        for truth in one.truths
        if truth.index in naming.by_index
    ]
    if all(outlines):
        return None
    return f"{outlines.count(False)} of {len(outlines)} labels are boxes without outline"


def _scenes(images: tuple[Path, ...], overlap: Overlap | None) -> tuple[tuple[int, ...], str]:
    each = tuple(range(len(images)))
    if overlap is None:
        return each, "image"
    told = manifest_scenes(images)
    if told is not None:
        return told, "manifest"
    scenes = overlap.scenes()
    return scenes, "overlap" if scenes != each else "image"
