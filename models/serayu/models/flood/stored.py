"""Series of the hot store as the flood methods take them."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from serayu.models.flood.series import Series
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import SeriesKey

__all__ = ["StoredValues", "stored_series"]

_DISTRUSTED = (int(QualityFlag.FAIL), int(QualityFlag.MISSING))


class StoredValues(Protocol):
    """What is asked of the hot store."""

    def values(self, key: SeriesKey, start_us: int, end_us: int) -> Sequence[tuple[int, float | None, int]]:
        """Return time, value and flag of the observations with ``start_us <= t < end_us`` in order of time."""
        ...


def stored_series(store: StoredValues, key: SeriesKey, start_us: int, end_us: int) -> Series:
    """Return what a store holds of a datastream with ``start_us <= t < end_us``.

    Values that failed their tests are distrusted. Suspect ones are not: quality control of the methods judges them
    again, because a flash flood is suspect at first.
    """
    rows = store.values(key, start_us, end_us)
    return Series(
        time_us=np.array([row[0] for row in rows], dtype=np.int64),
        value=np.array([np.nan if row[1] is None else row[1] for row in rows], dtype=np.float64),
        flagged=np.array([row[2] in _DISTRUSTED for row in rows], dtype=np.bool_),
    )
