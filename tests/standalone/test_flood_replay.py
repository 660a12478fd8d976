"""A replay runs the live rules: what the live chain did it does again, and what it was given it never delivers."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner
from typing_extensions import override

from serayu.ingest.alerting import AlertLoop
from serayu.ingest.bulletins import BulletinWriter
from serayu.ingest.clock import LiveClock, ReplayClock, Settled
from serayu.ingest.decode import Decoder, Message
from serayu.ingest.evaluator import AlertEvaluator
from serayu.ingest.evidence import StoredEvidence
from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.pipeline import Pipeline
from serayu.ingest.sensor_watch import SensorWatch
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.settings import DeliverySettings
from serayu.models.reading import SeriesKey
from serayu.models.region import Region, RegionInfo
from serayu.models.senml import SenmlRecord, encode_pack, seconds
from serayu.models.siaga_levels import SiagaSettings, Thresholds
from serayu.models.station import Datastream, Station, StationKind
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import sqlite_url
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, parse_rfc3339
from serayu.models.warning.authority import nobody
from serayu.models.warning.bulletin import BulletinStatus
from serayu.models.warning.fallback import stand_in
from serayu.standalone.cli import app
from serayu.standalone.replay.arrivals import batches_of_stored, mode_of, stored
from serayu.standalone.replay.clock import Mode
from serayu.standalone.replay.document import replay_document
from serayu.standalone.replay.engine import Replay

CODE = "99.01"
T0 = parse_rfc3339("2026-01-10T00:00:00Z")
LIMITS = Thresholds(2.0, 3.0, 4.0, source="invented", valid_from="2026-01-01", approved_by="nobody")
Row = tuple[float, float, float]  # minute measured, level, minutes until it arrived


def _post(name: str, **more: Any) -> Station:  # noqa: ANN401 -- fields of a station
    return Station(
        name, CODE, name.title(), StationKind.RIVER, 109.2, -7.4, (Datastream("stage", interval_s=600),), "test",
        thresholds=LIMITS, siaga=SiagaSettings(travel_time_us=US_PER_HOUR), **more,
    )  # fmt: skip


REGION = Region(
    RegionInfo(CODE, "Uji", "test"),
    MappingProxyType({"hulu": _post("hulu", downstream=("hilir",)), "hilir": _post("hilir")}),
    Path("no-such-folder"),
)


class At(LiveClock):
    """The system's clock of the live chain, which the test sets."""

    def __init__(self) -> None:
        self.us = T0

    @override
    def now_us(self) -> int:
        return self.us


class Live:
    """The live chain: ingest's parts on a clock that the test moves, as ingest's threads drive them."""

    def __init__(self, folder: Path, mode: Mode) -> None:
        self.store = HotStore(folder / "hot.sqlite")
        url = sqlite_url(folder / "register.sqlite")
        upgrade(url)
        self.register = Register(url)
        self.at = At()
        self.rules = ReplayClock(self.store) if mode == "replay" else self.at
        far_us = 30 * US_PER_DAY if mode == "replay" else 10 * US_PER_MINUTE
        self.pipeline = Pipeline(
            self.store, REGION, self.rules, decoder=Decoder(REGION, far_future_us=far_us)
        )
        self.evaluator = AlertEvaluator(self.store, self.register, REGION, name=AlertLoop.name, clock=self.at)
        self.posts = StoredEvidence(self.store)
        self.sensors = SensorWatch(self.store, REGION, IngestMetrics())
        self.writer = BulletinWriter(
            self.register, self.store, REGION, DeliveryDesk(self.register, DeliverySettings()), posts=self.posts,
            rules=Settled(self.rules), computer=self.at, authority=nobody(CODE), rehearsal=BulletinStatus.EXERCISE,
        )  # fmt: skip

    def arrive(self, received_us: int, messages: Sequence[Message]) -> None:
        self.at.us = received_us
        self.evaluator.heed(self.sensors.step(Settled(self.rules).now_us()))  # between arrivals, as in life
        self.pipeline.process(messages)
        self.turn()

    def turn(self) -> None:
        self.evaluator.step()
        self.writer.step()
        now_us = Settled(self.rules).now_us()
        words = {
            name: stand_in(REGION, REGION.stations[name], self.posts, now_us=now_us)
            for name in self.evaluator.levels()
        }
        self.evaluator.lapse(now_us, sustained={name for name, one in words.items() if one and one.supports})
        self.writer.step()

    def said(self) -> tuple[list[Any], list[Any]]:
        return _plain(self.register)


