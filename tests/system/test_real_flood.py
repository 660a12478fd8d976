"""Cyclone Ditwah, November 2025: 27 real posts with real limits through agents, broker, ingest, alerts and API."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.servers import free_port
from tests.shared import shared
from tests.system.ditwah_truth import LEVELS, highest_levels

SERAYU = [sys.executable, "-m", "serayu.standalone"]
DATASET = "srilanka_ditwah"


@pytest.fixture(scope="module")
def flood(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The data folder and the API's address after the flood has been replayed."""
    folder = tmp_path_factory.mktemp("ditwah")
    series = shared("data", "hydro", DATASET, "stage.csv")
    region, data = folder / "R", folder / "data"
    imported = [*SERAYU, "region", "import", "--stations", str(shared("data", "hydro", "stations.csv"))]
    imported += ["--dataset", DATASET, "--code", "99.01", "--out", str(region)]
    subprocess.run(imported, check=True, timeout=60, capture_output=True)
    broker, page = free_port(), free_port()
    up = [*SERAYU, "up", "--region", str(region), "--clock", "replay", "--data", str(data)]
    up += ["--broker-port", str(broker), "--port", str(page)]
    with (folder / "up.log").open("wb") as log:
        stack = subprocess.Popen(up, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{page}"
        _wait_for(address, stack, folder / "up.log")
        replay = [*SERAYU, "edge", "replay", "--region", str(region), "--series", str(series)]
        replay += [
            "--speed",
            "max",
            "--broker",
            f"mqtt://127.0.0.1:{broker}",
            "--json",
            "--work",
            str(folder / "w"),
        ]
        done = subprocess.run(replay, check=False, timeout=200, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        _wait_until_evaluated(address)
        yield data, address
    finally:
        stack.send_signal(signal.SIGINT)
        assert stack.wait(30) == 0


def _wait_for(address: str, stack: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        assert stack.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


def _alerts(address: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{address}/api/v1/alerts?limit=500", timeout=10) as response:
        alerts: list[dict[str, Any]] = json.load(response)["alerts"]
    return alerts


def _wait_until_evaluated(address: str) -> None:
    """Wait until two looks, a second apart, see the same changes: the evaluator runs after every commit."""
    before: list[dict[str, Any]] | None = None
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        alerts = _alerts(address)
        if alerts and alerts == before:
            return
        before = alerts
        time.sleep(1.0)
    raise AssertionError("alerts keep changing")


@pytest.mark.shared
def test_highest_level_of_each_post_is_what_an_independent_script_finds(flood: tuple[Path, str]) -> None:
    expected = highest_levels(
        shared("data", "hydro", "stations.csv"), shared("data", "hydro", DATASET, "stage.csv"), DATASET
    )
    found = dict.fromkeys(expected, 0)
    for alert in _alerts(flood[1]):
        for change in alert["changes"]:
            if change["reason"] == "threshold":
                found[alert["station"]] = max(found[alert["station"]], LEVELS.index(change["to"]))
    assert {station: LEVELS[rank] for station, rank in found.items()} == expected


@pytest.mark.shared
def test_every_row_is_stored_once(flood: tuple[Path, str]) -> None:
    rows = len(shared("data", "hydro", DATASET, "stage.csv").read_text().splitlines()) - 1
    with closing(sqlite3.connect(f"file:{flood[0] / 'hot.sqlite'}?mode=ro", uri=True)) as store:
        (stored,) = store.execute("SELECT count(*) FROM observation").fetchone()
        (distinct,) = store.execute(
            "SELECT count(*) FROM (SELECT DISTINCT series, t FROM observation)"
        ).fetchone()
        (dead,) = store.execute("SELECT count(*) FROM dead_letter").fetchone()
    assert (stored, distinct, dead) == (rows, rows, 0)
