"""The published vectors hold, and the runner that says so can also say no."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vector_adapters import REGISTRY
from tests.vectors import BAD_USAGE, FAILED, OK, Tolerance, Vector, difference, load, main, run

ROOT = Path(__file__).parents[1]
OWN = ROOT / "tests" / "data" / "vectors"
SHARED = ROOT.parent / "shared" / "domain" / "vectors"

Write = Callable[..., str]


def _row(**changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": "one",
        "fn": "raingauge.depth",
        "input": {"tips": 10, "mm_per_tip": 0.2},
        "expected": {"mm": 2.0},
        "tolerance": 1e-9,
    }
    return row | changes


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_rows(*rows: object, wrap: bool = True) -> str:
        path = tmp_path / "vectors" / "some.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"vectors": rows} if wrap else rows), encoding="utf-8")
        return str(path)

    return write_rows


@pytest.mark.parametrize("vector", list(load(OWN)), ids=lambda vector: vector.id)
def test_a_published_vector_holds(vector: Vector) -> None:
    report = run([vector])
    assert report.failures == []
    assert report.fns[vector.fn].passed == 1


def test_every_function_of_the_registry_has_a_vector() -> None:
    assert {vector.fn for vector in load(OWN)} == set(REGISTRY)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.parents[1].exists(), reason="no shared data beside the checkout")
def test_the_shared_vectors_hold() -> None:
    report = run(load(SHARED))
    assert report.failures == []
    assert {fn for fn, tally in report.fns.items() if tally.passed} >= set(REGISTRY)


@pytest.mark.parametrize(
    ("expected", "actual", "tolerance"),
    [
        pytest.param({}, {"more": 1}, 0, id="keys that are not expected do not count"),
        pytest.param({"a": 1}, {"a": 1.0}, 0, id="an integer equals its float"),
        pytest.param({"a": 1.0}, {"a": 1.1}, 0.1, id="at the tolerance"),
        pytest.param({"a": 1.8}, {"a": 2.1 - 0.3}, 0, id="rounding of decimal fractions"),
        pytest.param({"a": [[1, None]]}, {"a": [(1, None)]}, 0, id="a tuple is a list, null is null"),
        pytest.param({"a": math.nan}, {"a": math.nan}, 0, id="NaN equals NaN"),
        pytest.param({"a": math.inf}, {"a": math.inf}, 0, id="infinity"),
        pytest.param({"a": {"b": "x"}}, {"a": {"b": "x", "c": 1}}, 0, id="inner objects likewise"),
        pytest.param({"a": 1, "b": 5}, {"a": 1.4, "b": 5}, {"a": 0.5}, id="a tolerance per key"),
    ],
)
def test_results_that_agree(expected: object, actual: object, tolerance: Tolerance) -> None:
    assert difference(expected, actual, tolerance) is None


@pytest.mark.parametrize(
    ("expected", "actual", "tolerance", "where"),
    [
        pytest.param({"a": 1}, {}, 0, "'a' is missing", id="a key is missing"),
        pytest.param({"a": 1.0}, {"a": 1.11}, 0.1, "result.a", id="beyond the tolerance"),
        pytest.param({"a": 1.0}, {"a": math.nan}, 9, "result.a", id="NaN is no number"),
        pytest.param({"a": math.nan}, {"a": None}, 9, "result.a", id="null is not NaN"),
        pytest.param({"a": None}, {"a": 0}, 9, "result.a", id="zero is not null"),
        pytest.param({"a": math.inf}, {"a": 1e300}, 9, "result.a", id="a number is not infinite"),
        pytest.param({"a": True}, {"a": 1}, 9, "result.a", id="one is not true"),
        pytest.param({"a": 1}, {"a": "1"}, 9, "result.a", id="a text is no number"),
        pytest.param({"a": []}, {"a": [1]}, 9, "expected 0 items", id="a longer list"),
        pytest.param({"a": [1]}, {"a": 1}, 9, "expected a list", id="no list"),
        pytest.param({"a": [1, 2]}, {"a": [2, 1]}, 0, "result.a[0]", id="another order"),
        pytest.param({"a": {"b": 1}}, {"a": 1}, 9, "expected an object", id="no object"),
        pytest.param(
            {"a": 1, "b": 5}, {"a": 1, "b": 5.1}, {"a": 9}, "result.b", id="a key without a tolerance"
        ),
    ],
)
def test_results_that_differ(expected: object, actual: object, tolerance: Tolerance, where: str) -> None:
    found = difference(expected, actual, tolerance)
    assert found is not None
    assert where in found


def test_a_wrong_expected_value_fails(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    status = main([write(_row(), _row(id="two", expected={"mm": 2.1})), "--json"])
    document = json.loads(capsys.readouterr().out)
    assert status == FAILED
    assert document == {
        "total": 2,
        "passed": 1,
        "failed": 1,
        "not_implemented": 0,
        "fns": {"raingauge.depth": {"passed": 1, "failed": 1, "not_implemented": 0}},
        "failures": [
            {
                "id": "two",
                "fn": "raingauge.depth",
                "expected": {"mm": 2.1},
                "actual": {"mm": 2.0},
                "error": "result.mm: expected 2.1, got 2.0",
            }
        ],
    }


def test_an_error_of_the_function_is_a_failure_with_its_reason(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main([write(_row(input={"tips": -1, "mm_per_tip": 0.2})), "--json"])
    (failure,) = json.loads(capsys.readouterr().out)["failures"]
    assert status == FAILED
    assert failure["actual"] is None
    assert failure["error"].startswith("ValueError: ")


def test_an_input_that_the_function_does_not_take_is_a_failure(write: Write) -> None:
    assert main([write(_row(input={"tips": 1, "mm_per_tip": 0.2, "moon": "full"}))]) == FAILED


def test_an_unknown_function_is_not_implemented_and_no_failure(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main([write(_row(fn="moon.phase")), "--json"])
    document = json.loads(capsys.readouterr().out)
    assert status == OK
    assert (document["total"], document["not_implemented"], document["failures"]) == (1, 1, [])
    assert document["fns"] == {"moon.phase": {"passed": 0, "failed": 0, "not_implemented": 1}}


def test_the_output_file_holds_the_same_document(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report.json"
    assert main([write(_row()), "--json", "--output", str(target)]) == OK
    assert json.loads(target.read_text(encoding="utf-8")) == json.loads(capsys.readouterr().out)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["report.json"]


def test_without_json_the_table_names_functions_and_failures(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([write(_row(expected={"mm": 3.0}), wrap=False)]) == FAILED
    shown = capsys.readouterr().out
    assert "raingauge.depth" in shown
    assert "FAILED one" in shown


def test_file_inputs_are_looked_for_above_the_vectors_or_under_base(write: Write, tmp_path: Path) -> None:
    seen: list[Path] = []

    def read(*, file: Path) -> dict[str, object]:
        seen.append(file)
        return {}

    path = Path(write(_row(fn="some.read", input={"file": "cap/a.xml"}, expected={})))
    run(load(path), registry={"some.read": read})
    run(load(path, base=tmp_path / "other"), registry={"some.read": read})
    assert seen == [tmp_path / "cap" / "a.xml", tmp_path / "other" / "cap" / "a.xml"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        pytest.param([7], "vector 1: expected an object", id="no object"),
        pytest.param([_row(), _row(fn=None)], "vector 2: field 'fn'", id="no function"),
        pytest.param([_row(input=[1])], "field 'input'", id="inputs without names"),
        pytest.param([_row(tolerance=-1)], "field 'tolerance'", id="a negative tolerance"),
        pytest.param([_row(tolerance="1e-9")], "field 'tolerance'", id="a tolerance in text"),
    ],
)
def test_a_bad_vector_is_bad_usage_that_names_file_and_row(
    write: Write, capsys: pytest.CaptureFixture[str], rows: list[object], reason: str
) -> None:
    path = write(*rows)
    assert main([path, "--json"]) == BAD_USAGE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert path in shown.err
    assert reason in shown.err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "No such file", id="absent"),
        pytest.param("{", "not JSON", id="not JSON"),
        pytest.param('{"cases": []}', "'vectors'", id="no list"),
    ],
)
def test_an_unusable_file_is_bad_usage_that_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, reason: str
) -> None:
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert main([str(path)]) == BAD_USAGE
    shown = capsys.readouterr().err
    assert str(path) in shown
    assert reason in shown


def test_an_empty_folder_and_an_unwritable_output_are_bad_usage(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty")]) == BAD_USAGE
    assert main([write(_row()), "--output", str(tmp_path / "absent" / "report.json")]) == BAD_USAGE
    assert str(tmp_path / "absent" / "report.json") in capsys.readouterr().err


def test_the_command_runs_from_the_checkout() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.vectors", str(OWN), "--json"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    assert json.loads(done.stdout)["failed"] == 0
    usage = subprocess.run(
        [sys.executable, "-m", "tests.vectors"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert usage.returncode == BAD_USAGE
