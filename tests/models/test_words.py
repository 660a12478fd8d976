"""Topics, times, properties, broker addresses."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.broker_url import BrokerUrl
from serayu.models.errors import BadInputError, CodecError, RefusedError
from serayu.models.properties import OBSERVED_PROPERTIES, observed_property
from serayu.models.quality import DEFAULT_PROFILES
from serayu.models.reading import Reading, SeriesKey
from serayu.models.times import from_us, parse_rfc3339, parse_span, rfc3339, to_us, wib
from serayu.models.topics import RESERVED, parse_topic, topic


@pytest.mark.parametrize(
    "text",
    [
        "",
        "serayu/v1/33.02/bgs-hulu",
        "serayu/v1/33.02/bgs-hulu/stage/more",
        "serayu/v2/33.02/bgs-hulu/stage",
        "serayu/v1/33_02/bgs-hulu/stage",
        "serayu/v1/33.02/B/stage",
        "serayu/v1/33.02/b/stage",
        "serayu/v1/33.02/" + "b" * 41 + "/stage",
        "serayu/v1/33.02/status/stage",
        "serayu/v1/33.02/bgs-hulu/stage\n",
    ],
)
def test_other_topics_are_refused(text: str) -> None:
    with pytest.raises(CodecError):
        parse_topic(text)


def test_a_topic_comes_apart_as_it_was_put_together() -> None:
    assert tuple(parse_topic(topic("33.02", "bgs-hulu", "soil-moisture"))) == (
        "33.02",
        "bgs-hulu",
        "soil-moisture",
    )


def test_every_property_has_a_profile_and_is_no_reserved_word() -> None:
    assert set(DEFAULT_PROFILES) == set(OBSERVED_PROPERTIES)
    assert not RESERVED & set(OBSERVED_PROPERTIES)
    for one in OBSERVED_PROPERTIES.values():
        assert one.physical_range[0] < one.physical_range[1]
        assert one.unit not in one.accepted


@pytest.mark.parametrize(
    ("slug", "value", "unit", "expected"),
    [
        ("stage", 250.0, "cm", 2.5),
        ("air-temperature", 300.15, "K", 27.0),
        ("speed", 10.0, "m/s", 36.0),
        ("occupancy", 0.25, "/", 25.0),
        ("signal", -120.0, "dBW", -90.0),
        ("stage", 2.5, "m", 2.5),
    ],
)
def test_units_become_canonical(slug: str, value: float, unit: str, expected: float) -> None:
    assert observed_property(slug).to_canonical(value, unit) == pytest.approx(expected)


def test_an_unknown_unit_names_the_accepted_ones() -> None:
    with pytest.raises(RefusedError, match=r"stage in 'ft'; accepted: m, cm, mm"):
        observed_property("stage").to_canonical(1.0, "ft")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_reading_is_a_finite_number(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Reading(SeriesKey("33.02", "bgs-hulu", "stage"), 0, value, "ab", 1)


@given(st.integers(-(2**50), 2**52))
def test_times_come_back_to_the_microsecond(t_us: int) -> None:
    assert parse_rfc3339(rfc3339(t_us)) == t_us == to_us(from_us(t_us))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        parse_rfc3339("2026-01-10T12:00:00")


def test_people_read_wib() -> None:
    assert wib(parse_rfc3339("2026-01-10T18:30:00Z")) == "11-01-2026 01.30 WIB"


@pytest.mark.parametrize("text", ["", "10", "min", "-5s", "5 weeks", "1e3s"])
def test_other_spans_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="span"):
        parse_span(text)


@pytest.mark.parametrize(
    "text", ["localhost", "http://x", "mqtt://", "mqtt://host:port", "mqtt://host:99999"]
)
def test_other_broker_addresses_are_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="broker address"):
        BrokerUrl.parse(text)


def test_a_broker_address_never_shows_its_password() -> None:
    url = BrokerUrl.parse("mqtt://agent:p%40ss@broker.example:1884")
    assert (url.username, url.password, str(url)) == ("agent", "p@ss", "mqtt://broker.example:1884")
