"""Siaga levels and the state machine that raises and lowers them for one river post.

Siaga 4 is normal and Siaga 1 the worst, so a bare number is never shown: `Siaga` has names, and a rank that
grows with danger.

The machine is pure: it is told values with their phenomenon times and answers with changes. Each limit is an
independent comparator with hysteresis (down only when at least ``hysteresis_m`` below the limit **and** for
at least ``fall_after_us``); one further comparator looks at the level extrapolated over the travel time.
"""

import enum
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from serayu.models.hydrology.rise import theil_sen_slope
from serayu.models.quality.flags import QualityFlag
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, US_PER_S

SLOPE_SAMPLES = 60  # most values behind a slope: one every 30 s of the usual window [project proposal]
_UNUSABLE = frozenset({QualityFlag.FAIL, QualityFlag.MISSING})


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
        Time the flood needs to the places that this post warns; None switches the early step-up off.
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
        Robust slope of the last half hour (``slope_window_us``), None with fewer than three values in it.
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
    """State of one limit: active or not, by a good value or not, since when the opposite has been seen."""

    active: bool = False
    verified: bool = False
    above_since_us: int | None = None
    below_since_us: int | None = None

    def step(self, t_us: int, value: float, limit: float, settings: SiagaSettings, *, good: bool) -> None:
        """Take one value; one that is not good keeps an active limit active and verifies nothing."""
        if value > limit:
            self.above_since_us = t_us if self.above_since_us is None else self.above_since_us
            self.below_since_us = None
            self.active = self.active or t_us - self.above_since_us >= settings.min_duration_us
            self.verified = self.active and (self.verified or good)
            return
        self.above_since_us = None
        if not self.active or not good:
            return
        if value > limit - settings.hysteresis_m + 1e-9:  # decimal limits: 5.0 - 0.1 is not quite 4.9
            self.below_since_us = None
            return
        self.below_since_us = t_us if self.below_since_us is None else self.below_since_us
        if t_us - self.below_since_us >= settings.fall_after_us:
            self.active, self.verified, self.below_since_us = False, False, None


class SiagaState(msgspec.Struct):
    """All that a machine remembers, JSON-able so that an evaluator survives a restart."""

    last_us: int | None = None
    limits: list[Comparator] = msgspec.field(default_factory=lambda: [Comparator() for _ in range(3)])
    rise: Comparator = msgspec.field(default_factory=Comparator)
    rise_rank: int = 0
    recent: list[tuple[int, float]] = msgspec.field(default_factory=list)


