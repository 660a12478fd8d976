"""The store of what is done: a unit that is in it is never looked at again, and no kill leaves half of one.

``OUT/.work/<unit>.<key>.result`` is written after ``OUT/.work/<unit>.<key>.pictures``, each at once and synced, so that
a result stands for both. The key is a digest of the unit's bytes and of everything that its result depends on: other
settings, weights, boxes or another photo under the same name give another key, and the old files are removed when the
survey is complete.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from serayu.models.command import write_atomically
from serayu.models.errors import BadInputError
from serayu.vision.survey.result import Pictures, UnitResult, decode, encode
from serayu.vision.survey.work import Look

__all__ = ["Workspace"]

_FOLDER = ".work"
_LOCK, _INPUTS, _CONTENT = "lock", "inputs", "content"
_KEY_LENGTH = 24


@dataclass(frozen=True, slots=True)
class Workspace:
    """The results under an output folder.

    Parameters
    ----------
    folder
        ``OUT/.work``.
    """

    folder: Path

    @classmethod
    @contextmanager
    def under(cls, out: Path) -> "Iterator[Workspace]":
        """Open or make the store of an output folder, for one survey at a time.

        The system drops the lock when the process ends, however it ends.

        Raises
        ------
        BadInputError
            The folder cannot be made, or another survey is writing to it.
        """
        folder = out / _FOLDER
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInputError(f"cannot make the folder: {error.strerror}", file=out) from None
        with (folder / _LOCK).open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BadInputError("another survey is writing to this folder", file=out) from None
            yield cls(folder)

    def made(self) -> tuple[str, tuple[str, ...]] | None:
        """Return what `keep_made` recorded; None where nothing or only a part is there."""
        try:
            content = (self.folder / _CONTENT).read_text("ascii").strip()
            return content, tuple((self.folder / _INPUTS).read_text("ascii").split())
        except (OSError, UnicodeDecodeError):
            return None

    def keep_made(self, content: str, digests: Iterable[str]) -> None:
        """Record the digest of everything that the results depend on, and the SHA-256 of the pictures."""
        data = "".join(f"{one}\n" for one in sorted(set(digests))).encode("ascii")
        write_atomically(self.folder / _INPUTS, data)
        write_atomically(self.folder / _CONTENT, f"{content}\n")

    def done(self, unit: str, key: str) -> UnitResult | None:
        """Return the kept result of a unit, or None; one that cannot be read counts as none."""
        file = self._file(unit, key, "result")
        try:
            return decode(file.read_bytes(), UnitResult, file=str(file))
        except (OSError, BadInputError):
            return None

    def keep(self, look: Look, key: str) -> None:
        """Keep a result and its pictures, over older ones of the same key."""
        write_atomically(self._file(look.result.unit, key, "pictures"), encode(look.pictures))
        write_atomically(self._file(look.result.unit, key, "result"), encode(look.result))
        _sync(self.folder)

    def pictures(self, unit: str, key: str) -> Pictures:
        """Return the kept pictures of a unit.

        Raises
        ------
        BadInputError
            They are gone or damaged, although the result is there.
        """
        file = self._file(unit, key, "pictures")
        try:
            return decode(file.read_bytes(), Pictures, file=str(file))
        except OSError as error:
            raise BadInputError(f"cannot read kept pictures: {error.strerror}", file=file) from None

    def forget_others(self, kept: Iterable[tuple[str, str]]) -> None:
        """Remove everything but the files of units and keys: results of other settings and halves left by a kill."""
        names = {_LOCK, _INPUTS, _CONTENT} | {
            self._file(unit, key, kind).name for unit, key in kept for kind in ("result", "pictures")
        }
        for file in self.folder.iterdir():
            if file.name not in names:
                with suppress(OSError):
                    file.unlink()

    def _file(self, unit: str, key: str, kind: str) -> Path:
        return self.folder / f"{unit}.{key[:_KEY_LENGTH]}.{kind}"


def _sync(folder: Path) -> None:
    """Make the names in a folder survive a power cut; file systems that cannot are left as they are."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
