"""The forwarder loses nothing: over outages, refusals, crashes and restarts, against a real InfluxDB too."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from typing_extensions import override

from serayu.ingest.forwarder import REFUSED, RETRY_MOST_S, Forwarded, Forwarder, Lag
from serayu.models.errors import StoreFullError, StoreUnavailableError
from serayu.models.ports import Refusal
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, SeriesKey
from serayu.models.senml import decode_pack, resolve
from serayu.models.stores.hot import HotStore
from serayu.models.stores.hot_transaction import Revision
from serayu.models.stores.influx import InfluxStore
from serayu.models.stores.memory import MemoryStore
from tests import servers

KEY = SeriesKey("33.02", "bgs-hulu", "stage")
T0 = 1_700_000_000_000_000


def story(start: int, end: int) -> list[Observation]:
    return [
        Observation(KEY, T0 + i, i / 4, QualityFlag.GOOD, 0, "a1b2", i + 1, T0 + i + 50)
        for i in range(start, end)
    ]


def put(store: HotStore, observations: Sequence[Observation]) -> None:
    with store.transaction() as transaction:
        transaction.insert(observations)


def forward_all(forwarder: Forwarder) -> int:
    total = 0
    while count := forwarder.step().count:
        total += count
    return total


@pytest.fixture
def hot(tmp_path: Path) -> Iterator[HotStore]:
    with HotStore(tmp_path / "hot.db") as hot:
        yield hot


class Clock:
    now = T0 + 2_000_050

    def now_us(self) -> int:
        return self.now


class LongStore(MemoryStore):
    """A long store with the troubles of a real one."""

    def __init__(self) -> None:
        super().__init__()
        self.away = 0  # calls that fail before anything is stored
        self.lost_answers = 0  # calls that store everything and then fail
        self.refuse: set[int] = set()
        self.batches: list[list[int]] = []

    @override
    def write(self, observations: Sequence[Observation]) -> Sequence[Refusal]:
        self.batches.append([observation.seq for observation in observations])
        if self.away:
            self.away -= 1
            raise StoreUnavailableError("away")
        good = [observation for observation in observations if observation.seq not in self.refuse]
        refusals = [*super().write(good)]
        refusals += [Refusal(o, "field type conflict") for o in observations if o.seq in self.refuse]
        if self.lost_answers:
            self.lost_answers -= 1
            raise StoreUnavailableError("the answer was lost")
        return refusals


def test_an_empty_store_has_nothing_to_forward(hot: HotStore) -> None:
    long = LongStore()
    forwarder = Forwarder(hot, long)
    assert forwarder.step() == Forwarded(0, 0)
    assert forwarder.lag() == Lag(0, 0.0)
    assert long.batches == []


def test_changes_are_forwarded_in_order_and_in_batches(hot: HotStore) -> None:
    long = LongStore()
    put(hot, story(0, 7))
    forwarder = Forwarder(hot, long, batch=3)
    assert [forwarder.step() for _ in range(4)] == [Forwarded(n, 0) for n in (3, 3, 1, 0)]
    assert long.batches == [[1, 2, 3], [4, 5, 6], [7]]
    assert long.window(KEY, 0, 2 * T0) == story(0, 7)


def test_a_revised_observation_is_forwarded_again_with_its_flag(hot: HotStore) -> None:
    long = LongStore()
    forwarder = Forwarder(hot, long)
    put(hot, story(0, 3))
    forward_all(forwarder)
    with hot.transaction() as transaction:
        transaction.revise([Revision(KEY, T0 + 1, QualityFlag.FAIL, 4 << 8)])
    assert forward_all(forwarder) == 1
    flags = [(observation.flag, observation.tests) for observation in long.window(KEY, 0, 2 * T0)]
    assert flags == [(QualityFlag.GOOD, 0), (QualityFlag.FAIL, 4 << 8), (QualityFlag.GOOD, 0)]


def test_what_is_revised_while_its_batch_is_read_ahead_arrives_revised(hot: HotStore) -> None:
    class Revising(LongStore):
        @override
        def write(self, observations: Sequence[Observation]) -> Sequence[Refusal]:
            with hot.transaction() as transaction:  # one row of this batch, one of the next, one of the last
                marks = [observations[0].t_us, observations[-1].t_us + 2, T0 + 29]
                transaction.revise([Revision(KEY, t_us, QualityFlag.SUSPECT, 2) for t_us in marks])
            return super().write(observations)

    long = Revising()
    put(hot, story(0, 30))
    forward_all(Forwarder(hot, long, batch=5))
    assert long.window(KEY, 0, 2 * T0) == hot.window(KEY, 0, 2 * T0)
    assert {observation.flag for observation in long.window(KEY, 0, 2 * T0)} == {
        QualityFlag.GOOD,
        QualityFlag.SUSPECT,
    }


def test_the_cursor_stays_while_the_long_store_is_away(hot: HotStore) -> None:
    long = LongStore()
    long.away = 5
    forwarder = Forwarder(hot, long, batch=10)
    for start in range(0, 50, 10):
        put(hot, story(start, start + 10))
        with pytest.raises(StoreUnavailableError):
            forwarder.step()
    assert hot.cursor("influx") == 0
    assert forward_all(forwarder) == 50
    assert long.window(KEY, 0, 2 * T0) == story(0, 50)


def test_a_lost_answer_or_a_crash_sends_a_batch_twice_and_stores_it_once(hot: HotStore) -> None:
    long = LongStore()
    long.lost_answers = 1
    put(hot, story(0, 5))
    with pytest.raises(StoreUnavailableError):
        Forwarder(hot, long).step()
    assert forward_all(Forwarder(hot, long)) == 5  # as after a restart
    assert long.batches == [[1, 2, 3, 4, 5]] * 2
    assert long.window(KEY, 0, 2 * T0) == story(0, 5)


def test_the_cursor_survives_a_restart(tmp_path: Path) -> None:
    long = LongStore()
    with HotStore(tmp_path / "hot.db") as hot:
        put(hot, story(0, 5))
        Forwarder(hot, long, batch=3).step()
    with HotStore(tmp_path / "hot.db") as hot:
        assert forward_all(Forwarder(hot, long, batch=3)) == 2
    assert long.batches == [[1, 2, 3], [4, 5]]


def test_followers_have_cursors_of_their_own(hot: HotStore) -> None:
    put(hot, story(0, 5))
    one, two = LongStore(), LongStore()
    assert forward_all(Forwarder(hot, one, name="one")) == 5
    assert forward_all(Forwarder(hot, two, name="two")) == 5


def test_what_the_long_store_refuses_becomes_a_dead_letter_and_the_rest_goes_on(hot: HotStore) -> None:
    long = LongStore()
    long.refuse = {2, 4}
    put(hot, story(0, 5))
    forwarder = Forwarder(hot, long, clock=Clock())
    assert forwarder.step() == Forwarded(5, 2)
    assert forwarder.step() == Forwarded(0, 0)
    assert [observation.seq for observation in long.window(KEY, 0, 2 * T0)] == [1, 3, 5]
    assert hot.dead_letters.counts() == {REFUSED: 2}
    first, second = hot.dead_letters.list()
    assert (first.topic, first.detail) == ("serayu/v1/33.02/bgs-hulu/stage", "field type conflict")
    assert first.first_received_us == Clock.now
    (record,) = resolve(decode_pack(second.payload), received_us=0)
    assert (record.name, record.unit, record.t_us) == ("33.02/bgs-hulu/stage", "m", T0 + 3)
    assert (record.value, record.oid, record.seq) == (0.75, "a1b2", 4)


def test_letters_and_cursor_move_together(hot: HotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    long = LongStore()
    long.refuse = {2}
    put(hot, story(0, 5))
    forwarder = Forwarder(hot, long)
    with monkeypatch.context() as broken:
        broken.setattr(hot, "advance", lambda *_: (_ for _ in ()).throw(StoreFullError("no room")))
        with pytest.raises(StoreFullError):
            forwarder.step()
    assert (hot.cursor("influx"), hot.dead_letters.counts()) == (0, {})
    assert forwarder.step() == Forwarded(5, 1)
    assert hot.dead_letters.counts() == {REFUSED: 1}


def test_lag_counts_changes_and_the_age_of_the_oldest(hot: HotStore) -> None:
    forwarder = Forwarder(hot, LongStore(), batch=3, clock=Clock())
    put(hot, story(0, 5))
    assert forwarder.lag() == Lag(5, 2.0)
    forwarder.step()
    lag = forwarder.lag()
    assert lag.rows == 2
    assert lag.seconds == pytest.approx(2.0 - 3e-6)
    forwarder.step()
    assert forwarder.lag() == Lag(0, 0.0)


def test_lag_without_a_time_of_receipt_has_no_age(hot: HotStore) -> None:
    put(hot, [Observation(KEY, T0, 1.0)])
    assert Forwarder(hot, LongStore(), clock=Clock()).lag() == Lag(1, 0.0)


class Recorder(threading.Event):
    """A stop event on which waiting takes no time and is noted; it stops after a number of waits."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._most = waits

    @override
    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        if len(self.waits) >= self._most:
            self.set()
        return self.is_set()


