"""What lies on the road and beside it: things placed at random, never touching one another."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from serayu.models.survey.finding import DefectClass
from serayu.vision.flight.noise import generator
from serayu.vision.flight.road import Road
from serayu.vision.flight.shapes import alligator, blob, crack_line, crack_widths_mm, rectangle
from serayu.vision.flight.terrain import Terrain
from serayu.vision.flight.thing import Crack, Thing

__all__ = ["Scene", "Tree", "lay_out"]

SHOULDER_M = 1.2
_APART_M = 0.5  # between things, so that "one thing" has one meaning
_TRIES = 12
_WHOLE_WIDTH = 0.35  # share of transverse cracks that cross both lanes
_DARKER = 0.75  # share of patches darker than the road
_MARGIN_M = 1.5  # free of things at both ends of the flown part


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree beside the road, in site metres."""

    x_m: float
    y_m: float
    crown_m: float
    height_m: float


@dataclass(frozen=True, slots=True)
class Scene:
    """All of it.

    Parameters
    ----------
    road, terrain
        Where.
    things
        By station.
    trees
        Beside the road; only their shadows reach it.
    shadow
        Unit vector in the site's axes in which shadows fall.
    sun_deg
        Height of the sun over the horizon.
    seed
        Of the flight.
    """

    road: Road
    terrain: Terrain
    things: tuple[Thing, ...]
    trees: tuple[Tree, ...]
    shadow: tuple[float, float]
    sun_deg: float
    seed: int


def lay_out(road: Road, *, seed: int, per_100_m: float, landslide: bool, base_m: float) -> Scene:
    """Place things, trees and the hill.

    Parameters
    ----------
    road
        The road.
    seed
        The same seed gives the same scene.
    per_100_m
        Defects asked for per 100 m of road; where no place is left there are fewer. 0: a clean road.
    landslide
        Whether a hill with a scar lies beside the road.
    base_m
        Height of the road.
    """
    rng = generator(seed, "layout")
    terrain = _hill(rng, road, base_m=base_m, there=landslide)
    length = road.end_m - road.start_m
    wanted = max(round(per_100_m * length / 100), 1) if per_100_m > 0 else 0
    placed: list[Thing] = [_scar(rng, road, terrain)] if landslide else []
    stations = np.linspace(road.start_m + _MARGIN_M, road.end_m - _MARGIN_M, wanted)
    for station, maker in zip(stations, _deck(rng, wanted), strict=True):
        for _ in range(_TRIES):
            near = float(np.clip(station + rng.normal(0, 2.0), road.start_m, road.end_m))
            thing = maker(rng, road, near)
            if _free(thing, placed, road):
                placed.append(thing)
                break
    placed.sort(key=lambda thing: (thing.station_m, thing.offset_m))
    turn = rng.uniform(0, 2 * np.pi)
    return Scene(
        road=road,
        terrain=terrain,
        things=tuple(_numbered(placed)),
        trees=_trees(rng, road, placed),
        shadow=(float(np.cos(turn)), float(np.sin(turn))),
        sun_deg=float(rng.uniform(42, 62)),
        seed=seed,
    )


def _numbered(things: list[Thing]) -> list[Thing]:
    counts: dict[DefectClass, int] = {}
    numbered = []
    for thing in things:
        counts[thing.label] = counts.get(thing.label, 0) + 1
        number = f"{thing.label.value}-{counts[thing.label]:03d}"
        numbered.append(replace(thing, id=number))
    return numbered


def _free(thing: Thing, placed: list[Thing], road: Road) -> bool:
    """Return whether a thing lies on the flown pavement and apart from the others."""
    if any(thing.figure.distance(other.figure) < _APART_M for other in placed):
        return False
    corners = np.asarray(shapely.get_coordinates(thing.figure), dtype=np.float32)
    station, offset = road.station_offset(corners[:, 0], corners[:, 1])
    low, high = road.start_m + _MARGIN_M, road.end_m - _MARGIN_M
    within = bool(np.abs(offset).max() < road.width_m / 2 - 0.1)
    return within and bool(station.min() > low and station.max() < high)


