"""Backtest of a post: fit on what came before a time, score what came from then on."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from serayu.models.flood.baselines import lower_trigger, persistence, thresholds_of, trend, trigger_warnings
from serayu.models.flood.build import BuiltPost, CleanLevel, build_post, cut_frame, rows_before, usable_level
from serayu.models.flood.events import Event, Match, Warned, events_of, match_warnings
from serayu.models.flood.frame import FloatArray, Frame, IntArray
from serayu.models.flood.links import PostLinks
from serayu.models.flood.model import PostModel
from serayu.models.flood.policy import Signals, WarningPolicy, simulate
from serayu.models.flood.selection import fit_post
from serayu.models.flood.series import PostInfo, Series
from serayu.models.flood.tuning import Aims, LevelTask, Tuned, tune
from serayu.models.hydrology.verification import continuous_scores
from serayu.models.times import US_PER_MINUTE, rfc3339

__all__ = ["Backtest", "PostRun", "backtest", "policy_document", "truth_of"]

_CHUNK = 20_000  # rows predicted at a time, to bound memory
_FEWEST_FIT_ROWS = 48
_FEWEST_SCORE_ROWS = 12
LEVEL_VARIABLES = ("stage", "flow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What to run.

    Parameters
    ----------
    infos
        Table of stations.
    series
        Values by station.
    links
        What feeds each post; None when nobody said, then every gauge that was given serves every post.
    fit_until_us
        Fit uses what came before, scores what came from then on.
    horizons_h
        Hours ahead, ascending.
    """

    infos: Mapping[str, PostInfo]
    series: Mapping[str, Series]
    links: Mapping[str, PostLinks] | None
    fit_until_us: int
    horizons_h: tuple[float, ...]
    aims: Aims = field(default_factory=Aims)


def backtest(run: Backtest) -> dict[str, Any]:
    """Fit and score every post that has a level and data on both sides of the time.

    Returns
    -------
    dict
        ``stations`` by id and ``skipped``, a list of {station, reason}.
    """
    rain = {name: part for name, part in run.series.items() if run.infos[name].variable == "rain"}
    levels: dict[str, CleanLevel] = {}
    skipped: list[dict[str, str]] = []
    for name, part in run.series.items():
        if run.infos[name].variable in LEVEL_VARIABLES:
            levels[name] = usable_level(part, run.fit_until_us)
        elif name not in rain:
            other = f"variable {run.infos[name].variable!r} is neither stage, flow nor rain"
            skipped.append({"station": name, "reason": other})
    stations: dict[str, Any] = {}
    for name, level in levels.items():
        reason = _unfit(level, run.fit_until_us)
        if reason is None:
            post = build_post(
                name,
                levels=levels,
                rain=rain,
                infos=run.infos,
                links=_links_of(run, name, list(rain)),
                fit_until_us=run.fit_until_us,
            )
            reason = _too_short(post.frame, run.fit_until_us, run.horizons_h)
        if reason is not None:
            skipped.append({"station": name, "reason": reason})
            continue
        stations[name] = PostRun(run, name, post).document()
    absent = [name for name in run.links or {} if name not in run.series]
    skipped += [{"station": name, "reason": "no data"} for name in absent]
    return {"stations": stations, "skipped": skipped}


def _links_of(run: Backtest, name: str, gauges: Sequence[str]) -> PostLinks:
    if run.links is None:
        return PostLinks(rain=tuple(gauges))
    return run.links.get(name, PostLinks())


def _unfit(level: CleanLevel, fit_until_us: int) -> str | None:
    fit = int((level.known_us < fit_until_us).sum())
    if fit < _FEWEST_FIT_ROWS:
        return f"{fit} good values before the end of the fit part, {_FEWEST_FIT_ROWS} needed"
    score = len(level.known_us) - fit
    if score < _FEWEST_SCORE_ROWS:
        return f"{score} good values after the fit part, {_FEWEST_SCORE_ROWS} needed"
    return None


