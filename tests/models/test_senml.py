"""The codec against the examples of RFC 8428 (section 5) and against itself."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.errors import CodecError
from serayu.models.senml import SenmlRecord, decode_pack, encode_pack, resolve, seconds
from serayu.models.times import US_PER_S

RECEIVED_US = 1_320_067_464 * US_PER_S


def resolved(text: str, *, received_us: int = RECEIVED_US) -> list[tuple[str, str | None, int, object]]:
    records = resolve(decode_pack(text.encode()), received_us=received_us)
    return [(one.name, one.unit, one.t_us, one.value) for one in records]


def test_single_data_point_of_section_5_1_1() -> None:
    assert resolved('[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]') == [
        ("urn:dev:ow:10e2073a01080063", "Cel", RECEIVED_US, 23.1)
    ]


def test_multiple_data_points_of_section_5_1_2() -> None:
    text = """[{"bn":"urn:dev:ow:10e2073a01080063:","n":"voltage","u":"V","v":120.1},
               {"n":"current","u":"A","v":1.2}]"""
    assert resolved(text) == [
        ("urn:dev:ow:10e2073a01080063:voltage", "V", RECEIVED_US, 120.1),
        ("urn:dev:ow:10e2073a01080063:current", "A", RECEIVED_US, 1.2),
    ]


def test_base_time_unit_and_version_of_section_5_1_2() -> None:
    text = """[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,
                "n":"voltage","u":"V","v":120.1},
               {"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},{"n":"current","v":1.7}]"""
    base_us = 1_276_020_076_001_000
    assert resolved(text) == [
        ("urn:dev:ow:10e2073a0108006:voltage", "V", base_us, 120.1),
        ("urn:dev:ow:10e2073a0108006:current", "A", base_us - 5 * US_PER_S, 1.2),
        ("urn:dev:ow:10e2073a0108006:current", "A", base_us - 4 * US_PER_S, 1.3),
        ("urn:dev:ow:10e2073a0108006:current", "A", base_us, 1.7),
    ]


def test_multiple_measurements_of_section_5_1_3() -> None:
    text = """[{"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},
               {"u":"lon","v":24.30621},{"u":"lat","v":60.07965},{"t":60,"v":20.3},
               {"u":"lon","t":60,"v":24.30622},{"u":"lat","t":60,"v":60.07965}]"""
    found = resolved(text)
    assert found[0] == ("urn:dev:ow:10e2073a01080063", "%RH", RECEIVED_US, 20.0)
    assert found[4] == ("urn:dev:ow:10e2073a01080063", "lon", RECEIVED_US + 60 * US_PER_S, 24.30622)


def test_texts_truth_values_and_data_of_section_5_1_5() -> None:
    text = """[{"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},
               {"n":"label","vs":"Machine Room"},{"n":"open","vb":false},{"n":"nfv","vd":"aGkgCg"}]"""
    assert [value for *_, value in resolved(text)] == [23.1, "Machine Room", False, "aGkgCg"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('[{"n":"a","bv":2,"v":1.5}]', 3.5, id="base value is added"),
        pytest.param('[{"n":"a","bv":2}]', 2.0, id="missing value counts as zero"),
        pytest.param('[{"n":"a","v":0}]', 0.0, id="zero is a value"),
        pytest.param('[{"bn":"a","v":-1e-3}]', -0.001, id="name from the base alone"),
    ],
)
def test_base_values(text: str, value: float) -> None:
    assert [found for *_, found in resolved(text)] == [value]


def test_a_time_that_only_rounding_puts_below_the_bound_of_relative_times_is_absolute() -> None:
    later_s, bound_s = 752_475_311.903832, 268_435_456.0
    text = f'[{{"bt":{later_s!r},"n":"a","v":1}},{{"t":{bound_s - later_s!r},"n":"b","v":1}}]'
    assert resolved(text)[1][2] == 268_435_456 * US_PER_S


def test_a_small_time_is_relative_to_the_receipt() -> None:
    assert resolved('[{"n":"a","v":1,"t":-12.5}]')[0][2] == RECEIVED_US - 12_500_000
    assert resolved('[{"n":"a","v":1,"t":268435455}]')[0][2] == RECEIVED_US + 268_435_455 * US_PER_S
    assert resolved('[{"n":"a","v":1,"t":268435456}]')[0][2] == 268_435_456 * US_PER_S


