"""SenML packs (RFC 8428, JSON) with the labels ``oid``, ``seq`` and ``clk``; one codec for edge and ingest.

A record's time is seconds, integer microseconds once resolved. Below 2**32 s (February 2106) doubles lie less than
half a microsecond apart, so every such time survives the round trip through JSON to the microsecond.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from serayu.models.errors import CodecError
from serayu.models.times import US_PER_S

RELATIVE_BELOW_S = float(2**28)  # RFC 8428 section 4.5.3: smaller times are relative to the time of receipt
LATEST_VERSION = 10  # RFC 8428 section 4.4: the version a record has when bver is absent
_NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9\-:./_]*\Z")  # RFC 8428 section 4.5.1
_MUST_UNDERSTAND = re.compile(rb'_"\s*:')
_MAX_EXACT_S = float(2**32)  # beyond, doubles lie a microsecond apart


class SenmlRecord(msgspec.Struct, omit_defaults=True, gc=False):
    """One record as it stands in a pack: labels of RFC 8428 table 1 and ours."""

    bver: int | None = None
    bn: str | None = None
    bt: float | None = None
    bu: str | None = None
    bv: float | None = None
    bs: float | None = None
    n: str | None = None
    u: str | None = None
    v: float | None = None
    vs: str | None = None
    vb: bool | None = None
    vd: str | None = None
    s: float | None = None
    t: float | None = None
    ut: float | None = None
    oid: str | None = None
    seq: int | None = None
    clk: int | None = None


class ResolvedRecord(msgspec.Struct, frozen=True, gc=False):
    """A record with base values applied (RFC 8428 section 4.6).

    Parameters
    ----------
    name, unit
        Full name; unit or None.
    t_us
        Microseconds UTC; relative times are resolved against the time of receipt.
    value
        Number, text, truth value or base64url data; None where only a sum is given.
    sum
        Integrated sum or None.
    oid, seq, clock_ok
        Identity of the reading, and whether its time is the device's own: false where the device says that its
        clock is not good, and for a relative time, which is another one whenever the record is received again.
    """

    name: str
    unit: str | None
    t_us: int
    value: float | str | bool | None
    sum: float | None
    oid: str | None
    seq: int | None
    clock_ok: bool


_decoder = msgspec.json.Decoder(list[SenmlRecord])
_encoder = msgspec.json.Encoder()


def decode_pack(payload: bytes) -> list[SenmlRecord]:
    """Return the records of a JSON pack as they stand.

    Raises
    ------
    CodecError
        Not UTF-8, not JSON, not a pack, an empty pack, or a label that must be understood and is not.
    """
    if not payload.isascii():
        # msgspec does not look at the bytes of labels and values that it skips: a damaged "bt" would be an unknown
        # label, and the reading would be stored with the time of its receipt.
        try:
            payload.decode()
        except UnicodeDecodeError as error:
            raise CodecError("not_utf8", str(error)) from None
    try:
        records = _decoder.decode(payload)
    except msgspec.ValidationError as error:
        raise CodecError("bad_senml", str(error)) from None
    except msgspec.DecodeError as error:
        raise CodecError("bad_json", str(error)) from None
    if not records:
        raise CodecError("bad_senml", "the pack is empty")
    if _MUST_UNDERSTAND.search(payload):
        _check_labels(payload)
    return records


def resolve(records: Sequence[SenmlRecord], *, received_us: int) -> list[ResolvedRecord]:
    """Apply base values and relative times.

    Parameters
    ----------
    records
        As `decode_pack` returns them.
    received_us
        Time of receipt, microseconds UTC: relative times count from it.

    Returns
    -------
    list of ResolvedRecord
        In the order of the pack; a record that only sets base values yields nothing.

    Raises
    ------
    CodecError
        A name that RFC 8428 does not allow, a version that is too new or changes, more than one value, or a time
        outside the exact range.
    """
    resolved = []
    base_name, base_time_s, base_unit, base_value, base_sum = "", 0.0, None, None, None
    version: int | None = None
    oid: str | None = None
    checked_name: str | None = None
    for record in records:
        if record.bver is not None:
            version = _checked_version(record.bver, version)
        base_name = record.bn if record.bn is not None else base_name
        base_time_s = record.bt if record.bt is not None else base_time_s
        base_unit = record.bu if record.bu is not None else base_unit
        base_value = record.bv if record.bv is not None else base_value
        base_sum = record.bs if record.bs is not None else base_sum
        oid = record.oid if record.oid is not None else oid
        value = _value(record, base_value)
        total = record.s if base_sum is None else _plus(record.s, base_sum)
        if value is None and total is None:
            if record.n is None and record.t is None and record.seq is None:
                continue
            raise CodecError("no_value", f"record {record.n!r} has no value")
        name = base_name + (record.n or "")
        if name != checked_name and _NAME.match(name) is None:
            raise CodecError("bad_name", f"{name!r} is not a SenML name")
        checked_name = name
        t_us, relative = _time_us(base_time_s, record.t or 0.0, received_us)
        resolved.append(
            ResolvedRecord(
                name,
                record.u if record.u is not None else base_unit,
                t_us,
                value,
                total,
                oid,
                record.seq,
                record.clk != 0 and not relative,
            )
        )
    return resolved


def encode_pack(records: Iterable[SenmlRecord]) -> bytes:
    """Return the records as a JSON pack, absent labels left out."""
    return _encoder.encode(list(records))


def seconds(t_us: int) -> float:
    """Return microseconds as the seconds of a SenML time; `resolve` gives the same microseconds back."""
    return t_us / US_PER_S


def _time_us(base_s: float, offset_s: float, received_us: int) -> tuple[int, bool]:
    """Return the time, and whether it is relative to the receipt."""
    total_s = base_s + offset_s
    if not -_MAX_EXACT_S < total_s < _MAX_EXACT_S:
        raise CodecError("bad_time", f"{total_s!r} s is outside the exact range")
    t_us = round(base_s * US_PER_S) + round(offset_s * US_PER_S)
    relative = (
        t_us < RELATIVE_BELOW_S * US_PER_S
    )  # in whole microseconds: the sum of two doubles may lie below
    return received_us + t_us if relative else t_us, relative


def _value(record: SenmlRecord, base_value: float | None) -> float | str | bool | None:
    if record.vs is None and record.vb is None and record.vd is None and base_value is None:
        return record.v  # nearly every record
    given = [x for x in (record.v, record.vs, record.vb, record.vd) if x is not None]
    if len(given) > 1:
        raise CodecError("bad_senml", f"record {record.n!r} has {len(given)} values")
    if record.v is not None or (not given and base_value is not None and record.s is None):
        return _plus(record.v, base_value)
    return given[0] if given else None


def _plus(value: float | None, base: float | None) -> float | None:
    return base if value is None else value + (base or 0.0)


def _checked_version(version: int, earlier: int | None) -> int:
    if version > LATEST_VERSION or version < 1:
        raise CodecError("bad_version", f"SenML version {version}; at most {LATEST_VERSION} is understood")
    if earlier is not None and version != earlier:
        raise CodecError("bad_version", f"SenML version changes from {earlier} to {version} within the pack")
    return version


def _check_labels(payload: bytes) -> None:
    """Refuse labels ending in ``_``: RFC 8428 section 4.4 forbids to ignore them, and we know none."""
    for record in msgspec.json.decode(payload, type=list[dict[str, object]]):
        for label in record:
            if label.endswith("_"):
                raise CodecError("must_understand", f"label {label!r} must be understood and is not")
