"""What the api says of a station: pure functions from the store's values to documents.

One rule holds everywhere: a value that is stale, failed or missing is never given as the present ``value``; it
stands under ``last_value`` with the reason beside it.
"""

import builtins
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from serayu.models.alert import AlertChange, change_document
from serayu.models.ports import Latest
from serayu.models.quality.flags import reason_names
from serayu.models.reading import why_absent
from serayu.models.siaga import Siaga, classify
from serayu.models.station import Datastream, Station
from serayu.models.stores.sensor_faults import StandingFault
from serayu.models.texts import text
from serayu.models.times import US_PER_S, rfc3339

__all__ = [
    "ActiveLevel", "DatastreamView", "LevelView", "SensorFaultView",
    "StationView", "Total", "Totals", "change_view", "datastream_view",
    "level_view", "station_view",
]  # fmt: skip

VALUE_DIGITS, COVERAGE_DIGITS = 6, 3
WHOLE_FROM = 0.9
"""From this coverage on a total is called one of the whole span; invented, as is the patience for a lost reading."""


class ActiveLevel(NamedTuple):
    """The alert in force at a post, as the register has it."""

    alert: str
    siaga: Siaga
    since_us: int
    verified: bool
    reason: str


class Total(NamedTuple):
    """A sum over a span: the share of the span that readings cover, and since when they do."""

    value: float
    coverage: float
    since_us: int | None


class Totals(NamedTuple):
    """Sums of a property that accumulates (rain depth, vehicles) up to its last value."""

    last_1h: Total
    last_24h: Total


class DatastreamView(msgspec.Struct, frozen=True, gc=False):
    """One datastream: its last value, how old and how good it is.

    Parameters
    ----------
    property, name, name_en, unit, decimals
        What it is; names for people, decimals worth showing.
    value
        The present value; null where `reason` says why there is none.
    last_value
        The last value received, whatever its age and flag; null where the device reported none.
    reason
        null, ``no_data``, ``stale``, ``failed`` or ``missing``.
    time, age_s, stale, stale_after_s
        Phenomenon time of the last value, its age, and the silence after which it counts as stale.
    flag, flag_name, tests
        QARTOD flag 1, 2, 3, 4 or 9, its name, and the tests that were not passed.
    trend_per_h
        Change per hour; null for a value that is not present, and for one that accumulates.
    total_1h, total_24h
        Sums up to the last value; null for a property that does not accumulate.
    total_1h_coverage, total_24h_coverage
        Share of the hour and of the day that usable readings cover, 0 to 1, each reading its interval. A total with
        less than 0.9 is of part of the span only and must not be called one of the whole.
    total_1h_since, total_24h_since
        Where the first reading in the span begins.
    interval_s, sensor
        Seconds between readings as configured, and what measures.
    simulated
        Whether the region says of the sensor that it is none (its name begins with ``simul``): values are made up.
    """

    property: str
    name: str
    name_en: str
    unit: str
    decimals: int
    value: float | None
    last_value: float | None
    reason: str | None
    time: str | None
    age_s: float | None
    stale: bool
    stale_after_s: float
    flag: int | None
    flag_name: str | None
    tests: tuple[str, ...]
    trend_per_h: float | None
    total_1h: float | None
    total_1h_coverage: float | None
    total_1h_since: str | None
    total_24h: float | None
    total_24h_coverage: float | None
    total_24h_since: str | None
    interval_s: float
    sensor: str
    simulated: bool = False

    @builtins.property
    def whole_day(self) -> bool:
        """Whether `total_24h` is of the whole day."""
        return self.total_24h_coverage is not None and self.total_24h_coverage >= WHOLE_FROM


class LevelView(msgspec.Struct, frozen=True, gc=False):
    """Siaga level of a river post.

    Parameters
    ----------
    siaga, label
        ``normal``, ``waspada``, ``siaga`` or ``awas`` and its label; null where nothing is in force and the water
        level is not known either, for "no flood" and "no data" are two things.
    current
        Whether a present water level stands behind it; an alert stays in force when the post falls silent.
    reason
        Why the alert was raised (``threshold``, ``rate_of_rise``, ``forecast``), or why there is no level
        (``stale``, ``failed``, ``missing``, ``no_data``).
    since, verified, alert
        Of the alert in force; null without one.
    exceeds
        The highest level whose limit the present value is above; differs from `siaga` until a minimum duration has
        passed, and while the level falls.
    """

    siaga: str | None
    label: str | None
    current: bool
    reason: str | None = None
    since: str | None = None
    verified: bool | None = None
    alert: str | None = None
    exceeds: str | None = None


class ThresholdsView(msgspec.Struct, frozen=True, gc=False):
    """Limits of a post in metres above its datum, with who answers for them.

    Parameters
    ----------
    inclusive
        Whether a level exactly at a limit is in its class.
    """

    waspada_m: float
    siaga_m: float
    awas_m: float
    source: str
    valid_from: str
    approved_by: str
    invented: bool
    inclusive: bool


class SensorFaultView(msgspec.Struct, frozen=True, gc=False):
    """What seems to be wrong with the level sensor of a post: an alarm of the sensor, never of the river.

    Parameters
    ----------
    kind
        ``dead``, ``stuck``, ``spiking``, ``drifting``, or ``doubtful``: it creeps up and nobody confirms it.
    label, label_en
        The same for people.
    since
        When it was noticed.
    """

    kind: str
    label: str
    label_en: str
    since: str


