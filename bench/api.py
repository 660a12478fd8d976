"""How long the api takes under 50 clients at once: the list of 1,000 stations, a month of hours, the field page.

``python -m bench.api --json``: fills a hot store in a temporary folder (10 million rows by default, straight by SQL:
what is measured is reading), starts ``serayu api run`` on it and asks from one asyncio loop on kept connections, each
client sending its next request when the answer to the last one is complete. ``while readings come in`` means that a
batch of readings is committed every half second meanwhile. Client and server share the machine's cores.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.common import case, document, emit
from serayu.models.reading import Observation, SeriesKey
from serayu.models.stores.hot import HotStore
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, SystemClock, rfc3339

REGION = "99.99"
FIELDS = 20
BATCH_EVERY_S = 0.5


class Answers(NamedTuple):
    """Latencies in seconds, and how many answers were not 200."""

    seconds: list[float]
    errors: int
    bytes: int


class Ask(NamedTuple):
    """One case: what each request asks for."""

    name: str
    path: Callable[[random.Random], str]
    gzip: bool = False
    busy: bool = False


# -- the store --------------------------------------------------------------------------------------------------------


def write_region(folder: Path, stations: int) -> list[str]:
    """Write a region of river posts with limits, and some fields; returns the posts."""
    folder.mkdir()
    (folder / "region.toml").write_text(f"code = '{REGION}'\nname = 'Bench'\nsource = 'invented'\n")
    posts = [f"pos-{n:04}" for n in range(stations - FIELDS)]
    names = posts + [f"sawah-{n:04}" for n in range(FIELDS)]
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [109 + n % 37 / 100, -7.6 + n % 41 / 100]},
            "properties": {
                "id": name,
                "name": name,
                "kind": "river" if name in posts else "field",
                "source": "invented",
                "invented": True,
                "datastreams": [
                    {"property": "stage" if name in posts else "soil-moisture", "interval_s": 300}
                ],
            },
        }
        for n, name in enumerate(names)
    ]
    (folder / "stations.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    limits = "waspada_m = 2\nsiaga_m = 3\nawas_m = 4\nsource = 'invented'\nvalid_from = '2026-01-01'\n"
    tables = [f"[post.{name}]\n{limits}approved_by = 'nobody'\ninvented = true" for name in posts]
    (folder / "thresholds.toml").write_text("\n".join(tables))
    return posts


def fill(path: Path, names: Sequence[tuple[str, str]], *, rows: int, end_us: int) -> int:
    """Fill a hot store: every five minutes a value of each series, the last at *end_us*; returns the rows."""
    HotStore(path).close()
    link = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous=OFF", "journal_mode=MEMORY", "cache_size=-400000", "temp_store=MEMORY"):
        link.execute(f"PRAGMA {pragma}")
    steps = max(rows // len(names), 1)
    indexes = link.execute(
        "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'observation' AND sql LIKE 'CREATE%INDEX%'"
    ).fetchall()
    link.execute("BEGIN")
    for name, _ in indexes:
        link.execute(f"DROP INDEX {name}")
    link.executemany(
        "INSERT INTO series (region, station, property) VALUES (?, ?, ?)", [(REGION, *n) for n in names]
    )
    step_us = 5 * US_PER_MINUTE
    link.execute(
        """
        INSERT INTO observation (id, series, t, value, flag, tests, received, late)
        WITH RECURSIVE step (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM step WHERE n + 1 < :steps)
        SELECT n * :series + s.id, s.id, :end - (:steps - 1 - n) * :step, 1.0 + (n + s.id) % 97 / 100.0, 1, 0,
               :end - (:steps - 1 - n) * :step, 0
        FROM step CROSS JOIN series s
        """,
        {"steps": steps, "series": len(names), "end": end_us, "step": step_us},
    )
    for _, statement in indexes:
        link.execute(statement)
    link.execute(
        "INSERT INTO hourly (series, hour, n, total, minimum, maximum)"  # noqa: S608 -- a constant
        f" SELECT series, t - t % {US_PER_HOUR}, count(*), sum(value), min(value), max(value)"
        " FROM observation GROUP BY 1, 2"
    )
    link.execute(
        "INSERT INTO latest SELECT series, t, value, flag, tests, received, late FROM observation WHERE t = ?",
        (end_us,),
    )
    stored = steps * len(names)
    link.execute("UPDATE meta SET value = ? WHERE name = 'last_id'", (stored,))
    link.execute("COMMIT")
    link.execute("PRAGMA journal_mode=WAL")
    link.close()
    return stored


@contextlib.contextmanager
def readings(path: Path, names: Sequence[tuple[str, str]], *, on: bool) -> Iterator[None]:
    """Commit a batch every half second meanwhile."""
    if not on:
        yield
        return
    done = threading.Event()

    def write() -> None:
        with HotStore(path) as store:
            turn = 0
            while not done.wait(BATCH_EVERY_S):
                now = SystemClock().now_us()
                some = names[turn % 10 :: 10]
                store.write([Observation(SeriesKey(REGION, *n), now, 1.5, received_us=now) for n in some])
                turn += 1

    thread = threading.Thread(target=write, name="bench-readings")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


# -- the server -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def server(region: Path, data: Path) -> Iterator[int]:
    """Run the api in a process of its own; yields its port."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SERAYU_")}
    arguments = [
        "run",
        "--region",
        str(region),
        "--data",
        str(data),
        "--port",
        "0",
        "--log-level",
        "warning",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "serayu.api", *arguments], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        line = next((line for line in process.stderr or () if line.startswith("Serayu: ")), "")
        if not line or process.stderr is None:
            raise RuntimeError("the api did not start")
        threading.Thread(target=process.stderr.read, name="bench-drain", daemon=True).start()
        yield int(line.rstrip("/\n").rpartition(":")[2])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


