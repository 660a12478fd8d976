"""Ways in which a message is damaged on its way; none leaves anything that can be decoded."""

import json
import random
from collections.abc import Callable, Mapping


def _bytes_ff(payload: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(payload)
    for place in rng.sample(range(len(payload)), min(len(payload), rng.randint(1, 8))):
        damaged[place] = 0xFF  # never part of UTF-8
    return bytes(damaged)


def _cut(payload: bytes, rng: random.Random) -> bytes:
    return payload[: rng.randrange(len(payload))].ljust(len(payload))


def _zeroed(payload: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(payload))
    return payload[:start] + bytes(len(payload) - start)


def _brackets(payload: bytes, rng: random.Random) -> bytes:  # noqa: ARG001 -- one form of all
    return payload.translate(bytes.maketrans(b"[]{}", b"][}{"))


def _noise(payload: bytes, rng: random.Random) -> bytes:
    return rng.randbytes(len(payload))


WAYS: Mapping[str, Callable[[bytes, random.Random], bytes]] = {
    "bytes_ff": _bytes_ff,
    "cut": _cut,
    "zeroed": _zeroed,
    "brackets": _brackets,
    "noise": _noise,
}


def garble(payload: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Return the way chosen and the damaged payload, of the same length (not 0) and certainly no JSON."""
    way = rng.choice(sorted(WAYS))
    damaged = WAYS[way](payload, rng)
    if _is_json(damaged):
        way, damaged = "bytes_ff", _bytes_ff(payload, rng)
    if _is_json(damaged) or len(damaged) != len(payload):
        raise AssertionError(f"{way} left something to decode: {damaged!r}")
    return way, damaged


def _is_json(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except ValueError:
        return False
    return True
