import json
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from serayu.models.command import emit, json_text, reported, write_atomically
from serayu.models.errors import BadInputError


def _app() -> typer.Typer:
    app = typer.Typer()

    @app.command()
    @reported()
    def divide(
        by: int,
        *,
        as_json: Annotated[bool, typer.Option("--json")] = False,
        output: Annotated[Path | None, typer.Option("--output")] = None,
    ) -> None:
        """Divide twelve."""
        if by == 0:
            raise BadInputError("cannot divide\nby zero", file="sums.csv", row=2, field="by")
        emit({"result": 12 / by}, as_json=as_json, output=output, text=f"result {12 / by}")

    return app


def test_text_is_printed_without_json() -> None:
    result = CliRunner().invoke(_app(), ["4"])
    assert (result.exit_code, result.stdout) == (0, "result 3.0\n")


def test_json_is_the_only_thing_on_stdout() -> None:
    result = CliRunner().invoke(_app(), ["4", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"result": 3.0}


def test_output_writes_the_same_document_and_keeps_stdout_empty(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    result = CliRunner().invoke(_app(), ["4", "--output", str(target)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(target.read_text()) == {"result": 3.0}
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_an_error_is_one_line_on_stderr_and_status_2() -> None:
    result = CliRunner().invoke(_app(), ["0", "--json"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: sums.csv, row 2, field by: cannot divide by zero\n"


def test_an_unwritable_output_is_named(tmp_path: Path) -> None:
    target = tmp_path / "absent" / "result.json"
    result = CliRunner().invoke(_app(), ["4", "--output", str(target)])
    assert result.exit_code == 2
    assert str(target) in result.stderr


def test_a_defect_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), reported():
        1 / 0  # noqa: B018 -- the division is the defect


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param({}, {}, id="empty"),
        pytest.param({"value": float("nan")}, {"value": None}, id="nan is null"),
        pytest.param({"file": Path("a/b")}, {"file": "a/b"}, id="path"),
    ],
)
def test_documents_become_json(document: object, expected: object) -> None:
    assert json.loads(json_text(document)) == expected


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    with pytest.raises(BadInputError, match="folder"):
        write_atomically(target, "text")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
