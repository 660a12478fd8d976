"""What a level sensor's faults look like, and what a post's machine makes of values of a faulty one."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.quality.creep import (
    MOST_M_PER_H,
    WINDOWS_H,
    AskWitnesses,
    Verdict,
    Witnesses,
    creep_m,
    judge_creep,
    net_rise_m,
)
from serayu.models.quality.fault_memory import DOUBT_US, FaultMemory
from serayu.models.quality.flags import QcTest, QualityFlag
from serayu.models.quality.sensor_alarm import SensorFault, sensor_faults
from serayu.models.quality.sensor_caution import tell
from serayu.models.reading import Observation, SeriesKey
from serayu.models.siaga import ChangeKind, Siaga, SiagaMachine, SiagaSettings, Thresholds
from serayu.models.texts import text
from serayu.models.times import US_PER_HOUR

KEY = SeriesKey("99.01", "hilir", "stage")
LIMITS = Thresholds(2.0, 3.0, 4.0, source="invented", valid_from="", approved_by="nobody")
NOW_US = 60 * US_PER_HOUR
DRIFTS = Verdict(drifts=True, doubtful=False)
DOUBTFUL = Verdict(drifts=False, doubtful=True)
SOUND = Verdict(drifts=False, doubtful=False)


def hourly(levels: Sequence[float]) -> list[tuple[int, float]]:
    """Return levels that end now, one every hour."""
    first_us = NOW_US - (len(levels) - 1) * US_PER_HOUR
    return [(first_us + n * US_PER_HOUR, level) for n, level in enumerate(levels)]


def line(per_h: float, hours: int = 48) -> list[tuple[int, float]]:
    """Return a straight line."""
    return hourly([1.0 + per_h * n for n in range(hours + 1)])


def seen(**witnesses: object) -> AskWitnesses:
    """Return witnesses that say the same of every span."""
    return lambda _: Witnesses(**witnesses)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param(line(0.0), None, id="calm"),
        pytest.param(line(0.02), 0.02 * 11, id="2 cm/h: the values of twelve hours span eleven"),
        pytest.param(line(-0.02), None, id="falls"),
        pytest.param(line(MOST_M_PER_H + 0.01), None, id="too fast for a drift"),
        pytest.param(line(0.02, hours=6), None, id="too short"),
        pytest.param(hourly([1 + 0.0004 * n**3 for n in range(13)]), None, id="bends as a flood does"),
    ],
)
def test_a_creep_is_slow_straight_and_upward(
    samples: list[tuple[int, float]], expected: float | None
) -> None:
    assert creep_m(samples, 12 * US_PER_HOUR) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        pytest.param(seen(), DOUBTFUL, id="nobody speaks"),
        pytest.param(seen(related=(0.0,)), DRIFTS, id="the river's other post is calm"),
        pytest.param(seen(related=(0.0, 0.5)), SOUND, id="one of the river's rose"),
        pytest.param(seen(rain_mm=0.0), DOUBTFUL, id="dry weather alone denies no rise"),
        pytest.param(seen(related=(0.0,), rain_mm=20.0), SOUND, id="rain"),
        pytest.param(seen(region=(0.0, 0.0, 0.0, 0.0)), DOUBTFUL, id="only other rivers are calm"),
        pytest.param(seen(region=(0.0, 0.0)), DOUBTFUL, id="few other rivers are calm"),
        pytest.param(seen(region=(0.9, 0.0, 0.9, 0.0)), DOUBTFUL, id="the region is divided"),
        pytest.param(seen(region=(0.9, 0.9, 0.9, 0.0)), SOUND, id="the region rises"),
        pytest.param(
            lambda since_us: Witnesses((0.9 if since_us < NOW_US - 50 * US_PER_HOUR else 0.0,)),
            DRIFTS,
            id="a wave long ago explains nothing of the last hours",
        ),
        pytest.param(
            lambda since_us: Witnesses((0.9 if since_us < NOW_US - 30 * US_PER_HOUR else 0.0,)),
            DOUBTFUL,
            id="a wave that passed above may be on its way",
        ),
    ],
)
def test_who_else_rose_decides_what_a_creep_is(ask: AskWitnesses, expected: Verdict) -> None:
    assert judge_creep(line(0.02, hours=20), ask) == expected


@given(
    st.lists(st.floats(0, 10), max_size=60),
    st.lists(st.floats(0, 5), max_size=4),
    st.lists(st.floats(0, 5), max_size=8),
)
def test_a_level_never_drifts_and_is_doubtful_at_once_and_never_drifts_unwitnessed(
    levels: list[float], related: list[float], region: list[float]
) -> None:
    verdict = judge_creep(hourly(levels), seen(related=tuple(related), region=tuple(region)))
    assert not (verdict.drifts and verdict.doubtful)
    assert not judge_creep(hourly(levels), seen()).drifts


def test_a_wave_that_has_passed_is_no_rise() -> None:
    assert net_rise_m([1.0, 3.0, 1.1]) == pytest.approx(0.1)


def observed(
    level: float, hour: float, *, tests: int = 0, flag: QualityFlag = QualityFlag.GOOD
) -> Observation:
    return Observation(KEY, round(hour * US_PER_HOUR), level, flag, tests)


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ((QcTest.SPIKE, QcTest.SPIKE), {SensorFault.SPIKING}),
        ((QcTest.GROSS_RANGE, QcTest.SPIKE), {SensorFault.SPIKING}),
        ((QcTest.SPIKE, 0), set()),
        ((QcTest.RATE_OF_CHANGE, QcTest.RATE_OF_CHANGE), set()),
        ((0, QcTest.FLAT_LINE), {SensorFault.STUCK}),
    ],
)
def test_jumps_out_and_back_are_the_sensors_and_a_fast_rise_is_the_rivers(
    tests: tuple[int, int], expected: set[SensorFault]
) -> None:
    known = [observed(1.0, hour, tests=bits) for hour, bits in zip((58, 60), tests, strict=True)]
    assert sensor_faults(known, now_us=NOW_US, stale_after_us=US_PER_HOUR) == expected


@pytest.mark.parametrize(("levels", "spikes"), [((1.0, 2.0, 3.0), False), ((1.0, 3.0, 1.0), True)])
def test_fast_steps_both_ways_are_spikes_and_upward_ones_a_flood(
    levels: tuple[float, ...], *, spikes: bool
) -> None:
    bits = (0, QcTest.RATE_OF_CHANGE, QcTest.RATE_OF_CHANGE)
    known = [
        observed(level, 58 + n, tests=bit) for n, (level, bit) in enumerate(zip(levels, bits, strict=True))
    ]
    found = sensor_faults(known, now_us=NOW_US, stale_after_us=US_PER_HOUR)
    assert (SensorFault.SPIKING in found) is spikes


def test_silence_is_death_and_nothing_else() -> None:
    known = [observed(1.0, 57, tests=QcTest.FLAT_LINE)]
    assert sensor_faults(known, now_us=NOW_US, stale_after_us=US_PER_HOUR) == {SensorFault.DEAD}
    assert sensor_faults([], now_us=NOW_US, stale_after_us=US_PER_HOUR) == {SensorFault.DEAD}


@pytest.mark.parametrize("flag", [QualityFlag.FAIL, QualityFlag.MISSING])
def test_a_sensor_whose_values_all_fail_is_dead_although_it_sends(flag: QualityFlag) -> None:
    known = [observed(1.0, hour, flag=flag) for hour in range(50, 61)]
    assert sensor_faults(known, now_us=NOW_US, stale_after_us=US_PER_HOUR) == {SensorFault.DEAD}
    known[-1] = observed(1.0, 60, flag=flag, tests=QcTest.FLAT_LINE)
    assert sensor_faults(known, now_us=NOW_US, stale_after_us=US_PER_HOUR) == {SensorFault.STUCK}


def test_a_sensor_that_drifted_stays_doubtful_for_a_while() -> None:
    memory = FaultMemory()
    assert memory.keep(set(), now_us=0) == set()
    assert memory.keep({SensorFault.DRIFTING}, now_us=US_PER_HOUR) == {SensorFault.DRIFTING}
    assert memory.keep(set(), now_us=US_PER_HOUR + DOUBT_US) == {SensorFault.DOUBTFUL}
    assert memory.keep(set(), now_us=2 * US_PER_HOUR + DOUBT_US) == set()


def test_a_doubtful_sensor_is_never_muted_and_never_certain() -> None:
    machine, doubt = SiagaMachine(LIMITS, SiagaSettings()), {SensorFault.DOUBTFUL}
    (raised,) = [one for hour in range(4) for one in tell(machine, observed(1.7 + 0.2 * hour, hour), doubt)]
    assert (raised.kind, raised.after, raised.verified) == (ChangeKind.RAISE, Siaga.WASPADA, False)
    (verified,) = tell(machine, observed(2.4, 4))
    assert (verified.kind, verified.verified) == (ChangeKind.VERIFY, True)
    assert tell(machine, observed(2.5, 5), doubt) == ()
    assert machine.verified, "what is certain stays so"
    (higher,) = tell(machine, observed(3.5, 6), doubt)
    assert (higher.after, higher.verified) == (Siaga.SIAGA, False)


def test_two_false_values_in_a_row_are_not_certain_and_the_third_reading_is() -> None:
    machine = SiagaMachine(LIMITS, SiagaSettings(min_duration_us=US_PER_HOUR))
    flags = (QualityFlag.GOOD, QualityFlag.SUSPECT, QualityFlag.GOOD, QualityFlag.GOOD)
    rows = zip((1.0, 2.5, 2.6, 2.6), flags, strict=True)
    said = [tell(machine, observed(level, hour, flag=flag)) for hour, (level, flag) in enumerate(rows)]
    assert [[(one.kind, one.verified) for one in changes] for changes in said] == [
        [],
        [],
        [(ChangeKind.RAISE, False)],
        [(ChangeKind.VERIFY, True)],
    ]


def test_a_doubtful_sensor_lowers() -> None:
    machine, doubt = SiagaMachine(LIMITS, SiagaSettings()), {SensorFault.DOUBTFUL}
    tell(machine, observed(2.5, 0), doubt)
    said = [one for hour in range(1, 6) for one in tell(machine, observed(1.0, hour), doubt)]
    assert [(one.kind, one.after) for one in said] == [(ChangeKind.LOWER, Siaga.NORMAL)]


def test_a_drifting_sensor_is_not_listened_to() -> None:
    machine = SiagaMachine(LIMITS, SiagaSettings())
    assert tell(machine, observed(9.0, 0), {SensorFault.DRIFTING}) == ()
    assert machine.level is Siaga.NORMAL


@pytest.mark.parametrize("fault", SensorFault)
def test_every_fault_has_words_for_people(fault: SensorFault) -> None:
    assert "sensor" in text(f"sensor.fault.{fault}")
    assert "sensor" in text(f"sensor.fault.{fault}", lang="en")


def test_the_longest_window_is_looked_at() -> None:
    assert judge_creep(line(0.005), seen(related=(0.0,))) == DRIFTS, "0.5 cm/h shows after two days"
    assert sorted(WINDOWS_H) == list(WINDOWS_H)
