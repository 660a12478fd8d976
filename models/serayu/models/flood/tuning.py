"""Choose each limit's warning rule on the fit part, for a stated cost of a miss against a false alarm.

Rules are tried on out-of-fold probabilities, so that the choice sees forecasts as good and as bad as those to come.
With ten or twenty floods in a fit part the single best of a thousand rules is luck; therefore costs are smoothed
along the probability, and limits that were seldom passed borrow from the others of the post [project proposal].
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from serayu.models.flood.events import Event, Match, match_warnings
from serayu.models.flood.frame import FloatArray
from serayu.models.flood.policy import Signals, WarningPolicy, simulate, thinned
from serayu.models.times import US_PER_HOUR

__all__ = ["Aims", "LevelTask", "RuleForm", "Tuned", "tune"]

PROBABILITIES = (0.08, 0.12, 0.17, 0.23, 0.3, 0.37, 0.45, 0.53, 0.61, 0.7, 0.8, 0.9)
SHARES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.86, 0.91, 0.95)
"""Shares of the way from the usual level to the limit, for rules that look at a level alone."""
_KERNEL = np.array([0.25, 0.5, 0.25])
_BORROWED_EVENTS = 4.0
_FEW_EVENTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Aims:
    """What a warning is wanted to be.

    Parameters
    ----------
    miss_cost
        Cost of a miss in false alarms.
    pod, far, lead_h
        Least probability of detection, highest false alarm ratio, least median lead. Falling short by the whole of
        one of them costs as much as *shortfall_cost* events' false alarms.
    """

    miss_cost: float = 5.0
    pod: float = 0.85
    far: float = 0.25
    lead_h: float = 3.0
    shortfall_cost: float = 2.5

    def cost(self, match: Match) -> float:
        """Return the plain cost: misses times their cost, and false alarms."""
        return self.miss_cost * match.counts.misses + match.counts.false_alarms

    def objective(self, match: Match) -> float:
        """Return the cost per event with the shortfalls added."""
        counts = match.counts
        events = counts.hits + counts.misses
        per_event = self.cost(match) / max(events, 1)
        pod, far = counts.pod, counts.far
        lead_h = float(np.median(match.leads_us)) / US_PER_HOUR if match.leads_us else 0.0
        short = max(0.0, self.pod - (pod or 0.0)) if events else 0.0
        short += max(0.0, (far or 0.0) - self.far)
        short += max(0.0, 1.0 - lead_h / self.lead_h) if events else 0.0
        return per_event + self.shortfall_cost * short


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleForm:
    """A rule without the numbers of one limit: levels are shares of the way from the usual level to the limit.

    Parameters
    ----------
    family
        ``forecast``, ``level`` or ``upstream``.
    at
        Probability, share of the way, or level of the post above.
    """

    family: str
    at: float
    horizons: tuple[int, ...] = ()
    share_min: float = -math.inf
    confirm: int = 1
    hold_h: int = 24
    renew: bool = False
    rearm_h: int = 6

    def policy(self, limit: float, usual: float) -> WarningPolicy:
        """Return the rule for one limit."""
        way = limit - usual
        return WarningPolicy(
            limit=limit,
            horizons=self.horizons,
            probability_on=self.at if self.family == "forecast" else math.inf,
            level_min=usual + self.share_min * way if self.share_min > -math.inf else -math.inf,
            level_on=usual + self.at * way if self.family == "level" else math.inf,
            upstream_on=self.at if self.family == "upstream" else math.inf,
            confirm=self.confirm,
            hold_us=self.hold_h * US_PER_HOUR,
            renew=self.renew,
            rearm_us=self.rearm_h * US_PER_HOUR,
        )

    def without_at(self) -> tuple[object, ...]:
        """Return all but *at*: rules that differ in it alone are neighbours."""
        return (
            self.family,
            self.horizons,
            self.share_min,
            self.confirm,
            self.hold_h,
            self.renew,
            self.rearm_h,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelTask:
    """One limit of the fit part: what the rule would have seen, and the events it should have foreseen."""

    limit: float
    usual: float
    signals: Signals
    events: Sequence[Event]

    def match(self, policy: WarningPolicy) -> Match:
        """Judge a rule."""
        return match_warnings([event.crossing_us for event in self.events], simulate(policy, self.signals))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """The rule of one limit and what it did in the fit part."""

    policy: WarningPolicy
    form: RuleForm
    match: Match
    note: str = ""


@dataclass(slots=True)
class _Trials:
    """Objectives of all rules tried, by limit; each rule is simulated once."""

    tasks: Mapping[str, LevelTask]
    aims: Aims
    seen: dict[RuleForm, dict[str, float]] = field(default_factory=dict)

    def of(self, form: RuleForm) -> dict[str, float]:
        if form not in self.seen:
            self.seen[form] = {
                name: self.aims.objective(task.match(form.policy(task.limit, task.usual)))
                for name, task in self.tasks.items()
            }
        return self.seen[form]

    def line(self, forms: Sequence[RuleForm], level: str) -> FloatArray:
        """Return the smoothed objectives of neighbours, as this limit and those it borrows from see them."""
        raw = np.array([self._pooled(self.of(form), level) for form in forms])
        if len(raw) < len(_KERNEL):
            return raw
        padded = np.concatenate((raw[:1], raw, raw[-1:]))
        return np.convolve(padded, _KERNEL, mode="valid")

    def _pooled(self, objective: Mapping[str, float], level: str) -> float:
        own = len(self.tasks[level].events)
        counts = {name: len(task.events) for name, task in self.tasks.items()}
        total = sum(counts.values())
        pooled = sum(counts[name] * objective[name] for name in counts) / total if total else 0.0
        return (own * objective[level] + _BORROWED_EVENTS * pooled) / (own + _BORROWED_EVENTS)


def tune(
    tasks: Mapping[str, LevelTask],
    *,
    horizons_h: Sequence[float],
    upstream_levels: Sequence[float] = (),
    aims: Aims | None = None,
) -> dict[str, Tuned]:
    """Choose the rule of each limit of a post.

    Parameters
    ----------
    tasks
        By level, lowest first.
    horizons_h
        Horizons of the forecast, in the order of the probabilities.
    upstream_levels
        Levels of the nearest upstream post to try as triggers.
    aims
        The standard ones when None.
    """
    tasks = {
        level: replace(task, signals=_thinned(task, len(horizons_h), upstream_levels))
        for level, task in tasks.items()
    }
    trials = _Trials(tasks=tasks, aims=aims or Aims())
    first = _first_lines(len(horizons_h), upstream_levels)
    chosen: dict[str, Tuned] = {}
    for level, task in tasks.items():
        if sum(len(each.events) for each in tasks.values()) < _FEW_EVENTS:
            form = RuleForm(family="forecast", at=0.5, horizons=tuple(range(len(horizons_h))), share_min=0.0)
            policy = form.policy(task.limit, task.usual)
            chosen[level] = Tuned(
                policy=policy, form=form, match=task.match(policy), note="too few events to tune"
            )
            continue
        ranked = sorted((float(trials.line(line, level).min()), at) for at, line in enumerate(first))
        lines = list(first)
        for _, at in ranked[:3]:
            lines += _variants(first[at])
        form = _best(trials, lines, level)
        policy = form.policy(task.limit, task.usual)
        chosen[level] = Tuned(policy=policy, form=form, match=task.match(policy))
    return chosen


def _thinned(task: LevelTask, horizons: int, upstream_levels: Sequence[float]) -> Signals:
    loosest = WarningPolicy(
        limit=task.limit,
        horizons=tuple(range(horizons)),
        probability_on=PROBABILITIES[0],
        level_on=task.usual + SHARES[0] * (task.limit - task.usual),
        upstream_on=min(upstream_levels, default=math.inf),
    )
    return thinned(task.signals, loosest)


def _best(trials: _Trials, lines: Sequence[Sequence[RuleForm]], level: str) -> RuleForm:
    """Return the rule of least smoothed objective, the first of equals."""
    candidates = [
        (cost, form)
        for line in lines
        for cost, form in zip(trials.line(line, level).tolist(), line, strict=True)
    ]
    return min(candidates, key=lambda pair: pair[0])[1]


def _first_lines(horizons: int, upstream_levels: Sequence[float]) -> list[list[RuleForm]]:
    """Return lines of neighbours: every set of horizons and least level, levels alone, the post above."""
    places = range(horizons)
    sets = sorted({tuple(places[:n]) for n in range(1, horizons + 1)} | {(n,) for n in places})
    lines = [
        [RuleForm(family="forecast", at=p, horizons=chosen, share_min=share) for p in PROBABILITIES]
        for chosen, share in itertools.product(sets, (-math.inf, 0.0, 0.3, 0.5, 0.65))
    ]
    lines.append([RuleForm(family="level", at=share) for share in SHARES])
    if len(upstream_levels):
        lines.append([RuleForm(family="upstream", at=float(level)) for level in upstream_levels])
    return lines


def _variants(line: Sequence[RuleForm]) -> list[list[RuleForm]]:
    """Return the same line with other ways of confirming, holding, renewing and re-arming."""
    ways = itertools.product((1, 2), (6, 12, 24), (False, True), (2, 6))
    return [
        [replace(form, confirm=c, hold_h=h, renew=r, rearm_h=a) for form in line]
        for c, h, r, a in ways
        if (c, h, r, a) != (1, 24, False, 6)
    ]
