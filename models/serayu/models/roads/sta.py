"""Stations along a road as engineers write them: ``STA 1+250`` is km 1.250."""

import math
import re

__all__ = ["parse_sta", "sta_text"]

_STA = re.compile(r"(?:STA\s*)?(\d{1,4})\+(\d{3}(?:\.\d+)?)", re.IGNORECASE | re.ASCII)


def sta_text(km: float) -> str:
    """Return the station of a kilometre, to the metre.

    Raises
    ------
    ValueError
        Negative or no number.

    Examples
    --------
    >>> sta_text(1.25), sta_text(0.9996)
    ('1+250', '1+000')
    """
    if not 0 <= km < math.inf:
        raise ValueError(f"km must be a number not below 0, got {km}")
    whole, metres = divmod(round(km * 1000), 1000)
    return f"{whole}+{metres:03d}"


def parse_sta(text: str) -> float:
    """Return the kilometre of a station.

    Raises
    ------
    ValueError
        Not written as a station.

    Examples
    --------
    >>> parse_sta("STA 1+250")
    1.25
    """
    found = _STA.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"expected a station such as 1+250, got {text!r}")
    return (int(found[1]) * 1000 + float(found[2])) / 1000
