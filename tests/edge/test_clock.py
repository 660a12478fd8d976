"""Clock honesty: when a device may say what time it is."""

import pytest

from serayu.edge.clock import (
    NOT_AFTER_US,
    NOT_BEFORE_US,
    ClockState,
    DeviceClock,
    Moment,
    SystemSource,
    make_clock,
)
from serayu.edge.config import ClockConfig
from serayu.models.errors import BadInputError
from serayu.models.times import US_PER_S
from tests.edge.support import START_US, FakeSource


def test_a_clock_that_follows_a_server_is_good() -> None:
    source = FakeSource()
    clock = DeviceClock(source)
    assert not clock.good
    assert clock.check() is ClockState.GOOD
    assert clock.now() == Moment(source.boot, START_US)
    assert clock.offset_us == START_US - source.boot


def test_a_clock_without_a_server_is_not_believed_unless_trusted() -> None:
    source = FakeSource(synced=False)
    clock = DeviceClock(source)
    assert clock.now() == Moment(source.boot, None)
    assert (clock.state, clock.offset_us) == (ClockState.NOT_SYNCHRONISED, None)
    assert DeviceClock(source, trust=True).check() is ClockState.GOOD


@pytest.mark.parametrize(
    ("wall_us", "state"),
    [
        pytest.param(0, ClockState.NEVER_SET, id="1970"),
        pytest.param(NOT_BEFORE_US - 1, ClockState.NEVER_SET, id="just before"),
        pytest.param(NOT_BEFORE_US, ClockState.GOOD, id="bound"),
        pytest.param(NOT_AFTER_US - 1, ClockState.GOOD, id="last"),
        pytest.param(NOT_AFTER_US, ClockState.NEVER_SET, id="beyond what can be sent"),
    ],
)
def test_a_clock_that_was_never_set_is_not_believed_even_when_trusted(
    wall_us: int, state: ClockState
) -> None:
    assert DeviceClock(FakeSource(wall=wall_us), trust=True).check() is state


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0, 2.5, -2.5])
def test_a_jump_is_not_believed_until_the_clock_has_run_on_for_a_while(jump_s: float) -> None:
    source = FakeSource()
    clock = DeviceClock(source, settle_us=60 * US_PER_S)
    clock.check()
    source.jump_s(jump_s)
    assert clock.check() is ClockState.JUMPED
    source.pass_s(59.9)
    assert clock.now().wall_us is None
    source.pass_s(0.1)
    assert clock.now().wall_us == source.wall
    assert clock.jumps == 1


def test_a_jump_that_is_taken_back_is_forgotten_at_once() -> None:
    source = FakeSource()
    clock = DeviceClock(source)
    clock.check()
    source.jump_s(-86_400)
    assert clock.check() is ClockState.JUMPED
    source.jump_s(86_400)
    assert clock.check() is ClockState.GOOD


def test_a_second_jump_begins_the_wait_anew() -> None:
    source = FakeSource()
    clock = DeviceClock(source, settle_us=60 * US_PER_S)
    clock.check()
    source.jump_s(100)
    clock.check()
    source.pass_s(50)
    source.jump_s(100)
    clock.check()
    source.pass_s(50)
    assert clock.check() is ClockState.JUMPED
    assert clock.jumps == 2
    source.pass_s(10)
    assert clock.check() is ClockState.GOOD


@pytest.mark.parametrize("step_s", [1.0, -1.0, 0.0])
def test_a_leap_second_is_no_jump(step_s: float) -> None:
    source = FakeSource()
    clock = DeviceClock(source)
    clock.check()
    source.jump_s(step_s)
    assert clock.check() is ClockState.GOOD


def test_a_clock_set_for_the_first_time_by_the_network_is_good_at_once() -> None:
    source = FakeSource(wall=0, synced=False)
    clock = DeviceClock(source)
    assert clock.check() is ClockState.NEVER_SET
    source.wall, source.synced = START_US, True
    assert clock.check() is ClockState.GOOD
    assert clock.jumps == 0


def test_this_machines_clocks_can_be_read() -> None:
    source = SystemSource()
    assert source.wall_us() > NOT_BEFORE_US
    assert 0 < source.boot_us() <= source.boot_us()
    assert len(source.boot_id()) == 36
    assert source.synchronised() in (True, False)


def test_a_source_of_time_is_named_in_the_settings() -> None:
    config = ClockConfig(source="tests.edge.support:FakeSource", mode="trust")
    assert make_clock(config).now().wall_us == START_US
    with pytest.raises(BadInputError, match=r"clock\.source"):
        make_clock(ClockConfig(source="tests.edge.support:NoSuchSource"))
