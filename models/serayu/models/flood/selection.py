"""Fit a post: every method on storms it has not seen, the best blend of them, and how far it may be off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from serayu.models.flood.blend import Blend, blend_weights, guesses_of, held_out_blend, name_of, usual_weights
from serayu.models.flood.conformal import calibrate, spread_inputs
from serayu.models.flood.features import FeatureSpec, anchor, describe
from serayu.models.flood.fitted import FittedPost, HeldOut, Variant
from serayu.models.flood.folds import thinned, time_folds, training_rows
from serayu.models.flood.frame import FloatArray, Frame, IntArray
from serayu.models.flood.methods.learner import Learner
from serayu.models.flood.methods.network import Network
from serayu.models.flood.methods.reservoir import Reservoir
from serayu.models.flood.methods.ridge import Ridge
from serayu.models.flood.methods.simple import Persistence, Trend
from serayu.models.flood.methods.trees import Boosting, Trees
from serayu.models.flood.skill import LEAST_STORMS, Skill, storm_skill
from serayu.models.flood.table import Table, changes, situations, truth
from serayu.models.flood.windows import rolling_max

__all__ = ["fit_post"]

Makers = Sequence[Callable[[], Learner]]

_FOLDS = 4
_FOLD_SHARE = 0.75
"""A fold learns from three quarters of the record: from as many of the rows that are kept."""
_GAP_H = 24
_MOST_ROWS = 8_000
_MOST_ROWS_FALLBACK = 3_000
_LEAST_ROWS = 60
_LEAST_FOR_LINES = 400
_LEAST_FOR_TREES = 800
_BETTER = 0.97
"""A single method is taken instead of the blend only where its squared error is 3 % less [project proposal]."""


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What there is to learn from: situations at rows of whole hours, and what became of them."""

    rows: IntArray
    table: Table
    changes: FloatArray
    complete: IntArray
    activity: FloatArray
    fold_of: IntArray
    gap: int


def _makers(*, seed: int, rows: int, whole: bool) -> Makers:
    makers: list[Callable[[], Learner]] = [Persistence, Trend]
    if rows >= _LEAST_FOR_LINES:
        makers += [Ridge, Reservoir]
    if rows >= _LEAST_FOR_TREES:
        # A fall-back is fitted for each upstream post: it does without the dearer methods.
        makers += [lambda: Trees(seed=seed, count=25 if whole else 12)]
        if whole:
            makers += [lambda: Boosting(seed=seed), lambda: Network(seed=seed)]
    return makers


def _lesson(frame: Frame, fit_rows: IntArray, spec: FeatureSpec, *, seed: int) -> _Lesson:
    hour = frame.rows_of(1)
    # Quarter hours are near copies of the hour: learning reads whole hours, forecasting any row.
    rows = fit_rows[fit_rows % hour == 0] if hour > 1 else fit_rows
    table = situations(frame, rows, spec)
    level = truth(frame, spec, until_row=int(fit_rows.max()) + 1)
    became = changes(frame, rows, level, spec.horizons_h)
    complete = np.flatnonzero(np.isfinite(became).all(axis=1))
    activity = _activity(table, became, complete)
    step_h = frame.step_h * hour if hour > 1 else frame.step_h
    near = rolling_max(activity, rows=max(1, round(12 / step_h)))
    fold_of = time_folds(np.nan_to_num(near), folds=_FOLDS, seed=seed)
    gap_h = max(spec.horizons_h) + min(_GAP_H, len(rows) * step_h / 50)
    return _Lesson(rows, table, became, complete, activity, fold_of, max(1, round(gap_h / step_h)))


def _activity(table: Table, became: FloatArray, complete: IntArray) -> FloatArray:
    """Return how much happens at each row, in units of the spread of what happens."""
    seen = np.column_stack([became, table.column("change_3h"), table.column("change_12h")])
    for name in table.names:
        if name.endswith("_change_6h"):
            seen = np.column_stack([seen, table.column(name)])
    spread = np.sqrt(np.nanmean(seen[complete] ** 2, axis=0)) if len(complete) else np.ones(seen.shape[1])
    spread = np.where(spread > 0, spread, 1.0)
    return np.asarray(np.nan_to_num(np.abs(seen) / spread).mean(axis=1), dtype=np.float64)


