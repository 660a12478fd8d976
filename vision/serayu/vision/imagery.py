"""The port of imagery: a folder of photos or an orthophoto, cut into units that are looked at one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from serayu.models.plane import LocalPlane
from serayu.vision.detection import Image
from serayu.vision.ground import GroundMap
from serayu.vision.quality import Quality

__all__ = ["Imagery", "Opened", "Unit"]


@dataclass(frozen=True, slots=True)
class Unit:
    """One photo, or one window of an orthophoto: the piece of work that is done, resumed and sent to a worker whole.

    Parameters
    ----------
    name
        Unique in the survey and safe as a file name: the photo's file name, or ``<stem>_<column>_<row>`` of a window.
    file
        Where it lies.
    window_px
        Left, top, width, height in the file; None for a whole photo.
    """

    name: str
    file: Path
    window_px: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A unit that was read.

    Parameters
    ----------
    image
        Its picture.
    ground
        Where its pixels lie; None without a usable pose: what is found cannot be put on the map then.
    time_us
        When it was taken, microseconds UTC; None where nothing says.
    gsd_mm
        Ground sampling distance in the middle, mm per px; None without `ground`.
    quality
        What it can be used for, with reasons.
    """

    image: Image
    ground: GroundMap | None
    time_us: int | None
    gsd_mm: float | None
    quality: Quality


class Imagery(Protocol):
    """What a survey looks at; it can be sent to other processes (picklable) and opens nothing until it is asked."""

    @property
    def plane(self) -> LocalPlane:
        """Return the plane of the whole survey."""
        ...

    def units(self) -> Sequence[Unit]:
        """Return the units in a fixed order."""
        ...

    def open(self, unit: Unit) -> Opened:
        """Read a unit.

        Raises
        ------
        BadInputError
            It is corrupt or truncated; names the file and the reason.
        """
        ...
