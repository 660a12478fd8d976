"""The consumer against real brokers, and against bytes that no broker should send."""

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from serayu.ingest.consumer import Arrival, Consumer
from serayu.models.broker_url import BrokerUrl
from serayu.standalone.broker import embedded_broker_argv
from tests.servers import free_port, listens, mosquitto, wait_for

WAIT_S = 20.0
FILTER = "serayu/v1/+/+/+"
STAGE = "serayu/v1/99.01/hulu/stage"


@dataclass(frozen=True)
class Broker:
    port: int
    restart: Callable[[], None]
    is_iotcore: bool


class Embedded:
    """The embedded broker in its process."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._argv = embedded_broker_argv(self.port, folder)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._argv, stdin=subprocess.PIPE)
        wait_for(lambda: listens(self.port), what="iotcore")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def restart(self) -> None:
        self.stop()
        self.start()


@pytest.fixture(params=["iotcore", pytest.param("mosquitto", marks=pytest.mark.servers)])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    if request.param == "mosquitto":
        with mosquitto(tmp_path) as server:
            yield Broker(server.port, server.restart, is_iotcore=False)
        return
    embedded = Embedded(tmp_path)
    embedded.start()
    try:
        yield Broker(embedded.port, embedded.restart, is_iotcore=True)
    finally:
        embedded.stop()


@contextlib.contextmanager
def consuming(port: int, *, max_pending: int = 20_000, wait: bool = True) -> Iterator[Consumer]:
    consumer = Consumer(
        BrokerUrl("127.0.0.1", port),
        client_id="serayu-ingest",
        subscriptions=[FILTER],
        max_pending=max_pending,
    )
    consumer.start()
    try:
        assert not wait or consumer.connected.wait(WAIT_S)
        yield consumer
    finally:
        consumer.stop()


@contextlib.contextmanager
def client(port: int, *, topic: str | None = None) -> Iterator[tuple[Client, list[MQTTMessage]]]:
    """A station: publishes, and with *topic* listens."""
    got: list[MQTTMessage] = []
    ready = threading.Event()
    station = Client(CallbackAPIVersion.VERSION2)
    station.on_message = lambda _client, _data, message: got.append(message)
    station.on_subscribe = lambda *_: ready.set()
    station.on_connect = lambda it, *_: ready.set() if topic is None else it.subscribe(topic, 1)
    station.connect("127.0.0.1", port)
    station.loop_start()
    assert ready.wait(WAIT_S)
    yield station, got
    station.disconnect()
    station.loop_stop()


def publish(port: int, payloads: list[bytes], *, topic: str = STAGE) -> None:
    with client(port) as (station, _):
        for payload in payloads:
            station.publish(topic, payload, qos=1)
        wait_for(lambda: not station._out_messages, what="the PUBACKs", timeout_s=WAIT_S)


def taken(consumer: Consumer, count: int) -> list[Arrival]:
    got: list[Arrival] = []

    def enough() -> bool:
        got.extend(consumer.take(timeout_s=0.05))
        return len(got) >= count

    wait_for(enough, what=f"{count} messages", timeout_s=WAIT_S)
    return got


def payloads(arrivals: list[Arrival]) -> list[bytes]:
    return [arrival.message.payload for arrival in arrivals]


def test_messages_arrive_in_order_with_their_bytes_untouched(broker: Broker) -> None:
    sent = [b"", b"\x00\xff\xfe binary", b"x" * 200_000, b"[]"]
    with consuming(broker.port) as consumer:
        publish(broker.port, sent)
        arrivals = taken(consumer, len(sent))
        consumer.acknowledge(arrivals)
    assert payloads(arrivals) == sent
    assert {arrival.message.topic for arrival in arrivals} == {STAGE}


def test_only_what_is_acknowledged_stays_away_after_a_reconnect(broker: Broker) -> None:
    with consuming(broker.port) as consumer:
        publish(broker.port, [b"%d" % i for i in range(30)])
        arrivals = taken(consumer, 30)
        consumer.acknowledge(arrivals[:20])
    with consuming(broker.port) as again:
        returned = taken(again, 10)
        again.acknowledge(returned)
    assert payloads(returned) == [b"%d" % i for i in range(20, 30)]


def test_what_the_broker_kept_is_acknowledged_though_it_has_not_confirmed_the_subscription_yet(
    broker: Broker,
) -> None:
    with consuming(broker.port):
        pass  # leaves a session
    sent = [b"%d" % i for i in range(500)]
    publish(broker.port, sent)
    got: list[bytes] = []
    with consuming(broker.port, wait=False) as consumer:

        def all_here() -> bool:
            arrivals = consumer.take(timeout_s=0.05)
            got.extend(payloads(arrivals))
            consumer.acknowledge(arrivals)
            return len(got) >= len(sent)

        wait_for(all_here, what="all messages", timeout_s=WAIT_S)
        assert consumer.connected.wait(WAIT_S)
    assert got == sent


def test_more_messages_than_any_broker_window_come_through_when_each_batch_is_acknowledged(
    broker: Broker,
) -> None:
    sent = [b"%d" % i for i in range(3000)]
    got: list[bytes] = []
    with consuming(broker.port) as consumer:
        publisher = threading.Thread(target=publish, args=(broker.port, sent))
        publisher.start()

        def all_here() -> bool:
            arrivals = consumer.take(timeout_s=0.05)
            got.extend(payloads(arrivals))
            consumer.acknowledge(arrivals)
            return len(got) >= len(sent)

        wait_for(all_here, what="all messages", timeout_s=WAIT_S)
        publisher.join()
    assert got == sent


def test_a_full_memory_stops_reading_until_the_messages_are_taken(broker: Broker) -> None:
    sent = [b"%d" % i for i in range(60)]
    with consuming(broker.port, max_pending=10) as consumer:
        publish(broker.port, sent)
        wait_for(lambda: consumer.received >= 10, what="the first messages", timeout_s=WAIT_S)
        arrivals = taken(consumer, len(sent))
        consumer.acknowledge(arrivals)
    assert payloads(arrivals) == sent


def test_it_returns_to_a_broker_that_was_killed_and_old_ids_are_not_acknowledged(broker: Broker) -> None:
    with consuming(broker.port) as consumer:
        publish(broker.port, [b"before"])
        (before,) = taken(consumer, 1)
        broker.restart()
        wait_for(lambda: consumer._generation > before.generation, what="a connection", timeout_s=WAIT_S)
        assert consumer.connected.wait(WAIT_S)
        consumer.acknowledge([before])  # its message id means nothing to this connection
        publish(broker.port, [b"after"])
        got: list[bytes] = []

        def came() -> bool:
            arrivals = consumer.take(timeout_s=0.05)
            got.extend(payloads(arrivals))
            consumer.acknowledge(arrivals)
            return b"after" in got

        wait_for(came, what="the message after", timeout_s=WAIT_S)
    # Mosquitto kept the unacknowledged one, or had not yet saved it; iotcore keeps nothing over a restart.
    assert got in ([b"after"], [b"before", b"after"])


@pytest.mark.parametrize("qos", [0, 1])
def test_publications_arrive_joined_or_not(broker: Broker, qos: int) -> None:
    bodies = [b"%d" % i * 50 for i in range(200)]
    with consuming(broker.port) as consumer, client(broker.port, topic="serayu/v1/99.01/+/ack") as (_, got):
        for body in bodies:
            consumer.publish("serayu/v1/99.01/hulu/ack", body, qos=qos)

        def all_here() -> bool:
            consumer.acknowledge(consumer.take(timeout_s=0.05))  # those of QoS 1 come back to it
            return len(got) >= len(bodies)

        wait_for(all_here, what="the publications", timeout_s=WAIT_S)
    assert [bytes(message.payload) for message in got] == bodies


def test_a_retained_publication_waits_for_those_who_come_later(broker: Broker) -> None:
    topic = "serayu/v1/99.01/hulu/latest"
    with consuming(broker.port) as consumer, client(broker.port, topic=topic) as (_, early):
        consumer.publish(topic, b"1.25", retain=True)
        wait_for(lambda: len(early) == 1, what="the publication", timeout_s=WAIT_S)
        with client(broker.port, topic=topic) as (_, late):
            wait_for(lambda: len(late) == 1, what="the retained message", timeout_s=WAIT_S)
    assert (late[0].payload, late[0].retain) == (b"1.25", True)


def test_what_ingest_says_itself_does_not_stop_what_others_say(broker: Broker) -> None:
    with consuming(broker.port) as consumer:
        for _ in range(300):  # more than any window
            consumer.publish("serayu/v1/99.01/hulu/ack", b"{}")
        consumer.publish("serayu/v1/99.01/hulu/latest", b"{}", retain=True)
        publish(broker.port, [b"reading"])
        got: list[Arrival] = []

        def came() -> bool:
            arrivals = consumer.take(timeout_s=0.05)
            consumer.acknowledge(arrivals)
            got.extend(arrivals)
            return b"reading" in payloads(got)

        wait_for(came, what="the reading", timeout_s=WAIT_S)
    if not broker.is_iotcore:  # it returns them at the subscription's QoS
        assert payloads(got) == [b"reading"]


def test_what_was_acknowledged_and_published_before_the_stop_still_leaves(broker: Broker) -> None:
    with client(broker.port, topic="serayu/v1/99.01/+/ack") as (_, got):
        with consuming(broker.port) as consumer:
            publish(broker.port, [b"last"])
            consumer.acknowledge(taken(consumer, 1))
            consumer.publish("serayu/v1/99.01/hulu/ack", b"bye")
        wait_for(lambda: len(got) == 1, what="the last ack", timeout_s=WAIT_S)
    with consuming(broker.port) as again:
        publish(broker.port, [b"next"])
        returned = taken(again, 1)
        again.acknowledge(returned)
    assert b"last" not in payloads(returned)


# -- bytes that no broker should send ----------------------------------------------------------------------------


def _packet(connection: socket.socket) -> bytes:
    head = connection.recv(2, socket.MSG_WAITALL)  # every packet of this exchange is shorter than 128 bytes
    return head + connection.recv(head[1], socket.MSG_WAITALL)


class ScriptedBroker:
    """Accepts one client after another and sends each its script after CONNACK and SUBACK.

    With *one_connection* the scripts are pieces for one client, sent one by one with a pause between them.
    """

    def __init__(self, scripts: list[bytes], *, one_connection: bool = False) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.heard: list[bytes] = []
        self._scripts = [scripts] if one_connection else [[script] for script in scripts]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for pieces in self._scripts:
            connection, _ = self._server.accept()
            with connection, contextlib.suppress(ConnectionError):
                _packet(connection)
                connection.sendall(b"\x20\x02\x00\x00")
                subscribe = _packet(connection)
                connection.sendall(b"\x90\x03" + subscribe[2:4] + b"\x01")
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(0.02)
                while answer := connection.recv(4096):
                    self.heard.append(answer)

    def close(self) -> None:
        self._thread.join(WAIT_S)
        self._server.close()


GOOD = b"\x32\x08\x00\x03a/b\x00\x07x"


def test_a_topic_that_is_not_utf8_is_handed_on_and_can_be_acknowledged() -> None:
    scripted = ScriptedBroker([b"\x32\x08\x00\x03\xff/\xfe\x00\x05y" + GOOD])
    with consuming(scripted.port) as consumer:
        arrivals = taken(consumer, 2)
        consumer.acknowledge(arrivals)
        wait_for(
            lambda: b"".join(scripted.heard).startswith(b"\x40\x02\x00\x05\x40\x02\x00\x07"), what="PUBACKs"
        )
    scripted.close()
    assert arrivals[0].message.topic == "not UTF-8: b'\\xff/\\xfe'"
    assert arrivals[1].message.topic == "a/b"


def test_pubacks_leave_in_the_order_of_the_messages_whatever_they_are() -> None:
    # MQTT 3.1.1 section 4.6; rumqttd stops sending when one is early.
    own = b"\x32\x0a\x00\x05x/ack\x00\x06z"
    scripted = ScriptedBroker([GOOD.replace(b"\x07", b"\x05") + own + GOOD])
    with consuming(scripted.port) as consumer:
        got: list[Arrival] = []
        while len(got) < 3:
            got += taken(consumer, 1)
        assert scripted.heard == []
        consumer.acknowledge(got[:1])
        consumer.acknowledge(got[1:])
        expected = b"\x40\x02\x00\x05\x40\x02\x00\x06\x40\x02\x00\x07"
        wait_for(lambda: b"".join(scripted.heard).startswith(expected), what="three PUBACKs in order")
    scripted.close()


def test_a_packet_cut_in_pieces_is_one_message() -> None:
    scripted = ScriptedBroker([GOOD[:1], GOOD[1:4], GOOD[4:]], one_connection=True)
    with consuming(scripted.port) as consumer:
        arrivals = taken(consumer, 1)
        consumer.acknowledge(arrivals)
    scripted.close()
    assert payloads(arrivals) == [b"x"]


def test_bytes_that_are_not_mqtt_cost_the_connection_and_not_the_consumer() -> None:
    # A PUBLISH whose topic is longer than the packet; the second connection is in order.
    scripted = ScriptedBroker([b"\x32\x04\xff\xff\x00\x01", GOOD])
    with consuming(scripted.port) as consumer:
        arrivals = taken(consumer, 1)
        consumer.acknowledge(arrivals)
    scripted.close()
    assert payloads(arrivals) == [b"x"]
