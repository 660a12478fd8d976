"""Stability of a slope that is long against its depth: factor of safety, SINMAP index, SHALSTAB, wetness."""

import enum
import math
from dataclasses import dataclass

__all__ = [
    "GAMMA_WATER",
    "Shalstab",
    "ShalstabState",
    "Soil",
    "StabilityClass",
    "factor_of_safety",
    "shalstab",
    "sinmap_factor",
    "soil_wetness",
    "stability_class",
    "topographic_wetness",
]

GAMMA_WATER = 9.807
"""Unit weight of water, kN/m3."""
_RIGHT_ANGLE = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Soil:
    """Soil above a plane of sliding.

    Parameters
    ----------
    cohesion_kpa
        Cohesion, roots included, kPa, 0 or more.
    friction_deg
        Angle of internal friction, above 0 and below 90 degrees.
    gamma_kn_m3
        Unit weight, kN/m3, above 0.
    depth_m
        Vertical depth of the plane, m, above 0.

    Raises
    ------
    ValueError
        A parameter is out of range.
    """

    cohesion_kpa: float
    friction_deg: float
    gamma_kn_m3: float
    depth_m: float

    def __post_init__(self) -> None:
        if not 0 <= self.cohesion_kpa < math.inf:
            raise ValueError(f"cohesion_kpa must be 0 or more, got {self.cohesion_kpa}")
        if not 0 < self.friction_deg < _RIGHT_ANGLE:
            raise ValueError(f"friction_deg must lie between 0 and 90, got {self.friction_deg}")
        for name in ("gamma_kn_m3", "depth_m"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")


def factor_of_safety(
    soil: Soil, *, slope_deg: float, water_m: float, gamma_water: float = GAMMA_WATER
) -> float:
    """Return the factor of safety of the infinite slope.

    ``[c + (gamma z - gamma_w h) cos2(beta) tan(phi)] / (gamma z sin(beta) cos(beta))`` [Skempton and DeLory 1957;
    domain reference section 3].

    Parameters
    ----------
    soil
        The soil; z is its depth.
    slope_deg
        Slope beta, at least 0 and below 90 degrees; a level plane gives infinity.
    water_m
        Vertical height h of the water above the plane, 0 to z.
    gamma_water
        Unit weight of water, kN/m3.

    Raises
    ------
    ValueError
        The slope or the water height is out of range.
    """
    beta = _radians(slope_deg)
    if not 0 <= water_m <= soil.depth_m:
        raise ValueError(f"water must stand between 0 and {soil.depth_m} m above the plane, got {water_m}")
    if beta == 0:
        return math.inf
    load = soil.gamma_kn_m3 * soil.depth_m
    friction = math.tan(math.radians(soil.friction_deg))
    resisting = soil.cohesion_kpa + (load - gamma_water * water_m) * math.cos(beta) ** 2 * friction
    return resisting / (load * math.sin(beta) * math.cos(beta))


def sinmap_factor(
    *, cohesion: float, slope_deg: float, wetness: float, friction_deg: float, density_ratio: float = 0.5
) -> float:
    """Return the factor of safety in SINMAP's dimensionless form.

    ``[C + cos(beta) (1 - w r) tan(phi)] / sin(beta)`` [https://uwrl.usu.edu/hydrology/agu98sinmap/sld003.php].

    Parameters
    ----------
    cohesion
        Cohesion of roots and soil over the weight of the soil, 0 or more.
    slope_deg
        Slope, at least 0 and below 90 degrees; a level plane gives infinity.
    wetness
        Relative wetness w, 0 to 1.
    friction_deg
        Angle of internal friction, degrees.
    density_ratio
        Density of water over that of soil, about 0.5.

    Raises
    ------
    ValueError
        Slope or wetness is out of range.
    """
    beta = _radians(slope_deg)
    if not 0 <= wetness <= 1:
        raise ValueError(f"wetness must lie between 0 and 1, got {wetness}")
    if beta == 0:
        return math.inf
    friction = math.cos(beta) * (1 - wetness * density_ratio) * math.tan(math.radians(friction_deg))
    return (cohesion + friction) / math.sin(beta)


class StabilityClass(enum.StrEnum):
    """Classes of SINMAP's stability index [Pack, Tarboton and Goodwin 1998, from memory]."""

    STABLE = "stable"
    MODERATELY_STABLE = "moderately_stable"
    QUASI_STABLE = "quasi_stable"
    LOWER_THRESHOLD = "lower_threshold"
    UPPER_THRESHOLD = "upper_threshold"
    DEFENDED = "defended"


def stability_class(index: float) -> StabilityClass:
    """Return the class of a stability index: above 1.5 stable, to 1.25, to 1, to 0.5, above 0, and 0 defended.

    The index is a factor of safety where the parameters are known, and a probability where they are spans and the
    factor may fall below 1. A bound belongs to the less stable class.

    Raises
    ------
    ValueError
        Negative or not a number.
    """
    if math.isnan(index) or index < 0:
        raise ValueError(f"a stability index is 0 or more, got {index}")
    bounds = (
        (1.5, StabilityClass.STABLE),
        (1.25, StabilityClass.MODERATELY_STABLE),
        (1.0, StabilityClass.QUASI_STABLE),
        (0.5, StabilityClass.LOWER_THRESHOLD),
        (0.0, StabilityClass.UPPER_THRESHOLD),
    )
    return next((kind for bound, kind in bounds if index > bound), StabilityClass.DEFENDED)


def topographic_wetness(
    *, recharge_m_per_day: float, transmissivity_m2_per_day: float, specific_area_m: float, slope_deg: float
) -> float:
    """Return the relative wetness under steady recharge, ``min(R a / (T sin(beta)), 1)``, 0 to 1 (SINMAP).

    Parameters
    ----------
    recharge_m_per_day
        Effective recharge R, m/day.
    transmissivity_m2_per_day
        Transmissivity T, m2/day, above 0.
    specific_area_m
        Area upslope per width of contour a, m.
    slope_deg
        Slope beta; a level plane that gets water is saturated.

    Raises
    ------
    ValueError
        A parameter is out of range.
    """
    beta = _radians(slope_deg)
    if recharge_m_per_day < 0 or specific_area_m < 0 or not transmissivity_m2_per_day > 0:
        raise ValueError("recharge and area must be 0 or more and transmissivity positive")
    supply = recharge_m_per_day * specific_area_m
    drained = transmissivity_m2_per_day * math.sin(beta)
    return 1.0 if supply >= drained and supply > 0 else (supply / drained if drained else 0.0)


def soil_wetness(moisture_pct: float, *, field_capacity_pct: float, saturation_pct: float) -> float:
    """Return the relative wetness that a soil moisture stands for, 0 to 1 [project proposal].

    ``(theta - theta_fc) / (theta_sat - theta_fc)``: water above field capacity drains to the plane of sliding. One
    probe near the surface says little about two metres below it; this is a proxy.

    Parameters
    ----------
    moisture_pct, field_capacity_pct, saturation_pct
        Percent of volume.

    Raises
    ------
    ValueError
        Not ``0 <= field capacity < saturation <= 100``, or the moisture is not a percentage.
    """
    if not 0 <= field_capacity_pct < saturation_pct <= 100:  # noqa: PLR2004 -- per cent
        raise ValueError(
            f"expected 0 <= field capacity < saturation <= 100, got {field_capacity_pct}, {saturation_pct}"
        )
    if not 0 <= moisture_pct <= 100:  # noqa: PLR2004 -- per cent
        raise ValueError(f"soil moisture must lie between 0 and 100 per cent, got {moisture_pct}")
    share = (moisture_pct - field_capacity_pct) / (saturation_pct - field_capacity_pct)
    return min(max(share, 0.0), 1.0)


class ShalstabState(enum.StrEnum):
    """Whether rain decides: never moves, moves with enough rain, moves even dry."""

    STABLE = "stable"
    CONDITIONAL = "conditional"
    UNSTABLE = "unstable"


@dataclass(frozen=True, slots=True)
class Shalstab:
    """Result of SHALSTAB; the logarithm is None unless the state is conditional."""

    state: ShalstabState
    log10_ratio: float | None


def shalstab(*, slope_deg: float, friction_deg: float, density_ratio: float) -> Shalstab:
    """Return the state of a slope without cohesion, and log10 of the critical ``(q/T) (a/b)``.

    ``(rho_s/rho_w) (1 - tan(beta)/tan(phi)) sin(beta)``; always stable to ``tan(beta) = tan(phi) (1 - rho_w/rho_s)``,
    always unstable from ``tan(beta) = tan(phi)`` on [Montgomery and Dietrich 1994, from memory].

    Parameters
    ----------
    slope_deg, friction_deg
        Slope and angle of internal friction, degrees.
    density_ratio
        Density of the soil over that of water, above 1.

    Raises
    ------
    ValueError
        The slope or the ratio is out of range.
    """
    beta = _radians(slope_deg)
    if not density_ratio > 1:
        raise ValueError(f"soil must be heavier than water, got a ratio of {density_ratio}")
    steep, friction = math.tan(beta), math.tan(math.radians(friction_deg))
    if steep <= friction * (1 - 1 / density_ratio):
        return Shalstab(ShalstabState.STABLE, None)
    if steep >= friction:
        return Shalstab(ShalstabState.UNSTABLE, None)
    return Shalstab(
        ShalstabState.CONDITIONAL, math.log10(density_ratio * (1 - steep / friction) * math.sin(beta))
    )


def _radians(slope_deg: float) -> float:
    if not 0 <= slope_deg < _RIGHT_ANGLE:
        raise ValueError(f"slope must be at least 0 and below 90 degrees, got {slope_deg}")
    return math.radians(slope_deg)
