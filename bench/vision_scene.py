"""Rendered roads as one large picture with the truth: what the benchmark of sliced inference looks at."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from serayu.vision.detection import Image
from serayu.vision.evaluate.counts import Counts, count
from serayu.vision.evaluate.matching import Pairs, box_ious
from serayu.vision.evaluate.truth import read_labels
from serayu.vision.flight.render import render_flight
from serayu.vision.runtime.found import Boxes, Labels
from serayu.vision.runtime.pictures import read_picture

FRAME_PX = (1000, 1000)
"""One photo of the flight: 8 m across the road at 8 mm per px, so that most of the picture is pavement."""

MOST_FRAMES = 16
"""Different photos of one picture at most."""

_LINE = [[109.2400 + 0.0004 * step, -7.4200] for step in range(60)]


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture and what is in it: boxes (n, 4) in pixels and indices into `classes`."""

    name: str
    image: Image
    boxes: Boxes
    labels: Labels
    classes: tuple[str, ...]


def rendered(name: str, width: int, height: int, *, seed: int) -> Scene:
    """Return a picture made of the photos of one rendered flight with little overlap, laid side by side.

    Rendering takes seconds for each: no more than `MOST_FRAMES` are made, and laid again from the first.
    """
    columns, rows = width // FRAME_PX[0], height // FRAME_PX[1]
    frames = min(columns * rows, MOST_FRAMES)
    image = np.zeros((height, width, 3), dtype=np.uint8)
    boxes, labels = [], []
    with tempfile.TemporaryDirectory() as folder:
        flight = _flight(Path(folder), photos=frames, seed=seed)
        classes = tuple((flight / "boxes" / "classes.txt").read_text().split())
        photos = sorted((flight / "photos").iterdir())
        shown = [
            (
                read_picture(photo, upright=False),
                labelled(flight / "boxes" / f"{photo.stem}.txt", classes=len(classes)),
            )
            for photo in photos
        ]
    for index in range(columns * rows):
        left, top = index % columns * FRAME_PX[0], index // columns * FRAME_PX[1]
        frame, things = shown[index % frames]
        image[top : top + FRAME_PX[1], left : left + FRAME_PX[0]] = frame
        boxes += [(left + box[0], top + box[1], left + box[2], top + box[3]) for _, box in things]
        labels += [label for label, _ in things]
    return Scene(name, image, np.array(boxes).reshape(-1, 4), np.array(labels, dtype=np.intp), classes)


def labelled(file: Path, *, classes: int) -> list[tuple[int, tuple[float, float, float, float]]]:
    """Return the classes and boxes (px) of a YOLO label file."""
    (width, height), truths = FRAME_PX, read_labels(file, classes=classes).truths
    corners = [(one.index, one.xyxy) for one in truths]
    return [
        (index, (x0 * width, y0 * height, x1 * width, y1 * height)) for index, (x0, y0, x1, y1) in corners
    ]


def _flight(folder: Path, *, photos: int, seed: int) -> Path:
    road = folder / "ruas.geojson"
    feature = {
        "type": "Feature",
        "properties": {"number": "000", "name": "bench", "width_m": 7.0},
        "geometry": {"type": "LineString", "coordinates": _LINE},
    }
    road.write_bytes(msgspec.json.encode({"type": "FeatureCollection", "features": [feature]}))
    flight = folder / "flight"
    render_flight(
        flight,
        road=road,
        seed=seed,
        photos=photos,
        gsd_mm=8.0,
        overlap=0.05,
        size_px=FRAME_PX,
        per_100_m=40.0,
        landslide=False,
    )
    return flight


def f1(boxes: Boxes, scores: Boxes, names: list[str], truth: Scene) -> float:
    """Return F1 of boxes against the truth: by falling score, same class, IoU at least 0.5, one to one."""
    total = Counts()
    for label, name in enumerate(truth.classes):
        rows = np.flatnonzero(np.array(names) == name)
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        theirs = truth.boxes[truth.labels == label]
        pairs = Pairs(scores[rows], len(theirs), box_ious(boxes[rows], theirs))
        total += count(pairs, threshold=0.0)
    unknown = sum(name not in truth.classes for name in names)
    return (total + Counts(false=unknown)).f1 or 0.0