def _too_short(frame: Frame, fit_until_us: int, horizons_h: Sequence[float]) -> str | None:
    rows = rows_before(frame, fit_until_us)
    if rows - frame.rows_of(horizons_h[-1]) < _FEWEST_FIT_ROWS:
        return f"the fit part has {rows} rows, too few for {horizons_h[-1]:g} h ahead"
    return None


class PostRun:
    """One post of a backtest, fitted; also what a fit for live use is made of.

    Parameters
    ----------
    run
        The data, and where the fit part ends.
    station_id, post
        The post and its table.
    """

    def __init__(self, run: Backtest, station_id: str, post: BuiltPost) -> None:
        self.run, self.post = run, post
        self.info = run.infos[station_id]
        frame = post.frame
        self.fit_rows = rows_before(frame, run.fit_until_us)
        last = self.fit_rows - frame.rows_of(run.horizons_h[-1])
        began = time.perf_counter()
        self.fitted = fit_post(
            cut_frame(frame, self.fit_rows), np.arange(last, dtype=np.int64), run.horizons_h
        )
        self.model: PostModel = self.fitted
        self.fit_s = time.perf_counter() - began
        good = post.level
        fit_level = good.good[good.good_us < run.fit_until_us]
        self.usual = float(np.median(fit_level))
        self.fit_level = fit_level
        self.thresholds, self.source = thresholds_of(self.info.thresholds, fit_level)

    def document(self) -> dict[str, Any]:
        """Return how it did after the fit part, as a JSON object."""
        rows = np.arange(self.fit_rows, len(self.post.frame), dtype=np.int64)
        limits = list(self.thresholds.values())
        began = time.perf_counter()
        scored = _predict(self.model, self.post.frame, rows, limits)
        predict_s = time.perf_counter() - began
        tuned = self.tuned()
        return {
            "variable": self.info.variable,
            "unit": self.info.unit,
            "fit_until": rfc3339(self.run.fit_until_us),
            "method": _method_name(self.model),
            "step_min": self.post.frame.step_us / US_PER_MINUTE,
            "upstream": list(self.post.frame.upstream),
            "rain": list(self.post.frame.rain),
            "horizons": self._horizons(rows, scored),
            "levels": {
                level: self._level(level, tuned[level], rows, scored.above[place])
                for place, level in enumerate(self.thresholds)
            },
            "fit_s": round(self.fit_s, 2),
            "predict_ms_per_row": round(1000 * predict_s / max(len(rows), 1), 4),
            "refused_values": dict(self.post.level.refused),
            "notes": [*self.post.notes, *self.model.notes],
        }

    def _horizons(self, rows: IntArray, scored: "_Scored") -> dict[str, Any]:
        frame, horizons_h = self.post.frame, self.run.horizons_h
        still, line = persistence(frame, rows, horizons_h), trend(frame, rows, horizons_h)
        result: dict[str, Any] = {}
        for place, hours in enumerate(horizons_h):
            truth = truth_of(self.post, rows, hours)
            forecast = scored.mean[:, place]
            known = np.isfinite(truth) & np.isfinite(forecast) & np.isfinite(still[:, place])
            truth, forecast = truth[known], forecast[known]
            inside = (truth >= scored.low[known, place]) & (truth <= scored.high[known, place])
            scores = continuous_scores(forecast, truth)
            result[f"{hours:g}"] = {
                "n": int(known.sum()),
                "nse": _rounded(scores.nse),
                "kge": _rounded(scores.kge),
                "pi": _rounded(_index(forecast, still[known, place], truth)),
                "rmse": _rounded(scores.rmse),
                "coverage_80": _rounded(float(inside.mean()) if len(inside) else None),
                "band_width_mean": _rounded(_mean(scored.high[known, place] - scored.low[known, place])),
                "method": self.model.method[hours],
                "shown": bool(self.model.shown[hours]),
                "baselines": {
                    name: _nse_kge(values[known, place], truth)
                    for name, values in (("persistence", still), ("trend", line))
                },
            }
        return result

    def _nearest(self) -> tuple[str, CleanLevel] | None:
        return next(iter(self.post.upstream.items()), None)

    def _upstream_alert(self) -> float:
        nearest = self._nearest()
        if nearest is None:
            return math.nan
        name, level = nearest
        fit = level.good[level.good_us < self.run.fit_until_us]
        thresholds, _ = thresholds_of(self.run.infos[name].thresholds, fit)
        return next(iter(thresholds.values()), math.nan)

    def _signals(self, rows: IntArray, above: FloatArray) -> Signals:
        frame = self.post.frame
        upstream = next(iter(frame.upstream.values()), None)
        return Signals(
            t_us=frame.start_us + rows * frame.step_us,
            level=frame.level[rows],
            probabilities=above,
            upstream=np.full(len(rows), math.nan) if upstream is None else upstream[rows],
        )

    def tuned(self) -> dict[str, Tuned]:
        """Choose the rule of each level on held-out forecasts of the fit part; empty without a fit row."""
        model, frame = self.model, self.post.frame
        rows = model.fit_rows
        tasks: dict[str, LevelTask] = {}
        if len(rows) == 0:
            return {}
        start, end = frame.time_us(int(rows[0])), frame.time_us(int(rows[-1]))
        highest = model.out_of_fold_highest
        for level, limit in self.thresholds.items():
            tasks[level] = LevelTask(
                limit=limit,
                usual=self.usual,
                signals=self._signals(rows, highest.probability_above(limit)),
                events=self._events(limit, start, end),
                lower=lower_trigger(self.thresholds, level, self.fit_level),
            )
        nearest = self._nearest()
        triggers: list[float] = []
        if nearest is not None:
            fit = nearest[1].good[nearest[1].good_us < self.run.fit_until_us]
            triggers = (
                np.unique(np.quantile(fit, [0.9, 0.95, 0.97, 0.98, 0.99, 0.995])).tolist() if len(fit) else []
            )
        return tune(
            tasks,
            horizons_h=self.run.horizons_h,
            upstream_levels=triggers,
            upstream_alert=self._upstream_alert(),
            aims=self.run.aims,
        )

    def _events(self, limit: float, start_us: int, end_us: float) -> list[Event]:
        level = self.post.level
        events = events_of(level.good_us, level.good, limit)
        return [event for event in events if start_us <= event.crossing_us <= end_us]

    def _level(self, level: str, tuned: Tuned, rows: IntArray, above: FloatArray) -> dict[str, Any]:
        limit, start_us = self.thresholds[level], self.run.fit_until_us
        events = self._events(limit, start_us, math.inf)
        crossings = [event.crossing_us for event in events]
        warnings = simulate(tuned.policy, self._signals(rows, above))
        own = self.post.level
        triggered = trigger_warnings(
            own.known_us, own.known, lower_trigger(self.thresholds, level, self.fit_level)
        )
        nearest = self._nearest()
        fed = (
            trigger_warnings(nearest[1].known_us, nearest[1].known, self._upstream_alert())
            if nearest is not None
            else None
        )
        return {
            "threshold": _rounded(limit),
            "threshold_source": self.source,
            "events": len(events),
            "warning": self._judged(crossings, warnings),
            "baselines": {
                "threshold_only": self._judged(crossings, _from(triggered, start_us)),
                "upstream_threshold": {} if fed is None else self._judged(crossings, _from(fed, start_us)),
            },
            "policy": policy_document(tuned, self.run.horizons_h),
            "fit": {"events": int(tuned.match.counts.hits + tuned.match.counts.misses)}
            | self.match_document(tuned.match),
        }

    def _judged(self, crossings: Sequence[int], warnings: Sequence[Warned]) -> dict[str, Any]:
        return self.match_document(match_warnings(crossings, warnings))

    def match_document(self, match: Match) -> dict[str, Any]:
        """Return counts, ratios and leads of warnings as a JSON object."""
        counts = match.counts
        leads = np.array(match.leads_us, dtype=np.float64) / US_PER_MINUTE
        return {
            "hits": int(counts.hits),
            "misses": int(counts.misses),
            "false_alarms": int(counts.false_alarms),
            "pod": _rounded(counts.pod),
            "far": _rounded(counts.far),
            "csi": _rounded(counts.csi),
            "lead_median_min": _rounded(float(np.median(leads)) if len(leads) else None),
            "lead_p10_min": _rounded(float(np.quantile(leads, 0.1)) if len(leads) else None),
            "cost": _rounded(self.run.aims.cost(match)),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    """Forecasts of many rows, shape (n, h), and by limit the probability that the highest level passes it."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    above: tuple[FloatArray, ...]


def _predict(model: PostModel, frame: Frame, rows: IntArray, limits: Sequence[float]) -> _Scored:
    mean, low, high = [], [], []
    above: list[list[FloatArray]] = [[] for _ in limits]
    for start in range(0, len(rows), _CHUNK):
        part, highest = model.predict_both(frame, rows[start : start + _CHUNK])
        mean.append(part.mean)
        low.append(part.low)
        high.append(part.high)
        for place, limit in enumerate(limits):
            above[place].append(highest.probability_above(limit))
    return _Scored(
        mean=np.concatenate(mean),
        low=np.concatenate(low),
        high=np.concatenate(high),
        above=tuple(np.concatenate(parts) for parts in above),
    )


def truth_of(post: BuiltPost, rows: IntArray, hours: float) -> FloatArray:
    """Return the newest good observation of the row that lies *hours* after each row; NaN where there is none."""
    frame = post.frame
    good = np.full(len(frame), np.nan)
    at = -((frame.start_us - post.level.good_us) // frame.step_us)
    inside = (at >= 0) & (at < len(frame))
    good[at[inside]] = post.level.good[inside]
    ahead = rows + frame.rows_of(hours)
    return np.where(ahead < len(frame), good[np.minimum(ahead, len(frame) - 1)], np.nan)


def _from(warnings: Sequence[Warned], start_us: int) -> list[Warned]:
    return [warning for warning in warnings if warning.issue_us >= start_us]


def _index(forecast: FloatArray, still: FloatArray, truth: FloatArray) -> float | None:
    """Return 1 - SSE / SSE of persistence on the same rows."""
    loss = float(((truth - still) ** 2).sum())
    return None if loss == 0 else 1.0 - float(((truth - forecast) ** 2).sum()) / loss


def _nse_kge(values: FloatArray, truth: FloatArray) -> dict[str, float | None]:
    scores = continuous_scores(values, truth)
    return {"nse": _rounded(scores.nse), "kge": _rounded(scores.kge)}


def _mean(values: FloatArray) -> float | None:
    return float(values.mean()) if len(values) else None


def _method_name(model: PostModel) -> str:
    names = list(dict.fromkeys(model.method[hours] for hours in model.horizons_h))
    return "+".join(names)


def policy_document(tuned: Tuned, horizons_h: Sequence[float]) -> dict[str, Any]:
    """Return a rule as a JSON object; null where a reason is switched off."""
    policy: WarningPolicy = tuned.policy
    return {
        "family": tuned.form.family,
        "horizons_h": [horizons_h[place] for place in policy.horizons],
        "probability_on": _finite(policy.probability_on),
        "level_min": _finite(policy.level_min),
        "level_on": _finite(policy.level_on),
        "upstream_on": _finite(policy.upstream_on),
        "upstream_min": _finite(policy.upstream_min),
        "confirm": policy.confirm,
        "hold_h": tuned.form.hold_h,
        "renew": policy.renew,
        "rearm_h": tuned.form.rearm_h,
        "quiet_h": tuned.form.quiet_h,
        "note": tuned.note,
    }


def _finite(value: float) -> float | None:
    return _rounded(value) if math.isfinite(value) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), 4)
