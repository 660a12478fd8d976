"""Surveys of a rendered flight against its truth: things on the ground, sizes, speed, memory, kills.

    python -m bench.survey FLIGHT [--boxes | --weights road …] [--out DIR] [--kills 20] [--dask 2]

FLIGHT is a folder of ``serayu vision render``. The survey runs in a process of its own, as a person would run it; what
it writes is compared with ``truth.geojson``. Findings and true things of one class are matched one to one, nearest
first in sum, up to a gate that grows with the noise of the flight. ``duplicates`` are findings that touch a true thing
which another finding has already. With ``--kills`` the survey is killed so often at random moments, resumed, and
compared byte for byte with the undisturbed one; with ``--dask`` it is repeated with so many dask workers.
"""

import argparse
import filecmp
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from scipy.optimize import linear_sum_assignment
from shapely.geometry.base import BaseGeometry

from serayu.models.plane import LocalPlane

GATE_M = 1.0
NOISE_GATES = 3.0  # times the GNSS sigma of the flight
TOUCH_M = 0.5


@dataclass(frozen=True, slots=True)
class Thing:
    """A true thing or a finding, in metres."""

    properties: dict[str, Any]
    figure: BaseGeometry

    @property
    def middle(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        line = self.figure.geom_type == "LineString"
        point = self.figure.interpolate(0.5, normalized=True) if line else self.figure.centroid
        return np.array([point.x, point.y])


def main() -> None:
    """Survey, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("flight", type=Path)
    parser.add_argument("--weights", action="append", default=[])
    parser.add_argument("--boxes", action="store_true", help="truth boxes instead of a detector")
    parser.add_argument("--out", type=Path, help="keep the survey here")
    parser.add_argument("--dem", action="store_true", help="give the flight's elevation model")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--dask", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = asked.out or Path(scratch) / "out"
        if out.exists():
            shutil.rmtree(out)
        command = _command(asked)
        told, wall_s = _run([*command, "--out", str(out)])
        result = {
            "flight": asked.flight.name,
            "detector": told["summary"]["detector"],
            **_speed(asked.flight, told, wall_s),
            **compared(asked.flight, out),
        }
        if asked.kills:
            result["kills"] = _killed(command, out, Path(scratch) / "killed", asked.kills, asked.seed, wall_s)
        if asked.dask:
            other = Path(scratch) / "dask"
            options = ["--engine", "dask", "--workers", str(asked.dask)]
            _, dask_s = _run([*command, *options, "--out", str(other)])
            result["dask"] = {
                "workers": asked.dask,
                "wall_s": round(dask_s, 1),
                "to_local": round(dask_s / wall_s, 3),
                "different_files": _different(out, other),
            }
        print(json.dumps(result, indent=2))


def _command(asked: argparse.Namespace) -> list[str]:
    flight: Path = asked.flight
    command = [sys.executable, "-c", "from serayu.standalone.cli import main; main()", "vision", "survey"]
    command += [str(flight / "photos"), "--ruas", str(flight / "ruas.geojson"), "--json"]
    command += ["--dem", str(flight / "dem.tif")] if asked.dem else []
    command += ["--boxes", str(flight / "boxes")] if asked.boxes else []
    return command + [word for name in asked.weights for word in ("--weights", name)]


def _run(command: list[str]) -> tuple[dict[str, Any], float]:
    began = time.monotonic()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    return told, time.monotonic() - began


def _speed(flight: Path, told: dict[str, Any], wall_s: float) -> dict[str, Any]:
    photos = list((flight / "photos").iterdir())
    gigabytes = sum(file.stat().st_size for file in photos) / 1e9
    return {
        "photos": len(photos),
        "wall_s": round(wall_s, 1),
        "look_s": told["look_s"],
        "finish_s": told["finish_s"],
        "photos_per_min": round(60 * len(photos) / wall_s, 1),
        "gb_per_min": round(60 * gigabytes / wall_s, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
    }


def compared(flight: Path, out: Path) -> dict[str, Any]:
    """Compare a survey with the truth of its flight."""
    document = json.loads((flight / "truth.geojson").read_text())
    truth_all = document["features"]
    plane = LocalPlane(float(shapely.geometry.shape(truth_all[0]["geometry"]).centroid.x))
    truth = [one for one in _things(truth_all, plane) if one.properties["photos"]]
    found = _things(json.loads((out / "findings.geojson").read_text())["features"], plane)
    gate_m = GATE_M + NOISE_GATES * float(document["noise"]["gnss_m"])
    pairs = _matched(truth, found, gate_m)
    taken = {j for _, j in pairs}
    real = {i for i, _ in pairs}
    spare = [one for j, one in enumerate(found) if j not in taken]
    duplicates = [
        one
        for one in spare
        if any(
            one.properties["class"] == truth[i].properties["class"]
            and shapely.distance(one.figure, truth[i].figure) <= TOUCH_M
            for i in real
        )
    ]
    return {
        "gate_m": gate_m,
        "truth": len(truth),
        "findings": len(found),
        "matched": len(pairs),
        "recall": _share(len(pairs), len(truth)),
        "precision": _share(len(pairs), len(found)),
        "duplicates": len(duplicates),
        "other_class": _other_class(truth, found, real, taken),
        **_errors([(truth[i], found[j]) for i, j in pairs]),
        "classes": _classes(truth, found, pairs),
        "missed": [truth[i].properties["id"] for i in range(len(truth)) if i not in real],
        "false": [f"{one.properties['class']} km {one.properties['km']}" for one in spare],
    }


def _things(features: list[dict[str, Any]], plane: LocalPlane) -> list[Thing]:
    figures = np.array([shapely.geometry.shape(one["geometry"]) for one in features], dtype=object)
    return [
        Thing(one["properties"], figure)
        for one, figure in zip(features, plane.to_metres(figures) if len(features) else [], strict=True)
    ]


def _matched(truth: list[Thing], found: list[Thing], gate_m: float) -> list[tuple[int, int]]:
    """Return pairs one to one: as many as can be within the gate, and of those the nearest in sum."""
    if not truth or not found:
        return []
    far = 1e6
    cost = np.full((len(truth), len(found)), far)
    for i, one in enumerate(truth):
        for j, other in enumerate(found):
            if one.properties["class"] == other.properties["class"]:
                apart = float(np.hypot(*(one.middle - other.middle)))
                if apart <= gate_m + 0.15 * float(one.figure.length):
                    cost[i, j] = apart
    rows, columns = linear_sum_assignment(cost)
    return [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if cost[i, j] < far]


def _other_class(truth: list[Thing], found: list[Thing], real: set[int], taken: set[int]) -> int:
    """Return how many missed things lie under a spare finding of another class."""
    return sum(
        any(
            j not in taken and shapely.distance(truth[i].figure, one.figure) <= TOUCH_M
            for j, one in enumerate(found)
        )
        for i in range(len(truth))
        if i not in real
    )


def _errors(pairs: list[tuple[Thing, Thing]]) -> dict[str, Any]:
    apart = [float(np.hypot(*(one.middle - other.middle))) for one, other in pairs]
    claimed = [
        distance / other.properties["errors"]["position_m"]
        for distance, (_, other) in zip(apart, pairs, strict=True)
        if other.properties["errors"]["position_m"]
    ]
    km = [
        1000 * abs(one.properties["km"] - other.properties["km"])
        for one, other in pairs
        if one.properties["km"] is not None and other.properties["km"] is not None
    ]
    sides = [
        one.properties["side"] == other.properties["side"]
        for one, other in pairs
        if one.properties["side"] and other.properties["side"] and abs(one.properties["offset_m"]) > 0.5
    ]
    return {
        "position_m": _spread(apart),
        "position_to_sigma": _spread(claimed),
        "km_error_m": _spread(km),
        "side_right": _share(sum(sides), len(sides)),
        "ruas_right": _share(
            sum(one.properties["ruas"] == other.properties["ruas"] for one, other in pairs), len(pairs)
        ),
        "relative_error": {name: _relative(pairs, name) for name in ("length_m", "width_mm", "area_m2")},
        "pothole_area": _relative([p for p in pairs if p[0].properties["class"] == "pothole"], "area_m2"),
    }


def _relative(pairs: list[tuple[Thing, Thing]], name: str) -> dict[str, Any]:
    true = [(a.properties[name], b.properties[name]) for a, b in pairs if a.properties[name]]
    measured = [b / a - 1 for a, b in true if b is not None]
    spread = _spread([abs(one) for one in measured])
    return {
        "of": len(true),
        "n": len(measured),
        "bias_median": round(float(np.median(measured)), 4) if measured else None,
        **spread,
    }


def _classes(truth: list[Thing], found: list[Thing], pairs: list[tuple[int, int]]) -> dict[str, Any]:
    true = Counter(one.properties["class"] for one in truth)
    said = Counter(one.properties["class"] for one in found)
    right = Counter(truth[i].properties["class"] for i, _ in pairs)
    return {
        name: {
            "n": true[name],
            "recall": _share(right[name], true[name]),
            "precision": _share(right[name], said[name]),
        }
        for name in sorted({*true, *said})
    }


def _spread(values: list[float]) -> dict[str, float | None]:
    if not values:
        return {"median": None, "p95": None}
    return {
        "median": round(float(np.median(values)), 4),
        "p95": round(float(np.percentile(values, 95)), 4),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _killed(
    command: list[str], calm: Path, out: Path, kills: int, seed: int, wall_s: float
) -> dict[str, Any]:
    """Kill a survey again and again at random moments, let it end, and compare."""
    chance = random.Random(seed)  # noqa: S311 -- moments, not secrets
    done_at = []
    for _ in range(kills):
        going = subprocess.Popen(
            [*command, "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            # Starting takes a second or two; a survey of these kills is through after about two thirds of them.
            going.wait(timeout=1.0 + chance.uniform(0, 3 * wall_s / kills))
        except subprocess.TimeoutExpired:
            os.kill(going.pid, signal.SIGKILL)
            going.wait()
        done_at.append(len(list((out / ".work").glob("*.result"))) if out.exists() else 0)
    told, _ = _run([*command, "--out", str(out)])
    return {
        "kills": kills,
        "done_after_each": done_at,
        "resumed": told["resumed"],
        "looked": told["looked"],
        "different_files": _different(calm, out),
    }


def _different(one: Path, two: Path) -> list[str]:
    """Return the documents and pictures that differ, or that only one has."""
    names = {
        str(file.relative_to(folder))
        for folder in (one, two)
        for file in folder.rglob("*")
        if file.is_file() and ".work" not in file.parts
    }
    return sorted(
        name
        for name in names
        if not ((one / name).is_file() and (two / name).is_file())
        or not filecmp.cmp(one / name, two / name, shallow=False)
    )


if __name__ == "__main__":
    main()
