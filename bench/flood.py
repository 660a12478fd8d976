"""Backtests of flood forecasts and warnings on every shared river and on invented chains.

``python -m bench.flood SHARED [--chains N] [--json] [--output FILE] [--markdown FILE]``: SHARED is the folder of the
shared hydrology data. Fit on the first part of each record, score the rest; the sets, their dates and links are below.
"""

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.common import commit_id, machine
from serayu.models.command import write_atomically
from serayu.models.flood.backtest import Backtest, backtest
from serayu.models.flood.links import PostLinks, read_links
from serayu.models.flood.series import read_series, read_stations
from serayu.models.times import parse_rfc3339
from tests.flood.chain import write_chain

HORIZONS_H = (1.0, 3.0, 6.0, 12.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class River:
    """One set: files below the shared folder, end of the fit part, links."""

    name: str
    files: tuple[str, ...]
    fit_until: str
    links: dict[str, PostLinks]
    note: str = ""


# Ditwah: nine days of one cyclone. Posts of one river, by the river names of the table of stations; the order of
# posts on the Kalu, Gin, Nilwala, Maha Oya and Kirindi Oya follows their coordinates (inland to sea).
DITWAH = {
    "LK-BADALGAMA": PostLinks(upstream=("LK-GIRIULLA",)),
    "LK-BADDEGAMA": PostLinks(upstream=("LK-THAWALAMA",)),
    "LK-ELLAGAWA": PostLinks(upstream=("LK-RATHNAPURA",)),
    "LK-PUTUPAULA": PostLinks(upstream=("LK-ELLAGAWA", "LK-RATHNAPURA")),
    "LK-PANADUGAMA": PostLinks(upstream=("LK-PITABEDDARA",)),
    "LK-THALGAHAGODA": PostLinks(upstream=("LK-PANADUGAMA", "LK-PITABEDDARA")),
    "LK-THANAMALWILA": PostLinks(upstream=("LK-WELLAWAYA",)),
}
RIVERS = (
    River(
        name="Severn at Bewdley (UK, 15 min, no rain of its own)",
        files=("uk_ea_15min/bewdley.csv.gz",),
        fit_until="2017-10-01T00:00:00Z",
        links={},
    ),
    River(
        name="Cedar Creek (US, 15 min, basin rain)",
        files=("cedar_creek/flow.csv.gz", "cedar_creek/rain.csv.gz"),
        fit_until="2008-07-01T00:00:00Z",
        links={"USGS-CEDAR-Q": PostLinks(rain=("USGS-CEDAR-P-MEAN",))},
    ),
    River(
        name="South Chickamauga Creek (US, hourly, airport rain)",
        files=("us_hourly/USGS-03567500.csv.gz",),
        fit_until="2017-01-01T00:00:00Z",
        links={"USGS-03567500-Q": PostLinks(rain=("USGS-03567500-P",))},
    ),
    River(
        name="USGS 01037000 (US, hourly, airport rain)",
        files=("us_hourly/USGS-01037000.csv.gz",),
        fit_until="2015-07-15T00:00:00Z",
        links={
            "USGS-01037000-Q": PostLinks(rain=("USGS-01037000-P",)),
            "USGS-01037000-H": PostLinks(rain=("USGS-01037000-P",)),
        },
    ),
    River(
        name="Park River (US, 15 min, flashy, no rain)",
        files=("park_river/flow_turbidity.csv.gz",),
        fit_until="2019-10-01T00:00:00Z",
        links={},
    ),
    River(
        name="Cyclone Ditwah, 27 posts (Sri Lanka, about hourly, nine days)",
        files=("srilanka_ditwah/stage.csv",),
        fit_until="2025-11-28T00:00:00Z",
        links=DITWAH,
        note="five days of fit part: official levels, few events",
    ),
)


def shared_rivers(shared: Path) -> Iterator[dict[str, Any]]:
    infos = read_stations(shared / "stations.csv")
    for river in RIVERS:
        began = time.perf_counter()
        series = read_series([shared / file for file in river.files], infos)
        run = Backtest(
            infos=infos,
            series=series,
            links=river.links,
            fit_until_us=parse_rfc3339(river.fit_until),
            horizons_h=HORIZONS_H,
        )
        yield _case(river.name, river.note, river.fit_until, began, backtest(run))


def chains(seeds: range) -> Iterator[dict[str, Any]]:
    for seed in seeds:
        kind = "rain" if seed % 2 else "plain"
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            write_chain(out, seed=seed, kind=kind, years=3.5)
            began = time.perf_counter()
            infos = read_stations(out / "stations.csv")
            run = Backtest(
                infos=infos,
                series=read_series([out / "series.csv.gz"], infos),
                links=read_links(out / "up.toml", infos),
                fit_until_us=parse_rfc3339("2023-01-01T00:00:00Z"),
                horizons_h=HORIZONS_H,
            )
            name = f"invented chain {seed} ({'five gauges' if kind == 'rain' else 'no rain'}, 0.3 % typing errors)"
            yield _case(name, "invented", "2023-01-01T00:00:00Z", began, backtest(run))


def _case(name: str, note: str, fit_until: str, began: float, result: dict[str, Any]) -> dict[str, Any]:
    seconds = round(time.perf_counter() - began, 1)
    return {"river": name, "note": note, "fit_until": fit_until, "seconds": seconds, "result": result}


def markdown(document: dict[str, Any]) -> str:
    lines = [
        "# Backtests of flood forecasts and warnings",
        "",
        f"`python -m bench.flood SHARED --chains N --output docs/results/flood.json` at {document['commit']},",
        f"{document['machine']}. Fit on what came before the date, scored on the rest; PI is the persistence index",
        "1 - SSE / SSE of persistence, the band is 10-90 %, cost is 5 misses + false alarms. Chains are invented.",
        "",
    ]
    for case in document["cases"]:
        lines += _river(case)
    return "\n".join(lines) + "\n"


def _river(case: dict[str, Any]) -> list[str]:
    lines = [f"## {case['river']}", ""]
    posts = case["result"]["stations"]
    lines += [f"Fit until {case['fit_until']}; {len(posts)} posts in {case['seconds']} s.", ""]
    if posts:
        lines += [
            "| post | h | n | PI | NSE | in the band | method | shown |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for post, one in posts.items():
            lines += [
                f"| {post} | {hours} | {s['n']} | {_two(s['pi'])} | {_two(s['nse'])} | {_two(s['coverage_80'])} "
                f"| {s['method']} | {'yes' if s['shown'] else 'no'} |"
                for hours, s in one["horizons"].items()
            ]
        lines += [
            "",
            "| post | level | events | POD | FAR | lead h | cost | cost: fixed limit | cost: post upstream |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        for post, one in posts.items():
            lines += [_level(post, level, scores) for level, scores in one["levels"].items()]
        lines.append("")
    lines += [f"- {each['station']} left out: {each['reason']}" for each in case["result"]["skipped"]]
    return [*lines, ""]


def _level(post: str, level: str, scores: dict[str, Any]) -> str:
    warning, upstream = scores["warning"], scores["baselines"]["upstream_threshold"]
    lead = warning["lead_median_min"]
    cells = [
        post,
        f"{level} {scores['threshold']:g} ({scores['threshold_source']})",
        scores["events"],
        _two(warning["pod"]),
        _two(warning["far"]),
        "-" if lead is None else f"{lead / 60:.1f}",
        f"{warning['cost']:g}",
        f"{scores['baselines']['threshold_only']['cost']:g}",
        "-" if not upstream else f"{upstream['cost']:g}",
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.flood", description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path, help="folder of the shared hydrology data")
    parser.add_argument("--chains", type=int, default=4, help="invented chains, seeds 1 to N")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    cases = []
    for case in itertools.chain(shared_rivers(given.shared), chains(range(1, given.chains + 1))):
        cases.append(case)
        document = {"name": "flood", "commit": commit_id(), "machine": machine(), "cases": cases}
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        if given.output is not None:  # after each river: a long run that is cut short leaves what it has
            write_atomically(given.output, text)
        if given.markdown is not None:
            write_atomically(given.markdown, markdown(document))
        if not given.json:
            print(f"{case['river']}: {case['seconds']} s", flush=True)
    if given.json:
        print(text, end="")


if __name__ == "__main__":
    main()
