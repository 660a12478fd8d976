"""Vectors of forecast scores (``verify.*``)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from serayu.models.hydrology import verification
from tests.vector_adapters.values import Adapter


def _contingency(
    *, hits: float, false_alarms: float, misses: float, correct_negatives: float | None = None
) -> Mapping[str, object]:
    scores = verification.Contingency(
        hits=hits, false_alarms=false_alarms, misses=misses, correct_negatives=correct_negatives
    )
    return {
        "POD": scores.pod,
        "FAR": scores.far,
        "CSI": scores.csi,
        "POFD": scores.pofd,
        "BIAS": scores.bias,
        "ACC": scores.accuracy,
        "ETS": scores.ets,
        "HSS": scores.hss,
        "TSS": scores.tss,
    }


def _continuous(
    *, sim: Sequence[float | None], obs: Sequence[float | None], lead: int = 1
) -> Mapping[str, object]:
    scores = verification.continuous_scores(sim, obs, lead=lead)
    return {
        "n": scores.n,
        "nse": scores.nse,
        "kge": scores.kge,
        "r": scores.r,
        "alpha": scores.alpha,
        "beta": scores.beta,
        "kge_prime_2012": scores.kge_prime,
        "persistence": scores.persistence,
        "rmse": scores.rmse,
    }


def _persistence(
    *, sim: Sequence[float | None], obs: Sequence[float | None], lead: int = 1
) -> Mapping[str, object]:
    return {"persistence": verification.persistence_index(sim, obs, lead=lead)}


def _lead_time(*, alert_at: str | None, threshold_crossed_at: str | None) -> Mapping[str, object]:
    alert, crossed = (
        None if text is None else datetime.fromisoformat(text) for text in (alert_at, threshold_crossed_at)
    )
    lead = verification.lead_time(alert, crossed)
    return {"lead_minutes": None if lead is None else lead.total_seconds() / 60}


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "verify.contingency": _contingency,
        "verify.continuous": _continuous,
        "verify.persistence": _persistence,
        "verify.lead_time": _lead_time,
    }
)
