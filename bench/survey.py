"""Surveys of rendered flights against their truth: things on the ground, sizes, speed, memory, kills.

    python -m bench.survey [FLIGHT…] [--photos 200] [--large 6] [--fine 24] [--boxes] [--weights road …]
                           [--kills 20] [--dask 2] [--keep DIR] [--json] [--output FILE]

FLIGHT is a folder of ``serayu vision render``. Others are rendered here at 70 % overlap over an invented road of the
region: with ``--photos`` two of so many photos of 1600 × 1200 px at 8 mm, *exact* with true poses and *noisy* with
1.5 m of GNSS, 2° of heading, 0.5° of tilt and 0.5 m of height; with ``--large`` photos of 20 megapixels; with
``--fine`` photos of 12 megapixels at 1 mm, the only ones that show how wide a crack is (surveyed with given boxes).

Each is surveyed with given boxes (``--boxes``), with the detector (``--weights``), or with both in turn, in a process
of its own, as a person would run it; what it writes is compared with ``truth.geojson`` by the rules of
:mod:`bench.survey_truth`. With ``--kills`` the last survey is killed so often (:mod:`bench.survey_kills`), resumed,
and compared byte for byte with the undisturbed one; with ``--dask`` it is repeated with so many dask workers:
*to_local* is how many times as long that takes on the same cores. ``--keep`` holds flights and surveys, and renders no
flight twice. Nobody else's program does the same, so there are no peers; all that was compared stands under
``flights``.
"""

import argparse
import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import Any

from bench.common import case, document, emit
from bench.survey_kills import different, killed
from bench.survey_run import FINE, LARGE, Ran, exact, made, noisy, ran, survey_command
from bench.survey_truth import compared

DEFAULT_WEIGHTS = ["road"]


