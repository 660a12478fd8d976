"""The outbox: nothing that it accepted is ever in no state, or in two."""

import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from typing_extensions import override

from serayu.edge.config import OutboxConfig
from serayu.edge.outbox import REJECTED_KEPT, Outbox, Stamped
from serayu.edge.outbox_schema import NewerFileError
from serayu.edge.progress import Progress, read_progress
from serayu.edge.status import _ROW_BYTES
from serayu.models.errors import StoreError, StoreUnavailableError
from serayu.models.times import US_PER_DAY, US_PER_S
from tests.edge.support import START_US

SECOND = US_PER_S


def sample(n: float, *, t_us: int | None = START_US, boot_us: int = 0, mark: int | None = None) -> Stamped:
    return Stamped("stage", n, "m", t_us, t_us, boot_us, "0-csv_replay", mark)


def samples(count: int) -> list[Stamped]:
    return [sample(float(n)) for n in range(count)]


def opened(folder: Path, *, config: OutboxConfig | None = None, boot_id: str = "boot-1") -> Outbox:
    return Outbox(folder / "outbox.db", config=config or OutboxConfig(), boot_id=boot_id)


def test_an_empty_outbox_has_nothing_to_say(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    assert outbox.append([]) == range(0)
    assert outbox.pending(limit=10) == []
    assert outbox.get([]) == []
    assert (outbox.confirm([]), outbox.reject({}), outbox.backlog, outbox.last_seq) == (0, 0, 0, 0)
    assert read_progress(tmp_path / "outbox.db") == Progress()


def test_numbers_run_on_after_the_outbox_was_empty_and_after_a_restart(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    assert outbox.append(samples(3)) == range(1, 4)
    assert outbox.confirm([1, 2, 3]) == 3
    assert outbox.append(samples(1)) == range(4, 5)
    outbox.confirm([4])
    oid = outbox.oid
    outbox.close()
    again = opened(tmp_path)
    assert again.oid == oid
    assert again.append(samples(2)) == range(5, 7)


def test_two_outboxes_have_different_identities(tmp_path: Path) -> None:
    assert opened(tmp_path / "a").oid != opened(tmp_path / "b").oid


def test_readings_come_back_in_order_and_from_where_one_asks(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.append(samples(5))
    assert [r.seq for r in outbox.pending(limit=2)] == [1, 2]
    assert [r.seq for r in outbox.pending(limit=9, after=3)] == [4, 5]
    assert [r.seq for r in outbox.get([5, 2, 77])] == [2, 5]
    assert [r.value for r in outbox.pending(limit=9)] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_the_mark_of_a_source_is_stored_with_its_reading(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.append([sample(1.0, mark=7), sample(2.0, mark=8)])
    outbox.close()
    assert opened(tmp_path).marks() == {"0-csv_replay": 8}


def test_rejected_readings_are_kept_with_their_reason_up_to_a_bound(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.append(samples(REJECTED_KEPT + 10))
    assert outbox.reject({1: "unknown_unit: furlong", 99_999: "never existed"}) == 1
    assert outbox.rejected() == [(1, "stage", 0.0, "unknown_unit: furlong")]
    outbox.reject(dict.fromkeys(range(2, REJECTED_KEPT + 10), "far_future: x"))
    kept = outbox.rejected(limit=10 * REJECTED_KEPT)
    assert (len(kept), kept[0][0]) == (REJECTED_KEPT, REJECTED_KEPT + 9)
    assert outbox.counters()["rejected"] == REJECTED_KEPT + 9
    assert [r.seq for r in outbox.pending(limit=9)] == [REJECTED_KEPT + 10]


def test_a_full_outbox_drops_its_oldest_readings_and_counts_them(tmp_path: Path) -> None:
    outbox = opened(tmp_path, config=OutboxConfig(max_bytes=65_536))
    for _ in range(40):
        outbox.append(samples(100))
    counters = outbox.counters()
    first = outbox.pending(limit=1)[0].seq
    assert outbox.used_bytes() <= 65_536
    assert counters["accepted"] == 4_000
    assert counters["dropped"] == first - 1 > 0
    assert outbox.backlog == 4_000 - counters["dropped"]


def deny_deletes(action: int, table: str | None, *_: str | None) -> int:
    return sqlite3.SQLITE_DENY if (action, table) == (sqlite3.SQLITE_DELETE, "outbox") else sqlite3.SQLITE_OK


def test_a_full_outbox_whose_oldest_cannot_be_dropped_accepts_once_and_makes_room_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = opened(tmp_path, config=OutboxConfig(max_bytes=65_536))
    outbox._db.set_authorizer(deny_deletes)  # a card that takes an INSERT and fails at the DELETE
    given = [seq for _ in range(20) for seq in outbox.append(samples(100))]
    assert given == list(range(1, 2_001))
    assert (outbox.backlog, outbox.used_bytes() > 65_536) == (2_000, True)
    assert caplog.text.count("cannot be dropped") == 1
    outbox._db.set_authorizer(None)
    assert outbox.append(samples(1)) == range(2_001, 2_002)
    assert outbox.used_bytes() <= 65_536
    assert outbox.counters()["dropped"] == 2_001 - outbox.backlog > 0


def test_a_full_outbox_that_refuses_new_readings_keeps_the_old_ones(tmp_path: Path) -> None:
    outbox = opened(tmp_path, config=OutboxConfig(max_bytes=65_536, policy="refuse_newest"))
    accepted = sum(len(outbox.append(samples(100))) for _ in range(40))
    counters = outbox.counters()
    assert counters["refused"] == 4_000 - accepted > 0
    assert (counters["accepted"], counters["dropped"]) == (accepted, 0)
    assert outbox.pending(limit=1)[0].seq == 1
    outbox.confirm(range(1, accepted + 1))
    assert len(outbox.append(samples(1))) == 1


def test_old_readings_are_dropped_by_the_time_that_the_device_ran(tmp_path: Path) -> None:
    outbox = opened(tmp_path, config=OutboxConfig(max_age_days=1))
    outbox.append([sample(1.0), sample(2.0, boot_us=SECOND), sample(3.0, t_us=None, boot_us=2 * SECOND)])
    assert outbox.drop_old(boot_us=US_PER_DAY) == 0
    assert outbox.drop_old(boot_us=US_PER_DAY + 1) == 1
    assert outbox.drop_old(boot_us=US_PER_DAY + SECOND + 1) == 1
    assert [r.seq for r in outbox.pending(limit=9)] == [3]
    assert outbox.counters()["dropped"] == 2


def test_no_wall_clock_makes_a_reading_old(tmp_path: Path) -> None:
    outbox = opened(tmp_path, config=OutboxConfig(max_age_days=1))
    outbox.append([sample(1.0, t_us=START_US - 4000 * US_PER_DAY), sample(2.0, t_us=START_US)])
    outbox.restamp(START_US + 4000 * US_PER_DAY)
    assert outbox.drop_old(boot_us=SECOND) == 0


def test_the_age_of_a_reading_goes_on_over_the_devices_starts(tmp_path: Path) -> None:
    day = OutboxConfig(max_age_days=1)
    opened(tmp_path, config=day, boot_id="boot-1").append([sample(n, boot_us=n * SECOND) for n in (0, 100)])
    opened(tmp_path, config=day, boot_id="boot-2").append([sample(5.0, boot_us=50 * SECOND)])
    outbox = opened(tmp_path, config=day, boot_id="boot-3")
    oldest_us = (
        100 * SECOND + 50 * SECOND
    )  # the first reading: the rest of its own start, and the second start
    assert outbox.drop_old(boot_us=US_PER_DAY - oldest_us) == 0
    assert outbox.drop_old(boot_us=US_PER_DAY - oldest_us + 1) == 1
    assert outbox.drop_old(boot_us=US_PER_DAY - 50 * SECOND + 1) == 1
    assert [r.seq for r in outbox.pending(limit=9)] == [3]
    assert outbox.drop_old(boot_us=US_PER_DAY + 1) == 1


def test_a_good_clock_gives_this_starts_readings_their_time_unless_they_went_out_without(
    tmp_path: Path,
) -> None:
    outbox = opened(tmp_path)
    outbox.append([sample(n, t_us=None, boot_us=n * SECOND) for n in (1, 2, 3)])
    outbox.mark_provisional([2])
    assert outbox.restamp(START_US) == 2
    assert [r.t_us for r in outbox.pending(limit=9)] == [START_US + SECOND, None, START_US + 3 * SECOND]
    assert outbox.restamp(START_US + 99) == 0  # a time once given is fixed


def test_readings_of_an_earlier_start_get_no_time_and_an_age_that_keeps_their_spacing(tmp_path: Path) -> None:
    outbox = opened(tmp_path, boot_id="boot-1")
    outbox.append([sample(n, t_us=None, boot_us=n * SECOND) for n in (10, 40)])
    outbox.close()
    opened(tmp_path, boot_id="boot-2").append([sample(5.0, t_us=None, boot_us=100 * SECOND)])
    outbox = opened(tmp_path, boot_id="boot-3")
    assert outbox.restamp(START_US) == 0
    ages = [outbox.age_us(r, boot_us=7 * SECOND) // SECOND for r in outbox.pending(limit=9)]
    assert ages == [7 + 100 + 30, 7 + 100, 7]


def test_a_spoiled_file_is_put_aside_and_a_new_outbox_begins(tmp_path: Path) -> None:
    first = opened(tmp_path)
    oid = first.oid
    first.append(samples(1))
    first.close()
    (tmp_path / "outbox.db").write_bytes(b"an SD card at the end of its days" * 500)
    again = opened(tmp_path)
    assert again.oid != oid
    assert again.append(samples(1)) == range(1, 2)
    assert len(list(tmp_path.glob("outbox-spoiled-*.db"))) == 1


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    opened(tmp_path).close()
    link = sqlite3.connect(tmp_path / "outbox.db")
    link.execute("PRAGMA user_version = 99")
    link.close()
    with pytest.raises(NewerFileError, match="version 99"):
        opened(tmp_path)
    assert list(tmp_path.glob("*spoiled*")) == []


def test_a_locked_file_is_reported_and_nothing_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serayu.edge.outbox_schema.BUSY_TIMEOUT_MS", 50)
    outbox = opened(tmp_path)
    other = sqlite3.connect(tmp_path / "outbox.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError):
        outbox.append(samples(1))
    other.execute("ROLLBACK")
    other.close()
    assert outbox.append(samples(1)) == range(1, 2)


def test_a_folder_that_cannot_be_written_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").mkdir()
    with pytest.raises(StoreError):
        opened(tmp_path)


def test_space_is_given_back(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.append(samples(20_000))
    full = outbox.used_bytes()
    outbox.confirm(range(1, 20_001))
    for _ in range(20):
        outbox.give_space_back()
    outbox.close()
    assert (tmp_path / "outbox.db").stat().st_size < full / 2


def test_a_reading_takes_the_bytes_that_the_capacity_is_reckoned_with(tmp_path: Path) -> None:
    outbox = opened(tmp_path)
    outbox.append(
        [
            Stamped("soil-temperature", 27.25, "Cel", START_US, START_US, START_US, "1-x")
            for _ in range(10_000)
        ]
    )
    assert 0.5 * _ROW_BYTES < outbox.used_bytes() / 10_000 < _ROW_BYTES


class Card:
    """What of an outbox has certainly reached the card: the files as they were after the last forced commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.starts = 0
        self.forced = False
        self.start()

    def start(self) -> None:
        self.starts += 1
        normal = OutboxConfig(synchronous="NORMAL")
        self.outbox = opened(self.state, config=normal, boot_id=f"boot-{self.starts}")
        self.outbox._db.set_trace_callback(self._note)

    def append(self, count: int) -> list[int]:
        self.forced = False
        given = list(self.outbox.append(samples(count)))
        if self.forced:
            shutil.rmtree(self.folder / "card", ignore_errors=True)
            shutil.copytree(self.state, self.folder / "card")
        return given

    def cut(self) -> None:
        self.outbox.close()
        shutil.rmtree(self.state)
        shutil.copytree(self.folder / "card", self.state)
        self.start()

    def _note(self, statement: str) -> None:
        self.forced = self.forced or statement == "PRAGMA synchronous=FULL"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.integers(1, 12), max_size=6), min_size=1, max_size=5))
def test_no_number_is_given_out_again_after_a_power_cut_that_takes_back_all_it_can(
    tmp_path_factory: pytest.TempPathFactory, starts: list[list[int]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serayu.edge.outbox._RESERVED", 20)
        card = Card(tmp_path_factory.mktemp("card"))
        given = card.append(1)
        for batches in starts:
            for count in batches:
                given += card.append(count)
            card.cut()
        given += card.append(1)
        card.outbox.close()
    assert len(set(given)) == len(given)
    assert given == sorted(given)


def test_few_commits_are_forced_to_the_card_where_the_settings_want_few(tmp_path: Path) -> None:
    card = Card(tmp_path)
    forced = 0
    for _ in range(50):
        card.append(100)
        forced += card.forced
    assert forced == 1


def test_numbers_skipped_by_a_new_start_are_not_counted_as_readings(tmp_path: Path) -> None:
    card = Card(tmp_path)
    card.append(3)
    card.outbox.confirm([1])
    assert card.outbox.append(samples(1)) == range(4, 5)
    card.outbox.close()
    card.start()
    (skipped,) = card.append(1)
    assert skipped > 100_000
    assert card.outbox.counters()["accepted"] == 5
    assert read_progress(card.outbox.path) == Progress(accepted=5, confirmed=1, pending=4)


class OutboxMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order: each accepted number is in exactly one state, and the file agrees."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.outbox = opened(Path(self.folder.name))
        self.pending: list[int] = []
        self.gone: dict[str, set[int]] = {"confirmed": set(), "rejected": set(), "dropped": set()}
        self.accepted = 0

    @rule(count=st.integers(0, 5))
    def append(self, count: int) -> None:
        given = self.outbox.append(samples(count))
        assert list(given) == list(range(self.accepted + 1, self.accepted + count + 1))
        self.accepted += count
        self.pending += list(given)

    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        seqs = data.draw(st.sets(st.integers(1, max(self.accepted, 1) + 2)))
        assert self.outbox.confirm(sorted(seqs)) == len(self._leave("confirmed", seqs))

    @rule(data=st.data())
    def reject(self, data: st.DataObject) -> None:
        seqs = data.draw(st.sets(st.integers(1, max(self.accepted, 1) + 2)))
        assert self.outbox.reject(dict.fromkeys(seqs, "code: why")) == len(self._leave("rejected", seqs))

    @rule()
    def drop_all_by_age(self) -> None:
        gone = self._leave("dropped", set(self.pending))
        assert self.outbox.drop_old(boot_us=1000 * US_PER_DAY) == len(gone)

    @rule(boot=st.sampled_from(["boot-1", "boot-2"]), clean=st.booleans())
    def restart(self, boot: str, clean: bool) -> None:  # noqa: FBT001 -- Hypothesis passes it by name
        if clean:
            self.outbox.close()
        self.outbox = opened(Path(self.folder.name), boot_id=boot)

    @invariant()
    def every_number_is_in_one_state(self) -> None:
        assert [r.seq for r in self.outbox.pending(limit=10**6)] == self.pending
        expected = {name: len(seqs) for name, seqs in self.gone.items()}
        counters = dict(self.outbox.counters())
        assert counters == {"accepted": self.accepted, "refused": 0, **expected}
        assert self.outbox.backlog == len(self.pending)
        assert self.accepted == len(self.pending) + sum(expected.values())
        progress = read_progress(self.outbox.path)
        assert progress == Progress(self.accepted, **expected, pending=len(self.pending))

    @override
    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()

    def _leave(self, state: str, seqs: set[int]) -> set[int]:
        leaving = seqs & set(self.pending)
        self.pending = [seq for seq in self.pending if seq not in leaving]
        self.gone[state] |= leaving
        return leaving


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
