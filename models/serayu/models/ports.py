"""The replaceable parts: protocols of one to three methods; every adapter passes the port's contract test."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from serayu.models.reading import Bucket, Observation, SeriesKey


class Refusal(NamedTuple):
    """An observation that a store will never take, and why."""

    observation: Observation
    reason: str


class Latest(NamedTuple):
    """Last observation of a datastream, with the trend that leads to it.

    The observation may lack its identity (``oid`` empty, ``seq`` 0): stores that keep a table of the latest
    do not keep it there.

    ``trend_per_h`` is the change per hour against the last usable value at least 30 min earlier; None where
    there is none within three hours, or where the last value is not usable.
    """

    observation: Observation
    trend_per_h: float | None


class ObservationReader(Protocol):
    """Reads observations."""

    def window(
        self, key: SeriesKey, start_us: int, end_us: int, *, limit: int | None = None
    ) -> Sequence[Observation]:
        """Return the observations with ``start_us <= t < end_us`` in order of time, at most *limit*.

        Raises
        ------
        ValueError
            A negative limit.
        """
        ...

    def latest(self, region: str | None = None) -> Sequence[Latest]:
        """Return the last observation of every datastream, of one region or of all, in order of key."""
        ...

    def aggregate(self, key: SeriesKey, start_us: int, end_us: int, *, step_us: int) -> Sequence[Bucket]:
        """Return buckets aligned to multiples of *step_us* since 1970, empty ones left out.

        Values whose flag is fail or missing do not count, nor does NaN. Only times in ``start_us <= t <
        end_us`` count; the first bucket may begin before.

        Raises
        ------
        ValueError
            A step that is not positive.
        """
        ...


class ObservationWriter(Protocol):
    """Writes observations; writing the same one again changes nothing.

    What is stored for a datastream and time can be given another flag and mask of reasons: writing it with
    them replaces them. Another *value* is an error of whoever sends it: stores that look before they write
    (memory, SQLite) refuse it, those that do not (InfluxDB) take the newer one. So a store of the second kind
    stands behind one of the first, never alone.
    """

    def write(self, observations: Sequence[Observation]) -> Sequence[Refusal]:
        """Store observations, all but those returned, in their order.

        An infinite value is refused; NaN is a missing value and is stored as such.

        Raises
        ------
        StoreUnavailableError
            Nothing is known to be stored; writing all of it again is safe.
        """
        ...


@runtime_checkable
class Notifier(Protocol):
    """Tells somebody something; used for alerts."""

    def notify(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """Hand a message over; at least once is the caller's affair."""
        ...
