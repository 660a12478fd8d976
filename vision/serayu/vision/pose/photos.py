"""The photos of a folder and of the folders under it, as cards of drones have them: ``DCIM/100MEDIA``."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from serayu.models.errors import BadInputError
from serayu.vision.imagery import Unit

__all__ = ["photo_units"]

_SUFFIXES = frozenset({".jpg", ".jpeg"})
_SURVEY = ".work"  # in the folder of a survey's results: the pictures in there are no photos of a flight
_LONGEST = 200  # characters of a name [the schema of findings]


def photo_units(folder: Path) -> tuple[Unit, ...]:
    """Return the photos by name; hidden files and folders, links to folders and results of surveys are passed over.

    A photo is named after its file. Where several folders have a file of that name, the ones in folders under the
    given one are named ``<folder>_<file>``, with all folders between.

    Raises
    ------
    BadInputError
        A folder cannot be read, there is no photo, or two photos would have one name.
    """
    files = sorted(_photos(folder))
    if not files:
        raise BadInputError("no JPEG photo in this folder or in a folder under it", file=folder)
    times = Counter(file.name for file in files)
    named: dict[str, Path] = {}
    for file in files:
        name = file.name if times[file.name] == 1 else "_".join(file.relative_to(folder).parts)
        if name in named:
            raise BadInputError(f"two photos would be named {name}: rename one, {named[name]}", file=file)
        if len(name) > _LONGEST:
            raise BadInputError(f"its name with the folders is longer than {_LONGEST} characters", file=file)
        named[name] = file
    return tuple(Unit(name, named[name]) for name in sorted(named))


def _photos(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder, onerror=_refuse):
        here = Path(place)
        folders[:] = [
            one for one in folders if not one.startswith(".") and not (here / one / _SURVEY).is_dir()
        ]
        for name in names:
            file = here / name
            if file.suffix.lower() in _SUFFIXES and not name.startswith(".") and file.is_file():
                yield file


def _refuse(error: OSError) -> None:
    raise BadInputError(f"cannot be read: {error.strerror or error}", file=error.filename) from None
