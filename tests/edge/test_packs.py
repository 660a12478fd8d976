"""Packs: what ingest's codec reads is what the outbox held."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.edge.outbox import Pending
from serayu.edge.packs import Ack, Rejection, decode_ack, make_packs
from serayu.edge.series import EARLIEST_US, LATEST_US
from serayu.models.errors import CodecError
from serayu.models.senml import decode_pack, resolve
from serayu.models.times import US_PER_S
from serayu.models.topics import parse_topic
from tests.edge.support import START_US


def reading(seq: int, *, slug: str = "stage", t_us: int | None = START_US, boot_us: int = 0) -> Pending:
    return Pending(seq, slug, seq / 7, "m", t_us, 1, boot_us, 0)


def packs(*readings: Pending, pack_max: int = 3) -> list[tuple[str, bytes, tuple[int, ...]]]:
    made = make_packs(
        readings,
        region="33.02",
        station="bgs-hulu",
        oid="ab12",
        pack_max=pack_max,
        age_us=lambda r: 90 * US_PER_S - r.boot_us,
    )
    return [(pack.topic, pack.payload, pack.seqs) for pack in made]


def test_no_readings_make_no_packs() -> None:
    assert packs() == []


def test_a_pack_has_the_labels_of_the_wire_format() -> None:
    [(topic, payload, seqs)] = packs(reading(7), reading(8, t_us=START_US + 1_500_000))
    assert topic == "serayu/v1/33.02/bgs-hulu/stage"
    assert seqs == (7, 8)
    assert json.loads(payload) == [
        {
            "bn": "33.02/bgs-hulu/",
            "bt": START_US / US_PER_S,
            "n": "stage",
            "u": "m",
            "v": 1.0,
            "oid": "ab12",
            "seq": 7,
        },
        {"n": "stage", "u": "m", "v": 8 / 7, "t": 1.5, "seq": 8},
    ]


def test_a_reading_without_a_time_goes_with_its_age() -> None:
    [(_, payload, _)] = packs(
        reading(1, t_us=None, boot_us=60 * US_PER_S), reading(2, t_us=None, boot_us=90 * US_PER_S)
    )
    first, second = json.loads(payload)
    assert (first["t"], first["clk"], second["t"], second["clk"]) == (-30.0, 0, 0.0, 0)
    assert "bt" not in first
    resolved = resolve(decode_pack(payload), received_us=START_US)
    assert [(r.t_us, r.clock_ok) for r in resolved] == [(START_US - 30 * US_PER_S, False), (START_US, False)]


def test_a_pack_holds_one_property_one_kind_of_time_and_so_many_readings() -> None:
    made = packs(
        reading(1),
        reading(2, slug="rain"),
        reading(3),
        reading(4),
        reading(5),
        reading(6, slug="rain", t_us=None),
        reading(7, slug="rain"),
    )
    assert [(topic.rpartition("/")[2], seqs) for topic, _, seqs in made] == [
        ("stage", (1, 3, 4)),
        ("rain", (2,)),
        ("stage", (5,)),
        ("rain", (6,)),
        ("rain", (7,)),
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["stage", "rain", "soil-moisture"]),
            st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.integers(EARLIEST_US, LATEST_US - 1),
        ),
        max_size=40,
    ),
    st.integers(1, 20),
)
def test_ingest_reads_exactly_what_was_pending(
    rows: list[tuple[str, float, int | None]], pack_max: int
) -> None:
    given_ = [Pending(n, slug, v, "m", t_us, 1, 0, 0) for n, (slug, v, t_us) in enumerate(rows, start=1)]
    found = []
    for topic, payload, seqs in packs(*given_, pack_max=pack_max):
        records = resolve(decode_pack(payload), received_us=START_US)
        assert tuple(r.seq for r in records) == seqs
        assert {r.oid for r in records} == {"ab12"}
        for r in records:
            assert r.name == f"33.02/bgs-hulu/{parse_topic(topic).leaf}"
            found.append((r.seq, parse_topic(topic).leaf, r.value, r.t_us if r.clock_ok else None))
    assert sorted(found, key=lambda r: r[0] or 0) == [(p.seq, p.property, p.value, p.t_us) for p in given_]


def test_an_answer_of_ingest_is_read() -> None:
    payload = json.dumps(
        {
            "oid": "ab12",
            "ok": [[1, 4], [9, 9]],
            "rejected": [{"seq": 5, "reason": "unknown_unit: m in 'furlong'"}],
            "time": [[6, START_US]],
            "now": START_US + 1,
            "a key of a later version": True,
        }
    ).encode()
    assert decode_ack(payload) == Ack(
        "ab12",
        ((1, 4), (9, 9)),
        (Rejection(5, "unknown_unit: m in 'furlong'"),),
        ((6, START_US),),
        START_US + 1,
    )


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff\xfe",
        b'{"oid": 5}',
        b'{"oid": "x", "ok": [[1]]}',
        b'{"oid": "x", "ok": [["a", 2]]}',
    ],
)
def test_an_answer_that_is_none_is_an_error(payload: bytes) -> None:
    with pytest.raises(CodecError, match="bad_ack"):
        decode_ack(payload)
