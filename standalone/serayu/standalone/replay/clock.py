"""The clock of a replay: every rule's "now" follows from the values alone, so that a replay repeats itself."""

from typing import Literal

from serayu.ingest.clock import IDLE_S
from serayu.models.reading import Reading, SeriesKey
from serayu.models.times import US_PER_S

Mode = Literal["system", "replay"]
"""How ingest ran: on the system's clock, or on that of a replay (setting ``clock`` of ingest)."""


class DrivenClock:
    """An `serayu.ingest.clock.IngestClock` that arrivals drive.

    On the system's clock the present is when the last value arrived. On a replay's clock it is the newest phenomenon
    time, and lateness and silence are judged by what each station has reached, as `serayu.ingest.clock.ReplayClock`
    does; where that one looks at the computer's clock, this one looks at the times of arrival.
    """

    def __init__(self, mode: Mode) -> None:
        self._by_readings = mode == "replay"
        self._arrived_us = 0
        self._newest_us: int | None = None
        self._settled_us: int | None = None
        self._stations: dict[tuple[str, str], int] = {}
        self._heard_us: dict[tuple[str, str], int] = {}

    def now_us(self) -> int:
        """Return the present."""
        if self._by_readings and self._newest_us is not None:
            return self._newest_us
        return self._arrived_us

    def station_now_us(self, key: SeriesKey) -> int:
        """Return the present as far as one station is concerned."""
        if not self._by_readings:
            return self.now_us()
        return self._stations.get((key.region, key.station), -(2**62))

    def settled_us(self) -> int:
        """Return a time that every station which still sends has reached."""
        if not self._by_readings:
            return self.now_us()
        since_us = self._arrived_us - round(IDLE_S * US_PER_S)
        reached = [t_us for station, t_us in self._stations.items() if self._heard_us[station] >= since_us]
        if reached:
            self._settled_us = max(min(reached), self._settled_us or min(reached))
        return self.now_us() if self._settled_us is None else self._settled_us

    def observe(self, reading: Reading) -> None:
        """Let a reading drive the clock on."""
        station = (reading.key.region, reading.key.station)
        self._stations[station] = max(self._stations.get(station, reading.t_us), reading.t_us)
        self._heard_us[station] = self._arrived_us
        self._newest_us = max(self._newest_us or reading.t_us, reading.t_us)

    def arrive(self, t_us: int) -> None:
        """Go on to a time of arrival; it never goes back."""
        self._arrived_us = max(self._arrived_us, t_us)
