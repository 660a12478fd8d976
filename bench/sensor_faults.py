"""Broken sensors through quality control, sensor alarms and the Siaga machine: found in time, and no false floods?

``python -m bench.sensor_faults [--hydro FOLDER] [--json] [--output FILE]``. Replays the Sri Lankan posts of the shared
sets (``srilanka_ditwah``: hourly, with official limits, real telemetry errors) and invented posts every 10 minutes,
each with one injected fault after a third of its record. A false flood is a level raised while the fault lasts whose
limit the true level did not pass within 6 h; one that is unverified, or taken back within two readings, counts apart.
"""

import argparse
import csv
import json
import math
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bench.common import ROOT, commit_id, machine
from serayu.models.quality import DEFAULT_PROFILES, StreamingQc
from serayu.models.quality.creep import REGION_KM, REGION_POSTS, Witnesses, net_rise_m
from serayu.models.quality.fault_memory import FaultMemory
from serayu.models.quality.sensor_alarm import WINDOW_US, SensorFault, sensor_faults, steady_levels
from serayu.models.quality.sensor_caution import cautious, tell
from serayu.models.reading import Observation, SeriesKey
from serayu.models.siaga import ChangeKind, SiagaChange, SiagaMachine, SiagaSettings, Thresholds
from serayu.models.times import US_PER_HOUR, US_PER_MINUTE, parse_rfc3339

SEED = 20_251_123
NEAR_US = 6 * US_PER_HOUR
SILENT_INTERVALS = 3
KM_PER_DEGREE = 111.2
SETTINGS = SiagaSettings(min_duration_us=2 * US_PER_MINUTE)
"""As the region Banyumas has them: one value alone raises nothing."""
INVENTED_START_US = 1_764_000_000_000_000
Samples = list[tuple[int, float]]


class Post(NamedTuple):
    """A post with its true levels, its limits and the posts on the same river."""

    name: str
    family: str
    samples: Samples
    limits: Thresholds
    interval_us: int
    related: tuple[str, ...] = ()
    region: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What one fault at one post led to; hours, None where the fault was not found."""

    found_h: float | None
    doubted_h: float | None
    verified: int
    unverified: int
    taken_back: int


def stuck(samples: Samples, start_us: int, dice: random.Random) -> Samples:  # noqa: ARG001 -- one shape for all
    """The value of the start for ever."""
    held = next(level for t_us, level in samples if t_us >= start_us)
    return [(t_us, held if t_us >= start_us else level) for t_us, level in samples]


def spiking(samples: Samples, start_us: int, dice: random.Random) -> Samples:
    """One reading in six is 2 to 8 m too high or zero."""

    def broken(level: float) -> float:
        return 0.0 if dice.random() < 0.3 else level + dice.uniform(2, 8)

    return [
        (t_us, broken(level) if t_us >= start_us and dice.random() < 1 / 6 else level)
        for t_us, level in samples
    ]


def drifting(samples: Samples, start_us: int, dice: random.Random) -> Samples:  # noqa: ARG001 -- as above
    """2 cm more every hour."""
    return [(t_us, level + max(0, t_us - start_us) / US_PER_HOUR * 0.02) for t_us, level in samples]


def dead(samples: Samples, start_us: int, dice: random.Random) -> Samples:  # noqa: ARG001 -- as above
    """Nothing any more."""
    return [(t_us, level) for t_us, level in samples if t_us < start_us]


FAULTS: Mapping[SensorFault, Callable[[Samples, int, random.Random], Samples]] = {
    SensorFault.STUCK: stuck,
    SensorFault.SPIKING: spiking,
    SensorFault.DRIFTING: drifting,
    SensorFault.DEAD: dead,
}


def near(rows: Sequence[Mapping[str, str]], row: Mapping[str, str]) -> tuple[str, ...]:
    """Return the posts of other rivers nearby, as a region's would be found."""

    def km(other: Mapping[str, str]) -> float:
        lat, lon, other_lat, other_lon = (float(one[key]) for one in (row, other) for key in ("lat", "lon"))
        return KM_PER_DEGREE * math.hypot(lat - other_lat, (lon - other_lon) * math.cos(math.radians(lat)))

    others = sorted((km(other), other["station_id"]) for other in rows if basin(other) != basin(row))
    return tuple(name for away_km, name in others if away_km <= REGION_KM)[:REGION_POSTS]


