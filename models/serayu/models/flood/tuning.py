"""Choose each limit's warning rule on the fit part, for a stated cost of a miss against a false alarm.

Rules are tried on out-of-fold probabilities, so that the choice sees forecasts as good and as bad as those to come.
With ten or twenty floods in a fit part the single best of a thousand rules is luck; therefore scores are smoothed
along the probability, limits that were seldom passed borrow from the others of the post, and the way of choosing
is itself judged on blocks of time it did not choose on: where it is not cheaper there than the rules that a
scorecard compares with, the cheapest of those is taken [project proposal].
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from serayu.models.flood.events import Event, Match, match_warnings
from serayu.models.flood.frame import FloatArray
from serayu.models.flood.policy import Signals, WarningPolicy, simulate, thinned
from serayu.models.flood.rules import PROBABILITIES, SHARES, RuleForm, baseline_forms, first_lines, variants
from serayu.models.times import US_PER_HOUR

__all__ = ["Aims", "LevelTask", "RuleForm", "Tuned", "tune"]

_KERNEL = np.array([0.25, 0.5, 0.25])
_BORROWED_EVENTS = 4.0
_FEW_EVENTS = 3
_BLOCKS = 24
_FOLDS = 6
_MARGIN = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aims:
    """What a warning is wanted to be.

    Parameters
    ----------
    miss_cost
        Cost of a miss in false alarms.
    pod, far, lead_h
        Least probability of detection, highest false alarm ratio, least median lead. Falling short by the whole of
        one of the first two costs as much as *shortfall_cost* false alarms an event, of the last *lead_cost*.
    """

    miss_cost: float = 5.0
    pod: float = 0.85
    far: float = 0.25
    lead_h: float = 3.0
    shortfall_cost: float = 2.5
    lead_cost: float = 1.0

    def cost(self, match: Match) -> float:
        """Return the plain cost: misses times their cost, and false alarms."""
        return self.miss_cost * match.counts.misses + match.counts.false_alarms

    def costs(self, tallies: FloatArray) -> FloatArray:
        """Return the plain cost of tallies (hits, misses, false alarms, hits in time), last axis 4."""
        return np.asarray(self.miss_cost * tallies[..., 1] + tallies[..., 2], dtype=np.float64)

    def objectives(self, tallies: FloatArray) -> FloatArray:
        """Return the cost per event with the shortfalls added; half of the hits must be in time."""
        hits, misses, false_alarms, timely = np.moveaxis(tallies, -1, 0)
        events = np.maximum(hits + misses, 1e-9)
        short = np.maximum(0, self.pod - hits / events)
        short += np.maximum(0, false_alarms / np.maximum(hits + false_alarms, 1e-9) - self.far)
        late = np.maximum(0, 1 - 2 * timely / np.maximum(hits, 1e-9))
        return np.asarray(
            self.costs(tallies) / np.maximum(events, 1) + self.shortfall_cost * short + self.lead_cost * late
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelTask:
    """One limit of the fit part: what the rule would have seen, and the events it should have foreseen.

    Parameters
    ----------
    lower
        Level at which ``threshold_only`` warns of this limit; NaN when unknown.
    """

    limit: float
    usual: float
    signals: Signals
    events: Sequence[Event]
    lower: float = math.nan

    def policy(self, form: RuleForm) -> WarningPolicy:
        """Return a form with the numbers of this limit."""
        return form.policy(self.limit, self.usual, self.lower)

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
    """What all rules tried did, by limit and block of time; each rule is simulated once."""

    tasks: Mapping[str, LevelTask]
    aims: Aims
    edges: FloatArray
    seen: dict[RuleForm, FloatArray] = field(default_factory=dict)

    def tally(self, form: RuleForm) -> FloatArray:
        """Return hits, misses, false alarms and hits in time, shape (limits, blocks, 4)."""
        if form not in self.seen:
            self.seen[form] = np.stack([self._of(task, form) for task in self.tasks.values()])
        return self.seen[form]

    def _of(self, task: LevelTask, form: RuleForm) -> FloatArray:
        crossings = np.array([event.crossing_us for event in task.events], dtype=np.int64)
        warnings = simulate(task.policy(form), task.signals)
        match = match_warnings(crossings, warnings)
        result = np.zeros((_BLOCKS, 4))
        issues = np.array([warning.issue_us for warning in warnings], dtype=np.int64)
        pairs = np.array(match.pairs, dtype=np.int64).reshape(-1, 2)
        leads = np.array(match.leads_us, dtype=np.int64)
        block = np.searchsorted(self.edges, crossings, side="right")
        hit = np.zeros(len(crossings), dtype=np.bool_)
        hit[pairs[:, 0]] = True
        wrong = np.ones(len(issues), dtype=np.bool_)
        wrong[pairs[:, 1]] = False
        np.add.at(result[:, 0], block[hit], 1)
        np.add.at(result[:, 1], block[~hit], 1)
        np.add.at(result[:, 2], np.searchsorted(self.edges, issues[wrong], side="right"), 1)
        np.add.at(result[:, 3], block[pairs[:, 0]][leads >= self.aims.lead_h * US_PER_HOUR], 1)
        return result

    def shares(self, place: int) -> FloatArray:
        """Return how much each limit counts when one is tuned, shape (limits,)."""
        counts = np.array([len(task.events) for task in self.tasks.values()], dtype=np.float64)
        others = counts.sum() - counts[place]
        share = np.full(len(counts), min(1.0, _BORROWED_EVENTS / others) if others else 0.0)
        share[place] = 1.0
        return share


@dataclass(slots=True)
class _Line:
    """Rules that differ in one number, and what they did, shape (rules, blocks, 4)."""

    forms: Sequence[RuleForm]
    tallies: FloatArray

    def objectives(self, aims: Aims, blocks: FloatArray) -> FloatArray:
        """Return smoothed objectives, seeing *blocks* (weights, shape (blocks,))."""
        raw = aims.objectives(np.einsum("rbk,b->rk", self.tallies, blocks))
        if len(raw) < len(_KERNEL):
            return raw
        return np.convolve(np.concatenate((raw[:1], raw, raw[-1:])), _KERNEL, mode="valid")


def tune(
    tasks: Mapping[str, LevelTask],
    *,
    horizons_h: Sequence[float],
    upstream_levels: Sequence[float] = (),
    upstream_alert: float = math.nan,
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
    upstream_alert
        Alert level of that post: where the baseline of it warns; NaN without one.
    aims
        The standard ones when None.
    """
    aims = aims or Aims()
    lowest = min([*upstream_levels, upstream_alert], key=lambda v: math.inf if math.isnan(v) else v)
    tasks = {
        level: replace(task, signals=_thinned(task, len(horizons_h), lowest)) for level, task in tasks.items()
    }
    trials = _Trials(tasks=tasks, aims=aims, edges=_edges(tasks))
    few = sum(len(task.events) for task in tasks.values()) < _FEW_EVENTS
    lines = [] if few else first_lines(len(horizons_h), upstream_levels, upstream_alert)
    rules = baseline_forms(upstream_alert)
    return {
        level: _few(task, rules[0]) if few else _tuned(trials, place, lines, rules)
        for place, (level, task) in enumerate(tasks.items())
    }


