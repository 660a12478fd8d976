"""Discharge at every post: rain, losses, unit hydrograph, and the way downstream."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serayu.models.hydrology.routing import linear_reservoir
from serayu.models.hydrology.runoff import excess_rain_mm
from serayu.models.hydrology.unit_hydrograph import Nakayasu, convolve
from serayu.standalone.storm.basins import Basin
from serayu.standalone.storm.rain_cell import StormRain

__all__ = ["REACH_RESERVOIRS", "BasinFlow", "simulate_flows"]

FloatArray = npt.NDArray[np.float64]

REACH_RESERVOIRS = 3
"""A reach is so many equal linear reservoirs in a row (Nash 1957): its wave moves on as well as flattens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasinFlow:
    """What one basin does in a storm, one number for each time step.

    Parameters
    ----------
    rain_mm
        Mean rain of the basin, mm per step.
    excess_mm
        Rain that runs off, mm per step.
    local_m3s
        Direct runoff of the basin itself at its outlet, m³/s.
    routed_m3s
        Direct runoff arriving from each basin above, m³/s.
    baseflow_m3s
        Base flow of the basin and all above, m³/s.
    """

    rain_mm: FloatArray
    excess_mm: FloatArray
    local_m3s: FloatArray
    routed_m3s: Mapping[str, FloatArray]
    baseflow_m3s: float

    @property
    def direct_m3s(self) -> FloatArray:
        """Direct runoff at the outlet, m³/s."""
        return np.asarray(np.sum([self.local_m3s, *self.routed_m3s.values()], axis=0), dtype=np.float64)

    @property
    def discharge_m3s(self) -> FloatArray:
        """Whole discharge at the outlet, m³/s."""
        return np.asarray(self.direct_m3s + self.baseflow_m3s)


def simulate_flows(
    basins: Mapping[str, Basin], rain: StormRain, *, step_h: float, steps: int
) -> dict[str, BasinFlow]:
    """Run a storm through the basins.

    Parameters
    ----------
    basins
        Every basin after those that flow into it, as `load_basins` gives them.
    rain
        The storm.
    step_h
        Time step, h.
    steps
        Number of steps; step *i* covers ``i · step_h`` to ``(i + 1) · step_h``.

    Returns
    -------
    dict
        Id → flow with rows of shape (steps,).
    """
    middle_h = (np.arange(steps, dtype=np.float64) + 0.5) * step_h
    flows: dict[str, BasinFlow] = {}
    for name, basin in basins.items():
        depths = [rain.intensity(lon, lat, middle_h) * step_h for lon, lat in basin.points]
        rain_mm = np.asarray(np.mean(depths, axis=0), dtype=np.float64)
        excess = excess_rain_mm(rain_mm, curve_number=basin.curve_number)
        above = {key: other for key, other in basins.items() if other.into == name}
        flows[name] = BasinFlow(
            rain_mm=rain_mm,
            excess_mm=excess,
            local_m3s=_direct_runoff(basin, excess, step_h=step_h),
            routed_m3s={
                key: route(flows[key].direct_m3s, travel_h=other.travel_h, step_h=step_h)
                for key, other in above.items()
            },
            baseflow_m3s=basin.baseflow_m3s + sum(flows[key].baseflow_m3s for key in above),
        )
    return flows


def route(inflow_m3s: FloatArray, *, travel_h: float, step_h: float) -> FloatArray:
    """Return what leaves a reach of the given travel time, m³/s, shape of the inflow."""
    for _ in range(REACH_RESERVOIRS):
        inflow_m3s = linear_reservoir(inflow_m3s, storage_h=travel_h / REACH_RESERVOIRS, step_h=step_h)
    return inflow_m3s


def _direct_runoff(basin: Basin, excess_mm: FloatArray, *, step_h: float) -> FloatArray:
    """Return the basin's own runoff, m³/s, cut at the end of the storm's time.

    The unit rain of the method lasts tr, the steps here a minute: the flood is a little slower than with a
    unit hydrograph derived for a minute, and carries the same volume.
    """
    unit = Nakayasu(area_km2=basin.area_km2, length_km=basin.length_km, alpha=basin.alpha)
    return convolve(excess_mm, unit.ordinates(step_h=step_h))[: excess_mm.size]
