"""The station's own account of itself, retained on ``…/status``."""

from collections import deque
from functools import cache

import msgspec

from serayu.edge.clock import DeviceClock
from serayu.edge.outbox import Outbox
from serayu.models.times import US_PER_S

__all__ = ["OFFLINE", "RateMeter", "backlog_status", "clock_status", "farewell", "program_version"]

OFFLINE = msgspec.json.encode({"online": False, "reason": "connection lost"})
"""The last will: the broker says it when the station can say nothing any more."""
_ROW_BYTES = (
    90  # bytes of a reading in the file, measured with 10,000 of them (tests); a full outbox measures itself
)
_MEASURE_FROM = 1_000
_RATE_SPAN_S = 3600.0


class RateMeter:
    """Readings accepted per second, over the last hour.

    Parameters
    ----------
    now_s
        Monotonic time at the start, s.
    """

    def __init__(self, now_s: float) -> None:
        self._points: deque[tuple[float, int]] = deque([(now_s, 0)])

    def note(self, now_s: float, total: int) -> None:
        """Note how many readings have been accepted in all since the start."""
        self._points.append((now_s, total))
        while len(self._points) > 2 and now_s - self._points[1][0] > _RATE_SPAN_S:  # noqa: PLR2004 -- two make a rate
            self._points.popleft()

    def per_s(self) -> float | None:
        """Return the rate, or None while nothing is known."""
        (begin_s, begin), (end_s, end) = self._points[0], self._points[-1]
        return (end - begin) / (end_s - begin_s) if end > begin and end_s > begin_s else None


def backlog_status(
    outbox: Outbox, *, clock: DeviceClock, max_bytes: int, rate_per_s: float | None
) -> dict[str, object]:
    """Return the state of the outbox: readings waiting, oldest age, bytes, hours of room left, counts."""
    used = outbox.used_bytes()
    row_bytes = used / outbox.backlog if outbox.backlog >= _MEASURE_FROM else _ROW_BYTES
    left = max(0, max_bytes - used) / row_bytes
    oldest = outbox.pending(limit=1)
    age_us = outbox.age_us(oldest[0], boot_us=clock.source.boot_us()) if oldest else None
    counters = outbox.counters()
    return {
        "count": outbox.backlog,
        "oldest_age_s": None if age_us is None else round(age_us / US_PER_S, 1),
        "bytes": used,
        "max_bytes": max_bytes,
        "capacity_hours_left": None if rate_per_s is None else round(left / rate_per_s / 3600, 1),
        **{name: counters[name] for name in ("accepted", "confirmed", "rejected", "dropped", "refused")},
    }


def clock_status(clock: DeviceClock, *, ingest_ahead_us: int | None) -> dict[str, object]:
    """Return whether the clock is believed, its jumps, and how far ingest's clock is ahead (message time included)."""
    ahead_s = None if ingest_ahead_us is None else round(ingest_ahead_us / US_PER_S, 3)
    return {"good": clock.good, "state": clock.state.value, "jumps": clock.jumps, "ingest_ahead_s": ahead_s}


def farewell(reason: str) -> bytes:
    """Return the status of a station that leaves in order."""
    return msgspec.json.encode({"online": False, "reason": reason})


@cache
def program_version() -> str:
    """Return the version of this program."""
    from importlib.metadata import version  # noqa: PLC0415 -- a tenth of the agent's start, needed once a life

    return version("serayu")
