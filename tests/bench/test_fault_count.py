"""The fault campaign's counter finds what is wrong: each fault is made by hand and must be counted."""

import hashlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench.common import ROOT
from bench.faults import count as counter
from bench.faults.count import Evidence, count, gather
from bench.faults.journal import ACCEPTED, FOUND, ISSUED, Journal, journal_file, last_issued, read_journal
from bench.faults.places import REGION, Places, Series
from serayu.models.stores.hot_schema import migrate

STATION, SLUG = "pos-01", "stage"
GARBLED = b"]{not json"
NUMBERS = range(1, 11)
SWAP = 6  # the second card begins with this number
CLEAN = {
    "published": 10,
    "stored": 10,
    "rejected": 0,
    "rejected_unexpected": 0,
    "lost": 0,
    "duplicates": 0,
    "out_of_order": 0,
    "unknown": 0,
    "misdated_by_clock": 0,
    "misdated_by_delay": 0,
    "dead_letters": 1,
    "dead_letters_unexplained": 0,
    "garbled": 2,
    "corrupted": 1,
    "corrupted_missing": 0,
    "influx_missing": None,
}


class Story:
    """The folder of a campaign in which all went well, and a connection to its hot store for spoiling it."""

    def __init__(self, folder: Path) -> None:
        self.places = Places(folder / "campaign")
        self.places.make()
        self.store = sqlite3.connect(self.places.hot_store, isolation_level=None)
        migrate(self.store)
        self.store.execute("INSERT INTO series VALUES (1, ?, ?, ?)", (REGION, STATION, SLUG))
        journal = Journal(journal_file(self.places.journals, station=STATION, slug=SLUG))
        for number in NUMBERS:
            journal.note(ISSUED, number, at_us=number * 1000)
            journal.note(ACCEPTED, number)
        journal.note(
            ISSUED, 11, at_us=11_000
        )  # handed over to an agent that was killed: nobody promised anything
        journal.close()
        for place, oid in enumerate(("first", "second")):
            self.store.execute("INSERT INTO outbox VALUES (?, ?, ?, ?)", (place + 1, REGION, STATION, oid))
            self._card(place, oid)
        for number in NUMBERS:
            self.put(number)
        self.store.execute(_LETTER, (b"d1", GARBLED, "bad_json"))
        digest = hashlib.sha256(GARBLED).hexdigest()
        self.places.proxy_log.write_text(
            f"g {digest} brackets t\nc {digest}\ng {'0' * 64} cut t\n", encoding="ascii"
        )

    def put(
        self, number: float, *, oid: int | None = None, seq: int | None = None, t: int | None = None
    ) -> None:
        """Store a number where it belongs, or elsewhere."""
        own_oid, own_seq = (1, number) if number < SWAP else (2, number - SWAP + 1)
        values = (
            number * 1000 if t is None else t,
            number,
            own_oid if oid is None else oid,
            own_seq if seq is None else seq,
        )
        self.store.execute(
            "INSERT INTO observation (series, t, value, flag, tests, outbox, seq, received, late)"
            " VALUES (1, ?, ?, 1, 0, ?, ?, 0, 0)",
            values,
        )

    def without_indices(self) -> None:
        """Take away what keeps a store from holding a reading twice."""
        self.store.execute("DROP INDEX observation_identity")
        self.store.execute("DROP INDEX observation_time")

    def letter_of(self, number: float, reason: str) -> None:
        """Keep a reading as a dead letter."""
        pack = json.dumps([{"n": f"{REGION}/{STATION}/{SLUG}", "v": number}]).encode()
        self.store.execute(_LETTER, (str(number).encode(), pack, reason))

    def counted(self) -> dict[str, Any]:
        return count(gather(self.places, influx=None, database=""))

    def _card(self, place: int, oid: str) -> None:
        folder = self.places.card(STATION, place)
        folder.mkdir(parents=True)
        with closing(sqlite3.connect(folder / "outbox.db")) as card:
            card.execute("CREATE TABLE meta (key TEXT, value TEXT)")
            card.execute("CREATE TABLE rejected (seq INTEGER, property TEXT, value REAL, reason TEXT)")
            card.execute("INSERT INTO meta VALUES ('oid', ?)", (oid,))
            card.commit()


_LETTER = (
    "INSERT INTO dead_letter (digest, topic, payload, reason, detail, first_received, last_received, count)"
    " VALUES (?, 't', ?, ?, '', 0, 0, 1)"
)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = Story(tmp_path)
    with closing(made.store):
        yield made


def assert_counted(story: Story, **different: int) -> dict[str, Any]:
    counted = story.counted()
    assert {name: counted[name] for name in CLEAN} == {**CLEAN, **different}
    return counted


def test_a_campaign_in_which_all_went_well_counts_nothing_wrong(story: Story) -> None:
    assert assert_counted(story)["examples"] == {}


def test_a_missing_row_is_lost(story: Story) -> None:
    story.store.execute("DELETE FROM observation WHERE value = 4")
    counted = assert_counted(story, stored=9, lost=1)
    assert counted["examples"] == {"lost": ["pos-01/stage 4"]}


def test_a_number_that_only_the_outbox_file_told_of_is_published_too(story: Story) -> None:
    journal = Journal(journal_file(story.places.journals, station=STATION, slug=SLUG))
    journal.note(FOUND, 11)
    journal.close()
    assert_counted(story, published=11, lost=1)


