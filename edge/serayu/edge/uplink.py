"""The connection to the broker; the only module that knows paho.

paho's callbacks become events in a queue that the agent reads. Each connection gets a client of its own: paho would
otherwise send what it still holds again by itself, with ages that are no longer true.
"""

import logging
import queue
import random
import ssl
from collections.abc import Callable
from typing import NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from serayu.edge.config import AgentConfig, Credentials
from serayu.models.topics import bulletin_topic, topic

__all__ = ["Connected", "Event", "Lost", "Received", "Stop", "Uplink"]

_log = logging.getLogger(__name__)
_INFLIGHT = 100  # messages on the way to the broker; ingest's window is the delivery's business


class Connected(NamedTuple):
    """A connection stands; ``link`` counts connections."""

    link: int


class Lost(NamedTuple):
    """A connection ended or did not come about."""

    link: int
    reason: str


class Received(NamedTuple):
    """A message on a downlink topic; ``leaf`` is ``ack``, ``config``, or ``bulletin`` with the id of its alert."""

    leaf: str
    payload: bytes
    alert: str = ""


class Stop(NamedTuple):
    """Somebody asked the agent to end."""


Event = Connected | Lost | Received | Stop


class Uplink:
    """Connects, connects again after a jittered and growing wait, publishes, listens to the downlink.

    Parameters
    ----------
    config, credentials
        Whose, where to, and as whom.
    events
        Queue that takes what happens.
    will
        Payload of the last will on ``…/status``.
    jitter
        Returns a random number from 0 to 1.
    """

    def __init__(
        self,
        config: AgentConfig,
        *,
        credentials: Credentials,
        events: "queue.SimpleQueue[Event]",
        will: bytes,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._config = config
        self._credentials = credentials
        self._events = events
        self._will = will
        self._jitter = jitter
        self._client: mqtt.Client | None = None
        self._link = 0
        self._failures = 0
        self._retry_s = float("-inf")
        self.connected = False

    def topic(self, leaf: str) -> str:
        """Return a topic of this station."""
        return topic(self._config.region, self._config.station, leaf)

    def tend(self, now_s: float) -> None:
        """Begin a connection when there is none and its time has come (monotonic time, s)."""
        if self._client is None and now_s >= self._retry_s:
            self._link += 1
            self._client = self._connect(self._link)

    def next_due_s(self) -> float:
        """Return the monotonic time of the next attempt to connect."""
        return self._retry_s if self._client is None else float("inf")

    def handle(self, event: Connected | Lost, now_s: float) -> bool:
        """Take an event of this uplink; returns whether it was about the present connection."""
        if event.link != self._link or self._client is None:
            return False
        self.connected = isinstance(event, Connected)
        if isinstance(event, Connected):
            self._failures = 0
            return True
        self._client = None
        self._retry_s = now_s + self._wait_s()
        self._failures += 1
        _log.warning("no broker: %s; next try in %.1f s", event.reason, self._retry_s - now_s)
        return True

    def publish(self, leaf_topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message to the connection (QoS 1); returns whether it took it. That is no confirmation."""
        if self._client is None or not self.connected:
            return False
        return self._client.publish(leaf_topic, payload, qos=1, retain=retain).rc == mqtt.MQTT_ERR_SUCCESS

    def close(self, farewell: bytes, *, timeout_s: float) -> None:
        """Leave in order: publish *farewell* on ``…/status`` and disconnect."""
        client, self._client = self._client, None
        if client is None:
            return
        if self.connected:
            info = client.publish(self.topic("status"), farewell, qos=1, retain=True)
            if info.rc == mqtt.MQTT_ERR_SUCCESS:
                info.wait_for_publish(timeout_s)
        self.connected = False
        client.disconnect()
        client.loop_stop()

    def _wait_s(self) -> float:
        """Return the wait before the next attempt: between half and one and a half of a mean that doubles."""
        uplink = self._config.uplink
        mean_s = uplink.backoff_s * float(2 ** min(self._failures, 16))
        return min(mean_s * (0.5 + self._jitter()), uplink.backoff_max_s)

    def _connect(self, link: int) -> mqtt.Client:
        broker, events = self._config.broker, self._events
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"serayu-{self._config.region}-{self._config.station}",
            clean_session=True,
            protocol=mqtt.MQTTv311,
            reconnect_on_failure=False,
        )
        client.username_pw_set(self._credentials.username, self._credentials.password)
        if broker.tls:
            client.tls_set_context(ssl.create_default_context(cafile=broker.ca))
        client.connect_timeout = broker.connect_timeout_s
        client.max_inflight_messages_set(_INFLIGHT)
        client.will_set(self.topic("status"), self._will, qos=1, retain=True)
        downlink = {self.topic(leaf): leaf for leaf in ("ack", "config")}
        bulletins = bulletin_topic(self._config.region, "+")
        siren = self._config.siren
        listened = [*downlink, bulletins] if siren is not None and siren.listen else [*downlink]

        def on_connect(
            client: mqtt.Client,
            _data: object,
            _flags: object,
            code: ReasonCode,
            _properties: Properties | None,
        ) -> None:
            if not code.is_failure:
                client.subscribe([(name, 1) for name in listened])
            else:
                _log.warning("the broker refuses: %s", code)

        def on_subscribe(*_: object) -> None:
            events.put(Connected(link))

        def on_message(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
            if message.topic in downlink:
                events.put(Received(downlink[message.topic], bytes(message.payload)))
            elif mqtt.topic_matches_sub(bulletins, message.topic):
                events.put(Received("bulletin", bytes(message.payload), message.topic.split("/")[-2]))

        def on_disconnect(
            _client: mqtt.Client,
            _data: object,
            _flags: object,
            code: ReasonCode,
            _properties: Properties | None,
        ) -> None:
            events.put(Lost(link, str(code)))

        def on_connect_fail(client: mqtt.Client, _data: object) -> None:
            client.disconnect()  # ends paho's thread; it would try again by a schedule of its own
            events.put(Lost(link, f"{broker.host}:{broker.port} cannot be reached"))

        client.on_connect, client.on_subscribe = on_connect, on_subscribe
        client.on_message, client.on_disconnect = on_message, on_disconnect
        client.on_connect_fail = on_connect_fail
        client.connect_async(broker.host, broker.port, keepalive=broker.keepalive_s)
        client.loop_start()
        return client
