"""What a feature of each layer says beside its geometry."""

from typing import Annotated

import msgspec

from serayu.models.siaga_levels import Siaga

Count = Annotated[int, msgspec.Meta(ge=0)]
Name = Annotated[str, msgspec.Meta(min_length=1)]
DesaCode = Annotated[str, msgspec.Meta(pattern=r"^\d{2}\.\d{2}\.\d{2}\.\d{4}$")]


class ZoneRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flood zone: what stands under water when a post is in a level.

    Parameters
    ----------
    station, level
        Post and level; not normal.
    source, invented
        Where the outline comes from; True where the project made it up.
    depth_m
        Depth in the zone, m, where known.
    """

    station: Name
    level: Siaga
    source: Name
    invented: bool
    depth_m: Annotated[float, msgspec.Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        if self.level is Siaga.NORMAL:
            raise ValueError("a flood zone belongs to waspada, siaga or awas - at `$.level`")


class VillageRow(msgspec.Struct, frozen=True):
    """A village (desa or kelurahan); other properties of an imported layer are passed over.

    Parameters
    ----------
    kode, nama
        Kemendagri code and name.
    kecamatan
        Name of the district.
    people, buildings
        In the whole village; None where nobody counted.
    source, people_source, invented
        Where the boundary and the numbers come from.
    """

    kode: DesaCode
    nama: Name
    kecamatan: str | None = None
    people: Count | None = None
    buildings: Count | None = None
    source: str = ""
    people_source: str = ""
    invented: bool = False


class SettlementRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place where people live.

    Parameters
    ----------
    source, invented
        Where it comes from.
    name
        For people.
    people, buildings
        In the whole settlement; None where nobody counted.
    desa
        Code of its village; by default the village it lies in.
    """

    source: Name
    invented: bool
    name: str | None = None
    people: Count | None = None
    buildings: Count | None = None
    desa: DesaCode | None = None


class RuasRow(msgspec.Struct, frozen=True):
    """A road segment; other properties belong to the road register and are passed over.

    Parameters
    ----------
    number, name
        As the road register has them.
    source, invented
        Where they come from.
    km_from
        Km of the line's first point.
    """

    number: Name
    name: Name
    source: Name
    invented: bool
    km_from: float = 0.0


class PlaceRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bridge, school or health post.

    Parameters
    ----------
    name
        For people.
    source, invented
        Where it comes from.
    """

    name: Name
    source: Name
    invented: bool


class RiceRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rice field.

    Parameters
    ----------
    source, invented
        Where it comes from.
    name
        For people.
    """

    source: Name
    invented: bool
    name: str | None = None
