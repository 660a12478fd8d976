"""Counts what became of every numbered reading: ``python -m bench.faults.count --work DIR [--influx URL]``.

A process of its own that trusts no counter of the programs under test. It reads the generator's log, the proxy's log,
the hot store's file (plain SQL), the tables of rejected readings on the cards, and InfluxDB by InfluxQL.
"""

import argparse
import hashlib
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from bench.faults.influx import stored_points
from bench.faults.journal import Journalled, read_journal
from bench.faults.places import Places, Series

EXAMPLES = 10
MISDATED_US = 2_000_000
BY_CLOCK_US = 30 * 60 * 1_000_000  # clocks jump by an hour at least
_REFUSAL_BY_CLOCK = frozenset({"far_future", "implausible_time"})  # what a clock that jumped brings about


class Row(NamedTuple):
    """One stored observation."""

    station: str
    slug: str
    t_us: int
    value: float | None
    oid: str
    seq: int


class Letter(NamedTuple):
    """One dead letter."""

    topic: str
    payload: bytes
    reason: str


class Evidence(NamedTuple):
    """All that is counted.

    ``cards`` holds the outbox identities of each station in the order of use, ``rejected`` the numbers that cards
    list as refused, ``damaged`` and ``acknowledged`` digests of the proxy's log, ``long_store`` what InfluxDB has
    (None without it).
    """

    journals: Mapping[Series, Journalled]
    rows: Sequence[Row]
    letters: Sequence[Letter]
    cards: Mapping[str, Sequence[str]]
    rejected: Mapping[Series, Mapping[int, str]]
    damaged: frozenset[str]
    acknowledged: frozenset[str]
    long_store: frozenset[tuple[str, str, int, float | None]] | None


def count(evidence: Evidence) -> dict[str, Any]:
    """Return the totals and a few examples of everything that is wrong.

    A stored reading is misdated when its time is more than two seconds from the true moment of its issue: by a clock
    that was wrong and believed (half an hour or more), or by a delay on the way where ingest assigned the time.
    """
    rows = _by_series(evidence.rows)
    refused = _refused(evidence)
    totals: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    for series in sorted(evidence.journals.keys() | rows.keys()):
        journal = evidence.journals.get(series, Journalled({}, set()))
        _count_series(
            series, journal, rows.get(series, []), refused.get(series, {}), evidence.cards, totals, examples
        )
    repeats = Counter((row.station, row.oid, row.seq) for row in evidence.rows)
    totals["duplicates"] += _extra(repeats.values())
    _count_letters(evidence, totals, examples)
    reasons = Counter(letter.reason for letter in evidence.letters)
    refusals = Counter(reason for numbers in refused.values() for reason in numbers.values())
    return {
        **{name: totals[name] for name in _TOTALS},
        "influx_missing": _influx_missing(evidence),
        "reasons": dict(sorted(reasons.items())),
        "rejected_reasons": dict(sorted(refusals.items())),
        "examples": {name: found[:EXAMPLES] for name, found in sorted(examples.items())},
    }


_TOTALS = (
    "published",
    "stored",
    "rejected",
    "rejected_unexpected",
    "lost",
    "duplicates",
    "out_of_order",
    "unknown",
    "misdated_by_clock",
    "misdated_by_delay",
    "dead_letters",
    "dead_letters_unexplained",
    "garbled",
    "corrupted",
    "corrupted_missing",
)


def _count_series(
    series: Series,
    journal: Journalled,
    rows: Sequence[Row],
    refused: Mapping[int, str],
    cards: Mapping[str, Sequence[str]],
    totals: Counter[str],
    examples: dict[str, list[str]],
) -> None:
    issued = set(journal.issued)
    numbers = [_number(row) for row in rows]
    stored = set(numbers) & issued
    published = (journal.accepted & issued) | stored
    lost = published - stored - refused.keys()
    unexpected = {n: why for n, why in refused.items() if why not in _REFUSAL_BY_CLOCK and n not in stored}
    unknown = [row for row, number in zip(rows, numbers, strict=True) if number not in issued]
    displaced = _displaced(series, journal, rows, cards)
    off_us = [abs(row.t_us - journal.issued[n]) for row, n in zip(rows, numbers, strict=True) if n in issued]
    totals.update(
        published=len(published),
        stored=len(stored),
        rejected=len(refused.keys() & published - stored),
        rejected_unexpected=len(unexpected),
        lost=len(lost),
        duplicates=_extra(Counter(numbers).values()),
        out_of_order=len(displaced),
        unknown=len(unknown),
        misdated_by_clock=sum(off >= BY_CLOCK_US for off in off_us),
        misdated_by_delay=sum(MISDATED_US < off < BY_CLOCK_US for off in off_us),
    )
    place = f"{series.station}/{series.slug}"
    _show(examples, "lost", (f"{place} {number}" for number in sorted(lost)))
    _show(examples, "rejected_unexpected", (f"{place} {n}: {why}" for n, why in sorted(unexpected.items())))
    _show(examples, "unknown", (f"{place} {row}" for row in unknown))
    _show(examples, "out_of_order", (f"{place}: {each}" for each in displaced))
    twice = sorted(n for n, times in Counter(numbers).items() if times > 1)
    _show(examples, "duplicates", (f"{place} {number}" for number in twice))


