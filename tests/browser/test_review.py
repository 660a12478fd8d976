"""Findings in a real browser: on the map for who may see them, and on the review page, which works without script."""

import copy
import io
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from serayu.models.stores.survey_files import publish_bundle
from serayu.models.survey.finding import DefectClass
from serayu.models.survey.review import Judgement
from tests.api.site import REGION, Site, site
from tests.browser.test_map import Browser, _browser  # noqa: F401 -- fixture
from tests.models.survey.bundles import IDS, documents, zipped

pytestmark = pytest.mark.servers


def _picture(n: int) -> bytes:
    """Return the crop of a finding's box, 2.5 times as large: 104 or 128 by 84 px of the photo."""
    image = np.full((258 if n == 0 else 210, 320, 3), 60 + 40 * n, np.uint8)
    cv2.circle(image, (160, 75), 70, (20, 20, 20), -1)
    return bytes(cv2.imencode(".jpg", image)[1])


@pytest.fixture(name="surveyed")
def _surveyed(tmp_path: Path) -> Iterator[Site]:
    pictures = {f"crops/{one}.jpg": _picture(n) for n, one in enumerate(IDS[:-1])}
    with site(tmp_path) as api:
        publish_bundle(
            io.BytesIO(zipped(pictures=pictures)),
            register=api.register,
            data_dir=api.settings.data_dir,
            region=REGION,
            by="test",
            now_us=1,
        )
        yield api


def _login(browser: Browser, api: Site, role: str) -> None:
    browser.open(f"{api.url}/login")
    browser.run(
        "document.querySelector('input[name=key]').value = arguments[0]; document.querySelector('form').submit()",
        api.secrets["keys"][role],
    )
    browser.until(lambda: browser.run("return location.pathname") == "/", what="the map after the login")


def _shown(browser: Browser) -> list[str]:
    script = "return [...document.querySelectorAll('.finding')].map((one) => one.id.slice(2))"
    return list(browser.run(script))


def _keep(browser: Browser, name: str) -> None:
    """Keep a picture for a person to look at, where a folder for them is given."""
    if folder := os.environ.get("SERAYU_SCREENSHOTS"):
        browser.screenshot(Path(folder) / name)


def test_findings_are_reviewed_by_buttons_beside_their_pictures(browser: Browser, surveyed: Site) -> None:
    browser.size(1200, 900)
    _login(browser, surveyed, "dishub")
    browser.open(f"{surveyed.url}/tinjau")
    assert _shown(browser) == [IDS[1], IDS[2], IDS[0], IDS[3]]
    loaded = "return [...document.querySelectorAll('.picture img')].filter((one) => one.naturalWidth === 320).length"
    browser.run("window.scrollTo(0, document.body.scrollHeight)")
    browser.until(lambda: browser.run(loaded) == 3, what="the pictures")
    frame = browser.run(
        f"const one = document.querySelector('#f-{IDS[2]} .picture');"
        "const shown = one.querySelector('img').getBoundingClientRect();"
        "const box = one.querySelector('rect').getBoundingClientRect();"
        "return [(box.x - shown.x) / shown.width, (box.y - shown.y) / shown.height, box.width / shown.width]"
    )
    assert frame == pytest.approx([24 / 128, 0, 80 / 128], abs=0.02), (
        "box 200-280, 0-60 px; the crop 176-304, 0-84 px"
    )
    _keep(browser, "review.png")
    browser.run(
        f"document.querySelector('#f-{IDS[1]} select[name=correct]').value = 'pothole';"
        f"document.querySelector('#f-{IDS[1]} button[value=ubah]').click()"
    )
    browser.until(
        lambda: _shown(browser) == [IDS[2], IDS[0], IDS[3]], what="the list without the corrected one"
    )
    browser.run("document.querySelector('.finding .yes').click()")
    browser.until(lambda: _shown(browser) == [IDS[0], IDS[3]], what="the list without the confirmed one")
    browser.run("document.querySelector('.finding .no').click()")
    browser.until(lambda: _shown(browser) == [IDS[3]], what="the list without the rejected one")
    assert "3 dari 4 temuan sudah ditinjau" in browser.text("#agreement")
    said = {one.finding: one.judgement.value for one in surveyed.register.reviews(REGION)}
    assert said == {IDS[1]: "ubah", IDS[2]: "benar", IDS[0]: "salah"}
    browser.open(f"{surveyed.url}/tinjau?state=done")
    browser.size(390, 800)
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    _keep(browser, "review-phone.png")
    assert browser.complaints() == []


