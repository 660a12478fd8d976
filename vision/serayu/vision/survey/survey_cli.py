"""``serayu vision survey``: photos or an orthophoto to findings on the road."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from serayu.models.command import emit, reported
from serayu.models.errors import BadInputError
from serayu.models.survey.survey_id import check_survey_id
from serayu.vision.documents.method import Problem, left_out
from serayu.vision.documents.words import meant
from serayu.vision.survey.pipeline import Engine, Order, Outcome, Progress, local_engine, run_survey
from serayu.vision.survey.publish import check_target, publish_survey
from serayu.vision.survey.publish_cli import (
    DataOption,
    RegionOption,
    RegisterOption,
    UrlOption,
    published_text,
    target_of,
)

__all__ = ["app"]

DEFAULT_WEIGHTS = ("road",)
app = typer.Typer()


class EngineName(StrEnum):
    """Where units are looked at."""

    LOCAL = "local"
    DASK = "dask"


@app.command()
@reported()
def survey(
    source: Annotated[
        Path,
        typer.Argument(metavar="DIR|ORTHO.tif", help="folder foto atau ortofoto · photos or an orthophoto"),
    ],
    *,
    out: Annotated[Path, typer.Option(help="folder hasil · where the results go")],
    ruas: Annotated[Path | None, typer.Option(help="GeoJSON ruas jalan · roads")] = None,
    dem: Annotated[Path | None, typer.Option(help="model elevasi · elevation model, GeoTIFF")] = None,
    weights: Annotated[
        list[str] | None, typer.Option(help="nama atau berkas bobot, boleh berulang · weights, repeatable")
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(
            help="kotak yang diberikan (label YOLO dan classes.txt) · given boxes instead of a detector"
        ),
    ] = None,
    runtime: Annotated[str | None, typer.Option(help="openvino | onnxruntime")] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 | bf16 | int8")] = None,
    survey_id: Annotated[
        str | None, typer.Option("--survey", help="id survei · id; made from the input by default")
    ] = None,
    people_weights: Annotated[
        Path | None,
        typer.Option(help="detektor orang dan kendaraan untuk disamarkan · hides people and vehicles (COCO)"),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="ganti hasil survei lain di folder hasil · replace another survey's results"
        ),
    ] = False,
    engine: Annotated[EngineName, typer.Option(help="mesin kerja · where it runs")] = EngineName.LOCAL,
    address: Annotated[
        str | None, typer.Option(help="alamat penjadwal dask · the scheduler; local workers without")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="pekerja dask lokal · local dask workers")] = 2,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="terbitkan ke register atau api · publish, see serayu vision publish"),
    ] = False,
    url: UrlOption = None,
    region: RegionOption = None,
    data: DataOption = None,
    register_url: RegisterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Survei drone: kerusakan dan longsor per ruas · Find defects and slides, on which road and kilometre."""
    if boxes is not None and weights:
        raise BadInputError("give --boxes or --weights, not both", field="--boxes")
    if address is not None and engine is not EngineName.DASK:
        raise BadInputError("needs --engine dask", field="--address")
    if survey_id is not None:
        check_survey_id(survey_id, field="--survey")
    order = Order(
        source,
        out,
        ruas=ruas,
        dem=dem,
        boxes=boxes,
        weights=() if boxes is not None else tuple(weights or DEFAULT_WEIGHTS),
        runtime=runtime,
        precision=precision,
        survey=survey_id,
        people=people_weights,
        replace=replace,
    )
    target = target_of(url, region, data, register_url)
    if publish:
        check_target(target)
    with _engine(engine, address, workers) as looking, _progress() as progress:
        outcome = run_survey(order, engine=looking, progress=progress)
    document, text = _document(outcome), _text(outcome, published=publish)
    if publish:
        done = publish_survey(out, target)
        document["published"], text = done, f"{text}\n{published_text(done)}"
    emit(document, as_json=as_json, output=output, text=text)


@contextmanager
def _engine(name: EngineName, address: str | None, workers: int) -> Iterator[Engine]:
    if name is EngineName.LOCAL:
        yield local_engine
        return
    from serayu.vision.survey.cluster import cluster_engine  # noqa: PLC0415 -- extra `cluster`

    with cluster_engine(address=address, workers=workers) as looking:
        yield looking


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Show a bar on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress  # noqa: PLC0415 -- only on a terminal
    from rich.console import Console  # noqa: PLC0415

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("foto · photos", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _document(outcome: Outcome) -> dict[str, object]:
    return {
        "out": outcome.out,
        "looked": outcome.looked,
        "resumed": outcome.resumed,
        "look_s": round(outcome.look_s, 3),
        "finish_s": round(outcome.finish_s, 3),
        "summary": outcome.summary,
    }


def _said(problem: Problem) -> str:
    """Return a problem and its first reason in words, Indonesian first."""
    told = [" · ".join(filter(None, (one.id, one.en))) for one in (problem.words, *problem.details[:1])]
    return f"{problem.unit}: {': '.join(told)}{' …' if len(problem.details) > 1 else ''}"


def _quality(reasons: Mapping[str, int]) -> Iterator[str]:
    """Yield how many pictures each reason limited or refused."""
    for key, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        said = meant(key)
        yield f"  {n} foto · pictures: {' · '.join(filter(None, (said.id, said.en)))}"


def _text(outcome: Outcome, *, published: bool) -> str:
    counts, summary = outcome.summary.counts, outcome.summary
    classes = ", ".join(f"{name} {n}" for name, n in counts.classes.items()) or "-"
    read = (
        f"dibaca · read {counts.read} (terbatas · limited {counts.limited}), ditolak · refused {counts.refused}, "
        f"rusak · corrupt {counts.corrupt}, tanpa posisi · without position {counts.without_position}"
    )
    lines = [
        f"survei · survey {summary.survey}",
        f"foto · pictures: {counts.units}; {read}; dari kerja sebelumnya · resumed {outcome.resumed}",
        *_quality(summary.quality),
        f"temuan · findings: {counts.findings} dari · from {counts.sightings} penampakan · sightings: {classes}",
    ]
    if counts.unconfirmed:
        lines.append(
            "terlalu jarang atau lemah di foto yang bertumpang, tidak dipakai · too seldom or too weak over the "
            f"overlapping pictures, left out: {counts.unconfirmed}"
        )
    notes = summary.privacy.texts
    lines += [f"{one} · {other}" for one, other in zip(notes["id"], notes["en"], strict=True)]
    lines += [f"  {_said(one)}" for one in left_out(summary).problems[:10]]
    if len(summary.problems) > 10:  # noqa: PLR2004 -- what fits on a screen
        lines.append(f"  … {len(summary.problems) - 10} lagi · more, in survey.json")
    lines.append(f"temuan di peta · findings on a map: {outcome.out / 'findings.geojson'}")
    lines.append(f"laporan untuk dicetak · report to print: {outcome.out / 'report.html'}")
    if not published:
        lines.append(f"terbitkan · to publish: serayu vision publish {outcome.out}")
    return "\n".join(lines)
