"""Rain from a tipping bucket: a reed contact between a pin and ground that closes once a tip."""

from collections import deque
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import gpiozero
import msgspec

from serayu.edge.drivers.driver import Sample, Setup
from serayu.edge.drivers.pins import pins_in_use
from serayu.models.sensing import (
    TIP_SECONDS,
    bucket_depth_mm,
    correct_intensity_linear,
    correct_intensity_power,
)
from serayu.models.times import US_PER_HOUR

__all__ = ["BucketOptions", "TippingBucket"]


class BucketOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pin and calibration of one gauge.

    Parameters
    ----------
    pin
        GPIO pin, as gpiozero names it.
    mm_per_tip
        Rain depth of one tip, mm.
    debounce_ms
        Closures within this time of a counted one belong to it, ms.
    correction
        How the rain that is lost while the bucket tips is put back: first order in the intensity (with ``tip_s``),
        the power law of this gauge's calibration (``a``, ``b``), or not at all.
    tip_s, a, b
        Parameters of the correction, see `serayu.models.sensing`.
    """

    pin: int | str
    mm_per_tip: Annotated[float, msgspec.Meta(gt=0, le=5)] = 0.2
    debounce_ms: Annotated[float, msgspec.Meta(ge=100, le=150)] = 120.0
    correction: Literal["linear", "power", "none"] = "linear"
    tip_s: Annotated[float, msgspec.Meta(ge=0, le=2)] = TIP_SECONDS
    a: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    b: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class TippingBucket:
    """Rain depth since the previous reading, stamped at the interval's end.

    Each tip is spread over the time since the tip before it; that intensity is corrected, so that a short burst in a
    long interval gets the correction of its own intensity.
    """

    Options: ClassVar[type[msgspec.Struct]] = BucketOptions

    def __init__(self, options: BucketOptions, setup: Setup) -> None:
        self._options = options
        self._property = setup.property or "rain"
        self._boot_us = setup.boot_us
        self._gaps_us: deque[int | None] = deque()  # filled by gpiozero's thread, emptied by `read`
        self._last_us: int | None = None
        with pins_in_use():
            # No bounce_time: gpiozero's pin libraries wait until the contact has been stable for so long, and a tip
            # that closes the contact for less would be lost.
            self._contact = gpiozero.Button(options.pin, pull_up=True)
            self._contact.when_pressed = self._tipped

    def read(self) -> Sequence[Sample]:
        """Return the depth since the previous reading, mm; 0 when it did not rain."""
        depth_mm = 0.0
        while self._gaps_us:
            depth_mm += self._depth_mm(self._gaps_us.popleft())
        return [Sample(self._property, round(depth_mm, 4), "mm")]

    def close(self) -> Sequence[Sample]:
        """Let go of the pin; returns the rain that was not told yet."""
        self._contact.close()
        return self.read() if self._gaps_us else ()

    def _tipped(self) -> None:
        now_us = self._boot_us()
        gap_us = None if self._last_us is None else now_us - self._last_us
        if gap_us is not None and gap_us < self._options.debounce_ms * 1000:
            return
        self._last_us = now_us
        self._gaps_us.append(gap_us)

    def _depth_mm(self, gap_us: int | None) -> float:
        o = self._options
        depth_mm = bucket_depth_mm(1, mm_per_tip=o.mm_per_tip)
        if gap_us is None or o.correction == "none":
            return depth_mm  # the first tip ever: how long it took to fill is unknown
        hours = gap_us / US_PER_HOUR
        rate = depth_mm / hours
        if o.correction == "linear":
            return hours * correct_intensity_linear(rate, mm_per_tip=o.mm_per_tip, tip_s=o.tip_s)
        return hours * correct_intensity_power(rate, a=o.a, b=o.b)
