"""The pages: login and its cookie, the field page, the map, and the headers of all."""

import json
import logging
import re
from pathlib import Path

import httpx
import pytest

from serayu.api.sessions import COOKIE
from serayu.api.templating import FOLDER
from serayu.models.quality.flags import QualityFlag
from serayu.models.reading import Observation, SeriesKey
from serayu.models.siaga import Siaga
from serayu.models.times import US_PER_MINUTE
from tests.api.site import Site, now_us, site

FIELD_BYTES = 15 * 1024


def _field(api: Site, station: str = "sawah-a") -> httpx.Response:
    return api.get(api.secrets["fields"][station])


def test_the_map_page_brings_no_inline_script_and_names_no_other_host(shared_api: Site) -> None:
    answer = shared_api.get("/")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    scripts = re.findall(r"<script([^>]*)>", answer.text)
    assert all("src=" in script or "application/json" in script for script in scripts)
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", answer.text)
    assert not re.search(r"\son\w+=", answer.text)


def test_everything_that_the_map_page_loads_is_here(shared_api: Site) -> None:
    page = shared_api.get("/").text
    loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(loaded) >= 5
    for path in loaded:
        answer = shared_api.get(path)
        assert answer.status_code == 200, path
        for module in re.findall(r'from "\./([a-z]+\.js)"', answer.text if path.endswith("map.js") else ""):
            assert shared_api.get(f"/static/{module}").status_code == 200, module


def test_every_text_that_a_script_names_is_handed_to_it(shared_api: Site) -> None:
    given = json.loads(re.findall(r'id="page-data">(.*?)</script>', shared_api.get("/").text)[0])["texts"]
    scripts = (FOLDER.with_name("static")).glob("*.js")
    named = {
        key for script in scripts for key in re.findall(r'"(page\.[a-z0-9_.]+)"', script.read_text("utf-8"))
    }
    assert len(named) > 20
    assert named <= set(given)


@pytest.mark.parametrize("path", ["/", "/login", "/api/v1/stations", "/static/map.js", "/api/v1/nothing"])
def test_every_answer_has_the_security_headers(shared_api: Site, path: str) -> None:
    headers = shared_api.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


# -- login ------------------------------------------------------------------------------------------------------------


def _login(api: Site, client: httpx.Client, role: str = "dishub", **headers: str) -> httpx.Response:
    return client.post("/login", data={"key": api.secrets["keys"][role]}, headers=headers)


def _csrf(client: httpx.Client) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)
    assert found is not None
    return found[1]


def test_a_key_becomes_a_cookie_that_scripts_cannot_read(api: Site) -> None:
    with api.client() as client:
        answer = _login(api, client)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert api.secrets["keys"]["dishub"] not in cookie
        seen = {station["id"] for station in client.get("/api/v1/stations").json()["stations"]}
        assert "sawah-a" in seen


def test_a_wrong_key_gets_the_form_again_and_then_a_pause(api: Site) -> None:
    with api.client() as client:
        for _ in range(10):
            answer = client.post("/login", data={"key": "sry_wrong"})
            assert answer.status_code == 401
            assert "Kunci tidak dikenal" in answer.text
        assert client.post("/login", data={"key": "sry_wrong"}).status_code == 429
        assert _login(api, client).status_code == 303  # the right key needs no pause


@pytest.mark.parametrize("change", ["", "x", "signature", "payload"])
def test_a_forged_cookie_is_anonymous(api: Site, change: str) -> None:
    with api.client() as client:
        _login(api, client)
        genuine = client.cookies[COOKIE]
        payload, _, signature = genuine.partition(".")
        forged = {"signature": f"{payload}.{'A' * len(signature)}", "payload": f"A{payload[1:]}.{signature}"}
        client.cookies.clear()
        client.cookies.set(COOKIE, forged.get(change, change))
        seen = {station["id"] for station in client.get("/api/v1/stations").json()["stations"]}
        assert "sawah-a" not in seen


def test_revoking_a_key_ends_its_sessions(api: Site) -> None:
    with api.client() as client:
        _login(api, client)
        for key in api.register.keys("33.02"):
            api.register.revoke_key(key.id, now_us=1)
        seen = {station["id"] for station in client.get("/api/v1/stations").json()["stations"]}
        assert "sawah-a" not in seen