def test_the_loop_waits_longer_and_longer_up_to_a_cap_and_forgets_it_after_success(hot: HotStore) -> None:
    long = LongStore()
    long.away = 10
    put(hot, story(0, 3))
    stop = Recorder(waits=11)
    Forwarder(hot, long, jitter=lambda: 1.0).run(stop)
    assert stop.waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, RETRY_MOST_S, RETRY_MOST_S, RETRY_MOST_S, 1.0]
    assert long.window(KEY, 0, 2 * T0) == story(0, 3)
    long.away = 1
    put(hot, story(3, 4))
    again = Recorder(waits=2)
    Forwarder(hot, long, jitter=lambda: 0.0).run(again)
    assert again.waits == [0.25, 1.0]


def test_the_loop_sends_full_batches_without_waiting(hot: HotStore) -> None:
    long = LongStore()
    put(hot, story(0, 10))
    stop = Recorder(waits=1)
    Forwarder(hot, long, batch=4).run(stop)
    assert [len(batch) for batch in long.batches] == [4, 4, 2]


# -- a real InfluxDB --------------------------------------------------------------------------------------------------


@pytest.mark.servers
@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_an_outage_of_influxdb_loses_nothing(hot: HotStore, tmp_path: Path, ending: str) -> None:
    with servers.influxd(tmp_path) as server, InfluxStore(server.url, "", "", "serayu") as long:
        forwarder = Forwarder(hot, long, batch=100)
        put(hot, story(0, 250))
        forwarder.step()
        getattr(server, ending)()
        for start in range(250, 1000, 250):
            put(hot, story(start, start + 250))
            with pytest.raises(StoreUnavailableError):
                forwarder.step()
        assert forwarder.lag().rows == 900
        server.start()
        assert forward_all(forwarder) == 900
        assert long.window(KEY, 0, 2 * T0) == story(0, 1000)