def _displaced(
    series: Series, journal: Journalled, rows: Sequence[Row], cards: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return the positions at which the stored rows, by card and seq, are not the generator's sequence."""
    order = {oid: place for place, oid in enumerate(cards.get(series.station, ()))}
    ordered = sorted(rows, key=lambda row: (order.get(row.oid, len(order)), row.seq))
    numbers = list(dict.fromkeys(_number(row) for row in ordered))
    present = set(numbers)
    expected = [number for number in journal.issued if number in present]
    found = [number for number in numbers if number in journal.issued]
    return [
        f"{number} stands where {right} belongs"
        for number, right in zip(found, expected, strict=True)
        if number != right
    ]


def _count_letters(evidence: Evidence, totals: Counter[str], examples: dict[str, list[str]]) -> None:
    digests = {hashlib.sha256(letter.payload).hexdigest() for letter in evidence.letters}
    missing = evidence.acknowledged - digests
    unexplained = [
        letter
        for letter in evidence.letters
        if _numbered(letter) is None and hashlib.sha256(letter.payload).hexdigest() not in evidence.damaged
    ]
    totals.update(
        dead_letters=len(evidence.letters),
        dead_letters_unexplained=len(unexplained),
        garbled=len(evidence.damaged),
        corrupted=len(evidence.acknowledged),
        corrupted_missing=len(missing),
    )
    _show(examples, "corrupted_missing", sorted(missing))
    _show(examples, "dead_letters_unexplained", (f"{each.reason} {each.topic}" for each in unexplained))


def _refused(evidence: Evidence) -> dict[Series, dict[int, str]]:
    """Return the numbers refused with their reason: as the cards list them, and as dead letters do."""
    refused: dict[Series, dict[int, str]] = {}
    for series, numbers in evidence.rejected.items():
        refused.setdefault(series, {}).update(numbers)
    for letter in evidence.letters:
        found = _numbered(letter)
        if found is not None:
            refused.setdefault(found[0], {}).setdefault(found[1], letter.reason)
    return refused


def _numbered(letter: Letter) -> tuple[Series, int] | None:
    """Return which reading a dead letter is, None for a message that cannot be decoded."""
    try:
        record = json.loads(letter.payload)[0]
        _, station, slug = str(record["n"]).split("/")
        return Series(station, slug), round(float(record["v"]))
    except (ValueError, LookupError, TypeError):
        return None


def _influx_missing(evidence: Evidence) -> int | None:
    if evidence.long_store is None:
        return None
    stored = {(row.station, row.slug, row.t_us, row.value) for row in evidence.rows}
    return len(stored - evidence.long_store)


def _by_series(rows: Iterable[Row]) -> dict[Series, list[Row]]:
    found: dict[Series, list[Row]] = {}
    for row in rows:
        found.setdefault(Series(row.station, row.slug), []).append(row)
    return found


def _number(row: Row) -> int:
    return -1 if row.value is None else round(row.value)


def _extra(times: Iterable[int]) -> int:
    return sum(each - 1 for each in times)


def _show(examples: dict[str, list[str]], name: str, found: Iterable[str]) -> None:
    lines = list(found)
    if lines:
        examples.setdefault(name, []).extend(lines)


# -- gathering ---------------------------------------------------------------------------------------------------


def gather(places: Places, *, influx: str | None, database: str) -> Evidence:
    """Read everything below a campaign's folder, and InfluxDB where it ran."""
    with closing(_open(places.hot_store)) as store:
        rows = [Row(*row) for row in store.execute(_ROWS)]
        letters = [Letter(*row) for row in store.execute("SELECT topic, payload, reason FROM dead_letter")]
    journals = {
        Series(*path.name.removesuffix(".log").split(".")): read_journal(path)
        for path in sorted(places.journals.glob("*.log"))
    }
    cards: dict[str, list[str]] = {}
    rejected: dict[Series, dict[int, str]] = {}
    for station in sorted({series.station for series in journals}):
        for card in places.cards(station):
            _gather_card(station, card / "outbox.db", cards, rejected)
    damaged, acknowledged = _proxy_log(places.proxy_log)
    return Evidence(
        journals,
        rows,
        letters,
        cards,
        rejected,
        damaged,
        acknowledged,
        None if influx is None else frozenset(stored_points(influx, database, sorted(journals))),
    )


_ROWS = """
    SELECT s.station, s.property, o.t, o.value, coalesce(b.oid, ''), coalesce(o.seq, 0)
    FROM observation o JOIN series s ON s.id = o.series LEFT JOIN outbox b ON b.id = o.outbox
"""


def _gather_card(
    station: str, file: Path, cards: dict[str, list[str]], rejected: dict[Series, dict[int, str]]
) -> None:
    if not file.exists():
        return
    with closing(_open(file)) as card:
        oid = card.execute("SELECT value FROM meta WHERE key = 'oid'").fetchone()
        if oid is not None:
            cards.setdefault(station, []).append(oid[0])
        for slug, value, reason in card.execute("SELECT property, value, reason FROM rejected"):
            numbers = rejected.setdefault(Series(station, slug), {})
            numbers[round(value)] = str(reason).partition(":")[0]


def _proxy_log(file: Path) -> tuple[frozenset[str], frozenset[str]]:
    found: dict[str, set[str]] = {"g": set(), "c": set()}
    for line in file.read_text("utf-8").splitlines() if file.exists() else ():
        what, digest, *_ = line.split(" ")
        found[what].add(digest)
    return frozenset(found["g"]), frozenset(found["c"])


def _open(file: Path) -> sqlite3.Connection:
    """Open a database for reading; what a killed program left in its write-ahead log is part of it."""
    database = sqlite3.connect(file, timeout=10)
    database.execute("PRAGMA query_only = ON")
    return database


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.faults.count")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--influx", help="address of InfluxDB")
    parser.add_argument("--database", default="serayu")
    given = parser.parse_args()
    evidence = gather(Places(given.work), influx=given.influx, database=given.database)
    json.dump(count(evidence), sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
