"""Series by station from CSV files: rain, and soil moisture."""

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from serayu.models.errors import BadInputError
from serayu.models.landslide.rain import RainSeries
from serayu.models.quality.flags import QualityFlag
from serayu.models.times import parse_rfc3339

__all__ = ["SoilSeries", "read_rain", "read_soil"]

_UNUSABLE = {str(int(QualityFlag.FAIL)), str(int(QualityFlag.MISSING))}
_STATION, _TIME = ("station_id", "station"), ("time_utc", "time")
MOST_MM = 500.0
"""Rain of one value above which it is an error of the gauge [as the quality control of rain: world record 305 mm/h]."""


class _Row(NamedTuple):
    number: int
    station: str
    t_us: int
    value: float


class SoilSeries(NamedTuple):
    """Soil moisture of one probe, percent of volume: times, microseconds UTC, ascending; NaN where missing."""

    times_us: tuple[int, ...]
    moisture_pct: tuple[float, ...]

    def newest(self, at_us: int) -> tuple[int, float] | None:
        """Return time and value of the newest value by a moment that is not missing."""
        return next(
            (
                (t_us, value)
                for t_us, value in zip(reversed(self.times_us), reversed(self.moisture_pct), strict=True)
                if t_us <= at_us and not math.isnan(value)
            ),
            None,
        )


def read_rain(file: Path, *, limit_h: float | None = None) -> Mapping[str, RainSeries]:
    """Read rain by gauge: columns ``station``, ``time``, ``mm`` (or ``station_id``, ``time_utc``, ``value``), ``flag``.

    A value is the rain since the value before it. An empty value, a QARTOD flag of fail or missing and a depth above
    `MOST_MM` are "not known". Rows of a station may stand in any order.

    Parameters
    ----------
    file
        The file.
    limit_h
        See `RainSeries`.

    Raises
    ------
    BadInputError
        A column is missing, or a row holds no time with zone, no number, a negative depth, or a time that is there
        with another value; names the row.
    """
    stations = _by_station(file, ("mm", "value"), most=MOST_MM)
    return {
        station: RainSeries([row.t_us for row in rows], [row.value for row in rows], limit_h=limit_h)
        for station, rows in stations.items()
    }


def read_soil(file: Path) -> Mapping[str, SoilSeries]:
    """Read soil moisture by station, percent of volume: columns as of rain, the value ``moisture_pct`` or ``value``.

    Raises
    ------
    BadInputError
        As `read_rain`; above 100 per cent is "not known".
    """
    stations = _by_station(file, ("moisture_pct", "value"), most=100.0)
    return {
        station: SoilSeries(tuple(row.t_us for row in rows), tuple(row.value for row in rows))
        for station, rows in stations.items()
    }


def _by_station(file: Path, value_names: tuple[str, ...], *, most: float) -> dict[str, list[_Row]]:
    stations: dict[str, dict[int, _Row]] = {}
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            for row in _rows(csv.DictReader(stream), value_names, file=file, most=most):
                rows = stations.setdefault(row.station, {})
                known = rows.setdefault(row.t_us, row)
                if known.value != row.value and not (math.isnan(known.value) and math.isnan(row.value)):
                    reason = f"row {known.number} has another value at the same time"
                    raise BadInputError(reason, file=file, row=row.number)
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(f"not a CSV file in UTF-8: {error}", file=file) from None
    return {station: [rows[t_us] for t_us in sorted(rows)] for station, rows in stations.items()}


def _rows(
    reader: "csv.DictReader[str]", value_names: tuple[str, ...], *, file: Path, most: float
) -> Iterator[_Row]:
    columns = tuple(reader.fieldnames or ())
    station, time, value = (_column(columns, names, file=file) for names in (_STATION, _TIME, value_names))
    for number, fields in enumerate(reader, start=2):
        if not fields[station]:
            raise BadInputError("empty", file=file, row=number, field=station)
        try:
            t_us = parse_rfc3339(fields[time] or "")
        except ValueError as error:
            raise BadInputError(str(error), file=file, row=number, field=time) from None
        depth = _number(fields[value], file=file, row=number, field=value)
        unusable = depth > most or (fields.get("flag") or "") in _UNUSABLE
        yield _Row(number, fields[station], t_us, math.nan if unusable else depth)


def _column(columns: tuple[str, ...], names: tuple[str, ...], *, file: Path) -> str:
    found = next((name for name in names if name in columns), None)
    if found is None:
        raise BadInputError(f"column missing: {' or '.join(names)}", file=file, row=1)
    return found


def _number(text: str | None, *, file: Path, row: int, field: str) -> float:
    if text is None or not text.strip():
        return math.nan
    try:
        number = float(text)
    except ValueError:
        raise BadInputError(f"not a number: {text!r}", file=file, row=row, field=field) from None
    if number < 0 or math.isinf(number):
        raise BadInputError(f"must be 0 or more, got {text}", file=file, row=row, field=field)
    return number
