"""Latencies at a steady rate: from sending a message to seeing it stored, and to having its ack."""

import statistics
import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import Self

import msgspec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from bench.mqtt_load import Load
from bench.subjects import STALL_S, Subject
from serayu.models.topics import PREFIX


class Acks:
    """Listens to what ingest says to all stations."""

    def __init__(self, port: int) -> None:
        self._came: list[tuple[int, bytes]] = []
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="bench-acks")
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(f"{PREFIX}/+/+/ack", qos=0)

    def __enter__(self) -> Self:
        self._client.loop_start()
        if not self._subscribed.wait(10):
            raise TimeoutError("no SUBACK")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self._came.append((time.monotonic_ns(), bytes(message.payload)))

    def latencies_ms(self, load: Load, sent_ns: Sequence[int]) -> list[float]:
        """Return, for every message, the time from sending it to the ack of its last reading."""
        acked_ns = [0] * load.messages
        for came_ns, payload in self._came:
            ack = msgspec.json.decode(payload)
            for start, end in ack["ok"]:
                for seq in range(start, end + 1):
                    acked_ns[load.message_of(ack["oid"], seq)] = came_ns
        if not all(acked_ns):
            raise RuntimeError(f"{acked_ns.count(0)} messages were never confirmed")
        return [(acked - sent) / 1e6 for acked, sent in zip(acked_ns, sent_ns, strict=True)]


def watch_kept(subject: Subject, readings: int) -> list[tuple[int, int]]:
    """Return how many readings were kept at which monotonic nanosecond, at each change."""
    seen = [(subject.kept(), time.monotonic_ns())]
    while seen[-1][0] < readings and time.monotonic_ns() - seen[-1][1] < STALL_S * 1e9:
        time.sleep(0.001)
        kept, now_ns = subject.kept(), time.monotonic_ns()
        if kept != seen[-1][0]:
            seen.append((kept, now_ns))
    return seen


def commit_ms(load: Load, sent_ns: Sequence[int], seen: Sequence[tuple[int, int]]) -> list[float]:
    """Return the time from sending each message to seeing it stored: one publisher's readings are stored in order."""
    counts = [kept for kept, _ in seen]
    return [
        (seen[bisect_left(counts, (index + 1) * load.pack)][1] - sent) / 1e6
        for index, sent in enumerate(sent_ns)
    ]


def percentiles(what: str, values_ms: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values_ms, n=100, method="inclusive")
    return {f"publish to {what}, p50": cuts[49], f"publish to {what}, p99": cuts[98]}
