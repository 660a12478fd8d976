"""Distresses of an asphalt pavement, in which unit each is measured, and its density in the units of the charts."""

import enum
import math
from collections.abc import Mapping
from types import MappingProxyType

from serayu.models.pavement.curves import deduct_value

__all__ = ["UNITS", "Distress", "Measure", "chart_density", "metric_deduct"]

_FOOT_M = 0.3048  # exact by definition
_SQUARE_FOOT_M2 = 0.09290304  # exact by definition


class Distress(enum.StrEnum):
    """Distresses with a deduct curve; the names are those of the curves."""

    ALLIGATOR = "alligator"
    BLOCK = "block"
    DEPRESSION = "depression"
    EDGE = "edge"
    REFLECTION = "reflection"
    LONG_TRANS = "long_trans"
    PATCHING = "patching"
    POTHOLES = "potholes"
    RUTTING = "rutting"
    RAVELING = "raveling"
    WEATHERING = "weathering"


class Measure(enum.Enum):
    """What is measured of a distress, and the factor from metric to chart density.

    A share of an area is the same in every unit; metres per 100 m² times 0.3048 are feet per 100 ft²; holes per
    100 m² times 0.0929 are holes per 100 ft².
    """

    AREA_M2 = 1.0
    LENGTH_M = _FOOT_M
    COUNT = _SQUARE_FOOT_M2


UNITS: Mapping[Distress, Measure] = MappingProxyType(
    dict.fromkeys(Distress, Measure.AREA_M2)
    | dict.fromkeys((Distress.EDGE, Distress.REFLECTION, Distress.LONG_TRANS), Measure.LENGTH_M)
    | {Distress.POTHOLES: Measure.COUNT}
)
"""What ASTM D6433 measures of each distress."""


def chart_density(distress: Distress, quantity: float, *, area_m2: float) -> float:
    """Return the density in the units of the deduct charts.

    Parameters
    ----------
    distress
        Which.
    quantity
        m², m or holes, see `UNITS`; not negative.
    area_m2
        Area of the sample unit, above 0.

    Raises
    ------
    ValueError
        The quantity is negative, or the area not above 0.
    """
    if not 0 <= quantity < math.inf:
        raise ValueError(f"quantity of {distress} must be a number not below 0, got {quantity}")
    if not 0 < area_m2 < math.inf:
        raise ValueError(f"area must be above 0 m², got {area_m2}")
    return 100 * quantity / area_m2 * UNITS[distress].value


def metric_deduct(distress: Distress, severity: str, quantity: float, *, area_m2: float) -> float:
    """Return the deduct value, 0-100, of a quantity measured in metres; see `chart_density` and `deduct_value`."""
    return deduct_value(distress, severity, chart_density(distress, quantity, area_m2=area_m2))
