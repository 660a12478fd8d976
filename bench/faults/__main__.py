"""Faults in every part of the chain: ``python -m bench.faults --rounds 20 --json``.

Each round kills or stops something (see `bench.faults.faults`), lets a device's clock jump and swaps an SD card, while
a proxy damages one message in a hundred on its way to ingest. Then everything drains, and a process of its own counts
every numbered reading from the generator's log to the stores (`bench.faults.count`). Exits with 1 when a reading was
lost, stored twice or in another order, or a damaged message is not among the dead letters.
"""

import argparse
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.common import ROOT, case, document, emit
from bench.faults.campaign import Done, Drained, drain, play
from bench.faults.places import Places
from bench.faults.plan import kinds, plan
from bench.faults.scene import DATABASE, Scene, program

MUST_BE_ZERO = (
    "lost",
    "duplicates",
    "out_of_order",
    "unknown",
    "rejected_unexpected",
    "corrupted_missing",
    "dead_letters_unexplained",
    "influx_missing",
    "unconfirmed",
    "not_resumed",
    "unexpected_deaths",
)
LEAST_AGENTS = 3  # one whose clock jumps, one whose card is swapped, one that is killed
_MESSAGES = frozenset(
    {"dead_letters", "dead_letters_unexplained", "garbled", "corrupted", "corrupted_missing"}
)


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # so that what we started and mounted goes with us
    if given.work is not None:
        return _campaign(given, given.work)
    with tempfile.TemporaryDirectory(prefix="serayu-faults-") as folder:
        return _campaign(given, Path(folder) / "campaign")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.faults")
    parser.add_argument("--rounds", type=_at_least(1), default=20)
    parser.add_argument("--agents", type=_at_least(LEAST_AGENTS), default=20)
    parser.add_argument("--broker", choices=("iotcore", "mosquitto"), default="iotcore")
    parser.add_argument("--seed", type=int, default=None, help="default: from the time, and printed")
    parser.add_argument("--faults", default="", help="only these kinds, separated by commas")
    parser.add_argument(
        "--no-influx", action="store_true", help="without InfluxDB, also where it is installed"
    )
    parser.add_argument("--share", type=float, default=0.01, help="of the messages, damaged on the way")
    parser.add_argument("--steady-s", type=float, default=2.0, help="seconds between rounds")
    parser.add_argument("--outage-s", type=float, default=3.0, help="mean length of a fault, seconds")
    parser.add_argument("--work", type=Path, help="new folder that is kept; default: a temporary one")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is below {least}")
        return int(text)

    return number


def _campaign(given: argparse.Namespace, work: Path) -> int:
    seed = time.time_ns() % 1_000_000 if given.seed is None else given.seed
    rng = random.Random(seed)  # noqa: S311 -- no secret
    places = Places(work)
    influx = not given.no_influx and program("influxd") is not None
    _tell(f"seed {seed}, broker {given.broker}, InfluxDB {'yes' if influx else 'no'}")
    try:
        scene = Scene(
            places, agents=given.agents, broker=given.broker, influx=influx, share=given.share, seed=seed
        )
    except FileNotFoundError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    with scene:
        only = [kind for kind in given.faults.split(",") if kind]
        try:
            possible = kinds(influx=influx, small_disk=scene.small_disk, only=only)
        except ValueError as error:
            sys.stderr.write(f"error: {error}\n")
            return 2
        rounds = plan(given.rounds, possible, outage_s=given.outage_s, rng=rng)
        done = play(scene, rounds, steady_s=given.steady_s, rng=rng, tell=_tell)
        drained = drain(scene, _tell)
        counted = _counted(places, scene.influx_url)
    result = {**_result(counted, done, drained, scene), "settings": _settings(given, scene, seed=seed)}
    emit(result, as_json=given.json, output=given.output)
    return 1 if result["wrong"] else 0


def _settings(given: argparse.Namespace, scene: Scene, *, seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "broker": given.broker,
        "agents": given.agents,
        "share": given.share,
        "influxdb": scene.influx is not None,
        "small_disk": scene.small_disk,
    }


def _result(counted: dict[str, Any], done: Sequence[Done], drained: Drained, scene: Scene) -> dict[str, Any]:
    totals = {
        **counted,
        "unconfirmed": drained.unconfirmed,
        "not_resumed": sum(each.resumed_s is None for each in done),
        "unexpected_deaths": len(scene.died),
    }
    return {
        **document("faults", rounds=len(done), cases=_cases(totals, done)),
        "wrong": [name for name in MUST_BE_ZERO if totals[name]],
        "forwarded": drained.forwarded,
        "reasons": counted["reasons"],
        "rejected_reasons": counted["rejected_reasons"],
        "examples": counted["examples"],
        "died": scene.died,
        "played": [each._asdict() for each in done],
    }


def _counted(places: Places, influx_url: str | None) -> dict[str, Any]:
    argv = [sys.executable, "-m", "bench.faults.count", "--work", str(places.work)]
    if influx_url is not None:
        argv += ["--influx", influx_url, "--database", DATABASE]
    finished = subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    counted: dict[str, Any] = json.loads(finished.stdout)
    return counted


def _cases(counted: dict[str, Any], done: Sequence[Done]) -> list[dict[str, Any]]:
    cases = [
        _total(name, value, "messages" if name in _MESSAGES else "readings")
        for name, value in counted.items()
        if isinstance(value, int)
    ]
    for fault in sorted({each.fault for each in done}):
        played = [each.resumed_s for each in done if each.fault == fault]
        cases.append(
            case(fault, metric="rounds", unit="rounds", ours=len(played), peers={}, spread=[len(played)])
        )
        resumed = [seconds for seconds in played if seconds is not None]
        if resumed:
            median = statistics.median(resumed)
            cases.append(case(fault, metric="resumed_after", unit="s", ours=median, peers={}, spread=resumed))
    return cases


def _total(name: str, value: int, unit: str) -> dict[str, Any]:
    return case(name, metric=name, unit=unit, ours=value, peers={}, spread=[value])


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
