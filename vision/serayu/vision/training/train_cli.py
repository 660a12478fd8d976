"""``serayu vision train``: repeat a training, or begin one."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from serayu.models.command import emit, reported
from serayu.vision.training.learn import Places, learn
from serayu.vision.training.record import Record

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
@reported()
def train(
    config: Annotated[Path, typer.Argument(help="TOML, atau nama bawaan · a file, or a shipped name: road")],
    data: Annotated[
        Path,
        typer.Option(envvar="SERAYU_TRAINING_DATA", help="Folder data latih · Folder of the training data"),
    ],
    start: Annotated[
        Path | None, typer.Option(envvar="SERAYU_TRAINING_START", help="Bobot awal (.pt) · Start weights")
    ] = None,
    runs: Annotated[
        Path, typer.Option(envvar="SERAYU_TRAINING_RUNS", help="Folder hasil · Folder of runs")
    ] = Path("runs"),
    name: Annotated[str | None, typer.Option(help="Nama run; bawaan: nama TOML · Name of the run")] = None,
    resume: Annotated[bool, typer.Option(help="Lanjutkan bila terputus · Go on after a kill")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Benang; bawaan semua inti · Threads")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Catatan sebagai JSON · The record as JSON")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Tulis catatan ke berkas · Write the record here")
    ] = None,
) -> None:
    """Latih detektor dari satu TOML · Train a detector from one TOML file."""
    places = Places(data=data, start=start, run=runs / (name or config.stem))
    # The libraries report on stdout, which belongs to the one JSON document.
    with contextlib.redirect_stdout(sys.stderr):
        record = learn(config, places, resume=resume, threads=threads)
    emit(record, as_json=as_json, output=output, text=_text(record, places))


def _text(record: Record, places: Places) -> str:
    """Return what people read."""
    best = record.best
    lines = [f"{record.name}: {record.done}/{record.epochs} epoch, {record.seconds / 3600:.2f} h"]
    if best is not None:
        scores = ", ".join(f"{name} {one.map50:.3f}" for name, one in best.judges.items())
        lines.append(f"terbaik · best: epoch {best.epoch}, mAP50 {scores}")
    return "\n".join([*lines, f"bobot · weights: {places.best}"])
