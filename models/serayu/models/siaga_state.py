"""What the machine of a river post remembers: its limits, its last values, and how to go back to before one."""

from typing import Annotated, NamedTuple

import msgspec

from serayu.models.siaga_forecast import ForecastState
from serayu.models.siaga_levels import Reason, Siaga, SiagaSettings

JOURNAL = 8
"""Newest values that can be taken back; quality control revises the one before the newest."""


class Comparator(msgspec.Struct, omit_defaults=True):
    """State of one limit: active or not, by a good value or not, since when the opposite has been seen."""

    active: bool = False
    verified: bool = False
    above_since_us: int | None = None
    below_since_us: int | None = None
    behind_since_us: int | None = None  # since when the values that came behind newer ones are above

    def step(self, t_us: int, value: float, limit: float, settings: SiagaSettings, *, good: bool) -> None:
        """Take one value; one that is not good keeps an active limit active and verifies nothing."""
        self.behind_since_us = None
        if value > limit:
            self.above_since_us = t_us if self.above_since_us is None else self.above_since_us
            self.below_since_us = None
            self.active = self.active or t_us - self.above_since_us >= settings.min_duration_us
            self.verified = self.active and (self.verified or good)
            return
        self.above_since_us = None
        if not self.active or not good:
            return
        if value > limit - settings.hysteresis_m + 1e-9:  # decimal limits: 5.0 - 0.1 is not quite 4.9
            self.below_since_us = None
            return
        self.below_since_us = t_us if self.below_since_us is None else self.below_since_us
        if t_us - self.below_since_us >= settings.fall_after_us:
            self.active, self.verified, self.below_since_us = False, False, None

    def step_behind(
        self, t_us: int, value: float, limit: float, settings: SiagaSettings, *, good: bool
    ) -> None:
        """Take one value that is older than the newest; it may activate the limit and never leaves it.

        The minimum duration is that of an unbroken run of such values, as a clock that was ahead once or a pack
        that was lost at first gives them. What came in order is neither joined to the run nor changed by it,
        except that a fall which the value interrupts begins anew.
        """
        if value <= limit:
            self.behind_since_us = None
            return
        if self.behind_since_us is None or t_us < self.behind_since_us:
            self.behind_since_us = t_us
        if self.below_since_us is not None and t_us >= self.below_since_us:
            self.below_since_us = None
        self.active = self.active or t_us - self.behind_since_us >= settings.min_duration_us
        self.verified = self.active and (self.verified or good)


class Taken(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value that was taken, and what was known before it."""

    t_us: int
    level_m: float
    good: bool
    last_us: int | None
    limits: list[Comparator]
    rise: Comparator
    rise_rank: int


class SiagaState(msgspec.Struct):
    """All that a machine remembers, JSON-able so that an evaluator survives a restart.

    States of earlier releases lack what came later; its default is that nothing is known of it.
    """

    last_us: int | None = None
    limits: Annotated[list[Comparator], msgspec.Meta(min_length=3, max_length=3)] = msgspec.field(
        default_factory=lambda: [Comparator() for _ in range(3)]
    )
    rise: Comparator = msgspec.field(default_factory=Comparator)
    rise_rank: int = 0
    recent: list[tuple[int, float]] = msgspec.field(default_factory=list)
    journal: list[Taken] = msgspec.field(default_factory=list)
    good_us: int | None = None  # newest good value
    held_us: int | None = None  # newest word of a source that stands in for the post
    raised_us: int | None = None  # when the level last rose
    forecast: ForecastState = msgspec.field(default_factory=ForecastState)


class Standing(NamedTuple):
    """What holds at one moment."""

    level: Siaga
    threshold_rank: int
    rise_rank: int
    verified: bool

    @property
    def reason(self) -> Reason:
        """The strongest word behind the level: a limit exceeded, a rise, a forecast."""
        if self.threshold_rank == self.level.rank:
            return Reason.THRESHOLD
        return Reason.RATE_OF_RISE if self.rise_rank == self.level.rank else Reason.FORECAST


def latest(t_us: int | None) -> int:
    """Return a time, or one before all others."""
    return -(2**62) if t_us is None else t_us


def state_before(failed: Taken, now: SiagaState, place: int) -> SiagaState:
    """Return the state before a value of the journal; the window of the slope loses it and what came after."""
    undone = {taken.t_us for taken in now.journal[place:]}
    return SiagaState(
        last_us=failed.last_us,
        limits=[msgspec.structs.replace(comparator) for comparator in failed.limits],
        rise=msgspec.structs.replace(failed.rise),
        rise_rank=failed.rise_rank,
        recent=[sample for sample in now.recent if sample[0] not in undone],
        journal=now.journal[:place],
        good_us=_good_before(failed, now, place),
        held_us=now.held_us,
        raised_us=now.raised_us,
        forecast=now.forecast.without(failed.t_us),
    )


def _good_before(failed: Taken, now: SiagaState, place: int) -> int | None:
    """Return the newest good value before the journal's place, as far as it is known."""
    if now.good_us is not None and now.good_us < failed.t_us:
        return now.good_us
    good = [taken.t_us for taken in now.journal[:place] if taken.good]
    return max(good, default=failed.last_us)