def _lane(rng: np.random.Generator, road: Road) -> tuple[float, float]:
    """Return the offset of a lane's middle and its width: the road has two."""
    width = road.width_m / 2
    return _either(rng) * width / 2, width


def _either(rng: np.random.Generator) -> int:
    """Return +1 (left) or -1 (right)."""
    return 1 - 2 * int(rng.integers(2))


def _single_crack(rng: np.random.Generator, road: Road, station_m: float, *, across: bool) -> Thing:
    lane, width = _lane(rng, road)
    if across:
        whole = rng.random() < _WHOLE_WIDTH
        length = (1.7 if whole else 0.8) * width * rng.uniform(0.8, 1.05)
        offset = 0.0 if whole else lane
    else:
        length = float(np.clip(rng.lognormal(np.log(2.6), 0.55), 0.9, 9))
        offset = lane + rng.normal(0, 0.28) * width
    local = crack_line(rng, length_m=length, across=across)
    width_mm = float(np.clip(rng.lognormal(np.log(9), 0.42), 3.5, 26))
    widths = crack_widths_mm(rng, len(local), width_mm=width_mm)
    line = road.placed(station_m, local + np.array([0.0, offset]))
    label = DefectClass.TRANSVERSE_CRACK if across else DefectClass.LONGITUDINAL_CRACK
    tone = float(rng.uniform(0.62, 0.95))
    return _thing(road, label, LineString(line), cracks=(Crack(line, widths),), tone=tone)


def _longitudinal(rng: np.random.Generator, road: Road, station_m: float) -> Thing:
    return _single_crack(rng, road, station_m, across=False)


def _transverse(rng: np.random.Generator, road: Road, station_m: float) -> Thing:
    return _single_crack(rng, road, station_m, across=True)


def _alligator(rng: np.random.Generator, road: Road, station_m: float) -> Thing:
    lane, width = _lane(rng, road)
    offset = lane + rng.choice([-1, 1]) * 0.22 * width
    outline, lines = alligator(
        rng,
        length_m=float(rng.uniform(1.0, 3.6)),
        width_m=float(rng.uniform(0.7, 0.42 * width)),
        cell_m=float(rng.uniform(0.14, 0.28)),
    )
    width_mm = rng.uniform(4.5, 9)
    cracks = []
    for local in lines:
        widths = crack_widths_mm(rng, len(local), width_mm=width_mm * rng.uniform(0.45, 1.5), tapers=False)
        cracks.append(
            Crack(
                road.placed(station_m, local + np.array([0.0, offset])), np.maximum(widths, 0.35 * width_mm)
            )
        )
    ring = road.placed(station_m, np.asarray(outline.exterior.coords) + np.array([0.0, offset]))
    tone = float(rng.uniform(0.65, 0.95))
    return _thing(road, DefectClass.ALLIGATOR_CRACK, Polygon(ring), cracks=tuple(cracks), tone=tone)


def _pothole(rng: np.random.Generator, road: Road, station_m: float) -> Thing:
    lane, width = _lane(rng, road)
    size = float(np.clip(rng.lognormal(np.log(0.5), 0.35), 0.22, 1.2))
    ring = blob(rng, length_m=size * rng.uniform(0.9, 1.5), width_m=size, roughness=0.11)
    offset = lane + rng.normal(0, 0.2) * width
    figure = Polygon(road.placed(station_m, ring + np.array([0.0, offset]))).buffer(0)
    depth = float(rng.uniform(0.03, 0.08))
    return _thing(road, DefectClass.POTHOLE, figure, depth_m=depth, tone=float(rng.uniform(0, 1)))


