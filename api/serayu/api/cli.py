"""``serayu api run | openapi``."""

from pathlib import Path
from typing import Annotated

import typer
from fastapi import FastAPI
from pydantic import ValidationError

from serayu.api.settings import ApiSettings
from serayu.models.command import emit, reported
from serayu.models.errors import BadInputError

__all__ = ["app", "settings_from"]

app = typer.Typer(help="HTTP API dan halaman / HTTP api and pages", no_args_is_help=True)


@app.command()
@reported()
def run(
    region: Annotated[Path | None, typer.Option(help="Region folder.")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data", help="folder data · data folder")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")] = None,
    clock: Annotated[str | None, typer.Option(help="system or replay.")] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve the api and the pages until interrupted; SERAYU_API_* give what is not named here."""
    from serayu.api.server import serve  # noqa: PLC0415 -- only this command needs uvicorn
    from serayu.models.logs import configure  # noqa: PLC0415

    configure(log_level)
    settings = settings_from(region=region, data_dir=data_dir, host=host, port=port, clock=clock)
    try:
        serve(settings, ready=lambda url: typer.echo(f"Serayu: {url}/", err=True))
    except OSError as error:
        raise BadInputError(f"cannot listen on {settings.host}:{settings.port}: {error}") from None


@app.command()
@reported()
def openapi(
    output: Annotated[Path | None, typer.Option(help="File that gets the document.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, which it always is.")] = True,
) -> None:
    """Print the OpenAPI document; needs neither region nor stores."""
    from serayu.api.openapi import describe  # noqa: PLC0415 -- only this command needs them
    from serayu.api.service import ROUTERS  # noqa: PLC0415

    bare = FastAPI(title="Serayu", version="1")
    for router in ROUTERS:
        bare.include_router(router)
    describe(bare)
    emit(bare.openapi(), as_json=as_json, output=output)


def settings_from(**given: object) -> ApiSettings:
    """Return settings from what is given and, for the rest, the environment.

    Raises
    ------
    BadInputError
        One is missing or wrong; names its variable.
    """
    try:
        return ApiSettings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(map(str, first["loc"])).upper()
        raise BadInputError(first["msg"], field=f"SERAYU_API_{place}" if place else None) from None
