"""The Atom feed: newest first, valid when empty, small, the same bytes for the same alerts."""

import gzip
from pathlib import Path

import msgspec
from lxml import etree

from serayu.models.cap.check import check_cap
from serayu.models.cap.feed import atom_feed, etag, listed
from serayu.models.times import US_PER_HOUR
from serayu.models.uuid7 import uuid7
from serayu.models.warning.authority import load_authority
from serayu.models.warning.bulletin import Bulletin, MessageType
from tests.models.cap.generated import FROM_US, bulletin

BANYUMAS = load_authority(Path(__file__).parents[3] / "regions" / "banyumas")
FEED = "https://uji.invalid/v1/alerts.atom"
ATOM = {"a": "http://www.w3.org/2005/Atom"}

replace = msgspec.structs.replace


def feed(*bulletins: Bulletin, now_us: int = FROM_US, since_us: int = 0) -> bytes:
    return atom_feed(
        bulletins,
        BANYUMAS,
        now_us=now_us,
        feed_url=FEED,
        alert_url=lambda one: f"https://uji.invalid/v1/bulletins/{one.id}.cap.xml",
        since_us=since_us,
    )


def at(hour: int, msg_type: MessageType = MessageType.ALERT, *, about: Bulletin | None = None) -> Bulletin:
    sent_us = FROM_US + hour * US_PER_HOUR
    return replace(
        bulletin(hour),
        id=uuid7(sent_us),
        msg_type=msg_type,
        references=() if about is None else ((about.id, about.sent_us),),
        sent_us=sent_us,
        expires_us=sent_us + 24 * US_PER_HOUR,
    )


def entry_ids(data: bytes) -> list[str]:
    return [str(one.text) for one in etree.fromstring(data).iterfind("a:entry/a:id", ATOM)]


def test_an_empty_feed_is_valid_and_has_the_time_of_the_last_bulletin() -> None:
    data = feed(since_us=FROM_US)
    assert check_cap(data).problems == ()
    assert (entry_ids(data), b"<updated>2026-01-01T07:00:00+07:00</updated>" in data) == ([], True)


def test_a_feed_without_any_bulletin_was_updated_today_and_stays_the_same_all_day() -> None:
    early, late = feed(now_us=FROM_US + US_PER_HOUR), feed(now_us=FROM_US + 2 * US_PER_HOUR)
    assert early == late
    assert (check_cap(early).problems, b"<updated>2026-01-01T07:00:00+07:00</updated>" in early) == ((), True)


def test_entries_are_the_alerts_newest_first_and_lead_to_them() -> None:
    first, second = at(1), at(2)
    data = feed(first, second)
    assert check_cap(data).problems == ()
    assert entry_ids(data) == [BANYUMAS.identifier(second.id), BANYUMAS.identifier(first.id)]
    link = etree.fromstring(data).find("a:entry/a:link", ATOM)
    assert link is not None
    assert (link.get("type"), link.get("href")) == (
        "application/cap+xml",
        f"https://uji.invalid/v1/bulletins/{second.id}.cap.xml",
    )
    assert "bukan peringatan resmi" in data.decode()


def test_an_update_takes_the_place_of_what_it_replaces() -> None:
    first = at(1)
    update = at(2, MessageType.UPDATE, about=first)
    assert listed([first, update], now_us=FROM_US) == [update]


def test_what_an_update_replaced_does_not_come_back_when_the_update_lapses_first() -> None:
    first = at(1)
    update = replace(at(2, MessageType.UPDATE, about=first), expires_us=first.expires_us - US_PER_HOUR)
    assert listed([first, update], now_us=update.expires_us - 1) == [update]
    assert listed([first, update], now_us=update.expires_us) == []


def test_a_cancelled_alert_stays_beside_its_cancel_until_it_lapses() -> None:
    first = at(1)
    cancel = at(2, MessageType.CANCEL, about=first)
    assert listed([first, cancel], now_us=FROM_US) == [cancel, first]
    assert listed([first, cancel], now_us=first.expires_us) == [cancel]
    assert listed([first, cancel], now_us=cancel.expires_us) == []


def test_the_tag_changes_with_the_alerts_and_not_with_the_clock() -> None:
    one = at(1)
    assert etag(feed(one)) == etag(feed(one, now_us=FROM_US + US_PER_HOUR))
    assert etag(feed(one)) != etag(feed(one, at(2)))


def test_a_thousand_alerts_stay_below_100_kb_compressed() -> None:
    drawn = [bulletin(seed) for seed in range(1000)]
    far_us = FROM_US + 1000 * 24 * US_PER_HOUR
    data = feed(
        *(replace(one, msg_type=MessageType.ALERT, references=(), expires_us=far_us) for one in drawn)
    )
    assert len(entry_ids(data)) == 1000
    assert check_cap(data).problems == ()
    assert len(gzip.compress(data)) < 100_000
