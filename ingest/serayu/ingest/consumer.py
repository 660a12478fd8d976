"""The MQTT side of ingest: messages out, acknowledgements and publications in.

One thread owns the connection. It hands messages over in whatever number has come while the last ones were stored,
and acknowledges to the broker only what the caller says is committed.
"""

import logging
import random
import select
import ssl
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from serayu.ingest.buffered import BufferedClient, puback_packets, publish_packet, wake_pair
from serayu.ingest.decode import Message
from serayu.models.broker_url import BrokerUrl

KEEPALIVE_S = 30
MAX_PENDING = 20_000  # messages held in memory; then the socket is left alone and the broker keeps them
RECONNECT_FIRST_S, RECONNECT_MOST_S = 0.2, 3.0  # one client a broker: no herd to hold back, and alerts wait
_READS_PER_TURN = 2000
_OWN_WORDS = ("/ack", "/latest")  # what ingest says itself and its subscription brings back
_logger = logging.getLogger(__name__)


class Arrival(NamedTuple):
    """A message with what its acknowledgement needs; message ids belong to one connection (``generation``)."""

    generation: int
    mid: int
    qos: int
    message: Message


class Publication(NamedTuple):
    """Something to publish."""

    topic: str
    payload: bytes
    retain: bool
    qos: int


