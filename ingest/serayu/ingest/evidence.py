"""What the hot store says about silent posts and their stand-ins (`serayu.models.warning.fallback.Evidence`)."""

from collections.abc import Iterable

from serayu.models.quality.sensor_alarm import SensorFault
from serayu.models.reading import Observation
from serayu.models.station import Station
from serayu.models.stores.hot import HotStore
from serayu.models.stores.trend import usable
from serayu.models.warning.fallback import LEVEL, RAIN


class StoredEvidence:
    """Evidence from the hot store."""

    def __init__(self, store: HotStore) -> None:
        self._store = store

    def speaks(self, station: Station, slug: str, now_us: int) -> bool:
        """Say whether a datastream has a usable value that is not stale; a drifting level is not listened to."""
        stream = station.datastream(slug)
        if stream is None or (slug == LEVEL and self._drifts(station)):
            return False
        return self.newest_us(station, slug, now_us - stream.stale_after_us, now_us) is not None

    def _drifts(self, station: Station) -> bool:
        return any(
            fault.station == station.id and fault.kind == SensorFault.DRIFTING
            for fault in self._store.sensor_faults.standing(station.region)
        )

    def newest_us(self, station: Station, slug: str, start_us: int, end_us: int) -> int | None:
        """Return the time of the newest usable value in ``start_us < t <= end_us``; None without one."""
        return max((one.t_us for one in self._usable(station, slug, start_us, end_us)), default=None)

    def highest(self, station: Station, start_us: int, end_us: int) -> float | None:
        """Return the highest usable level in ``start_us < t <= end_us``, m; None without one."""
        return max((one.value for one in self._usable(station, LEVEL, start_us, end_us)), default=None)

    def rain_mm(self, station: Station, start_us: int, end_us: int) -> float | None:
        """Return the rain of usable values in ``start_us < t <= end_us``, mm; None without one."""
        values = [one.value for one in self._usable(station, RAIN, start_us, end_us)]
        return sum(values) if values else None

    def _usable(self, station: Station, slug: str, start_us: int, end_us: int) -> Iterable[Observation]:
        window = self._store.window(station.key(slug), start_us + 1, end_us + 1)
        return (one for one in window if usable(one))
