"""The proxy of the fault campaign: what it damages cannot be decoded, and MQTT's framing stays whole."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.faults.garble import WAYS, garble
from bench.faults.proxy import Damage, take_packets
from serayu.models.errors import CodecError
from serayu.models.senml import SenmlRecord, decode_pack, encode_pack

PACK = encode_pack([SenmlRecord(bn="99.77/pos-01/", bt=1.8e9, n="stage", u="m", v=7.0, oid="ab", seq=7)])


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 -- no secret


def publish(
    payload: bytes, *, topic: bytes = b"serayu/v1/99.77/pos-01/stage", mid: int = 5, qos: int = 1
) -> bytes:
    """A PUBLISH (MQTT 3.1.1 section 3.3)."""
    body = len(topic).to_bytes(2) + topic + (mid.to_bytes(2) if qos else b"") + payload
    length, head = len(body), bytearray([0x30 | qos << 1])
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + body


def puback(mid: int) -> bytes:
    return b"\x40\x02" + mid.to_bytes(2)


def damage(share: float) -> tuple[Damage, list[str]]:
    notes: list[str] = []
    return Damage(share=share, rng=seeded(1), note=notes.append), notes


def test_what_was_damaged_has_the_same_length_and_is_neither_json_nor_a_pack() -> None:
    ways = set()
    for seed in range(200):
        way, damaged = garble(PACK, seeded(seed))
        ways.add(way)
        assert len(damaged) == len(PACK), seed
        with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
            json.loads(damaged)
        with pytest.raises(CodecError):
            decode_pack(damaged)
    assert ways == set(WAYS)


@given(st.binary(min_size=1, max_size=50), st.integers(0, 9))
def test_any_payload_can_be_damaged(payload: bytes, seed: int) -> None:
    assert len(garble(payload, seeded(seed))[1]) == len(payload)


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 50))
def test_packets_are_taken_whole_however_the_bytes_come(payloads: list[bytes], piece: int) -> None:
    packets = [publish(payload) for payload in payloads]
    stream, buffer, taken = b"".join(packets), bytearray(), []
    for start in range(0, len(stream), piece):
        buffer += stream[start : start + piece]
        taken += take_packets(buffer)
    assert taken == packets
    assert not buffer


def test_a_damaged_message_counts_as_corrupted_once_it_is_acknowledged() -> None:
    proxy, notes = damage(1.0)
    damaged = proxy.downward(publish(PACK, mid=5))
    assert damaged[: -len(PACK)] == publish(PACK, mid=5)[: -len(PACK)]
    assert [note[0] for note in notes] == ["g"]
    assert proxy.upward(puback(6)) == puback(6)
    assert [note[0] for note in notes] == ["g"]
    proxy.upward(puback(5))
    proxy.upward(puback(5))
    assert [note.split()[0] for note in notes] == ["g", "c"]
    assert notes[0].split()[1] == notes[1].split()[1]


@pytest.mark.parametrize(
    "packet",
    [
        publish(PACK, topic=b"serayu/v1/99.77/pos-01/status"),
        publish(PACK, topic=b"serayu/v1/99.77/pos-01/ack"),
        publish(PACK, qos=0),
        publish(b""),
        puback(5),
        b"\xd0\x00",
    ],
    ids=["status", "ack", "qos 0", "empty", "puback", "pingresp"],
)
def test_what_carries_no_readings_goes_by(packet: bytes) -> None:
    proxy, notes = damage(1.0)
    assert proxy.downward(packet) == packet
    assert notes == []


def test_without_a_share_nothing_is_damaged() -> None:
    proxy, notes = damage(0.0)
    assert proxy.downward(publish(PACK)) == publish(PACK)
    assert notes == []
