"""The clock that ingest's rules run on: the system's, or one driven by the readings of a replay."""

from typing import Protocol

from serayu.models.reading import Reading, SeriesKey
from serayu.models.stores.hot import HotStore
from serayu.models.times import SystemClock


class IngestClock(Protocol):
    """What "now" is, overall and for one station."""

    def now_us(self) -> int:
        """Return the present, microseconds UTC."""
        ...

    def station_now_us(self, key: SeriesKey) -> int:
        """Return the present as far as one station is concerned."""
        ...

    def observe(self, reading: Reading) -> None:
        """Take notice of a reading's phenomenon time."""
        ...


class LiveClock(SystemClock):
    """The system's clock, the same for every station."""

    def station_now_us(self, key: SeriesKey) -> int:  # noqa: ARG002 -- the same for all
        """Return the present."""
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
        self._newest: int | None = None
        for latest in store.latest():
            self._advance(latest.observation.key, latest.observation.t_us)

    def now_us(self) -> int:
        """Return the newest phenomenon time of all stations."""
        return self._system.now_us() if self._newest is None else self._newest

    def station_now_us(self, key: SeriesKey) -> int:
        """Return the newest phenomenon time of the station."""
        return self._stations.get((key.region, key.station), -(2**62))

    def observe(self, reading: Reading) -> None:
        """Let a reading drive the clock on."""
        self._advance(reading.key, reading.t_us)

    def _advance(self, key: SeriesKey, t_us: int) -> None:
        station = (key.region, key.station)
        self._stations[station] = max(self._stations.get(station, t_us), t_us)
        self._newest = t_us if self._newest is None else max(self._newest, t_us)
