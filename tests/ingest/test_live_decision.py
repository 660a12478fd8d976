"""The live decision over real stores: forecasts, lapse, stand-ins, sensor alarms; two evaluators never double."""

import math
import statistics
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

import pytest

from serayu.ingest.clock import IDLE_S, LiveClock, ReplayClock, Settled
from serayu.ingest.evaluator import AlertEvaluator
from serayu.ingest.forecasting import Forecasting
from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.sensor_watch import SensorWatch
from serayu.models.errors import ConflictError
from serayu.models.hydrology.rise import theil_sen_slope
from serayu.models.quality.flags import QcTest, QualityFlag
from serayu.models.quality.sensor_alarm import SensorFault
from serayu.models.reading import Observation, Reading, SeriesKey
from serayu.models.region import Region, RegionInfo
from serayu.models.siaga import ChangeKind, Reason, Siaga, SiagaMachine, SiagaSettings, Thresholds
from serayu.models.siaga_forecast import Decision, RuleMemory
from serayu.models.station import Datastream, Station, StationKind
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE
from serayu.models.warning.outlook import Outlook, OutlookStep, crossings
from tests.registers import empty_register

CODE = "33.02"
N, W, S, A = Siaga
LIMITS = Thresholds(
    2.0, 3.0, 4.0, source="invented for this test", valid_from="2026-01-01", approved_by="nobody"
)
LEAD_H = 3.0


def _post(name: str, downstream: tuple[str, ...] = ()) -> Station:
    stream = Datastream("stage", interval_s=600)
    return Station(
        name, CODE, name, StationKind.RIVER, 109.2, -7.4, (stream,), "test",
        thresholds=LIMITS, siaga=SiagaSettings(), downstream=downstream,
    )  # fmt: skip


REGION = Region(
    RegionInfo(CODE, "Banyumas", "test"),
    MappingProxyType({"hulu": _post("hulu", ("hilir",)), "hilir": _post("hilir")}),
    Path(),
)


class TrendSource:
    """Forecasts by the robust trend of the last two hours; the spread around it gives the probabilities."""

    def __init__(self, store: HotStore) -> None:
        self.store = store
        self.asked: list[tuple[str, int]] = []

    def forecast(self, station: str, now_us: int) -> Outlook | None:
        self.asked.append((station, now_us))
        window = self.store.window(SeriesKey(CODE, station, "stage"), now_us - 2 * US_PER_HOUR, now_us + 1)
        good = [one for one in window if one.flag is not QualityFlag.FAIL]
        hours = [(one.t_us - now_us) / US_PER_HOUR for one in good]
        slope = theil_sen_slope(hours, [one.value for one in good])
        if slope is None:
            return None
        rest = [one.value - slope * hour for one, hour in zip(good, hours, strict=True)]
        now_m, spread = statistics.median(rest), max(statistics.pstdev(rest) * (1 + LEAD_H), 0.02)
        ahead_m = now_m + slope * LEAD_H
        p = [0.5 * math.erfc((limit - ahead_m) / (spread * math.sqrt(2))) for limit in (2.0, 3.0, 4.0)]
        step = OutlookStep(LEAD_H, ahead_m, ahead_m - 1.28 * spread, ahead_m + 1.28 * spread, "trend")
        then_us = now_us + round(LEAD_H * US_PER_HOUR)
        return Outlook(
            region=CODE, station=station, issued_us=now_us, steps=(step,), probability=(p[0], p[1], p[2]),
            crossing_us=crossings(now_us, now_m, [(then_us, ahead_m)], LIMITS.bounds_m),
        )  # fmt: skip


class Broken:
    """A source whose method fails."""

    def forecast(self, station: str, now_us: int) -> Outlook | None:
        raise ArithmeticError(f"{station} {now_us}")


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> Iterator[tuple[HotStore, Register]]:
    with (
        closing(HotStore(tmp_path / "hot.db")) as store,
        Register(empty_register(tmp_path / "register.db")) as register,
    ):
        yield store, register


def at(minute: float, value: float, station: str = "hilir", *, tests: int = 0) -> Observation:
    flag = QualityFlag.SUSPECT if tests else QualityFlag.GOOD
    return Observation(SeriesKey(CODE, station, "stage"), round(minute * US_PER_MINUTE), value, flag, tests)


