"""What every observation store agrees on: which values count, and how a trend is computed."""

import math

from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE

TREND_OVER_US = 30 * US_PER_MINUTE
"""A trend compares with the last usable value at least this much earlier, so that ripples cancel."""
TREND_AT_MOST_US = 3 * US_PER_HOUR
"""An older value says nothing about the present change."""
UNUSABLE = frozenset({QualityFlag.FAIL, QualityFlag.MISSING})


def same_value(one: float, other: float) -> bool:
    """Say whether two values are the same; NaN is the same as NaN."""
    return one == other or (math.isnan(one) and math.isnan(other))


def usable(observation: Observation) -> bool:
    """Say whether a value counts in trends and aggregates."""
    return observation.flag not in UNUSABLE and not math.isnan(observation.value)


def trend_per_h(last: Observation, before_us: int, before: float) -> float:
    """Return the change per hour from an earlier value to the last one."""
    return (last.value - before) * US_PER_HOUR / (last.t_us - before_us)
