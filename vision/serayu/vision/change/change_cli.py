"""``serayu vision change BEFORE AFTER``: what became of defects between two surveys."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from serayu.models.command import emit, reported, write_atomically
from serayu.vision.change.compare import ChangeReport, change_features, compare
from serayu.vision.change.folder import read_surveyed
from serayu.vision.change.lines import change_lines

__all__ = ["app"]

app = typer.Typer()


@app.command()
@reported()
def change(
    before: Annotated[
        Path, typer.Argument(help="folder hasil survei terdahulu · output of the earlier survey")
    ],
    after: Annotated[Path, typer.Argument(help="folder hasil survei terbaru · output of the later survey")],
    geojson: Annotated[
        Path | None, typer.Option(help="tulis peta perubahan · write the map, GeoJSON")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Perubahan antara dua survei · What grew, is new, gone or repaired between two surveys."""
    report = compare(read_surveyed(before), read_surveyed(after))
    if geojson is not None:
        write_atomically(geojson, _collection(report))
    emit(report, as_json=as_json, output=output, text=_text(report))


def _collection(report: ChangeReport) -> bytes:
    lines = b",\n".join(msgspec.json.encode(one) for one in change_features(report))
    return b'{"type": "FeatureCollection", "features": [\n' + lines + b"\n]}\n"


def _text(report: ChangeReport) -> str:
    names = (
        f"{report.before.survey} ({report.before.findings}) → {report.after.survey} ({report.after.findings})"
    )
    days = "" if report.days is None else f", {report.days:g} hari · days"
    both = zip(report.texts["id"], report.texts["en"], strict=True)
    counts = (f"{one} · {other}" for one, other in both)
    return "\n".join([names + days, *counts, *change_lines(report.changes)])
