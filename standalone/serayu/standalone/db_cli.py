"""``serayu db``: the schema of the register."""

from pathlib import Path
from typing import Annotated

import typer

from serayu.models.command import reported
from serayu.models.errors import BadInputError
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import upgrade as upgrade_register
from serayu.models.stores.register.database import sqlite_url

app = typer.Typer(no_args_is_help=True, help="Skema basis data · Schemas of the databases")


@app.callback()
def _db() -> None:
    """Skema basis data · Schemas of the databases."""


@app.command()
@reported()
def upgrade(
    data: Annotated[Path, typer.Option(help="folder data · data folder")],
    register_url: Annotated[
        str | None, typer.Option(help="register di luar folder data · register elsewhere")
    ] = None,
) -> None:
    """Bawa kedua basis data ke skema terbaru · Bring both databases to the newest schema."""
    if not data.is_dir():
        raise BadInputError("no such data folder", file=data)
    HotStore(data / "hot.sqlite").close()
    upgrade_register(register_url or sqlite_url(data / "register.sqlite"))
    typer.echo("skema terbaru · schemas are current")
