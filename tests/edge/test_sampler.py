"""The sampler: on time, without drift, whatever a sensor does."""

import math
from collections.abc import Sequence
from typing import ClassVar

import msgspec
import pytest

from serayu.edge.drivers import EndOfData, Sample
from serayu.edge.errors import SensorFault
from serayu.edge.sampler import Sampler, Scheduled
from tests.edge.support import START_US, FakeSource, good_clock


class Scripted:
    """Says what a test wrote down, one entry a reading."""

    Options: ClassVar[type[msgspec.Struct]] = msgspec.Struct

    def __init__(self, *script: object) -> None:
        self.script = list(script)
        self.last: Sequence[Sample] = ()

    def read(self) -> Sequence[Sample]:
        if not self.script:
            raise EndOfData
        entry = self.script.pop(0)
        if isinstance(entry, Exception):
            raise entry
        assert isinstance(entry, list)
        return entry

    def close(self) -> Sequence[Sample]:
        return self.last


def stage(value: float, t_us: int | None = None) -> Sample:
    return Sample("stage", value, "m", t_us)


def sampler(driver: Scripted, *, interval_s: float = 10.0, source: FakeSource | None = None) -> Sampler:
    scheduled = Scheduled("0-scripted", driver, "stage", interval_s)
    return Sampler([scheduled], clock=good_clock(source or FakeSource()))


def test_a_reading_is_stamped_by_the_clock_and_one_with_a_time_keeps_it() -> None:
    source = FakeSource()
    [own, given] = sampler(Scripted([stage(1.0), stage(2.0, 1_700_000_000_000_000)]), source=source).tick(0.0)
    assert (own.t_us, own.accepted_us, own.boot_us) == (START_US, START_US, source.boot)
    assert (given.t_us, given.accepted_us) == (1_700_000_000_000_000, START_US)


def test_without_a_good_clock_a_reading_has_no_time_but_its_place_since_the_start() -> None:
    source = FakeSource(wall=0)
    [reading] = sampler(Scripted([stage(1.0)]), source=source).tick(0.0)
    assert (reading.t_us, reading.accepted_us, reading.boot_us) == (None, None, source.boot)


def test_readings_stay_on_their_grid_however_late_each_of_them_is() -> None:
    it = sampler(Scripted(*([stage(n)] for n in range(5))))
    due: list[float] = []
    for late_s in (0.0, 0.9, 3.0, 9.9):
        now_s = (it.next_due_s() if due else 100.0) + late_s
        assert len(it.tick(now_s)) == 1
        due.append(it.next_due_s())
    assert due == [110.0, 120.0, 130.0, 140.0]


def test_readings_that_could_not_be_taken_are_left_out_and_counted() -> None:
    it = sampler(Scripted([stage(1.0)], [stage(2.0)]))
    it.tick(0.0)
    assert len(it.tick(35.0)) == 1
    assert (it.next_due_s(), it.drivers[0].missed) == (40.0, 2)


@pytest.mark.parametrize(
    "trouble",
    [SensorFault("0 usable pings of 15"), OSError("I2C bus error"), [stage(math.nan)], [stage(math.inf)]],
)
def test_a_fault_is_told_until_the_sensor_is_well_again(trouble: object) -> None:
    it = sampler(Scripted(trouble, [stage(1.0)]))
    assert it.tick(0.0) == []
    [status] = it.status()
    assert (status["faults"], status["fault"] is None) == (1, False)
    assert len(it.tick(10.0)) == 1
    [status] = it.status()
    assert (status["faults"], status["fault"]) == (1, None)


def test_a_driver_that_came_to_its_end_is_not_read_again() -> None:
    it = sampler(Scripted([stage(1.0)]))
    it.tick(0.0)
    assert not it.done
    it.tick(10.0)
    assert (it.done, it.next_due_s(), it.tick(20.0)) == (True, math.inf, [])


def test_another_interval_holds_from_now_on() -> None:
    it = sampler(Scripted(*([stage(n)] for n in range(9))), interval_s=600.0)
    it.tick(0.0)
    it.set_intervals({"rain": 1.0}, 5.0)
    assert it.next_due_s() == 600.0
    it.set_intervals({"stage": 30.0}, 5.0)
    assert it.next_due_s() == 35.0
    it.tick(35.0)
    assert it.next_due_s() == 65.0
    it.set_intervals({"stage": 3600.0}, 40.0)
    assert it.next_due_s() == 65.0


def test_what_a_sensor_still_had_to_tell_is_told_at_the_end() -> None:
    driver = Scripted()
    driver.last = [stage(0.4)]
    assert [s.value for s in sampler(driver).close()] == [0.4]
