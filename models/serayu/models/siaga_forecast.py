"""Levels that a forecast brings about: hysteresis in probability, and what is remembered of it."""

import math
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec

LEVELS = 3
"""Waspada, siaga and awas, in this order, wherever there is one number per level."""


class ForecastPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which probability on a level is foreseen, and below which it is not any more.

    The numbers belong to a fitted model and are tuned with it, for a stated cost of a miss against a false alarm; those
    here stand until then [project proposal].

    Parameters
    ----------
    on, off
        Probability of passing the limit of waspada, siaga and awas within the lead time, each 0-1 and ``off <= on``.
        An ``on`` above 1 switches the level off.
    """

    on: tuple[float, float, float] = (0.5, 0.5, 0.5)
    off: tuple[float, float, float] = (0.3, 0.3, 0.3)

    def __post_init__(self) -> None:
        for on, off in zip(self.on, self.off, strict=True):
            if not 0.0 <= off <= on:
                raise ValueError(f"expected 0 <= off <= on, not {off} and {on}")


class Likely(msgspec.Struct, omit_defaults=True):
    """State of one level: foreseen or not, since when, and since when the forecasts say otherwise."""

    active: bool = False
    since_us: int | None = None
    below_since_us: int | None = None

    def step(self, t_us: int, probability: float, *, on: float, off: float, fall_after_us: int) -> None:
        """Take the probability of one forecast; between the two thresholds nothing changes."""
        if probability >= on:
            if not self.active:
                self.active, self.since_us = True, t_us
            self.below_since_us = None
            return
        if not self.active or probability >= off:
            self.below_since_us = None
            return
        self.below_since_us = t_us if self.below_since_us is None else self.below_since_us
        if t_us - self.below_since_us >= fall_after_us:
            self.active, self.since_us, self.below_since_us = False, None, None


def _nothing_likely() -> list[Likely]:
    return [Likely() for _ in range(LEVELS)]


RuleMemory = dict[str, int | bool | None]
"""What a tuned warning rule remembers of one level, as plain values."""


class Decision(NamedTuple):
    """What the tuned rule of a fitted model decides, in place of a `ForecastPolicy`.

    Parameters
    ----------
    foreseen
        Whether a warning of waspada, siaga and awas is in force.
    memory
        What the rule of each level remembers from now on.
    """

    foreseen: tuple[bool, bool, bool]
    memory: list[RuleMemory]


class ForecastState(msgspec.Struct, omit_defaults=True):
    """What a machine remembers of the forecasts: when the newest was issued, and what is foreseen.

    ``rules`` is the memory of the tuned rules of a fitted model; empty before their first decision.
    """

    issued_us: int | None = None
    likely: Annotated[list[Likely], msgspec.Meta(min_length=LEVELS, max_length=LEVELS)] = msgspec.field(
        default_factory=_nothing_likely
    )
    rules: list[RuleMemory] = []

    @property
    def rank(self) -> int:
        """Rank of the highest level that is foreseen."""
        return max((rank for rank, one in enumerate(self.likely, start=1) if one.active), default=0)

    def step(
        self, t_us: int, probabilities: Sequence[float | None], policy: ForecastPolicy, *, fall_after_us: int
    ) -> bool:
        """Take one forecast; False where it is not newer than the last one and is passed over."""
        if self.issued_us is not None and t_us <= self.issued_us:
            return False
        self.issued_us = t_us
        for one, p, on, off in zip(self.likely, nested(probabilities), policy.on, policy.off, strict=True):
            # A level of which the forecast says nothing any more is not held by what it says of the others.
            one.step(t_us, 0.0 if p is None else p, on=on, off=off, fall_after_us=fall_after_us)
        return True

    def decide(self, t_us: int, decision: Decision, *, crossing: Sequence[bool]) -> bool:
        """Take what a tuned rule decided at one time; False where it is not newer and is passed over.

        Parameters
        ----------
        crossing
            Levels whose limit is passed by the newest value but not yet for long enough to be measured: a warning
            ends at the crossing, and what it foresaw stands until the measured level takes over.
        """
        if self.issued_us is not None and t_us <= self.issued_us:
            return False
        self.issued_us, self.rules = t_us, decision.memory
        for one, foreseen, passing in zip(self.likely, decision.foreseen, crossing, strict=True):
            active = foreseen or (one.active and passing)
            if active and not one.active:
                one.since_us = t_us
            one.active, one.below_since_us = active, None
            if not active:
                one.since_us = None
        return True

    def clear(self) -> None:
        """Forget what is foreseen."""
        self.likely = _nothing_likely()
        self.rules = []

    def without(self, t_us: int) -> "ForecastState":
        """Return the state without what was foreseen at a time or later: it may rest on a value that has failed."""
        likely = [
            Likely() if one.since_us is not None and one.since_us >= t_us else msgspec.structs.replace(one)
            for one in self.likely
        ]
        failed = any(one.active and not kept.active for one, kept in zip(self.likely, likely, strict=True))
        return ForecastState(self.issued_us, likely, [] if failed else self.rules)


def nested(probabilities: Sequence[float | None]) -> list[float | None]:
    """Return the probabilities so that a lower limit is never less likely than a higher one.

    Parameters
    ----------
    probabilities
        Of waspada, siaga and awas, 0-1; None or NaN where the forecast does not say, which stays unknown.

    Raises
    ------
    ValueError
        Not three, or one outside 0-1.

    Examples
    --------
    >>> nested([0.2, 0.3, None])
    [0.3, 0.3, None]
    """
    if len(probabilities) != LEVELS:
        raise ValueError(f"expected {LEVELS} probabilities, got {len(probabilities)}")
    known: list[float | None] = []
    least = 0.0
    for p in reversed(probabilities):
        if p is None or math.isnan(p):
            known.append(None)
            continue
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"a probability lies between 0 and 1, not at {p}")
        least = max(least, p)
        known.append(least)
    return known[::-1]
