"""An outlook: what the forecast of one post says at one moment, for every level at once.

It feeds the Siaga machine (`serayu.models.siaga.SiagaMachine.foresee`), is kept in the register, and becomes the
`Foreseen` of a bulletin. Only forecasts with skill over persistence get here.
"""

import itertools
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec

from serayu.models.siaga_forecast import LEVELS, Decision, ForecastPolicy, RuleMemory
from serayu.models.siaga_levels import Siaga
from serayu.models.warning.bulletin import Foreseen


class OutlookStep(msgspec.Struct, frozen=True):
    """The forecast at one horizon.

    Parameters
    ----------
    horizon_h
        Hours ahead.
    level_m, low_m, high_m
        Median and 10-90 % band, metres above the datum.
    method
        Name of the method at this horizon.
    skill
        Persistence index on storms that it was not fitted on; None where nobody computed it.
    """

    horizon_h: float
    level_m: float
    low_m: float
    high_m: float
    method: str
    skill: float | None = None


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """The forecast of one post.

    Parameters
    ----------
    region, station
        The post.
    issued_us
        Newest value that it knew, microseconds UTC.
    steps
        Horizons that are shown, ascending; at least one.
    probability
        Of passing the limit of waspada, siaga and awas within the lead time, 0-1; None where it does not say.
    crossing_us
        When the median passes each of these limits; None where it does not.
    policy
        Which probabilities raise a level and which let it go: tuned with the model.
    without
        Inputs that were missing: station ids.
    """

    region: str
    station: str
    issued_us: int
    steps: tuple[OutlookStep, ...]
    probability: tuple[float | None, float | None, float | None]
    crossing_us: tuple[int | None, int | None, int | None] = (None, None, None)
    policy: ForecastPolicy = ForecastPolicy()
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("an outlook has at least one horizon")

    def foreseen(self, level: Siaga) -> Foreseen | None:
        """Return what a bulletin of a level shows: the last horizon with the level's probability and crossing.

        None for normal, and where the forecast does not say how likely the level is.
        """
        if level is Siaga.NORMAL:
            return None
        probability, last = self.probability[level.rank - 1], self.steps[-1]
        if probability is None:
            return None
        return Foreseen(
            issued_us=self.issued_us,
            horizon_h=last.horizon_h,
            level_m=last.level_m,
            low_m=last.low_m,
            high_m=last.high_m,
            probability=probability,
            crossing_us=self.crossing_us[level.rank - 1],
            method=last.method,
            skill=last.skill,
            without=self.without,
        )


class ForecastSource(Protocol):
    """Whatever can forecast a post from what has been received."""

    def forecast(self, station: str, now_us: int) -> Outlook | None:
        """Return the outlook of a post from what was received by *now_us*; None where it cannot be said."""
        ...


@runtime_checkable
class TunedRules(Protocol):
    """A source whose models have tuned rules of their own: these decide, in place of the outlook's policy."""

    def decide(self, outlook: Outlook, memory: Sequence[RuleMemory]) -> Decision | None:
        """Return what the tuned rule of the post's model decides; None where the outlook's policy is to decide.

        Parameters
        ----------
        outlook
            The newest that `forecast` gave for the post.
        memory
            What the rule remembers: ``Decision.memory`` of the time before, empty at first. Not changed.
        """
        ...


def crossings(
    issued_us: int, now_m: float, steps: Sequence[tuple[int, float]], limits_m: Sequence[float]
) -> tuple[int | None, int | None, int | None]:
    """Return when the median passes each limit, linear between the horizons; None where it does not.

    Parameters
    ----------
    issued_us, now_m
        Time, microseconds UTC, and level, m, of the newest value.
    steps
        (time, median level) at each horizon, ascending.
    limits_m
        What the level must be above, of waspada, siaga and awas.
    """
    if len(limits_m) != LEVELS:
        raise ValueError(f"expected {LEVELS} limits, got {len(limits_m)}")
    first, second, third = (_crossing([(issued_us, now_m), *steps], limit) for limit in limits_m)
    return first, second, third


def _crossing(points: Sequence[tuple[int, float]], limit_m: float) -> int | None:
    for (t0, low), (t1, high) in itertools.pairwise(points):
        if low <= limit_m < high:
            return round(t0 + (t1 - t0) * (limit_m - low) / (high - low))
    return None
