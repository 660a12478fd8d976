"""Ultrasonic level and tipping bucket on gpiozero's mock pins."""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin
from gpiozero.pins.pi import PiPin

from serayu.edge.config import DriverConfig, converted
from serayu.edge.drivers import Driver, make_driver
from serayu.edge.drivers.bucket import BucketOptions, TippingBucket
from serayu.edge.drivers.ultrasonic import Ultrasonic, UltrasonicOptions
from serayu.edge.errors import SensorFault
from serayu.models.errors import BadInputError
from serayu.models.sensing import speed_of_sound_m_per_s
from serayu.models.times import US_PER_S
from tests.edge.support import FakeSource, setup

TRIGGER, ECHO, REED = 23, 24, 17


class Reflector(MockPin):  # type: ignore[misc]  # gpiozero has no types
    """A trigger pin that answers each pulse on the echo pin with the next length in its list; None: no echo."""

    echoes_s: Sequence[float | None] = ()
    count = 0

    def _set_state(self, value: int) -> None:
        pulsed = self.state and not value
        super()._set_state(value)
        if not pulsed:
            return
        length_s = self.echoes_s[self.count] if self.count < len(self.echoes_s) else None
        self.count += 1
        echo = self.factory.pin(ECHO)
        if length_s is not None:
            PiPin._call_when_changed(echo, 10.0, 1)
            PiPin._call_when_changed(echo, 10.0 + length_s, 0)


@pytest.fixture(name="pins", autouse=True)
def _pins() -> Iterator[MockFactory]:
    before = Device.pin_factory
    Device.pin_factory = MockFactory()
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before


def ultrasonic(pins: MockFactory, *echoes_s: float | None, **options: object) -> tuple[Ultrasonic, Reflector]:
    pin = pins.pin(TRIGGER, pin_class=Reflector)
    pin.echoes_s = echoes_s
    settings = {"gap_s": 0.0, "sensor_height_m": 5.0, "temperature_cel": 30.0, **options}
    wanted = converted({"trigger": TRIGGER, "echo": ECHO, **settings}, UltrasonicOptions)
    return Ultrasonic(wanted, setup(property_slug="stage")), pin


def echo_s(distance_m: float, temperature_cel: float = 30.0) -> float:
    return 2.0 * distance_m / speed_of_sound_m_per_s(temperature_cel)


def test_the_stage_is_the_median_of_seven_pings_below_the_sensors_height(pins: MockFactory) -> None:
    distances = [3.0, 3.01, 2.99, 3.02, 2.98, 3.0, 1.0]
    driver, pin = ultrasonic(pins, *map(echo_s, distances))
    [sample] = driver.read()
    assert (sample.property, sample.unit) == ("stage", "m")
    assert sample.value == pytest.approx(2.0, abs=1e-4)
    assert pin.count == 7


def test_the_speed_of_sound_is_that_of_the_air(pins: MockFactory, tmp_path: Path) -> None:
    thermometer = tmp_path / "temperature"
    driver, pin = ultrasonic(
        pins, *[echo_s(3.0, 30.0)] * 28, temperature_cel=18.0, temperature_file=str(thermometer)
    )
    assert driver.read()[0].value == pytest.approx(2.0623, abs=1e-3)  # 12 °C too cool: 6 cm too high at 3 m
    thermometer.write_text("30000\n", encoding="ascii")
    assert driver.read()[0].value == pytest.approx(2.0, abs=1e-4)
    thermometer.write_text("85000\n", encoding="ascii")  # not converted yet
    assert driver.read()[0].value == pytest.approx(2.0623, abs=1e-3)
    thermometer.write_text("t=?\n", encoding="ascii")
    assert driver.read()[0].value == pytest.approx(2.0623, abs=1e-3)
    assert pin.count == 28


def test_pings_in_the_blind_zone_beyond_the_range_and_without_an_echo_are_refused(pins: MockFactory) -> None:
    good = [echo_s(3.0)] * 7
    driver, pin = ultrasonic(pins, None, echo_s(0.2), echo_s(4.6), *good)
    assert driver.read()[0].value == pytest.approx(2.0, abs=1e-4)
    assert pin.count == 10


@pytest.mark.parametrize(
    ("echoes_s", "reason"),
    [
        pytest.param([], "0 usable pings of 8, 7 needed: no_echo 8", id="nothing comes back"),
        pytest.param(
            [echo_s(0.1)] * 8, "0 usable pings of 8, 7 needed: blind_zone 8", id="water at the sensor"
        ),
        pytest.param([echo_s(9.0)] * 8, "out_of_range 8", id="too far"),
        pytest.param([echo_s(3.0)] * 6, "6 usable pings of 8, 7 needed: no_echo 2", id="one too few"),
    ],
)
def test_fewer_than_seven_usable_pings_are_a_fault(
    pins: MockFactory, echoes_s: list[float], reason: str
) -> None:
    driver, _ = ultrasonic(pins, *echoes_s, tries=8)
    with pytest.raises(SensorFault, match=reason):
        driver.read()