def _plain(register: Register) -> tuple[list[Any], list[Any]]:
    """Return changes and bulletins of a register without the ids that differ from run to run."""
    changes = [
        (one.station, one.at_us, one.before, one.after, one.kind, one.reason, one.level_m, one.verified)
        for one in register.changes_after(0, limit=10_000)
    ]
    bulletins = [
        (
            one.station,
            one.msg_type,
            one.level,
            one.before,
            one.reason,
            one.sent_us,
            one.expires_us,
            one.fallback,
        )
        for one in (each.bulletin for each in register.bulletins_after(0, limit=10_000))
    ]
    return changes, bulletins


@contextmanager
def _live(folder: Path, mode: Mode = "system") -> Iterator[Live]:
    live = Live(folder, mode)
    try:
        yield live
    finally:
        live.store.close()
        live.register.close()


def _message(station: str, seq: int, minute: float, level: float, received_us: int) -> Message:
    record = SenmlRecord(
        n=f"{CODE}/{station}/stage", u="m", t=seconds(T0 + round(minute * US_PER_MINUTE)), v=level, oid="aa11", seq=seq,
    )  # fmt: skip
    return Message(f"serayu/v1/{CODE}/{station}/stage", encode_pack([record]), received_us)


def _send(live: Live, station: str, rows: Sequence[Row], *, by_arrival_of_day: float = 0.0) -> None:
    """Send rows in the order in which they arrive; what was measured first is numbered first."""
    numbered = [
        (T0 + round((minute + delay + by_arrival_of_day) * US_PER_MINUTE), seq, minute, level)
        for seq, (minute, level, delay) in enumerate(rows, start=1)
    ]
    for received_us, seq, minute, level in sorted(numbered):
        live.arrive(received_us, [_message(station, seq, minute, level, received_us)])


def _replayed(live: Live, scratch: Path, mode: Mode | None = None) -> tuple[list[Any], list[Any]]:
    found = stored(live.store, REGION, 0, T0 + 1000 * US_PER_DAY)
    scratch.mkdir()
    with Replay(REGION, scratch, mode=mode or mode_of(found)) as replay:
        replay.run(batches_of_stored(found))
        return _plain(replay.register)


FLOOD: list[Row] = [
    *((10.0 * n, 1.0 + 0.02 * (n % 3), 0.0) for n in range(6)),
    *((60.0 + 10 * n, 1.1 + 0.24 * n, 0.0) for n in range(14)),  # over all three limits
    *((200.0 + 10 * n, 4.1 - 0.2 * n, 0.0) for n in range(18)),
]


def test_a_flood_that_was_lived_through_is_told_again_in_the_same_way(tmp_path: Path) -> None:
    with _live(tmp_path) as live:
        _send(live, "hilir", FLOOD)
        lived = live.said()
        assert {one[3].value for one in lived[0]} == {"normal", "waspada", "siaga", "awas"}
        assert len(lived[1]) >= 5
        assert _replayed(live, tmp_path / "scratch") == lived


def test_spikes_late_packs_and_gaps_are_treated_as_they_were(tmp_path: Path) -> None:
    rows = [(minute, level, delay) for minute, level, delay in FLOOD if not 130 < minute < 160]
    rows[12] = (rows[12][0], 9.5, 0.0)  # a spike
    rows[16] = (rows[16][0], rows[16][1], 55.0)  # too late to alert
    rows[18] = (rows[18][0], rows[18][1], 25.0)  # behind newer ones, and in time
    with _live(tmp_path) as live:
        _send(live, "hilir", rows)
        lived = live.said()
        assert any(one[4].value == "retract" for one in lived[0])
        assert _replayed(live, tmp_path / "scratch") == lived


def test_a_period_on_a_replays_clock_is_known_by_its_times_of_arrival_and_told_again(tmp_path: Path) -> None:
    with _live(tmp_path, "replay") as live:
        _send(live, "hilir", [(m, v, 0.0) for m, v, _ in FLOOD], by_arrival_of_day=40 * 24 * 60)
        found = stored(live.store, REGION, 0, T0 + 1000 * US_PER_DAY)
        assert mode_of(found) == "replay"
        assert _replayed(live, tmp_path / "scratch")[0] == live.said()[0]


