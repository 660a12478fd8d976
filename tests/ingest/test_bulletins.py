"""Bulletins of alert changes over real stores: each once, honest about what ended them, renewed, standing in."""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest
from cryptography.fernet import Fernet

from serayu.ingest.bulletin_ports import Desk
from serayu.ingest.bulletins import RENEW_BEFORE_US, VALID_US, BulletinWriter
from serayu.ingest.evaluator import AlertEvaluator
from serayu.ingest.evidence import StoredEvidence
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.settings import DeliverySettings
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, SeriesKey
from serayu.models.region import Region, RegionInfo
from serayu.models.siaga import Reason, Siaga, SiagaSettings, Thresholds
from serayu.models.station import Datastream, Station, StationKind
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_transaction import Revision
from serayu.models.stores.register import Register
from serayu.models.stores.register.vault import Vault
from serayu.models.stores.sensor_faults import StandingFault
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE
from serayu.models.warning.authority import Authority, Signature, nobody
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Impact, MessageType
from serayu.models.warning.outlook import Outlook, OutlookStep
from serayu.models.warning.statements import head
from tests.models.delivery.story import HOOK, agency
from tests.registers import empty_register

CODE = "33.02"
N, W, S, A = Siaga
ALERT, UPDATE, CANCEL = MessageType
LIMITS = Thresholds(
    2.0, 3.0, 4.0, source="invented for this test", valid_from="2026-01-01", approved_by="nobody"
)


def _station(
    name: str, kind: StationKind = StationKind.RIVER, *, downstream: tuple[str, ...] = ()
) -> Station:
    river = kind is StationKind.RIVER
    return Station(
        name, CODE, f"Pos {name}", kind, 109.2, -7.4, (Datastream("stage" if river else "rain"),), "test",
        river="Kali Uji" if river else None, thresholds=LIMITS if river else None, downstream=downstream,
        siaga=SiagaSettings(travel_time_us=US_PER_HOUR, rise_at_least_m=9.0),
    )  # fmt: skip


STATIONS = {
    "hulu": _station("hulu", downstream=("hilir",)),
    "hilir": _station("hilir"),
    "hujan": _station("hujan", StationKind.RAIN),
}


class At:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.us = 0

    def now_us(self) -> int:
        return self.us

    def not_before(self, at_us: int) -> int:
        return max(self.us, min(at_us, self.us))


