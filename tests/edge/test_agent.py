"""Agents as processes on a real broker, with an ingest that loses, delays and refuses."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from serayu.edge.agent import OUTBOX_FILE, Agent
from serayu.edge.config import (
    AgentConfig,
    BrokerConfig,
    ClockConfig,
    DriverConfig,
    OutboxConfig,
    UplinkConfig,
)
from serayu.edge.config_file import write_config
from serayu.edge.progress import read_progress
from serayu.models.senml import ResolvedRecord
from serayu.models.times import US_PER_S, rfc3339
from tests.edge.support import START_US, Ingest, confirm_all
from tests.servers import Server, free_port, mosquitto, wait_for

pytestmark = pytest.mark.servers
TOPIC = "serayu/v1/33.02/bgs-hulu"
QUICK = UplinkConfig(
    pack_max=10, window=50, ack_timeout_s=0.3, ack_timeout_max_s=1.0, backoff_s=0.1, backoff_max_s=0.5
)


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Server]:
    with mosquitto(tmp_path) as server:
        yield server


def series(folder: Path, count: int) -> Path:
    file = folder / "series.csv"
    rows = [f"{rfc3339(START_US + n * US_PER_S)},stage,{n},m\n" for n in range(count)]
    file.write_text("time_utc,property,value,unit\n" + "".join(rows), encoding="utf-8")
    return file


def replaying(folder: Path, port: int, count: int, **changes: Any) -> AgentConfig:  # noqa: ANN401
    options = {"file": str(series(folder, count)), "speed": "max"}
    fields = {
        "drivers": (DriverConfig("csv_replay", None, 0.02, options),),
        "uplink": QUICK,
        "outbox": OutboxConfig(synchronous="NORMAL"),
        "exit_when_done": True,
        "broker": BrokerConfig(port=port),
        "clock": ClockConfig(mode="trust"),
        **changes,
    }
    return AgentConfig(region="33.02", station="bgs-hulu", state=folder / "state", **fields)


def sampling(folder: Path, port: int, **changes: Any) -> AgentConfig:  # noqa: ANN401
    drivers = (DriverConfig("simulated", "stage", 0.05),)
    return replaying(
        folder, port, 0, **{"drivers": drivers, "exit_when_done": False, "heartbeat_s": 1.0, **changes}
    )


class Running:
    """An agent's process, ended with the test whatever happens."""

    def __init__(self, config: AgentConfig, **environment: str) -> None:
        self.config = config
        self.file = config.state.with_suffix(".toml")
        self.log = config.state.with_suffix(".log")
        write_config(config, self.file)
        self._environment = {**os.environ, **environment}
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=20)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "serayu.edge.agent", str(self.file)], stderr=log, env=self._environment
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=20)

    def ended(self) -> int:
        return self.process.wait(timeout=60)

    def progress(self) -> tuple[int, int, int, int]:
        p = read_progress(self.config.state / OUTBOX_FILE)
        return p.accepted, p.confirmed, p.rejected, p.pending


def test_a_replay_ends_when_every_row_is_confirmed(tmp_path: Path, broker: Server) -> None:
    with Ingest(broker.port) as ingest, Running(replaying(tmp_path, broker.port, 500)) as agent:
        assert agent.ended() == 0
        assert agent.progress() == (500, 500, 0, 0)
        assert ingest.seqs() == list(range(1, 501))
        values = [(r[0].t_us, r[0].value) for r in ingest.received.values()]
        assert values == [(START_US + n * US_PER_S, float(n)) for n in range(500)]
        wait_for(lambda: ingest.last_status().get("online") is False, what="farewell")
        assert ingest.last_status() == {"online": False, "reason": "stopped"}


def test_readings_whose_confirmation_is_lost_are_sent_again_until_it_comes(
    tmp_path: Path, broker: Server
) -> None:
    seen: Counter[int] = Counter()

    def forgetful(records: list[ResolvedRecord]) -> dict[str, Any] | None:
        for record in records:
            seen[record.seq or 0] += 1
        known = [
            r.seq for r in records if (r.seq or 0) % 3 or seen[r.seq or 0] > 2
        ]  # every third: third time lucky
        return {"ok": [[seq, seq] for seq in known]} if known else None

    with Ingest(broker.port, forgetful) as ingest, Running(replaying(tmp_path, broker.port, 100)) as agent:
        assert agent.ended() == 0
        assert agent.progress() == (100, 100, 0, 0)
    assert {seq for seq, times in seen.items() if times > 2} >= {seq for seq in range(1, 101) if seq % 3 == 0}
    assert sorted(ingest.seqs()) == list(range(1, 101))
    for records in ingest.received.values():
        assert len({(r.t_us, r.value) for r in records}) == 1  # the same reading each time


