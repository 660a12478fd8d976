"""The scorecard over the api and as a page: honest without events, computed when something changed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from serayu.models.siaga import Siaga
from serayu.models.warning.bulletin import BulletinStatus, MessageType
from tests.api.site import Site, site
from tests.api.test_bulletins import put

N, W, S, A = Siaga
H_S = 3600.0


@pytest.fixture(name="scored")
def _scored(tmp_path: Path) -> Iterator[Site]:
    """An api whose scorecard is computed again at every call after a change."""
    with site(tmp_path, scorecard_min_age_s=0) as made:
        yield made


def flood(api: Site) -> None:
    """One flood of twenty hours ago that was warned of two hours before, and one yesterday that was not."""
    for hour in range(60):
        level = 2.6 if 36 <= 60 - hour <= 38 or 18 <= 60 - hour <= 20 else 1.0
        api.put("hilir", "stage", level, age_s=(60 - hour) * H_S)
    said = put(
        api, station="hilir", alert_id="a1", level=W, status=BulletinStatus.TEST, age_us=round(22 * H_S * 1e6)
    )
    put(
        api, station="hilir", alert_id="a1", level=N, before=W, status=BulletinStatus.TEST, change_id=None,
        msg_type=MessageType.CANCEL,
        references=((said.id, said.sent_us),), age_us=round(10 * H_S * 1e6),
    )  # fmt: skip


def test_without_events_the_page_says_so_and_shows_no_number(scored: Site) -> None:
    page = scored.get("/nilai")
    assert page.status_code == 200
    assert "Belum ada kejadian." in page.text
    assert "No events yet." in page.text
    assert "<script" not in page.text
    document = scored.get("/api/v1/scorecard").json()
    assert document["records"] == []
    assert document["together"]["awas"]["pod"] == {"value": None, "low": None, "high": None, "n": 0}


def test_events_and_warnings_are_counted_and_listed(scored: Site) -> None:
    flood(scored)
    document = scored.get("/api/v1/scorecard").json()
    row = document["stations"]["hilir"]["levels"]["waspada"]
    assert (row["events"], row["hits"], row["misses"], row["false_alarms"]) == (2, 1, 1, 0)
    assert row["lead_median_min"]["value"] == pytest.approx(120, abs=1)
    assert [one["outcome"] for one in document["records"]] == ["missed", "hit"]
    page = scored.get("/nilai").text
    assert "Belum ada kejadian." in page  # of the other post
    assert "Pos Hilir &lt;i&gt;" in page
    assert "50 %" in page
    assert "2,0 jam" in page
    assert "Kejadiannya masih sedikit" in page
    assert "Sebagian batas pos dibuat-buat" in page
    assert "Dari 2 berita yang dihitung, 0 ditandatangani" in page


def test_a_warning_minutes_ahead_is_called_late_and_not_missed_or_false(scored: Site) -> None:
    for age_s in range(4 * 3600, 0, -60):
        scored.put("hilir", "stage", 2.6 if age_s <= 2 * H_S else 1.0, age_s=age_s)
    put(
        scored, station="hilir", alert_id="a1", level=W, status=BulletinStatus.TEST,
        age_us=round((2 * H_S + 90) * 1e6),
    )  # fmt: skip
    row = scored.get("/api/v1/scorecard").json()["stations"]["hilir"]["levels"]["waspada"]
    assert (row["hits"], row["misses"], row["late"], row["false_alarms"], row["late_ahead"]) == (
        0,
        1,
        1,
        1,
        1,
    )
    page = scored.get("/nilai").text
    counts = dict(
        re.findall(
            r'data-label="(Kejadian|Tepat waktu|Terlambat|Luput|Keliru)">(\d+)<', page.split("Pos Hilir")[1]
        )
    )
    assert counts == {"Kejadian": "1", "Tepat waktu": "0", "Terlambat": "1", "Luput": "0", "Keliru": "0"}
    assert "Ketepatan peringatan kami" in page


def test_an_unchanged_card_is_neither_computed_nor_fetched_again(scored: Site) -> None:
    flood(scored)
    first = scored.get("/api/v1/scorecard")
    with scored.client() as client:
        again = client.get("/api/v1/scorecard", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    scored.put("hilir", "stage", 9.0, age_s=5)  # another reading alone is no reason: most_s is far away
    assert scored.get("/api/v1/scorecard").headers["etag"] == first.headers["etag"]
    put(scored, station="hilir", alert_id="a2", level=W, status=BulletinStatus.TEST)
    changed = scored.get("/api/v1/scorecard")
    assert changed.headers["etag"] != first.headers["etag"]
    assert changed.json()["bulletins"]["sent"] == 3


def test_a_change_within_the_least_age_waits(tmp_path: Path) -> None:
    with site(tmp_path, scorecard_min_age_s=600) as api:
        first = api.get("/api/v1/scorecard").content
        put(api, station="hilir", alert_id="a1", level=W)
        assert api.get("/api/v1/scorecard").content == first


def test_other_pages_lead_there(scored: Site) -> None:
    assert 'href="/nilai"' in scored.get("/").text
    assert 'href="/nilai"' in scored.get("/peringatan").text
