"""QARTOD tests one value at a time, in plain Python: what ingest runs on every reading. Imports no numpy.

The flags are those of `qartod.run_profile` over the whole series, once the last word on each value is kept:
the spike test needs the value that follows, so `StreamingQc.push` returns a value's flag at once and, with
the next value, a revised one if the spike test changed it.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from serayu.models.quality.climatology import EPOCH, ClimatologySpan, period_of
from serayu.models.quality.flags import FAIL_SHIFT, QcTest, QualityFlag, reason_names
from serayu.models.quality.profile import QcProfile

_INF = math.inf
_NEVER_US = 1 << 62  # a threshold that no step reaches, a time before all times when negative
_US_PER_S = 1_000_000
_FAIL_BITS = 0xFF << FAIL_SHIFT

# Plain ints: an IntEnum member costs an attribute look-up and a slower operator per value.
_GROSS_SUSPECT, _GROSS_FAIL = int(QcTest.GROSS_RANGE), QcTest.GROSS_RANGE << FAIL_SHIFT
_RATE_SUSPECT, _RATE_FAIL = int(QcTest.RATE_OF_CHANGE), QcTest.RATE_OF_CHANGE << FAIL_SHIFT
_SPIKE_SUSPECT, _SPIKE_FAIL = int(QcTest.SPIKE), QcTest.SPIKE << FAIL_SHIFT
_FLAT_SUSPECT, _FLAT_FAIL = int(QcTest.FLAT_LINE), QcTest.FLAT_LINE << FAIL_SHIFT
_GAP_SUSPECT = int(QcTest.TIME_GAP)
_CLIMATE_SUSPECT, _CLIMATE_FAIL = int(QcTest.CLIMATOLOGY), QcTest.CLIMATOLOGY << FAIL_SHIFT

_DUMP_FORMAT = 1
_STATE_FIELDS = (
    "_t_us",
    "_value",
    "_before",
    "_tests",
    "_evaluated",
    "_valid_us",
    "_excluded_us",
    "_start_suspect_us",
    "_start_fail_us",
)


@dataclass(frozen=True, slots=True)
class QcResult:
    """What is known after one value.

    Parameters
    ----------
    flag
        Aggregate flag of this value.
    tests
        Mask of the tests that said suspect or fail, see `flags.reason_names`.
    revised
        Flag and mask that replace those of the value before; ``None`` when they stand.
    """

    flag: QualityFlag
    tests: int
    revised: tuple[QualityFlag, int] | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Names of the tests that said suspect or fail."""
        return reason_names(self.tests)


def _flag(tests: int, evaluated: bool) -> QualityFlag:  # noqa: FBT001 - half of a cache key
    if tests & _FAIL_BITS:
        return QualityFlag.FAIL
    if tests:
        return QualityFlag.SUSPECT
    return QualityFlag.GOOD if evaluated else QualityFlag.NOT_EVALUATED


_MISSING_RESULT = QcResult(QualityFlag.MISSING, 0)


