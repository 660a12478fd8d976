"""Programs that the campaign kills, stops, suspends and starts again."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.common import ROOT

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0


class Process:
    """One program.

    Parameters
    ----------
    name, argv, log, environment
        What to run, where its output goes, what is added to our environment.
    ready
        Asked after a start until it says yes.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        ready: Callable[[], bool] | None = None,
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self._log = log
        self._environment = dict(environment or {})
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def status(self) -> int | None:
        """Exit status, None while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process.pid

    def start(self) -> None:
        """Start it without waiting."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.PIPE,  # the embedded broker ends with it
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, **self._environment},
                start_new_session=True,
            )

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until it serves; raises RuntimeError with the end of its log where it does not."""
        give_up = time.monotonic() + timeout_s
        while self._ready is not None and not self._ready():
            if not self.running or time.monotonic() > give_up:
                raise RuntimeError(f"{self.name} did not start: {self.log_tail()}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, as the out-of-memory killer or a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM; SIGKILL when it does not end."""
        self._end(signal.SIGTERM)

    def suspend(self) -> None:
        """SIGSTOP: ports stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def log_tail(self, lines: int = 6) -> str:
        text = self._log.read_text("utf-8", "replace") if self._log.exists() else ""
        return " | ".join(text.splitlines()[-lines:])

    def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)  # a suspended process takes SIGTERM only after it goes on
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdin is not None:
            process.stdin.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        return False
    return True
