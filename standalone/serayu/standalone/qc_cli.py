"""``serayu qc FILE``: the quality control of ingest on a CSV file."""

import csv
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from serayu.models.command import emit, reported
from serayu.models.errors import BadInputError
from serayu.models.properties import OBSERVED_PROPERTIES
from serayu.models.quality import DEFAULT_PROFILES
from serayu.models.quality.flags import QualityFlag, reason_names
from serayu.models.quality.streaming import StreamingQc
from serayu.models.times import parse_rfc3339, rfc3339

app = typer.Typer()


class Row(NamedTuple):
    """One value of the file, at its row (the header is row 1)."""

    row: int
    t_us: int
    value: float


@app.command()
@reported()
def qc(
    file: Path,
    property_slug: Annotated[str, typer.Option("--property", help="besaran · observed property")] = "stage",
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Beri tanda mutu QARTOD pada CSV (time_utc,value[,station_id]) · Give a CSV file QARTOD flags."""
    if property_slug not in OBSERVED_PROPERTIES:
        raise BadInputError(f"unknown property {property_slug!r}; known: {', '.join(OBSERVED_PROPERTIES)}")
    stations: dict[str, list[dict[str, object]]] = {}
    flags: Counter[int] = Counter()
    for station, rows in _series(file).items():
        stations[station] = list(_flagged(rows, property_slug))
        flags.update(int(str(one["flag"])) for one in stations[station])
    document = {
        "file": str(file),
        "property": property_slug,
        "counts": dict(sorted(flags.items())),
        "series": stations,
    }
    text = "  ".join(f"{QualityFlag(flag).name.lower()} {count}" for flag, count in sorted(flags.items()))
    emit(document, as_json=as_json, output=output, text=text or "(kosong · empty)")


def _flagged(rows: list[Row], slug: str) -> Iterator[dict[str, object]]:
    checker = StreamingQc(DEFAULT_PROFILES[slug])
    results: list[tuple[QualityFlag, int]] = []
    for row in rows:
        result = checker.push(row.t_us, row.value)
        if result.revised is not None and results:
            results[-1] = result.revised
        results.append((result.flag, result.tests))
    for row, (flag, tests) in zip(rows, results, strict=True):
        yield {
            "row": row.row,
            "time": rfc3339(row.t_us),
            "value": row.value,
            "flag": int(flag),
            "reasons": reason_names(tests),
        }


def _series(file: Path) -> dict[str, list[Row]]:
    series: dict[str, list[Row]] = {}
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            missing = {"time_utc", "value"} - set(reader.fieldnames or ())
            if missing:
                raise BadInputError(f"columns missing: {', '.join(sorted(missing))}", file=file, row=1)
            for number, fields in enumerate(reader, start=2):
                row = _row(fields, file=file, number=number)
                rows = series.setdefault(fields.get("station_id") or "", [])
                if rows and row.t_us <= rows[-1].t_us:
                    raise BadInputError(
                        "not later than the row before", file=file, row=number, field="time_utc"
                    )
                rows.append(row)
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except UnicodeDecodeError as error:
        raise BadInputError(f"not UTF-8: {error}", file=file) from None
    return series


def _row(fields: dict[str, str], *, file: Path, number: int) -> Row:
    try:
        t_us = parse_rfc3339(fields["time_utc"])
    except (TypeError, ValueError) as error:
        raise BadInputError(str(error), file=file, row=number, field="time_utc") from None
    try:
        value = float(fields["value"]) if fields["value"] else math.nan
    except (TypeError, ValueError):
        raise BadInputError(
            f"not a number: {fields['value']!r}", file=file, row=number, field="value"
        ) from None
    return Row(number, t_us, value)
