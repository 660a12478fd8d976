"""Readings as SenML packs, and ingest's answer: the wire format on the device's side."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from serayu.edge.outbox import Pending
from serayu.models.errors import CodecError
from serayu.models.senml import SenmlRecord, encode_pack, seconds
from serayu.models.times import US_PER_S
from serayu.models.topics import topic

__all__ = ["Ack", "Pack", "decode_ack", "make_packs"]


class Pack(NamedTuple):
    """One message and the readings in it."""

    topic: str
    payload: bytes
    seqs: tuple[int, ...]


class Rejection(msgspec.Struct, frozen=True):
    """A reading that ingest refuses, with ``code: detail``."""

    seq: int
    reason: str


class Ack(msgspec.Struct, frozen=True):
    """What ingest has done.

    Parameters
    ----------
    oid
        The outbox that is meant.
    ok
        Ranges of committed readings, both ends included.
    rejected
        Readings refused for good.
    time
        Times (microseconds UTC) that ingest assigned to readings without one.
    now
        Ingest's time, microseconds UTC.
    """

    oid: str
    ok: tuple[tuple[int, int], ...] = ()
    rejected: tuple[Rejection, ...] = ()
    time: tuple[tuple[int, int], ...] = ()
    now: int | None = None


def make_packs(
    readings: Sequence[Pending],
    *,
    region: str,
    station: str,
    oid: str,
    pack_max: int,
    age_us: Callable[[Pending], int],
) -> list[Pack]:
    """Return messages that carry the readings.

    A message holds readings of one property, in the order of ``seq``, and either all or none have a time of their
    own: with a base time a record's time is absolute, without one it is relative to the receipt (RFC 8428 section
    4.5.3).

    Parameters
    ----------
    readings
        In the order of ``seq``.
    region, station, oid
        Whose they are.
    pack_max
        Readings in one message at most.
    age_us
        Age of a reading that has no time of its own, microseconds.
    """
    groups: list[list[Pending]] = []
    open_groups: dict[str, list[Pending]] = {}
    for reading in readings:
        group = open_groups.get(reading.property)
        if group is None or len(group) >= pack_max or (group[0].t_us is None) != (reading.t_us is None):
            group = open_groups[reading.property] = []
            groups.append(group)
        group.append(reading)
    return [_pack(group, region=region, station=station, oid=oid, age_us=age_us) for group in groups]


def _pack(
    group: Sequence[Pending], *, region: str, station: str, oid: str, age_us: Callable[[Pending], int]
) -> Pack:
    base_us = group[0].t_us
    records = []
    for reading in group:
        record = SenmlRecord(n=reading.property, u=reading.unit, v=reading.value, seq=reading.seq)
        if reading.t_us is None or base_us is None:
            record.t, record.clk = -age_us(reading) / US_PER_S, 0
        elif reading.t_us != base_us:
            record.t = seconds(reading.t_us - base_us)
        records.append(record)
    first = records[0]
    first.bn, first.oid = f"{region}/{station}/", oid
    first.bt = None if base_us is None else seconds(base_us)
    name = topic(region, station, group[0].property)
    return Pack(name, encode_pack(records), tuple(reading.seq for reading in group))


_ack_decoder = msgspec.json.Decoder(Ack)


def decode_ack(payload: bytes) -> Ack:
    """Return ingest's answer.

    Raises
    ------
    CodecError
        Not an answer of that form.
    """
    try:
        return _ack_decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CodecError("bad_ack", str(error)) from None
