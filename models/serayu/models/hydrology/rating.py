"""Rating curves: discharge from stage, stage from discharge, and the fit of a curve to gaugings."""

import math
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

__all__ = ["EXTRAPOLATION_LIMIT", "RatingCurve", "RatingFit", "fit_rating", "johnson_h0"]

FloatArray = npt.NDArray[np.float64]

EXTRAPOLATION_LIMIT = 1.2
"""A discharge above this many times the highest gauged stage is flagged as extrapolated (project rule)."""

_SEARCH_POINTS = 400
_REFINE_STEPS = 80
_FIT_POINTS = 2  # a straight line in log space
_SEARCH_FIT_POINTS = 3  # and one more unknown


@dataclass(frozen=True, slots=True)
class RatingCurve:
    """Power-law rating of one river control, ``Q = a (h - h0)^b`` (ISO 1100-2 / ISO 18320).

    Parameters
    ----------
    a
        Discharge one metre above the cease-to-flow stage, m³/s, above 0.
    h0
        Stage of zero flow, m above the post's datum.
    b
        Exponent, above 0; about 1.5 to 2.5 in natural rivers.
    highest_gauged_m
        Highest stage at which discharge was measured, m; None when unknown.

    Raises
    ------
    ValueError
        When a or b is not positive, or a parameter is not a finite number.
    """

    a: float
    h0: float
    b: float
    highest_gauged_m: float | None = None

    def __post_init__(self) -> None:
        if not (0 < self.a < math.inf and 0 < self.b < math.inf and math.isfinite(self.h0)):
            raise ValueError(
                f"expected a > 0, b > 0 and a finite h0, got a={self.a}, b={self.b}, h0={self.h0}"
            )

    @overload
    def discharge(self, stage_m: float) -> float: ...
    @overload
    def discharge(self, stage_m: FloatArray) -> FloatArray: ...
    def discharge(self, stage_m: float | FloatArray) -> float | FloatArray:
        """Discharge of a stage.

        Parameters
        ----------
        stage_m
            Stage, m above the post's datum; a number or an array of any shape.

        Returns
        -------
        float or numpy.ndarray
            m³/s, shape of the input; 0 at and below h0, NaN where the stage is missing.
        """
        depth = np.maximum(np.asarray(stage_m, dtype=np.float64) - self.h0, 0.0)
        discharge = self.a * depth**self.b
        return float(discharge) if discharge.ndim == 0 else np.asarray(discharge)

    @overload
    def stage(self, discharge_m3s: float) -> float: ...
    @overload
    def stage(self, discharge_m3s: FloatArray) -> FloatArray: ...
    def stage(self, discharge_m3s: float | FloatArray) -> float | FloatArray:
        """Stage of a discharge, ``(Q / a)^(1/b) + h0``.

        Parameters
        ----------
        discharge_m3s
            Discharge, m³/s, not negative; a number or an array of any shape.

        Returns
        -------
        float or numpy.ndarray
            m above the post's datum, shape of the input; h0 for no flow, NaN where the discharge is missing.

        Raises
        ------
        ValueError
            When a discharge is negative.
        """
        flow = np.asarray(discharge_m3s, dtype=np.float64)
        if np.any(flow < 0):
            raise ValueError(f"discharge must not be negative, got {float(np.nanmin(flow))} m³/s")
        stage = (flow / self.a) ** (1.0 / self.b) + self.h0
        return float(stage) if stage.ndim == 0 else np.asarray(stage)

    def extrapolated(self, stage_m: float) -> bool:
        """Whether the discharge of a stage lies beyond what the gaugings support.

        Parameters
        ----------
        stage_m
            Stage, m above the post's datum.

        Returns
        -------
        bool
            True above 1.2 times the highest gauged stage, and always when that stage is unknown.
        """
        if self.highest_gauged_m is None:
            return True
        return stage_m > EXTRAPOLATION_LIMIT * self.highest_gauged_m


@dataclass(frozen=True, slots=True)
class RatingFit:
    """A fitted curve and how well it fits.

    Parameters
    ----------
    curve
        The curve, with its highest gauged stage.
    gaugings_used
        Gaugings that entered the fit: those with flow, above h0 and not missing.
    log_rmse
        Root mean square of the residuals of ln Q; about the relative error of a discharge.
    """

    curve: RatingCurve
    gaugings_used: int
    log_rmse: float


