"""When to warn: one rule for the backtest, the replay and the live evaluator, one step at a time.

A warning foresees a crossing. Once the level is above the limit the flood is observed, which is the Siaga machine's
word: the warning has served and none is issued until the event is over.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serayu.models.flood.events import EVENT_END_US, LAPSE_US, Warned
from serayu.models.flood.frame import FloatArray, IntArray

__all__ = ["Act", "PolicyState", "Signals", "Situation", "WarningPolicy", "simulate", "thinned"]

_NEVER_US = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known at one time.

    Parameters
    ----------
    t_us
        Microseconds UTC.
    level
        Newest level, NaN when none came.
    probabilities
        Probability that the level is above the limit at each horizon of the forecast; NaN where there is none.
    upstream
        Newest level of the nearest upstream post, its own unit; NaN when unknown.
    """

    t_us: int
    level: float
    probabilities: Sequence[float] = ()
    upstream: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningPolicy:
    """Rule of one limit: any of three reasons, each switched off by an infinite value.

    Parameters
    ----------
    limit
        Level warned of, unit of the post.
    horizons
        Which horizons of the forecast count, by their place in it; the highest probability decides.
    probability_on
        Warn from this probability on; above 1 never.
    level_min
        ... while the level is at least this.
    level_on
        Or warn when the level is above this, whatever the forecast says.
    upstream_on
        Or when the nearest upstream post is above this.
    confirm
        Rows in a row on which a reason must hold.
    hold_us
        How long a warning stays in force without a reason, at most 24 h.
    renew
        Whether a warning whose reason still holds after 24 h is issued again.
    rearm_us
        How long the level must have been below the limit before the next warning.
    upstream_min
        A probability counts only while the nearest upstream post, where it is known, is at least this.
    quiet_us
        After a warning or a flood, how long there must have been no reason before the next warning: none is given
        twice on one recession. 0 asks for none.
    slack
        Share of *probability_on* (and of the way from *level_on* down to it) that ends a reason: no flapping.
    """

    limit: float
    horizons: tuple[int, ...] = ()
    probability_on: float = math.inf
    level_min: float = -math.inf
    level_on: float = math.inf
    upstream_on: float = math.inf
    confirm: int = 1
    hold_us: int = LAPSE_US
    renew: bool = False
    rearm_us: int = EVENT_END_US
    slack: float = 0.6
    upstream_min: float = -math.inf
    quiet_us: int = 0

    def reasons(self, situation: Situation) -> tuple[bool, bool]:
        """Return whether there is reason to warn, and whether there is still reason to have warned."""
        likely = -math.inf
        for place in self.horizons:
            probability = situation.probabilities[place]
            if probability > likely:  # noqa: PLR1730 - max() would keep a NaN
                likely = probability
        level = situation.level
        high = level >= self.level_min or (self.level_min == -math.inf and level != level)  # noqa: PLR0124
        high = high and not situation.upstream < self.upstream_min
        other = level > self.level_on or situation.upstream > self.upstream_on
        return (
            other or (high and likely >= self.probability_on),
            other or likely >= self.slack * self.probability_on,
        )

    def step(self, state: "PolicyState", situation: Situation) -> "Act | None":
        """Decide at one time; *state* moves on.

        Parameters
        ----------
        situation
            Later than the one before.
        """
        on, still = self.reasons(situation)
        level = situation.level
        known = level == level  # noqa: PLR0124 - not NaN
        return state.advance(self, situation.t_us, known=known, above=level > self.limit, on=on, still=still)


@dataclass(frozen=True, slots=True)
class Act:
    """What a step did: a warning ended, a warning began, or both (a renewal)."""

    ended: Warned | None = None
    issued_us: int | None = None


