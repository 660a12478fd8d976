"""The impact of a flood at a post: the layers of a region, indexed once and asked for every bulletin."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
import shapely

from serayu.models.alert_text import level_label
from serayu.models.impact.hand import HandMap, read_hand
from serayu.models.impact.layers import BRIDGES, HEALTH, RICE, RUAS, SCHOOLS, read_layer
from serayu.models.impact.reach import Reached, RegionLayers, find_reached
from serayu.models.impact.travel import TravelTimes, read_travel_times
from serayu.models.impact.villages import read_settlements, read_villages
from serayu.models.impact.zones import Zone, ZoneTable, read_zones
from serayu.models.plane import LocalPlane
from serayu.models.region import Region, load_region
from serayu.models.siaga_levels import Siaga
from serayu.models.station import Station
from serayu.models.texts import decimal, text
from serayu.models.warning.bulletin import AffectedArea, Impact

AT_THE_POST_M = 500.0
"""A wet part within this of the post is reached when the post is [project proposal]."""
_KEPT = 256  # outlines whose impact is remembered: the zones of some 80 posts


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactIndex:
    """What each post's flood reaches.

    Parameters
    ----------
    region
        Stations.
    layers
        What may be reached.
    zones
        Drawn flood zones; None without the layer.
    hand
        Heights above the drainage; None without a raster.
    travel
        Times to the villages downstream.
    """

    region: Region
    layers: RegionLayers
    zones: ZoneTable | None
    hand: HandMap | None
    travel: TravelTimes
    _known: OrderedDict[tuple[str, Siaga, float | None], Reached]

    @classmethod
    def load(cls, folder: Path, *, region: Region | None = None) -> Self:
        """Read the layers of a region folder; each of them may be absent.

        Parameters
        ----------
        folder
            Region folder.
        region
            The same folder's region, where it has been loaded already.

        Raises
        ------
        BadInputError
            A file is wrong; names file, feature (as row) and field.
        """
        region = load_region(folder) if region is None else region
        plane = LocalPlane(_middle(region))
        villages = read_villages(folder, plane)
        layers = RegionLayers(
            plane=plane,
            code=region.code,
            name=region.info.name,
            villages=villages,
            settlements=read_settlements(folder, plane, villages),
            ruas=read_layer(folder, RUAS, plane),
            bridges=read_layer(folder, BRIDGES, plane),
            schools=read_layer(folder, SCHOOLS, plane),
            health=read_layer(folder, HEALTH, plane),
            rice=read_layer(folder, RICE, plane),
        )
        text("impact.basis.normal", post="")  # reads the catalogue now, not at the first flood
        codes = None if villages is None else {row.kode for row in villages.rows}
        return cls(
            region=region,
            layers=layers,
            zones=read_zones(folder, region, plane),
            hand=read_hand(folder, region, plane),
            travel=read_travel_times(folder, region, villages=codes),
            _known=OrderedDict(),
        )

    def assess(
        self,
        station_id: str,
        level: Siaga,
        *,
        at_us: int,
        crossing_us: int | None = None,
        level_m: float | None = None,
    ) -> Impact:
        """Return what a level at a post reaches.

        Parameters
        ----------
        station_id, level
            Post, and the level that is in force or foreseen.
        at_us
            Phenomenon time of the level, microseconds UTC.
        crossing_us
            When the limit is, or is expected to be, passed; by default *at_us*. Travel times count from it.
        level_m
            Water level, metres above the datum: the outline from a raster follows it where it is above the
            level's limit.

        Returns
        -------
        Impact
            Villages in the zone first, then those that the flood reaches later, downstream. Nothing but the basis
            for the normal level.

        Raises
        ------
        NotFoundError
            No such station.
        """
        station = self.region.station(station_id)
        if level is Siaga.NORMAL:
            return Impact(basis=text("impact.basis.normal", post=station.name))
        start_us = at_us if crossing_us is None else crossing_us
        zone = self._zone(station, level, level_m)
        if zone is None:
            areas = self._below(station_id, frozenset(), start_us)
            basis = text("impact.basis.none", post=station.name)
            return Impact(areas=areas, basis=basis, missing=("flood_zones",))
        reached = self._reached(station, zone)
        areas = tuple(
            msgspec.structs.replace(area, arrival_us=self._arrival_us(station_id, area, distance_m, start_us))
            for area, distance_m in zip(reached.impact.areas, reached.distance_m, strict=True)
        )
        missing = reached.impact.missing
        if any(area.arrival_us is None for area in areas):
            missing += ("travel_time",)
        areas += self._below(station_id, frozenset(area.code for area in areas), start_us)
        return msgspec.structs.replace(
            reached.impact, areas=areas, missing=missing, basis=_basis(station, level, zone, reached)
        )

    def _zone(self, station: Station, level: Siaga, level_m: float | None) -> Zone | None:
        """Choose: an official outline of this very level, the raster, any other outline."""
        drawn = None if self.zones is None else self.zones.find(station.id, level)
        if drawn is not None and drawn.level is level and not drawn.invented:
            return drawn
        return self._from_raster(station, level, level_m) or drawn

    def _from_raster(self, station: Station, level: Siaga, level_m: float | None) -> Zone | None:
        if self.hand is None or station.id not in self.hand:
            return None
        limit_m = None if station.thresholds is None else station.thresholds.limit_m(level)
        stages = [stage for stage in (limit_m, level_m) if stage is not None]
        if not stages:
            return None
        depth_m = self.hand.depth_m(station.id, max(stages))
        if depth_m <= 0:
            return None
        area = self.hand.area(station.id, depth_m)
        return None if area.is_empty else Zone(area, level, self.hand.invented, depth_m)

    def _reached(self, station: Station, zone: Zone) -> Reached:
        """Return what a zone reaches; it changes only with the layers, so the answers are kept."""
        key = (station.id, zone.level, zone.depth_m)
        reached = self._known.get(key)
        if reached is None:
            post = self.layers.plane.to_metres(np.array([shapely.Point(station.lon, station.lat)]))[0]
            reached = find_reached(self.layers, zone.area, post)
            self._known[key] = reached
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return reached

    def _arrival_us(
        self, station_id: str, area: AffectedArea, distance_m: float, start_us: int
    ) -> int | None:
        """Return when a part of the zone is reached.

        Where the villages below the post are listed, one that is not among them lies beside or above the post: its
        part is wet when the post is in the level. Without a list the distance speaks, if a celerity is given.
        """
        below = self.travel.villages_below(station_id)
        span_us = below.get(area.code)
        if span_us is None and (self.travel.has_list(station_id) or distance_m <= AT_THE_POST_M):
            span_us = 0
        if span_us is None:
            span_us = self.travel.over_land_us(distance_m)
        return None if span_us is None else start_us + span_us

    def _below(self, station_id: str, named: frozenset[str], start_us: int) -> tuple[AffectedArea, ...]:
        """Return the villages downstream that no zone names, soonest first."""
        if self.layers.villages is None:
            return ()
        rows = {row.kode: row for row in self.layers.villages.rows}
        return tuple(
            AffectedArea(code, rows[code].nama, rows[code].kecamatan, arrival_us=start_us + span_us)
            for code, span_us in self.travel.villages_below(station_id).items()
            if code not in named and code in rows
        )


def _middle(region: Region) -> float:
    """Return the middle meridian of the stations, degrees."""
    longitudes = [station.lon for station in region.stations.values()]
    return (min(longitudes) + max(longitudes)) / 2 if longitudes else 0.0


def _basis(station: Station, level: Siaga, zone: Zone, reached: Reached) -> str:
    """Return what it rests on, in words: the outline, what of it is invented, what is not complete."""
    if zone.depth_m is None:
        words = text("impact.basis.drawn", level=level_label(zone.level), post=station.name)
    else:
        words = text("impact.basis.raster", depth=decimal(zone.depth_m, 2), post=station.name)
    if zone.invented:
        words += " " + text("impact.basis.invented")
    if zone.level is not level:
        words += "; " + text("impact.basis.lower", level=level_label(level))
    for key, slugs in (("invented_layers", reached.invented), ("incomplete", reached.incomplete)):
        if slugs:
            names = ", ".join(text(f"impact.layer.{slug}") for slug in slugs)
            words += "; " + text(f"impact.basis.{key}", layers=names)
    return words
