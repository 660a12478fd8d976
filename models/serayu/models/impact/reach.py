"""What lies in a flooded area: villages, people, roads, places and fields of the region's layers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.impact.cut import Cut, cut
from serayu.models.impact.layers import Layer
from serayu.models.impact.people import Counted, count
from serayu.models.impact.rings import cap_rings
from serayu.models.impact.rows import PlaceRow, RiceRow, RuasRow, VillageRow
from serayu.models.impact.villages import Settlements
from serayu.models.plane import LocalPlane
from serayu.models.warning.bulletin import AffectedArea, AffectedRuas, Impact

SLIVER_M2 = 1000.0
"""A village with less under water is not named: boundaries are no better than that [project proposal]."""
SLIVER_SHARE = 0.01  # of the zone, where all of it is hardly more than a sliver [project proposal]
UNKNOWN_SHARE = 0.05
"""A sum is not said where villages without a count hold more than this of the zone [project proposal]."""
LEAST_ROAD_M = 1.0  # a road cut for less is a rounding of coordinates
M2_PER_HA, M_PER_KM = 10_000.0, 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionLayers:
    """The layers of a region; None where a layer is not there.

    Parameters
    ----------
    plane
        That the figures of all layers lie in.
    code, name
        Of the region.
    villages, settlements, ruas, bridges, schools, health, rice
        The layers.
    """

    plane: LocalPlane
    code: str
    name: str
    villages: Layer[VillageRow] | None
    settlements: Settlements | None
    ruas: Layer[RuasRow] | None
    bridges: Layer[PlaceRow] | None
    schools: Layer[PlaceRow] | None
    health: Layer[PlaceRow] | None
    rice: Layer[RiceRow] | None

    @property
    def simple(self) -> Mapping[str, Layer[Any] | None]:
        """The layers that are only cut, by slug."""
        return {slug: getattr(self, slug) for slug in ("ruas", "bridges", "schools", "health", "rice")}


@dataclass(frozen=True, slots=True)
class Reached:
    """What lies in one flooded area, without times.

    Parameters
    ----------
    impact
        Areas, sums and names; basis is empty.
    distance_m
        Of each area's wet part from the post, metres, same order.
    incomplete
        Slugs of layers that hold only part of what there is.
    invented
        Slugs of layers of which something invented was counted.
    """

    impact: Impact
    distance_m: tuple[float, ...]
    incomplete: tuple[str, ...]
    invented: tuple[str, ...]


def find_reached(layers: RegionLayers, area: BaseGeometry, post: BaseGeometry) -> Reached:
    """Return what an area reaches.

    Parameters
    ----------
    layers
        Of the region.
    area, post
        Flooded area and the post, metres.
    """
    cuts = {slug: cut(layer, area) for slug, layer in layers.simple.items() if layer is not None}
    wet = None if layers.villages is None else cut(layers.villages, area)
    lived = None if layers.settlements is None else cut(layers.settlements.layer, area)
    people, buildings = _counts(layers, lived, wet)
    areas, distances = _areas(layers, area, post, wet=wet, people=people)
    ruas = _ruas(layers.ruas, cuts.get("ruas"))
    impact = Impact(
        areas=areas,
        people=_total(people, wet, area),
        buildings=_total(buildings, wet, area),
        ruas=ruas,
        road_km=_sum(layers.ruas, [one.length_km for one in ruas], 3),
        rice_ha=_sum(layers.rice, _hectares(cuts.get("rice")), 2),
        schools=_names(layers.schools, cuts.get("schools")),
        bridges=_names(layers.bridges, cuts.get("bridges")),
        health=_names(layers.health, cuts.get("health")),
        missing=tuple(_missing(layers, wet, {"people": people, "buildings": buildings})),
    )
    whole = {slug: layer for slug, layer in layers.simple.items() if layer is not None}
    invented = [slug for slug, layer in whole.items() if _any_invented(layer, cuts[slug])]
    if (
        layers.settlements is not None
        and lived is not None
        and _any_invented(layers.settlements.layer, lived)
    ):
        invented.append("people")
    incomplete = tuple(slug for slug, layer in whole.items() if not layer.complete)
    return Reached(impact, distances, incomplete, tuple(invented))


def _any_invented(layer: Layer[Any], wet: Cut) -> bool:
    return any(layer.rows[index].invented for index in wet.index)


def _counts(layers: RegionLayers, lived: Cut | None, wet: Cut | None) -> tuple[Counted, Counted]:
    if layers.settlements is None or lived is None:
        return Counted({}, None, complete=False), Counted({}, None, complete=False)
    settled = layers.settlements
    inside = () if wet is None else tuple(int(index) for index in wet.index)
    return count(settled, lived, settled.people, inside), count(settled, lived, settled.buildings, inside)


def _areas(
    layers: RegionLayers, area: BaseGeometry, post: BaseGeometry, *, wet: Cut | None, people: Counted
) -> tuple[tuple[AffectedArea, ...], tuple[float, ...]]:
    """Return the villages, most people first, with distances; the whole zone under the region's name without any."""
    least_m2 = min(SLIVER_M2, SLIVER_SHARE * area.area)
    found = []
    for part, index in () if wet is None else zip(wet.parts, wet.index, strict=True):
        if layers.villages is None or part.area < least_m2:
            continue
        row, lived = layers.villages.rows[index], people.by_village.get(int(index))
        rings = cap_rings(part, layers.plane)
        village = AffectedArea(row.kode, row.nama, row.kecamatan, lived, polygons=rings)
        found.append((village, float(shapely.distance(part, post)), float(part.area)))
    if not found:
        rings = cap_rings(area, layers.plane)
        whole = AffectedArea(layers.code, layers.name, people=people.total, polygons=rings)
        return (whole,), (float(shapely.distance(area, post)),)
    found.sort(key=lambda one: (-1 if one[0].people is None else one[0].people, one[2]), reverse=True)
    return tuple(one[0] for one in found), tuple(one[1] for one in found)


