"""What every command line of Serayu does alike: one JSON document, atomic files, one line on an error.

Nothing that decides imports this module: it is for the programs' Typer apps.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import typer

from serayu.models.errors import BadInputError, SerayuError
from serayu.models.times import parse_rfc3339

__all__ = ["BAD_INPUT", "emit", "json_text", "reported", "time_option", "write_atomically"]

BAD_INPUT = 2
"""Exit status of bad usage and bad input."""

_NEW_FILE_MODE = 0o666


def json_text(document: object) -> str:
    """Return a document as indented JSON with a final newline.

    Parameters
    ----------
    document
        What msgspec encodes (structs, dataclasses, mappings, sequences, numbers, text, aware times, enums)
        and paths. NaN and infinity become ``null``, as JSON has neither.
    """
    encoded = msgspec.json.encode(document, enc_hook=_encode)
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def write_atomically(file: Path, content: str | bytes) -> None:
    """Replace a file at once: a reader sees the old content or all of the new.

    Parameters
    ----------
    file
        Target; its folder must exist. It gets the mode that the umask gives to new files.
    content
        Text (written as UTF-8) or bytes.

    Raises
    ------
    BadInputError
        The file cannot be written; names it.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(_NEW_FILE_MODE & ~_umask())
            Path(name).replace(file)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise BadInputError(f"cannot write: {error.strerror or error}", file=file) from None


def emit(document: object, *, as_json: bool, output: Path | None = None, text: str | None = None) -> None:
    """Hand a command's result over: to a file, as JSON on stdout, or as text for people.

    Parameters
    ----------
    document
        The result, see :func:`json_text`.
    as_json
        Print the document, and nothing else, on stdout.
    output
        File that gets the document, atomically, whether or not it is printed.
    text
        What people read on stdout when the document is not printed and no file was asked for; the document
        itself when None.

    Raises
    ------
    BadInputError
        The file cannot be written.
    """
    rendered = json_text(document)
    if output is not None:
        write_atomically(output, rendered)
    if as_json:
        typer.echo(rendered, nl=False)
    elif output is None:
        typer.echo(rendered if text is None else text.rstrip("\n") + "\n", nl=False)


@contextmanager
def reported() -> Iterator[None]:
    """Turn an error raised on purpose into one line on stderr and exit status 2.

    Also a decorator; below Typer's own::

        @app.command()
        @reported()
        def check(folder: Path) -> None: ...

    Raises
    ------
    typer.Exit
        With status 2, for a `SerayuError`; anything else is a defect and passes.
    """
    try:
        yield
    except SerayuError as error:
        line = " ".join(str(error).split())
        sys.stdout.flush()
        typer.echo(f"error: {line}", err=True)
        raise typer.Exit(BAD_INPUT) from None


def time_option(text: str, *, option: str) -> int:
    """Return the time that an option names, microseconds UTC.

    Parameters
    ----------
    text
        RFC 3339 with zone, or a date alone: its midnight UTC.
    option
        The option, e.g. ``--since``, for the error.

    Raises
    ------
    BadInputError
        Neither; names the option.
    """
    try:
        return parse_rfc3339(text if "T" in text or " " in text else f"{text}T00:00:00Z")
    except ValueError:
        raise BadInputError(
            f"expected a date such as 2026-01-10, or a time with its zone such as 2026-01-10T07:00+07:00, "
            f"not {text!r}",
            field=option,
        ) from None


def _encode(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
