"""Quality control of what comes in: one streaming state a datastream, rebuilt from the store when it is not there."""

from collections.abc import Sequence

from serayu.models.quality.streaming import StreamingQc
from serayu.models.reading import Observation, Reading, SeriesKey
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_transaction import Revision
from serayu.models.times import US_PER_S

_NEIGHBOURS = 2  # values before the window that the spike test looks at
_ONE_DAY_US = 24 * 3600 * US_PER_S


class Qualifier:
    """Gives readings their flags.

    A reading that is older than its datastream's state (back-fill, a second outbox) is judged in a second state
    that is rebuilt at its time, so that neither disturbs the other.
    """

    def __init__(self, store: HotStore, region: Region) -> None:
        self._store = store
        self._region = region
        self._newest: dict[SeriesKey, StreamingQc] = {}
        self._filling: dict[SeriesKey, StreamingQc] = {}

    def forget(self) -> None:
        """Drop all states: the transaction that advanced them did not commit."""
        self._newest.clear()
        self._filling.clear()

    def qualify(
        self, readings: Sequence[Reading], *, received_us: int, late: Sequence[bool]
    ) -> tuple[list[Observation], list[Revision]]:
        """Return the observations of new readings, and better flags for values that are already stored.

        Parameters
        ----------
        readings
            New readings, in order of arrival.
        received_us
            Result time, microseconds UTC.
        late
            For each reading whether it came too late to alert.
        """
        observations: dict[tuple[SeriesKey, int], Observation] = {}
        revisions = []
        for reading, is_late in zip(readings, late, strict=True):
            key, t_us, value = reading.key, reading.t_us, reading.value
            qc = self._newest.get(key)
            before_us = qc.state_time_us if qc is not None else None
            if qc is None or before_us is None or t_us <= before_us:
                qc = self._state(key, t_us)
                before_us = qc.state_time_us
            result = qc.push(t_us, value)
            if result.revised is not None and before_us is not None:
                flag, tests = result.revised
                earlier = observations.get((key, before_us))
                if earlier is None:
                    revisions.append(Revision(key, before_us, flag, tests))
                else:
                    observations[(key, before_us)] = _flagged(earlier, flag, tests)
            observations[(key, t_us)] = Observation(
                key, t_us, value, result.flag, result.tests, reading.oid, reading.seq, received_us, is_late
            )
        return list(observations.values()), revisions

    def _state(self, key: SeriesKey, t_us: int) -> StreamingQc:
        newest = self._newest.get(key)
        if newest is None:
            newest = self._newest[key] = self._rebuilt(key, None)
        if _takes(newest, t_us):
            return newest
        filling = self._filling.get(key)
        if filling is None or not _takes(filling, t_us):
            filling = self._filling[key] = self._rebuilt(key, t_us)
        return filling

    def _rebuilt(self, key: SeriesKey, before_us: int | None) -> StreamingQc:
        """Return a state fed with what the store holds before a time, or up to now."""
        station = self._region.stations[key.station]
        datastream = station.datastream(key.property)
        if datastream is None:  # the decoder refuses such readings
            raise KeyError(key)
        qc = StreamingQc(datastream.profile())
        end_us = before_us if before_us is not None else self._store.newest_time(key) + 1
        if end_us <= 0:
            return qc
        memory_us = round(qc.memory_s * US_PER_S) + _NEIGHBOURS * round(datastream.interval_s * US_PER_S)
        for observation in self._store.window(key, end_us - min(memory_us, _ONE_DAY_US * 7), end_us):
            qc.push(observation.t_us, observation.value)
        return qc


def _takes(qc: StreamingQc, t_us: int) -> bool:
    return qc.state_time_us is None or t_us > qc.state_time_us


def _flagged(observation: Observation, flag: int, tests: int) -> Observation:
    o = observation
    return Observation(o.key, o.t_us, o.value, flag, tests, o.oid, o.seq, o.received_us, o.late)  # type: ignore[arg-type]
