"""Single values of CAP: times, languages, addresses."""

import re
from urllib.parse import urlsplit

from serayu.models.cap.structs import ENUMERATIONS
from serayu.models.times import WIB, from_us, parse_rfc3339

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[-+]\d{2}:\d{2}", re.ASCII)
LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)  # RFC 3066


def moment(text: str) -> int | None:
    """Return a time as CAP writes it in microseconds UTC; None for any other form or an impossible date.

    Examples
    --------
    >>> moment("1970-01-01T07:00:01+07:00"), moment("1970-01-01T00:00:01Z"), moment("2026-02-30T00:00:00+07:00")
    (1000000, None, None)
    """
    if _DATE.fullmatch(text) is None:
        return None
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        return None


def cap_time(t_us: int) -> str:
    """Return microseconds UTC as CAP writes a time in Banyumas, fractions of a second cut off.

    Examples
    --------
    >>> cap_time(1_500_000)
    '1970-01-01T07:00:01+07:00'
    """
    return from_us(t_us).astimezone(WIB).isoformat(timespec="seconds")


def is_absolute(uri: str) -> bool:
    """Say whether a URI names its scheme and what follows it."""
    try:
        parts = urlsplit(uri.strip())
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc or parts.path) and not re.search(r"\s", uri.strip())


def is_member(field: str, value: str) -> bool:
    """Say whether CAP 1.2 allows a value of an enumerated element.

    Raises
    ------
    KeyError
        That element has no enumeration.
    """
    return value in ENUMERATIONS[field]
