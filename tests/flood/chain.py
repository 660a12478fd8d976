"""Invented river chains: three posts in line, tropical rain, in the tidy format of the shared hydrology data.

``python -m tests.flood.chain OUT --seed N --kind rain|plain`` writes ``stations.csv``, ``series.csv.gz``,
``up.toml`` and ``truth.csv.gz`` (the undamaged levels; no program is given those). Every number here is invented;
the physics is that of the textbook (soil store, linear reservoirs, lag and route, power-law rating), so that an
upstream post helps without explaining everything and rain helps without telling all.
"""

import argparse
import csv
import gzip
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

START = datetime(2021, 1, 1, tzinfo=UTC)
POSTS = ("CH-HULU", "CH-TENGAH", "CH-HILIR")
GAUGES = tuple(f"CH-R{number}" for number in range(1, 6))
HOURS_PER_YEAR = 8766
# What a gauge sees of the rain on each sub-basin (rows: gauges; columns: upper, middle, lower).
GAUGE_WEIGHTS = np.array([[0.8, 0.2, 0], [0.6, 0.4, 0], [0.2, 0.7, 0.1], [0, 0.4, 0.6], [0, 0.1, 0.9]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One invented river.

    Parameters
    ----------
    time_us
        Hours, microseconds UTC, shape (n,).
    truth
        Undamaged level of each post, m, shape (3, n), upstream first.
    rain
        Undamaged rain of each gauge, mm in the hour before, shape (5, n).
    travel_h
        Hours from post to post, shape (2,).
    thresholds
        (alert, alarm, critical) of each post, m.
    resolution_m
        Step to which levels are read.
    """

    time_us: npt.NDArray[np.int64]
    truth: FloatArray
    rain: FloatArray
    travel_h: tuple[int, int]
    thresholds: tuple[tuple[float, float, float], ...]
    resolution_m: float


def _basin_rain(rng: np.random.Generator, hours: int) -> FloatArray:
    """Rain on the three sub-basins, mm/h: afternoon cells in the wet season, some long regional rains."""
    rain = np.zeros((3, hours))
    days = hours // 24
    wetness = 0.5 + 0.5 * np.cos(2 * np.pi * (np.arange(days) - 20) / 365.25)  # wettest in late January
    spell = 0.0
    for day in range(days):
        spell = 0.7 * spell + rng.normal(0, 0.25)
        chance = np.clip(0.08 + 0.62 * wetness[day] + 0.3 * spell, 0.02, 0.95)
        shared = rng.random() < 0.35
        common = rng.gamma(0.9, 14.0) * (0.5 + wetness[day])
        start = day * 24 + int(rng.integers(6, 13))  # 13 to 19 h of western Indonesia
        for basin in range(3):
            if rng.random() > chance:
                continue
            depth = (common if shared else rng.gamma(0.8, 14.0) * (0.5 + wetness[day])) * rng.lognormal(
                0, 0.3
            )
            _pour(rain[basin], start + int(rng.integers(0, 3)), depth, int(rng.integers(1, 6)), rng)
        if rng.random() < 0.012 * wetness[day]:  # a regional rain of one or two days
            for basin in range(3):
                _pour(rain[basin], day * 24, rng.gamma(4.0, 28.0), int(rng.integers(12, 40)), rng)
    return rain


def _pour(rain: FloatArray, start: int, depth_mm: float, hours: int, rng: np.random.Generator) -> None:
    share = rng.dirichlet(np.full(hours, 1.2))
    end = min(start + hours, len(rain))
    rain[start:end] += (depth_mm * share)[: end - start]


def _runoff(rain: FloatArray, *, capacity_mm: float, fast_h: float, slow_h: float) -> FloatArray:
    """Runoff of one sub-basin, mm/h: a soil store decides the share, two stores in line and a slow one route it."""
    soil, first, second, slow = 0.5 * capacity_mm, 0.0, 0.0, 0.02 * slow_h
    out = np.empty_like(rain)
    for hour, depth in enumerate(rain):
        share = min(1.0, (soil / capacity_mm) ** 2.2)
        quick = depth * share
        soil += depth - quick
        evaporated = 0.16 * soil / capacity_mm
        drained = soil * 0.0011
        soil = max(soil - evaporated - drained, 1.0)
        first += quick - first / fast_h
        second += first / fast_h - second / fast_h
        slow += drained - slow / slow_h
        out[hour] = second / fast_h + slow / slow_h
    return out


def _routed(flow: FloatArray, *, travel_h: int, store_h: float) -> FloatArray:
    """Flow after a reach: a pure lag and one linear reservoir, together about *travel_h*."""
    lag = max(0, round(travel_h - store_h))
    moved = np.concatenate([np.full(lag, flow[0]), flow[: len(flow) - lag]])
    out = np.empty_like(moved)
    state = moved[0]
    for hour, value in enumerate(moved):
        state += (value - state) / store_h
        out[hour] = state
    return out


def _events_per_record(level: FloatArray, limit: float) -> int:
    """Exceedances with at least 6 h below before each."""
    above = np.flatnonzero(level > limit)
    return 0 if len(above) == 0 else 1 + int((np.diff(above) > 6).sum())


def _limit(level: FloatArray, events: float, resolution_m: float) -> float:
    """Return the highest level, rounded to 5 cm, that is exceeded *events* times or more."""
    for limit in np.arange(np.floor(level.max() * 20) / 20, level.min(), -0.05):
        if _events_per_record(level, float(limit)) >= events:
            return round(float(limit), 2)
    return round(float(level.max()) - resolution_m, 2)


def make_chain(seed: int, *, years: float = 3.0, resolution_m: float | None = None) -> Chain:
    """Make an invented river from a seed.

    Parameters
    ----------
    seed
        Same seed, same river.
    years
        Length of the record.
    resolution_m
        0.01 or 0.1; ``None`` leaves it to the seed.
    """
    rng = np.random.default_rng(seed)
    hours = int(years * HOURS_PER_YEAR)
    travel = (int(rng.integers(3, 7)), int(rng.integers(3, 7)))
    resolution = resolution_m or float(rng.choice([0.01, 0.01, 0.1]))
    basin = _basin_rain(rng, hours)
    areas = np.array([rng.uniform(150, 350), rng.uniform(100, 300), rng.uniform(80, 300)])
    fast = rng.uniform(1.5, 3.5, 3)
    local = [
        _runoff(basin[k], capacity_mm=rng.uniform(140, 260), fast_h=fast[k], slow_h=rng.uniform(200, 500))
        * areas[k]
        / 3.6
        for k in range(3)
    ]
    upper = local[0]
    middle = _routed(upper, travel_h=travel[0], store_h=rng.uniform(1.2, 2.5)) + local[1]
    lower = _routed(middle, travel_h=travel[1], store_h=rng.uniform(1.5, 3.0)) + local[2]
    flows = np.stack([upper, middle, lower])
    scale = np.array([rng.uniform(12, 30), rng.uniform(18, 40), rng.uniform(25, 60)])[:, np.newaxis]
    truth = 0.4 + (flows / scale) ** (1 / rng.uniform(1.6, 2.1)) + _gauge_noise(rng, flows.shape)
    thresholds = tuple(
        (
            _limit(row, 9 * years, resolution),
            _limit(row, 4 * years, resolution),
            _limit(row, 1.2 * years, resolution),
        )
        for row in truth
    )
    gauges = (GAUGE_WEIGHTS @ basin) * rng.lognormal(-0.1, 0.45, (5, hours))
    start_us = int(START.timestamp()) * 1_000_000
    return Chain(
        time_us=start_us + np.arange(hours, dtype=np.int64) * 3_600_000_000,
        truth=truth,
        rain=np.round(gauges / 0.2) * 0.2,
        travel_h=travel,
        thresholds=thresholds,
        resolution_m=resolution,
    )


def _gauge_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Slow drift of the bed (a few cm) and waves at the staff."""
    drift = np.cumsum(rng.normal(0, 0.0005, shape), axis=1)
    return 0.06 * np.tanh(drift / 0.06) + rng.normal(0, 0.006, shape)


@dataclass(slots=True)
class Damaged:
    """Readings as an observer wrote them: rows that may be repeated, missing, wrong."""

    time_us: npt.NDArray[np.int64]
    value: FloatArray
    wrong: npt.NDArray[np.bool_]


def damage_level(
    level: FloatArray,
    time_us: npt.NDArray[np.int64],
    *,
    rng: np.random.Generator,
    resolution_m: float,
    rate: float,
) -> Damaged:
    """Read, type and lose a level series.

    Parameters
    ----------
    level
        Undamaged, m, shape (n,).
    rate
        About the share of rows with a typed error; gaps, a stuck week and spikes come in proportion.
    """
    value = np.round(level / resolution_m) * resolution_m
    value = np.round(value, 2)
    wrong = np.zeros(len(value), bool)
    for row in np.flatnonzero(rng.random(len(value)) < rate):
        typed = _mistyped(value[row], rng)
        wrong[row] = abs(typed - value[row]) > 2 * resolution_m
        value[row] = typed
    for _ in range(round(rate * 400)):  # an observer who writes the last level for 5 to 30 h
        start, length = int(rng.integers(1, len(value) - 40)), int(rng.integers(5, 30))
        wrong[start : start + length] |= (
            np.abs(value[start : start + length] - value[start]) > 3 * resolution_m
        )
        value[start : start + length] = value[start]
    keep = np.ones(len(value), bool)
    keep[rng.random(len(value)) < 2 * rate] = False
    for _ in range(round(rate * 800)):  # telemetry away for hours to days
        start = int(rng.integers(0, len(value) - 80))
        keep[start : start + int(rng.geometric(1 / 14))] = False
    rows = np.flatnonzero(keep)
    again = rows[rng.random(len(rows)) < rate]  # an hour entered twice, the second time perhaps another value
    rows = np.sort(np.concatenate([rows, again]), kind="stable")
    return Damaged(time_us[rows], value[rows], wrong[rows])


def _mistyped(value: float, rng: np.random.Generator) -> float:
    """Return a level as somebody in haste types it."""
    match int(rng.integers(0, 5)):
        case 0:
            return round(value * 10, 2)
        case 1:
            return round(value / 10, 3)
        case 2:
            return round(value * 100, 0)
        case 3:
            digits = f"{value:.2f}".replace(".", "")
            at = int(rng.integers(0, len(digits) - 1))
            swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
            return int(swapped) / 100
        case _:
            return round(value + float(rng.choice([-1, 1, 1, 2])), 2)  # one wrong digit


def shift_datum(level: FloatArray, *, at: int, by_m: float) -> FloatArray:
    """Return the levels with the staff moved by *by_m* from row *at* on."""
    moved = level.copy()
    moved[at:] += by_m
    return moved


def write_chain(
    out: Path,
    *,
    seed: int,
    kind: str = "plain",
    years: float = 3.0,
    rate: float = 0.003,
    datum_shift: bool = False,
) -> Chain:
    """Write one chain in the tidy format.

    Parameters
    ----------
    out
        Folder, made where absent.
    kind
        ``rain`` adds five gauges; ``plain`` has levels alone.
    rate
        Share of typed errors, 0 for a clean record.
    datum_shift
        Whether the middle post's staff is set 0.35 m higher half-way.
    """
    chain = make_chain(seed, years=years)
    rng = np.random.default_rng(seed + 1_000_003)
    out.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[str, int, str, str]] = []
    for post, truth in zip(POSTS, chain.truth, strict=True):
        level = (
            shift_datum(truth, at=len(truth) // 2, by_m=0.35) if datum_shift and post == POSTS[1] else truth
        )
        read = damage_level(level, chain.time_us, rng=rng, resolution_m=chain.resolution_m, rate=rate)
        rows += _rows(post, read.time_us, read.value, "m")
    if kind == "rain":
        for gauge, depth in zip(GAUGES, chain.rain, strict=True):
            wrong = depth.copy()
            for row in np.flatnonzero(rng.random(len(wrong)) < rate / 3):
                wrong[row] = wrong[row] * 10 if wrong[row] else float(rng.choice([250.0, 999.0]))
            keep = rng.random(len(wrong)) > 2 * rate
            rows += _rows(gauge, chain.time_us[keep], wrong[keep], "mm")
    _write_series(out / "series.csv.gz", rows)
    _write_truth(out / "truth.csv.gz", chain)
    _write_stations(out / "stations.csv", chain, kind)
    _write_links(out / "up.toml", chain, kind)
    return chain


def _rows(
    station: str, time_us: Iterable[np.int64], values: Iterable[np.float64], unit: str
) -> list[tuple[str, int, str, str]]:
    return [
        (station, int(when), f"{value:.4g}" if unit == "m" else f"{value:.1f}", unit)
        for when, value in zip(time_us, values, strict=True)
    ]


def _stamp(time_us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_series(file: Path, rows: list[tuple[str, int, str, str]]) -> None:
    with gzip.open(file, "wt", newline="", encoding="utf-8", compresslevel=3) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["station_id", "time_utc", "value", "unit", "flag"])
        writer.writerows((station, _stamp(when), value, unit, "ok") for station, when, value, unit in rows)


def _write_truth(file: Path, chain: Chain) -> None:
    with gzip.open(file, "wt", newline="", encoding="utf-8", compresslevel=3) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["time_utc", *POSTS])
        for when, row in zip(chain.time_us, chain.truth.T, strict=True):
            writer.writerow([_stamp(int(when)), *(f"{value:.3f}" for value in row)])


def _write_stations(file: Path, chain: Chain, kind: str) -> None:
    header = "station_id,dataset,name,river,variable,unit,lat,lon,source_tz,step"
    header += ",alert,alarm,critical,source,licence,note"
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split(","))
    for post, limits in zip(POSTS, chain.thresholds, strict=True):
        writer.writerow(
            [
                post,
                "chain",
                post,
                "Kali Rekaan",
                "stage",
                "m",
                "",
                "",
                "UTC",
                "1h",
                *limits,
                "invented",
                "CC0",
                "",
            ]
        )
    for gauge in GAUGES if kind == "rain" else ():
        writer.writerow(
            [gauge, "chain", gauge, "-", "rain", "mm", "", "", "UTC", "1h", "", "", "", "invented", "CC0", ""]
        )
    file.write_text(text.getvalue(), encoding="utf-8")


