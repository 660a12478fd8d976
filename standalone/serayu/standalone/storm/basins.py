"""Catchments of the river posts, and how they hang together."""

import graphlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from serayu.models.errors import BadInputError
from serayu.models.hydrology.rating import RatingCurve
from serayu.standalone.storm.toml_file import converted, read_toml

__all__ = ["BASINS_FILE", "Basin", "Rating", "load_basins"]

BASINS_FILE = "basins.toml"
_HIGHEST_CURVE_NUMBER = 100


class Rating(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rating of a post, ``Q = a (h - h0)^b``, see `RatingCurve`."""

    a: float
    h0: float
    b: float

    def __post_init__(self) -> None:
        self.curve()

    def curve(self) -> RatingCurve:
        """Return the curve."""
        return RatingCurve(a=self.a, h0=self.h0, b=self.b)


class Basin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What drains to one post below the posts above it, or an inflow without a post.

    Parameters
    ----------
    area_km2, length_km
        Area, km², and length of its river, km.
    curve_number
        SCS curve number, above 0 and at most 100.
    alpha
        Nakayasu's recession shape.
    baseflow_m3s
        Flow that it adds in dry weather, m³/s.
    points
        Places (longitude, latitude) whose mean rain is the basin's.
    source, invented
        Where the numbers come from; True where the project made them up.
    into, travel_h
        Basin that it flows into and the travel time to that one's post, h; None leaves the model.
    rating
        Rating of its post; None for an inflow without a post.
    """

    area_km2: float
    length_km: float
    curve_number: float
    alpha: float
    baseflow_m3s: float
    points: tuple[tuple[float, float], ...]
    source: str
    invented: bool
    into: str | None = None
    travel_h: float = 0.0
    rating: Rating | None = None

    def __post_init__(self) -> None:
        for name in ("area_km2", "length_km", "alpha"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if not 0 < self.curve_number <= _HIGHEST_CURVE_NUMBER:
            raise ValueError(f"curve_number must be above 0 and at most 100, got {self.curve_number}")
        if not (self.baseflow_m3s >= 0 and self.travel_h >= 0):
            raise ValueError("baseflow_m3s and travel_h must not be negative")
        if not self.points:
            raise ValueError("points must name at least one place")


def load_basins(folder: Path) -> Mapping[str, Basin]:
    """Read ``basins.toml`` of a region folder.

    Returns
    -------
    mapping
        Id → basin, every basin after those that flow into it.

    Raises
    ------
    BadInputError
        The file is missing or wrong, a basin flows into an unknown one, or basins flow in a circle.
    """
    file = folder / BASINS_FILE
    basins = {name: converted(table, Basin, file=file, field=name) for name, table in read_toml(file).items()}
    above: dict[str, list[str]] = {name: [] for name in basins}
    for name, basin in basins.items():
        if basin.into is None:
            continue
        if basin.into not in basins:
            raise BadInputError(f"unknown basin {basin.into!r}", file=file, field=f"{name}.into")
        above[basin.into].append(name)
    try:
        order = tuple(graphlib.TopologicalSorter(above).static_order())
    except graphlib.CycleError as error:
        raise BadInputError(f"basins flow in a circle: {', '.join(error.args[1])}", file=file) from None
    return {name: basins[name] for name in order}
