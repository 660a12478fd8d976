"""The state machine that raises and lowers the Siaga level of one river post.

The machine is pure: it is told values with their phenomenon times and answers with changes. Each limit is an
independent comparator with hysteresis (down only when at least ``hysteresis_m`` below the limit **and** for
at least ``fall_after_us``); one further comparator looks at the level extrapolated over the travel time.
It remembers its last few values with what it knew before each, so that one which fails its tests later can be
taken back as if it had never been. A value behind a newer one can still raise, for as long as what it raises
would be held; it never lowers.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple

import msgspec

from serayu.models.hydrology.rise import theil_sen_slope
from serayu.models.quality.flags import QualityFlag
from serayu.models.siaga_levels import (
    ChangeKind,
    Reason,
    Siaga,
    SiagaChange,
    SiagaSettings,
    Thresholds,
    classify,
)
from serayu.models.times import US_PER_HOUR, US_PER_S

__all__ = [
    "ChangeKind",
    "Comparator",
    "Reason",
    "Siaga",
    "SiagaChange",
    "SiagaMachine",
    "SiagaSettings",
    "SiagaState",
    "Taken",
    "Thresholds",
    "classify",
]

JOURNAL = 8
"""Newest values that can be taken back; quality control revises the one before the newest."""
SLOPE_SAMPLES = 60  # most values behind a slope: one every 30 s of the usual window [project proposal]
_UNUSABLE = frozenset({QualityFlag.FAIL, QualityFlag.MISSING})


class Comparator(msgspec.Struct, omit_defaults=True):
    """State of one limit: active or not, by a good value or not, since when the opposite has been seen."""

    active: bool = False
    verified: bool = False
    above_since_us: int | None = None
    below_since_us: int | None = None
    behind_since_us: int | None = None  # since when the values that came behind newer ones are above

    def step(self, t_us: int, value: float, limit: float, settings: SiagaSettings, *, good: bool) -> None:
        """Take one value; one that is not good keeps an active limit active and verifies nothing."""
        self.behind_since_us = None
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

    def step_behind(
        self, t_us: int, value: float, limit: float, settings: SiagaSettings, *, good: bool
    ) -> None:
        """Take one value that is older than the newest; it may activate the limit and never leaves it.

        The minimum duration is that of an unbroken run of such values, as a clock that was ahead once or a pack
        that was lost at first gives them. What came in order is neither joined to the run nor changed by it,
        except that a fall which the value interrupts begins anew.
        """
        if value <= limit:
            self.behind_since_us = None
            return
        if self.behind_since_us is None or t_us < self.behind_since_us:
            self.behind_since_us = t_us
        if self.below_since_us is not None and t_us >= self.below_since_us:
            self.below_since_us = None
        self.active = self.active or t_us - self.behind_since_us >= settings.min_duration_us
        self.verified = self.active and (self.verified or good)


class Taken(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value that was taken, and what was known before it."""

    t_us: int
    level_m: float
    good: bool
    last_us: int | None
    limits: list[Comparator]
    rise: Comparator
    rise_rank: int


