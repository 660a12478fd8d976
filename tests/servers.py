"""Real servers for tests: Mosquitto, InfluxDB and PostgreSQL from Debian's packages, on free loopback ports.

Each context manager starts one server with all its files below `tmp_path`, waits until it answers, and stops
it at the end. A :class:`Server` may be killed, stopped and started again on the same port and data, which is
what fault tests need.

A missing package skips the test; where ``SERAYU_REQUIRE`` contains ``servers`` (set by ``.ci/run``) it fails.
"""

import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import httpx
import pytest

START_TIMEOUT_S = 30.0
"""How long a server may take until it answers; a bound against hanging, far above what any of them needs."""

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of ``http:`` addresses: httpx otherwise loads every authority for each, longer than a request takes."""

_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")


def binary(name: str) -> str | None:
    """Path of a program, also from the system folders that a normal user's PATH lacks; None when absent."""
    folders = [os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS]
    if name in _POSTGRES_PROGRAMS:
        folders += sorted((str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    return shutil.which(name, path=os.pathsep.join(folders))


_POSTGRES_PROGRAMS = frozenset({"initdb", "pg_ctl", "postgres"})


def require(name: str) -> str:
    """Path of a program; skips the test when it is absent, fails when servers are required.

    Parameters
    ----------
    name : str
        Program name, e.g. ``mosquitto``, ``influxd``, ``chromium``, ``initdb``.
    """
    path = binary(name)
    if path is None:
        message = f"{name} is not installed (a Debian package of this machine)"
        if "servers" in os.environ.get("SERAYU_REQUIRE", "").split(","):
            pytest.fail(f"{message}, and SERAYU_REQUIRE asks for servers", pytrace=False)
        pytest.skip(message)
    return path


# Of pytest-xdist: how many processes share the tests, and which of them this is.
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def free_port() -> int:
    """Return a TCP port that nothing listens on at 127.0.0.1.

    A server takes it only a moment later, so workers beside this one are never given the same. Linux gives
    out ports of one parity first, hence pairs of ports.
    """
    while True:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        if port // 2 % _WORKERS == _WORKER % _WORKERS:
            return port


def wait_for(ready: Callable[[], bool], *, what: str, timeout_s: float = START_TIMEOUT_S) -> None:
    """Poll `ready` until it returns true; raises TimeoutError naming `what` otherwise."""
    give_up = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > give_up:
            raise TimeoutError(f"{what} did not become ready in {timeout_s:g} s")
        time.sleep(0.02)


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a TCP connection to the port succeeds."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


class _UserArguments(TypedDict, total=False):
    """The arguments of Popen that change the user."""

    user: str
    group: int
    extra_groups: list[int]


def _as_user(name: str | None) -> _UserArguments:
    if name is None:
        return {}
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


@dataclass(slots=True)
class Server:
    """A server process that can be killed, stopped and started again on the same port and data.

    Attributes
    ----------
    name : str
        What it is, for messages.
    argv : sequence of str
        Command line, used again by each start.
    port : int
        TCP port on 127.0.0.1.
    url : str
        Where clients connect.
    ready : callable
        Tells whether the server answers.
    log : Path
        File that takes the server's output.
    user : str, optional
        User to run as instead of this one (only root may).
    stop_signal : signal.Signals
        Signal of :meth:`stop`.
    """

    name: str
    argv: Sequence[str]
    port: int
    url: str
    ready: Callable[[], bool]
    log: Path
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self.process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self.process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        if self.running:
            raise RuntimeError(f"{self.name} is already running")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.log.parent,
                **_as_user(self.user),
            )
        try:
            wait_for(self._ready_or_dead, what=self.name)
        except TimeoutError:
            self.kill()
            raise
        if not self.running:
            raise RuntimeError(f"{self.name} ended at start:\n{self.log.read_text(errors='replace')[-2000:]}")

    def _ready_or_dead(self) -> bool:
        return not self.running or self.ready()

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order, and by SIGKILL if that takes more than 20 s."""
        self._end(self.stop_signal)

    def suspend(self) -> None:
        """SIGSTOP: the port stays open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after :meth:`suspend`."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Kill and start again."""
        self.kill()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        self.process.send_signal(signal.SIGCONT)  # a suspended process takes SIGTERM only after it goes on
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=20)


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


# Anonymous on loopback, and durable: the defaults keep 1,000 queued messages and save them every 1,800 s.
OPEN_BROKER_CONF = """\
allow_anonymous true
persistence true
autosave_on_changes true
autosave_interval 1000
max_queued_messages 0
max_inflight_messages 1000
"""


