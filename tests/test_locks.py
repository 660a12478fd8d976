"""The lock files still answer pyproject.toml, without asking any registry."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# The Makefile's `lock` target, as extras and dependency groups.
CONTENTS = {
    "dev.lock": (("edge", "server", "vision"), ("dev",)),
    "run.lock": (("edge", "server", "vision"), ("build", "faces")),
    "edge.lock": (("edge",), ("build",)),
}

PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(\[[a-z,]+\])?==(?P<version>[^ ;]+)( *; [^\\\n]*)? \\\n +--hash=sha256:",
    re.MULTILINE,
)


def _pins(name: str) -> dict[str, set[Version]]:
    """Locked versions by name: several where they depend on the Python, as with numpy."""
    pins: dict[str, set[Version]] = {}
    for match in PIN.finditer((REQUIREMENTS / name).read_text(encoding="utf-8")):
        pins.setdefault(canonicalize_name(match["name"]), set()).add(Version(match["version"]))
    return pins


def _group(name: str) -> Iterator[str]:
    for entry in PROJECT["dependency-groups"][name]:
        if isinstance(entry, str):
            yield entry
        else:
            yield from _group(entry["include-group"])


def _wanted(extras: tuple[str, ...], groups: tuple[str, ...]) -> list[Requirement]:
    lines = list(PROJECT["project"]["dependencies"])
    for extra in extras:
        lines += PROJECT["project"]["optional-dependencies"][extra]
    for group in groups:
        lines += _group(group)
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", CONTENTS)
def test_every_requirement_is_locked_at_a_version_it_allows(lock: str) -> None:
    pins = _pins(lock)
    unmet = [
        f"{requirement} locked at {sorted(versions)}"
        for requirement in _wanted(*CONTENTS[lock])
        if not (versions := pins.get(canonicalize_name(requirement.name), set()))
        or not all(requirement.specifier.contains(version, prereleases=True) for version in versions)
    ]
    assert unmet == [], "run `make lock`"


@pytest.mark.parametrize("lock", ["run.lock", "edge.lock"])
def test_what_runs_is_what_was_tested(lock: str) -> None:
    tested = _pins("dev.lock")
    assert {name: pins for name, pins in _pins(lock).items() if tested.get(name) != pins} == {}


@pytest.mark.parametrize("lock", [*CONTENTS, "uv.lock"])
def test_every_pin_is_hashed_and_no_host_is_named(lock: str) -> None:
    text = (REQUIREMENTS / lock).read_text(encoding="utf-8")
    named = re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE)
    assert sum(map(len, _pins(lock).values())) == len(named) > 0
    assert "://" not in text


def test_the_makefile_pins_the_uv_of_its_lock() -> None:
    match = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert match is not None
    assert _pins("uv.lock") == {"uv": {Version(match[1])}}
