"""The state machine that raises and lowers the Siaga level of one river post.

The machine is pure: it is told values with their phenomenon times and answers with changes. Each limit is an
independent comparator with hysteresis (down only when at least ``hysteresis_m`` below the limit **and** for
at least ``fall_after_us``); one further comparator looks at the level extrapolated over the travel time.
It remembers its last few values with what it knew before each, so that one which fails its tests later can be
taken back as if it had never been. A value behind a newer one can still raise, for as long as what it raises
would be held; it never lowers.

A third source is a forecast (`SiagaMachine.foresee`): it raises before the crossing and never lowers what was measured.
What nobody renews lapses (`SiagaMachine.lapse`), which is not "back to normal".
"""

import math
from collections.abc import Iterator, Sequence

import msgspec

from serayu.models.hydrology.rise import theil_sen_slope
from serayu.models.quality.flags import QualityFlag
from serayu.models.siaga_forecast import Decision, ForecastPolicy
from serayu.models.siaga_levels import (
    ChangeKind,
    Reason,
    Siaga,
    SiagaChange,
    SiagaSettings,
    Thresholds,
    classify,
)
from serayu.models.siaga_state import JOURNAL, Comparator, SiagaState, Standing, Taken, latest, state_before
from serayu.models.times import US_PER_HOUR, US_PER_S

