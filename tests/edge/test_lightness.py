"""What an agent imports: only what its drivers need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "asyncio", "click", "cv2", "fastapi", "influxdb_client", "numpy", "pandas", "pydantic", "pydantic_settings", "rich",
    "scipy", "shapely", "sqlalchemy", "typer", "uvicorn",
}  # fmt: skip
AGENT = """
import json, sys
from pathlib import Path
from serayu.edge.agent import Agent
from serayu.edge.config import load_config
Agent(load_config(Path(sys.argv[1])))
print(json.dumps(sorted(sys.modules)))
"""


def modules_of_an_agent(folder: Path, driver: str, *, preamble: str = "") -> set[str]:
    file = folder / "agent.toml"
    file.write_text(
        f'region = "33.02"\nstation = "bgs-hulu"\nstate = "state"\n[[driver]]\n{driver}', encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-c", preamble + AGENT, str(file)], check=True, capture_output=True, text=True
    )
    return set(json.loads(done.stdout))


MOCK_PINS = """
from gpiozero import Device
from gpiozero.pins.mock import MockFactory
Device.pin_factory = MockFactory()
"""
SIMULATED = 'kind = "simulated"\nproperty = "stage"\n'
LEVEL = 'kind = "ultrasonic"\nproperty = "stage"\noptions = {trigger = 23, echo = 24, sensor_height_m = 5}\n'


SIREN = """[siren]
pin = 27
thresholds = {waspada_m = 5, siaga_m = 6, awas_m = 7, source = "x", valid_from = "2026-01-01", approved_by = "nobody"}
"""


@pytest.mark.parametrize(
    ("driver", "preamble", "gpio"),
    [
        pytest.param(SIMULATED, "", False, id="simulated"),
        pytest.param(LEVEL, MOCK_PINS, True, id="level"),
        pytest.param(SIMULATED + SIREN, MOCK_PINS, True, id="siren"),
    ],
)
def test_an_agent_imports_nothing_heavy_and_gpiozero_only_for_pins(
    tmp_path: Path, driver: str, preamble: str, *, gpio: bool
) -> None:
    found = modules_of_an_agent(tmp_path, driver, preamble=preamble)
    assert found & HEAVY == set()
    assert ("gpiozero" in found) is gpio
    assert "paho.mqtt.client" in found
    assert ("serayu.edge.siren" in found) is ("[siren]" in driver)


def test_paho_is_known_to_one_module_of_the_edge() -> None:
    folder = Path(__file__).parents[2] / "edge" / "serayu" / "edge"
    users = [path.name for path in folder.rglob("*.py") if "import paho" in path.read_text("utf-8")]
    users += [path.name for path in folder.rglob("*.py") if "from paho" in path.read_text("utf-8")]
    assert set(users) == {"uplink.py"}
