"""Siaga levels and the state machine that raises and lowers them for one river post.

Siaga 4 is normal and Siaga 1 the worst, so a bare number is never shown: `Siaga` has names, and a rank that grows
with danger.

The machine is pure: it is told values with their phenomenon times and answers with changes. Each limit is an
independent comparator with hysteresis (down only when at least ``hysteresis_m`` below the limit **and** for at least
``fall_after_us``); one further comparator looks at the level extrapolated over the travel time.
"""

import enum
from collections.abc import Iterator, Sequence

import msgspec

from serayu.models.hydrology.rise import theil_sen_slope
from serayu.models.quality.flags import QualityFlag
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, US_PER_S


class Siaga(enum.Enum):
    """Alert level of a river post, as used by the river authorities on Java."""

    NORMAL = "normal"
    WASPADA = "waspada"
    SIAGA = "siaga"
    AWAS = "awas"

    @property
    def rank(self) -> int:
        """0 for normal to 3 for the worst."""
        return _RANK[self]

    @property
    def number(self) -> int:
        """The official number: 4 normal, 3, 2, 1 the worst."""
        return 4 - self.rank

    @property
    def label(self) -> str:
        """Name with number for people, e.g. ``Siaga 2 (SIAGA)``."""
        return f"Siaga {self.number} ({self.value.upper()})"

    @classmethod
    def of_rank(cls, rank: int) -> "Siaga":
        """Return the level of a rank from 0 to 3."""
        return list(cls)[rank]


_RANK = {level: rank for rank, level in enumerate(Siaga)}


class Reason(enum.Enum):
    """Why a level changed."""

    THRESHOLD = "threshold"
    RATE_OF_RISE = "rate_of_rise"
    FORECAST = "forecast"


