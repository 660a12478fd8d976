"""What stands under water when a post is in a level: drawn outlines, or a raster of heights above the drainage."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError
from serayu.models.impact.layers import ZONES, read_layer
from serayu.models.plane import LocalPlane
from serayu.models.region import Region
from serayu.models.siaga_levels import Siaga


@dataclass(frozen=True, slots=True)
class Zone:
    """A flooded area.

    Parameters
    ----------
    area
        Polygon or several, metres.
    level
        Level that it was made for.
    invented
        The project made it up.
    depth_m
        Water above bankfull that it was computed from; None for a drawn zone.
    """

    area: BaseGeometry
    level: Siaga
    invented: bool
    depth_m: float | None = None


class ZoneTable:
    """Drawn zones by post and level.

    Parameters
    ----------
    zones
        Each zone of (station id, level).
    """

    def __init__(self, zones: Mapping[tuple[str, Siaga], Zone]) -> None:
        self.zones = zones

    def find(self, station_id: str, level: Siaga) -> Zone | None:
        """Return the zone of a level, else that of the next lower one, which is the least that is flooded."""
        for rank in range(level.rank, 0, -1):
            zone = self.zones.get((station_id, Siaga.of_rank(rank)))
            if zone is not None:
                return zone
        return None


def read_zones(folder: Path, region: Region, plane: LocalPlane) -> ZoneTable | None:
    """Read ``flood_zones.geojson``: zones by post and level; several features of one are put together.

    Raises
    ------
    BadInputError
        The file is wrong or names an unknown station; names file, feature and field.
    """
    layer = read_layer(folder, ZONES, plane)
    if layer is None:
        return None
    groups: dict[tuple[str, Siaga], list[int]] = {}
    for index, row in enumerate(layer.rows):
        if row.station not in region.stations:
            raise BadInputError(
                f"unknown station {row.station!r}", file=folder / ZONES.file, row=index + 1, field="station"
            )
        groups.setdefault((row.station, row.level), []).append(index)
    return ZoneTable(
        {
            key: Zone(
                shapely.union_all(layer.figures[members]),
                key[1],
                any(layer.rows[one].invented for one in members),
            )
            for key, members in groups.items()
        }
    )
