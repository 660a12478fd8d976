"""``serayu flood fit``: fit the forecasts of a region's river posts on its own history."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from serayu.models.command import emit, reported
from serayu.models.errors import BadInputError
from serayu.models.places import HOT_STORE, default_data_dir, default_region
from serayu.models.region import Region, load_region
from serayu.models.times import SystemClock

_FAILED = 1
_FOREVER_US = 1 << 62


@reported()
def fit(
    data: Annotated[
        Path | None,
        typer.Option(
            help="folder data: riwayat dan tempat model · data folder: history, and place of models"
        ),
    ] = None,
    region: Annotated[Path | None, typer.Option(help="folder wilayah · region folder")] = None,
    stations: Annotated[Path | None, typer.Option(help="tabel pos (CSV) · table of stations")] = None,
    series: Annotated[
        list[Path] | None, typer.Option(help="data rapi CSV, boleh berulang · tidy series, may be repeated")
    ] = None,
    upstream: Annotated[
        Path | None, typer.Option(help="TOML: pos hulu dan penakar hujan · posts upstream and rain gauges")
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="ID=pos: id dalam tabel dan pos wilayah · id in the table and our station"
        ),
    ] = None,
    post: Annotated[list[str] | None, typer.Option(help="hanya pos ini · only this post")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="satu dokumen JSON · one JSON document")] = False,
    output: Annotated[Path | None, typer.Option(help="tulis ke berkas · write to a file")] = None,
) -> None:
    """Latih prakiraan pos sungai · Fit the forecasts of river posts; ingest takes them up by itself."""
    known = load_region(region or default_region())
    folder = data or default_data_dir(known.code)
    for name in post or ():
        known.station(name)
    values, links, skipped = _given(known, stations, series or [], upstream, map_ or [])
    # Here, not above: the methods need scikit-learn, which the other commands do without.
    from serayu.models.flood.fitting import RegionFit, fit_region  # noqa: PLC0415
    from serayu.models.flood.series import joined  # noqa: PLC0415

    stored = _stored(known, folder, needed=stations is None)
    sources = "+".join(name for name, one in (("stored", stored), ("given", values)) if one)
    merged = {
        key: joined([one[key] for one in (stored, values) if key in one]) for key in {**stored, **values}
    }
    task = RegionFit(
        region=known,
        series=merged,
        data_dir=folder,
        now_us=SystemClock().now_us(),
        learnt_from=sources or "stored",
        links=links,
        only=tuple(post or ()),
    )
    fitted: dict[str, Any] = {}
    for name, result in fit_region(task):
        if "reason" in result:
            skipped.append({"station": name, **result})
        else:
            fitted[name] = result
            if not as_json:
                typer.echo(f"{name}: {result['seconds']} s", err=True)
    document = {"region": known.code, "stations": fitted, "skipped": skipped}
    emit(document, as_json=as_json, output=output, text=_table(document))
    if not fitted:
        typer.echo("tidak ada pos yang dilatih · no post was fitted", err=True)
        raise typer.Exit(_FAILED)


def _stored(region: Region, folder: Path, *, needed: bool) -> dict[Any, Any]:
    """Return what the data folder's hot store holds of levels and rain."""
    from serayu.models.flood.stored import stored_series  # noqa: PLC0415 -- only this command's, and only now
    from serayu.models.stores.hot import HotStore  # noqa: PLC0415

    file = folder / HOT_STORE
    if not file.is_file():
        if needed:
            raise BadInputError(
                f"no data here (no {HOT_STORE}); name the folder with --data, or give --stations and --series",
                file=folder,
            )
        return {}
    with HotStore(file) as store:
        found = {
            key: stored_series(store, key, -_FOREVER_US, _FOREVER_US)
            for key in store.series()
            if key.region == region.code and key.property in {"stage", "rain"}
        }
    return {key: one for key, one in found.items() if len(one)}


def _given(
    region: Region, table: Path | None, files: list[Path], upstream: Path | None, pairs: list[str]
) -> tuple[dict[Any, Any], dict[str, Any], list[dict[str, str]]]:
    """Return given series by datastream, what feeds what where that was given, and what was left out."""
    if (table is None) != (not files):
        raise BadInputError(
            "--stations and --series go together", field="--series" if table else "--stations"
        )
    if table is None:
        for option, said in (("--upstream", upstream), ("--map", pairs)):
            if said:
                raise BadInputError(f"{option} needs --stations", field="--stations")
        return {}, {}, []
    from serayu.models.flood.links import PostLinks, read_links  # noqa: PLC0415 -- only now
    from serayu.models.flood.series import read_series, read_stations  # noqa: PLC0415
    from serayu.standalone.replay.given import of_region  # noqa: PLC0415

    infos = read_stations(table)
    named = _pairs(pairs, infos, region, table)
    values = read_series(files, infos)
    renamed = {named.get(name, name): name for name in values}
    given = of_region(
        region,
        {ours: infos[name] for ours, name in renamed.items()},
        {ours: values[name] for ours, name in renamed.items()},
    )
    ours = {renamed[name]: station for station, name in given.ids.items()}
    links: dict[str, Any] = {}
    for name, one in ({} if upstream is None else read_links(upstream, infos)).items():
        if name in ours:
            links[ours[name]] = PostLinks(
                upstream=tuple(ours[each] for each in one.upstream if each in ours),
                rain=tuple(ours[each] for each in one.rain if each in ours),
                travel_time_h={ours[each]: h for each, h in one.travel_time_h.items() if each in ours},
            )
    skipped = [{"station": renamed[name], "reason": reason} for name, reason in given.skipped.items()]
    return dict(given.series), links, skipped


def _pairs(pairs: list[str], infos: Mapping[str, Any], region: Region, table: Path) -> dict[str, str]:
    named: dict[str, str] = {}
    for pair in pairs:
        name, separator, station = pair.partition("=")
        if not separator:
            raise BadInputError(f"expected ID=STATION, not {pair!r}", field="--map")
        if name not in infos:
            raise BadInputError(f"{name!r} is not in the table of stations", file=table, field="--map")
        region.station(station)
        named[name] = station
    return named


def _table(document: Mapping[str, Any]) -> str:
    """Return what people read: what each post's forecast is worth."""
    lines: list[str] = []
    for station, post in document["stations"].items():
        lines.append(f"{station}  {post['method']}  {post['seconds']} s  -> {post['file']}")
        for hours, one in post["horizons"].items():
            shown = "" if one["shown"] else "  tidak ditampilkan: tidak lebih baik daripada nilai tetap"
            lines.append(
                f"  {hours:>3} h  PI {_number(one['pi'])}  badai {_number(one['pi_storms'])} ({one['storms']})  "
                f"80 %: {_number(one['coverage_80'])}  {one['method']}{shown}"
            )
        for level, one in post["levels"].items():
            told = one["fit"]
            lines.append(
                f"  {level:<8} > {one['limit_m']:.2f} m: {told['hits'] + told['misses']} kejadian · events, "
                f"POD {_number(told['pod'])}  FAR {_number(told['far'])}  ({one['policy']['family']})"
            )
    lines += [f"{each['station']}: {each['reason']}" for each in document["skipped"]]
    return "\n".join(lines) or "(kosong · empty)"


def _number(value: float | None) -> str:
    return "   -" if value is None else f"{value:.2f}"
