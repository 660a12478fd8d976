"""What adapters share: their type, and values as vectors write them."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

Adapter = Callable[..., Mapping[str, object]]
"""Takes a vector's inputs by name, returns results by name."""

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_DAY_S = 86_400.0


def instant_s(text: str | None) -> float:
    """Seconds since 1970; without a zone the time is read as UTC, None is a missing time."""
    if text is None:
        return math.nan
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def number(value: float | None) -> float:
    """Return the value, NaN for null."""
    return math.nan if value is None else value


def times_s(texts: Iterable[str]) -> list[float]:
    """Seconds of ISO times or of clock times, where a jump back by more than half a day is midnight."""
    times: list[float] = []
    for text in texts:
        clock = _CLOCK.fullmatch(text)
        if clock is None:
            times.append(instant_s(text))
            continue
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        time = 3600.0 * hours + 60.0 * minutes + seconds
        while times and times[-1] - time > _DAY_S / 2:
            time += _DAY_S
        times.append(time)
    return times
