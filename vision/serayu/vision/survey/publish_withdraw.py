"""``serayu vision withdraw``: takes a published survey back, from the register or from an api."""

from pathlib import Path
from typing import Annotated

import typer

from serayu.models.command import emit, reported
from serayu.models.survey.survey_id import check_survey_id
from serayu.vision.survey.publish import withdraw_survey
from serayu.vision.survey.publish_cli import (
    DataOption,
    RegionOption,
    RegisterOption,
    UrlOption,
    target_of,
)

__all__ = ["app"]

app = typer.Typer()


@app.command()
@reported()
def withdraw(
    survey: Annotated[str, typer.Argument(metavar="ID", help="id survei · of the survey")],
    *,
    url: UrlOption = None,
    region: RegionOption = None,
    data: DataOption = None,
    register_url: RegisterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Tarik survei beserta tinjauannya · Withdraw a survey with its findings, reviews and pictures."""
    check_survey_id(survey, field="ID")
    done = withdraw_survey(survey, target_of(url, region, data, register_url))
    counts = f"{done['findings']} temuan · findings, {done['reviews']} tinjauan · reviews"
    how = f"ditarik · withdrawn ({counts})" if done["withdrawn"] else "sudah ditarik · was withdrawn before"
    emit(done, as_json=as_json, output=output, text=f"survei · survey {survey}: {how}")
