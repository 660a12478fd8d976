"""Sliced inference: Serayu against SAHI and supervision, same weights, one run, rounds interleaved.

``python -m bench.vision --weights W.pt [--onnx W.onnx] [--openvino DIR] [--int8 DIR] [--rounds N] [--small] [--json]
[--output FILE]``

Looks at a rendered photo of 4000 × 3000 px and a mosaic of 8000 × 8000 px (16 different frames laid again and again).
The peers and torch live in an environment of their own (the extra ``train``, then ``pip install --no-deps sahi
supervision`` and what they import, never ``opencv-python``); what is absent is null, with the reason. How each is set
up: :mod:`bench.vision_subjects`. The exports default to those that ultralytics writes beside the checkpoint; ``--int8``
is a folder with one quantised ``.xml``. Wall and CPU seconds are of the whole call on a decoded picture; *limit* is the
raw back-end on as many tiles, without cutting, decoding or merging. ``times_faster`` is the median over rounds of
theirs divided by ours: other load moves both, so compare these; for the limit it is the share of it that we reach.
``aims`` are the figures asked for, each beside its aim.
"""

import argparse
import contextlib
import importlib.metadata
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.common import case, document, emit
from bench.vision_scene import Scene, f1, rendered
from bench.vision_subjects import OVERLAP, Files, Seen, Subject, side_of, subjects, usual_threads
from serayu.vision.runtime.network import Runtime, open_network
from serayu.vision.runtime.tiles import plan_tiles
from serayu.vision.training.libraries import load_libraries

OURS = ("ours openvino", "ours openvino int8")
"""Those that get cases of their own, with everything else as their peers."""

ONCE = frozenset({"sahi openvino standard"})
"""Run in the first round only: for their score."""

PACKAGES = ("sahi", "supervision", "ultralytics", "torch", "openvino", "onnxruntime")


@dataclass
class Tally:
    """What one subject took and found on one picture."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    seen: Seen | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure that is asked for: of whom, against whom, and the least that is aimed at."""

    ours: str
    peer: str
    least: float
    what: str


AIMS = (
    Aim("ours openvino", "sahi pt", 6.0, "times as fast as SAHI's usual use"),
    Aim("ours openvino", "sahi openvino", 1.6, "times as fast as SAHI with the same OpenVINO model"),
    Aim("ours openvino fp32", "sahi openvino fp32", 1.6, "times as fast as SAHI, same model, both fp32"),
    Aim("ours openvino bf16", "sahi openvino", 1.6, "times as fast as SAHI, same model, both bf16"),
    Aim("ours openvino", "limit openvino", 0.95, "of the limit"),
    Aim("ours openvino int8", "sahi pt", 6.0, "times as fast as SAHI's usual use"),
    Aim("ours openvino int8", "sahi openvino int8", 1.6, "times as fast as SAHI with the same int8 model"),
    Aim("ours openvino int8", "limit openvino int8", 0.95, "of the limit"),
)


def measured(scene: Scene, ready: dict[str, Subject], *, rounds: int) -> dict[str, Tally]:
    """Run every subject on a picture, in rounds, after one call that is not counted."""
    small = np.ascontiguousarray(scene.image[:700, :700])
    tallies = {name: Tally() for name in ready}
    for look in ready.values():
        look(small)
    for number in range(rounds):
        for name in _turned([name for name in ready if number == 0 or name not in ONCE], number):
            wall, cpu = time.perf_counter(), time.process_time()
            seen = ready[name](scene.image)
            tallies[name].wall_s.append(time.perf_counter() - wall)
            tallies[name].cpu_s.append(time.process_time() - cpu)
            tallies[name].seen = seen
            print(f"{scene.name}, round {number + 1}: {name} {tallies[name].wall_s[-1]:.2f} s")
    return tallies


def _turned(names: list[str], number: int) -> Iterator[str]:
    """Yield the names, each round from another one on, so that none is always after the same."""
    start = number % len(names)
    yield from names[start:] + names[:start]


def times_faster(theirs: list[float], own: list[float]) -> float:
    """Return the median over the rounds that both ran of theirs divided by ours."""
    return statistics.median(t / o for t, o in zip(theirs, own, strict=False))


def cases(scene: Scene, tallies: dict[str, Tally], absent: dict[str, str]) -> list[dict[str, Any]]:
    """Return the cases of one picture, of each of ours."""
    scores = {
        name: f1(*tally.seen, scene)
        for name, tally in tallies.items()
        if tally.seen is not None and not name.startswith("limit")
    }
    return [
        row
        for name in OURS
        if name in tallies
        for row in _cases_of(name, scene, tallies, [*tallies, *absent], scores)
    ]


def _cases_of(
    name: str, scene: Scene, tallies: dict[str, Tally], names: list[str], scores: dict[str, float]
) -> list[dict[str, Any]]:
    peers = [peer for peer in names if peer != name]
    rows = []
    for metric, figures in (
        ("wall time", {one: tally.wall_s for one, tally in tallies.items()}),
        ("CPU time", {one: tally.cpu_s for one, tally in tallies.items()}),
    ):
        row = case(
            f"{scene.name}, {name}: {metric}",
            metric=metric,
            unit="s",
            ours=statistics.median(figures[name]),
            peers={peer: statistics.median(figures[peer]) if peer in figures else None for peer in peers},
            spread=figures[name],
        )
        row["times_faster"] = {
            peer: times_faster(figures[peer], figures[name]) if peer in figures else None for peer in peers
        }
        row["best"] = {one: min(seconds) for one, seconds in figures.items()}
        rows.append(row)
    row = case(
        f"{scene.name}, {name}: F1",
        metric="F1 at IoU 0.5 on rendered truth",
        unit="",
        ours=scores[name],
        peers={peer: scores.get(peer) for peer in peers if not peer.startswith("limit")},
        spread=[scores[name]],
    )
    row["things"] = len(scene.boxes)
    return [*rows, row]


