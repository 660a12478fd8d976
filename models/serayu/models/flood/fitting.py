"""Fit the river posts of a region for live use: the same cleaning, table, methods and rules as in a backtest."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from serayu.models.flood.backtest import Backtest, PostRun, policy_document, truth_of
from serayu.models.flood.build import BuiltPost, CleanLevel, build_post, learn_gauge, usable_level
from serayu.models.flood.feeding import region_links
from serayu.models.flood.kit import Kit
from serayu.models.flood.links import PostLinks
from serayu.models.flood.series import LEVELS, PostInfo, Series
from serayu.models.flood.shelf import model_file, station_digest
from serayu.models.flood.store import save_post
from serayu.models.flood.tuning import Aims
from serayu.models.reading import SeriesKey
from serayu.models.region import Region
from serayu.models.siaga_levels import Siaga
from serayu.models.station import Station
from serayu.models.times import US_PER_HOUR, rfc3339

__all__ = ["HORIZONS_H", "LEAST_HOURS", "RegionFit", "fit_region"]

HORIZONS_H = (1.0, 3.0, 6.0, 12.0)
LEAST_HOURS = 720
"""Hours with a good level that a fit needs: 30 days [project proposal]."""
STAGE, RAIN = "stage", "rain"
SIAGA = dict(zip(LEVELS, (Siaga.WASPADA, Siaga.SIAGA, Siaga.AWAS), strict=True))
"""Our level of each level of a backtest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFit:
    """What to fit.

    Parameters
    ----------
    region
        Its river posts with limits are fitted.
    series
        Levels and rain by datastream.
    data_dir
        Where the models go.
    now_us
        When this is, microseconds UTC.
    learnt_from
        See `serayu.models.flood.shelf.ModelCard`.
    links
        What feeds a post where that differs from the region, by station id.
    only
        Posts to fit; every one when empty.
    """

    region: Region
    series: Mapping[SeriesKey, Series]
    data_dir: Path
    now_us: int
    learnt_from: str
    links: Mapping[str, PostLinks] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    horizons_h: tuple[float, ...] = HORIZONS_H
    aims: Aims = field(default_factory=Aims)


def fit_region(task: RegionFit) -> Iterator[tuple[str, dict[str, Any]]]:
    """Fit every river post with enough history and store its model; yields each as it is done.

    Yields
    ------
    tuple
        Station id and what came of it; ``{"reason": …}`` for a post that was skipped.
    """
    levels: dict[str, CleanLevel] = {}
    for station in task.region.stations.values():
        series = task.series.get(station.key(STAGE))
        if series is not None and len(series):
            levels[station.id] = usable_level(series, _end_us(series))
    for station in task.region.stations.values():
        if station.thresholds is None or (task.only and station.id not in task.only):
            continue
        reason = _too_little(levels.get(station.id))
        if reason is not None:
            yield station.id, {"reason": reason}
        else:
            # Threads that wait for one another on a busy machine cost more than they bring to tables this small.
            with threadpool_limits(limits=1):
                result = _fit(task, station, levels)
            yield station.id, result


def _end_us(series: Series) -> int:
    return int(series.time_us[-1]) + 1