def _fit_line(stage: FloatArray, log_flow: FloatArray, h0: float) -> tuple[float, float, float]:
    """Least squares of ln Q on ln(h - h0): ln a, b and the sum of squared residuals."""
    x = np.log(stage - h0)
    x_mean, y_mean = float(x.mean()), float(log_flow.mean())
    slope = float(((x - x_mean) * (log_flow - y_mean)).sum() / ((x - x_mean) ** 2).sum())
    intercept = y_mean - slope * x_mean
    return intercept, slope, float(((log_flow - intercept - slope * x) ** 2).sum())


def _search_h0(stage: FloatArray, log_flow: FloatArray) -> float:
    """Stage of zero flow with the smallest squared error: a logarithmic grid, then golden sections."""
    lowest, span = float(stage.min()), float(np.ptp(stage))

    def error(log_gap: float) -> float:
        return _fit_line(stage, log_flow, lowest - math.exp(log_gap))[2]

    grid = np.linspace(math.log(1e-4 * span), math.log(10.0 * span), _SEARCH_POINTS)
    best = int(np.argmin([error(float(gap)) for gap in grid]))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, _SEARCH_POINTS - 1)])
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    for _ in range(_REFINE_STEPS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if error(left) <= error(right):
            high = right
        else:
            low = left
    return lowest - math.exp((low + high) / 2.0)


def fit_rating(
    stages_m: npt.ArrayLike, discharges_m3s: npt.ArrayLike, *, h0_m: float | None = None
) -> RatingFit:
    """Fit a rating curve to gaugings by least squares in log space (ISO 1100-2).

    Parameters
    ----------
    stages_m
        Gauged stages, shape (n,), m above the post's datum.
    discharges_m3s
        Gauged discharges, shape (n,), m³/s. Gaugings that are missing, without flow, or not above h0 have no
        logarithm and are left out; the result says how many were used.
    h0_m
        Stage of zero flow, m; searched below the lowest gauged flow (down to ten times the gauged range) when
        None.

    Returns
    -------
    RatingFit
        The curve with its highest gauged stage, the gaugings used and the error.

    Raises
    ------
    ValueError
        When shapes differ, or fewer gaugings at different stages remain than two (three when h0 is searched),
        or discharge does not grow with stage.
    """
    stage = np.asarray(stages_m, dtype=np.float64)
    flow = np.asarray(discharges_m3s, dtype=np.float64)
    if stage.ndim != 1 or stage.shape != flow.shape:
        raise ValueError(f"expected two rows of one length, got shapes {stage.shape} and {flow.shape}")
    usable = np.isfinite(stage) & np.isfinite(flow) & (flow > 0)
    if h0_m is not None:
        usable &= stage > h0_m
    stage, log_flow = stage[usable], np.log(flow[usable])
    needed = _SEARCH_FIT_POINTS if h0_m is None else _FIT_POINTS
    if np.unique(stage).size < needed:
        raise ValueError(
            f"expected at least {needed} usable gaugings at different stages, got {np.unique(stage).size}"
        )
    h0 = _search_h0(stage, log_flow) if h0_m is None else h0_m
    intercept, slope, error = _fit_line(stage, log_flow, h0)
    if slope <= 0:
        raise ValueError(f"discharge does not grow with stage in these gaugings (exponent {slope:.3f})")
    curve = RatingCurve(a=math.exp(intercept), h0=h0, b=slope, highest_gauged_m=float(stage.max()))
    return RatingFit(curve=curve, gaugings_used=int(stage.size), log_rmse=math.sqrt(error / stage.size))


def johnson_h0(h1_m: float, h2_m: float, h3_m: float) -> float | None:
    """Stage of zero flow from three stages, by Johnson's method.

    Parameters
    ----------
    h1_m, h2_m
        Two stages of the curve, m, with discharges Q1 and Q2.
    h3_m
        Stage of the discharge ``√(Q1 Q2)``, m.

    Returns
    -------
    float or None
        ``(h1 h2 - h3²) / (h1 + h2 - 2 h3)``, m (WMO-No. 1044, Manual on Stream Gauging, volume II); None when
        h3 is midway between the others, where no finite h0 exists.
    """
    denominator = h1_m + h2_m - 2.0 * h3_m
    if denominator == 0:
        return None
    return (h1_m * h2_m - h3_m**2) / denominator