@dataclass(slots=True)
class PolicyState:
    """Where a rule stands; plain values, so that a program can store it.

    Parameters
    ----------
    issue_us
        Issue of the warning in force; None when there is none.
    until_us
        Until when it holds.
    running
        Whether the event is on: above the limit, or not below for long enough.
    below_since_us
        First reading at or below the limit since then.
    blocked
        Whether a warning lapsed whose reason has not ended: it is not issued anew.
    count
        Rows in a row with a reason.
    supported
        Whether there was still reason on the row before.
    spent
        Whether this spell of reasons has had its warning or its flood (see `WarningPolicy.quiet_us`).
    quiet_since_us
        First reading without a reason, at or below the limit, since the last other one.
    """

    issue_us: int | None = None
    until_us: int = -_NEVER_US
    running: bool = False
    below_since_us: int | None = None
    blocked: bool = False
    count: int = 0
    supported: bool = False
    spent: bool = False
    quiet_since_us: int | None = None

    def advance(
        self, policy: WarningPolicy, t_us: int, *, known: bool, above: bool, on: bool, still: bool
    ) -> Act | None:
        """Take one step with the reasons already judged."""
        supported, self.supported = self.supported, still
        self._rest(t_us, policy.quiet_us, known=known, reason=on or still or above)
        ended = self._lapse(t_us)
        if above:
            self.spent = policy.quiet_us > 0
            ended = self._end(t_us) or ended
            self.running, self.below_since_us = True, None
            self.blocked, self.count = False, 0
            return Act(ended=ended) if ended else None
        if self.running:
            self._fall(t_us, policy.rearm_us, known=known)
        self.count = self.count + 1 if on else 0
        issued = False
        if self.issue_us is not None:
            if still:
                self.until_us = min(self.issue_us + LAPSE_US, t_us + policy.hold_us)
        elif ended is not None and ended.end_us - ended.issue_us >= LAPSE_US and supported and still:
            issued = on and policy.renew
            self.blocked = not issued
        elif self.blocked:
            self.blocked = still
        elif on and not self.running and not self.spent:
            issued = self.count >= policy.confirm
        if issued:
            self.issue_us, self.until_us = t_us, t_us + policy.hold_us
            self.spent = policy.quiet_us > 0
        return Act(ended=ended, issued_us=t_us if issued else None) if ended or issued else None

    def _lapse(self, t_us: int) -> Warned | None:
        if self.issue_us is None or (t_us <= self.until_us and t_us - self.issue_us < LAPSE_US):
            return None
        return self._end(self.until_us)

    def _end(self, t_us: int) -> Warned | None:
        if self.issue_us is None:
            return None
        ended = Warned(self.issue_us, t_us)
        self.issue_us = None
        return ended

    def _rest(self, t_us: int, quiet_us: int, *, known: bool, reason: bool) -> None:
        if not reason:
            if known and self.quiet_since_us is None:
                self.quiet_since_us = t_us
            return
        if self.quiet_since_us is not None and t_us - self.quiet_since_us >= quiet_us:
            self.spent = False
        self.quiet_since_us = None

    def _fall(self, t_us: int, rearm_us: int, *, known: bool) -> None:
        if known and self.below_since_us is None:
            self.below_since_us = t_us
        if self.below_since_us is not None and t_us - self.below_since_us >= rearm_us:
            self.running = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Situations of many rows as arrays, in order of time.

    Parameters
    ----------
    t_us
        Shape (n,).
    level, upstream
        Shape (n,), NaN unknown.
    probabilities
        Shape (n, horizons), NaN unknown.
    """

    t_us: IntArray
    level: FloatArray
    probabilities: FloatArray
    upstream: FloatArray

    def __len__(self) -> int:
        return len(self.t_us)

    def situation(self, row: int) -> Situation:
        """Return one row as `WarningPolicy.step` takes it."""
        return Situation(
            t_us=int(self.t_us[row]),
            level=float(self.level[row]),
            probabilities=self.probabilities[row].tolist(),
            upstream=float(self.upstream[row]),
        )


def simulate(policy: WarningPolicy, signals: Signals) -> list[Warned]:
    """Return the warnings that a rule gives over many rows: `WarningPolicy.step` in a loop, made quick.

    Rows on which nothing can change are skipped: those without reason, not above the limit, and not the first after
    such a row. A warning still in force at the end holds until it would lapse.
    """
    on, still = _reasons(policy, signals)
    known = np.isfinite(signals.level)
    above = np.where(known, signals.level, -math.inf) > policy.limit
    rows = np.flatnonzero(_eventful(known, above, on, still))
    state = PolicyState()
    warnings: list[Warned] = []
    advance = state.advance
    for t, k, a, o, s in zip(
        signals.t_us[rows].tolist(),
        known[rows].tolist(),
        above[rows].tolist(),
        on[rows].tolist(),
        still[rows].tolist(),
        strict=True,
    ):
        act = advance(policy, t, known=k, above=a, on=o, still=s)
        if act is not None and act.ended is not None:
            warnings.append(act.ended)
    if state.issue_us is not None:
        warnings.append(Warned(state.issue_us, state.until_us))
    return warnings


def thinned(signals: Signals, loosest: WarningPolicy) -> Signals:
    """Return the rows that matter to any rule no looser than *loosest*: `simulate` gives the same on them.

    Parameters
    ----------
    loosest
        A rule with the limit, all horizons, and the lowest probability, level and upstream level of those to try.
    """
    on, still = _reasons(loosest, signals)
    known = np.isfinite(signals.level)
    above = np.where(known, signals.level, -math.inf) > loosest.limit
    rows = np.flatnonzero(_eventful(known, above, on, still))
    return Signals(
        t_us=signals.t_us[rows],
        level=signals.level[rows],
        probabilities=signals.probabilities[rows],
        upstream=signals.upstream[rows],
    )


def _reasons(policy: WarningPolicy, signals: Signals) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    if policy.horizons and policy.probability_on <= 1:
        chosen = signals.probabilities[:, list(policy.horizons)]
        likely = np.where(np.isnan(chosen), -math.inf, chosen).max(axis=1)
    else:
        likely = np.full(len(signals), -math.inf)
    with np.errstate(invalid="ignore"):
        other = (signals.level > policy.level_on) | (signals.upstream > policy.upstream_on)
        high = signals.level >= policy.level_min if policy.level_min > -math.inf else np.True_
        high &= ~(signals.upstream < policy.upstream_min)
    return other | (high & (likely >= policy.probability_on)), other | (
        likely >= policy.slack * policy.probability_on
    )


def _eventful(
    known: npt.NDArray[np.bool_],
    above: npt.NDArray[np.bool_],
    on: npt.NDArray[np.bool_],
    still: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """Mark the rows that a rule must see: with a reason or above, the next row, and the next that is known."""
    reason = on | still | above
    eventful = reason.copy()
    eventful[1:] |= reason[:-1]
    seen = np.flatnonzero(known)
    if len(seen):
        after = np.searchsorted(seen, np.flatnonzero(reason), side="right")
        eventful[seen[after[after < len(seen)]]] = True
    return eventful
