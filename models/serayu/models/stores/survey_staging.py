"""Places among the surveys' pictures for what is not yet whole: locked while in use, removed once nobody uses them.

The system drops a lock when its process ends, however it ends. A place without one was left by a kill.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from serayu.models.errors import StoreFullError

__all__ = ["staged_folder", "sweep", "upload_file"]

_INCOMING, _UPLOAD = ".incoming-", ".upload-"


@contextmanager
def staged_folder(parent: Path) -> Iterator[Path]:
    """Yield a new folder to fill; what was not moved away is removed.

    Raises
    ------
    StoreFullError
        It cannot be made.
    """
    with _locked(parent, lambda: Path(tempfile.mkdtemp(prefix=_INCOMING, dir=parent))) as place:
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


@contextmanager
def upload_file(parent: Path) -> Iterator[BinaryIO]:
    """Yield a new file to write, which is removed at the end; its ``name`` says where it is.

    Raises
    ------
    StoreFullError
        It cannot be made.
    """

    def made() -> Path:
        descriptor, name = tempfile.mkstemp(prefix=_UPLOAD, dir=parent)
        os.close(descriptor)
        return Path(name)

    with _locked(parent, made) as place:
        try:
            with place.open("r+b") as stream:
                yield stream
        finally:
            place.unlink(missing_ok=True)


def sweep(parent: Path) -> int:
    """Remove the places that nobody uses any more; those in use, and what cannot be removed, are left.

    Parameters
    ----------
    parent
        Where they lie, need not exist.

    Returns
    -------
    int
        How many were removed.
    """
    left = [one for start in (_INCOMING, _UPLOAD) for one in parent.glob(f"{start}*")]
    return sum(_removed(place) for place in left)


def _removed(place: Path) -> bool:
    descriptor = _lock(place, wait=False)
    if descriptor is None:
        return False
    try:
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                place.unlink()
    finally:
        os.close(descriptor)
    return not place.exists()


@contextmanager
def _locked(parent: Path, make: Callable[[], Path]) -> Iterator[Path]:
    """Yield a new place and hold its lock; another one where a sweep came between making and locking.

    Some file systems of networks have no locks: there nothing is swept either.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        place = make()
        while (descriptor := _lock(place, wait=True)) is None and not place.exists():
            place = make()
    except OSError as error:
        raise StoreFullError(f"cannot write to {parent}: {error.strerror}") from None
    try:
        yield place
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(place: Path, *, wait: bool) -> int | None:
    """Return a descriptor that holds a place's lock until it is closed; None where there is no place or no lock."""
    try:
        access = (
            os.O_RDONLY if place.is_dir() else os.O_RDWR
        )  # some file systems lock only what may be written
        descriptor = os.open(place, access | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        if os.path.samestat(os.fstat(descriptor), place.lstat()):  # not removed meanwhile
            return descriptor
    os.close(descriptor)
    return None