class Everything:
    """An impact source that says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Siaga, int | None]] = []
        self.since_us: list[int] = []

    def assess(
        self,
        station_id: str,
        level: Siaga,
        *,
        at_us: int,
        crossing_us: int | None = None,
        level_m: float | None = None,  # noqa: ARG002 -- the port's
    ) -> Impact:
        self.asked.append((station_id, level, crossing_us))
        self.since_us.append(at_us)
        return Impact(people=7, basis="test")


class Host:
    """Stores, evaluator and writer, driven by hand."""

    def __init__(self, store: HotStore, register: Register) -> None:
        self.region = Region(RegionInfo(CODE, "Banyumas", "test"), MappingProxyType(STATIONS), Path())
        self.store, self.register, self.clock, self.impact = store, register, At(), Everything()
        self.evaluator = AlertEvaluator(store, register, self.region)
        self.writer = self.new_writer()

    def new_writer(
        self,
        desk: Desk | None = None,
        status: BulletinStatus | None = None,
        authority: Authority | None = None,
    ) -> BulletinWriter:
        return BulletinWriter(
            self.register, self.store, self.region, desk or DeliveryDesk(self.register, DeliverySettings()),
            posts=StoredEvidence(self.store), rules=self.clock, computer=self.clock, rehearsal=status,
            impact=lambda: self.impact, authority=authority or nobody(CODE),
        )  # fmt: skip

    def put(self, minute: float, value: float, station: str = "hilir", slug: str = "stage") -> None:
        t_us = round(minute * US_PER_MINUTE)
        self.clock.us = max(self.clock.us, t_us)
        self.store.write([Observation(SeriesKey(CODE, station, slug), t_us, value)])

    def step(self, *rows: tuple[float, float]) -> list[Bulletin]:
        for minute, value in rows:
            self.put(minute, value)
        self.evaluator.step()
        return self.writer.step()

    def later(self, minute: float, *, sustained: tuple[str, ...] = ()) -> list[Bulletin]:
        self.clock.us = round(minute * US_PER_MINUTE)
        self.evaluator.lapse(self.clock.us, sustained=sustained)
        return self.writer.step()


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> Iterator[Host]:
    with (
        closing(HotStore(tmp_path / "hot.db")) as store,
        Register(empty_register(tmp_path / "register.db")) as register,
    ):
        yield Host(store, register)


def said(bulletins: Sequence[Bulletin]) -> list[tuple[MessageType, Siaga, Siaga]]:
    return [(one.msg_type, one.before, one.level) for one in bulletins]


FLOOD = [(0, 1.0), (10, 2.5), (20, 3.5), (50, 2.5), (80, 2.5), (90, 1.0), (120, 1.0)]


def test_a_flood_is_one_alert_updates_and_a_cancel_that_refer_to_each_other(host: Host) -> None:
    bulletins = [one for row in FLOOD for one in host.step(row)]
    assert said(bulletins) == [(ALERT, N, W), (UPDATE, W, S), (UPDATE, S, W), (CANCEL, W, N)]
    assert [one.references for one in bulletins[1:]] == [((one.id, one.sent_us),) for one in bulletins[:-1]]
    assert {one.alert_id for one in bulletins} == {host.register.alerts(CODE)[0].id}
    assert [one.expires_us - one.sent_us for one in bulletins] == [VALID_US] * 4
    first, last = bulletins[0], bulletins[-1]
    assert (first.level_m, first.limit_m, first.reason, first.impact.people) == (
        2.5,
        2.0,
        Reason.THRESHOLD,
        7,
    )
    assert (first.post, first.river, first.authority, first.status) == (
        "Pos hilir",
        "Kali Uji",
        None,
        BulletinStatus.TEST,
    )
    assert (last.level_m, last.limit_m, head(last)) == (1.0, None, "clear")
    assert host.writer.step() == []
    assert host.register.bulletins_of(first.alert_id) == bulletins


def test_a_rehearsal_is_an_exercise(host: Host) -> None:
    host.writer = host.new_writer(status=BulletinStatus.EXERCISE)
    (bulletin,) = host.step((0, 2.5))
    assert (bulletin.status, bulletin.public) == (BulletinStatus.EXERCISE, False)


def test_a_drill_that_begins_meanwhile_does_not_hide_the_end_of_a_real_alert(host: Host) -> None:
    signature = Signature(Path("kunci.pem"), Path("sertifikat.pem"), "SK uji")
    signed = msgspec.structs.replace(nobody(CODE), name="BPBD Uji", signature=signature)
    host.writer = host.new_writer(authority=signed)
    (first,) = host.step((0, 2.5))
    host.writer = host.new_writer(authority=signed, status=BulletinStatus.EXERCISE)
    bulletins = [first, *host.step((10, 1.0), (45, 1.0))]
    assert [one.status for one in bulletins] == [BulletinStatus.ACTUAL] * len(bulletins)
    assert bulletins[-1].msg_type is CANCEL
    assert [one.status for one in host.step((60, 2.5))] == [BulletinStatus.EXERCISE]


def test_what_rested_on_a_failed_value_is_cancelled_as_never_having_been(host: Host) -> None:
    host.step((0, 1.0), (1, 9.0))
    with host.store.transaction() as transaction:
        transaction.revise([Revision(SeriesKey(CODE, "hilir", "stage"), US_PER_MINUTE, QualityFlag.FAIL, 4)])
    (bulletin,) = host.step((2, 1.0))
    assert (bulletin.msg_type, head(bulletin)) == (CANCEL, "cancel")


def test_a_warning_lapses_a_day_after_the_last_good_value_and_is_not_back_to_normal(host: Host) -> None:
    (first,) = host.step((0, 2.5))
    assert host.later(24 * 60) == []
    assert first.expires_us == US_PER_DAY
    (last,) = host.later(24 * 60 + 1)
    assert (last.msg_type, last.level_m, head(last)) == (CANCEL, None, "lapsed")
    assert host.later(24 * 60 + 2) == []


def test_a_warning_is_renewed_before_it_expires_while_the_post_speaks(host: Host) -> None:
    (first,) = host.step((0, 2.5))
    told = [one for hour in range(1, 48) for one in host.step((hour * 60, 2.5))]
    assert said(told) == [(UPDATE, W, W)] * 2
    assert told[0].references == ((first.id, first.sent_us),)
    assert told[0].sent_us >= first.expires_us - RENEW_BEFORE_US
    assert [one.expires_us for one in told] == [one.sent_us + VALID_US for one in told]
    assert told[1].sent_us < told[0].expires_us


def test_a_renewal_counts_arrivals_from_when_the_level_was_reached(host: Host) -> None:
    for minute in range(0, 60 * 24, 10):
        host.step((minute, 2.5))
    host.step((60 * 24, 3.5), (60 * 24 + 1, 3.5))
    first, *renewed, higher = host.impact.since_us
    assert renewed
    assert set(renewed) == {first} == {0}
    assert higher == 60 * 24 * US_PER_MINUTE


def test_a_station_whose_clock_is_ahead_dates_no_bulletin_and_delays_none(host: Host) -> None:
    hook = agency(region=CODE)
    host.register.add_recipient(hook, HOOK, Vault(Fernet.generate_key()))
    host.store.write([Observation(SeriesKey(CODE, "hilir", "stage"), 8 * US_PER_MINUTE, 2.5)])
    (bulletin,) = host.step()
    assert (bulletin.sent_us, bulletin.at_us) == (0, 8 * US_PER_MINUTE)
    assert host.register.bulletins(CODE, active_at_us=0) == [bulletin]
    due = host.register.due_deliveries(CODE, rules_us=0, now_us=0, by="test", lease_us=1)
    assert [one.bulletin_id for one in due] == [bulletin.id]


def test_a_silent_post_rests_on_the_post_above_it_and_takes_over_again(host: Host) -> None:
    host.step((0, 2.5))
    host.put(10, 3.5, "hulu")
    (update,) = [one for one in host.later(10) if one.station == "hilir"] or host.step()
    assert said([update]) == [(UPDATE, W, S)]
    assert (update.fallback, update.level_m, update.limit_m) == (("hulu",), None, 3.0)
    assert update.at_us == 10 * US_PER_MINUTE, "not when it was last known: it is not known now"
    assert [one for one in host.later(11) if one.station == "hilir"] == [], "it is said once"
    (back,) = [one for one in host.step((12, 2.4)) if one.station == "hilir"]
    assert (back.fallback, back.level, back.level_m) == ((), W, 2.4)


def test_a_post_whose_sensor_drifts_does_not_speak_for_the_river(host: Host) -> None:
    host.step((0, 2.5))
    now_us = US_PER_MINUTE
    evidence = StoredEvidence(host.store)
    assert evidence.speaks(STATIONS["hilir"], "stage", now_us)
    host.store.sensor_faults.change(begin=[StandingFault(CODE, "hilir", "drifting", now_us)])
    assert not evidence.speaks(STATIONS["hilir"], "stage", now_us)


def test_a_stand_in_around_a_limit_raises_once_and_lowers_once(host: Host) -> None:
    host.step((0, 2.5))
    told = []
    for minute in range(10, 60 * 24, 10):
        wave_m = 0.02 * math.sin(2 * math.pi * minute / 480) if minute < 60 * 17 else -0.6
        host.put(minute, 3.0 + wave_m, "hulu")
        host.evaluator.step()
        told += [one for one in host.later(minute, sustained=("hilir",)) if one.station == "hilir"]
    assert [one.level for one in told if one.level is not one.before] == [S, W]


def test_a_stand_in_that_is_normal_keeps_nothing_up_and_says_nothing(host: Host) -> None:
    host.step((0, 2.5))
    host.put(10, 1.0, "hulu")
    assert host.later(10) == []


def test_rain_keeps_a_warning_up_without_a_level(host: Host) -> None:
    host.step((0, 2.5))
    host.put(10, 25.0, "hujan", "rain")
    (update,) = host.later(10)
    assert (update.fallback, update.level, update.level_m) == (("hujan",), W, None)


def _outlook(minute: float, p: float) -> Outlook:
    step = OutlookStep(3.0, 2.4, 2.0, 2.9, "trend", 0.4)
    at_us = round(minute * US_PER_MINUTE)
    crossing_us = at_us + 2 * US_PER_HOUR
    return Outlook(
        region=CODE, station="hilir", issued_us=at_us, steps=(step,), probability=(p, 0.1, 0.0),
        crossing_us=(crossing_us, None, None), without=("hulu",),
    )  # fmt: skip


def test_a_forecast_warns_before_the_crossing_and_shows_its_numbers(host: Host) -> None:
    host.step((0, 1.5))
    outlook = _outlook(0, 0.8)
    host.register.record_forecasts([outlook])
    host.evaluator.foresee([outlook])
    (alert,) = host.writer.step()
    assert (alert.msg_type, alert.level, alert.reason, alert.level_m) == (ALERT, W, Reason.FORECAST, 1.5)
    assert alert.foreseen == outlook.foreseen(W)
    assert alert.foreseen is not None
    assert (alert.foreseen.probability, alert.foreseen.without) == (0.8, ("hulu",))
    assert host.impact.asked == [("hilir", W, outlook.crossing_us[0])]
    (confirmed,) = host.step((90, 2.1))
    assert (confirmed.msg_type, confirmed.reason, confirmed.level) == (UPDATE, Reason.THRESHOLD, W)


def test_a_forecast_that_is_not_renewed_is_taken_back_honestly(host: Host) -> None:
    host.step((0, 1.5))
    host.evaluator.foresee([_outlook(0, 0.8)])
    host.writer.step()
    (silent,) = host.later(3 * 60 + 1)
    assert (head(silent), silent.level_m) == ("lapsed", None)
    host.step((200, 1.5))
    host.evaluator.foresee([_outlook(200, 0.8)])
    host.writer.step()
    (spoke,) = [one for hour in (300, 390) for one in (*host.step((hour, 1.4)), *host.later(hour))]
    assert (head(spoke), spoke.level_m) == ("clear", 1.4)


def test_an_alert_of_a_release_without_bulletins_is_told_when_its_evidence_is_fresh(host: Host) -> None:
    host.put(0, 2.5)
    host.evaluator.step()
    host.put(30 * 60, 2.6)
    (bulletin,) = host.step()
    assert (bulletin.msg_type, bulletin.change_id, bulletin.level_m) == (ALERT, None, 2.6)


class KilledError(Exception):
    """Stands for SIGKILL."""


class FragileDesk:
    """A desk whose process dies before or after a chosen bulletin is recorded."""

    def __init__(self, desk: Desk, place: int, when: str) -> None:
        self._desk, self._place, self._when = desk, place, when
        self._calls = 0

    def issue(self, bulletin: Bulletin, *, rules_us: int, now_us: int) -> bool:
        self._calls += 1
        if self._calls == self._place and self._when == "before":
            raise KilledError
        done = self._desk.issue(bulletin, rules_us=rules_us, now_us=now_us)
        if self._calls == self._place:
            raise KilledError
        return done


@pytest.mark.parametrize("place", range(1, 5))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_writer_killed_anywhere_tells_each_change_once(host: Host, place: int, when: str) -> None:
    desk = FragileDesk(DeliveryDesk(host.register, DeliverySettings()), place, when)
    for minute, value in FLOOD:
        host.put(minute, value)
        host.evaluator.step()
    for _ in range(3):
        with suppress(KilledError):
            host.new_writer(desk).step()
    told = host.register.bulletins_of(host.register.alerts(CODE)[0].id)
    assert said(told) == [(ALERT, N, W), (UPDATE, W, S), (UPDATE, S, W), (CANCEL, W, N)]
    assert [one.change_id for one in told] == [one.id for one in host.register.changes_after(0)]
    assert [one.references for one in told[1:]] == [((one.id, one.sent_us),) for one in told[:-1]]


def test_bulletins_survive_json(host: Host) -> None:
    (bulletin,) = host.step((0, 2.5))
    assert msgspec.json.decode(msgspec.json.encode(bulletin), type=Bulletin) == bulletin
