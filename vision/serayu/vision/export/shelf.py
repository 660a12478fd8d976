"""Putting weights on the shelf: files into the folder of weights, the entry into its manifest."""

import hashlib
from pathlib import Path

import msgspec

from serayu.models.command import json_text, write_atomically
from serayu.models.errors import BadInputError
from serayu.vision.runtime.manifest import (
    MANIFEST_FILE,
    MOST_BYTES,
    Manifest,
    WeightsEntry,
    WeightsFile,
    check_entry,
    read_manifest,
)

__all__ = ["digest", "put", "weights_file"]


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def weights_file(file: Path) -> WeightsFile:
    """Return a file as the manifest tells it."""
    return WeightsFile(file=file.name, sha256=digest(file))


def put(entry: WeightsEntry, files: tuple[Path, ...], *, folder: Path) -> None:
    """Write files and entry; an entry of the same name is replaced, and files of it that nothing uses any more go.

    The manifest is written last: until then the old entry and, where names differ, its files are whole.

    Parameters
    ----------
    entry
        What the files are.
    files
        Where they lie now, in the order of `entry.files()`.
    folder
        Folder of weights; made where absent.

    Raises
    ------
    BadInputError
        A value of the entry makes no sense, or a file is too large or not what the entry says.
    """
    check_entry(entry, file=folder / MANIFEST_FILE)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = read_manifest(folder) if (folder / MANIFEST_FILE).exists() else Manifest(weights=())
    for stated, file in zip(entry.files(), files, strict=True):
        content = file.read_bytes()
        if len(content) > MOST_BYTES:
            raise BadInputError(f"{len(content)} bytes; weights have at most {MOST_BYTES}", file=file)
        if hashlib.sha256(content).hexdigest() != stated.sha256:
            raise BadInputError("is not what the entry says", file=file)
        write_atomically(folder / stated.file, content)
    others = tuple(one for one in manifest.weights if one.name != entry.name)
    weights = tuple(sorted((*others, entry), key=lambda one: one.name))
    write_atomically(folder / MANIFEST_FILE, json_text(msgspec.to_builtins(Manifest(weights=weights))))
    used = {file.file for one in weights for file in one.files()}
    for old in (one for one in manifest.weights if one.name == entry.name):
        for unused in (one.file for one in old.files() if one.file not in used):
            (folder / unused).unlink(missing_ok=True)
