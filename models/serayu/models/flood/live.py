"""Fitted forecasts in a running system: the path of the backtest, one row at a time, from what was received."""

import importlib
import logging
import math
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from serayu.models.errors import BadInputError
from serayu.models.flood.features import MEMORY_H
from serayu.models.flood.frame import FloatArray, Frame
from serayu.models.flood.kit import Kit
from serayu.models.flood.model import Prediction
from serayu.models.flood.policy import PolicyState, Situation, WarningPolicy
from serayu.models.flood.shelf import model_file, model_files, read_card, refusal
from serayu.models.flood.stored import StoredValues
from serayu.models.flood.tail import LevelTail, RainTail
from serayu.models.region import Region
from serayu.models.siaga_forecast import Decision, ForecastPolicy, RuleMemory
from serayu.models.station import Station
from serayu.models.times import US_PER_HOUR, rfc3339
from serayu.models.warning.outlook import Outlook, OutlookStep, crossings

if TYPE_CHECKING:  # scikit-learn is imported only where a model is
    from serayu.models.flood.fitted import FittedPost

__all__ = ["LiveForecasts"]

STALE_H = 2.0
"""A post whose newest believed level is older is not forecast, nor is it before two rows [project proposal]."""
MARGIN_ROWS = 2
_NEVER_US = -(1 << 62)
_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Post:
    """A loaded model and what it has read."""

    stamp: tuple[int, int]
    model: "FittedPost"
    kit: Kit
    levels: dict[str, LevelTail]
    gauges: dict[str, RainTail]
    issued_us: int = _NEVER_US
    situations: tuple[Situation, ...] = ()


class LiveForecasts:
    """Forecasts from the models of a data folder; satisfies `serayu.models.warning.outlook.ForecastSource`.

    Models are loaded when a post is first asked for, and again when their file changes. One thread uses it.

    Parameters
    ----------
    region
        The posts as they are now: a model fitted for other limits is refused.
    store
        Hot store that is read.
    data_dir
        Data folder; its models lie where `serayu.models.flood.shelf.model_file` says.
    """

    def __init__(self, region: Region, store: StoredValues, data_dir: Path) -> None:
        self._region = region
        self._store = store
        self._data_dir = data_dir
        self._posts: dict[str, _Post] = {}
        self._refused: dict[str, tuple[tuple[int, int], str]] = {}
        self._silent: dict[str, str] = {}
        self._single: Callable[[], AbstractContextManager[object]] = nullcontext

    def warm_up(self) -> None:
        """Import scikit-learn beside other work where there is a model: the first forecast need not wait for it."""
        if any(model_files(self._data_dir)):
            name = "serayu.models.flood.store"
            threading.Thread(
                target=importlib.import_module, args=(name,), name="warm-up", daemon=True
            ).start()

    @property
    def refused(self) -> dict[str, str]:
        """Why the model of a post is not used, by station id."""
        return {station: reason for station, (_, reason) in self._refused.items()}

    @property
    def silent(self) -> dict[str, str]:
        """Why a post with a model was not forecast when it was last asked for, by station id."""
        return dict(self._silent)

    def forecast(self, station: str, now_us: int) -> Outlook | None:
        """Return the outlook of a post as of its newest whole row; None without a model, skill, news or level."""
        post = self._post(station, now_us)
        if post is None:
            return None
        step_us, phase_us = post.kit.step_us, post.kit.phase_us
        issued_us = now_us - (now_us - phase_us) % step_us
        if issued_us <= post.issued_us:
            return None
        frame = _frame(post, self._store, issued_us)
        row = len(frame) - 1
        age_h = _age_h(frame)
        if age_h > max(STALE_H, MARGIN_ROWS * frame.step_h):
            self._say_silent(station, f"no level that can be believed for {age_h:.1f} h")
            return None
        with self._single():
            at, highest = post.model.predict_both(frame, np.array([row]))
        if not np.isfinite(at.mean).all():
            self._say_silent(station, "the model cannot say")
            return None
        self._silent.pop(station, None)
        post.issued_us = issued_us
        post.situations = _situations(post.kit, frame, highest, issued_us)
        return self._outlook(self._region.stations[station], post, frame, at, highest)

    def situations(self, station: str) -> tuple[Situation, ...]:
        """Return what the rules of waspada, siaga and awas were told with a post's newest forecast."""
        post = self._posts.get(station)
        return () if post is None else post.situations

    def decide(self, outlook: Outlook, memory: Sequence[RuleMemory]) -> Decision | None:
        """Return what the tuned rules decide on the post's newest forecast; None where they are not for it."""
        post = self._posts.get(outlook.station)
        if post is None or post.issued_us != outlook.issued_us:
            return None
        rules = post.kit.rules
        states = _states(memory, len(rules))
        for rule, state, situation in zip(rules, states, post.situations, strict=True):
            rule.step(state, situation)
        first, second, third = (state.issue_us is not None for state in states)
        return Decision((first, second, third), [msgspec.to_builtins(state) for state in states])

    def _post(self, station: str, now_us: int) -> _Post | None:
        """Return the loaded model of a post; None where there is none that may be used."""
        file = model_file(self._data_dir, station)
        try:
            found = file.stat()
        except OSError:
            self._posts.pop(station, None)
            self._refused.pop(station, None)
            return None
        stamp = (found.st_mtime_ns, found.st_size)
        post = self._posts.get(station)
        known = self._refused.get(station)
        if post is not None and post.stamp == stamp:
            return post
        if known is not None and known[0] == stamp:
            return None
        self._posts.pop(station, None)
        try:
            card = read_card(file)
            reason = refusal(card, self._region.stations[station], now_us=now_us)
            if reason is None and not card.shown:
                reason = "no horizon has skill over persistence on storms that it was not fitted on"
            post = None if reason is not None else _load(file, stamp)
        except BadInputError as error:
            post, reason = None, str(error)
        if post is None:
            self._refused[station] = (stamp, reason or "")
            _logger.warning("the flood model is not used: %s", reason, extra={"station": station})
            return None
        self._refused.pop(station, None)
        self._posts[station] = post
        self._single = _one_thread()
        return post

    def _outlook(
        self, station: Station, post: _Post, frame: Frame, at: Prediction, highest: Prediction
    ) -> Outlook | None:
        """Return what may be shown: horizons with skill, the probability of each level up to the last of them."""
        if station.thresholds is None:
            return None
        model, shown = post.model, post.kit.shown
        places = [place for place, hours in enumerate(at.horizons_h) if hours in shown]
        middle = at.quantile(0.5)[0]
        steps = tuple(
            OutlookStep(
                at.horizons_h[place],
                float(middle[place]),
                float(at.low[0, place]),
                float(at.high[0, place]),
                model.method[at.horizons_h[place]],
                model.skill[at.horizons_h[place]].index,
            )
            for place in places
        )
        limits = station.thresholds.bounds_m
        p = [float(highest.probability_above(limit)[0, places[-1]]) for limit in limits]
        newest_m = float(frame.level[np.flatnonzero(np.isfinite(frame.level))[-1]])
        issued_us = post.issued_us
        path = [(issued_us + round(one.horizon_h * US_PER_HOUR), one.level_m) for one in steps]
        return Outlook(
            region=station.region,
            station=station.id,
            issued_us=issued_us,
            steps=steps,
            probability=(p[0], p[1], p[2]),
            crossing_us=crossings(issued_us, newest_m, path, limits),
            policy=_policy(post.kit.rules),
            without=model.without(frame, len(frame) - 1),
        )

    def _say_silent(self, station: str, reason: str) -> None:
        if self._silent.get(station) is None:
            _logger.warning("no forecast: %s", reason, extra={"station": station})
        self._silent[station] = reason


