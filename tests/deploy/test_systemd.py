"""The systemd units: accepted by systemd itself, watched, restarted and confined."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import servers

SYSTEMD = Path(__file__).parents[2] / "deploy" / "systemd"
UNITS = ("serayu-edge@.service", "serayu-ingest.service", "serayu-api.service", "serayu.service")
PROGRAM = "/opt/serayu/bin/serayu"


def _settings(unit: str) -> dict[str, list[str]]:
    settings: dict[str, list[str]] = {}
    for line in (SYSTEMD / unit).read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            settings.setdefault(key, []).append(value)
    return settings


def test_every_unit_is_looked_at() -> None:
    assert sorted(path.name for path in SYSTEMD.glob("*.service")) == sorted(UNITS)


@pytest.mark.servers
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_accepts_the_unit(tmp_path: Path, unit: str) -> None:
    program = servers.require("systemd-analyze")
    # The program is not installed here, and systemd asks whether it can be executed.
    there = shutil.which("true")
    assert there is not None
    text = (SYSTEMD / unit).read_text(encoding="utf-8").replace(PROGRAM, there)
    copy = tmp_path / unit.replace("@", "@bgs-hulu")
    copy.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [program, "verify", "--man=no", "--recursive-errors=no", copy],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.servers
@pytest.mark.parametrize("unit", UNITS)
def test_the_exposure_that_systemd_computes_is_low(unit: str) -> None:
    program = servers.require("systemd-analyze")
    # In tenths, lower is better; a unit without confinement has 96 ("UNSAFE").
    done = subprocess.run(
        [program, "security", "--offline=yes", "--threshold=25", "--no-pager", SYSTEMD / unit],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_a_silent_agent_is_killed_and_every_end_is_followed_by_a_start() -> None:
    settings = _settings("serayu-edge@.service")
    assert settings["Type"] == ["notify"]
    assert int(settings["WatchdogSec"][0]) <= 120
    for unit in UNITS:
        settings = _settings(unit)
        assert settings["Restart"] == ["always"]
        assert settings["StartLimitIntervalSec"] == ["0"]  # systemd never gives up


@pytest.mark.parametrize(
    ("unit", "command"),
    [
        ("serayu-edge@.service", "edge run --config /etc/serayu/%i.toml"),
        ("serayu-ingest.service", "ingest run"),
        ("serayu-api.service", "api run --host 127.0.0.1 --port 8000"),
        ("serayu.service", "up --data %S/serayu/server"),
    ],
)
def test_a_unit_runs_its_command_unprivileged(unit: str, command: str) -> None:
    settings = _settings(unit)
    assert settings["ExecStart"] == [f"{PROGRAM} {command}"]
    assert settings["NoNewPrivileges"] == ["yes"]
    assert settings["ProtectSystem"] == ["strict"]
    assert settings.get("DynamicUser") == ["yes"] or settings["User"] == ["serayu"]
    assert settings["StateDirectory"][0].startswith("serayu/")


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_holds_no_secret(unit: str) -> None:
    for line in _settings(unit).get("Environment", []):
        assert re.search(r"PASSWORD|TOKEN|SECRET|KEY", line) is None
