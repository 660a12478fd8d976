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

    ``trend_per_h`` is the change per hour against the last usable value at least 30 min earlier; None where there is
    none within three hours, or where the last value is not usable.
    """

    observation: Observation
    trend_per_h: float | None


class ObservationReader(Protocol):
    """Reads observations."""

    def window(
        self, key: SeriesKey, start_us: int, end_us: int, *, limit: int | None = None
    ) -> Sequence[Observation]:
        """Return the observations with ``start_us <= t < end_us`` in order of time, at most *limit*."""
        ...

    def latest(self, region: str | None = None) -> Sequence[Latest]:
        """Return the last observation of every datastream, of one region or of all, in order of key."""
        ...

    def aggregate(self, key: SeriesKey, start_us: int, end_us: int, *, step_us: int) -> Sequence[Bucket]:
        """Return buckets aligned to multiples of *step_us* since 1970, empty ones left out.

        Values whose flag is fail or missing do not count.
        """
        ...


class ObservationWriter(Protocol):
    """Writes observations; writing the same one again changes nothing."""

    def write(self, observations: Sequence[Observation]) -> Sequence[Refusal]:
        """Store observations, all but those returned.

        Raises
        ------
        StoreUnavailableError
            Nothing is known to be stored; trying again is safe.
        """
        ...


@runtime_checkable
class Notifier(Protocol):
    """Tells somebody something; used for alerts."""

    def notify(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """Hand a message over; at least once is the caller's affair."""
        ...