def _load(file: Path, stamp: tuple[int, int]) -> _Post:
    """Load a model.

    Raises
    ------
    BadInputError
        It is none of ours, or was fitted for no live use.
    """
    from serayu.models.flood.store import load_post  # noqa: PLC0415 -- scikit-learn: only where a model is

    stored = load_post(file)
    try:
        kit = Kit.of_plain(stored.kit)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"not fitted for live use ({error}); fit again", file=file) from error
    memory_us = MEMORY_H * US_PER_HOUR + MARGIN_ROWS * kit.step_us
    _logger.info("flood model of %s, fitted until %s", stored.station, rfc3339(stored.fit_until_us))
    return _Post(
        stamp,
        stored.post,
        kit,
        {name: LevelTail(kit.keys[name], limits, memory_us=memory_us) for name, limits in kit.levels.items()},
        {name: RainTail(kit.keys[name], gauge, memory_us=memory_us) for name, gauge in kit.gauges.items()},
    )


def _frame(post: _Post, store: StoredValues, issued_us: int) -> Frame:
    """Return the table of a post whose last row is at *issued_us*."""
    step_us = post.kit.step_us
    rows = MEMORY_H * US_PER_HOUR // step_us + MARGIN_ROWS
    start_us = issued_us - (rows - 1) * step_us
    own, *above = [
        (name, tail.rows(store, issued_us, start_us=start_us, step_us=step_us, rows=rows))
        for name, tail in post.levels.items()
    ]
    rain = {
        name: tail.rows(store, issued_us, start_us=start_us, step_us=step_us, rows=rows)
        for name, tail in post.gauges.items()
    }
    return Frame(start_us=start_us, step_us=step_us, level=own[1], upstream=dict(above), rain=rain)


def _age_h(frame: Frame) -> float:
    """Return how old the newest level is, hours."""
    known = np.flatnonzero(np.isfinite(frame.level))
    return math.inf if len(known) == 0 else (len(frame) - 1 - int(known[-1])) * frame.step_h


def _situations(kit: Kit, frame: Frame, highest: Prediction, t_us: int) -> tuple[Situation, ...]:
    """Return what each rule is told: the same as a row of the backtest's signals."""
    nearest: FloatArray | None = next(iter(frame.upstream.values()), None)
    upstream = math.nan if nearest is None else float(nearest[-1])
    return tuple(
        Situation(
            t_us=t_us,
            level=float(frame.level[-1]),
            probabilities=highest.probability_above(rule.limit)[0].tolist(),
            upstream=upstream,
        )
        for rule in kit.rules
    )


def _policy(rules: Sequence[WarningPolicy]) -> ForecastPolicy:
    """Return the nearest plain policy, for whoever decides without the rules; a rule without probability is off."""
    on = [rule.probability_on if rule.probability_on <= 1 else 2.0 for rule in rules]
    off = [min(p, rule.slack * p) for p, rule in zip(on, rules, strict=True)]
    return ForecastPolicy(on=(on[0], on[1], on[2]), off=(off[0], off[1], off[2]))


def _states(memory: Sequence[RuleMemory], count: int) -> list[PolicyState]:
    """Return what the rules remember; one that another release wrote begins afresh."""
    if len(memory) != count:
        return [PolicyState() for _ in range(count)]
    try:
        return [msgspec.convert(one, PolicyState) for one in memory]
    except msgspec.ValidationError:
        return [PolicyState() for _ in range(count)]


def _one_thread() -> Callable[[], AbstractContextManager[object]]:
    """Return what keeps a forecast of one row to one thread: many would only wait for one another."""
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415 -- comes with scikit-learn

    controller = ThreadpoolController()
    return lambda: controller.limit(limits=1)