def test_a_forecast_raises_before_the_crossing_and_is_confirmed_by_it(
    host: tuple[HotStore, Register],
) -> None:
    store, register = host
    evaluator, source, metrics = AlertEvaluator(store, register, REGION), TrendSource(store), IngestMetrics()
    forecasting = Forecasting(source, store, REGION, metrics)
    said = []
    for minute in range(0, 300, 10):
        store.write([at(minute, 1.0 + 0.3 * minute / 60)])
        said += evaluator.step()
        outlooks = forecasting.step()
        register.record_forecasts(outlooks)
        said += evaluator.foresee(outlooks)
    first, confirmed = [change for change in said if change.after is W][:2]
    assert (first.kind, first.reason, first.before) == (ChangeKind.RAISE, Reason.FORECAST, N)
    assert (confirmed.kind, confirmed.reason) == (ChangeKind.CONFIRM, Reason.THRESHOLD)
    crossed_us = 200 * US_PER_MINUTE
    assert 2 * US_PER_HOUR <= crossed_us - first.at_us <= 4 * US_PER_HOUR, (
        "the lead is about that of the forecast"
    )
    (alert,) = register.alerts(CODE)
    assert alert.highest_by_threshold is W
    kept = register.latest_forecast(CODE, "hilir", by_us=first.at_us)
    assert kept is not None
    assert kept.issued_us == first.at_us
    assert kept.probability[0] is not None
    assert kept.probability[0] >= 0.5
    assert metrics.forecasts.labels("made")._value.get() == len(source.asked) - 2, "two values have no trend"


def test_a_forecast_that_fails_stops_nothing(
    host: tuple[HotStore, Register], caplog: pytest.LogCaptureFixture
) -> None:
    store, register = host
    metrics = IngestMetrics()
    store.write([at(0, 2.5), at(0, 1.0, "hulu")])
    assert Forecasting(Broken(), store, REGION, metrics).step() == []
    assert metrics.forecasts.labels("failed")._value.get() == 2
    assert "ArithmeticError" in caplog.text
    assert [change.after for change in AlertEvaluator(store, register, REGION).step()] == [W]
    assert Forecasting(None, store, REGION, metrics).step() == []


