"""Timers of delivery: ``delivery.toml`` in the region folder.

::

    [quiet]                    # the lowest level waits, WIB
    start = "21:00"
    end = "05:00"

    [repeat]                   # the same level is not told again so soon
    window = "60min"

    [retry]
    first = "2s"
    most = "5min"

    [escalation]               # without an acknowledgement the next step is told
    lowest = "siaga"
    after = ["10min", "20min"]
"""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from serayu.models.delivery.recipient import QuietHours
from serayu.models.errors import BadInputError
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, US_PER_S, parse_span

DELIVERY_FILE = "delivery.toml"
_UNIT = re.compile(r"_(us|min)\b")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z", re.ASCII)


class RepeatRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long a recipient is not told the same level of the same alert again [project proposal]."""

    window_us: int = US_PER_HOUR


class RetryRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Wait after the first failed attempt, and the longest one [project proposal]."""

    first_us: int = 2 * US_PER_S
    most_us: int = 5 * US_PER_MINUTE

    def __post_init__(self) -> None:
        if not 0 < self.first_us <= self.most_us:
            raise ValueError("expected 0 < first <= most")


class EscalationRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which level somebody has to acknowledge, and how long each step has for it [project proposal]."""

    lowest: Siaga = Siaga.SIAGA
    after_us: tuple[int, ...] = (10 * US_PER_MINUTE, 20 * US_PER_MINUTE)

    def __post_init__(self) -> None:
        if any(after_us <= 0 for after_us in self.after_us):
            raise ValueError("every wait of after must be longer than nothing")
        if self.lowest is Siaga.NORMAL:
            raise ValueError("lowest must be waspada, siaga or awas")

    def wait_us(self, step: int) -> int | None:
        """Return how long a step has; None for the last one."""
        return self.after_us[step] if step < len(self.after_us) else None


class DeliverySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The timers of a region."""

    quiet: QuietHours = QuietHours(21 * 60, 5 * 60)
    repeat: RepeatRule = RepeatRule()
    retry: RetryRule = RetryRule()
    escalation: EscalationRule = EscalationRule()


def load_delivery_settings(folder: Path) -> DeliverySettings:
    """Read the timers of a region folder; the defaults where it has no such file.

    Raises
    ------
    BadInputError
        The file is wrong; names the field.
    """
    file = folder / DELIVERY_FILE
    if not file.exists():
        return DeliverySettings()
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
        return msgspec.convert(_in_units(tables), DeliverySettings)
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"not TOML: {error}", file=file) from None
    except msgspec.ValidationError as error:
        reason, field = _explained(str(error))
        raise BadInputError(reason, file=file, field=field) from None
    except _WrongValueError as error:
        raise BadInputError(error.reason, file=file, field=error.field) from None


def minutes_of_day(text: str) -> int:
    """Return a time of day as minutes after midnight.

    Raises
    ------
    ValueError
        Not of the form ``HH:MM``.

    Examples
    --------
    >>> minutes_of_day("21:30")
    1290
    """
    found = _TIME.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time of day, expected e.g. 21:00")
    return int(found[1]) * 60 + int(found[2])


class _WrongValueError(Exception):
    """A span or a time of day cannot be read."""

    def __init__(self, reason: str, field: str) -> None:
        self.reason = reason
        self.field = field
        super().__init__(reason)


def _explained(message: str) -> tuple[str, str | None]:
    """Return reason and field of a message of msgspec, in the names of the file.

    Examples
    --------
    >>> _explained("Expected `int`, got `str` - at `$.retry.first_us`")
    ('expected a span such as 10min', 'retry.first')
    >>> _explained("Object contains unknown field `colour` - at `$.retry`")
    ('unknown field', 'retry.colour')
    """
    reason, _, path = message.partition(" - at `")
    place = [part for part in path.rstrip("`").removeprefix("$").split(".") if part]
    for words, said in (("unknown field `", "unknown field"), ("missing required field `", "missing")):
        _, found, name = reason.partition(words)
        if found:
            place.append(name.rstrip("`"))
            reason = said
    last = place[-1] if place else ""
    if _UNIT.search(last) and reason.startswith("Expected `"):
        reason = "expected a span such as 10min" if "_us" in last else "expected a time of day such as 21:00"
    names = [_UNIT.sub("", part) for part in place]
    return reason, ".".join(names) or None


def _in_units(tables: dict[str, Any]) -> dict[str, Any]:
    """Turn spans and times of day as people write them into numbers; all else is left to be refused."""
    result = {name: dict(table) if isinstance(table, dict) else table for name, table in tables.items()}
    for name, field, unit, convert, example in _WRITTEN:
        table = result.get(name)
        value = table.get(field) if isinstance(table, dict) else None
        if isinstance(value, str):
            result[name][f"{field}_{unit}"] = _converted(convert, result[name].pop(field), f"{name}.{field}")
        elif isinstance(value, list) and all(isinstance(one, str) for one in value):
            spans = result[name].pop(field)
            result[name][f"{field}_{unit}"] = [_converted(convert, one, f"{name}.{field}") for one in spans]
        elif value is not None:
            raise _WrongValueError(f"expected a text such as {example}, not {value!r}", f"{name}.{field}")
    return result


def _converted(convert: Callable[[str], int], written: str, field: str) -> int:
    try:
        return convert(written)
    except ValueError as error:
        raise _WrongValueError(str(error), field) from None


_WRITTEN: tuple[tuple[str, str, str, Callable[[str], int], str], ...] = (
    ("repeat", "window", "us", parse_span, "60min"),
    ("retry", "first", "us", parse_span, "2s"),
    ("retry", "most", "us", parse_span, "5min"),
    ("escalation", "after", "us", parse_span, "10min"),
    ("quiet", "start", "min", minutes_of_day, "21:00"),
    ("quiet", "end", "min", minutes_of_day, "05:00"),
)
