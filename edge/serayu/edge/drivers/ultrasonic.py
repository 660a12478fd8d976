"""Water level from an ultrasonic sensor above it (HC-SR04, JSN-SR04T: a trigger and an echo pin).

gpiozero's own DistanceSensor pings without pause from a thread of its own and knows no temperature; a station that
reads once a minute pings only then, with the speed of sound of its air.
"""

import logging
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import gpiozero
import msgspec

from serayu.edge.drivers.driver import Sample, Setup
from serayu.edge.drivers.pins import pins_in_use
from serayu.edge.errors import SensorFault
from serayu.models.sensing import EchoStatus, echo_stage_m, echo_status

__all__ = ["Ultrasonic", "UltrasonicOptions"]

_TRIGGER_S = 10e-6  # length of the pulse that starts a ping (HC-SR04 and JSN-SR04T data sheets)
_ECHO_TIMEOUT_S = (
    0.1  # an echo ends after at most 38 ms (HC-SR04 data sheet), plus the scheduling of a busy device
)
_POWER_UP_MILLICEL = 85_000  # a DS18B20 says 85 °C until its first conversion (data sheet)
_log = logging.getLogger(__name__)


class UltrasonicOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pins, geometry and air of one sensor.

    Parameters
    ----------
    trigger, echo
        GPIO pins, as gpiozero names them. A 5 V echo needs a voltage divider.
    sensor_height_m
        Height of the sensor's face above the post's datum, m.
    min_m, max_m
        What the sensor can measure: nearer than ``min_m`` is its blind zone (JSN-SR04T: 0.20-0.25 m; range about
        4.5-6 m).
    pings, tries
        Usable pings that a reading is the median of, and pings at most to get them.
    gap_s
        Pause between pings, for late echoes to die away.
    temperature_cel
        Air temperature, °C; 12 °C too cool makes 3 m about 6 cm too short.
    temperature_file
        File with the air temperature in thousandths of °C, as the kernel shows a DS18B20
        (``/sys/bus/w1/devices/28-*/temperature``); ``temperature_cel`` holds while it cannot be read.
    """

    trigger: int | str
    echo: int | str
    sensor_height_m: float
    min_m: Annotated[float, msgspec.Meta(ge=0)] = 0.25
    max_m: Annotated[float, msgspec.Meta(gt=0)] = 4.5
    pings: Annotated[int, msgspec.Meta(ge=7, le=99)] = 7
    tries: Annotated[int, msgspec.Meta(ge=7, le=200)] = 15
    gap_s: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.06
    temperature_cel: Annotated[float, msgspec.Meta(ge=-40, le=70)] = 27.0
    temperature_file: Path | None = None

    def __post_init__(self) -> None:
        if not self.min_m < self.max_m:
            raise ValueError(f"min_m {self.min_m} must be below max_m {self.max_m}")
        if self.tries < self.pings:
            raise ValueError(f"tries {self.tries} must be at least pings {self.pings}")


class Ultrasonic:
    """Stage from the median of at least seven pings."""

    Options: ClassVar[type[msgspec.Struct]] = UltrasonicOptions

    def __init__(self, options: UltrasonicOptions, setup: Setup) -> None:
        self._options = options
        self._property = setup.property or "stage"
        self._rise: object = None
        self._fall: object = None
        self._heard = threading.Event()
        with pins_in_use():
            self._trigger = gpiozero.OutputDevice(options.trigger)
            try:
                self._echo = gpiozero.InputDevice(options.echo)
                self._echo.pin.edges = "both"
                self._echo.pin.when_changed = self._changed
            except BaseException:
                self._trigger.close()
                raise

    def read(self) -> Sequence[Sample]:
        """Ping until enough echoes are usable and return the stage, m above the post's datum."""
        o = self._options
        temperature_cel = self._temperature_cel()
        echoes_s: list[float] = []
        refused: Counter[EchoStatus] = Counter()
        for _ in range(o.tries):
            echo_s = self._ping_s()
            status = echo_status(echo_s, temperature_cel=temperature_cel, min_m=o.min_m, max_m=o.max_m)
            if status is EchoStatus.OK and echo_s is not None:
                echoes_s.append(echo_s)
            else:
                refused[status] += 1
            if len(echoes_s) == o.pings:
                break
            time.sleep(o.gap_s)
        if len(echoes_s) < o.pings:
            reasons = ", ".join(f"{status.value} {n}" for status, n in sorted(refused.items()))
            raise SensorFault(f"{len(echoes_s)} usable pings of {o.tries}, {o.pings} needed: {reasons}")
        stage_m = echo_stage_m(
            statistics.median(echoes_s), sensor_height_m=o.sensor_height_m, temperature_cel=temperature_cel
        )
        return [Sample(self._property, round(stage_m, 4), "m")]

    def close(self) -> Sequence[Sample]:
        """Let go of the pins."""
        self._echo.pin.when_changed = None
        self._echo.close()
        self._trigger.close()
        return ()

    def _ping_s(self) -> float | None:
        """Return the length of one echo, s; None when there was none."""
        if self._echo.pin.state:
            return None  # the echo of an earlier ping has not ended, or the line is broken
        self._rise = self._fall = None
        self._heard.clear()
        self._trigger.on()
        time.sleep(_TRIGGER_S)
        self._trigger.off()
        if not self._heard.wait(_ECHO_TIMEOUT_S) or self._rise is None:
            return None
        length_s: float = self._echo.pin_factory.ticks_diff(self._fall, self._rise)
        return length_s

    def _changed(self, ticks: object, state: object) -> None:
        if state:
            self._rise = ticks
        elif self._rise is not None:
            self._fall = ticks
            self._heard.set()

    def _temperature_cel(self) -> float:
        file = self._options.temperature_file
        if file is None:
            return self._options.temperature_cel
        try:
            millicel = int(file.read_text("ascii"))
        except (OSError, ValueError) as error:
            _log.warning(
                "air temperature cannot be read, %.1f °C assumed: %s", self._options.temperature_cel, error
            )
            return self._options.temperature_cel
        return self._options.temperature_cel if millicel == _POWER_UP_MILLICEL else millicel / 1000
