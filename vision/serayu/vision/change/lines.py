"""What changed between two surveys, one line for each thing, as the command prints it."""

import math
from collections.abc import Iterator, Sequence

from serayu.models.survey.change import Change, Fate, Growth
from serayu.models.survey.finding import Finding
from serayu.models.texts import decimal, text

__all__ = ["CHANGED", "MOST_LINES", "change_lines"]

MOST_LINES = 20
CHANGED = frozenset({Fate.GROWN, Fate.SHRUNK, Fate.DOUBTFUL, Fate.NEW, Fate.GONE, Fate.REPAIRED})
"""What is worth a line: neither what stayed, nor what one of the surveys did not look at."""
_UNITS = {"length_m": ("m", 2), "width_mm": ("mm", 1), "area_m2": ("m²", 2)}


def change_lines(changes: Sequence[Change], *, most: int = MOST_LINES) -> Iterator[str]:
    """Yield a line for each thing that changed, in their order: where, what, what became of it, its sizes.

    Parameters
    ----------
    changes
        Of a comparison, in any number.
    most
        Lines of things at most; one more says how many are left out.
    """
    told = [one for one in changes if one.fate in CHANGED]
    for one in told[:most]:
        yield f"  {_where(one)}: {_both(f'review.class.{one.label.value}')}, {_both(f'change.fate.{one.fate.value}')}"
        yield f"      {_sizes(one)}"
    if len(told) > most:
        yield f"  {_both('change.more', n=len(told) - most)}"


def _both(key: str, **fields: object) -> str:
    return f"{text(key, 'id', **fields)} · {text(key, 'en', **fields)}"


def _known(one: Change) -> Finding:
    known = one.after or one.before
    if known is None:
        raise ValueError("a change of nothing")
    return known


def _where(one: Change) -> str:
    known = _known(one)
    if known.ruas is None or known.km is None:
        return _both("review.no_road")
    side = "" if known.side is None else f" {_both(f'review.side.{known.side.value}')}"
    return f"ruas {known.ruas} km {decimal(known.km, 3)}{side}"


def _sizes(one: Change) -> str:
    if one.growth:
        return "; ".join(map(_grown, one.growth))
    known = _known(one)
    found = []
    for name in _UNITS:
        value, error = getattr(known, name), getattr(known.errors, name)
        if value is not None:
            number = f"{_number(value, name)}{_error(error, name)}"
            pair = (number, "–") if one.after is None else ("–", number)
            found.append(f"{_both(f'change.size.{name}')} {' → '.join(pair)} {_UNITS[name][0]}")
    return "; ".join(found) or _both("change.size.unmeasured")


def _grown(size: Growth) -> str:
    """Return ``panjang · length 2,06 → 4,24 m (+2,18 ± 0,36)``."""
    name, sign = size.quantity, "+" if size.change > 0 else "-" if size.change < 0 else ""
    change = f"{sign}{_number(abs(size.change), name)}{_error(size.error, name)}"
    unit = _UNITS[name][0]
    before, after = _number(size.before, name), _number(size.after, name)
    return f"{_both(f'change.size.{name}')} {before} → {after} {unit} ({change})"


def _number(value: float, quantity: str) -> str:
    return decimal(value, _UNITS[quantity][1])


def _error(error: float | None, quantity: str) -> str:
    return "" if error is None or not math.isfinite(error) else f" ± {_number(error, quantity)}"
