"""The fault campaign itself, small: two rounds, three agents, the embedded broker."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from bench.common import ROOT
from bench.faults.__main__ import main
from bench.faults.plan import CLOCK_JUMPS, kinds, plan


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 -- no secret


def played(output: Path, *arguments: str) -> tuple[int, dict[str, object], dict[str, float]]:
    argv = [
        sys.executable, "-m", "bench.faults", "--rounds", "2", "--agents", "3", "--no-influx", "--json",
        "--steady-s", "0.5", "--outage-s", "1", "--seed", "7", "--output", str(output), *arguments,
    ]  # fmt: skip
    finished = subprocess.run(argv, cwd=ROOT, check=False, capture_output=True, text=True, timeout=300)
    document = json.loads(finished.stdout)
    assert document == json.loads(output.read_text("utf-8"))
    totals = {case["metric"]: case["ours"] for case in document["cases"] if case["case"] == case["metric"]}
    return finished.returncode, document, totals


def test_two_rounds_lose_and_repeat_nothing(tmp_path: Path) -> None:
    status, document, totals = played(
        tmp_path / "out.json", "--faults", "ingest_killed,broker_killed", "--share", "0.1"
    )
    assert (status, document["wrong"]) == (0, []), document
    assert document["rounds"] == 2
    assert totals["published"] == totals["stored"] + totals["rejected"]
    assert totals["published"] > 100
    assert totals["corrupted"] > 0
    assert (totals["lost"], totals["duplicates"], totals["out_of_order"], totals["corrupted_missing"]) == (
        0,
    ) * 4
    rounds = {case["case"] for case in document["cases"] if case["metric"] == "rounds"}  # type: ignore[attr-defined]
    assert rounds == {"ingest_killed", "broker_killed"}


def test_a_fault_that_does_not_exist_is_bad_usage(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "bench.faults", "--faults", "earthquake", "--work", str(tmp_path / "w")]
    finished = subprocess.run(argv, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 2
    assert "no such fault here: earthquake" in finished.stderr


def test_twenty_rounds_play_every_kind_and_every_clock_jump() -> None:
    possible = kinds(influx=True, small_disk=True)
    rounds = plan(20, possible, outage_s=3, rng=seeded(1))
    assert len(rounds) == 20
    assert {each.fault for each in rounds} == set(possible)
    assert {each.clock_jump for each in rounds} == set(CLOCK_JUMPS)
    assert rounds == plan(20, possible, outage_s=3, rng=seeded(1))


@pytest.mark.parametrize(
    ("influx", "small_disk", "missing"), [(False, True, "influx"), (True, False, "store_full")]
)
def test_what_this_machine_cannot_break_is_left_out(influx: bool, small_disk: bool, missing: str) -> None:  # noqa: FBT001
    assert [kind for kind in kinds(influx=influx, small_disk=small_disk) if kind.startswith(missing)] == []
    with pytest.raises(ValueError, match="no such fault here"):
        kinds(influx=False, small_disk=False, only=["store_full"])


@pytest.mark.parametrize("arguments", [("--agents", "2"), ("--rounds", "0"), ("--broker", "pigeon")])
def test_settings_that_make_no_campaign_are_bad_usage(arguments: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
