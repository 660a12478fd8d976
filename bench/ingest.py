"""Ingest: from a broker to committed readings, beside a bare stock-paho subscriber and Node-RED's MQTT → InfluxDB flow.

One real ingest process, Mosquitto and iotcore, QoS 1, SenML packs of one reading and of ten; interleaved, a fresh
broker each round. Rates count from the first PUBLISH to the last row committed, seen by polling the store from
outside. Processor time is the process's own until it has come to rest, so evaluating alerts (and, where it says so,
forwarding) is in it. Commit latency is taken at a steady rate by polling the store's change number every
millisecond; ack latency ends when the station has ``…/ack`` in its hands. Values are invented.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import forwarder, node_red
from bench.common import case, document, emit
from bench.mqtt_load import Load, connect, write_region
from bench.steady import Acks, commit_ms, percentiles, watch_kept
from bench.subjects import (
    POLL_S,
    STALL_S,
    Influx,
    NodeRed,
    OurForwarding,
    OurIngest,
    Subject,
    bare_subscriber,
    cpu_s,
    iotcore,
    load_process,
    node_red_flow,
    our_ingest,
    result_of,
    rss_mb,
    settled_cpu_s,
    stop_for,
)
from serayu.models.stores.hot import HotStore
from tests import servers

OURS, BARE, NODE_RED, NODE_RED_BATCH = "ours", "paho_bare", "node_red", "node_red_batch"
PEERS = (BARE, NODE_RED, NODE_RED_BATCH)
PACKS = (1, 10)
UNITS = {
    "readings per second": "1/s",
    "cpu per message": "us",
    "cpu per reading": "us",
    "memory": "MB",
    "readings lost": "1",
    "publish to commit, p50": "ms",
    "publish to commit, p99": "ms",
    "publish to ack, p50": "ms",
    "publish to ack, p99": "ms",
}
STEADY_S = 4.0
STOP_RATE, STOP_AFTER_S, STOP_S = 1000.0, 7.0, 5.0
FORWARDED_ROWS = 200_000


@dataclass(slots=True)
class Results:
    """Values by case, metric and subject."""

    values: dict[tuple[str, str], dict[str, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def add(self, name: str, subject: str, values: dict[str, float]) -> None:
        """Add what one run of a subject gave."""
        for metric, value in values.items():
            self.values[(name, metric)][subject].append(value)

    def cases(self, absent: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Yield cases with the median over rounds; a peer that was not measured is null, with the reason."""
        for (name, metric), by_subject in self.values.items():
            peers = {peer: _median(by_subject.get(peer)) for peer in PEERS}
            one = case(
                f"{name}: {metric}",
                metric=metric,
                unit=UNITS[metric],
                ours=statistics.median(by_subject[OURS]),
                peers=peers,
                spread=by_subject[OURS],
            )
            missing = {peer for peer, value in peers.items() if value is None}
            yield one | {
                "absent": {peer: absent.get(peer, "not measured in this case") for peer in sorted(missing)}
            }


def _median(values: Sequence[float] | None) -> float | None:
    return statistics.median(values) if values else None


