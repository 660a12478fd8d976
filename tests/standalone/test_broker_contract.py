"""What any broker must do for Serayu: the embedded one and Mosquitto pass the same tests."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from serayu.models.broker_url import BrokerUrl
from serayu.standalone.broker import accepts, embedded_broker_argv
from tests.servers import free_port, mosquitto, wait_for

WAIT_S = 15.0


@contextmanager
def embedded(folder: Path) -> Iterator[int]:
    port = free_port()
    with subprocess.Popen(embedded_broker_argv(port, folder), stdin=subprocess.PIPE) as process:
        wait_for(lambda: accepts(BrokerUrl("127.0.0.1", port)), what="embedded broker")
        yield port
        process.terminate()


@pytest.fixture(params=["iotcore", pytest.param("mosquitto", marks=pytest.mark.servers)], scope="module")
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "iotcore":
        with embedded(folder) as number:
            yield number
    else:
        with mosquitto(folder) as server:
            yield server.port


class Subscriber:
    """A client that keeps what it gets; with *keep* it acknowledges nothing."""

    def __init__(
        self, port: int, client_id: str, topic: str, *, clean: bool = True, keep: bool = False
    ) -> None:
        self.got: list[tuple[str, bytes, bool]] = []
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean, manual_ack=keep
        )
        ready = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = self._take
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(WAIT_S)

    def _take(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self.got.append((message.topic, bytes(message.payload), message.retain))

    def wait(self, count: int) -> None:
        wait_for(lambda: len(self.got) >= count, what=f"{count} messages", timeout_s=WAIT_S)

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def vanish(self) -> None:
        """Lose the connection without a word."""
        connection = self.client.socket()
        assert connection is not None
        self.client.loop_stop()
        connection.close()


Publish = Callable[..., None]


@pytest.fixture
def publish(port: int) -> Iterator[Publish]:
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"publisher-{free_port()}")
    client.connect("127.0.0.1", port)
    client.loop_start()

    def send(topic: str, payload: bytes, *, retain: bool = False) -> None:
        client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(WAIT_S)

    yield send
    client.disconnect()
    client.loop_stop()


def test_messages_arrive_in_order(port: int, publish: Publish) -> None:
    subscriber = Subscriber(port, "order", "order/+")
    for number in range(200):
        publish("order/a", b"%d" % number)
    subscriber.wait(200)
    subscriber.leave()
    assert [payload for _, payload, _ in subscriber.got] == [b"%d" % number for number in range(200)]


def test_a_retained_message_waits_for_whoever_comes_later_until_it_is_cleared(
    port: int, publish: Publish
) -> None:
    publish("kept/latest", b"last", retain=True)
    first = Subscriber(port, "kept-1", "kept/#")
    first.wait(1)
    first.leave()
    assert first.got == [("kept/latest", b"last", True)]
    publish("kept/latest", b"", retain=True)
    publish("kept/other", b"now", retain=True)
    second = Subscriber(port, "kept-2", "kept/#")
    second.wait(1)
    second.leave()
    assert [topic for topic, *_ in second.got] == ["kept/other"]


def test_what_comes_while_a_session_is_away_is_kept(port: int, publish: Publish) -> None:
    Subscriber(port, "away", "away/#", clean=False).leave()
    for number in range(300):
        publish("away/a", b"%d" % number)
    again = Subscriber(port, "away", "away/#", clean=False)
    again.wait(300)
    again.leave()
    assert {payload for _, payload, _ in again.got} == {b"%d" % number for number in range(300)}


def test_what_was_not_acknowledged_comes_again(port: int, publish: Publish) -> None:
    careless = Subscriber(port, "again", "again/#", clean=False, keep=True)
    for number in range(10):
        publish("again/a", b"%d" % number)
    careless.wait(10)
    careless.vanish()
    again = Subscriber(port, "again", "again/#", clean=False)
    again.wait(10)
    again.leave()
    assert {payload for _, payload, _ in again.got} >= {b"%d" % number for number in range(10)}


def test_the_last_will_tells_of_a_lost_device(port: int) -> None:
    watcher = Subscriber(port, "watcher", "will/#")
    device = Client(CallbackAPIVersion.VERSION2, client_id="device")
    device.will_set("will/status", b"offline", qos=1, retain=True)
    device.connect("127.0.0.1", port)
    device.loop_start()
    wait_for(device.is_connected, what="device", timeout_s=WAIT_S)
    connection = device.socket()
    assert connection is not None
    device.loop_stop()
    connection.close()
    watcher.wait(1)
    watcher.leave()
    assert [(topic, payload) for topic, payload, _ in watcher.got] == [("will/status", b"offline")]


def test_a_shared_subscription_gives_each_message_to_one_worker(port: int, publish: Publish) -> None:
    workers = [Subscriber(port, f"worker-{number}", "$share/ingest/shared/+") for number in range(2)]
    for number in range(100):
        publish("shared/a", b"%d" % number)
    wait_for(lambda: sum(len(one.got) for one in workers) >= 100, what="shared messages", timeout_s=WAIT_S)
    for worker in workers:
        worker.leave()
    got = [payload for worker in workers for _, payload, _ in worker.got]
    assert sorted(got, key=int) == [b"%d" % number for number in range(100)]
    assert all(worker.got for worker in workers)


def test_a_message_of_the_largest_size_that_ingest_reads_passes(port: int, publish: Publish) -> None:
    subscriber = Subscriber(port, "large", "large/+")
    publish("large/a", b"x" * 65_536)
    subscriber.wait(1)
    subscriber.leave()
    assert len(subscriber.got[0][1]) == 65_536
