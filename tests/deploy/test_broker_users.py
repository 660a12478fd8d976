"""The scripts that make the broker's users, run as the container runs them, on a real Mosquitto."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests import servers

pytestmark = pytest.mark.servers

MOSQUITTO = Path(__file__).parents[2] / "deploy" / "mosquitto"
INGEST = {"SERAYU_MQTT_INGEST_PASSWORD": "a password of a broker that lives for one test"}
SIMULATOR = {"SERAYU_MQTT_SIMULATOR_PASSWORD": "another"}


def _environment(folder: Path, extra: Mapping[str, str]) -> dict[str, str]:
    for program in ("mosquitto", "mosquitto_passwd"):
        servers.require(program)
    return {
        "PATH": "/usr/sbin:/usr/bin:/bin",
        "MOSQUITTO_DATA": str(folder),
        "MOSQUITTO_CONFIG": str(folder / "conf"),
        **extra,
    }


@contextmanager
def _started(folder: Path, **extra: str) -> Iterator[tuple[int, int]]:
    """Port and process id of a broker started by start.sh."""
    port = servers.free_port()
    # Started by root it would change to the user mosquitto, who may not read pytest's private folders.
    user = "user root\n" if os.geteuid() == 0 else ""
    (folder / "conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/passwords\n{user}"
    )
    process = subprocess.Popen(
        ["sh", MOSQUITTO / "start.sh"], env=_environment(folder, extra), stderr=subprocess.DEVNULL
    )
    try:
        servers.wait_for(lambda: servers.listens(port), what="the broker")
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def _may_log_in(port: int, user: str, password: str) -> bool:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(user, password)
    answers: list[bool] = []
    client.on_connect = lambda _c, _d, _f, reason, _p: answers.append(not reason.is_failure)
    client.connect("127.0.0.1", port)
    client.loop_start()
    servers.wait_for(lambda: bool(answers), what="the CONNACK")
    client.disconnect()
    client.loop_stop()
    return answers[0]


def _add_station(folder: Path, station: str, pid: int) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", MOSQUITTO / "add-station.sh", station],
        env=_environment(folder, {"MOSQUITTO_PID": str(pid)}),
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_service_user_logs_in_with_the_password_of_the_environment(tmp_path: Path) -> None:
    with _started(tmp_path, **INGEST) as (port, _):
        assert _may_log_in(port, "svc.ingest", INGEST["SERAYU_MQTT_INGEST_PASSWORD"])
        assert not _may_log_in(port, "svc.ingest", "guessed")
        assert not _may_log_in(port, "svc.api", "")
    assert (tmp_path / "passwords").stat().st_mode & 0o777 == 0o600
    assert INGEST["SERAYU_MQTT_INGEST_PASSWORD"] not in (tmp_path / "passwords").read_text()


def test_the_simulator_is_forgotten_when_its_password_is_gone(tmp_path: Path) -> None:
    with _started(tmp_path, **INGEST, **SIMULATOR) as (port, _):
        assert _may_log_in(port, "svc.simulator", "another")
    with _started(tmp_path, **INGEST, SERAYU_MQTT_SIMULATOR_PASSWORD="") as (port, _):
        assert not _may_log_in(port, "svc.simulator", "another")


def test_a_station_added_while_the_broker_runs_logs_in_and_stays_known(tmp_path: Path) -> None:
    with _started(tmp_path, **INGEST) as (port, pid):
        done = _add_station(tmp_path, "bgs-hulu", pid)
        assert done.returncode == 0, done.stderr
        password = done.stdout.strip()
        assert len(password) == 32
        servers.wait_for(lambda: _may_log_in(port, "bgs-hulu", password), what="the reloaded password file")
    with _started(tmp_path, **INGEST) as (port, _):
        assert _may_log_in(port, "bgs-hulu", password)
        assert not _may_log_in(port, "bgs-hulu", "guessed")


@pytest.mark.parametrize(
    "station", ["", "B", "b", "svc.ingest", "a:b", "a" * 41, "+", "bgs hulu", "bgs\nhulu"]
)
def test_what_is_no_station_id_gets_no_user(tmp_path: Path, station: str) -> None:
    done = _add_station(tmp_path, station, os.getpid())
    assert done.returncode == 2
    assert not (tmp_path / "passwords").exists()


def test_the_broker_does_not_start_without_ingest_s_password(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", MOSQUITTO / "start.sh"],
        env=_environment(tmp_path, {}),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "a password for ingest is needed" in done.stderr
