"""``serayu vision withdraw``: takes a published survey back, from the register or from an api."""

from pathlib import Path
from typing import Annotated, Any

import typer

from serayu.models.command import emit, reported
from serayu.models.survey.survey_id import check_survey_id
from serayu.models.times import SystemClock
from serayu.vision.survey.publish_cli import (
    DataOption,
    RegionOption,
    RegisterOption,
    UrlOption,
    target_of,
)
from serayu.vision.survey.publish_place import Target, check_answer, place_of, sent

__all__ = ["app", "withdraw_survey"]

app = typer.Typer()
_TIMEOUT_S = 60.0


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
    how = f"ditarik · withdrawn ({counts})" if done["withdrawn"] else "tidak ada · is not there"
    emit(done, as_json=as_json, output=output, text=f"survei · survey {survey}: {how}")


def withdraw_survey(survey: str, target: Target) -> dict[str, Any]:
    """Withdraw a survey; again, it changes nothing.

    Parameters
    ----------
    survey
        Its id.
    target
        Where from.

    Returns
    -------
    dict
        ``survey``, ``withdrawn``, ``findings``, ``segments`` and ``reviews``.

    Raises
    ------
    BadInputError
        There is no region, register or key.
    StoreError
        The register or the api cannot be reached.
    """
    if target.url is not None:
        address = f"{target.url.rstrip('/')}/api/v1/surveys/{survey}"
        return check_answer(*sent(target, "DELETE", address, timeout_s=_TIMEOUT_S), address)
    from serayu.models.stores.register import Register, upgrade  # noqa: PLC0415 -- SQLAlchemy
    from serayu.models.stores.survey_files import withdraw as withdraw_here  # noqa: PLC0415 -- the same
    from serayu.models.survey.entry import Withdrawn  # noqa: PLC0415 -- the same

    place = place_of(target)
    upgrade(place.register)
    with Register(place.register) as register:
        done = withdraw_here(
            survey,
            register=register,
            data_dir=place.data,
            region=place.region,
            by="serayu vision withdraw",
            now_us=SystemClock().now_us(),
        )
    counts = (Withdrawn(0, 0, 0) if done is None else done)._asdict()
    return {"survey": survey, "withdrawn": done is not None, **counts}
