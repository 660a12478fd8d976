"""``serayu cap check``: what it says and with which exit status."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serayu.standalone.cap_cli import app
from tests.shared import shared

DATA = Path(__file__).parents[1] / "data" / "cap"
ALERT, LIST, ENTITY = (str(DATA / name) for name in ("nowcast.xml", "nowcast.rss", "entity.xml"))


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["check", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_valid_files_end_with_0() -> None:
    status, out, _ = run(ALERT, LIST)
    assert (status, out.splitlines()) == (0, [f"{ALERT}: valid (cap-1.2)", f"{LIST}: valid (rss)"])


def test_an_invalid_file_among_them_ends_with_1_and_says_why() -> None:
    status, out, _ = run(ALERT, ENTITY)
    assert status == 1
    assert f"{ENTITY}: malicious (unreadable)" in out
    assert "error doctype_refused" in out


def test_json_is_one_document_and_the_same_goes_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    status, out, _ = run(ALERT, ENTITY, "--json", "--output", str(target))
    document = json.loads(out)
    assert (status, document["valid"], document["invalid"], document["malicious"]) == (1, 1, 1, 1)
    first, second = document["files"]
    assert (first["file"], first["verdict"], first["valid"], first["xsd_valid"]) == (
        ALERT,
        "valid",
        True,
        True,
    )
    assert first["alerts"][0]["identifier"] == "2.49.0.1.360.99.2026.02.16.16.45.005"
    assert (second["malicious"], second["problems"][0]["severity"]) == (True, "error")
    assert json.loads(target.read_text()) == document


@pytest.mark.parametrize("arguments", [(), ("absent.xml",), (str(DATA),), (ALERT, "--max-bytes", "0")])
def test_bad_usage_ends_with_2(arguments: tuple[str, ...]) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err


def test_a_large_file_is_not_read() -> None:
    status, out, _ = run(ALERT, "--max-bytes", "100")
    assert status == 1
    assert "too_large" in out


@pytest.mark.shared
def test_every_shared_file_is_judged_in_one_run() -> None:
    files = sorted(str(file) for file in shared("domain", "cap").rglob("*") if file.is_file())
    status, out, _ = run(*files, "--json")
    document = json.loads(out)
    malicious = [Path(one["file"]).name for one in document["files"] if one["malicious"]]
    assert (status, len(document["files"]), malicious) == (1, len(files), ["xee.atom", "xee.cap"])
    assert {one["verdict"] for one in document["files"] if "/bmkg/" in one["file"]} == {"valid"}