@pytest.mark.parametrize(
    ("labels", "clock_ok"),
    [
        pytest.param('"t":1320067464', True, id="absolute"),
        pytest.param('"bt":1320067464,"t":-5', True, id="absolute by its base"),
        pytest.param('"t":1320067464,"clk":0', False, id="the device does not trust its clock"),
        pytest.param('"t":-5,"clk":0', False, id="an age"),
        pytest.param('"t":-5', False, id="an age, without saying so"),
        pytest.param('"t":-5,"clk":1', False, id="an age from a device that trusts its clock"),
        pytest.param('"clk":1', False, id="no time at all"),
    ],
)
def test_only_an_absolute_time_is_the_devices_own(labels: str, clock_ok: bool) -> None:  # noqa: FBT001
    pack = '[{"n":"a","v":1,"oid":"ab","seq":7,%s}]' % labels  # noqa: UP031
    (record,) = resolve(decode_pack(pack.encode()), received_us=RECEIVED_US)
    assert record.clock_ok is clock_ok


def test_our_labels_ride_along_and_strange_ones_are_ignored() -> None:
    text = '[{"n":"a","v":1,"oid":"ab","seq":7,"clk":0,"x-extra":{"deep":[1]}},{"n":"b","v":2,"seq":8}]'
    records = resolve(decode_pack(text.encode()), received_us=RECEIVED_US)
    assert [(one.oid, one.seq, one.clock_ok) for one in records] == [("ab", 7, False), ("ab", 8, False)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param('[{"n":"a","v":1,"need_":1}]', "must_understand", id="label ending in _"),
        pytest.param('[{"n":"-a","v":1}]', "bad_name", id="name begins with a sign"),
        pytest.param('[{"v":1}]', "bad_name", id="no name"),
        pytest.param('[{"n":"a","v":1,"bver":5},{"n":"a","v":1,"bver":6}]', "bad_version", id="two versions"),
        pytest.param('[{"n":"a","seq":3}]', "no_value", id="no value"),
    ],
)
def test_what_rfc_8428_forbids_is_refused(text: str, code: str) -> None:
    with pytest.raises(CodecError) as caught:
        resolved(text)
    assert caught.value.code == code


def test_an_underscore_inside_a_text_is_no_label() -> None:
    assert resolved('[{"n":"a","vs":"must_: not"}]')[0][3] == "must_: not"


@given(
    st.lists(
        st.tuples(
            st.integers(2**28 * US_PER_S, 2**32 * US_PER_S - 1),
            st.floats(allow_nan=False, allow_infinity=False),
            st.integers(0, 2**53),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_what_is_encoded_comes_back_to_the_microsecond(readings: list[tuple[int, float, int]]) -> None:
    records = [
        SenmlRecord(n="99.01/hulu/stage", u="m", t=seconds(t_us), v=value, oid="ab", seq=seq)
        for t_us, value, seq in readings
    ]
    found = resolve(decode_pack(encode_pack(records)), received_us=0)
    assert [(one.t_us, one.value, one.seq) for one in found] == readings


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_json_breaks_the_codec(document: object) -> None:
    with suppress(CodecError):
        resolve(decode_pack(json.dumps(document).encode()), received_us=0)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_codec(payload: bytes) -> None:
    with suppress(CodecError):
        resolve(decode_pack(payload), received_us=0)


@pytest.mark.parametrize("label", [b'"b\xff":1', b'"x":"\xff"', b'"x":{"y":["\xff"]}'])
def test_bytes_that_are_not_utf8_are_refused_even_where_nothing_reads_them(label: bytes) -> None:
    with pytest.raises(CodecError) as refused:
        decode_pack(b'[{"n":"a","v":1.0,' + label + b"}]")
    assert refused.value.code == "not_utf8"


def test_other_alphabets_are_read() -> None:
    (record,) = decode_pack('[{"n":"a","vs":"hujan 水"}]'.encode())
    assert record.vs == "hujan 水"
