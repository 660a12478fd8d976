"""The map page in a real browser: what a person sees, live, and when the connection is lost."""

import base64
import itertools
import json
import math
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from serayu.models.quality.flags import QualityFlag
from serayu.models.siaga import Siaga
from tests.api.site import Site, now_us, running, site, write_region
from tests.servers import free_port, listens, require, wait_for

pytestmark = pytest.mark.servers

OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    # Nothing but this machine can be reached: the page must work without internet.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip


class Browser:
    """A browser session over the WebDriver protocol (https://www.w3.org/TR/webdriver2/)."""

    def __init__(self, driver: httpx.Client, path: str) -> None:
        self._driver = driver
        self._path = path

    def _post(self, command: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 -- JSON
        answer = self._driver.post(f"{self._path}/{command}", json=body).json()["value"]
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer

    def open(self, url: str) -> None:
        self._post("url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 -- JSON
        return self._post("execute/sync", {"script": script, "args": list(arguments)})

    def text(self, selector: str) -> str:
        script = "const e = document.querySelector(arguments[0]); return e && !e.hidden ? e.innerText : ''"
        return str(self.run(script, selector))

    def size(self, width: int, height: int) -> None:
        body = {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700,
        }}  # fmt: skip
        self._post("goog/cdp/execute", body)

    def complaints(self) -> list[str]:
        entries = self._post("se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self._driver.get(f"{self._path}/screenshot").json()["value"]))

    def until(self, seen: Callable[[], object], *, what: str) -> None:
        wait_for(lambda: bool(seen()), what=what, timeout_s=30)


@contextmanager
def _chromedriver(folder: Path) -> Iterator[httpx.Client]:
    program, port = require("chromedriver"), free_port()
    with (folder / "chromedriver.log").open("wb") as log:
        process = subprocess.Popen([program, f"--port={port}"], stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: listens(port), what="chromedriver")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                yield client
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(name="browser")
def _browser(tmp_path: Path) -> Iterator[Browser]:
    chromium = require("chromium")
    profile = tmp_path / "profile"
    wanted = {
        "goog:chromeOptions": {"binary": chromium, "args": [*OPTIONS, f"--user-data-dir={profile}"]},
        "goog:loggingPrefs": {"browser": "ALL"},
    }
    with _chromedriver(tmp_path) as driver:
        answer = driver.post("/session", json={"capabilities": {"alwaysMatch": wanted}}).json()["value"]
        assert "sessionId" in answer, answer
        path = f"/session/{answer['sessionId']}"
        try:
            yield Browser(driver, path)
        finally:
            driver.delete(path)
            shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture(name="flooded")
def _flooded(tmp_path: Path) -> Iterator[Site]:
    """A post at Siaga 2, one that failed, one gauge silent for an hour."""
    with site(tmp_path) as api:
        for age_s in range(7200, 0, -300):
            api.put("hilir", "stage", 3.6 - age_s / 4000, age_s=age_s)
        api.put("hilir", "stage", 3.6, age_s=10)
        api.put("hulu", "stage", -8.88, flag=QualityFlag.FAIL)
        api.put("hujan-a", "rain", 4.2, age_s=3600)
        api.put("simpang-a", "speed", 27.0)
        api.put("simpang-a", "count-mc", 31.0)
        api.change("hilir", Siaga.NORMAL, Siaga.SIAGA, level_m=3.6)
        yield api


def _pins(browser: Browser) -> dict[str, str]:
    script = (
        "return Object.fromEntries([...document.querySelectorAll('.pin')]"
        ".map((p) => [p.querySelector('em').firstChild.textContent, p.querySelector('b').innerText.trim()]))"
    )
    return dict(browser.run(script))


def test_stations_alerts_and_limits_can_be_read_without_colours(browser: Browser, flooded: Site) -> None:
    browser.size(1400, 900)
    browser.open(flooded.url)
    browser.until(lambda: len(_pins(browser)) == 4, what="the stations on the map")
    assert _pins(browser) == {"Pos Hilir <i>": "S", "Pos Hulu": "?", "Pos Hujan": "?", "Simpang A": ""}
    browser.until(lambda: "tertinggi sejauh ini" in browser.text("#alerts"), what="the alert")
    assert "Siaga 2 (SIAGA)" in browser.text("#alerts")
    assert re.search(r"Sekarang.*: 3,60 m naik \d,\d\d m/jam", browser.text("#alerts"))
    assert "tertinggi sejauh ini 3,60 m" in browser.text("#alerts")
    listed = browser.text("#stations")
    assert "3,60 m" in listed
    assert "Bacaan ditolak" in listed
    assert "8,88" not in browser.text("body")
    assert "Data basi" in listed
    assert "1 jam lalu" in listed
    assert browser.run("return document.querySelectorAll('#map .leaflet-tile').length") == 0
    assert browser.complaints() == []


def test_a_station_opens_with_its_hydrograph_and_who_stands_for_its_limits(
    browser: Browser, flooded: Site
) -> None:
    browser.size(1400, 900)
    browser.open(flooded.url)
    browser.until(
        lambda: browser.run("return !!document.querySelector('#stations button')"),
        what="the list of stations",
    )
    browser.run("document.querySelector('#stations button').click()")
    browser.until(
        lambda: browser.run("return !!document.querySelector('#detail svg .line')"), what="the chart"
    )
    detail = browser.text("#detail")
    assert "Pos Hilir <i>" in detail
    assert "nobody yet" in detail
    assert "Letak pos ini dibuat-buat" in detail
    assert "Batas atau sebagian batas pos ini dibuat-buat" in detail
    assert browser.run("return document.querySelectorAll('#detail svg .limit').length") >= 2
    assert browser.complaints() == []


def test_a_rise_shows_without_a_reload(browser: Browser, flooded: Site) -> None:
    browser.open(flooded.url)
    browser.until(lambda: "Langsung" in browser.text("#state"), what="the live connection")
    flooded.put("hilir", "stage", 4.44, age_s=0)
    flooded.change("hilir", Siaga.SIAGA, Siaga.AWAS, level_m=4.44, age_s=0)
    browser.until(lambda: _pins(browser).get("Pos Hilir <i>") == "A", what="Awas on the map")
    browser.until(lambda: "Siaga 1 (AWAS)" in browser.text("#alerts"), what="Awas in the list of alerts")
    browser.until(lambda: "4,44 m" in browser.text("#stations"), what="the level in the list of stations")


def test_a_lost_connection_says_since_when_and_comes_back(browser: Browser, tmp_path: Path) -> None:
    with site(tmp_path) as api:
        api.put("hilir", "stage", 1.0)
        browser.open(api.url)
        browser.until(lambda: "Langsung" in browser.text("#state"), what="the live connection")
        settings, port = api.settings, int(api.url.rpartition(":")[2])
    browser.until(lambda: "tidak ada data sejak" in browser.text("#lost"), what="the banner")
    assert "WIB" in browser.text("#lost")
    assert "Connection lost" in browser.text("#lost")
    with running(settings, port=port):
        browser.until(lambda: browser.text("#lost") == "", what="the end of the banner")


def test_silence_of_every_station_is_said_even_while_the_connection_lives(
    browser: Browser, tmp_path: Path
) -> None:
    with site(tmp_path) as api:
        api.put("hilir", "stage", 1.0, age_s=3600)
        browser.open(api.url)
        browser.until(lambda: "tidak ada bacaan baru sejak" in browser.text("#lost"), what="the banner")
        assert "Tidak ada data baru" in browser.text("#state")
        api.put("hilir", "stage", 1.0, age_s=0)
        browser.until(lambda: browser.text("#lost") == "", what="the end of the banner")


def test_an_alert_that_is_over_is_folded_away_and_tells_its_peak(browser: Browser, tmp_path: Path) -> None:
    with site(tmp_path) as api:
        for age_s, level_m in ((7000, 4.1), (5000, 4.76), (600, 1.4)):
            api.put("hilir", "stage", level_m, age_s=age_s)
        api.change("hilir", Siaga.NORMAL, Siaga.AWAS, level_m=4.1, age_s=7000)
        api.change("hilir", Siaga.AWAS, Siaga.NORMAL, level_m=1.4, age_s=600)
        browser.size(1400, 900)
        browser.open(api.url)
        browser.until(lambda: "Tidak ada peringatan aktif" in browser.text("#alerts"), what="no active alert")
        assert "AWAS" not in browser.text("#alerts")
        assert not browser.run("return document.getElementById('ended').open")
        browser.run("document.querySelector('#ended summary').click()")
        ended = browser.text("#ended")
        assert "tertinggi 4,76 m pada" in ended
        assert re.search(r"selesai .* WIB, muka air 1,40 m", ended)
        assert "elampaui" not in ended
        assert browser.run("return document.querySelectorAll('#ended .awas').length") == 0
        assert browser.complaints() == []


def test_an_alert_that_was_lowered_says_so_and_shows_a_stale_level_as_stale(
    browser: Browser, tmp_path: Path
) -> None:
    with site(tmp_path) as api:
        for age_s, level_m in ((7000, 4.4), (1200, 3.4)):
            api.put("hilir", "stage", level_m, age_s=age_s)
        api.change("hilir", Siaga.NORMAL, Siaga.AWAS, level_m=4.4, age_s=7000)
        api.change("hilir", Siaga.AWAS, Siaga.SIAGA, level_m=3.8, age_s=3000)
        browser.open(api.url)
        browser.until(lambda: "Siaga 2 (SIAGA)" in browser.text("#alerts"), what="the alert")
        told = browser.text("#alerts")
        assert "Turun ke bawah batas Awas" in told
        assert "elampaui" not in told
        assert "Sekarang" not in told
        assert re.search(r"Data basi terakhir 3,40 m · 2\d menit lalu", told)
        assert "tertinggi sejauh ini 4,40 m" in told
        assert "3,80" not in told


def test_an_alert_whose_post_is_below_the_limit_again_does_not_say_that_it_is_above(
    browser: Browser, tmp_path: Path
) -> None:
    with site(tmp_path) as api:
        for age_s, level_m in ((1200, 4.4), (20, 3.95)):
            api.put("hilir", "stage", level_m, age_s=age_s)
        api.change("hilir", Siaga.NORMAL, Siaga.AWAS, level_m=4.4, age_s=1200)
        browser.open(api.url)
        browser.until(lambda: "3,95 m" in browser.text("#alerts"), what="the alert with the present level")
        told = browser.text("#alerts")
        assert re.search(r"Batas Awas terlampaui, \d\d-\d\d \d\d\.\d\d WIB", told)
        assert "Kini di bawah batas Awas" in told
        api.put("hilir", "stage", 4.2, age_s=1)
        browser.until(lambda: "4,20 m" in browser.text("#alerts"), what="the level above the limit again")
        assert "Kini di bawah" not in browser.text("#alerts")


def test_a_replay_has_a_banner_with_its_year_and_says_when_it_stands_still(
    browser: Browser, tmp_path: Path
) -> None:
    with site(tmp_path, clock="replay") as api:
        api.put("hilir", "stage", 1.0, age_s=400 * 86400)
        browser.open(api.url)
        browser.until(lambda: "Waktu putar ulang" in browser.text(".notice"), what="the replay's time")
        told = browser.text(".notice")
        assert "PUTAR ULANG / PERAGAAN – bukan keadaan sekarang" in told
        year = datetime.fromtimestamp(now_us() / 1e6 - 400 * 86400, ZoneInfo("Asia/Jakarta")).year
        assert str(year) in told
        assert "Langsung" not in browser.text("#state")
        browser.until(lambda: "Putar ulang berhenti" in browser.text("#state"), what="the end of the replay")
        api.put("hilir", "stage", 1.1, age_s=399 * 86400)
        browser.until(lambda: "Putar ulang berjalan" in browser.text("#state"), what="the replay going on")


def test_a_doubtful_post_says_once_in_its_row_that_it_is_not_verified(
    browser: Browser, tmp_path: Path
) -> None:
    with site(tmp_path) as api:
        api.put("hilir", "stage", 3.3, flag=QualityFlag.SUSPECT)
        api.change("hilir", Siaga.NORMAL, Siaga.SIAGA, level_m=3.3, verified=False)
        browser.open(api.url)
        browser.until(lambda: "Pos Hilir" in browser.text("#stations"), what="the list")
        assert browser.text("#stations").count("belum terverifikasi") == 1
        assert browser.text("#stations").count("letak dibuat-buat") == 4
        assert re.search(r"tertinggi sejauh ini 3,30 m pada .* \(meragukan\)", browser.text("#alerts"))


def test_a_simulated_value_says_so_in_the_list_and_in_the_panel(browser: Browser, tmp_path: Path) -> None:
    file = write_region(tmp_path / "region") / "stations.geojson"
    document = json.loads(file.read_text())
    (hulu,) = (one["properties"] for one in document["features"] if one["properties"]["id"] == "hulu")
    hulu["datastreams"] = [{"property": "stage", "interval_s": 60, "sensor": "simulasi"}]
    file.write_text(json.dumps(document))
    with site(tmp_path) as api:
        api.put("hulu", "stage", 1.1)
        api.put("hilir", "stage", 1.2)
        browser.open(api.url)
        browser.until(lambda: "1,20 m" in browser.text("#stations"), what="the list")
        assert browser.text("#stations").count("nilai simulasi") == 1
        browser.run(
            "[...document.querySelectorAll('#stations button')].find((b) => b.innerText === 'Pos Hulu').click()"
        )
        browser.until(lambda: "nilai simulasi" in browser.text("#detail"), what="the mark in the panel")


def test_posts_in_nearly_one_place_do_not_cover_each_other(browser: Browser, tmp_path: Path) -> None:
    places = [
        ("pos-a", "river", "A", 109.2000, -7.5300),
        ("pos-b", "river", "B", 109.2000, -7.5300),
        ("pos-c", "river", "C", 109.2010, -7.5310),
        ("pos-jauh", "river", "Jauh", 109.5, -7.3),
    ]
    write_region(tmp_path / "region", places)
    with site(tmp_path) as api:
        for name, *_ in places:
            api.put(name, "stage", 1.0)
        browser.size(1400, 900)
        browser.open(api.url)
        browser.until(lambda: len(_pins(browser)) == 4, what="the stations on the map")
        script = (
            "return [...document.querySelectorAll('.pin b')].map((b) => { const r = b.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2] })"
        )
        browser.until(lambda: _closest(browser.run(script)) >= 20, what="markers apart")
        assert browser.complaints() == []


def test_the_names_of_two_alerts_do_not_cover_each_other_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    places = [
        ("pos-a", "river", "Pos Kali Panjang Hulu", 109.2000, -7.5300),
        ("pos-b", "river", "Pos Kali Panjang Hilir", 109.2400, -7.5310),
        ("pos-jauh", "river", "Jauh", 109.5, -7.3),
    ]
    write_region(tmp_path / "region", places)
    with site(tmp_path) as api:
        for name, level, level_m in (("pos-a", Siaga.AWAS, 4.4), ("pos-b", Siaga.SIAGA, 3.4)):
            api.put(name, "stage", level_m)
            api.change(name, Siaga.NORMAL, level, level_m=level_m)
        browser.size(390, 800)
        browser.open(api.url)
        script = (
            "return [...document.querySelectorAll('.pin.up em')].map((e) => { const r = e.getBoundingClientRect();"
            " return [r.left, r.top, r.right, r.bottom] })"
        )
        browser.until(lambda: len(browser.run(script)) == 2, what="the names of both")
        browser.until(lambda: _apart(*browser.run(script)), what="names apart")
        below = "document.querySelectorAll('.pin.up em').forEach((e) => { e.className = '' }); "
        assert not _apart(*browser.run(below + script))  # where all names stand if nothing moves them
        assert browser.complaints() == []


def _apart(one: list[float], other: list[float]) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def _closest(middles: list[tuple[float, float]]) -> float:
    return min(math.dist(one, other) for one, other in itertools.combinations(middles, 2))


@pytest.mark.parametrize("width", [360, 390])
def test_the_pages_fit_on_a_phone(browser: Browser, flooded: Site, width: int) -> None:
    browser.size(width, 780)
    for path in ("/", flooded.secrets["fields"]["sawah-a"], "/login"):
        browser.open(flooded.url + path)
        time.sleep(0.2)
        assert browser.run("return document.documentElement.scrollWidth") <= width, path


def test_an_officer_logs_in_sees_fields_and_acknowledges(browser: Browser, flooded: Site) -> None:
    browser.open(f"{flooded.url}/login")
    key = flooded.secrets["keys"]["dishub"]
    browser.run("document.getElementById('key').value = arguments[0]; document.forms[0].submit()", key)
    browser.until(lambda: "Sawah A" in browser.text("#stations"), what="the fields")
    browser.run("document.querySelector('#alerts button:not(.link)').click()")
    browser.until(lambda: "kunci awal dishub (dishub)" in browser.text("#alerts"), what="the acknowledgement")
    (alert,) = flooded.register.alerts("33.02")
    assert alert.acknowledged_by == "kunci awal dishub (dishub)"


def test_the_field_page_needs_no_script(browser: Browser, flooded: Site) -> None:
    flooded.put("sawah-a", "soil-moisture", 41.5)
    browser.open(flooded.url + flooded.secrets["fields"]["sawah-a"])
    assert "41,5 %" in browser.text("dl")
    size = browser.run("return parseFloat(getComputedStyle(document.querySelector('dd b')).fontSize)")
    assert size >= 32
    assert browser.complaints() == []