_levels = st.lists(st.floats(0.5, 5.0).map(lambda level: round(level, 2)), min_size=1, max_size=15)
_delays = st.lists(st.sampled_from([0.0, 0.0, 0.0, 12.0, 45.0]), min_size=40, max_size=40)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(levels=_levels, delays=_delays)
def test_any_series_is_told_again_in_the_same_way(
    levels: list[float], delays: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("live")
    with _live(folder) as live:
        _send(live, "hilir", [(10.0 * n, level, delays[n]) for n, level in enumerate(levels)])
        assert _replayed(live, folder / "scratch", "system") == live.said()


def test_what_nobody_renews_lapses_while_nothing_arrives(tmp_path: Path) -> None:
    with _live(tmp_path) as live:
        _send(live, "hilir", [(0, 1.0, 0), (10, 1.1, 0), (20, 2.5, 0), (30, 2.6, 0)])
        found = stored(live.store, REGION, 0, T0 + US_PER_DAY)
    (tmp_path / "scratch").mkdir()
    with Replay(REGION, tmp_path / "scratch") as replay:
        replay.run(batches_of_stored(found), until_us=T0 + 2 * US_PER_DAY)
        changes = replay.changes()
    assert [one.kind.value for one in changes][-1] == "lapse"
    assert changes[-1].at_us - (T0 + 30 * US_PER_MINUTE) == pytest.approx(US_PER_DAY, abs=US_PER_HOUR)


def test_the_document_tells_leads_to_the_measured_crossing(tmp_path: Path) -> None:
    with _live(tmp_path) as live:
        _send(live, "hilir", FLOOD)
        found = stored(live.store, REGION, 0, T0 + US_PER_DAY)
    (tmp_path / "scratch").mkdir()
    with Replay(REGION, tmp_path / "scratch") as replay:
        replay.run(batches_of_stored(found))
        document = replay_document(replay, REGION, since_us=T0, until_us=T0 + US_PER_DAY)
    station = document["stations"]["hilir"]
    assert station["counts"]["events"] == {"waspada": 1, "siaga": 1, "awas": 1}
    assert station["counts"]["bulletins"]["Cancel"] == 1
    first = station["bulletins"][0]
    crossing = parse_rfc3339(station["events"]["waspada"][0]["crossing"])
    assert first["lead_min"] == pytest.approx((crossing - parse_rfc3339(first["sent"])) / US_PER_MINUTE)
    assert first["lead_min"] > 0  # the rate of rise foresaw it
    assert document["scorecard"]["stations"]["hulu"]["levels"]["waspada"]["pod"]["value"] is None
    assert "id" not in first


# -- the command --------------------------------------------------------------------------------------------

TABLE = """station_id,variable,unit,lat,lon,alert,alarm,critical
HILIR-1,stage,m,-7.4,109.2,2.0,3.0,4.0
DEBIT,flow,m3/s,,,1,2,3
TANPA,stage,m,,,,,
HUJAN,rain,mm,-7.4,109.3,,,
"""


def _files(folder: Path) -> list[str]:
    (folder / "S.csv").write_text(TABLE)
    rows = [f"HILIR-1,{_time(minute)},{level},m,ok" for minute, level, _ in FLOOD]
    rows += [f"{name},{_time(0)},1.0,,ok" for name in ("DEBIT", "TANPA", "HUJAN")]
    (folder / "F.csv").write_text("station_id,time_utc,value,unit,flag\n" + "\n".join(rows) + "\n")
    return ["flood", "replay", "--stations", str(folder / "S.csv"), "--series", str(folder / "F.csv")]


def _time(minute: float) -> str:
    return f"2026-01-10T{int(minute) // 60:02d}:{int(minute) % 60:02d}:00Z"


def _run(arguments: Sequence[str], *, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_given_series_run_with_the_limits_of_their_table(tmp_path: Path) -> None:
    document = json.loads(_run([*_files(tmp_path), "--json"]))
    assert set(document["stations"]) == {"HILIR-1"}
    assert document["stations"]["HILIR-1"]["counts"]["events"]["awas"] == 1
    assert {one["station"] for one in document["skipped"]} == {"DEBIT", "TANPA"}
    assert document["scorecard"]["together"]["awas"]["events"] == 1
    assert "HILIR-1" in _run(_files(tmp_path))


def test_a_flow_or_rain_alone_cannot_be_replayed_and_says_what_is_needed(tmp_path: Path) -> None:
    arguments = _files(tmp_path)
    kept = [row for row in (tmp_path / "F.csv").read_text().splitlines() if "HILIR-1" not in row]
    (tmp_path / "F.csv").write_text("\n".join(kept) + "\n")
    said = _run(arguments, code=2)
    assert "no river post to replay" in said
    assert "the live rules take no flow" in said
    assert "flood backtest" in said


def test_what_if_the_limits_were_others(tmp_path: Path) -> None:
    (tmp_path / "if.toml").write_text(
        '[post.hilir-1]\nwaspada_m = 5.0\nsiaga_m = 6.0\nawas_m = 7.0\nsource = "what if"\n'
        'valid_from = "2026-01-01"\napproved_by = "nobody"\n'
    )
    document = json.loads(_run([*_files(tmp_path), "--json", "--thresholds", str(tmp_path / "if.toml")]))
    assert document["thresholds"] == "if.toml"
    assert document["stations"]["HILIR-1"]["changes"] == []
    (tmp_path / "if.toml").write_text("[post.lain]\n")
    assert "lain" in _run([*_files(tmp_path), "--thresholds", str(tmp_path / "if.toml")], code=2)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--clock", "moon"], "--clock"),
        (["--since", "kemarin"], "--since"),
        (["--series", "F.csv"], "--stations"),
        (["--stations", "S.csv"], "--series"),
        (["--data", "/nowhere", "--stations", "S.csv"], "--data"),
        (["--data", "no-such-folder"], "hot.sqlite"),
    ],
)
def test_what_cannot_be_replayed_is_named(arguments: list[str], named: str) -> None:
    assert named in _run(["flood", "replay", *arguments], code=2)


