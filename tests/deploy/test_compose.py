"""docker-compose.yml and what it mounts: valid by the Compose specification, healthy, and free of secrets."""

import json
import re
import subprocess
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from prometheus_client import generate_latest
from pydantic_settings import BaseSettings

from serayu.api.settings import ApiSettings
from serayu.ingest.metrics import IngestMetrics
from serayu.ingest.settings import IngestSettings
from tests import servers

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SECRET_NAME = re.compile(r"PASSWORD|TOKEN|SECRET|_KEY$")
INTERPOLATION = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


@pytest.fixture(scope="module", name="compose")
def _compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return parsed


def _specification() -> dict[str, Any]:
    """The Compose specification's own JSON schema, which check-jsonschema ships with its licence."""
    folder = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema: dict[str, Any] = json.loads((folder / "compose-spec.json").read_text(encoding="utf-8"))
    return schema


def _services(compose: Mapping[str, Any], profile: str) -> dict[str, Any]:
    return {name: it for name, it in compose["services"].items() if profile in it["profiles"]}


def test_the_compose_file_is_valid_by_the_specification(compose: dict[str, Any]) -> None:
    jsonschema.validate(compose, _specification())


def test_the_specification_refuses_a_misspelt_key(compose: dict[str, Any]) -> None:
    wrong = {**compose, "services": {"api": {"image": "x", "helthcheck": {"test": ["CMD", "true"]}}}}
    with pytest.raises(jsonschema.ValidationError, match="helthcheck"):
        jsonschema.validate(wrong, _specification())


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("core", {"mosquitto", "influxdb", "postgres", "ingest", "api"}),
        ("edge-sim", {"edge-sim"}),
        ("monitoring", {"prometheus", "grafana"}),
    ],
)
def test_a_profile_starts_its_services(compose: dict[str, Any], profile: str, expected: set[str]) -> None:
    assert set(_services(compose, profile)) == expected


@pytest.mark.parametrize("profile", ["core", "monitoring"])
def test_every_service_has_a_healthcheck(compose: dict[str, Any], profile: str) -> None:
    without = [name for name, service in _services(compose, profile).items() if "healthcheck" not in service]
    assert without == []