def _too_little(level: CleanLevel | None) -> str | None:
    hours = 0 if level is None else len(np.unique(level.known_us // US_PER_HOUR))
    if hours >= LEAST_HOURS:
        return None
    return f"{hours} hours with a good level, {LEAST_HOURS} (30 days) needed"


def _fit(task: RegionFit, station: Station, levels: Mapping[str, CleanLevel]) -> dict[str, Any]:
    began = time.perf_counter()
    rain = _rain(task)
    infos = {name: _info(name, RAIN) for name in rain}
    infos |= {name: _info(name, STAGE, task.region.stations[name]) for name in levels}
    links = task.links.get(station.id) or region_links(task.region, station)
    until_us = int(levels[station.id].known_us[-1]) + 1
    post = build_post(station.id, levels=levels, rain=rain, infos=infos, links=links, fit_until_us=until_us)
    run = PostRun(
        Backtest(
            infos=infos,
            series={},
            links={station.id: links},
            fit_until_us=until_us,
            horizons_h=task.horizons_h,
            aims=task.aims,
        ),
        station.id,
        post,
    )
    return _shelved(task, station, run, rain, began)


def _shelved(
    task: RegionFit, station: Station, run: PostRun, rain: Mapping[str, Series], began: float
) -> dict[str, Any]:
    """Tune the rules, store the model, and say what it is worth."""
    post, model, tuned = run.post, run.model, run.tuned()
    coverage = _coverage(run)
    horizons = _horizons(run, coverage)
    kit = Kit(
        step_us=post.frame.step_us,
        phase_us=post.frame.start_us % post.frame.step_us,
        keys=_keys(task.region, post, station.id),
        levels={station.id: post.level.limits} | {name: up.limits for name, up in post.upstream.items()},
        gauges={
            name: learn_gauge(rain[name], run.run.fit_until_us, step_us=post.frame.step_us)
            for name in post.frame.rain
        },
        rules=tuple(tuned[level].policy for level in LEVELS),
        fitted_us=task.now_us,
        learnt_from=task.learnt_from,
        shown=tuple(hours for hours in run.run.horizons_h if model.shown[hours]),
        coverage=tuple(coverage),
    )
    file = model_file(task.data_dir, station.id)
    file.parent.mkdir(parents=True, exist_ok=True)
    until_us = run.run.fit_until_us
    save_post(
        file,
        run.fitted,
        station=station.id,
        digest=station_digest(station),
        fit_until_us=until_us,
        kit=kit.plain(),
    )
    return {
        "file": file.name,
        "method": "+".join(dict.fromkeys(model.method[hours] for hours in model.horizons_h)),
        "fit_until": rfc3339(until_us),
        "learnt_from": task.learnt_from,
        "step_min": post.frame.step_us / (US_PER_HOUR / 60),
        "upstream": list(post.frame.upstream),
        "rain": list(post.frame.rain),
        "horizons": horizons,
        "levels": {
            SIAGA[level].value: {
                "limit_m": run.thresholds[level],
                "fit": run.match_document(one.match),
                "policy": policy_document(one, run.run.horizons_h),
            }
            for level, one in tuned.items()
        },
        "refused_values": dict(post.level.refused),
        "notes": [*post.notes, *model.notes],
        "seconds": round(time.perf_counter() - began, 2),
    }


def _horizons(run: PostRun, coverage: list[float | None]) -> dict[str, Any]:
    model = run.fitted
    return {
        f"{hours:g}": {
            "method": model.method[hours],
            "pi": _rounded(model.index[hours]),
            "pi_storms": _rounded(model.skill[hours].index),
            "storms": model.skill[hours].storms,
            "coverage_80": coverage[place],
            "shown": model.shown[hours],
        }
        for place, hours in enumerate(model.horizons_h)
    }


def _coverage(run: PostRun) -> list[float | None]:
    """Return the share of held-out rows of the fit part inside the band, by horizon."""
    model, held_out = run.fitted, run.fitted.out_of_fold
    shares: list[float | None] = []
    for place, hours in enumerate(model.horizons_h):
        truth = truth_of(run.post, model.fit_rows, hours)
        low, high = held_out.low[:, place], held_out.high[:, place]
        known = np.isfinite(truth) & np.isfinite(low)
        inside = (truth >= low) & (truth <= high)
        shares.append(_rounded(float(inside[known].mean())) if known.any() else None)
    return shares


def _rain(task: RegionFit) -> dict[str, Series]:
    return {
        name_of(task.region.stations[key.station], RAIN): series
        for key, series in task.series.items()
        if key.property == RAIN and key.station in task.region.stations and len(series)
    }


def name_of(station: Station, slug: str) -> str:
    """Return the name of a datastream in a table: the station's id, for rain where it has a level too another."""
    return f"{station.id}/rain" if slug == RAIN and station.datastream(STAGE) is not None else station.id


def _keys(region: Region, post: BuiltPost, own: str) -> dict[str, SeriesKey]:
    keys = {name: region.stations[name].key(STAGE) for name in (own, *post.upstream)}
    return keys | {name: region.stations[name.removesuffix("/rain")].key(RAIN) for name in post.frame.rain}


def _info(name: str, variable: str, station: Station | None = None) -> PostInfo:
    unit = "m" if variable == STAGE else "mm"
    info = PostInfo(station_id=name, variable=variable, unit=unit, given_unit=unit)
    if station is None or station.thresholds is None:
        return info
    return replace(info, thresholds=dict(zip(LEVELS, station.thresholds.bounds_m, strict=True)))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
