"""Readings from a CSV file, in its order and with its times, at a chosen speed."""

import logging
import math
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec

from serayu.edge.drivers.driver import EndOfData, Sample, Setup
from serayu.edge.series import read_series

_BATCH = 200  # readings of one tick: one commit takes them, and the rest of the agent gets its turn
_log = logging.getLogger(__name__)


class CsvReplayOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to replay, and how fast.

    Parameters
    ----------
    file
        The CSV file (see `serayu.edge.series`); must not change while it is replayed. Rows of other stations
        are passed over.
    speed
        Seconds of the series that pass in one second, or ``max``: as fast as the outbox drains.
    anchor_us, anchor_wall_us
        The time of the series that plays when the device's clock shows ``anchor_wall_us``, both microseconds
        UTC. Agents with the same anchor stay in step. By default the first row plays at the start.
    """

    file: Path
    speed: Annotated[float, msgspec.Meta(gt=0)] | Literal["max"] = 1.0
    anchor_us: int | None = None
    anchor_wall_us: int | None = None

    def __post_init__(self) -> None:
        if (self.anchor_us is None) != (self.anchor_wall_us is None):
            raise ValueError("anchor_us and anchor_wall_us belong together")


class CsvReplay:
    """The readings of one station's CSV file."""

    Options: ClassVar[type[msgspec.Struct]] = CsvReplayOptions

    def __init__(self, options: CsvReplayOptions, setup: Setup) -> None:
        self._options = options
        self._setup = setup
        self._anchor = (options.anchor_us, options.anchor_wall_us)
        self.skipped = 0
        self._samples = self._read()
        self._next = next(self._samples, None)

    def read(self) -> Sequence[Sample]:
        """Return the rows that are due and that the outbox has room for."""
        if self._next is None:
            raise EndOfData
        until_us = self._until_us(self._next)
        samples: list[Sample] = []
        for _ in range(min(_BATCH, self._setup.room())):
            if self._next is None or _time_us(self._next) > until_us:
                break
            samples.append(self._next)
            self._next = next(self._samples, None)
        return samples

    def close(self) -> Sequence[Sample]:
        """Close the file; rows that were not due yet are not told."""
        self._samples.close()
        return ()

    def _until_us(self, first: Sample) -> float:
        """Return the time of the series that is due now."""
        if self._options.speed == "max":
            return math.inf
        wall_us = self._setup.wall_us()
        anchor_us, anchor_wall_us = self._anchor
        if anchor_us is None or anchor_wall_us is None:
            anchor_us, anchor_wall_us = self._anchor = (_time_us(first), wall_us)
        return anchor_us + (wall_us - anchor_wall_us) * self._options.speed

    def _read(self) -> Generator[Sample, None, None]:
        setup = self._setup
        for row in read_series(self._options.file, property_slug=setup.property, after=setup.resume_after):
            if row.station is not None and row.station != setup.station:
                continue
            if row.sample is None:
                self.skipped += 1
                continue
            yield row.sample
        if self.skipped:
            _log.warning("%s: %d rows without a value were passed over", self._options.file, self.skipped)


def _time_us(sample: Sample) -> int:
    if sample.t_us is None:
        raise ValueError("a row of a series has a time")
    return sample.t_us
