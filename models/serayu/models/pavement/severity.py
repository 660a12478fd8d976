"""Severity by the limits of ASTM D6433, as far as a picture from above can decide it."""

from dataclasses import dataclass

from serayu.models.survey.finding import Severity

__all__ = ["ASTM_D6433", "Limits", "crack_severity", "pothole_severities"]

_L, _M, _H = Severity.LOW, Severity.MEDIUM, Severity.HIGH


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of severity, with their origin.

    Parameters
    ----------
    source, valid_from, approved_by
        Where the numbers come from.
    crack_medium_mm, crack_high_mm
        An unfilled crack is low below the first, medium from the first to the second (both included), else high.
    pothole_diameter_mm
        Upper ends of the classes of mean diameter; the last is open above.
    pothole_depth_mm
        Upper ends of the classes of depth; the last is open above.
    pothole
        Severity by class of diameter, then of depth.
    """

    source: str
    valid_from: str
    approved_by: str
    crack_medium_mm: float
    crack_high_mm: float
    pothole_diameter_mm: tuple[float, ...]
    pothole_depth_mm: tuple[float, ...]
    pothole: tuple[tuple[Severity, ...], ...]


ASTM_D6433 = Limits(
    source="ASTM D6433, limits as in the project's domain reference §1a [from memory: no public text was found]",
    valid_from="",
    approved_by="",
    crack_medium_mm=10.0,
    crack_high_mm=75.0,
    pothole_diameter_mm=(200.0, 450.0),
    pothole_depth_mm=(25.0, 50.0),
    pothole=(
        (_L, _L, _M),
        (_L, _M, _M),
        (_M, _H, _H),
    ),  # the standard prints it by depth: L,L,M / L,M,H / M,M,H
)


def crack_severity(width_mm: float, *, limits: Limits = ASTM_D6433) -> Severity:
    """Return the severity of a longitudinal or transverse crack by its width, taken as unfilled.

    A filled crack in good order is low whatever its width, which a width alone cannot tell.

    Raises
    ------
    ValueError
        The width is negative or not a number.
    """
    if not width_mm >= 0:
        raise ValueError(f"a crack cannot be {width_mm} mm wide")
    if width_mm < limits.crack_medium_mm:
        return Severity.LOW
    return Severity.MEDIUM if width_mm <= limits.crack_high_mm else Severity.HIGH


def pothole_severities(
    diameter_mm: float, *, depth_mm: float | None = None, limits: Limits = ASTM_D6433
) -> frozenset[Severity]:
    """Return the severities that a pothole can have: one where its depth is known, else all that its diameter allows.

    No diameter of the standard's table leaves only one: without a depth the severity is not measured, but from
    450 mm it is at least medium. Holes under the smallest class are taken as of that class.

    Raises
    ------
    ValueError
        The diameter or the depth is negative or not a number.
    """
    if not diameter_mm >= 0 or not (depth_mm is None or depth_mm >= 0):
        raise ValueError(f"a pothole cannot be {diameter_mm} mm across and {depth_mm} mm deep")
    row = limits.pothole[_class_of(diameter_mm, limits.pothole_diameter_mm)]
    if depth_mm is None:
        return frozenset(row)
    return frozenset({row[_class_of(depth_mm, limits.pothole_depth_mm)]})


def _class_of(value: float, upper_ends: tuple[float, ...]) -> int:
    """Return the class of a value; a shared bound belongs to the lower class."""
    return sum(value > end for end in upper_ends)
