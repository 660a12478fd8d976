"""``serayu backup`` and ``serayu restore``: the data folder in one archive, consistent while Serayu runs."""

import hashlib
import json
import os
import re
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from serayu.models.command import emit, reported
from serayu.models.errors import BadInputError, ConflictError
from serayu.models.stores.survey_files import FOLDER
from serayu.models.survey.bundle import CROPS
from serayu.models.times import SystemClock, rfc3339

backup = typer.Typer()
restore = typer.Typer()
DATABASES = ("hot.sqlite", "register.sqlite")
SECRETS = ("keys.json", "delivery.key", "gateway.key")
PICTURE = re.compile(rf"{FOLDER}(/[A-Za-z0-9][A-Za-z0-9._-]*){{2}}/{CROPS}/[0-9a-f-]+\.jpg")
"""A picture of a published survey: nothing else of that folder is kept."""
MANIFEST = "manifest.json"

JsonOption = Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")]
OutputOption = Annotated[
    Path | None, typer.Option(help="tulis dokumen ke berkas · write the document to a file")
]


@backup.command()
@reported()
def backup_command(
    archive: Path,
    data: Annotated[Path, typer.Option(help="folder data · data folder")],
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Cadangkan ke satu berkas .tar.gz; boleh sambil berjalan · Back up into one archive, also while it runs."""
    document = back_up(data, archive)
    emit(document, as_json=as_json, output=output, text=f"{archive}: {len(document['files'])} berkas · files")  # type: ignore[arg-type]


@restore.command()
@reported()
def restore_command(
    archive: Path,
    data: Annotated[Path, typer.Option(help="folder data baru atau kosong · new or empty data folder")],
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Pulihkan ke folder kosong · Restore into an empty folder."""
    document = restore_from(archive, data)
    emit(document, as_json=as_json, output=output, text=f"{data}: {len(document['files'])} berkas · files")  # type: ignore[arg-type]


def back_up(data: Path, archive: Path) -> dict[str, object]:
    """Write databases (by SQLite's online backup), keys and pictures of surveys of a data folder into an archive.

    The register is copied before the pictures are listed: they are placed before their survey can be seen and never
    change, so that no survey of the copy lacks them.

    Raises
    ------
    BadInputError
        There is nothing to back up.
    """
    if not (data / DATABASES[0]).exists():
        raise BadInputError(f"no {DATABASES[0]} here", file=data)
    with tempfile.TemporaryDirectory(dir=archive.resolve().parent) as scratch:
        folder = Path(scratch)
        for name in DATABASES:
            if (data / name).exists():
                _copy_database(data / name, folder / name)
        for name in SECRETS:
            if (data / name).exists():
                (folder / name).write_bytes((data / name).read_bytes())
        sources = {file.name: file for file in sorted(folder.iterdir())} | _pictures(data)
        files = {name: _digest(file) for name, file in sources.items()}
        document: dict[str, object] = {"made": rfc3339(SystemClock().now_us()), "files": files}
        (folder / MANIFEST).write_text(json.dumps(document), "utf-8")
        packed = folder / "archive"
        descriptor = os.open(packed, os.O_CREAT | os.O_WRONLY, 0o600)  # it holds keys
        with os.fdopen(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as tar:
            tar.add(folder / MANIFEST, arcname=MANIFEST)
            for name, file in sources.items():
                tar.add(file, arcname=name)
        packed.replace(archive)
    return document


def restore_from(archive: Path, data: Path) -> dict[str, object]:
    """Unpack an archive into a folder that holds no data yet, after checking every file in it.

    Raises
    ------
    BadInputError
        The archive is not one of ours or is damaged; nothing was written.
    ConflictError
        The folder already holds data.
    """
    if any((data / name).exists() for name in (*DATABASES, *SECRETS, FOLDER)):
        raise ConflictError(f"{data} already holds data; name an empty folder")
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data.resolve().parent) as scratch, _opened(archive) as tar:
        folder = Path(scratch)
        tar.extractall(folder, filter="data")
        try:
            document: dict[str, object] = json.loads((folder / MANIFEST).read_text("utf-8"))
            files = dict(document["files"])  # type: ignore[call-overload]
        except (OSError, ValueError, KeyError, TypeError):
            raise BadInputError("not a backup made by Serayu", file=archive) from None
        for name, digest in files.items():
            known = name in (*DATABASES, *SECRETS) or PICTURE.fullmatch(name)
            if not known or _digest(folder / name) != digest:
                raise BadInputError(f"{name} is damaged or unknown", file=archive)
        for name in files:
            (data / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).replace(data / name)
            if name in SECRETS:
                (data / name).chmod(0o600)
    return document


def _pictures(data: Path) -> dict[str, Path]:
    """Return the pictures of surveys by their names in the archive."""
    found = {
        file.relative_to(data).as_posix(): file for file in sorted((data / FOLDER).glob(f"*/*/{CROPS}/*.jpg"))
    }
    return {name: file for name, file in found.items() if PICTURE.fullmatch(name)}


def _copy_database(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live,
        closing(sqlite3.connect(target)) as copy,
    ):
        live.backup(copy)


def _digest(file: Path) -> str:
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            yield tar
    except (OSError, tarfile.TarError) as error:
        raise BadInputError(f"cannot read: {error}", file=archive) from None
