"""Alerts: list, filters, paging, history and acknowledgement."""

import pytest

from serayu.models.quality.flags import QualityFlag
from serayu.models.siaga import ChangeKind, Reason, Siaga
from serayu.models.times import rfc3339
from tests.api.site import Site


def test_no_alert_is_an_empty_list(api: Site) -> None:
    assert api.get("/api/v1/alerts").json() == {"alerts": [], "next": None}


def test_an_alert_has_its_changes_with_levels_named_and_labelled(api: Site) -> None:
    api.change("hilir", Siaga.NORMAL, Siaga.WASPADA, level_m=2.2, reason=Reason.RATE_OF_RISE, verified=False)
    api.change("hilir", Siaga.WASPADA, Siaga.SIAGA, level_m=3.2)
    (alert,) = api.get("/api/v1/alerts").json()["alerts"]
    assert (alert["station"], alert["station_name"], alert["status"]) == ("hilir", "Pos Hilir <i>", "active")
    assert (alert["level"], alert["label"], alert["highest"]) == ("siaga", Siaga.SIAGA.label, "siaga")
    assert (alert["highest_by_threshold"], alert["verified"], alert["ended"]) == ("siaga", True, None)
    first, second = alert["changes"]
    assert (first["from"], first["to"], first["reason"], first["verified"]) == (
        "normal", "waspada", "rate_of_rise", False,
    )  # fmt: skip
    assert (second["from_label"], second["to_label"]) == (Siaga.WASPADA.label, Siaga.SIAGA.label)
    assert api.get(f"/api/v1/alerts/{alert['id']}").json() == alert
    history = api.get(f"/api/v1/alerts/{alert['id']}/history").json()
    assert (history["alert"], history["changes"]) == (alert["id"], alert["changes"])


def test_a_change_that_was_taken_back_is_marked_and_does_not_count(api: Site) -> None:
    api.change("hilir", Siaga.NORMAL, Siaga.WASPADA, level_m=2.2)
    api.change("hilir", Siaga.WASPADA, Siaga.AWAS, level_m=9.9)
    api.change("hilir", Siaga.AWAS, Siaga.WASPADA, level_m=2.2, kind=ChangeKind.RETRACT)
    (alert,) = api.get("/api/v1/alerts").json()["alerts"]
    assert [(change["kind"], change["retracted"]) for change in alert["changes"]] == [
        ("raise", False), ("raise", True), ("retract", False),
    ]  # fmt: skip
    assert (alert["level"], alert["highest"], alert["highest_by_threshold"]) == ("waspada",) * 3
    assert alert["level_m"] == 2.2


def test_alerts_are_filtered_and_paged_newest_first(api: Site) -> None:
    for age_s in (4000, 3000, 2000):
        api.change("hulu", Siaga.NORMAL, Siaga.WASPADA, age_s=age_s)
        api.change("hulu", Siaga.WASPADA, Siaga.NORMAL, age_s=age_s - 500)
    api.change("hilir", Siaga.NORMAL, Siaga.AWAS, age_s=100)
    seen, cursor = [], None
    while True:
        page = api.get("/api/v1/alerts", limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += page["alerts"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [alert["station"] for alert in seen] == ["hilir", "hulu", "hulu", "hulu"]
    assert [alert["opened"] for alert in seen] == sorted((a["opened"] for a in seen), reverse=True)
    active = api.get("/api/v1/alerts", status="active").json()["alerts"]
    assert [alert["station"] for alert in active] == ["hilir"]
    assert len(api.get("/api/v1/alerts", station="hulu", status="ended").json()["alerts"]) == 3
    recent = api.get("/api/v1/alerts", since=seen[1]["updated"]).json()["alerts"]
    assert [alert["id"] for alert in recent] == [seen[0]["id"], seen[1]["id"]]


def test_the_peak_is_the_highest_stored_level_of_the_alert_and_not_that_of_a_change(api: Site) -> None:
    api.put("hilir", "stage", 9.0, age_s=7000)  # before the alert
    api.put("hilir", "stage", 3.2, age_s=6000)
    first = api.put("hilir", "stage", 4.9, age_s=3000)
    api.put("hilir", "stage", 4.9, age_s=2400)
    api.put("hilir", "stage", 8.8, age_s=2000, flag=QualityFlag.FAIL)
    api.put("hilir", "stage", 1.4, age_s=600)
    api.put("hilir", "stage", 5.5, age_s=60)  # after the alert
    api.change("hilir", Siaga.NORMAL, Siaga.AWAS, level_m=4.2, age_s=6000)
    api.change("hilir", Siaga.AWAS, Siaga.NORMAL, level_m=1.4, age_s=600)
    (alert,) = api.get("/api/v1/alerts").json()["alerts"]
    assert (alert["status"], alert["level_m"]) == ("ended", 1.4)
    assert alert["peak"] == {"level_m": 4.9, "time": rfc3339(first), "flag_name": "good"}
    assert api.get(f"/api/v1/alerts/{alert['id']}").json()["peak"] == alert["peak"]


def test_the_peak_of_an_active_alert_is_that_so_far_with_its_flag(api: Site) -> None:
    api.put("hilir", "stage", 3.2, age_s=3600)
    api.change("hilir", Siaga.NORMAL, Siaga.SIAGA, level_m=3.2, age_s=3600)
    api.put("hilir", "stage", 3.9, age_s=20, flag=QualityFlag.SUSPECT)
    (alert,) = api.get("/api/v1/alerts").json()["alerts"]
    assert (alert["peak"]["level_m"], alert["peak"]["flag_name"]) == (3.9, "suspect")


def test_an_alert_without_any_stored_level_has_no_peak(api: Site) -> None:
    api.change("hilir", Siaga.NORMAL, Siaga.SIAGA, level_m=3.2)
    assert api.get("/api/v1/alerts").json()["alerts"][0]["peak"] is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/alerts?status=burning", 422),
        ("/api/v1/alerts?since=now", 422),
        ("/api/v1/alerts?foo=1", 422),
        ("/api/v1/stations?foo=1", 422),
        ("/api/v1/alerts?cursor=nobody", 404),
        ("/api/v1/alerts/nobody", 404),
        ("/api/v1/alerts/nobody/history", 404),
    ],
)
def test_wrong_questions_are_problems(shared_api: Site, path: str, status: int) -> None:
    answer = shared_api.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def _acknowledge(
    api: Site, alert: str, role: str, key: str | None, note: str = "dilihat"
) -> tuple[int, dict]:  # type: ignore[type-arg]
    headers = {} if key is None else {"Idempotency-Key": key}
    with api.client(role) as client:
        answer = client.post(f"/api/v1/alerts/{alert}/acknowledge", json={"note": note}, headers=headers)
    return answer.status_code, answer.json()


