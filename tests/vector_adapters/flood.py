"""Vectors from rain to flood: classes, wetness, losses, unit hydrographs, routing."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from serayu.models.hydrology import rain, routing, runoff, unit_hydrograph
from tests.vector_adapters.values import Adapter, number


def _nakayasu(
    *,
    A_km2: float,  # noqa: N803
    L_km: float,  # noqa: N803
    alpha: float = 2.0,
    Ro_mm: float = 1.0,  # noqa: N803
    tr_over_tg: float = 0.75,
    C: float = 1.0,  # noqa: N803
) -> Mapping[str, object]:
    graph = unit_hydrograph.Nakayasu(
        area_km2=A_km2,
        length_km=L_km,
        alpha=alpha,
        rain_mm=Ro_mm,
        duration_ratio=tr_over_tg,
        runoff_coefficient=C,
    )
    times = graph.corner_times_h()
    return {
        "tg": graph.lag_h,
        "tr": graph.duration_h,
        "tp": graph.time_to_peak_h,
        "t03": graph.recession_h,
        "qp": graph.peak_m3s,
        "q_at": [[time, float(flow)] for time, flow in zip(times, graph.discharge(times), strict=True)],
    }


def _scs_unit_hydrograph(
    *,
    A_km2: float,  # noqa: N803
    CN: float,  # noqa: N803
    L_m: float,  # noqa: N803
    slope: float,
) -> Mapping[str, object]:
    lag = unit_hydrograph.scs_lag_h(length_m=L_m, slope=slope, curve_number=CN)
    graph = unit_hydrograph.ScsUnitHydrograph(area_km2=A_km2, lag_h=lag)
    return {
        "t_lag_h": lag,
        "tr_h": graph.duration_h,
        "tp_h": graph.time_to_peak_h,
        "qp_m3s_per_cm": graph.peak_m3s_per_cm,
        "tb_h": graph.base_h,
    }


def _gama1(
    *,
    A_km2: float,  # noqa: N803
    JN: float,  # noqa: N803
    SIM: float,  # noqa: N803
    L_km: float,  # noqa: N803
    SF: float,  # noqa: N803
    S: float,  # noqa: N803
    D: float,  # noqa: N803
) -> Mapping[str, object]:
    graph = unit_hydrograph.GamaI(
        area_km2=A_km2,
        length_km=L_km,
        source_factor=SF,
        symmetry_factor=SIM,
        junctions=JN,
        slope=S,
        drainage_density_km_per_km2=D,
    )
    return {
        "TR_h": graph.time_to_rise_h,
        "QP_m3s": graph.peak_m3s,
        "K_h": graph.storage_h,
        "QB_m3s": graph.base_flow_m3s,
    }


def _convolve(*, effective_mm: Sequence[float], uh_m3s_per_mm: Sequence[float]) -> Mapping[str, object]:
    return {"q_m3s": unit_hydrograph.convolve(effective_mm, uh_m3s_per_mm).tolist()}


def _scs_runoff(*, P_mm: float, CN: float) -> Mapping[str, object]:  # noqa: N803
    return {"Q_mm": runoff.scs_runoff_mm(P_mm, curve_number=CN), "S_mm": runoff.retention_mm(CN)}


def _linear_reservoir(
    *,
    inflow: Sequence[float],
    K_h: float,  # noqa: N803
    dt_h: float,
    O0: float = 0.0,  # noqa: N803
) -> Mapping[str, object]:
    outflow = routing.linear_reservoir(inflow, storage_h=K_h, step_h=dt_h, initial_outflow=O0)
    return {"outflow": outflow.tolist()}


def _daily_class(*, mm_per_day: float) -> Mapping[str, object]:
    return {"kelas": rain.daily_class(mm_per_day).value}


def _hourly_class(*, mm_per_hour: float) -> Mapping[str, object]:
    return {"kelas": rain.hourly_class(mm_per_hour).value}


def _antecedent_index(
    *, daily_mm: Sequence[float | None], k: float, api0: float = 0.0
) -> Mapping[str, object]:
    index = rain.antecedent_index_mm([number(mm) for mm in daily_mm], k=k, initial_mm=api0)
    return {"api": [None if math.isnan(mm) else mm for mm in index]}


def _rolling_sum(*, daily_mm: Sequence[float | None], days: int) -> Mapping[str, object]:
    total = rain.rolling_sum_mm([number(mm) for mm in daily_mm], days=days)
    return {"total": None if math.isnan(total) else total}


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "uh.nakayasu": _nakayasu,
        "uh.scs": _scs_unit_hydrograph,
        "uh.gama1": _gama1,
        "uh.convolve": _convolve,
        "runoff.scs_cn": _scs_runoff,
        "routing.linear_reservoir": _linear_reservoir,
        "rain.class_daily": _daily_class,
        "rain.class_hourly": _hourly_class,
        "rain.api": _antecedent_index,
        "rain.rolling_sum": _rolling_sum,
    }
)