def _train(makers: Makers, lesson: _Lesson, rows: IntArray, *, most: int, seed: int) -> list[Learner]:
    kept, weight = thinned(lesson.activity[rows], most=most, seed=seed)
    chosen = rows[kept]
    table, became = lesson.table.take(chosen), lesson.changes[chosen]
    learners = [make() for make in makers]
    left = became
    for learner in learners:
        learner.fit(table, left if learner.on_ridge else became, weight)
        if learner.name == "ridge":
            left = became - learner.predict(table)
    return learners


def _guess_held_out(makers: Makers, lesson: _Lesson, *, most: int, seed: int) -> FloatArray:
    """Return what each method says of each row when its fold is held out, shape (methods, n, targets)."""
    guesses = np.full((len(makers), len(lesson.rows), lesson.changes.shape[1]), np.nan)
    usable = np.zeros(len(lesson.rows), dtype=np.bool_)
    usable[lesson.complete] = True
    for fold in range(_FOLDS):
        held = np.flatnonzero(lesson.fold_of == fold)
        teach = np.flatnonzero(training_rows(lesson.fold_of, fold, gap=lesson.gap) & usable)
        if len(teach) < _LEAST_ROWS // 2 or len(held) == 0:
            guesses[:, held] = 0.0
            continue
        table = lesson.table.take(held)
        learners = _train(makers, lesson, teach, most=round(_FOLD_SHARE * most), seed=seed)
        guesses[:, held] = guesses_of(learners, table)
    return guesses


def _choose(
    lesson: _Lesson, guesses: FloatArray, names: Sequence[str]
) -> tuple[FloatArray, FloatArray, list[str]]:
    """Return weights (methods, targets), held-out changes (n, targets) and the name of each target's method."""
    targets = lesson.changes.shape[1]
    weights = np.zeros((len(names), targets))
    held_out = np.zeros((len(lesson.rows), targets))
    chosen: list[str] = []
    usable, towards = lesson.complete, usual_weights(names)
    for target in range(targets):
        said, became = guesses[:, :, target].T, lesson.changes[:, target]
        blended = held_out_blend(said, became, lesson.fold_of, usable, towards=towards)
        single = ((said[usable] - became[usable, None]) ** 2).sum(axis=0)
        if len(usable) and single.min() < _BETTER * float(((blended[usable] - became[usable]) ** 2).sum()):
            best = int(single.argmin())
            weights[best, target] = 1.0
            held_out[:, target] = said[:, best]
            chosen.append(names[best])
            continue
        if len(usable):
            equal = np.ones(len(usable))
            weights[:, target] = blend_weights(said[usable], became[usable], equal, towards=towards)
        held_out[:, target] = blended
        chosen.append(name_of(names, weights[:, target]))
    return weights, held_out, chosen


@dataclass(frozen=True, slots=True)
class _Fit:
    variant: Variant
    lesson: _Lesson
    held_out: FloatArray
    size: FloatArray
    chosen: list[str]
    skill: list[Skill]


def _fit_variant(
    frame: Frame, fit_rows: IntArray, spec: FeatureSpec, *, without: tuple[str, ...], seed: int
) -> _Fit:
    whole = not without
    most = _MOST_ROWS if whole else _MOST_ROWS_FALLBACK
    lesson = _lesson(frame, fit_rows, spec, seed=seed)
    makers = _makers(seed=seed, rows=len(lesson.complete), whole=whole)
    names = [make().name for make in makers]
    guesses = _guess_held_out(makers, lesson, most=most, seed=seed)
    weights, held_out, chosen = _choose(lesson, guesses, names)
    skill = _skill(frame, lesson, held_out, seed=seed)
    _still_where_hopeless(skill, weights, held_out, chosen)
    enough = len(lesson.complete) >= _LEAST_ROWS // 2
    used = _used(makers, weights) if enough else np.zeros(1, dtype=np.int64)
    learners = _train([makers[int(k)] for k in used], lesson, lesson.complete, most=most, seed=seed)
    inputs = spread_inputs(lesson.table, guesses[used], held_out)
    sizes, spreads, size = calibrate(
        inputs, lesson.changes - held_out, lesson.fold_of, seed=seed, quick=not whole
    )
    variant = Variant(without, spec, Blend(learners, weights[used]), sizes, spreads)
    return _Fit(variant, lesson, held_out, size, chosen, skill)