def aims(scene: Scene, tallies: dict[str, Tally]) -> list[dict[str, Any]]:
    """Return the figures that are asked for, each beside its aim."""
    rows: list[dict[str, Any]] = []

    def state(figure: str, value: float, aim: float | None) -> None:
        reached = None if aim is None else value >= aim
        rows.append({"picture": scene.name, "figure": figure, "value": value, "aim": aim, "reached": reached})

    for aim in AIMS:
        if aim.ours in tallies and aim.peer in tallies:
            own, other = tallies[aim.ours], tallies[aim.peer]
            said = f"{aim.ours}, {aim.what}"
            state(f"{said} (wall)", times_faster(other.wall_s, own.wall_s), aim.least)
            state(f"{said} (CPU)", times_faster(other.cpu_s, own.cpu_s), None)
    scores = {name: f1(*tally.seen, scene) for name, tally in tallies.items() if tally.seen is not None}
    best = max((score for name, score in scores.items() if name.startswith("sahi")), default=None)
    for name in OURS:
        if name in scores:
            state(f"{name}, F1 (aim: SAHI's best)", scores[name], best)
    return rows


def tiles_of(scene: Scene, side: int) -> dict[str, int | None]:
    """Return into how many tiles we and SAHI cut a picture."""
    height, width = scene.image.shape[:2]
    theirs = None
    if importlib.util.find_spec("sahi") is not None:
        from sahi.slicing import get_slice_bboxes  # noqa: PLC0415 - in an environment of its own

        theirs = len(
            get_slice_bboxes(
                height,
                width,
                slice_height=side,
                slice_width=side,
                overlap_height_ratio=OVERLAP,
                overlap_width_ratio=OVERLAP,
            )
        )
    return {"ours": len(plan_tiles(width, height, side_px=side, overlap=OVERLAP)), "sahi": theirs}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.vision", description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True, help="checkpoint (.pt) of ultralytics")
    parser.add_argument("--onnx", type=Path, help="its ONNX export; beside it by default")
    parser.add_argument("--openvino", type=Path, help="its OpenVINO export; beside it by default")
    parser.add_argument("--int8", type=Path, help="folder with the same network in int8 for OpenVINO")
    parser.add_argument("--threshold", type=float, default=0.25)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--small", action="store_true", help="one picture of 2000 × 2000 px: does it run?")
    parser.add_argument("--only", action="append", help="only this subject; may be repeated")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    stem = options.weights.with_suffix("")
    files = Files(
        options.weights,
        options.onnx or stem.with_suffix(".onnx"),
        options.openvino or stem.with_name(f"{stem.name}_openvino_model"),
        options.int8,
    )
    if not files.onnx.is_file():
        sys.exit(f"error: no ONNX export {files.onnx}")
    versions = _versions()
    # The peers talk; stdout is for the document.
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory(prefix="serayu-bench-") as name:
        if importlib.util.find_spec("torch") is not None:
            load_libraries(settings=Path(name) / "settings", threads=usual_threads())
        ready, absent = subjects(
            files,
            threshold=options.threshold,
            wanted={"ours openvino", *options.only} if options.only else None,
            scratch=Path(name),
        )
        if "ours openvino" not in ready:
            sys.exit(f"error: {absent['ours openvino']}")
        rows, reached, tiles = [], [], {}
        for scene in _scenes(small=options.small):
            tallies = measured(scene, ready, rounds=options.rounds)
            rows += cases(scene, tallies, absent)
            reached += aims(scene, tallies)
            tiles[scene.name] = tiles_of(scene, side_of(files))
    result = document("vision", rounds=options.rounds, cases=rows)
    result |= {"aims": reached, "absent": absent, "tiles": tiles, "threshold": options.threshold}
    result |= {"versions": versions, "ours openvino": open_network(files.onnx, runtime=Runtime.OPENVINO).name}
    emit(result, as_json=options.json, output=options.output)
    if not options.json:
        for row in reached:
            aim = (
                "" if row["aim"] is None else f"  aim {row['aim']:.3g}{'' if row['reached'] else '  MISSED'}"
            )
            print(f"{row['picture']:<20} {row['figure']:<70} {row['value']:.3g}{aim}")


def _scenes(*, small: bool) -> Iterator[Scene]:
    if small:
        yield rendered("photo 2000 × 2000", 2000, 2000, seed=11)
        return
    yield rendered("photo 4000 × 3000", 4000, 3000, seed=11)
    yield rendered("mosaic 8000 × 8000", 8000, 8000, seed=12)


def _versions() -> dict[str, str]:
    """Return the versions of the libraries that are there; a module's distribution may have another name."""
    names = importlib.metadata.packages_distributions()
    return {one: importlib.metadata.version(names[one][0]) for one in PACKAGES if one in names}


if __name__ == "__main__":
    main()
