"""Who acknowledged an alert and after how long, in words on the map."""

import msgspec
import pytest

from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.settings import DeliverySettings, EscalationRule
from serayu.models.times import US_PER_MINUTE
from tests.api.site import REGION, Site, now_us
from tests.api.test_bulletins import put
from tests.browser.test_map import Browser, _browser, _flooded  # noqa: F401 -- fixtures

pytestmark = pytest.mark.servers
STEPS = DeliverySettings(escalation=EscalationRule(after_us=(2 * US_PER_MINUTE, 60 * US_PER_MINUTE)))


def test_the_list_of_alerts_says_who_was_waited_for_and_who_acknowledged(
    browser: Browser, flooded: Site
) -> None:
    (alert,) = flooded.register.alerts()
    first = put(flooded, alert_id=alert.id, station=alert.station, age_us=4 * US_PER_MINUTE)
    asking = msgspec.structs.replace(first, id=f"{first.id[:-1]}x", change_id=99)
    desk = DeliveryDesk(flooded.register, STEPS)
    assert desk.issue(asking, rules_us=first.sent_us, now_us=first.sent_us)
    desk.escalate_due(REGION, rules_us=first.sent_us + 2 * US_PER_MINUTE, now_us=now_us())
    browser.open(flooded.url)
    browser.until(lambda: "Belum dicatat siapa pun" in browser.text("#alerts"), what="the open wait")
    said = browser.text("#alerts .wait")
    assert "eskalasi tahap 1 pukul " in said
    assert "tahap berikutnya pukul " in said
    assert "Not acknowledged by anybody yet" in said
    flooded.register.acknowledge(alert.id, by="Piket BPBD", now_us=first.sent_us + 4 * US_PER_MINUTE)
    browser.open(flooded.url)
    browser.until(
        lambda: "Dicatat oleh Piket BPBD setelah 4 menit" in browser.text("#alerts"),
        what="the acknowledgement",
    )
    said = browser.text("#alerts .wait")
    assert "Acknowledged by Piket BPBD after 4 min" in said
    assert "eskalasi tahap 1 pukul " in said
    assert browser.complaints() == []
