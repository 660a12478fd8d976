"""A bystander at the broker: measures from outside how long commits and alerts take.

It subscribes to everything and notes when a reading passed the broker, when ingest said that it is committed, and
when an alert for it came out. All three are seen by one client, so one clock measures them.
"""

import threading
import time
from typing import Any

import msgspec
import numpy as np
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from serayu.models.broker_url import BrokerUrl
from serayu.models.errors import CodecError
from serayu.models.senml import decode_pack, resolve
from serayu.models.times import parse_rfc3339
from serayu.models.topics import PREFIX

_READING_PARTS = 5


class Percentiles(msgspec.Struct, frozen=True):
    """Latency in milliseconds; None where nothing was measured."""

    p50: float | None
    p99: float | None
    count: int


class LatencyProbe:
    """Listens from `start` to `stop`."""

    def __init__(self, broker: BrokerUrl) -> None:
        self._broker = broker
        self._seen: dict[tuple[str, str, int], float] = {}
        self._seen_at: dict[tuple[str, int], float] = {}
        self._changes: set[int] = set()
        self._commit_s: list[float] = []
        self._alert_s: list[float] = []
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="serayu-probe")
        if broker.username is not None:
            self._client.username_pw_set(broker.username, broker.password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message

    def start(self, *, timeout_s: float = 10.0) -> None:
        """Connect and wait until everything that follows is seen.

        Raises
        ------
        TimeoutError
            The broker does not answer.
        """
        self._client.connect(self._broker.host, self._broker.port)
        self._client.loop_start()
        if not self._ready.wait(timeout_s):
            raise TimeoutError(f"{self._broker} did not take the probe's subscription")

    def stop(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def commit(self) -> Percentiles:
        """Return the time from a reading at the broker to the word that it is committed."""
        return _percentiles(self._commit_s)

    def alert(self) -> Percentiles:
        """Return the time from the deciding reading at the broker to the published alert."""
        return _percentiles(self._alert_s)

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe(f"{PREFIX}/#", 1)

    def _on_message(self, _client: Client, _userdata: object, message: Any) -> None:  # noqa: ANN401 -- paho's
        now_s = time.perf_counter()
        parts = message.topic.split("/")
        if len(parts) != _READING_PARTS or not message.payload:
            return
        _, _, _, station, leaf = parts
        if station == "alerts":
            self._on_alert(message.payload, now_s)
        elif leaf == "ack":
            self._on_ack(station, message.payload, now_s)
        elif leaf not in ("status", "latest", "config"):
            self._on_reading(station, message.payload, now_s)

    def _on_reading(self, station: str, payload: bytes, now_s: float) -> None:
        try:
            records = resolve(decode_pack(payload), received_us=0)
        except CodecError:
            return
        for record in records:
            if record.oid is not None and record.seq is not None:
                self._seen.setdefault((station, record.oid, record.seq), now_s)
                self._seen_at.setdefault((station, record.t_us), now_s)

    def _on_ack(self, station: str, payload: bytes, now_s: float) -> None:
        ack = msgspec.json.decode(payload)
        for first, last in ack["ok"]:
            for seq in range(first, last + 1):
                seen_s = self._seen.pop((station, ack["oid"], seq), None)
                if seen_s is not None:
                    self._commit_s.append(now_s - seen_s)

    def _on_alert(self, payload: bytes, now_s: float) -> None:
        for change in msgspec.json.decode(payload)["changes"]:
            if change["id"] not in self._changes:
                self._changes.add(change["id"])
                seen_s = self._seen_at.get((change["station"], parse_rfc3339(change["at"])))
                if seen_s is not None:
                    self._alert_s.append(now_s - seen_s)


def _percentiles(seconds: list[float]) -> Percentiles:
    if not seconds:
        return Percentiles(None, None, 0)
    p50, p99 = np.percentile(np.asarray(seconds) * 1000, [50, 99])
    return Percentiles(round(float(p50), 2), round(float(p99), 2), len(seconds))
