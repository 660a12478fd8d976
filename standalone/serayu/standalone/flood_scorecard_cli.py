"""``serayu flood scorecard``: how good the warnings were that people really got."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from serayu.models.command import emit, reported, time_option
from serayu.models.errors import BadInputError
from serayu.models.places import default_data_dir, default_region
from serayu.models.region import load_region
from serayu.models.siaga_levels import Siaga
from serayu.models.times import SystemClock, parse_rfc3339


class _Line(msgspec.Struct, frozen=True):
    """A record in the document of a replay."""

    station: str
    level: Siaga
    outcome: str
    alert: str | None
    issued: str | None
    crossing: str | None


class _Card(msgspec.Struct, frozen=True):
    since: str
    until: str
    records: list[_Line]


class _Named(msgspec.Struct, frozen=True):
    name: str


class _Replayed(msgspec.Struct, frozen=True):
    """What is read of a replay's document."""

    stations: dict[str, _Named]
    scorecard: _Card


@reported()
def scorecard(
    data: Annotated[
        Path | None, typer.Option(help="folder data dengan hot.sqlite · data folder of a running system")
    ] = None,
    region: Annotated[Path | None, typer.Option(help="folder wilayah · region folder")] = None,
    register_url: Annotated[
        str | None,
        typer.Option(
            "--register",
            envvar="SERAYU_API_REGISTER_URL",
            show_envvar=False,
            help="alamat register; baku: register.sqlite di folder data · register, by default in the data folder",
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(help="awal, RFC 3339 · begin")] = None,
    until: Annotated[str | None, typer.Option(help="akhir · end")] = None,
    replay: Annotated[
        Path | None, typer.Option(help="hasil serayu flood replay (JSON) · result of a replay instead")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Nilai peringatan: POD, FAR, CSI, tenggang waktu · Score the warnings: POD, FAR, CSI, lead times."""
    since_us = None if since is None else time_option(since, option="--since")
    until_us = None if until is None else time_option(until, option="--until")
    if replay is not None:
        if data is not None or register_url is not None or since is not None or until is not None:
            raise BadInputError("a replay has its own data and span", field="--replay")
        document = _of_replay(replay)
    else:
        document = _of_register(data, region, register_url, since_us, until_us)
    emit(document, as_json=as_json, output=output, text=_text(document))


def _of_register(
    data: Path | None, folder: Path | None, url: str | None, since_us: int | None, until_us: int | None
) -> dict[str, Any]:
    from serayu.models.flood.history import live_scorecard  # noqa: PLC0415 -- SQLAlchemy: only this command's
    from serayu.models.stores.hot import HotStore  # noqa: PLC0415
    from serayu.models.stores.register import Register  # noqa: PLC0415
    from serayu.models.stores.register.database import sqlite_url  # noqa: PLC0415

    known = load_region(folder or default_region())
    data = data or default_data_dir(known.code)
    files = [data / "hot.sqlite"] + ([] if url else [data / "register.sqlite"])
    for file in files:
        if not file.is_file():
            raise BadInputError("no such file; `serayu up` makes it, --data names another folder", file=file)
    until_us = SystemClock().now_us() if until_us is None else until_us
    with HotStore(files[0]) as store, Register(url or sqlite_url(data / "register.sqlite")) as register:
        return live_scorecard(register, store, known, since_us=since_us, until_us=until_us)


def _of_replay(file: Path) -> dict[str, Any]:
    from serayu.models.flood import scorecard as scores  # noqa: PLC0415 -- with numpy
    from serayu.models.flood.told import Outcome, Record  # noqa: PLC0415

    try:
        found = msgspec.json.decode(file.read_bytes(), type=_Replayed)
        records = [
            Record(
                one.station,
                one.level,
                Outcome(one.outcome),
                one.alert,
                None if one.issued is None else parse_rfc3339(one.issued),
                None if one.crossing is None else parse_rfc3339(one.crossing),
            )
            for one in found.scorecard.records
        ]
        since_us, until_us = (parse_rfc3339(one) for one in (found.scorecard.since, found.scorecard.until))
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except (msgspec.DecodeError, ValueError) as error:
        raise BadInputError(f"no result of a replay: {error}", file=file) from None
    return scores.scorecard_document(
        scores.scorecard(list(found.stations), records),
        names={name: one.name for name, one in found.stations.items()},
        since_us=since_us,
        until_us=until_us,
        source="replay",
    )


def _text(document: dict[str, Any]) -> str:
    """Return what people read: one line a level, of all posts together and of each post with events or warnings."""
    lines = [f"{document['since']} – {document['until']}"]
    rows = {"(semua pos · all posts)": document["together"]}
    rows |= {name: station["levels"] for name, station in document["stations"].items()}
    for name, levels in rows.items():
        known = {
            level: row for level, row in levels.items() if row["events"] or row["warnings"] or row["open"]
        }
        lines.append(name if known else f"{name}: belum ada kejadian · no events yet")
        lines += [
            f"  {level:<8} {row['events']} kejadian · events  H {row['hits']} M {row['misses']} "
            f"(terlambat · late {row['late']}) F {row['false_alarms']} (terlambat · late {row['late_ahead']})  "
            f"POD {_estimate(row['pod'])}  FAR {_estimate(row['far'])}  CSI {_estimate(row['csi'])}  "
            f"tenggang · lead {_estimate(row['lead_median_min'], 0)} min"
            for level, row in known.items()
        ]
    return "\n".join(lines)


def _estimate(one: dict[str, Any], digits: int = 2) -> str:
    if one["value"] is None:
        return "-"
    value = f"{one['value']:.{digits}f}"
    return value if one["low"] is None else f"{value} [{one['low']:.{digits}f}–{one['high']:.{digits}f}]"
