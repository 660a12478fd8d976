"""Vectors of landslides: rain thresholds, zones of the regulation, stability of slopes."""

from collections.abc import Mapping
from types import MappingProxyType

from serayu.models.landslide import stability, thresholds, zones
from tests.vector_adapters.values import Adapter


def _id_threshold(*, threshold: str, duration_h: float) -> Mapping[str, object]:
    line = thresholds.ID_THRESHOLDS[threshold]
    return {"intensity_mm_h": line.intensity_mm_per_h(duration_h), "event_mm": line.depth_mm(duration_h)}


def _exceeds(*, threshold: str, duration_h: float, event_mm: float) -> Mapping[str, object]:
    ratio = thresholds.ID_THRESHOLDS[threshold].ratio(event_mm, duration_h=duration_h)
    return {"exceeds": ratio > 1, "ratio": ratio}


def _zone(*, slope_pct: float) -> Mapping[str, object]:
    return {"zona": zones.zone_of(slope_pct).value}


def _rain(*, mm_per_hour: float, mm_per_day: float, hours_continuous: float) -> Mapping[str, object]:
    found = zones.rain_trigger(hourly_mm=mm_per_hour, daily_mm=mm_per_day, hours_continuous=hours_continuous)
    return {"trigger": found is not None}


def _fs_infinite(
    *,
    c_kpa: float,
    gamma_kn_m3: float,
    z_m: float,
    phi_deg: float,
    h_w_m: float,
    slope_deg: float,
    gamma_w: float = stability.GAMMA_WATER,
) -> Mapping[str, object]:
    soil = stability.Soil(cohesion_kpa=c_kpa, friction_deg=phi_deg, gamma_kn_m3=gamma_kn_m3, depth_m=z_m)
    return {"fs": stability.factor_of_safety(soil, slope_deg=slope_deg, water_m=h_w_m, gamma_water=gamma_w)}


def _fs_sinmap(
    *,
    C: float,  # noqa: N803
    slope_deg: float,
    wetness: float,
    phi_deg: float,
    r: float,
) -> Mapping[str, object]:
    return {
        "fs": stability.sinmap_factor(
            cohesion=C, slope_deg=slope_deg, wetness=wetness, friction_deg=phi_deg, density_ratio=r
        )
    }


def _wetness(
    *,
    recharge_m_per_day: float,
    transmissivity_m2_per_day: float,
    specific_area_m: float,
    slope_deg: float,
) -> Mapping[str, object]:
    return {
        "w": stability.topographic_wetness(
            recharge_m_per_day=recharge_m_per_day,
            transmissivity_m2_per_day=transmissivity_m2_per_day,
            specific_area_m=specific_area_m,
            slope_deg=slope_deg,
        )
    }


def _shalstab(*, slope_deg: float, phi_deg: float, density_ratio: float) -> Mapping[str, object]:
    found = stability.shalstab(slope_deg=slope_deg, friction_deg=phi_deg, density_ratio=density_ratio)
    return {"state": found.state.value, "log10_qT_times_a_over_b": found.log10_ratio}


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "landslide.id_threshold": _id_threshold,
        "landslide.exceeds": _exceeds,
        "landslide.pu22_zone": _zone,
        "landslide.pu22_rain": _rain,
        "landslide.fs_infinite": _fs_infinite,
        "landslide.fs_sinmap": _fs_sinmap,
        "landslide.wetness": _wetness,
        "landslide.shalstab": _shalstab,
    }
)
