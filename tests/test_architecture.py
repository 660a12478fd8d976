"""What the layout promises: one namespace over component folders, and who imports whom."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMPONENTS = ("api", "edge", "ingest", "models", "standalone", "vision")

PROBE = ROOT / "tests" / "import_probe.py"

HEAVY = (
    "alembic", "cv2", "fastapi", "influxdb_client", "onnxruntime", "openvino", "sqlalchemy", "torch",
    "ultralytics", "uvicorn",
)  # fmt: skip


def _python(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_is_no_init_file_that_would_hide_the_other_slices() -> None:
    found = [str(path.relative_to(ROOT)) for path in ROOT.glob("*/serayu/__init__.py*")]
    assert found == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_is_importable_from_its_own_folder(component: str) -> None:
    file = _python("-c", f"import serayu.{component} as it; print(list(it.__path__)[0])").strip()
    assert Path(file) == ROOT / component / "serayu" / component


def test_the_import_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("component", ["models", "edge"])
def test_importing_opens_nothing_and_reads_no_setting(component: str) -> None:
    report = json.loads(_python(str(PROBE), f"serayu.{component}"))
    assert len(report["imported"]) > 1
    assert report["attempts"] == []


def test_the_probe_of_imports_sees_what_it_forbids(tmp_path: Path) -> None:
    package = tmp_path / "guilty"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "opens.py").write_text("import sqlite3\nLINK = sqlite3.connect(':memory:')\n")
    (package / "reads.py").write_text("import os\nHOME = os.environ.get('SERAYU_HOME')\n")
    (package / "writes.py").write_text(f"FILE = open({str(tmp_path / 'x')!r}, 'w')\n")
    (package / "innocent.py").write_text("import fractions, http.client\nfrom guilty import opens\n")
    done = subprocess.run(
        [sys.executable, PROBE, "guilty"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    attempts = {(module, event.partition("/")[0]) for module, event, _ in json.loads(done.stdout)["attempts"]}
    # The module that is imported first is named, here the innocent one by way of the alphabet.
    assert attempts == {
        ("guilty.innocent", "sqlite3.connect"),
        ("guilty.reads", "environment"),
        ("guilty.writes", "open"),
    }


def test_an_agent_with_a_level_driver_imports_nothing_heavy() -> None:
    code = (
        "import sys, serayu.edge.agent, serayu.edge.drivers.ultrasonic\n"
        f"print(*sorted(set(sys.modules) & {set(HEAVY)!r}))"
    )
    assert _python("-c", code).split() == []
