import pytest

from serayu.ingest.decode import Decoder, Message
from serayu.ingest.pipeline import Pipeline
from serayu.models.reading import SeriesKey
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.times import US_PER_DAY, US_PER_MINUTE
from tests.ingest.conftest import NOW_US, message

GOOD = '[{"n":"99.01/hulu/stage","u":"m","t":1767999600,"v":1.5,"oid":"aa","seq":1}]'


def refused(region: Region, one: Message) -> list[str]:
    decoded = Decoder(region).decode(one, now_us=NOW_US)
    assert decoded.undecodable is None
    return [refusal.letter.reason for refusal in decoded.refused]


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        pytest.param("serayu/v1/99.01/hulu/stage", b"", "bad_json", id="empty payload"),
        pytest.param("serayu/v1/99.01/hulu/stage", b"[]", "bad_senml", id="empty pack"),
        pytest.param("serayu/v1/99.01/hulu/stage", b"{}", "bad_senml", id="not an array"),
        pytest.param("serayu/v1/99.01/hulu/stage", b'[{"v":"high"}]', "bad_senml", id="text for a number"),
        pytest.param("serayu/v1/99.01/hulu/stage", b'[{"n":"a","v":NaN}]', "bad_json", id="NaN is not JSON"),
        pytest.param("serayu/v1/99.01/hulu/stage", b"\xff\xfe[", "not_utf8", id="not UTF-8"),
        pytest.param("serayu/v1/99.01/hulu/stage", b'[{"n":"\xff"}]', "not_utf8", id="not UTF-8 inside"),
        pytest.param("serayu/v1/99.01/hulu/stage", b" " * 70_000, "oversized", id="over the limit"),
        pytest.param("serayu/v1/99.01/hulu/stage", b'[{"n":"a b","v":1}]', "bad_name", id="name not allowed"),
        pytest.param(
            "serayu/v1/99.01/hulu/stage", b'[{"n":"a","v":1,"vs":"x"}]', "bad_senml", id="two values"
        ),
        pytest.param("serayu/v1/99.01/hulu/stage", b'[{"n":"a","t":1}]', "no_value", id="no value"),
        pytest.param("serayu/v1/99.01/hulu/stage", b'[{"n":"a","v":1}]', "no_identity", id="no oid"),
        pytest.param(
            "serayu/v1/99.01/hulu/stage",
            b'[{"n":"a","v":1,"oid":"aa","seq":-1}]',
            "bad_identity",
            id="negative seq",
        ),
        pytest.param(
            "serayu/v1/99.01/hulu/stage",
            GOOD.replace('"seq":1', f'"seq":{2**63}').encode(),
            "bad_identity",
            id="seq beyond 63 bits",
        ),
        pytest.param(
            "serayu/v1/99.01/hulu/stage",
            GOOD.replace('"oid":"aa"', f'"oid":"{"a" * 65}"').encode(),
            "bad_identity",
            id="endless oid",
        ),
        pytest.param(
            "serayu/v1/99.01/hulu/stage", b'[{"n":"a","v":1,"x_":1}]', "must_understand", id="must-understand"
        ),
        pytest.param(
            "serayu/v1/99.01/hulu/stage", b'[{"n":"a","v":1,"bver":11}]', "bad_version", id="version"
        ),
        pytest.param(
            "serayu/v1/99.01/hulu/stage", b'[{"n":"a","v":1,"t":1e300}]', "bad_time", id="endless time"
        ),
        pytest.param("serayu/v2/99.01/hulu/stage", GOOD.encode(), "bad_topic", id="other version"),
        pytest.param("serayu/v1/99.01/HULU/stage", GOOD.encode(), "bad_topic", id="capitals"),
        pytest.param("serayu/v1/99.01/hulu", GOOD.encode(), "bad_topic", id="short topic"),
    ],
)
def test_what_cannot_be_decoded_is_one_explained_letter(
    region: Region, topic: str, payload: bytes, reason: str
) -> None:
    decoded = Decoder(region).decode(Message(topic, payload, NOW_US), now_us=NOW_US)
    assert not decoded.readings
    assert not decoded.refused
    assert decoded.undecodable is not None
    assert (decoded.undecodable.reason, bool(decoded.undecodable.detail)) == (reason, True)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        pytest.param(message(1.5, station="nobody"), "unknown_station", id="unknown station"),
        pytest.param(message(1.5, slug="discharge"), "unknown_datastream", id="no such datastream there"),
        pytest.param(message(1.5, slug="colour"), "unknown_property", id="unknown property"),
        pytest.param(message(1.5, region="99.02"), "wrong_region", id="wrong region"),
        pytest.param(message(1.5, unit="furlong"), "unknown_unit", id="unknown unit"),
        pytest.param(message(1.5, unit=None), "unknown_unit", id="no unit"),
        pytest.param(message(1.5, first_us=NOW_US + US_PER_DAY), "far_future", id="far future"),
        pytest.param(
            message(1.5, first_us=631_152_000_000_000), "implausible_time", id="before there were stations"
        ),
        pytest.param(
            message(1.5)._replace(topic="serayu/v1/99.01/hilir/stage"), "wrong_name", id="another's name"
        ),
        pytest.param(
            Message("serayu/v1/99.01/hulu/stage", GOOD.replace('"v":1.5', '"vb":true').encode(), NOW_US),
            "not_numeric",
            id="truth value",
        ),
        pytest.param(
            Message("serayu/v1/99.01/hulu/stage", GOOD.replace('"v":1.5', '"vs":"NaN"').encode(), NOW_US),
            "not_numeric",
            id="NaN as text",
        ),
    ],
)
def test_what_is_decoded_and_refused_can_be_told_to_the_device(
    region: Region, one: Message, reason: str
) -> None:
    assert refused(region, one) == [reason]


