"""The siren sounds on high water, on nothing else, without a network, and not for ever."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from serayu.edge.config import AgentConfig, BrokerConfig, ClockConfig, DriverConfig, load_config
from serayu.edge.config_file import write_config
from serayu.edge.outbox import Stamped
from serayu.edge.relay import PinRelay, make_relay
from serayu.edge.siren import COMMAND_FILE, STATE_FILE, Siren
from serayu.edge.siren_config import SirenConfig
from serayu.models.errors import BadInputError
from serayu.models.siaga_levels import Thresholds
from serayu.models.times import US_PER_S, rfc3339
from tests.edge.support import START_US, Ingest
from tests.servers import free_port, mosquitto, wait_for

LIMITS = Thresholds(5.0, 6.0, 7.0, source="invented for tests", valid_from="2026-01-01", approved_by="nobody")
HIGH, LOW = 7.5, 4.0
STEP_S = 60.0


@dataclass
class FakeRelay:
    """Remembers what it was told; refuses while a test says so."""

    moves: list[bool] = field(default_factory=list)
    broken: bool = False
    closed: bool = False

    def set(self, on: bool) -> None:  # noqa: FBT001 -- as the protocol
        if self.broken:
            raise OSError("relay board gone")
        self.moves.append(on)

    def close(self) -> None:
        self.closed = True


class Post:
    """A siren with a device clock that a test moves reading by reading."""

    def __init__(self, folder: Path, **changes: Any) -> None:  # noqa: ANN401
        fields: dict[str, Any] = {"thresholds": LIMITS, "driver": "tests:none", "max_on_s": 600.0, **changes}
        self.config = SirenConfig(**fields)
        self.relay = FakeRelay()
        self.folder = folder
        self.now_us = 10 * US_PER_S
        self.start("boot-1")

    def start(self, boot: str, *, boot_us: int | None = None) -> None:
        self.now_us = self.now_us if boot_us is None else boot_us
        self.siren = Siren(
            self.config,
            relay=self.relay,
            station="bgs-hulu",
            folder=self.folder,
            boot_id=boot,
            boot_us=self.now_us,
        )

    def reads(self, *values: float, step_s: float = STEP_S, wall: int | None = START_US) -> list[bool]:
        """Take values a step apart; return whether the relay was closed after each."""
        closed = []
        for value in values:
            self.now_us += round(step_s * US_PER_S)
            self.siren.take([Stamped("stage", value, "m", None, None, self.now_us)])
            self.siren.tend(self.now_us, wall_us=wall)
            closed.append(self.siren.on)
        return closed

    def waits(self, seconds: float, *, wall: int | None = START_US) -> bool:
        self.now_us += round(seconds * US_PER_S)
        self.siren.tend(self.now_us, wall_us=wall)
        return self.siren.on

    def command(self, action: str, seconds: float) -> None:
        (self.folder / COMMAND_FILE).write_text(
            json.dumps({"action": action, "seconds": seconds}), encoding="utf-8"
        )


def test_no_readings_no_sound(tmp_path: Path) -> None:
    post = Post(tmp_path)
    assert post.waits(3600) is False
    assert post.relay.moves == []


def test_high_water_sounds_after_the_minimum_duration_and_ends_with_hysteresis(tmp_path: Path) -> None:
    post = Post(tmp_path, fall_after_s=120.0, max_on_s=3600.0)
    assert post.reads(LOW, HIGH, HIGH, HIGH) == [False, False, False, True]
    assert post.reads(6.95, 6.95, 6.95, 6.95) == [True] * 4  # within the hysteresis
    # The first step down is too fast to be trusted, and what is only suspect lowers nothing.
    assert post.reads(6.85, 6.85, 6.85, 6.85) == [True, True, True, False]
    assert post.relay.moves == [True, False]


@pytest.mark.parametrize("limit", [7.0, 6.99999])
def test_a_level_at_the_limit_does_not_sound(tmp_path: Path, limit: float) -> None:
    assert not any(Post(tmp_path).reads(*[limit] * 30))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([LOW, 9.0, LOW, LOW], id="a spike that fails"),
        pytest.param([6.5, 7.3, 6.5, 6.5], id="a spike that is only suspect"),
        pytest.param([6.9, 7.1, 6.9, 7.1, 6.9, 7.1] * 5, id="a wave around the limit"),
        pytest.param([LOW, 45.0, 45.0, 45.0, 45.0, LOW], id="values that no post can read"),
        pytest.param([LOW, float("nan"), float("nan"), LOW], id="no numbers"),
    ],
)
@pytest.mark.parametrize("step_s", [10.0, 60.0, 600.0])
def test_spikes_and_nonsense_do_not_sound(tmp_path: Path, values: list[float], step_s: float) -> None:
    post = Post(tmp_path)
    assert not any(post.reads(*values, step_s=step_s))
    assert post.relay.moves == []


def test_a_flash_flood_whose_values_are_all_suspect_sounds_and_is_called_unverified(tmp_path: Path) -> None:
    post = Post(tmp_path)
    rise = [4.0 + 0.4 * n for n in range(14)]  # 0.4 m a minute
    closed = post.reads(*rise)
    assert closed[-1] is True
    assert closed.index(True) == 10  # 8.0 m, two minutes after 7.2 m
    assert post.siren.status()["verified"] is False


def test_it_stops_after_its_longest_time_and_sounds_again_after_the_next_rise(tmp_path: Path) -> None:
    post = Post(tmp_path, max_on_s=300.0, fall_after_s=60.0)
    post.reads(LOW, HIGH, HIGH, HIGH)
    assert post.siren.next_due_us() == post.now_us + 300 * US_PER_S
    assert post.waits(299) is True
    assert post.waits(1) is False
    assert not any(post.reads(*[HIGH] * 20))
    assert post.siren.status()["spent"] is True
    assert not any(post.reads(LOW, LOW, LOW))
    assert post.reads(HIGH, HIGH, HIGH)[-1] is True


def test_a_sensor_that_dies_during_high_water_leaves_the_siren_on_for_its_longest_time(
    tmp_path: Path,
) -> None:
    post = Post(tmp_path, max_on_s=120.0)
    post.reads(HIGH, HIGH, HIGH)
    assert [post.waits(60), post.waits(60), post.waits(3600)] == [True, False, False]


def test_a_sensor_that_comes_back_days_after_it_died_in_high_water_sounds_on_the_next_flood(
    tmp_path: Path,
) -> None:
    post = Post(tmp_path, max_on_s=120.0)
    post.reads(HIGH, HIGH, HIGH)
    assert [post.waits(120), post.waits(23 * 3600)] == [False, False]
    assert post.siren.status()["spent"] is True
    assert post.waits(2 * 3600) is False
    assert post.siren.status()["causes"] == []
    assert post.reads(HIGH, HIGH, HIGH)[-1] is True


def test_the_level_of_the_siren_is_a_setting(tmp_path: Path) -> None:
    assert Post(tmp_path, level="siaga").reads(6.4, 6.4, 6.4)[-1] is True
    (tmp_path / "other").mkdir()
    assert Post(tmp_path / "other").reads(6.4, 6.4, 6.4)[-1] is False


def test_centimetres_are_understood_and_other_properties_and_units_passed_over(tmp_path: Path) -> None:
    post = Post(tmp_path)
    for _ in range(3):
        post.now_us += 60 * US_PER_S
        at = post.now_us
        post.siren.take(
            [Stamped("rain", 99.0, "mm", None, None, at), Stamped("stage", 9.0, "Cel", None, None, at)]
        )
    assert post.siren.status()["level"] == "normal"
    for _ in range(3):
        post.now_us += 60 * US_PER_S
        post.siren.take([Stamped("stage", 750.0, "cm", None, None, post.now_us)])
    assert post.siren.status()["level"] == "awas"


def test_a_wrong_wall_clock_changes_nothing(tmp_path: Path) -> None:
    post = Post(tmp_path)
    assert post.reads(HIGH, wall=None) == [False]
    assert post.reads(HIGH, wall=0) == [False]
    assert post.reads(HIGH, wall=START_US * 2) == [True]


def test_a_restart_of_the_agent_goes_on_sounding_and_does_not_give_the_siren_more_time(
    tmp_path: Path,
) -> None:
    post = Post(tmp_path, max_on_s=300.0)
    post.reads(HIGH, HIGH, HIGH)
    post.waits(200)
    post.siren.close()
    assert post.relay.closed
    post.start("boot-1")
    assert post.waits(0) is True
    assert post.waits(99) is True
    assert post.waits(1) is False
    post.siren.close()
    post.start("boot-1")
    assert post.waits(0) is False


def test_a_power_cut_forgets_half_a_minute_at_most_and_the_machine_goes_on(tmp_path: Path) -> None:
    post = Post(tmp_path, max_on_s=300.0, fall_after_s=120.0)
    post.reads(HIGH, HIGH, HIGH, HIGH, HIGH, HIGH)  # 180 s of sound
    post.start("boot-2", boot_us=3 * US_PER_S)  # no close: the power went
    assert post.waits(0) is True
    assert 150 <= float(str(post.siren.status()["on_s"])) <= 180
    assert post.reads(LOW, LOW, LOW)[-1] is False


def test_a_spoiled_state_is_told_and_the_siren_works(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_text("{", encoding="utf-8")
    post = Post(tmp_path)
    assert "state" in str(post.siren.status()["fault"])
    assert post.reads(HIGH, HIGH, HIGH)[-1] is True


def test_a_card_that_cannot_be_written_does_not_keep_it_from_sounding(tmp_path: Path) -> None:
    post = Post(tmp_path / "absent")
    assert post.reads(HIGH, HIGH, HIGH)[-1] is True
    assert "state" in str(post.siren.fault)


def test_a_relay_that_fails_is_told_and_tried_again(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.relay.broken = True
    assert post.reads(HIGH, HIGH, HIGH)[-1] is False
    assert post.siren.fault == "relay: relay board gone"
    post.relay.broken = False
    assert post.waits(1) is True


def test_silence_lasts_as_long_as_it_was_asked_for_and_outlives_a_restart(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.reads(HIGH, HIGH, HIGH)
    post.command("silence", 120)
    assert post.waits(1) is False
    assert not (tmp_path / COMMAND_FILE).exists()
    post.siren.close()
    post.start("boot-1")
    assert post.waits(60) is False
    assert post.waits(61) is True
    post.command("silence", 600)
    assert post.waits(1) is False
    post.command("silence", 0)
    assert post.waits(1) is True


def test_a_try_closes_the_relay_for_a_moment_and_never_long(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.command("test", 3)
    assert [post.waits(1), post.waits(1), post.waits(2)] == [True, True, False]
    post.command("test", 1e9)
    assert [post.waits(1), post.waits(9), post.waits(1)] == [True, True, False]


@pytest.mark.parametrize("payload", ["", "{", '{"action": "sing", "seconds": 1}', '{"action": "test"}'])
def test_a_command_that_is_none_is_told_and_taken_away(tmp_path: Path, payload: str) -> None:
    post = Post(tmp_path)
    (tmp_path / COMMAND_FILE).write_text(payload, encoding="utf-8")
    assert post.waits(1) is False
    assert "command" in str(post.siren.fault)
    assert not (tmp_path / COMMAND_FILE).exists()


def test_in_test_mode_high_water_gives_one_pulse(tmp_path: Path) -> None:
    post = Post(tmp_path, test=True, pulse_s=1.0)
    assert post.reads(HIGH, HIGH, HIGH)[-1] is True
    assert post.waits(1.1) is False
    assert not any(post.reads(*[HIGH] * 30))
    assert post.relay.moves == [True, False]
    assert post.siren.status()["mode"] == "test"


def test_a_silent_siren_decides_and_does_not_move(tmp_path: Path) -> None:
    post = Post(tmp_path, silent=True)
    post.reads(HIGH, HIGH, HIGH)
    post.command("test", 5)
    post.waits(1)
    assert post.relay.moves == []
    assert (post.siren.status()["level"], post.siren.status()["mode"]) == ("awas", "silent")


def bulletin(**changes: Any) -> bytes:  # noqa: ANN401
    told = {
        "id": "b1",
        "alert": "a1",
        "station": "bgs-hulu",
        "type": "Alert",
        "status": "Actual",
        "level": "awas",
        "expires": rfc3339(START_US + 3600 * US_PER_S),
        "texts": {"id": {}},
    }
    return json.dumps({**told, **changes}).encode()


@pytest.mark.parametrize(
    ("payload", "listen", "sounds"),
    [
        pytest.param(bulletin(), True, True, id="signed, for here, at the level"),
        pytest.param(bulletin(), False, False, id="not asked to listen"),
        pytest.param(bulletin(status="Test"), True, False, id="monitoring information"),
        pytest.param(bulletin(status="Exercise"), True, False, id="a drill"),
        pytest.param(bulletin(level="siaga"), True, False, id="below the level"),
        pytest.param(bulletin(station="bgs-hilir"), True, False, id="another station"),
        pytest.param(bulletin(type="Cancel"), True, False, id="a cancel"),
        pytest.param(bulletin(expires=rfc3339(START_US)), True, False, id="lapsed"),
        pytest.param(bulletin(level="panic"), True, False, id="no such level"),
        pytest.param(b"\xff{", True, False, id="no JSON"),
        pytest.param(b"", True, False, id="cleared"),
    ],
)
def test_only_a_signed_bulletin_for_this_station_sounds(
    tmp_path: Path, payload: bytes, *, listen: bool, sounds: bool
) -> None:
    post = Post(tmp_path, listen=listen)
    post.siren.hear(payload, alert="a1")
    assert post.waits(1) is sounds


def test_a_bulletin_ends_by_clearing_by_a_lower_level_and_by_its_end(tmp_path: Path) -> None:
    post = Post(tmp_path, listen=True)
    for end in (b"", bulletin(level="waspada"), bulletin(type="Cancel")):
        post.siren.hear(bulletin(), alert="a1")
        assert post.waits(1) is True
        post.siren.hear(end, alert="a1")
        assert post.waits(1) is False
    post.siren.hear(bulletin(), alert="a1")
    assert post.waits(1) is True
    assert post.waits(1, wall=START_US + 3600 * US_PER_S) is False


def test_own_high_water_sounds_anew_when_a_bulletin_has_had_its_time(tmp_path: Path) -> None:
    post = Post(tmp_path, listen=True, max_on_s=120.0)
    post.siren.hear(bulletin(), alert="a1")
    assert [post.waits(1), post.waits(120), post.waits(60)] == [True, False, False]
    post.siren.hear(bulletin(), alert="a1")  # retained: it comes again with every connection
    assert post.waits(60) is False
    assert post.reads(HIGH, HIGH, HIGH)[-1] is True


@pytest.fixture(name="pins")
def _pins() -> Iterator[MockFactory]:
    factory = MockFactory()
    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, factory
    yield factory
    factory.reset()
    gpiozero.Device.pin_factory = before


@pytest.mark.parametrize("active_high", [True, False])
def test_the_pin_is_open_at_first_closed_when_it_sounds_and_open_at_the_end(
    pins: MockFactory, *, active_high: bool
) -> None:
    relay = PinRelay(27, active_high=active_high)
    pin = pins.pin(27)
    assert pin.state is not active_high
    relay.set(on=True)
    assert pin.state is active_high
    relay.close()
    with pytest.raises(ValueError, match="GPIO"):
        relay.set(on=True)


@pytest.mark.usefixtures("pins")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"pin": "MOON"}, "siren.pin", id="no such pin"),
        pytest.param({"driver": "no.such:Relay"}, "siren.driver", id="no such module"),
        pytest.param({"driver": "tests.edge.test_siren:Absent"}, "siren.driver", id="no such class"),
    ],
)
def test_a_relay_that_cannot_be_had_is_named(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInputError) as caught:
        make_relay(SirenConfig(thresholds=LIMITS, **changes))
    assert caught.value.field == reason


AGENT = (
    'region = "33.02"\nstation = "bgs-hulu"\nstate = "s"\n[[driver]]\nkind = "simulated"\nproperty = "{0}"\n'
)
TABLE = (
    '[siren]\n{0}\n[siren.thresholds]\nwaspada_m = 5\nsiaga_m = 6\nawas_m = {1}\nsource = "x"\n'
    'valid_from = "2026-01-01"\napproved_by = "nobody"\n'
)


@pytest.mark.parametrize(
    ("observed", "siren", "awas", "reason"),
    [
        pytest.param("stage", "", 7, "either pin or driver", id="no relay"),
        pytest.param("stage", 'pin = 1\ndriver = "a:b"', 7, "either pin or driver", id="two relays"),
        pytest.param("stage", 'driver = "ab"', 7, "module:Class", id="no class"),
        pytest.param("rain", "pin = 1", 7, "no driver measures 'stage'", id="nothing to hear"),
        pytest.param("stage", "pin = 1", 5.5, "siaga_m < awas_m", id="limits in another order"),
        pytest.param("stage", "pin = 1\nmin_duration_s = 0", 7, "min_duration_s", id="one value would do"),
        pytest.param("stage", "pin = 1\nmax_on_s = 1e9", 7, "max_on_s", id="for ever"),
        pytest.param("stage", "pin = 1\nloud = true", 7, "loud", id="unknown"),
        pytest.param("stage", 'pin = 1\nlevel = "normal"', 7, "level", id="always"),
    ],
)
def test_wrong_settings_are_named(
    tmp_path: Path, observed: str, siren: str, awas: float, reason: str
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(AGENT.format(observed) + TABLE.format(siren, awas), encoding="utf-8")
    with pytest.raises(BadInputError, match=reason):
        load_config(file)


def agent_config(folder: Path, port: int, **changes: Any) -> AgentConfig:  # noqa: ANN401
    siren = SirenConfig(
        thresholds=LIMITS,
        driver="tests.edge.test_siren:FileRelay",
        options={"file": str(folder / "relay")},
        min_duration_s=0.2,
        **changes,
    )
    series = folder / "series.csv"
    rows = "".join(
        f"{rfc3339(START_US + n * US_PER_S)},stage,{7.5 if n > 4 else 4.0},m\n" for n in range(400)
    )
    series.write_text("time_utc,property,value,unit\n" + rows, encoding="utf-8")
    return AgentConfig(
        region="33.02",
        station="bgs-hulu",
        state=folder / "state",
        drivers=(DriverConfig("csv_replay", None, 0.05, {"file": str(series), "speed": 10.0}),),
        broker=BrokerConfig(port=port),
        clock=ClockConfig(mode="trust"),
        siren=siren,
    )


class FileRelay:
    """A relay whose contact another process can see."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._file = Path(options["file"])
        self.set(on=False)

    def set(self, on: bool) -> None:  # noqa: FBT001 -- as the protocol
        self._file.write_text("on" if on else "off", encoding="utf-8")

    def close(self) -> None:
        self.set(on=False)


