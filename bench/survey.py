"""Surveys of rendered flights against their truth: things on the ground, sizes, speed, memory, kills.

    python -m bench.survey FLIGHT… [--boxes | --weights road …] [--kills 20] [--dask 2] [--json] [--output FILE]

FLIGHT is a folder of ``serayu vision render``. The survey runs in a process of its own, as a person would run it; what
it writes is compared with ``truth.geojson`` by the rules of :mod:`bench.survey_truth`. With ``--kills`` the survey of
the last flight is killed so often (:mod:`bench.survey_kills`), resumed, and compared byte for byte with the undisturbed
one; with ``--dask`` it is repeated with so many dask workers. Nobody else's program does the same, so there are no
peers; the whole of what was compared stands under ``flights``.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.common import case, document, emit
from bench.survey_kills import different, killed
from bench.survey_truth import compared


def main() -> None:
    """Survey, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("flights", type=Path, nargs="+", metavar="FLIGHT")
    parser.add_argument("--weights", action="append", default=[])
    parser.add_argument("--boxes", action="store_true", help="truth boxes instead of a detector")
    parser.add_argument("--out", type=Path, help="keep the surveys here")
    parser.add_argument("--dem", action="store_true", help="give the flights' elevation models")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--dask", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        flights = [_flight(one, asked, Path(scratch)) for one in asked.flights]
    done = document("survey", rounds=1, cases=[one for told in flights for one in _cases(told)])
    emit({**done, "flights": flights}, as_json=asked.json, output=asked.output)


def _flight(flight: Path, asked: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Survey one flight; the last one also killed and on workers."""
    out = (asked.out or scratch) / flight.name
    if out.exists():
        shutil.rmtree(out)
    command = _command(flight, asked)
    told, wall_s = _run([*command, "--out", str(out)])
    result = {
        "flight": flight.name,
        "detector": told["summary"]["detector"],
        **_speed(flight, told, wall_s),
        **compared(flight, out),
    }
    if asked.kills and flight == asked.flights[-1]:
        times = {"look_s": told["look_s"], "finish_s": told["finish_s"]}
        times["start_s"] = max(wall_s - sum(times.values()), 0.0)
        result["kills"] = killed(command, out, scratch, kills=asked.kills, seed=asked.seed, **times)
    if asked.dask and flight == asked.flights[-1]:
        other = scratch / "dask"
        options = ["--engine", "dask", "--workers", str(asked.dask)]
        _, dask_s = _run([*command, *options, "--out", str(other)])
        result["dask"] = {
            "workers": asked.dask,
            "wall_s": round(dask_s, 1),
            "to_local": round(dask_s / wall_s, 3),
            "different_files": different(out, other),
        }
    return result


def _cases(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the figures that stand for a flight."""
    sizes = told["relative_error"]
    figures = (
        ("recall", "share of true things", "1", told["recall"]),
        ("precision", "share of findings", "1", told["precision"]),
        ("duplicates", "second findings of one thing", "findings", told["duplicates"]),
        ("position", "median error", "m", told["position_m"]["median"]),
        ("position p95", "95th percentile of the error", "m", told["position_m"]["p95"]),
        ("position within 1 sigma", "share of findings", "1", told["within_1_sigma"]),
        ("position within 2 sigma", "share of findings", "1", told["within_2_sigma"]),
        ("km", "median error along the road", "m", told["km_error_m"]["median"]),
        ("length", "median of the absolute relative error", "1", sizes["length_m"]["median"]),
        ("area", "median of the absolute relative error", "1", sizes["area_m2"]["median"]),
        ("pothole area", "median of the absolute relative error", "1", told["pothole_area"]["median"]),
        ("speed", "whole survey, start to end", "photos/min", told["photos_per_min"]),
        ("memory", "peak of the process", "MB", told["peak_mb"]),
    )
    name = f"{told['flight']}, {told['detector']}"
    cases = [
        case(f"{name}: {what}", metric=metric, unit=unit, ours=ours, peers={}, spread=[ours, ours])
        for what, metric, unit, ours in figures
        if ours is not None
    ]
    if "kills" in told:
        unlike = len(told["kills"]["different_files"])
        cases.append(
            case(
                f"{name}: {told['kills']['kills']} kills",
                metric="files that differ from an undisturbed survey",
                unit="files",
                ours=unlike,
                peers={},
                spread=[unlike, unlike],
            )
        )
    return cases


def _command(flight: Path, asked: argparse.Namespace) -> list[str]:
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


if __name__ == "__main__":
    main()