class StreamingQc:
    """Quality control of one datastream, value after value in order of time.

    Parameters
    ----------
    profile
        Settings of the datastream.

    Notes ----- State is a few numbers and, for the flat line test, two monotonic queues that hold the record
    highs and lows of the newest stretch of values within the tolerance. They are emptied when the value
    moves, and repeated values share an entry, so for a sensor of resolution r they hold at most tolerance / r
    entries each, whatever the threshold.

    Examples
    --------
    >>> qc = StreamingQc(QcProfile(gross_fail=(0, 10), spike_suspect=1.0))
    >>> [qc.push(second * 1_000_000, value).flag.name for second, value in enumerate([2.0, 5.0])]
    ['GOOD', 'GOOD']
    >>> qc.push(2_000_000, 2.0).revised
    (<QualityFlag.SUSPECT: 3>, 4)
    """

    __slots__ = (
        "_always",
        "_before",
        "_cache",
        "_climatology",
        "_evaluated",
        "_excluded_us",
        "_flat",
        "_flat_fail_us",
        "_flat_suspect_us",
        "_gap_us",
        "_gross_fail_high",
        "_gross_fail_low",
        "_gross_suspect_high",
        "_gross_suspect_low",
        "_highs",
        "_lows",
        "_profile",
        "_rate_fail",
        "_rate_lowest",
        "_rate_suspect",
        "_spike",
        "_spike_average",
        "_spike_fail",
        "_spike_lowest",
        "_spike_suspect",
        "_start_fail_us",
        "_start_suspect_us",
        "_t_us",
        "_tests",
        "_tolerance",
        "_valid_us",
        "_value",
    )

    def __init__(self, profile: QcProfile) -> None:
        self._profile = profile
        self._configure(profile)
        self._cache: dict[int, QcResult] = {}
        self._t_us = -_NEVER_US  # of the newest sample, missing or not
        self._value = math.nan  # newest; NaN when missing
        self._before = math.nan  # the one before it
        self._tests = 0  # reasons of the newest value
        self._evaluated = False  # whether any test judged the newest value
        self._valid_us = -_NEVER_US  # newest value that is not missing
        self._excluded_us = -_NEVER_US  # newest value outside the stretch within the tolerance
        self._start_suspect_us = self._start_fail_us = -_NEVER_US  # first sample after a step too long
        self._highs: deque[tuple[float, int]] = deque()
        self._lows: deque[tuple[float, int]] = deque()

    def _configure(self, profile: QcProfile) -> None:
        """Turn the settings into limits that need no test for ``None``."""
        everything = (-_INF, _INF)
        self._gross_fail_low, self._gross_fail_high = profile.gross_fail or everything
        self._gross_suspect_low, self._gross_suspect_high = profile.gross_suspect or everything
        self._rate_suspect = _or_never(profile.rate_suspect_per_s)
        self._rate_fail = _or_never(profile.rate_fail_per_s)
        self._rate_lowest = min(self._rate_suspect, self._rate_fail)
        self._spike = profile.runs_spike
        self._spike_average = profile.spike_method == "average"
        self._spike_suspect = _or_never(profile.spike_suspect)
        self._spike_fail = _or_never(profile.spike_fail)
        self._spike_lowest = min(self._spike_suspect, self._spike_fail)
        self._flat = profile.runs_flat_line
        self._flat_suspect_us = _microseconds(profile.flat_suspect_s)
        self._flat_fail_us = _microseconds(profile.flat_fail_s)
        self._tolerance = 0.0 if profile.flat_tolerance is None else profile.flat_tolerance
        # By way of hours, as the vectorised test takes them: both must round alike.
        self._gap_us = _microseconds(None if profile.gap_s is None else profile.gap_s / 3600.0 * 3600.0)
        self._climatology = profile.climatology
        self._always = (
            profile.runs_gross_range
            or profile.runs_rate_of_change
            or profile.runs_flat_line
            or profile.gap_s is not None
        )

    @property
    def profile(self) -> QcProfile:
        """The settings."""
        return self._profile

    @property
    def state_time_us(self) -> int | None:
        """Time of the newest sample in microseconds UTC, ``None`` before the first; push only later ones."""
        return None if self._t_us == -_NEVER_US else self._t_us

    @property
    def memory_s(self) -> float:
        """Seconds of history that rebuild this state.

        Push, into a new object, every sample of the last ``memory_s`` seconds before the newest one **and the
        two samples before those** (they are the neighbours of the spike test): from then on all flags are the
        same.
        """
        return self._profile.memory_s

    def push(self, t_us: int, value: float) -> QcResult:  # noqa: C901 - one call per value: ingest has 4 us for it
        """Take the next sample and judge it.

        Parameters
        ----------
        t_us
            Phenomenon time, integer microseconds UTC since 1970, after `state_time_us`.
        value
            In the unit of the datastream; NaN or infinite when missing.

        Raises
        ------
        ValueError
            The time is not after `state_time_us`; the state is unchanged.
        """
        step_us = t_us - self._t_us
        if step_us <= 0:
            raise ValueError(f"t_us {t_us} is not after {self._t_us}: values must be pushed in order of time")
        previous = self._value
        if not -_INF < value < _INF:
            return self._push_missing(t_us, step_us)

        tests = 0
        if not self._gross_fail_low <= value <= self._gross_fail_high:
            tests = _GROSS_FAIL
        elif not self._gross_suspect_low <= value <= self._gross_suspect_high:
            tests = _GROSS_SUSPECT
        if step_us > self._gap_us and self._t_us != -_NEVER_US:
            tests |= _GAP_SUSPECT
        # After a missing value the rate is NaN, which exceeds nothing.
        rate = abs(value - previous) / (step_us / _US_PER_S)
        if rate > self._rate_lowest:
            tests |= _RATE_FAIL if rate > self._rate_fail else _RATE_SUSPECT
        if self._flat:
            tests |= self._push_flat(t_us, step_us, value)
        evaluated = self._always
        if self._climatology is not None:
            season = _season(self._climatology, t_us, value)
            if season is not None:
                evaluated = True
                tests |= season

        revised = self._revise(previous, value) if self._spike else None
        self._before = previous
        self._value = value
        self._t_us = t_us
        self._tests = tests
        self._evaluated = evaluated
        if revised is not None:
            return QcResult(_flag(tests, evaluated), tests, revised)
        key = tests << 1 | evaluated
        result = self._cache.get(key)
        if result is None:
            result = self._cache[key] = QcResult(_flag(tests, evaluated), tests)
        return result

    def _push_missing(self, t_us: int, step_us: int) -> QcResult:
        """Take a sample without a value: the flat line test counts its time, the others nothing of it."""
        if self._flat:
            self._start_anew(t_us, step_us)
        self._before = self._value
        self._value = math.nan
        self._t_us = t_us
        self._tests = 0
        self._evaluated = False
        return _MISSING_RESULT

    def _start_anew(self, t_us: int, step_us: int) -> None:
        """Begin the history of a flat line threshold after a step longer than half of it."""
        twice = 2 * step_us
        if twice > self._flat_suspect_us:
            self._start_suspect_us = t_us
        if twice > self._flat_fail_us:
            self._start_fail_us = t_us

    def _push_flat(self, t_us: int, step_us: int, value: float) -> int:
        """Return the flat line test's reasons for a value that is not missing."""
        twice = 2 * step_us
        if twice > self._flat_suspect_us or twice > self._flat_fail_us:
            self._start_anew(t_us, step_us)
        highs = self._highs
        lows = self._lows
        while highs and highs[-1][0] <= value:
            highs.pop()
        while lows and lows[-1][0] >= value:
            lows.pop()
        entry = (value, t_us)
        highs.append(entry)
        lows.append(entry)
        tolerance = self._tolerance
        while not highs[0][0] - lows[0][0] < tolerance:
            # The older extreme leaves the stretch, and with it all that came before.
            self._excluded_us = (highs if highs[0][1] < lows[0][1] else lows).popleft()[1]
        valid_us = self._valid_us
        self._valid_us = t_us
        excluded_us = self._excluded_us
        if excluded_us >= valid_us:
            return 0
        if self._is_flat(t_us, step_us, valid_us, self._flat_fail_us, self._start_fail_us):
            return _FLAT_FAIL
        if self._is_flat(t_us, step_us, valid_us, self._flat_suspect_us, self._start_suspect_us):
            return _FLAT_SUSPECT
        return 0

    def _is_flat(self, t_us: int, step_us: int, valid_us: int, threshold_us: int, start_us: int) -> bool:
        """Tell whether the window of one threshold is covered and holds two or more values, all within."""
        if t_us - start_us + step_us <= threshold_us:
            return False
        first_us = t_us - threshold_us
        if start_us > first_us:  # noqa: PLR1730 - half the cost of max()
            first_us = start_us
        return self._excluded_us < first_us <= valid_us

    def _revise(self, value: float, after: float) -> tuple[QualityFlag, int] | None:
        """Return what the spike test, knowing its right neighbour, makes of the value before the newest."""
        before = self._before
        if value != value or before != before:  # noqa: PLR0124 - NaN: missing, or no left neighbour
            return None
        if self._spike_average:
            height = abs(value - (before + after) / 2)
        else:
            rise = value - before
            fall = value - after
            height = min(abs(rise), abs(fall)) if rise > 0 < fall or rise < 0 > fall else 0.0
        if height > self._spike_lowest:
            tests = self._tests | (_SPIKE_FAIL if height > self._spike_fail else _SPIKE_SUSPECT)
            return _flag(tests, evaluated=True), tests
        if self._evaluated:
            return None
        return QualityFlag.GOOD, 0

    def dump(self) -> dict[str, Any]:
        """Return the state as plain values that JSON can hold."""
        state: dict[str, Any] = {"format": _DUMP_FORMAT}
        for name in _STATE_FIELDS:
            value = getattr(self, name)
            state[name[1:]] = None if isinstance(value, float) and math.isnan(value) else value
        state["highs"] = [list(entry) for entry in self._highs]
        state["lows"] = [list(entry) for entry in self._lows]
        return state

    @classmethod
    def load(cls, profile: QcProfile, state: Mapping[str, Any]) -> Self:
        """Return an object that goes on where `dump` was taken, with the same profile.

        With another flat tolerance the stretch within it is not known: rebuild from history instead, see
        `memory_s`.

        Raises
        ------
        ValueError
            The state is of another format or lacks a field.
        """
        if state.get("format") != _DUMP_FORMAT:
            raise ValueError(f"format: expected {_DUMP_FORMAT}, got {state.get('format')!r}")
        qc = cls(profile)
        try:
            for name in _STATE_FIELDS:
                value = state[name[1:]]
                setattr(qc, name, math.nan if value is None else value)
            qc._highs.extend(_entries(state["highs"]))
            qc._lows.extend(_entries(state["lows"]))
        except KeyError as exc:
            raise ValueError(f"{exc.args[0]}: missing from the state") from exc
        return qc


def _entries(rows: Sequence[Sequence[float]]) -> list[tuple[float, int]]:
    return [(float(value), int(t_us)) for value, t_us in rows]


def _or_never(limit: float | None) -> float:
    return _INF if limit is None else limit


def _microseconds(seconds: float | None) -> int:
    return _NEVER_US if seconds is None else round(seconds * _US_PER_S)


def _season(spans: tuple[ClimatologySpan, ...], t_us: int, value: float) -> int | None:
    """Return the climatology test's reasons, of the last span that applies; ``None`` where none does."""
    tests: int | None = None
    moment = None
    for span in spans:
        if span.zspan is not None:
            continue  # a datastream gives no depth with its values
        at = t_us
        if span.period is not None:
            moment = EPOCH + timedelta(microseconds=t_us) if moment is None else moment
            at = period_of(moment, span.period)
        if not span.tspan[0] <= at <= span.tspan[1]:
            continue
        if span.fspan is not None and not span.fspan[0] <= value <= span.fspan[1]:
            tests = _CLIMATE_FAIL
        else:
            tests = 0 if span.vspan[0] <= value <= span.vspan[1] else _CLIMATE_SUSPECT
    return tests
