"""A made-up sensor: a daily wave with a random walk, the same for the same seed. Its values are invented."""

import math
import random
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from serayu.edge.drivers.driver import Sample, Setup
from serayu.models.properties import observed_property
from serayu.models.times import US_PER_S


class SimulatedOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shape of the invented series.

    Parameters
    ----------
    mean, amplitude, period_s
        A sine about ``mean``.
    step
        Standard deviation of one step of the random walk, which falls back to the sine.
    minimum, maximum
        Values are kept within.
    seed
        Start of the random walk; the station's and property's names go into it too.
    decimals
        Decimals of a value; by default those worth showing.
    """

    mean: float = 1.0
    amplitude: float = 0.0
    period_s: float = 86_400.0
    step: float = 0.0
    minimum: float = -math.inf
    maximum: float = math.inf
    seed: int = 0
    decimals: int | None = None

    def __post_init__(self) -> None:
        if not self.period_s > 0:
            raise ValueError(f"period_s must be above 0, got {self.period_s}")
        if not self.minimum <= self.maximum:
            raise ValueError(f"minimum {self.minimum} is above maximum {self.maximum}")


class Simulated:
    """An invented series of one property."""

    Options: ClassVar[type[msgspec.Struct]] = SimulatedOptions
    _MEMORY = 0.98  # share of the walk's departure that stays at the next step: it wanders and comes back

    def __init__(self, options: SimulatedOptions, setup: Setup) -> None:
        if setup.property is None:
            raise ValueError("a simulated driver needs a property")
        self._options = options
        self._setup = setup
        self._observed = observed_property(setup.property)
        self._random = random.Random(f"{options.seed}/{setup.station}/{setup.property}")  # noqa: S311 -- no secret
        self._walk = 0.0

    def read(self) -> Sequence[Sample]:
        """Return the value of this moment."""
        o = self._options
        self._walk = self._MEMORY * self._walk + (self._random.gauss(0.0, o.step) if o.step else 0.0)
        phase = 2.0 * math.pi * (self._setup.wall_us() / US_PER_S) / o.period_s
        value = min(max(o.mean + o.amplitude * math.sin(phase) + self._walk, o.minimum), o.maximum)
        decimals = self._observed.decimals if o.decimals is None else o.decimals
        return [Sample(self._observed.slug, round(value, decimals), self._observed.unit)]

    def close(self) -> Sequence[Sample]:
        """There is nothing to let go of."""
        return ()
