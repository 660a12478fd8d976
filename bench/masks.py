"""Outlines inside boxes against given masks: IoU and error of area of each method.

``python -m bench.masks DATA [--split val] [--prefix bk_] [--jitter 0.05] [--every N] [--json] [--output FILE]``.
DATA is a folder with images/SPLIT and labels/SPLIT in YOLO's polygon format, classes 0-3 longitudinal, transverse,
alligator crack and pothole. Boxes are those of the polygons, each edge moved by a normal error of so many shares of
the side. Cracks are compared by their middle line as well, since masks of cracks are often drawn too wide: the share
of each line that lies within 4 px of the other. A learned mask model is one more `Masker` in
`METHODS`.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from skimage.morphology import skeletonize

from bench.common import case, document, emit
from serayu.models.errors import BadInputError
from serayu.models.survey.finding import DefectClass
from serayu.vision.detection import Detection, Image, Points
from serayu.vision.evaluate.truth import read_labels
from serayu.vision.measure.blob import ellipse_outline
from serayu.vision.measure.crop import Box, Crop
from serayu.vision.measure.masker import ClassicalMasker, Masker, Outlined

CLASSES = (
    DefectClass.LONGITUDINAL_CRACK,
    DefectClass.TRANSVERSE_CRACK,
    DefectClass.ALLIGATOR_CRACK,
    DefectClass.POTHOLE,
)
LEAST_PX = 12  # of a box's shorter side, below which an outline is a handful of pixels
LEAST_CRACK_PX = 40  # of a crack's longer side
NEAR_PX = 4
Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Given:
    image: Image
    label: DefectClass
    mask: Mask
    box: Box


class Whole:
    """The box itself."""

    def outline(self, image: Image, detection: Detection) -> Outlined | None:  # noqa: ARG002
        left, top, right, bottom = detection.xyxy_px
        return Outlined((np.array([[left, top], [right, top], [right, bottom], [left, bottom]]),), 0.0, 0.0)


@dataclass(frozen=True)
class OfCrop:
    """A function of the window around a box."""

    find: Callable[[Crop], Points | None]

    def outline(self, image: Image, detection: Detection) -> Outlined | None:
        left, top, right, bottom = detection.xyxy_px
        crop = Crop.of(image, detection.xyxy_px, margin_px=0.35 * max(right - left, bottom - top) + 4)
        found = None if crop is None else self.find(crop)
        return None if crop is None or found is None else Outlined((crop.to_picture(found),), 0.0, 0.0)


def grab_cut(crop: Crop) -> Points | None:
    """GrabCut, the ellipse of the box probably the thing and its middle surely."""
    marks = np.full(crop.image.shape[:2], cv2.GC_BGD, np.uint8)
    left, top, right, bottom = crop.box_px
    centre = (round((left + right) / 2), round((top + bottom) / 2))
    half = ((right - left) / 2, (bottom - top) / 2)
    for share, mark in ((1.0, cv2.GC_PR_FGD), (0.6, cv2.GC_FGD)):
        cv2.ellipse(
            marks,
            centre,
            (max(round(half[0] * share), 1), max(round(half[1] * share), 1)),
            0,
            0,
            360,
            mark,
            -1,
        )
    if not (marks == cv2.GC_BGD).any():
        return None
    cv2.setRNGSeed(0)
    picture = np.ascontiguousarray(crop.image)
    whole = (0, 0, picture.shape[1], picture.shape[0])  # not looked at, the marks say where
    cv2.grabCut(picture, marks, whole, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    return largest((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD))


def otsu(crop: Crop) -> Points | None:
    """Pixels of the box darker than Otsu's threshold of its smoothed grey levels."""
    left, top, right, bottom = (round(edge) for edge in crop.box_px)
    levels = cv2.GaussianBlur(cv2.cvtColor(crop.image, cv2.COLOR_BGR2GRAY), (0, 0), 1.5)
    inside = np.zeros(levels.shape, np.bool_)
    inside[top:bottom, left:right] = True
    limit, _ = cv2.threshold(levels[inside][:, None], 0, 255, cv2.THRESH_OTSU)
    return largest(inside & (levels <= limit))


def largest(mask: npt.NDArray[np.bool_]) -> Points | None:
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    best = max(outlines, key=cv2.contourArea, default=None)
    return None if best is None or len(best) < 3 else best[:, 0].astype(np.float64) + 0.5


METHODS: Mapping[str, Masker] = {
    "serayu": ClassicalMasker(),
    "box": Whole(),
    "ellipse": OfCrop(ellipse_outline),
    "grabcut": OfCrop(grab_cut),
    "otsu": OfCrop(otsu),
}