def classify(level_m: float, thresholds: Thresholds) -> Siaga:
    """Return the level without memory: above a limit is in its class, exactly at it is not.

    So the published table of Katulampa (2019): 80 cm is still Siaga 4.
    """
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
        self,
        thresholds: Thresholds,
        settings: SiagaSettings | None = None,
        *,
        state: SiagaState | None = None,
    ) -> None:
        self.thresholds = thresholds
        self.settings = settings or SiagaSettings()
        self.state = state or SiagaState()

    @property
    def level(self) -> Siaga:
        """The level in force."""
        return Siaga.of_rank(max(self._threshold_rank(), self._rise_rank()))

    @property
    def verified(self) -> bool:
        """Whether a good value stands behind the level in force; always so for normal."""
        rank = self.level.rank
        limit = self.state.limits[rank - 1] if rank else None
        if limit is None or (limit.active and limit.verified):
            return True
        return self._rise_rank() == rank and self.state.rise.verified

    def step(self, t_us: int, level_m: float, flag: QualityFlag) -> Sequence[SiagaChange]:
        """Take one observation in order of time.

        Parameters
        ----------
        t_us
            Phenomenon time; one that is not later than the last is ignored.
        level_m
            Water level, metres above the datum.
        flag
            Fail and missing (so is a value that is not finite) never change anything; suspect raises, marked
            unverified, and never lowers.

        Returns
        -------
        sequence of SiagaChange
            Usually empty.
        """
        state = self.state
        if (
            flag in _UNUSABLE
            or not math.isfinite(level_m)
            or (state.last_us is not None and t_us <= state.last_us)
        ):
            return ()
        good = flag is not QualityFlag.SUSPECT
        before = _Before(self.level, self._threshold_rank(), self.verified)
        state.last_us = t_us
        self._remember(t_us, level_m)
        for comparator, limit in zip(state.limits, self._limits(), strict=True):
            comparator.step(t_us, level_m, limit, self.settings, good=good)
        self._step_rise(t_us, level_m, good=good)
        changes = tuple(self._changes(t_us, level_m, before, good=good))
        if not changes:
            return ()
        slope = self._slope(t_us)
        return tuple(msgspec.structs.replace(change, slope_m_per_h=slope) for change in changes)

    def _limits(self) -> tuple[float, float, float]:
        return self.thresholds.waspada_m, self.thresholds.siaga_m, self.thresholds.awas_m

    def _threshold_rank(self) -> int:
        return max((rank for rank, c in enumerate(self.state.limits, start=1) if c.active), default=0)

    def _rise_rank(self) -> int:
        return self.state.rise_rank if self.state.rise.active else 0

    def _remember(self, t_us: int, level_m: float) -> None:
        """Keep the window of the slope, thinned to `SLOPE_SAMPLES` so that a fast sensor costs no more."""
        recent, window_us = self.state.recent, self.settings.slope_window_us
        if len(recent) > 1 and recent[-1][0] - recent[-2][0] < window_us // SLOPE_SAMPLES:
            recent[-1] = (t_us, level_m)
        else:
            recent.append((t_us, level_m))
        while recent[0][0] < t_us - window_us:
            recent.pop(0)

    def _slope(self, t_us: int) -> float | None:
        """Return the robust slope of the window, m/h; None with fewer than three values."""
        recent = self.state.recent
        per_s = theil_sen_slope([(t - t_us) / US_PER_S for t, _ in recent], [value for _, value in recent])
        return None if per_s is None else per_s * US_PER_HOUR / US_PER_S

    def _step_rise(self, t_us: int, level_m: float, *, good: bool) -> None:
        """Step up early by one level when the slope reaches the next limit within the travel time.

        An unknown slope (after a gap) foresees nothing and counts as zero for a level that was foreseen
        before: it is left only after ``fall_after_us``, as everything is.
        """
        state, travel_us = self.state, self.settings.travel_time_us
        if travel_us is None:
            return
        threshold_rank = self._threshold_rank()
        if not state.rise.active or threshold_rank >= state.rise_rank:
            next_rank = min(threshold_rank + 1, Siaga.AWAS.rank)
            if (
                state.rise.active or next_rank != state.rise_rank
            ):  # else it may be waiting for its minimum duration
                state.rise, state.rise_rank = Comparator(), next_rank
        slope = self._slope(t_us)
        if threshold_rank == Siaga.AWAS.rank or (slope is None and not state.rise.active):
            return
        ahead_m = level_m + max(slope or 0.0, 0.0) * travel_us / US_PER_HOUR
        held = state.rise.active
        state.rise.step(t_us, ahead_m, self._rise_limit_m(), self.settings, good=good)
        while held and not state.rise.active and state.rise_rank > threshold_rank + 1:
            # The level behind the threshold's may have fallen meanwhile: go down to what is still foreseen.
            state.rise_rank -= 1
            foreseen = ahead_m > self._rise_limit_m() - self.settings.hysteresis_m
            state.rise = Comparator(active=foreseen, verified=foreseen)

    def _rise_limit_m(self) -> float:
        return self.thresholds.limit_m(Siaga.of_rank(self.state.rise_rank))

    def _changes(self, t_us: int, level_m: float, before: "_Before", *, good: bool) -> Iterator[SiagaChange]:
        after, threshold_rank = self.level, self._threshold_rank()
        level = before.level

        def change(to: Siaga, kind: ChangeKind, reason: Reason, *, verified: bool) -> SiagaChange:
            return SiagaChange(t_us, level, to, kind, reason, level_m, None, verified)

        if threshold_rank > before.threshold_rank and threshold_rank >= level.rank:
            reached = Siaga.of_rank(threshold_rank)
            kind = ChangeKind.RAISE if threshold_rank > level.rank else ChangeKind.CONFIRM
            yield change(reached, kind, Reason.THRESHOLD, verified=good)
            level = reached
        elif after is level and self.verified and not before.verified:
            reason = Reason.THRESHOLD if threshold_rank == after.rank else Reason.RATE_OF_RISE
            yield change(after, ChangeKind.VERIFY, reason, verified=True)
        if after.rank > level.rank:
            yield change(after, ChangeKind.RAISE, Reason.RATE_OF_RISE, verified=good)
        elif after.rank < level.rank:
            by_limit = before.threshold_rank == level.rank
            reason = Reason.THRESHOLD if by_limit else Reason.RATE_OF_RISE
            yield change(after, ChangeKind.LOWER, reason, verified=self.verified)


class _Before(NamedTuple):
    """What held before a value was taken."""

    level: Siaga
    threshold_rank: int
    verified: bool
