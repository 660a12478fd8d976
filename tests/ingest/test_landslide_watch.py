"""Landslide warnings in the live loop, over real stores: told once, held in the storm, honest about gaps."""

import io
import json
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from typing_extensions import override

from serayu.ingest.clock import LiveClock
from serayu.ingest.landslide_round import LandslideRound
from serayu.ingest.landslide_watch import FINDINGS_FILE, SLOPES_FILE, LandslideWatch
from serayu.ingest.metrics import IngestMetrics
from serayu.models.cap.check import check_cap
from serayu.models.cap.write import cap_xml
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.settings import DeliverySettings
from serayu.models.errors import StoreUnavailableError
from serayu.models.landslide.levels import SlopeLevel
from serayu.models.landslide.watch import RENEW_BEFORE_US, VALID_US
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, SeriesKey
from serayu.models.region import Region, RegionInfo
from serayu.models.siaga_levels import Siaga
from serayu.models.station import Datastream, Station, StationKind
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_transaction import Revision
from serayu.models.stores.register import Register
from serayu.models.stores.register.vault import Vault
from serayu.models.stores.survey_files import publish_bundle
from serayu.models.survey.review import Judgement
from serayu.models.texts import LANGUAGES, text
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, parse_rfc3339, rfc3339
from serayu.models.warning.authority import nobody
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Hazard, MessageType
from serayu.models.warning.registers import message
from serayu.models.warning.sms import sms_text
from serayu.models.warning.statements import head
from tests.models.delivery.story import HOOK, agency
from tests.models.survey.bundles import documents, feature, zipped
from tests.registers import empty_register
from tests.servers import wait_for

CODE = "33.02"
KEY = b"dGVzdHMgb25seSwgdGhpcyBrZXkgaXMgcHVibGljISE="
N, W, S, A = Siaga
ALERT, UPDATE, CANCEL = MessageType
START_US = parse_rfc3339("2026-01-20T00:00:00Z")
SLOPE = {
    "id": "tebing", "name": "Tebing Uji", "ruas": "R1", "ruas_name": "Jalan Uji", "km_from": 1.0, "km_to": 1.5,
    "desa": "33.02.15.2006", "desa_name": "Gumelar", "kecamatan": "Gumelar", "slope_deg": 15.0,
    "yearly_rain_mm": 3000.0, "rain": ["hujan-a", "hujan-b"], "soil_moisture": "sawah", "invented": True,
}  # fmt: skip
STORM = [2.0] * 3 + [12.0] * 2 + [30.0] * 2 + [4.0] * 4