def test_settings_with_a_siren_survive_being_written(tmp_path: Path) -> None:
    config = agent_config(tmp_path, 1883, listen=True)
    write_config(config, tmp_path / "agent.toml")
    assert load_config(tmp_path / "agent.toml") == config


def started(config: AgentConfig, folder: Path) -> "subprocess.Popen[bytes]":
    file = folder / "agent.toml"
    write_config(config, file)
    with (folder / "log").open("ab") as log:
        root = str(Path(__file__).parents[2])
        return subprocess.Popen(
            [sys.executable, "-m", "serayu.edge.agent", str(file)],
            stderr=log,
            env={**os.environ, "PYTHONPATH": root},
            cwd=root,
        )


def contact(folder: Path) -> str:
    file = folder / "relay"
    return file.read_text("utf-8") if file.exists() else ""


def test_an_agent_without_a_network_sounds_the_siren(tmp_path: Path) -> None:
    agent = started(agent_config(tmp_path, free_port()), tmp_path)  # nobody listens there
    try:
        wait_for(lambda: contact(tmp_path) == "on", what="the siren")
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(timeout=20) == 0
        assert contact(tmp_path) == "off"
    finally:
        agent.kill()
        agent.wait(timeout=20)
    assert json.loads((tmp_path / "state" / STATE_FILE).read_text("utf-8"))["causes"] == ["own"]


