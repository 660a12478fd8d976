"""A YOLO data set: which pictures a split of a ``data.yaml`` has, and where each picture's labels lie."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from serayu.models.errors import BadInputError, plain

__all__ = ["SUFFIXES", "Dataset", "Sample", "read_dataset", "read_names"]

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".jp2", ".png", ".tif", ".tiff", ".webp"})
"""Endings of files taken for pictures, in small letters."""

_ALIASES = {
    "val": ("val", "valid", "validation"),
    "valid": ("valid", "val"),
    "validation": ("validation", "val"),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of a split.

    Parameters
    ----------
    image
        The picture.
    labels
        Its label file, which may be absent: a picture of background.
    """

    image: Path
    labels: Path


@dataclass(frozen=True, slots=True)
class Dataset:
    """A split of a data set.

    Parameters
    ----------
    file
        The ``data.yaml``.
    split
        Name of the split.
    names
        Class names, by the numbers that labels use (0 upwards; numbers that are not named have an empty name).
    samples
        The pictures, in the order of their paths, each once.
    """

    file: Path
    split: str
    names: tuple[str, ...]
    samples: tuple[Sample, ...]


def read_dataset(file: Path, *, split: str) -> Dataset:
    """Read a YOLO ``data.yaml``.

    A split is a folder (with its sub-folders), a text file of pictures, one picture, or a list of these. They are
    looked for below `path`, which counts from the yaml file's folder, and then below that folder itself, so that a
    data set that was moved is still found. Labels lie beside: the last folder ``images`` of a picture's path is
    ``labels`` in its label file's.

    Parameters
    ----------
    file
        The yaml file.
    split
        ``train``, ``val``, ``test`` or another key of the file.

    Raises
    ------
    BadInputError
        The file cannot be read, has no such split or no class names, or no picture is found.
    """
    document = _document(file)
    names = _names(document, file)
    entries = _entries(document, split, file)
    roots = _roots(document, file)
    images: dict[Path, None] = {}
    for entry in entries:
        images.update(dict.fromkeys(_images(_found(entry, roots, file=file, split=split), roots)))
    if not images:
        raise BadInputError(f"no picture in {', '.join(entries)}", file=file, field=split)
    samples = tuple(Sample(image, _labels(image)) for image in sorted(images))
    return Dataset(file, split, names, samples)


def read_names(file: Path) -> tuple[str, ...]:
    """Read the class names of a YOLO ``data.yaml``, by number; a number without a name has an empty one.

    Raises
    ------
    BadInputError
        The file cannot be read or has no class names.
    """
    return _names(_document(file), file)


def _document(file: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(
            f"cannot be read: {getattr(error, 'strerror', None) or error}", file=file
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        row = mark.line + 1 if mark is not None else None
        raise BadInputError(f"is not YAML: {getattr(error, 'problem', error)}", file=file, row=row) from None
    if not isinstance(document, Mapping):
        raise BadInputError("expected a mapping with names and splits", file=file)
    return document


def _names(document: Mapping[str, Any], file: Path) -> tuple[str, ...]:
    names = document.get("names")
    if isinstance(names, list) and names:
        return tuple(str(name) for name in names)
    if isinstance(names, Mapping) and names:
        try:
            by_index = {int(index): str(name) for index, name in names.items()}
        except (TypeError, ValueError):
            raise BadInputError("expected numbers of classes as keys", file=file, field="names") from None
        if min(by_index) < 0 or max(by_index) > 10_000:  # noqa: PLR2004 - a class number, not a hash
            raise BadInputError("expected numbers of classes from 0", file=file, field="names")
        return tuple(by_index.get(index, "") for index in range(max(by_index) + 1))
    raise BadInputError("expected the class names, a list or a mapping of numbers", file=file, field="names")


def _entries(document: Mapping[str, Any], split: str, file: Path) -> list[str]:
    entry = next((document[key] for key in _ALIASES.get(split, (split,)) if document.get(key)), None)
    stated = entry if isinstance(entry, list) else [entry]
    entries = [one for one in stated if isinstance(one, str)]
    if entries and len(entries) == len(stated):
        return entries
    known = [key for key in ("train", "val", "valid", "validation", "test") if document.get(key)]
    reason = (
        "expected a folder, a list of folders or a text file" if entry is not None else "has no such split"
    )
    raise BadInputError(f"{reason}; the file's splits: {', '.join(known) or 'none'}", file=file, field=split)


def _roots(document: Mapping[str, Any], file: Path) -> tuple[Path, ...]:
    base = file.resolve().parent
    path = document.get("path")
    if path is None:
        return (base,)
    stated = Path(str(path)).expanduser()
    return (stated, base) if stated.is_absolute() else (base / stated, Path.cwd() / stated, base)


def _found(entry: str, roots: tuple[Path, ...], *, file: Path, split: str) -> Path:
    """Return where an entry lies; ``../`` that leads nowhere is dropped, as exports of some tools have it."""
    spelt = entry.replace("\\", "/")
    stripped = spelt
    while stripped.startswith("../"):
        stripped = stripped[3:]
    for spelling in dict.fromkeys((entry, spelt, stripped)):
        for root in roots:
            place = root / Path(spelling).expanduser()
            if place.exists():
                return place
    raise BadInputError(f"{entry!r} was not found below {roots[0]}", file=file, field=split)


def _images(place: Path, roots: tuple[Path, ...]) -> Iterator[Path]:
    if place.is_dir():
        yield from (
            one
            for one in place.rglob("*")
            if one.suffix.lower() in SUFFIXES and not one.name.startswith(".") and one.is_file()
        )
    elif place.suffix.lower() in SUFFIXES:
        yield place
    else:
        yield from _listed(place, roots)


def _listed(listing: Path, roots: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the pictures of a text file; a line counts from the file's folder, then from the data set's."""
    try:
        lines = listing.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"cannot be read as a list of pictures: {plain(error)}", file=listing) from None
    for row, line in enumerate(lines, start=1):
        entry = line.strip().replace("\\", "/")
        if not entry:
            continue
        places = [root / entry for root in (listing.parent, *roots)]
        place = next((one for one in places if one.is_file()), None)
        if place is None:
            raise BadInputError(f"picture {entry!r} was not found", file=listing, row=row)
        yield place


def _labels(image: Path) -> Path:
    """Return a picture's label file: ``labels`` for the last ``images`` of its path, else beside it."""
    beside = image.with_suffix(".txt")
    parts = list(image.parts)
    folders = [k for k, part in enumerate(parts[:-1]) if part == "images"]
    if not folders:
        return beside
    parts[folders[-1]] = "labels"
    labels = Path(*parts).with_suffix(".txt")
    return beside if beside.is_file() and not labels.is_file() else labels
