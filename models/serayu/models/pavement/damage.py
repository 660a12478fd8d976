"""One measured thing on the pavement, and between which bounds its sizes and its severity lie."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from serayu.models.pavement import severity
from serayu.models.pavement.distress import Distress
from serayu.models.survey.finding import CRACKS, DefectClass, Errors, Finding, Severity

__all__ = ["DISTRESS_OF", "SIGMAS", "Damage", "Range", "crack_severities", "pothole_severities"]

SIGMAS = 2.0
"""Bounds of a size are this many standard errors away: about 95 % of errors that are normal [project proposal]."""
Range = tuple[float, float]
Severities = tuple[Severity, Severity]

DISTRESS_OF: Mapping[DefectClass, Distress] = MappingProxyType(
    {
        DefectClass.LONGITUDINAL_CRACK: Distress.LONG_TRANS,
        DefectClass.TRANSVERSE_CRACK: Distress.LONG_TRANS,
        DefectClass.ALLIGATOR_CRACK: Distress.ALLIGATOR,
        DefectClass.POTHOLE: Distress.POTHOLES,
        DefectClass.PATCH_REPAIR: Distress.PATCHING,
    }
)
"""Which distress of ASTM D6433 each class is; a landslide is none."""

_ORDER = (Severity.LOW, Severity.MEDIUM, Severity.HIGH)
_LARGE_MM, _LARGE_M2 = (
    750.0,
    0.5,
)  # a hole above the first counts as its area by the second [ASTM D6433, memory]


def crack_severities(width_mm: Range) -> Severities:
    """Return the lowest and highest severity of a crack, taken as unfilled, whose width is between bounds."""
    return severity.crack_severity(width_mm[0]), severity.crack_severity(width_mm[1])


def pothole_severities(area_m2: Range | None) -> Severities:
    """Return the lowest and highest severity of a pothole whose depth nobody knows, by its mean diameter.

    Parameters
    ----------
    area_m2
        Bounds of its area; None where it is not known: then every severity is possible.
    """
    if area_m2 is None:
        return Severity.LOW, Severity.HIGH
    smallest, largest = (severity.pothole_severities(_diameter_mm(area)) for area in area_m2)
    return min(smallest, key=_ORDER.index), max(largest, key=_ORDER.index)


def _diameter_mm(area_m2: float) -> float:
    return 2000 * math.sqrt(area_m2 / math.pi)


@dataclass(frozen=True, slots=True)
class Damage:
    """A measured thing.

    Parameters
    ----------
    label
        What it is.
    severity
        By the standard's limits, or unmeasured.
    length_m, width_mm, area_m2
        Sizes; None where not defined or not measurable.
    errors
        Standard errors of the sizes; a size without one has none, as where a person gave it.
    score
        Confidence of the detector, 0-1; None where a person gave the thing.

    Raises
    ------
    ValueError
        A size or an error is negative or no number, or the score is not 0 to 1.
    """

    label: DefectClass
    severity: Severity = Severity.UNMEASURED
    length_m: float | None = None
    width_mm: float | None = None
    area_m2: float | None = None
    errors: Errors = field(default_factory=lambda: Errors(position_m=None))
    score: float | None = None

    def __post_init__(self) -> None:
        for name in ("length_m", "width_mm", "area_m2"):
            for what, value in (
                (name, getattr(self, name)),
                (f"error of {name}", getattr(self.errors, name)),
            ):
                if value is not None and not 0 <= value < math.inf:
                    raise ValueError(f"{self.label}: {what} must be a number not below 0, got {value}")
        if self.score is not None and not 0 <= self.score <= 1:
            raise ValueError(f"{self.label}: score must be 0 to 1, got {self.score}")

    @classmethod
    def of(cls, finding: Finding) -> "Damage":
        """Take what matters to the pavement from a finding."""
        return cls(
            finding.label,
            finding.severity,
            finding.length_m,
            finding.width_mm,
            finding.area_m2,
            finding.errors,
            finding.score,
        )

    @property
    def cracked(self) -> bool:
        """Whether it is a crack of any kind."""
        return self.label in CRACKS

    def range(self, name: str) -> Range | None:
        """Return the bounds of a size, ``length_m``, ``width_mm`` or ``area_m2``; None where it is not known."""
        value, error = getattr(self, name), getattr(self.errors, name) or 0.0
        return None if value is None else (max(0.0, value - SIGMAS * error), value + SIGMAS * error)

    @property
    def severities(self) -> Severities:
        """Lowest and highest severity that it can have."""
        if self.severity is not Severity.UNMEASURED:
            return self.severity, self.severity
        if self.label is DefectClass.POTHOLE:
            return pothole_severities(self.range("area_m2"))
        width = self.range("width_mm") if DISTRESS_OF.get(self.label) is Distress.LONG_TRANS else None
        return (Severity.LOW, Severity.HIGH) if width is None else crack_severities(width)

    @property
    def quantity(self) -> tuple[float, float, float] | None:
        """What the standard counts of it, m², m or holes: lower bound, as measured, upper bound; None if not known.

        A hole above 750 mm counts as its area divided by 0.5 m², at least as one.
        """
        distress = DISTRESS_OF[self.label]
        name = "length_m" if distress is Distress.LONG_TRANS else "area_m2"
        bounds, value = self.range(name), getattr(self, name)
        if distress is Distress.POTHOLES:
            low, high = bounds or (0.0, 0.0)
            return _holes(low), _holes(value or 0.0), _holes(high)
        return None if bounds is None else (bounds[0], value, bounds[1])


def _holes(area_m2: float) -> float:
    return max(1.0, area_m2 / _LARGE_M2) if _diameter_mm(area_m2) > _LARGE_MM else 1.0
