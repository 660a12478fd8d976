"""``serayu flood``: forecasts and warnings of floods, and how good they are."""

from pathlib import Path
from typing import Annotated, Any

import typer

from serayu.models.command import emit, reported, time_option
from serayu.models.errors import BadInputError
from serayu.standalone.flood_fit_cli import fit
from serayu.standalone.flood_replay_cli import replay
from serayu.standalone.flood_scorecard_cli import scorecard

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Banjir: prakiraan dan peringatan · Floods: forecasts and warnings",
)

_LONGEST_H = 72.0


app.command()(fit)
app.command()(replay)
app.command()(scorecard)


@app.callback()
def _flood() -> None:
    """Banjir: prakiraan dan peringatan · Floods: forecasts and warnings."""


@app.command()
@reported()
def backtest(
    stations: Annotated[Path, typer.Option(help="tabel pos (CSV) · table of stations")],
    series: Annotated[
        list[Path],
        typer.Option(help="data rapi CSV atau CSV.gz, boleh berulang · tidy series, may be repeated"),
    ],
    fit_until: Annotated[str, typer.Option(help="akhir bagian latih, RFC 3339 · end of the fit part")],
    upstream: Annotated[
        Path | None, typer.Option(help="TOML: pos hulu dan penakar hujan · posts upstream and rain gauges")
    ] = None,
    horizons: Annotated[str, typer.Option(help="jam ke depan · hours ahead")] = "1,3,6,12",
    miss_cost: Annotated[
        float,
        typer.Option(
            min=0.1, help="biaya satu luput dalam peringatan keliru · cost of a miss in false alarms"
        ),
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Uji mundur prakiraan dan peringatan · Backtest forecasts and warnings on a record.

    \b
    serayu flood backtest --stations stations.csv --series stage.csv --series rain.csv.gz
      --upstream up.toml --fit-until 2025-06-01T00:00:00Z --json --output backtest.json

    \b
    stations.csv: station_id,variable[,unit,alert,alarm,critical]
    stage.csv:    station_id,time_utc,value[,unit,flag]
    up.toml:      [stations."HILIR"]
                  upstream = ["HULU"]
                  rain = ["HUJAN-A"]
                  travel_time_h = { "HULU" = 3.5 }
    """  # noqa: D301 -- click's mark for lines that it must not join
    # Here, not above: the methods need scikit-learn, which the other commands do without.
    from serayu.models.flood.backtest import Backtest  # noqa: PLC0415
    from serayu.models.flood.backtest import backtest as run  # noqa: PLC0415
    from serayu.models.flood.links import read_links  # noqa: PLC0415
    from serayu.models.flood.series import read_series, read_stations  # noqa: PLC0415
    from serayu.models.flood.tuning import Aims  # noqa: PLC0415

    fit_until_us, hours = time_option(fit_until, option="--fit-until"), _hours(horizons)
    infos = read_stations(stations)
    links = None if upstream is None else read_links(upstream, infos)
    document = run(
        Backtest(
            infos=infos,
            series=read_series(series, infos),
            links=links,
            fit_until_us=fit_until_us,
            horizons_h=hours,
            aims=Aims(miss_cost=miss_cost),
        )
    )
    emit(document, as_json=as_json, output=output, text=_table(document))
    if output is not None:
        typer.echo(_summary(document, output), err=True)


def _summary(document: dict[str, Any], output: Path) -> str:
    posts, skipped = len(document["stations"]), len(document["skipped"])
    return f"{output}: {posts} pos diuji · posts tested, {skipped} dilewati · skipped"


def _hours(text: str) -> tuple[float, ...]:
    try:
        hours = sorted({float(each) for each in text.split(",")})
    except ValueError:
        raise BadInputError(f"expected hours such as 1,3,6,12, not {text!r}", field="--horizons") from None
    if not all(0 < each <= _LONGEST_H for each in hours):
        raise BadInputError(
            f"hours must be above 0 and at most {_LONGEST_H:g}, got {text!r}", field="--horizons"
        )
    return tuple(hours)


def _table(document: dict[str, Any]) -> str:
    """Return what people read: skill by horizon and warnings by level of each post."""
    lines: list[str] = []
    for station, post in document["stations"].items():
        lines.append(f"{station}  {post['variable']} {post['unit']}  {post['method']}  fit {post['fit_s']} s")
        for hours, scores in post["horizons"].items():
            shown = "" if scores["shown"] else "  (tidak ditampilkan · not shown)"
            lines.append(
                f"  {hours:>3} h  PI {_text(scores['pi'])}  NSE {_text(scores['nse'])}  "
                f"80 %: {_text(scores['coverage_80'])}  {scores['method']}{shown}"
            )
        for level, scores in post["levels"].items():
            lines.append(f"  {level} > {scores['threshold']:g}: {scores['events']} kejadian · events")
            rules = {"warning": scores["warning"], **scores["baselines"]}
            lines += [f"    {name:<19} {_scores(rule)}" for name, rule in rules.items() if rule]
    lines += [f"{each['station']}: {each['reason']}" for each in document["skipped"]]
    return "\n".join(lines) or "(kosong · empty)"


def _scores(rule: dict[str, Any]) -> str:
    lead = rule["lead_median_min"]
    return (
        f"POD {_text(rule['pod'])}  FAR {_text(rule['far'])}  "
        f"lead {'-' if lead is None else f'{lead / 60:.1f} h'}  cost {rule['cost']:g}"
    )


def _text(value: float | None) -> str:
    return "   -" if value is None else f"{value:.2f}"
