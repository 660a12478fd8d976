"""Impact of a flood: milliseconds for 10,000 settlement polygons, for loading a region and for a bulletin.

``python -m bench.impact [--settlements N] [--rounds N] [--json] [--output FILE]``. Settlements are invented, of 12
corners each, spread over the middle of Kabupaten Banyumas; ``smooth`` and ``ragged`` are zones of 64 and 2,000 points
that cover about a quarter of them. The peer is the loop that one writes first with shapely: every settlement against
the zone, without an index; it counts people only. What is measured of ours is the whole answer, polygons for CAP
included, and nothing of it is remembered between rounds. ``bulletin`` asks for each of the region's own zones the
first time and again.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from bench.common import ROOT, case, document, emit
from serayu.models.impact import ImpactIndex
from serayu.models.impact.layers import Layer
from serayu.models.impact.reach import RegionLayers, find_reached
from serayu.models.impact.rows import SettlementRow
from serayu.models.impact.villages import Settlements

BANYUMAS = ROOT / "regions" / "banyumas"
HALF_WIDTH_M, HALF_HEIGHT_M = 22_000.0, 14_000.0
SIZE_M, CORNERS = 120.0, 12


def crowd(index: ImpactIndex, number: int) -> RegionLayers:
    """Return the region's layers with *number* invented settlements in place of its own."""
    generator = np.random.default_rng(5)
    centre = middle(index)
    places = centre + generator.uniform(-1, 1, (number, 2)) * (HALF_WIDTH_M, HALF_HEIGHT_M)
    angles = np.linspace(0, 2 * math.pi, CORNERS, endpoint=False)
    outline = SIZE_M * np.column_stack((np.cos(angles), np.sin(angles)))
    figures = shapely.polygons(places[:, None, :] + outline[None, :, :])
    row = SettlementRow(source="bench", invented=True, people=100, buildings=25)
    layer = Layer.of((row,) * number, figures, complete=True)
    village = np.full(number, -1, dtype=np.intp)
    if index.layers.villages is not None:
        inside, within = index.layers.villages.tree.query(shapely.centroid(figures), predicate="within")
        village[inside] = within
    counts = np.full(number, 100.0)
    settlements = Settlements(layer, village, counts, counts / 4)
    return RegionLayers(
        **{name: getattr(index.layers, name) for name in index.layers.__slots__ if name != "settlements"},
        settlements=settlements,
    )


def middle(index: ImpactIndex) -> Any:  # noqa: ANN401 -- an array of two
    return index.layers.plane.forward(np.array([[109.21, -7.46]]))[0]


def zone(index: ImpactIndex, points: int, roughness: float) -> BaseGeometry:
    """Return an outline about the middle of the region that covers about a quarter of the settlements."""
    generator = np.random.default_rng(11)
    angles = np.linspace(0, 2 * math.pi, points, endpoint=False)
    radii = 1 + roughness * generator.normal(0, 1, points)
    offsets = radii[:, None] * np.column_stack((13_000 * np.cos(angles), 8_500 * np.sin(angles)))
    return shapely.make_valid(shapely.Polygon(middle(index) + offsets))


def by_hand(layers: RegionLayers, area: BaseGeometry) -> int:
    """Count people with one intersection for each settlement."""
    people = 0.0
    if layers.settlements is not None:
        for figure, count in zip(layers.settlements.layer.figures, layers.settlements.people, strict=True):
            people += count * figure.intersection(area).area / figure.area
    return round(people)


def timed_ms(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


def fresh(area: BaseGeometry) -> BaseGeometry:
    """Return a copy that no earlier round has prepared."""
    return shapely.from_wkb(shapely.to_wkb(area))


def settlements_case(
    index: ImpactIndex, name: str, area: BaseGeometry, *, number: int, rounds: int
) -> dict[str, Any]:
    layers = crowd(index, number)
    post = shapely.Point(middle(index))
    ours, theirs = [], []
    for _ in range(rounds):
        mine, other = fresh(area), fresh(area)
        ours.append(timed_ms(partial(find_reached, layers, mine, post)))
        theirs.append(timed_ms(partial(by_hand, layers, other)))
    people = find_reached(layers, fresh(area), post).impact.people
    expected = by_hand(layers, area)
    if people is None or abs(people - expected) > 0.001 * expected:
        raise SystemExit(f"{name}: {people} people, and {expected} by hand")
    return case(
        f"{name} zone of {shapely.get_num_coordinates(area)} points, {number} settlements",
        metric="median",
        unit="ms",
        ours=statistics.median(ours),
        peers={"loop of shapely intersections": statistics.median(theirs)},
        spread=ours,
    )


def bulletin_cases(rounds: int) -> list[dict[str, Any]]:
    loads: list[float] = []
    firsts: list[float] = []
    agains: list[float] = []
    for _ in range(rounds):
        loads.append(timed_ms(lambda: ImpactIndex.load(BANYUMAS)))
        index = ImpactIndex.load(BANYUMAS)
        keys = [] if index.zones is None else list(index.zones.zones)
        for times in (firsts, agains):
            times.extend(timed_ms(partial(index.assess, *key, at_us=0)) for key in keys)
    return [
        case(name, metric="median", unit="ms", ours=statistics.median(times), peers={}, spread=times)
        for name, times in (
            ("load regions/banyumas", loads),
            ("bulletin, zone met for the first time", firsts),
            ("bulletin, zone known", agains),
        )
    ]


def run(number: int, rounds: int) -> dict[str, Any]:
    index = ImpactIndex.load(BANYUMAS)
    zones = (("smooth", zone(index, 64, 0.0)), ("ragged", zone(index, 2000, 0.005)))
    cases = [settlements_case(index, name, area, number=number, rounds=rounds) for name, area in zones]
    return document("impact", rounds=rounds, cases=[*cases, *bulletin_cases(rounds)])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settlements", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(arguments)
    emit(run(options.settlements, options.rounds), as_json=options.json, output=options.output)


if __name__ == "__main__":
    main()