class StationView(msgspec.Struct, frozen=True, gc=False):
    """A station with all that is known of it now."""

    id: str
    region: str
    name: str
    kind: str
    lon: float
    lat: float
    river: str | None
    desa: str | None
    kecamatan: str | None
    elevation_m: float | None
    datum: str | None
    source: str
    invented: bool
    note: str | None
    downstream: tuple[str, ...]
    thresholds: ThresholdsView | None
    level: LevelView | None
    datastreams: tuple[DatastreamView, ...]
    sensor_faults: tuple[SensorFaultView, ...] = ()

    def datastream(self, slug: str) -> DatastreamView | None:
        """Return the datastream of that property, or None."""
        return next((stream for stream in self.datastreams if stream.property == slug), None)


def datastream_view(
    datastream: Datastream, latest: Latest | None, *, now_us: int, totals: Totals | None = None
) -> DatastreamView:
    """Return a datastream as the api shows it.

    Parameters
    ----------
    datastream
        As the region configures it.
    latest
        Its last observation, None before the first.
    now_us
        The present, microseconds UTC.
    totals
        Sums of a property that accumulates.
    """
    observed = datastream.observed
    hour, day = (None, None) if totals is None else totals
    observation = None if latest is None else latest.observation
    age_us = None if observation is None else max(now_us - observation.t_us, 0)
    stale = datastream.is_stale(None if observation is None else observation.t_us, now_us=now_us)
    last = None if observation is None else finite(observation.value)
    reason = why_absent(None if observation is None else observation.flag, last, stale=stale)
    trend = latest.trend_per_h if latest is not None and reason is None and not observed.accumulates else None
    return DatastreamView(
        property=datastream.property,
        name=observed.name_id,
        name_en=observed.name_en,
        unit=observed.unit,
        decimals=observed.decimals,
        value=last if reason is None else None,
        last_value=last,
        reason=reason,
        time=None if observation is None else rfc3339(observation.t_us),
        age_s=None if age_us is None else round(age_us / US_PER_S, 1),
        stale=stale,
        stale_after_s=datastream.stale_after_us / US_PER_S,
        flag=None if observation is None else int(observation.flag),
        flag_name=None if observation is None else observation.flag.name.lower(),
        tests=() if observation is None else reason_names(observation.tests),
        trend_per_h=None if trend is None else round(trend, VALUE_DIGITS),
        total_1h=None if hour is None else round(hour.value, VALUE_DIGITS),
        total_1h_coverage=None if hour is None else round(hour.coverage, COVERAGE_DIGITS),
        total_1h_since=None if hour is None or hour.since_us is None else rfc3339(hour.since_us),
        total_24h=None if day is None else round(day.value, VALUE_DIGITS),
        total_24h_coverage=None if day is None else round(day.coverage, COVERAGE_DIGITS),
        total_24h_since=None if day is None or day.since_us is None else rfc3339(day.since_us),
        interval_s=datastream.interval_s,
        sensor=datastream.sensor,
        simulated=datastream.sensor.strip().lower().startswith("simul"),
    )


def level_view(
    station: Station, stage: DatastreamView | None, active: ActiveLevel | None
) -> LevelView | None:
    """Return the level of a post; None for a station without limits."""
    if station.thresholds is None:
        return None
    value = None if stage is None else stage.value
    exceeds = None if value is None else classify(value, station.thresholds).value
    if active is not None:
        return LevelView(
            active.siaga.value,
            active.siaga.label,
            value is not None,
            active.reason,
            rfc3339(active.since_us),
            active.verified,
            active.alert,
            exceeds,
        )
    if value is None:
        reason = "no_data" if stage is None else stage.reason
        return LevelView(None, None, current=False, reason=reason)
    return LevelView(Siaga.NORMAL.value, Siaga.NORMAL.label, current=True, exceeds=exceeds)


def station_view(
    station: Station,
    latest: Mapping[str, Latest],
    *,
    now_us: int,
    active: ActiveLevel | None,
    totals: Mapping[str, Totals],
    faults: Sequence[StandingFault] = (),
) -> StationView:
    """Return a station as the api shows it.

    Parameters
    ----------
    station
        As the region describes it.
    latest, totals
        Last observation and sums of each of its properties, by slug.
    now_us
        The present, microseconds UTC.
    active
        The alert in force.
    faults
        What seems to be wrong with its level sensor.
    """
    streams = tuple(
        datastream_view(
            stream, latest.get(stream.property), now_us=now_us, totals=totals.get(stream.property)
        )
        for stream in station.datastreams
    )
    stage = next((stream for stream in streams if stream.property == "stage"), None)
    limits = station.thresholds
    return StationView(
        id=station.id,
        region=station.region,
        name=station.name,
        kind=station.kind.value,
        lon=station.lon,
        lat=station.lat,
        river=station.river,
        desa=station.desa,
        kecamatan=station.kecamatan,
        elevation_m=station.elevation_m,
        datum=station.datum,
        source=station.source,
        invented=station.invented,
        note=station.note,
        downstream=station.downstream,
        thresholds=None if limits is None else ThresholdsView(**msgspec.structs.asdict(limits)),
        level=level_view(station, stage, active),
        datastreams=streams,
        sensor_faults=tuple(
            SensorFaultView(
                one.kind,
                text(f"sensor.fault.{one.kind}"),
                text(f"sensor.fault.{one.kind}", lang="en"),
                rfc3339(one.since_us),
            )
            for one in faults
        ),
    )


def change_view(change: AlertChange, *, retracted: bool = False) -> dict[str, Any]:
    """Return a change of an alert with the labels of its levels, and whether a later one took it back."""
    to_label = text("alert.unknown.label") if change.unknown else change.after.label
    labels = {"from_label": change.before.label, "to_label": to_label}
    return {**change_document(change, retracted=retracted), **labels}


def finite(value: float) -> float | None:
    """Return the value, None for NaN and infinity: JSON has neither."""
    return value if math.isfinite(value) else None
