"""A device's clocks that the campaign can set: the wall clock jumps, the device starts anew."""

import json
import os
import uuid
from pathlib import Path
from typing import Any

from typing_extensions import override

from serayu.edge.clock import SystemSource

VARIABLE = "SERAYU_BENCH_CLOCK"
_REAL = {"ahead_us": 0, "boot_id": "", "boot_zero_us": 0}


class JumpingSource(SystemSource):
    """The system's clocks, moved by what a file says; the file's name stands in the environment."""

    def __init__(self) -> None:
        super().__init__()
        self._file = Path(os.environ[VARIABLE])

    @override
    def wall_us(self) -> int:
        return super().wall_us() + int(read_clock(self._file)["ahead_us"])

    @override
    def boot_us(self) -> int:
        return super().boot_us() - int(read_clock(self._file)["boot_zero_us"])

    @override
    def boot_id(self) -> str:
        return str(read_clock(self._file)["boot_id"]) or super().boot_id()

    @override
    def synchronised(self) -> bool:
        return True


def read_clock(file: Path) -> dict[str, Any]:
    """Return what a file says about a device's clocks; without it they are the system's."""
    return {**_REAL, **json.loads(file.read_bytes())} if file.exists() else dict(_REAL)


def set_ahead(file: Path, ahead_us: int) -> None:
    """Let the wall clock of a device run so far ahead of the true time."""
    _write(file, {**read_clock(file), "ahead_us": ahead_us})


def start_anew(file: Path) -> None:
    """Let the device start: another boot id, the time since start from zero."""
    boot_us = SystemSource().boot_us()
    _write(file, {**read_clock(file), "boot_id": uuid.uuid4().hex, "boot_zero_us": boot_us})


def _write(file: Path, clock: dict[str, Any]) -> None:
    partial = file.with_suffix(".part")
    partial.write_text(json.dumps(clock), encoding="utf-8")
    partial.replace(file)
