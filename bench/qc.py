"""Quality control per value: streaming (what ingest runs on each reading) against the vectorised tests.

``python -m bench.qc [--values N] [--rounds N] [--json] [--output FILE]``. The series are invented (seeded):
what is measured is time, on the kinds of series that a river post sends.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.common import case, document, emit
from serayu.models.quality import DEFAULT_PROFILES, QcProfile, StreamingQc
from serayu.models.quality.qartod import run_profile

START_US = 1_764_000_000_000_000
STEP_US = 60_000_000
SEED = 20_251_123

# Gross range, rate, spike and flat line at both levels: the most work that a usual post asks for.
STAGE = DEFAULT_PROFILES["stage"].replace(flat_fail_s=86_400.0)


def walk(count: int, rng: random.Random) -> list[float]:
    """A river that moves all the time, in mm."""
    values, stage = [], 3.0
    for _ in range(count):
        stage += rng.gauss(0, 0.005)
        values.append(round(stage, 3))
    return values


def noise(count: int, rng: random.Random) -> list[float]:
    """A calm river under a noisy sensor: the spike test turns at most values."""
    return [round(3 + rng.gauss(0, 0.003), 3) for _ in range(count)]


def still(count: int, rng: random.Random) -> list[float]:
    """A stuck sensor, 1 % of the readings missing."""
    return [float("nan") if rng.random() < 0.01 else 3.0 for _ in range(count)]


def ramp(count: int, rng: random.Random) -> list[float]:
    """A steady fall in steps far below the tolerance: the longest queues of the flat line test."""
    jitter = rng.random() * 1e-9
    return [50 - row * 1e-5 + jitter for row in range(count)]


SERIES: dict[str, Callable[[int, random.Random], list[float]]] = {
    "moving river": walk,
    "noisy sensor": noise,
    "stuck sensor": still,
    "slow fall": ramp,
}


def push_us(profile: QcProfile, times: list[int], values: list[float]) -> float:
    """Return µs per value of pushing a series into a new object."""
    push = StreamingQc(profile).push
    start = time.perf_counter()
    for t_us, value in zip(times, values, strict=True):
        push(t_us, value)
    return (time.perf_counter() - start) / len(values) * 1e6


def whole_us(profile: QcProfile, times: list[int], values: list[float]) -> float:
    """Return µs per value of judging a series at once, from lists as `push_us` gets them."""
    start = time.perf_counter()
    run_profile(values, np.array(times).view("datetime64[us]"), profile)
    return (time.perf_counter() - start) / len(values) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.qc", description=__doc__.splitlines()[0])
    parser.add_argument("--values", type=int, default=100_000, help="values per series")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--output", type=Path, help="write the JSON document to this file")
    options = parser.parse_args()
    if options.values < 1 or options.rounds < 1:
        parser.error("--values and --rounds must be at least 1")

    times = [START_US + row * STEP_US for row in range(options.values)]
    series = {name: make(options.values, random.Random(SEED)) for name, make in SERIES.items()}  # noqa: S311
    ours: dict[str, list[float]] = {name: [] for name in series}
    peers: dict[str, list[float]] = {name: [] for name in series}
    for _ in range(options.rounds):
        for name, values in series.items():
            ours[name].append(push_us(STAGE, times, values))
            peers[name].append(whole_us(STAGE, times, values))
    cases = [
        case(
            f"stage profile, {name}",
            metric="time per value, streaming push()",
            unit="us",
            ours=statistics.median(ours[name]),
            peers={"vectorised run_profile()": statistics.median(peers[name])},
            spread=ours[name],
        )
        for name in series
    ]
    emit(document("qc", rounds=options.rounds, cases=cases), as_json=options.json, output=options.output)


if __name__ == "__main__":
    main()
