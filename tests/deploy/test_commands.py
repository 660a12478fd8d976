"""What compose and systemd start exists in the command line, with the options they pass."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERAYU = Path(sys.executable).with_name("serayu")
# ENTRYPOINT of the two images.
ENTRYPOINTS = {"serayu-server": ["serayu"], "serayu-edge": ["serayu", "edge"]}


def _compose() -> dict[str, list[str]]:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    return {
        f"compose {name}": [*ENTRYPOINTS[service["image"].partition(":")[0]], *service["command"]]
        for name, service in services.items()
        if service["image"].partition(":")[0] in ENTRYPOINTS
    }


def _systemd() -> dict[str, list[str]]:
    commands = {}
    for unit in sorted((ROOT / "deploy" / "systemd").glob("*.service")):
        match = re.search(r"(?m)^ExecStart=\S+/(serayu .*)$", unit.read_text(encoding="utf-8"))
        assert match is not None
        commands[unit.name] = match[1].split()
    return commands


COMMANDS = {**_compose(), **_systemd()}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_the_command_exists_and_knows_its_options(command: list[str]) -> None:
    words = [word for word in command[1:] if re.fullmatch(r"[a-z][a-z-]*", word)]
    options = {word for word in command if word.startswith("--")}
    done = subprocess.run(
        [SERAYU, *words[:2], "--help"], check=False, capture_output=True, text=True, env={"COLUMNS": "200"}
    )
    assert done.returncode == 0, done.stderr
    assert options <= set(re.findall(r"--[a-z][a-z-]*", done.stdout))


def test_the_images_start_what_the_test_says() -> None:
    for image, entrypoint in ENTRYPOINTS.items():
        name = image.removeprefix("serayu-")
        text = (ROOT / "deploy" / "docker" / f"Dockerfile.{name}").read_text(encoding="utf-8")
        words = ", ".join(f'"{word}"' for word in entrypoint)
        assert f"ENTRYPOINT [{words}]" in text