def _ruas(layer: Layer[RuasRow] | None, wet: Cut | None) -> tuple[AffectedRuas, ...]:
    if layer is None or wet is None:
        return ()
    closed = []
    for index, part in zip(wet.index, wet.parts, strict=True):
        if part.length >= LEAST_ROAD_M:
            row = layer.rows[index]
            km_from, km_to = _chainage(layer.figures[index], part, row.km_from)
            length_km = round(float(part.length) / M_PER_KM, 3)
            closed.append(AffectedRuas(row.number, row.name, length_km, km_from, km_to))
    return tuple(sorted(closed, key=lambda one: (-one.length_km, one.number)))


def _chainage(line: BaseGeometry, part: BaseGeometry, km_from: float) -> tuple[float | None, float | None]:
    """Return km of the first and last wet point; None on a ruas of several lines, which has no single measure."""
    merged = shapely.line_merge(line)
    if merged.geom_type != "LineString":
        return None, None
    at_m = shapely.line_locate_point(merged, shapely.points(shapely.get_coordinates(part)))
    return tuple(round(km_from + float(one) / M_PER_KM, 3) for one in (at_m.min(), at_m.max()))  # type: ignore[return-value] # two


def _hectares(wet: Cut | None) -> list[float]:
    return [] if wet is None else [float(part.area) / M2_PER_HA for part in wet.parts]


def _sum(layer: Layer[Any] | None, amounts: list[float], decimals: int) -> float | None:
    """Return the sum; zero only of a layer that is complete."""
    if layer is None or (not amounts and not layer.complete):
        return None
    return round(sum(amounts), decimals)


def _names(layer: Layer[PlaceRow] | None, wet: Cut | None) -> tuple[str, ...]:
    if layer is None or wet is None:
        return ()
    return tuple(dict.fromkeys(layer.rows[index].name for index in wet.index))


def _uncounted_m2(counted: Counted, wet: Cut) -> float:
    """Return how much of the area lies in villages of which the count is not known."""
    unknown = np.array([int(index) not in counted.by_village for index in wet.index], dtype=bool)
    return float(shapely.area(wet.parts)[unknown].sum())


def _total(counted: Counted, wet: Cut | None, area: BaseGeometry) -> int | None:
    """Return the sum; None too where it leaves out so much that it would be taken for the whole."""
    if wet is not None and _uncounted_m2(counted, wet) > UNKNOWN_SHARE * area.area:
        return None
    return counted.total


def _missing(layers: RegionLayers, wet: Cut | None, counts: Mapping[str, Counted]) -> Iterable[str]:
    """Yield what was not there, or not for every village and settlement in the area."""
    if layers.villages is None:
        yield "villages"
    for slug, counted in counts.items():
        if not counted.complete or (wet is not None and _uncounted_m2(counted, wet) > 0):
            yield slug
    yield from (slug for slug, layer in layers.simple.items() if layer is None)
