"""A supervised tree of processes: started in order, restarted when one dies, stopped in reverse order."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from serayu.models.errors import SerayuError
from serayu.models.parent import LEAVE_VARIABLE

STOP_GRACE_S = 15.0
RESTART_FIRST_S, RESTART_MOST_S = 0.5, 15.0
STEADY_S = 30.0  # up this long: the next restart is quick again
_logger = logging.getLogger(__name__)


class StartError(SerayuError):
    """A process of the tree did not come up."""


class ManagedProcess:
    """One child process.

    Parameters
    ----------
    name
        For logs; also the name of the log file.
    argv
        Program and arguments.
    environment
        Added to ours.
    log_folder
        Where its stdout and stderr go.
    is_ready
        Asked until it says yes; None is ready at once.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str],
        log_folder: Path,
        is_ready: Callable[[], bool] | None = None,
    ) -> None:
        self.name = name
        self.restarts = 0
        self._argv = list(argv)
        self._environment = dict(environment)
        self._log = log_folder / f"{name}.log"
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._not_before = 0.0
        self._delay_s = RESTART_FIRST_S

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start it; its input stays open until we are gone, for children that watch it."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 -- our own programs
                self._argv,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, LEAVE_VARIABLE: "1", **self._environment},
                start_new_session=True,  # ctrl-C comes to us, and we stop the tree in order
            )
        self._started_at = time.monotonic()

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until it serves.

        Raises
        ------
        StartError
            It ended or did not get ready in time; the message shows the end of its log.
        """
        deadline = time.monotonic() + timeout_s
        while self._is_ready is not None and not self._is_ready():
            if self.pid is None or time.monotonic() > deadline:
                raise StartError(f"{self.name} did not start; the end of {self._log}: {self.log_tail()}")
            time.sleep(0.05)

    def keep_up(self) -> None:
        """Start it again if it has died, not more often than its backoff allows."""
        now = time.monotonic()
        if self.pid is not None:
            self._delay_s = RESTART_FIRST_S if now - self._started_at > STEADY_S else self._delay_s
            return
        if self._not_before == 0.0:
            self._not_before = now + self._delay_s
            status = self._process.returncode if self._process is not None else None
            _logger.error("%s ended with status %s; starting it again", self.name, status)
        if now >= self._not_before:
            self._not_before, self._delay_s = 0.0, min(self._delay_s * 2, RESTART_MOST_S)
            self.restarts += 1
            self.start()

    def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """Ask it to end, and end it when it does not."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(grace_s)
            except subprocess.TimeoutExpired:
                _logger.warning("%s does not end; killing it", self.name)
                process.kill()
                process.wait()
        if process.stdin is not None:
            process.stdin.close()
        self._process = None

    def log_tail(self, lines: int = 5) -> str:
        """Return the last lines of its log."""
        text = self._log.read_text("utf-8", "replace") if self._log.exists() else ""
        return " | ".join(text.splitlines()[-lines:]) or "(empty)"


class ProcessTree:
    """Processes that belong together; a context manager that stops them all."""

    def __init__(self) -> None:
        self._processes: list[ManagedProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def add(self, process: ManagedProcess, *, timeout_s: float = 30.0) -> ManagedProcess:
        """Start a process and wait until it is ready."""
        self._processes.append(process)
        process.start()
        process.wait_ready(timeout_s)
        return process

    def keep_up(self) -> None:
        """Look after every process once."""
        for process in self._processes:
            process.keep_up()

    def stop(self) -> None:
        """Stop all, the last started first."""
        while self._processes:
            self._processes.pop().stop()