def _patch(rng: np.random.Generator, road: Road, station_m: float) -> Thing:
    lane, width = _lane(rng, road)
    ring = rectangle(
        rng,
        length_m=float(rng.uniform(0.9, 4.0)),
        width_m=float(rng.uniform(0.35, 0.85) * width),
    )
    offset = lane + rng.normal(0, 0.05) * width
    tone = float(-rng.uniform(14, 42)) if rng.random() < _DARKER else float(rng.uniform(8, 18))
    figure = Polygon(road.placed(station_m, ring + np.array([0.0, offset]))).buffer(0)
    return _thing(road, DefectClass.PATCH_REPAIR, figure, tone=tone)


_Maker = Callable[[np.random.Generator, Road, float], Thing]
_MAKERS: tuple[_Maker, ...] = (_longitudinal, _transverse, _alligator, _pothole, _patch)


def _deck(rng: np.random.Generator, count: int) -> list[_Maker]:
    """Return makers in a mixed order in which each comes once before any comes again: short flights show all."""
    order = [int(i) for _ in range(count // len(_MAKERS) + 1) for i in rng.permutation(len(_MAKERS))]
    return [_MAKERS[i] for i in order[:count]]


def _thing(
    road: Road,
    label: DefectClass,
    figure: BaseGeometry,
    *,
    cracks: tuple[Crack, ...] = (),
    tone: float = 1.0,
    depth_m: float = 0.0,
) -> Thing:
    station, offset = _middle(road, figure)
    return Thing("", label, figure, station, offset, cracks, tone, depth_m)


def _middle(road: Road, figure: BaseGeometry) -> tuple[float, float]:
    middle = figure.interpolate(0.5, normalized=True) if isinstance(figure, LineString) else figure.centroid
    here = np.array([[middle.x, middle.y]], dtype=np.float32)
    station, offset = road.station_offset(here[:, 0], here[:, 1])
    return float(station[0]), float(offset[0])


def _hill(rng: np.random.Generator, road: Road, *, base_m: float, there: bool) -> Terrain:
    middle = road.start_m + (road.end_m - road.start_m) * rng.uniform(0.4, 0.6)
    return Terrain(
        road=road,
        base_m=base_m,
        side=_either(rng),
        foot_m=road.width_m / 2 + SHOULDER_M + 0.3,
        slope_deg=float(rng.uniform(24, 32)) if there else 0.0,
        centre_m=middle,
        reach_m=40.0,
        top_m=16.0,
    )


def _scar(rng: np.random.Generator, road: Road, terrain: Terrain) -> Thing:
    """Return the scar of a slide: as long down the slope as the hill allows, its toe on the shoulder."""
    reach, wide = float(rng.uniform(15, 21)), float(rng.uniform(10, 15))
    ring = blob(rng, length_m=wide, width_m=reach, roughness=0.12)
    toe = road.width_m / 2 + rng.uniform(0.2, 0.8)
    ring[:, 1] = terrain.side * (toe + reach / 2 + ring[:, 1])
    figure = Polygon(road.placed(terrain.centre_m, ring)).buffer(0)
    station, offset = _middle(road, figure)
    return Thing("", DefectClass.LANDSLIDE, figure, station, offset, slope_deg=terrain.slope_deg)


def _trees(rng: np.random.Generator, road: Road, things: list[Thing]) -> tuple[Tree, ...]:
    """Return trees along both sides, away from the scar; their crowns do not hang over the pavement."""
    scars = [thing.figure for thing in things if thing.label is DefectClass.LANDSLIDE]
    trees = []
    station = road.start_m - 15.0
    while station < road.end_m + 15:
        station += float(rng.exponential(9.0)) + 2
        crown = float(rng.uniform(1.2, 2.8))
        side = _either(rng)
        offset = side * (road.width_m / 2 + 0.6 + crown + rng.exponential(1.6))
        here = road.placed(min(max(station, 0.05), road.line.length), np.array([[0.0, offset]]))[0]
        if any(scar.distance(shapely.Point(here)) < crown + 0.5 for scar in scars):
            continue
        trees.append(Tree(float(here[0]), float(here[1]), crown, float(rng.uniform(3.0, 6.5))))
    return tuple(trees)
