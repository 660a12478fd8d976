"""An id that could not be published is refused before a survey begins."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from serayu.models.errors import BadInputError
from serayu.models.survey.survey_id import check_survey_id
from serayu.vision.survey.survey_cli import app


@pytest.mark.parametrize("id_", ["a", "2026-07_Somagede.2", "0" * 64])
def test_letters_digits_dots_and_hyphens_make_an_id(id_: str) -> None:
    check_survey_id(id_, field="survey")


@pytest.mark.parametrize(
    "id_", ["", ".", "..", "-a", "_a", "a b", "a/b", "a\\b", "a\n", "jalan-é", "0" * 65, "\u0660"]
)
def test_everything_else_is_refused_by_the_command_before_it_looks_at_anything(
    id_: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInputError, match="needs 1 to 64 letters"):
        check_survey_id(id_, field="survey")
    done = CliRunner().invoke(app, [str(tmp_path), "--out", str(tmp_path / "out"), f"--survey={id_}"])
    assert done.exit_code == 2
    assert "--survey" in done.output
    assert "needs 1 to 64 letters" in " ".join(done.output.split())
    assert not (tmp_path / "out").exists()
