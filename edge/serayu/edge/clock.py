"""What a device without a clock of its own may say about time.

A Raspberry Pi has no battery-backed clock: after a start its wall clock is wrong until the network has set it. The
time since the device started (``CLOCK_BOOTTIME``) is right always, and says nothing about the date. So a reading
keeps the latter, and gets a date only from a wall clock that is believed.
"""

import enum
import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from serayu.edge.config import ClockConfig
from serayu.models.errors import BadInputError
from serayu.models.times import US_PER_S, parse_rfc3339

NOT_BEFORE_US = parse_rfc3339("2025-01-01T00:00:00Z")
"""No device of this project ran before: an earlier clock was never set."""
NOT_AFTER_US = 2**32 * US_PER_S
"""February 2106: the codec of the readings refuses later times, so a clock there must not date any."""
JUMP_US = 2 * US_PER_S
"""A change against the time since start that is no leap second. Slewing does not show: it moves both clocks."""
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised to a reliable server
_TIMEX_BYTES = 512  # more than struct timex has on any architecture


class ClockState(enum.Enum):
    """Whether the wall clock is believed, and why not."""

    GOOD = "good"
    NOT_SYNCHRONISED = "not_synchronised"
    NEVER_SET = "never_set"
    JUMPED = "jumped"


class ClockSource(Protocol):
    """Where times come from."""

    def wall_us(self) -> int:
        """Return the wall clock, microseconds UTC, right or wrong."""
        ...

    def boot_us(self) -> int:
        """Return the time since the device started, suspension included, microseconds."""
        ...

    def boot_id(self) -> str:
        """Return what names this start of the device."""
        ...

    def synchronised(self) -> bool:
        """Tell whether the wall clock follows a time server."""
        ...


class SystemSource:
    """The clocks of a Linux device."""

    def __init__(self) -> None:
        self._adjtimex: Callable[[object], int] | None = None
        self._timex: object = None

    def wall_us(self) -> int:
        """Return the wall clock, microseconds UTC."""
        return time.time_ns() // 1000

    def boot_us(self) -> int:
        """Return ``CLOCK_BOOTTIME``, microseconds."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000

    def boot_id(self) -> str:
        """Return the kernel's random id of this start."""
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()

    def synchronised(self) -> bool:
        """Ask the kernel (``adjtimex(2)``, which any time daemon keeps up to date)."""
        if self._adjtimex is None:
            import ctypes  # noqa: PLC0415 -- only devices that ask for it pay its memory

            self._timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes = 0: reads only
            self._adjtimex = ctypes.CDLL(None).adjtimex
        return 0 <= self._adjtimex(self._timex) < _TIME_ERROR


class Moment(NamedTuple):
    """A moment by the clock that is always right, and by the other one where it is believed."""

    boot_us: int
    wall_us: int | None


class DeviceClock:
    """Decides whether the wall clock is believed.

    Parameters
    ----------
    source
        The clocks.
    trust
        Believe the wall clock without a time server.
    settle_us
        Time that the wall clock must run on after a jump before it is believed again.
    """

    def __init__(self, source: ClockSource, *, trust: bool = False, settle_us: int = 60 * US_PER_S) -> None:
        self.source = source
        self.state = ClockState.NOT_SYNCHRONISED
        self._trust = trust
        self._settle_us = settle_us
        self._offset_us: int | None = None  # wall minus boot, when last believed
        self._jumped_to: tuple[int, int] | None = None  # the new offset, and since when (boot)
        self.jumps = 0

    @property
    def good(self) -> bool:
        """Whether the wall clock was believed when last looked at."""
        return self.state is ClockState.GOOD

    @property
    def offset_us(self) -> int | None:
        """Wall clock minus time since start, where the wall clock is believed."""
        return self._offset_us if self.good else None

    def check(self) -> ClockState:
        """Look at the clocks and decide anew."""
        boot_us, wall_us = self.source.boot_us(), self.source.wall_us()
        self.state = self._judge(boot_us, wall_us)
        return self.state

    def now(self) -> Moment:
        """Return this moment, after looking at the clocks."""
        boot_us, wall_us = self.source.boot_us(), self.source.wall_us()
        self.state = self._judge(boot_us, wall_us)
        return Moment(boot_us, wall_us if self.good else None)

    def _judge(self, boot_us: int, wall_us: int) -> ClockState:
        if not NOT_BEFORE_US <= wall_us < NOT_AFTER_US:
            return ClockState.NEVER_SET
        if not self._trust and not self.source.synchronised():
            return ClockState.NOT_SYNCHRONISED
        offset_us = wall_us - boot_us
        if self._offset_us is not None and abs(offset_us - self._offset_us) > JUMP_US:
            if self._jumped_to is None or abs(offset_us - self._jumped_to[0]) > JUMP_US:
                self._jumped_to = (offset_us, boot_us)
                self.jumps += 1
            if boot_us - self._jumped_to[1] < self._settle_us:
                return ClockState.JUMPED
        self._offset_us, self._jumped_to = offset_us, None
        return ClockState.GOOD


def make_clock(config: ClockConfig) -> DeviceClock:
    """Return the clock that the settings ask for.

    Raises
    ------
    BadInputError
        There is no such source of time.
    """
    settle_us = round(config.settle_s * US_PER_S)
    return DeviceClock(_source(config.source), trust=config.mode == "trust", settle_us=settle_us)


def _source(name: str) -> ClockSource:
    if name == "system":
        return SystemSource()
    module, _, attribute = name.partition(":")
    try:
        source: ClockSource = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError, ValueError) as error:
        raise BadInputError(f"{name!r}: {error}", field="clock.source") from None
    return source
