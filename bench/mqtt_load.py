"""A fleet in one process: publishes prebuilt SenML packs at QoS 1 as fast as asked, over MQTT 3.1.1 bytes of its own.

Nothing is encoded while the clock runs, so that the load costs little beside what is measured. Waits for a line
on standard input, publishes, and prints one JSON line about it.
"""

import argparse
import contextlib
import json
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from serayu.models.senml import SenmlRecord, encode_pack, seconds
from serayu.models.topics import PREFIX

REGION = "33.02"
PROPERTIES = (("stage", "m"), ("battery", "V"))
STEP_US = 1_000_000
KEEPALIVE_S = 3600  # no load takes as long, so no PINGREQ; rumqttd closes a connection that asks for 0
_PUBACK_BYTES = 4


@dataclass(frozen=True, slots=True)
class Load:
    """What is published: messages in turn from every datastream of every station, one reading a second each.

    Parameters
    ----------
    name
        Part of the outboxes' identity: loads of different names are different readings.
    messages, pack
        How many messages, readings in each.
    stations
        Stations with two datastreams each.
    """

    name: str
    messages: int
    pack: int
    stations: int = 200

    @property
    def readings(self) -> int:
        """How many readings it has."""
        return self.messages * self.pack

    @property
    def datastreams(self) -> int:
        """How many datastreams take turns."""
        return self.stations * len(PROPERTIES)

    def place(self, message: int) -> tuple[str, str, int]:
        """Return station, outbox and first seq of a message; its readings have the seq that follow."""
        turn, datastream = divmod(message, self.datastreams)
        station, which = divmod(datastream, len(PROPERTIES))
        first = 1 + (turn * len(PROPERTIES) + which) * self.pack
        return station_id(station), f"{self.name}{station:04d}", first

    def message_of(self, oid: str, seq: int) -> int:
        """Return which message carried a reading: the reverse of `place`."""
        station = int(oid.removeprefix(self.name))
        turn, which = divmod((seq - 1) // self.pack, len(PROPERTIES))
        return turn * self.datastreams + station * len(PROPERTIES) + which

    def packets(self, *, end_us: int) -> Iterator[bytes]:
        """Yield PUBLISH packets (MQTT 3.1.1 section 3.3), QoS 1, packet ids 1 to 65535 in turn.

        Parameters
        ----------
        end_us
            Phenomenon time of the newest reading, microseconds UTC.
        """
        turns = -(-self.messages // self.datastreams)
        start_us = end_us - turns * self.pack * STEP_US
        for message in range(self.messages):
            station, oid, first_seq = self.place(message)
            slug, unit = PROPERTIES[message % len(PROPERTIES)]
            index = message // self.datastreams * self.pack
            records = [
                SenmlRecord(
                    n=slug, u=unit, v=_value(message, index + i), seq=first_seq + i, t=float(i) or None
                )
                for i in range(self.pack)
            ]
            head = records[0]
            head.bn, head.bt, head.oid = f"{REGION}/{station}/", seconds(start_us + index * STEP_US), oid
            yield publish_packet(
                f"{PREFIX}/{REGION}/{station}/{slug}", encode_pack(records), message % 65535 + 1
            )


def _value(message: int, index: int) -> float:
    """Return a slow triangle wave with digits: nothing for quality control to say, nothing that compresses."""
    phase = (index + message * 7) % 200
    return round(3.0 + 0.002 * min(phase, 200 - phase), 3)


def station_id(number: int) -> str:
    """Return the id of a generated station."""
    return f"pos-{number:04d}"


def write_region(folder: Path, *, stations: int, interval_s: float = 1.0) -> None:
    """Write a region of generated stations; every tenth is a river post with limits that no value reaches."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "region.toml").write_text(
        f'code = "{REGION}"\nname = "Beban uji"\nsource = "generated for a benchmark"\n', encoding="utf-8"
    )
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [109 + number / 1000, -7.4]},
            "properties": {
                "id": station_id(number),
                "name": f"Pos {number}",
                "kind": "river",
                "invented": True,
                "source": "generated for a benchmark",
                "datastreams": [{"property": slug, "interval_s": interval_s} for slug, _ in PROPERTIES],
            },
        }
        for number in range(stations)
    ]
    collection = {"type": "FeatureCollection", "features": features}
    (folder / "stations.geojson").write_bytes(msgspec.json.encode(collection))
    posts = [
        f"[post.{station_id(number)}]\nwaspada_m = 7.0\nsiaga_m = 8.0\nawas_m = 9.0\n"
        'source = "generated for a benchmark"\nvalid_from = "2026-01-01"\napproved_by = "nobody"\ninvented = true\n'
        for number in range(0, stations, 10)
    ]
    (folder / "thresholds.toml").write_text("\n".join(posts), encoding="utf-8")


def publish_packet(topic: str, payload: bytes, packet_id: int) -> bytes:
    """Return a QoS 1 PUBLISH packet."""
    name = topic.encode()
    body = struct.pack(">H", len(name)) + name + struct.pack(">H", packet_id) + payload
    return b"\x32" + _length(len(body)) + body


def _length(length: int) -> bytes:
    """Return the remaining length (MQTT 3.1.1 section 2.2.3)."""
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (128 if length else 0))
        if not length:
            return bytes(encoded)


def connect(port: int, client_id: str) -> socket.socket:
    """Return a connection with a clean session."""
    name = client_id.encode()
    body = b"\x00\x04MQTT\x04\x02" + struct.pack(">HH", KEEPALIVE_S, len(name)) + name
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(b"\x10" + _length(len(body)) + body)
    answer = connection.recv(4, socket.MSG_WAITALL)
    if answer[:1] != b"\x20" or answer[3:] != b"\x00":
        raise ConnectionError(f"the broker answered {answer!r} to CONNECT")
    connection.settimeout(0)
    return connection


@dataclass(frozen=True, slots=True)
class Published:
    """What was published when: monotonic nanoseconds, which all processes of a machine share."""

    first_ns: int
    last_ns: int
    cpu_s: float
    sent_ns: list[int]


class Publisher:
    """Sends packets with at most *window* of them unacknowledged, at *rate* per second or as fast as it goes."""

    def __init__(
        self, connection: socket.socket, packets: list[bytes], *, window: int, rate: float | None
    ) -> None:
        self._connection = connection
        self._packets = packets
        self._window = window
        self._rate = rate
        self._answer_bytes = 0
        self._unsent = b""
        self._sent_ns: list[int] = []

    def run(self, *, stall_s: float = 60.0) -> Published:
        """Publish all and wait for every PUBACK; raises TimeoutError when the broker falls silent."""
        first_ns = time.monotonic_ns()
        cpu_s, heard = time.process_time(), time.monotonic()
        while self._answer_bytes < len(self._packets) * _PUBACK_BYTES:
            waiting = self._send_due(first_ns)
            readable, _, _ = select.select(
                [self._connection], [self._connection] if self._unsent else [], [], waiting
            )
            if readable:
                heard = time.monotonic()
                answer = self._connection.recv(65536)
                if not answer:
                    raise ConnectionError("the broker closed the connection")
                self._answer_bytes += len(answer)
            elif (
                time.monotonic() - heard > stall_s
                and len(self._sent_ns) > self._answer_bytes // _PUBACK_BYTES
            ):
                raise TimeoutError(f"no PUBACK for {stall_s} s after {self._answer_bytes // _PUBACK_BYTES}")
        return Published(first_ns, time.monotonic_ns(), time.process_time() - cpu_s, self._sent_ns)

    def _send_due(self, first_ns: int) -> float:
        """Send what may be sent; return how long there is nothing to do, seconds."""
        now_ns = time.monotonic_ns()
        done = len(self._sent_ns)
        allowed = self._answer_bytes // _PUBACK_BYTES + self._window
        if self._rate is not None:
            allowed = min(allowed, int((now_ns - first_ns) / 1e9 * self._rate) + 1)
        if allowed > done and not self._unsent:
            batch = self._packets[done:allowed]
            self._unsent = b"".join(batch)
            self._sent_ns.extend([now_ns] * len(batch))
        if self._unsent:
            with contextlib.suppress(BlockingIOError):
                self._unsent = self._unsent[self._connection.send(self._unsent) :]
        return 0.001 if self._rate is not None else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.mqtt_load", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--pack", type=int, default=1)
    parser.add_argument("--stations", type=int, default=200)
    parser.add_argument("--window", type=int, default=1000)
    parser.add_argument(
        "--rate", type=float, help="messages per second; default: as fast as the broker takes them"
    )
    options = parser.parse_args()
    load = Load(options.name, options.messages, options.pack, options.stations)
    packets = list(load.packets(end_us=time.time_ns() // 1000))
    connection = connect(options.port, f"load-{options.name}")
    print("ready", flush=True)
    if sys.stdin.readline():
        published = Publisher(connection, packets, window=options.window, rate=options.rate).run()
        print(json.dumps(asdict(published)), flush=True)


if __name__ == "__main__":
    main()
