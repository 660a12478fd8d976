"""False findings on clean road, per 100 pictures, at the threshold of the manifest.

    python -m bench.clean_road [--weights road …] [--data DATA.yaml] [--images 100] [--small] [--json] [--output FILE]

Two kinds of clean road. *Rendered*: flights of ``serayu.vision.flight`` without defects and slides, four pictures of
512 × 512 px from each of 25 seeds (light, asphalt, markings, worn paint, tyre tracks, shadows of trees), by turns at
10 and 16 mm per px. *Squares* of a labelled YOLO data set (with ``--data``): of each picture of the split the largest
square of at least 256 px that no label touches, one of each picture at most, spread over the scenes by their order.
The detector looks at the whole picture, for a square cut out would be enlarged to the size of the training pictures;
what has its middle in the square counts. Nobody drew a label there, which is not the same as a clean road: labels of
such pictures are noisy. What is found in either counts as false. ``--small`` looks at eight of each. Nobody else's
program is compared.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bench.common import case, document, emit
from serayu.models.errors import BadInputError
from serayu.vision.detection import Image
from serayu.vision.evaluate.dataset import read_dataset
from serayu.vision.evaluate.truth import read_labels
from serayu.vision.flight.render import render_flight
from serayu.vision.runtime.found import Boxes, Found
from serayu.vision.runtime.pictures import drawn, read_picture, write_picture
from serayu.vision.runtime.tiled import TiledDetector
from serayu.vision.runtime.weights import load_detector

SIDE_PX = 512
"""Of the rendered pictures: that of the pictures that the road weights were trained on."""

OF_A_FLIGHT = 4
GSD_MM = (10.0, 16.0)
"""The ground sampling distance of the training pictures, and a coarser one that shows the verge as well."""

WIDTHS_M = (5.0, 5.5, 6.0, 7.0)
LEAST_SQUARE_PX = 256
STEP_PX = 16
MARGIN_PX = 8
"""How far a square stays away from a label."""

AIM = 5
_LINE = [[109.2400 + 0.0004 * step, -7.4200] for step in range(20)]


@dataclass(frozen=True, slots=True)
class Clean:
    """A picture with a square in which nothing is to be found.

    Parameters
    ----------
    name, image
        The whole picture.
    gsd_mm
        Its ground sampling distance; None where that is not known.
    square
        Left, top and side, pixels.
    """

    name: str
    image: Image
    gsd_mm: float | None
    square: tuple[int, int, int]

    def false(self, found: Found) -> Found:
        """Return what was found with its middle in the square."""
        left, top, side = self.square
        middles = (found.xyxy_px[:, :2] + found.xyxy_px[:, 2:]) / 2 - (left, top)
        return found.taken(np.flatnonzero(((middles >= 0) & (middles <= side)).all(axis=1)))


def main() -> None:
    """Render, choose squares, look, count, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", action="append", help="name or file; may be repeated; default: road")
    parser.add_argument("--threshold", type=float, help="instead of the manifest's")
    parser.add_argument("--precision", help="fp32 | bf16 | int8")
    parser.add_argument("--data", type=Path, help="data.yaml of labelled pictures for squares")
    parser.add_argument("--split", default="val")
    parser.add_argument("--images", type=int, default=100, help="of each kind")
    parser.add_argument("--small", action="store_true", help="8 of each kind")
    parser.add_argument("--keep", type=Path, help="write the pictures with false findings here, drawn in")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    count = 8 if asked.small else asked.images
    sources: dict[str, list[Clean]] = {"rendered": list(rendered(count))}
    absent = {}
    if asked.data is None:
        absent["squares"] = "no --data"
    else:
        try:
            sources["squares"] = squares(asked.data, split=asked.split, count=count)
        except BadInputError as error:
            absent["squares"] = str(error)
    told = []
    for name in asked.weights or ["road"]:
        with load_detector(name, threshold=asked.threshold, precision=asked.precision) as detector:
            told += [looked(detector, kind, pictures, asked.keep) for kind, pictures in sources.items()]
    result = document("clean_road", rounds=1, cases=[one for each in told for one in _cases(each)])
    emit({**result, "sources": told, "absent": absent}, as_json=asked.json, output=asked.output)


