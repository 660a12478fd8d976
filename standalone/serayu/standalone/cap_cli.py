"""``serayu cap check FILE…``: whether alerts are safe to read and valid CAP 1.2."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from serayu.models.cap.check import CapReport, check_cap
from serayu.models.cap.safe import MAX_BYTES
from serayu.models.command import emit, reported
from serayu.models.errors import BadInputError

INVALID = 1
"""Exit status when a file is not valid."""

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Periksa pesan CAP · Check CAP alerts",
)


class FileReport(msgspec.Struct, frozen=True):
    """One file and what was found out about it."""

    file: str
    report: CapReport


@app.callback()
def _cap() -> None:
    """Periksa pesan CAP · Check CAP alerts."""


@app.command("check")
@reported()
def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="berkas CAP, Atom, RSS, EDXL-DE · files")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[
        Path | None, typer.Option(help="tulis dokumen ke berkas · write the document to a file")
    ] = None,
    max_bytes: Annotated[
        int, typer.Option(min=1, help="ukuran terbesar yang dibaca · largest size read")
    ] = MAX_BYTES,
) -> None:
    """Nilai berkas: jenis, keamanan, skema CAP 1.2 dan aturannya · Judge files: kind, safety, CAP 1.2 schema and rules.

    Status 0: semua sah · all valid; 1: ada yang tidak sah · some are not; 2: salah pakai · bad usage.
    """
    reports = [
        FileReport(str(file), check_cap(_read(file, max_bytes), max_bytes=max_bytes)) for file in files
    ]
    document = {
        "files": [{"file": one.file, **msgspec.structs.asdict(one.report)} for one in reports],
        "valid": sum(one.report.valid for one in reports),
        "invalid": sum(not one.report.valid for one in reports),
        "malicious": sum(one.report.malicious for one in reports),
    }
    emit(document, as_json=as_json, output=output, text="\n".join(_lines(reports)))
    if not all(one.report.valid for one in reports):
        raise typer.Exit(INVALID)


def _read(file: Path, max_bytes: int) -> bytes:
    """Read a file, at most one byte more than is judged."""
    try:
        with file.open("rb") as stream:
            return stream.read(max_bytes + 1)
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None


def _lines(reports: list[FileReport]) -> list[str]:
    lines = []
    for one in reports:
        lines.append(f"{one.file}: {one.report.verdict.value} ({one.report.kind})")
        lines += [
            f"  {problem.severity.value} {problem.code} {problem.path}: {problem.message}"
            for problem in one.report.problems
        ]
    return lines