@pytest.fixture(name="alert")
def _alert(api: Site) -> str:
    api.change("hilir", Siaga.NORMAL, Siaga.AWAS)
    return str(api.get("/api/v1/alerts").json()["alerts"][0]["id"])


def test_a_telephone_number_in_an_officers_note_is_not_public(api: Site, alert: str) -> None:
    assert _acknowledge(api, alert, "dishub", "key-0001", "hubungi 0812-3456-7890")[0] == 200
    assert api.get(f"/api/v1/alerts/{alert}").json()["acknowledged"]["note"] == "hubungi […]"


def test_an_officer_acknowledges_under_a_name_and_it_is_in_the_audit_trail(api: Site, alert: str) -> None:
    status, said = _acknowledge(api, alert, "dishub", "key-0001")
    assert status == 200
    assert (said["acknowledged"]["by"], said["acknowledged"]["note"]) == (
        "kunci awal dishub (dishub)",
        "dilihat",
    )
    entry = api.register.audit_entries("33.02", limit=1)[0]
    assert (entry.action, entry.target, entry.actor) == (
        "alert.acknowledge",
        alert,
        "kunci awal dishub (dishub)",
    )


def test_repeating_an_acknowledgement_changes_nothing(api: Site, alert: str) -> None:
    first = _acknowledge(api, alert, "dishub", "key-0001")
    assert _acknowledge(api, alert, "dishub", "key-0001") == first
    assert _acknowledge(api, alert, "dishub", "key-0002") == first  # another process would see it like this
    acknowledged = [e for e in api.register.audit_entries("33.02") if e.action == "alert.acknowledge"]
    assert len(acknowledged) == 1


def test_a_second_person_learns_that_the_alert_was_acknowledged(api: Site, alert: str) -> None:
    _acknowledge(api, alert, "dishub", "key-0001")
    status, problem = _acknowledge(api, alert, "operator", "key-0002")
    assert (status, problem["type"]) == (409, "urn:serayu:problem:conflict")
    assert "kunci awal dishub" in problem["detail"]


def test_one_idempotency_key_belongs_to_one_request(api: Site, alert: str) -> None:
    _acknowledge(api, alert, "dishub", "key-0001")
    assert _acknowledge(api, alert, "dishub", "key-0001", note="lain")[0] == 409


@pytest.mark.parametrize("key", [None, "short", "x" * 201])
def test_an_acknowledgement_needs_an_idempotency_key(api: Site, alert: str, key: str | None) -> None:
    status, problem = _acknowledge(api, alert, "dishub", key)
    assert status == 422
    assert "Idempotency-Key" in problem["detail"]


def test_a_note_has_a_limit(api: Site, alert: str) -> None:
    assert _acknowledge(api, alert, "dishub", "key-0001", note="x" * 501)[0] == 422


def test_an_alert_that_lapsed_for_want_of_data_is_not_back_to_normal(api: Site) -> None:
    api.change("hulu", Siaga.NORMAL, Siaga.WASPADA, level_m=2.2)
    api.change("hulu", Siaga.WASPADA, Siaga.NORMAL, level_m=2.2, kind=ChangeKind.LAPSE)
    (alert,) = api.get("/api/v1/alerts", status="ended").json()["alerts"]
    assert (alert["level"], alert["label"], alert["outcome"]) == (
        None,
        "TIDAK DIKETAHUI (tidak ada data)",
        "lapsed",
    )
    last = alert["changes"][-1]
    assert (last["kind"], last["unknown"], last["to_label"]) == ("lapse", True, alert["label"])
    assert alert["highest"] == "waspada"
