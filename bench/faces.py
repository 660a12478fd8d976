"""How many faces the privacy filter misses, by size and by the way they are turned, on pictures that packages carry.

``python -m bench.faces [--json] [--output FILE]``. Faces: one portrait of scikit-image
(``astronaut``: NASA, public domain) and its 100 small grey faces of Labeled Faces in the Wild (``lfw_subset``: 25 px,
cropped to the face); 100 cut-outs of backgrounds from there count false alarms. Each is scaled so that the face has so
many pixels across, turned, and laid on gravel (``gravel``). No picture from the air is among them.
"""

import argparse
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from skimage import data

from bench.common import case, document, emit
from serayu.vision.detection import Image
from serayu.vision.privacy.centerface import TILE_PX
from serayu.vision.privacy.faces import FaceFinder

SIZES_PX = (12, 16, 24, 32, 48, 64, 96, 128)
PORTRAIT_ANGLES = tuple(range(0, 360, 15))
FACE_PX = (181.0, 58.0, 270.0, 178.0)
"""Of the portrait's face, drawn by hand: forehead to chin, ear to ear."""
COVERED = 0.5
"""A face counts as hidden when this share of it lies within boxes that the filter hides."""
LFW_PX = 25
LFW_MOST_PX = 48  # enlarged further they are hardly pictures of faces
LFW_ACROSS = 0.8  # of the cut-out's width that is face
NOISE = 4.0  # grey levels of sensor noise


@dataclass(frozen=True)
class Probe:
    image: Image
    faces: npt.NDArray[np.float64]


def ground(rng: np.random.Generator) -> Image:
    gravel = cv2.cvtColor(np.asarray(data.gravel()), cv2.COLOR_GRAY2BGR)  # type: ignore[no-untyped-call]
    wide = cv2.resize(gravel, (TILE_PX, TILE_PX))
    noisy: Image = np.clip(wide + rng.normal(0, NOISE, wide.shape), 0, 255).astype(np.uint8)
    return noisy


def turned(image: Image, box: Sequence[float], angle: float, scale: float) -> Probe:
    """Return the portrait turned about its face and scaled, on gravel, with the face's box."""
    canvas = ground(np.random.default_rng(round(angle * 1000 + scale * 100)))
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    source = cv2.GaussianBlur(image, (0, 0), max(0.01, 0.4 * (1 / scale - 1))) if scale < 1 else image
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, angle, scale), dtype=np.float64)
    matrix[:, 2] += TILE_PX / 2 - np.array(middle)
    inside = np.full(image.shape[:2], 255, np.uint8)
    size = (TILE_PX, TILE_PX)
    laid = cv2.warpAffine(source, matrix, size, flags=cv2.INTER_LINEAR)
    mask = cv2.warpAffine(inside, matrix, size, flags=cv2.INTER_NEAREST) > 0
    canvas[mask] = laid[mask]
    corners = np.array([[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]])
    placed = corners @ matrix[:, :2].T + matrix[:, 2]
    return Probe(canvas, np.concatenate((placed.min(axis=0), placed.max(axis=0)))[None])


def mosaic(patches: npt.NDArray[np.uint8], across_px: int, turns: int) -> Iterator[Probe]:
    """Yield pictures of gravel with cut-outs laid out well apart."""
    side = round(across_px / LFW_ACROSS)
    pitch = round(side * 1.5)
    per_row = max(1, TILE_PX // pitch)
    for start in range(0, len(patches), per_row**2):
        canvas = ground(np.random.default_rng(start))
        faces = []
        for index, patch in enumerate(patches[start : start + per_row**2]):
            row, column = divmod(index, per_row)
            left, top = column * pitch + side // 2, row * pitch + side // 2
            smooth = cv2.INTER_AREA if side < LFW_PX else cv2.INTER_CUBIC
            scaled = cv2.resize(np.rot90(patch, turns).copy(), (side, side), interpolation=smooth)
            canvas[top : top + side, left : left + side] = scaled[:, :, None]
            faces.append((left, top, left + side, top + side))
        yield Probe(canvas, np.array(faces, dtype=np.float64))


def hidden(probe: Probe, finder: FaceFinder) -> list[bool]:
    boxes, _ = finder.find(probe.image)
    mask = np.zeros(probe.image.shape[:2], np.bool_)
    for left, top, right, bottom in boxes.round().astype(int).tolist():
        mask[top:bottom, left:right] = True
    result = []
    for left, top, right, bottom in probe.faces.round().astype(int).tolist():
        # The middle half of the box: eyes, nose, mouth; a turned face's box holds background in its corners.
        dx, dy = (right - left) // 4, (bottom - top) // 4
        result.append(bool(mask[top + dy : bottom - dy, left + dx : right - dx].mean() >= COVERED))
    return result


def portraits(finder: FaceFinder, size_px: int) -> list[bool]:
    picture = np.asarray(data.astronaut())[:, :, ::-1].copy()  # type: ignore[no-untyped-call]
    scale = size_px / (FACE_PX[2] - FACE_PX[0])
    probes = (turned(picture, FACE_PX, angle, scale) for angle in PORTRAIT_ANGLES)
    return list(itertools.chain.from_iterable(hidden(probe, finder) for probe in probes))


def cut_outs(finder: FaceFinder, size_px: int, turns: int, *, faces: bool) -> list[bool]:
    subset = np.asarray(data.lfw_subset())  # type: ignore[no-untyped-call]
    levels = np.clip(subset * (255 if subset.max() <= 1 else 1), 0, 255).astype(np.uint8)
    chosen = levels[:100] if faces else levels[100:]
    probes = mosaic(chosen, size_px, turns)
    return list(itertools.chain.from_iterable(hidden(probe, finder) for probe in probes))


def run(finders: Mapping[str, FaceFinder], sizes: Sequence[int]) -> dict[str, Any]:
    cases = []
    for size in sizes:
        rows: dict[str, Callable[[FaceFinder], list[bool]]] = {
            f"portrait, {len(PORTRAIT_ANGLES)} directions": partial(portraits, size_px=size),
        }
        if size <= LFW_MOST_PX:
            rows["LFW upright, n=100"] = partial(cut_outs, size_px=size, turns=0, faces=True)
            rows["LFW turned by 90°, n=100"] = partial(cut_outs, size_px=size, turns=1, faces=True)
            rows["LFW upside down, n=100"] = partial(cut_outs, size_px=size, turns=2, faces=True)
            rows["no faces, n=100"] = partial(cut_outs, size_px=size, turns=0, faces=False)
        for title, judged in rows.items():
            values: dict[str, float | None] = {
                name: float(np.mean(judged(finder))) for name, finder in finders.items()
            }
            ours = values.pop("4 turns") or 0.0
            metric = "share hidden"
            cases.append(
                case(f"{size} px, {title}", metric=metric, unit="1", ours=ours, peers=values, spread=[ours])
            )
    return document("faces", rounds=1, cases=cases)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES_PX))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(arguments)
    finders = {"4 turns": FaceFinder.load(), "upright only": FaceFinder.load(turns=(0,))}
    emit(run(finders, options.sizes), as_json=options.json, output=options.output)


if __name__ == "__main__":
    main()