def rendered(count: int) -> Iterator[Clean]:
    """Yield pictures of rendered roads without anything wrong with them."""
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(-(-count // OF_A_FLIGHT)):
            gsd_mm, width_m = GSD_MM[number % len(GSD_MM)], WIDTHS_M[number % len(WIDTHS_M)]
            folder = Path(scratch) / f"{number}"
            folder.mkdir()
            road = folder / "ruas.geojson"
            feature = {
                "type": "Feature",
                "properties": {"number": "000", "name": "bench", "width_m": width_m},
                "geometry": {"type": "LineString", "coordinates": _LINE},
            }
            road.write_bytes(msgspec.json.encode({"type": "FeatureCollection", "features": [feature]}))
            made = render_flight(
                folder / "flight",
                road=road,
                seed=1000 + number,
                photos=OF_A_FLIGHT,
                gsd_mm=gsd_mm,
                overlap=0.0,
                size_px=(SIDE_PX, SIDE_PX),
                per_100_m=0.0,
                landslide=False,
            )
            photos = sorted((made.folder / "photos").iterdir())[: count - number * OF_A_FLIGHT]
            for photo in photos:
                image = read_picture(photo, upright=False)
                yield Clean(f"seed{1000 + number}_{photo.stem}", image, gsd_mm, (0, 0, SIDE_PX))


def squares(data: Path, *, split: str, count: int) -> list[Clean]:
    """Return labelled pictures with a square that holds no label, evenly spread over those that have one.

    Raises
    ------
    BadInputError
        The data set cannot be read, or no picture of it has such a square.
    """
    dataset = read_dataset(data, split=split)
    free: list[Clean] = []
    for sample in dataset.samples:
        image = read_picture(sample.image, upright=True)
        height, width = image.shape[:2]
        truths = read_labels(sample.labels, classes=len(dataset.names)).truths
        boxes = np.array([one.xyxy for one in truths]).reshape(-1, 4) * (width, height, width, height)
        square = free_square(boxes, width=width, height=height)
        if square is not None:
            free.append(Clean(sample.image.stem, image, None, square))
    if not free:
        raise BadInputError(f"no picture has a square of {LEAST_SQUARE_PX} px without a label", file=data)
    rows = np.unique(np.linspace(0, len(free) - 1, min(count, len(free))).round().astype(int))
    return [free[row] for row in rows]


def free_square(boxes: Boxes, *, width: int, height: int) -> tuple[int, int, int] | None:
    """Return left, top and side of the largest square that no box (n, 4) touches; None below 256 px.

    Of equals the uppermost, then the leftmost; places and sides in steps of 16 px.
    """
    grown = boxes + np.array([-MARGIN_PX, -MARGIN_PX, MARGIN_PX, MARGIN_PX])
    for side in range(min(width, height), LEAST_SQUARE_PX - 1, -STEP_PX):
        for top in range(0, height - side + 1, STEP_PX):
            for left in range(0, width - side + 1, STEP_PX):
                outside = (grown[:, 0] >= left + side) | (grown[:, 2] <= left)
                outside |= (grown[:, 1] >= top + side) | (grown[:, 3] <= top)
                if outside.all():
                    return left, top, side
    return None


def looked(
    detector: TiledDetector, kind: str, pictures: Sequence[Clean], keep: Path | None
) -> dict[str, Any]:
    """Return what a detector finds where nothing is."""
    found = [one.false(detector.find(one.image, gsd_mm=one.gsd_mm)) for one in pictures]
    if keep is not None:
        _keep(keep, kind, pictures, found, detector.classes)
    labels = Counter(detector.classes[label] for one in found for label in one.labels)
    return {
        "kind": kind,
        "detector": detector.name,
        "threshold": detector.threshold,
        "images": len(pictures),
        "megapixels": round(sum(one.square[2] ** 2 for one in pictures) / 1e6, 1),
        "findings": sum(len(one) for one in found),
        "images_with_findings": sum(len(one) > 0 for one in found),
        "classes": dict(sorted(labels.items())),
        "scores": sorted((round(float(score), 3) for one in found for score in one.scores), reverse=True),
        "most_in": [
            f"{picture.name}: {len(one)}"
            for picture, one in sorted(zip(pictures, found, strict=True), key=lambda pair: -len(pair[1]))[:5]
            if len(one)
        ],
    }


def _keep(
    folder: Path, kind: str, pictures: Sequence[Clean], found: Sequence[Found], classes: tuple[str, ...]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for picture, one in zip(pictures, found, strict=True):
        if len(one):
            write_picture(folder / f"{kind}_{picture.name}.jpg", drawn(picture.image, one, classes))


def _cases(told: dict[str, Any]) -> list[dict[str, Any]]:
    name = f"{told['detector']}, {told['kind']}"
    figures = (
        ("false findings", f"per 100 of {told['images']} clean pictures; aim {AIM}", told["findings"]),
        ("pictures with one", f"per 100 of {told['images']} clean pictures", told["images_with_findings"]),
    )
    rows = []
    for what, metric, total in figures:
        per_100 = round(100 * total / told["images"], 1)
        rows.append(
            case(f"{name}: {what}", metric=metric, unit="per 100", ours=per_100, peers={}, spread=[per_100])
        )
    return rows


if __name__ == "__main__":
    main()