def test_what_is_waited_for_has_a_healthcheck(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, wait in service.get("depends_on", {}).items():
            assert wait["condition"] == "service_healthy"
            assert "healthcheck" in compose["services"][name]


def test_everything_mounted_and_built_from_exists(compose: dict[str, Any]) -> None:
    used = set()
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("."):
                used.add(source)
            else:
                assert source in compose["volumes"]
        if "build" in service:
            used.add(service["build"]["dockerfile"])
    assert [path for path in used if not (ROOT / path).exists()] == []
    assert len(used) >= 5


def test_images_are_pinned_and_own_containers_unprivileged(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert re.search(r":v?\d+\.\d+", service["image"]), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not service.get("privileged", False)
    for name in ("ingest", "api", "edge-sim"):
        assert compose["services"][name]["read_only"] is True
        assert compose["services"][name]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", ["Dockerfile.server", "Dockerfile.edge"])
def test_a_dockerfile_has_stages_locks_and_an_unprivileged_user(name: str) -> None:
    text = (DEPLOY / "docker" / name).read_text(encoding="utf-8")
    stages = re.findall(r"(?m)^FROM (\S+)", text)
    assert len(stages) >= 2
    assert "--require-hashes" in text
    users = re.findall(r"(?m)^USER (\d+):\d+$", text)
    assert users
    assert int(users[-1]) > 0
    final = text[text.rindex("\nFROM ") :]
    assert "apt-get" not in final  # the last stage installs nothing but what it copies
    for source in re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", text):
        assert all((ROOT / path).exists() for path in source.split())


def _strings(node: object) -> list[tuple[str, str]]:
    """Every scalar below `node`, with the key it hangs on."""
    if isinstance(node, dict):
        return [
            pair
            for key, value in node.items()
            for pair in (_strings(value) if isinstance(value, dict | list) else [(str(key), str(value))])
        ]
    if isinstance(node, list):
        return [
            pair
            for value in node
            for pair in (_strings(value) if isinstance(value, dict | list) else [("", str(value))])
        ]
    return []


def test_every_secret_comes_from_the_environment_and_none_has_a_default(compose: dict[str, Any]) -> None:
    seen = 0
    for key, value in _strings(compose):
        if SECRET_NAME.search(key):
            match = INTERPOLATION.fullmatch(value)
            assert match is not None, f"{key} is a literal"
            # The simulator's may be empty: the broker then knows no such user.
            assert match["kind"] == "?" or (match["name"], match["rest"]) == (
                "SERAYU_MQTT_SIMULATOR_PASSWORD",
                "",
            )
            seen += 1
        for match in INTERPOLATION.finditer(value):
            if SECRET_NAME.search(match["name"]):
                assert not (match["kind"] == "-" and match["rest"]), f"{match['name']} has a default"
    assert seen >= 7


def test_no_url_carries_a_literal_password() -> None:
    for path in [ROOT / "docker-compose.yml", ROOT / ".env.example", *DEPLOY.rglob("*")]:
        if path.is_file():
            for credentials in re.findall(r"://([^/\s\"'@]+)@", path.read_text(encoding="utf-8")):
                assert credentials.partition(":")[2].startswith("${"), f"{path}: {credentials}"


def _example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_names_every_variable_and_fills_no_secret(compose: dict[str, Any]) -> None:
    example = _example()
    used = {match["name"] for _, value in _strings(compose) for match in INTERPOLATION.finditer(value)}
    assert used == set(example)
    assert {name: value for name, value in example.items() if SECRET_NAME.search(name) and value} == {}
    assert {name for name, value in example.items() if not value} == set(filter(SECRET_NAME.search, example))


def _make_env(target: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", DEPLOY / "make-env.sh", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "SERAYU_ENV_FILE": str(target)},
    )


@pytest.mark.parametrize(
    ("arguments", "simulator"), [((), False), (("--with-simulator",), True)], ids=["production", "simulator"]
)
def test_make_env_fills_every_secret_with_a_value_of_its_own(
    tmp_path: Path, arguments: tuple[str, ...], *, simulator: bool
) -> None:
    target = tmp_path / "env"
    assert _make_env(target, *arguments).returncode == 0
    made = dict(
        line.split("=", 1) for line in target.read_text().splitlines() if line and not line.startswith("#")
    )
    assert set(made) == set(_example())
    secrets = [value for name, value in made.items() if SECRET_NAME.search(name) and value]
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in secrets)
    assert len(set(secrets)) == len(secrets)
    assert bool(made["SERAYU_MQTT_SIMULATOR_PASSWORD"]) is simulator
    assert target.stat().st_mode & 0o777 == 0o600


def test_make_env_overwrites_nothing(tmp_path: Path) -> None:
    target = tmp_path / "env"
    target.write_text("MINE=1\n")
    assert _make_env(target).returncode == 2
    assert target.read_text() == "MINE=1\n"


def test_the_dashboard_and_the_alarms_use_the_provisioned_sources() -> None:
    sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/serayu.yml").read_text())[
        "datasources"
    ]
    known = {source["uid"] for source in sources}
    assert {source["type"] for source in sources} == {"prometheus", "influxdb"}
    dashboard = json.loads((DEPLOY / "grafana/dashboards/operations.json").read_text(encoding="utf-8"))
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} <= known
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_every_metric_that_is_looked_at_is_exposed_by_ingest() -> None:
    exposed = generate_latest(IngestMetrics().registry).decode()
    text = (DEPLOY / "grafana/dashboards/operations.json").read_text(encoding="utf-8")
    text += (DEPLOY / "prometheus/alarms.yml").read_text(encoding="utf-8")
    looked_at = set(re.findall(r"\bserayu_\w+", text))
    assert len(looked_at) >= 5
    assert {name for name in looked_at if not re.search(rf"(?m)^{name}\b", exposed)} == set()


@pytest.mark.parametrize(
    ("service", "prefix", "settings"),
    [("ingest", "SERAYU_INGEST_", IngestSettings), ("api", "SERAYU_API_", ApiSettings)],
)
def test_every_setting_that_is_passed_exists(
    compose: dict[str, Any], service: str, prefix: str, settings: type[BaseSettings]
) -> None:
    passed = {name.removeprefix(prefix).lower() for name in compose["services"][service]["environment"]}
    assert passed - set(settings.model_fields) == set()


@pytest.mark.servers
@pytest.mark.parametrize("file", ["prometheus.yml", "alarms.yml"])
def test_prometheus_accepts_its_configuration(file: str) -> None:
    program = servers.require("promtool")
    kind = "config" if file == "prometheus.yml" else "rules"
    done = subprocess.run(
        [program, "check", kind, DEPLOY / "prometheus" / file], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
