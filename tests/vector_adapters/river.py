"""Vectors of levels, rates of rise and rating curves."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from serayu.models import siaga
from serayu.models.hydrology import rating, rise
from tests.vector_adapters.values import Adapter, number, times_s


def _siaga_class(
    *,
    thresholds_cm: Mapping[str, float],
    level_cm: float | None,
    station: str = "",
) -> Mapping[str, object]:
    thresholds = siaga.Thresholds(
        waspada_m=thresholds_cm["siaga3_above"] / 100,
        siaga_m=thresholds_cm["siaga2_above"] / 100,
        awas_m=thresholds_cm["siaga1_above"] / 100,
        source=f"test vector {station}",
        valid_from="",
        approved_by="",
    )
    return {"siaga": None if level_cm is None else siaga.classify(level_cm / 100, thresholds).number}


def _stage_m(sample: Mapping[str, Any]) -> float:
    if "level_m" in sample:
        return number(sample["level_m"])
    return number(sample["level_cm"]) / 100


def _rate_of_rise(
    *, samples: Sequence[Mapping[str, Any]], window_min: float = math.inf, station: str = ""
) -> Mapping[str, object]:
    del station  # the name of the post does not enter the rate
    result = rise.rate_of_rise(
        times_s(sample["t"] for sample in samples),
        [_stage_m(sample) for sample in samples],
        window_s=60 * window_min,
    )

    def in_cm(rate_m_per_h: float | None) -> float | None:
        return None if rate_m_per_h is None else 100 * rate_m_per_h

    return {
        "rate_cm_per_h": in_cm(result.mean_m_per_h),
        "rate_m_per_h": result.mean_m_per_h,
        "rate_max_step_cm_per_h": in_cm(result.max_step_m_per_h),
        "rate_max_step_m_per_h": result.max_step_m_per_h,
        "hourly_m": list(result.steps_m_per_h),
    }


def _rating_q(*, a: float, h0: float, b: float, h_m: float) -> Mapping[str, object]:
    return {"q_m3s": rating.RatingCurve(a, h0, b).discharge(h_m)}


def _rating_h(*, a: float, h0: float, b: float, q_m3s: float) -> Mapping[str, object]:
    return {"h_m": rating.RatingCurve(a, h0, b).stage(q_m3s)}


def _rating_fit(
    *, h_m: Sequence[float], q_m3s: Sequence[float], h0_known: float | None = None
) -> Mapping[str, object]:
    curve = rating.fit_rating([number(h) for h in h_m], [number(q) for q in q_m3s], h0_m=h0_known).curve
    return {"a": curve.a, "b": curve.b, "h0": curve.h0}


def _h0_johnson(*, h1: float, h2: float, h3: float) -> Mapping[str, object]:
    return {"h0": rating.johnson_h0(h1, h2, h3)}


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "siaga.class": _siaga_class,
        "river.rate_of_rise": _rate_of_rise,
        "rating.q": _rating_q,
        "rating.h": _rating_h,
        "rating.fit": _rating_fit,
        "rating.h0_johnson": _h0_johnson,
    }
)
