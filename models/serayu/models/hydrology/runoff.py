"""Rain that runs off: the SCS curve-number losses."""

from typing import overload

import numpy as np
import numpy.typing as npt

__all__ = ["INITIAL_ABSTRACTION_RATIO", "excess_rain_mm", "retention_mm", "scs_runoff_mm"]

FloatArray = npt.NDArray[np.float64]

INITIAL_ABSTRACTION_RATIO = 0.2
"""Share of the retention that fills before any runoff (USDA NRCS, NEH part 630 chapter 10)."""


def retention_mm(curve_number: float) -> float:
    """Potential maximum retention S of a catchment.

    Parameters
    ----------
    curve_number
        Curve number CN, above 0 and at most 100 (100: nothing is retained).

    Returns
    -------
    float
        ``25400 / CN - 254``, mm (USDA NRCS, NEH part 630 chapter 10, in millimetres).

    Raises
    ------
    ValueError
        When the curve number is out of range or not a number.
    """
    if not 0 < curve_number <= 100:  # noqa: PLR2004 - the scale of curve numbers ends at 100 by definition
        raise ValueError(f"curve number must be above 0 and at most 100, got {curve_number}")
    return 25400.0 / curve_number - 254.0


@overload
def scs_runoff_mm(
    cumulative_rain_mm: float, *, curve_number: float, abstraction_ratio: float = ...
) -> float: ...
@overload
def scs_runoff_mm(
    cumulative_rain_mm: FloatArray, *, curve_number: float, abstraction_ratio: float = ...
) -> FloatArray: ...
def scs_runoff_mm(
    cumulative_rain_mm: float | FloatArray,
    *,
    curve_number: float,
    abstraction_ratio: float = INITIAL_ABSTRACTION_RATIO,
) -> float | FloatArray:
    """Direct runoff of a rain depth counted from the start of the storm.

    Parameters
    ----------
    cumulative_rain_mm
        Rain since the start of the storm, mm, not negative; a number or an array of any shape. A missing
        depth (NaN) gives a missing runoff, never a dry one.
    curve_number
        Curve number CN, above 0 and at most 100.
    abstraction_ratio
        Initial abstraction as a share of the retention, not negative.

    Returns
    -------
    float or numpy.ndarray
        ``(P - Ia)² / (P - Ia + S)`` above ``Ia = ratio · S``, else 0; mm, shape of the input. With the usual
        ratio 0.2 this is ``(P - 0.2 S)² / (P + 0.8 S)`` (USDA NRCS, NEH part 630 chapter 10).

    Raises
    ------
    ValueError
        When a depth or the ratio is negative, or the curve number is out of range.
    """
    if not abstraction_ratio >= 0:
        raise ValueError(f"abstraction ratio must not be negative, got {abstraction_ratio}")
    retention = retention_mm(curve_number)
    rain = np.asarray(cumulative_rain_mm, dtype=np.float64)
    if np.any(rain < 0):
        raise ValueError(f"cumulative rain must not be negative, got {float(np.nanmin(rain))} mm")
    # np.maximum keeps NaN, so a gap in the rain stays a gap in the runoff.
    excess = np.maximum(rain - abstraction_ratio * retention, 0.0)
    runoff = excess if retention == 0 else excess**2 / (excess + retention)
    return float(runoff) if runoff.ndim == 0 else runoff


def excess_rain_mm(
    rain_mm: npt.ArrayLike, *, curve_number: float, abstraction_ratio: float = INITIAL_ABSTRACTION_RATIO
) -> FloatArray:
    """Effective rain of each time step of one storm.

    Parameters
    ----------
    rain_mm
        Rain of each step, shape (n,), mm, not negative.
    curve_number, abstraction_ratio
        As in :func:`scs_runoff_mm`.

    Returns
    -------
    numpy.ndarray
        Shape (n,), mm per step: the differences of the cumulative runoff, so their sum is the storm's runoff.

    Raises
    ------
    ValueError
        When a depth is negative or a parameter is out of range.
    """
    rain = np.asarray(rain_mm, dtype=np.float64)
    if rain.ndim != 1 or np.any(rain < 0):
        raise ValueError(f"rain must be one row of depths that are not negative, got shape {rain.shape}")
    runoff = scs_runoff_mm(np.cumsum(rain), curve_number=curve_number, abstraction_ratio=abstraction_ratio)
    # A rounding step of 1e-16 downwards would be a negative rain.
    return np.maximum(np.diff(runoff, prepend=0.0), 0.0)
