"""Broker, proxy, ingest, InfluxDB and agents of one campaign, each a process of its own."""

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack
from typing import Self

from bench.faults.places import Places, series_of, write_region
from bench.faults.processes import Process, free_port, listens
from bench.faults.station import Station
from serayu.standalone.broker import embedded_broker_argv

DATABASE = "serayu"
DATA_BYTES = 512 * 2**20
_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")
# Nothing on disk: what a killed broker held is gone, and only the outboxes can bring it back.
_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 1000
"""
_INFLUX = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{home}/meta"
[data]
dir = "{home}/data"
wal-dir = "{home}/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
[ifql]
enabled = false
[continuous_queries]
enabled = false
"""


def program(name: str) -> str | None:
    """Return the path of a server program, None where it is not installed."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS]))


class Scene:
    """Everything that a campaign can break; a context manager that starts and stops it.

    Parameters
    ----------
    places
        Empty folders.
    agents, broker
        Number of stations; ``iotcore`` or ``mosquitto``.
    influx
        Run InfluxDB as well.
    share, seed
        Of the messages that the proxy damages, and its randomness.
    """

    def __init__(
        self, places: Places, *, agents: int, broker: str, influx: bool, share: float, seed: int
    ) -> None:
        self.places = places
        self.series = series_of(agents)
        self.small_disk = False
        self.died: list[str] = []
        self._resources = ExitStack()
        places.make()
        write_region(places, self.series)
        port, proxy_port = free_port(), free_port()
        self.influx_url: str | None = None
        self.influx: Process | None = self._influx() if influx else None
        self.broker = self._broker(broker, port)
        self.proxy = self._proxy(proxy_port, to=port, share=share, seed=seed)
        self.ingest = self._ingest(proxy_port)
        slugs: dict[str, list[str]] = {}
        for station, slug in self.series:
            slugs.setdefault(station, []).append(slug)
        self.stations = [Station(name, own, places=places, broker_port=port) for name, own in slugs.items()]

    def __enter__(self) -> Self:
        try:
            self._start_all()
        except BaseException:
            self._resources.close()
            raise
        return self

    def _start_all(self) -> None:
        self._mount_small_disk()
        servers = [each for each in (self.influx, self.broker, self.proxy, self.ingest) if each is not None]
        for server in servers:
            self._resources.callback(server.stop)
            server.start()
            server.wait_ready()
        for station in self.stations:
            self._resources.callback(station.end)
            station.process.start()

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def start(self, server: Process) -> None:
        """Start a server again and wait until it serves."""
        if server is self.ingest:
            self.places.ready.unlink(missing_ok=True)
        server.start()
        server.wait_ready()

    def look_after(self) -> None:
        """Note and start again what has died without our doing."""
        for server in (self.influx, self.broker, self.proxy, self.ingest):
            if server is not None and not server.running:
                self._note_death(server)
                self.start(server)
        for station in self.stations:
            if not station.process.running:
                self._note_death(station.process)
                station.process.start()

    def _note_death(self, process: Process) -> None:
        self.died.append(f"{process.name} ended with {process.status}: {process.log_tail()}")

    def _mount_small_disk(self) -> None:
        """Give the hot store a small disk of its own where this user may mount one."""
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DATA_BYTES}", "tmpfs", str(self.places.data)]
        if os.geteuid() == 0 and shutil.which("mount") is not None:
            self.small_disk = subprocess.run(mount, check=False, capture_output=True).returncode == 0
        if self.small_disk:
            self._resources.callback(self._take_disk_away)

    def _take_disk_away(self) -> None:
        kept = self.places.work / "data-kept"
        shutil.copytree(self.places.data, kept)
        subprocess.run(["umount", str(self.places.data)], check=True, capture_output=True)
        self.places.data.rmdir()
        kept.rename(self.places.data)

    def _broker(self, kind: str, port: int) -> Process:
        if kind == "iotcore":
            argv = embedded_broker_argv(port, self.places.work)
        else:
            config = self.places.work / "mosquitto.conf"
            config.write_text(_MOSQUITTO.format(port=port), encoding="utf-8")
            argv = [_required("mosquitto"), "-c", str(config)]
        return Process("broker", argv, log=self.places.logs / "broker.log", ready=lambda: listens(port))

    def _proxy(self, port: int, *, to: int, share: float, seed: int) -> Process:
        argv = [
            sys.executable, "-m", "bench.faults.proxy", "--listen", str(port), "--to", str(to),
            "--log", str(self.places.proxy_log), "--share", str(share), "--seed", str(seed),
        ]  # fmt: skip
        return Process("proxy", argv, log=self.places.logs / "proxy.log", ready=lambda: listens(port))

    def _ingest(self, broker_port: int) -> Process:
        environment = {
            "SERAYU_INGEST_BROKER_URL": f"mqtt://127.0.0.1:{broker_port}",
            "SERAYU_INGEST_REGION": str(self.places.region),
            "SERAYU_INGEST_DATA_DIR": str(self.places.data),
        }
        if self.influx_url is not None:
            environment["SERAYU_INGEST_INFLUX_URL"] = self.influx_url
            environment["SERAYU_INGEST_INFLUX_BUCKET"] = DATABASE
        return Process(
            "ingest",
            [sys.executable, "-m", "serayu.ingest", "--ready-file", str(self.places.ready)],
            log=self.places.logs / "ingest.log",
            environment=environment,
            ready=self.places.ready.exists,
        )

    def _influx(self) -> Process:
        home, port = self.places.work / "influx", free_port()
        home.mkdir()
        config = home / "influxdb.conf"
        config.write_text(_INFLUX.format(home=home, port=port, rpc=free_port()), encoding="utf-8")
        self.influx_url = url = f"http://127.0.0.1:{port}"
        argv = [_required("influxd"), "run", "-config", str(config)]
        return Process("influxdb", argv, log=self.places.logs / "influx.log", ready=lambda: _answers(url))


def _required(name: str) -> str:
    path = program(name)
    if path is None:
        raise FileNotFoundError(f"{name} is not installed")
    return path


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/ping", timeout=1) as response:  # noqa: S310 -- http
            return bool(response.status == 204)
    except (urllib.error.URLError, OSError):
        return False
