"""A reading is a value as sent; an observation is that value after quality control."""

import math
from typing import Literal, NamedTuple

import msgspec

from serayu.models.quality.flags import QualityFlag


class SeriesKey(NamedTuple):
    """Name of a datastream: one property at one station of one region."""

    region: str
    station: str
    property: str


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A value as a station sent it, in the property's canonical unit.

    Parameters
    ----------
    key
        The datastream.
    t_us
        Phenomenon time, microseconds UTC.
    value
        Finite number in the canonical unit of the property.
    oid
        Random identity of the outbox that accepted the reading.
    seq
        Running number within that outbox, from 1; (station, oid, seq) names the reading for ever.
    clock_ok
        False where the device had no good clock and ingest assigned ``t_us`` from the device's monotonic age.
    """

    key: SeriesKey
    t_us: int
    value: float
    oid: str
    seq: int
    clock_ok: bool = True

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"expected a finite value, not {self.value!r}")


class Observation(msgspec.Struct, frozen=True, gc=False):
    """A reading after quality control.

    Parameters
    ----------
    key, t_us, value, oid, seq
        As in `Reading`; a store without identities leaves ``oid`` empty and ``seq`` 0.
    flag
        QARTOD flag 1, 2, 3, 4 or 9.
    tests
        Bits of the tests that were not passed, see ``serayu.models.quality``.
    received_us
        When ingest received it (result time), microseconds UTC.
    late
        True where it came too late to raise an alert.
    """

    key: SeriesKey
    t_us: int
    value: float
    flag: QualityFlag = QualityFlag.GOOD
    tests: int = 0
    oid: str = ""
    seq: int = 0
    received_us: int = 0
    late: bool = False


Absence = Literal["no_data", "failed", "missing", "stale"]


def why_absent(flag: QualityFlag | None, value: float | None, *, stale: bool) -> Absence | None:
    """Return why a datastream's last value may not be shown as the present one; None where it may.

    Parameters
    ----------
    flag
        Of the last observation, None before the first.
    value
        Of the last observation; None, NaN and infinity are no value.
    stale
        Whether the datastream has been silent for too long.
    """
    if flag is None:
        return "no_data"
    if flag is QualityFlag.FAIL:
        return "failed"
    if flag is QualityFlag.MISSING or value is None or not math.isfinite(value):
        return "missing"
    return "stale" if stale else None


class Bucket(msgspec.Struct, frozen=True):
    """Aggregate of one interval of a datastream, over values whose flag is neither fail nor missing."""

    start_us: int
    count: int
    mean: float | None
    minimum: float | None
    maximum: float | None
    total: float
