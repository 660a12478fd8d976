"""What `bench.ingest` measures, each in a process of its own: our ingest, a bare subscriber, Node-RED's flows."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import httpx

from bench import node_red
from bench.mqtt_load import Load
from serayu.standalone.broker import embedded_broker_argv
from tests.servers import Server, free_port, listens, wait_for

START_S = 60.0
STALL_S = 15.0
POLL_S = 0.005
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Subject(Protocol):
    """Something that takes readings from a broker and keeps them."""

    @property
    def pid(self) -> int:
        """Process id."""
        ...

    def kept(self) -> int:
        """Return how many readings are kept so far; cheap enough to be asked a hundred times a second."""
        ...

    def counted(self) -> int:
        """Return how many different readings are kept, by a query of the store itself."""
        ...


def cpu_s(pid: int) -> float:
    """Return the processor time of a process with all its threads, in seconds (Linux; 10 ms steps)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def rss_mb(pid: int) -> float:
    """Return the greatest resident set of a process so far, MB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def settled_cpu_s(pid: int) -> float:
    """Return the processor time once the process has come to rest, so that what follows a commit is in it."""
    used = cpu_s(pid)
    for _ in range(40):
        time.sleep(0.25)
        before, used = used, cpu_s(pid)
        if used - before <= 0.02:
            break
    return used


# -- our ingest --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class OurIngest:
    """The real process, `python -m serayu.ingest`, on a data folder of its own."""

    pid: int
    hot: sqlite3.Connection

    def kept(self) -> int:
        """Return the store's change number: new rows, and the few that were revised since."""
        return int(self.hot.execute("SELECT value FROM meta WHERE name = 'last_id'").fetchone()[0])

    def counted(self) -> int:
        """Return the rows in the hot store."""
        return int(self.hot.execute("SELECT count(*) FROM observation").fetchone()[0])


@contextmanager
def our_ingest(
    folder: Path, *, broker: str, region: Path, influx: "Influx | None" = None
) -> Iterator[OurIngest]:
    """Run our ingest on an empty store until the block ends."""
    data, ready = folder / "data", folder / "ready"
    data.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "SERAYU_INGEST_BROKER_URL": broker,
        "SERAYU_INGEST_REGION": str(region),
        "SERAYU_INGEST_DATA_DIR": str(data),
        "SERAYU_INGEST_CLIENT_ID": f"bench-{folder.name}",
        # The disk guard answers for other people's data; a full workstation must not stop a measurement.
        "SERAYU_INGEST_DISK_REFUSE_FRACTION": "1.0",
    }
    if influx is not None:
        environment |= {
            "SERAYU_INGEST_INFLUX_URL": influx.url,
            "SERAYU_INGEST_INFLUX_BUCKET": influx.database,
        }
    argv = [sys.executable, "-m", "serayu.ingest", "--ready-file", str(ready)]
    with _process(argv, log=folder / "ingest.log", env=environment) as process:
        _wait_started(ready.exists, process, what="ingest", log=folder / "ingest.log")
        uri = f"{(data / 'hot.sqlite').as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)) as hot:
            yield OurIngest(process.pid, hot)


@dataclass(slots=True)
class OurForwarding:
    """The same process, judged by what its forwarder has written to InfluxDB."""

    pid: int
    influx: "Influx"
    before: int

    def kept(self) -> int:
        """Return the points that InfluxDB was asked to write."""
        return self.influx.points_asked() - self.before

    def counted(self) -> int:
        """Return the points in InfluxDB."""
        return self.influx.count("observation")


# -- Node-RED ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class NodeRed:
    """Node-RED with one flow from MQTT to InfluxDB."""

    pid: int
    influx: "Influx"
    before: int

    def kept(self) -> int:
        """Return the points that InfluxDB was asked to write."""
        return self.influx.points_asked() - self.before

    def counted(self) -> int:
        """Return the points in InfluxDB."""
        return self.influx.count(node_red.MEASUREMENT)


