"""Stations and tidy series, read from files: times in microseconds UTC, metric units.

The tidy format is ``station_id,time_utc,value,unit,flag``, plain or gzip; the table of stations has at least
``station_id,variable`` and may have ``unit,alert,alarm,critical``; other columns are ignored.
"""

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serayu.models.errors import BadInputError
from serayu.models.times import US_PER_S, to_us

__all__ = ["LEVELS", "PostInfo", "Series", "joined", "read_series", "read_stations", "read_text"]

LEVELS = ("alert", "alarm", "critical")
"""Official levels, lowest first."""

VARIABLES = {"stage": "stage", "level": "stage", "flow": "flow", "discharge": "flow", "rain": "rain"}
UNITS = {"stage": "m", "flow": "m3/s", "rain": "mm"}
# Exact by definition: foot 0.3048 m, inch 25.4 mm (international yard and pound agreement of 1959).
FACTORS: dict[str, dict[str, float]] = {
    "stage": {"m": 1.0, "cm": 0.01, "mm": 0.001, "ft": 0.3048},
    "flow": {
        "m3/s": 1.0,
        "m³/s": 1.0,
        "m^3/s": 1.0,
        "cms": 1.0,
        "l/s": 0.001,
        "ft3/s": 0.3048**3,
        "cfs": 0.3048**3,
    },
    "rain": {"mm": 1.0, "cm": 10.0, "in": 25.4},
}
MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "--"}
_PLAIN_STAMP = len("2025-11-23T05:35:42Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostInfo:
    """A row of the table of stations.

    Parameters
    ----------
    variable
        ``stage``, ``flow``, ``rain``, or another word for what is not used.
    unit
        Unit of the values once read: m, m3/s or mm; as given for other variables.
    given_unit
        Unit in the table, for rows of a series that state none.
    thresholds
        Official levels by name, in *unit*; those that are given.
    """

    station_id: str
    variable: str
    unit: str
    given_unit: str
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values of one station in the order of time (of the file among equal times).

    Parameters
    ----------
    time_us
        Microseconds UTC, ascending, repeats possible, shape (n,).
    value
        In the unit of the station, NaN where missing, shape (n,).
    flagged
        Where the agency's own flag says that the value is not to be trusted, shape (n,).
    """

    time_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    flagged: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.time_us)


def read_stations(file: Path) -> dict[str, PostInfo]:
    """Read the table of stations.

    Raises
    ------
    BadInputError
        Unreadable file, columns missing, an id twice, a unit unknown for the variable, a threshold that is no
        number or below the one before.
    """
    stations: dict[str, PostInfo] = {}
    reader = csv.DictReader(io.StringIO(read_text(file), newline=""))
    missing = {"station_id", "variable"} - set(reader.fieldnames or ())
    if missing:
        raise BadInputError(f"columns missing: {', '.join(sorted(missing))}", file=file, row=1)
    for row in reader:
        number = reader.line_num
        station_id = (row["station_id"] or "").strip()
        if not station_id:
            raise BadInputError("empty", file=file, row=number, field="station_id")
        if station_id in stations:
            raise BadInputError(f"{station_id!r} appears twice", file=file, row=number, field="station_id")
        stations[station_id] = _info(station_id, row, file=file, number=number)
    return stations


def _info(station_id: str, row: Mapping[str, str | None], *, file: Path, number: int) -> PostInfo:
    word = (row["variable"] or "").strip().lower()
    variable = VARIABLES.get(word, word)
    given = (row.get("unit") or "").strip()
    factor = 1.0
    if variable in FACTORS:
        given = given or UNITS[variable]
        factor = _factor(variable, given, file=file, number=number)
    thresholds: dict[str, float] = {}
    for level in LEVELS:
        text = (row.get(level) or "").strip()
        if text.lower() in MISSING:
            continue
        value = _number(text, file=file, number=number, name=level) * factor
        if thresholds and value < max(thresholds.values()):
            raise BadInputError(f"{text} is below the level before it", file=file, row=number, field=level)
        thresholds[level] = value
    unit = UNITS.get(variable, given)
    return PostInfo(
        station_id=station_id, variable=variable, unit=unit, given_unit=given, thresholds=thresholds
    )


def read_series(files: Iterable[Path], stations: Mapping[str, PostInfo]) -> dict[str, Series]:
    """Read tidy series of many stations from many files.

    Parameters
    ----------
    stations
        Those that may appear.

    Raises
    ------
    BadInputError
        Unreadable file, columns missing, or the first row with an unknown station, an unreadable time or value,
        or an unknown unit.
    """
    files = list(files)
    for file in files:  # before any is read: a large one takes a while
        if file.is_dir():
            raise BadInputError("is a folder; name its files, --series once for each", file=file)
    parts: dict[str, list[Series]] = {}
    for file in files:
        for station_id, part in _read_tidy(file, stations).items():
            parts.setdefault(station_id, []).append(part)
    return {station_id: joined(some) for station_id, some in parts.items()}


def joined(parts: Sequence[Series]) -> Series:
    """Return the values of several series of one station in order of time, of equal times as the parts stand."""
    time_us = np.concatenate([part.time_us for part in parts])
    order = np.argsort(time_us, kind="stable")
    return Series(
        time_us=time_us[order],
        value=np.concatenate([part.value for part in parts])[order],
        flagged=np.concatenate([part.flagged for part in parts])[order],
    )


def _read_tidy(file: Path, stations: Mapping[str, PostInfo]) -> dict[str, Series]:
    text = read_text(file)
    table = _quick_table(file, text, stations) or _careful_table(file, text)
    return {} if table is None else table.series(stations)


def _places(header: Sequence[str], file: Path) -> list[str]:
    names = [name.strip() for name in header]
    missing = {"station_id", "time_utc", "value"} - set(names)
    if missing:
        raise BadInputError(f"columns missing: {', '.join(sorted(missing))}", file=file, row=1)
    return names


def _quick_table(file: Path, text: str, stations: Mapping[str, PostInfo]) -> "_Table | None":
    """Cut a file without quotes at its commas, all at once; None where that would not be safe."""
    head, _, body = text.partition("\n")
    if '"' in text or "\r" in text or not body.strip():
        return None
    names = _places(head.split(","), file)
    body = body.rstrip("\n")
    lines, width = body.count("\n") + 1, len(names)
    if body.count(",") != lines * (width - 1):
        return None
    cells = body.replace("\n", ",").split(",")
    columns = {name: cells[at::width] for at, name in enumerate(names)}
    # A short row and a long one could make up for one another: then ids and stamps are out of place.
    aligned = set(columns["station_id"]) <= stations.keys() and _plain_stamps(columns["time_utc"]) is not None
    return _Table(file=file, numbers=range(2, lines + 2), columns=columns) if aligned else None


def _careful_table(file: Path, text: str) -> "_Table | None":
    reader = csv.reader(io.StringIO(text, newline=""))
    names = _places(next(reader, []), file)
    rows: list[list[str]] = []
    numbers: list[int] = []
    for row in reader:
        if not row:
            continue
        if len(row) < len(names):
            raise BadInputError(f"{len(row)} fields, expected {len(names)}", file=file, row=reader.line_num)
        rows.append(row[: len(names)])
        numbers.append(reader.line_num)
    if not rows:
        return None
    columns = dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True))
    return _Table(file=file, numbers=numbers, columns=columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Columns of one file as text, and the row number of each."""

    file: Path
    numbers: Sequence[int]
    columns: Mapping[str, list[str]]

    def series(self, stations: Mapping[str, PostInfo]) -> dict[str, Series]:
        names, which = _groups(self.columns["station_id"])
        for name in names:
            if name not in stations:
                self._refuse(f"station {name!r} is not in the table of stations", "station_id", name)
        time_us, value = self._times(), self._values()
        flagged = self._flagged()
        units = self.columns.get("unit")
        unit_names, unit_of = _groups(units) if units is not None else ([""], np.zeros(len(which), np.int64))
        result: dict[str, Series] = {}
        for code, name in enumerate(names):
            rows = np.flatnonzero(which == code)
            info = stations[name]
            scaled = value[rows]
            for unit_code in np.unique(unit_of[rows]):
                factor = self._unit_factor(info, unit_names[unit_code])
                if factor != 1.0:
                    scaled[unit_of[rows] == unit_code] *= factor
            result[name] = Series(time_us=time_us[rows], value=scaled, flagged=flagged[rows])
        return result

    def _unit_factor(self, info: PostInfo, unit: str) -> float:
        if info.variable not in FACTORS:
            return 1.0
        factor = FACTORS[info.variable].get((unit or info.given_unit).lower())
        if factor is None:
            self._refuse(_unknown_unit(info.variable, unit), "unit", unit)
            raise AssertionError  # _refuse raises
        return factor

    def _times(self) -> npt.NDArray[np.int64]:
        stamps = self.columns["time_utc"]
        quick = _plain_stamps(stamps)
        if quick is not None:
            return quick
        result = np.empty(len(stamps), np.int64)
        for at, stamp in enumerate(stamps):
            try:
                moment = datetime.fromisoformat(stamp.strip())
            except ValueError as error:
                raise BadInputError(
                    str(error), file=self.file, row=self.numbers[at], field="time_utc"
                ) from None
            result[at] = to_us(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
        return result

    def _values(self) -> npt.NDArray[np.float64]:
        texts = self.columns["value"]
        try:
            value = np.array(texts, dtype=np.float64)
        except ValueError:
            value = np.array(
                [
                    math.nan
                    if text.strip().lower() in MISSING
                    else _number(text, file=self.file, number=number, name="value")
                    for text, number in zip(texts, self.numbers, strict=True)
                ]
            )
        value[~np.isfinite(value)] = math.nan
        return value

    def _flagged(self) -> npt.NDArray[np.bool_]:
        """Mark what the agency itself calls suspect, wrong, missing or filled in; any other word passes."""
        flags = self.columns.get("flag")
        if flags is None:
            return np.zeros(len(self.numbers), np.bool_)
        names, which = _groups(flags)
        bad = np.array([name.strip().lower() in _DISTRUSTED for name in names])
        return bad[which]

    def _refuse(self, reason: str, column: str, text: str) -> None:
        texts = self.columns.get(column, ())
        number = self.numbers[texts.index(text)] if text in texts else None
        raise BadInputError(reason, file=self.file, row=number, field=column)


_DISTRUSTED = {
    "suspect",
    "bad",
    "fail",
    "failed",
    "missing",
    "error",
    "wrong",
    "rejected",
    "spike",
    "range",
    "stuck",
    "3",
    "4",
    "9",
    "e",
}


def _groups(texts: Sequence[str]) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the distinct texts in order of appearance and, for each text, its number among them."""
    codes: dict[str, int] = {}
    which = np.fromiter((codes.setdefault(text, len(codes)) for text in texts), np.int64, len(texts))
    return list(codes), which


def _plain_stamps(stamps: Sequence[str]) -> npt.NDArray[np.int64] | None:
    """Read ``YYYY-MM-DDThh:mm:ssZ`` in bulk; None when a stamp looks different or is no such time."""
    if not all(len(stamp) == _PLAIN_STAMP and stamp[-1] == "Z" for stamp in stamps):
        return None
    try:
        raw = np.array(stamps, dtype=f"S{_PLAIN_STAMP - 1}")
        seconds: npt.NDArray[np.int64] = raw.astype("datetime64[s]").astype(np.int64)
    except (ValueError, UnicodeEncodeError):
        return None
    return seconds * US_PER_S


def _factor(variable: str, unit: str, *, file: Path, number: int) -> float:
    factor = FACTORS[variable].get(unit.lower())
    if factor is None:
        raise BadInputError(_unknown_unit(variable, unit), file=file, row=number, field="unit")
    return factor


def _unknown_unit(variable: str, unit: str) -> str:
    return f"{unit!r} is no unit of {variable}; known: {', '.join(FACTORS[variable])}"


def _number(text: str, *, file: Path, number: int, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInputError(f"not a number: {text!r}", file=file, row=number, field=name) from None


def read_text(file: Path) -> str:
    """Return a file's text, unpacked where it is gzip.

    Raises
    ------
    BadInputError
        It cannot be read or is not UTF-8.
    """
    try:
        data = file.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInputError(f"cannot read: {reason}", file=file) from None
    except UnicodeDecodeError as error:
        raise BadInputError(f"not UTF-8: {error}", file=file) from None