class ChangeKind(enum.Enum):
    """What a change does: the last two keep the level and change what is known about it."""

    RAISE = "raise"
    LOWER = "lower"
    CONFIRM = "confirm"  # the limit foreseen by the rate of rise is now really exceeded
    VERIFY = "verify"  # a good value stands where a suspect one raised the alert


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of a post, metres above its datum; a level above the limit is in the class.

    Parameters
    ----------
    waspada_m, siaga_m, awas_m
        Limits of Siaga 3, 2 and 1, ascending.
    source, valid_from, approved_by
        Where the limits come from, since when, and which authority approved them ("nobody yet" is an answer).
    invented
        True where the project made them up for demonstration.
    """

    waspada_m: float
    siaga_m: float
    awas_m: float
    source: str
    valid_from: str
    approved_by: str
    invented: bool = False

    def __post_init__(self) -> None:
        if not self.waspada_m < self.siaga_m < self.awas_m:
            raise ValueError(
                f"expected waspada_m < siaga_m < awas_m, not {self.waspada_m}, {self.siaga_m}, {self.awas_m}"
            )

    def limit_m(self, level: Siaga) -> float:
        """Return the limit above which *level* begins; minus infinity for normal."""
        return (float("-inf"), self.waspada_m, self.siaga_m, self.awas_m)[level.rank]


class SiagaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a post's machine behaves.

    Parameters
    ----------
    hysteresis_m
        Metres below a limit before it can be left [project proposal after domain reference section 4].
    fall_after_us
        How long the level must stay there.
    min_duration_us
        How long a limit must be exceeded before the level is raised; 0 raises at the first value.
    travel_time_us
        Time the flood needs to the places that this post warns; None switches the rate of rise off.
    slope_window_us
        Window of the robust slope.
    """

    hysteresis_m: float = 0.10
    fall_after_us: int = 30 * US_PER_MINUTE
    min_duration_us: int = 0
    travel_time_us: int | None = None
    slope_window_us: int = 30 * US_PER_MINUTE

    def __post_init__(self) -> None:
        for name in ("hysteresis_m", "fall_after_us", "min_duration_us", "slope_window_us"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.travel_time_us is not None and self.travel_time_us <= 0:
            raise ValueError(f"travel_time_us must be positive, got {self.travel_time_us}")


class SiagaChange(msgspec.Struct, frozen=True):
    """One change at one post.

    Parameters
    ----------
    at_us
        Phenomenon time of the value that decided.
    before, after
        Levels; equal for confirm and verify.
    kind, reason
        What happened and why.
    level_m
        Water level, metres above the datum.
    slope_m_per_h
        Robust slope of the last half hour, None with fewer than three values.
    verified
        False where the value was suspect: shown as "belum terverifikasi".
    """

    at_us: int
    before: Siaga
    after: Siaga
    kind: ChangeKind
    reason: Reason
    level_m: float
    slope_m_per_h: float | None
    verified: bool


class Comparator(msgspec.Struct):
    """State of one limit: active or not, and since when the opposite has been seen."""

    active: bool = False
    above_since_us: int | None = None
    below_since_us: int | None = None

    def step(self, t_us: int, value: float, limit: float, settings: SiagaSettings, *, may_release: bool) -> None:
        """Take one value; a value that may not release keeps an active limit active."""
        if value > limit:
            self.above_since_us = t_us if self.above_since_us is None else self.above_since_us
            self.below_since_us = None
            self.active = self.active or t_us - self.above_since_us >= settings.min_duration_us
            return
        self.above_since_us = None
        if not self.active or not may_release:
            return
        if value > limit - settings.hysteresis_m + 1e-9:  # decimal limits: 5.0 - 0.1 is not quite 4.9
            self.below_since_us = None
            return
        self.below_since_us = t_us if self.below_since_us is None else self.below_since_us
        if t_us - self.below_since_us >= settings.fall_after_us:
            self.active, self.below_since_us = False, None


class SiagaState(msgspec.Struct):
    """All that a machine remembers, JSON-able so that an evaluator survives a restart."""

    last_us: int | None = None
    verified: bool = True
    limits: list[Comparator] = msgspec.field(default_factory=lambda: [Comparator() for _ in range(3)])
    rise: Comparator = msgspec.field(default_factory=Comparator)
    rise_rank: int = 0
    recent: list[tuple[int, float]] = msgspec.field(default_factory=list)


def classify(level_m: float, thresholds: Thresholds) -> Siaga:
    """Return the level without memory: above a limit is in its class, exactly at it is not (Katulampa 2019 table)."""
    limits = (thresholds.waspada_m, thresholds.siaga_m, thresholds.awas_m)
    return Siaga.of_rank(sum(level_m > limit for limit in limits))


class SiagaMachine:
    """State machine of one post.

    Parameters
    ----------
    thresholds, settings
        Limits and behaviour.
    state
        What an earlier machine of the post remembered.
    """

    def __init__(
        self, thresholds: Thresholds, settings: SiagaSettings | None = None, *, state: SiagaState | None = None
    ) -> None:
        self.thresholds = thresholds
        self.settings = settings or SiagaSettings()
        self.state = state or SiagaState()

    @property
    def level(self) -> Siaga:
        """The level in force."""
        return Siaga.of_rank(max(self._threshold_rank(), self._rise_rank()))

    def step(self, t_us: int, level_m: float, flag: QualityFlag) -> Sequence[SiagaChange]:
        """Take one observation in order of time.

        Parameters
        ----------
        t_us
            Phenomenon time; one that is not later than the last is ignored.
        level_m
            Water level, metres above the datum.
        flag
            Fail and missing never change anything; suspect raises, marked unverified, and never lowers.

        Returns
        -------
        sequence of SiagaChange
            Usually empty.
        """
        state = self.state
        if flag in (QualityFlag.FAIL, QualityFlag.MISSING) or (state.last_us is not None and t_us <= state.last_us):
            return ()
        good = flag is not QualityFlag.SUSPECT
        before, threshold_before = self.level, self._threshold_rank()
        state.last_us = t_us
        for comparator, limit in zip(state.limits, self._limits(), strict=True):
            comparator.step(t_us, level_m, limit, self.settings, may_release=good)
        slope = self._slope(t_us, level_m)
        self._step_rise(t_us, level_m, slope, may_release=good)
        return tuple(self._changes(t_us, level_m, slope, before, threshold_before, good=good))

    def _limits(self) -> tuple[float, float, float]:
        return self.thresholds.waspada_m, self.thresholds.siaga_m, self.thresholds.awas_m

    def _threshold_rank(self) -> int:
        return max((rank for rank, c in enumerate(self.state.limits, start=1) if c.active), default=0)

    def _rise_rank(self) -> int:
        return self.state.rise_rank if self.state.rise.active else 0

    def _slope(self, t_us: int, level_m: float) -> float | None:
        """Return the robust slope of the window, m/h; None with fewer than three values."""
        if self.settings.travel_time_us is None:
            return None
        recent = self.state.recent
        recent.append((t_us, level_m))
        while recent[0][0] < t_us - self.settings.slope_window_us:
            recent.pop(0)
        per_s = theil_sen_slope([(t - t_us) / US_PER_S for t, _ in recent], [value for _, value in recent])
        return None if per_s is None else per_s * 3600

    def _step_rise(self, t_us: int, level_m: float, slope: float | None, *, may_release: bool) -> None:
        """Step up early by one level when the slope reaches the next limit within the travel time."""
        state, travel_us = self.state, self.settings.travel_time_us
        if travel_us is None:
            return
        threshold_rank = self._threshold_rank()
        if state.rise.active and threshold_rank >= state.rise_rank:
            state.rise, state.rise_rank = Comparator(), 0
        if not state.rise.active:
            next_rank = min(threshold_rank + 1, Siaga.AWAS.rank)
            if next_rank != state.rise_rank:
                state.rise, state.rise_rank = Comparator(), next_rank
        if threshold_rank == Siaga.AWAS.rank or (slope is None and not state.rise.active):
            return
        ahead_m = level_m + max(slope or 0.0, 0.0) * travel_us / US_PER_HOUR
        limit = self.thresholds.limit_m(Siaga.of_rank(state.rise_rank))
        state.rise.step(t_us, ahead_m, limit, self.settings, may_release=may_release)

    def _changes(
        self, t_us: int, level_m: float, slope: float | None, before: Siaga, threshold_before: int, *, good: bool
    ) -> Iterator[SiagaChange]:
        after, state, threshold_rank = self.level, self.state, self._threshold_rank()

        def change(to: Siaga, kind: ChangeKind, reason: Reason) -> SiagaChange:
            return SiagaChange(t_us, before, to, kind, reason, level_m, slope, state.verified)

        if threshold_rank > threshold_before and threshold_rank >= before.rank:
            state.verified = good
            reached = Siaga.of_rank(threshold_rank)
            kind = ChangeKind.RAISE if threshold_rank > before.rank else ChangeKind.CONFIRM
            yield change(reached, kind, Reason.THRESHOLD)
            before = reached
        elif not state.verified and good and level_m > self.thresholds.limit_m(after):
            state.verified = True
            yield change(after, ChangeKind.VERIFY, Reason.THRESHOLD)
        if after.rank > before.rank:
            state.verified = good
            yield change(after, ChangeKind.RAISE, Reason.RATE_OF_RISE)
        elif after.rank < before.rank:
            by_limit = threshold_before == before.rank
            state.verified = state.verified or after is Siaga.NORMAL
            yield change(after, ChangeKind.LOWER, Reason.THRESHOLD if by_limit else Reason.RATE_OF_RISE)
