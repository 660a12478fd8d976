"""``serayu up``: everything on one machine."""

import signal
import threading
from pathlib import Path
from typing import Annotated, Literal

import typer

from serayu.models.command import reported
from serayu.models.places import default_data_dir, default_region
from serayu.models.region import load_region
from serayu.standalone.stack import StackOptions, running_stack

app = typer.Typer()
KEEP_UP_EVERY_S = 1.0


@app.command()
@reported()
def up(
    region: Annotated[Path | None, typer.Option(help="folder wilayah · region folder")] = None,
    data: Annotated[Path | None, typer.Option(help="folder data · data folder")] = None,
    broker: Annotated[
        str | None, typer.Option(help="mqtt://…; tanpa ini broker bawaan · else the embedded one")
    ] = None,
    broker_port: Annotated[int, typer.Option(help="port broker bawaan · port of the embedded broker")] = 1883,
    host: Annotated[str, typer.Option(help="alamat halaman · address of the pages")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port halaman · port of the pages")] = 8000,
    clock: Annotated[Literal["system", "replay"], typer.Option(help="jam · clock")] = "system",
) -> None:
    """Jalankan broker, ingest, dan API sampai ctrl-C · Run broker, ingest and API until ctrl-C."""
    folder = region or default_region()
    info = load_region(folder).info
    options = StackOptions(
        region=folder,
        data_dir=data or default_data_dir(info.code),
        broker_url=broker,
        broker_port=broker_port,
        api_host=host,
        api_port=port,
        clock=clock,
    )
    options.data_dir.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    typer.echo(f"Serayu: {info.name} ({info.code}) …", err=True)
    with running_stack(options) as tree:
        announce(options)
        while not ended.wait(KEEP_UP_EVERY_S):
            tree.keep_up()
        typer.echo("Berhenti · Stopping …", err=True)


def announce(options: StackOptions) -> None:
    """Say where to look."""
    lines = [
        f"Peta · Map      {options.page}",
        f"API             {options.page}api/v1/stations   (OpenAPI: {options.page}api/v1/openapi.json)",
        f"Broker          {options.broker}",
        f"Data            {options.data_dir.resolve()}   (kunci · keys: keys.json, log: logs/)",
        "Ctrl-C untuk berhenti · to stop",
    ]
    typer.echo("\n".join(lines), err=True)
