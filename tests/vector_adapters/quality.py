"""Vectors of the QARTOD tests (``qartod.*``)."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from serayu.models.quality import qartod
from tests.vector_adapters.values import Adapter, instant_s


def _steps_s(count: int, step_s: float) -> list[float]:
    return [index * step_s for index in range(count)]


def _span(span: Sequence[float] | None) -> tuple[float, float] | None:
    return None if span is None else (span[0], span[1])


def _gross_range(
    *,
    values: Sequence[float | None],
    fail_span: Sequence[float] | None = None,
    suspect_span: Sequence[float] | None = None,
) -> Mapping[str, object]:
    flags = qartod.gross_range(values, fail_span=_span(fail_span), suspect_span=_span(suspect_span))
    return {"flags": flags.tolist()}


def _spike(
    *,
    values: Sequence[float | None],
    suspect: float | None = None,
    fail: float | None = None,
    method: Any = "average",  # noqa: ANN401 - the product refuses what is no method
) -> Mapping[str, object]:
    return {"flags": qartod.spike(values, suspect=suspect, fail=fail, method=method).tolist()}


def _rate_of_change(
    *,
    values: Sequence[float | None],
    step_s: float,
    suspect_per_s: float | None = None,
    fail_per_s: float | None = None,
) -> Mapping[str, object]:
    times = _steps_s(len(values), step_s)
    flags = qartod.rate_of_change(values, times, suspect_per_s=suspect_per_s, fail_per_s=fail_per_s)
    return {"flags": flags.tolist()}


def _flat_line(
    *,
    values: Sequence[float | None],
    step_s: float,
    tolerance: float,
    suspect_s: float | None = None,
    fail_s: float | None = None,
) -> Mapping[str, object]:
    times = _steps_s(len(values), step_s)
    flags = qartod.flat_line(values, times, suspect_s=suspect_s, fail_s=fail_s, tolerance=tolerance)
    return {"flags": flags.tolist()}


def _time_gap(
    *, times: Sequence[str | None], fail_span_h: float | None = None, suspect_span_h: float | None = None
) -> Mapping[str, object]:
    seconds = [instant_s(text) for text in times]
    flags = qartod.time_gap(seconds, fail_span_h=fail_span_h, suspect_span_h=suspect_span_h)
    return {"flags": flags.tolist()}


def _climatology(
    *, config: Sequence[Mapping[str, Any]], samples: Sequence[Sequence[Any]]
) -> Mapping[str, object]:
    # a sample is time, value and, where the configuration speaks of depths, depth
    flags = qartod.climatology(
        [sample[1] for sample in samples],
        [instant_s(sample[0]) for sample in samples],
        config=config,
        depths_m=[sample[2] if len(sample) > 2 else None for sample in samples],
    )
    return {"flags": flags.tolist()}


def _aggregate(*, vectors: Sequence[Sequence[int]]) -> Mapping[str, object]:
    return {"flags": qartod.aggregate(vectors).tolist()}


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "qartod.gross_range": _gross_range,
        "qartod.spike": _spike,
        "qartod.rate_of_change": _rate_of_change,
        "qartod.flat_line": _flat_line,
        "qartod.time_gap": _time_gap,
        "qartod.climatology": _climatology,
        "qartod.aggregate": _aggregate,
    }
)
