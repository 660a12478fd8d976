"""What arrives in a replay, in the order in which it arrived: from a hot store or from given series."""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from serayu.ingest.decode import Message
from serayu.ingest.pipeline import LATE_AFTER_US
from serayu.models.flood.series import Series
from serayu.models.properties import OBSERVED_PROPERTIES
from serayu.models.reading import Observation, SeriesKey
from serayu.models.region import Region
from serayu.models.senml import SenmlRecord, encode_pack, seconds
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_transaction import FILL_OID
from serayu.models.topics import topic
from serayu.standalone.replay.clock import Mode


class Batch(NamedTuple):
    """Messages that arrived at one time, microseconds UTC."""

    received_us: int
    messages: Sequence[Message]


def stored(store: HotStore, region: Region, start_us: int, end_us: int) -> list[Observation]:
    """Return what a hot store holds of a region's stations with ``start_us <= t < end_us``, in order of arrival.

    Readings of one station go in the order in which it numbered them, as its agent sends them.
    """
    keys = [key for key in store.series() if _known(region, key)]
    found = [one for key in keys for one in store.window(key, start_us, end_us) if one.value == one.value]
    found.sort(key=lambda one: (one.received_us, one.key.station, one.oid, one.seq, one.t_us))
    return found


def mode_of(observations: Sequence[Observation]) -> Mode:
    """Say on which clock a period was lived through: the system's where most values arrived within half an hour."""
    if not observations:
        return "system"
    ages = (abs(one.received_us - one.t_us) for one in observations)
    return "system" if statistics.median(ages) <= LATE_AFTER_US else "replay"


def batches_of_stored(observations: Iterable[Observation]) -> Iterator[Batch]:
    """Yield the batches of stored observations; what ingest committed at once has one time of arrival.

    Quality flags are not taken over: quality control runs again.
    """
    for received_us, group in groupby(observations, key=lambda one: one.received_us):
        messages = [_message(one.key, one.t_us, one.value, one.oid, one.seq, received_us) for one in group]
        yield Batch(received_us, messages)


def batches_of_given(series: Mapping[SeriesKey, Series]) -> Iterator[Batch]:
    """Yield the batches of given series: each value arrives when it was measured.

    Of values with one time the first counts, as in ingest. Missing values, which no station sends, are left out;
    flags of the agency are not looked at, because a live system would not have had them.
    """
    keys = list(series)
    which = np.concatenate(
        [np.full(len(series[key]), place) for place, key in enumerate(keys)] or [np.zeros(0)]
    )
    times = np.concatenate([series[key].time_us for key in keys] or [np.zeros(0, np.int64)])
    values = np.concatenate([series[key].value for key in keys] or [np.zeros(0)])
    order = np.lexsort((which, times))
    rows = ((int(times[at]), keys[int(which[at])], float(values[at]), int(at)) for at in order)
    for t_us, group in groupby(rows, key=lambda row: row[0]):
        messages = [
            _message(key, t_us, value, f"{FILL_OID}given", at, t_us)
            for _, key, value, at in group
            if value == value  # noqa: PLR0124 -- NaN
        ]
        if messages:
            yield Batch(t_us, messages)


def _known(region: Region, key: SeriesKey) -> bool:
    station = region.stations.get(key.station)
    return key.region == region.code and station is not None and station.datastream(key.property) is not None


def _message(key: SeriesKey, t_us: int, value: float, oid: str, seq: int, received_us: int) -> Message:
    record = SenmlRecord(
        n="/".join(key),
        u=OBSERVED_PROPERTIES[key.property].unit,
        t=seconds(t_us),
        v=value,
        oid=oid or f"{FILL_OID}stored",
        seq=seq if oid else t_us,
    )
    return Message(topic(*key), encode_pack([record]), received_us)