def _used(makers: Makers, weights: FloatArray) -> IntArray:
    """Return which methods are needed: those with a weight, and the ridge where one of them corrects it."""
    made = [make() for make in makers]
    needed = weights.sum(axis=1) > 0
    for number, learner in enumerate(made):
        if learner.name == "ridge" and any(needed[k] and other.on_ridge for k, other in enumerate(made)):
            needed[number] = True
    used = np.flatnonzero(needed)
    return used if len(used) else np.zeros(1, dtype=np.int64)


def _skill(frame: Frame, lesson: _Lesson, held_out: FloatArray, *, seed: int) -> list[Skill]:
    """Return the skill on held-out storms at each horizon."""
    step_h = max(1.0, frame.step_h)
    return [
        storm_skill(lesson.changes[:, target], held_out[:, target], step_h=step_h, seed=seed)
        for target in range(held_out.shape[1] // 2)
    ]


def _still_where_hopeless(
    skill: Sequence[Skill], weights: FloatArray, held_out: FloatArray, chosen: list[str]
) -> None:
    """Fall back on persistence, in place, at horizons whose held-out storms were not foreseen at all."""
    count = len(skill)
    for target, each in enumerate(skill):
        if each.index is None or each.index <= 0 or each.storms < LEAST_STORMS:
            for also in (target, count + target):
                weights[:, also] = 0.0
                held_out[:, also] = 0.0
                chosen[also] = "persistence"


def _fallbacks(spec: FeatureSpec) -> list[tuple[str, ...]]:
    """Return which posts to be able to do without: each alone, and all."""
    if not spec.upstream:
        return []
    single = [(name,) for name in spec.upstream] if len(spec.upstream) > 1 else []
    return [*single, spec.upstream]


def _on_all_rows(frame: Frame, fit_rows: IntArray, fit: _Fit) -> HeldOut:
    """Return held-out forecasts at every fit row: between whole hours the last one moves with the level."""
    from_row = np.searchsorted(fit.lesson.rows, fit_rows, side="right") - 1
    at = np.maximum(from_row, 0)
    level = anchor(frame)[fit_rows]
    mean = level[:, None] + fit.held_out[at]
    mean[from_row < 0] = np.nan
    return HeldOut(mean, fit.size[at])


def _index(lesson: _Lesson, held_out: FloatArray, target: int) -> float | None:
    became = lesson.changes[lesson.complete, target]
    moved = float((became**2).sum())
    if moved == 0:
        return None
    return 1 - float(((became - held_out[lesson.complete, target]) ** 2).sum()) / moved


def fit_post(frame: Frame, fit_rows: IntArray, horizons_h: Sequence[float], *, seed: int = 0) -> FittedPost:
    """Fit a post by causal backtest of every method on blocks of time.

    Parameters
    ----------
    frame
        The post and its inputs.
    fit_rows
        Issue rows of the fit part, ascending; nothing after the last of them is read.
    horizons_h
        Hours ahead, above 0.
    seed
        Decides folds, thinning and trees: same seed, same model.

    Returns
    -------
    FittedPost
        Chosen methods, fall-backs without upstream posts, held-out forecasts of the fit part.

    Raises
    ------
    ValueError
        When there is no horizon, no row, or no level in the fit part.
    """
    horizons = tuple(sorted({float(hours) for hours in horizons_h}))
    if not horizons or horizons[0] <= 0:
        raise ValueError(f"horizons must be above 0 h, got {list(horizons_h)}")
    if len(fit_rows) == 0 or not np.isfinite(frame.level[: int(fit_rows.max()) + 1]).any():
        raise ValueError("the fit part has no level")
    spec = describe(frame, fit_rows, horizons)
    whole = _fit_variant(frame, fit_rows, spec, without=(), seed=seed)
    variants = [whole.variant]
    for names in _fallbacks(spec):
        less = _fit_variant(frame, fit_rows, spec.without(*names), without=names, seed=seed)
        variants.append(less.variant)
    absent = [name for name in frame.upstream if name not in spec.upstream]
    absent += [name for name in frame.rain if name not in spec.rain]
    return FittedPost(
        horizons_h=horizons,
        method=dict(zip(horizons, whole.chosen, strict=False)),
        skill=dict(zip(horizons, whole.skill, strict=True)),
        index={hours: _index(whole.lesson, whole.held_out, k) for k, hours in enumerate(horizons)},
        variants=variants,
        fit_rows=fit_rows,
        held_out=_on_all_rows(frame, fit_rows, whole),
        notes=tuple(f"without {name}: no data in the fit part" for name in absent),
    )
