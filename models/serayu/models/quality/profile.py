"""Settings of quality control, one frozen profile per datastream: stdlib only, checked when made."""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from serayu.models.quality.climatology import ClimatologySpan, check_nested, ordered_span

SpikeMethod = Literal["average", "differential"]
SPIKE_METHODS: tuple[str, ...] = get_args(SpikeMethod)

_SPANS = ("gross_fail", "gross_suspect")
_LIMITS = ("rate_suspect_per_s", "rate_fail_per_s", "spike_suspect", "spike_fail")  # 0 is a limit
_DURATIONS = ("flat_suspect_s", "flat_fail_s", "gap_s")  # 0 s is no duration


def check_ordered(low_name: str, low: float | None, high_name: str, high: float | None) -> None:
    """Refuse a suspect threshold above its fail threshold; a threshold that is ``None`` is not compared.

    Raises
    ------
    ValueError
        *low* exceeds *high*; the message names both.
    """
    if low is not None and high is not None and low > high:
        raise ValueError(f"{low_name} {low:g} exceeds {high_name} {high:g}")


def as_number(name: str, value: object) -> float:
    """Return a setting as a finite float.

    Raises
    ------
    ValueError
        It is none; the message begins with *name*.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name}: expected a number, got {value!r}")  # noqa: TRY004 - a setting
    if not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, got {value!r}")
    return float(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class QcProfile:
    """Which tests run on a datastream, and with which thresholds; ``None`` leaves a test, or its level, out.

    Values are in the unit of the datastream. A threshold of 0 is a threshold.

    Parameters
    ----------
    gross_fail, gross_suspect
        Lowest and highest value; outside a value fails or is suspect, the bounds are inside. The suspect span
        lies within the fail span.
    rate_suspect_per_s, rate_fail_per_s
        Change per second to the value before, above which a value is suspect or fails.
    spike_suspect, spike_fail
        Distance to both neighbours above which a value is suspect or fails; see *spike_method*.
    spike_method
        ``average``: distance to the mean of the neighbours. ``differential``: the smaller of the two steps
        where they change sign, else 0; a rise that goes on is then no spike, however fast.
    flat_suspect_s, flat_fail_s
        Seconds of samples within *flat_tolerance* of one another, after which a value is suspect or fails.
    flat_tolerance
        Range of values, greater than 0, below which they count as unchanged. Needed by the flat line test
        only.
    gap_s
        Seconds without a sample after which the next value is suspect: its neighbours say nothing about it.
    climatology
        Seasonal spans, applied in order: a later one overrides an earlier one.

    Raises
    ------
    ValueError
        A setting makes no sense or contradicts another; the message names the fields.
    """

    gross_fail: tuple[float, float] | None = None
    gross_suspect: tuple[float, float] | None = None
    rate_suspect_per_s: float | None = None
    rate_fail_per_s: float | None = None
    spike_suspect: float | None = None
    spike_fail: float | None = None
    spike_method: SpikeMethod = "average"
    flat_suspect_s: float | None = None
    flat_fail_s: float | None = None
    flat_tolerance: float | None = None
    gap_s: float | None = None
    climatology: tuple[ClimatologySpan, ...] | None = None

    def __post_init__(self) -> None:
        for name in _SPANS:
            if (span := getattr(self, name)) is not None:
                object.__setattr__(self, name, ordered_span(name, span))
        for name in (*_LIMITS, *_DURATIONS, "flat_tolerance"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, self._checked_number(name))
        if self.climatology is not None:
            object.__setattr__(self, "climatology", _checked_spans(self.climatology))
        if self.spike_method not in SPIKE_METHODS:
            raise ValueError(f"spike_method: {self.spike_method!r} is none of {', '.join(SPIKE_METHODS)}")
        self._check_together()

    def _checked_number(self, name: str) -> float:
        number = as_number(name, getattr(self, name))
        if name in _LIMITS and number < 0:
            raise ValueError(f"{name}: must not be negative, got {number:g}")
        if name not in _LIMITS and number <= 0:
            raise ValueError(f"{name}: must be greater than 0, got {number:g}")
        return number

    def _check_together(self) -> None:
        if self.gross_fail is not None and self.gross_suspect is not None:
            check_nested("gross_suspect", self.gross_suspect, "gross_fail", self.gross_fail)
        check_ordered("rate_suspect_per_s", self.rate_suspect_per_s, "rate_fail_per_s", self.rate_fail_per_s)
        check_ordered("spike_suspect", self.spike_suspect, "spike_fail", self.spike_fail)
        check_ordered("flat_suspect_s", self.flat_suspect_s, "flat_fail_s", self.flat_fail_s)
        if self.runs_flat_line and self.flat_tolerance is None:
            raise ValueError("flat_tolerance: the flat line test (flat_suspect_s, flat_fail_s) needs it")

    @property
    def runs_gross_range(self) -> bool:
        """Whether the gross range test runs."""
        return self.gross_fail is not None or self.gross_suspect is not None

    @property
    def runs_rate_of_change(self) -> bool:
        """Whether the rate of change test runs."""
        return self.rate_suspect_per_s is not None or self.rate_fail_per_s is not None

    @property
    def runs_spike(self) -> bool:
        """Whether the spike test runs."""
        return self.spike_suspect is not None or self.spike_fail is not None

    @property
    def runs_flat_line(self) -> bool:
        """Whether the flat line test runs."""
        return self.flat_suspect_s is not None or self.flat_fail_s is not None

    @property
    def memory_s(self) -> float:
        """Seconds of history, before the newest value, that the flat line test needs; 0 without that test."""
        return max(self.flat_suspect_s or 0.0, self.flat_fail_s or 0.0)

    def replace(self, **changes: Any) -> Self:  # noqa: ANN401 - any field of the class
        """Return a copy with some settings changed, checked like a new one.

        Raises
        ------
        ValueError
            As at construction, or a field is unknown.
        """
        _refuse_unknown(changes)
        return dataclasses.replace(self, **changes)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Return the profile that a configuration (TOML, JSON) describes; absent fields keep their default.

        Climatology is a list of mappings, see `ClimatologySpan.from_mapping`.

        Raises
        ------
        ValueError
            A field is unknown, or a value makes no sense; the message names the field.
        """
        _refuse_unknown(mapping)
        return cls(**mapping)


def _refuse_unknown(mapping: Mapping[str, Any]) -> None:
    known = {field.name for field in dataclasses.fields(QcProfile)}
    unknown = sorted(set(mapping) - known)
    if unknown:
        raise ValueError(
            f"{unknown[0]}: unknown field of a quality profile; known: {', '.join(sorted(known))}"
        )


def _checked_spans(spans: object) -> tuple[ClimatologySpan, ...]:
    if isinstance(spans, str | Mapping) or not isinstance(spans, Iterable):
        raise ValueError(f"climatology: expected a list of spans, got {spans!r}")  # noqa: TRY004 - a setting
    return tuple(as_climatology_span(f"climatology[{row}]", span) for row, span in enumerate(spans))


def as_climatology_span(name: str, span: object) -> ClimatologySpan:
    """Return one climatology span from itself or from a mapping.

    Raises
    ------
    ValueError
        It is neither, or makes no sense; the message begins with *name*.
    """
    if isinstance(span, ClimatologySpan):
        return span
    if not isinstance(span, Mapping):
        raise ValueError(f"{name}: expected a mapping, got {span!r}")  # noqa: TRY004 - a setting
    try:
        return ClimatologySpan.from_mapping(span)
    except ValueError as exc:
        raise ValueError(f"{name}: {exc}") from exc
