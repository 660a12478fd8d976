"""Slope units: pieces of hillside above a road, with what is known of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from shapely.geometry.base import BaseGeometry

from serayu.models.errors import BadInputError
from serayu.models.landslide.features import read_features
from serayu.models.landslide.stability import Soil

__all__ = ["PlacedUnit", "SlopeUnit", "read_units"]

_KINDS = frozenset({"Point", "Polygon", "MultiPolygon"})
Positive = Annotated[float, msgspec.Meta(gt=0)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]


class SlopeUnit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file says about a slope unit; everything that it does not say is missing, never guessed.

    Parameters
    ----------
    id, name
        Key, and name for people.
    ruas, ruas_name, km_from, km_to
        Road below it, as the road register has it, and the stretch, km from its start.
    desa, desa_name, kecamatan
        Kemendagri code and names of the village.
    slope_deg
        Slope, degrees; None: from the DEM, if one is given.
    cohesion_kpa, friction_deg, gamma_kn_m3, depth_m
        Soil above the plane of sliding, see `Soil`.
    field_capacity_pct, saturation_pct
        Of the soil, percent of volume.
    yearly_rain_mm
        Rain of an average year.
    rain
        Rain gauges by rank: the first one with values speaks.
    soil_moisture
        Station of the soil moisture probe.
    reach_m
        Findings up to so far from the unit belong to it, m; of a point this is its size.
    source, invented
        Where all this comes from, and whether it was made up.
    """

    id: Annotated[str, msgspec.Meta(min_length=1)]
    name: str
    ruas: Annotated[str, msgspec.Meta(min_length=1)]
    ruas_name: str = ""
    km_from: Annotated[float, msgspec.Meta(ge=0)] | None = None
    km_to: Annotated[float, msgspec.Meta(ge=0)] | None = None
    desa: Annotated[str, msgspec.Meta(pattern=r"^\d{2}\.\d{2}\.\d{2}\.\d{4}$")] | None = None
    desa_name: str = ""
    kecamatan: str = ""
    slope_deg: Annotated[float, msgspec.Meta(ge=0, lt=90)] | None = None
    cohesion_kpa: Annotated[float, msgspec.Meta(ge=0)] | None = None
    friction_deg: Annotated[float, msgspec.Meta(gt=0, lt=90)] | None = None
    gamma_kn_m3: Positive | None = None
    depth_m: Positive | None = None
    field_capacity_pct: Percent | None = None
    saturation_pct: Percent | None = None
    yearly_rain_mm: Positive | None = None
    rain: tuple[str, ...] = ()
    soil_moisture: str | None = None
    reach_m: Positive = 50.0
    source: str = ""
    invented: bool = False

    def __post_init__(self) -> None:
        if self.km_from is not None and self.km_to is not None and self.km_from >= self.km_to:
            raise ValueError(f"expected km_from < km_to, not {self.km_from}, {self.km_to}")
        pair = (self.field_capacity_pct, self.saturation_pct)
        if pair[0] is not None and pair[1] is not None and pair[0] >= pair[1]:
            raise ValueError(f"expected field_capacity_pct < saturation_pct, not {pair[0]}, {pair[1]}")

    def soil(self) -> Soil | None:
        """Return the soil, or None where a parameter of it is missing."""
        given = (self.cohesion_kpa, self.friction_deg, self.gamma_kn_m3, self.depth_m)
        cohesion, friction, gamma, depth = given
        if cohesion is None or friction is None or gamma is None or depth is None:
            return None
        return Soil(cohesion_kpa=cohesion, friction_deg=friction, gamma_kn_m3=gamma, depth_m=depth)


class PlacedUnit(msgspec.Struct, frozen=True):
    """A slope unit and where it lies: Point, Polygon or MultiPolygon in longitude and latitude."""

    unit: SlopeUnit
    geometry: BaseGeometry


def read_units(file: Path) -> Sequence[PlacedUnit]:
    """Read slope units from a GeoJSON file whose properties are the fields of `SlopeUnit`.

    Raises
    ------
    BadInputError
        Not such a file, an unknown or wrong field, or an id that is there twice; names row and field.
    """
    units: dict[str, PlacedUnit] = {}
    for row, properties, geometry in read_features(file, kinds=_KINDS):
        try:
            unit = msgspec.convert(dict(properties), SlopeUnit)
        except (msgspec.ValidationError, ValueError) as error:
            raise BadInputError(str(error), file=file, row=row) from None
        if unit.id in units:
            raise BadInputError(f"unit {unit.id!r} is there twice", file=file, row=row, field="id")
        units[unit.id] = PlacedUnit(unit, geometry)
    if not units:
        raise BadInputError("no slope units", file=file)
    return tuple(units.values())
