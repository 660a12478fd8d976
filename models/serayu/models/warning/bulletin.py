"""A bulletin: what is said about one hazard at one moment, with every number, name and time that any form shows.

CAP, Atom, JSON, GeoJSON, the sentences in three registers and the SMS are all written from this one object and add
nothing to it, so that they cannot disagree. It is immutable: what changes later is another bulletin that refers to it.
"""

import enum

import msgspec

from serayu.models.siaga_levels import Reason, Siaga

POLYGON_POINTS = 100
"""Most points of a polygon in a bulletin [WMO CAP Composer recommends about so many]."""


class Hazard(enum.StrEnum):
    """What threatens."""

    FLOOD = "flood"
    LANDSLIDE = "landslide"


class MessageType(enum.StrEnum):
    """CAP ``msgType`` of what we send."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


class BulletinStatus(enum.StrEnum):
    """CAP ``status`` of what we send.

    ACTUAL needs an authority's signature. Without one a real event goes out as monitoring information: to agencies
    only, with CAP status Test (domain reference section 7, who may warn). Exercise is a drill or a demonstration.
    """

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    TEST = "Test"


class AffectedArea(msgspec.Struct, frozen=True):
    """A village that the hazard reaches.

    Parameters
    ----------
    code
        Kemendagri code, e.g. ``33.02.12.2001``.
    name, kecamatan
        Names for people.
    people
        People who live in the affected part; None where nobody counted them.
    arrival_us
        When the flood is expected there, microseconds UTC; None where the travel time is not known.
    polygons
        Rings of the affected part, each closed, (latitude, longitude) with 5 decimals or more, valid, at most
        `POLYGON_POINTS` points.
    """

    code: str
    name: str
    kecamatan: str | None = None
    people: int | None = None
    arrival_us: int | None = None
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()


class AffectedRuas(msgspec.Struct, frozen=True):
    """A road segment that the hazard reaches; whether it is passable nobody here knows.

    Parameters
    ----------
    number, name
        As the road register has them.
    km_from, km_to
        Affected part, km from the start of the ruas; None where only the whole is known.
    length_km
        Affected length, km.
    """

    number: str
    name: str
    length_km: float
    km_from: float | None = None
    km_to: float | None = None


class Impact(msgspec.Struct, frozen=True):
    """What the hazard reaches; None is "not known", never zero.

    Parameters
    ----------
    areas
        Villages, the most people first.
    people, buildings
        Sums over the affected area; None where no layer says it.
    ruas
        Roads that are reached, longest part first.
    road_km, rice_ha
        Length of affected roads, km; rice fields, hectares.
    schools, bridges, health
        Names.
    basis
        What it was computed from, in words for people, e.g. "zona genangan Siaga 2 pos Patikraja (dibuat-buat)".
    missing
        Layers that were not there.
    """

    areas: tuple[AffectedArea, ...] = ()
    people: int | None = None
    buildings: int | None = None
    ruas: tuple[AffectedRuas, ...] = ()
    road_km: float | None = None
    rice_ha: float | None = None
    schools: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    basis: str = ""
    missing: tuple[str, ...] = ()


class Foreseen(msgspec.Struct, frozen=True):
    """What the forecast says about a post; only one with skill gets here.

    Parameters
    ----------
    issued_us
        Newest value that it knew, microseconds UTC.
    horizon_h
        Lead of the forecast level, hours.
    level_m, low_m, high_m
        Median and 10-90 % band, metres above the datum.
    probability
        Of passing the limit of the bulletin's level within the lead time, 0-1.
    crossing_us
        When the median passes that limit; None where it does not.
    method
        Name of the method, e.g. ``ridge+boosting``.
    skill
        Persistence index at that horizon on storms it was not fitted on.
    without
        Inputs that were missing: station ids of upstream posts and rain gauges.
    """

    issued_us: int
    horizon_h: float
    level_m: float
    low_m: float
    high_m: float
    probability: float
    crossing_us: int | None
    method: str
    skill: float | None
    without: tuple[str, ...] = ()


class SlopeRisk(msgspec.Struct, frozen=True):
    """What a landslide bulletin rests on; the numbers that its sentences show.

    Parameters
    ----------
    place
        Slope unit or ruas, for people.
    rain_mm, rain_h
        Rain of the deciding window and its length.
    rule
        Key of the deciding rule, e.g. ``umy`` or ``pejawaran``.
    threshold_mm
        What that rule allows in the window.
    factor_of_safety
        Of the infinite slope; None where slope or soil is not known.
    missing
        Inputs that were not there.
    """

    place: str
    rain_mm: float
    rain_h: float
    rule: str
    threshold_mm: float
    factor_of_safety: float | None = None
    missing: tuple[str, ...] = ()


class Bulletin(msgspec.Struct, frozen=True, kw_only=True):
    """One message about one hazard.

    Parameters
    ----------
    id
        UUIDv7; with the authority's prefix the CAP identifier.
    alert_id, change_id
        The alert, and the change of it that is told; ``change_id`` None for a renewal or a landslide.
    region, station
        Where; for a landslide the station is its rain gauge.
    hazard, msg_type, status
        See there.
    references
        (identifier, sent microseconds UTC) of the bulletins that an Update or Cancel replaces.
    sent_us, expires_us
        When it was written and when it lapses unless renewed, microseconds UTC (whole seconds).
    level, before
        Siaga level in force now, and before.
    reason
        Why the level is in force.
    verified
        False: "belum terverifikasi".
    observed_flooding
        Somebody or something saw water where it should not be.
    post, river
        Names for people.
    level_m, limit_m, at_us
        Water level, limit of the level in force (None for normal) and phenomenon time of the level. For a landslide
        None.
    slope_m_per_h
        Rate of rise; None where unknown.
    foreseen, slope, impact
        Forecast; landslide evidence; who and what is reached.
    fallback
        Station ids, in order, that stand in for a post that has failed; empty where the post itself speaks.
    authority
        Name of whoever signs, or None: then it is monitoring information and says so.
    invented
        The limits are made up for demonstration.
    note
        Free words of an operator.
    """

    id: str
    alert_id: str
    change_id: int | None
    region: str
    station: str
    hazard: Hazard
    msg_type: MessageType
    status: BulletinStatus
    references: tuple[tuple[str, int], ...] = ()
    sent_us: int
    expires_us: int
    level: Siaga
    before: Siaga
    reason: Reason
    verified: bool = True
    observed_flooding: bool = False
    post: str
    river: str | None = None
    level_m: float | None = None
    limit_m: float | None = None
    at_us: int
    slope_m_per_h: float | None = None
    foreseen: Foreseen | None = None
    slope: SlopeRisk | None = None
    impact: Impact = Impact()
    fallback: tuple[str, ...] = ()
    authority: str | None = None
    invented: bool = False
    note: str | None = None

    def __post_init__(self) -> None:
        if self.msg_type is not MessageType.ALERT and not self.references:
            raise ValueError(f"a bulletin of type {self.msg_type.value} must refer to an earlier one")
        if self.status is BulletinStatus.ACTUAL and self.authority is None:
            raise ValueError("status Actual needs an authority")
        if not self.expires_us > self.sent_us:
            raise ValueError("expires_us must be after sent_us")

    @property
    def public(self) -> bool:
        """Whether it may reach public channels."""
        return self.status is BulletinStatus.ACTUAL