def filled(outlines: Sequence[Points], shape: tuple[int, int]) -> Mask:
    canvas = np.zeros(shape, np.uint8)
    for outline in outlines:
        cv2.fillPoly(canvas, [np.round(outline - 0.5).astype(np.int32)], 1)
    return canvas


def given(folder: Path, split: str, prefix: str, every: int, jitter: float) -> Iterator[Given]:
    rng = np.random.default_rng(1)
    for file in sorted((folder / "labels" / split).glob(f"{prefix}*.txt"))[::every]:
        image = cv2.imread(str(folder / "images" / split / f"{file.stem}.jpg"))
        if image is None:
            continue
        height, width = image.shape[:2]
        for truth in read_labels(file, classes=len(CLASSES)).truths:
            if truth.outline is None:
                continue  # a box has no mask
            points = truth.outline * (width, height)
            low, high = points.min(axis=0), points.max(axis=0)
            crack = truth.index < 2
            if (high - low).max() < LEAST_CRACK_PX if crack else (high - low).min() < LEAST_PX:
                continue
            edges = np.concatenate((low, high)) + rng.normal(0, jitter, 4) * np.tile(high - low, 2)
            box = (float(edges[0]), float(edges[1]), float(edges[2]), float(edges[3]))
            mask = filled((points,), (height, width))
            yield Given(image.astype(np.uint8), CLASSES[truth.index], mask, box)


def line_scores(found: Mask, truth: Mask) -> tuple[float, float]:
    """Return the shares of the found line near the true one, and of the true one near the found."""
    one, other = (skeletonize(mask > 0) for mask in (found, truth))  # type: ignore[no-untyped-call]
    if not one.any() or not other.any():
        return 0.0, 0.0
    far = [cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, 3) for line in (one, other)]
    return float((far[1][one] <= NEAR_PX).mean()), float((far[0][other] <= NEAR_PX).mean())


def judged(method: Masker, things: Sequence[Given]) -> dict[str, list[float]]:
    scores: dict[str, list[float]] = {
        "iou": [],
        "area": [],
        "precise": [],
        "complete": [],
        "ms": [],
        "found": [],
    }
    for thing in things:
        start = time.perf_counter()
        outlined = method.outline(thing.image, Detection(thing.label, None, thing.box))
        scores["ms"].append(1000 * (time.perf_counter() - start))
        scores["found"].append(float(outlined is not None))
        if outlined is None:
            scores["iou"].append(0.0)
            continue
        mask = filled(outlined.outlines_px, (thing.mask.shape[0], thing.mask.shape[1]))
        scores["iou"].append(float((mask & thing.mask).sum() / max((mask | thing.mask).sum(), 1)))
        scores["area"].append(abs(float(mask.sum()) / float(thing.mask.sum()) - 1))
        if thing.label in CLASSES[:2]:
            precise, complete = line_scores(mask, thing.mask)
            scores["precise"].append(precise)
            scores["complete"].append(complete)
    return scores


FIGURES: tuple[tuple[str, str, str, Callable[[Sequence[float]], float]], ...] = (
    ("iou", "mean IoU, 0 where nothing is found", "1", statistics.fmean),
    ("area", "median error of area", "1", statistics.median),
    ("precise", "mean share of the found line near the true one", "1", statistics.fmean),
    ("complete", "mean share of the true line near the found one", "1", statistics.fmean),
    ("found", "share found", "1", statistics.fmean),
    ("ms", "median time", "ms", statistics.median),
)


def run(things: Sequence[Given], *, jitter: float) -> dict[str, Any]:
    cases = []
    for label in CLASSES:
        own = [thing for thing in things if thing.label is label]
        if not own:
            continue
        scores = {name: judged(method, own) for name, method in METHODS.items()}
        for key, metric, unit, middle in FIGURES:
            values = {name: score[key] for name, score in scores.items() if score[key]}
            if "serayu" not in values:
                continue
            peers = {name: middle(value) for name, value in values.items() if name != "serayu"}
            ours = values["serayu"]
            title = f"{label.value} n={len(own)} jitter={jitter:g}: {key}"
            cases.append(case(title, metric=metric, unit=unit, ours=middle(ours), peers=peers, spread=ours))
    return document("masks", rounds=1, cases=cases)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--prefix", default="", help="of the files' names")
    parser.add_argument("--jitter", type=float, default=0.0)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(arguments)
    try:
        things = list(given(options.data, options.split, options.prefix, options.every, options.jitter))
    except BadInputError as error:
        parser.error(str(error))
    if not things:
        parser.error(f"{options.data}: no masks of {options.split} images {options.prefix}*")
    emit(run(things, jitter=options.jitter), as_json=options.json, output=options.output)


if __name__ == "__main__":
    main()
