"""Reads the drivers when they are due and stamps what they say."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from serayu.edge.clock import DeviceClock
from serayu.edge.drivers.driver import Driver, EndOfData, Sample
from serayu.edge.errors import SensorFault
from serayu.edge.outbox import Stamped

__all__ = ["Sampler", "Scheduled"]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Scheduled:
    """A driver and when it is read.

    Parameters
    ----------
    name
        Names it in the status and in the outbox, e.g. ``1-ultrasonic``.
    driver, property
        The driver, and the slug in its settings.
    interval_s
        Seconds between readings in force.
    due_s
        Monotonic time of the next reading.
    done
        It came to its end.
    fault, faults, missed
        Reason of the present fault, faults so far, readings that could not be taken in time.
    """

    name: str
    driver: Driver
    property: str | None
    interval_s: float
    due_s: float = -math.inf
    done: bool = False
    fault: str | None = field(default=None)
    faults: int = 0
    missed: int = 0


class Sampler:
    """All drivers of a station.

    Parameters
    ----------
    drivers
        What to read.
    clock
        Stamps the samples.
    """

    def __init__(self, drivers: Sequence[Scheduled], *, clock: DeviceClock) -> None:
        self.drivers = tuple(drivers)
        self._clock = clock

    @property
    def done(self) -> bool:
        """Whether every driver has come to its end."""
        return all(scheduled.done for scheduled in self.drivers)

    def next_due_s(self) -> float:
        """Return the monotonic time of the next reading."""
        return min((scheduled.due_s for scheduled in self.drivers if not scheduled.done), default=math.inf)

    def tick(self, now_s: float) -> list[Stamped]:
        """Read what is due, and plan the next readings on the same grid: no drift, however long a reading takes.

        Parameters
        ----------
        now_s
            Monotonic time, s.
        """
        stamped: list[Stamped] = []
        for scheduled in self.drivers:
            if not scheduled.done and scheduled.due_s <= now_s:
                stamped += self._stamped(scheduled, self._read(scheduled))
                self._plan(scheduled, now_s)
        return stamped

    def set_intervals(self, interval_s: Mapping[str, float], now_s: float) -> None:
        """Use other intervals from now on, by property."""
        for scheduled in self.drivers:
            new_s = interval_s.get(scheduled.property or "")
            if new_s is not None and new_s != scheduled.interval_s:
                scheduled.interval_s = new_s
                scheduled.due_s = min(scheduled.due_s, now_s + new_s)

    def close(self) -> list[Stamped]:
        """Close all drivers; returns what they still had to tell."""
        stamped: list[Stamped] = []
        for scheduled in self.drivers:
            try:
                stamped += self._stamped(scheduled, scheduled.driver.close())
            except (SensorFault, OSError) as error:
                self._note_fault(scheduled, str(error))
        return stamped

    def status(self) -> list[dict[str, object]]:
        """Return interval, fault and counts of each driver."""
        return [
            {
                "driver": scheduled.name,
                "property": scheduled.property,
                "interval_s": scheduled.interval_s,
                "fault": scheduled.fault,
                "faults": scheduled.faults,
                "missed": scheduled.missed,
                "done": scheduled.done,
            }
            for scheduled in self.drivers
        ]

    def _read(self, scheduled: Scheduled) -> Sequence[Sample]:
        try:
            samples = scheduled.driver.read()
        except EndOfData:
            scheduled.done = True
            return ()
        except (SensorFault, OSError) as error:
            self._note_fault(scheduled, str(error))
            return ()
        unusable = [sample for sample in samples if not math.isfinite(sample.value)]
        if unusable:
            self._note_fault(scheduled, f"not a finite number: {unusable[0].value!r}")
            return [sample for sample in samples if math.isfinite(sample.value)]
        if scheduled.fault is not None:
            _log.info("%s: well again", scheduled.name)
            scheduled.fault = None
        return samples

    def _stamped(self, scheduled: Scheduled, samples: Sequence[Sample]) -> list[Stamped]:
        if not samples:
            return []
        boot_us, wall_us = self._clock.now()
        return [
            Stamped(
                s.property,
                s.value,
                s.unit,
                wall_us if s.t_us is None else s.t_us,
                wall_us,
                boot_us,
                scheduled.name,
                s.mark,
            )
            for s in samples
        ]

    def _note_fault(self, scheduled: Scheduled, reason: str) -> None:
        if scheduled.fault != reason:
            _log.warning("%s: %s", scheduled.name, reason)
        scheduled.fault = reason
        scheduled.faults += 1

    def _plan(self, scheduled: Scheduled, now_s: float) -> None:
        if scheduled.due_s == -math.inf:
            scheduled.due_s = now_s
        behind = math.floor((now_s - scheduled.due_s) / scheduled.interval_s)
        scheduled.missed += behind
        scheduled.due_s += (behind + 1) * scheduled.interval_s
