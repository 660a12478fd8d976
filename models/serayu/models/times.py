"""Time as integer microseconds UTC inside, RFC 3339 ``Z`` in interfaces, WIB (UTC+7) in texts."""

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

US_PER_S = 1_000_000
US_PER_MINUTE = 60 * US_PER_S
US_PER_HOUR = 3600 * US_PER_S
US_PER_DAY = 24 * US_PER_HOUR
WIB = timezone(timedelta(hours=7), "WIB")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPAN = re.compile(r"^(\d+(?:\.\d+)?)(us|ms|s|min|m|h|d)$")
_SPAN_UNIT_US = {
    "us": 1,
    "ms": 1000,
    "s": US_PER_S,
    "m": US_PER_MINUTE,
    "min": US_PER_MINUTE,
    "h": US_PER_HOUR,
    "d": US_PER_DAY,
}


class Clock(Protocol):
    """What tells the time: the system, or the readings of a replay."""

    def now_us(self) -> int:
        """Return the present in microseconds UTC."""
        ...


class SystemClock:
    """The computer's clock."""

    def now_us(self) -> int:
        """Return the present in microseconds UTC."""
        return time.time_ns() // 1000


def to_us(moment: datetime) -> int:
    """Return an aware datetime as microseconds UTC.

    Raises
    ------
    ValueError
        The datetime is naive: its zone would have to be guessed.
    """
    if moment.tzinfo is None:
        raise ValueError(f"time zone missing in {moment.isoformat()}")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_us(t_us: int) -> datetime:
    """Return microseconds UTC as an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=t_us)


def parse_rfc3339(text: str) -> int:
    """Return an RFC 3339 time with zone as microseconds UTC.

    Raises
    ------
    ValueError
        Not a time, or without a zone.

    Examples
    --------
    >>> parse_rfc3339("1970-01-01T07:00:01.5+07:00")
    1500000
    """
    return to_us(datetime.fromisoformat(text))


def rfc3339(t_us: int) -> str:
    """Return microseconds UTC as RFC 3339 with ``Z``, fractions only where there are any.

    Examples
    --------
    >>> rfc3339(1_500_000), rfc3339(0)
    ('1970-01-01T00:00:01.500000Z', '1970-01-01T00:00:00Z')
    """
    return from_us(t_us).isoformat().replace("+00:00", "Z")


def wib(t_us: int, *, date: bool = True) -> str:
    """Return a time as people in Banyumas read it.

    Examples
    --------
    >>> wib(0), wib(0, date=False)
    ('01-01-1970 07.00 WIB', '07.00 WIB')
    """
    return from_us(t_us).astimezone(WIB).strftime("%d-%m-%Y %H.%M WIB" if date else "%H.%M WIB")


def parse_span(text: str) -> int:
    """Return a span such as ``30s``, ``10min``, ``1.5h`` or ``400d`` in microseconds.

    Raises
    ------
    ValueError
        Not of that form.

    Examples
    --------
    >>> parse_span("1.5h") == 90 * US_PER_MINUTE
    True
    """
    match = _SPAN.match(text.strip())
    if match is None:
        raise ValueError(f"expected a span such as 30s, 10min, 1.5h or 400d, not {text!r}")
    return round(float(match[1]) * _SPAN_UNIT_US[match[2]])
