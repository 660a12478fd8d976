"""Forwarder: lines/s from a filled hot store into a real InfluxDB, beside the bare HTTP ceiling.

``python -m bench.forwarder [--rows N] [--rounds N] [--json] [--output FILE]``. The peer posts the same lines, built
beforehand, in the same batches with ``http.client``: what the server takes when the client costs nothing. Both write
to databases of their own on one server, in turns. Values are invented. Needs ``influxd`` (Debian: influxdb).
"""

import argparse
import http.client
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.common import case, document, emit
from bench.hot_store import SERIES, batches, observation
from serayu.ingest.forwarder import BATCH, Forwarder
from serayu.models.stores.hot import HotStore
from serayu.models.stores.influx import InfluxStore
from serayu.models.stores.line_protocol import LineFormat
from serayu.models.times import US_PER_MINUTE
from tests import servers


def fill(store: HotStore, rows: int) -> None:
    for batch in batches(rows, 20_000, US_PER_MINUTE):
        with store.transaction() as transaction:
            transaction.insert([observation(one) for one in batch])


def bodies(rows: int) -> list[bytes]:
    line = LineFormat("observation").line
    return [
        "\n".join(line(observation(one)) for one in batch).encode()
        for batch in batches(rows, BATCH, US_PER_MINUTE)
    ]


def create(server: servers.Server, database: str) -> None:
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    link.request("POST", f"/query?q=CREATE%20DATABASE%20{database}")
    if link.getresponse().status != http.client.OK:
        raise RuntimeError(f"database {database} was not created")
    link.close()


def ours(server: servers.Server, hot: HotStore, database: str, rows: int) -> tuple[float, float]:
    """Return lines/s and this process's CPU µs per line."""
    with InfluxStore(server.url, "", "", database, timeout_s=60) as long_store:
        forwarder = Forwarder(hot, long_store, name=database)
        start, cpu, sent = time.perf_counter(), time.process_time(), 0
        while count := forwarder.step().count:
            sent += count
        elapsed, busy = time.perf_counter() - start, time.process_time() - cpu
        if sent != rows or len(long_store.latest()) != min(rows, SERIES):
            raise RuntimeError(f"{sent} of {rows} rows were sent")
        return rows / elapsed, busy / rows * 1e6


def bare(server: servers.Server, ready: list[bytes], database: str, rows: int) -> tuple[float, float]:
    """Return the same for prepared lines over http.client."""
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    start, cpu = time.perf_counter(), time.process_time()
    for body in ready:
        link.request("POST", f"/write?db={database}", body)
        response = link.getresponse()
        response.read()
        if response.status != http.client.NO_CONTENT:
            raise RuntimeError(f"InfluxDB answered {response.status}")
    elapsed, busy = time.perf_counter() - start, time.process_time() - cpu
    link.close()
    return rows / elapsed, busy / rows * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    if servers.binary("influxd") is None:
        sys.exit("bench.forwarder needs influxd (Debian package influxdb)")
    mine, theirs = [], []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(servers.influxd(folder, databases=()))
        hot = stack.enter_context(HotStore(folder / "hot.db"))
        fill(hot, arguments.rows)
        ready = bodies(arguments.rows)
        for number in range(arguments.rounds):
            for database in (f"ours{number}", f"bare{number}"):
                create(server, database)
            mine.append(ours(server, hot, f"ours{number}", arguments.rows))
            theirs.append(bare(server, ready, f"bare{number}", arguments.rows))
    labels = (("rate", "lines/s"), ("client CPU", "us/line"))
    cases = [
        case(
            f"hot store to InfluxDB 1.6, {metric}",
            metric=metric,
            unit=unit,
            ours=statistics.median(pair[column] for pair in mine),
            peers={"http.client, prepared lines": statistics.median(pair[column] for pair in theirs)},
            spread=[pair[column] for pair in mine],
        )
        for column, (metric, unit) in enumerate(labels)
    ]
    result = document("forwarder", rounds=arguments.rounds, cases=cases)
    emit(result, as_json=arguments.json, output=arguments.output)


if __name__ == "__main__":
    main()
