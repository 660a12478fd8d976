"""What a ground sampling distance can say about the width of a crack."""

import enum

__all__ = ["Visibility", "visibility"]


class Visibility(enum.StrEnum):
    """How well a crack shows."""

    MEASURABLE = "measurable"
    DETECTABLE = "detectable"
    MARGINAL = "marginal"
    UNRELIABLE = "unreliable"


_GRADES = ((3.0, Visibility.MEASURABLE), (2.0, Visibility.DETECTABLE), (1.0, Visibility.MARGINAL))


def visibility(crack_mm: float, gsd_mm: float) -> Visibility:
    """Return the grade of a crack so wide in a picture with such a ground sampling distance.

    At least 3 px across are needed to measure a width and 2 px to detect a crack; 1 px is marginal and less is
    unreliable [project proposal, `domain.md` §9; that thin cracks are very uncertain: Lee et al. 2026, PMC12900104,
    and Cho et al. 2018, DOI 10.3390/s18082644].

    Raises
    ------
    ValueError
        The ground sampling distance is not above 0, or the width is negative or not a number.
    """
    if not (gsd_mm > 0 and crack_mm >= 0):
        raise ValueError(f"a crack of {crack_mm} mm at {gsd_mm} mm per px has no visibility")
    across_px = crack_mm / gsd_mm
    for least_px, grade in _GRADES:
        if across_px >= least_px * (1 - 1e-9):
            return grade
    return Visibility.UNRELIABLE
