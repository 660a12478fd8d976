"""Import packages in this fresh process and report what their modules did meanwhile.

``python tests/import_probe.py PACKAGE…`` prints ``{"imported": [], "attempts": [[module, event, what]]}``.
An attempt is a file opened, a connection, a database, a process or a ``SERAYU_*`` variable read, by code of
the packages themselves; what third parties do when they are imported is theirs.
"""

import importlib
import json
import os
import pkgutil
import sys
from collections.abc import Iterator
from types import FrameType

from typing_extensions import override

EVENTS = ("open", "socket.", "sqlite3.connect", "subprocess.Popen", "os.system", "os.fork", "os.posix_spawn")


class Watch:
    """Notes what happens on behalf of the named packages."""

    def __init__(self, packages: list[str]) -> None:
        self.module = ""
        self.attempts: list[tuple[str, str, str]] = []
        self._packages = packages

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        """Take one audit event of the interpreter."""
        if event.startswith(EVENTS) and self._caused_by(sys._getframe(1)):
            self.attempts.append((self.module, event, repr(arguments)[:200]))

    def _caused_by(self, frame: FrameType | None) -> bool:
        """Whether one of the packages comes nearer in the stack than the import machinery."""
        while frame is not None and "importlib" not in frame.f_code.co_filename:
            name = str(frame.f_globals.get("__name__", ""))
            if any(name == package or name.startswith(f"{package}.") for package in self._packages):
                return True
            frame = frame.f_back
        return False

    def note_variable(self, key: object) -> None:
        """Take the name of an environment variable that is read."""
        if str(key).startswith("SERAYU"):
            self.attempts.append((self.module, "environment", str(key)))


class Environment(dict[str, str]):
    """A copy of the environment that tells which variables are read."""

    def __init__(self, values: dict[str, str], watch: Watch) -> None:
        super().__init__(values)
        self._watch = watch

    @override
    def __getitem__(self, key: str) -> str:
        self._watch.note_variable(key)
        return super().__getitem__(key)

    @override
    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """Read a variable."""
        self._watch.note_variable(key)
        return super().get(key, default)


def modules(package: str) -> Iterator[str]:
    """Yield the package's name and those of all modules below it."""
    yield package
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        yield found.name


def main(packages: list[str]) -> None:
    """Import everything below the packages and print the report."""
    watch = Watch(packages)
    os.environ = Environment(dict(os.environ), watch)  # type: ignore[assignment]  # noqa: B003  read here only
    sys.addaudithook(watch.hook)
    imported = []
    for package in packages:
        for name in modules(package):
            watch.module = name
            importlib.import_module(name)
            imported.append(name)
    sys.stdout.write(json.dumps({"imported": imported, "attempts": watch.attempts}))


if __name__ == "__main__":
    main(sys.argv[1:])
