"""Stands between broker and ingest and damages a share of the readings that come by.

``python -m bench.faults.proxy --listen P --to P --log F [--share 0.01] [--seed N]``

It knows just enough of MQTT 3.1.1: a QoS 1 PUBLISH whose payload it damages keeps its length. Two kinds of lines are
logged. ``g DIGEST WAY TOPIC``: damaged. ``c DIGEST``: and acknowledged by ingest to the broker, so it must be among
the dead letters. A damaged message that ingest never acknowledged (it was killed, or the connection was) says nothing:
the broker or the device sends the original again.
"""

import argparse
import asyncio
import contextlib
import hashlib
import os
import random
from collections.abc import Callable
from pathlib import Path

from bench.faults.garble import garble

_PUBLISH, _PUBACK = 3, 4
_MAX_LENGTH_BYTES = 4
_RESERVED = frozenset({b"status", b"latest", b"config", b"ack"})
_READ_BYTES = 256 * 1024


def take_packets(buffer: bytearray) -> list[bytes]:
    """Take the whole MQTT packets from the front of a buffer."""
    packets = []
    while len(buffer) >= 2:
        length, used = 0, 0
        for used in range(1, min(_MAX_LENGTH_BYTES, len(buffer) - 1) + 1):
            length |= (buffer[used] & 0x7F) << (7 * (used - 1))
            if buffer[used] < 0x80:
                break
        else:
            break
        end = 1 + used + length
        if len(buffer) < end:
            break
        packets.append(bytes(buffer[:end]))
        del buffer[:end]
    return packets


class Damage:
    """Decides about the packets of one connection."""

    def __init__(self, *, share: float, rng: random.Random, note: Callable[[str], None]) -> None:
        self._share = share
        self._rng = rng
        self._note = note
        self._unacknowledged: dict[bytes, str] = {}

    def downward(self, packet: bytes) -> bytes:
        """Return a packet to ingest as it goes on."""
        if packet[0] >> 4 != _PUBLISH or (packet[0] >> 1) & 3 != 1:
            return packet
        body = 1
        while packet[body] & 0x80:
            body += 1
        body += 1
        topic_end = body + 2 + int.from_bytes(packet[body : body + 2])
        topic, mid, payload = (
            packet[body + 2 : topic_end],
            packet[topic_end : topic_end + 2],
            packet[topic_end + 2 :],
        )
        self._unacknowledged.pop(mid, None)
        if not payload or topic.rpartition(b"/")[2] in _RESERVED or self._rng.random() >= self._share:
            return packet
        way, damaged = garble(payload, self._rng)
        digest = self._unacknowledged[mid] = hashlib.sha256(damaged).hexdigest()
        self._note(f"g {digest} {way} {topic.decode(errors='replace')}")
        return packet[: topic_end + 2] + damaged

    def upward(self, packet: bytes) -> bytes:
        """Take notice of a packet from ingest."""
        if packet[0] >> 4 == _PUBACK:
            digest = self._unacknowledged.pop(packet[2:4], None)
            if digest is not None:
                self._note(f"c {digest}")
        return packet


async def _pump(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, change: Callable[[bytes], bytes]
) -> None:
    buffer = bytearray()
    while data := await source.read(_READ_BYTES):
        buffer += data
        target.write(b"".join(change(packet) for packet in take_packets(buffer)))
        await target.drain()


async def serve(*, listen: int, to: int, log: Path, share: float, seed: int) -> None:
    """Serve until killed; a broker that is away closes the connections that come meanwhile."""
    rng = random.Random(seed)  # noqa: S311 -- no secret
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def note(line: str) -> None:
        os.write(file, f"{line}\n".encode())

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        damage = Damage(share=share, rng=rng, note=note)
        writers = [writer]
        with contextlib.suppress(OSError):
            broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", to)
            writers.append(broker_writer)
            pumps = [
                asyncio.ensure_future(_pump(reader, broker_writer, damage.upward)),
                asyncio.ensure_future(_pump(broker_reader, writer, damage.downward)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        for each in writers:
            each.close()

    server = await asyncio.start_server(connected, "127.0.0.1", listen)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.faults.proxy")
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--to", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(serve(listen=given.listen, to=given.to, log=given.log, share=given.share, seed=given.seed))


if __name__ == "__main__":
    main()
