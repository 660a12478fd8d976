"""The production broker's configuration and access list, tried on a real Mosquitto."""

import queue
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from serayu.models.properties import OBSERVED_PROPERTIES
from tests import servers

pytestmark = pytest.mark.servers

MOSQUITTO = Path(__file__).parents[2] / "deploy" / "mosquitto"
ROOT = "serayu/v1/33.02"
# Passwords of brokers that live for one test run.
USERS = {
    name: f"{name}-test"
    for name in ("bgs-hulu", "bgs-hilir", "ingest", "svc.ingest", "svc.api", "svc.simulator")
}


@pytest.fixture(scope="module", name="broker")
def _broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    folder = tmp_path_factory.mktemp("broker")
    passwords = servers.mosquitto_password_file(folder / "passwords", USERS)
    with servers.mosquitto(folder, conf=_production_conf(passwords)) as broker:
        yield broker


def _production_conf(passwords: Path) -> str:
    """deploy/mosquitto/mosquitto.conf with this machine's paths; the port comes from the fixture."""
    conf = (MOSQUITTO / "mosquitto.conf").read_text(encoding="utf-8")
    for pattern, replacement in (
        (r"(?m)^listener 1883$", ""),
        (r"(?m)^persistence_location .*$", ""),
        (r"(?m)^password_file .*$", f"password_file {passwords}"),
        (r"(?m)^acl_file .*$", f"acl_file {MOSQUITTO / 'acl'}"),
    ):
        conf, count = re.subn(pattern, replacement, conf)
        assert count == 1, pattern
    return conf


class Client:
    """A connected client that collects what it receives."""

    def __init__(self, port: int, user: str | None) -> None:
        self.received: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._granted: queue.Queue[int] = queue.Queue()
        self._connected: queue.Queue[bool] = queue.Queue()
        self._mqtt = mqtt.Client(CallbackAPIVersion.VERSION2)
        if user is not None:
            self._mqtt.username_pw_set(user, USERS[user])
        self._mqtt.on_connect = lambda _c, _d, _f, reason, _p: self._connected.put(not reason.is_failure)
        self._mqtt.on_subscribe = lambda _c, _d, mid, _r, _p: self._granted.put(mid)
        self._mqtt.on_message = lambda _c, _d, message: self.received.put(
            (message.topic, bytes(message.payload))
        )
        self._mqtt.connect("127.0.0.1", port)
        self._mqtt.loop_start()
        self.accepted = self._connected.get(timeout=10)

    def subscribe(self, topic: str) -> None:
        self._mqtt.subscribe(topic, qos=1)
        self._granted.get(timeout=10)

    def publish(self, topic: str, payload: bytes) -> None:
        """QoS 1, until the broker's PUBACK, which MQTT 3.1.1 sends for refused messages too."""
        self._mqtt.publish(topic, payload, qos=1).wait_for_publish(timeout=10)

    def close(self) -> None:
        self._mqtt.disconnect()
        self._mqtt.loop_stop()


@contextmanager
def _client(broker: servers.Server, user: str | None) -> Iterator[Client]:
    client = Client(broker.port, user)
    try:
        yield client
    finally:
        client.close()


def _arrives(broker: servers.Server, *, writer: str, topic: str, reader: str = "svc.ingest") -> bool:
    """Whether what `writer` publishes on `topic` reaches `reader`, who subscribes to that topic.

    A second message that certainly arrives marks the end: one broker, one subscriber, so order holds between
    two publishers when the first has its PUBACK.
    """
    fence = f"{ROOT}/bgs-hulu/ack"
    with _client(broker, reader) as listener, _client(broker, writer) as speaker:
        listener.subscribe(topic)
        listener.subscribe(fence)
        speaker.publish(topic, b"probe")
        with _client(broker, "svc.ingest") as marker:
            marker.publish(fence, b"end")
        seen = []
        while (message := listener.received.get(timeout=10)) != (fence, b"end"):
            seen.append(message)
    assert seen in ([], [(topic, b"probe")])
    return bool(seen)


@pytest.mark.parametrize(
    ("line", "what"),
    [("pattern write serayu/v1/+/%u/", "agent"), ("topic write serayu/v1/+/+/", "simulator")],
)
def test_the_writable_topics_are_the_observed_properties_and_the_status(line: str, what: str) -> None:
    text = (MOSQUITTO / "acl").read_text(encoding="utf-8")
    section = text.partition("user svc.simulator")[2] if what == "simulator" else text
    leaves = re.findall(rf"(?m)^{re.escape(line)}(\S+)$", section)
    assert sorted(leaves) == sorted([*OBSERVED_PROPERTIES, "status"])


@pytest.mark.parametrize(
    ("writer", "topic"),
    [
        ("bgs-hulu", f"{ROOT}/bgs-hulu/stage"),
        ("bgs-hulu", f"{ROOT}/bgs-hulu/count-mc"),
        ("bgs-hulu", f"{ROOT}/bgs-hulu/status"),
        ("bgs-hulu", "serayu/v1/33.05/bgs-hulu/rain"),  # the region is checked by ingest, which knows it
        ("svc.ingest", f"{ROOT}/bgs-hilir/ack"),
        ("svc.ingest", f"{ROOT}/bgs-hilir/latest"),
        ("svc.ingest", f"{ROOT}/bgs-hilir/config"),
        ("svc.ingest", f"{ROOT}/alerts/019a6f"),
        ("svc.simulator", f"{ROOT}/bgs-hilir/stage"),
        ("svc.simulator", f"{ROOT}/bgs-hilir/status"),
    ],
)
def test_what_a_user_may_write_arrives(broker: servers.Server, writer: str, topic: str) -> None:
    assert _arrives(broker, writer=writer, topic=topic)


