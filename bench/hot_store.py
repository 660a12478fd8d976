"""Hot store: rows/s of judging and storing, and milliseconds of its two most frequent reads on a large file.

``python -m bench.hot_store [--scale X] [--file-rows N] [--rounds N] [--json] [--output FILE]``. 1,000 datastreams at
250 stations, invented values. The peer is SQLite alone: the same rows into the same table and indexes by one
``executemany`` a transaction, without looking whether they are new and without `latest` and `hourly`.
``--file-rows 10000000`` fills a file of that size first (minutes) and adds the reads; it has no peer.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.common import case, document, emit
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, Reading, SeriesKey
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_schema import MIGRATIONS
from serayu.models.stores.hot_transaction import Verdict
from serayu.models.stores.sqlite import connect
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE

SERIES, PER_STATION = 1000, 4
PROPERTIES = ("stage", "rain", "battery", "air-temperature")
T0 = 20_400 * US_PER_DAY  # a midnight UTC in November 2025
FILE_SPAN_US = 35 * US_PER_DAY
LEAST_FILE_ROWS = 1_000_000  # more than one a datastream and hour
KEYS = [SeriesKey("99.01", f"st-{i // PER_STATION:03}", PROPERTIES[i % PER_STATION]) for i in range(SERIES)]
BATCHES = {1: 2_000, 100: 40_000, 5000: 300_000}


def reading(number: int, step_us: int) -> Reading:
    """Return a reading of the round-robin over all datastreams."""
    turn, series = divmod(number, SERIES)
    seq = turn * PER_STATION + series % PER_STATION + 1
    oid = f"{series // PER_STATION:016x}"
    return Reading(KEYS[series], T0 + turn * step_us, (number * 37 % 1000) / 100, oid, seq)


def batches(rows: int, size: int, step_us: int) -> Iterator[list[Reading]]:
    for start in range(0, rows, size):
        yield [reading(number, step_us) for number in range(start, min(start + size, rows))]


def observation(one: Reading) -> Observation:
    return Observation(
        one.key, one.t_us, one.value, QualityFlag.GOOD, 0, one.oid, one.seq, one.t_us + 500_000
    )


def store_batch(store: HotStore, readings: Sequence[Reading]) -> None:
    """Do what ingest does for a batch, without decoding and quality control."""
    with store.transaction() as transaction:
        verdicts = transaction.classify(readings)
        new = [one for one, verdict in zip(readings, verdicts, strict=True) if verdict is Verdict.NEW]
        transaction.insert([observation(one) for one in new])


def rate(rows: int, size: int, take: Callable[[list[Reading]], None]) -> float:
    """Return rows/s; making the readings is not counted."""
    elapsed = 0.0
    for batch in batches(rows, size, US_PER_MINUTE):
        start = time.perf_counter()
        take(batch)
        elapsed += time.perf_counter() - start
    return rows / elapsed


def ours(rows: int, size: int) -> float:
    with tempfile.TemporaryDirectory() as folder, HotStore(Path(folder) / "hot.db") as store:
        return rate(rows, size, lambda batch: store_batch(store, batch))


def bare(rows: int, size: int) -> float:
    """Return what SQLite takes with the same table, indexes and durability."""
    with tempfile.TemporaryDirectory() as folder:
        connection = connect(Path(folder) / "bare.db")
        for script in MIGRATIONS:
            connection.executescript(script)
        series = {key: number for number, key in enumerate(KEYS)}

        def take(batch: list[Reading]) -> None:
            rows = [
                (series[r.key], r.t_us, r.value, 1, 0, series[r.key] // PER_STATION, r.seq, r.t_us, 0)
                for r in batch
            ]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO observation (series, t, value, flag, tests, outbox, seq, received, late)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            connection.execute("COMMIT")

        try:
            return rate(rows, size, take)
        finally:
            connection.close()


def write_cases(rounds: int, scale: float) -> list[dict[str, Any]]:
    cases = []
    for size, usual in BATCHES.items():
        rows = max(size, round(usual * scale))
        pairs = [(ours(rows, size), bare(rows, size)) for _ in range(rounds)]
        mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        name = f"judge and store, {size} a transaction"
        peers = {"sqlite3 executemany": statistics.median(theirs)}
        middle = statistics.median(mine)
        cases.append(case(name, metric="rate", unit="rows/s", ours=middle, peers=peers, spread=mine))
    return cases


def milliseconds(work: Callable[[], Sequence[object]], expected: int) -> float:
    start = time.perf_counter()
    found = len(work())
    elapsed = (time.perf_counter() - start) * 1000
    if found != expected:
        raise RuntimeError(f"expected {expected} results, got {found}")
    return elapsed


def read_cases(rows: int, rounds: int) -> list[dict[str, Any]]:
    """Fill a file and time its reads; the file's pages are in the system's cache, as on a running host."""
    step_us = FILE_SPAN_US // max(1, rows // SERIES)
    with tempfile.TemporaryDirectory() as folder, HotStore(Path(folder) / "hot.db") as store:
        for batch in batches(rows, 20_000, step_us):
            store_batch(store, batch)
        end_us = T0 + FILE_SPAN_US - FILE_SPAN_US % US_PER_DAY
        start_us = end_us - 30 * US_PER_DAY
        per_day = US_PER_DAY // step_us
        works: dict[str, tuple[Callable[[], Sequence[object]], int]] = {
            "latest of 1,000 datastreams with trend": (store.latest, SERIES),
            "30 days by the hour": (
                lambda: store.aggregate(KEYS[500], start_us, end_us, step_us=US_PER_HOUR),
                30 * 24,
            ),
            "30 days by the day": (
                lambda: store.aggregate(KEYS[501], start_us, end_us, step_us=US_PER_DAY),
                30,
            ),
            "one day, raw": (
                lambda: store.window(KEYS[502], end_us - US_PER_DAY, end_us, limit=per_day),
                per_day,
            ),
        }
        cases = []
        for name, (work, expected) in works.items():
            times = [milliseconds(work, expected) for _ in range(max(5, rounds))]
            label = f"{name}, file of {rows} rows"
            middle = statistics.median(times)
            cases.append(case(label, metric="time", unit="ms", ours=middle, peers={}, spread=times))
        return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of rows written")
    parser.add_argument(
        "--file-rows", type=int, default=0, help="fill a file of this size and time its reads"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    cases = write_cases(arguments.rounds, arguments.scale)
    if arguments.file_rows:
        if arguments.file_rows < LEAST_FILE_ROWS:
            parser.error(f"--file-rows must be at least {LEAST_FILE_ROWS}")
        cases += read_cases(arguments.file_rows, arguments.rounds)
    result = document("hot_store", rounds=arguments.rounds, cases=cases)
    emit(result, as_json=arguments.json, output=arguments.output)


if __name__ == "__main__":
    main()
