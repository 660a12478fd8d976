"""``serayu vision publish``: a survey's folder into the register, or to an api."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from serayu.models.command import emit, reported
from serayu.models.texts import decimal, text
from serayu.models.times import parse_rfc3339, wib
from serayu.vision.survey.publish import KEY_VARIABLE, Target, publish_survey

__all__ = ["DataOption", "RegionOption", "RegisterOption", "UrlOption", "app", "published_text", "target_of"]

app = typer.Typer()
UrlOption = Annotated[
    str | None,
    typer.Option("--url", help=f"alamat api, kunci di {KEY_VARIABLE} · api, its key in {KEY_VARIABLE}"),
]
RegionOption = Annotated[
    Path | None,
    typer.Option(
        "--region", envvar="SERAYU_API_REGION", help="folder wilayah · region folder, to publish here"
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", envvar="SERAYU_API_DATA_DIR", help="folder data · data folder, to publish here"),
]
RegisterOption = Annotated[
    str | None,
    typer.Option(
        "--register-url",
        envvar="SERAYU_API_REGISTER_URL",
        help="URL register, bila bukan SQLite · PostgreSQL",
    ),
]


@app.command()
@reported()
def publish(
    folder: Annotated[Path, typer.Argument(help="folder hasil survei · what a survey wrote")],
    *,
    url: UrlOption = None,
    region: RegionOption = None,
    data: DataOption = None,
    register_url: RegisterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Terbitkan survei ke peta dan halaman tinjau · Publish a survey to the map and the review page."""
    done = publish_survey(folder, target_of(url, region, data, register_url))
    emit(done, as_json=as_json, output=output, text=published_text(done))


def target_of(url: str | None, region: Path | None, data: Path | None, register_url: str | None) -> Target:
    """Return where the options say to publish, with the key from the environment."""
    return Target(url=url, key=os.environ.get(KEY_VARIABLE), region=region, data=data, register=register_url)


def published_text(done: dict[str, Any]) -> str:
    """Return what was published, for people."""
    how = (
        "diterbitkan · published"
        if done["created"]
        else "sudah ada, tidak berubah · was there, nothing changed"
    )
    counts = f"{done['findings']} temuan · findings, {done['segments']} segmen · segments"
    said = f"survei · survey {done['survey']}: {how} ({counts}) → {done['to']}"
    return "\n".join([said, *map(_overlap_text, done.get("overlaps", []))])


def _overlap_text(one: dict[str, Any]) -> str:
    taken = "?" if one["first"] is None else wib(parse_rfc3339(one["first"]))
    fields = {
        "survey": one["survey"],
        "ruas": ", ".join(one["ruas"]),
        "taken": taken,
        "published": wib(parse_rfc3339(one["published"])),
    }
    said = (text("review.overlap", lang, km=decimal(one["km"], 1, lang), **fields) for lang in ("id", "en"))
    return "  " + "\n    ".join(said)
