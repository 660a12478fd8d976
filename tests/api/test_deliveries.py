"""Proof of delivery over the api: the log of a bulletin, and acknowledging one of a river or of a slope."""

from typing import Any

import msgspec
import pytest

from serayu.models.delivery.delivery import Attempt, DeliveryState, NewDelivery
from serayu.models.delivery.desk import DeliveryDesk
from serayu.models.delivery.recipient import Address
from serayu.models.delivery.settings import DeliverySettings, EscalationRule
from serayu.models.siaga_levels import Siaga
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.models.times import US_PER_MINUTE, rfc3339
from serayu.models.warning.bulletin import Bulletin, BulletinStatus, Hazard
from tests.api.site import REGION, Site, now_us
from tests.api.test_bulletins import ACTUAL, put
from tests.models.delivery.story import HOOK, PHONE, agency, citizen

TIMERS = DeliverySettings(escalation=EscalationRule(after_us=(5 * US_PER_MINUTE, 10 * US_PER_MINUTE)))
DISHUB = "kunci awal dishub (dishub)"


def told(api: Site, *, minutes: int, **fields: Any) -> Bulletin:  # noqa: ANN401 -- fields of a bulletin
    """Tell a bulletin so many minutes ago, and the step that nobody's silence asked for meanwhile."""
    made = put(api, age_us=minutes * US_PER_MINUTE, **fields)  # what `put` records asks for nothing
    told_us = made.sent_us
    second = msgspec.structs.replace(
        made, id=made.id[:-1] + ("0" if made.id[-1] != "0" else "1"), change_id=2, sent_us=told_us + 1_000_000
    )
    desk = DeliveryDesk(api.register, TIMERS)
    assert desk.issue(second, rules_us=told_us, now_us=told_us)
    desk.escalate_due(REGION, rules_us=now_us(), now_us=now_us())
    return second


def acknowledge(api: Site, path: str, role: str, key: str = "key-0001") -> tuple[int, dict[str, Any]]:
    with api.client(role) as client:
        answer = client.post(path, json={"note": "dilihat"}, headers={"Idempotency-Key": key})
    return answer.status_code, answer.json()


def test_who_got_a_bulletin_is_told_without_addresses_and_names_of_citizens(api: Site) -> None:
    vault = Vault.open(api.settings.data_dir / KEY_FILE)
    desk = api.register.add_recipient(agency(region=REGION, name="Piket"), HOOK, vault)
    warga = api.register.add_recipient(citizen(region=REGION, name="Bu Warga"), Address(PHONE), vault)
    made = put(api, **ACTUAL)
    later = msgspec.structs.replace(made, id=made.id[:-1] + "z", change_id=2)
    queued = [NewDelivery(id=f"d{n}", recipient_id=one.id) for n, one in enumerate((desk, warga))]
    api.register.record_bulletin(later, deliveries=queued, now_us=now_us())
    attempt = Attempt("d0", 1, now_us(), 7, ok=True, detail="HTTP 200")
    api.register.record_attempt(attempt, state=DeliveryState.SENT)
    path = f"/api/v1/bulletins/{later.id}/deliveries"
    answer = api.get(path, "operator")
    said = answer.json()
    assert said["counts"] == {"queued": 1, "sent": 1, "dead": 0, "lapsed": 0, "dropped": 0}
    first, second = said["deliveries"]
    assert first["recipient"] == {
        "id": desk.id, "name": "Piket", "audience": "agency", "channel": "webhook",
    }  # fmt: skip
    assert (first["state"], first["attempts"], first["log"][0]["detail"]) == ("sent", 0, "HTTP 200")
    assert (second["recipient"]["name"], second["recipient"]["channel"]) == (None, "sms")
    for secret in ("81200000001", "dishub.example", HOOK.secret, "Bu Warga"):
        assert str(secret) not in answer.text
    page = api.get(path, "dishub", limit=1).json()
    assert [one["id"] for one in page["deliveries"]] == ["d0"]
    rest = api.get(path, "dishub", limit=1, cursor=page["next"]).json()
    assert ([one["id"] for one in rest["deliveries"]], rest["next"]) == (["d1"], None)
    assert api.get(path, "dishub", state="dead").json()["deliveries"] == []
    assert api.get("/api/v1/bulletins/nobody/deliveries", "dishub").status_code == 404
    assert api.get(path, "dishub", state="lost").status_code == 422
    assert api.get(path).status_code == 401
    assert api.get(path, "farmer").status_code == 403


