"""``serayu flood scorecard`` on a running system's stores, and on the result of a replay."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serayu.models.delivery.delivery import Escalation
from serayu.models.flood.history import live_scorecard
from serayu.models.reading import Observation
from serayu.models.region import load_region
from serayu.models.siaga_levels import ChangeKind, Reason, Siaga, SiagaChange
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import sqlite_url
from serayu.models.stores.register.evaluator import CursorMove
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, US_PER_S, parse_rfc3339
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Hazard, MessageType
from serayu.standalone.cli import app
from tests.api.site import REGION, write_region

T0 = parse_rfc3339("2026-01-10T00:00:00Z")
H, M = US_PER_HOUR, US_PER_MINUTE
N, W, S, A = Siaga


class System:
    """Stores of a running system, filled by hand."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.region = load_region(write_region(folder / "region"))
        self.store = HotStore(self.data / "hot.sqlite")
        upgrade(sqlite_url(self.data / "register.sqlite"))
        self.register = Register(sqlite_url(self.data / "register.sqlite"))
        self._number = self._said = 0

    def river(self, *rows: tuple[float, float], station: str = "hilir") -> None:
        key = self.region.stations[station].key("stage")
        self.store.write([Observation(key, T0 + round(hour * H), level) for hour, level in rows])

    def change(self, hour: float, before: Siaga, after: Siaga, *, station: str = "hilir") -> str:
        at_us = T0 + round(hour * H)
        kind = ChangeKind.RAISE if after.rank > before.rank else ChangeKind.LOWER
        change = SiagaChange(at_us, before, after, kind, Reason.THRESHOLD, 2.5, None, verified=True)
        move = CursorMove("test", self._number, self._number + 1)
        self._number += 1
        (one,) = self.register.record_changes(
            REGION, cursor=move, states={}, changes=[(station, change)], now_us=at_us
        )
        return one.alert_id

    def say(self, alert: str, hour: float, level: Siaga, *, wait: bool = False) -> None:
        earlier = self.register.bulletins_of(alert)
        kind = MessageType.CANCEL if level is N else MessageType.UPDATE if earlier else MessageType.ALERT
        sent_us = T0 + round(hour * H)
        self._said += 1
        bulletin = Bulletin(
            id=f"b{self._said}", alert_id=alert, change_id=None, region=REGION, station="hilir", hazard=Hazard.FLOOD,
            msg_type=kind, status=BulletinStatus.TEST, references=tuple((one.id, one.sent_us) for one in earlier[-1:]),
            sent_us=sent_us, expires_us=sent_us + 24 * H, level=level, before=N, reason=Reason.THRESHOLD,
            post="Pos Hilir", at_us=sent_us,
        )  # fmt: skip
        escalation = Escalation(
            bulletin_id=bulletin.id,
            alert_id=alert,
            region=REGION,
            level=level,
            due_us=None,
            started_us=sent_us,
        )
        assert self.register.record_bulletin(
            bulletin, escalation=escalation if wait else None, now_us=sent_us
        )


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    made = System(tmp_path)
    yield made
    made.store.close()
    made.register.close()


def _flood(system: System) -> None:
    """One flood that was warned of an hour before, and one warning without a flood; one acknowledged."""
    system.river(
        *((hour / 2, 1.0) for hour in range(20)), (10, 2.5), (12, 2.4), (13, 1.0), (30, 1.0), (48, 1.0)
    )
    alert = system.change(9, N, W)
    system.say(alert, 9, W, wait=True)
    system.register.acknowledge(alert, by="petugas", now_us=T0 + 9 * H + 4 * M)
    system.change(14, W, N)
    system.say(alert, 14, N)
    other = system.change(30, N, W)
    system.say(other, 30, W)
    system.change(31, W, N)
    system.say(other, 31, N)


def test_the_register_is_scored_against_the_river(system: System) -> None:
    _flood(system)
    document = live_scorecard(system.register, system.store, system.region, until_us=T0 + 48 * H)
    row = document["stations"]["hilir"]["levels"]["waspada"]
    assert (row["events"], row["hits"], row["misses"], row["false_alarms"]) == (1, 1, 0, 1)
    assert row["lead_median_min"] == {"value": 60.0, "low": None, "high": None, "n": 1}
    assert row["acknowledge_median_s"]["value"] == 4 * 60.0
    assert document["together"]["waspada"] == row
    assert document["stations"]["hulu"]["levels"]["awas"]["pod"]["value"] is None
    assert document["since"] == "2026-01-10T00:00:00Z"
    assert document["bulletins"] == {"sent": 4, "signed": 0}
    assert document["invented_limits"] == ["hulu", "hilir"]
    assert [(one["outcome"], one["lead_min"]) for one in document["records"]] == [
        ("hit", 60.0),
        ("false", None),
    ]


def test_only_what_lies_in_the_span_counts(system: System) -> None:
    _flood(system)
    document = live_scorecard(
        system.register, system.store, system.region, since_us=T0 + 20 * H, until_us=T0 + 48 * H
    )
    row = document["together"]["waspada"]
    assert (row["events"], row["hits"], row["false_alarms"]) == (0, 0, 1)
    assert row["acknowledge_median_s"]["n"] == 0


def test_a_system_without_any_reading_has_a_card_without_numbers(system: System) -> None:
    document = live_scorecard(system.register, system.store, system.region, until_us=T0)
    assert document["records"] == []
    assert {row["events"] for row in document["together"].values()} == {0}


def test_an_alert_acknowledged_without_an_escalation_counts_too(system: System) -> None:
    system.river((0, 1.0), (48, 1.0))
    alert = system.change(9, N, S)
    system.register.acknowledge(alert, by="petugas", now_us=T0 + 9 * H + 90 * US_PER_S)
    document = live_scorecard(system.register, system.store, system.region, until_us=T0 + 48 * H)
    assert document["together"]["siaga"]["acknowledge_median_s"]["value"] == 90.0


# -- the command --------------------------------------------------------------------------------------------


def _run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["flood", "scorecard", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def _places(system: System) -> Sequence[str]:
    return ("--data", str(system.data), "--region", str(system.region.folder))


def test_the_command_reads_the_data_folder(system: System) -> None:
    _flood(system)
    document = json.loads(_run(*_places(system), "--until", "2026-01-12", "--json"))
    assert document["together"]["waspada"]["hits"] == 1
    words = _run(*_places(system), "--until", "2026-01-12")
    assert "H 1 M 0" in words
    assert "belum ada kejadian" in words


def test_the_command_reads_the_result_of_a_replay(system: System, tmp_path: Path) -> None:
    _flood(system)
    card = live_scorecard(system.register, system.store, system.region, until_us=T0 + 48 * H)
    file = tmp_path / "replay.json"
    file.write_text(json.dumps({"stations": card["stations"], "scorecard": card, "changes": []}))
    document = json.loads(_run("--replay", str(file), "--json"))
    assert document["records"] == card["records"]
    assert document["together"]["waspada"]["pod"] == card["together"]["waspada"]["pod"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--data", "no-such-folder"], "hot.sqlite"),
        (["--until", "besok"], "--until"),
        (["--replay", "no-such-file"], "no-such-file"),
        (["--replay", "x", "--since", "2026-01-01"], "--replay"),
    ],
)
def test_what_cannot_be_scored_is_named(arguments: list[str], named: str) -> None:
    assert named in _run(*arguments, code=2)


def test_a_file_that_is_no_replay_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"stations": {}}')
    assert "other.json" in _run("--replay", str(tmp_path / "other.json"), code=2)
