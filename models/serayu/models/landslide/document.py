"""An assessment as GeoJSON: the slope units with their level, for maps."""

from collections.abc import Sequence

import msgspec
from shapely.geometry import mapping

from serayu.models.landslide.result import Report
from serayu.models.landslide.units import PlacedUnit

__all__ = ["units_geojson"]


def units_geojson(report: Report, units: Sequence[PlacedUnit]) -> dict[str, object]:
    """Return a GeoJSON FeatureCollection of the units (longitude, latitude); properties are those of `UnitResult`."""
    places = {placed.unit.id: placed.geometry for placed in units}
    features = [
        {"type": "Feature", "geometry": mapping(places[one.id]), "properties": msgspec.to_builtins(one)}
        for one in report.units
    ]
    return {"type": "FeatureCollection", "at": report.at, "features": features}