@pytest.mark.servers
def test_an_agent_hears_a_retained_bulletin_and_tells_its_status(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker, Ingest(broker.port) as ingest:
        ingest.publish(
            "serayu/v1/33.02/alerts/a1/bulletin", bulletin(expires="2099-01-01T00:00:00Z"), retain=True
        )
        config = agent_config(tmp_path, broker.port, listen=True)
        calm = tmp_path / "series.csv"
        calm.write_text(calm.read_text("utf-8").replace(",7.5,", ",4.0,"), encoding="utf-8")
        agent = started(config, tmp_path)
        try:
            wait_for(lambda: contact(tmp_path) == "on", what="the siren")
            ingest.publish("serayu/v1/33.02/alerts/a1/bulletin", b"", retain=True)
            wait_for(lambda: contact(tmp_path) == "off", what="the end")
            wait_for(lambda: "siren" in ingest.last_status(), what="a status")
            assert ingest.last_status()["siren"]["mode"] == "live"
        finally:
            agent.terminate()
            agent.wait(timeout=20)


def test_the_command_line_leaves_a_command_for_the_agent(tmp_path: Path) -> None:
    arguments = [
        sys.executable,
        "-m",
        "serayu.standalone",
        "edge",
        "siren",
        "silence",
        "--state",
        str(tmp_path),
    ]
    refused = subprocess.run([*arguments, "--seconds", "60"], capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    (tmp_path / "outbox.db").touch()
    subprocess.run([*arguments, "--seconds", "60"], check=True)
    post = Post(tmp_path)
    post.reads(HIGH, HIGH, HIGH)
    assert post.siren.status()["silence_s"] == 0  # the first reading came a minute later
    subprocess.run([*arguments, "--seconds", "60"], check=True)
    assert post.waits(1) is False
