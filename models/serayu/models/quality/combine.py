"""Flags of several tests as one flag and one mask of reasons per value (numpy)."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from serayu.models.quality.arrays import FAIL, SUSPECT, Flags
from serayu.models.quality.flags import FAIL_SHIFT, PRECEDENCE, QcTest


def aggregate(flag_vectors: Iterable[npt.ArrayLike]) -> Flags:
    """Return, for each value, the flag of highest precedence (low to high 9, 2, 1, 3, 4).

    Parameters
    ----------
    flag_vectors
        At least one array of flags; all have the same shape.

    Raises
    ------
    ValueError
        There is no vector, shapes differ, or a number is not a flag.

    Examples
    --------
    >>> aggregate([[1, 9, 9], [2, 1, 9], [3, 2, 9]]).tolist()
    [3, 1, 9]
    """
    vectors = [np.asarray(vector) for vector in flag_vectors]
    shapes = {vector.shape for vector in vectors}
    if len(shapes) != 1:
        raise ValueError(f"flag_vectors: expected one shape, got {sorted(shapes)}")
    ranks = np.full(vectors[0].shape, -1, dtype=np.int8)
    for vector in vectors:
        rank = np.full(vector.shape, -1, dtype=np.int8)
        for place, flag in enumerate(PRECEDENCE):
            rank[vector == flag] = place
        if np.any(rank < 0):
            raise ValueError(f"flag_vectors: {vector[rank < 0].flat[0]!r} is not a flag")
        ranks = np.maximum(ranks, rank)
    return np.array(PRECEDENCE, dtype=np.uint8)[ranks]


def reasons(tests: Mapping[QcTest, npt.ArrayLike]) -> npt.NDArray[np.uint16]:
    """Return, for each value, the mask of the tests that said suspect or fail (see `flags.reason_names`).

    Parameters
    ----------
    tests
        Flags of each test, as from `run_profile`; at least one.

    Raises
    ------
    ValueError
        There is no test, or shapes differ.
    """
    if not tests:
        raise ValueError("tests: at least one is needed")
    total: npt.NDArray[np.uint16] | None = None
    for test, vector in tests.items():
        flags = np.asarray(vector)
        bits = np.where(flags == SUSPECT, np.uint16(test), np.uint16(0))
        bits |= np.where(flags == FAIL, np.uint16(test << FAIL_SHIFT), np.uint16(0))
        total = bits if total is None else total | bits
    return np.zeros(0, dtype=np.uint16) if total is None else total
