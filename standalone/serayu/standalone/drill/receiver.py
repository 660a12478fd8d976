"""Keeps the receiver of webhooks: starts it, kills it in the midst of the storm, and starts it again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from serayu.models.broker_url import BrokerUrl
from serayu.models.parent import LEAVE_VARIABLE
from serayu.models.warning.bulletin import MessageType
from serayu.standalone.broker import accepts, free_port
from serayu.standalone.drill.hook import SECRETS_VARIABLE, Received, read_received
from serayu.standalone.processes import StartError

KILLED_AFTER = 10
"""After so many requests it is killed from outside."""
DIES_ON = MessageType.CANCEL.value
"""Its second life ends by itself when it has written down the first Cancel and not yet answered. Nothing takes the
place of a Cancel, so that one certainly comes again."""
DOWN_S = (1.0, 0.5)
"""How long it stays away after its first and its second end."""
START_TIMEOUT_S = 20.0


class Receiver:
    """One receiver on a port of its own; call `step` now and then.

    Parameters
    ----------
    file
        What it writes down, over all its lives.
    secrets
        Secret by path.
    monotonic
        A clock, seconds.
    """

    def __init__(
        self, file: Path, secrets: Mapping[str, str], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.port = free_port()
        self.ends = 0
        self._file = file
        self._secrets = dict(secrets)
        self._monotonic = monotonic
        self._process: subprocess.Popen[bytes] | None = None
        self._back_s: float | None = None

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def url(self, path: str) -> str:
        """Return the address of a recipient."""
        return f"http://127.0.0.1:{self.port}{path}"

    def received(self) -> list[Received]:
        """Return every request so far."""
        return read_received(self._file)

    def step(self) -> None:
        """Kill it when its time has come; start it again when it was away for long enough."""
        running = self._process is not None and self._process.poll() is None
        if running and self.ends == 0 and len(self.received()) >= KILLED_AFTER:
            self._end()
            running = False
        if running:
            return
        if self._back_s is None:
            self._back_s = self._monotonic() + DOWN_S[min(self.ends, len(DOWN_S) - 1)]
            self.ends += 1
        if self._monotonic() >= self._back_s:
            self._back_s = None
            self._start(dies_on=DIES_ON if self.ends == 1 else None)

    def stay(self) -> None:
        """Make sure that it serves and is not killed any more."""
        if self._process is None or self._process.poll() is not None:
            self.ends += self._back_s is None
            self._back_s = None
            self._start()

    def _start(self, *, dies_on: str | None = None) -> None:
        self._end()
        argv = [sys.executable, "-m", "serayu.standalone.drill.hook", str(self.port), str(self._file)]
        argv += [] if dies_on is None else [dies_on]
        environment = {**os.environ, LEAVE_VARIABLE: "1", SECRETS_VARIABLE: json.dumps(self._secrets)}
        self._process = subprocess.Popen(  # noqa: S603 -- our own program
            argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment, start_new_session=True
        )
        deadline_s = self._monotonic() + START_TIMEOUT_S
        while not accepts(BrokerUrl("127.0.0.1", self.port)):
            if self._process.poll() is not None or self._monotonic() > deadline_s:
                raise StartError("the receiver of webhooks did not start")
            time.sleep(0.02)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