def test_a_post_is_forecast_when_it_has_news_and_not_too_often(host: tuple[HotStore, Register]) -> None:
    store, _ = host
    source = TrendSource(store)
    forecasting = Forecasting(source, store, REGION, IngestMetrics())
    for minute in (0, 1, 4, 5, 11):
        store.write([at(minute, 1.0)])
        forecasting.step()
        forecasting.step()
    assert [t_us // US_PER_MINUTE for _, t_us in source.asked] == [0, 5, 11]


def test_what_the_clock_and_forecasts_bring_about_survives_a_restart(host: tuple[HotStore, Register]) -> None:
    store, register = host
    store.write([at(0, 2.5)])
    AlertEvaluator(store, register, REGION).step()
    assert AlertEvaluator(store, register, REGION).lapse(US_PER_DAY) == []
    AlertEvaluator(store, register, REGION).lapse(US_PER_DAY, sustained=["hilir"])
    assert AlertEvaluator(store, register, REGION).lapse(US_PER_DAY + US_PER_HOUR) == []
    (change,) = AlertEvaluator(store, register, REGION).lapse(2 * US_PER_DAY + 1)
    assert (change.kind, change.after, change.unknown) == (ChangeKind.LAPSE, N, True)
    (alert,) = register.alerts(CODE)
    assert alert.lapsed
    assert AlertEvaluator(store, register, REGION).lapse(3 * US_PER_DAY) == []


def test_two_evaluators_do_not_both_record_what_the_clock_brings_about(
    host: tuple[HotStore, Register],
) -> None:
    store, register = host
    store.write([at(0, 2.5)])
    first, second = AlertEvaluator(store, register, REGION), AlertEvaluator(store, register, REGION)
    first.step()
    assert second.lapse(US_PER_MINUTE) == []
    assert len(first.lapse(US_PER_DAY + 1)) == 1
    with pytest.raises(ConflictError):
        second.lapse(US_PER_DAY + 1)
    assert second.lapse(US_PER_DAY + 1) == []
    assert [change.kind for change in register.changes_after(0)] == [ChangeKind.RAISE, ChangeKind.LAPSE]


def test_a_drifting_sensor_is_an_alarm_of_the_sensor_and_no_flood(host: tuple[HotStore, Register]) -> None:
    store, register = host
    evaluator, watch = AlertEvaluator(store, register, REGION), SensorWatch(store, REGION, IngestMetrics())
    said, first_h = [], None
    for minute in range(60, 4 * 1440 + 1, 60):
        hour = range(minute - 50, minute + 1, 10)
        store.write([at(one, 1.0 + 0.02 * one / 60) for one in hour] + [at(one, 1.5, "hulu") for one in hour])
        said += evaluator.step()
        faults = watch.step(minute * US_PER_MINUTE)
        evaluator.heed(faults)
        if faults and first_h is None:
            first_h = minute / 60
    assert watch.step(4 * US_PER_DAY)["hilir"] == {SensorFault.DRIFTING}
    assert first_h is not None
    assert first_h <= 24
    assert said == [], "at 2 cm/h it passed the limit after 50 h"


def test_a_flood_of_the_whole_river_is_no_drift(host: tuple[HotStore, Register]) -> None:
    store, register = host
    evaluator, watch = AlertEvaluator(store, register, REGION), SensorWatch(store, REGION, IngestMetrics())
    said = []
    for minute in range(60, 3 * 1440 + 1, 60):
        hour = range(minute - 50, minute + 1, 10)
        store.write([at(one, 1.0 + 0.04 * one / 60) for one in hour])
        store.write([at(one, 1.0 + 0.02 * one / 60, "hulu") for one in hour])
        said += evaluator.step()
        evaluator.heed(watch.step(minute * US_PER_MINUTE))
    assert {(change.station, change.after) for change in said} == {("hilir", W), ("hulu", W), ("hilir", S)}


def test_a_sensor_that_spikes_must_insist(host: tuple[HotStore, Register]) -> None:
    store, register = host
    evaluator, watch = AlertEvaluator(store, register, REGION), SensorWatch(store, REGION, IngestMetrics())
    store.write(
        [
            at(0, 1.0),
            at(10, 9.0, tests=QcTest.SPIKE),
            at(20, 1.0),
            at(30, 9.0, tests=QcTest.SPIKE),
            at(40, 1.0),
        ]
    )
    evaluator.heed({"hilir": {SensorFault.SPIKING}})
    assert evaluator.step() == []
    assert watch.step(40 * US_PER_MINUTE) == {"hilir": {SensorFault.SPIKING}}
    store.write([at(minute, 2.5) for minute in (50, 60, 70, 80)])
    assert [(change.at_us // US_PER_MINUTE, change.after) for change in evaluator.step()] == [(80, W)]


def test_a_dead_and_a_stuck_sensor_are_told_apart(host: tuple[HotStore, Register]) -> None:
    store, _ = host
    watch = SensorWatch(store, REGION, IngestMetrics())
    store.write([at(0, 1.0), at(0, 1.0, "hulu", tests=QcTest.FLAT_LINE)])
    assert watch.step(0) == {"hulu": {SensorFault.STUCK}}
    assert watch.step(US_PER_HOUR) == {"hulu": {SensorFault.DEAD}, "hilir": {SensorFault.DEAD}}


def test_the_settled_time_waits_for_the_slowest_that_still_sends(
    host: tuple[HotStore, Register], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = host
    seconds = [100.0]
    monkeypatch.setattr("serayu.ingest.clock.time.monotonic", lambda: seconds[0])
    clock = ReplayClock(store)

    def heard(station: str, t_us: int) -> None:
        clock.observe(Reading(SeriesKey(CODE, station, "stage"), t_us, 1.0, "oid", 1))

    heard("hulu", US_PER_DAY)
    heard("hilir", US_PER_HOUR)
    assert (clock.now_us(), Settled(clock).now_us()) == (US_PER_DAY, US_PER_HOUR)
    seconds[0] += IDLE_S + 1
    heard("hulu", 2 * US_PER_DAY)
    assert clock.settled_us() == 2 * US_PER_DAY, "the other has fallen silent"
    seconds[0] += IDLE_S + 1
    assert clock.settled_us() == 2 * US_PER_DAY, "nobody sends: time stands"
    live = LiveClock()
    assert abs(live.settled_us() - live.now_us()) < US_PER_MINUTE


class Ruled:
    """A source whose rule warns of waspada by what it was told to, and counts in its memory."""

    def __init__(self, said: list[bool]) -> None:
        self.said = said

    def decide(self, outlook: Outlook, memory: Sequence[RuleMemory]) -> Decision | None:  # noqa: ARG002
        seen = int(memory[0]["count"] or 0) if memory else 0
        kept: list[RuleMemory] = [{"count": seen + 1}, {}, {}]
        return Decision((self.said[seen], False, False), kept)


def _unlikely(minute: int) -> Outlook:
    return Outlook(
        region=CODE, station="hilir", issued_us=minute * US_PER_MINUTE, probability=(0.0, 0.0, 0.0),
        steps=(OutlookStep(3.0, 1.0, 0.9, 1.1, "ridge"),),
    )  # fmt: skip


def test_a_tuned_rule_decides_in_place_of_the_policy_and_remembers_over_a_restart(
    host: tuple[HotStore, Register],
) -> None:
    store, register = host
    rules = Ruled([False, True, True, False, True])
    store.write([at(0, 1.0)])
    said = []
    for minute in (0, 60, 120, 180):
        evaluator = AlertEvaluator(store, register, REGION)  # anew each time: all is in the register
        evaluator.step()
        said += evaluator.foresee([_unlikely(minute)], rules)
        assert evaluator.foresee([_unlikely(minute)], rules) == [], "told twice, decided once"
    assert [(one.kind, one.before, one.after, one.reason) for one in said] == [
        (ChangeKind.RAISE, N, W, Reason.FORECAST),
        (ChangeKind.LOWER, W, N, Reason.FORECAST),
    ]
    assert [one.at_us // US_PER_MINUTE for one in said] == [60, 180]


def test_a_warning_that_ends_at_the_crossing_stands_until_the_measured_level_takes_over() -> None:
    limits = SiagaSettings(min_duration_us=10 * US_PER_MINUTE)
    machine = SiagaMachine(LIMITS, limits)
    on, off = (Decision((flag, False, False), [{}, {}, {}]) for flag in (True, False))
    none = (None, None, None)
    machine.step(0, 1.9, QualityFlag.GOOD)
    assert [one.after for one in machine.foresee(0, none, decision=on)] == [W]
    machine.step(5 * US_PER_MINUTE, 2.1, QualityFlag.GOOD)  # above the limit, not yet for ten minutes
    assert machine.foresee(5 * US_PER_MINUTE, none, decision=off) == ()
    changes = machine.step(16 * US_PER_MINUTE, 2.2, QualityFlag.GOOD)
    assert [one.kind for one in changes] == [ChangeKind.CONFIRM]
    assert machine.foresee(17 * US_PER_MINUTE, none, decision=off) == ()
    assert machine.level is W
    assert machine.state.forecast.rank == 0


def test_standing_faults_of_sensors_are_kept_for_others_and_survive_a_restart(
    host: tuple[HotStore, Register],
) -> None:
    store, _ = host
    store.write([at(0, 1.0), at(0, 1.0, "hulu", tests=QcTest.FLAT_LINE)])
    SensorWatch(store, REGION, IngestMetrics()).step(0)
    assert [(one.station, one.kind, one.since_us) for one in store.sensor_faults.standing(CODE)] == [
        ("hulu", "stuck", 0)
    ]
    watch = SensorWatch(store, REGION, IngestMetrics())
    store.write([at(10, 1.2, "hulu"), at(10, 1.0)])
    assert watch.step(10 * US_PER_MINUTE) == {}
    assert store.sensor_faults.standing(CODE) == []


def test_a_drift_and_the_doubt_after_it_survive_a_restart(host: tuple[HotStore, Register]) -> None:
    store, _ = host
    watch = SensorWatch(store, REGION, IngestMetrics())
    for minute in range(10, 48 * 60 + 1, 10):
        store.write([at(minute, 1.0 + 0.02 * minute / 60), at(minute, 1.5, "hulu")])
    end = 48 * 60
    assert watch.step(end * US_PER_MINUTE) == {"hilir": {SensorFault.DRIFTING}}
    assert SensorWatch(store, REGION, IngestMetrics()).faults == watch.faults
    store.write([at(end + minute, 1.0, "hilir") for minute in range(10, 1441, 10)])
    assert watch.step((end + 1440) * US_PER_MINUTE)["hilir"] == {SensorFault.DOUBTFUL}
    store.write([at(end + 1450, 1.0, "hilir")])
    again = SensorWatch(store, REGION, IngestMetrics())
    assert again.step((end + 1450) * US_PER_MINUTE)["hilir"] == {SensorFault.DOUBTFUL}


def test_a_straight_rise_that_nobody_can_confirm_is_raised_unverified(
    host: tuple[HotStore, Register],
) -> None:
    store, register = host
    evaluator, watch = AlertEvaluator(store, register, REGION), SensorWatch(store, REGION, IngestMetrics())
    said = []
    for minute in range(60, 4 * 1440 + 1, 60):
        store.write([at(one, 1.0 + 0.02 * one / 60) for one in range(minute - 50, minute + 1, 10)])
        said += evaluator.step()
        evaluator.heed(watch.step(minute * US_PER_MINUTE))
    assert [(change.after, change.verified) for change in said] == [(W, False)]
    assert watch.step(4 * US_PER_DAY)["hilir"] == {SensorFault.DOUBTFUL}
