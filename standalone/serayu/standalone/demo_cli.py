"""``serayu demo``: see the whole chain work."""

import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Annotated

import typer

from serayu.edge.fleet import FleetStatus
from serayu.models.command import emit, reported
from serayu.models.places import default_region
from serayu.standalone.broker import free_port
from serayu.standalone.demo import Demo, DemoOptions, DemoResult
from serayu.standalone.drill import result as drill
from serayu.standalone.drone import surveyed
from serayu.standalone.stack import StackOptions
from serayu.standalone.up_cli import KEEP_UP_EVERY_S, announce

app = typer.Typer()
NOTICE = "PERAGAAN – badai buatan, bukan keadaan sungai sebenarnya · DEMONSTRATION – an invented storm"


@app.command()
@reported()
def demo(
    region: Annotated[Path | None, typer.Option(help="folder wilayah · region folder")] = None,
    data: Annotated[
        Path | None, typer.Option(help="folder data, DIKOSONGKAN · data folder, EMPTIED first")
    ] = None,
    hours: Annotated[float, typer.Option(help="jam badai · hours of storm", min=1)] = 24.0,
    speed: Annotated[float, typer.Option(help="percepatan · simulated seconds in a second", min=1)] = 1200.0,
    seed: Annotated[int, typer.Option(help="badai yang mana · which storm")] = 1,
    host: Annotated[str, typer.Option(help="alamat halaman · address of the pages")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="port halaman · port of the pages; 8000")] = None,
    exit_when_done: Annotated[
        bool, typer.Option("--exit-when-done", help="selesai lalu keluar · end after the storm")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Mainkan badai buatan lewat seluruh rantai · Play a made-up storm through the whole chain."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with tempfile.TemporaryDirectory(prefix="serayu-demo-", ignore_cleanup_errors=True) as scratch:
        options = StackOptions(
            region=region or default_region(),
            data_dir=data or Path(scratch) / "data",
            broker_port=free_port(),
            api_host=host,
            api_port=port or free_port(8000),
            notice=NOTICE,
            clock="replay",
        )
        run = Demo(DemoOptions(options, hours=hours, speed=speed, seed=seed))
        with run.running() as tree:
            announce(options)
            result = run.play(tree, progress=_show, ended=ended)
            if result is None:
                typer.echo("dihentikan · stopped", err=True)
                raise typer.Exit(1)
            emit(result, as_json=as_json, output=output, text=_summary(result))
            while not exit_when_done and not ended.wait(KEEP_UP_EVERY_S):
                tree.keep_up()
            if run.failed:
                raise typer.Exit(1)


def _show(status: FleetStatus, passed: float) -> None:
    if sys.stderr.isatty():
        counts = f"diterima · accepted {status.accepted:,}   tersimpan · committed {status.confirmed:,}"
        text = f"badai · storm {passed:4.0%}   {counts}"
        sys.stderr.write(f"\r\x1b[K{text}" + ("\n" if status.finished else ""))
        sys.stderr.flush()


def _summary(result: DemoResult) -> str:
    worst = {station: [str(one["to"]) for one in changes] for station, changes in result.alerts.items()}
    fate = (
        f"Terkirim · published {result.published:,}; tersimpan · stored {result.stored:,}; "
        f"hilang · lost {result.lost}; ganda · duplicates {result.duplicates}"
    )
    lines = [
        fate,
        *(f"  {station}: {' → '.join(['normal', *levels])}" for station, levels in sorted(worst.items())),
        f"{result.wall_s} s, {result.speedup}× waktu nyata · real time",
        *(() if result.warnings is None else drill.lines_of(result.warnings)),
        *surveyed.lines_of(result.survey, result.survey_absent),
    ]
    return "\n".join(lines)
