"""An observation store in memory: for tests and trials, with the behaviour of the durable ones."""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence

import msgspec

from serayu.models.ports import Latest, Refusal
from serayu.models.reading import Bucket, Observation, SeriesKey
from serayu.models.stores.trend import TREND_AT_MOST_US, TREND_OVER_US, same_value, trend_per_h, usable


class MemoryStore:
    """Observations in dictionaries: `ObservationReader` and `ObservationWriter` for one thread."""

    def __init__(self) -> None:
        self._series: dict[SeriesKey, dict[int, Observation]] = {}
        self._times: dict[SeriesKey, list[int]] = {}

    def write(self, observations: Sequence[Observation]) -> Sequence[Refusal]:
        """Store observations, all but those returned."""
        refusals = []
        for observation in observations:
            reason = self._put(observation)
            if reason is not None:
                refusals.append(Refusal(observation, reason))
        return refusals

    def _put(self, observation: Observation) -> str | None:
        if math.isinf(observation.value):
            return "the value is infinite"
        series = self._series.setdefault(observation.key, {})
        times = self._times.setdefault(observation.key, [])
        stored = series.get(observation.t_us)
        if stored is None:
            times.insert(bisect_left(times, observation.t_us), observation.t_us)
            series[observation.t_us] = observation
        elif not same_value(stored.value, observation.value):
            return f"{stored.value!r} is stored for this time"
        else:
            flag, tests = observation.flag, observation.tests
            series[observation.t_us] = msgspec.structs.replace(stored, flag=flag, tests=tests)
        return None

    def window(
        self, key: SeriesKey, start_us: int, end_us: int, *, limit: int | None = None
    ) -> Sequence[Observation]:
        """Return the observations with ``start_us <= t < end_us`` in order of time, at most *limit*."""
        if limit is not None and limit < 0:
            raise ValueError(f"limit must not be negative, got {limit}")
        return list(self._between(key, start_us, end_us))[:limit]

    def latest(self, region: str | None = None) -> Sequence[Latest]:
        """Return the last observation of every datastream with its trend, in order of key."""
        keys = sorted(key for key in self._series if region in (None, key.region))
        return [self._latest(key) for key in keys]

    def aggregate(self, key: SeriesKey, start_us: int, end_us: int, *, step_us: int) -> Sequence[Bucket]:
        """Return buckets aligned to multiples of *step_us*."""
        if step_us <= 0:
            raise ValueError(f"step_us must be positive, got {step_us}")
        values: dict[int, list[float]] = {}
        for observation in self._between(key, start_us, end_us):
            if usable(observation):
                values.setdefault(observation.t_us - observation.t_us % step_us, []).append(observation.value)
        return [
            Bucket(start, len(found), sum(found) / len(found), min(found), max(found), sum(found))
            for start, found in values.items()
        ]

    def _between(self, key: SeriesKey, start_us: int, end_us: int) -> Iterator[Observation]:
        times = self._times.get(key, [])
        series = self._series.get(key, {})
        return (series[t_us] for t_us in times[bisect_left(times, start_us) : bisect_left(times, end_us)])

    def _latest(self, key: SeriesKey) -> Latest:
        last = self._series[key][self._times[key][-1]]
        if not usable(last):
            return Latest(last, None)
        window = self._between(key, last.t_us - TREND_AT_MOST_US, last.t_us - TREND_OVER_US + 1)
        before = [observation for observation in window if usable(observation)]
        return Latest(last, trend_per_h(last, before[-1].t_us, before[-1].value) if before else None)
