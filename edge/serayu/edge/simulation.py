"""Agents for a region's stations: with invented values, or with those of a file."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from serayu.edge.config import AgentConfig, BrokerConfig, ClockConfig, DriverConfig, OutboxConfig
from serayu.edge.drivers.driver import Sample
from serayu.edge.series import read_series
from serayu.models.broker_url import BrokerUrl
from serayu.models.region import Region
from serayu.models.times import rfc3339

__all__ = ["INVENTED", "Split", "broker_config", "replay_configs", "simulated_configs", "split_series"]

REPLAY_INTERVAL_S = 0.05

INVENTED: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "stage": {"mean": 2.0, "amplitude": 0.2, "step": 0.01, "minimum": 0.0},
        "discharge": {"mean": 120.0, "amplitude": 10.0, "step": 1.0, "minimum": 0.0},
        "rain": {"mean": 0.0, "step": 0.05, "minimum": 0.0, "maximum": 20.0},
        "count-mc": {"mean": 30.0, "amplitude": 20.0, "step": 2.0, "minimum": 0.0, "period_s": 43_200.0},
        "count-lv": {"mean": 12.0, "amplitude": 8.0, "step": 1.0, "minimum": 0.0, "period_s": 43_200.0},
        "count-hv": {"mean": 2.0, "amplitude": 1.5, "step": 0.3, "minimum": 0.0, "period_s": 43_200.0},
        "speed": {"mean": 35.0, "amplitude": 10.0, "step": 1.0, "minimum": 0.0, "period_s": 43_200.0},
        "occupancy": {"mean": 20.0, "amplitude": 15.0, "step": 1.0, "minimum": 0.0, "maximum": 100.0},
        "soil-moisture": {"mean": 35.0, "step": 0.1, "minimum": 5.0, "maximum": 60.0},
        "soil-temperature": {"mean": 27.0, "amplitude": 1.5, "step": 0.05},
        "ec": {"mean": 0.04, "step": 0.0005, "minimum": 0.0},
        "ph": {"mean": 6.2, "step": 0.01, "minimum": 4.0, "maximum": 9.0},
        "air-temperature": {"mean": 26.0, "amplitude": 4.0, "step": 0.1},
        "humidity": {"mean": 80.0, "amplitude": 12.0, "step": 0.5, "minimum": 20.0, "maximum": 100.0},
        "battery": {"mean": 12.6, "amplitude": 0.4, "step": 0.01, "minimum": 10.0, "maximum": 14.5},
        "signal": {"mean": -75.0, "step": 1.0, "minimum": -110.0, "maximum": -50.0},
    }
)
"""Invented series for exercises, by property: every number here is made up to look plausible on a screen."""


@dataclass(frozen=True, slots=True)
class Split:
    """A tidy file taken apart.

    Parameters
    ----------
    files
        Station → its CSV file.
    rows, skipped
        Data rows in all, and those without a value.
    begin_us
        Earliest time in the file, microseconds UTC; None without any reading.
    """

    files: Mapping[str, Path]
    rows: int
    skipped: int
    begin_us: int | None


def broker_config(url: BrokerUrl, *, ca: Path | None = None) -> BrokerConfig:
    """Return the broker's table; the password does not go in there but into the agents' environment."""
    return BrokerConfig(host=url.host, port=url.port, tls=url.tls, ca=ca, username=url.username)


def simulated_configs(
    region: Region, *, broker: BrokerConfig, folder: Path, interval_s: float | None = None, seed: int = 0
) -> list[AgentConfig]:
    """Return an agent with invented values for every station of a region.

    Parameters
    ----------
    region, broker
        What to simulate, and where readings go.
    folder
        Gets the state of each agent.
    interval_s
        Seconds between readings; by default as each datastream says.
    seed
        The same seed gives the same random walks.
    """
    return [
        AgentConfig(
            region=region.code,
            station=station.id,
            state=folder.resolve() / station.id,
            drivers=tuple(
                DriverConfig(
                    "simulated",
                    stream.property,
                    interval_s or stream.interval_s,
                    {**INVENTED[stream.property], "seed": seed},
                )
                for stream in station.datastreams
            ),
            broker=broker,
            clock=ClockConfig(mode="trust"),
        )
        for station in region.stations.values()
    ]


def split_series(file: Path, *, region: Region, folder: Path, property_slug: str | None = None) -> Split:
    """Write the rows of a tidy file into one file a station, in the same order.

    Parameters
    ----------
    file
        ``station_id,time_utc,value,unit[,flag]``, or with a column ``property``.
    region
        Must know every station of the file, by its id in lower case.
    folder
        Gets ``<station>.csv``.
    property_slug
        The property of every row; by default the station's only datastream that takes the row's unit.

    Raises
    ------
    BadInputError
        A row is wrong or names an unknown station; names file, row and field.
    """
    parts: dict[str, list[Sample]] = {}
    rows = skipped = 0
    resolve = partial(_property_of, region) if property_slug is None else None
    for row in read_series(file, property_slug=property_slug, property_of=resolve, stations=region.stations):
        rows += 1
        if row.sample is None:
            skipped += 1
        else:
            parts.setdefault(row.station or "", []).append(row.sample)
    folder.mkdir(parents=True, exist_ok=True)
    files = {station: _write_part(folder / f"{station}.csv", samples) for station, samples in parts.items()}
    times = [sample.t_us for samples in parts.values() for sample in samples if sample.t_us is not None]
    return Split(files, rows, skipped, min(times, default=None))


def replay_configs(
    split: Split,
    *,
    region: Region,
    broker: BrokerConfig,
    folder: Path,
    speed: float | Literal["max"],
    anchor_wall_us: int,
) -> list[AgentConfig]:
    """Return an agent for each station of a file that ends when all its readings are confirmed or rejected.

    Parameters
    ----------
    split, region, broker, folder
        The file's parts, where they belong, where readings go, and where state is kept.
    speed
        Seconds of the file in one second, or ``max``.
    anchor_wall_us
        Wall-clock time, microseconds UTC, at which the file's first moment plays for all stations.
    """
    anchors = {} if speed == "max" else {"anchor_us": split.begin_us or 0, "anchor_wall_us": anchor_wall_us}
    return [
        AgentConfig(
            region=region.code,
            station=station,
            state=folder.resolve() / station,
            drivers=(
                DriverConfig(
                    "csv_replay",
                    None,
                    REPLAY_INTERVAL_S,
                    {"file": str(file.resolve()), "speed": speed, **anchors},
                ),
            ),
            broker=broker,
            # A replay can be started again: nothing is gained by forcing every batch to the disk.
            outbox=OutboxConfig(synchronous="NORMAL"),
            clock=ClockConfig(mode="trust"),
            exit_when_done=True,
        )
        for station, file in split.files.items()
    ]


def _property_of(region: Region, station: str | None, unit: str) -> str:
    """Return the station's only property that is measured in that unit."""
    known = region.stations[station or ""]
    fitting = [
        s.property for s in known.datastreams if unit in ("", s.observed.unit) or unit in s.observed.accepted
    ]
    if len(fitting) != 1:
        found = ", ".join(fitting) or "none"
        raise ValueError(f"{known.id} has not one property in {unit!r} but {found}: name the property")
    return fitting[0]


def _write_part(file: Path, samples: Sequence[Sample]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("time_utc", "property", "value", "unit"))
        writer.writerows((rfc3339(s.t_us or 0), s.property, repr(s.value), s.unit) for s in samples)
    return file
