"""What every driver is: something that can be read, and closed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import msgspec


class Sample(NamedTuple):
    """One value from a sensor.

    Parameters
    ----------
    property
        Slug of the observed property.
    value, unit
        Finite number in a SenML unit that the property accepts.
    t_us
        Phenomenon time, microseconds UTC, where the source knows it (a replay); None: the moment of reading.
    mark
        Position in the driver's own source. The outbox stores it in the commit that accepts the reading and gives
        it back as `Setup.resume_after` after a restart, so that a source with an end is read once.
    """

    property: str
    value: float
    unit: str
    t_us: int | None = None
    mark: int | None = None


class EndOfData(Exception):  # noqa: N818 -- like StopIteration: not an error
    """The driver's source has come to its end; it will not be read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What an agent gives a driver.

    Parameters
    ----------
    station
        Id of the station.
    property
        Slug from the settings, or None.
    resume_after
        Highest `Sample.mark` that the outbox holds of this driver; 0 at the first start.
    room
        Returns how many more readings the outbox takes before replays should pause.
    wall_us
        Returns the device's time, microseconds UTC, good or not.
    boot_us
        Returns the time since the device started, microseconds.
    """

    station: str
    property: str | None
    resume_after: int
    room: Callable[[], int]
    wall_us: Callable[[], int]
    boot_us: Callable[[], int]


class Driver(Protocol):
    """A sensor, made as ``Class(options, setup)`` with ``options`` of type `Options`."""

    Options: ClassVar[type[msgspec.Struct]]

    def read(self) -> Sequence[Sample]:
        """Return what the sensor says now, possibly nothing.

        Raises
        ------
        SensorFault
            The sensor gave nothing usable.
        EndOfData
            There will be nothing more.
        """
        ...

    def close(self) -> Sequence[Sample]:
        """Let go of the sensor; returns what is still to be told (rain since the last reading)."""
        ...
