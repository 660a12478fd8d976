"""``serayu region check`` and ``serayu region import``."""

from pathlib import Path
from typing import Annotated

import typer

from serayu.models.command import emit, reported
from serayu.models.errors import BadInputError
from serayu.models.region import RegionInfo, load_region
from serayu.models.region_check import check_region
from serayu.models.region_import import read_stations, write_region
from serayu.models.region_layers import LayerFile, read_layers, write_layers
from serayu.standalone.storm import Storm
from serayu.standalone.storm.basins import BASINS_FILE

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Periksa dan impor wilayah · Check and import a region",
)

JsonOption = Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")]
OutputOption = Annotated[
    Path | None, typer.Option(help="tulis dokumen ke berkas · write the document to a file")
]


@app.command("check")
@reported()
def check(
    folder: Annotated[Path, typer.Argument(help="folder wilayah · region folder")],
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Periksa folder wilayah · Check a region folder."""
    report = check_region(folder)
    if (folder / BASINS_FILE).exists():
        Storm(load_region(folder), start_us=0)
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.by_kind.items())
    heading = f"{report.region} {report.name}: {report.stations} stasiun · stations ({kinds})"
    counts = (
        f"{report.datastreams} datastream, {report.posts_with_limits} pos dengan ambang · posts with limits; "
        f"dibuat-buat · invented: {len(report.invented_stations)} letak · places, "
        f"{len(report.invented_limits)} ambang · limits"
    )
    layers = ", ".join(
        f"{count if count is not None else 'tanpa · no'} {slug}"
        for slug, count in report.impact_layers.items()
    )
    impact = f"dampak · impact: {layers}; zona dibuat-buat · invented zones: {len(report.invented_zones)} pos · posts"
    lines = [heading, counts, impact, *(f"perhatian · warning: {line}" for line in report.warnings)]
    emit(report, as_json=as_json, output=output, text="\n".join(lines))


@app.command("import")
@reported()
def import_command(
    *,
    out: Annotated[Path, typer.Option(help="folder wilayah yang ditulis · region folder to write")],
    stations: Annotated[Path | None, typer.Option(help="tabel stasiun CSV · CSV table of stations")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="kumpulan data dalam tabel · dataset in the table")
    ] = None,
    code: Annotated[str | None, typer.Option(help="kode wilayah, mis. 99.01 · region code")] = None,
    name: Annotated[str | None, typer.Option(help="nama wilayah · name of the region")] = None,
    layers: Annotated[Path | None, typer.Option(help="folder lapisan peta · folder of map layers")] = None,
    force: Annotated[bool, typer.Option("--force", help="ganti yang ada · replace what is there")] = False,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Impor stasiun dari CSV, atau lapisan peta · Import stations from a CSV table, or map layers."""
    if stations is None and layers is None:
        raise BadInputError("nothing to import: give --stations or --layers")
    if stations is None and (dataset is not None or code is not None or name is not None):
        raise BadInputError("--dataset, --code and --name belong to --stations")
    loaded = None if layers is None else read_layers(layers)  # before anything is written
    document: dict[str, object] = {"out": str(out)}
    lines: list[str] = []
    if stations is not None:
        lines += _import_stations(
            stations, out, dataset=dataset, code=code, name=name, force=force, document=document
        )
    if loaded is not None:
        write_layers(loaded, out, force=force)
        lines += _tell_layers(loaded, document)
    emit(document, as_json=as_json, output=output, text="\n".join(lines))


def _import_stations(
    table_file: Path,
    out: Path,
    *,
    dataset: str | None,
    code: str | None,
    name: str | None,
    force: bool,
    document: dict[str, object],
) -> list[str]:
    if dataset is None or code is None:
        raise BadInputError("--stations needs --dataset and --code")
    table = read_stations(table_file, dataset=dataset)
    try:
        info = RegionInfo(
            code=code,
            name=name or dataset,
            source=f"{table_file.name}, dataset {dataset}; lihat tiap stasiun",
        )
    except ValueError as error:
        raise BadInputError(str(error), field="--code") from None
    write_region(table, out, info=info, force=force)
    document |= {
        "region": code,
        "stations": [feature["properties"]["id"] for feature in table.features],
        "posts_with_limits": sorted(table.limits),
        "notes": list(table.notes),
    }
    return [
        f"{out}: {len(table.features)} stasiun · stations, {len(table.limits)} dengan ambang · with limits",
        *(f"catatan · note: {note}" for note in table.notes),
    ]


def _tell_layers(layers: tuple[LayerFile, ...], document: dict[str, object]) -> list[str]:
    document["layers"] = [
        {
            "name": layer.name,
            "file": layer.file,
            "features": layer.features,
            "licences": list(layer.licences),
            "sources": list(layer.sources),
            "notes": list(layer.notes),
        }
        for layer in layers
    ]
    unknown = "lisensi tidak diketahui · licence unknown"
    lines = [
        f"{layer.name}: {layer.features} dari · from {layer.file}; {'; '.join(layer.licences) or unknown}"
        for layer in layers
    ]
    return lines + [f"catatan · note: {note}" for layer in layers for note in layer.notes]