def test_a_landslide_bulletin_is_acknowledged_and_says_after_how_long(api: Site) -> None:
    slide = told(
        api, minutes=7, status=BulletinStatus.TEST, hazard=Hazard.LANDSLIDE, station="hujan-a", level_m=None,
        river=None,
    )  # fmt: skip
    path = f"/api/v1/bulletins/{slide.id}"
    open_one = api.get(path, "dishub").json()["escalation"]
    assert (open_one["asked"], open_one["acknowledged"], open_one["seconds_to_acknowledge"]) == (
        rfc3339(slide.sent_us - 1_000_000), None, None,
    )  # fmt: skip
    assert [one["step"] for one in open_one["steps"]] == [1]
    assert open_one["next_step_due"] is not None
    status, said = acknowledge(api, f"{path}/acknowledge", "dishub")
    assert (status, said["id"], said["escalation"]["acknowledged_by"]) == (200, slide.id, DISHUB)
    assert 7 * 60 <= said["escalation"]["seconds_to_acknowledge"] < 8 * 60
    assert said["escalation"]["next_step_due"] is None
    assert acknowledge(api, f"{path}/acknowledge", "dishub") == (status, said)
    assert acknowledge(api, f"{path}/acknowledge", "dishub", "key-0002") == (status, said)
    assert acknowledge(api, f"{path}/acknowledge", "dishub", "short")[0] == 422
    refused, problem = acknowledge(api, f"{path}/acknowledge", "operator")
    assert (refused, DISHUB in problem["detail"]) == (409, True)
    entries = [one for one in api.register.audit_entries(REGION) if one.action == "bulletin.acknowledge"]
    assert [(one.actor, one.target, one.detail) for one in entries] == [(DISHUB, slide.alert_id, "dilihat")]
    assert api.register.open_escalations(REGION) == []
    listed = api.get("/api/v1/bulletins", "dishub").json()["bulletins"]
    assert {one["escalation"]["acknowledged_by"] for one in listed} == {DISHUB}


def test_what_asks_for_nothing_cannot_be_acknowledged(api: Site) -> None:
    slide = put(api, status=BulletinStatus.TEST, hazard=Hazard.LANDSLIDE, level=Siaga.WASPADA)
    status, problem = acknowledge(api, f"/api/v1/bulletins/{slide.id}/acknowledge", "dishub")
    assert (status, problem["detail"]) == (409, "nothing waits for an acknowledgement")


@pytest.mark.parametrize("role", [None, "crew", "farmer"])
def test_only_officers_acknowledge(api: Site, role: str | None) -> None:
    signed = put(api, **ACTUAL)
    with api.client(role) as client:
        answer = client.post(f"/api/v1/bulletins/{signed.id}/acknowledge", json={})
    assert answer.status_code == (401 if role is None else 403)


@pytest.mark.parametrize("way", ["alerts", "bulletins"])
def test_a_flood_is_acknowledged_either_way_and_the_alert_says_after_how_long(api: Site, way: str) -> None:
    api.change("hulu", Siaga.NORMAL, Siaga.SIAGA, age_s=420)
    alert_id = api.get("/api/v1/alerts").json()["alerts"][0]["id"]
    flood = told(api, minutes=7, status=BulletinStatus.TEST, alert_id=alert_id)
    name = alert_id if way == "alerts" else flood.id
    status, said = acknowledge(api, f"/api/v1/{way}/{name}/acknowledge", "dishub")
    assert (status, said["escalation"]["acknowledged_by"]) == (200, DISHUB)
    alert = api.get(f"/api/v1/alerts/{alert_id}").json()
    assert alert["acknowledged"]["by"] == DISHUB
    assert alert["acknowledged"]["after_s"] == alert["escalation"]["seconds_to_acknowledge"]
    assert 7 * 60 <= alert["acknowledged"]["after_s"] < 8 * 60
    assert [one["step"] for one in alert["escalation"]["steps"]] == [1]


def test_a_low_level_is_acknowledged_after_its_first_bulletin(api: Site) -> None:
    api.change("hulu", Siaga.NORMAL, Siaga.WASPADA, age_s=180)
    alert_id = api.get("/api/v1/alerts").json()["alerts"][0]["id"]
    _, untold = acknowledge(api, f"/api/v1/alerts/{alert_id}/acknowledge", "dishub")
    assert (untold["acknowledged"]["after_s"], untold["escalation"]) == (None, None)
    put(api, status=BulletinStatus.TEST, alert_id=alert_id, level=Siaga.WASPADA, age_us=3 * US_PER_MINUTE)
    alert = api.get(f"/api/v1/alerts/{alert_id}").json()
    assert 180 <= alert["acknowledged"]["after_s"] < 240
