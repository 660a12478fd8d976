"""``serayu edge``: run one agent, simulate a region's stations, replay a file through agents, look at an outbox."""

import logging
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from serayu.edge.agent import OUTBOX_FILE, run_file
from serayu.edge.config import PASSWORD_VARIABLE
from serayu.edge.fleet import Fleet, FleetStatus
from serayu.edge.progress import read_progress
from serayu.edge.simulation import Split, broker_config, replay_configs, simulated_configs, split_series
from serayu.edge.siren import COMMAND_FILE, SirenCommand
from serayu.models.broker_url import BrokerUrl
from serayu.models.command import emit, reported, write_atomically
from serayu.models.errors import BadInputError
from serayu.models.region import load_region
from serayu.models.times import US_PER_S

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Agen di stasiun. The agent on a station.")

_POLL_S = 0.25
NOBODY_S = 30.0  # without a broker, and nothing confirmed ever
_START_S = 0.25  # of one agent, on one core: agents in step start together once all of them run
DEFAULT_BROKER = "mqtt://127.0.0.1:1883"

Broker = Annotated[
    str,
    typer.Option("--broker", envvar="SERAYU_EDGE_BROKER_URL", help="mqtt[s]://[user[:password]@]host[:port]"),
]
RegionFolder = Annotated[Path, typer.Option("--region", help="Folder of the region.")]
Work = Annotated[
    Path | None,
    typer.Option(
        "--work", help="Folder for the agents' state; an interrupted run goes on from it. Default: temporary."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Output = Annotated[Path | None, typer.Option("--output", help="File that gets the JSON document.")]


class RunReport(msgspec.Struct, frozen=True):
    """What a fleet did: stations, rows of the file (None: no file), and what became of the readings."""

    stations: int
    rows: int | None
    skipped: int
    accepted: int
    confirmed: int
    rejected: int
    dropped: int
    pending: int
    restarts: int
    wall_s: float


@app.command()
@reported()
def run(
    *,
    config: Annotated[Path, typer.Option("--config", help="TOML file of the station.")],
) -> None:
    """Run the agent of one station until SIGTERM."""
    raise typer.Exit(run_file(config))


@app.command()
@reported()
def simulate(
    *,
    region: RegionFolder,
    broker: Broker = DEFAULT_BROKER,
    hours: Annotated[
        float | None, typer.Option(min=0.0, help="End after so many hours. Default: ctrl-C.")
    ] = None,
    interval_s: Annotated[float | None, typer.Option(min=0.01, help="Seconds between readings.")] = None,
    seed: int = 0,
    work: Work = None,
    as_json: AsJson = False,
    output: Output = None,
) -> None:
    """Run an agent with invented values for every station of a region."""
    url = BrokerUrl.parse(broker)
    place = load_region(region)
    end_s = None if hours is None else hours * 3600
    with _work_folder(work) as folder:
        configs = simulated_configs(
            place, broker=broker_config(url), folder=folder, interval_s=interval_s, seed=seed
        )
        fleet = Fleet(configs, folder=folder, environment=_environment(url))
        begin_s = time.monotonic()
        status = _watch(fleet, until=lambda _: end_s is not None and time.monotonic() - begin_s >= end_s)
        report = _report(fleet, status, split=None, wall_s=time.monotonic() - begin_s)
    emit(report, as_json=as_json, output=output)


@app.command()
@reported()
def replay(
    *,
    region: RegionFolder,
    series: Annotated[Path, typer.Option("--series", help="CSV: station_id,time_utc,value,unit[,flag].")],
    speed: Annotated[str, typer.Option(help="max, or seconds of the file in one second.")] = "max",
    broker: Broker = DEFAULT_BROKER,
    property_slug: Annotated[
        str | None, typer.Option("--property", help="Of every row. Default: by the unit.")
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=1.0, help="Give up after so many seconds.")
    ] = 3600.0,
    work: Work = None,
    as_json: AsJson = False,
    output: Output = None,
) -> None:
    """Send a file's readings through one agent a station; ends when ingest has confirmed or rejected all of them."""
    url = BrokerUrl.parse(broker)
    pace = _speed(speed)
    place = load_region(region)
    with _work_folder(work) as folder:
        split = split_series(series, region=place, folder=folder / "series", property_slug=property_slug)
        starts_us = time.time_ns() // 1000 + round(len(split.files) * _START_S * US_PER_S)
        configs = replay_configs(
            split,
            region=place,
            broker=broker_config(url),
            folder=folder,
            speed=pace,
            anchor_wall_us=starts_us,
        )
        fleet = Fleet(configs, folder=folder, environment=_environment(url))
        begin_s = time.monotonic()
        reachable = _listens(url)
        if not reachable:
            typer.echo(f"belum ada broker di · no broker yet at {url}; mencoba terus · trying on", err=True)

        def over(state: FleetStatus) -> bool:
            waited_s = time.monotonic() - begin_s
            nobody = waited_s >= NOBODY_S and state.confirmed + state.rejected == 0 and not _listens(url)
            return state.finished or waited_s >= timeout_s or nobody

        status = _watch(
            fleet,
            until=over,
            total=split.rows - split.skipped,
        )
        report = _report(fleet, status, split=split, wall_s=time.monotonic() - begin_s)
    emit(report, as_json=as_json, output=output)
    if not status.finished:
        waited_s = round(report.wall_s)
        typer.echo(f"error: {status.pending} readings are still unconfirmed after {waited_s} s", err=True)
        raise typer.Exit(1)
    if status.rejected:
        typer.echo(
            f"error: {status.rejected} readings were rejected; why: serayu ingest dead-letters list", err=True
        )
        raise typer.Exit(1)


@app.command()
@reported()
def status(
    *,
    state: Annotated[Path, typer.Option("--state", help="State folder of an agent.")],
    as_json: AsJson = False,
    output: Output = None,
) -> None:
    """Show what became of the readings of one outbox."""
    file = state / OUTBOX_FILE
    if not file.exists():
        raise BadInputError("no outbox there", file=file)
    emit(read_progress(file), as_json=as_json, output=output)


@app.command()
@reported()
def siren(
    *,
    action: Annotated[
        Literal["silence", "test"], typer.Argument(help="silence, or a short test of the relay.")
    ],
    state: Annotated[Path, typer.Option("--state", help="State folder of an agent with a siren.")],
    seconds: Annotated[float, typer.Option(min=0.0, max=86_400.0, help="How long; silence for 0 ends it.")],
) -> None:
    """Silence the siren of the agent that works in a folder, or try its relay (10 s at most)."""
    if not (state / OUTBOX_FILE).exists():
        raise BadInputError("no agent works there", file=state)
    write_atomically(state / COMMAND_FILE, msgspec.json.encode(SirenCommand(action, seconds)))


def _listens(url: BrokerUrl) -> bool:
    try:
        with socket.create_connection((url.host, url.port), timeout=1.0):
            return True
    except OSError:
        return False


def _watch(fleet: Fleet, *, until: Callable[[FleetStatus], bool], total: int | None = None) -> FleetStatus:
    """Run a fleet until a condition or ctrl-C; shows the progress on a terminal."""
    shown = sys.stderr.isatty()
    with fleet:
        try:
            while True:
                state = fleet.poll()
                if state.failed:
                    station, line = next(iter(state.failed.items()))
                    raise BadInputError(f"agent {station}: {line}")
                if shown:
                    done = state.confirmed + state.rejected
                    of = "" if total is None else f"/{total}"
                    typer.echo(f"\r{done}{of} confirmed, {state.pending} waiting ", err=True, nl=False)
                if until(state):
                    break
                time.sleep(_POLL_S)
        except KeyboardInterrupt:
            logging.getLogger(__name__).info("stopped")
        finally:
            if shown:
                typer.echo("", err=True)
    return fleet.poll() if not state.finished else state


def _report(fleet: Fleet, state: FleetStatus, *, split: Split | None, wall_s: float) -> RunReport:
    return RunReport(
        stations=len(fleet.stations),
        rows=split.rows if split else None,
        skipped=split.skipped if split else 0,
        accepted=state.accepted,
        confirmed=state.confirmed,
        rejected=state.rejected,
        dropped=state.dropped,
        pending=state.pending,
        restarts=state.restarts,
        wall_s=round(wall_s, 3),
    )


def _speed(text: str) -> float | Literal["max"]:
    if text == "max":
        return "max"
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise BadInputError(f"expected max or a number above 0, not {text!r}", field="--speed")
    return speed


def _environment(url: BrokerUrl) -> Mapping[str, str]:
    return {PASSWORD_VARIABLE: url.password} if url.password else {}


@contextmanager
def _work_folder(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="serayu-fleet-") as name:
        yield Path(name)
