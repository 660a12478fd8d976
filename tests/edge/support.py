"""A device clock to turn by hand, and an ingest that answers as a test tells it to."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from typing_extensions import override

from serayu.edge.clock import DeviceClock, SystemSource
from serayu.edge.drivers import Setup
from serayu.models.senml import ResolvedRecord, decode_pack, resolve
from serayu.models.times import US_PER_S, parse_rfc3339

START_US = parse_rfc3339("2026-11-22T00:00:00Z")


@dataclass
class FakeSource:
    """Clocks that stand still until a test moves them."""

    wall: int = START_US
    boot: int = 5 * US_PER_S
    synced: bool = True
    start: str = "boot-1"

    def wall_us(self) -> int:
        return self.wall

    def boot_us(self) -> int:
        return self.boot

    def boot_id(self) -> str:
        return self.start

    def synchronised(self) -> bool:
        return self.synced

    def pass_s(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.wall += round(seconds * US_PER_S)
        self.boot += round(seconds * US_PER_S)

    def jump_s(self, seconds: float) -> None:
        """Set the wall clock."""
        self.wall += round(seconds * US_PER_S)


def good_clock(source: FakeSource) -> DeviceClock:
    clock = DeviceClock(source, trust=True)
    clock.check()
    return clock


def setup(
    source: FakeSource | None = None,
    *,
    property_slug: str | None = None,
    resume_after: int = 0,
    room: Callable[[], int] = lambda: 1_000,
    station: str = "bgs-hulu",
) -> Setup:
    source = source or FakeSource()
    return Setup(
        station=station,
        property=property_slug,
        resume_after=resume_after,
        room=room,
        wall_us=source.wall_us,
        boot_us=source.boot_us,
    )


Answer = Callable[[list[ResolvedRecord]], dict[str, Any] | None]


def confirm_all(records: list[ResolvedRecord]) -> dict[str, Any] | None:
    return {"ok": [[record.seq, record.seq] for record in records]}


@dataclass
class Ingest:
    """Listens on a broker, keeps what comes by identity, and answers by a function that a test chooses."""

    port: int
    answer: Answer = confirm_all
    received: "dict[tuple[str, int], list[ResolvedRecord]]" = field(default_factory=lambda: defaultdict(list))
    statuses: list[dict[str, Any]] = field(default_factory=list)
    packs: list[tuple[str, list[ResolvedRecord]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="ingest")
        self._client.on_connect = lambda client, *_: client.subscribe("serayu/v1/+/+/+", 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: dict[str, Any] | bytes, *, retain: bool = False) -> None:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.publish(topic, body, qos=1, retain=retain)

    def seqs(self) -> list[int]:
        """Numbers received, each once, in the order of the first time."""
        with self.lock:
            return [seq for _, seq in self.received]

    def last_status(self) -> dict[str, Any]:
        return self.statuses[-1] if self.statuses else {}

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        prefix, _, leaf = message.topic.rpartition("/")
        if leaf == "status":
            self.statuses.append(json.loads(message.payload))
        if leaf in ("status", "ack", "config"):
            return
        records = resolve(decode_pack(bytes(message.payload)), received_us=START_US)
        oid = records[0].oid or ""
        with self.lock:
            self.packs.append((message.topic, records))
            for record in records:
                self.received[oid, record.seq or 0].append(record)
        answer = self.answer(records)
        if answer is not None:
            self.publish(f"{prefix}/ack", {"oid": oid, **answer})


class UnsetSource(SystemSource):
    """The clocks of a device that was just switched on: right since the start, and 1970."""

    @override
    def wall_us(self) -> int:
        return self.boot_us()

    @override
    def synchronised(self) -> bool:
        return False