def test_a_puback_confirms_nothing(tmp_path: Path, broker: Server) -> None:
    with (
        Ingest(broker.port, lambda _: None) as ingest,
        Running(replaying(tmp_path, broker.port, 20)) as agent,
    ):
        wait_for(lambda: sum(map(len, ingest.received.values())) >= 60, what="readings sent again and again")
        assert agent.process.poll() is None
        assert agent.progress() == (20, 0, 0, 20)
        ingest.answer = confirm_all
        assert agent.ended() == 0
        assert agent.progress() == (20, 20, 0, 0)


def test_rejected_readings_are_kept_on_the_device_with_their_reason(tmp_path: Path, broker: Server) -> None:
    def strict(records: list[ResolvedRecord]) -> dict[str, Any]:
        bad = [r.seq for r in records if r.value == 7.0]
        good = [[r.seq, r.seq] for r in records if r.value != 7.0]
        return {"ok": good, "rejected": [{"seq": seq, "reason": "out_of_range: 7 m"} for seq in bad]}

    with Ingest(broker.port, strict), Running(replaying(tmp_path, broker.port, 20)) as agent:
        assert agent.ended() == 0
        assert agent.progress() == (20, 19, 1, 0)


def _has(ingest: Ingest, count: int) -> bool:
    return len(ingest.received) >= count


def test_an_agent_that_is_killed_again_and_again_loses_nothing_and_numbers_nothing_twice(
    tmp_path: Path, broker: Server
) -> None:
    count = 3_000
    config = replaying(tmp_path, broker.port, count)
    with Ingest(broker.port) as ingest, Running(config) as agent:
        for target in (200, 800, 1_500, 2_200):
            wait_for(partial(_has, ingest, target), what=f"{target} readings")
            agent.kill()
            agent.start()
        assert agent.ended() == 0
        assert agent.progress() == (count, count, 0, 0)
    assert sorted(ingest.seqs()) == list(range(1, count + 1))
    assert len({oid for oid, _ in ingest.received}) == 1
    by_seq = sorted(ingest.received.items(), key=lambda item: item[0][1])
    assert [records[0].value for _, records in by_seq] == [float(n) for n in range(count)]


def test_an_agent_outlives_its_broker_and_samples_on(tmp_path: Path, broker: Server) -> None:
    with Ingest(broker.port) as ingest, Running(sampling(tmp_path, broker.port)) as agent:
        wait_for(lambda: len(ingest.received) >= 5, what="first readings")
        broker.kill()
        before = agent.progress()[0]
        wait_for(lambda: agent.progress()[0] >= before + 20, what="readings taken without a broker")
        broker.start()
        wait_for(lambda: len(ingest.received) >= before + 20, what="readings sent after the outage")
        agent.process.terminate()
        assert agent.ended() == 0
        accepted, confirmed, _, pending = agent.progress()
        assert (accepted, 0) == (confirmed, pending)
        assert sorted(ingest.seqs()) == list(range(1, accepted + 1))


def test_a_broker_that_stands_still_holds_up_no_reading(tmp_path: Path, broker: Server) -> None:
    config = sampling(tmp_path, broker.port, broker=BrokerConfig(port=broker.port, keepalive_s=5))
    with Running(config) as agent:
        wait_for(lambda: agent.progress()[0] >= 5, what="first readings")
        broker.suspend()
        before = agent.progress()[0]
        wait_for(lambda: agent.progress()[0] >= before + 40, what="readings taken meanwhile")
        broker.resume()
        with Ingest(broker.port):
            wait_for(lambda: agent.progress()[1] > 0, what="confirmation")


def test_the_status_tells_backlog_clock_drivers_and_configuration(tmp_path: Path, broker: Server) -> None:
    with Ingest(broker.port) as ingest, Running(sampling(tmp_path, broker.port)) as agent:
        wait_for(lambda: ingest.last_status().get("backlog", {}).get("confirmed", 0) > 0, what="status")
        ingest.publish(f"{TOPIC}/config", {"version": 4, "interval_s": {"stage": 2}}, retain=True)
        wait_for(lambda: ingest.last_status()["config"]["version"] == 4, what="answer to the configuration")
        ingest.publish(f"{TOPIC}/config", b"{", retain=False)
        wait_for(lambda: ingest.last_status()["config"]["refused"] is not None, what="refusal")
        status = ingest.last_status()
        assert (status["online"], status["clock"]["good"], status["config"]["version"]) == (True, True, 4)
        assert [(d["driver"], d["interval_s"]) for d in status["drivers"]] == [("0-simulated", 2.0)]
        assert status["backlog"]["capacity_hours_left"] > 0
        assert set(status["backlog"]) >= {"count", "oldest_age_s", "bytes", "dropped", "rejected"}
        agent.kill()
        wait_for(lambda: ingest.last_status().get("online") is False, what="last will")
        assert ingest.last_status()["reason"] == "connection lost"
        agent.start()
        wait_for(lambda: ingest.last_status().get("online") is True, what="second life")
        assert ingest.last_status()["drivers"][0]["interval_s"] == 2.0
        assert (ingest.last_status()["oid"], ingest.last_status()["config"]["version"]) == (status["oid"], 4)