def main() -> None:
    """Render, survey, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("flights", type=Path, nargs="*", metavar="FLIGHT")
    parser.add_argument("--photos", type=int, default=0, help="of each of the two flights rendered here")
    parser.add_argument("--large", type=int, default=0, help="photos of 20 megapixels")
    parser.add_argument("--fine", type=int, default=0, help="photos at 1 mm")
    parser.add_argument("--weights", action="append", default=[], help="names or files, of one detector")
    parser.add_argument("--boxes", action="store_true", help="survey with truth boxes")
    parser.add_argument("--keep", type=Path, help="keep flights and surveys here")
    parser.add_argument("--dem", action="store_true", help="give elevation models of FLIGHT; others have it")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--dask", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        flights = _surveyed(asked, Path(scratch))
    if not flights:
        parser.error("give a FLIGHT, --photos, --large or --fine")
    done = document("survey", rounds=1, cases=[one for told in flights for one in _cases(told)])
    emit({**done, "flights": flights}, as_json=asked.json, output=asked.output)


def _surveyed(asked: argparse.Namespace, scratch: Path) -> list[dict[str, Any]]:
    """Return what came of every survey; the last one is also killed and given to workers."""
    place = asked.keep or scratch
    folder = place / "flights"
    folder.mkdir(parents=True, exist_ok=True)
    flights: list[tuple[Path, list[str]]] = [(one, _dem(one) if asked.dem else []) for one in asked.flights]
    fine = [made(FINE, folder, photos=asked.fine)] if asked.fine else []
    rendered = [*fine, *([made(LARGE, folder, photos=asked.large)] if asked.large else [])]
    rendered += [made(one, folder, photos=asked.photos) for one in (exact(), noisy()) if asked.photos]
    flights += [(one, _dem(one)) for one in rendered]
    todo = [(flight, dem, boxes) for flight, dem in flights for boxes in _ways(asked, fine=flight in fine)]
    return [
        _flight(flight, dem, asked, place, scratch, boxes=boxes, last=number == len(todo))
        for number, (flight, dem, boxes) in enumerate(todo, start=1)
    ]


def _ways(asked: argparse.Namespace, *, fine: bool) -> list[bool]:
    """Return whether to survey with given boxes: only so, not at all, or both."""
    if fine:
        return [True]
    return ([True] if asked.boxes else []) + ([False] if asked.weights or not asked.boxes else [])


def _flight(
    flight: Path,
    dem: list[str],
    asked: argparse.Namespace,
    place: Path,
    scratch: Path,
    *,
    boxes: bool,
    last: bool,
) -> dict[str, Any]:
    out = place / "surveys" / f"{flight.name}-{'boxes' if boxes else 'detector'}"
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(exist_ok=True)
    options = [str(flight / "photos"), "--ruas", str(flight / "ruas.geojson"), *dem]
    if boxes:
        options += ["--boxes", str(flight / "boxes")]
    else:
        options += [word for name in asked.weights or DEFAULT_WEIGHTS for word in ("--weights", name)]
    command = survey_command(*options)
    local = ran([*command, "--out", str(out)])
    told = local.told
    result = {
        "flight": flight.name,
        "detector": told["summary"]["detector"],
        **_speed(flight, local),
        **compared(flight, out),
    }
    if asked.kills and last:
        times = {"look_s": told["look_s"], "finish_s": told["finish_s"]}
        times["start_s"] = max(local.wall_s - sum(times.values()), 0.0)
        result["kills"] = killed(command, out, scratch, kills=asked.kills, seed=asked.seed, **times)
    if asked.dask and last:
        result["dask"] = _dask(command, asked.dask, local, out, scratch)
    return result


def _dask(command: list[str], workers: int, local: Ran, out: Path, scratch: Path) -> dict[str, Any]:
    """Survey the same with dask workers on this machine: the same bytes, and what it costs."""
    if importlib.util.find_spec("distributed") is None:
        return {"workers": workers, "absent": "distributed is not installed (extra cluster)"}
    other = scratch / "dask"
    spread = ran([*command, "--out", str(other), "--engine", "dask", "--workers", str(workers)])
    return {
        "workers": workers,
        "wall_s": round(spread.wall_s, 1),
        "to_local": round(spread.wall_s / local.wall_s, 3),
        "look_to_local": round(spread.told["look_s"] / local.told["look_s"], 3),
        "cpu_to_local": round(spread.cpu_s / local.cpu_s, 3),
        "peak_all_mb": spread.peak_all_mb,
        "different_files": different(out, other),
    }


def _dem(flight: Path) -> list[str]:
    return ["--dem", str(flight / "dem.tif")]


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
        ("km p95", "95th percentile along the road", "m", told["km_error_m"]["p95"]),
        ("length", "median of the absolute relative error", "1", sizes["length_m"]["median"]),
        ("width", "median of the absolute relative error", "1", sizes["width_mm"]["median"]),
        ("area", "median of the absolute relative error", "1", sizes["area_m2"]["median"]),
        ("pothole area", "median of the absolute relative error", "1", told["pothole_area"]["median"]),
        ("speed", "whole survey, start to end", "photos/min", told["photos_per_min"]),
        ("bytes", "photos read, start to end", "GB/min", told["gb_per_min"]),
        ("memory", "peak of the process", "MB", told["peak_mb"]),
    )
    name = f"{told['flight']}, {told['detector']}"
    cases = [
        case(f"{name}: {what}", metric=metric, unit=unit, ours=ours, peers={}, spread=[ours, ours])
        for what, metric, unit, ours in figures
        if ours is not None
    ]
    if "different_files" in told.get("dask", {}):
        dask = told["dask"]
        for what, metric, unit, ours in (
            ("wall time", "times the local engine's, same cores", "×", dask["to_local"]),
            (
                "same bytes",
                "files that differ from the local engine's",
                "files",
                len(dask["different_files"]),
            ),
        ):
            title = f"{name}: {dask['workers']} dask workers, {what}"
            cases.append(case(title, metric=metric, unit=unit, ours=ours, peers={}, spread=[ours, ours]))
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


def _speed(flight: Path, done: Ran) -> dict[str, Any]:
    photos = list((flight / "photos").iterdir())
    gigabytes = sum(file.stat().st_size for file in photos) / 1e9
    return {
        "photos": len(photos),
        "gigabytes": round(gigabytes, 4),
        "wall_s": round(done.wall_s, 1),
        "cpu_s": round(done.cpu_s, 1),
        "look_s": done.told["look_s"],
        "finish_s": done.told["finish_s"],
        "photos_per_min": round(60 * len(photos) / done.wall_s, 1),
        "gb_per_min": round(60 * gigabytes / done.wall_s, 4),
        "peak_mb": done.peak_mb,
        "peak_all_mb": done.peak_all_mb,
    }


if __name__ == "__main__":
    main()