class SiagaState(msgspec.Struct):
    """All that a machine remembers, JSON-able so that an evaluator survives a restart."""

    last_us: int | None = None
    limits: Annotated[list[Comparator], msgspec.Meta(min_length=3, max_length=3)] = msgspec.field(
        default_factory=lambda: [Comparator() for _ in range(3)]
    )
    rise: Comparator = msgspec.field(default_factory=Comparator)
    rise_rank: int = 0
    recent: list[tuple[int, float]] = msgspec.field(default_factory=list)
    journal: list[Taken] = msgspec.field(default_factory=list)


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
        """Take one observation, usually in order of time.

        Parameters
        ----------
        t_us
            Phenomenon time. One before the newest counts against the limits (not for the rise) and can only raise,
            while it is less than ``fall_after_us`` older: a level that it raised then would still be in force.
            So a value that is told twice changes nothing the second time.
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
        if flag in _UNUSABLE or not math.isfinite(level_m) or self._is_past(t_us):
            return ()
        good = flag is not QualityFlag.SUSPECT
        before = self._standing()
        self._take(t_us, level_m, good=good)
        changes = tuple(self._changes(t_us, level_m, before, good=good))
        if not changes or t_us != self.state.last_us:
            return changes
        slope = self._slope(t_us)
        return tuple(msgspec.structs.replace(change, slope_m_per_h=slope) for change in changes)

    def retract(self, t_us: int) -> Sequence[SiagaChange]:
        """Take back a value that has failed its tests meanwhile, with all that it alone brought about.

        The values after it are taken once more without it (their slopes over what the window still holds). A
        value that is not among the last `JOURNAL` stays: so does a level that a failed value lowered, until a
        later value raises it.

        Parameters
        ----------
        t_us
            Phenomenon time of the value; a time that is not known changes nothing.

        Returns
        -------
        sequence of SiagaChange
            One retraction where the level, the limit behind it or its verification rested on the value.
        """
        now = self.state
        place = next((place for place, taken in enumerate(now.journal) if taken.t_us == t_us), None)
        if place is None:
            return ()
        before = self._standing()
        failed, *later = now.journal[place:]
        self.state = _state_before(failed, now, place)
        for taken in later:
            self._take(taken.t_us, taken.level_m, good=taken.good)
        after = self._standing()
        if after.level.rank > before.level.rank or after.threshold_rank > before.threshold_rank:
            self.state = now
            return ()
        return () if after == before else (self._retraction(failed, before, after),)

    def _retraction(self, failed: Taken, before: "_Standing", after: "_Standing") -> SiagaChange:
        newest = max(self.state.journal, key=lambda taken: taken.t_us, default=failed)
        by_limit = after.threshold_rank == after.level.rank
        return SiagaChange(
            at_us=max(failed.t_us, newest.t_us),
            before=before.level,
            after=after.level,
            kind=ChangeKind.RETRACT,
            reason=Reason.THRESHOLD if by_limit else Reason.RATE_OF_RISE,
            level_m=newest.level_m,
            slope_m_per_h=self._slope(newest.t_us),
            verified=after.verified,
        )

    def _standing(self) -> "_Standing":
        return _Standing(self.level, self._threshold_rank(), self.verified)

    def _is_past(self, t_us: int) -> bool:
        """Say whether a value was seen or would have no effect any more."""
        last_us = self.state.last_us
        if last_us is None or t_us > last_us:
            return False
        if t_us == last_us or last_us - t_us >= self.settings.fall_after_us:
            return True
        return any(taken.t_us == t_us for taken in self.state.journal)

    def _take(self, t_us: int, level_m: float, *, good: bool) -> None:
        """Advance the state by one value."""
        state = self.state
        behind = state.last_us is not None and t_us < state.last_us
        if not behind or level_m > self.thresholds.waspada_m:  # else there is nothing to take back
            self._note(t_us, level_m, good=good)
        if behind:
            for comparator, limit in zip(state.limits, self._limits(), strict=True):
                comparator.step_behind(t_us, level_m, limit, self.settings, good=good)
            return
        state.last_us = t_us
        self._remember(t_us, level_m)
        for comparator, limit in zip(state.limits, self._limits(), strict=True):
            comparator.step(t_us, level_m, limit, self.settings, good=good)
        self._step_rise(t_us, level_m, good=good)

    def _note(self, t_us: int, level_m: float, *, good: bool) -> None:
        """Write a value and what is known before it into the journal."""
        state = self.state
        limits = [msgspec.structs.replace(comparator) for comparator in state.limits]
        rise = msgspec.structs.replace(state.rise)
        state.journal.append(Taken(t_us, level_m, good, state.last_us, limits, rise, state.rise_rank))
        del state.journal[:-JOURNAL]

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

    def _changes(
        self, t_us: int, level_m: float, before: "_Standing", *, good: bool
    ) -> Iterator[SiagaChange]:
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


class _Standing(NamedTuple):
    """What holds at one moment."""

    level: Siaga
    threshold_rank: int
    verified: bool


def _state_before(failed: Taken, now: SiagaState, place: int) -> SiagaState:
    """Return the state before a value of the journal; the window of the slope loses it and what came after."""
    undone = {taken.t_us for taken in now.journal[place:]}
    return SiagaState(
        last_us=failed.last_us,
        limits=[msgspec.structs.replace(comparator) for comparator in failed.limits],
        rise=msgspec.structs.replace(failed.rise),
        rise_rank=failed.rise_rank,
        recent=[sample for sample in now.recent if sample[0] not in undone],
        journal=now.journal[:place],
    )
