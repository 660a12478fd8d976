"""When a value may be shown as the present one: the api and the retained ``latest`` ask the same predicate."""

import math

import pytest

from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import why_absent
from serayu.models.station import Datastream
from serayu.models.times import US_PER_S

GOOD, NOT_EVALUATED, SUSPECT = QualityFlag.GOOD, QualityFlag.NOT_EVALUATED, QualityFlag.SUSPECT
FAIL, MISSING = QualityFlag.FAIL, QualityFlag.MISSING


@pytest.mark.parametrize(
    ("flag", "value", "stale", "reason"),
    [
        (GOOD, 1.0, False, None),
        (GOOD, 0.0, False, None),
        (SUSPECT, 1.0, False, None),
        (NOT_EVALUATED, 1.0, False, None),
        (GOOD, 1.0, True, "stale"),
        (SUSPECT, 1.0, True, "stale"),
        (FAIL, 1.0, False, "failed"),
        (FAIL, 1.0, True, "failed"),
        (FAIL, math.nan, False, "failed"),
        (MISSING, 1.0, False, "missing"),
        (MISSING, None, True, "missing"),
        (GOOD, None, False, "missing"),
        (GOOD, math.nan, False, "missing"),
        (GOOD, math.inf, False, "missing"),
        (None, None, True, "no_data"),
        (None, None, False, "no_data"),
    ],
)
def test_a_value_is_shown_only_when_it_is_there_fresh_and_not_failed(
    flag: QualityFlag | None,
    value: float | None,
    stale: bool,  # noqa: FBT001 -- a table's column
    reason: str | None,
) -> None:
    assert why_absent(flag, value, stale=stale) == reason


@pytest.mark.parametrize(
    ("datastream", "silent_s", "stale"),
    [
        (Datastream("stage", interval_s=60.0), 300, False),  # at least five minutes
        (Datastream("stage", interval_s=60.0), 300.000001, True),
        (Datastream("stage", interval_s=600.0), 1800, False),  # three intervals
        (Datastream("stage", interval_s=600.0), 1800.000001, True),
        (Datastream("stage", stale_after_s=10.0), 10, False),
        (Datastream("stage", stale_after_s=10.0), 10.000001, True),
        (Datastream("stage"), -3600, False),  # a device whose clock runs ahead
    ],
)
def test_a_datastream_is_stale_after_its_silence(
    datastream: Datastream,
    silent_s: float,
    stale: bool,  # noqa: FBT001 -- a table's column
) -> None:
    now_us = 1_800_000_000 * US_PER_S
    assert datastream.is_stale(now_us - round(silent_s * US_PER_S), now_us=now_us) is stale


def test_a_datastream_that_never_spoke_is_stale() -> None:
    assert Datastream("stage").is_stale(None, now_us=0)