__all__ = [
    "JOURNAL",
    "SLOPE_SAMPLES",
    "ChangeKind",
    "Comparator",
    "ForecastPolicy",
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

SLOPE_SAMPLES = 60  # most values behind a slope: one every 30 s of the usual window [project proposal]
_UNUSABLE = frozenset({QualityFlag.FAIL, QualityFlag.MISSING})


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
        return Siaga.of_rank(max(self._threshold_rank(), self._rise_rank(), self.state.forecast.rank))

    @property
    def verified(self) -> bool:
        """Whether good values stand behind the level in force; always so for normal, and for a forecast."""
        rank = self.level.rank
        limit = self.state.limits[rank - 1] if rank else None
        if limit is None or (limit.active and limit.verified):
            return True
        if self._rise_rank() == rank:
            return self.state.rise.verified
        return not limit.active

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
        self._note_raise(t_us, before.level)
        changes = tuple(self._changes(t_us, level_m, before, good=good))
        if not changes or t_us != self.state.last_us:
            return changes
        slope = self._slope(t_us)
        return tuple(msgspec.structs.replace(change, slope_m_per_h=slope) for change in changes)

    def foresee(
        self,
        t_us: int,
        probabilities: Sequence[float | None],
        policy: ForecastPolicy | None = None,
        *,
        decision: Decision | None = None,
    ) -> Sequence[SiagaChange]:
        """Take one forecast: a level stands while its limit is likely to be passed, whatever else says less.

        Parameters
        ----------
        t_us
            When it was issued: the newest value that it knew. One that is not newer than the last changes nothing.
        probabilities
            Of passing the limits of waspada, siaga and awas within the lead time, 0-1; None where it does not say.
        policy
            Which probabilities raise, and which let go after ``fall_after_us``.
        decision
            What the tuned rule of the model decides; then *probabilities* and *policy* decide nothing.

        Returns
        -------
        sequence of SiagaChange
            At most one. A post of which no value is known yet is not spoken of.
        """
        newest_m, before = self._newest_m(), self._standing()
        if newest_m is None:
            return ()
        forecast = self.state.forecast
        if decision is not None:
            new = forecast.decide(t_us, decision, crossing=self._crossing(newest_m))
        else:
            fall_after_us = self.settings.fall_after_us
            new = forecast.step(t_us, probabilities, policy or ForecastPolicy(), fall_after_us=fall_after_us)
        if not new:
            return ()
        after = self.level
        if after is before.level:
            return ()
        self._note_raise(t_us, before.level)
        kind = ChangeKind.RAISE if after.rank > before.level.rank else ChangeKind.LOWER
        return (self._by_clock(t_us, before.level, kind, Reason.FORECAST, newest_m),)

    def _crossing(self, newest_m: float) -> list[bool]:
        """Return of which levels the newest value passes the limit without having been above for long enough."""
        return [
            newest_m > limit and not comparator.active
            for comparator, limit in zip(self.state.limits, self._limits(), strict=True)
        ]

    def sustain(self, t_us: int) -> None:
        """Note that a source which stands in for the post still supports the level in force, so that it stands."""
        if self.level is not Siaga.NORMAL:
            self.state.held_us = max(t_us, self.state.held_us or t_us)

    def lapse(self, now_us: int) -> Sequence[SiagaChange]:
        """Give up what nothing has renewed for too long.

        What rests on a forecast goes ``forecast_lapse_us`` after the last one: a post that still speaks is lowered to
        what it says, a silent one lapses. Everything goes ``lapse_after_us`` after the last good value, or after the
        level last rose where only doubtful values raised it: else they would raise it anew with each reading. A source
        that stands in for the post (`sustain`) renews both.

        Returns
        -------
        sequence of SiagaChange
            At most one.
        """
        state, before, newest_m = self.state, self._standing(), self._newest_m()
        if before.level is Siaga.NORMAL or newest_m is None:
            return ()
        held_us = latest(state.held_us)
        good_us = latest(state.good_us if state.good_us is not None else state.last_us)
        if now_us - max(good_us, held_us, latest(state.raised_us)) > self.settings.lapse_after_us:
            self.state = SiagaState(last_us=state.last_us, good_us=state.good_us)
            self.state.forecast.issued_us = state.forecast.issued_us
            return (self._by_clock(now_us, before.level, ChangeKind.LAPSE, Reason.THRESHOLD, newest_m),)
        forecast_us = max(latest(state.forecast.issued_us), held_us)
        if not state.forecast.rank or now_us - forecast_us <= self.settings.forecast_lapse_us:
            return ()
        state.forecast.clear()
        if self.level is before.level:
            return ()
        speaks = now_us - good_us <= self.settings.forecast_lapse_us
        kind = ChangeKind.LOWER if speaks else ChangeKind.LAPSE
        return (self._by_clock(now_us, before.level, kind, Reason.FORECAST, newest_m),)

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
        self.state = state_before(failed, now, place)
        for taken in later:
            self._take(taken.t_us, taken.level_m, good=taken.good)
        after = self._standing()
        if after.level.rank > before.level.rank or after.threshold_rank > before.threshold_rank:
            self.state = now
            return ()
        return () if after == before else (self._retraction(failed, before, after),)

    def _retraction(self, failed: Taken, before: Standing, after: Standing) -> SiagaChange:
        newest = max(self.state.journal, key=lambda taken: taken.t_us, default=failed)
        return SiagaChange(
            at_us=max(failed.t_us, newest.t_us),
            before=before.level,
            after=after.level,
            kind=ChangeKind.RETRACT,
            reason=after.reason,
            level_m=newest.level_m,
            slope_m_per_h=self._slope(newest.t_us),
            verified=after.verified,
        )

    def _by_clock(
        self, t_us: int, before: Siaga, kind: ChangeKind, reason: Reason, level_m: float
    ) -> SiagaChange:
        """Return a change that no value of the post has brought about, with the last one known."""
        slope = (
            None
            if kind is ChangeKind.LAPSE or self.state.last_us is None
            else self._slope(self.state.last_us)
        )
        return SiagaChange(t_us, before, self.level, kind, reason, level_m, slope, self.verified)

    def _note_raise(self, t_us: int, before: Siaga) -> None:
        if self.level.rank > before.rank:
            self.state.raised_us = max(t_us, latest(self.state.raised_us))

    def _newest_m(self) -> float | None:
        return self.state.recent[-1][1] if self.state.recent else None

    def _standing(self) -> Standing:
        return Standing(self.level, self._threshold_rank(), self._rise_rank(), self.verified)

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
        if good:
            state.good_us = max(t_us, latest(state.good_us))
        behind = state.last_us is not None and t_us < state.last_us
        if not behind or level_m > self.thresholds.bounds_m[0]:  # else there is nothing to take back
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
        return self.thresholds.bounds_m

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
        rising = 0.0 if slope is None or slope < self._least_slope() else slope
        ahead_m = level_m + rising * travel_us / US_PER_HOUR
        held = state.rise.active
        state.rise.step(t_us, ahead_m, self._rise_limit_m(), self.settings, good=good)
        while held and not state.rise.active and state.rise_rank > threshold_rank + 1:
            # The level behind the threshold's may have fallen meanwhile: go down to what is still foreseen.
            state.rise_rank -= 1
            foreseen = ahead_m > self._rise_limit_m() - self.settings.hysteresis_m
            state.rise = Comparator(active=foreseen, verified=foreseen)

    def _rise_limit_m(self) -> float:
        return self.thresholds.limit_m(Siaga.of_rank(self.state.rise_rank))

    def _least_slope(self) -> float:
        """Return the slope, m/h, that makes up ``rise_at_least_m`` over its window."""
        return self.settings.rise_at_least_m * US_PER_HOUR / max(self.settings.slope_window_us, 1)

    def _changes(self, t_us: int, level_m: float, before: Standing, *, good: bool) -> Iterator[SiagaChange]:
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
            yield change(after, ChangeKind.VERIFY, self._standing().reason, verified=True)
        if after.rank > level.rank:
            yield change(after, ChangeKind.RAISE, Reason.RATE_OF_RISE, verified=good)
        elif after.rank < level.rank:
            reason = before.reason if level is before.level else Reason.THRESHOLD
            yield change(after, ChangeKind.LOWER, reason, verified=self.verified)
