"""Stations and their datastreams, as a region describes them."""

import builtins
import enum
import math
from collections.abc import Mapping

import msgspec

from serayu.models.properties import OBSERVED_PROPERTIES, ObservedProperty, observed_property
from serayu.models.quality import DEFAULT_PROFILES, QcProfile
from serayu.models.reading import SeriesKey
from serayu.models.siaga import SiagaSettings, Thresholds
from serayu.models.times import US_PER_MINUTE, US_PER_S
from serayu.models.topics import RESERVED, SLUG

EARTH_RADIUS_M = 6_371_008.8  # mean radius [IUGG]
STALE_INTERVALS = 3  # silent for this many intervals [project proposal]
STALE_AT_LEAST_US = 5 * US_PER_MINUTE


class StationKind(enum.Enum):
    """What a station is for."""

    RIVER = "river"
    RAIN = "rain"
    JUNCTION = "junction"
    FIELD = "field"


class Datastream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One property at one station.

    Parameters
    ----------
    property
        Slug of the observed property.
    interval_s
        Seconds between readings as configured on the device.
    stale_after_s
        Seconds of silence until the last value counts as stale; by default three intervals, at least 5 min.
    sensor
        What measures, for people ("JSN-SR04T", "simulated").
    qc
        Fields of `QcProfile` that differ from the property's default.
    """

    property: str
    interval_s: float = 60.0
    stale_after_s: float | None = None
    sensor: str = ""
    qc: Mapping[str, object] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.property not in OBSERVED_PROPERTIES:
            raise ValueError(f"unknown property {self.property!r}; known: {', '.join(OBSERVED_PROPERTIES)}")
        if self.interval_s <= 0:
            raise ValueError(f"interval_s must be positive, got {self.interval_s}")
        self.profile()

    @builtins.property
    def observed(self) -> ObservedProperty:
        """The observed property."""
        return observed_property(self.property)

    @builtins.property
    def stale_after_us(self) -> int:
        """Microseconds of silence until the last value is stale."""
        if self.stale_after_s is not None:
            return round(self.stale_after_s * US_PER_S)
        return max(round(STALE_INTERVALS * self.interval_s * US_PER_S), STALE_AT_LEAST_US)

    def is_stale(self, t_us: int | None, *, now_us: int) -> bool:
        """Say whether it has been silent for too long since its last reading; one that never spoke is stale."""
        return t_us is None or now_us - t_us > self.stale_after_us

    def profile(self) -> QcProfile:
        """Return the quality-control settings: the property's default with this datastream's differences."""
        default = DEFAULT_PROFILES[self.property]
        return default.replace(**self.qc) if self.qc else default


class Station(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place with sensors.

    Parameters
    ----------
    id
        Slug, unique in the region; also the MQTT user of its agent.
    region
        Region code, e.g. ``33.02``.
    name, kind, lon, lat
        Name for people, kind, WGS84 degrees.
    datastreams
        What it measures.
    source
        Where name and place come from.
    invented
        True where the project placed it for demonstration.
    river, desa, kecamatan, elevation_m, datum, note
        What else is known; codes are Kemendagri's.
    thresholds, siaga
        Limits and behaviour of a river post.
    downstream
        Station ids that its flood reaches next.
    fallback
        Station ids that stand in for it when it falls silent, the best first; empty for the usual ones
        (`serayu.models.warning.fallback.sources`).
    """

    id: str
    region: str
    name: str
    kind: StationKind
    lon: float
    lat: float
    datastreams: tuple[Datastream, ...]
    source: str
    invented: bool = False
    river: str | None = None
    desa: str | None = None
    kecamatan: str | None = None
    elevation_m: float | None = None
    datum: str | None = None
    note: str | None = None
    thresholds: Thresholds | None = None
    siaga: SiagaSettings = SiagaSettings()
    downstream: tuple[str, ...] = ()
    fallback: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if SLUG.match(self.id) is None or self.id in RESERVED:
            raise ValueError(
                f"station id {self.id!r} must match {SLUG.pattern} and not be {sorted(RESERVED)}"
            )
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90):  # noqa: PLR2004 -- degrees
            raise ValueError(f"position {self.lon}, {self.lat} is outside longitude and latitude")
        slugs = [datastream.property for datastream in self.datastreams]
        if len(set(slugs)) != len(slugs):
            raise ValueError(f"station {self.id!r} names a property twice: {slugs}")

    def datastream(self, slug: str) -> Datastream | None:
        """Return the datastream of that property, or None."""
        return next((datastream for datastream in self.datastreams if datastream.property == slug), None)

    def distance_m(self, other: "Station") -> float:
        """Return the great-circle distance to another station, metres, by the haversine formula."""
        lat, other_lat = math.radians(self.lat), math.radians(other.lat)
        half_lat, half_lon = (other_lat - lat) / 2, math.radians(other.lon - self.lon) / 2
        chord = math.sin(half_lat) ** 2 + math.cos(lat) * math.cos(other_lat) * math.sin(half_lon) ** 2
        return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(chord))

    def key(self, slug: str) -> SeriesKey:
        """Return the name of a datastream of this station."""
        return SeriesKey(self.region, self.id, slug)