def test_a_number_issued_and_stored_is_published_though_nobody_logged_its_acceptance(story: Story) -> None:
    story.put(11)
    assert_counted(story, published=11, stored=11)


def test_a_number_stored_twice_is_a_duplicate(story: Story) -> None:
    story.put(4, oid=1, seq=77, t=4001)
    counted = assert_counted(story, duplicates=1)
    assert counted["examples"] == {"duplicates": ["pos-01/stage 4"]}


def test_an_identity_stored_twice_is_a_duplicate(story: Story) -> None:
    story.without_indices()
    story.put(4)
    assert_counted(story, duplicates=2)  # the number, and the identity


def test_swapped_readings_are_out_of_order(story: Story) -> None:
    story.store.executescript(
        "UPDATE observation SET seq = 99 WHERE value = 2; UPDATE observation SET seq = 2 WHERE value = 3;"
        "UPDATE observation SET seq = 3 WHERE value = 2;"
    )
    counted = assert_counted(story, out_of_order=2)
    assert counted["examples"]["out_of_order"][0] == "pos-01/stage: 3 stands where 2 belongs"


def test_a_reading_under_the_wrong_card_is_out_of_order(story: Story) -> None:
    story.store.execute("UPDATE observation SET outbox = 1, seq = 0 WHERE value = 10")
    assert_counted(story, out_of_order=10)


def test_a_damaged_message_that_was_acknowledged_and_not_kept_is_missing(story: Story) -> None:
    story.store.execute("DELETE FROM dead_letter")
    assert_counted(story, dead_letters=0, corrupted_missing=1)


def test_a_dead_letter_that_nobody_damaged_is_unexplained(story: Story) -> None:
    story.store.execute(_LETTER, (b"d2", b"[{", "bad_json"))
    assert_counted(story, dead_letters=2, dead_letters_unexplained=1)


@pytest.mark.parametrize(
    ("off_s", "by_delay", "by_clock"), [(2, 0, 0), (-3, 1, 0), (1799, 1, 0), (1800, 0, 1), (-10_000, 0, 1)]
)
def test_a_time_far_from_that_of_issue_is_misdated(
    story: Story, off_s: int, by_delay: int, by_clock: int
) -> None:
    story.store.execute("UPDATE observation SET t = t + ? WHERE value = 4", (off_s * 1_000_000,))
    assert_counted(story, misdated_by_delay=by_delay, misdated_by_clock=by_clock)


def test_a_value_that_nobody_issued_is_unknown(story: Story) -> None:
    story.put(4000)
    assert_counted(story, unknown=1)


@pytest.mark.parametrize(("reason", "unexpected"), [("far_future", 0), ("time_conflict", 1)])
def test_a_refused_reading_is_rejected_and_a_refusal_that_no_clock_explains_is_told(
    story: Story, reason: str, unexpected: int
) -> None:
    story.store.execute("DELETE FROM observation WHERE value = 4")
    story.letter_of(4.0, reason)
    counted = assert_counted(story, stored=9, rejected=1, rejected_unexpected=unexpected, dead_letters=2)
    assert counted["rejected_reasons"] == {reason: 1}


def test_what_a_card_lists_as_refused_counts_as_rejected(story: Story) -> None:
    story.store.execute("DELETE FROM observation WHERE value = 4")
    with closing(sqlite3.connect(story.places.card(STATION, 0) / "outbox.db")) as card:
        card.execute("INSERT INTO rejected VALUES (4, ?, 4.0, 'far_future: 2027')", (SLUG,))
        card.commit()
    assert_counted(story, stored=9, rejected=1)


def test_what_influx_lacks_is_counted(story: Story) -> None:
    evidence = gather(story.places, influx=None, database="")
    points = frozenset((STATION, SLUG, number * 1000, float(number)) for number in NUMBERS if number != 7)
    assert count(evidence._replace(long_store=points))["influx_missing"] == 1


def test_a_line_that_a_power_cut_tore_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("i 1 10\na 1 11\ni 2 20\na", encoding="ascii")
    assert read_journal(tmp_path / "log") == ({1: 10, 2: 20}, {1})
    assert last_issued(tmp_path / "log") == 2


def test_the_counter_runs_by_itself(story: Story) -> None:
    argv = [sys.executable, "-m", "bench.faults.count", "--work", str(story.places.work)]
    finished = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True)
    counted = json.loads(finished.stdout)
    assert {name: counted[name] for name in CLEAN} == CLEAN


def test_the_counter_imports_nothing_of_the_chain() -> None:
    argv = [sys.executable, "-c", f"import sys, {counter.__name__}; print(*sys.modules)"]
    loaded = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert [name for name in loaded if name.partition(".")[0] == "serayu"] == []


def evidence_of(series: Sequence[Series]) -> Evidence:
    journals = {each: read_journal(Path("does-not-exist")) for each in series}
    return Evidence(journals, [], [], {}, {}, frozenset(), frozenset(), None)


def test_nothing_played_is_nothing_counted() -> None:
    counted = count(evidence_of([Series(STATION, SLUG)]))
    assert {name for name in CLEAN if counted[name]} == set()