def test_the_map_shows_findings_with_letters_and_words_to_crews_and_not_to_the_public(
    browser: Browser, surveyed: Site
) -> None:
    browser.size(1400, 900)
    browser.open(surveyed.url)
    browser.until(lambda: browser.run("return !!document.querySelector('.pin')"), what="the stations")
    marks = "return [...document.querySelectorAll('#map .finding-mark')].map((one) => one.innerText)"
    assert browser.run(marks) == []
    _login(browser, surveyed, "crew")
    browser.until(lambda: len(browser.run(marks)) == 4, what="the findings")
    assert sorted(browser.run(marks)) == ["G", "L", "M", "P"]
    assert browser.run("return document.querySelectorAll('#map .road-segment.fair').length") == 1
    browser.run("document.querySelector('#map .finding-mark.pothole').click()")
    picture = "return document.querySelector('.leaflet-popup img')?.naturalWidth"
    browser.until(lambda: browser.run(picture) == 320, what="the picture in the popup")
    words = browser.text(".leaflet-popup")
    for one in (
        "Lubang",
        "ruas CONTOH-01 km 0,024 kiri ± 1,6 m",
        "0,42 ± 0,08 m²",
        "tidak terukur",
        "1 Juli 2026",
        "SRY_0002.jpg",
        "Skor 0,9",
        "ditemukan program, belum diperiksa",
    ):
        assert one in words
    _keep(browser, "map.png")
    key = surveyed.register.keys(REGION)[0].id
    surveyed.register.add_review(
        REGION,
        IDS[0],
        Judgement.CORRECTED,
        label=DefectClass.PATCH_REPAIR,
        key_id=key,
        name="Bu <b>Ani</b>",
        now_us=9,
    )
    browser.open(surveyed.url)
    browser.until(lambda: len(browser.run(marks)) == 4, what="the findings again")
    browser.run("document.querySelector('#map .finding-mark.pothole').click()")
    browser.until(
        lambda: "diperiksa oleh Bu <b>Ani</b>: diubah → Tambalan" in browser.text(".leaflet-popup"),
        what="who checked it",
    )
    assert browser.complaints() == []


def test_a_stretch_surveyed_twice_shows_what_the_later_survey_says(browser: Browser, surveyed: Site) -> None:
    older = documents("older")
    older["findings.geojson"]["features"] = []
    older["survey.json"] |= {"first": "2025-07-01T02:00:00Z", "counts": {"findings": 0, "classes": {}}}
    older["segments.geojson"]["features"][0]["properties"]["pci"] = [10.0, 20.0]
    del older["sightings.json"]
    newer = copy.deepcopy(older)
    for one in (newer["survey.json"], newer["segments.geojson"]["features"][0]["properties"]):
        one["survey"] = "unjudged"
    newer["survey.json"]["first"] = "2027-07-01T02:00:00Z"
    newer["segments.geojson"]["features"][0]["properties"] |= {"pci": None, "sdi": None, "surveyed": 0.1}
    for bundle in (older, newer):
        with surveyed.client("operator") as client:
            key = {"Idempotency-Key": bundle["survey.json"]["survey"] + "-0001"}
            assert client.post("/api/v1/surveys", content=zipped(bundle, {}), headers=key).status_code == 201
    browser.size(1400, 900)
    _login(browser, surveyed, "crew")
    shown = "return [...document.querySelectorAll('#map .road-segment')].map((one) => one.classList[1])"
    browser.until(lambda: browser.run(shown) == ["fair"], what="the one segment")
    browser.run(
        "document.querySelector('#map .road-segment').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    browser.until(lambda: "PCI 62–74" in browser.text(".leaflet-popup"), what="the words of the segment")
    assert "Difoto 1 Juli 2026" in browser.text(".leaflet-popup")
    assert browser.complaints() == []
