"""The bulletin of an alert in a real browser: on the map page, and on the page without script."""

import pytest

from serayu.models.siaga import Siaga
from serayu.models.warning.bulletin import AffectedArea, BulletinStatus, Impact
from serayu.models.warning.registers import message
from tests.api.site import Site, site
from tests.api.test_bulletins import put
from tests.browser.test_map import Browser, _browser, _flooded  # noqa: F401 -- fixtures

pytestmark = pytest.mark.servers


def test_an_alerts_bulletin_is_shown_with_its_origin_numbers_and_registers(
    browser: Browser, flooded: Site
) -> None:
    (alert,) = flooded.register.alerts()
    area = AffectedArea("33.02.12.2001", "Desa Contoh", people=1234)
    said = put(
        flooded, status=BulletinStatus.ACTUAL, authority="BPBD Contoh", alert_id=alert.id, station="hilir",
        level=Siaga.SIAGA, impact=Impact(areas=(area,), people=1234),
    )  # fmt: skip
    browser.size(1400, 900)
    browser.open(flooded.url)
    browser.until(
        lambda: "Ditandatangani BPBD Contoh" in browser.text("#alerts"), what="who signed the bulletin"
    )
    shown = browser.text("#alerts")
    assert "1.234 jiwa · 1 wilayah · berlaku sampai" in shown
    assert "1,234 people" in shown
    browser.run("document.querySelector('#alerts .bulletin summary').click()")
    browser.until(lambda: message(said).description in browser.text("#alerts"), what="the Indonesian text")
    assert message(said, "en").instruction in browser.text("#alerts")
    assert "draf, belum diperiksa" in browser.text("#alerts")
    flooded.put("hilir", "stage", 3.7, age_s=1)
    browser.until(lambda: "3,70 m" in browser.text("#stations"), what="the next reading")
    assert message(said).description in browser.text("#alerts"), "drawing again must not fold the text away"
    browser.run("document.querySelector('#alerts .link').click()")
    browser.until(lambda: "Ditandatangani BPBD Contoh" in browser.text("#detail"), what="the post's panel")
    assert browser.complaints() == []


def test_monitoring_information_is_called_so_in_a_replay(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with site(tmp_path_factory.mktemp("replay"), clock="replay") as api:
        api.put("hilir", "stage", 3.6, age_s=1)
        api.change("hilir", Siaga.NORMAL, Siaga.SIAGA, level_m=3.6)
        (alert,) = api.register.alerts()
        put(api, status=BulletinStatus.EXERCISE, alert_id=alert.id, station="hilir")
        browser.size(1400, 900)
        browser.open(api.url)
        wanted = "Informasi pemantauan, bukan peringatan resmi"
        browser.until(lambda: wanted in browser.text("#alerts"), what="the origin of the bulletin")
        assert "dampak tidak diketahui" in browser.text("#alerts")
        browser.open(f"{api.url}/peringatan")
        assert "LATIHAN – SIAGA (Siaga 2)" in browser.text("main")
        assert browser.complaints() == []
