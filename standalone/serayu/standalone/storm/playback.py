"""Writing a storm down, one file per station, for agents that play it back."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from serayu.models.command import write_atomically
from serayu.models.station import Station
from serayu.models.times import US_PER_S, rfc3339
from serayu.standalone.storm.simulate import Storm

__all__ = ["HEADER", "station_readings", "write_series"]

HEADER = "time_utc,property,value"


def station_readings(
    storm: Storm, station: Station, *, interval_s: float | None = None
) -> Iterator[tuple[int, str, float]]:
    """Give a station's readings in order of time, then of property as the region lists them.

    Parameters
    ----------
    storm
        The storm.
    station
        Station of its region.
    interval_s
        Seconds between readings of every property; each datastream's own when None.

    Yields
    ------
    tuple
        Phenomenon time in microseconds UTC, property, value in the canonical unit. The first reading is one
        interval after the start, so that a sum belongs to an interval of the storm; the last is at its end.
    """
    rows: list[tuple[int, int, str, float]] = []
    for rank, datastream in enumerate(station.datastreams):
        step_us = round((datastream.interval_s if interval_s is None else interval_s) * US_PER_S)
        times = np.arange(storm.start_us + step_us, storm.end_us + 1, step_us, dtype=np.int64).tolist()
        slug = datastream.property
        if datastream.observed.accumulates:
            values = [storm.amount(station.id, slug, t_us - step_us, t_us) for t_us in times]
        else:
            values = storm.series(station.id, slug, times)
        rows += [(t_us, rank, slug, value) for t_us, value in zip(times, values, strict=True)]
    rows.sort(key=lambda row: row[:2])
    for t_us, _, slug, value in rows:
        yield t_us, slug, value


def write_series(storm: Storm, folder: Path, *, interval_s: float | None = None) -> dict[str, int]:
    """Write ``<station>.csv`` for every station of the storm's region.

    Parameters
    ----------
    storm
        The storm.
    folder
        Where the files go; made if absent. Each file is replaced at once.
    interval_s
        See :func:`station_readings`.

    Returns
    -------
    dict
        Station id → number of readings.

    Raises
    ------
    BadInputError
        A file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    for station in storm.region.stations.values():
        text = io.StringIO()
        text.write(HEADER + "\n")
        count = 0
        for t_us, slug, value in station_readings(storm, station, interval_s=interval_s):
            text.write(f"{rfc3339(t_us)},{slug},{value!r}\n")
            count += 1
        write_atomically(folder / f"{station.id}.csv", text.getvalue())
        counts[station.id] = count
    return counts