def test_the_largest_identity_is_stored_and_known_again(pipeline: Pipeline, store: HotStore) -> None:
    largest = message(1.5, first_seq=2**63 - 1, oid="a" * 64)
    assert [pipeline.process([largest]).stored for _ in range(2)] == [1, 0]
    assert [(one.oid, one.seq) for one in store.window(SeriesKey("99.01", "hulu", "stage"), 0, 2**62)] == [
        ("a" * 64, 2**63 - 1)
    ]


def test_the_bound_of_the_far_future_is_inside(region: Region) -> None:
    decoder = Decoder(region, far_future_us=10 * US_PER_MINUTE)
    at = decoder.decode(message(1.5, first_us=NOW_US + 10 * US_PER_MINUTE), now_us=NOW_US)
    after = decoder.decode(message(1.5, first_us=NOW_US + 10 * US_PER_MINUTE + 1), now_us=NOW_US)
    assert (len(at.readings), len(after.readings)) == (1, 0)


def test_units_are_converted_to_the_canonical_one(region: Region) -> None:
    decoded = Decoder(region).decode(message(300.15, slug="air-temperature", unit="K"), now_us=NOW_US)
    assert [reading.value for reading in decoded.readings] == [pytest.approx(27.0)]


def test_one_bad_record_does_not_take_the_others_with_it(region: Region) -> None:
    pack = (
        '[{"bn":"99.01/hulu/","bt":1767999600,"n":"stage","u":"m","v":1,"oid":"aa","seq":1},'
        '{"n":"stage","u":"furlong","t":1,"v":2,"seq":2},{"n":"stage","u":"m","t":2,"v":3,"seq":3}]'
    )
    decoded = Decoder(region).decode(
        Message("serayu/v1/99.01/hulu/stage", pack.encode(), NOW_US), now_us=NOW_US
    )
    assert [reading.seq for reading in decoded.readings] == [1, 3]
    assert [(refusal.oid, refusal.seq) for refusal in decoded.refused] == [("aa", 2)]


def test_a_refused_reading_is_kept_in_a_form_that_decodes_to_itself(region: Region) -> None:
    decoder = Decoder(region)
    one = message(1.5, 2.5, station="nobody")
    letters = [refusal.letter for refusal in decoder.decode(one, now_us=NOW_US).refused]
    again = [
        decoder.decode(Message(one.topic, letter.payload, NOW_US), now_us=NOW_US).refused
        for letter in letters
    ]
    assert [[refusal.seq for refusal in refusals] for refusals in again] == [[1], [2]]
    assert [refusals[0].letter.payload for refusals in again] == [letter.payload for letter in letters]


def test_a_device_without_a_clock_sends_an_age(region: Region) -> None:
    pack = '[{"n":"99.01/hulu/stage","u":"m","t":-90.5,"v":1,"oid":"aa","seq":1,"clk":0}]'
    one = Message("serayu/v1/99.01/hulu/stage", pack.encode(), NOW_US)
    (reading,) = Decoder(region).decode(one, now_us=NOW_US).readings
    assert (reading.t_us, reading.clock_ok) == (NOW_US - 90_500_000, False)
