"""Sliced inference: Serayu against SAHI and supervision, same weights, one run, rounds interleaved.

``python -m bench.vision --weights W.pt [--onnx W.onnx] [--openvino DIR] [--rounds N] [--small] [--json]
[--output FILE]``

Looks at a rendered photo of 4000 × 3000 px and a mosaic of 8000 × 8000 px. The peers and torch live in an environment
of their own (the extra ``train``, then ``pip install --no-deps sahi supervision`` and what they import, never
``opencv-python``); what is absent is null, with the reason. The exports default to those that ultralytics writes beside
the checkpoint. Wall and CPU seconds are of the whole call on a decoded picture; *limit* is the raw back-end on as many
tiles, without cutting, decoding or merging. ``times_faster`` is the median over rounds of theirs divided by ours: other
load moves both, so compare these; for the limit it is the share of it that we reach.
"""

import argparse
import contextlib
import importlib.util
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.common import case, document, emit
from bench.vision_scene import Scene, f1, rendered
from serayu.models.errors import SerayuError
from serayu.vision.detection import Image
from serayu.vision.runtime.network import Precision, Runtime, cores, open_network
from serayu.vision.runtime.scale import Scale
from serayu.vision.runtime.tiled import TiledDetector
from serayu.vision.runtime.tiles import plan_tiles
from serayu.vision.training.libraries import load_libraries

OVERLAP = 0.2
Seen = tuple[np.ndarray, np.ndarray, list[str]]
"""Boxes (n, 4), scores (n,), names of classes."""

Subject = Callable[[Image], Seen]