def _few(task: LevelTask, form: RuleForm) -> Tuned:
    policy = task.policy(form)
    return Tuned(policy=policy, form=form, match=task.match(policy), note="too few events to tune")


def _tuned(
    trials: _Trials, place: int, first: Sequence[Sequence[RuleForm]], rules: Sequence[RuleForm]
) -> Tuned:
    """Choose for one limit: the tuned rule, or a baseline's where tuning is not cheaper on blocks held out."""
    share, whole = trials.shares(place), np.ones(_BLOCKS)

    def line(forms: Sequence[RuleForm]) -> _Line:
        return _Line(forms, np.einsum("rlbk,l->rbk", np.stack([trials.tally(f) for f in forms]), share))

    lines = [line(forms) for forms in first]
    ranked = np.argsort([each.objectives(trials.aims, whole).min() for each in lines], kind="stable")
    lines += [line(forms) for at in ranked[:3] for forms in variants(lines[at].forms)]
    held_out = np.zeros(4)
    for fold in range(_FOLDS):
        seen = np.arange(_BLOCKS) % _FOLDS != fold
        at, number = _best(lines, trials.aims, seen.astype(np.float64))
        held_out += lines[at].tallies[number][~seen].sum(axis=0)
    at, number = _best(lines, trials.aims, whole)
    form, note = lines[at].forms[number], ""
    theirs = trials.aims.costs(line(rules).tallies.sum(axis=1))
    cheapest = int(theirs.argmin())
    tuned_cost = float(trials.aims.costs(held_out))
    if tuned_cost > theirs[cheapest] - _MARGIN * math.sqrt(max(theirs[cheapest], 1.0)):
        form = rules[cheapest]
        note = f"tuning costs {tuned_cost:.1f} on held-out blocks, {form.family} {theirs[cheapest]:.1f}"
    task = list(trials.tasks.values())[place]
    policy = task.policy(form)
    return Tuned(policy=policy, form=form, match=task.match(policy), note=note)


def _best(lines: Sequence[_Line], aims: Aims, blocks: FloatArray) -> tuple[int, int]:
    """Return line and number of the rule of least smoothed objective, the first of equals."""
    scores = [each.objectives(aims, blocks) for each in lines]
    at = int(np.argmin([score.min() for score in scores]))
    return at, int(scores[at].argmin())


def _edges(tasks: Mapping[str, LevelTask]) -> FloatArray:
    """Return the inner edges of equal blocks of the fit part, microseconds."""
    times = [task.signals.t_us for task in tasks.values() if len(task.signals)]
    if not times:
        return np.zeros(_BLOCKS - 1)
    first, last = min(int(t[0]) for t in times), max(int(t[-1]) for t in times)
    return np.linspace(first, last, _BLOCKS + 1)[1:-1]


def _thinned(task: LevelTask, horizons: int, upstream: float) -> Signals:
    lowest = task.usual + SHARES[0] * (task.limit - task.usual)
    loosest = WarningPolicy(
        limit=task.limit,
        horizons=tuple(range(horizons)),
        probability_on=PROBABILITIES[0],
        level_on=min(lowest, task.lower) if math.isfinite(task.lower) else lowest,
        upstream_on=math.inf if math.isnan(upstream) else upstream,
    )
    return thinned(task.signals, loosest)
