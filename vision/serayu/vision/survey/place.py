"""Where a thing lies on the road network, and what a slide means to the road."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.plane import LocalPlane
from serayu.models.roads.network import LIMIT_M, RoadNetwork, Snap
from serayu.models.survey.finding import CERTAIN_SIGMAS, DefectClass, Side
from serayu.vision.survey.combine import Thing

__all__ = ["SLIDE_LIMIT_M", "Place", "Roads", "SlopeOf", "middle_m", "slopes"]

SLIDE_LIMIT_M = 100.0
"""A slide farther from every road is placed on none, m [project proposal]."""

SlopeOf = Callable[[BaseGeometry], float | None]
"""Slope of the ground under a figure in longitude and latitude, degrees; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the network.

    Parameters
    ----------
    ruas, km, side
        As of a finding; None away from every road, the side also where the position does not tell it.
    road_edge_m
        Distance of a slide's outline to the road's edge, m, 0 when it reaches it; None of anything else, and where
        the road's width is not known.
    road_edge_sigma_m
        Its standard error; None where there is no distance or the error of the position is not known.
    """

    ruas: str | None = None
    km: float | None = None
    side: Side | None = None
    road_edge_m: float | None = None
    road_edge_sigma_m: float | None = None


@dataclass(frozen=True, slots=True)
class Roads:
    """The network, in the plane of the survey."""

    network: RoadNetwork

    @classmethod
    def read(cls, file: Path, *, plane: LocalPlane) -> "Roads":
        """Read roads.

        Raises
        ------
        BadInputError
            The file or one of its roads is wrong.
        """
        return cls(RoadNetwork.read(file, plane=plane))

    def apart_m(self, figures: Iterable[BaseGeometry]) -> float:
        """Return the distance from figures to the nearest road, m; infinite where either is missing."""
        shown = shapely.union_all(list(figures))
        return float(np.nanmin(shapely.distance(self.network.lines, shown), initial=np.inf))

    def place(self, thing: Thing) -> Place:
        """Return where a thing lies, by its middle; of a slide also how far its outline is from the nearest road."""
        slide = thing.label is DefectClass.LANDSLIDE
        limit = SLIDE_LIMIT_M if slide else LIMIT_M
        snap = self.network.snap(middle_m(thing.figure), limit_m=limit)
        if snap is None:
            return Place()
        near = self.network.snap_figure(thing.figure, limit_m=limit) if slide else None
        edge_m = None if near is None else near.edge_m
        sigma_m = None if edge_m is None else _outline_sigma_m(thing)
        return Place(snap.ruas, snap.km, _side(snap, thing), edge_m, sigma_m)


def _side(snap: Snap, thing: Thing) -> Side | None:
    """Return the side of the road; None where the error of the position reaches over the axis, or is not known."""
    error_m = thing.errors.position_m
    certain = error_m is not None and snap.offset_m >= CERTAIN_SIGMAS * error_m
    return snap.side if certain else None


def _outline_sigma_m(thing: Thing) -> float | None:
    """Return ``sqrt(position^2 + (area error / perimeter)^2)``, the standard error of where an outline lies.

    An area that is off by its error has an edge that is off by error / perimeter all around, to the first order; of an
    outline without a measured area only the position counts [project proposal]. The error of the road's line and of
    its width is not known here.
    """
    position_m, area_m2, around_m = thing.errors.position_m, thing.errors.area_m2, float(thing.figure.length)
    if position_m is None:
        return None
    return math.hypot(position_m, area_m2 / around_m if area_m2 is not None and around_m > 0 else 0.0)


def middle_m(figure: BaseGeometry) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the middle of a thing, shape (2,): halfway along a line, the centre of an area."""
    line = figure.geom_type == "LineString"
    point = figure.interpolate(0.5, normalized=True) if line else figure.centroid
    return np.array([point.x, point.y])


@contextmanager
def slopes(dem: Path | None) -> Iterator[SlopeOf | None]:
    """Open an elevation model for slopes by Horn's method; None without one.

    Raises
    ------
    BadInputError
        It cannot be read.
    """
    if dem is None:
        yield None
        return
    from serayu.models.landslide.dem import Dem  # noqa: PLC0415 -- rasterio only where a DEM is given
    from serayu.models.landslide.units import PlacedUnit, SlopeUnit  # noqa: PLC0415

    with Dem(dem) as model:
        yield lambda figure: model.slope_deg(
            PlacedUnit(SlopeUnit(id="slide", name="slide", ruas="-"), shapely.force_2d(figure))
        )
