"""Health, metrics, problems and the OpenAPI document."""

import json
import sqlite3
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator

from serayu.api.errors import STATUS_CODES, status_of
from serayu.models import errors
from serayu.models.delivery.delivery import Attempt, DeliveryState, NewDelivery
from serayu.models.errors import SerayuError
from serayu.models.quality.flags import QualityFlag
from serayu.models.siaga import Siaga
from serayu.models.stores.dead_letters import DeadLetter
from serayu.models.stores.register.vault import KEY_FILE, Vault
from serayu.models.times import US_PER_S
from serayu.models.warning.bulletin import BulletinStatus
from tests.api.site import REGION, Site, now_us, site
from tests.api.test_bulletins import put
from tests.models.delivery.story import HOOK, agency


def _samples(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_a_fresh_installation_lives_and_is_ready(api: Site) -> None:
    assert api.get("/healthz").json() == {"status": "ok"}
    answer = api.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["ingest"]) == (
        200,
        {"ok": True, "last_received_s": None},
    )


def test_it_is_not_ready_when_ingest_has_received_nothing_for_long(tmp_path: Path) -> None:
    with site(tmp_path, ingest_silent_after_s=0.001) as api:
        api.put("hulu", "stage", 1.0)
        answer = api.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert answer.json()["checks"]["ingest"]["ok"] is False
    assert answer.json()["checks"]["hot_store"]["ok"] is True


def test_the_backlog_of_deliveries_is_told_and_one_that_nobody_takes_is_not_ready(api: Site) -> None:
    assert api.get("/readyz").json()["checks"]["delivery"] == {
        "ok": True, "waiting": 0, "oldest_overdue_s": None, "dead_letters": 0,
    }  # fmt: skip
    vault = Vault.open(api.settings.data_dir / KEY_FILE)
    desk = api.register.add_recipient(agency(region=REGION), HOOK, vault)
    told = put(api, status=BulletinStatus.TEST)
    for number, age_s in enumerate((20, 900)):
        queued = [NewDelivery(id=f"d{number}", recipient_id=desk.id)]
        one = msgspec.structs.replace(told, id=f"b{number}", change_id=number + 2)
        api.register.record_bulletin(one, deliveries=queued, now_us=now_us() - age_s * US_PER_S)
        answer = api.get("/readyz")
        delivery = answer.json()["checks"]["delivery"]
        assert (answer.status_code, delivery["ok"]) == ((200, True) if age_s < 300 else (503, False))
        assert age_s <= delivery["oldest_overdue_s"] < age_s + 10
    gone = Attempt("d1", 1, now_us(), 1, ok=False, detail="HTTP 410")
    api.register.record_attempt(gone, state=DeliveryState.DEAD, reason="refused")
    answer = api.get("/readyz")
    delivery = answer.json()["checks"]["delivery"]
    assert (answer.status_code, delivery["waiting"], delivery["dead_letters"]) == (200, 1, 1)


def test_it_is_not_ready_when_the_register_does_not_answer(api: Site) -> None:
    path = api.settings.data_dir / "register.sqlite"
    api.register.close()
    with sqlite3.connect(path) as link:
        link.execute("DROP TABLE alert_change")
    link.close()
    assert api.get("/healthz").status_code == 200
    stations = api.get("/api/v1/stations")
    assert (stations.status_code, stations.headers["content-type"]) == (500, "application/problem+json")
    assert str(path) not in stations.text  # where the files are is nobody's business


def test_metrics_count_streams_alerts_letters_and_requests(api: Site) -> None:
    api.put("hulu", "stage", 3.5)
    api.put("hilir", "stage", 1.0, age_s=900)
    api.put("hujan-a", "rain", 1.0, flag=QualityFlag.FAIL)
    api.change("hulu", Siaga.NORMAL, Siaga.SIAGA)
    with api.hot.transaction() as transaction:
        transaction.add_dead_letters([DeadLetter("t", b"x", "undecodable", "not JSON", 1)] * 3)
    api.get("/api/v1/stations/hulu")
    samples = _samples(api.get("/metrics").text)
    assert samples['serayu_datastreams{state="present"}'] == 1
    assert samples['serayu_datastreams{state="stale"}'] == 1
    assert samples['serayu_datastreams{state="failed"}'] == 1
    assert samples['serayu_datastreams{state="no_data"}'] == 8
    assert samples['serayu_alerts_active{level="siaga"}'] == 1
    assert samples['serayu_dead_letters{reason="undecodable"}'] == 3
    assert samples["serayu_hot_store_change_id"] == 3
    assert samples["serayu_hot_store_bytes"] > 0
    request = 'serayu_api_requests_total{method="GET",route="/api/v1/stations/{station_id}",status="200"}'
    assert samples[request] == 1
    assert 9 <= samples['serayu_station_age_seconds{station="hulu"}'] < 60


def test_metrics_name_no_field(shared_api: Site) -> None:
    text = shared_api.get("/metrics").text
    assert 'station="hulu"' in text
    assert "sawah-a" not in text


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/nothing", "/static/nothing.js", "/static/../../secret"]
)
def test_what_is_not_there_is_a_problem_document(shared_api: Site, path: str) -> None:
    answer = shared_api.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json() == {"type": "urn:serayu:problem:not-found", "title": "Not Found", "status": 404}


def test_a_wrong_method_is_a_problem_document(shared_api: Site) -> None:
    with shared_api.client() as client:
        answer = client.delete("/api/v1/stations")
    assert (answer.status_code, answer.json()["status"]) == (405, 405)
    assert "GET" in answer.headers["allow"]


def _public_errors() -> list[type[SerayuError]]:
    return [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SerayuError)
    ]


@pytest.mark.parametrize("kind", _public_errors(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_domain_has_a_status_of_its_own(kind: type[SerayuError]) -> None:
    assert kind in STATUS_CODES


def test_an_error_without_an_entry_takes_that_of_its_nearest_base() -> None:
    class Odd(errors.StoreFullError):
        pass

    assert status_of(Odd("x"))[0] == 507


def test_openapi_describes_every_route_and_its_examples_and_schemas_hold(shared_api: Site) -> None:
    document = shared_api.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert {"/api/v1/stations", "/api/v1/alerts/{alert_id}/acknowledge", "/api/v1/stream", "/readyz"} <= set(
        document["paths"]
    )
    assert "/sawah/{token}" not in document["paths"]
    for path, answer in {
        "StationsDocument": shared_api.get("/api/v1/stations"),
        "ObservationsPage": shared_api.get("/api/v1/stations/hulu/observations", property="stage"),
        "Problem": shared_api.get("/api/v1/stations/atlantis"),
    }.items():
        schema = {"$ref": f"#/components/schemas/{path}", "components": document["components"]}
        Draft202012Validator(schema).validate(json.loads(answer.text))
