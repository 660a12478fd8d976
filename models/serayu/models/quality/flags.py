"""QARTOD flags, the tests that set them, and how several become one.

Flag values and precedence: IOOS QARTOD (Manual for Real-Time Oceanographic Data Quality Control Flags, 2017),
in the order that ioos_qc 3.0.0 applies: from low to high 9, 2, 1, 3, 4.
"""

import enum
from collections.abc import Iterable


class QualityFlag(enum.IntEnum):
    """Quality of one value."""

    GOOD = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


PRECEDENCE: tuple[QualityFlag, ...] = (
    QualityFlag.MISSING,
    QualityFlag.NOT_EVALUATED,
    QualityFlag.GOOD,
    QualityFlag.SUSPECT,
    QualityFlag.FAIL,
)
"""Low to high: an aggregate is the highest flag that any test gave."""

_RANK = {flag: rank for rank, flag in enumerate(PRECEDENCE)}


class QcTest(enum.IntEnum):
    """The tests; each value is the test's bit in a mask of reasons."""

    GROSS_RANGE = 1
    RATE_OF_CHANGE = 2
    SPIKE = 4
    FLAT_LINE = 8
    TIME_GAP = 16
    CLIMATOLOGY = 32

    @property
    def slug(self) -> str:
        """The name in interfaces and stores: lower case with underscores."""
        return self.name.lower()


FAIL_SHIFT = 8
"""A mask of reasons has the tests that said suspect in its low byte and those that said fail in the next."""

_SUSPECT_BYTE = 0xFF


def worst(flags: Iterable[int]) -> QualityFlag:
    """Return the flag of highest precedence; no flags at all are ``NOT_EVALUATED``.

    Raises
    ------
    ValueError
        A number is not a flag.

    Examples
    --------
    >>> worst([1, 9, 3]).name
    'SUSPECT'
    """
    return max(
        (QualityFlag(flag) for flag in flags), key=_RANK.__getitem__, default=QualityFlag.NOT_EVALUATED
    )


def reason_names(tests: int) -> tuple[str, ...]:
    """Return the names of the tests that said suspect or fail.

    Parameters
    ----------
    tests
        Mask of reasons, as in ``QcResult.tests``.

    Examples
    --------
    >>> reason_names(QcTest.RATE_OF_CHANGE | QcTest.SPIKE << FAIL_SHIFT)
    ('rate_of_change', 'spike')
    """
    said = (tests | tests >> FAIL_SHIFT) & _SUSPECT_BYTE
    return tuple(test.slug for test in QcTest if said & test)


def failure_names(tests: int) -> tuple[str, ...]:
    """Return the names of the tests that said fail, a subset of `reason_names`.

    Examples
    --------
    >>> failure_names(QcTest.RATE_OF_CHANGE | QcTest.SPIKE << FAIL_SHIFT)
    ('spike',)
    """
    return reason_names(tests >> FAIL_SHIFT << FAIL_SHIFT)
