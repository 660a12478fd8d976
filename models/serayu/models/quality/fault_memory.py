"""What is remembered of a sensor's faults: a drift does not heal when the river hides it."""

from collections.abc import Collection

from serayu.models.quality.sensor_alarm import SensorFault
from serayu.models.times import US_PER_HOUR

DOUBT_US = 48 * US_PER_HOUR
"""A sensor that drifted stays doubtful for so long [project proposal]."""


class FaultMemory:
    """Remembers when a sensor last drifted.

    Parameters
    ----------
    drifted_us
        When it last did; None where it never did.
    """

    def __init__(self, drifted_us: int | None = None) -> None:
        self.drifted_us = drifted_us

    def keep(self, seen: Collection[SensorFault], *, now_us: int) -> set[SensorFault]:
        """Return the faults of a sensor, given those that are seen now."""
        faults = set(seen)
        if SensorFault.DRIFTING in faults:
            self.drifted_us = now_us
        elif self.drifted_us is not None and abs(now_us - self.drifted_us) <= DOUBT_US:
            faults.add(SensorFault.DOUBTFUL)
        return faults