def write_slopes(folder: Path, *slopes: dict[str, Any]) -> None:
    ring = [[109.0, -7.4], [109.001, -7.4], [109.001, -7.399], [109.0, -7.4]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    features = [{"type": "Feature", "geometry": geometry, "properties": one} for one in slopes]
    (folder / SLOPES_FILE).write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def _station(name: str, slug: str) -> Station:
    streams = (Datastream(slug, interval_s=3600),)
    kind = StationKind.RAIN if slug == "rain" else StationKind.FIELD
    return Station(name, CODE, f"Pos {name}", kind, 109.0, -7.4, streams, "test")


class Host:
    """Stores and rounds, driven by hand."""

    def __init__(self, folder: Path, store: HotStore, register: Register) -> None:
        gauges = {name: _station(name, "rain") for name in ("hujan-a", "hujan-b")}
        stations = {**gauges, "sawah": _station("sawah", "soil-moisture")}
        self.region = Region(RegionInfo(CODE, "Banyumas", "test"), MappingProxyType(stations), folder)
        self.folder, self.store, self.register = folder, store, register
        self.at_us = START_US
        write_slopes(folder, SLOPE)
        self.rounds = self.new_rounds()
        for gauge in gauges:
            self.rain(gauge, START_US - 20 * US_PER_DAY, [0.0] * (20 * 24))

    def now_us(self) -> int:
        return self.at_us

    def new_rounds(
        self, desk: DeliveryDesk | None = None, status: BulletinStatus | None = None
    ) -> LandslideRound:
        return LandslideRound(
            self.register, self.store, self.region, desk or DeliveryDesk(self.register, DeliverySettings()),
            computer=self, authority=nobody(CODE), data_dir=self.folder, rehearsal=status,
        )  # fmt: skip

    def rain(
        self, gauge: str, after_us: int, mm: Sequence[float], flag: QualityFlag = QualityFlag.GOOD
    ) -> None:
        key = SeriesKey(CODE, gauge, "rain")
        times = [after_us + (hour + 1) * US_PER_HOUR for hour in range(len(mm))]
        refused = self.store.write(
            [Observation(key, t_us, value, flag) for t_us, value in zip(times, mm, strict=True)]
        )
        assert not refused

    def hours(
        self,
        mm: Sequence[float],
        *,
        gauges: Sequence[str] = ("hujan-a", "hujan-b"),
        flag: QualityFlag = QualityFlag.GOOD,
        every: int = 1,
    ) -> list[Bulletin]:
        """Let it rain hour by hour, with a round after every so many; return what was said."""
        said = []
        for begin in range(0, len(mm), every):
            depths = mm[begin : begin + every]
            for gauge in gauges:
                self.rain(gauge, self.at_us, depths, flag)
            self.at_us += len(depths) * US_PER_HOUR
            said += self.round()
        return said

    def dry(self, days: int) -> list[Bulletin]:
        return self.hours([0.0] * 24 * days, every=3)

    def wait(self, hours: float) -> list[Bulletin]:
        """Let time pass without a value, with a round at the end."""
        self.at_us += round(hours * US_PER_HOUR)
        return self.round()

    def round(self) -> list[Bulletin]:
        return self.rounds.step(at_us=self.at_us)[1]

    def level(self) -> SlopeLevel:
        record = self.register.landslide(CODE)
        assert record is not None
        return record.report.ruas[0].level


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> Iterator[Host]:
    with (
        closing(HotStore(tmp_path / "hot.db")) as store,
        Register(empty_register(tmp_path / "register.db")) as register,
    ):
        yield Host(tmp_path, store, register)


def told(bulletins: Sequence[Bulletin]) -> list[tuple[MessageType, Siaga, Siaga]]:
    return [(one.msg_type, one.before, one.level) for one in bulletins]


def test_a_storm_is_one_alert_that_rises_and_ends_a_day_and_three_hours_after_the_rain(host: Host) -> None:
    assert host.round() == []
    storm = host.hours(STORM)
    assert told(storm) == [(ALERT, N, W), (UPDATE, W, S)]
    after = host.dry(5)
    ended = after.index(next(one for one in after if one.msg_type is CANCEL))
    kinds = [kind for kind, _, _ in told(after[: ended + 1])]
    assert kinds == [UPDATE] * ended + [CANCEL]
    said = [*storm, *after]
    assert [one.references for one in said[1:]] == [((one.id, one.sent_us),) for one in said[:-1]]
    assert {one.alert_id for one in said} == {said[0].alert_id}
    end = said[-1]
    assert (end.level, head(end)) == (N, "clear")
    assert end.sent_us >= START_US + (len(STORM) + 24 + 3) * US_PER_HOUR
    assert host.register.bulletins_of(said[0].alert_id) == said


def test_a_bulletin_names_road_village_gauge_rule_and_numbers(host: Host) -> None:
    warned = host.hours(STORM)[-1]
    assert (warned.hazard, warned.station, warned.post) == (Hazard.LANDSLIDE, "hujan-a", "Pos hujan-a")
    assert warned.impact.areas[0].code == "33.02.15.2006"
    (road,) = warned.impact.ruas
    assert (road.number, road.length_km) == ("R1", 0.5)
    assert warned.slope is not None
    assert warned.slope.rain_mm > warned.slope.threshold_mm
    assert (warned.expires_us - warned.sent_us, warned.status, warned.verified) == (
        VALID_US,
        BulletinStatus.TEST,
        True,
    )
    assert warned.invented


def test_every_bulletin_of_a_storm_has_its_texts_and_valid_cap(host: Host) -> None:
    said = [*host.hours(STORM), *host.dry(5)]
    assert len(said) >= 3
    for bulletin in said:
        assert check_cap(cap_xml(bulletin, nobody(CODE))).valid
        for lang in LANGUAGES:
            assert "R1" in message(bulletin, lang).headline
        assert sms_text(bulletin, "id")


def test_ordinary_rain_warns_nobody(host: Host) -> None:
    assert host.hours([1.0, 2.0, 0.5, 0.0, 3.0]) == []


def test_a_second_storm_is_another_alert(host: Host) -> None:
    first = [*host.hours(STORM), *host.dry(8)]
    assert first[-1].msg_type is CANCEL
    (second, *_) = host.hours(STORM)
    assert (second.msg_type, second.references) == (ALERT, ())
    assert second.alert_id != first[0].alert_id


def test_no_level_falls_and_rises_again_in_a_storm_when_the_gauge_fails_and_returns(host: Host) -> None:
    host.hours(STORM, gauges=("hujan-a",))
    dry = len(STORM)
    host.rain("hujan-b", START_US, [0.0] * dry)
    last = host.register.bulletins(CODE)[0]
    assert (last.level, last.station) == (S, "hujan-a")
    assert host.hours([0.3] * 5, gauges=("hujan-b",)) == [], "the other gauge has seen less rain"
    assert host.level().siaga is N
    record = host.register.landslide(CODE)
    assert record is not None
    assert record.roads["R1"].held
    (renewed,) = host.hours([0.3] * 17, gauges=("hujan-b",))
    assert told([renewed]) == [(UPDATE, S, S)]
    assert text("landslide.bulletin.held") in (renewed.note or "")
    assert (renewed.impact, renewed.station) == (last.impact, "hujan-b")


class KilledError(Exception):
    """The process ends here."""


class Kills(DeliveryDesk):
    """A desk in whose hands the process is killed, before or after the bulletin is recorded."""

    def __init__(self, register: Register, *, after: bool) -> None:
        super().__init__(register, DeliverySettings())
        self._after = after

    @override
    def issue(self, bulletin: Bulletin, *, rules_us: int, now_us: int) -> bool:
        if self._after:
            super().issue(bulletin, rules_us=rules_us, now_us=now_us)
        raise KilledError


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_bulletin_neither_repeats_nor_forgets_it(host: Host, *, after: bool) -> None:
    said: list[Bulletin] = []
    for depths in [*([depth] for depth in STORM), *[[0.0] * 3] * 8 * 5]:
        host.rain("hujan-a", host.at_us, depths)
        host.at_us += len(depths) * US_PER_HOUR
        host.rounds = host.new_rounds(Kills(host.register, after=after))
        with suppress(KilledError):
            host.round()
        host.rounds = host.new_rounds()
        said += host.round()
        assert host.round() == []
    recorded = list(reversed(host.register.bulletins(CODE)))
    assert ([] if after else recorded) == said
    assert [(kind, level) for kind, _, level in told(recorded)][:2] == [(ALERT, W), (UPDATE, S)]
    assert recorded[-1].msg_type is CANCEL
    assert len({one.alert_id for one in recorded}) == 1
    assert len({one.references for one in recorded}) == len(recorded)


def test_silence_ends_nothing_until_the_warning_expires_and_is_told_as_not_known(host: Host) -> None:
    warned = host.hours(STORM)[-1]
    assert host.wait(5) == []
    assert host.level() is SlopeLevel.UNKNOWN
    expires_us = host.register.bulletins(CODE)[0].expires_us
    assert host.wait((expires_us - host.at_us) / US_PER_HOUR - 0.5) == []
    (end,) = host.wait(0.5)
    assert (end.msg_type, end.before, end.level, head(end)) == (CANCEL, warned.level, N, "lapsed")
    assert end.sent_us == expires_us
    assert "R1" in message(end, "id").headline
    assert check_cap(cap_xml(end, nobody(CODE))).valid
    assert host.wait(1) == []


def test_after_a_long_outage_what_lapsed_is_left_alone_and_a_new_storm_is_a_new_alert(host: Host) -> None:
    old = host.hours(STORM)[-1]
    assert host.wait(72) == []
    (new, *_) = host.hours(STORM)
    assert (new.msg_type, new.references) == (ALERT, ())
    assert new.alert_id != old.alert_id


def test_a_warning_is_renewed_while_the_rain_goes_on(host: Host) -> None:
    first = host.hours(STORM)[-1]
    told_later = host.hours([3.0] * 40)
    assert told(told_later)[0] == (UPDATE, S, S)
    assert told_later[0].sent_us >= first.expires_us - RENEW_BEFORE_US
    assert told_later[0].expires_us > first.expires_us


def test_rain_that_quality_control_takes_back_takes_the_warning_back(host: Host) -> None:
    (warned,) = host.hours([150.0], gauges=("hujan-a",))
    host.rain("hujan-b", START_US, [0.0])
    key = SeriesKey(CODE, "hujan-a", "rain")
    with host.store.transaction() as transaction:
        transaction.revise([Revision(key, host.at_us, QualityFlag.FAIL, 4)])
    (end,) = host.wait(0.1)
    assert (end.msg_type, end.references[0][0], end.before) == (CANCEL, warned.id, N)
    assert head(end) == "cancel"
    assert "DICABUT" in message(end, "id").headline


def test_a_kill_at_a_withdrawal_does_not_keep_the_warning_up(host: Host) -> None:
    host.hours([150.0], gauges=("hujan-a",))
    host.rain("hujan-b", START_US, [0.0])
    with host.store.transaction() as transaction:
        transaction.revise([Revision(SeriesKey(CODE, "hujan-a", "rain"), host.at_us, QualityFlag.FAIL, 4)])
    host.rounds = host.new_rounds(Kills(host.register, after=False))
    with pytest.raises(KilledError):
        host.round()
    host.rounds = host.new_rounds()
    (end,) = host.wait(0.1)
    assert head(end) == "cancel"


def test_without_another_gauge_a_warning_that_was_taken_back_leaves_the_road_unknown(host: Host) -> None:
    write_slopes(host.folder, {**SLOPE, "rain": ["hujan-a"]})
    host.rounds = host.new_rounds()
    host.hours([150.0])
    with host.store.transaction() as transaction:
        transaction.revise([Revision(SeriesKey(CODE, "hujan-a", "rain"), host.at_us, QualityFlag.FAIL, 4)])
    (end,) = host.wait(0.1)
    assert (end.msg_type, end.slope, host.level()) == (CANCEL, None, SlopeLevel.UNKNOWN)


def test_suspect_rain_warns_as_not_verified(host: Host) -> None:
    (warned, *_) = host.hours([150.0], flag=QualityFlag.SUSPECT)
    assert not warned.verified


def test_a_failed_value_is_a_gap_and_not_dry(host: Host) -> None:
    host.hours([0.0])
    assert host.level() is SlopeLevel.NORMAL
    host.hours([0.0], flag=QualityFlag.FAIL)
    assert host.level() is SlopeLevel.UNKNOWN


def test_soil_moisture_decides_by_the_factor_of_safety(host: Host) -> None:
    soil = {"cohesion_kpa": 6.0, "friction_deg": 30.0, "gamma_kn_m3": 17.5, "depth_m": 2.0}
    pores = {"field_capacity_pct": 30.0, "saturation_pct": 50.0, "slope_deg": 32.0}
    write_slopes(host.folder, {**SLOPE, **soil, **pores})
    host.rounds = host.new_rounds()
    assert host.hours([0.0]) == []
    host.store.write([Observation(SeriesKey(CODE, "sawah", "soil-moisture"), host.at_us, 50.0)])
    (warned,) = host.round()
    assert warned.slope is not None
    assert warned.slope.factor_of_safety is not None
    assert "soil_moisture" not in warned.slope.missing


def _crack(host: Host, *, observed: str) -> None:
    place = {"type": "Point", "coordinates": [109.0005, -7.3998]}
    properties = {"kind": "crack", "observed": observed, "edge_m": 2.0}
    feature = {"type": "Feature", "geometry": place, "properties": properties}
    document = {"type": "FeatureCollection", "features": [feature]}
    (host.folder / FINDINGS_FILE).write_text(json.dumps(document))


def test_a_crack_seen_by_a_drone_warns_once_its_file_is_there(host: Host) -> None:
    assert host.hours([0.0]) == []
    _crack(host, observed=rfc3339(START_US - US_PER_DAY))
    (warned,) = host.round()
    assert (warned.level, host.round()) == (W, [])


def test_a_slide_that_a_survey_published_raises_the_storms_levels_until_a_reviewer_rejects_it(
    host: Host,
) -> None:
    ring = [[109.0004, -7.3998], [109.0005, -7.3998], [109.0005, -7.3997], [109.0004, -7.3998]]
    seen = rfc3339(START_US - US_PER_DAY)
    slide = feature(3, time=seen) | {"geometry": {"type": "Polygon", "coordinates": [ring]}}
    given = documents()
    given["findings.geojson"]["features"][3] = slide
    bundle = io.BytesIO(zipped(given))
    publish_bundle(
        bundle, register=host.register, data_dir=host.folder, region=CODE, by="test", now_us=START_US
    )
    assert host.hours([0.0]) == []
    assert host.level() is SlopeLevel.PANTAU
    host.register.add_review(CODE, slide["id"], Judgement.REJECTED, key_id="k", name="uji", now_us=START_US)
    assert host.round() == []
    assert host.level() is SlopeLevel.NORMAL
    host.register.add_review(CODE, slide["id"], Judgement.CONFIRMED, key_id="k", name="uji", now_us=START_US)
    assert told(host.hours(STORM)) == [(ALERT, N, W), (UPDATE, W, S), (UPDATE, S, A)]


def test_a_level_of_a_storm_is_not_held_for_ever_when_the_gauges_die_and_a_crack_remains(host: Host) -> None:
    _crack(host, observed=rfc3339(START_US - US_PER_DAY))
    (*_, stormy) = host.hours(STORM)
    assert stormy.level is A
    said = [one for _ in range(20) for one in host.wait(3)]
    assert [(one.msg_type, one.level) for one in said[:1]] == [(UPDATE, W)]
    assert said[0].sent_us - stormy.sent_us <= VALID_US + 3 * US_PER_HOUR
    assert {one.level for one in said} == {W}


def test_a_wrong_file_of_findings_is_said_and_stops_nothing(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    (host.folder / FINDINGS_FILE).write_text("{}")
    with caplog.at_level(logging.ERROR):
        assert host.hours(STORM)
    assert sum("drone findings are not used" in line for line in caplog.messages) == 1


def test_a_landslide_is_delivered_escalated_and_an_exercise_says_so(host: Host) -> None:
    recipient = msgspec.structs.replace(agency(), region=CODE)
    host.register.add_recipient(recipient, HOOK, Vault(KEY))
    host.rounds = host.new_rounds(status=BulletinStatus.EXERCISE)
    said = host.hours(STORM)
    deliveries = host.register.deliveries(CODE)
    assert {one.bulletin_id for one in deliveries} <= {one.id for one in said}
    assert {one.recipient_id for one in deliveries} == {recipient.id}
    assert [one.level for one in host.register.open_escalations(CODE)] == [S]
    assert {one.status for one in said} == {BulletinStatus.EXERCISE}
    host.register.acknowledge_bulletins(said[0].alert_id, region=CODE, by="test", now_us=host.at_us)
    assert host.register.open_escalations(CODE) == []


# -- the thread ------------------------------------------------------------------------------------------------


class SetClock(LiveClock):
    """A clock that the test sets."""

    def __init__(self, now_us: int) -> None:
        self.us = now_us

    @override
    def now_us(self) -> int:
        return self.us


class Watched:
    """A watch in a thread of its own."""

    def __init__(self, host: Host, url: str) -> None:
        self.clock, self.metrics = SetClock(host.at_us), IngestMetrics()
        self.queued, self.stopping = threading.Event(), threading.Event()
        self.watch = LandslideWatch(
            url, host.folder, host.store, host.region, self.clock, self.metrics,
            queued=self.queued, every_us=5 * US_PER_MINUTE,
        )  # fmt: skip
        self.thread = threading.Thread(target=self.watch.run, args=(self.stopping,), name="test-landslide")
        self.thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self.thread.join(20)
        assert not self.thread.is_alive()

    def rounds(self, result: str) -> float:
        found = self.metrics.registry.get_sample_value(
            "serayu_landslide_assessments_total", {"result": result}
        )
        return found or 0.0

    def roads(self, level: str) -> float | None:
        return self.metrics.registry.get_sample_value("serayu_landslide_roads", {"level": level})


@pytest.fixture(name="quick")
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serayu.ingest.landslide_watch.LOOK_EVERY_S", 0.01)
    monkeypatch.setattr("serayu.ingest.landslide_watch.RETRY_S", 0.01)


@pytest.mark.usefixtures("quick")
def test_the_watch_assesses_by_its_clock_and_wakes_the_courier(host: Host) -> None:
    host.rain("hujan-a", START_US, STORM)
    host.at_us += len(STORM) * US_PER_HOUR
    watched = Watched(host, host.register.name)
    try:
        wait_for(lambda: watched.rounds("made") == 1, what="the first round")
        assert watched.queued.is_set()
        assert watched.roads("siaga") == 1
        watched.clock.us += 5 * US_PER_MINUTE
        wait_for(lambda: watched.rounds("made") == 2, what="the second round")
    finally:
        watched.stop()
    assert [one.level for one in host.register.bulletins(CODE)] == [S]


@pytest.mark.usefixtures("quick")
def test_a_defect_or_a_store_that_is_away_ends_no_watch(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    faults: list[Exception | None] = [ZeroDivisionError(), StoreUnavailableError("locked"), None]
    assessed = LandslideRound.step

    def step(round_: LandslideRound, *, at_us: int) -> object:
        fault = faults.pop(0) if faults else None
        if fault is not None:
            raise fault
        return assessed(round_, at_us=at_us)

    monkeypatch.setattr(LandslideRound, "step", step)
    watched = Watched(host, host.register.name)
    try:
        wait_for(lambda: watched.rounds("failed") == 1, what="the defect")
        watched.clock.us += 5 * US_PER_MINUTE
        wait_for(lambda: watched.rounds("made") == 1, what="a round")
        assert watched.rounds("retried") == 1
    finally:
        watched.stop()


@pytest.mark.usefixtures("quick")
def test_wrong_slopes_are_said_and_end_nothing(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    write_slopes(host.folder, {**SLOPE, "slope_deg": 95})
    with caplog.at_level(logging.ERROR):
        watched = Watched(host, host.register.name)
        try:
            wait_for(lambda: watched.rounds("failed") == 1, what="the refusal")
            assert watched.thread.is_alive()
        finally:
            watched.stop()
    assert any("slopes are not watched" in line and "slope_deg" in line for line in caplog.messages)