@contextmanager
def mosquitto(tmp_path: Path, *, conf: str = OPEN_BROKER_CONF, port: int | None = None) -> Iterator[Server]:
    """Mosquitto on a free loopback port.

    Parameters
    ----------
    tmp_path : Path
        Folder for configuration, persistence and log.
    conf : str
        Configuration without ``listener`` and ``persistence_location``, which are added here.
    port : int, optional
        A given port, e.g. the one that clients of an earlier broker already know.

    Yields
    ------
    Server
        With `url` such as ``mqtt://127.0.0.1:43211``.
    """
    program = require("mosquitto")
    port = port or free_port()
    home = tmp_path / f"mosquitto-{port}"
    home.mkdir(parents=True, exist_ok=True)
    file = home / "mosquitto.conf"
    # Started by root it would change to the user mosquitto, who may not read pytest's private folders.
    user = pwd.getpwuid(os.geteuid()).pw_name
    own = f"listener {port} 127.0.0.1\npersistence_location {home}/\nuser {user}\n"
    file.write_text(own + conf, encoding="utf-8")
    server = Server(
        name="mosquitto",
        argv=[program, "-c", str(file)],
        port=port,
        url=f"mqtt://127.0.0.1:{port}",
        ready=lambda: listens(port),
        log=home / "log.txt",
    )
    with _running(server):
        yield server


def mosquitto_password_file(path: Path, users: Mapping[str, str]) -> Path:
    """Write a hashed password file with Mosquitto's own tool."""
    program = require("mosquitto_passwd")
    path.touch(mode=0o600)
    for user, password in users.items():
        subprocess.run([program, "-b", str(path), user, password], check=True, capture_output=True)
    return path


# InfluxDB 1.x: everything below one folder, both ports on loopback, no self-monitoring, no query log.
_INFLUX_CONF = """\
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


@contextmanager
def influxd(tmp_path: Path, *, databases: Sequence[str] = ("serayu",)) -> Iterator[Server]:
    """InfluxDB (Debian: 1.6.7) on a free loopback port, with the databases created.

    Version 1 has no ``/api/v2/write``: it answers 404, and clients fall back to ``/write``.

    Yields
    ------
    Server
        With `url` such as ``http://127.0.0.1:43212``.
    """
    program = require("influxd")
    port, rpc = free_port(), free_port()
    home = tmp_path / f"influxdb-{port}"
    home.mkdir(parents=True, exist_ok=True)
    file = home / "influxdb.conf"
    file.write_text(_INFLUX_CONF.format(rpc=rpc, port=port, home=home), encoding="utf-8")
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return httpx.get(f"{url}/ping", timeout=1, verify=NO_TLS).status_code == httpx.codes.NO_CONTENT
        except httpx.TransportError:
            return False

    server = Server(
        name="influxd",
        argv=[program, "run", "-config", str(file)],
        port=port,
        url=url,
        ready=ready,
        log=home / "log.txt",
    )
    with _running(server):
        for database in databases:
            query = {"q": f'CREATE DATABASE "{database}"'}
            httpx.post(f"{url}/query", params=query, timeout=10, verify=NO_TLS).raise_for_status()
        yield server


@contextmanager
def postgres(*, database: str = "serayu") -> Iterator[Server]:
    """PostgreSQL on a free loopback port, trusting local connections, with one empty database.

    PostgreSQL refuses root, so there it runs as the package's user ``postgres``, who may not enter pytest's
    private folders: its files lie in a temporary folder of their own. Stop and start it; a killed postmaster
    may leave children that hold the data for a moment.

    Yields
    ------
    Server
        With `url` such as ``postgresql+psycopg://postgres@127.0.0.1:43213/serayu`` (SQLAlchemy's form).
    """
    initdb, program = require("initdb"), require("postgres")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="serayu-postgres-") as name:
        folder = Path(name)
        user = "postgres" if os.geteuid() == 0 else None
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        make = [initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **_as_user(user))
        options = [
            "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=30",
        ]  # fmt: skip
        settings = [part for option in options for part in ("-c", option)]
        server = Server(
            name="postgres",
            argv=[program, "-D", str(data), "-p", str(port), *settings],
            port=port,
            url=f"postgresql+psycopg://postgres@127.0.0.1:{port}/{database}",
            ready=lambda: _postgres_answers(port),
            log=folder / "log.txt",
            user=user,
            stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait for every client to leave
        )
        with _running(server):
            _create_database(port, database)
            yield server


def _postgres_answers(port: int) -> bool:
    # Imported here: tests without PostgreSQL need no client library.
    import psycopg  # noqa: PLC0415

    try:
        psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _create_database(port: int, database: str) -> None:
    import psycopg  # noqa: PLC0415
    from psycopg import sql  # noqa: PLC0415

    with psycopg.connect(
        host="127.0.0.1", port=port, user="postgres", dbname="postgres", autocommit=True
    ) as link:
        link.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