class Bench:
    """Runs subjects in turn.

    Parameters
    ----------
    folder
        For everything that is written.
    messages
        Messages of one reading per run; packs of ten are a quarter as many.
    steady_rate
        Messages per second for latencies.
    modules
        Node-RED's folder, None where it is not measured.
    influx
        An InfluxDB server, None where there is none.
    """

    def __init__(
        self,
        folder: Path,
        *,
        messages: int,
        steady_rate: float,
        modules: Path | None,
        influx: servers.Server | None,
    ) -> None:
        self.results = Results()
        self._folder = folder
        self._region = folder / "region"
        self._messages = messages
        self._steady_rate = steady_rate
        self._modules = modules
        self._influx = influx
        self._runs = 0
        write_region(self._region, stations=Load("", 0, 1).stations)

    def round(self, *, backwards: bool) -> None:
        """Measure every broker and pack size once; every other round in the opposite order."""
        for broker in ("mosquitto", "iotcore"):
            for pack in PACKS:
                with self._broker(broker) as port:
                    name = f"{broker}, packs of {pack}"
                    runs = self._sustained_runs(name, port, pack)
                    for run in reversed(runs) if backwards else runs:
                        run()
                with self._broker(broker) as port:
                    self._latency(f"{broker}, packs of {pack}", port, pack)

    def _sustained_runs(self, name: str, port: int, pack: int) -> list[Callable[[], None]]:
        full = self._messages if pack == 1 else self._messages // 4
        into = f"{name}, into InfluxDB"
        runs = [
            lambda: self._sustained(name, OURS, self._ours(port), port, full, pack),
            lambda: self._bare(name, port, full, pack),
        ]
        if self._influx is not None:
            runs.append(lambda: self._sustained(into, OURS, self._forwarding(port), port, full, pack))
        if self._influx is not None and self._modules is not None:
            runs += [
                lambda: self._sustained(
                    into, NODE_RED_BATCH, self._node_red(port, batch=True), port, full, pack, also=name
                ),
                lambda: self._sustained(
                    into, NODE_RED, self._node_red(port, batch=False), port, full // 4, pack, also=name
                ),
            ]
        return runs

    # -- one run -------------------------------------------------------------------------------------------------

    def _sustained(
        self,
        name: str,
        label: str,
        running: AbstractContextManager[Subject],
        port: int,
        messages: int,
        pack: int,
        *,
        also: str | None = None,
    ) -> None:
        load = self._load(messages, pack)
        with running as subject, load_process(load, port) as go:
            before_s = cpu_s(subject.pid)
            started = go()
            last_ns = _await_kept(subject, load.readings)
            published = result_of(started)
            used_s = settled_cpu_s(subject.pid) - before_s
            lost = load.readings - subject.counted()
            values = {
                "readings per second": (load.readings - lost) / (last_ns - published["first_ns"]) * 1e9,
                "cpu per message": used_s / messages * 1e6,
                "cpu per reading": used_s / load.readings * 1e6,
                "memory": rss_mb(subject.pid),
                "readings lost": float(lost),
            }
        self.results.add(name, label, values)
        if also is not None:
            self.results.add(also, label, values)

    def _bare(self, name: str, port: int, messages: int, pack: int) -> None:
        load = self._load(messages, pack)
        with bare_subscriber(messages, port) as subscriber, load_process(load, port) as go:
            published = result_of(go())
            counted = result_of(subscriber)
            seconds = (counted["came_ns"][-1] - published["first_ns"]) / 1e9
            values = {
                "readings per second": len(counted["came_ns"]) * pack / seconds,
                "cpu per message": counted["cpu_s"] / messages * 1e6,
                "cpu per reading": counted["cpu_s"] / load.readings * 1e6,
                "memory": rss_mb(subscriber.pid),
                "readings lost": float(load.readings - len(counted["came_ns"]) * pack),
            }
        self.results.add(name, BARE, values)

    def _latency(self, name: str, port: int, pack: int) -> None:
        """Measure at a steady rate; the first turn of the datastreams, which makes their rows, is left out."""
        messages = round(self._steady_rate * STEADY_S)
        load = self._load(messages, pack)
        first = min(load.datastreams, messages // 2)
        label = f"{name}, {self._steady_rate:.0f} messages/s"
        with (
            self._ours(port) as subject,
            load_process(load, port, rate=self._steady_rate) as go,
            Acks(port) as acks,
        ):
            started = go()
            seen = watch_kept(subject, load.readings)
            sent_ns = result_of(started)["sent_ns"]
            time.sleep(0.5)  # the last acks
            if subject.counted() != load.readings or len(sent_ns) != messages:
                raise RuntimeError(f"{label}: {subject.counted()} of {load.readings} readings came")
            self.results.add(label, OURS, percentiles("commit", commit_ms(load, sent_ns, seen)[first:]))
            self.results.add(label, OURS, percentiles("ack", acks.latencies_ms(load, sent_ns)[first:]))
        load = self._load(messages, pack)
        with (
            bare_subscriber(messages, port) as subscriber,
            load_process(load, port, rate=self._steady_rate) as go,
        ):
            sent_ns = result_of(go())["sent_ns"]
            came_ns = result_of(subscriber)["came_ns"]
        came_ms = [(came - sent) / 1e6 for came, sent in zip(came_ns, sent_ns, strict=True)]
        self.results.add(label, BARE, percentiles("commit", came_ms[first:]))

    def database_stop(self, *, messages: int) -> None:
        """Stop InfluxDB for some seconds in the middle of a steady stream and count what it has in the end."""
        if self._influx is None:
            return
        subjects: list[tuple[str, Callable[[int], AbstractContextManager[Subject]]]] = [
            (OURS, self._forwarding)
        ]
        if self._modules is not None:
            subjects += [
                (NODE_RED_BATCH, lambda port: self._node_red(port, batch=True)),
                (NODE_RED, lambda port: self._node_red(port, batch=False)),
            ]
        name = f"InfluxDB stopped for {STOP_S:.0f} s in {messages} messages at {STOP_RATE:.0f}/s"
        for label, start in subjects:
            load = self._load(messages, 1)
            with self._broker("mosquitto") as port, start(port) as subject:
                with load_process(load, port, rate=STOP_RATE) as go:
                    started = go()
                    stop_for(self._influx, after_s=STOP_AFTER_S, seconds=STOP_S)
                    result_of(started)
                counted = _await_count(subject, load.readings)
            self.results.add(name, label, {"readings lost": float(load.readings - counted)})

    # -- what runs -----------------------------------------------------------------------------------------------

    def _run_name(self) -> str:
        self._runs += 1
        return f"run{self._runs:03d}"

    def _load(self, messages: int, pack: int) -> Load:
        return Load(f"{self._run_name()}x", messages, pack)

    @contextmanager
    def _broker(self, which: str) -> Iterator[int]:
        folder = self._folder / self._run_name()
        if which == "iotcore":
            with iotcore(folder) as port:
                yield port
        else:
            with servers.mosquitto(folder) as server:
                yield server.port

    @contextmanager
    def _ours(self, port: int, influx: Influx | None = None) -> Iterator[OurIngest]:
        folder = self._folder / self._run_name()
        with our_ingest(
            folder, broker=f"mqtt://127.0.0.1:{port}", region=self._region, influx=influx
        ) as subject:
            yield subject
        connect(port, f"bench-{folder.name}").close()  # a clean session: the broker forgets this subscriber

    @contextmanager
    def _forwarding(self, port: int) -> Iterator[OurForwarding]:
        influx = self._database()
        with self._ours(port, influx) as ours:
            yield OurForwarding(ours.pid, influx, influx.points_asked())

    @contextmanager
    def _node_red(self, port: int, *, batch: bool) -> Iterator[NodeRed]:
        if self._modules is None:
            raise ValueError("no folder of Node-RED")
        folder = self._folder / self._run_name()
        database = self._database()
        with node_red_flow(
            folder, modules=self._modules, broker_port=port, influx=database, batch=batch
        ) as subject:
            yield subject
        connect(port, f"node-red-{folder.name}").close()

    def _database(self) -> Influx:
        if self._influx is None:
            raise ValueError("no InfluxDB")
        influx = Influx(self._influx.url, self._influx.port, self._run_name())
        influx.create()
        return influx


def _await_kept(subject: Subject, readings: int) -> int:
    """Return when the last reading was kept, monotonic nanoseconds; gives up when nothing comes any more."""
    kept, last_ns = subject.kept(), time.monotonic_ns()
    while (kept < readings or subject.counted() < readings) and time.monotonic_ns() - last_ns < STALL_S * 1e9:
        time.sleep(POLL_S)
        before, kept = kept, subject.kept()
        if kept != before:
            last_ns = time.monotonic_ns()
    return last_ns


def _await_count(subject: Subject, readings: int) -> int:
    """Return how many readings the subject has once it has all, or no more have come for a while."""
    counted, heard_s = subject.counted(), time.monotonic()
    while counted < readings and time.monotonic() - heard_s < STALL_S:
        time.sleep(0.5)
        before, counted = counted, subject.counted()
        if counted != before:
            heard_s = time.monotonic()
    return counted


def _forwarder_case(server: servers.Server, folder: Path, rounds: int) -> dict[str, Any]:
    rates, prepared = [], []
    with HotStore(folder / "forwarded.sqlite") as hot:
        forwarder.fill(hot, FORWARDED_ROWS)
        ready = forwarder.bodies(FORWARDED_ROWS)
        for number in range(rounds):
            for database in (f"ours{number}", f"bare{number}"):
                forwarder.create(server, database)
            rates.append(forwarder.ours(server, hot, f"ours{number}", FORWARDED_ROWS)[0])
            prepared.append(forwarder.bare(server, ready, f"bare{number}", FORWARDED_ROWS)[0])
    return case(
        "forwarder, from a full hot store: lines per second",
        metric="lines per second",
        unit="1/s",
        ours=statistics.median(rates),
        peers={"http.client, prepared lines": statistics.median(prepared)},
        spread=rates,
    )


def _absent(modules: Path | None) -> dict[str, str]:
    reason = node_red.absent(modules)
    if servers.binary("influxd") is None:
        reason = "influxd is not installed (Debian package influxdb)"
    return {} if reason is None else {NODE_RED: reason, NODE_RED_BATCH: reason}


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure and return the document."""
    absent = _absent(options.node_red)
    with ExitStack() as stack:
        has_influx = servers.binary("influxd") is not None
        influx = stack.enter_context(servers.influxd(folder, databases=())) if has_influx else None
        modules = None if absent else options.node_red
        bench = Bench(
            folder, messages=options.messages, steady_rate=options.steady_rate, modules=modules, influx=influx
        )
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            bench.round(backwards=number % 2 == 1)
        print("database stop", file=sys.stderr)
        bench.database_stop(messages=options.stop_messages)
        cases = list(bench.results.cases(absent))
        if influx is not None:
            cases.append(_forwarder_case(influx, folder, options.rounds))
    return document("ingest", rounds=options.rounds, cases=cases)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.ingest", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--messages", type=int, default=20_000, help="messages of one reading per run")
    parser.add_argument("--steady-rate", type=float, default=1000.0, help="messages per second for latencies")
    parser.add_argument(
        "--stop-messages", type=int, default=20_000, help="messages of the database-stop test"
    )
    parser.add_argument(
        "--node-red", type=Path, help="folder with node_modules of node-red and its InfluxDB nodes"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--output", type=Path, help="write the JSON document to this file")
    options = parser.parse_args()
    if options.rounds < 1 or options.messages < 4000:
        parser.error("--rounds must be at least 1, --messages at least 4000")
    if servers.binary("mosquitto") is None:
        parser.error("needs mosquitto (Debian package)")
    with tempfile.TemporaryDirectory(prefix="serayu-bench-") as name:
        result = run(options, Path(name))
    emit(result, as_json=options.json, output=options.output)


if __name__ == "__main__":
    main()
