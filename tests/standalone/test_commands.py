"""``serayu``: what every command does alike, and the small ones whole."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from serayu.models.delivery.delivery import Attempt, DeliveryState, NewDelivery
from serayu.models.stores.register import Register, upgrade
from serayu.models.stores.register.database import sqlite_url
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.models.times import US_PER_DAY, US_PER_MINUTE, SystemClock
from serayu.standalone.cli import COMMANDS, app
from serayu.standalone.doctor_cli import examine
from serayu.standalone.stack import locked
from tests.models.delivery.story import ALERT, HOOK, agency

runner = CliRunner()


def test_help_lists_every_command_without_importing_them() -> None:
    code = "import sys; from serayu.standalone.cli import app, COMMANDS\n"
    code += "from typer.testing import CliRunner; print(CliRunner().invoke(app, ['--help']).stdout)\n"
    code += "heavy = {'fastapi', 'sqlalchemy', 'paho', 'numpy'} & set(sys.modules); assert not heavy, heavy"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = runner.invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert "·" in result.stdout or "--help" in result.stdout


def test_an_unknown_command_is_bad_usage() -> None:
    assert runner.invoke(app, ["fly"]).exit_code == 2


def test_doctor_finds_this_machine_able(tmp_path: Path) -> None:
    findings = {finding.check: finding for finding in examine(None, tmp_path)}
    assert {"python", "packages", "sqlite", "clock", "region", "disk"} <= set(findings)
    assert findings["packages"].ok
    assert "22" in findings["region"].detail


def test_doctor_takes_no_offence_at_the_ports_of_a_serayu_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("serayu.standalone.doctor_cli.PORTS", {port: "broker"})

        def found() -> tuple[bool, str]:
            (finding,) = [one for one in examine(None, tmp_path) if one.check == f"port {port}"]
            return finding.ok, finding.detail

        assert found() == (False, "taken; the broker need another")
        with locked(tmp_path):
            assert found() == (True, f"in use; Serayu is running on {tmp_path}")
        assert found() == (False, "taken; the broker need another")


def test_doctor_says_what_is_wrong_with_a_region(tmp_path: Path) -> None:
    result = runner.invoke(app, ["doctor", "--region", str(tmp_path / "none"), "--json"])
    assert result.exit_code == 1
    (region,) = [one for one in json.loads(result.stdout)["checks"] if one["check"] == "region"]
    assert (region["ok"], "no such region folder" in region["detail"]) == (False, True)


def test_doctor_counts_what_waits_to_be_delivered_and_names_what_nobody_takes(tmp_path: Path) -> None:
    def found() -> tuple[bool, str]:
        (finding,) = [one for one in examine(None, tmp_path) if one.check == "delivery"]
        return finding.ok, finding.detail

    assert found() == (True, f"no register at {tmp_path / 'register.sqlite'} yet")
    url = sqlite_url(tmp_path / "register.sqlite")
    upgrade(url)
    assert found()[1].startswith("0 waiting, 0 dead letters")
    now_us = SystemClock().now_us()
    told = msgspec.structs.replace(
        ALERT, region="33.02", sent_us=now_us - US_PER_DAY // 2, expires_us=now_us + US_PER_DAY
    )
    with Register(url) as register:
        desk = register.add_recipient(agency(region="33.02"), HOOK, Vault.open(tmp_path / KEY_FILE))
        queued = [NewDelivery(id="d", recipient_id=desk.id)]
        register.record_bulletin(told, deliveries=queued, now_us=now_us - 7 * US_PER_MINUTE)
        ok, detail = found()
        assert (ok, "due for 7 min" in detail) == (False, True)
        gone = Attempt("d", 1, now_us, 1, ok=False, detail="HTTP 410")
        register.record_attempt(gone, state=DeliveryState.DEAD, reason="refused")
        ok, detail = found()
    assert (ok, detail.startswith("0 waiting, 1 dead letters")) == (False, True)


CSV = "station_id,time_utc,value\na,2026-01-01T00:00:00Z,1.0\na,2026-01-01T00:10:00Z,9.0\na,2026-01-01T00:20:00Z,1.0\n"


def test_qc_flags_a_file(tmp_path: Path) -> None:
    file = tmp_path / "level.csv"
    file.write_text(CSV)
    result = runner.invoke(app, ["qc", str(file), "--json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert [one["flag"] for one in document["series"]["a"]][1] == 4
    assert "spike" in document["series"]["a"][1]["reasons"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("time,value\n", "columns missing: time_utc", id="columns"),
        pytest.param("time_utc,value\nyesterday,1\n", "row 2, field time_utc", id="time"),
        pytest.param(
            "time_utc,value\n2026-01-01T00:00:00Z,high\n", "row 2, field value: not a number", id="value"
        ),
        pytest.param(
            "time_utc,value\n2026-01-01T00:00:01Z,1\n2026-01-01T00:00:00Z,1\n",
            "row 3, field time_utc",
            id="order",
        ),
    ],
)
def test_qc_names_what_is_wrong_with_a_file(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "level.csv"
    file.write_text(content)
    result = runner.invoke(app, ["qc", str(file), "--json"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert f"{file}" in result.stderr
    assert message in result.stderr


def test_up_refuses_a_broken_region_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "region.toml").write_text('code = "33.02"\n')
    result = runner.invoke(app, ["up", "--region", str(tmp_path)])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "region.toml" in result.stderr


def test_up_refuses_a_taken_broker_port_rather_than_use_a_stranger(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = runner.invoke(app, ["up", "--data", str(tmp_path / "d"), "--broker-port", str(port)])
    assert result.exit_code == 2
    assert f"broker port {port} is taken" in result.stderr