@pytest.mark.servers
def test_the_loop_recovers_from_an_outage_by_itself_beside_a_writer(hot: HotStore, tmp_path: Path) -> None:
    stop = threading.Event()
    with (
        servers.influxd(tmp_path) as server,
        InfluxStore(server.url, "", "", "serayu", timeout_s=1.0) as long,
    ):
        forwarder = Forwarder(hot, long, batch=50, jitter=lambda: 0.0)
        thread = threading.Thread(target=forwarder.run, args=(stop,), name="forwarder")
        thread.start()
        put(hot, story(0, 200))
        servers.wait_for(lambda: forwarder.lag().rows == 0, what="the first forwarding")
        server.kill()
        for start in range(200, 600, 20):
            put(hot, story(start, start + 20))
        assert forwarder.lag().rows == 400
        server.start()
        servers.wait_for(lambda: forwarder.lag().rows == 0, what="the forwarding after the outage")
        stop.set()
        thread.join(timeout=20)
        assert not thread.is_alive()
        assert long.window(KEY, 0, 2 * T0) == story(0, 600)


@pytest.mark.servers
def test_a_partial_write_makes_dead_letters_and_stores_the_good_lines(hot: HotStore, tmp_path: Path) -> None:
    with servers.influxd(tmp_path) as server, InfluxStore(server.url, "", "", "serayu") as long:
        line = (
            'observation,station=x seq="a text" 1700000000000000000'  # from here on seq is text in this shard
        )
        httpx.post(f"{server.url}/write", params={"db": "serayu"}, content=line).raise_for_status()
        nameless = [Observation(KEY, T0 + 1000 + i, float(i), received_us=1) for i in range(20)]
        put(hot, [*nameless[:7], *story(0, 2), *nameless[7:], *story(2, 3)])
        forwarder = Forwarder(hot, long)
        assert forwarder.step() == Forwarded(23, 3)
        assert forwarder.step() == Forwarded(0, 0)
        assert long.window(KEY, 0, 2 * T0) == nameless
        assert hot.dead_letters.counts() == {REFUSED: 3}
        assert "field type conflict" in hot.dead_letters.list()[0].detail