def test_a_post_by_cookie_needs_the_pages_token(api: Site) -> None:
    api.change("hilir", Siaga.NORMAL, Siaga.AWAS)
    alert = api.get("/api/v1/alerts").json()["alerts"][0]["id"]
    path, headers = f"/api/v1/alerts/{alert}/acknowledge", {"Idempotency-Key": "key-0001"}
    with api.client() as client:
        _login(api, client)
        assert client.post(path, json={}, headers=headers).status_code == 403
        assert client.post(path, json={}, headers={**headers, "X-CSRF-Token": "x"}).status_code == 403
        good = {**headers, "X-CSRF-Token": _csrf(client)}
        foreign = {**good, "Origin": "https://evil.example"}
        assert client.post(path, json={}, headers=foreign).status_code == 403
        assert client.post(path, json={}, headers=good).status_code == 200


def test_a_token_belongs_to_one_session(api: Site) -> None:
    with api.client() as one, api.client() as two:
        _login(api, one)
        _login(api, two)
        assert one.post("/logout", data={"csrf": _csrf(two)}).status_code == 403
        assert one.post("/logout", data={"csrf": _csrf(one)}).status_code == 303
        assert COOKIE not in one.cookies


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=["origin", "fetch"]
)
def test_another_site_cannot_log_a_browser_in(api: Site, headers: dict[str, str]) -> None:
    with api.client() as client:
        assert _login(api, client, **headers).status_code == 403


def test_a_browser_that_is_logged_in_may_log_in_as_somebody_else(api: Site) -> None:
    """The form of ``/login`` brings no token: it has nothing of the session, and the origin is checked."""
    with api.client() as client:
        _login(api, client, "farmer")
        before = client.cookies[COOKIE]
        assert _login(api, client, "dishub", Origin="https://evil.example").status_code == 403
        assert client.cookies[COOKIE] == before
        assert _login(api, client, "dishub").status_code == 303
        assert client.cookies[COOKIE] != before
        assert client.post("/logout").status_code == 403


# -- field page -------------------------------------------------------------------------------------------------------


def test_the_field_page_is_small_plain_and_nobody_keeps_it(shared_api: Site) -> None:
    answer = _field(shared_api)
    assert answer.status_code == 200
    assert len(answer.content) <= FIELD_BYTES
    assert "<script" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "41,5" in answer.text
    assert "baru saja" in answer.text
    assert 'lang="id"' in answer.text


def test_its_style_is_allowed_by_hash_and_nothing_else_is(shared_api: Site) -> None:
    policy = _field(shared_api).headers["content-security-policy"]
    assert re.search(r"style-src 'self' 'sha256-[\w+/=]{44}'", policy)


def test_a_stale_reading_is_marked_and_the_sentence_does_not_rely_on_it(api: Site) -> None:
    api.put("sawah-a", "soil-moisture", 41.5, age_s=7200)
    api.put("sawah-a", "rain", 0.0, age_s=7200)
    text = _field(api).text
    assert "Data basi" in text
    assert "2 jam lalu" in text
    assert "Periksa langsung ke sawah" in text


def test_a_failed_reading_shows_no_number(api: Site) -> None:
    api.put("sawah-a", "soil-moisture", 987.6, flag=QualityFlag.FAIL)
    text = _field(api).text
    assert "Bacaan ditolak" in text
    assert "987,6" not in text


def _rain(api: Site, minutes: int) -> None:
    now = now_us()
    key = SeriesKey("33.02", "sawah-a", "rain")
    rows = [
        Observation(key, now - m * US_PER_MINUTE, 0.5, QualityFlag.GOOD, received_us=now)
        for m in range(minutes, -1, -1)
    ]
    assert not api.hot.write(rows)
    api.put("sawah-a", "soil-moisture", 41.5)


def test_rain_of_part_of_the_day_is_not_called_that_of_24_hours(api: Site) -> None:
    _rain(api, 180)
    text = _field(api).text
    assert "24 jam" not in text
    assert re.search(
        r"Sejak \d\d-\d\d-\d{4} \d\d\.\d\d WIB turun hujan 90,5 mm, sebagian data tidak ada", text
    )
    assert re.search(r"sejak \d\d-\d\d-\d{4} \d\d\.\d\d WIB \(sebagian data tidak ada\)", text)


