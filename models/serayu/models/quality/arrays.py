"""What the vectorised tests share: values, times and flags as arrays, checked once (numpy)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from serayu.models.quality.flags import QualityFlag
from serayu.models.quality.profile import as_number, check_ordered

Flags = npt.NDArray[np.uint8]
Values = npt.ArrayLike | Sequence[float | None]

GOOD = np.uint8(QualityFlag.GOOD)
NOT_EVALUATED = np.uint8(QualityFlag.NOT_EVALUATED)
SUSPECT = np.uint8(QualityFlag.SUSPECT)
FAIL = np.uint8(QualityFlag.FAIL)
MISSING = np.uint8(QualityFlag.MISSING)
US_PER_S = 1_000_000


def as_values(values: Values) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return values as floats with NaN for every missing one, and where those are."""
    if isinstance(values, np.ma.MaskedArray):
        array = np.ma.filled(values.astype(np.float64), np.nan)
    else:
        array = np.array(values, dtype=np.float64)  # None becomes NaN
    missing = ~np.isfinite(array)
    array[missing] = np.nan
    return array, missing


def as_times(times: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return times as integer microseconds since 1970, and where they are missing."""
    array = np.asarray(times)
    check_one_dimensional("times", array)
    if array.dtype.kind in "MU":
        moments = array.astype("datetime64[us]")
        return moments.view(np.int64), np.isnat(moments)
    seconds = array.astype(np.float64)
    missing = ~np.isfinite(seconds)
    # A float of seconds since 1970 is exact to a quarter of a microsecond until 2100: rounding recovers the
    # integer.
    return np.rint(np.where(missing, 0.0, seconds) * US_PER_S).astype(np.int64), missing


def as_series(
    values: Values, times_s: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Return values, where they are missing, and their times in microseconds, checked against one another."""
    array, missing = as_values(values)
    check_one_dimensional("values", array)
    t_us, unknown = as_times(times_s)
    if array.shape != t_us.shape:
        raise ValueError(f"values {array.shape} and times {t_us.shape} differ in shape")
    if np.any(unknown):
        raise ValueError(f"times_s: row {int(np.argmax(unknown))} is missing")
    late = np.diff(t_us) <= 0
    if np.any(late):
        raise ValueError(f"times_s: row {int(np.argmax(late)) + 1} is not after row {int(np.argmax(late))}")
    return array, missing, t_us


def check_one_dimensional(name: str, array: npt.NDArray[Any]) -> None:
    """Refuse an array that is no series.

    Raises
    ------
    ValueError
        Its shape is not (n,); the message names the array and its shape.
    """
    if array.ndim != 1:
        raise ValueError(f"{name}: expected shape (n,), got {array.shape}")


def check_limits(low_name: str, low: float | None, high_name: str, high: float | None) -> None:
    """Refuse thresholds that are negative or in the wrong order; ``None`` is no threshold.

    Raises
    ------
    ValueError
        They are; the message names them.
    """
    for name, limit in ((low_name, low), (high_name, high)):
        if limit is not None and as_number(name, limit) < 0:
            raise ValueError(f"{name}: must not be negative, got {limit:g}")
    check_ordered(low_name, low, high_name, high)


def graded(
    measure: npt.NDArray[np.float64],
    missing: npt.NDArray[np.bool_],
    suspect: float | None,
    fail: float | None,
) -> Flags:
    """Flag 3 and 4 where a measure exceeds its limits (a NaN exceeds none), 9 where the value is missing."""
    flags = np.full(measure.shape, GOOD)
    if suspect is not None:
        flags[measure > suspect] = SUSPECT
    if fail is not None:
        flags[measure > fail] = FAIL
    flags[missing] = MISSING
    return flags
