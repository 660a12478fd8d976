"""From an MQTT message to readings: what cannot be decoded, what is refused, what is accepted."""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import msgspec

from serayu.models.errors import CodecError, RefusedError
from serayu.models.properties import OBSERVED_PROPERTIES, ObservedProperty
from serayu.models.reading import Reading, SeriesKey
from serayu.models.region import Region
from serayu.models.senml import ResolvedRecord, SenmlRecord, decode_pack, encode_pack, resolve, seconds
from serayu.models.stores.dead_letters import DeadLetter
from serayu.models.times import US_PER_MINUTE, parse_rfc3339, rfc3339
from serayu.models.topics import Topic, parse_topic

MAX_PAYLOAD_BYTES = 64 * 1024
FAR_FUTURE_US = 10 * US_PER_MINUTE
MAX_OID_LENGTH = 64  # an outbox identity is at most a UUID or a digest in hex
MAX_SEQ = 2**63 - 1  # what SQLite can hold
EARLIEST_US = parse_rfc3339("2015-01-01T00:00:00Z")  # a device with a dead clock says 1970 or its build date


class Message(NamedTuple):
    """An MQTT publication and when it came, microseconds UTC."""

    topic: str
    payload: bytes
    received_us: int


class Refused(NamedTuple):
    """A reading that is told to its device as rejected."""

    topic: Topic
    oid: str
    seq: int
    letter: DeadLetter


class Decoded(msgspec.Struct):
    """What one message holds."""

    readings: list[Reading] = msgspec.field(default_factory=list)
    refused: list[Refused] = msgspec.field(default_factory=list)
    undecodable: DeadLetter | None = None


class Channel:
    """What is known of a topic: its datastream, or why readings on it are refused."""

    def __init__(self, topic: Topic, region: Region) -> None:
        self.topic = topic
        self.key = SeriesKey(topic.region, topic.station, topic.leaf)
        self.name = f"{topic.region}/{topic.station}/{topic.leaf}"
        self._region = region

    @cached_property
    def refusal(self) -> RefusedError | None:
        """Why no reading of this topic can be accepted, or None."""
        topic, region = self.topic, self._region
        if topic.region != region.code:
            return RefusedError(
                "wrong_region", f"region {topic.region!r}; this ingest serves {region.code!r}"
            )
        if topic.leaf not in OBSERVED_PROPERTIES:
            return RefusedError("unknown_property", f"{topic.leaf!r} is not an observed property")
        station = region.stations.get(topic.station)
        if station is None:
            return RefusedError(
                "unknown_station", f"station {topic.station!r} is not in region {region.code}"
            )
        if station.datastream(topic.leaf) is None:
            return RefusedError("unknown_datastream", f"station {topic.station!r} has no {topic.leaf!r}")
        return None

    @cached_property
    def observed(self) -> ObservedProperty:
        """The observed property of an accepted channel."""
        return OBSERVED_PROPERTIES[self.topic.leaf]


class Decoder:
    """Decodes messages for one region.

    Parameters
    ----------
    region
        Whose stations and datastreams are known.
    max_payload_bytes
        A larger message is a dead letter, unread.
    far_future_us
        A reading later than the clock by more than this is refused.
    """

    def __init__(
        self,
        region: Region,
        *,
        max_payload_bytes: int = MAX_PAYLOAD_BYTES,
        far_future_us: int = FAR_FUTURE_US,
    ) -> None:
        self._region = region
        self._max_payload_bytes = max_payload_bytes
        self._far_future_us = far_future_us
        self._channels: dict[str, Channel] = {}

    def decode(self, message: Message, *, now_us: int) -> Decoded:
        """Return the readings of a message; never raises for what a device may send.

        Parameters
        ----------
        message
            As it came.
        now_us
            The clock that decides about the far future: the system's or that of a replay.
        """
        try:
            channel, records = self._records(message)
        except CodecError as error:
            letter = DeadLetter(message.topic, message.payload, error.code, error.detail, message.received_us)
            return Decoded(undecodable=letter)
        decoded = Decoded()
        latest_us = now_us + self._far_future_us
        for record in records:
            try:
                decoded.readings.append(_reading(record, channel, latest_us))
            except RefusedError as error:
                decoded.refused.append(_refused(record, channel, error, message))
        return decoded

    def _records(self, message: Message) -> tuple[Channel, list[ResolvedRecord]]:
        if len(message.payload) > self._max_payload_bytes:
            size = len(message.payload)
            raise CodecError("oversized", f"{size} bytes; at most {self._max_payload_bytes} are read")
        channel = self._channels.get(message.topic)
        if channel is None:
            channel = self._channels[message.topic] = Channel(parse_topic(message.topic), self._region)
        records = resolve(decode_pack(message.payload), received_us=message.received_us)
        for record in records:
            _check_identity(record)
        return channel, records


