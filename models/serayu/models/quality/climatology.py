"""Seasonal spans of the QARTOD climatology test: stdlib only, so that a station can hold them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self, get_args

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
US = timedelta(microseconds=1)

Period = Literal["year", "quarter", "month", "week", "dayofyear", "dayofweek"]
_PERIODS: tuple[str, ...] = get_args(Period)

_KEYS = frozenset({"tspan", "vspan", "fspan", "zspan", "period"})


def ordered_span(name: str, span: object) -> tuple[float, float]:
    """Return *span* as two finite or infinite numbers, low then high.

    Raises
    ------
    ValueError
        Not two numbers, one is NaN, or the first exceeds the second; the message begins with *name*.
    """
    if isinstance(span, str | bytes | Mapping) or not isinstance(span, Iterable):
        raise ValueError(f"{name}: expected two numbers (low, high), got {span!r}")  # noqa: TRY004 - a setting
    bounds = tuple(span)
    if len(bounds) != 2:  # noqa: PLR2004 - low and high
        raise ValueError(f"{name}: expected two numbers (low, high), got {len(bounds)}: {bounds!r}")
    try:
        low, high = float(bounds[0]), float(bounds[1])
    except (TypeError, ValueError) as exc:
        raise ValueError(f"{name}: expected two numbers (low, high), got {bounds!r}") from exc
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"{name}: a bound is NaN: {bounds!r}")
    if low > high:
        raise ValueError(f"{name}: low {low:g} exceeds high {high:g}")
    return low, high


def check_nested(
    inner_name: str, inner: tuple[float, float], outer_name: str, outer: tuple[float, float]
) -> None:
    """Refuse an inner (suspect) span that reaches outside the outer (fail) span.

    Raises
    ------
    ValueError
        It does; the message names both.
    """
    if inner[0] < outer[0] or inner[1] > outer[1]:
        raise ValueError(
            f"{inner_name} [{inner[0]:g}, {inner[1]:g}] must lie within "
            f"{outer_name} [{outer[0]:g}, {outer[1]:g}]"
        )


def time_us(value: object) -> int:
    """Return a bound of time as integer microseconds UTC since 1970.

    Parameters
    ----------
    value
        ``YYYY-MM``, an ISO 8601 text or a datetime; without an offset it is UTC.

    Raises
    ------
    ValueError
        None of these.
    """
    if isinstance(value, str):
        text = f"{value}-01" if value.count("-") == 1 else value
        try:
            value = datetime.fromisoformat(text)
        except ValueError as exc:
            raise ValueError(f"tspan: {text!r} is no ISO 8601 time") from exc
    if not isinstance(value, datetime):
        raise ValueError(f"tspan: expected a time, got {value!r}")  # noqa: TRY004 - a setting
    aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return (aware - EPOCH) // US


def period_of(moment: datetime, period: Period) -> int:
    """Return the number of the period that contains *moment* (UTC).

    Quarter and month start at 1, ISO week at 1, day of the year at 1, day of the week at 0 on Monday.
    """
    match period:
        case "year":
            return moment.year
        case "quarter":
            return (moment.month + 2) // 3
        case "month":
            return moment.month
        case "week":
            return moment.isocalendar().week
        case "dayofyear":
            return moment.timetuple().tm_yday
        case "dayofweek":
            return moment.weekday()


@dataclass(frozen=True, slots=True)
class ClimatologySpan:
    """One season and the values expected in it; all bounds belong to the span.

    Parameters
    ----------
    tspan
        First and last microsecond UTC, or first and last number of *period*.
    vspan
        Outside it a value is suspect, in the unit of the datastream.
    fspan
        Outside it a value fails; contains *vspan*. ``None``: nothing fails.
    zspan
        Depths in m (positive down) that the span speaks of. ``None``: any, known or not.
    period
        What *tspan* counts; ``None`` for calendar time.
    """

    tspan: tuple[int, int]
    vspan: tuple[float, float]
    fspan: tuple[float, float] | None = None
    zspan: tuple[float, float] | None = None
    period: Period | None = None

    def __post_init__(self) -> None:
        if self.period is not None and self.period not in _PERIODS:
            raise ValueError(f"period: {self.period!r} is none of {', '.join(_PERIODS)}")
        first, last = ordered_span("tspan", self.tspan)
        if first != int(first) or last != int(last):
            raise ValueError(f"tspan: expected whole numbers, got {self.tspan!r}")
        object.__setattr__(self, "tspan", (int(self.tspan[0]), int(self.tspan[1])))
        vspan = ordered_span("vspan", self.vspan)
        object.__setattr__(self, "vspan", vspan)
        if self.fspan is not None:
            fspan = ordered_span("fspan", self.fspan)
            check_nested("vspan", vspan, "fspan", fspan)
            object.__setattr__(self, "fspan", fspan)
        if self.zspan is not None:
            object.__setattr__(self, "zspan", ordered_span("zspan", self.zspan))

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Return the span that a configuration describes, keys as the parameters of the class.

        *tspan* holds times (see `time_us`) unless *period* is given.

        Raises
        ------
        ValueError
            A key is unknown or missing, or a value makes no sense; the message names the field.
        """
        unknown = sorted(set(mapping) - _KEYS)
        if unknown:
            raise ValueError(f"{unknown[0]}: unknown field of a climatology span")
        for required in ("tspan", "vspan"):
            if mapping.get(required) is None:
                raise ValueError(f"{required}: a climatology span needs it")
        period = mapping.get("period")
        if period == "weekofyear":  # its older name in ioos_qc configurations
            period = "week"
        tspan = mapping["tspan"]
        if period is None:
            if isinstance(tspan, str) or not isinstance(tspan, Sequence):
                raise ValueError(f"tspan: expected two times (first, last), got {tspan!r}")
            tspan = tuple(time_us(bound) for bound in tspan)
        return cls(tspan, mapping["vspan"], mapping.get("fspan"), mapping.get("zspan"), period)

    def contains_time(self, t_us: int) -> bool:
        """Tell whether a time, in microseconds UTC, belongs to the season."""
        at = t_us if self.period is None else period_of(EPOCH + timedelta(microseconds=t_us), self.period)
        return self.tspan[0] <= at <= self.tspan[1]
