"""What a forecast in a replay may look back on: the replay's own values, and before them what is stored."""

from collections.abc import Sequence
from pathlib import Path

from serayu.models.flood.stored import StoredValues
from serayu.models.reading import SeriesKey
from serayu.models.stores.hot import HotStore


class WithPast:
    """Values of a replay's store, and before its first value those of the store that is replayed.

    Parameters
    ----------
    store
        The replay's own.
    file
        The hot store that is replayed; only read.
    first_us
        First value of the replay, microseconds UTC.
    """

    def __init__(self, store: StoredValues, file: Path, *, first_us: int) -> None:
        self._store = store
        self._file = file
        self._first_us = first_us

    def values(self, key: SeriesKey, start_us: int, end_us: int) -> Sequence[tuple[int, float | None, int]]:
        """Return time, value and flag of the observations with ``start_us <= t < end_us`` in order of time."""
        past: list[tuple[int, float | None, int]] = []
        if start_us < self._first_us:
            with HotStore(self._file) as stored:
                past = stored.values(key, start_us, min(end_us, self._first_us))
        return [*past, *self._store.values(key, max(start_us, self._first_us), end_us)]
