"""CSV files of readings: ``time_utc,property,value[,unit]`` or tidy ``station_id,time_utc,value,unit[,flag]``."""

import csv
import math
import re
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from serayu.edge.drivers.driver import Sample
from serayu.models.errors import BadInputError, RefusedError
from serayu.models.properties import observed_property
from serayu.models.senml import RELATIVE_BELOW_S
from serayu.models.times import US_PER_S, parse_rfc3339

EARLIEST_US = round(RELATIVE_BELOW_S) * US_PER_S
"""A SenML time before July 1978 would be read as relative (RFC 8428 section 4.5.3)."""
PropertyOf = Callable[[str | None, str], str]
"""Station (or None) and unit to the slug of a property."""
LATEST_US = 2**32 * US_PER_S
"""From February 2106 on, the codec refuses times: they would not be exact to the microsecond."""
_NOT_SLUG = re.compile(r"[^a-z0-9-]")


class Row(NamedTuple):
    """One row of a file.

    Parameters
    ----------
    row
        Number of the row; the header is row 1.
    station
        Station id as a slug, or None where the file has no such column.
    sample
        What it says (`Sample.mark` is the row), or None where the value is empty.
    """

    row: int
    station: str | None
    sample: Sample | None


def station_slug(name: str) -> str:
    """Return a station's name as its id: lower case, anything that is not a letter, digit or dash as a dash.

    Examples
    --------
    >>> station_slug("LK-NAGALAGAM_STREET")
    'lk-nagalagam-street'
    """
    return _NOT_SLUG.sub("-", name.strip().lower())


def read_series(
    file: Path,
    *,
    property_slug: str | None = None,
    property_of: PropertyOf | None = None,
    stations: Container[str] | None = None,
    after: int = 0,
) -> Iterator[Row]:
    """Yield the rows of a file in its order.

    Parameters
    ----------
    file
        The CSV file.
    property_slug
        The property of every row; None where a column names it.
    property_of
        Returns the property of a row by station and unit, where neither a column nor *property_slug* names it.
    stations
        Ids that a row may name; None: any.
    after
        Rows up to this number are passed over unread.

    Raises
    ------
    BadInputError
        The file cannot be read, or a column or cell is wrong; names file, row and field.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            names = reader.fieldnames or ()
            _check_header(names, named=bool(property_slug or property_of), file=file)
            for row, cells in enumerate(reader, start=2):
                if row <= after:
                    continue
                station = station_slug(cells["station_id"] or "") if "station_id" in cells else None
                if stations is not None and station not in stations:
                    reason = f"unknown station {station!r}" if "station_id" in cells else "column missing"
                    raise BadInputError(reason, file=file, row=row, field="station_id")
                yield _row(
                    cells, station, file=file, row=row, property_slug=property_slug, property_of=property_of
                )
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(f"not CSV in UTF-8: {error}", file=file) from None


def _row(
    cells: dict[str, str | None],
    station: str | None,
    *,
    file: Path,
    row: int,
    property_slug: str | None,
    property_of: PropertyOf | None,
) -> Row:
    text = {name: (cell or "").strip() for name, cell in cells.items() if isinstance(cell, str)}
    if not text.get("value"):
        return Row(row, station, None)
    field = "value"
    try:
        value = float(text["value"])
        if not math.isfinite(value):
            raise ValueError(f"expected a finite number, not {text['value']!r}")  # noqa: TRY301
        field = "property"
        slug = property_slug or text.get("property")
        if not slug and property_of is not None:
            slug = property_of(station, text.get("unit", ""))
        observed = observed_property(slug or "")
        field = "unit"
        unit = text.get("unit") or observed.unit
        observed.to_canonical(value, unit)
        field = "time_utc"
        t_us = parse_rfc3339(text.get("time_utc", ""))
        if not EARLIEST_US <= t_us < LATEST_US:
            raise ValueError("times before July 1978 or after January 2106 cannot be sent")  # noqa: TRY301
    except (ValueError, RefusedError) as error:
        raise BadInputError(str(error), file=file, row=row, field=field) from None
    return Row(row, station, Sample(observed.slug, value, unit, t_us, row))


def _check_header(names: Sequence[str], *, named: bool, file: Path) -> None:
    needed = ["time_utc", "value"] + ([] if named else ["property"])
    missing = [name for name in needed if name not in names]
    if missing:
        raise BadInputError(f"column missing: {', '.join(missing)}", file=file, row=1)