def _check_identity(record: ResolvedRecord) -> None:
    if not record.oid or record.seq is None:
        raise CodecError("no_identity", f"record {record.name!r} has no oid or no seq")
    if len(record.oid) > MAX_OID_LENGTH:
        raise CodecError(
            "bad_identity", f"an oid of {len(record.oid)} characters; at most {MAX_OID_LENGTH} are kept"
        )
    if not 0 <= record.seq <= MAX_SEQ:
        raise CodecError("bad_identity", f"seq {record.seq} is not between 0 and {MAX_SEQ}")


def _reading(record: ResolvedRecord, channel: Channel, latest_us: int) -> Reading:
    if channel.refusal is not None:
        raise channel.refusal
    if record.name != channel.name:
        raise RefusedError("wrong_name", f"record {record.name!r} on the topic of {channel.name!r}")
    value = record.value
    if isinstance(value, bool) or not isinstance(value, float):
        raise RefusedError("not_numeric", f"value {value!r}")
    if record.unit is None:
        raise RefusedError("unknown_unit", f"{channel.key.property} without a unit")
    value = channel.observed.to_canonical(value, record.unit)
    if not math.isfinite(value):
        raise RefusedError("not_finite", f"value {value!r}")
    if record.t_us > latest_us:
        raise RefusedError("far_future", f"{rfc3339(record.t_us)} is after {rfc3339(latest_us)}")
    if record.t_us < EARLIEST_US:
        raise RefusedError("implausible_time", f"{rfc3339(record.t_us)} is before {rfc3339(EARLIEST_US)}")
    return Reading(channel.key, record.t_us, value, record.oid or "", record.seq or 0, record.clock_ok)


def _refused(record: ResolvedRecord, channel: Channel, error: RefusedError, message: Message) -> Refused:
    letter = DeadLetter(message.topic, single_record(record), error.code, error.detail, message.received_us)
    return Refused(channel.topic, record.oid or "", record.seq or 0, letter)


def single_record(record: ResolvedRecord) -> bytes:
    """Return a pack of one resolved record, so that a refused reading can be replayed by itself."""
    value = record.value
    given: Mapping[str, object] = (
        {"vb": value}
        if isinstance(value, bool)
        else {"v": value}
        if isinstance(value, float)
        else {"vs": value}
    )
    return encode_pack(
        [
            SenmlRecord(
                n=record.name,
                u=record.unit,
                t=seconds(record.t_us),
                s=record.sum,
                oid=record.oid,
                seq=record.seq,
                clk=None if record.clock_ok else 0,
                **given,  # type: ignore[arg-type]
            )
        ]
    )


def reading_letter(reading: Reading, reason: str, detail: str, received_us: int) -> DeadLetter:
    """Return the dead letter of a reading that was decoded and could not be stored."""
    unit = OBSERVED_PROPERTIES[reading.key.property].unit
    name = "/".join(reading.key)
    record = ResolvedRecord(
        name, unit, reading.t_us, reading.value, None, reading.oid, reading.seq, reading.clock_ok
    )
    return DeadLetter(f"serayu/v1/{name}", single_record(record), reason, detail, received_us)
