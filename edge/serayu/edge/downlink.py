"""Configuration from afar: ``…/config`` with ``{"version": n, "interval_s": {"stage": 30}}``.

Accepted only when all of it is valid, kept in a file that is replaced at once, and answered in the status.
"""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from serayu.edge.config import MAX_INTERVAL_S

__all__ = ["Downlink", "RemoteConfig"]

MIN_REMOTE_INTERVAL_S = 1.0
"""A mistake from afar must not make a battery-powered station read without pause."""


class RemoteConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be set from afar: a version that only grows, and seconds between readings by property."""

    version: Annotated[int, msgspec.Meta(ge=1)]
    interval_s: Mapping[str, Annotated[float, msgspec.Meta(ge=MIN_REMOTE_INTERVAL_S, le=MAX_INTERVAL_S)]] = (
        msgspec.field(default_factory=dict)
    )


class Downlink:
    """The configuration in force, and the last one refused.

    Parameters
    ----------
    file
        Keeps the configuration in force.
    properties
        Slugs that this station measures.
    """

    def __init__(self, file: Path, *, properties: Sequence[str]) -> None:
        self._file = file
        self._properties = frozenset(properties)
        self.current: RemoteConfig | None = None
        self.refused: str | None = None
        try:
            kept = file.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            self.refused = f"the configuration kept here cannot be read: {error.strerror or error}"
            return
        self._judge(kept)

    def offer(self, payload: bytes) -> bool:
        """Take a message; returns whether another configuration is in force now.

        One that cannot be kept is refused: after a restart the station would not work as it had answered.
        """
        before = self.current
        self._judge(payload)
        if self.current is before or self.current is None:
            return False
        try:
            _replace(self._file, msgspec.json.encode(self.current))
        except OSError as error:
            self.refused = f"version {self.current.version}: cannot be kept: {error.strerror or error}"
            self.current = before
            return False
        return True

    def status(self) -> dict[str, object]:
        """Return the version in force and why the last other one was refused."""
        return {"version": self.current.version if self.current else None, "refused": self.refused}

    def _judge(self, payload: bytes) -> None:
        try:
            offered = msgspec.json.decode(payload, type=RemoteConfig)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.refused = str(error)
            return
        if self.current is not None and offered == self.current:
            return  # retained: it comes again with every connection
        unknown = sorted(set(offered.interval_s) - self._properties)
        if unknown:
            self.refused = f"version {offered.version}: not measured here: {', '.join(unknown)}"
        elif self.current is not None and offered.version <= self.current.version:
            self.refused = f"version {offered.version}: version {self.current.version} is in force"
        else:
            self.current, self.refused = offered, None


def _replace(file: Path, content: bytes) -> None:
    """Replace a file at once: after a power cut it holds the old content or the new."""
    new = file.with_name(f"{file.name}.new")
    try:
        with new.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