class Consumer:
    """Connection to the broker.

    Parameters
    ----------
    url
        The broker.
    client_id
        Fixed, so that the broker keeps what comes while ingest is away.
    subscriptions
        Topic filters, QoS 1.
    max_pending
        Messages held before the broker has to wait.
    """

    def __init__(
        self, url: BrokerUrl, *, client_id: str, subscriptions: Sequence[str], max_pending: int = MAX_PENDING
    ) -> None:
        self.url = url
        self.connected = threading.Event()
        self.received = 0
        self._subscriptions = list(subscriptions)
        self._max_pending = max_pending
        self._generation = 0
        self._accepted = False  # CONNACK came; the SUBACK may take longer
        self._arrived: list[Arrival] = []
        self._arrival = threading.Condition()
        self._committed: deque[Arrival] = deque()
        self._outgoing: deque[Publication] = deque()
        self._packets: deque[bytes] = deque()
        self._wake_reader, self._wake_writer = wake_pair()
        self._woken = False  # a byte is on its way and will be followed by a look at every queue
        self._stopping = threading.Event()
        self._client = self._make_client(client_id)
        self._thread = threading.Thread(target=self._run, name="serayu-ingest-consumer", daemon=True)

    @property
    def connections(self) -> int:
        """How many connections there have been; a new one may be to a broker that remembers nothing."""
        return self._generation

    # -- the caller's side ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, and again whenever the connection is lost."""
        self._thread.start()

    def stop(self, *, timeout_s: float = 5.0) -> None:
        """Send what is waiting and leave; unacknowledged messages stay with the broker."""
        self._stopping.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._wake_reader.close()
        self._wake_writer.close()

    def take(self, *, timeout_s: float) -> list[Arrival]:
        """Return everything that has come; waits for the first message at most *timeout_s*."""
        with self._arrival:
            if not self._arrived:
                self._arrival.wait(timeout_s)
            taken, self._arrived = self._arrived, []
        if len(taken) >= self._max_pending:
            self._wake()
        return taken

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Tell the broker that messages are dealt with; those of an earlier connection are not its business."""
        self._committed.extend(arrivals)
        self._wake()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 0) -> None:
        """Publish as soon as the connection allows."""
        if qos == 0:
            self._packets.append(publish_packet(topic, payload, retain=retain))
        else:
            self._outgoing.append(Publication(topic, payload, retain, qos))
        self._wake()

    # -- the connection's thread ----------------------------------------------------------------------------------

    def _make_client(self, client_id: str) -> BufferedClient:
        client = BufferedClient(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True
        )
        if self.url.username is not None:
            client.username_pw_set(self.url.username, self.url.password)
        if self.url.tls:
            client.tls_set_context(ssl.create_default_context())
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_socket_register_write = _leave_to_the_loop
        return client

    def _on_connect(self, client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:  # noqa: ANN401 -- paho's
        if reason.is_failure:
            _logger.error("broker refuses the connection: %s", reason, extra={"broker": str(self.url)})
            return
        self._accepted = True
        client.subscribe([(topic, 1) for topic in self._subscriptions])

    def _on_subscribe(self, _client: Any, _userdata: Any, _mid: int, reasons: Any, _properties: Any) -> None:  # noqa: ANN401 -- paho's
        """Count as connected from here on: before it a broker that has just started keeps nothing for us."""
        if any(reason.is_failure for reason in reasons):
            _logger.error("broker refuses the subscription", extra={"broker": str(self.url)})
            return
        self.connected.set()
        _logger.info("connected to the broker", extra={"broker": str(self.url)})

    def _on_message(self, _client: Any, _userdata: Any, message: Any) -> None:  # noqa: ANN401 -- paho's
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "not UTF-8: " + repr(message._topic)  # noqa: SLF001 -- paho offers no other way to the bytes
        if message.qos == 0 and topic.endswith(_OWN_WORDS):
            # rumqttd sends them back at the subscription's QoS, 1: those go the way of all, so that PUBACKs leave in
            # the order of the messages as section 4.6 demands. It stalls for ever on one that is early.
            return
        received_us = time.time_ns() // 1000
        arrival = Arrival(
            self._generation, message.mid, message.qos, Message(topic, message.payload, received_us)
        )
        self.received += 1
        with self._arrival:
            self._arrived.append(arrival)
            if len(self._arrived) == 1:
                self._arrival.notify()

    def _run(self) -> None:
        delay_s = RECONNECT_FIRST_S
        while not self._stopping.is_set():
            try:
                self._client.connect(self.url.host, self.url.port, keepalive=KEEPALIVE_S)
                self._generation += 1
                self._serve()
                delay_s = RECONNECT_FIRST_S if self.connected.is_set() else delay_s
            except OSError as error:
                _logger.warning("no connection to the broker: %s", error, extra={"broker": str(self.url)})
            except (
                Exception
            ):  # bytes that are not MQTT, or a fault of ours: a new connection, not a dead thread
                _logger.exception("the connection to the broker failed", extra={"broker": str(self.url)})
            self.connected.clear()
            self._accepted = False
            if not self._stopping.wait(delay_s * random.uniform(0.5, 1.0)):  # noqa: S311 -- jitter
                delay_s = min(delay_s * 2, RECONNECT_MOST_S)

    def _serve(self) -> None:
        """Move data until the connection ends or the consumer is stopped."""
        client = self._client
        while (connection := client.buffered) is not None:
            readers: list[Any] = [self._wake_reader]
            full = len(self._arrived) >= self._max_pending
            if not full:
                readers.append(connection)
            writers = [connection] if client.want_write() or not connection.flush() else []
            waiting = not full and connection.pending() > 0
            readable, writable, _ = select.select(readers, writers, [], 0 if waiting else 1.0)
            if self._wake_reader in readable:
                self._drain_wake()
            if (connection in readable or waiting) and not self._read(connection):
                return
            self._send_outgoing()
            if writable or client.want_write():
                client.loop_write()
            self._send_joined()
            if client.loop_misc() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if self._stopping.is_set() and self._nothing_to_say():
                client.disconnect()
                client.loop_write()
                return

    def _read(self, connection: Any) -> bool:  # noqa: ANN401 -- BufferedSocket
        client, turn = self._client, 0
        while turn == 0 or (connection.pending() > 0 and turn < _READS_PER_TURN):
            if client.loop_read() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                return False
            turn += 1
        return True

    def _nothing_to_say(self) -> bool:
        waiting = self._committed or self._outgoing or self._packets or self._client.want_write()
        connection = self._client.buffered
        return not waiting and connection is not None and connection.flush()

    def _send_outgoing(self) -> None:
        while self._outgoing and self._accepted:
            item = self._outgoing.popleft()
            self._client.publish(item.topic, item.payload, qos=item.qos, retain=item.retain)

    def _send_joined(self) -> None:
        """Send publications of QoS 0 and PUBACKs in one piece, the former first: they tell stations of the commit.

        Not only once the subscription is confirmed: a broker that kept messages for us may send a window of them
        first, and its SUBACK only after our PUBACKs (rumqttd does).
        """
        if not (self._committed or self._packets) or not self._accepted:
            return
        packets = [self._packets.popleft() for _ in range(len(self._packets))]
        arrivals = [self._committed.popleft() for _ in range(len(self._committed))]
        mids = [a.mid for a in arrivals if a.qos == 1 and a.generation == self._generation]
        piece = b"".join(packets) + puback_packets(mids)
        if piece and not self._client.inject(piece):
            self._packets.extendleft(reversed(packets))
            self._committed.extendleft(reversed(arrivals))
            return
        for arrival in arrivals:
            if arrival.qos == 2 and arrival.generation == self._generation:  # noqa: PLR2004 -- QoS 2
                self._client.ack(arrival.mid, arrival.qos)

    def _wake(self) -> None:
        if self._woken:
            return  # each byte is a system call that gives the interpreter away
        self._woken = True
        try:
            self._wake_writer.send(b"\0")
        except BlockingIOError:
            pass  # enough bytes are waiting to wake it
        except OSError:
            _logger.debug("the consumer has stopped")

    def _drain_wake(self) -> None:
        try:
            while self._wake_reader.recv(4096):
                pass
        except BlockingIOError:
            pass
        self._woken = False  # before the queues are looked at: what is queued from here on wakes again


def _leave_to_the_loop(_client: Any, _userdata: Any, _socket: Any) -> None:  # noqa: ANN401 -- paho's
    """Stand in for an event loop: paho then queues packets and `Consumer._serve` writes them."""