def _write_links(file: Path, chain: Chain, kind: str) -> None:
    first, second = chain.travel_h
    above = {POSTS[1]: {POSTS[0]: first}, POSTS[2]: {POSTS[1]: second, POSTS[0]: first + second}}
    gauges = {POSTS[0]: GAUGES[:2], POSTS[1]: GAUGES[:3], POSTS[2]: GAUGES}
    lines = []
    for post in POSTS:
        lines.append(f'[stations."{post}"]')
        lines.append("upstream = [" + ", ".join(f'"{each}"' for each in above.get(post, {})) + "]")
        if kind == "rain":
            lines.append("rain = [" + ", ".join(f'"{each}"' for each in gauges[post]) + "]")
        travel = ", ".join(f'"{each}" = {hours}' for each, hours in above.get(post, {}).items())
        lines += ["travel_time_h = {" + travel + "}", ""]
    file.write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.flood.chain", description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=["rain", "plain"], default="plain")
    parser.add_argument("--years", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=0.003, help="share of typed errors")
    parser.add_argument("--datum-shift", action="store_true")
    given = parser.parse_args()
    write_chain(
        given.out,
        seed=given.seed,
        kind=given.kind,
        years=given.years,
        rate=given.rate,
        datum_shift=given.datum_shift,
    )


if __name__ == "__main__":
    main()