def test_rain_of_the_whole_day_is(api: Site) -> None:
    _rain(api, 1439)
    text = _field(api).text
    assert "Dalam 24 jam terakhir turun hujan 720,0 mm" in text
    assert "<span>dalam 24 jam</span>" in text


def test_the_field_page_speaks_of_moisture_and_of_no_conductivity(shared_api: Site) -> None:
    text = _field(shared_api).text
    assert "Kelembapan tanah" in text
    assert "engas" not in text
    assert "S/m" not in text


def test_the_field_page_names_the_worst_river_alert_and_links_to_the_map(api: Site) -> None:
    assert "peringatan sungai" not in _field(api).text
    api.change("hulu", Siaga.NORMAL, Siaga.WASPADA)
    assert "Ada peringatan sungai: Siaga 3 (WASPADA) di Pos Hulu." in _field(api).text
    api.change("hilir", Siaga.NORMAL, Siaga.AWAS)
    text = _field(api).text
    assert "Ada peringatan sungai di 2 pos; tertinggi Siaga 1 (AWAS) di Pos Hilir &lt;i&gt;." in text
    assert '<a href="/">Lihat peta</a>' in text
    api.change("hilir", Siaga.AWAS, Siaga.NORMAL)
    api.change("hulu", Siaga.WASPADA, Siaga.NORMAL)
    assert "peringatan sungai" not in _field(api).text


NOTICE = "PERAGAAN – badai <buatan>"


@pytest.mark.parametrize(
    ("changes", "told", "untold"),
    [
        pytest.param({}, [], ["PUTAR ULANG", 'notice"'], id="the present"),
        pytest.param(
            {"clock": "replay"}, ["PUTAR ULANG / PERAGAAN – bukan keadaan sekarang"], [], id="a replay"
        ),
        pytest.param(
            {"notice": NOTICE}, ["badai &lt;buatan&gt;"], ["PUTAR ULANG", "<buatan>"], id="a notice"
        ),
    ],
)
def test_the_pages_say_that_what_they_show_is_not_the_present(
    tmp_path: Path, changes: dict[str, str], told: list[str], untold: list[str]
) -> None:
    with site(tmp_path, **changes) as api:
        api.put("sawah-a", "soil-moisture", 41.5)
        for page in (api.get("/").text, _field(api).text):
            shown = page.partition("<body>")[2]
            assert all(words in shown for words in told)
            assert not any(words in shown for words in untold)


def test_a_map_without_data_yet_says_that_it_loads_and_not_that_there_is_no_alert(shared_api: Site) -> None:
    shown = shared_api.get("/").text.partition("<body>")[2]
    assert shown.count("Memuat…") == 2
    assert "Tidak ada peringatan" not in shown


def test_an_unknown_or_revoked_address_is_gone_and_cannot_be_guessed(api: Site) -> None:
    assert _field(api).status_code == 200
    for link in api.register.field_tokens("33.02"):
        api.register.revoke_field_token(link.id, now_us=1)
    assert _field(api).status_code == 404
    assert api.get("/sawah/x").headers["referrer-policy"] == "no-referrer"
    statuses = [api.get(f"/sawah/{'x' * n}").status_code for n in (21, 22, 23, 500, 1, 2, 3, 4, 5, 6)]
    assert set(statuses) == {404, 429}
    assert statuses[-1] == 429


def test_a_field_opens_for_its_farmer_however_often_others_behind_the_same_address_guess(api: Site) -> None:
    statuses = [api.get(f"/sawah/{n:022}").status_code for n in range(11)]
    assert statuses == [404] * 10 + [429]
    assert _field(api).status_code == 200


def test_the_token_is_in_no_log_and_no_metric(api: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = api.secrets["fields"]["sawah-a"].removeprefix("/sawah/")
    assert _field(api).status_code == 200
    metrics = api.get("/metrics").text
    own = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert any(getattr(record, "route", "") == "/sawah/{token}" for record in own)
    assert not any(token in str(vars(record)) for record in own)
    assert token not in metrics
    assert 'route="/sawah/{token}"' in metrics


def test_a_field_name_cannot_bring_markup_into_a_page(shared_api: Site) -> None:
    svg = shared_api.get("/api/v1/stations/hilir/hydrograph.svg").text
    assert "Pos Hilir &lt;i&gt;" in svg
    assert "<i>" not in svg
