"""Settings of a station's siren: the relay, the limits it sounds on, and how long it may sound."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from serayu.models.siaga_levels import Siaga, SiagaSettings, Thresholds
from serayu.models.times import US_PER_S

__all__ = ["SirenConfig"]

MAX_ON_S = 3600.0
"""Longest setting of `SirenConfig.max_on_s`: a siren that never ends is switched off by somebody with pliers."""


class SirenConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When the relay closes; it needs neither network nor clock for that.

    Parameters
    ----------
    thresholds
        The station's own copy of its limits, so that nothing needs to be asked.
    pin
        GPIO pin of the relay, as gpiozero names it.
    driver
        Instead of a pin ``module:Class`` of another `Relay`, made as ``Class(options)``.
    options
        What that class needs.
    active_high
        Whether the relay closes at a high pin.
    level
        Least level that sounds.
    observed
        Under ``property``: slug of the water level among this station's drivers.
    hysteresis_m, fall_after_s
        As of the alert machine: metres below the limit, and for how long, before the relay opens.
    min_duration_s
        How long the level must be exceeded; above 0, so that two values in a row at least must say so.
    max_on_s
        Seconds of sounding after which the relay opens until the level has fallen and risen again.
    listen
        Also sound on a bulletin for this station that an authority has signed (status Actual), from the broker.
    test
        For tries: the relay closes for `pulse_s` instead, and the status says so.
    pulse_s
        Length of the pulse of a try, s.
    silent
        Never close the relay; decisions are still made and reported.
    times
        ``boot``: time as the device counts it since its start, which no wrong clock can disturb. ``reading``: the
        readings' own times, for replays.
    """

    thresholds: Thresholds
    pin: int | str | None = None
    driver: str | None = None
    options: Mapping[str, Any] = msgspec.field(default_factory=dict)
    active_high: bool = True
    level: Literal["waspada", "siaga", "awas"] = "awas"
    observed: str = msgspec.field(name="property", default="stage")
    hysteresis_m: Annotated[float, msgspec.Meta(ge=0)] = 0.10
    fall_after_s: Annotated[float, msgspec.Meta(ge=0)] = 1800.0
    min_duration_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 120.0
    max_on_s: Annotated[float, msgspec.Meta(ge=1, le=MAX_ON_S)] = 900.0
    listen: bool = False
    test: bool = False
    pulse_s: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.0
    silent: bool = False
    times: Literal["boot", "reading"] = "boot"

    def __post_init__(self) -> None:
        if (self.pin is None) == (self.driver is None):
            raise ValueError("siren: expected either pin or driver")
        if self.driver is not None and not all(self.driver.partition(":")):
            raise ValueError(f"siren: driver {self.driver!r} is not module:Class")

    @property
    def siaga(self) -> Siaga:
        """Least level that sounds."""
        return Siaga(self.level)

    def settings(self) -> SiagaSettings:
        """Return how the machine behaves; no step-up by the rate of rise, so that only water above a limit sounds."""
        return SiagaSettings(
            hysteresis_m=self.hysteresis_m,
            fall_after_us=round(self.fall_after_s * US_PER_S),
            min_duration_us=round(self.min_duration_s * US_PER_S),
        )
