"""Broker, ingest and API on one machine, wired together; what `serayu up` and `serayu demo` start."""

import fcntl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from serayu.models.broker_url import BrokerUrl
from serayu.standalone.broker import accepts, embedded_broker_argv
from serayu.standalone.processes import ManagedProcess, ProcessTree, StartError

READY_TIMEOUT_S = 60.0


class StackOptions(NamedTuple):
    """What to run where.

    ``broker_url`` None starts the embedded broker on ``broker_port``; ``notice`` stands on every page.
    """

    region: Path
    data_dir: Path
    broker_url: str | None = None
    broker_port: int = 1883
    api_host: str = "127.0.0.1"
    api_port: int = 8000
    clock: str = "system"
    notice: str | None = None

    @property
    def broker(self) -> str:
        """Address of the broker in use."""
        return self.broker_url or f"mqtt://127.0.0.1:{self.broker_port}"

    @property
    def page(self) -> str:
        """Address of the map page."""
        return f"http://{self.api_host}:{self.api_port}/"


@contextmanager
def running_stack(options: StackOptions) -> Iterator[ProcessTree]:
    """Start broker, ingest and API and yield once all of them serve; stop them in reverse order.

    Raises
    ------
    StartError
        A part did not come up.
    """
    logs = options.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    url = BrokerUrl.parse(options.broker)
    with locked(options.data_dir), ProcessTree() as tree:
        if options.broker_url is None:
            _refuse_taken(
                url, f"broker port {url.port} is taken; name another with --broker-port, or use --broker"
            )
            argv = embedded_broker_argv(options.broker_port, options.data_dir)
            tree.add(
                ManagedProcess("broker", argv, environment={}, log_folder=logs, is_ready=lambda: accepts(url))
            )
        ready_file = options.data_dir / "ingest.ready"
        ready_file.unlink(missing_ok=True)
        ingest = [sys.executable, "-m", "serayu.ingest", "--ready-file", str(ready_file)]
        tree.add(
            ManagedProcess(
                "ingest",
                ingest,
                environment=_ingest_environment(options),
                log_folder=logs,
                is_ready=ready_file.exists,
            ),
            timeout_s=READY_TIMEOUT_S,
        )
        page = BrokerUrl(options.api_host, options.api_port)
        _refuse_taken(page, f"port {options.api_port} is taken; name another with --port")
        tree.add(
            ManagedProcess(
                "api",
                [sys.executable, "-m", "serayu.api", "run"],
                environment=_api_environment(options),
                log_folder=logs,
                is_ready=lambda: _answers(f"{options.page}healthz"),
            ),
            timeout_s=READY_TIMEOUT_S,
        )
        yield tree


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold a data folder; the system lets it go however the process ends.

    Raises
    ------
    StartError
        Another Serayu holds it.
    """
    with (data_dir / "serayu.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"{data_dir} is in use by another Serayu; name another with --data") from None
        yield


def held(data_dir: Path) -> bool:
    """Tell whether a Serayu runs on a data folder."""
    try:
        with (data_dir / "serayu.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _refuse_taken(address: BrokerUrl, reason: str) -> None:
    """Refuse an address where another program answers: ours would not be the one that serves."""
    if accepts(address):
        raise StartError(reason)


def _ingest_environment(options: StackOptions) -> dict[str, str]:
    return {
        "SERAYU_INGEST_BROKER_URL": options.broker,
        "SERAYU_INGEST_REGION": str(options.region.resolve()),
        "SERAYU_INGEST_DATA_DIR": str(options.data_dir.resolve()),
        "SERAYU_INGEST_CLOCK": options.clock,
    }


def _api_environment(options: StackOptions) -> dict[str, str]:
    return {
        "SERAYU_API_REGION": str(options.region.resolve()),
        "SERAYU_API_DATA_DIR": str(options.data_dir.resolve()),
        "SERAYU_API_HOST": options.api_host,
        "SERAYU_API_PORT": str(options.api_port),
        "SERAYU_API_CLOCK": options.clock,
        **({"SERAYU_API_NOTICE": options.notice} if options.notice else {}),
    }


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:  # noqa: S310 -- our own http address
            return bool(response.status == 200)  # noqa: PLR2004 -- OK
    except (urllib.error.URLError, OSError):
        return False
