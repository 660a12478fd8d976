"""The highest water level of an alert's time: what people ask about a flood that is over."""

import math

import msgspec

from serayu.models.alert import Alert
from serayu.models.ports import ObservationReader
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import SeriesKey
from serayu.models.times import US_PER_HOUR, rfc3339

__all__ = ["Peak", "peak_of"]

STAGE = "stage"


class Peak(msgspec.Struct, frozen=True):
    """The highest stored water level that did not fail its tests, metres above the post's datum.

    Parameters
    ----------
    level_m, time
        The level, and when it was reached for the first time.
    flag_name
        ``good``, ``unknown`` or ``suspect``.
    """

    level_m: float
    time: str
    flag_name: str


def peak_of(store: ObservationReader, alert: Alert, *, now_us: int) -> Peak | None:
    """Return the peak between an alert's opening and its end, or the present while it is active.

    The level of no change is the peak: changes are where limits are crossed. None where the store has no usable
    value of that time (any more).
    """
    key = SeriesKey(alert.region, alert.station, STAGE)
    start_us = alert.opened_us
    end_us = (alert.ended_us if alert.ended_us is not None else max(now_us, alert.updated_us)) + 1
    hours = store.aggregate(key, start_us, end_us, step_us=US_PER_HOUR)
    if not hours:
        return None
    # max() takes the first of equals, so the time is that of the first such value.
    best = max(hours, key=lambda bucket: -math.inf if bucket.maximum is None else bucket.maximum)
    first_us, last_us = max(best.start_us, start_us), min(best.start_us + US_PER_HOUR, end_us)
    for observation in store.window(key, first_us, last_us):
        usable = observation.flag not in (QualityFlag.FAIL, QualityFlag.MISSING)
        if usable and observation.value == best.maximum:
            return Peak(observation.value, rfc3339(observation.t_us), observation.flag.name.lower())
    return None  # the value failed its tests between the two looks
