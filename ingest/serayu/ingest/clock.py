"""The clock that ingest's rules run on: the system's, or one driven by the readings of a replay."""

import time
from typing import Protocol

from serayu.models.reading import Reading, SeriesKey
from serayu.models.stores.hot import HotStore
from serayu.models.times import SystemClock

IDLE_S = 10.0
"""A station of a replay that has sent nothing for so long by the computer's clock holds up no other."""


class IngestClock(Protocol):
    """What "now" is, overall and for one station."""

    def now_us(self) -> int:
        """Return the present, microseconds UTC."""
        ...

    def station_now_us(self, key: SeriesKey) -> int:
        """Return the present as far as one station is concerned."""
        ...

    def settled_us(self) -> int:
        """Return a time that every station which still sends has reached: who is silent then, is."""
        ...

    def observe(self, reading: Reading) -> None:
        """Take notice of a reading's phenomenon time."""
        ...


class Settled:
    """The settled time of a clock as a clock: for rules about silence and lapse."""

    def __init__(self, clock: IngestClock) -> None:
        self._clock = clock

    def now_us(self) -> int:
        """Return the settled time."""
        return self._clock.settled_us()

    def not_before(self, at_us: int) -> int:
        """Return the settled time, or a later one that a reading has and that the clock has reached.

        The time of a station whose own clock is ahead has not been reached.
        """
        return max(self.now_us(), min(at_us, self._clock.now_us()))


class LiveClock(SystemClock):
    """The system's clock, the same for every station."""

    def station_now_us(self, key: SeriesKey) -> int:  # noqa: ARG002 -- the same for all
        """Return the present."""
        return self.now_us()

    def settled_us(self) -> int:
        """Return the present: every station has reached it."""
        return self.now_us()

    def observe(self, reading: Reading) -> None:
        """Ignore it: readings do not drive this clock."""


class ReplayClock:
    """The newest phenomenon time seen, overall and per station.

    Stations of a replay need not keep step (each may run as fast as it can), so lateness is judged by the station's
    own progress; staleness by the overall progress. Before the first reading it is the system's time.
    """

    def __init__(self, store: HotStore) -> None:
        self._system = SystemClock()
        self._stations: dict[tuple[str, str], int] = {}
        self._heard_s: dict[tuple[str, str], float] = {}
        self._newest: int | None = None
        self._settled: int | None = None
        for latest in store.latest():
            self._advance(latest.observation.key, latest.observation.t_us)

    def now_us(self) -> int:
        """Return the newest phenomenon time of all stations."""
        return self._system.now_us() if self._newest is None else self._newest

    def station_now_us(self, key: SeriesKey) -> int:
        """Return the newest phenomenon time of the station."""
        return self._stations.get((key.region, key.station), -(2**62))

    def settled_us(self) -> int:
        """Return what every station that still sends has reached; it stands while none does."""
        since_s = time.monotonic() - IDLE_S
        heard = self._heard_s.copy()  # another thread adds to it
        reached = [
            t_us for station, t_us in self._stations.copy().items() if heard.get(station, 0.0) >= since_s
        ]
        if reached:
            self._settled = max(min(reached), self._settled or min(reached))
        return self.now_us() if self._settled is None else self._settled

    def observe(self, reading: Reading) -> None:
        """Let a reading drive the clock on."""
        self._advance(reading.key, reading.t_us)

    def _advance(self, key: SeriesKey, t_us: int) -> None:
        station = (key.region, key.station)
        self._stations[station] = max(self._stations.get(station, t_us), t_us)
        self._heard_s[station] = time.monotonic()
        self._newest = t_us if self._newest is None else max(self._newest, t_us)