def test_a_line_that_stays_high_is_no_echo_and_no_ping_is_sent(pins: MockFactory) -> None:
    driver, pin = ultrasonic(pins, *[echo_s(3.0)] * 9, tries=7)
    pins.pin(ECHO).drive_high()
    with pytest.raises(SensorFault, match="no_echo 7"):
        driver.read()
    assert pin.count == 0


def test_pins_are_free_again_after_closing(pins: MockFactory) -> None:
    driver, _ = ultrasonic(pins, *[echo_s(3.0)] * 7)
    assert driver.close() == ()
    ultrasonic(pins)[0].close()


def make(kind: str, **options: object) -> Driver:
    return make_driver(
        DriverConfig(kind, "stage", options=options), setup(property_slug="stage"), field="driver[0]"
    )


def test_pins_that_do_not_exist_or_are_in_use_are_wrong_settings() -> None:
    with pytest.raises(BadInputError, match=r"driver\[0\]\.options: GPIO: .*99"):
        make("ultrasonic", trigger=TRIGGER, echo=99, sensor_height_m=5)
    first = make("bucket", pin=REED)
    with warnings.catch_warnings(), pytest.raises(BadInputError, match="GPIO: pin"):
        make("bucket", pin=REED)
    first.close()


class Gauge:
    """A tipping bucket and the clock that its tips are timed by."""

    def __init__(self, pins: MockFactory, **options: object) -> None:
        self.source = FakeSource()
        settings = {"mm_per_tip": 0.2, "correction": "none", **options}
        wanted = converted({"pin": REED, **settings}, BucketOptions)
        self.driver = TippingBucket(wanted, setup(self.source, property_slug="rain"))
        self.pin = pins.pin(REED)

    def tip(self, after_s: float) -> None:
        self.source.pass_s(after_s)
        self.pin.drive_low()
        self.source.pass_s(0.02)
        self.pin.drive_high()

    def read_mm(self) -> float:
        [sample] = self.driver.read()
        assert (sample.property, sample.unit, sample.t_us) == ("rain", "mm", None)
        return sample.value


def test_no_tips_are_no_rain_and_depths_start_again_with_each_reading(pins: MockFactory) -> None:
    gauge = Gauge(pins)
    assert gauge.read_mm() == 0.0
    for _ in range(3):
        gauge.tip(60.0)
    assert gauge.read_mm() == pytest.approx(0.6)
    assert gauge.read_mm() == 0.0


@pytest.mark.parametrize(
    ("gap_s", "tips"), [pytest.param(0.06, 1, id="bounce"), pytest.param(0.10, 2, id="debounce time over")]
)
def test_closures_within_the_debounce_time_are_one_tip(pins: MockFactory, gap_s: float, tips: int) -> None:
    gauge = Gauge(pins, debounce_ms=120.0)
    gauge.tip(60.0)
    gauge.tip(gap_s)  # 0.02 s later than the contact opened
    assert gauge.read_mm() == pytest.approx(0.2 * tips)


def test_a_chattering_contact_is_one_tip_and_the_next_tip_counts(pins: MockFactory) -> None:
    gauge = Gauge(pins)
    gauge.tip(60.0)
    for _ in range(4):
        gauge.tip(0.005)
    gauge.tip(1.0)
    assert gauge.read_mm() == pytest.approx(0.4)


def test_what_is_lost_while_tipping_is_put_back_by_the_intensity_between_tips(pins: MockFactory) -> None:
    gauge = Gauge(pins, correction="linear", tip_s=0.45)
    gauge.tip(3600.0)
    for _ in range(4):
        gauge.tip(9.0 - 0.02)  # 0.2 mm in 9 s: 80 mm/h
    expected = 0.2 + 4 * 0.2 * (1 + 0.45 * 80 / (3600 * 0.2))
    assert gauge.read_mm() == pytest.approx(expected, abs=1e-3)
    assert expected == pytest.approx(1.04)


def test_a_gauges_own_calibration_is_a_power_law(pins: MockFactory) -> None:
    gauge = Gauge(pins, correction="power", a=1.1, b=1.02)
    gauge.tip(100.0)
    gauge.tip(10.0 - 0.02)  # 72 mm/h
    assert gauge.read_mm() == pytest.approx(0.2 + 1.1 * 72**1.02 * 10 / 3600, abs=1e-3)


def test_rain_that_was_not_told_yet_is_told_at_the_end(pins: MockFactory) -> None:
    gauge = Gauge(pins)
    gauge.tip(60.0)
    assert [sample.value for sample in gauge.driver.close()] == [pytest.approx(0.2)]
    again = Gauge(pins)
    assert again.source.boot == 5 * US_PER_S
    assert again.driver.close() == ()
