"""What can be said about the impact layers of a region beyond that they can be read."""

import itertools

import shapely

from serayu.models.impact.index import ImpactIndex
from serayu.models.siaga_levels import Siaga

_SPILL = 0.01  # of a zone may lie outside that of the next higher level: outlines are drawn by hand


def layer_counts(index: ImpactIndex) -> dict[str, int | None]:
    """Return how many features each layer has; None where it is not there.

    ``people`` counts settlements, and villages that have a count and no settlements.
    """
    layers = index.layers
    settled = None if layers.settlements is None else len(layers.settlements.layer.rows)
    counts = {slug: None if layer is None else len(layer.rows) for slug, layer in layers.simple.items()}
    return {
        "flood_zones": None if index.zones is None else len(index.zones.zones),
        "villages": None if layers.villages is None else len(layers.villages.rows),
        "people": settled,
        **counts,
    }


def invented_zones(index: ImpactIndex) -> list[str]:
    """Return the posts of which a drawn zone is invented."""
    zones = {} if index.zones is None else index.zones.zones
    return sorted({station for (station, _), zone in zones.items() if zone.invented})


def impact_warnings(index: ImpactIndex) -> list[str]:
    """Return what is allowed and should not stay, one line each: zones missing, or smaller at a worse level.

    A region without any impact layer gets no line.
    """
    if index.zones is None and index.hand is None:
        return []
    lines = []
    for station in index.region.stations.values():
        if station.thresholds is None or (index.hand is not None and station.id in index.hand):
            continue
        zones = {} if index.zones is None else index.zones.zones
        levels = [level for level in list(Siaga)[1:] if (station.id, level) in zones]
        if lacking := [level.value for level in list(Siaga)[1:] if level not in levels]:
            lines.append(f"{station.id}: no flood zone for {', '.join(lacking)}")
        for low, high in itertools.pairwise(levels):
            inner, outer = zones[station.id, low].area, zones[station.id, high].area
            if shapely.difference(inner, outer).area > _SPILL * inner.area:
                lines.append(f"{station.id}: the zone of {low.value} reaches beyond that of {high.value}")
    return lines
