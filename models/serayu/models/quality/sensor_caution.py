"""How a post's Siaga machine is told values while its sensor seems to be at fault."""

import math
from collections.abc import Collection, Sequence

import msgspec

from serayu.models.quality.flags import QualityFlag
from serayu.models.quality.sensor_alarm import SensorFault
from serayu.models.reading import Observation
from serayu.models.siaga import Siaga, SiagaChange, SiagaMachine, SiagaSettings, classify

CAUTION_INTERVALS = 3
"""While a sensor spikes, a limit must be exceeded for so many readings more [project proposal]."""
_FAILED = frozenset({QualityFlag.FAIL, QualityFlag.MISSING})


def cautious(settings: SiagaSettings, faults: Collection[SensorFault], *, interval_us: int) -> SiagaSettings:
    """Return how a post's machine behaves while its sensor has faults: one that spikes must insist."""
    if SensorFault.SPIKING not in faults:
        return settings
    insist_us = settings.min_duration_us + CAUTION_INTERVALS * interval_us
    return msgspec.structs.replace(settings, min_duration_us=insist_us)


def tell(
    machine: SiagaMachine, observation: Observation, faults: Collection[SensorFault] = ()
) -> Sequence[SiagaChange]:
    """Tell a machine one observation.

    One that failed was perhaps taken before it failed, and is taken back. One of a sensor that drifts is not listened
    to. One of a sensor that may drift raises, marked unverified; it still lowers, and keeps up what was verified. So
    does the first good one after a doubtful jump: two false values in a row look like a level, three readings do not.
    That delays no raise, only the word "verified", by one reading.
    """
    if observation.flag in _FAILED:
        return machine.retract(observation.t_us)
    if SensorFault.DRIFTING in faults:
        return ()
    flag = observation.flag
    doubted = SensorFault.DOUBTFUL in faults or _follows_a_jump(machine)
    if doubted and math.isfinite(observation.value) and _raises(machine, observation.value):
        flag = QualityFlag.SUSPECT
    return machine.step(observation.t_us, observation.value, flag)


def _follows_a_jump(machine: SiagaMachine) -> bool:
    """Say whether the last value, and not the one before it, was doubtful."""
    newest = [taken.good for taken in machine.state.journal[-2:]]
    return bool(newest) and not newest[-1] and (len(newest) == 1 or newest[0])


def _raises(machine: SiagaMachine, level_m: float) -> bool:
    """Say whether a level would raise, or keep up what is not verified; one that falls does neither."""
    reached = classify(level_m, machine.thresholds)
    if machine.level is Siaga.NORMAL:
        newest = machine.state.recent[-1][1] if machine.state.recent else level_m
        return reached is not Siaga.NORMAL or level_m >= newest
    return reached.rank > machine.level.rank or (reached is machine.level and not machine.verified)
