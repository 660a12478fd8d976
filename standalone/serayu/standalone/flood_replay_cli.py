"""``serayu flood replay``: a stored or given period through the live rules, delivered to nobody."""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
import typer

from serayu.models.command import emit, reported, time_option
from serayu.models.errors import BadInputError
from serayu.models.places import default_data_dir, default_region
from serayu.models.region import Region, load_limits, load_region
from serayu.models.times import US_PER_DAY, US_PER_HOUR, SystemClock

WARM_UP_H = 24.0
"""What the rules remember of the past does not reach farther: a level lapses after a day [project proposal]."""
_SHM = Path("/dev/shm")  # noqa: S108 -- memory on Linux: a replay commits thousands of times
_MOST_DAYS = 36500
_NEEDED = (
    ". Needed: stage with alert < alarm < critical in the table, or --region with stations of those names; "
    "flow can be judged by serayu flood backtest"
)


@reported()
def replay(
    data: Annotated[
        Path | None, typer.Option(help="folder data dengan hot.sqlite · data folder of a running system")
    ] = None,
    since: Annotated[str | None, typer.Option(help="awal, RFC 3339 · begin")] = None,
    until: Annotated[str | None, typer.Option(help="akhir · end")] = None,
    region: Annotated[
        Path | None,
        typer.Option(help="folder wilayah: batas dan aturannya · region folder: limits and rules"),
    ] = None,
    stations: Annotated[Path | None, typer.Option(help="tabel pos (CSV) · table of stations")] = None,
    series: Annotated[
        list[Path] | None, typer.Option(help="data rapi CSV, boleh berulang · tidy series, may be repeated")
    ] = None,
    upstream: Annotated[
        Path | None, typer.Option(help="TOML: pos hulu dan penakar hujan · posts upstream and rain gauges")
    ] = None,
    thresholds: Annotated[
        Path | None,
        typer.Option(
            help="andaikan batasnya begini (bentuk thresholds.toml) · what if the limits were these"
        ),
    ] = None,
    clock: Annotated[
        str, typer.Option(help="auto, system, replay: jam saat itu · the clock that the period was lived on")
    ] = "auto",
    warm_up_h: Annotated[
        float, typer.Option(min=0.0, help="jam pemanasan sebelum awal · hours run before the begin")
    ] = WARM_UP_H,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Putar ulang lewat aturan yang berlaku · Run a period again through the live rules; nothing is delivered."""
    if clock not in {"auto", "system", "replay"}:
        raise BadInputError(f"expected auto, system or replay, not {clock!r}", field="--clock")
    span = (
        0 if since is None else time_option(since, option="--since"),
        _MOST_DAYS * US_PER_DAY if until is None else time_option(until, option="--until"),
    )
    warm_us = round(warm_up_h * US_PER_HOUR)
    if data is not None and stations is not None:
        raise BadInputError("either stored values or given ones, not both", field="--data, --stations")
    if series and stations is None:
        raise BadInputError("--series needs --stations", field="--stations")
    if stations is not None:
        if not series:
            raise BadInputError("--stations needs --series", field="--series")
        document = _given(stations, series, region, upstream, thresholds, span, warm_us)
    else:
        document = _stored(data, region, thresholds, span, warm_us, clock)
    emit(document, as_json=as_json, output=output, text=_text(document))


def _stored(
    data: Path | None,
    folder: Path | None,
    what_if: Path | None,
    span: tuple[int, int],
    warm_us: int,
    clock: str,
) -> dict[str, Any]:
    """Replay what a data folder holds."""
    from serayu.models.stores.hot import HotStore  # noqa: PLC0415 -- only this command's, and only now
    from serayu.standalone.replay.arrivals import batches_of_stored, mode_of, stored  # noqa: PLC0415
    from serayu.standalone.replay.document import replay_document  # noqa: PLC0415
    from serayu.standalone.replay.engine import Replay  # noqa: PLC0415

    known = load_region(folder or default_region())
    data = data or default_data_dir(known.code)
    file = data / "hot.sqlite"
    if not file.is_file():
        raise BadInputError("no such file", file=file)
    known = _what_if(known, what_if)
    with HotStore(file) as store:
        found = stored(store, known, span[0] - warm_us, span[1])
    if not found:
        raise BadInputError("nothing is stored for that period", file=file)
    first_us, last_us = (pick(one.t_us for one in found) for pick in (min, max))
    mode = mode_of(found) if clock == "auto" else ("system" if clock == "system" else "replay")
    since_us, until_us = max(span[0], first_us), min(span[1], last_us + 1, SystemClock().now_us())
    models = partial(_live, known, data, first_us)
    with _scratch() as folder_, Replay(known, folder_, mode=mode, forecasts=models) as run:
        run.run(batches_of_stored(found), until_us=until_us if mode == "system" else None)
        document = replay_document(run, known, since_us=since_us, until_us=until_us)
    return _named(document, what_if, clock=mode, source="stored")


def _live(region: Region, data: Path, first_us: int, store: Any) -> Any:  # noqa: ANN401 -- imported only now
    """Return the forecasts of the models that the data folder has, as the live system makes them.

    They look back three weeks: what lies before the replay's first value is read where it is stored.
    """
    from serayu.models.flood.live import LiveForecasts  # noqa: PLC0415 -- only this command's, and only now
    from serayu.standalone.replay.past import WithPast  # noqa: PLC0415

    return LiveForecasts(region, WithPast(store, data / "hot.sqlite", first_us=first_us), data)


def _given(
    table: Path,
    files: list[Path],
    folder: Path | None,
    upstream: Path | None,
    what_if: Path | None,
    span: tuple[int, int],
    warm_us: int,
) -> dict[str, Any]:
    """Replay given series."""
    from serayu.models.flood.links import read_links  # noqa: PLC0415 -- only this command's, and only now
    from serayu.models.flood.series import read_series, read_stations  # noqa: PLC0415
    from serayu.standalone.replay.arrivals import batches_of_given  # noqa: PLC0415
    from serayu.standalone.replay.document import replay_document  # noqa: PLC0415
    from serayu.standalone.replay.engine import Replay  # noqa: PLC0415
    from serayu.standalone.replay.given import cut, of_region, of_tables, read_positions  # noqa: PLC0415

    infos = read_stations(table)
    values = read_series(files, infos)
    if folder is not None:
        given = of_region(load_region(folder), infos, values)
    else:
        links = {} if upstream is None else read_links(upstream, infos)
        given = of_tables(infos, values, links, read_positions(table), file=table)
    known = _what_if(given.region, what_if)
    kept = cut(given.series, span[0] - warm_us, span[1])
    if not kept:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in given.skipped.items())
        raise BadInputError(
            f"nothing to replay: {reasons or 'no values in that period'}{_NEEDED}", file=table
        )
    if not any(key.property == "stage" for key in kept):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in given.skipped.items())
        raise BadInputError(f"no river post to replay: {reasons or 'only rain'}{_NEEDED}", file=table)
    first_us = min(int(one.time_us[0]) for one in kept.values())
    last_us = max(int(one.time_us[-1]) for one in kept.values())
    since_us, until_us = max(span[0], first_us), min(span[1], last_us + 1)
    with _scratch() as scratch, Replay(known, scratch) as run:
        run.run(batches_of_given(kept), until_us=until_us)
        document = replay_document(run, known, since_us=since_us, until_us=until_us, ids=given.ids)
    skipped = [{"station": name, "reason": reason} for name, reason in given.skipped.items()]
    return {**_named(document, what_if, clock="system", source="given"), "skipped": skipped}


def _named(document: dict[str, Any], what_if: Path | None, **more: str) -> dict[str, Any]:
    return {**more, "thresholds": None if what_if is None else what_if.name, **document}


def _what_if(region: Region, file: Path | None) -> Region:
    """Return the region with other limits; posts that the file does not name keep theirs."""
    if file is None:
        return region
    if not file.is_file():
        raise BadInputError("no such file", file=file)
    stations = dict(region.stations)
    for name, post in load_limits(file).items():
        if name not in stations:
            raise BadInputError(f"station {name!r} is not replayed", file=file, field=f"post.{name}")
        if post.limits is not None:
            stations[name] = msgspec.structs.replace(
                stations[name], thresholds=post.limits, siaga=post.settings
            )
    return msgspec.structs.replace(region, stations=MappingProxyType(stations))


@contextmanager
def _scratch() -> Iterator[Path]:
    """Lend an empty folder for the replay's stores, in memory where there is such a place; warn of nothing meanwhile.

    What the rules log about sensors and posts is told for people on duty now, not about the past.
    """
    place = _SHM if _SHM.is_dir() else None
    ours = logging.getLogger("serayu")
    level = ours.level
    ours.setLevel(logging.ERROR)
    try:
        with tempfile.TemporaryDirectory(prefix="serayu-replay-", dir=place) as folder:
            yield Path(folder)
    finally:
        ours.setLevel(level)


def _text(document: Mapping[str, Any]) -> str:
    """Return what people read: what was said at each post, and when the river passed the limits."""
    readings = document["readings"]
    lines = [
        f"{document['since']} – {document['until']}  {document['source']}, clock {document['clock']}",
        (
            f"{readings['stored']} nilai · values, {readings['late']} terlambat · late, "
            f"{readings['rejected']} ditolak · rejected"
        ),
    ]
    for name, station in document["stations"].items():
        counts = {level: number for level, number in station["counts"]["events"].items() if number}
        lines.append(f"{name}: kejadian · events {counts or 0}")
        for one in station["bulletins"]:
            lead = "" if one["lead_min"] is None else f"  {one['lead_min']:+.0f} min"
            lines.append(f"  {one['sent']}  {one['type']:<6} {one['level']:<8} {one['reason']}{lead}")
    lines += [f"{one['station']}: {one['reason']}" for one in document.get("skipped", ())]
    return "\n".join(lines)
