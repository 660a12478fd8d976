"""Quiet hours, retries, signatures, phone numbers and timers of a region."""

import hmac
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serayu.models.delivery.phone import e164, masked
from serayu.models.delivery.quiet import quiet_until
from serayu.models.delivery.recipient import QuietHours
from serayu.models.delivery.retry import wait_us
from serayu.models.delivery.settings import DeliverySettings, RetryRule, load_delivery_settings
from serayu.models.delivery.signature import sign, verify_signature
from serayu.models.delivery.stop import is_stop
from serayu.models.errors import BadInputError
from serayu.models.places import default_region
from serayu.models.siaga_levels import Siaga
from serayu.models.times import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, parse_rfc3339

NIGHT = QuietHours(21 * 60, 5 * 60)
VECTORS = Path(__file__).parents[2] / "data" / "webhook_signatures.json"


def wib(clock: str, day: int = 10) -> int:
    return parse_rfc3339(f"2026-01-{day}T{clock}:00+07:00")


@pytest.mark.parametrize(
    ("at_us", "until_us"),
    [
        (wib("20:59"), None),
        (wib("21:00"), wib("05:00", 11)),
        (wib("23:59"), wib("05:00", 11)),
        (wib("00:00"), wib("05:00")),
        (wib("04:59"), wib("05:00")),
        (wib("05:00"), None),
        (wib("12:00"), None),
    ],
)
def test_quiet_hours_pass_midnight(at_us: int, until_us: int | None) -> None:
    assert quiet_until(NIGHT, at_us) == until_us


def test_quiet_hours_of_one_day_and_of_no_length() -> None:
    noon = QuietHours(12 * 60, 13 * 60)
    assert quiet_until(noon, wib("12:30")) == wib("13:00")
    assert quiet_until(noon, wib("13:00")) is None
    assert quiet_until(QuietHours(60, 60), wib("01:00")) is None


@given(
    start=st.integers(0, 1439),
    end=st.integers(0, 1439),
    at_us=st.integers(0, 4_000_000_000).map(lambda s: s * 10**6),
)
def test_quiet_hours_end_within_a_day_and_are_then_over(start: int, end: int, at_us: int) -> None:
    until_us = quiet_until(QuietHours(start, end), at_us)
    if until_us is not None:
        assert at_us < until_us <= at_us + US_PER_DAY
        assert quiet_until(QuietHours(start, end), until_us) is None


