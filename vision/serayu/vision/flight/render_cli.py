"""``serayu vision render``: a made-up flight whose truth is known."""

import math
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serayu.models.command import emit, reported

if TYPE_CHECKING:
    from serayu.vision.flight.render import Rendered

__all__ = ["app"]

app = typer.Typer()


@app.command()
@reported()
def render(
    out: Annotated[Path, typer.Argument(help="Folder baru · New folder")],
    road: Annotated[Path, typer.Option(help="GeoJSON ruas jalan · GeoJSON of roads")],
    ruas: Annotated[str | None, typer.Option(help="Nomor ruas · Number of the road")] = None,
    length: Annotated[float | None, typer.Option(help="Panjang, m · Length of road, m")] = None,
    photos: Annotated[int | None, typer.Option(help="Jumlah foto · Photos in all")] = None,
    start: Annotated[float, typer.Option(help="Mulai di m ke- · Where on the road it begins, m")] = 20.0,
    seed: Annotated[int, typer.Option(help="Benih acak · Seed")] = 1,
    gsd: Annotated[float, typer.Option(help="Jarak cuplik, mm/px · Ground sampling distance")] = 8.0,
    overlap: Annotated[float, typer.Option(help="Tumpang tindih 0-0,95 · Forward overlap")] = 0.7,
    noise: Annotated[
        bool, typer.Option("--noise/--no-noise", help="Galat GNSS dan arah · Errors of position and heading")
    ] = True,
    gnss: Annotated[float, typer.Option(help="Sigma GNSS, m")] = 1.5,
    heading: Annotated[float, typer.Option(help="Sigma arah, derajat · of heading, degrees")] = 2.0,
    tilt: Annotated[float, typer.Option(help="Sigma kemiringan, derajat · of tilt, degrees")] = 0.5,
    height: Annotated[float, typer.Option(help="Sigma tinggi, m · of height, m")] = 0.5,
    landslide: Annotated[
        bool,
        typer.Option("--landslide/--no-landslide", help="Longsoran di tepi jalan · A slide beside the road"),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Cetak JSON · Print JSON")] = False,
    output: Annotated[Path | None, typer.Option(help="Berkas JSON · JSON file")] = None,
) -> None:
    """Buat penerbangan tiruan dengan kebenaran yang diketahui · Render a made-up flight with known truth."""
    from serayu.vision.flight.plan import FlightNoise  # noqa: PLC0415 - OpenCV takes a while to import
    from serayu.vision.flight.render import render_flight  # noqa: PLC0415

    rendered = render_flight(
        out,
        road=road,
        ruas=ruas,
        seed=seed,
        photos=photos,
        length_m=length if length is not None or photos is not None else 60.0,
        start_m=start,
        gsd_mm=gsd,
        overlap=overlap,
        noise=FlightNoise(gnss, heading, tilt, height) if noise else FlightNoise.none(),
        landslide=landslide,
        progress=None if as_json or not sys.stderr.isatty() else _tell,
    )
    emit(rendered, as_json=as_json, output=output, text=_text(rendered, gsd_mm=gsd))


def _text(rendered: "Rendered", *, gsd_mm: float) -> str:
    """Return what was made, in short, and the command that surveys it."""
    folder, metres = rendered.folder, 1000 * (rendered.end_km - rendered.start_km)
    shown = sum(count["in_photos"] for count in rendered.things.values())
    survey: tuple[str, ...] = (
        "serayu",
        "vision",
        "survey",
        str(folder / "photos"),
        "--ruas",
        str(folder / "ruas.geojson"),
    )
    survey += ("--dem", str(folder / "dem.tif"), "--boxes", str(folder / "boxes"))
    survey += ("--out", f"{folder}-survey")
    where = f"ruas {rendered.ruas} km {rendered.start_km:.3f}-{rendered.end_km:.3f} ({metres:.0f} m)"
    lines = [
        f"{rendered.photos} foto buatan · made-up photos, {gsd_mm:g} mm/px: {where}",
        f"benda tampak · things shown: {shown}; kebenaran · truth: {folder / 'truth.geojson'}",
    ]
    if not _holds_segment(rendered.start_km, rendered.end_km):
        lines.append("tanpa segmen 100 m utuh, tiada PCI/SDI · no whole segment of 100 m, no PCI/SDI:")
        lines.append("  untuk itu · for that: --start 0 --length 120")
    lines.append("berikutnya · next:")
    lines.append(f"  {shlex.join(survey)}")
    lines.append("  (tanpa · without --boxes: detektor · detector 'road')")
    return "\n".join(lines)


def _holds_segment(start_km: float, end_km: float) -> bool:
    """Return whether a whole segment of 100 m, counted from km 0, lies between."""
    return math.ceil(round(start_km * 10, 6)) + 1 <= round(end_km * 10, 6)


def _tell(done: int, total: int) -> None:
    typer.echo(f"\r{done}/{total}" + ("\n" if done == total else ""), err=True, nl=False)
