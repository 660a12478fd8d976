"""Words and numbers of the report: Indonesian first, English beside it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from serayu.models.texts import catalogue, decimal, text

__all__ = ["DASH", "Letters", "Said", "interval", "meant", "number", "say", "with_error"]

DASH = "–"
_DIGITS = 2  # of an error: more would pretend to know the error itself [usual practice, JCGM 100:2008 section 7.2.6]


@dataclass(frozen=True, slots=True)
class Said:
    """The same in Indonesian and English; English is empty where both are alike."""

    id: str
    en: str = ""


def say(key: str, **fields: object) -> Said:
    """Return a text of the report in both languages."""
    return Said(text(f"report.{key}", "id", **fields), text(f"report.{key}", "en", **fields))


def meant(key: str) -> Said:
    """Return what a stable key means; the key itself where the catalogue does not have it."""
    return Said(text(key, "id"), text(key, "en")) if key in catalogue() else Said(key)


def number(value: float | None, decimals: int) -> str:
    """Return a number as Indonesians write it; a dash for None."""
    return DASH if value is None else decimal(value, decimals)


def with_error(value: float | None, error: float | None, *, decimals: int, unit: str) -> str | None:
    """Return ``9,0 ± 2,2 m²``: as many decimals as two digits of the error have, at most the given ones.

    Examples
    --------
    >>> with_error(8.9867, 2.1502, decimals=3, unit="m²"), with_error(120.0, 15.0, decimals=1, unit="mm")
    ('9,0 ± 2,2 m²', '120 ± 15 mm')
    >>> with_error(1.5, None, decimals=1, unit="m"), with_error(None, 1.0, decimals=1, unit="m")
    ('1,5 m', None)
    """
    if value is None:
        return None
    if error is None or not math.isfinite(error):
        return f"{decimal(value, min(decimals, 2))} {unit}"
    if error > 0:
        decimals = min(max(_DIGITS - 1 - math.floor(math.log10(error)), 0), decimals)
    return f"{decimal(value, decimals)} ± {decimal(error, decimals)} {unit}"


def interval(bounds: Sequence[float] | None, decimals: int) -> str:
    """Return ``12 – 40``, one number where both ends read alike, a dash for None.

    Examples
    --------
    >>> interval([12.2, 40.0], 0), interval([3.0, 3.01], 1), interval(None, 0)
    ('12 – 40', '3,0', '–')
    """
    if bounds is None:
        return DASH
    low, high = (decimal(bound, decimals) for bound in bounds)
    return low if low == high else f"{low} {DASH} {high}"


@dataclass(slots=True)
class Letters:
    """Letters that stand for sentences in a table, explained below it: a, b, … z, aa and so on."""

    keys: list[str] = field(default_factory=list)

    def of(self, keys: Iterable[str]) -> str:
        """Return the letters of keys, in the order of letters."""
        places = []
        for key in keys:
            if key not in self.keys:
                self.keys.append(key)
            places.append(self.keys.index(key))
        return " ".join(_letter(place) for place in sorted(set(places)))

    def legend(self) -> tuple[tuple[str, Said], ...]:
        """Return each letter with what it means."""
        return tuple((_letter(place), meant(key)) for place, key in enumerate(self.keys))


def _letter(place: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    more, last = divmod(place, len(alphabet))
    return (_letter(more - 1) if more else "") + alphabet[last]
