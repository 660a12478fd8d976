"""Many agents on one machine, one process a station: for simulations, replays and the demonstration."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from serayu.edge.agent import OUTBOX_FILE
from serayu.edge.config import AgentConfig
from serayu.edge.config_file import write_config
from serayu.edge.progress import Progress, read_progress

__all__ = ["Fleet", "FleetStatus"]

_BAD_SETTINGS = 2  # exit status of an agent that cannot run; starting it again would not help
_RESTART_S, _RESTART_MAX_S = 1.0, 30.0
_STOP_TIMEOUT_S = 20.0
_LOG_TAIL = 2_000


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """State of all agents together.

    Parameters
    ----------
    accepted, confirmed, rejected, dropped, pending
        Readings, as in `Progress`.
    running
        Agents that live.
    finished
        Every agent ended of its own accord with nothing left to do.
    failed
        Station → last line of its log, for agents that cannot run.
    restarts
        Agents started again after a crash.
    """

    accepted: int
    confirmed: int
    rejected: int
    dropped: int
    pending: int
    running: int
    finished: bool
    failed: Mapping[str, str]
    restarts: int


@dataclass(slots=True)
class _Member:
    config: AgentConfig
    file: Path
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    exit: int | None = None
    crashes: int = 0
    retry_s: float = field(default=0.0)


class Fleet:
    """Agents as processes, started again when they crash.

    Parameters
    ----------
    configs
        One for each station; ``state`` must be absolute.
    folder
        Gets ``<station>.toml`` and ``<station>.log``.
    environment
        Variables beside this process's own (credentials).
    """

    def __init__(
        self, configs: Iterable[AgentConfig], *, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._environment = {**os.environ, **(environment or {})}
        self._members = {
            c.station: _Member(c, folder / f"{c.station}.toml", folder / f"{c.station}.log") for c in configs
        }
        self._folder = folder
        self._restarts = 0
        self._wanted = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def stations(self) -> tuple[str, ...]:
        """Ids of the stations."""
        return tuple(self._members)

    def start(self) -> None:
        """Start an agent for every station."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._wanted = True
        for member in self._members.values():
            write_config(member.config, member.file)
            self._spawn(member)

    def poll(self) -> FleetStatus:
        """Look after the processes (until `stop`) and return the counts."""
        now_s = time.monotonic()
        for member in self._members.values():
            self._tend(member, now_s)
        members = self._members.values()
        total = Progress()
        for member in members:
            total += read_progress(member.config.state / OUTBOX_FILE)
        return FleetStatus(
            total.accepted,
            total.confirmed,
            total.rejected,
            total.dropped,
            total.pending,
            running=sum(member.process is not None for member in members),
            finished=all(member.exit == 0 for member in members),
            failed={m.config.station: _last_line(m.log) for m in members if m.exit == _BAD_SETTINGS},
            restarts=self._restarts,
        )

    def progress(self, station: str) -> Progress:
        """Return the counts of one station."""
        return read_progress(self._members[station].config.state / OUTBOX_FILE)

    def pid(self, station: str) -> int | None:
        """Return the process id of a station's agent, None when it does not run."""
        process = self._members[station].process
        return process.pid if process is not None else None

    def kill(self, station: str) -> None:
        """End an agent by SIGKILL, as a power cut would; `poll` starts it again."""
        process = self._members[station].process
        if process is not None:
            process.kill()
            process.wait(timeout=_STOP_TIMEOUT_S)

    def stop(self) -> None:
        """Ask all agents to end, and end those that do not."""
        self._wanted = False
        living = [member.process for member in self._members.values() if member.process is not None]
        for process in living:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in living:
            try:
                process.wait(timeout=_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=_STOP_TIMEOUT_S)
        for member in self._members.values():
            member.process = None

    def _tend(self, member: _Member, now_s: float) -> None:
        if member.process is not None:
            status = member.process.poll()
            if status is None:
                return
            member.process = None
            if status in (0, _BAD_SETTINGS):
                member.exit = status
                return
            member.retry_s = now_s + min(_RESTART_S * 2**member.crashes, _RESTART_MAX_S)
            member.crashes = min(member.crashes + 1, 16)
        elif self._wanted and member.exit is None and now_s >= member.retry_s:
            self._restarts += 1
            self._spawn(member)

    def _spawn(self, member: _Member) -> None:
        with member.log.open("ab") as log:
            member.process = subprocess.Popen(  # noqa: S603 -- this program itself
                [sys.executable, "-m", "serayu.edge.agent", str(member.file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
            )


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace")[-_LOG_TAIL:].strip().splitlines()
    return lines[-1] if lines else ""