@dataclass
class Tally:
    """What one subject took and found on one picture."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    seen: Seen | None = None


@dataclass(frozen=True)
class Files:
    """One network in the three forms that the subjects read."""

    checkpoint: Path
    onnx: Path
    openvino: Path


def ours(
    file: Path, *, classes: tuple[str, ...], threshold: float, runtime: Runtime, precision: Precision
) -> Subject:
    network = open_network(file, runtime=runtime, precision=precision)
    detector = TiledDetector(
        network,
        weights=file.stem,
        classes=classes,
        threshold=threshold,
        scale=Scale(),
        overlap=OVERLAP,
        threads=cores(),
    )

    def look(image: Image) -> Seen:
        found = detector.find(image)
        return found.xyxy_px, found.scores, [classes[label] for label in found.labels]

    return look


def sahi(model: Path, *, side: int, threshold: float) -> Subject:
    from sahi import AutoDetectionModel  # noqa: PLC0415 - in an environment of its own
    from sahi.predict import get_sliced_prediction  # noqa: PLC0415

    detector = AutoDetectionModel.from_pretrained(
        model_type="ultralytics",
        model_path=str(model),
        confidence_threshold=threshold,
        device="cpu",
        image_size=side,
    )

    def look(image: Image) -> Seen:
        result = get_sliced_prediction(
            image[:, :, ::-1],
            detector,
            slice_height=side,
            slice_width=side,
            overlap_height_ratio=OVERLAP,
            overlap_width_ratio=OVERLAP,
            perform_standard_pred=False,
            verbose=0,
        )
        rows = result.object_prediction_list
        boxes = np.array([row.bbox.to_xyxy() for row in rows], dtype=float).reshape(-1, 4)
        return boxes, np.array([row.score.value for row in rows]), [row.category.name for row in rows]

    return look


def slicer(model: Path, *, side: int, threshold: float) -> Subject:
    import supervision  # noqa: PLC0415 - in an environment of its own
    from ultralytics import YOLO  # noqa: PLC0415

    network = YOLO(str(model), task="detect")

    def callback(tile: Image) -> object:
        result = network.predict(tile, imgsz=side, conf=threshold, device="cpu", verbose=False)[0]
        return supervision.Detections.from_ultralytics(result)

    tool = supervision.InferenceSlicer(
        callback=callback,
        slice_wh=(side, side),
        overlap_wh=(round(side * OVERLAP), round(side * OVERLAP)),
        overlap_filter=supervision.OverlapFilter.NON_MAX_MERGE,
        iou_threshold=0.5,
        overlap_metric=supervision.OverlapMetric.IOS,
        thread_workers=1,
    )

    def look(image: Image) -> Seen:
        found = tool(image)
        return found.xyxy, found.confidence, list(found.data.get("class_name", []))

    return look


def limit(file: Path) -> Subject:
    """Return the raw back-end on as many tiles, by all cores."""
    network = open_network(file, runtime=Runtime.OPENVINO)
    pool, local = ThreadPoolExecutor(cores()), threading.local()

    def one(_: int) -> None:
        if not hasattr(local, "worker"):
            local.worker = network.worker()
        local.worker.infer()

    def look(image: Image) -> Seen:
        tiles = plan_tiles(image.shape[1], image.shape[0], side_px=network.side_px, overlap=OVERLAP)
        list(pool.map(one, range(len(tiles))))
        return np.zeros((0, 4)), np.zeros(0), []

    return look


def subjects(
    files: Files, *, threshold: float, wanted: set[str] | None
) -> tuple[dict[str, Subject], dict[str, str]]:
    """Return what can run here by name, and why the rest cannot."""
    network = open_network(files.onnx, runtime=Runtime.ONNXRUNTIME)
    side, classes = network.side_px, network.classes
    made: dict[str, Callable[[], Subject]] = {}

    def add_ours(name: str, runtime: Runtime, precision: Precision) -> None:
        made[name] = partial(
            ours, files.onnx, classes=classes, threshold=threshold, runtime=runtime, precision=precision
        )

    add_ours("ours openvino", Runtime.OPENVINO, Precision.AUTO)
    add_ours("ours openvino fp32", Runtime.OPENVINO, Precision.FP32)
    add_ours("ours onnxruntime", Runtime.ONNXRUNTIME, Precision.AUTO)
    made["limit openvino"] = partial(limit, files.onnx)
    for name, model in (("pt", files.checkpoint), ("onnx", files.onnx), ("openvino", files.openvino)):
        made[f"sahi {name}"] = partial(sahi, model, side=side, threshold=threshold)
    made["supervision pt"] = partial(slicer, files.checkpoint, side=side, threshold=threshold)
    ready: dict[str, Subject] = {}
    absent: dict[str, str] = {}
    for name, maker in made.items():
        if wanted is not None and name not in wanted:
            absent[name] = "left out by --only"
            continue
        reason = _missing(name, files)
        if reason is None:
            try:
                ready[name] = maker()
            except (ImportError, OSError, SerayuError) as error:
                reason = str(error)
        if reason is not None:
            absent[name] = reason
    return ready, absent


def _missing(name: str, files: Files) -> str | None:
    kind = name.split(maxsplit=1)[0]
    needs = {"sahi": ("sahi", "ultralytics", "torch"), "supervision": ("supervision", "ultralytics", "torch")}
    for module in needs.get(kind, ()):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed"
    file = {"pt": files.checkpoint, "onnx": files.onnx, "openvino": files.openvino}.get(
        name.rsplit(maxsplit=1)[-1]
    )
    if kind in needs and file is not None and not file.exists():
        return f"no file {file.name}"
    return None


def measured(scene: Scene, ready: dict[str, Subject], *, rounds: int) -> dict[str, Tally]:
    """Run every subject on a picture, in rounds, after one call that is not counted."""
    small = np.ascontiguousarray(scene.image[:700, :700])
    tallies = {name: Tally() for name in ready}
    for look in ready.values():
        look(small)
    for number in range(rounds):
        for name in _turned(list(ready), number):
            wall, cpu = time.perf_counter(), time.process_time()
            seen = ready[name](scene.image)
            tallies[name].wall_s.append(time.perf_counter() - wall)
            tallies[name].cpu_s.append(time.process_time() - cpu)
            tallies[name].seen = seen
    return tallies


def _turned(names: list[str], number: int) -> Iterator[str]:
    """Yield the names, each round from another one on, so that none is always after the same."""
    start = number % len(names)
    yield from names[start:] + names[:start]


def cases(scene: Scene, tallies: dict[str, Tally], absent: dict[str, str]) -> list[dict[str, Any]]:
    """Return the cases of one picture."""
    peers = [name for name in (*tallies, *absent) if name != "ours openvino"]
    rows = []
    for metric, figures in (
        ("wall time", {name: tally.wall_s for name, tally in tallies.items()}),
        ("CPU time", {name: tally.cpu_s for name, tally in tallies.items()}),
    ):
        own = figures["ours openvino"]
        row = case(
            f"{scene.name} {metric}",
            metric=metric,
            unit="s",
            ours=statistics.median(own),
            peers={name: statistics.median(figures[name]) if name in figures else None for name in peers},
            spread=own,
        )
        row["times_faster"] = {
            name: statistics.median(t / o for t, o in zip(figures[name], own, strict=True))
            if name in figures
            else None
            for name in peers
        }
        row["best"] = {name: min(seconds) for name, seconds in figures.items()}
        rows.append(row)
    scores = {
        name: f1(*tally.seen, scene)
        for name, tally in tallies.items()
        if tally.seen is not None and not name.startswith("limit")
    }
    score = scores["ours openvino"]
    row = case(
        f"{scene.name} F1",
        metric="F1 at IoU 0.5 on rendered truth",
        unit="",
        ours=score,
        peers={name: scores.get(name) for name in peers if not name.startswith("limit")},
        spread=[score],
    )
    row["things"] = len(scene.boxes)
    return [*rows, row]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.vision", description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True, help="checkpoint (.pt) of ultralytics")
    parser.add_argument("--onnx", type=Path, help="its ONNX export; beside it by default")
    parser.add_argument("--openvino", type=Path, help="its OpenVINO export; beside it by default")
    parser.add_argument("--threshold", type=float, default=0.25)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--small", action="store_true", help="only the photo")
    parser.add_argument("--only", action="append", help="only this subject; may be repeated")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    stem = options.weights.with_suffix("")
    files = Files(
        options.weights,
        options.onnx or stem.with_suffix(".onnx"),
        options.openvino or stem.with_name(f"{stem.name}_openvino_model"),
    )
    if not files.onnx.is_file():
        sys.exit(f"error: no ONNX export {files.onnx}")
    with contextlib.redirect_stdout(sys.stderr):  # the peers talk; stdout is for the document
        if importlib.util.find_spec("torch") is not None:
            load_libraries(settings=Path(tempfile.mkdtemp(prefix="serayu-bench-")))
        ready, absent = subjects(
            files,
            threshold=options.threshold,
            wanted={"ours openvino", *options.only} if options.only else None,
        )
        scenes = [rendered("photo 4000 × 3000", 4000, 3000, seed=11)]
        if not options.small:
            scenes.append(rendered("mosaic 8000 × 8000", 8000, 8000, seed=12))
        rows = [
            row
            for scene in scenes
            for row in cases(scene, measured(scene, ready, rounds=options.rounds), absent)
        ]
    result = document("vision", rounds=options.rounds, cases=rows)
    result["absent"] = absent
    result["tiles"] = {
        scene.name: len(
            plan_tiles(scene.image.shape[1], scene.image.shape[0], side_px=side(files), overlap=OVERLAP)
        )
        for scene in scenes
    }
    emit(result, as_json=options.json, output=options.output)


def side(files: Files) -> int:
    return open_network(files.onnx, runtime=Runtime.ONNXRUNTIME).side_px


if __name__ == "__main__":
    main()