class RetainedStatus:
    """What somebody who comes late finds on the status topic."""

    def __init__(self, port: int) -> None:
        self.found: list[tuple[bool, dict[str, Any]]] = []
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.on_connect = lambda c, *_: c.subscribe(f"{TOPIC}/status", 1)
        client.on_message = lambda _c, _d, m: self.found.append((m.retain, json.loads(m.payload)))
        client.connect("127.0.0.1", port)
        client.loop_start()
        wait_for(lambda: bool(self.found), what="retained status")
        client.disconnect()
        client.loop_stop()


def test_the_status_is_retained(tmp_path: Path, broker: Server) -> None:
    with Running(sampling(tmp_path, broker.port)) as agent:
        wait_for(lambda: agent.progress()[0] > 3, what="readings")
        retained, status = RetainedStatus(broker.port).found[0]
        assert (retained, status["online"]) == (True, True)
        agent.process.terminate()
        assert agent.ended() == 0
        assert RetainedStatus(broker.port).found[0] == (True, {"online": False, "reason": "stopped"})


def test_readings_of_a_device_without_a_clock_go_with_their_age_and_never_change(
    tmp_path: Path, broker: Server
) -> None:
    clock = ClockConfig(source="tests.edge.support:UnsetSource")
    config = sampling(tmp_path, broker.port, clock=clock)
    with Ingest(broker.port) as ingest, Running(config) as agent:
        wait_for(lambda: len(ingest.received) >= 10, what="readings")
        agent.process.terminate()
        assert agent.ended() == 0
    records = [record for found in ingest.received.values() for record in found]
    assert not any(record.clock_ok for record in records)
    assert all(0 <= START_US - record.t_us < 60 * US_PER_S for record in records)
    wait_for(lambda: bool(ingest.statuses), what="status")
    assert ingest.statuses[0]["clock"]["state"] == "never_set"


def test_systemd_is_told_when_the_agent_is_ready_alive_and_leaving(tmp_path: Path, broker: Server) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.bind(str(address))
        link.settimeout(30)
        with Running(
            sampling(tmp_path, broker.port), NOTIFY_SOCKET=str(address), WATCHDOG_USEC="2000000"
        ) as agent:
            assert [link.recv(99) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
            agent.process.send_signal(signal.SIGTERM)
            told = [b""]
            while told[-1] != b"STOPPING=1":
                told.append(link.recv(99))
            assert agent.ended() == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "missing required field"), ('region = "1"\nstation = "a"\n', "station 'a'"), ("[[[", "not TOML")],
)
def test_wrong_settings_end_the_agent_with_one_line(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "agent.toml"
    if text.startswith("region"):
        text += f'state = "{tmp_path}"\n[[driver]]\nkind = "simulated"\nproperty = "stage"\n'
    file.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "serayu.edge.agent", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(file) in done.stderr
    assert reason in done.stderr


def test_a_stop_without_a_broker_takes_no_grace(tmp_path: Path) -> None:
    config = sampling(tmp_path, free_port(), grace_s=600.0)
    with Running(config) as agent:
        wait_for(lambda: agent.progress()[0] > 3, what="readings")
        agent.process.terminate()
        assert agent.ended() == 0
        accepted, confirmed, _, pending = agent.progress()
        assert (confirmed, pending) == (0, accepted)


def deny_pragmas(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_PRAGMA else sqlite3.SQLITE_OK


def test_a_heartbeat_on_a_card_that_cannot_be_read_tells_of_it_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = Agent(sampling(tmp_path, free_port()))
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(agent._uplink, "publish", lambda _topic, body, **_: told.append(json.loads(body)))
    agent._store(agent._sampler.tick(0.0), 0.0)
    agent._beat(0.0)
    agent._outbox._db.set_authorizer(deny_pragmas)  # whatever is asked of the file fails
    agent._beat(1.0)
    agent._outbox._db.set_authorizer(None)
    assert [status["store_fault"] is None for status in told] == [True, False]
    assert told[0]["backlog"]["bytes"] > 0
    assert told[1]["backlog"] == {
        "count": 1,
        "accepted": 1,
        "confirmed": 0,
        "rejected": 0,
        "dropped": 0,
        "refused": 0,
    }
    agent._outbox.close()
