"""Back-fill: readings from a CSV file, through the same path as those from a station."""

import csv
import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from serayu.ingest.decode import Message
from serayu.ingest.pipeline import Pipeline
from serayu.models.errors import BadInputError
from serayu.models.senml import SenmlRecord, encode_pack, seconds
from serayu.models.stores.hot_transaction import FILL_OID
from serayu.models.times import SystemClock, parse_rfc3339
from serayu.models.topics import topic

COLUMNS = ("station_id", "property", "time_utc", "value", "unit")
BATCH_ROWS = 2000
OID_LENGTH = 16


class Backfilled(NamedTuple):
    """What became of a file's rows: those rejected are dead letters, the first with its reason."""

    rows: int
    stored: int
    duplicates: int
    rejected: int
    first_reason: str | None


def backfill(file: Path, pipeline: Pipeline, *, region: str) -> Backfilled:
    """Store the rows of a CSV file with columns station_id, property, time_utc, value, unit.

    The file's content is its outbox identity and the row its seq, so running it again changes nothing. A row that
    repeats a value which another file or an agent brought is a duplicate too. Rows are late by nature and never alert.

    Raises
    ------
    BadInputError
        The file or a row of it cannot be read; nothing of the file is stored.
    """
    records = list(_records(file, region))
    oid = FILL_OID + hashlib.sha256(file.read_bytes()).hexdigest()[:OID_LENGTH]
    stored = duplicates = rejected = 0
    first_reason = None
    for start in range(0, len(records), BATCH_ROWS):
        outcome = pipeline.process(_messages(records[start : start + BATCH_ROWS], oid))
        stored += outcome.stored
        duplicates += outcome.duplicates
        rejected += outcome.rejected + outcome.undecodable
        first_reason = first_reason or outcome.first_reason
    return Backfilled(len(records), stored, duplicates, rejected, first_reason)


def _messages(records: Sequence[tuple[str, SenmlRecord]], oid: str) -> list[Message]:
    now_us = SystemClock().now_us()
    messages = []
    for name, record in records:
        record.oid = oid
        messages.append(Message(name, encode_pack([record]), now_us))
    return messages


def _records(file: Path, region: str) -> Iterator[tuple[str, SenmlRecord]]:
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise BadInputError(f"columns missing: {', '.join(missing)}", file=file, row=1)
            for row, fields in enumerate(reader, start=2):
                yield _record(fields, file=file, row=row, region=region)
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except UnicodeDecodeError as error:
        raise BadInputError(f"not UTF-8: {error}", file=file) from None


def _record(fields: dict[str, str], *, file: Path, row: int, region: str) -> tuple[str, SenmlRecord]:
    try:
        t_us = parse_rfc3339(fields["time_utc"])
    except (TypeError, ValueError) as error:
        raise BadInputError(str(error), file=file, row=row, field="time_utc") from None
    try:
        value = float(fields["value"])
    except (TypeError, ValueError):
        raise BadInputError(f"not a number: {fields['value']!r}", file=file, row=row, field="value") from None
    if not math.isfinite(value):
        raise BadInputError(f"not a finite number: {fields['value']!r}", file=file, row=row, field="value")
    station, slug = fields["station_id"], fields["property"]
    record = SenmlRecord(
        n=f"{region}/{station}/{slug}", u=fields["unit"], t=seconds(t_us), v=value, seq=row - 1
    )
    return topic(region, station, slug), record
