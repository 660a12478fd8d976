"""Where the demonstration flies: over the road that runs nearest to a slope unit of the region."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely

from serayu.models.errors import BadInputError
from serayu.models.landslide.units import read_units
from serayu.models.roads.network import RoadNetwork
from serayu.standalone.drone.fly import ROADS_FILE

__all__ = ["Place", "place_over"]

SLOPES_FILE = "slopes.geojson"
_MARGIN_M = 1.0  # from the road's ends: the flight's own measure of the line may differ by centimetres


class Place(NamedTuple):
    """A stretch of a road: its number, and where on it the flight begins, m."""

    ruas: str
    start_m: float


def place_over(region: Path, *, length_m: float) -> Place:
    """Return where to fly, so that a slide beside the road is one of a slope unit.

    Parameters
    ----------
    region
        Its folder. Without slope units the first road that is long enough is flown from its start.
    length_m
        Of the flight.

    Raises
    ------
    BadInputError
        No roads, none long enough, or a file is wrong.
    """
    network = RoadNetwork.read(region / ROADS_FILE)
    numbered = zip(network.ruas, network.lines, strict=True)
    lines = {one.number: line for one, line in numbered if line.length >= length_m + 2 * _MARGIN_M}
    if not lines:
        raise BadInputError(f"no road of {length_m:.0f} m to fly over", file=region / ROADS_FILE)
    if not (region / SLOPES_FILE).is_file():
        return Place(next(iter(lines)), _MARGIN_M)
    units = np.array([placed.geometry for placed in read_units(region / SLOPES_FILE)], dtype=object)
    slopes = shapely.union_all(network.plane.to_metres(units))
    number = min(lines, key=lambda one: (float(shapely.distance(lines[one], slopes)), one))
    line = lines[number]
    foot = shapely.get_point(shapely.shortest_line(line, slopes), 0)
    start_m = float(shapely.line_locate_point(line, foot)) - length_m / 2
    return Place(number, float(np.clip(start_m, _MARGIN_M, line.length - length_m - _MARGIN_M)))