def basin(row: Mapping[str, str]) -> str:
    """Return the river that a post's belongs to."""
    return row["river"].split("/")[-1].strip()


def srilanka(folder: Path) -> list[Post]:
    """Read the Sri Lankan posts; values marked as telemetry errors stay in, as they came."""
    with (folder / "stations.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["dataset"] == "srilanka_ditwah"]
    series: dict[str, dict[int, float]] = defaultdict(dict)
    with (folder / "srilanka_ditwah" / "stage.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            if row["value"]:
                series[row["station_id"]].setdefault(parse_rfc3339(row["time_utc"]), float(row["value"]))
    rivers: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        rivers[basin(row)].append(row["station_id"])
    return [
        Post(
            row["station_id"],
            "Sri Lanka, hourly",
            sorted(series[row["station_id"]].items()),
            Thresholds(
                float(row["alert"]),
                float(row["alarm"]),
                float(row["critical"]),
                source=row["source"],
                valid_from="",
                approved_by="Irrigation Department of Sri Lanka",
            ),
            US_PER_HOUR,
            tuple(name for name in rivers[basin(row)] if name != row["station_id"]),
            near(rows, row),
        )
        for row in rows
    ]  # fmt: skip


def invented(count: int = 12) -> list[Post]:
    """Make pairs of calm posts on one river, every 10 min for six days, with a small wave and sensor noise."""
    limits = Thresholds(3.0, 3.6, 4.2, source="invented", valid_from="", approved_by="nobody", invented=True)
    posts = []
    for number in range(count):
        dice = random.Random(SEED + number)  # noqa: S311 -- no secret
        step_us = 10 * US_PER_MINUTE
        base, phase = dice.uniform(1.5, 2.4), dice.uniform(0, 2 * math.pi)
        samples = []
        for row in range(6 * 144):
            wave = 0.03 * math.sin(2 * math.pi * row / 144 + phase)
            level = base + wave + dice.gauss(0, 0.004)
            samples.append((INVENTED_START_US + row * step_us, round(level, 3)))
        other = f"invented-{number ^ 1}"
        posts.append(Post(f"invented-{number}", "invented, 10 min, calm", samples, limits, step_us, (other,)))
    return posts


def qualified(post: Post, samples: Samples) -> Iterator[list[Observation]]:
    """Judge values as ingest does; yields what each value changes, the value before it (revised) and itself."""
    qc = StreamingQc(DEFAULT_PROFILES["stage"])
    key = SeriesKey("99.01", post.name.lower(), "stage")
    before: Observation | None = None
    for t_us, level in samples:
        result = qc.push(t_us, level)
        told = []
        if result.revised is not None and before is not None:
            told.append(msgspec.structs.replace(before, flag=result.revised[0], tests=result.revised[1]))
        before = Observation(key, t_us, level, result.flag, result.tests)
        yield [*told, before]


def replay(
    post: Post, samples: Samples, others: Mapping[str, Samples]
) -> tuple[list[tuple[int, set[SensorFault]]], list[SiagaChange]]:
    """Return the sensor alarms of each hour, and what the machine says."""
    machine = SiagaMachine(post.limits, SETTINGS)
    known: list[Observation] = []
    alarms: list[tuple[int, set[SensorFault]]] = []
    said: list[SiagaChange] = []
    stream = iter(qualified(post, samples))
    told = next(stream, None)
    first_us, end_us = post.samples[0][0] + US_PER_HOUR, post.samples[-1][0]
    memory = FaultMemory()
    faults: set[SensorFault] = set()
    for now_us in range(first_us, end_us + US_PER_HOUR, US_PER_HOUR):
        while told is not None and told[-1].t_us <= now_us:
            if len(told) > 1:
                known[-1] = told[0]
            known.append(told[-1])
            said += [change for one in told for change in tell(machine, one, faults)]
            told = next(stream, None)
        seen = sensor_faults(
            [one for one in known if now_us - WINDOW_US < one.t_us <= now_us],
            now_us=now_us,
            stale_after_us=SILENT_INTERVALS * post.interval_us,
            witnesses=partial(witnesses, post, others, now_us),
        )
        faults = memory.keep(seen, now_us=now_us)
        machine.settings = cautious(SETTINGS, faults, interval_us=post.interval_us)
        alarms.append((now_us, faults))
    return alarms, said


def witnesses(post: Post, others: Mapping[str, Samples], now_us: int, since_us: int) -> Witnesses:
    """Return how the other posts rose."""

    def rises(names: Sequence[str]) -> tuple[float, ...]:
        spoken = ([level for t_us, level in others[name] if since_us < t_us <= now_us] for name in names)
        return tuple(net_rise_m(levels) for levels in spoken if len(levels) > 1)

    return Witnesses(rises(post.related), rises(post.region))


def steady(posts: Mapping[str, Post]) -> dict[str, Samples]:
    """Return what each post says as a witness."""
    return {
        name: steady_levels([told[-1] for told in qualified(post, post.samples)])
        for name, post in posts.items()
    }


def false_floods(post: Post, said: Sequence[SiagaChange], start_us: int) -> tuple[int, int, int]:
    """Return false levels that were verified, unverified, and taken back within two readings."""
    verified = unverified = taken_back = 0
    for place, change in enumerate(said):
        if change.kind is not ChangeKind.RAISE or change.at_us < start_us:
            continue
        limit = post.limits.limit_m(change.after)
        if any(level > limit for t_us, level in post.samples if abs(t_us - change.at_us) <= NEAR_US):
            continue
        soon_us = change.at_us + 2.5 * post.interval_us
        if any(one.kind is ChangeKind.RETRACT and one.at_us <= soon_us for one in said[place + 1 :]):
            taken_back += 1
        elif change.verified:
            verified += 1
        else:
            unverified += 1
    return verified, unverified, taken_back


def judge(post: Post, fault: SensorFault, others: Mapping[str, Samples]) -> Outcome:
    """Inject a fault after a third of the record and see what comes of it."""
    start_us = post.samples[len(post.samples) // 3][0]
    broken = FAULTS[fault](post.samples, start_us, random.Random(f"{SEED}{post.name}"))  # noqa: S311 -- no secret
    alarms, said = replay(post, broken, others)

    def first_h(*wanted: SensorFault) -> float | None:
        times = (now_us for now_us, faults in alarms if now_us >= start_us and not faults.isdisjoint(wanted))
        now_us = next(times, None)
        return None if now_us is None else (now_us - start_us) / US_PER_HOUR

    doubted_h = first_h(fault, SensorFault.DOUBTFUL)
    return Outcome(first_h(fault), doubted_h, *false_floods(post, said, start_us))


def clean(posts: Mapping[str, Post], others: Mapping[str, Samples]) -> dict[str, Any]:
    """Return what the rules do to unbroken records: share of hours with each alarm, raises lost, moved, unverified."""
    hours = raises = missing = doubted = 0
    counts = dict.fromkeys(SensorFault, 0)
    for post in posts.values():
        alarms, said = replay(post, post.samples, others)
        hours += len(alarms)
        for fault in (fault for _, faults in alarms for fault in faults):
            counts[fault] += 1
        plain, now = raised(unheeded(post)), raised(said)
        raises += len(plain)
        missing += len(plain.keys() - now.keys())
        doubted += sum(verified and not now.get(name, True) for name, verified in plain.items())
    share = {fault.value: round(count / hours, 4) if hours else math.nan for fault, count in counts.items()}
    return {"share": share, "raises": raises, "lost_or_moved": missing, "told_unverified": doubted}


def unheeded(post: Post) -> list[SiagaChange]:
    """Return what the machine says of an unbroken record without any sensor alarm."""
    machine = SiagaMachine(post.limits, SETTINGS)
    return [change for told in qualified(post, post.samples) for one in told for change in tell(machine, one)]


def raised(said: Sequence[SiagaChange]) -> dict[tuple[int, str], bool]:
    """Return moment and level of each raise, and whether it was verified."""
    return {(one.at_us, one.after.value): one.verified for one in said if one.kind is ChangeKind.RAISE}


def table(posts: Mapping[str, Post]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return one row per family and fault, and what the rules do to each family's unbroken records."""
    rows, unbroken = [], {}
    for family in dict.fromkeys(post.family for post in posts.values()):
        mine = {name: post for name, post in posts.items() if post.family == family}
        others = steady(mine)
        unbroken[family] = clean(mine, others)
        for fault in FAULTS:
            outcomes = [judge(post, fault, others) for post in mine.values()]
            found = sorted(one.found_h for one in outcomes if one.found_h is not None)
            rows.append({
                "family": family,
                "fault": fault.value,
                "posts": len(outcomes),
                "found": len(found),
                "found_median_h": round(found[len(found) // 2], 1) if found else None,
                "found_last_h": round(found[-1], 1) if found else None,
                "doubted": sum(one.doubted_h is not None for one in outcomes),
                "false_floods_verified": sum(one.verified for one in outcomes),
                "false_floods_unverified": sum(one.unverified for one in outcomes),
                "false_floods_taken_back": sum(one.taken_back for one in outcomes),
                "alarm_share_of_hours_without_fault": unbroken[family]["share"][fault.value],
            })  # fmt: skip
    return rows, unbroken


INTRODUCTION = """\
# Broken sensors

`python -m bench.sensor_faults`: one injected fault per post and replay, through quality control, sensor alarms and the
Siaga machine. A false flood is a level raised while the true level passed its limit at no time within 6 h. The last
column is the share of hours with that alarm where no fault was injected; the Sri Lankan records have real gaps, flat
stretches and telemetry errors in them.
"""
HEAD = (
    "| set | fault | posts | found | median h | last h | found or doubted | false floods | unverified | taken back"
    " | alarm without a fault |"
)
REMARK = """\
While the drift alarm is on, a post's values do not reach the Siaga machine; while it is doubtful (a slow straight rise
that nobody confirms or denies, or a drift within the last two days) a level is raised as unverified, never muted; while
a sensor spikes, a limit must be exceeded for three readings more. The first good value after a doubtful jump raises as
unverified: two false values in a row were the reason of the false floods of spiking sensors.

What remains: in the Sri Lankan records every river rises in the cyclone while the drift is injected, so posts near and
on the same river confirm the rise, and a drift of up to a metre makes a river that rises anyway pass its limit hours
too early, or a limit that it would have missed by less. No witness can tell that; the alarm comes when the rivers fall.
"""


def markdown(document: Mapping[str, Any]) -> str:
    """Return the document as a page."""
    rows = document["rows"]
    lines = [INTRODUCTION, HEAD, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for row in rows:
        cells = ["–" if value is None else str(value) for value in row.values()]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", REMARK]
    lines += [
        f"{family}, unbroken: {one['raises']} levels raised without any sensor alarm; with them"
        f" {one['lost_or_moved']} lost or raised at another moment, {one['told_unverified']} told as unverified;"
        f" doubtful in {one['share']['doubtful']:.1%} of all hours."
        for family, one in document["unbroken"].items()
    ]
    lines += ["", f"Commit {document['commit']}, {document['machine']}.", ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.sensor_faults", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--hydro", type=Path, default=ROOT.parent / "shared" / "data" / "hydro")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument(
        "--output", type=Path, help="write the JSON document to this file, and a page beside it"
    )
    options = parser.parse_args()
    posts = invented()
    if (options.hydro / "srilanka_ditwah").is_dir():
        posts += srilanka(options.hydro)
    rows, unbroken = table({post.name: post for post in posts})
    document = {
        "name": "sensor_faults",
        "commit": commit_id(),
        "machine": machine(),
        "seed": SEED,
        "rows": rows,
        "unbroken": unbroken,
    }
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")
        options.output.with_suffix(".md").write_text(markdown(document), encoding="utf-8")
    sys.stdout.write(text if options.json else markdown(document))


if __name__ == "__main__":
    main()