# -- the clients ------------------------------------------------------------------------------------------------------


async def client(port: int, ask: Ask, until: float, seed: int) -> Answers:
    """Ask one question after another on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    draw = random.Random(seed)  # noqa: S311 -- which station is asked for
    encoding = "gzip" if ask.gzip else "identity"
    answers = Answers([], 0, 0)
    errors = size = 0
    while time.perf_counter() < until:
        begun = time.perf_counter()
        head = f"GET {ask.path(draw)} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: {encoding}\r\n\r\n"
        writer.write(head.encode())
        status, body = await answer(reader)
        answers.seconds.append(time.perf_counter() - begun)
        errors += status != 200
        size = len(body)
    writer.close()
    await writer.wait_closed()
    return answers._replace(errors=errors, bytes=size)


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer with a content length."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    length = next(int(line.partition(":")[2]) for line in lines if line.startswith("content-length:"))
    return int(lines[0].split()[1]), await reader.readexactly(length)


async def crowd(port: int, ask: Ask, *, clients: int, seconds: float) -> Answers:
    """Let many clients ask at once."""
    until = time.perf_counter() + seconds
    found = await asyncio.gather(*(client(port, ask, until, seed) for seed in range(clients)))
    every = [second for one in found for second in one.seconds]
    return Answers(every, sum(one.errors for one in found), max(one.bytes for one in found))


def percentile_ms(seconds: Sequence[float], percent: int) -> float:
    """Return a percentile in milliseconds."""
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000


# -- the benchmark ----------------------------------------------------------------------------------------------------


def questions(posts: Sequence[str], field: str, now_us: int, stations: int) -> list[Ask]:
    """Return the cases."""
    month = f"property=stage&step=1h&start={rfc3339(now_us - 30 * US_PER_DAY)}&end={rfc3339(now_us)}"

    def window(draw: random.Random) -> str:
        return f"/api/v1/stations/{draw.choice(posts)}/observations?{month}"

    every = f"latest of {stations:,} stations"
    return [
        Ask(f"{every}, gzip", lambda _: "/api/v1/stations", gzip=True),
        Ask(f"{every}, gzip, while readings come in", lambda _: "/api/v1/stations", gzip=True, busy=True),
        Ask(f"{every}, plain", lambda _: "/api/v1/stations"),
        Ask("30-day hourly window", window),
        Ask("field page", lambda _: field),
    ]


def measure(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Fill, serve, ask."""
    region, data = folder / "region", folder / "data"
    posts = write_region(region, options.stations)
    names = [(post, "stage") for post in posts] + [(f"sawah-{n:04}", "soil-moisture") for n in range(FIELDS)]
    now_us = SystemClock().now_us()
    begun = time.perf_counter()
    stored = fill(data / "hot.sqlite", names, rows=options.rows, end_us=now_us - now_us % US_PER_MINUTE)
    print(f"filled {stored:,} rows in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    with server(region, data) as port:
        field = json.loads((data / "keys.json").read_text())["fields"]["sawah-0000"]
        asks = questions(posts, field, now_us, options.stations)
        rounds: dict[str, list[Answers]] = {ask.name: [] for ask in asks}
        for ask in asks:
            asyncio.run(crowd(port, ask, clients=options.clients, seconds=0.5))  # warm
        for _ in range(options.rounds):
            for ask in asks:
                with readings(data / "hot.sqlite", names, on=ask.busy):
                    found = asyncio.run(crowd(port, ask, clients=options.clients, seconds=options.seconds))
                rounds[ask.name].append(found)
    cases = [each for ask in asks for each in cases_of(ask.name, rounds[ask.name], options.seconds)]
    return {**document("api", rounds=options.rounds, cases=cases), "rows": stored, "clients": options.clients}


def cases_of(name: str, rounds: Sequence[Answers], seconds: float) -> list[dict[str, object]]:
    """Return the cases of one question."""
    measured = [
        ("latency p50", "ms", [percentile_ms(one.seconds, 50) for one in rounds]),
        ("latency p99", "ms", [percentile_ms(one.seconds, 99) for one in rounds]),
        ("requests", "1/s", [len(one.seconds) / seconds for one in rounds]),
        ("errors", "count", [float(one.errors) for one in rounds]),
        ("answer", "bytes", [float(one.bytes) for one in rounds]),
    ]
    return [
        case(name, metric=metric, unit=unit, ours=statistics.median(values), peers={}, spread=values)
        for metric, unit, values in measured
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--stations", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each case in each round")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="serayu-bench-api-") as folder:
        result = measure(Path(folder), options)
    emit(result, as_json=options.as_json, output=options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