@pytest.mark.parametrize(
    ("writer", "topic"),
    [
        ("bgs-hulu", f"{ROOT}/bgs-hilir/stage"),  # device A as B
        ("bgs-hulu", f"{ROOT}/bgs-hilir/status"),
        ("bgs-hulu", f"{ROOT}/bgs-hulu/ack"),
        ("bgs-hulu", f"{ROOT}/bgs-hulu/config"),
        ("bgs-hulu", f"{ROOT}/bgs-hulu/latest"),
        ("bgs-hulu", f"{ROOT}/bgs-hulu/alerts"),
        ("bgs-hulu", f"{ROOT}/alerts/019a6f"),
        ("bgs-hulu", f"{ROOT}/alerts/bgs-hulu"),
        ("bgs-hulu", f"{ROOT}/alerts/019a6f/bulletin"),
        ("bgs-hulu", f"{ROOT}/bgs-hulu/stage/deeper"),
        ("bgs-hulu", f"{ROOT}/bgs-hulu"),
        ("bgs-hulu", "elsewhere/bgs-hulu/stage"),
        ("ingest", f"{ROOT}/bgs-hilir/ack"),  # a station that took the service's name
        ("svc.ingest", f"{ROOT}/bgs-hilir/stage"),  # ingest invents no readings
        ("svc.api", f"{ROOT}/bgs-hilir/stage"),
        ("svc.api", f"{ROOT}/bgs-hilir/latest"),
        ("svc.api", f"{ROOT}/alerts/019a6f"),
        ("svc.simulator", f"{ROOT}/bgs-hilir/ack"),
        ("svc.simulator", f"{ROOT}/alerts/019a6f"),
    ],
)
def test_what_a_user_may_not_write_never_arrives(broker: servers.Server, writer: str, topic: str) -> None:
    assert not _arrives(broker, writer=writer, topic=topic)


@pytest.mark.parametrize(
    ("reader", "topic", "allowed"),
    [
        ("bgs-hulu", f"{ROOT}/bgs-hulu/config", True),
        ("bgs-hulu", f"{ROOT}/bgs-hilir/config", False),
        ("bgs-hulu", f"{ROOT}/bgs-hilir/ack", False),
        ("bgs-hulu", f"{ROOT}/bgs-hilir/latest", False),
        ("bgs-hulu", f"{ROOT}/alerts/019a6f/bulletin", True),  # its siren may listen
        ("bgs-hulu", f"{ROOT}/alerts/019a6f", False),
        ("svc.api", f"{ROOT}/bgs-hilir/latest", True),
        ("svc.api", f"{ROOT}/alerts/019a6f", True),
        ("svc.simulator", f"{ROOT}/bgs-hilir/config", True),
        ("svc.simulator", f"{ROOT}/bgs-hilir/latest", False),
    ],
)
def test_a_user_reads_its_own_downlink_only(
    broker: servers.Server, reader: str, topic: str, *, allowed: bool
) -> None:
    assert _arrives(broker, writer="svc.ingest", topic=topic, reader=reader) is allowed


def test_ingest_may_share_its_subscription(broker: servers.Server) -> None:
    with _client(broker, "svc.ingest") as worker, _client(broker, "bgs-hulu") as agent:
        worker.subscribe("$share/ingest/serayu/v1/33.02/+/stage")
        agent.publish(f"{ROOT}/bgs-hulu/stage", b"shared")
        assert worker.received.get(timeout=10) == (f"{ROOT}/bgs-hulu/stage", b"shared")


def test_anonymous_is_refused(broker: servers.Server) -> None:
    with _client(broker, None) as nobody:
        assert not nobody.accepted


def test_a_wrong_password_is_refused(broker: servers.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(USERS, "bgs-hulu", "guessed")
    with _client(broker, "bgs-hulu") as intruder:
        assert not intruder.accepted


def test_more_than_a_thousand_queued_messages_survive_a_kill(tmp_path: Path) -> None:
    passwords = servers.mosquitto_password_file(tmp_path / "passwords", USERS)
    with servers.mosquitto(tmp_path, conf=_production_conf(passwords)) as broker:
        count = 3000
        with _session(broker) as worker:
            worker.subscribe(f"{ROOT}/bgs-hulu/stage", qos=1)
            granted: queue.Queue[int] = queue.Queue()
            worker.on_subscribe = lambda _c, _d, mid, _r, _p: granted.put(mid)
            worker.loop_start()
            granted.get(timeout=10)
        with _client(broker, "bgs-hulu") as agent:
            for number in range(count):
                agent.publish(f"{ROOT}/bgs-hulu/stage", b"%d" % number)
        broker.restart()
        arrived: queue.Queue[bytes] = queue.Queue()
        with _session(broker) as worker:
            worker.on_message = lambda _c, _d, message: arrived.put(bytes(message.payload))
            worker.loop_start()
            # Saved each 1,000 changes, of which one message makes at least one: the last ones may be lost.
            got = [arrived.get(timeout=10) for _ in range(count - 1000)]
    assert got == [b"%d" % number for number in range(count - 1000)]


@contextmanager
def _session(broker: servers.Server) -> Iterator[mqtt.Client]:
    """A persistent session of ingest; the network loop is the caller's to start."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="ingest-test", clean_session=False)
    client.username_pw_set("svc.ingest", USERS["svc.ingest"])
    client.connect("127.0.0.1", broker.port)
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()
