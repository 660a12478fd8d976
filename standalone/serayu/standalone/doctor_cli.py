"""``serayu doctor``: look whether everything is here that one machine needs."""

import importlib.util
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from serayu.models.command import emit, reported
from serayu.models.errors import SerayuError
from serayu.models.places import default_data_dir, default_region
from serayu.models.region import load_region
from serayu.models.stores.register import Register
from serayu.models.stores.register.database import sqlite_url
from serayu.models.times import US_PER_MINUTE, SystemClock, parse_rfc3339, rfc3339
from serayu.standalone.broker import free_port
from serayu.standalone.stack import held

app = typer.Typer()
NEEDED = ("fastapi", "influxdb_client", "iotcore", "paho", "sqlalchemy", "uvicorn")
DISK_NEEDED_BYTES = 2 * 2**30
DELIVERY_OVERDUE_US = 5 * US_PER_MINUTE  # as in the api's readiness
REGISTER_FILE = "register.sqlite"
PORTS = {1883: "broker", 8000: "pages"}
BUILT_US = parse_rfc3339("2026-01-01T00:00:00Z")  # a clock before this is wrong


class Finding(NamedTuple):
    """One thing looked at."""

    check: str
    ok: bool
    detail: str


@app.command()
@reported()
def doctor(
    region: Annotated[Path | None, typer.Option(help="folder wilayah · region folder")] = None,
    data: Annotated[Path | None, typer.Option(help="folder data · data folder")] = None,
    nowcasts: Annotated[
        Path | None,
        typer.Option(
            envvar="SERAYU_API_NOWCAST_PATH",
            show_envvar=False,
            help="folder berkas peringatan dini BMKG · folder of BMKG's nowcast files",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Periksa mesin ini; status 1 bila ada yang kurang · Look at this machine; status 1 if it lacks something."""
    findings = list(examine(region, data, nowcasts))
    lines = [
        f"{'ok   ' if finding.ok else 'GAGAL'}  {finding.check}: {finding.detail}" for finding in findings
    ]
    document = {"ok": all(finding.ok for finding in findings), "checks": [f._asdict() for f in findings]}
    emit(document, as_json=as_json, output=output, text="\n".join(lines))
    if not document["ok"]:
        raise typer.Exit(1)


def examine(region: Path | None, data: Path | None, nowcasts: Path | None = None) -> Iterator[Finding]:
    """Look at Python, packages, SQLite, clock, region, disk, nowcast files and ports."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), version)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    yield Finding("packages", not missing, f"missing: {', '.join(missing)}" if missing else "all there")
    yield Finding("sqlite", sqlite3.sqlite_version_info >= (3, 35), sqlite3.sqlite_version)
    now_us = SystemClock().now_us()
    yield Finding("clock", now_us > BUILT_US, rfc3339(now_us))
    yield _attempt("region", lambda: _describe_region(region))
    folder = data or default_data_dir("33.02")
    yield _disk(folder)
    yield _attempt_finding("delivery", lambda: _delivery(region, folder))
    yield _attempt_finding("flood models", lambda: _flood_models(region, folder))
    if nowcasts is not None:
        yield _nowcasts(nowcasts)
    runs = held(folder)
    for port, purpose in PORTS.items():
        yield _port(port, purpose, running_on=folder if runs else None)


def _port(port: int, purpose: str, *, running_on: Path | None) -> Finding:
    """Look whether a port is free; a Serayu that runs has its ports already, whoever holds the usual ones."""
    if free_port(port) == port:
        return Finding(f"port {port}", ok=True, detail=f"free for the {purpose}")
    if running_on is not None:
        return Finding(f"port {port}", ok=True, detail=f"in use; Serayu is running on {running_on}")
    return Finding(f"port {port}", ok=False, detail=f"taken; the {purpose} need another")


def _describe_region(region: Path | None) -> str:
    loaded = load_region(region or default_region())
    return f"{loaded.info.name} ({loaded.code}), {len(loaded.stations)} stations"


def _delivery(region: Path | None, folder: Path) -> Finding:
    """Say what waits to be delivered, and what nobody takes or a person has to look at."""
    file = folder / REGISTER_FILE
    if not file.exists():
        return Finding("delivery", ok=True, detail=f"no register at {file} yet")
    now_us = SystemClock().now_us()
    with Register(sqlite_url(file)) as register:
        code = load_region(region or default_region()).code
        backlog = register.delivery_backlog(code, rules_us=now_us, now_us=now_us)
    found = f"{backlog.waiting} waiting, {backlog.dead} dead letters in force (serayu recipients log --state dead)"
    overdue_us = backlog.overdue_us or 0
    if overdue_us > DELIVERY_OVERDUE_US:
        found += f"; the oldest has been due for {overdue_us // US_PER_MINUTE} min: does ingest run?"
    return Finding("delivery", overdue_us <= DELIVERY_OVERDUE_US and backlog.dead == 0, found)


def _flood_models(region: Path | None, folder: Path) -> Finding:
    """Name the models that ingest refuses: alerts by threshold go on, those posts are not forecast."""
    from serayu.models.flood.shelf import model_files, read_card, refusal  # noqa: PLC0415 -- only here

    posts, now_us = load_region(region or default_region()).stations, SystemClock().now_us()
    good, refused = [], []
    for station, file in model_files(folder):
        if station not in posts:
            refused.append(f"{station}: no such station")
            continue
        try:
            reason = refusal(read_card(file), posts[station], now_us=now_us)
        except SerayuError as error:
            reason = str(error)
        if reason is None:
            good.append(station)
        else:
            refused.append(f"{station}: {reason}")
    found = f"{len(good)} fitted" if good or refused else "none fitted (serayu flood fit)"
    return Finding("flood models", not refused, "; ".join([found, *refused]))


def _nowcasts(place: Path) -> Finding:
    """Name the files that cannot be read; alerts and maps go on without them."""
    from serayu.models.cap.folder import read_folder  # noqa: PLC0415 -- lxml: only where nowcasts are used

    folder = read_folder(place)
    refused = "; ".join(f"{name}: {reason}" for name, reason in sorted(folder.refused.items()))
    found = f"{len(folder.alerts)} alerts of BMKG in {folder.files} files"
    if folder.not_here:
        found += f"; in its list and not here: {', '.join(folder.not_here)}"
    return Finding("nowcasts", not refused, f"{found}; not readable: {refused}" if refused else found)


def _attempt(check: str, look: Callable[[], str]) -> Finding:
    return _attempt_finding(check, lambda: Finding(check, ok=True, detail=look()))


def _attempt_finding(check: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except SerayuError as error:
        return Finding(check, ok=False, detail=str(error))


def _disk(folder: Path) -> Finding:
    existing = next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists())
    free = shutil.disk_usage(existing).free
    return Finding("disk", free >= DISK_NEEDED_BYTES, f"{free / 2**30:.1f} GiB free at {existing}")