def _folder_of(region: Region, folder: Path) -> Path:
    """Write the region's posts as the folder that the command reads."""
    folder.mkdir()
    (folder / "region.toml").write_text(f'code = "{CODE}"\nname = "Uji"\nsource = "test"\n')
    features, limits = [], []
    for one in region.stations.values():
        fields = msgspec.to_builtins(one)
        for name in ("region", "lon", "lat", "thresholds", "siaga"):
            fields.pop(name)
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [one.lon, one.lat]},
                "properties": fields,
            }
        )
        limits.append(
            f'[post.{one.id}]\nwaspada_m = 2.0\nsiaga_m = 3.0\nawas_m = 4.0\nsource = "invented"\n'
            f'valid_from = "2026-01-01"\napproved_by = "nobody"\n[post.{one.id}.siaga]\ntravel_time = "1h"\n'
        )
    (folder / "stations.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    (folder / "thresholds.toml").write_text("\n".join(limits))
    return folder


def test_a_stored_period_is_replayed_and_the_live_stores_stay_as_they_are(tmp_path: Path) -> None:
    folder = _folder_of(REGION, tmp_path / "region")
    (tmp_path / "data").mkdir()
    with _live(tmp_path / "data") as live:
        _send(live, "hilir", FLOOD)
        lived, before = live.said(), live.store.last_change_id()
        document = json.loads(
            _run(["flood", "replay", "--data", str(tmp_path / "data"), "--region", str(folder), "--json"])
        )
        assert live.said() == lived
        assert live.store.last_change_id() == before
    told = [(one["at"], one["kind"]) for one in document["stations"]["hilir"]["changes"]]
    assert len(told) == len(lived[0])
    assert (document["source"], document["clock"]) == ("stored", "system")
    later = ["flood", "replay", "--data", str(tmp_path / "data"), "--region", str(folder), "--since"]
    half = json.loads(_run([*later, _time(200), "--json"]))
    assert half["stations"]["hilir"]["changes"] == [
        one for one in document["stations"]["hilir"]["changes"] if one["at"] >= _time(200)
    ]


def test_keys_of_other_regions_and_unknown_stations_are_left_out(tmp_path: Path) -> None:
    with _live(tmp_path) as live:
        _send(live, "hilir", FLOOD[:3])
        series = {one.key for one in stored(live.store, REGION, 0, T0 + US_PER_DAY)}
        assert series == {SeriesKey(CODE, "hilir", "stage")}
        fewer = msgspec.structs.replace(REGION, stations=MappingProxyType({}))
        assert stored(live.store, fewer, 0, T0 + US_PER_DAY) == []
