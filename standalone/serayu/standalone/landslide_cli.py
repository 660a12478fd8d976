"""``serayu landslide assess``: landslide risk of slope units and of the roads below them."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from serayu.models.command import emit, json_text, reported, time_option, write_atomically
from serayu.models.landslide.assess import Evidence, assess
from serayu.models.landslide.document import units_geojson
from serayu.models.landslide.findings import read_findings
from serayu.models.landslide.result import Report
from serayu.models.landslide.series import read_rain, read_soil
from serayu.models.landslide.units import read_units
from serayu.models.times import US_PER_HOUR, SystemClock, rfc3339

app = typer.Typer(no_args_is_help=True, help="Bahaya longsor per ruas · Landslide risk per road")

RAIN_OLD_US = US_PER_HOUR  # the longest usual interval of a rain gauge [project proposal]


@app.callback()
def _landslide() -> None:
    """Bahaya longsor per ruas · Landslide risk per road."""


@app.command("assess")
@reported()
def assess_command(
    *,
    units: Annotated[Path, typer.Option(help="GeoJSON lereng · slope units")],
    rain: Annotated[Path, typer.Option(help="CSV hujan · rain: station,time,mm")],
    soil: Annotated[
        Path | None, typer.Option(help="CSV kelembapan tanah · soil moisture: station,time,moisture_pct")
    ] = None,
    findings: Annotated[Path | None, typer.Option(help="GeoJSON temuan drone · drone findings")] = None,
    dem: Annotated[Path | None, typer.Option(help="model elevasi · elevation model, GeoTIFF or HGT")] = None,
    at: Annotated[
        str | None, typer.Option(help="waktu penilaian · moment of the assessment, RFC 3339; now")
    ] = None,
    rain_limit_h: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=48, help="jam terlama satu angka hujan · hours that a rain value can stand for"
        ),
    ] = None,
    geojson: Annotated[Path | None, typer.Option(help="tulis lereng · write the units as GeoJSON")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Nilai lereng dan ruas · Assess slope units and roads: rules, numbers, verdicts, what was missing."""
    at_us = SystemClock().now_us() if at is None else time_option(at, option="--at")
    placed = read_units(units)
    with ExitStack() as stack:
        slope_of = None
        if dem is not None:
            from serayu.models.landslide.dem import Dem  # noqa: PLC0415 -- rasterio only where a DEM is given

            slope_of = stack.enter_context(Dem(dem)).slope_deg
        evidence = Evidence(
            rain=read_rain(rain, limit_h=rain_limit_h),
            soil=None if soil is None else read_soil(soil),
            findings=None if findings is None else read_findings(findings),
            slope_of=slope_of,
        )
        report = assess(placed, evidence, at_us=at_us)
    if geojson is not None:
        write_atomically(geojson, json_text(units_geojson(report, placed)))
    emit(report, as_json=as_json, output=output, text=_text(report))
    if at is None:
        _hint(evidence, at_us)


def _hint(evidence: Evidence, at_us: int) -> None:
    """Say on stderr that the rain is old: an assessment of now then knows nothing of it."""
    newest = [end_us for one in evidence.rain.values() if (end_us := one.until_us(at_us)) is not None]
    if newest and at_us - max(newest) > RAIN_OLD_US:
        typer.echo(
            f"hujan terbaru · newest rain: {rfc3339(max(newest))}; "
            f"menilai saat itu · to assess that moment: --at {rfc3339(max(newest))}",
            err=True,
        )


def _text(report: Report) -> str:
    lines = []
    for road in report.ruas:
        lines += [road.explanation.id, f"  {road.explanation.en}"]
        lines += [
            line
            for unit in report.units
            if unit.ruas == road.ruas
            for line in (f"  - {unit.explanation.id}", f"    {unit.explanation.en}")
        ]
    return "\n".join(lines)