@contextmanager
def node_red_flow(
    folder: Path, *, modules: Path, broker_port: int, influx: "Influx", batch: bool
) -> Iterator[NodeRed]:
    """Run Node-RED until the block ends."""
    folder.mkdir(parents=True)
    client_id = f"node-red-{folder.name}"
    flows = node_red.flows(
        broker_port=broker_port,
        influx_port=influx.port,
        database=influx.database,
        batch=batch,
        client_id=client_id,
    )
    argv = node_red.argv(modules, folder, port=free_port(), flows=flows)
    log = folder / "node-red.log"
    with _process(argv, log=log, env=dict(os.environ)) as process:
        _wait_started(
            lambda: "Connected to broker" in log.read_text("utf-8", "replace"),
            process,
            what="Node-RED",
            log=log,
        )
        time.sleep(1.0)  # its SUBSCRIBE follows the log line
        yield NodeRed(process.pid, influx, influx.points_asked())


# -- servers -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Influx:
    """One database of an InfluxDB 1.x server."""

    url: str
    port: int
    database: str

    def create(self) -> None:
        """Create the database."""
        httpx.post(
            f"{self.url}/query", params={"q": f'CREATE DATABASE "{self.database}"'}, timeout=30
        ).raise_for_status()

    def points_asked(self) -> int:
        """Return how many points the server was asked to write since it started, over all databases."""
        statistics = httpx.get(f"{self.url}/debug/vars", timeout=30).json()
        return int(statistics["write"]["values"]["pointReq"])

    def count(self, measurement: str) -> int:
        """Return the points of a measurement that have a value."""
        parameters = {"db": self.database, "q": f'SELECT count("value") FROM "{measurement}"'}  # noqa: S608
        answer = httpx.get(f"{self.url}/query", params=parameters, timeout=60).json()["results"][0]
        return int(answer["series"][0]["values"][0][1]) if "series" in answer else 0


@contextmanager
def iotcore(folder: Path) -> Iterator[int]:
    """Run the embedded broker; yields its port."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    argv = embedded_broker_argv(port, folder)
    with _process(argv, log=folder / "iotcore.log", env=dict(os.environ), stdin=subprocess.PIPE):
        wait_for(lambda: listens(port), what="iotcore")
        yield port


def stop_for(server: Server, *, after_s: float, seconds: float) -> None:
    """Stop a server for some seconds."""
    time.sleep(after_s)
    server.stop()
    time.sleep(seconds)
    server.start()


# -- load --------------------------------------------------------------------------------------------------------


@contextmanager
def load_process(
    load: Load, port: int, *, rate: float | None = None
) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Prepare the load in a process; the yielded function lets it go."""
    argv = [sys.executable, "-m", "bench.mqtt_load", "--port", str(port), "--name", load.name]
    argv += ["--messages", str(load.messages), "--pack", str(load.pack), "--stations", str(load.stations)]
    argv += [] if rate is None else ["--rate", str(rate)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stdin, stdout = _pipes(process)
    try:
        _expect_ready(stdout, argv)

        def go() -> "subprocess.Popen[str]":
            stdin.write("go\n")
            stdin.flush()
            return process

        yield go
    finally:
        process.kill()
        process.wait()
        stdin.close()
        stdout.close()


@contextmanager
def bare_subscriber(messages: int, port: int) -> Iterator["subprocess.Popen[str]"]:
    """Run the bare subscriber; `result_of` its process once it has counted."""
    argv = [sys.executable, "-m", "bench.paho_bare", "--port", str(port), "--messages", str(messages)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stdin, stdout = _pipes(process)
    try:
        _expect_ready(stdout, argv)
        yield process
    finally:
        process.kill()
        process.wait()
        stdin.close()
        stdout.close()


def result_of(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return the JSON line that a process prints at its end."""
    line = _pipes(process)[1].readline()
    if not line:
        raise RuntimeError(f"{process.args!r} ended with {process.wait(10)} and said nothing")
    result: dict[str, Any] = json.loads(line)
    return result


def _pipes(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise ValueError("started without pipes")
    return process.stdin, process.stdout


def _expect_ready(stdout: IO[str], argv: list[str]) -> None:
    if stdout.readline().strip() != "ready":
        raise RuntimeError(f"{argv} did not start")


@contextmanager
def _process(
    argv: list[str], *, log: Path, env: dict[str, str], stdin: int = subprocess.DEVNULL
) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv, stdin=stdin, stdout=output, stderr=subprocess.STDOUT, env=env, cwd=log.parent
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _wait_started(
    ready: Callable[[], bool], process: "subprocess.Popen[bytes]", *, what: str, log: Path
) -> None:
    wait_for(lambda: ready() or process.poll() is not None, what=what, timeout_s=START_S)
    if process.poll() is not None:
        raise RuntimeError(f"{what} ended at start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
