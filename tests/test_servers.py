"""The servers that other tests stand on: they start, keep their data, and are required on demand."""

from pathlib import Path

import httpx
import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests import servers

pytestmark = pytest.mark.servers


def test_an_absent_program_skips_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERAYU_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed"):
        servers.require("no-such-server")


@pytest.mark.parametrize("value", ["servers", "browser,servers"])
def test_an_absent_program_fails_the_test_where_servers_are_required(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("SERAYU_REQUIRE", value)
    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed"):
        servers.require("no-such-server")


def _publish_retained(port: int, topic: str, payload: bytes) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, payload, qos=1, retain=True).wait_for_publish(timeout=10)
    client.disconnect()
    client.loop_stop()


def _retained(port: int, topic: str) -> list[bytes]:
    found: list[bytes] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: found.append(bytes(message.payload))
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe(topic, qos=1)
    servers.wait_for(lambda: len(found) > 0, what="the retained message")
    client.disconnect()
    client.loop_stop()
    return found


def test_mosquitto_keeps_a_retained_message_over_a_clean_stop(tmp_path: Path) -> None:
    with servers.mosquitto(tmp_path) as broker:
        _publish_retained(broker.port, "t/latest", b"1.25")
        broker.stop()
        assert not broker.running
        assert not servers.listens(broker.port)
        broker.start()
        assert _retained(broker.port, "t/latest") == [b"1.25"]


def test_influxdb_keeps_its_points_over_a_kill(tmp_path: Path) -> None:
    with servers.influxd(tmp_path) as database:
        point = {"params": {"db": "serayu", "precision": "u"}, "content": b"stage,station=a v=1.5 1000001"}
        assert httpx.post(f"{database.url}/write", **point).status_code == httpx.codes.NO_CONTENT  # type: ignore[arg-type]
        first = database.pid
        database.restart()
        assert database.pid != first
        query = {"db": "serayu", "q": "SELECT v FROM stage", "epoch": "u"}
        answer = httpx.get(f"{database.url}/query", params=query).json()
        assert answer["results"][0]["series"][0]["values"] == [[1000001, 1.5]]


def test_postgresql_answers_over_a_restart() -> None:
    with servers.postgres(database="kali") as database:
        database.stop()
        database.start()
        with psycopg.connect(database.url.replace("+psycopg", "")) as link:
            assert link.execute("SELECT current_database()").fetchone() == ("kali",)