@pytest.mark.parametrize("minute", [-1, 1440])
def test_a_time_of_day_lies_in_the_day(minute: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 1439"):
        QuietHours(minute, 0)


@given(attempts=st.integers(0, 10**6), chance=st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_longer_than_the_longest_nor_shorter_than_half_of_the_first(
    attempts: int, chance: float
) -> None:
    rule = RetryRule()
    assert rule.first_us / 2 <= wait_us(attempts, rule=rule, chance=chance) <= rule.most_us
    assert wait_us(attempts, rule=rule, chance=0) <= wait_us(attempts + 1, rule=rule, chance=0)


def test_the_published_signatures_are_those_of_rfc_2104() -> None:
    for vector in json.loads(VECTORS.read_text("utf-8"))["vectors"]:
        body, timestamp = vector["body"].encode(), vector["timestamp"]
        mac = hmac.digest(vector["secret"].encode(), f"{timestamp}.".encode() + body, "sha256").hex()
        assert (
            sign(body, vector["secret"], timestamp_s=timestamp)
            == vector["header"]
            == f"t={timestamp},v1={mac}"
        )
        assert verify_signature(body, vector["header"], vector["secret"], now_s=timestamp + 299)


def test_the_documented_check_and_vectors_are_right() -> None:
    page = (Path(__file__).parents[3] / "docs" / "delivery.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 -- what receivers are told to copy
    now_s = int(time.time())
    assert names["good"](b"{}", sign(b"{}", "rahasia", timestamp_s=now_s), "rahasia")
    assert not names["good"](b"{ }", sign(b"{}", "rahasia", timestamp_s=now_s), "rahasia")
    assert not names["good"](b"{}", sign(b"{}", "rahasia", timestamp_s=now_s - 400), "rahasia")
    for vector in json.loads(VECTORS.read_text("utf-8"))["vectors"]:
        assert f"`{vector['header']}`" in page


GOOD = sign(b"{}", "rahasia", timestamp_s=1000)


@pytest.mark.parametrize(
    ("body", "header", "secret", "now_s"),
    [
        (b"{ }", GOOD, "rahasia", 1000),
        (b"{}", GOOD, "lain", 1000),
        (b"{}", GOOD, "rahasia", 1301),
        (b"{}", GOOD, "rahasia", 699),
        (b"{}", GOOD.replace("t=1000", "t=1001"), "rahasia", 1000),
        (b"{}", "", "rahasia", 1000),
        (b"{}", GOOD + "\n", "rahasia", 1000),
        (b"{}", GOOD.upper(), "rahasia", 1000),
    ],
)
def test_a_changed_old_or_foreign_request_is_refused(
    body: bytes, header: str, secret: str, now_s: int
) -> None:
    assert verify_signature(b"{}", GOOD, "rahasia", now_s=1000)
    assert not verify_signature(body, header, secret, now_s=now_s)


@pytest.mark.parametrize(
    "text",
    [
        "081200000001",
        "0812-0000-0001",
        "62812 00000001",
        "+62 (812) 0000.0001",
        "0062812 0000 0001",
        "+62 0812 0000 0001",
    ],
)
def test_spellings_of_a_number_are_one(text: str) -> None:
    assert e164(text) == "+6281200000001"


@pytest.mark.parametrize("text", ["", "halo", "12345", "+0812", "+1234567890123456", "0812x", "+٦٢٨١٢٠٠٠٠٠٠"])
def test_what_is_no_number_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadInputError, match="not a phone number") as error:
        e164(text)
    assert not text or text not in str(error.value)


def test_a_masked_address_does_not_tell_it() -> None:
    assert masked("+6281234567890") == "+628********90"
    assert masked("https://u:p@host.example:8443/a/b?key=1#f") == "https://host.example:8443/…"
    assert masked("mailto://user:pass@host") == "mailto://…"


def test_a_region_without_timers_has_the_defaults(tmp_path: Path) -> None:
    assert load_delivery_settings(tmp_path) == DeliverySettings()


def test_the_region_that_comes_with_serayu_has_timers_that_can_be_read() -> None:
    assert load_delivery_settings(default_region()).escalation.wait_us(0) == 10 * US_PER_MINUTE


@pytest.mark.parametrize("text", ["BERHENTI", " berhenti.\n", "Stop", "UNREG", "stop!", "berhenti siaga"])
def test_words_that_stop(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize("text", ["", "tidak berhenti hujan", "stopkontak", "kapan berhenti?", "1"])
def test_words_that_do_not_stop(text: str) -> None:
    assert not is_stop(text)


def test_timers_are_written_as_people_write_them(tmp_path: Path) -> None:
    (tmp_path / "delivery.toml").write_text(
        '[quiet]\nstart = "22:30"\nend = "04:00"\n[repeat]\nwindow = "2h"\n[retry]\nfirst = "1s"\nmost = "1min"\n'
        '[escalation]\nlowest = "awas"\nafter = ["5min", "1h"]\n'
    )
    settings = load_delivery_settings(tmp_path)
    assert settings.quiet == QuietHours(22 * 60 + 30, 4 * 60)
    assert settings.repeat.window_us == 2 * US_PER_HOUR
    assert (settings.retry.first_us, settings.retry.most_us) == (10**6, US_PER_MINUTE)
    assert settings.escalation.lowest is Siaga.AWAS
    assert [settings.escalation.wait_us(step) for step in (0, 1, 2)] == [5 * US_PER_MINUTE, US_PER_HOUR, None]


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("[", None, "not TOML"),
        ("[quiet]\nstart = '25:00'\nend = '05:00'", "quiet.start", "25:00"),
        ("[quiet]\nstart = '21:00'", "quiet.end", "missing"),
        ("[retry]\nfirst = '10min'", "retry", "first <= most"),
        ("[retry]\nlast = 1", "retry.last", "unknown"),
        ("[retry]\nfirst_us = 1.5", "retry.first", "span such as 10min"),
        ("[escalation]\nafter = ['0min']", "escalation", "longer than nothing"),
        ("[escalation]\nafter = ['5min', 'soon']", "escalation.after", "not 'soon'"),
        ("[escalation]\nlowest = 'normal'", "escalation", "waspada, siaga or awas"),
        ("[escalation]\nlowest = 'red'", "escalation.lowest", "'red'"),
        ("[colour]\nred = 1", "colour", "unknown"),
        ("quiet = 3", "quiet", "Expected `object`"),
        ("[retry]\nfirst = 3", "retry.first", "such as 2s, not 3"),
        ("[escalation]\nafter = [1]", "escalation.after", "such as 10min"),
    ],
)
def test_wrong_timers_name_the_file_the_field_and_the_reason(
    tmp_path: Path, text: str, field: str | None, reason: str
) -> None:
    (tmp_path / "delivery.toml").write_text(text)
    with pytest.raises(BadInputError, match=reason) as error:
        load_delivery_settings(tmp_path)
    assert (error.value.file, error.value.field) == (str(tmp_path / "delivery.toml"), field)
