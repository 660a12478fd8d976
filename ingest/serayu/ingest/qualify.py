"""Quality control of what comes in: one streaming state a datastream, rebuilt from the store when it is not there."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence

from serayu.models.quality.streaming import StreamingQc
from serayu.models.reading import Observation, Reading, SeriesKey
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_transaction import Revision
from serayu.models.times import US_PER_S

Seen = Mapping[tuple[SeriesKey, int], Observation]
_NEIGHBOURS = 2  # values before the window that the spike test looks at
_ONE_DAY_US = 24 * 3600 * US_PER_S


class Qualifier:
    """Gives readings their flags.

    A reading that is older than its datastream's state (back-fill, a second outbox) is judged in a second state
    that is rebuilt at its time, so that neither disturbs the other. It goes on from reading to reading for as long
    as nothing else lies between them, and is rebuilt where something does.
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
        times: dict[SeriesKey, list[int]] = {}  # of what this call has seen, in order
        revisions = []
        for reading, is_late in zip(readings, late, strict=True):
            key, t_us, value = reading.key, reading.t_us, reading.value
            qc = self._newest.get(key)
            before_us = qc.state_time_us if qc is not None else None
            if qc is None or before_us is None or t_us <= before_us:
                qc = self._state(key, t_us, observations, times.get(key, ()))
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
            insort(times.setdefault(key, []), t_us)
        return list(observations.values()), revisions

    def _state(self, key: SeriesKey, t_us: int, seen: Seen, times: Sequence[int]) -> StreamingQc:
        newest = self._newest.get(key)
        if newest is None:
            newest = self._newest[key] = self._rebuilt(key, None, seen, times)
        if _takes(newest, t_us):
            return newest
        filling = self._filling.get(key)
        if filling is None or not _takes(filling, t_us) or self._overtaken(key, filling, t_us, times):
            filling = self._filling[key] = self._rebuilt(key, t_us, seen, times)
        return filling

    def _overtaken(self, key: SeriesKey, qc: StreamingQc, t_us: int, times: Sequence[int]) -> bool:
        """Say whether something lies between what a state has seen last and a time."""
        last_us = qc.state_time_us
        if last_us is None:
            return True
        if bisect_left(times, t_us) > bisect_right(times, last_us):
            return True
        return bool(self._store.window(key, last_us + 1, t_us, limit=1))

    def _rebuilt(
        self, key: SeriesKey, before_us: int | None, seen: Seen, times: Sequence[int]
    ) -> StreamingQc:
        """Return a state fed with what the store and this call hold before a time, or the store up to now."""
        station = self._region.stations[key.station]
        datastream = station.datastream(key.property)
        if datastream is None:  # the decoder refuses such readings
            raise KeyError(key)
        qc = StreamingQc(datastream.profile())
        end_us = before_us if before_us is not None else self._store.newest_time(key) + 1
        if end_us <= 0:
            return qc
        memory_us = round(qc.memory_s * US_PER_S) + _NEIGHBOURS * round(datastream.interval_s * US_PER_S)
        start_us = end_us - min(memory_us, _ONE_DAY_US * 7)
        known = [*self._store.window(key, start_us, end_us)]
        known += [
            seen[(key, at_us)] for at_us in times[bisect_left(times, start_us) : bisect_left(times, end_us)]
        ]
        for observation in sorted(known, key=_time):
            qc.push(observation.t_us, observation.value)
        return qc


def _time(observation: Observation) -> int:
    return observation.t_us


def _takes(qc: StreamingQc, t_us: int) -> bool:
    return qc.state_time_us is None or t_us > qc.state_time_us


def _flagged(observation: Observation, flag: int, tests: int) -> Observation:
    o = observation
    return Observation(o.key, o.t_us, o.value, flag, tests, o.oid, o.seq, o.received_us, o.late)  # type: ignore[arg-type]
