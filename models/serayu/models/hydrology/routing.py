"""Routing a hydrograph through storage."""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["linear_reservoir"]


def linear_reservoir(
    inflow: npt.ArrayLike, *, storage_h: float, step_h: float, initial_outflow: float = 0.0
) -> npt.NDArray[np.float64]:
    """Outflow of a reservoir whose storage is K times its outflow.

    Parameters
    ----------
    inflow
        Mean inflow of each step, shape (n,), any unit of flow.
    storage_h
        Storage coefficient K, h; 0 passes the inflow through.
    step_h
        Time step, h, above 0.
    initial_outflow
        Outflow before the first step, in the unit of the inflow.

    Returns
    -------
    numpy.ndarray
        Outflow at the end of each step, shape (n,): ``O_t = O_(t-1) e^(-Δt/K) + I_t (1 - e^(-Δt/K))``, the
        exact solution of ``K dO/dt = I - O`` for an inflow constant over the step (Chow, Maidment and Mays,
        Applied Hydrology, section 8.5; Nash 1957). A missing inflow makes every later outflow missing.

    Raises
    ------
    ValueError
        When K is negative, the step is not positive, or the inflow is not one row.
    """
    flow = np.asarray(inflow, dtype=np.float64)
    if flow.ndim != 1:
        raise ValueError(f"inflow must be one row, got shape {flow.shape}")
    if not (storage_h >= 0 and step_h > 0):
        raise ValueError(f"need storage_h >= 0 and step_h > 0, got {storage_h} and {step_h}")
    keep = math.exp(-step_h / storage_h) if storage_h > 0 else 0.0
    outflow = np.empty_like(flow)
    current = float(initial_outflow)
    for index, value in enumerate(flow):
        current = current * keep + float(value) * (1.0 - keep)
        outflow[index] = current
    return outflow
